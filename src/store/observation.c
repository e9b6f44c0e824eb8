#include "store/observation.h"

#include "base/buf.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/inner.h"

#include <stdlib.h>
#include <string.h>

enum { REPORTS_A_CALL = 256 };

static int check(const struct observation_report *r, struct err *e)
{
    if (r->n > OBSERVATION_SAMPLES_MAX)
        return err_set(e, ERR_BUG, "a report holds %zu samples; at most %d can be kept", r->n,
                       OBSERVATION_SAMPLES_MAX);
    for (size_t i = 0; i < r->n; i++)
        if (batch_check(&r->samples[i], e) < 0)
            return -1;
    return 0;
}

/* 1: its number is beyond the last one of its boot; that is noted. 0: it was stored before. */
static int mark(struct store *s, const struct observation_report *r, struct err *e)
{
    if (sql_run(s->sql,
                "INSERT INTO observation_marks (vantage, boot, sequence, noted_ms)"
                " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (vantage, boot) DO UPDATE"
                " SET sequence = excluded.sequence, noted_ms = excluded.noted_ms"
                " WHERE excluded.sequence > observation_marks.sequence",
                SQL_VALUES(sql_text(r->vantage), sql_text(r->boot), sql_int(r->sequence),
                           sql_int(clock_wall_ms(s->clock))),
                e) < 0)
        return -1;
    return sql_changes(s->sql) > 0;
}

static int put_samples(struct store *s, const struct observation_report *r, struct err *e)
{
    struct sample *samples = mem_array(r->n, sizeof(*samples));
    struct buf data = BUF_INIT(BATCH_MAX_BYTES);
    int64_t from = r->samples[0].at_ms, until = from;

    memcpy(samples, r->samples, r->n * sizeof(*samples));
    for (size_t i = 1; i < r->n; i++) {
        from = samples[i].at_ms < from ? samples[i].at_ms : from;
        until = samples[i].at_ms > until ? samples[i].at_ms : until;
    }
    batch_encode(samples, r->n, &data);
    int rc = sql_run(s->sql,
                     "INSERT INTO observations (vantage, from_ms, until_ms, n, data)"
                     " VALUES (?1, ?2, ?3, ?4, ?5)",
                     SQL_VALUES(sql_text(r->vantage), sql_int(from), sql_int(until),
                                sql_int((int64_t)r->n), sql_blob(data.data, data.len)),
                     e);
    buf_release(&data);
    free(samples);
    return rc;
}

static int add(struct store *s, const struct observation_report *r, bool *ret_new, struct err *e)
{
    int is_new = mark(s, r, e);

    if (is_new < 0)
        return -1;
    *ret_new = is_new;
    return is_new && r->n > 0 ? put_samples(s, r, e) : 0;
}

int observation_add(struct store *s, const struct observation_report *r, bool *ret_new,
                    struct err *e)
{
    bool is_new = false;

    if (check(r, e) < 0 || write_begin(s, e) < 0 || write_end(s, add(s, r, &is_new, e), e) < 0)
        return -1;
    *ret_new = is_new;
    return 0;
}

/* --- Reading and dropping -----------------------------------------------------------------------
 */

struct wanted {
    int64_t series, from, until;
    sample_fn *fn;
    void *arg;
};

static void hand_out(const struct wanted *w, const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct sample *v = &samples[i];
        if (v->at_ms >= w->from && v->at_ms < w->until &&
            (w->series == 0 || v->series == w->series))
            w->fn(v, w->arg);
    }
}

static int read_all(struct store *s, const char *vantage, const struct wanted *w,
                    struct sample *room, struct err *e)
{
    struct sql_query *q;
    int more;

    if (sql_query(s->sql,
                  "SELECT data FROM observations WHERE vantage = ?1 AND from_ms < ?3"
                  " AND until_ms >= ?2 ORDER BY id",
                  SQL_VALUES(sql_text(vantage), sql_int(w->from), sql_int(w->until)), &q, e) < 0)
        return -1;
    while ((more = sql_next(q, e)) == 1) {
        size_t len;
        const void *data = sql_column_blob(q, 0, &len);
        int n = batch_decode(data, len, room);
        if (n < 0)
            s->damaged++;
        else
            hand_out(w, room, (size_t)n);
    }
    return more;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int observation_read(struct store *s, const char *vantage, int64_t series, int64_t from,
                     int64_t until, sample_fn *fn, void *arg, struct err *e)
{
    const struct wanted w = {.series = series, .from = from, .until = until, .fn = fn, .arg = arg};
    struct sample *room = mem_array(BATCH_MAX, sizeof(*room));
    int rc = read_all(s, vantage, &w, room, e);

    free(room);
    return rc;
}

int observation_vantages(struct store *s, int64_t from, int64_t until, vantage_fn *fn, void *arg,
                         struct err *e)
{
    struct sql_query *q;
    int more;

    if (sql_query(s->sql,
                  "SELECT DISTINCT vantage FROM observations WHERE from_ms < ?2 AND until_ms >= ?1"
                  " ORDER BY vantage",
                  SQL_VALUES(sql_int(from), sql_int(until)), &q, e) < 0)
        return -1;
    while ((more = sql_next(q, e)) == 1)
        fn(sql_column_text(q, 0), arg);
    return more;
}

int observation_drop(struct store *s, int64_t before_ms, bool *ret_more, struct err *e)
{
    if (sql_run(s->sql,
                "DELETE FROM observations WHERE id IN"
                " (SELECT id FROM observations WHERE until_ms < ?1 LIMIT ?2)",
                SQL_VALUES(sql_int(before_ms), sql_int(REPORTS_A_CALL)), e) < 0)
        return -1;
    *ret_more |= sql_changes(s->sql) == REPORTS_A_CALL;
    return sql_run(s->sql, "DELETE FROM observation_marks WHERE noted_ms < ?1",
                   SQL_VALUES(sql_int(before_ms)), e);
}
