#pragma once

#include "compare/paired.h"
#include "compare/verdict.h"

/*
 * Better, worse, or not enough data: what may be said of two environments from a paired comparison.
 *
 * A is better (or worse) than B on a metric only when all of these hold:
 * - p, corrected by Holm over everything that is shown together, is at most 1 - confidence;
 * - the range of the difference does not hold zero;
 * - the difference matters: VERDICT_MIN_RATIO of the better time and VERDICT_MIN_MS, or
 *   VERDICT_MIN_RATE of success.
 * Everything else is inconclusive, with the samples that are missing. Pure; one thread.
 */
enum verdict_kind { VERDICT_INCONCLUSIVE, VERDICT_BETTER, VERDICT_WORSE };
const char *verdict_kind_name(enum verdict_kind k); /* "inconclusive", "better", "worse" */

/* The chance with which n_needed samples show a difference that stays as it was seen (Cohen 1988).
 */
#define VERDICT_POWER 0.8

struct verdict_pair {
    /* Given: */
    size_t a, b;                 /* the environments' indexes */
    const char *name_a, *name_b; /* borrowed */
    struct paired_answer answer; /* to verdict_question(metric, ...): microseconds, or rates */
    enum metric metric;
    /* Found: */
    enum verdict_kind kind; /* of A against B */
    double p_adjusted;
    /* Further samples for each of the two; 0 with a verdict; -1 when more samples of what was seen
     * would not decide it. From the range's width, which goes with 1 / sqrt(n), for VERDICT_POWER;
     * at least what a range and a small enough p need at all. */
    int64_t n_needed;
    char text[512]; /* one or two sentences with the figures */
};

/* The comparison that a metric is judged by. */
struct paired_question verdict_question(enum metric m, double confidence, uint64_t seed);

/* Corrects the p of all pairs and shapes (of paired_shape; in place) together and judges each pair.
 * Everything that is shown side by side belongs in one call. */
void verdict_judge_pairs(struct verdict_pair *pairs, size_t n_pairs, double *shapes,
                         size_t n_shapes, double confidence);

/* The environment that is better than every other on metric m: from the pairs of that metric among
 * `pairs`. An environment that is known in no pair does not take part. The text and n_needed of an
 * open verdict are those of the pair that keeps the leader from winning. */
void verdict_of_pairs(enum metric m, const struct verdict_pair *pairs, size_t n_pairs,
                      struct verdict *ret);
