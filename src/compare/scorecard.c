#include "compare/scorecard.h"

#include <math.h>

#define FAILED_SHARE_OPEN 0.001 /* what counts as little where no target says it */

static const struct {
    const char *key, *title;
} parts[] = {
    [SCORE_SPEED] = {"speed", "Speed"},
    [SCORE_RELIABILITY] = {"reliability", "Reliability"},
    [SCORE_COST] = {"cost", "Cost"},
    [SCORE_LIMITS] = {"limits", "Limits"},
};

const char *score_part_key(enum score_part p)
{
    return parts[p].key;
}

const char *score_part_title(enum score_part p)
{
    return parts[p].title;
}

/* What should be small: a time, or the share that failed. */
static double burden(enum metric m, double value)
{
    return metric_is_time(m) ? value : 1 - value;
}

static double allowed(enum metric m, double target)
{
    return target > 0 ? burden(m, target) : 0;
}

/* Added to failed shares before they are compared: the step that still counts as small. */
static double cushion(enum metric m, double target)
{
    if (metric_is_time(m))
        return 0;
    return target > 0 && target < 1 ? allowed(m, target) / 10 : FAILED_SHARE_OPEN;
}

static double points(enum metric m, double value, double best, double target)
{
    double own = burden(m, value) + cushion(m, target),
           least = burden(m, best) + cushion(m, target);
    double against_others = own > 0 ? 100 * least / own : 100;
    if (allowed(m, target) <= 0)
        return against_others;
    double against_target = 100 * (1 - burden(m, value) / (2 * allowed(m, target)));
    return (against_others + fmax(0, against_target)) / 2;
}

/* The best value among all; false when not everyone has one. */
static bool best_of(const struct score_input *in, size_t n, enum metric m, double *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (!in[i].known[m])
            return false;
        if (i == 0 || burden(m, in[i].values[m]) < burden(m, *ret))
            *ret = in[i].values[m];
    }
    return n > 0;
}

struct field { /* what all parts are filled from */
    const struct score_input *in;
    size_t n;
    const double *targets;
    struct score *ret;
};

/* The mean of the figures' points, of those figures that everyone has. */
static void fill_part(const struct field *f, enum score_part part, const enum metric *metrics,
                      size_t n_metrics)
{
    size_t used = 0;
    for (size_t k = 0; k < n_metrics; k++) {
        enum metric m = metrics[k];
        double best;
        if (!best_of(f->in, f->n, m, &best))
            continue;
        used++;
        for (size_t i = 0; i < f->n; i++)
            f->ret[i].parts[part] += points(m, f->in[i].values[m], best, f->targets[m]);
    }
    for (size_t i = 0; i < f->n && used > 0; i++) {
        f->ret[i].parts[part] /= (double)used;
        f->ret[i].known[part] = true;
    }
}

static void fill_cost(const struct score_input *in, size_t n, struct score *ret)
{
    double dearest = 0;
    for (size_t i = 0; i < n; i++)
        if (in[i].cost_known)
            dearest = fmax(dearest, in[i].cost);
    for (size_t i = 0; i < n; i++) {
        ret[i].known[SCORE_COST] = in[i].cost_known;
        if (in[i].cost_known)
            ret[i].parts[SCORE_COST] = dearest > 0 ? 100 * (1 - in[i].cost / dearest) : 100;
    }
}

void scorecard_fill(const struct score_input *in, size_t n, const double targets[N_METRICS],
                    struct score *ret)
{
    static const enum metric speed[] = {METRIC_AVG, METRIC_P95, METRIC_DB_QUERY};
    static const enum metric reliability[] = {METRIC_SUCCESS, METRIC_UPTIME};
    for (size_t i = 0; i < n; i++)
        ret[i] = (struct score){0};
    const struct field f = {in, n, targets, ret};
    fill_part(&f, SCORE_SPEED, speed, 3);
    fill_part(&f, SCORE_RELIABILITY, reliability, 2);
    fill_cost(in, n, ret);
}

void scorecard_common(const struct score *s, size_t n, bool ret[SCORE_PARTS])
{
    for (enum score_part p = 0; p < SCORE_PARTS; p++) {
        ret[p] = n > 0;
        for (size_t i = 0; i < n; i++)
            ret[p] &= s[i].known[p];
    }
}

double scorecard_total(const struct score *s, const bool used[SCORE_PARTS],
                       const double weights[SCORE_PARTS])
{
    double sum = 0, weight = 0;
    for (enum score_part p = 0; p < SCORE_PARTS; p++) {
        sum += used[p] ? weights[p] * s->parts[p] : 0;
        weight += used[p] ? weights[p] : 0;
    }
    return weight > 0 ? sum / weight : 0;
}
