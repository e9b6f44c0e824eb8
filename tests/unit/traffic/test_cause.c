#include "test.h"
#include "traffic/cause.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small book: what the rules say, applied as it comes. */
enum { SIGNS_MAX = 64, CASES_MAX = 16 };

struct world {
    struct cause_sign signs[CASES_MAX][SIGNS_MAX];
    const struct cause_sign *pointers[CASES_MAX][SIGNS_MAX];
    struct cause_case cases[CASES_MAX];
    size_t n;
};

static const int64_t start = INT64_C(1700000000000);

static struct cause_sign outage(int64_t series, const char *platform, const char *environment,
                                const char *app, int64_t from_ms)
{
    return (struct cause_sign){.kind = CAUSE_OUTAGE,
                               .platform = platform,
                               .environment = environment,
                               .app = app,
                               .instance = "",
                               .check = "health",
                               .series = series,
                               .from_ms = start + from_ms,
                               .reason = ""};
}

static struct cause_sign failover(const char *environment, int64_t from_ms)
{
    return (struct cause_sign){.kind = CAUSE_FAILOVER,
                               .platform = "koyeb",
                               .environment = environment,
                               .app = "api",
                               .instance = "",
                               .check = "main",
                               .from_ms = start + from_ms,
                               .reason = "it is down"};
}

static struct cause_sign blind(int64_t from_ms)
{
    return (struct cause_sign){.kind = CAUSE_BLIND,
                               .platform = "",
                               .environment = "",
                               .app = "",
                               .instance = "",
                               .check = "",
                               .from_ms = start + from_ms,
                               .reason = "no control target answers"};
}

/* The number of the incident that it came into. */
static size_t place_at(struct world *w, struct cause_sign sign, int64_t now_ms)
{
    size_t at = cause_find(w->cases, w->n, &sign, start + now_ms);
    struct cause_case *c;

    if (at == SIZE_MAX) {
        at = w->n++;
        w->cases[at] = (struct cause_case){.kind = sign.kind,
                                           .platform = sign.platform,
                                           .environment = sign.environment,
                                           .app = sign.app,
                                           .from_ms = sign.from_ms,
                                           .signs = w->pointers[at]};
    }
    c = &w->cases[at];
    cause_narrow(c, &sign);
    c->until_ms = 0;
    if (sign.from_ms > c->newest_ms)
        c->newest_ms = sign.from_ms;
    w->signs[at][c->n_signs] = sign;
    w->pointers[at][c->n_signs] = &w->signs[at][c->n_signs];
    c->n_signs++;
    return at;
}

static size_t place(struct world *w, struct cause_sign sign)
{
    return place_at(w, sign, sign.from_ms - start);
}

static const char *title(const struct world *w, size_t at)
{
    static char text[256];
    cause_title(&w->cases[at], text, sizeof(text));
    return text;
}

static void thirty_checks_of_one_platform_in_one_minute_are_one_incident(void)
{
    struct world *w = calloc(1, sizeof(*w));
    char apps[15][16];
    for (int i = 0; i < 30; i++) {
        snprintf(apps[i % 15], sizeof(apps[0]), "app-%d", i % 15);
        place(w, outage(i + 1, "koyeb", "uat", apps[i % 15], INT64_C(2000) * i));
    }
    CHECK(w->n == 1 && w->cases[0].n_signs == 30);
    CHECK(strcmp(title(w, 0), "koyeb: 30 checks of 15 apps fail in uat") == 0);
    CHECK(strcmp(w->cases[0].environment, "uat") == 0 && w->cases[0].app[0] == '\0');
    free(w);
}

static void the_first_is_named_by_itself(void)
{
    struct world *w = calloc(1, sizeof(*w));
    place(w, outage(1, "koyeb", "uat", "backend", 0));
    CHECK(strcmp(title(w, 0), "backend health fails in uat") == 0);
    struct cause_sign eu = outage(2, "koyeb", "beta", "backend", 0);
    eu.instance = "eu";
    w->n = 0;
    memset(w->cases, 0, sizeof(w->cases));
    place(w, eu);
    CHECK(strcmp(title(w, 0), "backend/eu health fails in beta") == 0);
    free(w);
}

