#include "traffic/failover_inner.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* An event goes through its row: what the rules forbid is taken off its actions, the rest is done
 * and told. */

void step_note(struct step *s, const char *fmt, ...)
{
    size_t len = strlen(s->note);
    va_list ap;

    if (len && len + 3 < sizeof s->note) {
        memcpy(s->note + len, "; ", 3);
        len += 2;
    }
    va_start(ap, fmt);
    (void)vsnprintf(s->note + len, sizeof s->note - len, fmt, ap);
    va_end(ap);
}

static void drop(struct step *s, unsigned actions)
{
    s->action &= ~actions;
}

static void guard_take_out(struct failover *f, struct member *m, struct step *s)
{
    if (!(s->action & ACTION_TAKE_OUT) || order_above(m))
        return;
    if (m->out) {
        drop(s, ACTION_TAKE_OUT);
        return;
    }
    if (may_take_out(f, m, s->row->event, s))
        return;
    drop(s, ACTION_TAKE_OUT);
    if (m->kept && s->row->to == m->state) {
        drop(s, ACTION_WARN); /* has been told */
        return;
    }
    s->action |= ACTION_WARN;
    m->kept = true;
}

static void guard_return(const struct member *m, struct step *s)
{
    if (!m->out || s->early || order_above(m))
        drop(s, ACTION_LESSEN);
    if (!m->out && !m->trial_until_ms)
        drop(s, ACTION_BRING_BACK);
    if (s->action & ACTION_LESSEN)
        step_note(s, "a small share on trial");
}

static void guard_wake(const struct failover *f, const struct member *m, struct step *s)
{
    size_t next = failover_next(f, (size_t)(m - f->members));

    if (!(s->action & ACTION_WAKE_STANDBY))
        return;
    if (next == SIZE_MAX || !f->members[next].sleeps || !f->standings[m - f->members].share)
        drop(s, ACTION_WAKE_STANDBY);
    else
        step_note(s, "%.40s is woken", f->members[next].environment);
}

static bool settled(enum traffic_state s)
{
    return s == TRAFFIC_UP || s == TRAFFIC_ASLEEP || s == TRAFFIC_UNKNOWN || s == TRAFFIC_DRAINING;
}

/* Fast checks have a bounded time; it begins anew only with a change of state. */
static void guard_pace(const struct failover *f, struct member *m, struct step *s)
{
    bool over = m->fast_until_ms && (settled(s->row->to) || f->now_ms >= m->fast_until_ms);

    if ((s->action & ACTION_CHECK_CALMLY) && !over) {
        drop(s, ACTION_CHECK_CALMLY);
        if (s->row->to == m->state && s->row->event == EVENT_DOUBT)
            drop(s, ACTION_WARN);
    }
    if (over)
        m->fast_until_ms = 0;
    if (s->action & ACTION_CHECK_FAST)
        m->fast_until_ms = f->now_ms + f->fast_ms;
}

static void tell(const struct failover *f, struct member *m, const struct step *s)
{
    bool about_order = s->row->event == EVENT_DRAIN || s->row->event == EVENT_RESTORE;
    const char *order = order_above(m) && !about_order ? "by order: " : "";
    const char *evidence = order_above(m) || about_order ? "" : m->finding.text;
    struct failover_change c = {.environment = m->environment,
                                .row = s->row,
                                .action = s->action,
                                .at_ms = f->now_ms,
                                .hold_ms = m->out ? m->hold_ms : 0};

    (void)snprintf(c.reason, sizeof c.reason, "%s%s%s%s%s%s%s%s", order, s->row->reason,
                   evidence[0] ? " (" : "", evidence, evidence[0] ? ")" : "",
                   s->early ? "; before its hold time is over: no other answers" : "",
                   s->note[0] ? "; " : "", s->note);
    text_copy(m->reason, sizeof m->reason, c.reason);
    if (f->change)
        f->change(&c, f->change_arg);
}

static void apply(const struct failover *f, struct member *m, const struct step *s)
{
    if ((s->action & ACTION_TAKE_OUT) && !order_above(m))
        hold_fall(f, m);
    if (s->action & ACTION_BRING_BACK)
        hold_return(f, m, s->action & ACTION_LESSEN);
    if (s->row->to == m->state)
        return;
    m->state = s->row->to;
    m->since_ms = f->now_ms;
    m->well_since_ms = 0;
    if (m->state != TRAFFIC_DOWN && m->state != TRAFFIC_DEGRADED)
        m->kept = false;
    if (!m->out)
        m->hold_ms = f->hold_ms;
}

void member_go(struct failover *f, struct member *m, enum traffic_event event, bool news,
               bool early)
{
    struct step s;

    s.row = failover_row(m->state, event);
    s.action = s.row->action;
    s.news = news;
    s.early = early;
    s.note[0] = '\0';
    if (event < EVENT_BLIND || event == EVENT_SLEPT)
        m->seen = true;
    guard_take_out(f, m, &s);
    guard_return(m, &s);
    guard_wake(f, m, &s);
    guard_pace(f, m, &s);
    if (s.row->to == m->state && !s.action && !s.news)
        return;
    apply(f, m, &s);
    tell(f, m, &s);
}

/* One that was kept in goes as soon as the rules allow it. */
static bool retry_take_out(struct failover *f)
{
    for (size_t i = 0; i < f->n; i++) {
        struct member *m = &f->members[i];
        enum traffic_event event = evidence_event(m);
        if (m->out || !m->kept || order_above(m) ||
            !(failover_row(m->state, event == TRAFFIC_EVENTS ? EVENT_RESTORE : event)->action &
              ACTION_TAKE_OUT))
            continue;
        member_go(f, m, event, false, false);
        if (m->out)
            return true;
    }
    return false;
}

static bool bring_back_early(struct failover *f)
{
    struct member *m = return_early(f);
    if (m)
        member_go(f, m, EVENT_HELD, false, true);
    return m != NULL;
}

void failover_settle(struct failover *f)
{
    for (size_t i = 0; i < 2 * f->n; i++)
        if (!retry_take_out(f) && !bring_back_early(f))
            break;
    failover_steer(f);
}
