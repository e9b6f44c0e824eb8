#include "traffic/drill_figures.h"

#include <string.h>

enum { CLOCKS_APART_US = 2000 }; /* wall clocks are read to the millisecond, on both sides */

/* --- The router's log ---------------------------------------------------------------------------
 */

static bool moves_away(const struct traffic_change *c)
{
    return strstr(c->action, "take-out") || strstr(c->action, "lessen");
}

static bool brings_back(const struct traffic_change *c)
{
    return strstr(c->action, "bring-back");
}

static int64_t earlier(int64_t known_us, int64_t us)
{
    return known_us && known_us < us ? known_us : us;
}

void drill_log_take(struct drill_log *log, const struct drill_moments *m,
                    const struct traffic_change *c, int64_t wall_zero_us)
{
    int64_t decided_us = c->decided_us - wall_zero_us,
            seen_us = c->seen_us ? c->seen_us - wall_zero_us : decided_us,
            applied_us = c->applied_us ? c->applied_us - wall_zero_us : 0;

    if (!m->begun_us || decided_us < m->begun_us - CLOCKS_APART_US)
        return;
    if (m->over_us && decided_us >= m->over_us && brings_back(c)) {
        int64_t at_us = applied_us ? applied_us : decided_us;
        if (at_us > log->brought_back_us)
            log->brought_back_us = at_us;
        return;
    }
    if (strcmp(c->from, c->to) != 0)
        log->detected_us = earlier(log->detected_us, seen_us);
    if (moves_away(c) && (!log->moved_id || c->id <= log->moved_id)) {
        log->moved_id = c->id;
        log->decided_us = decided_us;
        log->applied_us = applied_us;
    }
}

static int64_t since_ms(int64_t us, int64_t from_us)
{
    if (!us)
        return -1;
    return us > from_us ? (us - from_us + 500) / 1000 : 0;
}

void drill_times(const struct drill_log *log, const struct drill_moments *m,
                 struct drill_record *ret)
{
    ret->detect_ms = since_ms(log->detected_us, m->in_force_us);
    ret->decide_ms = since_ms(log->decided_us, m->in_force_us);
    ret->apply_ms = since_ms(log->applied_us, m->in_force_us);
}

/* --- The canary's requests ----------------------------------------------------------------------
 */

size_t drill_first_pending(const struct canary_shot *shots, size_t n)
{
    size_t i = 0;

    while (i < n && shots[i].end != CANARY_PENDING)
        i++;
    return i;
}

static bool is_slow(const struct canary_shot *s, int64_t slow_ms)
{
    return s->end == CANARY_ANSWERED && s->took_us > slow_ms * 1000;
}

static bool is_bad(const struct canary_shot *s, int64_t slow_ms)
{
    return s->end != CANARY_ANSWERED || is_slow(s, slow_ms);
}

/* The first good one behind the last bad one that was meant while the fault lasted; when the fault
 * ended before one came, the first good one after it. Below 0: there is none yet. */
static int64_t recovered_us(const struct canary_shot *shots, size_t n,
                            const struct drill_moments *m, int64_t slow_ms)
{
    size_t next = n;

    for (size_t i = m->first; i < n && (!m->over_us || shots[i].intended_us < m->over_us); i++)
        if (is_bad(&shots[i], slow_ms))
            next = i + 1;
    if (next == n && !(n > m->first && is_bad(&shots[n - 1], slow_ms)))
        return m->in_force_us; /* nothing was bad */
    while (next < n && is_bad(&shots[next], slow_ms))
        next++;
    return next < n ? shots[next].intended_us : -1;
}

void drill_count(const struct canary_shot *shots, size_t n, const struct drill_moments *m,
                 int64_t slow_ms, struct drill_record *ret, struct sketch *times)
{
    ret->sent = ret->lost = ret->slow = 0;
    ret->recover_ms = -1;
    if (!m->in_force_us)
        return;
    for (size_t i = m->first; i < n; i++) {
        const struct canary_shot *s = &shots[i];
        ret->sent++;
        ret->lost += s->end == CANARY_LOST;
        ret->slow += is_slow(s, slow_ms);
        if (s->end == CANARY_ANSWERED)
            sketch_add(times, s->took_us);
    }
    int64_t at_us = recovered_us(shots, n, m, slow_ms);
    if (at_us >= 0)
        ret->recover_ms = at_us > m->in_force_us ? (at_us - m->in_force_us + 500) / 1000 : 0;
}
