#include "compare/builder.h"

#include "base/mem.h"
#include "compare/uptime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t judged(const struct tally *t)
{
    return t->ok + t->slow + t->failed;
}

static struct interval to_ms(struct interval v)
{
    v.value /= 1000;
    v.low /= 1000;
    v.high /= 1000;
    return v;
}

double comparison_target(const struct comparison_targets *t, enum metric m)
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
    case METRIC_UPTIME:
        return t->uptime;
    case METRIC_DB_QUERY:
        return t->db_query_ms;
    case METRIC_COLD_START:
        return t->cold_start_ms;
    }
    return 0;
}

/* --- Down time ---------------------------------------------------------------------------------
 */

static int64_t overlap(const struct down_time *d, int64_t from_ms, int64_t until_ms)
{
    int64_t from = d->from_ms > from_ms ? d->from_ms : from_ms;
    int64_t until = d->until_ms < until_ms ? d->until_ms : until_ms;
    return until > from ? until - from : 0;
}

/* Time that nobody saw is not down time: never more than what was seen in a stretch. */
static void spread_down_time(const struct comparison_builder *b, struct series_state *s)
{
    const struct grid *g = &b->blocks;
    for (int64_t cell = g->low; b->any && cell <= g->high; cell++) {
        struct block_data *d = &s->blocks[grid_slot(g, cell)];
        for (size_t i = 0; i < s->n_downs; i++)
            d->down_ms += overlap(&s->downs[i], cell * g->width_ms, (cell + 1) * g->width_ms);
        d->down_ms = d->down_ms < d->seen_ms ? d->down_ms : d->seen_ms;
        s->time.down_ms += d->down_ms;
    }
}

static struct uptime_block uptime_block_of(const struct block_data *d)
{
    return (struct uptime_block){d->seen_ms - d->down_ms, d->down_ms, d->unseen_ms};
}

static struct interval uptime_of(const struct series_state *s, double confidence)
{
    struct uptime_block blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = uptime_block_of(&s->blocks[i]);
    return interval_uptime(blocks, BLOCKS, judged(&s->tally), confidence).interval;
}

static void add_clock(struct clock_time *to, const struct clock_time *from)
{
    to->seen_ms += from->seen_ms;
    to->down_ms += from->down_ms;
    to->unseen_ms += from->unseen_ms;
}

/* --- Endpoints ---------------------------------------------------------------------------------
 */

int series_by_name(const void *a, const void *b)
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
    cell->time = s->time;
    cell->p50 = to_ms(interval_quantile(&s->warm, 0.50, confidence));
    cell->p95 = to_ms(interval_quantile(&s->warm, 0.95, confidence));
    cell->success = interval_rate(answered, judged(&s->tally), confidence);
    cell->uptime = uptime_of(s, confidence);
    cell->cold = to_ms(interval_quantile(&s->cold, 0.50, confidence));
    cell->cold_max_ms = (double)s->cold.max_us / 1000;
    cell->cold_n = s->cold.n;
    cell->cold_failed = s->cold_failed;
}

/* Groups the series, which are sorted by name, into endpoints with a cell an environment. */
static void list_endpoints(const struct comparison_builder *b, struct comparison *c)
{
    c->endpoints = arena_array(&c->arena, b->n_series, sizeof *c->endpoints);
    for (size_t i = 0; i < b->n_series; i++) {
        const struct series_state *s = b->series[i];
        if (i == 0 || series_by_name(&b->series[i - 1], &b->series[i]) != 0) {
            c->endpoints[c->n_endpoints++] = (struct endpoint_result){
                .app = s->app,
                .instance = s->instance,
                .check = s->check,
                .kind = s->kind,
                .cells = arena_array(&c->arena, c->n_environments, sizeof(struct endpoint_cell)),
            };
        }
        struct endpoint_result *endpoint = &c->endpoints[c->n_endpoints - 1];
        endpoint->every_ms = s->every_ms ? s->every_ms : endpoint->every_ms;
        fill_cell(&endpoint->cells[s->environment], s, c->options.confidence);
    }
}

