#include "compare/paired.h"

#include "base/mem.h"
#include "compare/random.h"
#include "compare/stretch.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

enum {
    FEW_HITS = 10, /* with fewer, a p is not known well enough yet */
    MORE = 10,     /* so many times more swaps then */
};
#define EQUAL 1e-9 /* differences that are equal but for rounding count as equal */

struct work {
    const struct paired_question *question;
    struct stretches stretches;
    double *weight_a, *weight_b; /* one a column of `stretches` */
};

static uint64_t samples_of(const struct paired_side *side, bool rate)
{
    return rate ? side->good + side->bad : side->times ? side->times->n : 0;
}

static double statistic(const struct work *w, const double *weight)
{
    return w->question->what == STATISTIC_QUANTILE
               ? stretches_quantile(&w->stretches, weight, w->question->q)
               : stretches_ratio(&w->stretches, weight);
}

static double difference(const struct work *w)
{
    return statistic(w, w->weight_a) - statistic(w, w->weight_b);
}

/* Bit i of `swaps` exchanges A and B in stretch i. */
static double swapped_difference(struct work *w, uint64_t swaps)
{
    size_t n = w->stretches.n;
    for (size_t i = 0; i < n; i++) {
        double swap = (double)(swaps >> i & 1);
        w->weight_a[i] = w->weight_b[n + i] = 1 - swap;
        w->weight_a[n + i] = w->weight_b[i] = swap;
    }
    return difference(w);
}

static bool as_large(double d, double seen)
{
    return fabs(d) >= fabs(seen) * (1 - EQUAL);
}

/* Every assignment; its mirror image has the same size, so the last stretch stays as it is. */
static double exact_p(struct work *w, double seen)
{
    assert(w->stretches.n >= 2 && w->stretches.n <= PAIRED_EXACT);
    uint64_t all = UINT64_C(1) << (w->stretches.n - 1), hits = 0;
    for (uint64_t swaps = 0; swaps < all; swaps++)
        hits += as_large(swapped_difference(w, swaps), seen);
    return (double)hits / (double)all;
}

static unsigned resamples_of(const struct paired_question *q)
{
    return q->resamples ? q->resamples : PAIRED_RESAMPLES;
}

