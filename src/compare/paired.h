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
 * - stretches: neighbouring blocks are alike (a slow half hour is slow in all its blocks), so they
 *   are joined in order to at most PAIRED_STRETCHES equal stretches of time, and whole stretches
 *   are swapped and drawn (batch means: Law 2015, "Simulation Modeling and Analysis", 9.5). Where
 *   neighbouring stretches still differ alike, fewer and longer ones are made, down to
 *   PAIRED_LEAST_STRETCHES (Fishman 1978, "Grouping observations in digital simulation").
 *   docs/statistics.md has the measurements behind it.
 * - p: block permutation. If A and B were alike, swapping them within a stretch would change
 *   nothing; p is the share of swaps with a difference at least as large as the one seen,
 *   (k + 1) / (m + 1) (Phipson & Smyth 2010; Good 2005, "Permutation, Parametric and Bootstrap
 *   Tests"). With at most PAIRED_EXACT stretches all swaps are tried. Where fewer than ten of the
 *   swaps reach the difference, ten times as many are made (Besag & Clifford 1991), so that a small
 *   p is not bounded by their number.
 * - range: block bootstrap (Kuensch 1989; Efron & Tibshirani 1993): stretches are drawn with
 *   replacement, the difference is formed anew, the range holds the middle 95 %, widened for few
 *   stretches as Student's t is (Hesterberg 2015, "What Teachers Should Know About the Bootstrap").
 *   A rate's range is also at least that of single independent requests (Newcombe 1998, method 10):
 *   without one failure no resample has any, which proves nothing.
 * - quantiles: of the merged sketches; between the edges of a sketch's bucket p and range go by the
 *   rank, so that they are smooth, and the range holds the value of the sketch's own rule.
 */
enum {
    PAIRED_STRETCHES = 30,
    PAIRED_LEAST_STRETCHES = 8, /* not fewer for likeness; fewer blocks are taken as they are */
    PAIRED_EXACT = 12,          /* stretches up to which all swaps are tried */
    PAIRED_RESAMPLES = 1999,
};

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
    unsigned resamples; /* 0 = PAIRED_RESAMPLES */
    uint64_t seed;
};
struct paired_answer {
    bool known;  /* both sides had data in at least two common blocks */
    double a, b; /* the statistic of each side over the common blocks: us, or a rate */
    struct interval difference; /* a - b; its value is that of all data. Not bounded under
                                   INTERVAL_MEAN_BLOCKS stretches, nor for a quantile under
                                   interval_samples(q) samples on either side */
    double p;                   /* two-sided; 1 when not known */
    size_t blocks;              /* with data on both sides; the others are left out */
    size_t stretches;           /* what they were joined to */
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

/* The smallest p that `blocks` blocks can give: with fewer than 6, no permutation reaches 5 %. */
double paired_least_p(size_t blocks);
