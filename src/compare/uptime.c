#include "compare/uptime.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

enum { STRETCHES = 30 };

struct stretch_of_time {
    double up, seen; /* milliseconds; seen = up + down */
};

/* Joins the blocks that saw anything to at most STRETCHES; returns how many. */
static size_t join(const struct uptime_block *blocks, size_t n,
                   struct stretch_of_time ret[static STRETCHES])
{
    size_t useful = 0, used = 0;
    for (size_t i = 0; i < n; i++)
        useful += blocks[i].up_ms + blocks[i].down_ms > 0;
    size_t stretches = useful < STRETCHES ? useful : STRETCHES;
    for (size_t i = 0; i < n; i++) {
        if (blocks[i].up_ms + blocks[i].down_ms <= 0)
            continue;
        struct stretch_of_time *to = &ret[used++ * stretches / useful];
        to->up += (double)blocks[i].up_ms;
        to->seen += (double)(blocks[i].up_ms + blocks[i].down_ms);
    }
    return stretches;
}

/* The independent looks that a share of these stretches is worth. */
static double worth_of(const struct stretch_of_time *s, size_t n, double share, double seen,
                       double confidence)
{
    double squares = 0, b = (double)n;
    for (size_t i = 0; i < n; i++)
        squares += pow(s[i].up - share * s[i].seen, 2);
    double variance = b / (b - 1) * squares / (seen * seen);
    double few = gsl_cdf_ugaussian_Pinv(0.5 + confidence / 2) /
                 gsl_cdf_tdist_Pinv(0.5 + confidence / 2, b - 1);
    return variance > 0 ? share * (1 - share) / variance * few * few : (double)INFINITY;
}

static void bound_by_wilson(struct interval *v, double n)
{
    double z = gsl_cdf_ugaussian_Pinv(0.5 + v->confidence / 2), share = z * z / n;
    double middle = (v->value + share / 2) / (1 + share);
    double half = z / (1 + share) * sqrt(v->value * (1 - v->value) / n + share / (4 * n));
    v->low = fmax(0, middle - half);
    v->high = fmin(1, middle + half);
    v->bounded = true;
}

/* All looks alike. */
static void bound_by_rule_of_three(struct interval *v, double n)
{
    double bound = pow(1 - v->confidence, 1 / n);
    v->low = v->value > 0.5 ? bound : 0;
    v->high = v->value > 0.5 ? 1 : 1 - bound;
    v->bounded = true;
}

struct uptime interval_uptime(const struct uptime_block *blocks, size_t n, uint64_t looks,
                              double confidence)
{
    assert(confidence > 0 && confidence < 1);
    struct uptime u = {.looks = looks, .interval.confidence = confidence};
    struct stretch_of_time stretches[STRETCHES] = {{0}};
    for (size_t i = 0; i < n; i++) {
        u.up_ms += blocks[i].up_ms;
        u.down_ms += blocks[i].down_ms;
        u.inconclusive_ms += blocks[i].inconclusive_ms;
    }
    double up = (double)u.up_ms, seen = up + (double)u.down_ms;
    double all = seen + (double)u.inconclusive_ms;
    if (all > 0) {
        u.worst = up / all;
        u.best = (up + (double)u.inconclusive_ms) / all;
    }
    if (seen <= 0)
        return u;
    u.interval.known = true;
    u.interval.value = up / seen;
    u.worth = (double)looks;
    size_t n_stretches = join(blocks, n, stretches);
    if (looks == 0)
        return u;
    if (u.up_ms == 0 || u.down_ms == 0) {
        bound_by_rule_of_three(&u.interval, u.worth);
    } else if (n_stretches >= INTERVAL_MEAN_BLOCKS) {
        u.worth =
            fmin(u.worth, worth_of(stretches, n_stretches, u.interval.value, seen, confidence));
        bound_by_wilson(&u.interval, u.worth);
    }
    return u;
}

uint64_t uptime_looks(double share, double confidence)
{
    assert(share > 0 && share < 1 && confidence > 0 && confidence < 1);
    return (uint64_t)ceil(log(1 - confidence) / log(share));
}
