#include "compare/builder.h"

#include "base/mem.h"
#include "compare/paired.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N_NEEDED_LIMIT 1e12 /* a number beyond it tells nobody anything */

enum { SEED = 20221 }; /* the same data gives the same verdicts */

const char *pair_verdict_name(enum pair_verdict v)
{
    static const char *const names[] = {
        [PAIR_INCONCLUSIVE] = "inconclusive", [PAIR_BETTER] = "better", [PAIR_WORSE] = "worse"};
    return names[v];
}

/* --- Asking ------------------------------------------------------------------------------------
 */

static struct paired_side side_of(const struct block_data *d, enum metric m)
{
    struct paired_side s = {.times = d->times.n > 0 ? &d->times : NULL};
    if (m == METRIC_SUCCESS) {
        s.good = d->good;
        s.bad = d->bad;
    } else if (m == METRIC_UPTIME) { /* seconds instead of requests */
        s.good = (uint64_t)(d->seen_ms - d->down_ms) / 1000;
        s.bad = (uint64_t)d->down_ms / 1000;
    }
    return s;
}

static const struct block_data *lane_of(const struct lanes *l, enum metric m, size_t environment)
{
    const struct block_data *lanes = m == METRIC_DB_QUERY ? l->databases : l->requests;
    return &lanes[environment * l->n_blocks];
}

static struct paired_question question_of(const struct comparison_options *o, enum metric m)
{
    return (struct paired_question){
        .what = !metric_is_time(m) ? STATISTIC_RATE
                : m == METRIC_AVG  ? STATISTIC_MEAN
                                   : STATISTIC_QUANTILE,
        .q = m == METRIC_P95 ? 0.95 : 0.50,
        .confidence = o->confidence,
        .resamples = o->resamples,
        .seed = SEED + (uint64_t)m,
    };
}

static void ask(const struct comparison *c, const struct lanes *l, struct pair_result *r,
                enum metric m, struct paired_block *blocks)
{
    const struct block_data *a = lane_of(l, m, r->a), *b = lane_of(l, m, r->b);
    for (size_t i = 0; i < l->n_blocks; i++)
        blocks[i] = (struct paired_block){side_of(&a[i], m), side_of(&b[i], m)};
    struct paired_question question = question_of(&c->options, m);
    struct paired_answer answer;
    paired_compare(blocks, l->n_blocks, &question, &answer);
    double unit = metric_is_time(m) ? 1000 : 1;
    struct pair_metric *ret = &r->metrics[m];
    *ret = (struct pair_metric){
        .known = answer.known,
        .a = answer.a / unit,
        .b = answer.b / unit,
        .difference = answer.difference,
        .p = answer.p,
        .n_a = answer.n_a,
        .n_b = answer.n_b,
        .blocks = answer.stretches,
    };
    ret->difference.value /= unit;
    ret->difference.low /= unit;
    ret->difference.high /= unit;
    if (m == METRIC_UPTIME) { /* the time comes from that many samples */
        ret->n_a = r->metrics[METRIC_SUCCESS].n_a;
        ret->n_b = r->metrics[METRIC_SUCCESS].n_b;
    }
    if (m == METRIC_AVG) {
        r->shape.known = answer.known;
        r->shape.p = paired_shape(blocks, l->n_blocks, c->options.resamples, SEED);
    }
}

/* One correction over every p that is shown. */
static void correct(struct comparison *c)
{
    size_t each = N_COMPARED + 1, n = c->n_pairs * each;
    double *p = mem_array(n + 1, sizeof *p);
    for (size_t i = 0; i < c->n_pairs; i++) {
        struct pair_result *r = &c->pairs[i];
        for (enum metric m = 0; m < N_COMPARED; m++)
            p[i * each + m] = r->metrics[m].known ? r->metrics[m].p : (double)NAN;
        p[i * each + N_COMPARED] = r->shape.known ? r->shape.p : (double)NAN;
    }
    for (size_t i = 0; i < n; i++)
        c->n_tests += !isnan(p[i]);
    holm_adjust(p, n);
    for (size_t i = 0; i < c->n_pairs; i++) {
        struct pair_result *r = &c->pairs[i];
        for (enum metric m = 0; m < N_COMPARED; m++)
            r->metrics[m].p_adjusted = r->metrics[m].known ? p[i * each + m] : 1;
        r->shape.p_adjusted = r->shape.known ? p[i * each + N_COMPARED] : 1;
        r->shape.differs = r->shape.p_adjusted <= 1 - c->options.confidence;
    }
    free(p);
}

/* --- Judging -----------------------------------------------------------------------------------
 */

double pair_least_difference(enum metric m, double a, double b)
{
    return metric_is_time(m) ? fmax(VERDICT_MIN_MS, VERDICT_MIN_RATIO * fmin(a, b))
                             : VERDICT_MIN_RATE;
}

/* The fewest samples that a figure of this kind may be judged on. */
static uint64_t least_samples(enum metric m, double confidence)
{
    if (m == METRIC_P95)
        return interval_samples(0.95, confidence);
    return m == METRIC_P50 || m == METRIC_DB_QUERY ? interval_samples(0.50, confidence) : 1;
}

/* The fewest stretches of time for which the smallest possible p passes the correction. */
static size_t least_blocks(const struct comparison *c)
{
    size_t n = INTERVAL_MEAN_BLOCKS;
    double level = (1 - c->options.confidence) / (double)(c->n_tests ? c->n_tests : 1);
    while (n < 64 && paired_least_p(n) > level)
        n++;
    return n;
}