/* Environments that have any judged warm request; the others do not narrow what is common. */
static bool *find_active(const struct comparison *c, enum comparison_kind kind)
{
    bool *active = mem_array(c->n_environments + 1, sizeof *active);
    for (size_t i = 0; i < c->n_endpoints; i++)
        for (size_t v = 0; v < c->n_environments; v++)
            active[v] |=
                c->endpoints[i].kind == kind && judged(&c->endpoints[i].cells[v].tally) > 0;
    return active;
}

static void mark_common(struct comparison *c, enum comparison_kind kind)
{
    bool *active = find_active(c, kind);
    for (size_t i = 0; i < c->n_endpoints; i++) {
        struct endpoint_result *endpoint = &c->endpoints[i];
        if (endpoint->kind != kind)
            continue;
        endpoint->common = true;
        for (size_t v = 0; v < c->n_environments; v++)
            if (active[v] && judged(&endpoint->cells[v].tally) == 0)
                endpoint->common = false;
        c->n_pooled += kind == COMPARISON_REQUEST;
        c->n_common += kind == COMPARISON_REQUEST && endpoint->common;
    }
    free(active);
}

/* --- What pairs and resampling work on ---------------------------------------------------------
 */

void lanes_init(struct lanes *l, const struct comparison *c, const struct comparison_builder *b)
{
    const struct grid *g = &b->blocks;
    *l = (struct lanes){.n_environments = c->n_environments,
                        .n_blocks = b->any ? (size_t)(g->high - g->low + 1) : 0};
    size_t n = l->n_environments * l->n_blocks, at = 0;
    l->requests = mem_array(n + 1, sizeof *l->requests);
    l->databases = mem_array(n + 1, sizeof *l->databases);
    for (size_t i = 0; i < b->n_series; i++) {
        if (i > 0 && series_by_name(&b->series[i - 1], &b->series[i]) != 0)
            at++;
        struct series_state *s = b->series[i];
        if (!c->endpoints[at].common)
            continue;
        struct block_data *lane = s->kind == COMPARISON_REQUEST ? l->requests : l->databases;
        lane += s->environment * l->n_blocks;
        for (size_t k = 0; k < l->n_blocks; k++)
            block_data_merge(&lane[k], &s->blocks[grid_slot(g, g->low + (int64_t)k)]);
    }
}

void lanes_release(struct lanes *l)
{
    for (size_t i = 0; i < l->n_environments * l->n_blocks; i++) {
        block_data_release(&l->requests[i]);
        block_data_release(&l->databases[i]);
    }
    free(l->requests);
    free(l->databases);
}

/* --- Environments ------------------------------------------------------------------------------
 */

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
        int64_t number = b->moments.low + (int64_t)i;
        const struct environment_cell *cell = &v->cells[grid_slot(&b->moments, number)];
        moments[i] = (struct moment){
            .at_ms = number * b->moments.width_ms,
            .tally = cell->tally,
            .p50_ms = sketch_quantile(&cell->times, 0.50) / 1000,
            .p95_ms = sketch_quantile(&cell->times, 0.95) / 1000,
        };
    }
    return moments;
}

static struct heat_cell *heat_of(struct comparison *c, const struct environment_state *v)
{
    struct heat_cell *heat = arena_array(&c->arena, c->n_heat, sizeof *heat);
    for (size_t i = 0; i < c->n_heat; i++) {
        struct sketch all = {0};
        for (int hour = 0; hour < c->heat_hours; hour++)
            sketch_merge(&all, &v->hours[i * (size_t)c->heat_hours + (size_t)hour]);
        heat[i] = (struct heat_cell){.n = all.n,
                                     .p50_ms = sketch_quantile(&all, 0.50) / 1000,
                                     .p95_ms = sketch_quantile(&all, 0.95) / 1000};
        sketch_release(&all);
    }
    return heat;
}

/* All of one environment's series together. */
struct pool {
    struct sketch times, databases, cold;
    struct tally tally;
    struct clock_time time;
    uint64_t cold_failed;
    struct block means[BLOCKS]; /* milliseconds */
    struct uptime_block uptime[BLOCKS];
};

