#include "base/buf.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/cell.h"
#include "store/inner.h"

#include <stdlib.h>
#include <string.h>

/* From raw samples to cells. */

/* --- Cells and their rows --------------------------------------------------------------------- */

int cell_get(struct sql *sql, enum history_level l, int64_t id, struct history_cell *ret,
             struct err *e)
{
    static const char *const texts[HISTORY_LEVELS] = {
        "SELECT data FROM cells_ten_minutes WHERE id = ?1",
        "SELECT data FROM cells_two_hours WHERE id = ?1",
        "SELECT data FROM cells_day WHERE id = ?1",
    };
    struct sql_query *q;
    struct err damaged = ERR_INIT;
    if (sql_query(sql, texts[l], SQL_VALUES(sql_int(id)), &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    size_t len;
    const void *data = sql_column_blob(q, 0, &len);
    int result = cell_decode(data, len, ret, &damaged);
    sql_end(q);
    return result < 0 ? CELL_DAMAGED : 1;
}

int cell_put(struct sql *sql, enum history_level l, int64_t id, const struct history_cell *c,
             struct err *e)
{
    static const char *const texts[HISTORY_LEVELS] = {
        "INSERT INTO cells_ten_minutes (id, data) VALUES (?1, ?2)"
        " ON CONFLICT (id) DO UPDATE SET data = excluded.data",
        "INSERT INTO cells_two_hours (id, data) VALUES (?1, ?2)"
        " ON CONFLICT (id) DO UPDATE SET data = excluded.data",
        "INSERT INTO cells_day (id, data) VALUES (?1, ?2)"
        " ON CONFLICT (id) DO UPDATE SET data = excluded.data",
    };
    struct buf data = BUF_INIT(CELL_MAX_BYTES);
    cell_encode(c, &data);
    int result = sql_run(sql, texts[l], SQL_VALUES(sql_int(id), sql_blob(data.data, data.len)), e);
    buf_release(&data);
    return result;
}

/* --- One roll --------------------------------------------------------------------------------- */

struct roll {
    struct sql *sql;
    size_t max;
    int64_t mark; /* in: the last batch of earlier rolls; then of this one */
    int64_t *ids; /* of the batches that were read */
    struct sample *samples;
    size_t n_ids, ids_cap, n, cap;
    int64_t damaged;
    bool more;
};

static void roll_release(struct roll *r)
{
    free(r->ids);
    free(r->samples);
}

static int read_mark(struct roll *r, struct err *e)
{
    return sql_number(r->sql, "SELECT rolled FROM history_state", NULL, &r->mark, e) < 0 ? -1 : 0;
}

static void take_batch(struct roll *r, int64_t id, const void *data, size_t len)
{
    if (r->cap - r->n < BATCH_MAX) {
        r->cap = 2 * r->cap + BATCH_MAX;
        r->samples = mem_grow(r->samples, r->cap, sizeof(*r->samples));
    }
    int n = batch_decode(data, len, r->samples + r->n);
    r->mark = id;
    if (n < 0) {
        r->damaged++;
        return;
    }
    r->n += (size_t)n;
    if (r->n_ids == r->ids_cap) {
        r->ids_cap = r->ids_cap ? 2 * r->ids_cap : 64;
        r->ids = mem_grow(r->ids, r->ids_cap, sizeof(*r->ids));
    }
    r->ids[r->n_ids++] = id;
}

static int take_batches(struct roll *r, struct err *e)
{
    struct sql_query *q;
    if (sql_query(r->sql, "SELECT id, n, data FROM batches WHERE id > ?1 ORDER BY id",
                  SQL_VALUES(sql_int(r->mark)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        if (r->n > 0 && r->n + (size_t)sql_column_int(q, 1) > r->max) {
            r->more = true;
            sql_end(q);
            return 0;
        }
        size_t len;
        const void *data = sql_column_blob(q, 2, &len);
        take_batch(r, sql_column_int(q, 0), data, len);
    }
    return more;
}

/* The same samples in as few rows as hold them, under the last of the old numbers. */
static int pack_batches(struct roll *r, struct err *e)
{
    size_t n_rows = (r->n + BATCH_MAX - 1) / BATCH_MAX;
    if (n_rows >= r->n_ids)
        return 0;
    for (size_t i = 0; i < r->n_ids; i++)
        if (sql_run(r->sql, "DELETE FROM batches WHERE id = ?1", SQL_VALUES(sql_int(r->ids[i])),
                    e) < 0)
            return -1;
    for (size_t i = 0; i < n_rows; i++) {
        size_t first = i * BATCH_MAX, n = r->n - first < BATCH_MAX ? r->n - first : BATCH_MAX;
        if (batch_put(r->sql, r->ids[r->n_ids - n_rows + i], r->samples + first, n, e) < 0)
            return -1;
    }
    return 0;
}

/* n samples of one cell. */
static int add_to_cell(struct roll *r, enum history_level l, const struct sample *samples, size_t n,
                       struct err *e)
{
    struct history_cell c = {0};
    int64_t id = cell_id(l, samples[0].series, cell_floor(l, samples[0].at_ms));
    int found = cell_get(r->sql, l, id, &c, e);
    if (found == -1)
        return -1;
    r->damaged += found == CELL_DAMAGED; /* what was in it is lost; it begins anew */
    for (size_t i = 0; i < n; i++)
        history_cell_add(&c, &samples[i]);
    int result = cell_put(r->sql, l, id, &c, e);
    history_cell_release(&c);
    return result;
}

static int add_to_level(struct roll *r, enum history_level l, struct err *e)
{
    for (size_t i = 0, n; i < r->n; i += n) {
        const struct sample *first = &r->samples[i];
        int64_t end_ms = cell_floor(l, first->at_ms) + history_level_ms(l);
        for (n = 1; i + n < r->n && first[n].series == first->series && first[n].at_ms < end_ms;)
            n++;
        if (add_to_cell(r, l, first, n, e) < 0)
            return -1;
    }
    return 0;
}

static int roll_some(struct roll *r, struct err *e)
{
    if (read_mark(r, e) < 0)
        return -1;
    int64_t before = r->mark;
    if (take_batches(r, e) < 0)
        return -1;
    if (r->mark == before)
        return 0;
    if (pack_batches(r, e) < 0)
        return -1;
    if (r->n > 0)
        batch_sort(r->samples, r->n);
    for (enum history_level l = 0; l < HISTORY_LEVELS; l++)
        if (add_to_level(r, l, e) < 0)
            return -1;
    return sql_run(r->sql, "UPDATE history_state SET rolled = ?1, damaged = damaged + ?2",
                   SQL_VALUES(sql_int(r->mark), sql_int(r->damaged)), e);
}

int history_roll(struct store *s, size_t max, bool *ret_more, struct err *e)
{
    struct roll r = {.sql = s->sql, .max = max};
    if (write_begin(s, e) < 0)
        return -1;
    int result = write_end(s, roll_some(&r, e), e);
    if (result == 0)
        *ret_more = r.more;
    roll_release(&r);
    return result;
}
