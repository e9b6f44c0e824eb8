#include "store/history.h"

#include "store/batch.h"
#include "store/cell.h"
#include "store/inner.h"

/* Dropping what is old, and telling what there is. */

enum { BATCHES_A_CALL = 64, CELLS_A_CALL = 4096, DAY_MS = 86400000 };

/* Also when cells are to be kept for longer: what a shorter cell tells, a longer one tells too. */
static int64_t keep_at_most(enum history_level l, int64_t keep_ms)
{
    static const int64_t most[HISTORY_LEVELS] = {
        [HISTORY_TEN_MINUTES] = INT64_C(60) * DAY_MS,
        [HISTORY_TWO_HOURS] = INT64_C(400) * DAY_MS,
        [HISTORY_DAY] = INT64_MAX,
    };
    return keep_ms < most[l] ? keep_ms : most[l];
}

static int64_t cutoff(int64_t now_ms, int64_t keep_ms)
{
    int64_t at;
    return __builtin_sub_overflow(now_ms, keep_ms, &at) || at < -BATCH_TIME_MAX ? -BATCH_TIME_MAX
                                                                                : at;
}

static int drop_batches(struct store *s, int64_t before_ms, bool *ret_more, struct err *e)
{
    if (sql_run(s->sql, "UPDATE history_state SET samples_since = ?1 WHERE samples_since < ?1",
                SQL_VALUES(sql_int(before_ms)), e) < 0 ||
        sql_run(s->sql,
                "DELETE FROM batches WHERE id IN (SELECT id FROM batches WHERE from_ms < ?1"
                " AND until_ms < ?1 AND id <= (SELECT rolled FROM history_state) LIMIT ?2)",
                SQL_VALUES(sql_int(before_ms), sql_int(BATCHES_A_CALL)), e) < 0)
        return -1;
    *ret_more |= sql_changes(s->sql) == BATCHES_A_CALL;
    return 0;
}

/* A cell is dropped when all of it is old. */
static int drop_cells(struct store *s, enum history_level l, int64_t before_ms, bool *ret_more,
                      struct err *e)
{
    static const char *const marks[HISTORY_LEVELS] = {
        "UPDATE history_state SET ten_minutes_since = ?1 WHERE ten_minutes_since < ?1",
        "UPDATE history_state SET two_hours_since = ?1 WHERE two_hours_since < ?1",
        "UPDATE history_state SET days_since = ?1 WHERE days_since < ?1",
    };
    static const char *const drops[HISTORY_LEVELS] = {
        "DELETE FROM cells_ten_minutes WHERE id IN"
        " (SELECT id FROM cells_ten_minutes WHERE id < ?1 ORDER BY id LIMIT ?2)",
        "DELETE FROM cells_two_hours WHERE id IN"
        " (SELECT id FROM cells_two_hours WHERE id < ?1 ORDER BY id LIMIT ?2)",
        "DELETE FROM cells_day WHERE id IN"
        " (SELECT id FROM cells_day WHERE id < ?1 ORDER BY id LIMIT ?2)",
    };
    int64_t since = cell_floor(l, before_ms);
    if (sql_run(s->sql, marks[l], SQL_VALUES(sql_int(since)), e) < 0 ||
        sql_run(s->sql, drops[l], SQL_VALUES(sql_int(cell_id(l, 0, since)), sql_int(CELLS_A_CALL)),
                e) < 0)
        return -1;
    *ret_more |= sql_changes(s->sql) == CELLS_A_CALL;
    return 0;
}

/* Outages that were over before the oldest cells that are kept. */
static int drop_outages(struct store *s, int64_t before_ms, bool *ret_more, struct err *e)
{
    if (sql_run(s->sql,
                "DELETE FROM outages WHERE id IN (SELECT id FROM outages"
                " WHERE until_ms > 0 AND until_ms < ?1 ORDER BY id LIMIT ?2)",
                SQL_VALUES(sql_int(before_ms), sql_int(CELLS_A_CALL)), e) < 0)
        return -1;
    *ret_more |= sql_changes(s->sql) == CELLS_A_CALL;
    return 0;
}

