#include "compare/builder.h"

#include <math.h>
#include <stdio.h>

static const struct {
    const char *key, *title;
} categories[] = {
    [WIN_AVERAGE] = {"average", "Fastest average"},
    [WIN_P95] = {"p95", "Fastest p95"},
    [WIN_RELIABLE] = {"reliable", "Most reliable"},
    [WIN_FREE] = {"free", "Best free option"},
};

const char *win_category_key(enum win_category c)
{
    return categories[c].key;
}

const char *win_category_title(enum win_category c)
{
    return categories[c].title;
}

/* The pair of two environments, and whether it stands the other way round. */
static const struct pair_result *find_pair(const struct comparison *c, size_t x, size_t y,
                                           bool *ret_turned)
{
    *ret_turned = x > y;
    size_t a = x < y ? x : y, b = x < y ? y : x;
    for (size_t i = 0; i < c->n_pairs; i++)
        if (c->pairs[i].a == a && c->pairs[i].b == b)
            return &c->pairs[i];
    return NULL;
}

static enum pair_verdict verdict_of(const struct comparison *c, size_t x, size_t y, enum metric m)
{
    bool turned;
    const struct pair_result *r = find_pair(c, x, y, &turned);
    enum pair_verdict v = r ? r->metrics[m].verdict : PAIR_INCONCLUSIVE;
    if (!turned || v == PAIR_INCONCLUSIVE)
        return v;
    return v == PAIR_BETTER ? PAIR_WORSE : PAIR_BETTER;
}

static bool has_value(const struct comparison *c, size_t environment, enum metric m)
{
    return c->environments[environment].figures[m].interval.known;
}

/* Better than each other one on one of the metrics, and worse on none. */
static bool beats(const struct comparison *c, size_t x, size_t y, const enum metric *metrics,
                  size_t n)
{
    bool better = false;
    for (size_t i = 0; i < n; i++) {
        enum pair_verdict v = verdict_of(c, x, y, metrics[i]);
        if (v == PAIR_WORSE)
            return false;
        better |= v == PAIR_BETTER;
    }
    return better;
}

static bool ahead(enum metric m, double x, double y)
{
    return metric_is_time(m) ? x < y : x > y;
}

/* The one with the best value of the first metric; -1 when fewer than two have one. */
static int find_best(const struct comparison *c, enum metric m)
{
    int best = -1;
    size_t n = 0;
    for (size_t i = 0; i < c->n_environments; i++) {
        if (!has_value(c, i, m))
            continue;
        n++;
        if (best < 0 || ahead(m, c->environments[i].figures[m].interval.value,
                              c->environments[best].figures[m].interval.value))
            best = (int)i;
    }
    return n < 2 ? -1 : best;
}

/* An environment that beats all others; else the best one of those that none of them could beat. */
static void name_by_pairs(const struct comparison *c, const enum metric *metrics, size_t n,
                          struct win *ret)
{
    for (size_t i = 0; i < c->n_environments; i++) {
        size_t others = 0, beaten = 0;
        for (size_t k = 0; k < c->n_environments; k++) {
            if (k == i || !has_value(c, k, metrics[0]))
                continue;
            others++;
            beaten += beats(c, i, k, metrics, n);
        }
        if (has_value(c, i, metrics[0]) && others > 0 && beaten == others) {
            ret->winner = (int)i;
            ret->n_needed = 0;
            snprintf(ret->text, sizeof ret->text, "%.60s is better than %s.",
                     c->environments[i].name, others == 1 ? "the other" : "each of the others");
            return;
        }
    }
}

/* Why nobody wins: the pair of the best one that is not decided and needs the most. */
static void name_open(const struct comparison *c, enum metric m, struct win *ret)
{
    int best = find_best(c, m);
    const struct pair_metric *open = NULL;
    ret->n_needed = -1;
    if (best < 0) {
        snprintf(ret->text, sizeof ret->text,
                 "Fewer than two environments have samples; there is nothing to compare.");
        return;
    }
    for (size_t i = 0; i < c->n_environments; i++) {
        bool turned;
        const struct pair_result *r =
            i == (size_t)best ? NULL : find_pair(c, (size_t)best, i, &turned);
        if (!r || r->metrics[m].verdict != PAIR_INCONCLUSIVE || !has_value(c, i, m))
            continue;
        const struct pair_metric *v = &r->metrics[m];
        if (!open || v->n_needed < 0 || (open->n_needed >= 0 && v->n_needed > open->n_needed))
            open = v;
    }
    ret->n_needed = open ? open->n_needed : -1;
    snprintf(ret->text, sizeof ret->text, "%s",
             open ? open->text : "Nobody is better than all others.");
}

static void name_free(const struct comparison *c, const double *share, struct win *ret)
{
    size_t n = 0;
    int best = -1;
    const char *note = "";
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct environment_result *v = &c->environments[i];
        if (!has_value(c, i, METRIC_SUCCESS))
            continue;
        if (!v->facts.cost_known)
            note = v->facts.cost_note;
        if (!v->facts.cost_known || v->facts.monthly_cost > 0)
            continue;
        n++;
        if (best < 0 || share[i] > share[best])
            best = (int)i;
    }
    ret->n_needed = -1;
    if (n == 0) {
        snprintf(ret->text, sizeof ret->text,
                 "No measured environment is known to be free%s%.300s.", note[0] ? ": " : "", note);
        return;
    }
    const char *name = c->environments[best].name;
    if (n == 1)
        snprintf(ret->text, sizeof ret->text, "%.60s is the only one that is known to be free.",
                 name);
    else
        snprintf(ret->text, sizeof ret->text,
                 "%.60s has the most points among the %zu free ones in %.0f%% of the resamples.",
                 name, n, 100 * share[best]);
    if (n == 1 || share[best] >= c->options.confidence) {
        ret->winner = best;
        ret->n_needed = 0;
    }
}

void comparison_name_wins(struct comparison *c, const double *free_share)
{
    static const enum metric average[] = {METRIC_AVG}, p95[] = {METRIC_P95},
                             reliable[] = {METRIC_SUCCESS, METRIC_UPTIME};
    for (enum win_category w = 0; w < WIN_CATEGORIES; w++)
        c->wins[w] = (struct win){.winner = -1};
    name_by_pairs(c, average, 1, &c->wins[WIN_AVERAGE]);
    name_by_pairs(c, p95, 1, &c->wins[WIN_P95]);
    name_by_pairs(c, reliable, 2, &c->wins[WIN_RELIABLE]);
    static const enum metric first[] = {
        [WIN_AVERAGE] = METRIC_AVG, [WIN_P95] = METRIC_P95, [WIN_RELIABLE] = METRIC_SUCCESS};
    for (enum win_category w = WIN_AVERAGE; w <= WIN_RELIABLE; w++)
        if (c->wins[w].winner < 0)
            name_open(c, first[w], &c->wins[w]);
    name_free(c, free_share, &c->wins[WIN_FREE]);
}