static double sampled_p(struct work *w, double seen, struct random *random)
{
    uint64_t hits = 0, done = 0, wanted = resamples_of(w->question);
    for (int turn = 0; turn < 2 && hits < FEW_HITS; turn++) {
        for (; done < wanted; done++)
            hits += as_large(swapped_difference(w, random_bits(random)), seen);
        wanted = (wanted + 1) * MORE - 1;
    }
    return ((double)hits + 1) / ((double)done + 1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The risk on either side, so that the percentiles of n stretches are as far apart as Student's t
 * is wider than the normal distribution. */
static double widened_risk(size_t n, double confidence)
{
    double t = gsl_cdf_tdist_Pinv(0.5 + confidence / 2, (double)n - 1);
    return gsl_cdf_ugaussian_Q(t * sqrt((double)n / ((double)n - 1)));
}

static void bootstrap(struct work *w, struct random *random, struct interval *v)
{
    size_t n = w->stretches.n;
    unsigned resamples = resamples_of(w->question);
    double *seen = mem_array(resamples, sizeof *seen);
    for (unsigned r = 0; r < resamples; r++) {
        for (size_t i = 0; i < n; i++)
            w->weight_a[i] = w->weight_b[n + i] = w->weight_a[n + i] = w->weight_b[i] = 0;
        for (size_t i = 0; i < n; i++) {
            size_t drawn = random_below(random, n);
            w->weight_a[drawn]++;
            w->weight_b[n + drawn]++;
        }
        seen[r] = difference(w);
    }
    qsort(seen, resamples, sizeof *seen, by_value);
    double below = floor(widened_risk(n, v->confidence) * (resamples + 1));
    unsigned rank = below < 1 ? 1 : (unsigned)below;
    v->low = seen[rank - 1];
    v->high = seen[resamples - rank];
    v->bounded = true;
    free(seen);
}

/* Newcombe's range of a difference of two independent rates; the given one grows to hold it. */
static void widen_by_requests(struct interval *v, uint64_t hits_a, uint64_t n_a, uint64_t hits_b,
                              uint64_t n_b)
{
    struct interval a = interval_rate(hits_a, n_a, v->confidence);
    struct interval b = interval_rate(hits_b, n_b, v->confidence);
    v->low = fmin(v->low, v->value - hypot(a.value - a.low, b.high - b.value));
    v->high = fmax(v->high, v->value + hypot(a.high - a.value, b.value - b.low));
}

struct side_total {
    struct sketch times;
    uint64_t n, good;
};

static void add_to(struct side_total *t, const struct paired_side *side, bool rate)
{
    t->n += samples_of(side, rate);
    t->good += side->good;
    if (!rate)
        sketch_merge(&t->times, side->times);
}

static double value_of(const struct side_total *t, const struct paired_question *q)
{
    switch (q->what) {
    case STATISTIC_MEAN:
        return sketch_mean(&t->times);
    case STATISTIC_QUANTILE:
        return sketch_quantile(&t->times, q->q);
    case STATISTIC_RATE:
        return t->n ? (double)t->good / (double)t->n : 0;
    }
    return 0;
}

/* What all data in common says of each side. */
static void add_up(const struct paired_block *blocks, size_t n, const struct paired_question *q,
                   struct paired_answer *ret)
{
    struct side_total a = {0}, b = {0};
    bool rate = q->what == STATISTIC_RATE;
    for (size_t i = 0; i < n; i++) {
        if (samples_of(&blocks[i].a, rate) == 0 || samples_of(&blocks[i].b, rate) == 0)
            continue;
        add_to(&a, &blocks[i].a, rate);
        add_to(&b, &blocks[i].b, rate);
    }
    ret->n_a = a.n;
    ret->n_b = b.n;
    ret->a = value_of(&a, q);
    ret->b = value_of(&b, q);
    sketch_release(&a.times);
    sketch_release(&b.times);
}

static bool enough_for_a_range(const struct paired_question *q, const struct paired_answer *ret)
{
    if (ret->stretches < INTERVAL_MEAN_BLOCKS)
        return false;
    if (q->what != STATISTIC_QUANTILE)
        return true;
    uint64_t least = interval_samples(q->q, q->confidence);
    return ret->n_a >= least && ret->n_b >= least;
}

static void find_range(struct work *w, struct random *random, struct paired_answer *ret)
{
    struct interval *v = &ret->difference;
    v->known = true;
    v->value = ret->a - ret->b;
    if (!enough_for_a_range(w->question, ret))
        return;
    bootstrap(w, random, v);
    if (w->question->what == STATISTIC_RATE)
        widen_by_requests(v, (uint64_t)llround(ret->a * (double)ret->n_a), ret->n_a,
                          (uint64_t)llround(ret->b * (double)ret->n_b), ret->n_b);
    v->low = fmin(v->low, v->value);
    v->high = fmax(v->high, v->value);
}

void paired_compare(const struct paired_block *blocks, size_t n, const struct paired_question *q,
                    struct paired_answer *ret)
{
    *ret = (struct paired_answer){.p = 1, .difference.confidence = q->confidence};
    struct work w = {.question = q};
    stretches_init(&w.stretches, blocks, n, q->what == STATISTIC_RATE);
    ret->blocks = w.stretches.blocks;
    ret->stretches = w.stretches.n;
    if (ret->blocks < 2) {
        stretches_release(&w.stretches);
        return;
    }
    ret->known = true;
    add_up(blocks, n, q, ret);
    w.weight_a = mem_array(2 * w.stretches.n, sizeof *w.weight_a);
    w.weight_b = mem_array(2 * w.stretches.n, sizeof *w.weight_b);
    struct random random;
    random_seed(&random, q->seed);
    double seen = swapped_difference(&w, 0);
    ret->p = ret->stretches <= PAIRED_EXACT ? exact_p(&w, seen) : sampled_p(&w, seen, &random);
    find_range(&w, &random, ret);
    free(w.weight_a);
    free(w.weight_b);
    stretches_release(&w.stretches);
}

double paired_least_p(size_t blocks)
{
    if (blocks == 0)
        return 1;
    if (blocks <= PAIRED_EXACT)
        return ldexp(1, 1 - (int)blocks);
    return 1.0 / (MORE * (PAIRED_RESAMPLES + 1));
}
