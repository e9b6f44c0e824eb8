#include "compare/builder.h"

#include "base/mem.h"
#include "store/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hour_ms = 3600000;

const char *comparison_kind_name(enum comparison_kind k)
{
    static const char *const names[] = {[COMPARISON_REQUEST] = "request",
                                        [COMPARISON_DATABASE] = "database",
                                        [COMPARISON_OTHER] = "other"};
    return names[k];
}

void block_data_release(struct block_data *d)
{
    sketch_release(&d->times);
    *d = (struct block_data){0};
}

void block_data_merge(struct block_data *to, const struct block_data *from)
{
    sketch_merge(&to->times, &from->times);
    to->good += from->good;
    to->bad += from->bad;
    to->seen_ms += from->seen_ms;
    to->down_ms += from->down_ms;
    to->unseen_ms += from->unseen_ms;
}

struct comparison_builder *comparison_begin(const struct comparison_options *o)
{
    assert(o->from_ms >= 0 && o->from_ms < o->until_ms);
    struct comparison_builder *b = mem_alloc(sizeof *b);
    b->options = *o;
    b->options.project = arena_strdup(&b->arena, o->project ? o->project : "");
    if (b->options.confidence == 0)
        b->options.confidence = 0.95;
    b->moments.cells = MOMENTS;
    b->blocks.cells = BLOCKS;
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
    v->facts.cost_note = "";
    b->environments[b->n_environments] = v;
    return b->n_environments++;
}

void comparison_set_facts(struct comparison_builder *b, size_t environment,
                          const struct comparison_facts *f)
{
    assert(environment < b->n_environments);
    struct environment_state *v = b->environments[environment];
    v->facts = *f;
    v->facts.cost_note = arena_strdup(&b->arena, f->cost_note ? f->cost_note : "");
}

void comparison_set_before(struct comparison_builder *b, struct comparison *before)
{
    comparison_free(b->before);
    b->before = before;
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
    v->kind = s->kind;
    b->series[b->n_series] = v;
    return b->n_series++;
}

/* --- The time axes -----------------------------------------------------------------------------
 */

static void coarsen_series(const struct grid *g, int64_t factor, struct series_state *s)
{
    struct block_data wide[BLOCKS] = {{.good = 0}};
    for (int64_t cell = g->low; cell <= g->high; cell++) {
        struct block_data *from = &s->blocks[grid_slot(g, cell)];
        block_data_merge(&wide[grid_slot(g, cell / factor)], from);
        block_data_release(from);
    }
    memcpy(s->blocks, wide, sizeof wide);
}

static void add_tally(struct tally *to, const struct tally *from)
{
    to->ok += from->ok;
    to->slow += from->slow;
    to->failed += from->failed;
    to->inconclusive += from->inconclusive;
    to->missed += from->missed;
}

static void coarsen_environment(const struct grid *g, int64_t factor, struct environment_state *v)
{
    struct environment_cell wide[MOMENTS] = {{.tally.ok = 0}};
    for (int64_t cell = g->low; cell <= g->high; cell++) {
        struct environment_cell *from = &v->cells[grid_slot(g, cell)];
        struct environment_cell *to = &wide[grid_slot(g, cell / factor)];
        sketch_merge(&to->times, &from->times);
        add_tally(&to->tally, &from->tally);
        sketch_release(&from->times);
    }
    memcpy(v->cells, wide, sizeof wide);
}

static int place_moment(struct comparison_builder *b, int64_t at_ms, int64_t length_ms)
{
    int64_t factor;
    while ((factor = grid_factor_wide(&b->moments, at_ms, length_ms)) != 1) {
        for (size_t i = 0; i < b->n_environments; i++)
            coarsen_environment(&b->moments, factor, b->environments[i]);
        grid_coarsen(&b->moments, factor);
    }
    return grid_take(&b->moments, at_ms);
}

static int place_block(struct comparison_builder *b, int64_t at_ms, int64_t length_ms)
{
    int64_t factor;
    while ((factor = grid_factor_wide(&b->blocks, at_ms, length_ms)) != 1) {
        for (size_t i = 0; i < b->n_series; i++)
            coarsen_series(&b->blocks, factor, b->series[i]);
        grid_coarsen(&b->blocks, factor);
    }
    return grid_take(&b->blocks, at_ms);
}

struct place { /* where a stretch of one series belongs */
    struct series_state *series;
    struct environment_state *environment;
    struct block_data *block;
    struct environment_cell *moment;
    struct sketch *hour;
};

/* `length_ms` 0: a single sample. */
static struct place find_place(struct comparison_builder *b, size_t series, int64_t at_ms,
                               int64_t length_ms)
{
    struct series_state *s = b->series[series];
    struct environment_state *v = b->environments[s->environment];
    if (b->moments.width_ms == 0) { /* the first one sets both axes off */
        place_moment(b, at_ms, 0);
        place_block(b, at_ms, 0);
    }
    int moment = place_moment(b, at_ms, length_ms), block = place_block(b, at_ms, length_ms);
    int64_t last_ms = length_ms > 0 ? at_ms + length_ms - 1 : at_ms;
    b->first_ms = !b->any || at_ms < b->first_ms ? at_ms : b->first_ms;
    b->last_ms = !b->any || last_ms > b->last_ms ? last_ms : b->last_ms;
    b->longest_ms = length_ms > b->longest_ms ? length_ms : b->longest_ms;
    b->any = true;
    return (struct place){s, v, &s->blocks[block], &v->cells[moment],
                          &v->hours[at_ms / hour_ms % HOURS]};
}

/* --- Adding ------------------------------------------------------------------------------------
 */

