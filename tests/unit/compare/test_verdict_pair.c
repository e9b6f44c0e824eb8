#include "compare/verdict_pair.h"

#include "test.h"

#include <math.h>

/* Milliseconds; the range is `half` to either side. */
static struct verdict_pair times(size_t a, size_t b, double ms_a, double ms_b, double half,
                                 double p)
{
    static const char *const names[] = {"uat", "beta", "preprod"};
    double d = 1000 * (ms_a - ms_b);
    return (struct verdict_pair){
        .metric = METRIC_P95,
        .a = a,
        .b = b,
        .name_a = names[a],
        .name_b = names[b],
        .answer = {.known = true,
                   .a = 1000 * ms_a,
                   .b = 1000 * ms_b,
                   .difference = {d, d - 1000 * half, d + 1000 * half, 0.95, true, true},
                   .p = p,
                   .blocks = 288,
                   .stretches = 30,
                   .n_a = 1000,
                   .n_b = 1000},
    };
}

static void less_time_is_better_and_less_success_worse(void)
{
    struct verdict_pair pair = times(0, 1, 400, 500, 20, 0.001);
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_BETTER && pair.n_needed == 0 && pair.p_adjusted == 0.001);
    CHECK(strcmp(pair.text,
                 "uat has 400 ms, 20% less than beta with 500 ms (120 ms less to 80.0 ms "
                 "less; n = 1000 and 1000; p = 0.001).") == 0);
    pair = times(0, 1, 500, 400, 20, 0.001);
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_WORSE);
    pair.metric = METRIC_SUCCESS;
    pair.answer.a = 0.990;
    pair.answer.b = 0.999;
    pair.answer.difference = (struct interval){-0.009, -0.012, -0.006, 0.95, true, true};
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_WORSE &&
          strstr(pair.text, "0.90 points less than beta with 99.90%"));
    CHECK(strcmp(verdict_kind_name(pair.kind), "worse") == 0);
}

static void what_is_shown_together_is_corrected_together(void)
{
    struct verdict_pair pairs[] = {times(0, 1, 400, 500, 20, 0.02),
                                   times(0, 2, 400, 450, 20, 0.03)};
    double shape = 0.9;
    verdict_judge_pairs(pairs, 2, &shape, 1, 0.95);
    CHECK(fabs(pairs[0].p_adjusted - 0.06) < 1e-12 && fabs(pairs[1].p_adjusted - 0.06) < 1e-12);
    CHECK(pairs[0].kind == VERDICT_INCONCLUSIVE && pairs[1].kind == VERDICT_INCONCLUSIVE);
    CHECK(shape == 0.9 && strstr(pairs[0].text, "p = 0.06 corrected for 3 tests"));
    struct verdict_pair alone = times(0, 1, 400, 500, 20, 0.02);
    verdict_judge_pairs(&alone, 1, NULL, 0, 0.95);
    CHECK(alone.kind == VERDICT_BETTER);
}

/* d = 40, half = 60: the standard error is 60 / 1.96 = 30.6, and 40 must be 1.96 + 0.84 of them:
 * n grows by (2.80 * 30.6 / 40)^2 = 4.60. */
static void an_open_pair_says_how_many_samples_are_missing(void)
{
    struct verdict_pair pair = times(0, 1, 400, 440, 60, 0.2);
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_INCONCLUSIVE && pair.n_needed > 3590 && pair.n_needed < 3605);
    CHECK(strstr(pair.text, "more samples each would show the difference, if it stays."));
}

static void a_difference_that_does_not_matter_is_no_verdict(void)
{
    struct verdict_pair pair = times(0, 1, 400, 410, 2, 0.0001);
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_INCONCLUSIVE && pair.n_needed == -1);
    CHECK(strstr(pair.text, "no difference that matters"));
    pair = times(0, 1, 2.0, 2.5, 0.1, 0.0001); /* 25 %, but half a millisecond */
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_INCONCLUSIVE && pair.n_needed == -1);
    pair = times(0, 1, 400, 410, 20, 0.2); /* may still be more than 20 ms */
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.n_needed == 3000 && strstr(pair.text, "whether the difference matters"));
}

