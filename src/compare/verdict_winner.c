#include "compare/verdict_pair.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NOBODY SIZE_MAX

/* The side of the pair that is ahead, whether or not it may be called better. */
static size_t ahead(const struct verdict_pair *p)
{
    bool a_less = p->answer.difference.value < 0;
    return a_less == metric_is_time(p->metric) ? p->a : p->b;
}

static bool of_metric(const struct verdict_pair *p, enum metric m)
{
    return p->metric == m && p->answer.known;
}

/* The environment that is ahead in all of its pairs; NOBODY when there is none (the pairs need
 * not agree: each compares the stretches that its two have in common). */
static size_t find_leader(enum metric m, const struct verdict_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!of_metric(&pairs[i], m))
            continue;
        size_t candidate = ahead(&pairs[i]);
        bool everywhere = true;
        for (size_t k = 0; k < n && everywhere; k++)
            if (of_metric(&pairs[k], m) && (pairs[k].a == candidate || pairs[k].b == candidate))
                everywhere = ahead(&pairs[k]) == candidate;
        if (everywhere)
            return candidate;
    }
    return NOBODY;
}

static bool takes_part(size_t environment, enum metric m, const struct verdict_pair *pairs,
                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (of_metric(&pairs[i], m) && (pairs[i].a == environment || pairs[i].b == environment))
            return true;
    return false;
}

static double lead(const struct verdict_pair *p)
{
    return fabs(p->answer.difference.value);
}

struct leaders_pairs {
    const struct verdict_pair *open, *nearest; /* the open one, and any one, with the least lead */
};

/* Of the leader's pairs, or of all when nobody leads. */
static struct leaders_pairs find_pairs(enum metric m, const struct verdict_pair *pairs, size_t n,
                                       size_t leader)
{
    struct leaders_pairs r = {0};
    for (size_t i = 0; i < n; i++) {
        const struct verdict_pair *p = &pairs[i];
        if (p->metric != m || !takes_part(p->a, m, pairs, n) || !takes_part(p->b, m, pairs, n))
            continue;
        if (leader != NOBODY && p->a != leader && p->b != leader)
            continue;
        if (p->kind == VERDICT_INCONCLUSIVE && (!r.open || lead(p) < lead(r.open)))
            r.open = p;
        if (!r.nearest || lead(p) < lead(r.nearest))
            r.nearest = p;
    }
    return r;
}

void verdict_of_pairs(enum metric m, const struct verdict_pair *pairs, size_t n_pairs,
                      struct verdict *ret)
{
    *ret = (struct verdict){.metric = m, .winner = -1, .n_needed = -1};
    size_t leader = find_leader(m, pairs, n_pairs);
    struct leaders_pairs of = find_pairs(m, pairs, n_pairs, leader);
    if (!of.nearest) {
        snprintf(ret->text, sizeof ret->text,
                 "No two environments were measured in the same stretches of time yet.");
    } else if (of.open) {
        memcpy(ret->text, of.open->text, sizeof ret->text);
        ret->n_needed = of.open->n_needed;
    } else if (leader == NOBODY) {
        snprintf(
            ret->text, sizeof ret->text,
            "Each environment is worse than another: they were not measured at the same times.");
    } else {
        memcpy(ret->text, of.nearest->text, sizeof ret->text);
        ret->winner = (int)leader;
        ret->n_needed = 0;
    }
}
