#include "traffic/failover_inner.h"

/*
 * How long one that fell must be well before it comes back: the hold of the manifest, doubled for
 * each fall that followed the return before within HOLD_MEMORY_MS. (Envoy's outlier detection
 * multiplies its base ejection time by the number of ejections in the same spirit.)
 */

static bool remembers(const struct failover *f, const struct member *m)
{
    return m->back_ms > 0 && f->now_ms - m->back_ms <= HOLD_MEMORY_MS;
}

void hold_fall(const struct failover *f, struct member *m)
{
    enum { FALLS_MAX = 1000 }; /* far beyond what still doubles */
    m->falls = remembers(f, m) && m->falls < FALLS_MAX ? m->falls + 1 : 1;
    m->hold_ms = f->hold_ms;
    for (int i = 1; i < m->falls && m->hold_ms < HOLD_MAX_MS; i++)
        m->hold_ms = m->hold_ms ? m->hold_ms * 2 : 1;
    if (m->falls > 1 && m->hold_ms > HOLD_MAX_MS)
        m->hold_ms = HOLD_MAX_MS;
    m->out = true;
    m->kept = false;
    m->well_since_ms = 0;
    m->trial_until_ms = 0;
}

void hold_return(const struct failover *f, struct member *m, bool trial)
{
    if (m->out)
        m->back_ms = f->now_ms;
    m->out = false;
    m->well_since_ms = 0;
    m->trial_until_ms = trial ? f->now_ms + f->hold_ms : 0;
}

int64_t hold_back_at(const struct member *m)
{
    return m->well_since_ms ? m->well_since_ms + m->hold_ms : 0;
}

bool hold_over(const struct failover *f, const struct member *m)
{
    return m->well_since_ms && f->now_ms >= hold_back_at(m);
}

bool trial_over(const struct failover *f, const struct member *m)
{
    return m->trial_until_ms && f->now_ms >= m->trial_until_ms &&
           (m->state == TRAFFIC_UP || m->state == TRAFFIC_ASLEEP);
}

int hold_flaps(const struct failover *f, const struct member *m)
{
    return m->out || remembers(f, m) ? m->falls : 0;
}

static void shift(int64_t *time_ms, int64_t back_ms)
{
    if (*time_ms)
        *time_ms = *time_ms > back_ms ? *time_ms - back_ms : 1;
}

void hold_shift(struct member *m, int64_t back_ms)
{
    shift(&m->since_ms, back_ms);
    shift(&m->well_since_ms, back_ms);
    shift(&m->back_ms, back_ms);
    shift(&m->trial_until_ms, back_ms);
    shift(&m->fast_until_ms, back_ms);
}