static void two_that_share_neither_platform_nor_environment_are_two(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 0)) == 0);
    CHECK(place(w, outage(2, "render", "beta", "backend", 0)) == 1);
    CHECK(place(w, outage(3, "koyeb", "uat", "web", 500)) == 0);
    CHECK(place(w, outage(4, "render", "beta", "web", 500)) == 1);
    CHECK(w->n == 2);
    free(w);
}

static void an_incident_about_a_platform_does_not_grow_into_one_about_everything(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "a", 0)) == 0);
    CHECK(place(w, outage(2, "koyeb", "beta", "b", 100)) == 0); /* it is the platform */
    CHECK(place(w, outage(3, "netlify", "uat", "c", 200)) == 1);
    CHECK(strcmp(title(w, 0), "koyeb: 2 checks of 2 apps fail in 2 environments") == 0);
    CHECK(place(w, outage(4, "netlify", "beta", "d", 300)) == 1);
    free(w);
}

static void an_incident_about_an_environment_takes_its_other_platforms(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 0)) == 0);
    CHECK(place(w, outage(2, "neon", "uat", "database", 100)) == 0);
    CHECK(strcmp(title(w, 0), "2 checks of 2 apps fail in uat") == 0);
    CHECK(place(w, outage(3, "koyeb", "beta", "backend", 200)) == 1);
    free(w);
}

static void what_begins_after_the_window_is_another_incident(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "a", 0)) == 0);
    CHECK(place(w, outage(2, "koyeb", "uat", "b", CAUSE_JOIN_MS)) == 0);
    CHECK(place(w, outage(3, "koyeb", "uat", "c", INT64_C(2) * CAUSE_JOIN_MS)) ==
          0); /* of the newest */
    CHECK(place(w, outage(4, "koyeb", "uat", "d", INT64_C(3) * CAUSE_JOIN_MS + 1)) == 1);
    struct cause_sign seldom = outage(5, "koyeb", "uat", "e", INT64_C(5) * CAUSE_JOIN_MS);
    seldom.late_ms = INT64_C(2) * CAUSE_JOIN_MS;
    CHECK(place(w, seldom) == 1);
    free(w);
}

static void another_check_of_the_same_service_joins_at_any_time(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 0)) == 0);
    CHECK(place(w, outage(2, "koyeb", "uat", "backend", 86400000)) == 0);
    CHECK(place(w, outage(3, "koyeb", "uat", "other", INT64_C(2) * 86400000)) == 1);
    free(w);
}

static void what_returns_soon_reopens_and_what_returns_late_is_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 0)) == 0);
    w->cases[0].until_ms = start + 20000;
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 20000 + CAUSE_RETURN_MS)) == 0);
    w->cases[0].until_ms = start + 1000000;
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 1000001 + CAUSE_RETURN_MS)) == 1);
    free(w);
}

static void a_failover_joins_the_incident_of_the_environment_it_leaves(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 0)) == 0);
    CHECK(place(w, outage(2, "render", "beta", "backend", 0)) == 1);
    CHECK(place(w, failover("uat", 600000)) == 0);
    CHECK(place(w, failover("beta", 600000)) == 1);
    CHECK(strcmp(title(w, 0), "backend health fails in uat") == 0);
    free(w);
}

static void a_failover_that_comes_first_is_joined_by_the_outages(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, failover("uat", 0)) == 0);
    CHECK(strcmp(title(w, 0), "main: traffic leaves uat, it is down") == 0);
    CHECK(place(w, outage(1, "neon", "uat", "database", 3000)) == 0);
    CHECK(strcmp(title(w, 0), "database health fails in uat") == 0);
    free(w);
}

static void nothing_joins_our_own_blindness(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 0)) == 0);
    CHECK(place(w, blind(100)) == 1);
    CHECK(place(w, outage(2, "koyeb", "uat", "web", 200)) == 0);
    CHECK(place(w, blind(300)) == 1);
    w->cases[1].until_ms = start + 400;
    CHECK(place(w, blind(60000)) == 1);
    CHECK(strcmp(title(w, 1), "this prober is blind: no control target answers") == 0);
    free(w);
}

