#pragma once

#include "base/sketch.h"
#include "probe/check.h"
#include "probe/health.h"
#include "probe/target.h"
#include "probe/uplink.h"
#include "store/store.h"

#include <stdbool.h>

struct clock;
struct loop;

/*
 * Probes every target at its own fixed times and hands out one sample a slot.
 *
 * Ticks. The environments of one check of one app instance with the same interval are one group:
 * they are probed in the same tick, with the same intended time, so that their samples are pairs.
 * The groups are spread over the interval. Ticks are absolute times: a late one makes the next
 * neither later nor earlier. Latency counts from the intended time, so a stall of ours is in
 * total_us and, by itself, in late_us (G. Tene, "How NOT to Measure Latency", 2013: coordinated
 * omission). A slot that could not be served is a sample too: SAMPLE_MISSED, with status 0 and -1
 * for every time. When this process was stopped for long, one such sample stands for up to ten
 * minutes of slots (covers_ms).
 *
 * Deadlines. Each probe has its own, kept here and nowhere else: the check is cancelled, and the
 * phases it had reached are in the sample. A target that hangs delays nobody.
 *
 * Intervals. every_ms is the clock. While a target is suspected it is asked every fast_ms beside
 * it: those samples are `extra`. While it is down and down_ms is longer, slots between are left out
 * and recorded as missed, in a way that counts their time as down (struct sample). Whoever steers
 * traffic by what is found may have a target asked more often still (schedule_pace).
 *
 * Cold or warm is told per service (environment, app, instance): by what its platform says when
 * `awake` is there, else by the last request that this schedule sent to it, or the one known from
 * before (last_request_ms). While a cold start is under way nothing else is sent to the service, so
 * that a half-done one is in no figure.
 *
 * Silence is judged with the control targets (uplink.h); until then a sample waits, and later
 * samples of the same target wait behind it: results come in the order of their slots, and those of
 * extra probes in theirs. Extra probes do not wait for a slot that hangs; its result then comes
 * when newer ones are known, and moves no state.
 *
 * Life cycle: schedule_new, schedule_add for each target, schedule_start; it ends by its limits or
 * by schedule_stop, and calls `done` once; schedule_free. With a loop it drives itself. Without one
 * (tests, compressed time), call schedule_turn whenever the clock has reached schedule_next_us. One
 * thread; all calls from the loop's.
 */
struct schedule;

/* Valid during the call. These callbacks may stop the schedule and ask for extra probes, but not
 * free it. */
struct probe_result {
    const struct target *target;
    const struct sample *sample;
    const char *reason;     /* why it is not OK, or why it was missed; "" when it is. No secrets */
    const char *detail;     /* worth keeping: "PostgreSQL 17.2"; "" = none */
    int64_t valid_until_ms; /* tls: the certificate's end; 0 = none */
    const struct health *health; /* after this sample */
};
typedef void schedule_result_fn(const struct probe_result *r, void *arg);

/* After the result that caused it. Never for inconclusive results: see health_shown. */
struct probe_change {
    const struct target *target;
    enum health_state from, to;
    int64_t since_ms;   /* DOWN: the first bad sample; UP: the first good one; else this sample */
    int64_t noticed_ms; /* wall clock, now */
    const char *reason; /* DOWN: of the first bad sample; SUSPECT: of this one; UP: "" */
};
typedef void schedule_change_fn(const struct probe_change *c, void *arg);

enum awake { AWAKE_UNKNOWN, AWAKE_YES, AWAKE_NO };

struct schedule_options {
    const char *user_agent; /* borrowed */
    const char *ca_file;    /* extra trust anchor for tests; NULL = the system's */
    int64_t duration_ms;    /* no slot begins later; 0 = no such end */
    int64_t ticks;          /* slots a target; 0 = no such end */
    /* Slots are counted from this moment of the clock, in the past: a schedule that takes the place
     * of another keeps its ticks. 0 = now. */
    int64_t anchor_us;
    const char *const *controls; /* URLs, borrowed; uplink.h */
    size_t n_controls;
    int64_t control_every_ms, control_timeout_ms; /* 0 = uplink.h's */

    /* Asks the target's platform, a moment before the tick, whether the service is awake; answered
     * by schedule_awake, at once or later. Only for targets that sleep and whose wake is not
     * WAKE_ALWAYS. No answer by the tick, or NULL: our own idle time decides. */
    void (*awake)(const struct target *t, void *arg);

