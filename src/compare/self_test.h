#pragma once

#include "compare/day.h"
#include "compare/verdict_pair.h"

/*
 * The comparison tested on data whose truth is known, through the very functions that judge real
 * environments: how often does it name a winner where there is none, and how often does it find a
 * difference that is there? Pure; the same seed gives the same counts. One thread.
 */
struct self_test_result {
    unsigned rounds;
    unsigned decided;     /* rounds in which any metric got a winner */
    struct interval rate; /* of them, by Wilson; of 0..1 */
    unsigned by_metric[N_REQUEST_METRICS];
    unsigned wrong;       /* rounds in which B, which is `slower`, was called better in a time */
    unsigned significant; /* rounds with any corrected p at most 1 - confidence, shapes too, whether
                             or not the difference matters */
    unsigned shapes;      /* rounds in which the shape's was */
};

/* `rounds` windows of the model, each judged on all metrics and the shape. With m->slower = 1
 * (A/A) every winner is a false one; else `by_metric` are the rounds that found it: the power. */
void self_test_simulated(const struct day_model *m, unsigned rounds, double confidence,
                         uint64_t seed, struct self_test_result *ret);

/* One environment's own blocks, each split at random into two halves that are compared, `rounds`
 * times: every winner is a false one. (Halves share the environment's slow hours, which two
 * environments would not: this tests the method on the real distributions, not that part.) */
void self_test_stored(const struct paired_side *blocks, size_t n, unsigned rounds,
                      double confidence, uint64_t seed, struct self_test_result *ret);
