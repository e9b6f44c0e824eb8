#include "test.h"

#include "deploy/backoff.h"
#include "deploy/pace.h"

static const struct rate_limit limits[] = {
    {.cost = "", .requests = 5, .window_ms = 1000, .source = "test"},
    {.cost = "deploy", .requests = 2, .window_ms = 60000, .source = "test"},
    {0},
};

static void as_many_as_documented_go_at_once(void)
{
    struct pace *p = pace_new(limits);

    for (int i = 0; i < 5; i++) {
        CHECK(pace_delay(p, "", 100) == 0);
        pace_sent(p, "");
        pace_answered(p, "", 100);
    }
    CHECK(pace_delay(p, "", 100) == 1001);
    CHECK(pace_delay(p, "", 1101) == 0);
    pace_free(p);
}

static void a_request_without_answer_yet_counts_for_as_long_as_it_takes(void)
{
    struct pace *p = pace_new(limits);

    for (int i = 0; i < 5; i++)
        pace_sent(p, "");
    CHECK(pace_delay(p, "", 1000000) == -1);
    pace_answered(p, "", 1000000);
    CHECK(pace_delay(p, "", 1000000) == -1 || pace_delay(p, "", 1000000) > 0);
    pace_free(p);
}

static void a_class_has_its_own_window_beside_the_general_one(void)
{
    struct pace *p = pace_new(limits);

    for (int i = 0; i < 2; i++) {
        pace_sent(p, "deploy");
        pace_answered(p, "deploy", 0);
    }
    CHECK(pace_delay(p, "deploy", 0) == 60001);
    CHECK(pace_delay(p, "", 0) == 0);
    pace_free(p);
}

/* Whatever the order of sending and answering, no window ever holds more than is documented, even
 * when the platform saw each request at any moment between the two. */
static void no_window_ever_holds_more_than_is_documented(void)
{
    enum { N = 4000 };
    static int64_t seen[N];
    struct pace *p = pace_new(limits);
    uint64_t random = 42;
    int64_t now = 0;
    size_t n = 0, most = 0;
    int64_t flying[8];
    size_t n_flying = 0;

    while (n < N) {
        int64_t delay = pace_delay(p, "", now);
        if (delay == 0 && n_flying < 8) {
            pace_sent(p, "");
            flying[n_flying++] = now;
        } else if (n_flying > 0) {
            now += (int64_t)(backoff_random(&random) % 200);
            int64_t sent = flying[0];
            memmove(flying, flying + 1, --n_flying * sizeof(*flying));
            seen[n++] = sent + (int64_t)(backoff_random(&random) % (uint64_t)(now - sent + 1));
            pace_answered(p, "", now);
        } else {
            now += delay > 0 ? delay : 1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        size_t in = 0;
        for (size_t k = 0; k < n; k++)
            in += seen[k] > seen[i] - 1000 && seen[k] <= seen[i];
        most = in > most ? in : most;
    }
    CHECK(most <= 5);
    CHECK(most >= 3);
    pace_free(p);
}

static void retry_after_holds_everything_back(void)
{
    struct pace *p = pace_new(limits);

    pace_block(p, 5000, 1000);
    CHECK(pace_delay(p, "", 1000) == 4000);
    CHECK(pace_delay(p, "", 5000) == 0);
    pace_block(p, INT64_MAX / 2, 5000);
    CHECK(pace_delay(p, "", 5000) == PACE_LONGEST_MS);
    pace_free(p);
}

static void nothing_left_waits_for_the_reset(void)
{
    struct pace *p = pace_new(limits);
    struct rate_facts none = {.remaining = 0, .reset_ms = 700, .retry_after_ms = -1};
    struct rate_facts some = {.remaining = 3, .reset_ms = 700, .retry_after_ms = -1};

    pace_learn(p, &some, 0);
    CHECK(pace_delay(p, "", 0) == 0);
    pace_learn(p, &none, 0);
    CHECK(pace_delay(p, "", 0) == 700);
    pace_free(p);
}

static void back_off_grows_with_jitter_and_has_an_end(void)
{
    uint64_t random = 7;
    int64_t most = 0, least = BACKOFF_LONGEST_MS;

    for (int i = 0; i < 1000; i++) {
        int64_t first = backoff_ms(1, &random), late = backoff_ms(30, &random);
        CHECK(first >= BACKOFF_FIRST_MS / 4 && first <= BACKOFF_FIRST_MS);
        most = late > most ? late : most;
        least = late < least ? late : least;
    }
    CHECK(most <= BACKOFF_LONGEST_MS);
    CHECK(most - least > BACKOFF_LONGEST_MS / 2);
}

static void slow_windows_outlive_the_process(void)
{
    struct pace *before = pace_new(limits), *after = pace_new(limits);

    pace_sent(before, "deploy");
    pace_answered(before, "deploy", 1000);
    pace_sent(before, "deploy");
    json_t *saved = pace_save(before, 11000);
    pace_load(after, saved, 20000, 500000);
    CHECK(pace_delay(after, "deploy", 500000) == 60001 - 30000);
    CHECK(pace_delay(after, "", 500000) == 0);
    pace_free(after);
    after = pace_new(limits);
    pace_load(after, saved, 60001, 500000);
    CHECK(pace_delay(after, "deploy", 500000) == 0);
    json_decref(saved);
    pace_free(before);
    pace_free(after);
}

int main(void)
{
    as_many_as_documented_go_at_once();
    a_request_without_answer_yet_counts_for_as_long_as_it_takes();
    a_class_has_its_own_window_beside_the_general_one();
    no_window_ever_holds_more_than_is_documented();
    retry_after_holds_everything_back();
    nothing_left_waits_for_the_reset();
    slow_windows_outlive_the_process();
    back_off_grows_with_jitter_and_has_an_end();
    return DONE();
}
