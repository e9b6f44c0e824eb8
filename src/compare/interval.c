#include "compare/interval.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

struct interval interval_rate(uint64_t hits, uint64_t n, double confidence)
{
    assert(hits <= n && confidence > 0 && confidence < 1);
    struct interval v = {.confidence = confidence};
    if (n == 0)
        return v;
    double p = (double)hits / (double)n;
    double z = gsl_cdf_ugaussian_Pinv(0.5 + confidence / 2);
    double share = z * z / (double)n;
    double middle = (p + share / 2) / (1 + share);
    double half = z / (1 + share) * sqrt(p * (1 - p) / (double)n + share / (4 * (double)n));
    v.value = p;
    v.low = hits == 0 ? 0 : fmax(0, middle - half);
    v.high = hits == n ? 1 : fmin(1, middle + half);
    v.known = v.bounded = true;
    return v;
}

/* P(fewer than `rank` of n samples are at or below the q-quantile): the risk that the rank-th
 * smallest sample is above it. */
static double risk_above(uint64_t rank, double q, uint64_t n)
{
    return rank == 0 ? 0 : gsl_cdf_binomial_P((unsigned)(rank - 1), q, (unsigned)n);
}

/* P(at least `rank` samples are at or below it): the risk that the rank-th smallest is below it. */
static double risk_below(uint64_t rank, double q, uint64_t n)
{
    return gsl_cdf_binomial_Q((unsigned)(rank - 1), q, (unsigned)n);
}

bool interval_ranks(uint64_t n, double q, double confidence, uint64_t *ret_low, uint64_t *ret_high)
{
    assert(q > 0 && q < 1 && confidence > 0 && confidence < 1 && n <= SKETCH_MAX_COUNT);
    double risk = 1 - confidence;
    if (n == 0)
        return false;
    double high_risk = fmin(risk_below(n, q, n), risk);
    uint64_t low = 0, high = n;
    if (high_risk <= risk / 2) { /* the smallest rank that half of the risk allows */
        uint64_t below = 0;
        while (high - below > 1) {
            uint64_t middle = below + (high - below) / 2;
            if (risk_below(middle, q, n) <= risk / 2)
                high = middle;
            else
                below = middle;
        }
        high_risk = risk / 2;
    } else if (high_risk >= risk) {
        return false;
    }
    uint64_t above = n + 1; /* the largest rank that the rest of the risk allows */
    while (above - low > 1) {
        uint64_t middle = low + (above - low) / 2;
        if (risk_above(middle, q, n) <= risk - high_risk)
            low = middle;
        else
            above = middle;
    }
    if (low == 0)
        return false;
    *ret_low = low;
    *ret_high = high;
    return true;
}

uint64_t interval_samples(double q, double confidence)
{
    uint64_t low, high, n = 1;
    while (!interval_ranks(n, q, confidence, &low, &high))
        n++;
    return n;
}

struct interval interval_quantile(const struct sketch *s, double q, double confidence)
{
    struct interval v = {.confidence = confidence};
    if (s->n == 0)
        return v;
    v.known = true;
    v.value = sketch_quantile(s, q);
    uint64_t low, high;
    double unused;
    if (!interval_ranks(s->n, q, confidence, &low, &high))
        return v;
    sketch_bounds_at_rank(s, low, &v.low, &unused);
    sketch_bounds_at_rank(s, high, &unused, &v.high);
    v.bounded = true;
    return v;
}

struct interval interval_mean(const struct block *blocks, size_t n_blocks, double confidence)
{
    struct interval v = {.confidence = confidence};
    double n = 0, sum = 0, squares = 0;
    size_t used = 0;
    for (size_t i = 0; i < n_blocks; i++) {
        n += (double)blocks[i].n;
        sum += blocks[i].sum;
        used += blocks[i].n != 0;
    }
    if (used == 0)
        return v;
    v.known = true;
    v.value = sum / n;
    if (used < INTERVAL_MEAN_BLOCKS)
        return v;
    for (size_t i = 0; i < n_blocks; i++) {
        double residual = blocks[i].sum - v.value * (double)blocks[i].n;
        squares += residual * residual;
    }
    double b = (double)used;
    double error = sqrt(b / (b - 1) * squares) / n;
    double half = error * gsl_cdf_tdist_Pinv(0.5 + confidence / 2, b - 1);
    v.low = v.value - half;
    v.high = v.value + half;
    v.bounded = true;
    return v;
}
