#include "app/checking_view.h"

#include "app/json_out.h"
#include "base/buf.h"
#include "report/table.h"
#include "test.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

struct fixture {
    struct manifest *m;
    struct matrix x;
    struct checking_rows rows;
};

static void priced(struct fixture *f)
{
    struct err e = ERR_INIT;

    CHECK(f->m && matrix_build(f->m, NULL, &f->x, &e) == 0);
    checking_rows(f->m, &f->x, &f->rows);
}

static void the_example(struct fixture *f)
{
    struct manifest_problems problems = {0};
    struct err e = ERR_INIT;

    *f = (struct fixture){0};
    (void)manifest_load(EXAMPLE, &f->m, &problems, &e);
    manifest_problems_release(&problems);
    priced(f);
}

/* One service with a check and a route; `more` is added to each. */
static void a_shop(struct fixture *f, const char *platform, const char *check, const char *route)
{
    struct manifest_problems problems = {0};
    struct buf text = BUF_INIT(4096);
    struct err e = ERR_INIT;

    *f = (struct fixture){0};
    buf_addf(&text,
             "project: shop\n"
             "apps:\n  api: { kind: service }\n"
             "environments:\n"
             "  one: { branch: b, service: { platform: %s, token: $T, name: one,\n"
             "         repository: github.com/a/b, region: oregon } }\n"
             "checks:\n  health: { app: api, path: /health, %s }\n"
             "traffic:\n  api: { app: api, weights: { one: 1 }, check: health%s }\n",
             platform, check, route);
    (void)manifest_parse("trine.yaml", "/", text.data, text.len, &f->m, &problems, &e);
    for (size_t i = 0; i < problems.n; i++)
        printf("# %s\n", problems.lines[i]);
    buf_release(&text);
    manifest_problems_release(&problems);
    priced(f);
}

static void release(struct fixture *f)
{
    checking_rows_release(&f->rows);
    matrix_release(&f->x);
    manifest_free(f->m);
}

static const struct checking_row *row(const struct fixture *f, const char *environment,
                                      const char *platform, const char *what)
{
    for (size_t i = 0; i < f->rows.n; i++) {
        const struct checking_row *r = &f->rows.items[i];
        if (!*r->route && strcmp(r->environment, environment) == 0 &&
            strcmp(r->platform, platform) == 0 && strcmp(r->what, what) == 0)
            return r;
    }
    return NULL;
}

/* Which of the example's allowances its own checks take more than a tenth of. Its services are
 * asked every minute, which keeps them awake all month; its sites every 5 minutes, 12 of them. */
static void the_example_says_where_its_checks_take_over_a_tenth(void)
{
    struct fixture f;
    char over[200] = "";

    the_example(&f);
    for (size_t i = 0; i < f.rows.n; i++) {
        const struct checking_row *r = &f.rows.items[i];
        if (!*r->route && r->price.worst.known && r->price.worst.share > 0.1)
            (void)snprintf(over + strlen(over), sizeof(over) - strlen(over), "%s %s, ", r->platform,
                           r->what);
    }
    CHECK(strcmp(over, "render service, netlify static, railway service, vercel static, ") == 0);
    /* 3 checks a minute, cors every hour and a websocket every 6 hours; from 9 to 18 o'clock on
     * five days it is kept awake anyway. */
    const struct checking_row *r = row(&f, "beta", "render", "service");
    CHECK(r && fabs(r->price.requests - (3 * 43800 + 730 + 730.0 / 6)) < 1e-6);
    CHECK(r && fabs(r->price.awake_hours - 730 * (1 - 45.0 / 168)) < 1e-6);
    /* A query every 6 hours, 5 minutes and a quarter of a unit each. */
    r = row(&f, "uat", "neon", "database");
    CHECK(r && fabs(r->price.worst.share - 730.0 / 72 / 400) < 1e-9);
    /* The team's own 10,000 a day. */
    r = row(&f, "uat", "upstash", "cache");
    CHECK(r && fabs(r->price.commands - 5840) < 1e-6 &&
          strcmp(r->price.worst.source, "the manifest") == 0);
    r = row(&f, "uat", "cloudflare-pages", "static");
    CHECK(r && !r->price.worst.known && r->price.worst.unlimited);
    release(&f);
}

