#include "provider/allowance.h"

#include "test.h"

#include <math.h>
#include <string.h>

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9 * fmax(1, fabs(b));
}

static void every_row_of_the_data_file_names_its_source(void)
{
    static const char *const platforms[] = {"netlify", "vercel", "render", "railway"};
    struct allowances *a = allowances_new(NULL);

    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
        struct allowance_share s;
        allowance_share(a, platforms[i], &(struct traffic){.requests = 1000, .bytes = 1000000}, &s);
        CHECK(s.known && s.source[0] && s.beyond[0] && s.share > 0);
    }
    allowances_free(a);
}

static void the_scarcest_allowance_is_told(void)
{
    struct allowances *a = allowances_new(NULL);
    struct allowance_share s;

    /* 100,000 small answers: a tenth of Vercel's requests, hardly any of its bandwidth. */
    allowance_share(a, "vercel", &(struct traffic){.requests = 100000, .bytes = 100000 * 100.0},
                    &s);
    CHECK(strcmp(s.metric, "requests") == 0 && near(s.share, 0.1));
    /* The same number of large ones: all of its bandwidth. */
    allowance_share(a, "vercel", &(struct traffic){.requests = 100000, .bytes = 100000000000.0},
                    &s);
    CHECK(strcmp(s.metric, "bandwidth") == 0 && near(s.share, 1));
    /* Credits: 1 GB is 20 of 300, and 10,000 requests are 2. */
    allowance_share(a, "netlify", &(struct traffic){.requests = 10000, .bytes = 1000000000}, &s);
    CHECK(near(s.used, 22) && near(s.share, 22.0 / 300));
    allowances_free(a);
}

static void a_platform_without_a_stated_limit_is_not_known(void)
{
    struct allowances *a = allowances_new(NULL);
    struct allowance_share s;

    allowance_share(a, "cloudflare-pages",
                    &(struct traffic){.requests = 1000000, .bytes = 1000000000}, &s);
    CHECK(!s.known);
    CHECK(!allowance_load_terms(a, "cloudflare-pages"));
    CHECK(allowance_load_terms(a, "netlify") && allowance_load_terms(a, "vercel"));
    allowances_free(a);
}

static void the_manifest_overrides_and_adds(void)
{
    static const char text[] =
        "project: p\n"
        "apps:\n  web: { kind: static }\n"
        "environments:\n  e: { branch: b, static: { platform: netlify, token: $T } }\n"
        "limits:\n"
        "  r: { platform: render, metric: bandwidth, limit: 100GB, per: month }\n"
        "  k: { platform: koyeb, metric: requests, limit: 1000, per: day }\n";
    struct manifest_problems problems = {0};
    struct manifest *m = NULL;
    struct err e = ERR_INIT;
    struct allowance_share s;

    CHECK(manifest_parse("trine.yaml", "/", text, sizeof(text) - 1, &m, &problems, &e) == 0);
    struct allowances *a = allowances_new(m);
    allowance_share(a, "render", &(struct traffic){.requests = 1, .bytes = 1000000000}, &s);
    CHECK(near(s.share, 0.01) && strcmp(s.source, "the manifest") == 0);
    allowance_share(a, "koyeb", &(struct traffic){.requests = 500, .bytes = 1}, &s);
    CHECK(s.known && near(s.share, 0.5) && strcmp(s.per, "day") == 0);
    allowances_free(a);
    manifest_problems_release(&problems);
    manifest_free(m);
}

int main(void)
{
    every_row_of_the_data_file_names_its_source();
    the_scarcest_allowance_is_told();
    a_platform_without_a_stated_limit_is_not_known();
    the_manifest_overrides_and_adds();
    return DONE();
}
