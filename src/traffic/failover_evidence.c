#include "traffic/failover_inner.h"

/* What observers, live traffic and the platform say of one environment, as one event. */

static bool live_complains(const struct member *m)
{
    return m->live == LIVE_ERRORS || m->live == LIVE_BAD || m->live == LIVE_STALLED;
}

static enum traffic_event live_event(const struct member *m)
{
    /* The first requests to a sleeper wait for it to wake: a doubt, not a failure. */
    if (m->live == LIVE_STALLED && m->asleep)
        return EVENT_DOUBT;
    return m->live == LIVE_ERRORS ? EVENT_ERRORS : EVENT_LIVE_DOWN;
}

enum traffic_event evidence_event(const struct member *m)
{
    if (m->finding.finding == FINDING_DOWN)
        return EVENT_DOWN;
    if (live_complains(m))
        return live_event(m);
    if (m->finding.finding == FINDING_SUSPECT)
        return EVENT_DOUBT;
    if (m->asleep)
        return EVENT_SLEPT;
    if (m->finding.finding == FINDING_UP || m->live == LIVE_GOOD)
        return EVENT_UP;
    return m->finding.finding == FINDING_INVALID ? EVENT_BLIND : TRAFFIC_EVENTS;
}

bool evidence_well(const struct member *m)
{
    enum traffic_event event = evidence_event(m);
    /* One that is out gets no requests and so falls asleep: that does not make it less well. */
    return event == EVENT_UP ||
           (event == EVENT_SLEPT && (m->well_since_ms || m->finding.finding == FINDING_UP));
}

static bool waits_for_hold(const struct member *m)
{
    return m->state == TRAFFIC_DOWN || m->state == TRAFFIC_DEGRADED ||
           (m->state == TRAFFIC_UNKNOWN && m->out);
}

/* Returns whether it has just begun to be well. */
static bool note_well(const struct failover *f, struct member *m)
{
    if (!waits_for_hold(m) || !evidence_well(m)) {
        m->well_since_ms = 0;
        return false;
    }
    bool begins = m->well_since_ms == 0;
    if (begins)
        m->well_since_ms = f->now_ms;
    return begins;
}

void evidence_judge(struct failover *f, struct member *m)
{
    enum traffic_event event = evidence_event(m);

    if (order_above(m) || event == TRAFFIC_EVENTS)
        return;
    bool begins = note_well(f, m);
    /* After blindness one that was out is still out: only its hold time or a failure moves it. */
    bool waits = m->state == TRAFFIC_UNKNOWN && m->out &&
                 (event == EVENT_UP || event == EVENT_DOUBT || event == EVENT_SLEPT);
    if (!waits)
        member_go(f, m, event, begins, false);
    if (hold_over(f, m))
        member_go(f, m, EVENT_HELD, false, false);
}
