#include "compare/builder.h"

#include "base/mem.h"
#include "compare/random.h"
#include "compare/stretch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Which environment should become production. Points from the figures (scorecard.h), over what was
 * measured at the same time in all candidates; certainty by drawing whole stretches of time with
 * replacement (Kuensch 1989) and counting who has the most points; hard gates that no number of
 * points opens.
 */

enum {
    RESAMPLES = 1000,
    SEED = 4711, /* the same data gives the same answer */
    MISSING_MAX = 16,
};
#define TURN_LEAST 0.005 /* half a percent, what is shown */
#define WHOLE_DAY_MS (INT64_C(24) * 3600 * 1000)

const char *recommend_state_name(enum recommend_state s)
{
    static const char *const names[] = {[RECOMMEND_NONE] = "none",
                                        [RECOMMEND_INCONCLUSIVE] = "inconclusive",
                                        [RECOMMEND_CLEAR] = "clear"};
    return names[s];
}

/* --- What is resampled -------------------------------------------------------------------------
 */

struct runner { /* one candidate */
    size_t environment;
    bool eligible, free;
    struct stretches times, databases, success, uptime;
};

struct field {
    const struct comparison *c;
    struct runner *runners;
    size_t n, n_stretches;
    bool has_databases, has_uptime; /* of all, in every stretch */
    double targets[N_METRICS];
    double *weight; /* a column of stretches each; those of the unused sides stay 0 */
};

/* Both sides the same: only the first one's columns are used. */
static struct paired_block block_of(const struct block_data *times, uint64_t good, uint64_t bad)
{
    struct paired_side s = {times && times->times.n > 0 ? &times->times : NULL, good, bad};
    return (struct paired_block){s, s};
}

static void fill_runner(struct runner *r, const struct lanes *l, const bool *usable,
                        struct paired_block *blocks)
{
    const struct block_data *requests = &l->requests[r->environment * l->n_blocks];
    const struct block_data *databases = &l->databases[r->environment * l->n_blocks];
    for (int what = 0; what < 4; what++) {
        size_t n = 0;
        for (size_t i = 0; i < l->n_blocks; i++) {
            const struct block_data *d = &requests[i];
            if (!usable[i])
                continue;
            blocks[n++] = what == 0   ? block_of(d, 0, 0)
                          : what == 1 ? block_of(&databases[i], 0, 0)
                          : what == 2 ? block_of(NULL, d->good, d->bad)
                                      : block_of(NULL, (uint64_t)(d->seen_ms - d->down_ms),
                                                 (uint64_t)d->down_ms);
        }
        struct stretches *to[] = {&r->times, &r->databases, &r->success, &r->uptime};
        stretches_init(to[what], blocks, n, what >= 2);
    }
}

static bool has_data(const struct lanes *l, size_t environment)
{
    for (size_t i = 0; i < l->n_blocks; i++)
        if (l->requests[environment * l->n_blocks + i].times.n > 0)
            return true;
    return false;
}

static void field_init(struct field *f, const struct comparison *c, const struct lanes *l)
{
    *f = (struct field){.c = c, .has_databases = true, .has_uptime = true};
    f->runners = mem_array(c->n_environments + 1, sizeof *f->runners);
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct comparison_facts *facts = &c->environments[i].facts;
        if (has_data(l, i))
            f->runners[f->n++] = (struct runner){
                .environment = i, .free = facts->cost_known && facts->monthly_cost <= 0};
    }
    bool *usable = mem_array(l->n_blocks + 1, sizeof *usable);
    for (size_t i = 0; i < l->n_blocks; i++) {
        usable[i] = true;
        for (size_t k = 0; k < f->n; k++)
            usable[i] &= l->requests[f->runners[k].environment * l->n_blocks + i].times.n > 0;
    }
    struct paired_block *blocks = mem_array(l->n_blocks + 1, sizeof *blocks);
    for (size_t i = 0; i < f->n; i++) {
        struct runner *r = &f->runners[i];
        fill_runner(r, l, usable, blocks);
        f->n_stretches = r->times.n;
        f->has_databases &= r->databases.blocks == r->times.blocks;
        f->has_uptime &= r->uptime.blocks == r->times.blocks;
    }
    for (enum metric m = 0; m < N_METRICS; m++)
        f->targets[m] = comparison_target(&c->options.targets, m);
    f->weight = mem_array(2 * f->n_stretches + 1, sizeof *f->weight);
    free(blocks);
    free(usable);
}

