#pragma once

#include "traffic/failover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A route for tests: UAT and Beta take 90 and 10, Pre-PROD is the backup and sleeps; hold 30 s.
 * What is told of changes is kept as text, "uat:up-down->down,".
 */
enum { UAT, BETA, PREPROD, ROUTE_MEMBERS, ROUTE_HOLD_MS = 30 * 1000 };

struct route {
    struct failover *f;
    int64_t now_ms;
    char told[4096];
    char reason[512];
    unsigned action; /* all since the last route_forget */
    int falls, returns;
    const char *unfit[ROUTE_MEMBERS];
};

static inline void route_told(const struct failover_change *c, void *arg)
{
    struct route *t = arg;
    size_t len = strlen(t->told);

    snprintf(t->told + len, sizeof t->told - len, "%s:%s-%s->%s,", c->environment,
             traffic_state_name(c->row->from), traffic_event_name(c->row->event),
             traffic_state_name(c->row->to));
    snprintf(t->reason, sizeof t->reason, "%s", c->reason);
    t->action |= c->action;
    t->falls += (c->action & ACTION_TAKE_OUT) != 0;
    t->returns += (c->action & ACTION_BRING_BACK) != 0;
}

static inline void route_fitness(const char *environment, struct fitness_answer *ret, void *arg)
{
    static const char *const names[] = {"uat", "beta", "preprod"};
    const struct route *t = arg;

    for (size_t i = 0; i < ROUTE_MEMBERS; i++)
        if (strcmp(names[i], environment) == 0 && t->unfit[i]) {
            ret->fit = FIT_NO;
            snprintf(ret->why, sizeof ret->why, "%s", t->unfit[i]);
        }
}

static const struct failover_member route_members[ROUTE_MEMBERS] = {
    {.environment = "uat", .weight = 90},
    {.environment = "beta", .weight = 10, .sleeps = true},
    {.environment = "preprod", .backup = true, .sleeps = true},
};

static inline void route_begin(struct route *t, bool refuse_unfit)
{
    struct err e = ERR_INIT;
    struct failover_options o = {.route = "api",
                                 .members = route_members,
                                 .n_members = ROUTE_MEMBERS,
                                 .hold_ms = ROUTE_HOLD_MS,
                                 .refuse_unfit = refuse_unfit,
                                 .fitness = route_fitness,
                                 .arg = t};

    *t = (struct route){.now_ms = INT64_C(1700000000000)};
    t->f = failover_new(&o, t->now_ms, &e);
    if (!t->f)
        abort();
}

static inline void route_end(struct route *t)
{
    failover_free(t->f);
}

static inline void route_forget(struct route *t)
{
    t->told[0] = t->reason[0] = '\0';
    t->action = 0;
    t->falls = t->returns = 0;
}

/* All that can be said of one environment, now. */
static inline void route_sees(struct route *t, size_t i, enum finding finding, enum live_state live,
                              bool asleep)
{
    struct quorum_finding q = {.finding = finding};
    bool fails = live == LIVE_ERRORS || live == LIVE_BAD || live == LIVE_STALLED;

    q.active_only = finding == FINDING_DOWN && !fails;
    snprintf(q.text, sizeof q.text, "here says %s", finding_name(finding));
    failover_observe(t->f, i, &q, live, asleep, t->now_ms, route_told, t);
}

static inline void route_finds(struct route *t, size_t i, enum finding finding)
{
    route_sees(t, i, finding, LIVE_NONE, false);
}

static inline void route_all_up(struct route *t)
{
    for (size_t i = 0; i < ROUTE_MEMBERS; i++)
        route_finds(t, i, FINDING_UP);
    route_forget(t);
}

static inline void route_passes(struct route *t, int64_t ms)
{
    t->now_ms += ms;
    failover_tick(t->f, t->now_ms, route_told, t);
}

static inline int route_orders(struct route *t, const char *name, enum order_kind kind, int weight,
                               int64_t for_ms)
{
    struct err e = ERR_INIT;
    int rc = failover_order(t->f, name, kind, weight, for_ms ? t->now_ms + for_ms : 0, t->now_ms,
                            route_told, t, &e);
    if (rc < 0)
        snprintf(t->reason, sizeof t->reason, "%s", e.text);
    return rc;
}

static inline const struct failover_standing *route_at(const struct route *t, size_t i)
{
    size_t n;
    return &failover_standings(t->f, &n)[i];
}

/* "256 28 0" */
static inline const char *route_shares(const struct route *t)
{
    static char text[64];
    snprintf(text, sizeof text, "%d %d %d", route_at(t, UAT)->share, route_at(t, BETA)->share,
             route_at(t, PREPROD)->share);
    return text;
}
