#include "compare/verdict.h"

#include "test.h"

#include <math.h>

static struct contender some(const char *name, double value, double half, uint64_t n)
{
    struct interval v = {value, value - half, value + half, 0.95, true, true};
    return (struct contender){name, v, n, 59};
}

static void a_winner_needs_a_range_apart_from_all_others(void)
{
    struct contender c[] = {some("uat", 500, 20, 1000), some("beta", 400, 20, 1000),
                            some("preprod", 600, 20, 1000)};
    struct verdict v;
    verdict_judge(METRIC_P95, c, 3, &v);
    CHECK(v.winner == 1 && v.n_needed == 0 && v.metric == METRIC_P95);
    CHECK(
        strstr(v.text, "beta 400 ms (380–420 ms, n = 1000): 20% less than the next, uat 500 ms") ==
        v.text);
    c[2] = some("preprod", 430, 60, 1000); /* the third, but its range reaches the winner's */
    verdict_judge(METRIC_P95, c, 3, &v);
    CHECK(v.winner == -1 && strstr(v.text, "preprod") && strstr(v.text, "overlap"));
}

static void more_success_wins_and_less_time_wins(void)
{
    struct contender c[] = {some("a", 0.95, 0.005, 1000), some("b", 0.99, 0.005, 1000)};
    struct verdict v;
    verdict_judge(METRIC_SUCCESS, c, 2, &v);
    CHECK(v.winner == 1 && strstr(v.text, "4.00 points more"));
    verdict_judge(METRIC_AVG, (struct contender[]){some("a", 90, 1, 9), some("b", 99, 1, 9)}, 2,
                  &v);
    CHECK(v.winner == 0);
}

/* h1 + h2 = 60, d = 40: n must grow by (60 / 40)^2 = 2.25. */
static void overlapping_ranges_say_how_many_samples_are_missing(void)
{
    struct contender c[] = {some("a", 400, 30, 1000), some("b", 440, 30, 800)};
    struct verdict v;
    verdict_judge(METRIC_P50, c, 2, &v);
    CHECK(v.winner == -1 && v.n_needed == 1250);
    CHECK(strstr(v.text, "About 1250 more samples each"));
}

static void a_difference_that_does_not_matter_is_no_win(void)
{
    struct verdict v;
    struct contender apart[] = {some("a", 100, 0.5, 90000), some("b", 103, 0.5, 90000)};
    verdict_judge(METRIC_AVG, apart, 2, &v);
    CHECK(v.winner == -1 && v.n_needed == -1 && strstr(v.text, "less than what matters"));
    struct contender fast[] = {some("a", 2.0, 0.1, 90000), some("b", 2.5, 0.1, 90000)};
    verdict_judge(METRIC_AVG, fast, 2, &v);
    CHECK(v.winner == -1);
    struct contender equal[] = {some("a", 100, 5, 100), some("b", 100, 5, 100)};
    verdict_judge(METRIC_AVG, equal, 2, &v);
    CHECK(v.winner == -1 && v.n_needed == -1 && strstr(v.text, "too small to matter"));
    struct contender exact[] = {some("a", 100, 0, 100), some("b", 100, 0, 100)};
    verdict_judge(METRIC_AVG, exact, 2, &v);
    CHECK(v.winner == -1 && v.n_needed == -1);
}

static void too_few_samples_are_named_with_what_is_missing(void)
{
    struct contender c[] = {some("a", 100, 1, 500), some("b", 900, 1, 40)};
    c[1].interval.bounded = false;
    struct verdict v;
    verdict_judge(METRIC_P95, c, 2, &v);
    CHECK(v.winner == -1 && v.n_needed == 19);
    CHECK(strcmp(v.text, "b has 40 samples, its range needs 59, 19 more.") == 0);
}

static void environments_without_samples_do_not_take_part(void)
{
    struct contender c[] = {some("a", 100, 1, 500), some("b", 200, 1, 500), {.name = "prod"}};
    struct verdict v;
    verdict_judge(METRIC_P95, c, 3, &v);
    CHECK(v.winner == 0);
    verdict_judge(METRIC_P95, c + 1, 2, &v);
    CHECK(v.winner == -1 && v.n_needed == -1 && strstr(v.text, "Only b has samples") == v.text);
    verdict_judge(METRIC_P95, c + 2, 1, &v);
    CHECK(v.winner == -1 && strstr(v.text, "No environment has samples"));
    verdict_judge(METRIC_P95, NULL, 0, &v);
    CHECK(v.winner == -1);
}

static void a_target_is_met_or_missed_only_by_the_whole_range(void)
{
    static const struct {
        enum metric m;
        double low, high, target;
        enum target_state state;
    } row[] = {
        {METRIC_P95, 400, 499, 500, TARGET_MET},
        {METRIC_P95, 400, 501, 500, TARGET_OPEN},
        {METRIC_P95, 500, 600, 500, TARGET_MISSED},
        {METRIC_P95, 400, 500, 500, TARGET_OPEN},
        {METRIC_P95, 400, 500, 0, TARGET_NONE},
        {METRIC_SUCCESS, 0.991, 1, 0.99, TARGET_MET},
        {METRIC_SUCCESS, 0.98, 0.99, 0.99, TARGET_MISSED},
        {METRIC_SUCCESS, 0.98, 0.999, 0.99, TARGET_OPEN},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct interval v = {row[i].low, row[i].low, row[i].high, 0.95, true, true};
        CHECK(target_judge(row[i].m, &v, row[i].target) == row[i].state);
    }
    CHECK(target_judge(METRIC_P95, &(struct interval){.known = true}, 500) == TARGET_OPEN);
    CHECK(strcmp(target_state_name(TARGET_OPEN), "inconclusive") == 0);
}

static bool writes(enum metric m, double low, double high, const char *value, const char *range)
{
    char a[32], b[80];
    metric_format(m, low, a);
    metric_format_range(m, low, high, b);
    return strcmp(a, value) == 0 && strcmp(b, range) == 0;
}

static void figures_are_written_with_three_digits_and_no_false_hundred(void)
{
    CHECK(writes(METRIC_AVG, 412.4, 430.6, "412 ms", "412–431 ms"));
    CHECK(writes(METRIC_AVG, 8.314, 12.34, "8.31 ms", "8.31–12.3 ms"));
    CHECK(writes(METRIC_AVG, 9000, 12340, "9000 ms", "9000 ms–12.3 s"));
    CHECK(writes(METRIC_SUCCESS, 0.99996, 1, "99.99%", "99.99–100%"));
    CHECK(writes(METRIC_SUCCESS, 0, 0.00001, "0%", "0–0.01%"));
    char target[32];
    metric_format_target(METRIC_SUCCESS, 0.999, target);
    CHECK(strcmp(target, "99.9%") == 0);
}

int main(void)
{
    a_winner_needs_a_range_apart_from_all_others();
    more_success_wins_and_less_time_wins();
    overlapping_ranges_say_how_many_samples_are_missing();
    a_difference_that_does_not_matter_is_no_win();
    too_few_samples_are_named_with_what_is_missing();
    environments_without_samples_do_not_take_part();
    a_target_is_met_or_missed_only_by_the_whole_range();
    figures_are_written_with_three_digits_and_no_false_hundred();
    return DONE();
}
