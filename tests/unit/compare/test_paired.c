#include "compare/paired.h"

#include "base/mem.h"
#include "compare/random.h"

#include "statistics/reference.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCKS = 24, MANY = 96 };

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

static struct paired_question mean_question(void)
{
    return (struct paired_question){.what = STATISTIC_MEAN, .confidence = 0.95, .seed = 1};
}

/* Six blocks of one request a side, A always 10 ms slower: of the 64 assignments only two, all and
 * none swapped, are as far apart. */
static void few_blocks_are_swapped_in_every_way(void)
{
    struct sketch a[6] = {0}, b[6] = {0};
    struct paired_block blocks[6] = {0};
    for (int i = 0; i < 6; i++) {
        sketch_add(&a[i], 110000 + 1000 * i);
        sketch_add(&b[i], 100000 + 1000 * i);
        blocks[i].a.times = &a[i];
        blocks[i].b.times = &b[i];
    }
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(blocks, 6, &q, &answer);
    CHECK(answer.known && near(answer.p, 2.0 / 64) && near(answer.p, paired_least_p(6)));
    CHECK(near(answer.difference.value, 10000) && answer.blocks == 6 && answer.n_a == 6);
    CHECK(answer.difference.bounded && near(answer.difference.low, 10000));
    paired_compare(blocks, 5, &q, &answer);
    CHECK(near(answer.p, 2.0 / 32) && !answer.difference.bounded);
    for (int i = 0; i < 6; i++) {
        sketch_release(&a[i]);
        sketch_release(&b[i]);
    }
}

/* --- Against R -------------------------------------------------------------------------------- */

struct pairs {
    struct sketch times[2 * MANY];
    struct paired_block blocks[MANY];
};

static void pairs_release(struct pairs *p)
{
    for (int i = 0; i < 2 * MANY; i++)
        sketch_release(&p->times[i]);
    free(p);
}

static struct pairs *pairs_new(void)
{
    struct pairs *p = mem_alloc(sizeof *p);
    for (int i = 0; i < MANY; i++) {
        p->blocks[i].a.times = &p->times[2 * i];
        p->blocks[i].b.times = &p->times[2 * i + 1];
    }
    return p;
}

static struct pairs *pairs_of(const double *a, const double *b, int n)
{
    struct pairs *p = pairs_new();
    for (int i = 0; i < n; i++) {
        sketch_add(&p->times[2 * i], llround(a[i]));
        sketch_add(&p->times[2 * i + 1], llround(b[i]));
    }
    return p;
}

static void p_is_what_r_finds_by_every_swap(void)
{
    for (size_t i = 0; i < sizeof paired_reference / sizeof *paired_reference; i++) {
        struct pairs *p = pairs_of(paired_reference[i].a, paired_reference[i].b, PAIRS_N);
        struct paired_question q = mean_question();
        struct paired_answer answer;
        paired_compare(p->blocks, PAIRS_N, &q, &answer);
        CHECK(answer.stretches == PAIRS_N && near(answer.p, paired_reference[i].p));
        pairs_release(p);
    }
}

/* 1,999 resamples against R's two million: the ends are a twentieth of the range apart at most. */
static void the_range_is_that_of_r_s_bootstrap(void)
{
    struct pairs *p = pairs_of(paired_reference[0].a, paired_reference[0].b, PAIRS_N);
    double width = bootstrap_reference[0].high - bootstrap_reference[0].low;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct paired_question q = mean_question();
        struct paired_answer answer;
        q.seed = seed;
        q.resamples = 9999;
        paired_compare(p->blocks, PAIRS_N, &q, &answer);
        CHECK(fabs(answer.difference.low - bootstrap_reference[0].low) < width / 20);
        CHECK(fabs(answer.difference.high - bootstrap_reference[0].high) < width / 20);
    }
    pairs_release(p);
}

/* --- What pairing is for ---------------------------------------------------------------------- */

