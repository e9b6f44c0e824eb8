#include "compare/stretch.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define ROUNDING 1e-20 /* squared deviations, as a share of the squared mean, that are none */
#define TOO_ALIKE 0.1  /* correlation of neighbouring stretches beyond which they are joined */

static bool has_data(const struct paired_side *side, bool rate)
{
    return rate ? side->good + side->bad > 0 : side->times && side->times->n > 0;
}

static bool usable(const struct paired_block *block, bool rate)
{
    return has_data(&block->a, rate) && has_data(&block->b, rate);
}

/* --- How many stretches ----------------------------------------------------------------------- */

/* How different the sides are in one block: in the logarithm of their mean, so that one very slow
 * request does not hide the rest, or in the rate. */
static double block_difference(const struct paired_block *block, bool rate)
{
    const struct paired_side *a = &block->a, *b = &block->b;
    if (rate)
        return (double)a->good / (double)(a->good + a->bad) -
               (double)b->good / (double)(b->good + b->bad);
    return log((1 + sketch_mean(a->times)) / (1 + sketch_mean(b->times)));
}

/* The correlation of neighbouring stretches' differences when `m` blocks are joined to n. Its
 * estimate is too small by about 1 / n, which is put right. */
static double neighbour_correlation(const double *difference, size_t m, size_t n)
{
    double mean[PAIRED_STRETCHES] = {0}, blocks[PAIRED_STRETCHES] = {0};
    double all = 0, squares = 0, products = 0;
    for (size_t i = 0; i < m; i++) {
        mean[i * n / m] += difference[i];
        blocks[i * n / m]++;
        all += difference[i] / (double)m;
    }
    for (size_t i = 0; i < n; i++) {
        mean[i] = mean[i] / blocks[i] - all;
        squares += mean[i] * mean[i];
        products += i > 0 ? mean[i] * mean[i - 1] : 0;
    }
    bool constant = squares <= ROUNDING * (double)n * all * all;
    return constant ? 0 : products / squares + 1 / (double)n;
}

static size_t count_stretches(const struct paired_block *blocks, size_t n, size_t m, bool rate)
{
    size_t count = m < PAIRED_STRETCHES ? m : PAIRED_STRETCHES;
    double *difference = mem_array(m + 1, sizeof *difference);
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (usable(&blocks[i], rate))
            difference[used++] = block_difference(&blocks[i], rate);
    while (count * 7 / 10 >= PAIRED_LEAST_STRETCHES &&
           neighbour_correlation(difference, m, count) > TOO_ALIKE)
        count = count * 7 / 10;
    free(difference);
    return count;
}

/* --- Counts ----------------------------------------------------------------------------------- */

/* The buckets in use anywhere; *ret_last < *ret_first when there is none. */
static void find_buckets(const struct paired_block *blocks, size_t n, int *ret_first, int *ret_last)
{
    int first = SKETCH_BUCKETS, last = -1;
    for (size_t i = 0; i < n; i++) {
        if (!usable(&blocks[i], false))
            continue;
        const struct sketch *of[] = {blocks[i].a.times, blocks[i].b.times};
        for (int side = 0; side < 2; side++) {
            if (of[side]->n_buckets == 0)
                continue;
            int end = of[side]->first + of[side]->n_buckets - 1;
            first = of[side]->first < first ? of[side]->first : first;
            last = end > last ? end : last;
        }
    }
    *ret_first = first;
    *ret_last = last;
}

static void add_times(struct stretches *s, size_t column, const struct sketch *times)
{
    size_t width = 2 * s->n;
    s->count[column] += (double)times->n;
    s->sum[column] += (double)times->sum_us;
    s->below[column] += (double)times->zeros;
    for (int i = 0; i < times->n_buckets; i++)
        s->below[(size_t)(times->first + i - s->first + 1) * width + column] +=
            (double)times->counts[i];
}

static void add_side(struct stretches *s, size_t column, const struct paired_side *side, bool rate)
{
    if (!rate) {
        add_times(s, column, side->times);
        return;
    }
    s->count[column] += (double)(side->good + side->bad);
    s->sum[column] += (double)side->good;
}

static void accumulate(struct stretches *s)
{
    size_t width = 2 * s->n;
    for (size_t i = width; i < s->n_edges * width; i++)
        s->below[i] += s->below[i - width];
}

void stretches_init(struct stretches *s, const struct paired_block *blocks, size_t n, bool rate)
{
    *s = (struct stretches){0};
    for (size_t i = 0; i < n; i++)
        s->blocks += usable(&blocks[i], rate);
    if (s->blocks == 0)
        return;
    s->n = count_stretches(blocks, n, s->blocks, rate);
    s->count = mem_array(2 * s->n, sizeof *s->count);
    s->sum = mem_array(2 * s->n, sizeof *s->sum);
    if (!rate) {
        int last;
        find_buckets(blocks, n, &s->first, &last);
        s->n_edges = last < s->first ? 1 : (size_t)(last - s->first + 2);
        s->below = mem_array(s->n_edges * 2 * s->n, sizeof *s->below);
    }
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!usable(&blocks[i], rate))
            continue;
        size_t stretch = used++ * s->n / s->blocks;
        add_side(s, stretch, &blocks[i].a, rate);
        add_side(s, s->n + stretch, &blocks[i].b, rate);
    }
    accumulate(s);
}

void stretches_release(struct stretches *s)
{
    free(s->below);
    free(s->count);
    free(s->sum);
    *s = (struct stretches){0};
}

/* Four sums side by side, which the processor can add at the same time: most of a comparison's time
 * is spent here. */
static double weighted(const double *of, const double *weight, size_t n)
{
    double sum[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++)
            sum[k] += of[i + k] * weight[i + k];
    for (; i < n; i++)
        sum[0] += of[i] * weight[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double stretches_ratio(const struct stretches *s, const double *weight)
{
    double n = weighted(s->count, weight, 2 * s->n);
    return n > 0 ? weighted(s->sum, weight, 2 * s->n) / n : 0;
}

double stretches_quantile(const struct stretches *s, const double *weight, double q)
{
    size_t width = 2 * s->n;
    double n = weighted(s->count, weight, width);
    double rank = fmax(q * n, 1), under = 0, at = weighted(s->below, weight, width);
    if (n <= 0 || at >= rank)
        return 0;
    size_t low = 0, high = s->n_edges - 1; /* fewer than `rank` at or below row low */
    under = at;
    at = n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        double here = weighted(s->below + middle * width, weight, width);
        if (here >= rank) {
            high = middle;
            at = here;
        } else {
            low = middle;
            under = here;
        }
    }
    double within = (rank - under) / (at - under);
    return pow((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR), s->first + (int)high - 2 + within);
}
