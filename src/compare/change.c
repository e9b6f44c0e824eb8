#include "compare/builder.h"

#include "base/mem.h"
#include "compare/paired.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * From the window before to this one. Nothing pairs the two (they are other hours), so the range of
 * a change comes from the two figures' own ranges (method of variance estimates recovery: Zou &
 * Donner 2008, "Construction of confidence limits about effect measures"), and its p from the range
 * as if it were normal. What was slow for everyone that week is in it.
 */

static const struct environment_result *find_before(const struct comparison *before,
                                                    const char *name)
{
    for (size_t i = 0; before && i < before->n_environments; i++)
        if (strcmp(before->environments[i].name, name) == 0)
            return &before->environments[i];
    return NULL;
}

static struct interval difference_of(const struct interval *a, const struct interval *b)
{
    struct interval d = {.confidence = a->confidence, .known = a->known && b->known};
    d.value = a->value - b->value;
    d.bounded = a->bounded && b->bounded;
    if (!d.bounded)
        return d;
    d.low = d.value - hypot(a->value - a->low, b->high - b->value);
    d.high = d.value + hypot(a->high - a->value, b->value - b->low);
    return d;
}

static double p_of(const struct interval *d)
{
    if (!d->bounded || d->value == 0)
        return 1;
    double half = d->value > 0 ? d->value - d->low : d->high - d->value;
    double deviation = half / gsl_cdf_ugaussian_Pinv(0.5 + d->confidence / 2);
    return deviation > 0 ? 2 * gsl_cdf_ugaussian_Q(fabs(d->value) / deviation) : 1;
}

/* Uptime's range is a bound from time that was not seen, not a matter of chance. */
static bool has_p(enum metric m)
{
    return m != METRIC_UPTIME;
}

static void judge(const struct comparison *c, enum metric m, struct change *v)
{
    const struct interval *d = &v->difference;
    bool sure = has_p(m) ? v->p_adjusted <= 1 - c->options.confidence
                         : d->bounded && (d->low > 0 || d->high < 0);
    if (!sure || fabs(d->value) < pair_least_difference(m, v->before, v->after))
        return;
    v->verdict = (d->value < 0) == metric_is_time(m) ? VERDICT_BETTER : VERDICT_WORSE;
}

static void fill(struct change *v, const struct figure *after, const struct figure *before)
{
    *v = (struct change){.known = after->interval.known && before->interval.known};
    if (!v->known)
        return;
    v->after = after->interval.value;
    v->before = before->interval.value;
    v->difference = difference_of(&after->interval, &before->interval);
}

void comparison_change(struct comparison *c)
{
    if (!c->before || c->before->last_ms - c->before->first_ms < (c->last_ms - c->first_ms) / 2)
        return; /* half a week says nothing of a week */
    size_t n = c->n_environments * N_METRICS;
    double *p = mem_array(n + 1, sizeof *p);
    c->changes = arena_array(&c->arena, c->n_environments, sizeof *c->changes);
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct environment_result *after = &c->environments[i];
        const struct environment_result *before = find_before(c->before, after->name);
        for (enum metric m = 0; m < N_METRICS; m++) {
            struct change *v = &c->changes[i].metrics[m];
            if (before)
                fill(v, &after->figures[m], &before->figures[m]);
            p[i * N_METRICS + m] = v->known && has_p(m) ? p_of(&v->difference) : (double)NAN;
        }
    }
    holm_adjust(p, n);
    for (size_t i = 0; i < n; i++) {
        struct change *v = &c->changes[i / N_METRICS].metrics[i % N_METRICS];
        v->p_adjusted = p[i];
        if (v->known)
            judge(c, (enum metric)(i % N_METRICS), v);
    }
    free(p);
}
