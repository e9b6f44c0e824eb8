#include "compare/builder.h"

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

static void take(struct win *ret, const struct verdict *v)
{
    ret->winner = v->winner;
    ret->n_needed = v->n_needed;
    snprintf(ret->text, sizeof ret->text, "%s", v->text);
}

static bool worse_anywhere(int environment, enum metric m, const struct verdict_pair *pairs,
                           size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct verdict_pair *p = &pairs[i];
        if (p->metric == m && ((p->kind == VERDICT_WORSE && (int)p->a == environment) ||
                               (p->kind == VERDICT_BETTER && (int)p->b == environment)))
            return true;
    }
    return false;
}

/* Better than every other in success rate or uptime, and worse than none in the other of the two.
 */
static void name_reliable(const struct verdict_pair *pairs, size_t n, struct win *ret)
{
    struct verdict success, uptime;
    verdict_of_pairs(METRIC_SUCCESS, pairs, n, &success);
    verdict_of_pairs(METRIC_UPTIME, pairs, n, &uptime);
    take(ret, &success);
    if (success.winner >= 0 && !worse_anywhere(success.winner, METRIC_UPTIME, pairs, n))
        return;
    if (uptime.winner >= 0 && !worse_anywhere(uptime.winner, METRIC_SUCCESS, pairs, n)) {
        take(ret, &uptime);
        return;
    }
    if (ret->winner >= 0)
        snprintf(ret->text, sizeof ret->text,
                 "The success rate and the uptime name different environments.");
    ret->winner = -1;
}

void comparison_name_wins(struct comparison *c, const struct verdict_pair *pairs, size_t n)
{
    struct verdict v;
    verdict_of_pairs(METRIC_AVG, pairs, n, &v);
    take(&c->wins[WIN_AVERAGE], &v);
    verdict_of_pairs(METRIC_P95, pairs, n, &v);
    take(&c->wins[WIN_P95], &v);
    name_reliable(pairs, n, &c->wins[WIN_RELIABLE]);
}

void comparison_name_free(struct comparison *c, const double *share)
{
    struct win *ret = &c->wins[WIN_FREE];
    size_t n = 0;
    int best = -1;
    const char *note = "";
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct environment_result *v = &c->environments[i];
        if (!v->figures[METRIC_SUCCESS].interval.known)
            continue;
        if (!v->facts.cost_known)
            note = v->facts.cost_note;
        if (!v->facts.cost_known || v->facts.monthly_cost > 0)
            continue;
        n++;
        if (best < 0 || share[i] > share[best])
            best = (int)i;
    }
    *ret = (struct win){.winner = -1, .n_needed = -1};
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
