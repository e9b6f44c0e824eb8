#include "store/history.h"

#include "base/mem.h"
#include "store/batch.h"
#include "store/cell.h"
#include "store/inner.h"

#include <stdlib.h>

/*
 * Reading a window. What is covered has three parts: a cut piece of a 10-minute stretch at either
 * edge, made of raw samples, and between them, on 10-minute bounds, cells and those raw samples
 * that are not in cells yet.
 */

struct span {
    int64_t from, until;
};

struct reading {
    struct store *store;
    int64_t series; /* 0 = all */
    enum history_level coarsest;
    history_fn *fn;
    void *arg;

    int64_t mark, samples_since, since[HISTORY_LEVELS];
    struct span all, inner; /* the edges are what is in the first and not in the second */

    struct sample *batch; /* BATCH_MAX */
    struct sample *raw;   /* by 10-minute stretch, then series; those before `next` are given */
    size_t n, cap, next;
};

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* --- What can be covered ---------------------------------------------------------------------- */

static int read_state(struct reading *r, struct err *e)
{
    struct sql_query *q;
    if (sql_query(r->store->sql,
                  "SELECT rolled, samples_since, ten_minutes_since, two_hours_since, days_since"
                  " FROM history_state",
                  NULL, &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    r->mark = sql_column_int(q, 0);
    r->samples_since = sql_column_int(q, 1);
    for (int l = 0; l < HISTORY_LEVELS; l++)
        r->since[l] = sql_column_int(q, 2 + l);
    sql_end(q);
    return 0;
}

/* Outwards to the finest that is still kept. */
static int64_t round_from(const struct reading *r, int64_t from)
{
    if (from >= r->samples_since)
        return from;
    for (enum history_level l = 0; l <= r->coarsest; l++)
        if (cell_floor(l, from) >= r->since[l])
            return cell_floor(l, from);
    return cell_ceil(r->coarsest, r->since[r->coarsest]);
}

static int64_t round_until(const struct reading *r, int64_t until)
{
    if (cell_floor(HISTORY_TEN_MINUTES, until) >= r->samples_since)
        return until;
    for (enum history_level l = 0; l <= r->coarsest; l++)
        if (cell_floor(l, until) >= r->since[l])
            return cell_ceil(l, until);
    return until;
}

static void choose_spans(struct reading *r, const struct history_window *w)
{
    int64_t from = clamp(w->from_ms, -BATCH_TIME_MAX, BATCH_TIME_MAX);
    int64_t until = clamp(w->until_ms, from, BATCH_TIME_MAX);
    r->all.from = round_from(r, from);
    r->all.until = round_until(r, until);
    if (r->all.until < r->all.from)
        r->all.until = r->all.from;
    r->inner.from = cell_ceil(HISTORY_TEN_MINUTES, r->all.from);
    if (r->inner.from > r->all.until)
        r->inner.from = r->all.until;
    r->inner.until = cell_floor(HISTORY_TEN_MINUTES, r->all.until);
    if (r->inner.until < r->inner.from)
        r->inner.until = r->inner.from;
}

/* --- Raw samples ------------------------------------------------------------------------------ */

static void take_raw(struct reading *r, const struct sample *v, const struct span *part)
{
    if (v->at_ms < part->from || v->at_ms >= part->until || (r->series && v->series != r->series))
        return;
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 1024;
        r->raw = mem_grow(r->raw, r->cap, sizeof(*r->raw));
    }
    r->raw[r->n++] = *v;
}

/* The samples that lie in one part: all, or those of the batches behind the mark. */
static int read_raw(struct reading *r, bool behind, const struct span *part, struct err *e)
{
    struct sql_query *q;
    struct sql_value from = sql_int(part->from), until = sql_int(part->until);
    if (part->from >= part->until)
        return 0;
    int started = behind ? sql_query(r->store->sql,
                                     "SELECT data FROM batches WHERE id > ?3 AND from_ms < ?2"
                                     " AND until_ms >= ?1",
                                     SQL_VALUES(from, until, sql_int(r->mark)), &q, e)
                         : sql_query(r->store->sql,
                                     "SELECT data FROM batches WHERE from_ms < ?2"
                                     " AND until_ms >= ?1",
                                     SQL_VALUES(from, until), &q, e);
    if (started < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        size_t len;
        const void *data = sql_column_blob(q, 0, &len);
        int n = batch_decode(data, len, r->batch);
        r->store->damaged += n < 0;
        for (int i = 0; i < n; i++)
            take_raw(r, &r->batch[i], part);
    }
    return more;
}

static int by_stretch_and_series(const void *x, const void *y)
{
    const struct sample *a = x, *b = y;
    int64_t a_start = cell_floor(HISTORY_TEN_MINUTES, a->at_ms);
    int64_t b_start = cell_floor(HISTORY_TEN_MINUTES, b->at_ms);
    if (a_start != b_start)
        return a_start < b_start ? -1 : 1;
    return (a->series > b->series) - (a->series < b->series);
}

static int read_all_raw(struct reading *r, struct err *e)
{
    struct span left = {r->all.from, r->inner.from}, right = {r->inner.until, r->all.until};
    if (read_raw(r, false, &left, e) < 0 || read_raw(r, true, &r->inner, e) < 0 ||
        read_raw(r, false, &right, e) < 0)
        return -1;
    if (r->n > 0)
        qsort(r->raw, r->n, sizeof(*r->raw), by_stretch_and_series);
    return 0;
}

/* Adds the next samples that lie in one stretch of one series. */
static void add_stretch(struct reading *r, struct history_cell *c)
{
    const struct sample *first = &r->raw[r->next];
    while (r->next < r->n && by_stretch_and_series(first, &r->raw[r->next]) == 0)
        history_cell_add(c, &r->raw[r->next++]);
}

/* Gives the stretches before this place. */
static void give_raw(struct reading *r, int64_t start_ms, int64_t series)
{
    const struct sample place = {.at_ms = start_ms, .series = series};
    while (r->next < r->n && by_stretch_and_series(&r->raw[r->next], &place) < 0) {
        struct history_cell c = {0};
        const struct sample *first = &r->raw[r->next];
        int64_t start = cell_floor(HISTORY_TEN_MINUTES, first->at_ms);
        int64_t end = start + history_level_ms(HISTORY_TEN_MINUTES);
        start = clamp(start, r->all.from, first->at_ms);
        end = clamp(end, first->at_ms, r->all.until);
        add_stretch(r, &c);
        r->fn(first->series, start, end - start, &c, r->arg);
        history_cell_release(&c);
    }
}

/* --- Cells ------------------------------------------------------------------------------------ */

static int cover(struct reading *r, int level, int64_t series, struct span part, struct err *e);

/* Raw samples of the same stretch come in the same cell. */
static void give_cell(struct reading *r, enum history_level l, int64_t id, struct history_cell *c)
{
    int64_t series = cell_series(id), start_ms = cell_start_ms(l, id);
    const struct sample place = {.at_ms = start_ms, .series = series};
    give_raw(r, start_ms, l == HISTORY_TEN_MINUTES ? series : 0);
    if (l == HISTORY_TEN_MINUTES && r->next < r->n &&
        by_stretch_and_series(&r->raw[r->next], &place) == 0)
        add_stretch(r, c);
    r->fn(series, start_ms, history_level_ms(l), c, r->arg);
}

static int give_row(struct reading *r, enum history_level l, int64_t id, const struct sql_query *q,
                    struct err *e)
{
    struct history_cell c = {0};
    struct err damaged = ERR_INIT;
    size_t len;
    const void *data = sql_column_blob(q, 1, &len);
    if (cell_decode(data, len, &c, &damaged) < 0) {
        int64_t start_ms = cell_start_ms(l, id);
        r->store->damaged++;
        return cover(r, (int)l - 1, cell_series(id),
                     (struct span){start_ms, start_ms + history_level_ms(l)}, e);
    }
    give_cell(r, l, id, &c);
    history_cell_release(&c);
    return 0;
}

/* The rows with ids in [first, end). */
static int give_rows(struct reading *r, enum history_level l, int64_t first, int64_t end,
                     struct err *e)
{
    static const char *const texts[HISTORY_LEVELS] = {
        "SELECT id, data FROM cells_ten_minutes WHERE id >= ?1 AND id < ?2 ORDER BY id",
        "SELECT id, data FROM cells_two_hours WHERE id >= ?1 AND id < ?2 ORDER BY id",
        "SELECT id, data FROM cells_day WHERE id >= ?1 AND id < ?2 ORDER BY id",
    };
    struct sql_query *q;
    if (sql_query(r->store->sql, texts[l], SQL_VALUES(sql_int(first), sql_int(end)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        if (give_row(r, l, sql_column_int(q, 0), q, e) < 0) {
            sql_end(q);
            return -1;
        }
    }
    return more;
}

/* Where there are cells at all; *ret empty when there are none. */
static int read_extent(struct reading *r, enum history_level l, struct span *ret, struct err *e)
{
    static const char *const texts[HISTORY_LEVELS] = {
        "SELECT count(*), min(id), max(id) FROM (SELECT min(id) AS id FROM cells_ten_minutes"
        " UNION ALL SELECT max(id) FROM cells_ten_minutes) WHERE id IS NOT NULL",
        "SELECT count(*), min(id), max(id) FROM (SELECT min(id) AS id FROM cells_two_hours"
        " UNION ALL SELECT max(id) FROM cells_two_hours) WHERE id IS NOT NULL",
        "SELECT count(*), min(id), max(id) FROM (SELECT min(id) AS id FROM cells_day"
        " UNION ALL SELECT max(id) FROM cells_day) WHERE id IS NOT NULL",
    };
    struct sql_query *q;
    *ret = (struct span){0};
    if (sql_query(r->store->sql, texts[l], NULL, &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    if (sql_column_int(q, 0) > 0)
        *ret = (struct span){cell_start_ms(l, sql_column_int(q, 1)),
                             cell_start_ms(l, sql_column_int(q, 2)) + history_level_ms(l)};
    sql_end(q);
    return 0;
}

/* The cells of one length in a part that begins and ends with such. */
static int give_cells(struct reading *r, enum history_level l, int64_t series, struct span part,
                      struct err *e)
{
    struct span extent;
    if (series == 0)
        return give_rows(r, l, cell_id(l, 0, part.from), cell_id(l, 0, part.until), e);
    if (read_extent(r, l, &extent, e) < 0)
        return -1;
    int64_t end_ms = part.until < extent.until ? part.until : extent.until;
    for (int64_t at = part.from > extent.from ? part.from : extent.from; at < end_ms;
         at += history_level_ms(l)) {
        int64_t id = cell_id(l, series, at);
        if (give_rows(r, l, id, id + 1, e) < 0)
            return -1;
    }
    return 0;
}

/* A part on 10-minute bounds: the longest cells that fit, and what is left at either side with the
 * next shorter ones. NOLINTNEXTLINE(misc-no-recursion): once a level */
static int cover(struct reading *r, int level, int64_t series, struct span part, struct err *e)
{
    if (level < 0 || part.from >= part.until)
        return 0;
    struct span whole = {cell_ceil(level, part.from), cell_floor(level, part.until)};
    if (whole.from >= whole.until)
        return cover(r, level - 1, series, part, e);
    if (cover(r, level - 1, series, (struct span){part.from, whole.from}, e) < 0 ||
        give_cells(r, (enum history_level)level, series, whole, e) < 0)
        return -1;
    return cover(r, level - 1, series, (struct span){whole.until, part.until}, e);
}

/* --- The whole -------------------------------------------------------------------------------- */

static int read_window(struct reading *r, const struct history_window *w, struct err *e)
{
    if (read_state(r, e) < 0)
        return -1;
    choose_spans(r, w);
    if (read_all_raw(r, e) < 0 || cover(r, (int)r->coarsest, r->series, r->inner, e) < 0)
        return -1;
    give_raw(r, INT64_MAX, 0);
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int history_read(struct store *s, const struct history_window *w, history_fn *fn, void *arg,
                 int64_t *ret_from, int64_t *ret_until, struct err *e)
{
    struct reading r = {
        .store = s, .series = w->series, .coarsest = w->coarsest, .fn = fn, .arg = arg};
    /* One state of the store for all of it: a roll in between would move samples into cells. */
    bool joined = sql_in_transaction(s->sql);
    if (!joined && sql_begin_read(s->sql, e) < 0)
        return -1;
    r.batch = mem_array(BATCH_MAX, sizeof(*r.batch));
    int result = read_window(&r, w, e);
    if (!joined)
        sql_rollback(s->sql);
    free(r.batch);
    free(r.raw);
    if (result < 0)
        return -1;
    if (ret_from)
        *ret_from = r.all.from;
    if (ret_until)
        *ret_until = r.all.until;
    return 0;
}