static void add_counts(const struct place *at, const struct tally *t)
{
    add_tally(&at->series->tally, t);
    at->block->good += t->ok + t->slow;
    at->block->bad += t->failed;
    if (at->series->kind == COMPARISON_REQUEST)
        add_tally(&at->moment->tally, t);
}

static void add_time(const struct place *at, int64_t seen_ms, int64_t unseen_ms)
{
    at->series->time.seen_ms += seen_ms;
    at->series->time.unseen_ms += unseen_ms;
    at->block->seen_ms += seen_ms;
    at->block->unseen_ms += unseen_ms;
}

static bool was_answered(const struct comparison_sample *v)
{
    return v->outcome == COMPARISON_OK || v->outcome == COMPARISON_SLOW;
}

static bool was_judged(const struct comparison_sample *v)
{
    return was_answered(v) || v->outcome == COMPARISON_FAILED;
}

static void add_cold(struct series_state *s, const struct comparison_sample *v)
{
    if (was_answered(v))
        sketch_add(&s->cold, v->total_us);
    else
        s->cold_failed++;
}

static void add_warm(const struct place *at, const struct comparison_sample *v)
{
    add_counts(at, &(struct tally){.ok = v->outcome == COMPARISON_OK,
                                   .slow = v->outcome == COMPARISON_SLOW,
                                   .failed = v->outcome == COMPARISON_FAILED,
                                   .inconclusive = v->outcome == COMPARISON_INCONCLUSIVE,
                                   .missed = v->outcome == COMPARISON_MISSED});
    if (!was_answered(v))
        return;
    sketch_add(&at->series->warm, v->total_us);
    sketch_add(&at->block->times, v->total_us);
    if (at->series->kind != COMPARISON_REQUEST)
        return;
    sketch_add(&at->moment->times, v->total_us);
    sketch_add(at->hour, v->total_us);
}

void comparison_add(struct comparison_builder *b, size_t series, const struct comparison_sample *v)
{
    assert(series < b->n_series);
    if (v->at_ms < b->options.from_ms || v->at_ms >= b->options.until_ms)
        return;
    struct place at = find_place(b, series, v->at_ms, 0);
    bool seen = was_judged(v) || (v->outcome == COMPARISON_MISSED && v->extra); /* known: down */
    add_time(&at, seen ? v->covers_ms : 0, seen ? 0 : v->covers_ms);
    if (v->extra)
        return;
    if (at.series->kind == COMPARISON_REQUEST && v->outcome != COMPARISON_MISSED)
        sketch_add(&at.environment->lateness, v->late_us);
    if (v->cold && was_judged(v))
        add_cold(at.series, v);
    else
        add_warm(&at, v);
}

void comparison_add_cell(struct comparison_builder *b, size_t series, int64_t at_ms,
                         int64_t length_ms, const struct history_cell *c)
{
    assert(series < b->n_series && length_ms > 0 && at_ms >= 0);
    if (at_ms + length_ms <= b->options.from_ms || at_ms >= b->options.until_ms)
        return;
    struct place at = find_place(b, series, at_ms, length_ms);
    struct series_state *s = at.series;
    const uint64_t *warm = c->count[SAMPLE_WARM], *cold = c->count[SAMPLE_COLD];
    add_time(&at, (int64_t)c->seen_ms, (int64_t)c->unseen_ms);
    add_counts(&at, &(struct tally){
                        .ok = warm[SAMPLE_OK],
                        .slow = warm[SAMPLE_SLOW],
                        .failed = warm[SAMPLE_FAILED],
                        .inconclusive = warm[SAMPLE_INCONCLUSIVE] + cold[SAMPLE_INCONCLUSIVE],
                        .missed = warm[SAMPLE_MISSED] + cold[SAMPLE_MISSED],
                    });
    s->cold_failed += cold[SAMPLE_FAILED];
    sketch_merge(&s->cold, &c->times[SAMPLE_COLD]);
    sketch_merge(&s->warm, &c->times[SAMPLE_WARM]);
    sketch_merge(&at.block->times, &c->times[SAMPLE_WARM]);
    if (s->kind != COMPARISON_REQUEST)
        return;
    sketch_merge(&at.environment->lateness, &c->lateness);
    sketch_merge(&at.moment->times, &c->times[SAMPLE_WARM]);
    sketch_merge(at.hour, &c->times[SAMPLE_WARM]);
}

void comparison_add_down(struct comparison_builder *b, size_t series, int64_t from_ms,
                         int64_t until_ms)
{
    assert(series < b->n_series);
    struct series_state *s = b->series[series];
    from_ms = from_ms > b->options.from_ms ? from_ms : b->options.from_ms;
    until_ms = until_ms < b->options.until_ms ? until_ms : b->options.until_ms;
    if (from_ms >= until_ms)
        return;
    s->downs = mem_grow(s->downs, s->n_downs + 1, sizeof *s->downs);
    s->downs[s->n_downs++] = (struct down_time){from_ms, until_ms};
}

void builder_free(struct comparison_builder *b)
{
    for (size_t i = 0; i < b->n_series; i++) {
        sketch_release(&b->series[i]->warm);
        sketch_release(&b->series[i]->cold);
        for (int block = 0; block < BLOCKS; block++)
            block_data_release(&b->series[i]->blocks[block]);
        free(b->series[i]->downs);
        free(b->series[i]);
    }
    for (size_t i = 0; i < b->n_environments; i++) {
        for (int cell = 0; cell < MOMENTS; cell++)
            sketch_release(&b->environments[i]->cells[cell].times);
        for (int hour = 0; hour < HOURS; hour++)
            sketch_release(&b->environments[i]->hours[hour]);
        sketch_release(&b->environments[i]->lateness);
        free(b->environments[i]);
    }
    free(b->series);
    free(b->environments);
    free(b);
}
