#include "traffic/failover_inner.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- Life cycle --------------------------------------------------------------------------------
 */

static int check_member(const struct failover_options *o, size_t i, struct err *e)
{
    const struct failover_member *m = &o->members[i];

    if (m->weight < 0 || m->weight > 100)
        return err_set(e, ERR_USAGE, "route %s: the weight of %s is %d; give 0 to 100", o->route,
                       m->environment, m->weight);
    if (m->backup && m->weight)
        return err_set(e, ERR_USAGE,
                       "route %s: %s is a backup and has the weight %d; it can be one of both",
                       o->route, m->environment, m->weight);
    for (size_t k = 0; k < i; k++)
        if (strcmp(o->members[k].environment, m->environment) == 0)
            return err_set(e, ERR_USAGE, "route %s: %s is named twice", o->route, m->environment);
    return 0;
}

static int check_options(const struct failover_options *o, struct err *e)
{
    int sum = 0;

    if (o->n_members > ROUTE_ENVIRONMENTS_MAX)
        return err_set(e, ERR_USAGE, "route %s: %zu environments; at most %d are possible",
                       o->route, o->n_members, ROUTE_ENVIRONMENTS_MAX);
    for (size_t i = 0; i < o->n_members; i++) {
        if (check_member(o, i, e) < 0)
            return -1;
        sum += o->members[i].weight;
    }
    if (sum == 0)
        return err_set(e, ERR_USAGE,
                       "route %s: the weights sum to nothing; give one environment "
                       "a weight",
                       o->route);
    return 0;
}

static void member_init(const struct failover *f, struct member *m,
                        const struct failover_member *from)
{
    m->environment = mem_strdup(from->environment);
    m->weight = from->weight;
    m->backup = from->backup;
    m->sleeps = from->sleeps;
    m->since_ms = f->now_ms;
    m->hold_ms = f->hold_ms;
}

struct failover *failover_new(const struct failover_options *o, int64_t now_ms, struct err *e)
{
    enum { FAST_MS = 60 * 1000 };

    if (check_options(o, e) < 0)
        return NULL;
    struct failover *f = mem_alloc(sizeof(*f));
    f->route = mem_strdup(o->route);
    f->n = o->n_members;
    f->members = mem_array(f->n, sizeof(*f->members));
    f->standings = mem_array(f->n, sizeof(*f->standings));
    f->hold_ms = o->hold_ms < 0 ? 0 : o->hold_ms > HOLD_MAX_MS ? HOLD_MAX_MS : o->hold_ms;
    f->fast_ms = o->fast_ms > 0 ? o->fast_ms : FAST_MS;
    f->refuse_unfit = o->refuse_unfit;
    f->fitness = o->fitness;
    f->fitness_arg = o->arg;
    f->now_ms = now_ms;
    for (size_t i = 0; i < f->n; i++) {
        member_init(f, &f->members[i], &o->members[i]);
        f->standings[i].environment = f->members[i].environment;
        f->standings[i].weight = f->members[i].weight;
        f->standings[i].backup = f->members[i].backup;
    }
    failover_steer(f);
    return f;
}

void failover_free(struct failover *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        free(f->members[i].environment);
    free(f->members);
    free(f->standings);
    free(f->route);
    free(f);
}

struct member *member_named(struct failover *f, const char *environment)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->members[i].environment, environment) == 0)
            return &f->members[i];
    return NULL;
}

/* --- What happens ------------------------------------------------------------------------------
 */

void failover_clock(struct failover *f, int64_t now_ms)
{
    if (now_ms < f->now_ms)
        for (size_t i = 0; i < f->n; i++)
            hold_shift(&f->members[i], f->now_ms - now_ms);
    f->now_ms = now_ms;
}

static void lift_expired(struct failover *f)
{
    bool lifted[ROUTE_ENVIRONMENTS_MAX] = {false};

    /* All of them before anything is judged: one whose order ends now is no help to another. */
    for (size_t i = 0; i < f->n; i++) {
        struct member *m = &f->members[i];
        if (m->order.set && m->order.until_ms && f->now_ms >= m->order.until_ms)
            lifted[i] = order_lift(f, m);
    }
    for (size_t i = 0; i < f->n; i++)
        if (lifted[i])
            evidence_judge(f, &f->members[i]);
}

static void run_out(struct failover *f, struct member *m)
{
    bool calm = m->fast_until_ms && f->now_ms >= m->fast_until_ms;

    if (calm || hold_over(f, m))
        evidence_judge(f, m);
    if (m->fast_until_ms && f->now_ms >= m->fast_until_ms)
        m->fast_until_ms = 0; /* nothing is known that could be told with it */
    if (!order_above(m) && trial_over(f, m))
        member_go(f, m, EVENT_HELD, false, false);
}

void failover_begin(struct failover *f, int64_t now_ms, failover_change_fn *change, void *arg)
{
    f->change = change;
    f->change_arg = arg;
    failover_clock(f, now_ms);
    lift_expired(f);
}

void failover_end(struct failover *f)
{
    for (size_t i = 0; i < f->n; i++)
        run_out(f, &f->members[i]);
    failover_settle(f);
    f->change = NULL;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what is known */
void failover_observe(struct failover *f, size_t member, const struct quorum_finding *finding,
                      enum live_state live, bool asleep, int64_t now_ms, failover_change_fn *change,
                      void *arg)
{
    struct member *m = &f->members[member];

    failover_begin(f, now_ms, change, arg);
    m->finding = *finding;
    m->live = live;
    m->asleep = asleep;
    evidence_judge(f, m);
    failover_end(f);
}

void failover_tick(struct failover *f, int64_t now_ms, failover_change_fn *change, void *arg)
{
    failover_begin(f, now_ms, change, arg);
    failover_end(f);
}

static void earlier(int64_t *next_ms, int64_t at_ms)
{
    if (at_ms && at_ms < *next_ms)
        *next_ms = at_ms;
}

int64_t failover_next_ms(const struct failover *f)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < f->n; i++) {
        const struct member *m = &f->members[i];
        earlier(&next, m->fast_until_ms);
        if (m->order.set)
            earlier(&next, m->order.until_ms);
        if (order_above(m))
            continue;
        if (evidence_well(m)) /* after a restart it must be seen first */
            earlier(&next, hold_back_at(m));
        if (m->state == TRAFFIC_UP || m->state == TRAFFIC_ASLEEP)
            earlier(&next, m->trial_until_ms);
    }
    return next;
}

/* --- What is known -----------------------------------------------------------------------------
 */

const struct failover_standing *failover_standings(const struct failover *f, size_t *ret_n)
{
    *ret_n = f->n;
    return f->standings;
}

bool failover_is_open(const struct failover *f)
{
    return f->open;
}

const char *failover_open_why(const struct failover *f)
{
    return f->open_why;
}
