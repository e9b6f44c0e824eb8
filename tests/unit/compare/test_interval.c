#include "compare/interval.h"

#include "statistics/reference.h"
#include "test.h"

#include <math.h>
#include <stdint.h>

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* From an independent implementation, SciPy 1.10.1 (Debian's python3-scipy):
 *   from scipy import stats
 *   stats.binomtest(k, n).proportion_ci(0.95, method='wilson') */
static void rates_have_the_bounds_that_scipy_gives(void)
{
    static const struct {
        uint64_t hits, n;
        double low, high;
    } row[] = {
        {0, 10, 0.000000000000, 0.277532799863},     {10, 10, 0.722467200137, 1.000000000000},
        {1, 10, 0.017876213095, 0.404150026795},     {81, 263, 0.255288519878, 0.366209576983},
        {990, 1000, 0.981690531130, 0.994559245554}, {2995, 2995, 0.998719019037, 1.000000000000},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct interval v = interval_rate(row[i].hits, row[i].n, 0.95);
        CHECK(v.known && v.bounded && near(v.low, row[i].low) && near(v.high, row[i].high));
        CHECK(near(v.value, (double)row[i].hits / (double)row[i].n));
    }
}

static void a_rate_of_nothing_is_unknown(void)
{
    struct interval v = interval_rate(0, 0, 0.95);
    CHECK(!v.known && !v.bounded && v.confidence == 0.95);
}

/* With a = 0.05, top = stats.binom.sf(n - 1, n, q), the upper side's risk h = a / 2, or top when
 * that is larger (none when top >= a): high = min(s for s in range(1, n + 1) if stats.binom.sf(s -
 * 1, n, q) <= h) low = max(r for r in range(1, n + 1) if stats.binom.cdf(r - 1, n, q) <= a - h)
 * (SciPy 1.10.1) */
static void quantiles_lie_between_the_ranks_that_scipy_gives(void)
{
    static const struct {
        uint64_t n;
        double q;
        uint64_t low, high; /* 0: there are none */
    } row[] = {
        {5, 0.5, 0, 0},           {6, 0.5, 1, 6},         {11, 0.5, 2, 10},   {100, 0.5, 40, 61},
        {58, 0.95, 0, 0},         {59, 0.95, 50, 59},     {72, 0.95, 64, 72}, {73, 0.95, 65, 73},
        {100, 0.95, 90, 100},     {1000, 0.95, 936, 964}, {298, 0.99, 0, 0},  {299, 0.99, 289, 299},
        {5000, 0.99, 4936, 4964},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint64_t low = 0, high = 0;
        bool held = interval_ranks(row[i].n, row[i].q, 0.95, &low, &high);
        CHECK(held == (row[i].low != 0) && low == row[i].low && high == row[i].high);
    }
}

static void the_fewest_samples_are_the_known_ones(void)
{
    CHECK(interval_samples(0.5, 0.95) == 6);
    CHECK(interval_samples(0.95, 0.95) == 59);
    CHECK(interval_samples(0.99, 0.95) == 299);
}

static void ranks_stay_right_for_very_many_samples(void)
{
    uint64_t low, high;
    CHECK(interval_ranks(SKETCH_MAX_COUNT, 0.95, 0.95, &low, &high));
    double half = 1.959964 * sqrt(0.95 * 0.05 * (double)SKETCH_MAX_COUNT);
    CHECK(fabs((double)(high - low) - 2 * half) < 0.001 * half);
}

static void a_quantile_of_a_sketch_has_the_samples_around_it(void)
{
    struct sketch s = {0};
    for (int i = 1; i <= 100; i++)
        sketch_add(&s, INT64_C(1000) * i);
    struct interval v = interval_quantile(&s, 0.5, 0.95);
    CHECK(v.known && v.bounded && fabs(v.value - 50000) <= 500);
    CHECK(v.low <= 40000 &&
          v.low >= 40000 / 1.0203); /* ranks 40 and 61, and the sketch's own 1 % */
    CHECK(v.high >= 61000 && v.high <= 61000 * 1.0203);
    sketch_release(&s);
}

static void too_few_samples_leave_a_quantile_without_bounds(void)
{
    struct sketch s = {0};
    CHECK(!interval_quantile(&s, 0.95, 0.95).known);
    for (int i = 1; i <= 58; i++)
        sketch_add(&s, INT64_C(1000) * i);
    struct interval v = interval_quantile(&s, 0.95, 0.95);
    CHECK(v.known && !v.bounded && v.value > 0);
    sketch_release(&s);
}

/* SciPy 1.10.1, numpy arrays n and s as below: R = s.sum() / n.sum(); b = len(n)
 *   se = np.sqrt(b / (b - 1) * ((s - R * n) ** 2).sum()) / n.sum()
 *   R - stats.t.ppf(.975, b - 1) * se, R + stats.t.ppf(.975, b - 1) * se */
static void a_mean_has_the_bounds_that_scipy_gives(void)
{
    static const struct block uneven[] = {{10, 1010}, {12, 1290}, {9, 880},   {0, 0},   {11, 1105},
                                          {10, 1042}, {8, 790},   {13, 1410}, {10, 985}};
    struct interval v = interval_mean(uneven, sizeof uneven / sizeof *uneven, 0.95);
    CHECK(v.known && v.bounded && near(v.value, 102.554216867470));
    CHECK(near(v.low, 98.838578974089) && near(v.high, 106.269854760850));
}

/* x = [12, 15, 11, 14, 18, 13, 16, 12.5]
 *   stats.t.interval(.95, len(x) - 1, loc=np.mean(x), scale=stats.sem(x))   (SciPy 1.10.1) */
static void equal_blocks_give_the_ordinary_t_interval(void)
{
    static const double x[] = {12, 15, 11, 14, 18, 13, 16, 12.5};
    struct block blocks[8];
    for (int i = 0; i < 8; i++)
        blocks[i] = (struct block){3, 3 * x[i]};
    struct interval v = interval_mean(blocks, 8, 0.95);
    CHECK(near(v.value, 13.9375));
    CHECK(near(v.low, 12.009757521226973) && near(v.high, 15.865242478773027));
}

static void a_mean_of_too_few_blocks_is_without_bounds(void)
{
    static const struct block few[] = {{5, 10}, {5, 11}, {0, 0}, {5, 12}, {5, 13}, {5, 9}};
    struct interval v = interval_mean(few, 6, 0.95);
    CHECK(v.known && !v.bounded && near(v.value, 2.2));
    CHECK(!interval_mean(few, 0, 0.95).known);
}

/* --- The tables that tools/statistics-reference.R makes ----------------------------------------
 */

static void rates_have_the_bounds_that_r_gives(void)
{
    for (size_t i = 0; i < sizeof wilson_reference / sizeof *wilson_reference; i++) {
        struct interval v =
            interval_rate((uint64_t)wilson_reference[i].hits, (uint64_t)wilson_reference[i].n,
                          wilson_reference[i].confidence);
        CHECK(near(v.low, wilson_reference[i].low) && near(v.high, wilson_reference[i].high));
    }
}

static void quantiles_lie_between_the_ranks_that_r_gives(void)
{
    for (size_t i = 0; i < sizeof ranks_reference / sizeof *ranks_reference; i++) {
        uint64_t low, high;
        CHECK(interval_ranks((uint64_t)ranks_reference[i].n, ranks_reference[i].q,
                             ranks_reference[i].confidence, &low, &high));
        CHECK((double)low == ranks_reference[i].low && (double)high == ranks_reference[i].high);
    }
}

static void means_have_the_bounds_that_r_gives(void)
{
    for (size_t i = 0; i < sizeof t_reference / sizeof *t_reference; i++) {
        struct block blocks[8];
        for (int k = 0; k < 8; k++)
            blocks[k] = (struct block){2, 2 * t_reference[i].mean_of_8[k]};
        struct interval v = interval_mean(blocks, 8, t_reference[i].confidence);
        CHECK(near(v.low, t_reference[i].low) && near(v.high, t_reference[i].high));
    }
}

int main(void)
{
    rates_have_the_bounds_that_scipy_gives();
    a_rate_of_nothing_is_unknown();
    quantiles_lie_between_the_ranks_that_scipy_gives();
    the_fewest_samples_are_the_known_ones();
    ranks_stay_right_for_very_many_samples();
    a_quantile_of_a_sketch_has_the_samples_around_it();
    too_few_samples_leave_a_quantile_without_bounds();
    a_mean_has_the_bounds_that_scipy_gives();
    equal_blocks_give_the_ordinary_t_interval();
    a_mean_of_too_few_blocks_is_without_bounds();
    rates_have_the_bounds_that_r_gives();
    quantiles_lie_between_the_ranks_that_r_gives();
    means_have_the_bounds_that_r_gives();
    return DONE();
}