    schedule_result_fn *result;
    schedule_change_fn *change; /* NULL is fine */
    /* Once at the beginning and once at the end of a blind spell. NULL is fine. */
    void (*notice)(bool blind, int64_t at_ms, void *arg);
    /* All slots were served or missed and every probe has ended. May free the schedule. NULL is
     * fine. */
    void (*done)(void *arg);
    void *arg; /* for the five above */

    /* For tests: NULL = the loop's clock, and check_find. Borrowed. */
    const struct clock *clock;
    const struct check_ops *(*find)(enum check_kind kind);
};

struct schedule *schedule_new(struct loop *loop, const struct schedule_options *o); /* NULL loop:
                                                                                       see above */
/* Borrows t until schedule_free. Only before schedule_start. -1 (ERR_USAGE): no check of its kind.
 */
int schedule_add(struct schedule *s, const struct target *t, struct err *e);
void schedule_start(struct schedule *s); /* once */
void schedule_stop(
    struct schedule *s); /* begins no more slots; probes under way end by themselves */
void schedule_free(struct schedule *s); /* drops probes under way; NULL is fine */

/* Does all that is due by the clock. Only without a loop. */
void schedule_turn(struct schedule *s);
int64_t schedule_next_us(const struct schedule *s); /* INT64_MAX: nothing will ever be due */

/* An extra sample of the target of that series, begun in the next turn. False: no such target, or
 * one is under way and will tell. It wakes a sleeper: somebody asked. */
bool schedule_probe_now(struct schedule *s, int64_t series);

/*
 * Probes of that target every so often beside its clock, until a moment of the schedule's clock; 0:
 * none more. It takes the place of the pace before. They are `extra`, never two at a time, never
 * sent to a service that sleeps, and any look at the target puts off the next one: a slot, a
 * person's probe, live traffic (schedule_seen). Their time is short: what takes longer than a
 * second and three times the usual has failed, so that a hang is found although the check's own
 * timeout is long.
 *
 * until_us 0: no end, and it lets the service fall asleep: it stops when nobody else has asked for
 * a twentieth of its sleep time (budget/checking.h: CHECKING_TAIL), and goes on when somebody does.
 * Where a check's slots keep the service awake anyway, it runs on. Any other pace keeps awake what
 * is awake; INT64_MAX: without end.
 *
 * False: no such target.
 */
bool schedule_pace(struct schedule *s, int64_t series, int64_t every_ms, int64_t until_us);

/* Asks at once although it sleeps, unless a request is under way; its time is that of a cold start.
 * `extra`. False: no such target. */
bool schedule_wake(struct schedule *s, int64_t series);

/* Live traffic was answered by the target at that wall time: its service was awake then, and the
 * target was looked at. */
void schedule_seen(struct schedule *s, int64_t series, int64_t at_ms);

/* What the platform answered; for the target's whole service. Any time, also unasked. */
void schedule_awake(struct schedule *s, const struct target *t, enum awake answer);

/* Goes on from what an earlier schedule, or the store, knew of a target; `reason` as in
 * probe_change. After schedule_start. */
void schedule_resume(struct schedule *s, int64_t series, const struct health *h,
                     const char *reason);

/* Takes over from the schedule whose place this one takes: when its services were asked, which cold
 * starts they had (so that none comes early), and the pace of its targets. After schedule_start,
 * before the other one is stopped. */
void schedule_inherit(struct schedule *s, const struct schedule *before);

/* What is known of a target, NULL when it is not of this schedule. */
const struct health *schedule_health(const struct schedule *s, int64_t series);
/* Is its service asleep, as far as anybody knows? AWAKE_YES for one that never sleeps. */
enum awake schedule_is_awake(const struct schedule *s, int64_t series);

/* For the prober's own page. */
struct schedule_counters {
    size_t targets;
    double planned_per_second;    /* slots */
    double per_second;            /* requests sent, over the last ten seconds or so */
    size_t in_flight;             /* probes under way */
    size_t waiting;               /* ended, waiting for the control targets */
    uint64_t sent, missed, extra; /* since the start; missed: slots */
    bool blind;
    const struct sketch *lateness; /* of every request sent since the start; borrowed */
    const struct uplink_control *controls;
    size_t n_controls;
};
void schedule_count(const struct schedule *s, struct schedule_counters *ret);
