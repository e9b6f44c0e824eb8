#include "probe/check.h"
#include "probe/classify.h"
#include "test.h"

#include <string.h>

enum { MINUTE_MS = 60000 };

static struct check_answer answer(bool ok, int64_t total_ms)
{
    return (struct check_answer){
        .sent = true,
        .answered = true,
        .ok = ok,
        .status = 200,
        .queued = 50,
        .lookup = 100,
        .connect = 200,
        .tls = -1,
        .first_byte = 900,
        .total = total_ms * 1000,
        .reason = ok ? "" : "answered 503 instead of 2xx",
        .detail = "",
    };
}

static void a_service_that_never_sleeps_is_always_warm(void)
{
    struct instant now = {.mono_us = 1, .wall_ms = 1};
    CHECK(classify_idle(0, NULL, &now) == SAMPLE_WARM);
    CHECK(classify_idle(0, &(struct instant){0}, &now) == SAMPLE_WARM);
}

static void a_sleeper_is_cold_when_unknown_or_idle_for_longer_than_its_time(void)
{
    const int64_t sleep_ms = 15 * (int64_t)MINUTE_MS;
    struct instant last = {.mono_us = 1000000, .wall_ms = 5000000}, now = last;
    CHECK(classify_idle(sleep_ms, NULL, &now) == SAMPLE_COLD);
    CHECK(classify_idle(sleep_ms, &last, &now) == SAMPLE_WARM);
    now.mono_us += sleep_ms * 1000;
    now.wall_ms += sleep_ms;
    CHECK(classify_idle(sleep_ms, &last, &now) == SAMPLE_WARM);
    now.mono_us++;
    CHECK(classify_idle(sleep_ms, &last, &now) == SAMPLE_COLD);
}

static void time_in_which_the_machine_was_suspended_counts_as_idle(void)
{
    struct instant last = {.mono_us = 1000000, .wall_ms = 5000000}, now = last;
    now.wall_ms += 16 * (int64_t)MINUTE_MS;
    CHECK(classify_idle(15 * (int64_t)MINUTE_MS, &last, &now) == SAMPLE_COLD);
}

static void the_outcome_follows_the_answer_and_its_time(void)
{
    static const struct {
        bool ok;
        int total_ms;
        enum sample_class class_;
        const char *reason; /* a part of it */
        enum sample_outcome outcome;
    } rows[] = {
        {true, 10, SAMPLE_WARM, "", SAMPLE_OK},
        {true, 500, SAMPLE_WARM, "", SAMPLE_OK},
        {true, 501, SAMPLE_WARM, "501 ms, over 500 ms", SAMPLE_SLOW},
        {true, 14000, SAMPLE_COLD, "", SAMPLE_OK},
        {false, 10, SAMPLE_WARM, "503 instead of 2xx", SAMPLE_FAILED},
        {false, 501, SAMPLE_WARM, "503 instead of 2xx", SAMPLE_FAILED},
        {false, 501, SAMPLE_COLD, "503 instead of 2xx", SAMPLE_FAILED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target t = {.slow_ms = 500};
        struct check_answer a = answer(rows[i].ok, rows[i].total_ms);
        struct verdict v = classify_answer(&t, rows[i].class_, &a);
        CHECK(v.outcome == rows[i].outcome && strstr(v.reason, rows[i].reason));
        CHECK((v.outcome == SAMPLE_OK) == (v.reason[0] == '\0'));
    }
}

static void without_a_bound_nothing_is_slow(void)
{
    struct target t = {0};
    struct check_answer a = answer(true, 100000);
    CHECK(classify_answer(&t, SAMPLE_WARM, &a).outcome == SAMPLE_OK);
}

static void an_error_of_our_own_is_inconclusive(void)
{
    struct target t = {0};
    struct check_answer a = answer(false, 1);
    a.sent = a.answered = false;
    a.reason = "no descriptor left";
    struct verdict v = classify_answer(&t, SAMPLE_WARM, &a);
    CHECK(v.outcome == SAMPLE_INCONCLUSIVE && strstr(v.reason, "descriptor"));
}

static void a_failure_while_we_are_blind_is_inconclusive_and_says_both(void)
{
    struct verdict v = {.outcome = SAMPLE_FAILED, .reason = "shop.example: cannot connect"};
    v = classify_blind(&v);
    CHECK(v.outcome == SAMPLE_INCONCLUSIVE);
    CHECK(strstr(v.reason, "our own uplink") && strstr(v.reason, "cannot connect"));
}

static void the_whole_time_counts_from_the_intended_moment(void)
{
    struct target t = {.kind = CHECK_HTTP};
    struct sample v = {.total_us = 77};
    struct check_answer a = answer(true, 2);
    classify_timing(&t, &a, &v);
    CHECK(v.status == 200 && v.late_us == 50 && v.total_us == 2050);
    CHECK(v.lookup_us == 100 && v.connect_us == 200 && v.tls_us == -1 && v.first_byte_us == 900);
}

static void of_a_database_only_the_statement_counts(void)
{
    const enum check_kind kinds[] = {CHECK_POSTGRES, CHECK_REDIS, CHECK_UPSTASH};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct target t = {.kind = kinds[i]};
        struct sample v = {0};
        struct check_answer a = answer(true, 2);
        classify_timing(&t, &a, &v);
        CHECK(v.late_us == 50 && v.total_us == 2000);
    }
}

static void times_too_large_or_absent_are_cut(void)
{
    struct target t = {.kind = CHECK_HTTP};
    struct sample v;
    struct check_answer a = answer(true, 1);
    a.queued = -5;
    a.lookup = -1;
    a.connect = INT64_MAX;
    a.tls = -9;
    a.first_byte = -1;
    a.total = INT64_C(1) << 40;
    classify_timing(&t, &a, &v);
    CHECK(v.late_us == 0 && v.lookup_us == -1 && v.connect_us == INT32_MAX && v.tls_us == -1);
    CHECK(v.total_us == INT32_MAX);
    a.total = -1;
    classify_timing(&t, &a, &v);
    CHECK(v.total_us == -1);
    a.sent = false;
    classify_timing(&t, &a, &v);
    CHECK(v.late_us == -1);
}

int main(void)
{
    a_service_that_never_sleeps_is_always_warm();
    a_sleeper_is_cold_when_unknown_or_idle_for_longer_than_its_time();
    time_in_which_the_machine_was_suspended_counts_as_idle();
    the_outcome_follows_the_answer_and_its_time();
    without_a_bound_nothing_is_slow();
    an_error_of_our_own_is_inconclusive();
    a_failure_while_we_are_blind_is_inconclusive_and_says_both();
    the_whole_time_counts_from_the_intended_moment();
    of_a_database_only_the_statement_counts();
    times_too_large_or_absent_are_cut();
    return DONE();
}
