#include "budget/checking.h"

#include "manifest/platform.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* A month has 730 hours: 2,628,000 seconds. */

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9 * fmax(1, fabs(b));
}

static const struct checking render = {
    .platform = "render", .hosts = HOSTS_SERVICE, .sleep_after_ms = 15 * MINUTE};
static const struct checking railway = {
    .platform = "railway", .hosts = HOSTS_SERVICE, .sleep_after_ms = 10 * MINUTE};
static const struct checking koyeb = {
    .platform = "koyeb", .hosts = HOSTS_SERVICE, .sleep_after_ms = HOUR};
static const struct checking netlify = {.platform = "netlify", .hosts = HOSTS_STATIC};
static const struct checking vercel = {.platform = "vercel", .hosts = HOSTS_STATIC};
static const struct checking pages = {.platform = "cloudflare-pages", .hosts = HOSTS_STATIC};
static const struct checking neon = {.platform = "neon",
                                     .hosts = HOSTS_DATABASE,
                                     .sleep_after_ms = 5 * MINUTE,
                                     .request_bytes = 1000};
static const struct checking upstash = {.platform = "upstash", .hosts = HOSTS_CACHE, .commands = 2};

static struct checking every(const struct checking *of, int64_t ms)
{
    struct checking c = *of;
    c.every_ms = ms;
    return c;
}

static struct checking_price price(struct checking c, struct allowances *a)
{
    struct checking_price p;
    checking_price(a, &c, &p);
    return p;
}

static void a_month_by_hand(void)
{
    struct allowances *a = allowances_new(NULL);

    /* A minute: 43,800 requests of 600 bytes; always awake: 730 of 750 hours. */
    struct checking_price p = price(every(&render, MINUTE), a);
    CHECK(near(p.requests, 43800) && near(p.bytes, 26280000) && near(p.awake_hours, 730));
    CHECK(strcmp(p.worst.metric, "hours") == 0 && near(p.worst.share, 730.0 / 750));
    /* An hour: a quarter of it awake. */
    p = price(every(&render, HOUR), a);
    CHECK(near(p.requests, 730) && near(p.awake_hours, 182.5));
    /* A query every 6 hours keeps a quarter of a unit awake for 5 minutes: 730 / 72 / 4 of 100. */
    p = price(every(&neon, 6 * HOUR), a);
    CHECK(near(p.awake_hours, 730.0 / 72) && near(p.worst.share, 730.0 / 72 / 4 / 100));
    /* 2 commands every 15 minutes: 5,840 of 500,000. */
    p = price(every(&upstash, 15 * MINUTE), a);
    CHECK(near(p.commands, 5840) && near(p.worst.share, 0.01168));
    CHECK(strcmp(p.worst.metric, "commands") == 0);
    /* Credits: 5 minutes are 8,760 requests (2 a 10,000) and 5.256 MB (20 a GB) of 300. */
    p = price(every(&netlify, 5 * MINUTE), a);
    CHECK(near(p.worst.used, 1.752 + 0.10512) && near(p.worst.amount, 300));
    /* No limit, and said so. */
    p = price(every(&pages, SECOND), a);
    CHECK(!p.worst.known && p.worst.unlimited && near(p.requests, 2628000));
    CHECK(near(price(every(&vercel, 0), a).requests, 0));
    allowances_free(a);
}

static void hours_in_which_it_is_awake_anyway_cost_nothing_more(void)
{
    struct allowances *a = allowances_new(NULL);
    struct checking c = every(&render, 10 * MINUTE);

    c.awake_anyway = 0.25;
    CHECK(near(price(c, a).awake_hours, 547.5));
    c.awake_anyway = 1;
    struct checking_price p = price(c, a);
    CHECK(near(p.awake_hours, 0) && strcmp(p.worst.metric, "bandwidth") == 0);
    allowances_free(a);
}

