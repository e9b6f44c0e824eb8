#include "base/buf.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/inner.h"

#include <stdlib.h>
#include <string.h>

/* Raw samples: written in batches, read in time order. */

/* --- Writing ---------------------------------------------------------------------------------- */

static void find_span(const struct sample *samples, size_t n, int64_t *ret_from, int64_t *ret_until)
{
    *ret_from = *ret_until = samples[0].at_ms;
    for (size_t i = 1; i < n; i++) {
        if (samples[i].at_ms < *ret_from)
            *ret_from = samples[i].at_ms;
        if (samples[i].at_ms > *ret_until)
            *ret_until = samples[i].at_ms;
    }
}

int batch_put(struct sql *sql, int64_t id, struct sample *samples, size_t n, struct err *e)
{
    int64_t from, until;
    struct buf data = BUF_INIT(BATCH_MAX_BYTES);
    find_span(samples, n, &from, &until);
    batch_encode(samples, n, &data);
    struct sql_value blob = sql_blob(data.data, data.len);
    int result =
        id ? sql_run(
                 sql,
                 "INSERT INTO batches (id, from_ms, until_ms, n, data)"
                 " VALUES (?1, ?2, ?3, ?4, ?5)",
                 SQL_VALUES(sql_int(id), sql_int(from), sql_int(until), sql_int((int64_t)n), blob),
                 e)
           : sql_run(sql,
                     "INSERT INTO batches (from_ms, until_ms, n, data) VALUES (?1, ?2, ?3, ?4)",
                     SQL_VALUES(sql_int(from), sql_int(until), sql_int((int64_t)n), blob), e);
    buf_release(&data);
    return result;
}

static int check_all(const struct sample *samples, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (batch_check(&samples[i], e) < 0)
            return -1;
    return 0;
}

static int put_all(struct store *s, const struct sample *samples, size_t n, struct err *e)
{
    struct sample *part = mem_array(n < BATCH_MAX ? n : BATCH_MAX, sizeof(*part));
    int result = 0;
    for (size_t i = 0, size; i < n && result == 0; i += size) {
        size = n - i < BATCH_MAX ? n - i : BATCH_MAX;
        memcpy(part, samples + i, size * sizeof(*part));
        result = batch_put(s->sql, 0, part, size, e);
    }
    free(part);
    return result;
}

int sample_add(struct store *s, const struct sample *samples, size_t n, struct err *e)
{
    if (n == 0)
        return 0;
    if (check_all(samples, n, e) < 0 || write_begin(s, e) < 0)
        return -1;
    return write_end(s, put_all(s, samples, n, e), e);
}

/* --- From the first form: a row a sample ------------------------------------------------------ */

static struct sample read_row(const struct sql_query *q)
{
    return (struct sample){
        .series = sql_column_int(q, 0),
        .at_ms = sql_column_int(q, 1),
        .late_us = (int32_t)sql_column_int(q, 2),
        .outcome = (enum sample_outcome)sql_column_int(q, 3),
        .class_ = (enum sample_class)sql_column_int(q, 4),
        .status = (int32_t)sql_column_int(q, 5),
        .lookup_us = (int32_t)sql_column_int(q, 6),
        .connect_us = (int32_t)sql_column_int(q, 7),
        .tls_us = (int32_t)sql_column_int(q, 8),
        .first_byte_us = (int32_t)sql_column_int(q, 9),
        .total_us = (int32_t)sql_column_int(q, 10),
    };
}

/* What a sample stood for was not kept then: covers_ms is 0. */
static int pack_rows(struct sql *sql, struct sample *part, struct err *e)
{
    struct sql_query *q;
    size_t n = 0;
    if (sql_query(sql,
                  "SELECT series, at_ms, late_us, outcome, class, status, lookup_us, connect_us,"
                  " tls_us, first_byte_us, total_us FROM samples ORDER BY id",
                  NULL, &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        part[n] = read_row(q);
        if (batch_check(&part[n], e) < 0 ||
            (++n == BATCH_MAX && batch_put(sql, 0, part, n, e) < 0)) {
            sql_end(q);
            return -1;
        }
        n %= BATCH_MAX;
    }
    return more == 0 && n > 0 ? batch_put(sql, 0, part, n, e) : more;
}

int sample_pack_rows(struct sql *sql, struct err *e)
{
    struct sample *part = mem_array(BATCH_MAX, sizeof(*part));
    int result = pack_rows(sql, part, e);
    free(part);
    return result < 0 ? -1 : sql_script(sql, "DROP TABLE samples", e);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Batches come by their first time. Samples wait until no later batch can hold an earlier one. */
struct waiting {
    struct sample v;
    uint64_t order; /* as they came: for those of one time */
};

struct reading {
    int64_t series, from, until;
    sample_fn *fn;
    void *arg;
    struct sample *batch; /* BATCH_MAX */
    struct waiting *waiting;
    size_t n, cap;
    uint64_t came;
};

static int by_time(const void *x, const void *y)
{
    const struct waiting *a = x, *b = y;
    if (a->v.at_ms != b->v.at_ms)
        return a->v.at_ms < b->v.at_ms ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Those before `until`, which are at the front. */
static void hand_out(struct reading *r, int64_t until)
{
    size_t done = 0;
    for (; done < r->n && r->waiting[done].v.at_ms < until; done++)
        r->fn(&r->waiting[done].v, r->arg);
    if (done > 0) /* there may be no memory at all yet */
        memmove(r->waiting, r->waiting + done, (r->n - done) * sizeof(*r->waiting));
    r->n -= done;
}

static void take_in(struct reading *r, size_t n_batch)
{
    size_t before = r->n;
    for (size_t i = 0; i < n_batch; i++) {
        const struct sample *v = &r->batch[i];
        if (v->at_ms < r->from || v->at_ms >= r->until || (r->series && v->series != r->series))
            continue;
        if (r->n == r->cap) {
            r->cap = r->cap ? 2 * r->cap : 1024;
            r->waiting = mem_grow(r->waiting, r->cap, sizeof(*r->waiting));
        }
        r->waiting[r->n++] = (struct waiting){*v, r->came++};
    }
    if (r->n > before)
        qsort(r->waiting, r->n, sizeof(*r->waiting), by_time);
}

static int read_batches(struct store *s, struct reading *r, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT from_ms, data FROM batches WHERE from_ms < ?2 AND until_ms >= ?1"
                  " ORDER BY from_ms, id",
                  SQL_VALUES(sql_int(r->from), sql_int(r->until)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        size_t len;
        const void *data = sql_column_blob(q, 1, &len);
        hand_out(r, sql_column_int(q, 0));
        int n = batch_decode(data, len, r->batch);
        if (n < 0)
            s->damaged++;
        else
            take_in(r, (size_t)n);
    }
    if (more == 0)
        hand_out(r, INT64_MAX);
    return more;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int sample_read(struct store *s, int64_t series, int64_t from, int64_t until, sample_fn *fn,
                void *arg, struct err *e)
{
    struct reading r = {.series = series, .from = from, .until = until, .fn = fn, .arg = arg};
    r.batch = mem_array(BATCH_MAX, sizeof(*r.batch));
    int result = read_batches(s, &r, e);
    free(r.batch);
    free(r.waiting);
    return result;
}
