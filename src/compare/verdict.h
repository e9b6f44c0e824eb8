#pragma once

#include "compare/interval.h"
#include "compare/metric.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What may be said from the figures, and what may not yet.
 *
 * An environment wins a metric when its range overlaps no other's and its lead over the second
 * matters: 5 % of a time and at least 1 ms, or 0.1 points of success. Two 95 % ranges that do not
 * overlap differ at about the 0.6 % level (Goldstein & Healy 1995, "The graphical presentation of a
 * collection of means"), so that naming a winner wrongly among three environments on four metrics
 * stays under 5 % together; a test measures it. Everything else is inconclusive, with the samples
 * that are missing.
 */
#define VERDICT_MIN_RATIO 0.05
#define VERDICT_MIN_MS 1.0
#define VERDICT_MIN_RATE 0.001

struct contender {
    const char *name;
    struct interval interval; /* milliseconds, or a rate */
    uint64_t n;               /* samples behind it */
    uint64_t n_least;         /* samples from which the interval is bounded */
};

struct verdict {
    enum metric metric;
    int winner;       /* index of the contender; -1 = inconclusive */
    int64_t n_needed; /* further samples for each environment; 0 with a winner; -1 when more samples
                         of what was seen would not decide it */
    char text[512];   /* one or two sentences with the figures */
};

/* Contenders without any sample are named but do not take part.
 *
 * n_needed: a range's width goes with 1 / sqrt(n). The two facing half-widths h1 + h2 must shrink
 * below the difference d of the best two, so n must grow by ((h1 + h2) / d)^2. Where a range is not
 * bounded yet, what is missing to n_least. */
void verdict_judge(enum metric m, const struct contender *c, size_t n, struct verdict *ret);

/* A target against a range: met or missed only when the whole range is on one side of it. */
enum target_state {
    TARGET_NONE, /* no target was set */
    TARGET_MET,
    TARGET_MISSED,
    TARGET_OPEN, /* the range holds the target, or is not known */
};
enum target_state target_judge(enum metric m, const struct interval *v, double target);
const char *target_state_name(enum target_state s); /* "none", "met", "missed", "inconclusive" */
