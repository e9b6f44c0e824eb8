#pragma once

#include "compare/metric.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Points for the choice of a production platform, 0 (worst) to 100 (best) on each part. Pure.
 *
 * A figure's points are the mean of two views, so that neither a lenient target nor a weak field
 * decides alone; without a target only the second counts:
 * - against the target: 100 at nothing, 50 at the target, 0 at twice the target, straight between.
 *   For a rate "nothing" is no failure, and the target is the share of failures that it allows.
 * - against the others: 100 * best / own. For a rate, of the failed shares, each with a tenth of
 *   the allowed share (0.1 points without a target) added, so that 0 and 0.01 % are near.
 *
 * speed: average and p95, and the database query time where all have it, equally.
 * reliability: success rate, and uptime where all have it, equally.
 * cost: 100 * (1 - cost / dearest), 100 for all when all are free. Not known: not scored.
 * limits: the room left under the platforms' limits. Not known: not scored.
 * A part that is not known for every candidate is left out, and the other weights are scaled up.
 */
enum score_part { SCORE_SPEED, SCORE_RELIABILITY, SCORE_COST, SCORE_LIMITS };
#define SCORE_PARTS (SCORE_LIMITS + 1)
const char *score_part_key(enum score_part p);   /* "speed", "reliability", "cost", "limits" */
const char *score_part_title(enum score_part p); /* "Speed", ... */

struct score {
    double parts[SCORE_PARTS];
    bool known[SCORE_PARTS];
};

struct score_input {          /* one candidate */
    double values[N_METRICS]; /* milliseconds, rates */
    bool known[N_METRICS];
    bool cost_known;
    double cost;
};

/* `targets` by metric, 0 = none. Fills ret[n]. */
void scorecard_fill(const struct score_input *in, size_t n, const double targets[N_METRICS],
                    struct score *ret);
/* Parts that every one of the n candidates has. */
void scorecard_common(const struct score *s, size_t n, bool ret[SCORE_PARTS]);
/* The weighted mean of the parts in `used`; 0 when those weigh nothing. */
double scorecard_total(const struct score *s, const bool used[SCORE_PARTS],
                       const double weights[SCORE_PARTS]);
