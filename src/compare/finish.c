#include "compare/builder.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MEAN_BLOCKS = 30 }; /* Law 2015, "Simulation Modeling and Analysis", 9.5: 20 to 30 batches */

/* Everything that one environment's figures are made from. */
struct pool {
    struct sketch times;
    struct tally tally;
    struct block blocks[MEAN_BLOCKS];
};

static uint64_t judged(const struct tally *t)
{
    return t->ok + t->slow + t->failed;
}

static void pool_add(struct pool *p, const struct series_state *s, const struct grid *g)
{
    sketch_merge(&p->times, &s->warm);
    p->tally.ok += s->tally.ok;
    p->tally.slow += s->tally.slow;
    p->tally.failed += s->tally.failed;
    p->tally.inconclusive += s->tally.inconclusive;
    p->tally.missed += s->tally.missed;
    int64_t a_block = (g->high - g->low) / MEAN_BLOCKS + 1;
    for (int64_t cell = g->low; cell <= g->high; cell++) {
        const struct span_block *from = &s->cells[grid_slot(cell)];
        struct block *to = &p->blocks[(cell - g->low) / a_block];
        to->n += from->n;
        to->sum += (double)from->sum_us / 1000;
    }
}

static struct interval to_ms(struct interval v)
{
    v.value /= 1000;
    v.low /= 1000;
    v.high /= 1000;
    return v;
}

/* A time is never below zero, though the t interval of a few uneven stretches can be. */
static struct interval mean_time(const struct pool *p, double confidence)
{
    struct interval v = interval_mean(p->blocks, MEAN_BLOCKS, confidence);
    v.low = v.low < 0 ? 0 : v.low;
    return v;
}

static struct interval pool_interval(const struct pool *p, enum metric m, double confidence)
{
    switch (m) {
    case METRIC_AVG:
        return mean_time(p, confidence);
    case METRIC_P50:
        return to_ms(interval_quantile(&p->times, 0.50, confidence));
    case METRIC_P95:
        return to_ms(interval_quantile(&p->times, 0.95, confidence));
    case METRIC_SUCCESS:
        return interval_rate(p->tally.ok + p->tally.slow, judged(&p->tally), confidence);
    }
    return (struct interval){0};
}

static uint64_t pool_n(const struct pool *p, enum metric m)
{
    return metric_is_time(m) ? p->times.n : judged(&p->tally);
}

/* The samples from which pool_interval is bounded; for the mean, at the present rate a block. */
static uint64_t pool_n_least(const struct pool *p, enum metric m, double confidence)
{
    uint64_t used = 0;
    switch (m) {
    case METRIC_AVG:
        for (int i = 0; i < MEAN_BLOCKS; i++)
            used += p->blocks[i].n != 0;
        return used == 0 ? INTERVAL_MEAN_BLOCKS
                         : (p->times.n * INTERVAL_MEAN_BLOCKS + used - 1) / used;
    case METRIC_P50:
        return interval_samples(0.50, confidence);
    case METRIC_P95:
        return interval_samples(0.95, confidence);
    case METRIC_SUCCESS:
        return 1;
    }
    return 1;
}

static double target_of(const struct comparison_targets *t, enum metric m)
{
    switch (m) {
    case METRIC_AVG:
        return t->avg_ms;
    case METRIC_P50:
        return 0;
    case METRIC_P95:
        return t->p95_ms;
    case METRIC_SUCCESS:
        return t->success;
    }
    return 0;
}

