#include "probe/classify.h"

#include "base/text.h"
#include "net/http.h"

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

static bool is_expected_status(const struct target *t, int status)
{
    return t->expect_status ? status == t->expect_status : status / 100 == 2;
}

static bool has_expected_body(const struct target *t, const struct http_reply *reply)
{
    return !t->expect_body || t->expect_body[0] == '\0' ||
           memmem(reply->body, reply->len, t->expect_body, strlen(t->expect_body));
}

static struct verdict judge_silence(const struct http_reply *reply, bool uplink)
{
    bool theirs = reply->err.kind == ERR_NET || reply->err.kind == ERR_REMOTE;
    struct verdict v = {.outcome = theirs && uplink ? SAMPLE_FAILED : SAMPLE_INCONCLUSIVE};
    if (theirs && !uplink)
        snprintf(v.reason, sizeof(v.reason), "our own uplink is down; %.200s", reply->err.text);
    else
        text_copy(v.reason, sizeof(v.reason), reply->err.text);
    return v;
}

struct verdict classify_reply(const struct target *t, enum sample_class class_,
                              const struct http_reply *reply, bool uplink)
{
    struct verdict v = {.outcome = SAMPLE_OK};
    /* An answer that broke off has a status too. */
    if (reply->status == 0 || reply->err.kind != ERR_NONE)
        return judge_silence(reply, uplink);
    if (!is_expected_status(t, reply->status)) {
        v.outcome = SAMPLE_FAILED;
        if (t->expect_status)
            snprintf(v.reason, sizeof(v.reason), "answered %d instead of %d", reply->status,
                     t->expect_status);
        else
            snprintf(v.reason, sizeof(v.reason), "answered %d instead of 2xx", reply->status);
        return v;
    }
    if (!has_expected_body(t, reply)) {
        v.outcome = SAMPLE_FAILED;
        snprintf(v.reason, sizeof(v.reason), "the body does not hold \"%.100s\"", t->expect_body);
        return v;
    }
    if (t->slow_ms > 0 && class_ == SAMPLE_WARM && reply->timing.total > t->slow_ms * 1000) {
        v.outcome = SAMPLE_SLOW;
        snprintf(v.reason, sizeof(v.reason), "took %lld ms, over %lld ms",
                 (long long)(reply->timing.total / 1000), (long long)t->slow_ms);
    }
    return v;
}

static int32_t fit(int64_t us)
{
    return us < -1 ? -1 : us > INT32_MAX ? INT32_MAX : (int32_t)us;
}

void classify_timing(const struct http_reply *reply, struct sample *ret)
{
    const struct http_timing *t = &reply->timing;
    int64_t late = t->queued > 0 ? t->queued : 0;
    ret->status = reply->status;
    ret->late_us = fit(late);
    ret->lookup_us = fit(t->lookup);
    ret->connect_us = fit(t->connect);
    ret->tls_us = fit(t->tls);
    ret->first_byte_us = fit(t->first_byte);
    ret->total_us = t->total < 0 ? -1 : fit(late + t->total);
}
