#include "manifest/catalogue.h"

#include "manifest/platform.h"
#include "test.h"

#include <math.h>
#include <string.h>

static void every_row_is_of_a_known_platform_and_names_its_source(void)
{
    struct catalogue *c = catalogue_new();
    size_t n;
    const struct catalogue_row *rows = catalogue_rows(c, &n);

    CHECK(n >= 10);
    for (size_t i = 0; i < n; i++) {
        const struct catalogue_row *r = &rows[i];
        const struct platform *p = platform_find(r->platform);
        CHECK(p && r->source[0] && r->amount > 0);
        CHECK(p && (r->hosts & p->hosts) == r->hosts);
        CHECK(isinf(r->amount) || r->beyond[0]);
        CHECK(r->metric != METRIC_CREDIT || r->per_gb > 0);
        CHECK(r->metric != METRIC_HOURS || isinf(r->amount) || r->per_awake_hour > 0);
    }
    catalogue_free(c);
}

static void no_two_rows_are_about_the_same(void)
{
    struct catalogue *c = catalogue_new();
    size_t n;
    const struct catalogue_row *rows = catalogue_rows(c, &n);
    bool alone = true;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            alone &= strcmp(rows[i].platform, rows[k].platform) != 0 ||
                     rows[i].metric != rows[k].metric ||
                     (rows[i].hosts && rows[k].hosts && !(rows[i].hosts & rows[k].hosts));
    CHECK(alone);
    catalogue_free(c);
}

static void terms_are_known_where_they_were_read(void)
{
    struct catalogue *c = catalogue_new();

    CHECK(catalogue_load_terms(c, "netlify") && !catalogue_load_terms(c, "render"));
    catalogue_free(c);
}

int main(void)
{
    every_row_is_of_a_known_platform_and_names_its_source();
    no_two_rows_are_about_the_same();
    terms_are_known_where_they_were_read();
    return DONE();
}
