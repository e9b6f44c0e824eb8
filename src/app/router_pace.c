#include "app/router_inner.h"

#include "app/app.h"
#include "app/watch.h"

/* How often a route's environments are asked beside the measuring clock: calmly as the budget
 * allows, fast while something is in doubt, not at all while users' requests tell the same. */

enum { ANSWERED_AGAIN_MS = 250 };

static int64_t calm_pace(const struct router_route *route, const struct router_member *m)
{
    /* The first failing check comes within one interval, the others fast after it. */
    int64_t fast = (int64_t)(route->m->down_after - 1) * ROUTER_FAST_MS;
    int64_t pace = (route->m->detect_ms - fast) * 2 / 3;

    (void)m;
    return pace < ROUTER_FAST_MS ? ROUTER_FAST_MS : pace;
}

void router_check_calmly(struct router_route *route, struct router_member *m)
{
    struct router *r = route->router;

    m->pace_ms = r->steering ? calm_pace(route, m) : 0;
    if (m->series)
        (void)watch_pace(r->o.watch, m->series, m->pace_ms, 0);
}

void router_pace(struct router_route *route)
{
    for (size_t i = 0; i < route->n_members; i++)
        router_check_calmly(route, &route->members[i]);
}

static void ask_fast(struct router_route *route, const struct router_member *m, bool wake)
{
    struct router *r = route->router;
    int64_t until = clock_wall_ms(&r->o.app->clock) + ROUTER_FAST_FOR_MS;

    if (!m->series)
        return;
    (void)watch_pace(r->o.watch, m->series, ROUTER_FAST_MS, until);
    if (wake && m->asleep)
        (void)watch_wake(r->o.watch, m->series);
}

/* The one in doubt, and whoever would take over from it. */
void router_check_fast(struct router_route *route, struct router_member *m, bool wake)
{
    size_t standby = failover_standby(route->failover);

    ask_fast(route, m, false);
    if (standby < route->n_members)
        ask_fast(route, &route->members[standby], wake && route->m->wake);
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