/* Incidents likewise, with their timelines and the names of outages that are gone. */
static int drop_incidents(struct store *s, int64_t before_ms, bool *ret_more, struct err *e)
{
    if (sql_run(s->sql,
                "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents"
                " WHERE until_ms > 0 AND until_ms < ?1 ORDER BY id LIMIT ?2)",
                SQL_VALUES(sql_int(before_ms), sql_int(CELLS_A_CALL)), e) < 0)
        return -1;
    if (sql_changes(s->sql) == 0)
        return 0;
    *ret_more |= sql_changes(s->sql) == CELLS_A_CALL;
    if (sql_run(s->sql,
                "DELETE FROM incident_events WHERE incident NOT IN (SELECT id FROM incidents)",
                NULL, e) < 0)
        return -1;
    return sql_run(s->sql,
                   "DELETE FROM incident_outages WHERE incident NOT IN (SELECT id FROM incidents)",
                   NULL, e);
}

/* Changes of traffic, and orders that are no longer in force. */
static int drop_traffic(struct store *s, int64_t before_ms, bool *ret_more, struct err *e)
{
    if (sql_run(s->sql,
                "DELETE FROM traffic_changes WHERE id IN (SELECT id FROM traffic_changes"
                " WHERE decided_us / 1000 < ?1 ORDER BY id LIMIT ?2)",
                SQL_VALUES(sql_int(before_ms), sql_int(CELLS_A_CALL)), e) < 0)
        return -1;
    *ret_more |= sql_changes(s->sql) == CELLS_A_CALL;
    if (sql_run(s->sql,
                "DELETE FROM traffic_orders WHERE id IN (SELECT id FROM traffic_orders"
                " WHERE ended_ms > 0 AND ended_ms < ?1 ORDER BY id LIMIT ?2)",
                SQL_VALUES(sql_int(before_ms), sql_int(CELLS_A_CALL)), e) < 0)
        return -1;
    *ret_more |= sql_changes(s->sql) == CELLS_A_CALL;
    return 0;
}

static int drop_all(struct store *s, int64_t now_ms, int64_t samples_ms, int64_t keep_ms,
                    bool *ret_more, struct err *e)
{
    if (drop_batches(s, cutoff(now_ms, samples_ms), ret_more, e) < 0 ||
        observation_drop(s, cutoff(now_ms, samples_ms), ret_more, e) < 0 ||
        drop_outages(s, cutoff(now_ms, keep_ms), ret_more, e) < 0 ||
        drop_incidents(s, cutoff(now_ms, keep_ms), ret_more, e) < 0 ||
        drop_traffic(s, cutoff(now_ms, keep_ms), ret_more, e) < 0)
        return -1;
    for (enum history_level l = 0; l < HISTORY_LEVELS; l++)
        if (drop_cells(s, l, cutoff(now_ms, keep_at_most(l, keep_ms)), ret_more, e) < 0)
            return -1;
    return 0;
}

int history_prune(struct store *s, int64_t now_ms, int64_t samples_ms, int64_t keep_ms,
                  bool *ret_more, struct err *e)
{
    bool more = false;
    if (write_begin(s, e) < 0 ||
        write_end(s, drop_all(s, now_ms, samples_ms, keep_ms, &more, e), e) < 0)
        return -1;
    *ret_more = more;
    return 0;
}

/* --- What there is ---------------------------------------------------------------------------- */

static int read_sizes(struct store *s, struct history_size *ret, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT (SELECT coalesce(sum(n), 0) FROM batches),"
                  " (SELECT coalesce(sum(n), 0) FROM batches WHERE id > rolled),"
                  " (SELECT coalesce(min(from_ms), 0) FROM batches),"
                  " (SELECT count(*) FROM cells_ten_minutes),"
                  " (SELECT count(*) FROM cells_two_hours), (SELECT count(*) FROM cells_day),"
                  " (SELECT coalesce(min(id), 0) FROM cells_day), damaged FROM history_state",
                  NULL, &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    ret->raw_samples = sql_column_int(q, 0);
    ret->unrolled_samples = sql_column_int(q, 1);
    ret->oldest_raw_ms = sql_column_int(q, 2);
    for (int l = 0; l < HISTORY_LEVELS; l++)
        ret->cells[l] = sql_column_int(q, 3 + l);
    ret->oldest_cell_ms = cell_start_ms(HISTORY_DAY, sql_column_int(q, 6));
    ret->damaged = s->damaged + sql_column_int(q, 7);
    sql_end(q);
    return 0;
}

int history_size(struct store *s, struct history_size *ret, struct err *e)
{
    struct history_size size = {0};
    if (read_sizes(s, &size, e) < 0 || sql_file_bytes(s->sql, &size.file_bytes, e) < 0)
        return -1;
    *ret = size;
    return 0;
}
