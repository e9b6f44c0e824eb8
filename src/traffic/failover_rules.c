#include "traffic/failover_inner.h"

/* What the environments of a route may do together: the rules of failover.h. */

static bool fails_all(const struct member *m)
{
    return m->live == LIVE_BAD || m->live == LIVE_STALLED;
}

bool answers(const struct member *m)
{
    if (m->out || !eligible(m))
        return false;
    switch (m->state) {
    case TRAFFIC_UP:
    case TRAFFIC_ASLEEP:
    case TRAFFIC_SUSPECT:
        return true;
    case TRAFFIC_DEGRADED:
        return !fails_all(m);
    case TRAFFIC_DOWN: /* kept in, and its hold time runs */
        return evidence_well(m);
    default:
        return false;
    }
}

/* Is out, and would answer. */
static bool recovered(const struct member *m)
{
    return m->out && eligible(m) && !order_above(m) && evidence_well(m);
}

/* Can it take users from one that fails in the way of `event`? */
static bool serves_instead(const struct member *m, enum traffic_event event)
{
    if (event == EVENT_DOWN)
        return answers(m) || recovered(m);
    if (m->state == TRAFFIC_DEGRADED || !answers(m))
        return false;
    /* Some errors are better than everybody's waiting for one to wake. */
    return event != EVENT_ERRORS || m->state != TRAFFIC_ASLEEP;
}

/* Asks everybody who might take over. Returns whether traffic may move. */
static bool fit_to_move(struct failover *f, const struct member *from, enum traffic_event event,
                        struct step *s)
{
    bool any = false;
    for (size_t i = 0; i < f->n; i++) {
        struct member *m = &f->members[i];
        struct fitness_answer a = {.fit = FIT_UNKNOWN};
        if (m == from || !serves_instead(m, event))
            continue;
        f->fitness(m->environment, &a, f->fitness_arg);
        m->unfit = a.fit == FIT_NO;
        any |= !m->unfit;
        if (m->unfit) {
            s->action |= ACTION_WARN;
            step_note(s, "%.40s is not fit to take over: %s", m->environment, a.why);
        }
    }
    return any || !f->refuse_unfit;
}

static bool has_traffic(const struct failover *f, const struct member *m)
{
    return f->standings[m - f->members].share > 0;
}

bool may_take_out(struct failover *f, struct member *m, enum traffic_event event, struct step *s)
{
    bool other = false, sleeper = false;
    for (size_t i = 0; i < f->n; i++) {
        const struct member *x = &f->members[i];
        other |= x != m && serves_instead(x, event);
        sleeper |= x != m && x->state == TRAFFIC_ASLEEP && answers(x);
    }
    if (!other) {
        /* Users' own requests confirm that it fails: nothing is lost by giving the others a try. */
        if (event == EVENT_DOWN && !m->finding.active_only)
            return true;
        step_note(s, "%s",
                  sleeper               ? "traffic stays until another one is awake"
                  : event == EVENT_DOWN ? "not taken out: it is the last that answers, and only "
                                          "checks call it down"
                                        : "traffic stays: no other is known to answer");
        return false;
    }
    if (!f->fitness || !has_traffic(f, m) || fit_to_move(f, m, event, s))
        return true;
    step_note(s, "traffic stays");
    return false;
}

struct member *return_early(struct failover *f)
{
    bool grey = false;
    for (size_t i = 0; i < f->n; i++) {
        const struct member *m = &f->members[i];
        bool in = !m->out && eligible(m);
        /* One that nobody sees just now answered when it was seen last. */
        if (answers(m) || (in && m->state == TRAFFIC_UNKNOWN && m->seen))
            return NULL;
        grey |= in && m->state == TRAFFIC_DEGRADED;
    }
    for (size_t i = 0; i < f->n; i++) {
        struct member *m = &f->members[i];
        /* Two that fail beside checks that are fine would take turns. */
        if (recovered(m) && !(grey && m->state == TRAFFIC_DEGRADED))
            return m;
    }
    return NULL;
}