/* Hours between 50 and 550 ms for both; B is 5 % slower in each. */
static void what_is_slow_for_both_cancels_out(void)
{
    struct pairs *p = pairs_new();
    struct random random;
    random_seed(&random, 4);
    for (int i = 0; i < MANY; i++) {
        double shared = 50000 + 500000 * random_uniform(&random);
        for (int k = 0; k < 10; k++) {
            sketch_add(&p->times[2 * i],
                       (int64_t)(shared * (0.95 + 0.1 * random_uniform(&random))));
            sketch_add(&p->times[2 * i + 1],
                       (int64_t)(1.05 * shared * (0.95 + 0.1 * random_uniform(&random))));
        }
    }
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(p->blocks, MANY, &q, &answer);
    CHECK(answer.p <= 0.0001 && answer.difference.high < 0);
    CHECK(answer.difference.low > -0.07 * answer.a && answer.difference.high < -0.03 * answer.a);
    q.what = STATISTIC_QUANTILE;
    q.q = 0.95;
    paired_compare(p->blocks, MANY, &q, &answer);
    CHECK(answer.p <= 0.01 && answer.difference.high < 0 && answer.difference.bounded);
    pairs_release(p);
}

/* Each side is 30 % slower in its own half of the window: two events, not 96. */
static void differences_that_last_are_few_events(void)
{
    struct pairs *p = pairs_new();
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < 5; k++) {
            sketch_add(&p->times[2 * i], i < MANY * 2 / 3 ? 130000 + k : 100000 + k);
            sketch_add(&p->times[2 * i + 1], i < MANY * 2 / 3 ? 100000 + k : 130000 + k);
        }
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(p->blocks, MANY, &q, &answer);
    CHECK(answer.blocks == MANY && answer.stretches >= PAIRED_LEAST_STRETCHES &&
          answer.stretches <= 12);
    CHECK(answer.p > 0.05);
    pairs_release(p);
}

/* --- Quantiles, rates, shapes ----------------------------------------------------------------- */

static void a_quantile_needs_59_samples_for_a_range(void)
{
    struct pairs *p = pairs_new();
    for (int i = 0; i < 58; i++) {
        sketch_add(&p->times[2 * i], 100000 + 100 * i);
        sketch_add(&p->times[2 * i + 1], 150000 + 100 * i);
    }
    struct paired_question q = {STATISTIC_QUANTILE, 0.95, 0.95, 0, 1};
    struct paired_answer answer;
    paired_compare(p->blocks, 58, &q, &answer);
    CHECK(answer.known && !answer.difference.bounded && answer.p < 0.01);
    sketch_add(&p->times[2 * 58], 110000);
    sketch_add(&p->times[2 * 58 + 1], 160000);
    paired_compare(p->blocks, 59, &q, &answer);
    CHECK(answer.difference.bounded && answer.difference.high < 0 && answer.n_a == 59);
    struct sketch all = {0};
    for (int i = 0; i < 59; i++)
        sketch_merge(&all, &p->times[2 * i]);
    CHECK(answer.a == sketch_quantile(&all, 0.95)); /* the figure that is shown elsewhere */
    sketch_release(&all);
    pairs_release(p);
}

static void equal_data_has_no_difference(void)
{
    struct pairs *p = pairs_new();
    for (int i = 0; i < 2 * MANY; i++)
        sketch_add(&p->times[i], 42000);
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(p->blocks, MANY, &q, &answer);
    CHECK(answer.p == 1 && answer.difference.low == 0 && answer.difference.high == 0);
    q.what = STATISTIC_QUANTILE;
    q.q = 0.5;
    paired_compare(p->blocks, MANY, &q, &answer);
    CHECK(answer.p == 1 && answer.difference.value == 0);
    CHECK(paired_shape(p->blocks, MANY, 0, 1) == 1);
    pairs_release(p);
}

