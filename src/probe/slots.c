#include "probe/slots.h"

struct slots slots_plan(int64_t start_us, int64_t every_ms, unsigned i, unsigned n)
{
    int64_t every_us = every_ms * 1000;
    return (struct slots){
        .first_us = start_us + every_us * i / n,
        .every_us = every_us,
        .end = INT64_MAX,
    };
}

void slots_limit(struct slots *s, int64_t start_us, int64_t duration_ms, int64_t ticks)
{
    if (ticks > 0 && ticks < s->end)
        s->end = ticks;
    if (duration_ms <= 0)
        return;
    int64_t span_us = start_us + duration_ms * 1000 - s->first_us;
    int64_t fit = span_us <= 0 ? 0 : (span_us + s->every_us - 1) / s->every_us;
    if (fit < s->end)
        s->end = fit;
}

void slots_skip(struct slots *s, int64_t now_us)
{
    int64_t gone =
        now_us <= s->first_us ? 0 : (now_us - s->first_us + s->every_us - 1) / s->every_us;
    if (gone > s->next)
        s->next = gone < s->end ? gone : s->end;
}

int64_t slots_time(const struct slots *s, int64_t slot)
{
    return s->first_us + slot * s->every_us;
}

bool slots_over(const struct slots *s)
{
    return s->next >= s->end;
}

struct slots_due slots_take(struct slots *s, int64_t now_us)
{
    struct slots_due due = {.missed_from = s->next, .missed_until = s->next, .serve = -1};
    if (now_us < slots_time(s, s->next) || slots_over(s))
        return due;
    int64_t newest = (now_us - s->first_us) / s->every_us;
    if (newest >= s->end)
        newest = s->end - 1;
    bool in_time = now_us - slots_time(s, newest) <= SLOT_LATE_MS * INT64_C(1000);
    due.missed_until = in_time ? newest : newest + 1;
    if (in_time)
        due.serve = newest;
    s->next = newest + 1;
    return due;
}
