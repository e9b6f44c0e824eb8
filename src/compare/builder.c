#include "compare/builder.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct comparison_builder *comparison_begin(const struct comparison_options *o)
{
    assert(o->from_ms >= 0 && o->from_ms < o->until_ms);
    struct comparison_builder *b = mem_alloc(sizeof *b);
    b->options = *o;
    b->options.project = arena_strdup(&b->arena, o->project ? o->project : "");
    if (b->options.confidence == 0)
        b->options.confidence = 0.95;
    return b;
}

size_t comparison_environment(struct comparison_builder *b, const char *name)
{
    for (size_t i = 0; i < b->n_environments; i++)
        if (strcmp(b->environments[i]->name, name) == 0)
            return i;
    b->environments =
        mem_grow(b->environments, b->n_environments + 1, sizeof(struct environment_state *));
    struct environment_state *v = mem_alloc(sizeof *v);
    v->name = arena_strdup(&b->arena, name);
    b->environments[b->n_environments] = v;
    return b->n_environments++;
}

size_t comparison_series(struct comparison_builder *b, const struct comparison_series *s)
{
    if (b->n_series == b->room_series) {
        b->room_series = b->room_series ? 2 * b->room_series : 64;
        b->series = mem_grow(b->series, b->room_series, sizeof(struct series_state *));
    }
    struct series_state *v = mem_alloc(sizeof *v);
    v->environment = comparison_environment(b, s->environment);
    v->app = arena_strdup(&b->arena, s->app);
    v->instance = arena_strdup(&b->arena, s->instance);
    v->check = arena_strdup(&b->arena, s->check);
    v->every_ms = s->every_ms;
    v->pooled = s->pooled;
    b->series[b->n_series] = v;
    return b->n_series++;
}

static void add_tally(struct tally *to, const struct tally *from)
{
    to->ok += from->ok;
    to->slow += from->slow;
    to->failed += from->failed;
    to->inconclusive += from->inconclusive;
    to->missed += from->missed;
}

static void coarsen_series(const struct grid *g, int64_t factor, struct series_state *s)
{
    struct span_block wide[GRID_CELLS] = {{0}};
    for (int64_t cell = g->low; cell <= g->high; cell++) {
        const struct span_block *from = &s->cells[grid_slot(cell)];
        struct span_block *to = &wide[grid_slot(cell / factor)];
        to->n += from->n;
        to->sum_us += from->sum_us;
    }
    memcpy(s->cells, wide, sizeof wide);
}

static void coarsen_environment(const struct grid *g, int64_t factor, struct environment_state *v)
{
    struct environment_cell *wide = mem_array(GRID_CELLS, sizeof *wide);
    for (int64_t cell = g->low; cell <= g->high; cell++) {
        struct environment_cell *from = &v->cells[grid_slot(cell)];
        struct environment_cell *to = &wide[grid_slot(cell / factor)];
        sketch_merge(&to->times, &from->times);
        add_tally(&to->tally, &from->tally);
        sketch_release(&from->times);
    }
    memcpy(v->cells, wide, sizeof v->cells);
    free(wide);
}

static int place(struct comparison_builder *b, int64_t at_ms)
{
    int64_t factor;
    while ((factor = grid_factor(&b->grid, at_ms)) != 1) {
        for (size_t i = 0; i < b->n_series; i++)
            coarsen_series(&b->grid, factor, b->series[i]);
        for (size_t i = 0; i < b->n_environments; i++)
            coarsen_environment(&b->grid, factor, b->environments[i]);
        grid_coarsen(&b->grid, factor);
    }
    return grid_take(&b->grid, at_ms);
}

static void count(struct tally *t, enum comparison_outcome outcome)
{
    switch (outcome) {
    case COMPARISON_OK:
        t->ok++;
        return;
    case COMPARISON_SLOW:
        t->slow++;
        return;
    case COMPARISON_FAILED:
        t->failed++;
        return;
    case COMPARISON_INCONCLUSIVE:
        t->inconclusive++;
        return;
    case COMPARISON_MISSED:
        t->missed++;
        return;
    }
}

static bool was_answered(const struct comparison_sample *v)
{
    return v->outcome == COMPARISON_OK || v->outcome == COMPARISON_SLOW;
}

static void add_cold(struct series_state *s, const struct comparison_sample *v)
{
    if (was_answered(v))
        sketch_add(&s->cold, v->total_us);
    else
        s->cold_failed++;
}

static void add_warm(struct series_state *s, struct environment_cell *cell, int slot,
                     const struct comparison_sample *v)
{
    count(&s->tally, v->outcome);
    if (s->pooled)
        count(&cell->tally, v->outcome);
    if (!was_answered(v))
        return;
    sketch_add(&s->warm, v->total_us);
    s->cells[slot].n++;
    s->cells[slot].sum_us += (uint64_t)(v->total_us > 0 ? v->total_us : 0);
    if (s->pooled)
        sketch_add(&cell->times, v->total_us);
}

void comparison_add(struct comparison_builder *b, size_t series, const struct comparison_sample *v)
{
    assert(series < b->n_series);
    if (v->at_ms < b->options.from_ms || v->at_ms >= b->options.until_ms)
        return;
    struct series_state *s = b->series[series];
    struct environment_state *environment = b->environments[s->environment];
    int slot = place(b, v->at_ms);
    b->first_ms = !b->any || v->at_ms < b->first_ms ? v->at_ms : b->first_ms;
    b->last_ms = !b->any || v->at_ms > b->last_ms ? v->at_ms : b->last_ms;
    b->any = true;
    if (s->pooled && v->outcome != COMPARISON_MISSED)
        sketch_add(&environment->lateness, v->late_us);
    bool judged = was_answered(v) || v->outcome == COMPARISON_FAILED;
    if (v->cold && judged)
        add_cold(s, v);
    else
        add_warm(s, &environment->cells[slot], slot, v);
}