/* --- Endpoints -------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct series_state *x = *(struct series_state *const *)a;
    const struct series_state *y = *(struct series_state *const *)b;
    int order = strcmp(x->app, y->app);
    if (order == 0)
        order = strcmp(x->instance, y->instance);
    return order != 0 ? order : strcmp(x->check, y->check);
}

static void fill_cell(struct endpoint_cell *cell, const struct series_state *s, double confidence)
{
    uint64_t answered = s->tally.ok + s->tally.slow;
    cell->tally = s->tally;
    cell->p50 = to_ms(interval_quantile(&s->warm, 0.50, confidence));
    cell->p95 = to_ms(interval_quantile(&s->warm, 0.95, confidence));
    cell->success = interval_rate(answered, judged(&s->tally), confidence);
    cell->cold = s->cold.n;
    cell->cold_failed = s->cold_failed;
}

/* Groups the series, which are sorted by name, into endpoints with a cell an environment. */
static void list_endpoints(const struct comparison_builder *b, struct comparison *c)
{
    c->endpoints = arena_array(&c->arena, b->n_series, sizeof *c->endpoints);
    for (size_t i = 0; i < b->n_series; i++) {
        const struct series_state *s = b->series[i];
        if (i == 0 || by_name(&b->series[i - 1], &b->series[i]) != 0) {
            c->endpoints[c->n_endpoints++] = (struct endpoint_result){
                .app = s->app,
                .instance = s->instance,
                .check = s->check,
                .cells = arena_array(&c->arena, c->n_environments, sizeof(struct endpoint_cell)),
            };
        }
        struct endpoint_result *endpoint = &c->endpoints[c->n_endpoints - 1];
        endpoint->every_ms = s->every_ms ? s->every_ms : endpoint->every_ms;
        endpoint->pooled |= s->pooled;
        fill_cell(&endpoint->cells[s->environment], s, c->options.confidence);
    }
}

/* Environments that have any judged warm request; the others do not narrow what is common. */
static bool *find_active(const struct comparison *c)
{
    bool *active = mem_array(c->n_environments + 1, sizeof *active);
    for (size_t i = 0; i < c->n_endpoints; i++)
        for (size_t v = 0; v < c->n_environments; v++)
            active[v] |= c->endpoints[i].pooled && judged(&c->endpoints[i].cells[v].tally) > 0;
    return active;
}

static void mark_common(struct comparison *c)
{
    bool *active = find_active(c);
    for (size_t i = 0; i < c->n_endpoints; i++) {
        struct endpoint_result *endpoint = &c->endpoints[i];
        if (!endpoint->pooled)
            continue;
        c->n_pooled++;
        endpoint->common = true;
        for (size_t v = 0; v < c->n_environments; v++)
            if (active[v] && judged(&endpoint->cells[v].tally) == 0)
                endpoint->common = false;
        c->n_common += endpoint->common;
    }
    free(active);
}

/* --- Environments ----------------------------------------------------------------------------- */

static struct lateness lateness_of(const struct sketch *s)
{
    return (struct lateness){
        .n = s->n,
        .p50_ms = sketch_quantile(s, 0.50) / 1000,
        .p95_ms = sketch_quantile(s, 0.95) / 1000,
        .max_ms = (double)s->max_us / 1000,
    };
}

static struct moment *moments_of(struct comparison *c, const struct comparison_builder *b,
                                 const struct environment_state *v)
{
    struct moment *moments = arena_array(&c->arena, c->n_moments, sizeof *moments);
    for (size_t i = 0; i < c->n_moments; i++) {
        int64_t number = b->grid.low + (int64_t)i;
        const struct environment_cell *cell = &v->cells[grid_slot(number)];
        moments[i] = (struct moment){
            .at_ms = number * b->grid.width_ms,
            .tally = cell->tally,
            .p50_ms = sketch_quantile(&cell->times, 0.50) / 1000,
            .p95_ms = sketch_quantile(&cell->times, 0.95) / 1000,
        };
    }
    return moments;
}

static void fill_cold(const struct comparison_builder *b, size_t environment,
                      struct environment_result *ret)
{
    struct sketch all = {0};
    for (size_t i = 0; i < b->n_series; i++) {
        if (b->series[i]->environment != environment || !b->series[i]->pooled)
            continue;
        sketch_merge(&all, &b->series[i]->cold);
        ret->cold.failed += b->series[i]->cold_failed;
    }
    struct figure *median = &ret->cold.median;
    median->interval = to_ms(interval_quantile(&all, 0.50, b->options.confidence));
    median->n = all.n;
    median->target = b->options.targets.cold_start_ms;
    median->state = target_judge(METRIC_P50, &median->interval, median->target);
    ret->cold.max_ms = (double)all.max_us / 1000;
    sketch_release(&all);
}

