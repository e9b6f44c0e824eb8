#include "traffic/failover_inner.h"

#include <string.h>

/* What people order: it stands above the observers until it ends, and then nothing is left of it.
 */

bool order_lift(struct failover *f, struct member *m)
{
    bool above = order_above(m);

    if (above)
        member_go(f, m, EVENT_RESTORE, true, false);
    m->order = (struct standing_order){0};
    return above;
}

static bool anybody_left(const struct failover *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (eligible(&f->members[i]))
            return true;
    return false;
}

static int check(struct failover *f, struct member *m, const struct standing_order *o,
                 struct err *e)
{
    if (o->kind == ORDER_WEIGHT && (o->weight < 0 || o->weight > 100))
        return err_set(e, ERR_USAGE, "route %s: the weight of %s would be %d; give 0 to 100",
                       f->route, m->environment, o->weight);
    if (o->until_ms && o->until_ms <= f->now_ms)
        return err_set(e, ERR_USAGE,
                       "route %s: the order for %s would end before it begins; give a later end",
                       f->route, m->environment);
    struct standing_order before = m->order;
    m->order = *o;
    bool left = anybody_left(f);
    m->order = before;
    if (!left)
        return err_set(e, ERR_USAGE,
                       "route %s: with that order for %s there would be nobody to send to; give "
                       "another environment a weight, or take its order back",
                       f->route, m->environment);
    return 0;
}

static void begin(struct failover *f, struct member *m)
{
    switch (m->order.kind) {
    case ORDER_DRAIN:
        member_go(f, m, EVENT_DRAIN, true, false);
        break;
    case ORDER_UP:
        member_go(f, m, EVENT_HELD, true, false);
        break;
    case ORDER_DOWN:
        member_go(f, m, EVENT_DOWN, true, false);
        break;
    case ORDER_WEIGHT:
    case ORDER_NONE:
        break;
    }
}

/* Given again, as after a restart: it stands already, only its end may be another. */
static bool stands(const struct member *m, const struct standing_order *o)
{
    return o->set && m->order.set && m->order.kind == o->kind && m->order.weight == o->weight;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what is ordered */
int failover_order(struct failover *f, const char *environment, enum order_kind kind, int weight,
                   int64_t until_ms, int64_t now_ms, failover_change_fn *change, void *arg,
                   struct err *e)
{
    struct member *m = member_named(f, environment);
    struct standing_order order = {
        .set = kind != ORDER_NONE, .kind = kind, .weight = weight, .until_ms = until_ms};

    if (!m)
        return err_set(e, ERR_USAGE, "route %s has no environment %.60s", f->route, environment);
    failover_begin(f, now_ms, change, arg);
    int rc = check(f, m, &order, e);
    if (rc == 0 && stands(m, &order)) {
        m->order.until_ms = until_ms;
    } else if (rc == 0) {
        bool lifted = order_lift(f, m);
        m->order = order;
        if (order.set)
            begin(f, m);
        if (lifted)
            evidence_judge(f, m);
    }
    failover_end(f);
    return rc;
}
