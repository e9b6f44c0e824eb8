#include "net/http.h"
#include "probe/classify.h"
#include "test.h"

#include <string.h>

enum { MINUTE_MS = 60000 };

static struct http_reply answer(int status, const char *body, int64_t total_ms)
{
    return (struct http_reply){
        .status = status,
        .body = body,
        .len = strlen(body),
        .timing = {.queued = 50,
                   .lookup = 100,
                   .connect = 200,
                   .tls = -1,
                   .first_byte = 900,
                   .total = total_ms * 1000},
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

static void the_outcome_follows_status_body_and_time(void)
{
    static const struct {
        int expect_status;
        int status;
        const char *expect_body;
        const char *body;
        int total_ms;
        enum sample_class class_;
        const char *reason; /* a part of it */
        enum sample_outcome outcome;
    } rows[] = {
        {0, 200, NULL, "hello", 10, SAMPLE_WARM, "", SAMPLE_OK},
        {0, 204, "", "", 10, SAMPLE_WARM, "", SAMPLE_OK},
        {0, 302, NULL, "", 10, SAMPLE_WARM, "302 instead of 2xx", SAMPLE_FAILED},
        {0, 503, NULL, "", 10, SAMPLE_WARM, "503 instead of 2xx", SAMPLE_FAILED},
        {302, 302, NULL, "", 10, SAMPLE_WARM, "", SAMPLE_OK},
        {302, 200, NULL, "", 10, SAMPLE_WARM, "200 instead of 302", SAMPLE_FAILED},
        {0, 200, "ell", "hello", 10, SAMPLE_WARM, "", SAMPLE_OK},
        {0, 200, "bye", "hello", 10, SAMPLE_WARM, "\"bye\"", SAMPLE_FAILED},
        {0, 200, NULL, "hello", 500, SAMPLE_WARM, "", SAMPLE_OK},
        {0, 200, NULL, "hello", 501, SAMPLE_WARM, "501 ms, over 500 ms", SAMPLE_SLOW},
        {0, 500, NULL, "hello", 501, SAMPLE_WARM, "500", SAMPLE_FAILED},
        {0, 200, NULL, "hello", 14000, SAMPLE_COLD, "", SAMPLE_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct target t = {.slow_ms = 500,
                           .expect_status = rows[i].expect_status,
                           .expect_body = rows[i].expect_body};
        struct http_reply reply = answer(rows[i].status, rows[i].body, rows[i].total_ms);
        struct verdict v = classify_reply(&t, rows[i].class_, &reply, true);
        CHECK(v.outcome == rows[i].outcome && strstr(v.reason, rows[i].reason));
        CHECK((v.outcome == SAMPLE_OK) == (v.reason[0] == '\0'));
    }
}

static void without_a_bound_nothing_is_slow(void)
{
    struct target t = {0};
    struct http_reply reply = answer(200, "", 100000);
    CHECK(classify_reply(&t, SAMPLE_WARM, &reply, true).outcome == SAMPLE_OK);
}

static void a_body_is_searched_past_its_null_bytes(void)
{
    struct target t = {.expect_body = "end"};
    struct http_reply reply = answer(200, "", 1);
    reply.body = "a\0end";
    reply.len = 5;
    CHECK(classify_reply(&t, SAMPLE_WARM, &reply, true).outcome == SAMPLE_OK);
}

static void silence_is_their_failure_unless_the_cause_is_ours(void)
{
    struct target t = {0};
    struct http_reply reply = answer(0, "", 1);
    err_set(&reply.err, ERR_NET, "connection refused");
    struct verdict v = classify_reply(&t, SAMPLE_WARM, &reply, true);
    CHECK(v.outcome == SAMPLE_FAILED && strcmp(v.reason, "connection refused") == 0);

    v = classify_reply(&t, SAMPLE_WARM, &reply, false);
    CHECK(v.outcome == SAMPLE_INCONCLUSIVE && strstr(v.reason, "our own uplink"));

    err_set(&reply.err, ERR_STORE, "no descriptor left");
    v = classify_reply(&t, SAMPLE_WARM, &reply, true);
    CHECK(v.outcome == SAMPLE_INCONCLUSIVE && strstr(v.reason, "descriptor"));
}

static void an_answer_that_broke_off_is_a_failure_whatever_its_status(void)
{
    struct target t = {0};
    struct http_reply reply = answer(200, "hal", 1);
    err_set(&reply.err, ERR_NET, "closed in the middle");
    CHECK(classify_reply(&t, SAMPLE_WARM, &reply, true).outcome == SAMPLE_FAILED);
}

static void an_answer_counts_even_when_the_uplink_is_said_to_be_down(void)
{
    struct target t = {0};
    struct http_reply good = answer(200, "", 1), bad = answer(500, "", 1);
    CHECK(classify_reply(&t, SAMPLE_WARM, &good, false).outcome == SAMPLE_OK);
    CHECK(classify_reply(&t, SAMPLE_WARM, &bad, false).outcome == SAMPLE_FAILED);
}

static void the_whole_time_counts_from_the_intended_moment(void)
{
    struct sample v = {.total_us = 77};
    struct http_reply reply = answer(200, "", 2);
    classify_timing(&reply, &v);
    CHECK(v.status == 200 && v.late_us == 50 && v.total_us == 2050);
    CHECK(v.lookup_us == 100 && v.connect_us == 200 && v.tls_us == -1 && v.first_byte_us == 900);
}

static void times_too_large_or_absent_are_cut(void)
{
    struct sample v;
    struct http_reply reply = answer(0, "", 1);
    reply.timing = (struct http_timing){.queued = -5,
                                        .lookup = -1,
                                        .connect = INT64_MAX,
                                        .tls = -9,
                                        .first_byte = -1,
                                        .total = INT64_C(1) << 40};
    classify_timing(&reply, &v);
    CHECK(v.late_us == 0 && v.lookup_us == -1 && v.connect_us == INT32_MAX && v.tls_us == -1);
    CHECK(v.total_us == INT32_MAX);
    reply.timing.total = -1;
    classify_timing(&reply, &v);
    CHECK(v.total_us == -1);
}

int main(void)
{
    a_service_that_never_sleeps_is_always_warm();
    a_sleeper_is_cold_when_unknown_or_idle_for_longer_than_its_time();
    time_in_which_the_machine_was_suspended_counts_as_idle();
    the_outcome_follows_status_body_and_time();
    without_a_bound_nothing_is_slow();
    a_body_is_searched_past_its_null_bytes();
    silence_is_their_failure_unless_the_cause_is_ours();
    an_answer_that_broke_off_is_a_failure_whatever_its_status();
    an_answer_counts_even_when_the_uplink_is_said_to_be_down();
    the_whole_time_counts_from_the_intended_moment();
    times_too_large_or_absent_are_cut();
    return DONE();
}
