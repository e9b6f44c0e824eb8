#include "compare/self_test.h"

#include "test.h"

#include <stdlib.h>

/* A/A: an environment against itself. The bound of 200 rounds would catch a method that is wrong
 * twice as often as stated (20 expected); the whole run of 2,000 days is made with TRINE_LONG=1. */
static void an_environment_rarely_beats_itself(void)
{
    bool whole = getenv("TRINE_LONG") != NULL;
    unsigned rounds = whole ? 2000 : 200;
    struct self_test_result r;
    self_test_simulated(&day_default, rounds, 0.95, 2024, &r);
    printf(
        "# A/A: a false winner on %u of %u days, rate %.4f (%.4f to %.4f); average %u, median %u, "
        "p95 %u, success %u; shape %u; any p at most 0.05: %u\n",
        r.decided, r.rounds, r.rate.value, r.rate.low, r.rate.high, r.by_metric[METRIC_AVG],
        r.by_metric[METRIC_P50], r.by_metric[METRIC_P95], r.by_metric[METRIC_SUCCESS], r.shapes,
        r.significant);
    CHECK(r.rounds == rounds && r.rate.known);
    CHECK(whole ? r.rate.value <= 0.05 : r.decided <= 18);
}

static void noise_that_lasts_an_hour_hardly_makes_winners(void)
{
    struct day_model m = day_default;
    m.noise_minutes = 60;
    struct self_test_result r;
    self_test_simulated(&m, 100, 0.95, 7, &r);
    printf("# A/A with noise of an hour: %u of %u\n", r.decided, r.rounds);
    CHECK(r.decided <= 14);
}

static void ten_percent_slower_is_found_in_a_day(void)
{
    struct day_model m = day_default;
    m.slower = 1.1;
    struct self_test_result r;
    self_test_simulated(&m, 60, 0.95, 11, &r);
    printf("# 10%% slower, a day: average %u, median %u, p95 %u of %u\n", r.by_metric[METRIC_AVG],
           r.by_metric[METRIC_P50], r.by_metric[METRIC_P95], r.rounds);
    CHECK(r.wrong == 0);
    CHECK(r.by_metric[METRIC_AVG] >= 45 && r.by_metric[METRIC_P95] >= 18);
}

static void the_same_seed_gives_the_same_counts(void)
{
    struct self_test_result a, b;
    self_test_simulated(&day_default, 3, 0.95, 5, &a);
    self_test_simulated(&day_default, 3, 0.95, 5, &b);
    CHECK(memcmp(&a, &b, sizeof a) == 0);
}

static void halves_of_stored_data_rarely_differ(void)
{
    struct random random;
    random_seed(&random, 3);
    struct day day;
    day_simulate(&day_default, &random, &day);
    struct paired_side *own = calloc(day.n_blocks, sizeof *own);
    for (size_t i = 0; own && i < day.n_blocks; i++)
        own[i] = day.blocks[i].a;
    struct self_test_result r;
    self_test_stored(own, day.n_blocks, 40, 0.95, 9, &r);
    CHECK(r.rounds == 40 && r.decided <= 6);
    self_test_stored(NULL, 0, 3, 0.95, 9, &r);
    CHECK(r.rounds == 3 && r.decided == 0);
    free(own);
    day_release(&day);
}

int main(void)
{
    an_environment_rarely_beats_itself();
    noise_that_lasts_an_hour_hardly_makes_winners();
    ten_percent_slower_is_found_in_a_day();
    the_same_seed_gives_the_same_counts();
    halves_of_stored_data_rarely_differ();
    return DONE();
}