static void field_release(struct field *f)
{
    for (size_t i = 0; i < f->n; i++) {
        stretches_release(&f->runners[i].times);
        stretches_release(&f->runners[i].databases);
        stretches_release(&f->runners[i].success);
        stretches_release(&f->runners[i].uptime);
    }
    free(f->runners);
    free(f->weight);
}

/* The points of all runners for the stretches as weighted now. */
static void score_all(const struct field *f, struct score *ret)
{
    struct score_input *in = mem_array(f->n + 1, sizeof *in);
    for (size_t i = 0; i < f->n; i++) {
        const struct runner *r = &f->runners[i];
        const struct comparison_facts *facts = &f->c->environments[r->environment].facts;
        in[i].values[METRIC_AVG] = stretches_ratio(&r->times, f->weight) / 1000;
        in[i].values[METRIC_P95] = stretches_quantile(&r->times, f->weight, 0.95) / 1000;
        in[i].values[METRIC_SUCCESS] = stretches_ratio(&r->success, f->weight);
        in[i].known[METRIC_AVG] = in[i].known[METRIC_P95] = in[i].known[METRIC_SUCCESS] = true;
        in[i].known[METRIC_UPTIME] = f->has_uptime;
        in[i].known[METRIC_DB_QUERY] = f->has_databases;
        if (f->has_uptime)
            in[i].values[METRIC_UPTIME] = stretches_ratio(&r->uptime, f->weight);
        if (f->has_databases)
            in[i].values[METRIC_DB_QUERY] =
                stretches_quantile(&r->databases, f->weight, 0.50) / 1000;
        in[i].cost_known = facts->cost_known;
        in[i].cost = facts->monthly_cost;
    }
    scorecard_fill(in, f->n, f->targets, ret);
    free(in);
}

/* --- Gates -------------------------------------------------------------------------------------
 */

static void exclude(struct candidate *v, const char *why)
{
    if (v->n_excluded < RECOMMEND_NOTES)
        v->excluded[v->n_excluded++] = why;
}

static void leave_unknown(struct candidate *v, const char *what)
{
    if (v->n_unknown < RECOMMEND_NOTES)
        v->unknown[v->n_unknown++] = what;
}

static void pass_figure(struct comparison *c, size_t environment, enum metric m)
{
    struct candidate *v = &c->recommendation.candidates[environment];
    const struct figure *f = &c->environments[environment].figures[m];
    char value[32], target[32];
    metric_format(m, f->interval.value, value);
    metric_format_target(m, f->target, target);
    if (f->state == TARGET_MISSED)
        exclude(v, arena_printf(&c->arena, "%s %s misses its target of %s", metric_title(m), value,
                                target));
    else if (f->state == TARGET_OPEN)
        leave_unknown(v, arena_printf(&c->arena, "whether the %s meets its target of %s",
                                      m == METRIC_UPTIME ? "uptime" : "success rate", target));
}

static void pass_gates(struct comparison *c, size_t environment)
{
    struct candidate *v = &c->recommendation.candidates[environment];
    const struct comparison_facts *facts = &c->environments[environment].facts;
    pass_figure(c, environment, METRIC_SUCCESS);
    pass_figure(c, environment, METRIC_UPTIME);
    if (!facts->deployments_known)
        leave_unknown(v, "deployments: none is known here");
    else if (facts->failed > 0)
        exclude(v, arena_printf(&c->arena, "%u of %u deployments failed", facts->failed,
                                facts->live + facts->failed + facts->other));
    leave_unknown(v, "limits: the platforms' quotas are not measured yet");
    if (!facts->cost_known)
        leave_unknown(v, arena_printf(&c->arena, "cost: not measured%s%s",
                                      facts->cost_note[0] ? ", " : "", facts->cost_note));
}

/* --- Who leads ---------------------------------------------------------------------------------
 */

static int leader_of(const struct field *f, const struct score *scores, bool only_free)
{
    const struct recommendation *r = &f->c->recommendation;
    int best = -1;
    double most = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (only_free ? !f->runners[i].free : !f->runners[i].eligible)
            continue;
        double total = scorecard_total(&scores[i], r->used, r->weights);
        if (best < 0 || total > most) {
            best = (int)i;
            most = total;
        }
    }
    return best;
}

static void resample(struct field *f, struct recommendation *r, double *free_share)
{
    struct random random;
    struct score *scores = mem_array(f->n + 1, sizeof *scores);
    random_seed(&random, SEED);
    r->resamples = f->c->options.resamples ? f->c->options.resamples : RESAMPLES;
    for (unsigned turn = 0; turn < r->resamples; turn++) {
        for (size_t i = 0; i < f->n_stretches; i++)
            f->weight[i] = 0;
        for (size_t i = 0; i < f->n_stretches; i++)
            f->weight[random_below(&random, f->n_stretches)]++;
        score_all(f, scores);
        int leader = leader_of(f, scores, false), free_leader = leader_of(f, scores, true);
        if (leader >= 0)
            r->candidates[f->runners[leader].environment].lead_share += 1.0 / r->resamples;
        if (free_leader >= 0)
            free_share[f->runners[free_leader].environment] += 1.0 / r->resamples;
    }
    free(scores);
}