static void too_little_for_any_verdict_is_said_first(void)
{
    struct verdict_pair pair = times(0, 1, 400, 500, 20, 0.001);
    pair.answer.difference.bounded = false;
    pair.answer.n_a = 40;
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_INCONCLUSIVE && pair.n_needed == 19);
    CHECK(strstr(pair.text, "about 19 more samples each are the least for a verdict"));
    pair =
        times(0, 1, 400, 500, 20, 0.125); /* four blocks of 15: six are needed, 30 samples more */
    pair.answer.blocks = pair.answer.stretches = 4;
    pair.answer.n_a = pair.answer.n_b = 60;
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.n_needed == 30);
    pair.answer.known = false;
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(pair.kind == VERDICT_INCONCLUSIVE && pair.n_needed == -1 && pair.p_adjusted == 1);
    CHECK(strstr(pair.text, "were not both measured"));
}

static void an_unknown_pair_is_not_counted_as_a_test(void)
{
    struct verdict_pair pairs[] = {times(0, 1, 400, 500, 20, 0.03), times(0, 2, 400, 500, 20, 1)};
    pairs[1].answer.known = false;
    verdict_judge_pairs(pairs, 2, NULL, 0, 0.95);
    CHECK(pairs[0].kind == VERDICT_BETTER && pairs[0].p_adjusted == 0.03);
}

static void the_winner_is_better_than_every_other(void)
{
    struct verdict_pair pairs[] = {times(0, 1, 400, 300, 20, 0.001),
                                   times(0, 2, 400, 500, 20, 0.001),
                                   times(1, 2, 300, 500, 20, 0.001)};
    struct verdict v;
    verdict_judge_pairs(pairs, 3, NULL, 0, 0.95);
    verdict_of_pairs(METRIC_P95, pairs, 3, &v);
    CHECK(v.winner == 1 && v.n_needed == 0 && strstr(v.text, "uat has 400 ms, 33% more than beta"));
    pairs[0] = times(0, 1, 310, 300, 20, 0.3);
    pairs[0].answer.n_a = pairs[0].answer.n_b = 500;
    verdict_judge_pairs(pairs, 3, NULL, 0, 0.95);
    verdict_of_pairs(METRIC_P95, pairs, 3, &v);
    CHECK(v.winner == -1 && v.n_needed > 0 && strstr(v.text, "uat has 310 ms, beta 300 ms"));
    verdict_of_pairs(METRIC_AVG, pairs, 3, &v);
    CHECK(v.winner == -1 && strstr(v.text, "No two environments"));
}

static void who_was_never_measured_does_not_keep_anyone_from_winning(void)
{
    struct verdict_pair pairs[] = {times(0, 1, 400, 300, 20, 0.001), times(0, 2, 400, 500, 20, 1),
                                   times(1, 2, 300, 500, 20, 1)};
    pairs[1].answer.known = pairs[2].answer.known = false;
    struct verdict v;
    verdict_judge_pairs(pairs, 3, NULL, 0, 0.95);
    verdict_of_pairs(METRIC_P95, pairs, 3, &v);
    CHECK(v.winner == 1);
    pairs[1] = times(0, 2, 400, 500, 20, 0.001); /* measured, but never together with the leader */
    verdict_judge_pairs(pairs, 3, NULL, 0, 0.95);
    verdict_of_pairs(METRIC_P95, pairs, 3, &v);
    CHECK(v.winner == -1 && strstr(v.text, "were not both measured"));
}

static void long_names_are_cut_and_never_break_the_text(void)
{
    char name[300];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    struct verdict_pair pair = times(0, 1, 400, 440, 60, 0.2);
    pair.name_a = pair.name_b = name;
    verdict_judge_pairs(&pair, 1, NULL, 0, 0.95);
    CHECK(strlen(pair.text) < sizeof pair.text && strstr(pair.text, "if it stays."));
}

static void each_metric_has_its_comparison(void)
{
    CHECK(verdict_question(METRIC_AVG, 0.9, 7).what == STATISTIC_MEAN);
    CHECK(verdict_question(METRIC_SUCCESS, 0.9, 7).what == STATISTIC_RATE);
    struct paired_question q = verdict_question(METRIC_P95, 0.9, 7);
    CHECK(q.what == STATISTIC_QUANTILE && q.q == 0.95 && q.confidence == 0.9 && q.seed == 7);
    CHECK(verdict_question(METRIC_P50, 0.9, 7).q == 0.5);
}

int main(void)
{
    less_time_is_better_and_less_success_worse();
    what_is_shown_together_is_corrected_together();
    an_open_pair_says_how_many_samples_are_missing();
    a_difference_that_does_not_matter_is_no_verdict();
    too_little_for_any_verdict_is_said_first();
    an_unknown_pair_is_not_counted_as_a_test();
    the_winner_is_better_than_every_other();
    who_was_never_measured_does_not_keep_anyone_from_winning();
    long_names_are_cut_and_never_break_the_text();
    each_metric_has_its_comparison();
    return DONE();
}
