#pragma once

#include "probe/target.h"
#include "store/store.h"

struct http_reply;

/* What a probe means. Pure. */

/* One moment by both clocks: the monotonic one stands still while the machine is suspended, the
 * wall clock may be set. */
struct instant {
    int64_t mono_us, wall_ms;
};

/* COLD when the service was idle for longer than its platform's sleep time, by either clock, or
 * when nobody knows since when (`last` NULL) it was idle. */
enum sample_class classify_idle(int64_t sleep_after_ms, const struct instant *last,
                                const struct instant *now);

struct verdict {
    enum sample_outcome outcome;
    char reason[256]; /* why it is not OK, for a log line; "" when it is */
};

/*
 * The outcome of an answer, or of none:
 *   inconclusive  no answer, and the cause is on our side: an error of our own, or `uplink` is
 * false failed        no answer, or not the expected one slow          the expected answer, later
 * than slow_ms after it was sent. Our own lateness is not the target's fault, and a cold start has
 * a bound of its own, so neither counts here ok            else
 */
struct verdict classify_reply(const struct target *t, enum sample_class class_,
                              const struct http_reply *reply, bool uplink);

/* The phases of an answer: lookup, connect, tls and first_byte from the real start, total from the
 * intended one. Values that do not fit are cut to the largest that does. */
void classify_timing(const struct http_reply *reply, struct sample *ret);