/* --- Where the answer changes ------------------------------------------------------------------
 */

/* The mean of the other parts, at their own proportions; false when nothing else weighs. */
static bool rest_of(const struct recommendation *r, const struct score *s, enum score_part part,
                    double *ret)
{
    bool others[SCORE_PARTS];
    double weight = 0;
    for (enum score_part p = 0; p < SCORE_PARTS; p++) {
        others[p] = r->used[p] && p != part;
        weight += others[p] ? r->weights[p] : 0;
    }
    *ret = scorecard_total(s, others, r->weights);
    return weight > 0;
}

static void meet(const struct recommendation *r, size_t other, enum score_part part, double now,
                 struct turning_point *ret_below, struct turning_point *ret_above)
{
    const struct score *a = &r->candidates[r->leader].score, *b = &r->candidates[other].score;
    double rest_a, rest_b;
    if (!rest_of(r, a, part, &rest_a) || !rest_of(r, b, part, &rest_b))
        return;
    double slope = a->parts[part] - b->parts[part] - (rest_a - rest_b);
    double at = (rest_b - rest_a) / slope;
    if (slope == 0 || !(at >= TURN_LEAST && at <= 1 - TURN_LEAST)) /* only at the very end: never */
        return;
    if (at < now && (!ret_below->any || at > ret_below->weight))
        *ret_below = (struct turning_point){true, at, other};
    if (at > now && (!ret_above->any || at < ret_above->weight))
        *ret_above = (struct turning_point){true, at, other};
}

static void find_turning_points(const struct field *f, struct recommendation *r)
{
    double all = 0;
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        all += r->used[p] ? r->weights[p] : 0;
    for (enum score_part p = 0; p < SCORE_PARTS && all > 0; p++) {
        if (!r->used[p])
            continue;
        for (size_t i = 0; i < f->n; i++)
            if (f->runners[i].eligible && (int)f->runners[i].environment != r->leader)
                meet(r, f->runners[i].environment, p, r->weights[p] / all, &r->below[p],
                     &r->above[p]);
    }
}

/* --- What is missing, and the words ------------------------------------------------------------
 */

static void miss(struct recommendation *r, const char *what)
{
    if (r->n_missing < MISSING_MAX)
        r->missing[r->n_missing++] = what;
}

static void miss_samples(struct comparison *c, size_t environment)
{
    const struct figure *f = &c->environments[environment].figures[METRIC_P95];
    uint64_t least = interval_samples(0.95, c->options.confidence);
    if (!f->interval.bounded)
        miss(&c->recommendation,
             arena_printf(&c->arena, "%s: %" PRIu64 " samples, a p95 needs %" PRIu64,
                          c->environments[environment].name, f->n, least));
}

/* The share of the weights whose parts are not known for every candidate. */
static double unmeasured(const struct recommendation *r)
{
    double open = 0;
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        open += r->used[p] ? 0 : r->weights[p];
    return open;
}

/* Ahead of the next candidate, in points. */
static double lead_of(const struct comparison *c, const struct field *f)
{
    const struct recommendation *r = &c->recommendation;
    double second = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct runner *other = &f->runners[i];
        if (other->eligible && (int)other->environment != r->leader)
            second = fmax(second, r->candidates[other->environment].total);
    }
    return r->candidates[r->leader].total - second;
}

/* Parts that nobody knows yet block the answer only where they could turn it: all of their points
 * against none. */
static void miss_parts(struct comparison *c, const struct field *f)
{
    struct recommendation *r = &c->recommendation;
    double open = unmeasured(r);
    if (100 * open <= lead_of(c, f) * (1 - open))
        return;
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        if (!r->used[p] && r->weights[p] > 0)
            miss(r, arena_printf(&c->arena,
                                 "the %s of every candidate: %.0f%% of the weights, which could "
                                 "turn the answer",
                                 score_part_key(p), 100 * r->weights[p]));
}

