#include "test.h"
#include "traffic/drill_figures.h"

#include <string.h>

/* Pure: a canary of ten requests a second from 0 on, a fault in force from 2 s to 6 s. */
enum { SHOTS = 100, STEP_US = 100000, SLOW_MS = 250 };
#define SECOND_US INT64_C(1000000)

static const struct drill_moments moments = {.begun_us = 2 * SECOND_US - 500,
                                             .in_force_us = 2 * SECOND_US,
                                             .over_us = 6 * SECOND_US,
                                             .first = 20};

static void all_well(struct canary_shot *shots)
{
    for (int i = 0; i < SHOTS; i++)
        shots[i] = (struct canary_shot){(int64_t)i * STEP_US, 5000, CANARY_ANSWERED};
}

static struct drill_record count(const struct canary_shot *shots)
{
    struct drill_record r = {0};
    struct sketch times = {0};

    drill_count(shots, SHOTS, &moments, SLOW_MS, &r, &times);
    sketch_release(&times);
    return r;
}

static void without_a_bad_answer_there_is_nothing_to_recover_from(void)
{
    struct canary_shot shots[SHOTS];
    all_well(shots);
    struct drill_record r = count(shots);
    CHECK(r.sent == 80 && r.lost == 0 && r.slow == 0 && r.recover_ms == 0);
}

static void it_has_recovered_with_the_first_good_request_behind_the_last_bad_one(void)
{
    struct canary_shot shots[SHOTS];
    all_well(shots);
    shots[21].end = CANARY_LOST;
    shots[22].took_us = 251000;
    shots[24].end = CANARY_LOST; /* 23 was good, and not the end of it */
    struct drill_record r = count(shots);
    CHECK(r.lost == 2 && r.slow == 1);
    CHECK(r.recover_ms == 500);
}

static void what_the_return_costs_is_counted_and_is_not_the_recovery(void)
{
    struct canary_shot shots[SHOTS];
    all_well(shots);
    shots[20].end = CANARY_LOST;
    shots[75].end = CANARY_LOST;
    struct drill_record r = count(shots);
    CHECK(r.lost == 2 && r.recover_ms == 100);
}

static void one_that_only_the_faults_end_helps_recovers_then(void)
{
    struct canary_shot shots[SHOTS];
    all_well(shots);
    for (int i = 20; i < 63; i++)
        shots[i].end = CANARY_LOST;
    CHECK(count(shots).recover_ms == 4300);
    for (int i = 63; i < SHOTS; i++)
        shots[i].end = CANARY_LOST;
    CHECK(count(shots).recover_ms == -1);
}

static void bad_answers_before_the_fault_do_not_count(void)
{
    struct canary_shot shots[SHOTS];
    all_well(shots);
    shots[3].end = CANARY_LOST;
    shots[19].took_us = 900000;
    struct drill_record r = count(shots);
    CHECK(r.sent == 80 && r.lost == 0 && r.slow == 0 && r.recover_ms == 0);
    shots[17].end = CANARY_PENDING; /* it was on its way */
    CHECK(drill_first_pending(shots, SHOTS) == 17);
    all_well(shots);
    CHECK(drill_first_pending(shots, SHOTS) == SHOTS);
}

static struct traffic_change change(int64_t id, const char *to, const char *action, int64_t at_us)
{
    return (struct traffic_change){.id = id,
                                   .from = "up",
                                   .to = to,
                                   .action = action,
                                   .seen_us = at_us - 1000,
                                   .decided_us = at_us};
}

static void the_log_tells_when_it_was_found_decided_applied_and_brought_back(void)
{
    static const int64_t wall_zero_us = INT64_C(1700000000000000);
    struct drill_log log = {0};
    struct drill_record r = {0};
    struct traffic_change before = change(1, "down", "take-out", wall_zero_us + SECOND_US),
                          doubt = change(2, "suspect", "check-fast", wall_zero_us + 2100000),
                          down = change(3, "down", "take-out", wall_zero_us + 2300000),
                          again = change(4, "down", "take-out", wall_zero_us + 5000000),
                          back = change(5, "up", "bring-back", wall_zero_us + 8000000);

    drill_log_take(&log, &moments, &before, wall_zero_us);
    drill_times(&log, &moments, &r);
    CHECK(r.detect_ms == -1 && r.decide_ms == -1 && r.apply_ms == -1);
    /* In any order, and the same one more than once. */
    drill_log_take(&log, &moments, &again, wall_zero_us);
    drill_log_take(&log, &moments, &down, wall_zero_us);
    drill_log_take(&log, &moments, &doubt, wall_zero_us);
    drill_log_take(&log, &moments, &again, wall_zero_us);
    drill_times(&log, &moments, &r);
    CHECK(r.detect_ms == 99 && r.decide_ms == 300 && r.apply_ms == -1);
    down.applied_us = wall_zero_us + 2304000;
    drill_log_take(&log, &moments, &down, wall_zero_us);
    drill_log_take(&log, &moments, &back, wall_zero_us);
    drill_times(&log, &moments, &r);
    CHECK(r.detect_ms == 99 && r.decide_ms == 300 && r.apply_ms == 304);
    CHECK(log.brought_back_us == 8 * SECOND_US);
}

static void evidence_from_before_the_faults_answer_counts_as_at_once(void)
{
    struct drill_log log = {0};
    struct drill_record r = {0};
    struct traffic_change early = change(1, "down", "take-out", 2 * SECOND_US - 300);

    early.seen_us = 2 * SECOND_US - 400;
    drill_log_take(&log, &moments, &early, 0);
    drill_times(&log, &moments, &r);
    CHECK(r.detect_ms == 0 && r.decide_ms == 0);
}

int main(void)
{
    without_a_bad_answer_there_is_nothing_to_recover_from();
    it_has_recovered_with_the_first_good_request_behind_the_last_bad_one();
    what_the_return_costs_is_counted_and_is_not_the_recovery();
    one_that_only_the_faults_end_helps_recovers_then();
    bad_answers_before_the_fault_do_not_count();
    the_log_tells_when_it_was_found_decided_applied_and_brought_back();
    evidence_from_before_the_faults_answer_counts_as_at_once();
    return DONE();
}
