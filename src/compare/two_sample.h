#pragma once

#include "compare/verdict_pair.h"

/*
 * Two plain lists of values without pairs or times, as canary judges get: is A better or worse than
 * B, or is the data not enough? Pure; the same seed gives the same answer.
 *
 * Three permutation tests (Good 2005, "Permutation, Parametric and Bootstrap Tests") on the same
 * relabellings: of the means, of the p95s, and of the whole shapes by energy distance (Szekely &
 * Rizzo 2013), corrected by Holm. All relabellings when there are few, else seeded ones, ten times
 * as many where a p is small. A verdict needs the mean or the p95 to differ, by p and by
 * VERDICT_MIN_RATIO, and the two not to contradict each other; a different shape alone is told, but
 * is neither better nor worse. Rank tests are left out on purpose: they are blind to a split into
 * two humps.
 */
struct two_sample_question {
    double confidence;   /* 0 = 0.95 */
    bool more_is_better; /* else less is */
    unsigned resamples;  /* 0 = PAIRED_RESAMPLES */
    uint64_t seed;
};

struct two_sample_figure {
    double a, b, p, p_adjusted;
};

struct two_sample_verdict {
    enum verdict_kind kind;             /* of A against B */
    struct two_sample_figure mean, p95; /* p95 is the value of rank ceil(0.95 n) */
    double shape_p, shape_p_adjusted;
    int64_t n_needed; /* further values each side, as in verdict_pair; by the means */
    char text[400];
};

/* Values must be finite. With an empty side the verdict is inconclusive. */
void two_sample_judge(const double *a, size_t n_a, const double *b, size_t n_b,
                      const struct two_sample_question *q, struct two_sample_verdict *ret);
