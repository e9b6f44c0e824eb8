#include "probe/classify.h"

#include "base/text.h"
#include "probe/check.h"

#include <stdio.h>
#include <string.h>

enum sample_class classify_idle(int64_t sleep_after_ms, const struct instant *last,
                                const struct instant *now)
{
    if (sleep_after_ms <= 0)
        return SAMPLE_WARM;
    if (!last)
        return SAMPLE_COLD;
    bool by_mono = now->mono_us - last->mono_us > sleep_after_ms * 1000;
    bool by_wall = now->wall_ms - last->wall_ms > sleep_after_ms;
    return by_mono || by_wall ? SAMPLE_COLD : SAMPLE_WARM;
}

static struct verdict because(enum sample_outcome outcome, const char *reason)
{
    struct verdict v = {.outcome = outcome};
    text_copy(v.reason, sizeof(v.reason), reason && *reason ? reason : "no reason was given");
    return v;
}

struct verdict classify_answer(const struct target *t, enum sample_class class_,
                               const struct check_answer *a)
{
    struct verdict v = {.outcome = SAMPLE_OK};
    if (!a->sent)
        return because(SAMPLE_INCONCLUSIVE, a->reason);
    if (!a->ok)
        return because(SAMPLE_FAILED, a->reason);
    if (t->slow_ms > 0 && class_ == SAMPLE_WARM && a->total > t->slow_ms * 1000) {
        v.outcome = SAMPLE_SLOW;
        snprintf(v.reason, sizeof(v.reason), "took %lld ms, over %lld ms",
                 (long long)(a->total / 1000), (long long)t->slow_ms);
    }
    return v;
}

struct verdict classify_blind(const struct verdict *v)
{
    struct verdict blind = {.outcome = SAMPLE_INCONCLUSIVE};
    snprintf(blind.reason, sizeof(blind.reason), "our own uplink is down; %.200s", v->reason);
    return blind;
}

static int32_t fit(int64_t us)
{
    return us < -1 ? -1 : us > INT32_MAX ? INT32_MAX : (int32_t)us;
}

static bool is_database(enum check_kind kind)
{
    return kind == CHECK_POSTGRES || kind == CHECK_REDIS || kind == CHECK_UPSTASH;
}

void classify_timing(const struct target *t, const struct check_answer *a, struct sample *ret)
{
    int64_t late = a->queued > 0 ? a->queued : 0;
    ret->status = a->status;
    ret->late_us = a->sent ? fit(late) : -1;
    ret->lookup_us = fit(a->lookup);
    ret->connect_us = fit(a->connect);
    ret->tls_us = fit(a->tls);
    ret->first_byte_us = fit(a->first_byte);
    ret->total_us = a->total < 0 ? -1 : fit(is_database(t->kind) ? a->total : late + a->total);
}