static void list_missing(struct comparison *c, const struct field *f)
{
    struct recommendation *r = &c->recommendation;
    for (size_t i = 0; i < f->n; i++)
        miss_samples(c, f->runners[i].environment);
    if (f->n_stretches < INTERVAL_MEAN_BLOCKS)
        miss(r, arena_printf(&c->arena,
                             "at least %d stretches of time measured in all of them; there %s %zu",
                             INTERVAL_MEAN_BLOCKS, f->n_stretches == 1 ? "is" : "are",
                             f->n_stretches));
    if (c->last_ms - c->first_ms < WHOLE_DAY_MS - WHOLE_DAY_MS / 50) {
        int64_t minutes = (c->last_ms - c->first_ms) / 60000;
        miss(r, arena_printf(&c->arena,
                             "a whole day, because platforms and load change with the hour; "
                             "measured so far: %" PRId64 " %s",
                             minutes >= 120 ? minutes / 60 : minutes,
                             minutes >= 120 ? "hours"
                             : minutes == 1 ? "minute"
                                            : "minutes"));
    }
    if (r->leader >= 0 && r->candidates[r->leader].lead_share < c->options.confidence)
        miss(r,
             arena_printf(&c->arena,
                          "a safer lead: %s leads in %.0f%% of the resamples, %.0f%% are asked "
                          "for",
                          c->environments[r->leader].name,
                          100 * r->candidates[r->leader].lead_share, 100 * c->options.confidence));
    if (r->leader >= 0)
        miss_parts(c, f);
}

static void say(struct comparison *c, const struct field *f)
{
    struct recommendation *r = &c->recommendation;
    if (f->n < 2) {
        snprintf(r->text, sizeof r->text,
                 "No recommendation: fewer than two environments were measured.");
        return;
    }
    if (r->leader < 0) {
        snprintf(r->text, sizeof r->text,
                 "No recommendation: every environment fails a gate that points cannot make up "
                 "for.");
        return;
    }
    const struct candidate *best = &r->candidates[r->leader];
    const char *name = c->environments[r->leader].name;
    if (r->state == RECOMMEND_CLEAR)
        snprintf(r->text, sizeof r->text,
                 "%.60s: %.0f of 100 points, ahead in %.1f%% of %u resamples of the measured time.",
                 name, best->total, 100 * best->lead_share, r->resamples);
    else
        snprintf(
            r->text, sizeof r->text,
            "Not decided. %.60s has the most points so far (%.0f of 100, ahead in %.0f%% of %u "
            "resamples), but that is not enough to choose by.",
            name, best->total, 100 * best->lead_share, r->resamples);
}

/* --- All together ------------------------------------------------------------------------------
 */

static bool take_weights(const struct comparison_options *o, struct recommendation *r)
{
    double all = 0;
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        all += o->weights[p];
    for (enum score_part p = 0; p < SCORE_PARTS && all > 0; p++)
        r->weights[p] = o->weights[p] / all;
    return all > 0;
}

static void score_candidates(struct comparison *c, struct field *f)
{
    struct recommendation *r = &c->recommendation;
    struct score *scores = mem_array(f->n + 1, sizeof *scores);
    for (size_t i = 0; i < f->n_stretches; i++)
        f->weight[i] = 1;
    score_all(f, scores);
    scorecard_common(scores, f->n, r->used);
    for (size_t i = 0; i < f->n; i++) {
        struct candidate *v = &r->candidates[f->runners[i].environment];
        v->measured = true;
        v->score = scores[i];
        v->total = scorecard_total(&scores[i], r->used, r->weights);
        pass_gates(c, f->runners[i].environment);
        f->runners[i].eligible = v->n_excluded == 0;
    }
    int leader = leader_of(f, scores, false);
    r->leader = leader < 0 ? -1 : (int)f->runners[leader].environment;
    free(scores);
}

void comparison_recommend(struct comparison *c, const struct lanes *l, double *ret_free_share)
{
    struct recommendation *r = &c->recommendation;
    struct field f;
    *r = (struct recommendation){.leader = -1};
    r->candidates = arena_array(&c->arena, c->n_environments, sizeof *r->candidates);
    r->missing = arena_array(&c->arena, MISSING_MAX, sizeof *r->missing);
    if (!take_weights(&c->options, r)) {
        snprintf(r->text, sizeof r->text,
                 "No recommendation: the manifest's score has no weights.");
        return;
    }
    field_init(&f, c, l);
    if (f.n_stretches > 0) {
        score_candidates(c, &f);
        resample(&f, r, ret_free_share);
        r->blocks = f.n_stretches;
    }
    if (f.n >= 2 && r->leader >= 0) {
        find_turning_points(&f, r);
        list_missing(c, &f);
        r->state = r->n_missing == 0 ? RECOMMEND_CLEAR : RECOMMEND_INCONCLUSIVE;
    }
    say(c, &f);
    field_release(&f);
}
