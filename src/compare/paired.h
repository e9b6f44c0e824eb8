#pragma once

#include "base/sketch.h"
#include "compare/interval.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is A different from B, and by how much? Both were measured in the same ticks, so they are
 * compared stretch by stretch (block): what was slow for everyone (an hour, our own uplink) cancels
 * out. Pure; the same seed gives the same answer.
 *
 * - p: block permutation. If A and B were alike, swapping them within a block would change nothing;
 *   p is the share of swaps with a difference at least as large as the one seen, (k + 1) / (m + 1)
 *   (Phipson & Smyth 2010; Good 2005, "Permutation, Parametric and Bootstrap Tests"). With few
 *   blocks all swaps are tried.
 * - range: block bootstrap (Kuensch 1989; Efron & Tibshirani 1993): blocks are drawn with
 *   replacement, the difference is formed anew, the range holds the middle 95 %.
 */
struct paired_side {            /* of one environment in one block */
    const struct sketch *times; /* warm, answered; microseconds. NULL = none */
    uint64_t good, bad;         /* for rates */
};
struct paired_block {
    struct paired_side a, b;
};

enum statistic { STATISTIC_MEAN, STATISTIC_QUANTILE, STATISTIC_RATE };
struct paired_question {
    enum statistic what;
    double q;           /* STATISTIC_QUANTILE */
    double confidence;  /* of the range; 0.95 */
    unsigned resamples; /* 0 = 1999 */
    uint64_t seed;
};
struct paired_answer {
    bool known;  /* both sides had data in at least two common blocks */
    double a, b; /* the statistic of each side over the common blocks: us, or a rate */
    struct interval difference; /* a - b; its value is that of all data */
    double p;                   /* two-sided */
    size_t blocks;              /* with data on both sides; the others are left out */
    uint64_t n_a, n_b;          /* samples in them */
};
void paired_compare(const struct paired_block *blocks, size_t n, const struct paired_question *q,
                    struct paired_answer *ret);

/* p of "the two distributions have the same shape": energy distance between the two sketches on a
 * logarithmic scale (Szekely & Rizzo 2013), permuted by blocks as above. Finds what quantiles and
 * means miss: two humps, a split. 1 when nothing is known. */
double paired_shape(const struct paired_block *blocks, size_t n, unsigned resamples, uint64_t seed);

/* Holm's step-down correction (Holm 1979): p-values of everything that is shown together, so that
 * the chance of even one false finding stays under the level. In place; order kept; a NaN is left
 * out. */
void holm_adjust(double *p, size_t n);

/* The p-values' floor for n blocks: with fewer than 6, no permutation reaches 5 %. */
double paired_least_p(size_t blocks);