static void pool_add_blocks(struct pool *p, const struct series_state *s)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        struct uptime_block u = uptime_block_of(&s->blocks[i]);
        p->means[i].n += s->blocks[i].times.n;
        p->means[i].sum += (double)s->blocks[i].times.sum_us / 1000;
        p->uptime[i].up_ms += u.up_ms;
        p->uptime[i].down_ms += u.down_ms;
        p->uptime[i].inconclusive_ms += u.inconclusive_ms;
    }
}

static void pool_add(struct pool *p, const struct series_state *s)
{
    if (s->kind == COMPARISON_DATABASE)
        sketch_merge(&p->databases, &s->warm);
    if (s->kind != COMPARISON_REQUEST)
        return;
    sketch_merge(&p->times, &s->warm);
    sketch_merge(&p->cold, &s->cold);
    p->cold_failed += s->cold_failed;
    p->tally.ok += s->tally.ok;
    p->tally.slow += s->tally.slow;
    p->tally.failed += s->tally.failed;
    p->tally.inconclusive += s->tally.inconclusive;
    p->tally.missed += s->tally.missed;
    add_clock(&p->time, &s->time);
    pool_add_blocks(p, s);
}

/* At most 30 stretches (Law 2015, "Simulation Modeling and Analysis", 9.5). A time is never below
 * zero, though the t interval of a few uneven stretches can be. */
static struct interval mean_time(const struct pool *p, const struct grid *g, double confidence)
{
    enum { STRETCHES = 30 };
    struct block joined[STRETCHES] = {{0}};
    size_t n = (size_t)(g->high - g->low + 1), a_block = (n + STRETCHES - 1) / STRETCHES;
    for (size_t i = 0; i < n; i++) {
        const struct block *from = &p->means[grid_slot(g, g->low + (int64_t)i)];
        joined[i / a_block].n += from->n;
        joined[i / a_block].sum += from->sum;
    }
    struct interval v = interval_mean(joined, STRETCHES, confidence);
    v.low = v.low < 0 ? 0 : v.low;
    return v;
}

static struct interval pool_interval(const struct pool *p, const struct grid *g, enum metric m,
                                     double confidence)
{
    switch (m) {
    case METRIC_AVG:
        return mean_time(p, g, confidence);
    case METRIC_P50:
        return to_ms(interval_quantile(&p->times, 0.50, confidence));
    case METRIC_P95:
        return to_ms(interval_quantile(&p->times, 0.95, confidence));
    case METRIC_SUCCESS:
        return interval_rate(p->tally.ok + p->tally.slow, judged(&p->tally), confidence);
    case METRIC_UPTIME:
        return interval_uptime(p->uptime, BLOCKS, judged(&p->tally), confidence).interval;
    case METRIC_DB_QUERY:
        return to_ms(interval_quantile(&p->databases, 0.50, confidence));
    case METRIC_COLD_START:
        return to_ms(interval_quantile(&p->cold, 0.50, confidence));
    }
    return (struct interval){0};
}

static uint64_t pool_n(const struct pool *p, enum metric m)
{
    switch (m) {
    case METRIC_AVG:
    case METRIC_P50:
    case METRIC_P95:
        return p->times.n;
    case METRIC_SUCCESS:
    case METRIC_UPTIME:
        return judged(&p->tally);
    case METRIC_DB_QUERY:
        return p->databases.n;
    case METRIC_COLD_START:
        return p->cold.n;
    }
    return 0;
}

static void fill_environment(struct comparison *c, const struct comparison_builder *b,
                             size_t environment, struct pool *pool)
{
    struct environment_result *ret = &c->environments[environment];
    const struct environment_state *state = b->environments[environment];
    ret->name = state->name;
    ret->facts = state->facts;
    for (enum metric m = 0; m < N_METRICS; m++) {
        struct figure *f = &ret->figures[m];
        f->interval = pool_interval(pool, &b->blocks, m, c->options.confidence);
        f->n = pool_n(pool, m);
        f->target = comparison_target(&c->options.targets, m);
        f->state = target_judge(m, &f->interval, f->target);
    }
    ret->tally = pool->tally;
    ret->time = pool->time;
    ret->cold = (struct cold_starts){(double)pool->cold.max_us / 1000, pool->cold_failed};
    ret->lateness = lateness_of(&state->lateness);
    ret->moments = moments_of(c, b, state);
    ret->heat = heat_of(c, state);
    ret->times = pool->times; /* handed over */
    sketch_release(&pool->databases);
    sketch_release(&pool->cold);
}

