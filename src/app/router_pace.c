#include "app/router_inner.h"

#include "app/app.h"
#include "app/watch.h"

/* How often a route's environments are asked beside the measuring clock: calmly as the budget
 * allows, fast while something is in doubt, not at all while users' requests tell the same. */

enum { ANSWERED_AGAIN_MS = 250 };

void router_check_calmly(struct router_route *route, struct router_member *m)
{
    struct router *r = route->router;
    const struct checking_row *row = checking_row_of(&r->checking, route->m->name, m->environment);

    m->pace_ms = r->steering && row ? row->every_ms : 0;
    m->fast_until_ms = 0;
    m->pace_stops = row && row->stops_when_asleep;
    if (m->series)
        (void)watch_pace(r->o.watch, m->series, m->pace_ms, m->pace_stops ? 0 : INT64_MAX);
}

static void ask_fast_until(struct router_route *route, struct router_member *m, int64_t until_ms)
{
    m->fast_until_ms = until_ms;
    (void)watch_pace(route->router->o.watch, m->series, ROUTER_FAST_MS, until_ms);
}

void router_pace(struct router_route *route)
{
    int64_t now = clock_wall_ms(&route->router->o.app->clock);

    for (size_t i = 0; i < route->n_members; i++) {
        struct router_member *m = &route->members[i];
        int64_t fast_until_ms = m->fast_until_ms; /* a doubt that the plan before had */
        router_check_calmly(route, m);
        if (fast_until_ms > now && m->series && route->router->steering)
            ask_fast_until(route, m, fast_until_ms);
    }
}

static void ask_fast(struct router_route *route, struct router_member *m, bool wake)
{
    struct router *r = route->router;

    if (!m->series)
        return;
    ask_fast_until(route, m, clock_wall_ms(&r->o.app->clock) + ROUTER_FAST_FOR_MS);
    if (wake && m->asleep)
        (void)watch_wake(r->o.watch, m->series);
}

/* The one in doubt, whoever takes over from it, and who would if that failed too: waking takes
 * longer than failing. */
void router_check_fast(struct router_route *route, struct router_member *m, bool wake)
{
    if (!route->router->steering) /* whoever steers does */
        return;

    size_t next = failover_next(route->failover, (size_t)(m - route->members));
    size_t standby = failover_standby(route->failover);

    ask_fast(route, m, false);
    if (next < route->n_members)
        ask_fast(route, &route->members[next], wake && route->m->wake);
    if (standby < route->n_members && standby != next)
        ask_fast(route, &route->members[standby], wake && route->m->wake);
}

void router_pace_look(struct router_route *route)
{
    int64_t now = clock_wall_ms(&route->router->o.app->clock);

    for (size_t i = 0; i < route->n_members; i++)
        if (route->members[i].fast_until_ms && route->members[i].fast_until_ms <= now)
            router_check_calmly(route, &route->members[i]);
}

void router_answered(struct router_route *route, struct router_member *m)
{
    struct router *r = route->router;
    int64_t now = clock_mono_ms(&r->o.app->clock);

    if (!m->series || now - m->answered_ms < ANSWERED_AGAIN_MS)
        return;
    m->answered_ms = now;
    watch_seen(r->o.watch, m->series, clock_wall_ms(&r->o.app->clock));
}
