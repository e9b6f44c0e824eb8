#include "store/outage.h"

#include "base/clock.h"
#include "store/inner.h"

#include <string.h>

const char *outage_kind_name(enum outage_kind k)
{
    switch (k) {
    case OUTAGE_DOWN:
        return "down";
    case OUTAGE_BLIND:
        return "blind";
    }
    return "";
}

static enum outage_kind kind_of(const char *name)
{
    return strcmp(name, outage_kind_name(OUTAGE_BLIND)) == 0 ? OUTAGE_BLIND : OUTAGE_DOWN;
}

/* 1: found, 0: none is open, -1. */
static int find_open(struct store *s, const struct outage *want, int64_t *ret, struct err *e)
{
    return sql_number(
        s->sql, "SELECT id FROM outages WHERE series = ?1 AND kind = ?2 AND until_ms = 0",
        SQL_VALUES(sql_int(want->series), sql_text(outage_kind_name(want->kind))), ret, e);
}

static int find_or_add(struct store *s, const struct outage *want, int64_t *ret, struct err *e)
{
    int found = find_open(s, want, ret, e);
    if (found != 0)
        return found < 0 ? -1 : 0;
    if (sql_run(s->sql,
                "INSERT INTO outages (series, kind, from_ms, until_ms, noticed_ms,"
                " acknowledged_ms, reason) VALUES (?1, ?2, ?3, 0, ?4, 0, ?5)",
                SQL_VALUES(sql_int(want->series), sql_text(outage_kind_name(want->kind)),
                           sql_int(want->from_ms), sql_int(want->noticed_ms),
                           sql_text(want->reason)),
                e) < 0)
        return -1;
    return find_open(s, want, ret, e) < 0 ? -1 : 0;
}

int outage_open(struct store *s, const struct outage *want, int64_t *ret_id, struct err *e)
{
    int64_t id = 0;
    if (write_begin(s, e) < 0 || write_end(s, find_or_add(s, want, &id, e), e) < 0)
        return -1;
    *ret_id = id;
    return 0;
}

/* ERR_NO when the statement before found no row. */
static int check_found(struct store *s, int64_t id, struct err *e)
{
    if (sql_changes(s->sql) > 0)
        return 0;
    return err_set(e, ERR_NO, "there is no outage %lld", (long long)id);
}

/* It cannot end before it began, though the clock may say so; 0 would be an open one. */
static int end_outage(struct store *s, int64_t id, int64_t until_ms, struct err *e)
{
    if (sql_run(s->sql,
                "UPDATE outages SET until_ms = CASE WHEN until_ms <> 0 THEN until_ms"
                " WHEN ?2 > from_ms AND ?2 > 0 THEN ?2 WHEN from_ms > 0 THEN from_ms ELSE 1 END"
                " WHERE id = ?1",
                SQL_VALUES(sql_int(id), sql_int(until_ms)), e) < 0)
        return -1;
    return check_found(s, id, e);
}

int outage_close(struct store *s, int64_t id, int64_t until_ms, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, end_outage(s, id, until_ms, e), e);
}

/* The first one counts. */
static int acknowledge(struct store *s, int64_t id, int64_t at_ms, struct err *e)
{
    if (sql_run(s->sql,
                "UPDATE outages SET acknowledged_ms = CASE WHEN acknowledged_ms <> 0"
                " THEN acknowledged_ms ELSE ?2 END WHERE id = ?1",
                SQL_VALUES(sql_int(id), sql_int(at_ms)), e) < 0)
        return -1;
    return check_found(s, id, e);
}

int outage_acknowledge(struct store *s, int64_t id, int64_t at_ms, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, acknowledge(s, id, at_ms, e), e);
}

static struct outage read_columns(const struct sql_query *q)
{
    return (struct outage){
        .id = sql_column_int(q, 0),
        .series = sql_column_int(q, 1),
        .kind = kind_of(sql_column_text(q, 2)),
        .from_ms = sql_column_int(q, 3),
        .until_ms = sql_column_int(q, 4),
        .noticed_ms = sql_column_int(q, 5),
        .acknowledged_ms = sql_column_int(q, 6),
        .reason = sql_column_text(q, 7),
    };
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int outage_list(struct store *s, int64_t series, int64_t from_ms, int64_t until_ms, int limit,
                outage_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    /* One that was open for no time at all overlaps the moment it was at. */
    if (sql_query(s->sql,
                  "SELECT id, series, kind, from_ms, until_ms, noticed_ms, acknowledged_ms, reason"
                  " FROM outages WHERE from_ms < ?2"
                  " AND (CASE until_ms WHEN 0 THEN ?3 ELSE until_ms END > ?1 OR from_ms >= ?1)"
                  " AND (?4 = -1 OR series = ?4) ORDER BY from_ms DESC, id DESC LIMIT ?5",
                  SQL_VALUES(sql_int(from_ms), sql_int(until_ms), sql_int(clock_wall_ms(s->clock)),
                             sql_int(series), sql_int(limit > 0 ? limit : INT64_MAX)),
                  &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct outage i = read_columns(q);
        fn(&i, arg);
    }
    return more;
}
