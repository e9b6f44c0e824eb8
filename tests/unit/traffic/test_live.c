#include "traffic/live.h"

#include "compare/random.h"
#include "test.h"

/* A server as HAProxy counts it: requests come, are answered after a while, or not. */
struct server {
    struct live live;
    struct live_counters c;
    int64_t now_ms;
};

static enum live_state take(struct server *s)
{
    return live_take(&s->live, &live_rule_default, &s->c, s->now_ms);
}

static struct server server(void)
{
    struct server s = {.now_ms = 1000000, .c = {.answered = 5000, .tried = 5000, .answer_ms = 5}};
    (void)take(&s);
    return s;
}

static enum live_state ended(struct server *s, uint64_t good, uint64_t bad, int64_t passed_ms)
{
    s->c.tried += good + bad;
    s->c.answered += good + bad;
    s->c.failed += bad;
    s->now_ms += passed_ms;
    return take(s);
}

/* --- Failures in a row -------------------------------------------------------------------------
 */

static void three_failures_in_a_row_are_bad_and_a_good_answer_begins_anew(void)
{
    struct server s = server();

    CHECK(ended(&s, 0, 2, 1000) != LIVE_BAD);
    CHECK(ended(&s, 1, 0, 1000) != LIVE_BAD);
    CHECK(ended(&s, 0, 1, 1000) != LIVE_BAD);
    CHECK(ended(&s, 0, 1, 1000) != LIVE_BAD);
    CHECK(ended(&s, 0, 1, 1000) == LIVE_BAD);
}

static void refused_connections_count_as_failures(void)
{
    struct server s = server();

    s.c.tried += 3;
    s.c.failed += 3;
    s.c.answered += 3;
    CHECK(take(&s) == LIVE_BAD);
}

static void requests_that_their_clients_gave_up_are_neither_good_nor_bad(void)
{
    struct server s = server();

    for (int i = 0; i < 3; i++) {
        s.c.tried += 2; /* one is refused, one is given up */
        s.c.failed++;
        s.c.answered++;
        (void)take(&s);
    }
    CHECK(s.live.state == LIVE_BAD);
}

static void a_reading_of_many_requests_is_bad_when_three_failed_in_a_row_for_certain(void)
{
    struct server s = server(), most = server();

    CHECK(ended(&s, 25, 25, 50) != LIVE_BAD); /* they may have taken turns */
    CHECK(ended(&most, 5, 45, 50) == LIVE_BAD);
}

static void failures_that_are_a_window_old_are_forgotten(void)
{
    struct server s = server();

    (void)ended(&s, 0, 2, 1000);
    CHECK(ended(&s, 0, 1, 2 * live_rule_default.window_ms) != LIVE_BAD);
}

static void counters_that_went_back_begin_anew(void)
{
    struct server s = server();

    (void)ended(&s, 0, 2, 1000);
    s.c = (struct live_counters){.answered = 3, .failed = 3, .tried = 3};
    CHECK(take(&s) != LIVE_BAD);
    CHECK(ended(&s, 5, 0, 1000) == LIVE_GOOD);
}

static void after_forgetting_nothing_is_held_against_it(void)
{
    struct server s = server();

    CHECK(ended(&s, 0, 5, 1000) == LIVE_BAD);
    live_forget(&s.live, s.now_ms);
    CHECK(s.live.state == LIVE_NONE);
    CHECK(ended(&s, 0, 0, 1000) == LIVE_NONE);
    CHECK(ended(&s, 5, 0, 1000) == LIVE_GOOD);
}

static void no_traffic_says_nothing(void)
{
    struct server s = server();

    for (int i = 0; i < 100; i++)
        CHECK(ended(&s, 0, 0, 1000) == LIVE_NONE);
    CHECK(ended(&s, 1, 0, 1000) == LIVE_NONE); /* one request is too few */
}

/* --- Rates -------------------------------------------------------------------------------------
 */

/* Requests until errors at `rate` are called more than isolated; 0 = not within `most`. */
static int requests_until_found(struct random *r, double rate, int a_reading, int64_t passed_ms,
                                int most)
{
    struct server s = server();

    for (int n = 0; n < most; n += a_reading) {
        uint64_t bad = 0;
        for (int i = 0; i < a_reading; i++)
            bad += random_uniform(r) < rate;
        enum live_state state = ended(&s, (uint64_t)a_reading - bad, bad, passed_ms);
        if (state == LIVE_ERRORS || state == LIVE_BAD)
            return n + a_reading;
    }
    return 0;
}

