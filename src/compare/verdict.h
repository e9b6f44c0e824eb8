#pragma once

#include "compare/interval.h"
#include "compare/metric.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The verdict on one metric over all environments, and targets met or missed. How a verdict is
 * found: verdict_pair.h. Pure.
 */

/* A difference below these matters to nobody, however sure it is: 5 % of the better time and at
 * least 1 ms, or 0.1 points of success. */
#define VERDICT_MIN_RATIO 0.05
#define VERDICT_MIN_MS 1.0
#define VERDICT_MIN_RATE 0.001

struct verdict {
    enum metric metric;
    int winner;       /* index of the environment; -1 = inconclusive */
    int64_t n_needed; /* further samples for each environment; 0 with a winner; -1 when more samples
                         of what was seen would not decide it */
    char text[512];   /* one or two sentences with the figures */
};

/* A target against a range: met or missed only when the whole range is on one side of it. */
enum target_state {
    TARGET_NONE, /* no target was set */
    TARGET_MET,
    TARGET_MISSED,
    TARGET_OPEN, /* the range holds the target, or is not known */
};
enum target_state target_judge(enum metric m, const struct interval *v, double target);
const char *target_state_name(enum target_state s); /* "none", "met", "missed", "inconclusive" */