static void a_drill_over_its_bound_is_one_of_its_own(void)
{
    struct world *w = calloc(1, sizeof(*w));
    struct cause_sign drill = failover("uat", 100);
    drill.kind = CAUSE_DRILL;
    drill.reason = "stop: recovered after 7s, the bound is 5s";
    CHECK(place(w, outage(1, "koyeb", "uat", "backend", 0)) == 0);
    CHECK(place(w, drill) == 1);
    CHECK(place(w, drill) == 2);
    CHECK(strcmp(title(w, 1), "drill of main in uat: stop: recovered after 7s, the bound is 5s") ==
          0);
    CHECK(place(w, outage(2, "koyeb", "uat", "web", 200)) == 0);
    free(w);
}

static void of_several_that_fit_the_closest_is_taken(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "a", 0)) == 0);
    CHECK(place(w, outage(2, "render", "beta", "b", 1000)) == 1);
    /* Shares the platform with one and the environment with the other: the newer. */
    CHECK(place(w, outage(3, "koyeb", "beta", "c", 2000)) == 1);
    CHECK(place(w, outage(1, "koyeb", "uat", "a", 3000)) == 0);
    free(w);
}

static void a_clock_that_was_set_back_still_joins(void)
{
    struct world *w = calloc(1, sizeof(*w));
    CHECK(place(w, outage(1, "koyeb", "uat", "a", 0)) == 0);
    CHECK(place(w, outage(2, "koyeb", "uat", "b", -30000)) == 0);
    CHECK(place(w, outage(3, "koyeb", "uat", "c", -3600000)) == 1);
    free(w);
}

static void it_is_over_when_all_of_it_is(void)
{
    struct world *w = calloc(1, sizeof(*w));
    int64_t until = 0;
    place(w, outage(1, "koyeb", "uat", "a", 0));
    place(w, failover("uat", 1000));
    CHECK(!cause_over(&w->cases[0], &until));
    w->signs[0][0].until_ms = start + 5000;
    CHECK(!cause_over(&w->cases[0], &until));
    w->signs[0][1].until_ms = start + 9000;
    CHECK(cause_over(&w->cases[0], &until) && until == start + 9000);
    free(w);
}

static void names_of_any_length_and_kinds_of_any_word_do_no_harm(void)
{
    struct world *w = calloc(1, sizeof(*w));
    char name[400], text[16];
    enum cause_kind kind;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < 3; i++)
        place(w, outage(i, name, name, name, 0));
    CHECK(strlen(title(w, 0)) < 256);
    cause_title(&w->cases[0], text, sizeof(text));
    CHECK(strlen(text) == sizeof(text) - 1);
    struct cause_case empty = {.platform = "", .environment = "", .app = ""};
    cause_title(&empty, text, sizeof(text));
    CHECK(text[0] == '\0');
    CHECK(cause_kind_read("blind", &kind) && kind == CAUSE_BLIND);
    CHECK(!cause_kind_read("rubbish", &kind));
    free(w);
}

int main(void)
{
    thirty_checks_of_one_platform_in_one_minute_are_one_incident();
    the_first_is_named_by_itself();
    two_that_share_neither_platform_nor_environment_are_two();
    an_incident_about_a_platform_does_not_grow_into_one_about_everything();
    an_incident_about_an_environment_takes_its_other_platforms();
    what_begins_after_the_window_is_another_incident();
    another_check_of_the_same_service_joins_at_any_time();
    what_returns_soon_reopens_and_what_returns_late_is_new();
    a_failover_joins_the_incident_of_the_environment_it_leaves();
    a_failover_that_comes_first_is_joined_by_the_outages();
    nothing_joins_our_own_blindness();
    a_drill_over_its_bound_is_one_of_its_own();
    of_several_that_fit_the_closest_is_taken();
    a_clock_that_was_set_back_still_joins();
    it_is_over_when_all_of_it_is();
    names_of_any_length_and_kinds_of_any_word_do_no_harm();
    return DONE();
}
