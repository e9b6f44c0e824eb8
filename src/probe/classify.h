#pragma once

#include "probe/target.h"
#include "store/store.h"

#include <stdbool.h>

struct check_answer;

/* What a probe means: decided here and nowhere else. Pure. */

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
 *
 *   inconclusive   nothing left this machine: an error of our own (no descriptor, no port left)
 *   failed         no answer, or not the expected one: a wrong status, a body over its bound or
 *                  that cannot be unpacked, a certificate that is not trusted
 *   slow           the expected answer, later than slow_ms after it was sent. Our own lateness is
 *                  not the target's fault, and a cold start has a bound of its own, so neither
 *                  counts here
 *   ok             else
 */
struct verdict classify_answer(const struct target *t, enum sample_class class_,
                               const struct check_answer *a);

/* The same when our control targets were silent too: what was judged a failure without an answer is
 * inconclusive. */
struct verdict classify_blind(const struct verdict *v);

/* The times of an answer: the phases from the real start; total from the intended one, or for a
 * database the statement's round trip alone (struct sample). What does not fit is cut to the
 * largest that does. */
void classify_timing(const struct target *t, const struct check_answer *a, struct sample *ret);