static void checks_of_one_service_keep_it_awake_together(void)
{
    struct allowances *a = allowances_new(NULL);
    struct checking_price p;
    struct checking list[] = {every(&render, HOUR), every(&render, 30 * MINUTE),
                              every(&render, HOUR)};

    list[2].service = 1;
    checking_price_all(a, list, 3, &p); /* 1/4 and 1/2 of one, 1/4 of the other */
    CHECK(near(p.awake_hours, 730) && near(p.requests, 730 + 1460 + 730));
    list[1].every_ms = MINUTE;
    checking_price_all(a, list, 3, &p); /* the first cannot be more than always awake */
    CHECK(near(p.awake_hours, 730 + 182.5));
    list[2].no_request = true;
    checking_price_all(a, list, 3, &p);
    CHECK(near(p.awake_hours, 730) && near(p.requests, 730 + 43800));
    allowances_free(a);
}

static void checks_that_stop_lengthen_each_waking_time_by_a_twentieth(void)
{
    struct allowances *a = allowances_new(NULL);
    struct checking c = every(&render, 10 * SECOND);

    c.stops_when_asleep = true;
    struct checking_price p = price(c, a);
    CHECK(near(p.awake_hours, 730.0 / 21) && near(p.requests, 262800)); /* the most it can be */
    c.awake_anyway = 0.99;
    CHECK(near(price(c, a).awake_hours, 7.3));
    /* A dollar buys 292 hours; so nobody keeps it awake for longer. */
    c = every(&railway, 10 * SECOND);
    c.stops_when_asleep = true;
    CHECK(fabs(price(c, a).awake_hours - 14.6) < 0.01);
    allowances_free(a);
}

static void what_is_unlimited_is_checked_as_fast_as_wanted(void)
{
    struct allowances *a = allowances_new(NULL);
    bool stops = true;

    CHECK(checking_pace(a, &pages, 0.1, 2 * SECOND, &stops) == 2 * SECOND && !stops);
    CHECK(checking_pace(a, &koyeb, 0.1, 2 * SECOND, &stops) == 2 * SECOND && !stops);
    allowances_free(a);
}

static void where_hours_are_scarce_checks_stop_while_it_is_idle(void)
{
    struct allowances *a = allowances_new(NULL);
    struct checking c = render;
    bool stops = false;

    /* Bandwidth, not hours, sets the interval: 500 MB are 833,333 answers, one every 3.1536 s. */
    CHECK(checking_pace(a, &c, 0.1, 2 * SECOND, &stops) == 3154 && stops);
    CHECK(checking_pace(a, &c, 0.1, 5 * SECOND, &stops) == 5 * SECOND && stops);
    c.awake_anyway = 1;
    CHECK(checking_pace(a, &c, 0.1, 5 * SECOND, &stops) == 5 * SECOND && !stops);
    /* The tails alone are 34.8 of 750 hours: too much for a hundredth. Then only looks that let it
     * sleep in between: 7.5 hours are 30 quarters, one every 24.3 hours, which is over a day. */
    c.awake_anyway = 0;
    CHECK(checking_pace(a, &c, 0.01, 2 * SECOND, &stops) == 0 && !stops);
    CHECK(checking_pace(a, &c, 0.02, 2 * SECOND, &stops) == 43800 * SECOND && !stops);
    allowances_free(a);
}

static void where_requests_are_scarce_the_interval_is_what_the_budget_says(void)
{
    struct allowances *a = allowances_new(NULL);
    bool stops = true;

    /* 100,000 of a million requests: one every 26.28 s. */
    CHECK(checking_pace(a, &vercel, 0.1, 2 * SECOND, &stops) == 26280 && !stops);
    /* 30 credits; a request takes 0.0002 + 0.000012 of them: 141,509 of them, one every 18.57 s. */
    CHECK(checking_pace(a, &netlify, 0.1, 2 * SECOND, &stops) == 18572 && !stops);
    /* 50,000 commands are 25,000 looks: one every 105.12 s. */
    CHECK(checking_pace(a, &upstash, 0.1, 2 * SECOND, &stops) == 105120);
    allowances_free(a);
}