static void fill_environment(struct comparison *c, const struct comparison_builder *b,
                             size_t environment, struct pool *pool)
{
    struct environment_result *ret = &c->environments[environment];
    ret->name = b->environments[environment]->name;
    for (enum metric m = 0; m < N_METRICS; m++) {
        struct figure *f = &ret->figures[m];
        f->interval = pool_interval(pool, m, c->options.confidence);
        f->n = pool_n(pool, m);
        f->target = target_of(&c->options.targets, m);
        f->state = target_judge(m, &f->interval, f->target);
    }
    ret->tally = pool->tally;
    ret->lateness = lateness_of(&b->environments[environment]->lateness);
    ret->moments = moments_of(c, b, b->environments[environment]);
    ret->times = pool->times; /* handed over */
    fill_cold(b, environment, ret);
}

/* --- Verdicts --------------------------------------------------------------------------------- */

static const struct endpoint_result *endpoint_of(const struct comparison *c,
                                                 const struct comparison_builder *b, size_t series,
                                                 size_t *at)
{
    if (series > 0 && by_name(&b->series[series - 1], &b->series[series]) != 0)
        ++*at;
    return &c->endpoints[*at];
}

/* One pool an environment, of every pooled series or of those measured everywhere. */
static struct pool *make_pools(const struct comparison *c, const struct comparison_builder *b,
                               bool only_common)
{
    struct pool *pools = mem_array(c->n_environments + 1, sizeof *pools);
    size_t at = 0;
    for (size_t i = 0; i < b->n_series; i++) {
        const struct endpoint_result *endpoint = endpoint_of(c, b, i, &at);
        if (b->series[i]->pooled && (endpoint->common || !only_common))
            pool_add(&pools[b->series[i]->environment], b->series[i], &b->grid);
    }
    return pools;
}

static void judge(struct comparison *c, const struct pool *pools)
{
    double confidence = c->options.confidence;
    struct contender *contenders = mem_array(c->n_environments + 1, sizeof *contenders);
    for (enum metric m = 0; m < N_METRICS; m++) {
        for (size_t i = 0; i < c->n_environments; i++) {
            contenders[i] = (struct contender){
                .name = c->environments[i].name,
                .interval = pool_interval(&pools[i], m, confidence),
                .n = pool_n(&pools[i], m),
                .n_least = pool_n_least(&pools[i], m, confidence),
            };
        }
        verdict_judge(m, contenders, c->n_environments, &c->verdicts[m]);
    }
    free(contenders);
}

static void free_pools(struct pool *pools, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sketch_release(&pools[i].times);
    free(pools);
}

/* --- Start and end ---------------------------------------------------------------------------- */

static void builder_free(struct comparison_builder *b)
{
    for (size_t i = 0; i < b->n_series; i++) {
        sketch_release(&b->series[i]->warm);
        sketch_release(&b->series[i]->cold);
        free(b->series[i]);
    }
    for (size_t i = 0; i < b->n_environments; i++) {
        for (int cell = 0; cell < GRID_CELLS; cell++)
            sketch_release(&b->environments[i]->cells[cell].times);
        sketch_release(&b->environments[i]->lateness);
        free(b->environments[i]);
    }
    free(b->series);
    free(b->environments);
    free(b);
}

struct comparison *comparison_finish(struct comparison_builder *b)
{
    struct comparison *c = mem_alloc(sizeof *c);
    c->arena = b->arena; /* the names stay where they are */
    b->arena = ARENA_INIT;
    c->options = b->options;
    c->first_ms = b->first_ms;
    c->last_ms = b->last_ms;
    c->moment_ms = b->grid.width_ms;
    c->n_moments = b->any ? (size_t)(b->grid.high - b->grid.low + 1) : 0;
    c->n_environments = b->n_environments;
    c->environments = arena_array(&c->arena, c->n_environments, sizeof *c->environments);
    if (b->n_series > 0)
        qsort(b->series, b->n_series, sizeof(struct series_state *), by_name);
    list_endpoints(b, c);
    mark_common(c);
    struct pool *pools = make_pools(c, b, false);
    for (size_t i = 0; i < c->n_environments; i++)
        fill_environment(c, b, i, &pools[i]);
    free(pools); /* their sketches are the environments' now */
    pools = make_pools(c, b, true);
    judge(c, pools);
    free_pools(pools, c->n_environments);
    builder_free(b);
    return c;
}

void comparison_free(struct comparison *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_environments; i++)
        sketch_release(&c->environments[i].times);
    struct arena arena = c->arena;
    arena_release(&arena);
    free(c);
}