static void thirty_percent_errors_are_found_at_one_request_a_second(void)
{
    enum { RUNS = 1000 };
    struct random r;
    int within_30 = 0, within_60 = 0;

    random_seed(&r, 1);
    for (int i = 0; i < RUNS; i++) {
        int n = requests_until_found(&r, 0.3, 1, 1000, 120);
        within_30 += n > 0 && n <= 30;
        within_60 += n > 0 && n <= 60;
    }
    printf("# 30 %% at 1/s: found within 30 s in %d of %d, within 60 s in %d\n", within_30, RUNS,
           within_60);
    CHECK(within_30 >= 850);
    CHECK(within_60 >= 990);
}

static void thirty_percent_errors_are_found_at_once_at_a_thousand_a_second(void)
{
    enum { RUNS = 1000 };
    struct random r;
    int within = 0;

    random_seed(&r, 2);
    for (int i = 0; i < RUNS; i++) {
        int n = requests_until_found(&r, 0.3, 50, 50, 1000);
        within += n > 0 && n <= 100;
    }
    printf("# 30 %% at 1000/s: found within 100 ms in %d of %d\n", within, RUNS);
    CHECK(within >= 990);
}

/* Wrong alarms at errors of `rate` in a million requests; an alarm is over before the next. */
static int false_alarms(uint64_t seed, double rate, int a_reading, int64_t passed_ms)
{
    struct server s = server();
    struct random r;
    enum live_state before = LIVE_NONE;
    int alarms = 0;

    random_seed(&r, seed);
    for (int n = 0; n < 1000 * 1000; n += a_reading) {
        uint64_t bad = 0;
        for (int i = 0; i < a_reading; i++)
            bad += random_uniform(&r) < rate;
        enum live_state state = ended(&s, (uint64_t)a_reading - bad, bad, passed_ms);
        bool alarm = state == LIVE_ERRORS || state == LIVE_BAD;
        alarms += alarm && before != LIVE_ERRORS && before != LIVE_BAD;
        before = state;
    }
    return alarms;
}

static void isolated_errors_are_left_alone(void)
{
    int slow = false_alarms(3, 0.01, 1, 1000), fast = false_alarms(4, 0.01, 50, 50);
    int two_slow = false_alarms(5, 0.02, 1, 1000), two_fast = false_alarms(6, 0.02, 50, 50);

    printf("# wrong alarms in a million requests: 1 %% errors: %d at 1/s, %d at 1000/s; 2 %%: %d, "
           "%d\n",
           slow, fast, two_slow, two_fast);
    CHECK(slow <= 5); /* three in a row come once in a million by chance */
    CHECK(fast == 0);
    CHECK(two_slow <= 25);
    CHECK(two_fast <= 1);
}

static void errors_that_have_ended_are_forgiven(void)
{
    struct server s = server();
    enum live_state state = LIVE_NONE;

    for (int i = 0; i < 40; i++)
        state = ended(&s, 1, i % 3 == 0, 1000);
    CHECK(state == LIVE_ERRORS);
    for (int i = 0; i < 60; i++)
        state = ended(&s, 1, 0, 1000);
    CHECK(state == LIVE_GOOD);
}

/* --- Stalls ------------------------------------------------------------------------------------
 */

/* As many requests come as before, and nothing comes back. Returns the ms until it is noticed. */
static int64_t hang(struct server *s, uint64_t a_reading, int64_t poll_ms, int64_t most_ms)
{
    int64_t began = s->now_ms;

    while (s->now_ms - began < most_ms) {
        s->now_ms += poll_ms;
        s->c.tried += a_reading;
        s->c.waiting += (uint32_t)a_reading;
        if (take(s) == LIVE_STALLED)
            return s->now_ms - began;
    }
    return -1;
}

static void a_hang_at_a_thousand_a_second_is_noticed_within_150_ms(void)
{
    struct server s = server();

    for (int i = 0; i < 100; i++)
        (void)ended(&s, 50, 0, 50);
    int64_t ms = hang(&s, 50, 50, 5000);
    printf("# a hang at 1000/s is noticed after %lld ms\n", (long long)ms);
    CHECK(ms > 0 && ms <= 150);
}

static void a_hang_at_one_request_a_second_is_noticed_within_5_s(void)
{
    struct server s = server();

    s.c.answer_ms = 80;
    for (int i = 0; i < 100; i++)
        (void)ended(&s, 1, 0, 1000);
    int64_t ms = hang(&s, 1, 1000, 20000);
    printf("# a hang at 1/s is noticed after %lld ms\n", (long long)ms);
    CHECK(ms > 0 && ms <= 5000);
}

