#pragma once

#include "compare/interval.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The share of time that a service was up, and what the data supports. Pure.
 *
 * - value = up / (up + down). Time in which our own side was blind is in neither: it is told apart,
 *   and `worst` and `best` are the shares if all of it had been down, or up.
 * - Downtime comes in outages, not in single looks. The ratio estimator over at most 30 stretches
 *   of time (Cochran 1977, "Sampling Techniques", 6.4) says how much the share really varies, and
 *   so how many independent looks it is worth: p (1 - p) / variance (Kish 1965, the design
 *   effect), never more than were made, and fewer for few stretches (Korn & Graubard 1998,
 *   "Confidence intervals for proportions with small expected number of positive counts estimated
 *   from survey data"). Wilson's range at that number is the answer. One outage of length d in a
 *   time T is worth about T / d looks.
 * - Without any downtime the lower bound is exact and one-sided: (1 - confidence)^(1 / looks), the
 *   "rule of three" (Hanley & Lippman-Hand 1983, "If nothing goes wrong, is everything all
 *   right?"). 99.9 % is supported from 2,995 looks without a failure, 99.99 % from 29,956. The
 *   same from below for a service that was never up.
 */
struct uptime_block {
    int64_t up_ms, down_ms, inconclusive_ms; /* >= 0 */
};

struct uptime {
    struct interval interval; /* of up / (up + down); 0..1. Not known when nothing was seen; not
                                 bounded with some downtime in under INTERVAL_MEAN_BLOCKS blocks */
    double worst, best;       /* share of all time if the inconclusive were down, or up */
    int64_t up_ms, down_ms, inconclusive_ms;
    uint64_t looks; /* given: independent looks (conclusive probes) */
    double worth;   /* independent looks that the bounds rest on */
};

struct uptime interval_uptime(const struct uptime_block *blocks, size_t n, uint64_t looks,
                              double confidence);

/* The fewest looks, all of them good, that support "up at least `share`": 2995 for 0.999 and 0.95.
 */
uint64_t uptime_looks(double share, double confidence);