/* Samples come at an even pace, so missing stretches are missing samples. */
static int64_t missing_samples(const struct comparison *c, const struct pair_metric *v,
                               enum metric m)
{
    uint64_t n = v->n_a < v->n_b ? v->n_a : v->n_b;
    uint64_t least = m == METRIC_UPTIME ? 1 : least_samples(m, c->options.confidence);
    size_t blocks = least_blocks(c);
    if (v->blocks > 0 && v->blocks < blocks) {
        uint64_t wanted = n * blocks / v->blocks + 1;
        least = wanted > least ? wanted : least;
    }
    return n < least ? (int64_t)(least - n) : 0;
}

/* A range's width goes with 1 / sqrt(n): it must shrink below the difference, at the corrected
 * level instead of the range's own. */
static int64_t more_samples(const struct comparison *c, const struct pair_metric *v)
{
    const struct interval *d = &v->difference;
    double half = fmax(d->high - d->value, d->value - d->low), size = fabs(d->value);
    double tests = (double)(c->n_tests ? c->n_tests : 1), risk = 1 - c->options.confidence;
    double stretch = sqrt(log(tests / risk) / log(1 / risk)); /* of the normal tail, roughly */
    double n = (double)(v->n_a > v->n_b ? v->n_a : v->n_b);
    double more = size > 0 ? ceil(n * pow(half * stretch / size, 2) - n) : HUGE_VAL;
    return more > N_NEEDED_LIMIT ? -1 : more < 1 ? 1 : (int64_t)more;
}

struct words {
    const char *a, *b;
    char value_a[32], value_b[32], range[128];
};

/* "+12.5 ms", "-0.02 points" */
static void format_difference(enum metric m, double v, char ret[48])
{
    char text[32];
    if (metric_is_time(m)) {
        metric_format_ms(fabs(v), text);
        snprintf(ret, 48, "%s%s", v < 0 ? "−" : "+", text);
    } else {
        snprintf(ret, 48, "%s%.2f", v < 0 ? "−" : "+", fabs(100 * v));
    }
}

static struct words words_of(const struct comparison *c, const struct pair_result *r, enum metric m)
{
    const struct pair_metric *v = &r->metrics[m];
    struct words w = {c->environments[r->a].name, c->environments[r->b].name, "", "", ""};
    metric_format(m, v->a, w.value_a);
    metric_format(m, v->b, w.value_b);
    if (v->difference.bounded) {
        char low[48], high[48];
        format_difference(m, v->difference.low, low);
        format_difference(m, v->difference.high, high);
        snprintf(w.range, sizeof w.range, ", difference %s to %s%s", low, high,
                 metric_is_time(m) ? "" : " points");
    }
    return w;
}

static void judge_known(const struct comparison *c, struct pair_result *r, enum metric m)
{
    struct pair_metric *v = &r->metrics[m];
    struct words w = words_of(c, r, m);
    double size = fabs(v->difference.value), least = pair_least_difference(m, v->a, v->b);
    int64_t missing = missing_samples(c, v, m);
    bool lower = v->difference.value < 0;
    int used = snprintf(v->text, sizeof v->text, "%.60s %s, %.60s %s%s: ", w.a, w.value_a, w.b,
                        w.value_b, w.range);
    char *rest = v->text + used;
    size_t room = sizeof v->text - (size_t)used;
    if (v->p_adjusted <= 1 - c->options.confidence && missing == 0 && size >= least &&
        v->difference.bounded) {
        v->verdict = lower == metric_is_time(m) ? PAIR_BETTER : PAIR_WORSE;
        snprintf(rest, room, "%.60s is better (p %.2g, corrected).",
                 v->verdict == PAIR_BETTER ? w.a : w.b, v->p_adjusted);
        return;
    }
    v->n_needed = missing > 0 ? missing : size < least ? -1 : more_samples(c, v);
    if (missing > 0)
        snprintf(rest, room, "too little to judge, at least %" PRId64 " more samples each.",
                 missing);
    else if (size < least)
        snprintf(rest, room, "no difference that matters was seen.");
    else if (v->n_needed < 0)
        snprintf(rest, room, "not told apart.");
    else
        snprintf(rest, room,
                 "not told apart; about %" PRId64 " more samples each would, if it stays.",
                 v->n_needed);
}

static void judge(const struct comparison *c, struct pair_result *r, enum metric m)
{
    struct pair_metric *v = &r->metrics[m];
    if (v->known) {
        judge_known(c, r, m);
        return;
    }
    v->n_needed = -1;
    snprintf(v->text, sizeof v->text, "%.60s and %.60s: not measured at the same time yet.",
             c->environments[r->a].name, c->environments[r->b].name);
}

void comparison_pair(struct comparison *c, const struct lanes *l)
{
    size_t n = c->n_environments;
    c->pairs = arena_array(&c->arena, n * n / 2, sizeof *c->pairs);
    struct paired_block *blocks = mem_array(l->n_blocks + 1, sizeof *blocks);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = a + 1; b < n; b++) {
            struct pair_result *r = &c->pairs[c->n_pairs++];
            r->a = a;
            r->b = b;
            for (enum metric m = 0; m < N_COMPARED; m++)
                ask(c, l, r, m, blocks);
        }
    }
    free(blocks);
    correct(c);
    for (size_t i = 0; i < c->n_pairs; i++)
        for (enum metric m = 0; m < N_COMPARED; m++)
            judge(c, &c->pairs[i], m);
}