static void a_rate_without_failures_keeps_a_range(void)
{
    struct paired_block blocks[BLOCKS] = {0};
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = (struct paired_block){{NULL, 10, 0}, {NULL, 10, 0}};
    struct paired_question q = {.what = STATISTIC_RATE, .confidence = 0.95, .seed = 1};
    struct paired_answer answer;
    paired_compare(blocks, BLOCKS, &q, &answer);
    struct interval alone = interval_rate(240, 240, 0.95);
    CHECK(answer.p == 1 && answer.a == 1 && answer.n_b == 240);
    CHECK(near(answer.difference.low, alone.low - 1) &&
          near(answer.difference.high, 1 - alone.low));
    for (int i = 0; i < BLOCKS; i++)
        blocks[i].b.bad = 2;
    paired_compare(blocks, BLOCKS, &q, &answer);
    CHECK(answer.p < 0.001 && answer.difference.low > 0.05 && near(answer.b, 10.0 / 12));
}

/* Two humps around the same median and mean. */
static void a_split_into_two_humps_changes_the_shape(void)
{
    struct pairs *p = pairs_new();
    struct random random;
    random_seed(&random, 8);
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < 10; k++) {
            double away = 20000 * (random_uniform(&random) - 0.5);
            sketch_add(&p->times[2 * i], (int64_t)(200000 + away));
            sketch_add(&p->times[2 * i + 1], (int64_t)(200000 + away + (k % 2 ? 60000 : -60000)));
        }
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(p->blocks, MANY, &q, &answer);
    CHECK(answer.p > 0.05);
    CHECK(paired_shape(p->blocks, MANY, 0, 1) <= 0.001);
    pairs_release(p);
}

static void zeros_are_below_every_bucket(void)
{
    struct pairs *p = pairs_new();
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < 2; k++) {
            sketch_add(&p->times[2 * i], 0);
            sketch_add(&p->times[2 * i + 1], k ? 0 : 1);
        }
    struct paired_question q = {STATISTIC_QUANTILE, 0.95, 0.95, 0, 1};
    struct paired_answer answer;
    paired_compare(p->blocks, MANY, &q, &answer);
    CHECK(answer.a == 0 && fabs(answer.b - 1) <= SKETCH_ERROR && answer.p <= 0.001);
    pairs_release(p);
}

static void the_same_seed_gives_the_same_answer(void)
{
    struct pairs *p = pairs_new();
    struct random random;
    random_seed(&random, 5);
    for (int i = 0; i < 2 * MANY; i++)
        sketch_add(&p->times[i], (int64_t)(100000 * random_exponential(&random)));
    struct paired_question q = mean_question();
    struct paired_answer one, two;
    paired_compare(p->blocks, MANY, &q, &one);
    paired_compare(p->blocks, MANY, &q, &two);
    CHECK(one.p == two.p && one.difference.low == two.difference.low);
    CHECK(near(paired_least_p(MANY), 1.0 / 20000) && paired_least_p(0) == 1);
    pairs_release(p);
}

static void nothing_in_common_is_not_known(void)
{
    struct sketch one = {0};
    sketch_add(&one, 1000);
    struct paired_block blocks[] = {{.a.times = &one}, {.b.times = &one}, {{0}, {0}}};
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(blocks, 3, &q, &answer);
    CHECK(!answer.known && answer.p == 1 && answer.blocks == 0);
    CHECK(paired_shape(blocks, 3, 0, 1) == 1);
    paired_compare(NULL, 0, &q, &answer);
    CHECK(!answer.known);
    sketch_release(&one);
}

int main(void)
{
    few_blocks_are_swapped_in_every_way();
    p_is_what_r_finds_by_every_swap();
    the_range_is_that_of_r_s_bootstrap();
    what_is_slow_for_both_cancels_out();
    differences_that_last_are_few_events();
    a_quantile_needs_59_samples_for_a_range();
    equal_data_has_no_difference();
    a_rate_without_failures_keeps_a_range();
    a_split_into_two_humps_changes_the_shape();
    zeros_are_below_every_bucket();
    the_same_seed_gives_the_same_answer();
    nothing_in_common_is_not_known();
    return DONE();
}