static void a_pace_keeps_within_its_budget_and_is_the_shortest_that_does(void)
{
    static const struct checking *const all[] = {&render, &railway, &koyeb,  &netlify,
                                                 &vercel, &pages,   &upstash};
    struct allowances *a = allowances_new(NULL);

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct checking c = *all[i];
        c.every_ms = checking_pace(a, &c, 0.1, 3500, &c.stops_when_asleep);
        struct checking_price p = price(c, a), tuned;
        CHECK(c.every_ms >= 3500 && (!p.worst.known || p.worst.share <= 0.1));
        c.every_ms--;
        CHECK(c.every_ms < 3500 || price(c, a).worst.share > 0.1);
        checking_price_tuned(a, &c, &tuned);
        CHECK(!tuned.worst.known || tuned.worst.share > 0.9);
    }
    allowances_free(a);
}

static void checks_at_full_speed_eat_the_month(void)
{
    struct allowances *a = allowances_new(NULL);
    struct checking_price p;

    checking_price_tuned(a, &render, &p); /* 13,140,000 answers: 7.884 of 5 GB */
    CHECK(near(p.requests, 13140000) && near(p.worst.share, 7.884 / 5));
    CHECK(near(p.awake_hours, 730));
    checking_price_tuned(a, &vercel, &p);
    CHECK(near(p.worst.share, 13.14));
    allowances_free(a);
}

static void an_interval_leaves_time_to_confirm(void)
{
    CHECK(checking_interval(5 * SECOND, 3) == 3500);
    CHECK(checking_interval(5 * SECOND, 1) == 4500);
    CHECK(checking_interval(SECOND, 10) == CHECKING_CONFIRM_MS);
}

static void the_manifests_own_limits_count(void)
{
    static const char text[] =
        "project: p\n"
        "apps:\n  web: { kind: static }\n"
        "environments:\n  e: { branch: b, static: { platform: netlify, token: $T } }\n"
        "limits:\n"
        "  c: { platform: upstash, metric: commands, limit: 10000, per: day }\n"
        "  h: { platform: render, metric: hours, limit: 1500h, per: month }\n"
        "  m: { platform: railway, metric: credit, limit: 5 USD, per: month }\n";
    struct manifest_problems problems = {0};
    struct manifest *m = NULL;
    struct err e = ERR_INIT;

    CHECK(manifest_parse("trine.yaml", "/", text, sizeof(text) - 1, &m, &problems, &e) == 0);
    struct allowances *a = allowances_new(m);
    /* 5,840 of 10,000 a day for 730 / 24 days. */
    struct checking_price p = price(every(&upstash, 15 * MINUTE), a);
    CHECK(near(p.worst.amount, 10000 * 730.0 / 24) && near(p.worst.used, 5840));
    CHECK(strcmp(p.worst.per, "month") == 0 && strcmp(p.worst.source, "the manifest") == 0);
    CHECK(near(price(every(&render, MINUTE), a).worst.share, 730.0 / 1500));
    p = price(every(&railway, MINUTE), a);
    CHECK(near(p.worst.amount, 5) && p.worst.share > 0.5 && p.worst.share < 0.51);
    allowances_free(a);
    manifest_problems_release(&problems);
    manifest_free(m);
}

int main(void)
{
    a_month_by_hand();
    hours_in_which_it_is_awake_anyway_cost_nothing_more();
    checks_of_one_service_keep_it_awake_together();
    checks_that_stop_lengthen_each_waking_time_by_a_twentieth();
    what_is_unlimited_is_checked_as_fast_as_wanted();
    where_hours_are_scarce_checks_stop_while_it_is_idle();
    where_requests_are_scarce_the_interval_is_what_the_budget_says();
    a_pace_keeps_within_its_budget_and_is_the_shortest_that_does();
    checks_at_full_speed_eat_the_month();
    an_interval_leaves_time_to_confirm();
    the_manifests_own_limits_count();
    return DONE();
}
