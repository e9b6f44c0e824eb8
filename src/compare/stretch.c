#include "compare/stretch.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static bool has_data(const struct paired_side *side, bool rate)
{
    return rate ? side->good + side->bad > 0 : side->times && side->times->n > 0;
}

static bool usable(const struct paired_block *block, bool rate)
{
    return has_data(&block->a, rate) && has_data(&block->b, rate);
}

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
    s->n = s->blocks < PAIRED_STRETCHES ? s->blocks : PAIRED_STRETCHES;
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

static double weighted(const double *of, const double *weight, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += of[i] * weight[i];
    return sum;
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