static void fill_environments(struct comparison *c, struct comparison_builder *b)
{
    struct pool *pools = mem_array(c->n_environments + 1, sizeof *pools);
    for (size_t i = 0; i < b->n_series; i++)
        pool_add(&pools[b->series[i]->environment], b->series[i]);
    for (size_t i = 0; i < c->n_environments; i++)
        fill_environment(c, b, i, &pools[i]);
    free(pools);
}

/* --- Start and end -----------------------------------------------------------------------------
 */

static int heat_hours(int64_t longest_ms)
{
    return longest_ms <= 3600000 ? 1 : longest_ms <= INT64_C(7200000) ? 2 : 0;
}

/* The method on this very data: halves of one environment, drawn at random. */
static void test_itself(struct comparison *c, const struct lanes *l)
{
    if (c->options.self_test_rounds == 0)
        return;
    struct paired_side *sides = mem_array(l->n_blocks + 1, sizeof *sides);
    c->self_tests = arena_array(&c->arena, c->n_environments, sizeof *c->self_tests);
    for (size_t i = 0; i < c->n_environments; i++) {
        for (size_t k = 0; k < l->n_blocks; k++) {
            const struct block_data *d = &l->requests[i * l->n_blocks + k];
            sides[k] = (struct paired_side){d->times.n > 0 ? &d->times : NULL, d->good, d->bad};
        }
        if (c->environments[i].times.n > 0)
            self_test_stored(sides, l->n_blocks, c->options.self_test_rounds, c->options.confidence,
                             i + 1, &c->self_tests[i]);
    }
    free(sides);
}

static void judge(struct comparison *c, const struct comparison_builder *b)
{
    struct lanes lanes;
    double *free_share = mem_array(c->n_environments + 1, sizeof *free_share);
    lanes_init(&lanes, c, b);
    comparison_pair(c, &lanes);
    comparison_recommend(c, &lanes, free_share);
    comparison_name_free(c, free_share);
    comparison_change(c);
    test_itself(c, &lanes);
    lanes_release(&lanes);
    free(free_share);
}

void comparison_drop(struct comparison_builder *b)
{
    comparison_free(b->before);
    arena_release(&b->arena);
    builder_free(b);
}

struct comparison *comparison_finish(struct comparison_builder *b)
{
    struct comparison *c = mem_alloc(sizeof *c);
    c->arena = b->arena; /* the names stay where they are */
    b->arena = ARENA_INIT;
    c->options = b->options;
    c->before = b->before;
    c->first_ms = b->first_ms;
    c->last_ms = b->last_ms;
    c->moment_ms = b->moments.width_ms;
    c->n_moments = b->any ? (size_t)(b->moments.high - b->moments.low + 1) : 0;
    c->heat_hours = heat_hours(b->longest_ms);
    c->n_heat = c->heat_hours && b->any ? (size_t)(HOURS / c->heat_hours) : 0;
    c->n_environments = b->n_environments;
    c->environments = arena_array(&c->arena, c->n_environments, sizeof *c->environments);
    if (b->n_series > 0)
        qsort(b->series, b->n_series, sizeof(struct series_state *), series_by_name);
    for (size_t i = 0; i < b->n_series; i++)
        spread_down_time(b, b->series[i]);
    list_endpoints(b, c);
    mark_common(c, COMPARISON_REQUEST);
    mark_common(c, COMPARISON_DATABASE);
    fill_environments(c, b);
    if (!c->options.figures_only)
        judge(c, b);
    builder_free(b);
    return c;
}

void comparison_free(struct comparison *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_environments; i++)
        sketch_release(&c->environments[i].times);
    comparison_free(c->before);
    struct arena arena = c->arena;
    arena_release(&arena);
    free(c);
}
