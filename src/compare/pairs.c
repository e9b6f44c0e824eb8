#include "compare/builder.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { SEED = 20221 }; /* the same data gives the same verdicts */

/* Everything that is asked, while it is asked. */
struct asking {
    const struct comparison *c;
    const struct lanes *lanes;
    struct paired_block *blocks;
    struct verdict_pair *verdicts; /* [pair * N_COMPARED + metric] */
    double *shapes;                /* of the pairs that are known */
    size_t n_shapes;
};

double pair_least_difference(enum metric m, double a, double b)
{
    return metric_is_time(m) ? fmax(VERDICT_MIN_MS, VERDICT_MIN_RATIO * fmin(a, b))
                             : VERDICT_MIN_RATE;
}

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

static void ask(struct asking *x, size_t pair, enum metric m)
{
    const struct comparison *c = x->c;
    struct pair_result *r = &c->pairs[pair];
    const struct block_data *a = lane_of(x->lanes, m, r->a), *b = lane_of(x->lanes, m, r->b);
    for (size_t i = 0; i < x->lanes->n_blocks; i++)
        x->blocks[i] = (struct paired_block){side_of(&a[i], m), side_of(&b[i], m)};
    struct verdict_pair *v = &x->verdicts[pair * N_COMPARED + m];
    *v = (struct verdict_pair){.metric = m,
                               .a = r->a,
                               .b = r->b,
                               .name_a = c->environments[r->a].name,
                               .name_b = c->environments[r->b].name};
    struct paired_question q = verdict_question(m, c->options.confidence, SEED + (uint64_t)m);
    q.resamples = c->options.resamples;
    paired_compare(x->blocks, x->lanes->n_blocks, &q, &v->answer);
    if (m == METRIC_UPTIME) { /* the time was seen by that many requests */
        v->answer.n_a = v[METRIC_SUCCESS - METRIC_UPTIME].answer.n_a;
        v->answer.n_b = v[METRIC_SUCCESS - METRIC_UPTIME].answer.n_b;
    }
    if (m == METRIC_AVG && v->answer.known) {
        r->shape.known = true;
        r->shape.p = paired_shape(x->blocks, x->lanes->n_blocks, c->options.resamples, SEED);
        x->shapes[x->n_shapes++] = r->shape.p;
    }
}

/* What was judged in microseconds is shown in milliseconds. */
static struct pair_metric result_of(const struct verdict_pair *v)
{
    double unit = metric_is_time(v->metric) ? 1000 : 1;
    struct pair_metric r = {
        .known = v->answer.known,
        .a = v->answer.a / unit,
        .b = v->answer.b / unit,
        .difference = v->answer.difference,
        .p = v->answer.p,
        .p_adjusted = v->p_adjusted,
        .n_a = v->answer.n_a,
        .n_b = v->answer.n_b,
        .blocks = v->answer.stretches,
        .verdict = v->kind,
        .n_needed = v->n_needed,
    };
    r.difference.value /= unit;
    r.difference.low /= unit;
    r.difference.high /= unit;
    for (size_t i = 0; i < sizeof r.text - 1 && v->text[i]; i++)
        r.text[i] = v->text[i];
    return r;
}

static void keep(struct comparison *c, const struct asking *x)
{
    size_t shape = 0;
    for (size_t i = 0; i < c->n_pairs; i++) {
        struct pair_result *r = &c->pairs[i];
        for (enum metric m = 0; m < N_COMPARED; m++) {
            r->metrics[m] = result_of(&x->verdicts[i * N_COMPARED + m]);
            c->n_tests += r->metrics[m].known;
        }
        r->shape.p_adjusted = r->shape.known ? x->shapes[shape++] : 1;
        r->shape.differs = r->shape.p_adjusted <= 1 - c->options.confidence;
    }
    c->n_tests += x->n_shapes;
}

void comparison_pair(struct comparison *c, const struct lanes *l)
{
    size_t n = c->n_environments;
    c->pairs = arena_array(&c->arena, n * n / 2, sizeof *c->pairs);
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            c->pairs[c->n_pairs++] = (struct pair_result){.a = a, .b = b};
    struct asking x = {
        .c = c,
        .lanes = l,
        .blocks = mem_array(l->n_blocks + 1, sizeof *x.blocks),
        .verdicts = mem_array(c->n_pairs * N_COMPARED + 1, sizeof *x.verdicts),
        .shapes = mem_array(c->n_pairs + 1, sizeof *x.shapes),
    };
    for (size_t i = 0; i < c->n_pairs; i++)
        for (enum metric m = 0; m < N_COMPARED; m++)
            ask(&x, i, m);
    verdict_judge_pairs(x.verdicts, c->n_pairs * N_COMPARED, x.shapes, x.n_shapes,
                        c->options.confidence);
    keep(c, &x);
    comparison_name_wins(c, x.verdicts, c->n_pairs * N_COMPARED);
    free(x.blocks);
    free(x.verdicts);
    free(x.shapes);
}
