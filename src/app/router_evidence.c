#include "app/router_inner.h"

#include "app/app.h"
#include "app/watch.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* What is seen becomes votes and live evidence, and these a finding of each member. */

/* --- Observers -----------------------------------------------------------------------------------
 */

struct observer *router_observer(struct router *r, const char *name)
{
    for (size_t i = 0; i < r->n_observers; i++)
        if (strcmp(r->observers[i].name, name) == 0)
            return &r->observers[i];
    if (r->n_observers == VANTAGES_MAX)
        return NULL;
    struct observer *o = &r->observers[r->n_observers++];
    *o = (struct observer){.valid = true};
    (void)text_copy(o->name, sizeof(o->name), name);
    return o;
}

void router_vantage_gone(struct router *r, const char *vantage)
{
    for (size_t i = 1; i < r->n_observers; i++) { /* never ourselves */
        if (strcmp(r->observers[i].name, vantage) != 0)
            continue;
        size_t after = --r->n_observers - i;
        memmove(&r->observers[i], &r->observers[i + 1], after * sizeof(r->observers[0]));
        for (size_t j = 0; j < r->n_routes; j++)
            for (size_t k = 0; k < r->routes[j].n_members; k++) {
                struct ballot *b = r->routes[j].members[k].ballots;
                memmove(&b[i], &b[i + 1], after * sizeof(b[0]));
                b[r->n_observers] = (struct ballot){0};
            }
        router_judge_all(r);
        return;
    }
}

/* --- Judging -------------------------------------------------------------------------------------
 */

static enum health_state ballot_state(const struct ballot *b)
{
    return b->known ? b->state : HEALTH_UNKNOWN;
}

/* Of one that gets nothing new, live traffic tells nothing: what still fails was sent before. */
static enum live_state live_of(const struct router_route *route, const struct router_member *m)
{
    size_t n = 0;
    const struct failover_standing *all = failover_standings(route->failover, &n);

    return all[m - route->members].out ? LIVE_NONE : m->live.state;
}

static void find(struct router_route *route, struct router_member *m)
{
    struct router *r = route->router;
    struct vote votes[VANTAGES_MAX];
    size_t n = 0;

    for (size_t i = 0; i < r->n_observers; i++) {
        const struct observer *o = &r->observers[i];
        const struct ballot *b = &m->ballots[i];
        if (!b->known && i > 0) /* it does not look at this one */
            continue;
        votes[n++] = (struct vote){.vantage = o->name,
                                   .state = ballot_state(b),
                                   .valid = o->valid,
                                   .invalid_why = o->valid ? "" : o->why,
                                   .reason = b->reason,
                                   .since_ms = b->since_ms};
    }
    quorum_judge(r->o.app->manifest->probe.quorum, votes, n, live_of(route, m), &m->finding);
}

void router_judge(struct router_route *route, struct router_member *m, int64_t seen_us)
{
    struct decision d = decision_begin(route, seen_us);

    find(route, m);
    failover_observe(route->failover, (size_t)(m - route->members), &m->finding, live_of(route, m),
                     m->asleep, clock_wall_ms(&route->router->o.app->clock), decision_change, &d);
    decision_end(&d);
}

static bool is_asleep(const struct router *r, const struct watch_check *c)
{
    return c->sleeps && watch_awake(r->o.watch, c) == AWAKE_NO;
}

/* Nobody tells when a platform puts a service to sleep: it comes about by time. */
static void look_whether_asleep(const struct router *r, struct router_member *m)
{
    const struct watch_check *c = m->series ? watch_find(r->o.watch, m->series) : NULL;

    if (c)
        m->asleep = is_asleep(r, c);
}

void router_judge_all(struct router *r)
{
    for (size_t i = 0; i < r->n_routes; i++)
        for (size_t j = 0; j < r->routes[i].n_members; j++) {
            look_whether_asleep(r, &r->routes[i].members[j]);
            router_judge(&r->routes[i], &r->routes[i].members[j], router_wall_us(r));
        }
}

/* --- Our own probes ------------------------------------------------------------------------------
 */

static bool is_of(const struct router_route *route, const struct router_member *m,
                  const struct watch_check *c)
{
    return strcmp(m->environment, c->environment) == 0 && strcmp(route->m->app, c->app) == 0 &&
           strcmp(m->instance, c->instance) == 0 && strcmp(route->m->check, c->check) == 0;
}

static void take_sample(struct router_route *route, struct router_member *m,
                        const struct probe_result *p)
{
    struct ballot *b = &m->ballots[0];
    const struct health_rule rule = {route->m->down_after, route->m->up_after};
    const struct health before = b->health;

    m->series = p->sample->series;
    b->known = true;
    b->health = health_next(b->health, rule, p->sample->outcome, p->sample->at_ms);
    b->state = b->health.state;
    b->since_ms = b->health.since_ms;
    if (b->state == HEALTH_UP)
        b->reason[0] = '\0';
    else if (p->sample->outcome == SAMPLE_FAILED)
        (void)text_copy(b->reason, sizeof(b->reason), p->reason);
    if (b->state != before.state || m->finding.finding == FINDING_NONE)
        router_judge(route, m, router_wall_us(route->router));
}