/* One request at a time that takes `answer_ms`, seen by readings every `poll_ms`. */
static enum live_state one_request(struct server *s, int64_t answer_ms, int64_t poll_ms)
{
    enum live_state state = LIVE_NONE;
    bool stalled = false;

    s->c.tried++;
    s->c.waiting = 1;
    for (int64_t t = 0; t < answer_ms; t += poll_ms) {
        s->now_ms += poll_ms;
        stalled |= take(s) == LIVE_STALLED;
    }
    s->c.waiting = 0;
    s->c.answered++;
    s->now_ms += poll_ms;
    state = take(s);
    return stalled ? LIVE_STALLED : state;
}

/* How many of 2,000 requests are called a stall when each hundredth takes `slow_ms`. */
static int slow_ones_called_a_stall(uint32_t usual_ms, int64_t slow_ms)
{
    struct server s = server();
    struct random r;
    int stalls = 0;

    random_seed(&r, 9);
    s.c.answer_ms = usual_ms;
    for (int i = 0; i < 2000; i++) {
        int64_t ms = random_below(&r, 100) == 0 ? slow_ms : usual_ms;
        stalls += one_request(&s, ms, 50) == LIVE_STALLED;
        s.now_ms += 1000;
        (void)take(&s);
    }
    return stalls;
}

static void a_request_that_is_slow_now_and_then_is_no_stall(void)
{
    int ten = slow_ones_called_a_stall(50, 500), fifty = slow_ones_called_a_stall(50, 2500),
        hundred = slow_ones_called_a_stall(50, 5000);

    printf(
        "# each hundredth request slow: ten times: %d stalls in 2,000; fifty: %d; a hundred: %d\n",
        ten, fifty, hundred);
    CHECK(ten == 0 && fifty == 0);
    CHECK(hundred <= 3); /* it is learnt */
}

static void a_page_that_asks_for_much_at_once_and_waits_is_no_stall(void)
{
    struct server s = server();

    s.c.answer_ms = 20;
    for (int i = 0; i < 100; i++)
        (void)ended(&s, 1, 0, 1000);
    s.c.tried += 6;
    s.c.waiting = 6;
    for (int i = 0; i < 20; i++) {
        CHECK(take(&s) != LIVE_STALLED);
        s.now_ms += 50;
    }
}

static void a_hang_that_ended_does_not_hide_the_next(void)
{
    struct server s = server();

    for (int i = 0; i < 100; i++)
        (void)one_request(&s, 50, 50);
    CHECK(one_request(&s, 30000, 50) == LIVE_STALLED);
    for (int i = 0; i < 10; i++)
        CHECK(one_request(&s, 50, 50) != LIVE_STALLED);
    CHECK(one_request(&s, 10000, 50) == LIVE_STALLED);
}

static void an_open_connection_that_was_answered_waits_for_nothing(void)
{
    struct server s = server();

    s.c.tried++;
    s.c.answered++; /* 101 */
    s.c.waiting = 1;
    (void)take(&s);
    for (int i = 0; i < 100; i++) {
        s.now_ms += 100;
        CHECK(take(&s) != LIVE_STALLED);
    }
}

static void one_that_never_answered_is_not_called_stalled(void)
{
    struct server s = {.now_ms = 1000};

    (void)take(&s);
    CHECK(hang(&s, 1, 50, 10000) == -1);
}

int main(void)
{
    three_failures_in_a_row_are_bad_and_a_good_answer_begins_anew();
    refused_connections_count_as_failures();
    requests_that_their_clients_gave_up_are_neither_good_nor_bad();
    a_reading_of_many_requests_is_bad_when_three_failed_in_a_row_for_certain();
    failures_that_are_a_window_old_are_forgotten();
    counters_that_went_back_begin_anew();
    after_forgetting_nothing_is_held_against_it();
    no_traffic_says_nothing();
    thirty_percent_errors_are_found_at_one_request_a_second();
    thirty_percent_errors_are_found_at_once_at_a_thousand_a_second();
    isolated_errors_are_left_alone();
    errors_that_have_ended_are_forgiven();
    a_hang_at_a_thousand_a_second_is_noticed_within_150_ms();
    a_hang_at_one_request_a_second_is_noticed_within_5_s();
    a_request_that_is_slow_now_and_then_is_no_stall();
    a_page_that_asks_for_much_at_once_and_waits_is_no_stall();
    a_hang_that_ended_does_not_hide_the_next();
    an_open_connection_that_was_answered_waits_for_nothing();
    one_that_never_answered_is_not_called_stalled();
    return DONE();
}
