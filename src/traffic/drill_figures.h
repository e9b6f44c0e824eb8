#pragma once

#include "base/sketch.h"
#include "traffic/drill.h"
#include "traffic/drill_canary.h"

/*
 * What a drill comes to: pure functions over the canary's requests and the router's log. All times
 * are microseconds of one clock, the monotonic one that the canary counts in.
 */
struct drill_moments {
    int64_t begun_us; /* the fault was asked for; what the router does may be due to it from now */
    int64_t in_force_us; /* 0: not yet, as below */
    int64_t over_us;
    size_t first; /* the canary's oldest request that was on its way when the fault was asked for */
};
struct drill_log { /* of the router's changes so far; 0 = none */
    int64_t detected_us, decided_us, applied_us, brought_back_us;
    int64_t moved_id; /* the change that moved traffic away */
};

/* Takes one change, new or told again. Its times are wall microseconds; `wall_zero_us` is the wall
 * time at 0 of the monotonic clock. */
void drill_log_take(struct drill_log *log, const struct drill_moments *m,
                    const struct traffic_change *c, int64_t wall_zero_us);

/* The oldest request without an answer; n when all have one. */
size_t drill_first_pending(const struct canary_shot *shots, size_t n);

/* sent, lost, slow and recover_ms of `ret`; `times`: of those that were answered. */
void drill_count(const struct canary_shot *shots, size_t n, const struct drill_moments *m,
                 int64_t slow_ms, struct drill_record *ret, struct sketch *times);
/* detect_ms, decide_ms, apply_ms of `ret`; -1 = did not happen. */
void drill_times(const struct drill_log *log, const struct drill_moments *m,
                 struct drill_record *ret);
