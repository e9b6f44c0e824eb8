#pragma once

#include "compare/paired.h"

/*
 * Paired blocks joined to stretches of time, in the form that resampling needs: for each side of
 * each stretch (a column) the counts below every bucket's upper edge. A quantile of any choice of
 * columns is then a binary search, and never a merge. For the files of the paired comparison, and
 * for the recommendation.
 *
 * Columns 0 .. n - 1 are A's stretches, n .. 2 n - 1 are B's.
 */
struct stretches {
    size_t n, blocks;    /* stretches, and blocks joined in them */
    size_t n_edges;      /* rows of `below`: row 0 holds the zeros, row i bucket first + i - 1 */
    int first;           /* bucket of row 1 */
    double *below;       /* [row * 2 n + column] */
    double *count, *sum; /* per column; for a rate: requests, and good ones */
};

/* Blocks without data on both sides are left out. `rate`: of good and bad, else of times. */
void stretches_init(struct stretches *s, const struct paired_block *blocks, size_t n, bool rate);
void stretches_release(struct stretches *s);

/* The statistic of all columns together, each as often as its weight (2 n of them) says; 0 when
 * nothing was chosen. A quantile goes by the rank between a bucket's edges, evenly in the
 * logarithm. */
double stretches_ratio(const struct stretches *s, const double *weight);
double stretches_quantile(const struct stretches *s, const double *weight, double q);