void router_sampled(struct router *r, const struct watch_check *c, const struct probe_result *p)
{
    if (p->sample->outcome == SAMPLE_MISSED)
        return;
    for (size_t i = 0; i < r->n_routes; i++)
        for (size_t j = 0; j < r->routes[i].n_members; j++)
            if (is_of(&r->routes[i], &r->routes[i].members[j], c))
                take_sample(&r->routes[i], &r->routes[i].members[j], p);
}

void router_state(struct router *r, const struct watch_check *c)
{
    for (size_t i = 0; i < r->n_routes; i++)
        for (size_t j = 0; j < r->routes[i].n_members; j++) {
            struct router_member *m = &r->routes[i].members[j];
            if (!is_of(&r->routes[i], m, c))
                continue;
            bool asleep = is_asleep(r, c);
            m->sleeps = c->sleeps;
            if (asleep == m->asleep)
                continue;
            m->asleep = asleep;
            router_judge(&r->routes[i], m, router_wall_us(r));
        }
}

void router_blind(struct router *r, bool blind)
{
    struct observer *self = &r->observers[0];

    self->valid = !blind;
    (void)text_copy(self->why, sizeof(self->why),
                    blind ? "its control targets do not answer it: its own uplink is cut" : "");
    router_judge_all(r);
    router_moved(r);
}

/* --- Agents --------------------------------------------------------------------------------------
 */

static void take_ballot(struct router *r, size_t observer, const struct router_vote *v)
{
    for (size_t i = 0; i < r->n_routes; i++)
        for (size_t j = 0; j < r->routes[i].n_members; j++) {
            struct router_route *route = &r->routes[i];
            struct router_member *m = &route->members[j];
            struct ballot *b = &m->ballots[observer];
            if (strcmp(m->environment, v->environment) != 0 || strcmp(route->m->app, v->app) != 0 ||
                strcmp(m->instance, v->instance) != 0 || strcmp(route->m->check, v->check) != 0)
                continue;
            bool same = b->known && b->state == v->state;
            b->known = true;
            b->state = v->state;
            b->since_ms = v->since_ms;
            (void)text_copy(b->reason, sizeof(b->reason), v->reason);
            if (!same)
                router_judge(route, m, router_wall_us(r));
        }
}

void router_vote(struct router *r, const struct router_vote *v)
{
    struct observer *o = router_observer(r, v->vantage);

    if (!o || o == &r->observers[0]) /* nobody may vote in our name */
        return;
    bool was = o->valid;
    o->valid = v->valid;
    (void)text_copy(o->why, sizeof(o->why), v->valid ? "" : v->why);
    o->clock_off_ms = v->clock_off_ms;
    o->seen_ms = clock_mono_ms(&r->o.app->clock);
    if (*v->check)
        take_ballot(r, (size_t)(o - r->observers), v);
    if (was != v->valid) {
        router_judge_all(r);
        router_moved(r);
    }
}

/* --- Live traffic --------------------------------------------------------------------------------
 */

static void count_rates(struct router_member *m, int64_t now_ms)
{
    int64_t passed = now_ms - m->second_ago_ms;
    const struct live_counters *was = &m->second_ago, *now = &m->counters;

    if (passed < 1000)
        return;
    bool began_anew = now->answered < was->answered || now->failed < was->failed;
    if (m->second_ago_ms && !began_anew) {
        m->per_second = (double)(now->tried - was->tried) * 1000 / (double)passed;
        m->errors_per_second = (double)(now->failed - was->failed) * 1000 / (double)passed;
    }
    m->second_ago = *now;
    m->second_ago_ms = now_ms;
}

static void take_reading(struct router_route *route, struct router_member *m,
                         const struct haproxy_reading *v, int64_t at_us)
{
    struct router *r = route->router;
    int64_t now_ms = clock_mono_ms(&r->o.app->clock);
    uint64_t answered = m->counters.answered, failed = m->counters.failed;
    enum live_state was = m->live.state;
    bool took_out = m->proxy_took_out;

    m->counters = v->counters;
    m->sessions = v->sessions;
    m->proxy_took_out = v->down_by_itself;
    (void)text_copy(m->proxy_check, sizeof(m->proxy_check), v->check);
    count_rates(m, now_ms);
    enum live_state state = live_take(&m->live, &live_rule_default, &v->counters, now_ms);
    if (v->down_by_itself && !took_out && state != LIVE_STALLED)
        state = m->live.state = LIVE_BAD;
    if (v->counters.answered > answered && v->counters.failed == failed && state == LIVE_GOOD)
        router_answered(route, m);
    if (state != was || v->down_by_itself != took_out)
        router_judge(route, m, r->wall_us_at_zero + at_us);
}

void router_readings(const struct haproxy_reading *list, size_t n, int64_t at_us, void *router)
{
    struct router *r = router;

    for (size_t j = 0; j < r->n_routes; j++)
        router_dns_seen(&r->routes[j]);

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < r->n_routes; j++) {
            struct router_route *route = &r->routes[j];
            if (strcmp(route->m->name, list[i].route) != 0)
                continue;
            for (size_t k = 0; k < route->n_members; k++)
                if (strcmp(route->members[k].environment, list[i].environment) == 0)
                    take_reading(route, &route->members[k], &list[i], at_us);
        }
}
