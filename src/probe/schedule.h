#pragma once

#include "probe/target.h"
#include "store/store.h"

#include <stdbool.h>

struct loop;

/*
 * Probes every target at its own fixed times and hands out one sample a slot.
 *
 * The targets of one app instance with the same interval are one group: all its environments are
 * probed in the same tick, with the same intended time, so that their samples are pairs. The groups
 * are spread over the interval. Ticks are absolute times on the loop's clock: a late one makes the
 * next neither later nor earlier. Latency counts from the intended time, so a stall of ours is in
 * total_us and, by itself, in late_us (G. Tene, "How NOT to Measure Latency", 2013: coordinated
 * omission). A slot that could not be served, because the target's last probe was still running or
 * because this process slept through it, is a sample too: SAMPLE_MISSED, with status 0 and -1 for
 * every time. A target that hangs delays nobody: each probe has a connection and a timeout of its
 * own.
 *
 * Cold or warm is told per service (environment, app, instance) by the last request that this
 * schedule sent to it; the probes of one tick are judged by what was before the tick.
 *
 * Life cycle: schedule_new, schedule_add for each target, schedule_start; it ends by its limits or
 * by schedule_stop, and calls `done` once; schedule_free. One thread; all calls from the loop's.
 */
struct schedule;

struct probe_result {
    const struct target *target;
    const struct sample *sample;
    const char *reason; /* why it is not OK; "" when it is */
};

/* Valid during the call. May stop the schedule, but not free it. */
typedef void schedule_result_fn(const struct probe_result *r, void *arg);

struct schedule_options {
    const char *user_agent; /* borrowed */
    const char *ca_file;    /* extra trust anchor for tests; NULL = the system's */
    int64_t duration_ms;    /* no slot begins later; 0 = no such end */
    int64_t ticks;          /* slots a target; 0 = no such end */
    /* False when our own uplink is known to be down: silence is then inconclusive. NULL = it is up.
     */
    bool (*uplink)(void *arg);
    /* All slots were served or missed and every probe has ended. May free the schedule. NULL is
     * fine. */
    void (*done)(void *arg);
    schedule_result_fn *result;
    void *arg; /* for the three above */
};

struct schedule *schedule_new(struct loop *loop, const struct schedule_options *o);
void schedule_add(struct schedule *s, const struct target *t); /* borrows t until schedule_free */
void schedule_start(struct schedule *s);                       /* once */
void schedule_stop(
    struct schedule *s); /* begins no more slots; probes under way end by themselves */
void schedule_free(struct schedule *s); /* drops probes under way; NULL is fine */
