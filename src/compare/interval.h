#pragma once

#include "base/sketch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A figure and the range that the data leaves open for it. `confidence` (0.95) is the share of such
 * ranges that hold the true figure. Pure functions; GSL's distributions beneath.
 */
struct interval {
    double value;     /* the best single figure */
    double low, high; /* low <= value <= high; both 0 when !bounded */
    double confidence;
    bool known;   /* false: there was no sample, `value` means nothing */
    bool bounded; /* false: too few samples for a range at this confidence */
};

/* A rate, `hits` of `n`. Wilson's score interval (Wilson 1927): unlike the textbook one it is
 * honest near 0 % and 100 % and for few samples. */
struct interval interval_rate(uint64_t hits, uint64_t n, double confidence);

/* The ranks (from 1) between whose samples the true q-quantile lies: the binomial,
 * distribution-free interval (David & Nagaraja 2003, "Order Statistics", 7.1). Half of the risk on
 * either side; where the largest sample cannot bear its half, it gets what it needs and the other
 * side the rest, so a range exists as soon as any does. False when n is too small: see
 * interval_samples. */
bool interval_ranks(uint64_t n, double q, double confidence, uint64_t *ret_low, uint64_t *ret_high);

/* The fewest samples for which interval_ranks holds: 6 for the median, 59 for p95, 299 for p99. */
uint64_t interval_samples(double q, double confidence);

/* The q-quantile of a sketch in microseconds; the sketch's own 1 % is inside the range. */
struct interval interval_quantile(const struct sketch *s, double q, double confidence);

/* What one stretch of time adds to a mean. */
struct block {
    uint64_t n;
    double sum;
};

enum { INTERVAL_MEAN_BLOCKS = 6 }; /* the fewest stretches for a range of the mean */

/* The mean of all samples. Neighbouring samples are alike (a slow minute is slow for everyone), so
 * the range comes from whole stretches of time, not from single samples: the ratio estimator over
 * blocks (Cochran 1977, "Sampling Techniques", 6.4) with Student's t. Empty blocks are left out. */
struct interval interval_mean(const struct block *blocks, size_t n_blocks, double confidence);
