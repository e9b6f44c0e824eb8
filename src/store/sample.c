#include "store/inner.h"

#define COLUMNS                                                                                    \
    "series, at_ms, late_us, outcome, class, status, lookup_us, connect_us, tls_us,"               \
    " first_byte_us, total_us"

/* --- Series ----------------------------------------------------------------------------------- */

/* 1: found, 0: not there, -1. */
static int find_series(struct store *s, const struct sql_value *name, int64_t *ret, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT id FROM series WHERE environment = ?1 AND app = ?2 AND instance = ?3"
                  " AND check_name = ?4",
                  name, &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    *ret = sql_column_int(q, 0);
    sql_end(q);
    return 1;
}

static int make_series(struct store *s, const struct sql_value *name, int64_t *ret, struct err *e)
{
    /* Another process may have made it since we looked. */
    if (sql_run(s->sql,
                "INSERT INTO series (environment, app, instance, check_name)"
                " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                name, e) < 0)
        return -1;
    return find_series(s, name, ret, e) < 0 ? -1 : 0;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int series_id(struct store *s, const char *environment, const char *app, const char *instance,
              const char *check, int64_t *ret, struct err *e)
{
    const struct sql_value *name =
        SQL_VALUES(sql_text(environment), sql_text(app), sql_text(instance), sql_text(check));
    int64_t id = 0;
    int found = find_series(s, name, &id, e);
    if (found < 0)
        return -1;
    if (!found && (write_begin(s, e) < 0 || write_end(s, make_series(s, name, &id, e), e) < 0))
        return -1;
    *ret = id;
    return 0;
}

int series_list(struct store *s, series_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT id, environment, app, instance, check_name FROM series ORDER BY id", NULL,
                  &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct series r = {
            .id = sql_column_int(q, 0),
            .environment = sql_column_text(q, 1),
            .app = sql_column_text(q, 2),
            .instance = sql_column_text(q, 3),
            .check = sql_column_text(q, 4),
        };
        fn(&r, arg);
    }
    return more;
}

/* --- Samples ---------------------------------------------------------------------------------- */

static int insert(struct store *s, const struct sample *v, struct err *e)
{
    return sql_run(s->sql,
                   "INSERT INTO samples (" COLUMNS ")"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                   SQL_VALUES(sql_int(v->series), sql_int(v->at_ms), sql_int(v->late_us),
                              sql_int(v->outcome), sql_int(v->class_), sql_int(v->status),
                              sql_int(v->lookup_us), sql_int(v->connect_us), sql_int(v->tls_us),
                              sql_int(v->first_byte_us), sql_int(v->total_us)),
                   e);
}

int sample_add(struct store *s, const struct sample *samples, size_t n, struct err *e)
{
    if (n == 0)
        return 0;
    if (write_begin(s, e) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++)
        result = insert(s, &samples[i], e);
    return write_end(s, result, e);
}

static struct sample read_columns(const struct sql_query *q)
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

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int sample_read(struct store *s, int64_t series, int64_t from, int64_t until, sample_fn *fn,
                void *arg, struct err *e)
{
    struct sql_query *q;
    struct sql_value first = sql_int(from), end = sql_int(until);
    int started = series ? sql_query(s->sql,
                                     "SELECT " COLUMNS " FROM samples WHERE series = ?3"
                                     " AND at_ms >= ?1 AND at_ms < ?2 ORDER BY at_ms, id",
                                     SQL_VALUES(first, end, sql_int(series)), &q, e)
                         : sql_query(s->sql,
                                     "SELECT " COLUMNS " FROM samples"
                                     " WHERE at_ms >= ?1 AND at_ms < ?2 ORDER BY at_ms, id",
                                     SQL_VALUES(first, end), &q, e);
    if (started < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct sample v = read_columns(q);
        fn(&v, arg);
    }
    return more;
}
