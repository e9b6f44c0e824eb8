#include "probe/schedule_internal.h"

#include "base/clock.h"
#include "budget/checking.h"

/*
 * Probes beside a target's clock: as often as somebody who steers traffic by them wants, put off by
 * what live traffic shows, and silent while the service sleeps.
 */
enum {
    PACE_LEAST_MS = 100,
    LIMIT_LEAST_MS = 1000, /* what any paced probe may take, */
    LIMIT_TIMES = 3,       /* or so many times what a good answer takes, */
    USUAL_FADES = 16,      /* which is the longest one, less a sixteenth with each later one */
};

void pace_note_usual(struct probe *p, const struct sample *v, int64_t took_us)
{
    bool good = v->outcome == SAMPLE_OK || v->outcome == SAMPLE_SLOW;
    if (!good || v->class_ == SAMPLE_COLD || took_us < 0)
        return;
    int64_t faded_us = p->usual_us - p->usual_us / USUAL_FADES;
    p->usual_us = took_us > faded_us ? took_us : faded_us;
}

/* A service that hangs would be found no sooner than the check's own timeout, however often it is
 * asked: so what takes far longer than usual counts as failed. 0: the check's own timeout, as long
 * as nobody knows what is usual. */
static int64_t limit_us(const struct probe *p)
{
    int64_t us = LIMIT_LEAST_MS * INT64_C(1000);
    if (p->usual_us == 0)
        return 0;
    if (LIMIT_TIMES * p->usual_us > us)
        us = LIMIT_TIMES * p->usual_us;
    return us < p->target->timeout_ms * 1000 ? us : 0;
}

/* Something is under way that will tell soon enough. What was begun by the clock may take as long
 * as the check allows: when it hangs, it is not waited for. */
static bool is_busy(const struct probe *p, const struct instant *now)
{
    int64_t limit = limit_us(p);
    for (const struct run *r = p->runs; r; r = r->next)
        if (r->state == RUN_UNDER_WAY &&
            (r->paced || limit == 0 || now->mono_us - r->began_us < limit))
            return true;
    return p->service->waking != NULL;
}

/* Nobody else keeps it awake, and neither shall the pace: that runs only for a while after somebody
 * else, or beside slots that keep it awake anyway. */
static bool is_idle(const struct probe *p, const struct instant *now)
{
    const struct service *v = p->service;
    int64_t tail_ms = p->target->sleep_after_ms / CHECKING_TAIL;
    if (p->target->sleep_after_ms <= 0 || !p->pace.lets_sleep || v->kept_awake)
        return false;
    return !v->others_known ||
           classify_idle(tail_ms > 0 ? tail_ms : 1, &v->others, now) == SAMPLE_COLD;
}

static void begin(struct probe *p, const struct instant *now, enum sample_class class_)
{
    probe_start(p, &(struct probe_begin){
                       .intended_us = p->pace.entry.at_us,
                       .at_ms = now->wall_ms - (now->mono_us - p->pace.entry.at_us) / 1000,
                       .within_us = class_ == SAMPLE_COLD ? 0 : limit_us(p),
                       .class_ = class_,
                       .extra = true,
                       .paced = !p->pace.wake,
                   });
}

static void plan(struct probe *p, int64_t at_us)
{
    if (p->pace.every_us > 0 && at_us < p->pace.until_us && !p->schedule->stopped)
        agenda_set(&p->schedule->agenda, &p->pace.entry, at_us);
    else
        p->pace.every_us = 0;
}

void pace_due(void *arg)
{
    struct probe *p = arg;
    struct instant now = schedule_now(p->schedule);
    enum sample_class class_ = probe_class(p, &now);
    int64_t next_us = p->pace.looked_us + p->pace.every_us;
    if (p->pace.wake) {
        if (!is_busy(p, &now))
            begin(p, &now, class_);
        p->pace.wake = false;
        plan(p, now.mono_us + p->pace.every_us);
    } else if (now.mono_us < next_us) { /* it was looked at meanwhile */
        plan(p, next_us);
    } else {
        if (class_ == SAMPLE_WARM && !is_idle(p, &now) && !is_busy(p, &now))
            begin(p, &now, class_);
        plan(p, now.mono_us + p->pace.every_us);
    }
}

bool schedule_pace(struct schedule *s, int64_t series, int64_t every_ms, int64_t until_us)
{
    struct probe *p = probe_of(s, series);
    if (!p || s->stopped)
        return false;
    int64_t now_us = clock_mono_us(s->clock);
    bool wake = p->pace.wake;
    if (every_ms > 0 && every_ms < PACE_LEAST_MS)
        every_ms = PACE_LEAST_MS;
    p->pace.every_us = every_ms > 0 ? every_ms * 1000 : 0;
    p->pace.until_us = until_us > 0 ? until_us : INT64_MAX;
    p->pace.lets_sleep = until_us <= 0;
    if (wake)
        return true; /* goes on from there */
    int64_t next_us = p->pace.looked_us + p->pace.every_us;
    agenda_clear(&s->agenda, &p->pace.entry);
    plan(p, next_us > now_us ? next_us : now_us);
    schedule_arm(s);
    return true;
}

bool schedule_wake(struct schedule *s, int64_t series)
{
    struct probe *p = probe_of(s, series);
    if (!p || s->stopped)
        return false;
    p->pace.wake = true;
    agenda_set(&s->agenda, &p->pace.entry, clock_mono_us(s->clock));
    schedule_arm(s);
    return true;
}

/* The moment of a wall time by both clocks; never later than now. */
static struct instant moment_of(const struct instant *now, int64_t at_ms)
{
    int64_t ago_ms = now->wall_ms > at_ms ? now->wall_ms - at_ms : 0;
    return (struct instant){now->mono_us - ago_ms * 1000, now->wall_ms - ago_ms};
}

void schedule_seen(struct schedule *s, int64_t series, int64_t at_ms)
{
    struct probe *p = probe_of(s, series);
    if (!p)
        return;
    struct service *v = p->service;
    struct instant now = schedule_now(s), at = moment_of(&now, at_ms);
    if (at.mono_us > p->pace.looked_us)
        p->pace.looked_us = at.mono_us;
    if (!v->last_known || at.mono_us > v->last.mono_us)
        v->last = at;
    if (!v->others_known || at.mono_us > v->others.mono_us)
        v->others = at;
    v->last_known = v->others_known = true;
    if (at.mono_us >= v->told_us)
        v->told = AWAKE_UNKNOWN; /* it answered since */
}

void pace_inherit(struct probe *p, const struct probe *was)
{
    p->usual_us = was->usual_us;
    p->pace.looked_us = was->pace.looked_us;
    if (was->pace.every_us == 0 && !was->pace.wake)
        return;
    p->pace.every_us = was->pace.every_us;
    p->pace.until_us = was->pace.until_us;
    p->pace.lets_sleep = was->pace.lets_sleep;
    p->pace.wake = was->pace.wake;
    agenda_set(&p->schedule->agenda, &p->pace.entry, was->pace.entry.at_us);
}