static void the_examples_route_finds_failures_in_seconds_within_a_tenth(void)
{
    static const char *const environments[] = {"uat", "beta", "preprod"};
    struct fixture f;

    the_example(&f);
    for (size_t i = 0; i < 3; i++) {
        const struct checking_row *r = checking_row_of(&f.rows, "api", environments[i]);
        CHECK(r && r->every_ms == 3500); /* of detect: 5s */
        CHECK(r && (!r->price.worst.known || r->price.worst.share <= 0.1));
        CHECK(r && (!r->tuned.worst.known || r->tuned.worst.share > 1.5 * r->price.worst.share));
    }
    CHECK(!checking_row_of(&f.rows, "api", "prod") && !checking_row_of(&f.rows, "x", "uat"));
    release(&f);
}

static void an_idle_sleeper_is_left_to_sleep(void)
{
    struct fixture f;

    a_shop(&f, "render", "every: 1d", "");
    const struct checking_row *r = checking_row_of(&f.rows, "api", "one");
    CHECK(r && r->every_ms == 3500 && r->stops_when_asleep && r->price.awake_hours < 75);
    CHECK(r && r->tuned.awake_hours > 700);
    release(&f);
    a_shop(&f, "render", "every: 1m", ""); /* awake anyway */
    r = checking_row_of(&f.rows, "api", "one");
    CHECK(r && r->every_ms == 3500 && !r->stops_when_asleep && r->price.awake_hours < 1e-9);
    release(&f);
}

static void a_pace_that_no_budget_allows_is_none(void)
{
    struct fixture f;

    a_shop(&f, "render", "every: 1d", ", check_budget: 0%");
    const struct checking_row *r = checking_row_of(&f.rows, "api", "one");
    struct table *t = checking_table(&f.rows, "api");
    struct buf b = BUF_INIT(10000);
    table_print(t, &(struct table_look){0}, &b);
    CHECK(r && r->every_ms == 0 && r->price.requests < 1e-9);
    CHECK(strstr(b.data, "none fits"));
    buf_release(&b);
    table_free(t);
    release(&f);
}

static void a_paid_plan_has_no_free_allowance(void)
{
    struct fixture f;

    a_shop(&f, "render, plan: starter", "every: 1m", "");
    const struct checking_row *r = row(&f, "one", "render", "service");
    CHECK(r && !r->price.worst.known && r->price.awake_hours < 1e-9);
    r = checking_row_of(&f.rows, "api", "one");
    CHECK(r && r->every_ms == 3500 && !r->stops_when_asleep && !r->tuned.worst.known);
    release(&f);
}

static void json_has_the_rows_of_one_route_or_all(void)
{
    struct fixture f;
    struct buf b = BUF_INIT(100000);
    struct json_out o = {.b = &b};

    the_example(&f);
    checking_json(&f.rows, "api", &o);
    json_t *list = json_loadb(b.data, b.len, 0, NULL);
    CHECK(json_array_size(list) == 3);
    const json_t *beta = json_array_get(list, 1);
    CHECK(json_integer_value(json_object_get(beta, "pace_ms")) == 3500);
    CHECK(strcmp(json_string_value(json_object_get(beta, "of")), "bandwidth") == 0);
    CHECK(json_number_value(json_object_get(beta, "tuned_share")) > 1);
    CHECK(strstr(json_string_value(json_object_get(beta, "doubt")), "100 GB"));
    json_decref(list);
    buf_release(&b);
    struct buf all = BUF_INIT(100000);
    o = (struct json_out){.b = &all};
    checking_json(&f.rows, NULL, &o);
    list = json_loadb(all.data, all.len, 0, NULL);
    CHECK(json_array_size(list) == f.rows.n && f.rows.n == 15);
    json_decref(list);
    buf_release(&all);
    release(&f);
}

int main(void)
{
    the_example_says_where_its_checks_take_over_a_tenth();
    the_examples_route_finds_failures_in_seconds_within_a_tenth();
    an_idle_sleeper_is_left_to_sleep();
    a_pace_that_no_budget_allows_is_none();
    a_paid_plan_has_no_free_allowance();
    json_has_the_rows_of_one_route_or_all();
    return DONE();
}
