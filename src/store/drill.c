#include "store/inner.h"
#include "store/traffic.h"

#include <string.h>

/* The record of drills. */

#define COLUMNS                                                                                    \
    "route, environment, fault, outcome, from_ms, until_ms, fault_ms, sent, lost, slow,"           \
    " detect_ms, decide_ms, apply_ms, recover_ms, return_ms, bound_ms, standby_woken, text"

const char *drill_outcome_name(enum drill_outcome o)
{
    static const char *const names[] = {[DRILL_RUNNING] = "running",
                                        [DRILL_PASSED] = "passed",
                                        [DRILL_FAILED] = "failed",
                                        [DRILL_INTERRUPTED] = "interrupted"};
    return names[o];
}

/* The schema's CHECK lets no other name in. */
static enum drill_outcome outcome_of(const char *name)
{
    enum drill_outcome o = DRILL_RUNNING;
    while (o < DRILL_INTERRUPTED && strcmp(drill_outcome_name(o), name) != 0)
        o++;
    return o;
}

static int check_none_runs(struct store *s, struct err *e)
{
    int64_t id = 0;
    int found =
        sql_number(s->sql, "SELECT id FROM drills WHERE outcome = 'running' LIMIT 1", NULL, &id, e);

    return found < 0    ? -1
           : found == 0 ? 0
                        : err_set(e, ERR_NO, "drill %lld is running", (long long)id);
}

static int begin(struct store *s, const struct drill_record *d, int64_t *ret_id, struct err *e)
{
    if (check_none_runs(s, e) < 0)
        return -1;
    if (sql_run(s->sql,
                "INSERT INTO drills (" COLUMNS ") VALUES (?1, ?2, ?3, 'running', ?4, 0, ?5, 0, 0,"
                " 0, -1, -1, -1, -1, -1, ?6, -1, ?7)",
                SQL_VALUES(sql_text(d->route), sql_text(d->environment), sql_text(d->fault),
                           sql_int(d->from_ms), sql_int(d->fault_ms), sql_int(d->bound_ms),
                           sql_text(d->text)),
                e) < 0)
        return -1;
    return sql_number(s->sql, "SELECT last_insert_rowid()", NULL, ret_id, e) < 0 ? -1 : 0;
}

int drill_begin(struct store *s, const struct drill_record *d, int64_t *ret_id, struct err *e)
{
    int64_t id = 0;

    if (write_begin(s, e) < 0 || write_end(s, begin(s, d, &id, e), e) < 0)
        return -1;
    *ret_id = id;
    return 0;
}

static int end(struct store *s, const struct drill_record *d, struct err *e)
{
    if (d->outcome == DRILL_RUNNING)
        return err_set(e, ERR_BUG, "drill %lld ends and goes on running", (long long)d->id);
    if (sql_run(s->sql,
                "UPDATE drills SET outcome = ?2, until_ms = ?3, fault_ms = ?4, sent = ?5,"
                " lost = ?6, slow = ?7, detect_ms = ?8, decide_ms = ?9, apply_ms = ?10,"
                " recover_ms = ?11, return_ms = ?12, bound_ms = ?13, standby_woken = ?14,"
                " text = ?15 WHERE id = ?1 AND outcome = 'running'",
                SQL_VALUES(sql_int(d->id), sql_text(drill_outcome_name(d->outcome)),
                           sql_int(d->until_ms), sql_int(d->fault_ms), sql_int(d->sent),
                           sql_int(d->lost), sql_int(d->slow), sql_int(d->detect_ms),
                           sql_int(d->decide_ms), sql_int(d->apply_ms), sql_int(d->recover_ms),
                           sql_int(d->return_ms), sql_int(d->bound_ms), sql_int(d->standby_woken),
                           sql_text(d->text)),
                e) < 0)
        return -1;
    if (sql_changes(s->sql) > 0)
        return 0;
    return err_set(e, ERR_NO, "drill %lld does not run any more", (long long)d->id);
}

int drill_end(struct store *s, const struct drill_record *d, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, end(s, d, e), e);
}

static struct drill_record read_columns(const struct sql_query *q)
{
    return (struct drill_record){.id = sql_column_int(q, 0),
                                 .route = sql_column_text(q, 1),
                                 .environment = sql_column_text(q, 2),
                                 .fault = sql_column_text(q, 3),
                                 .outcome = outcome_of(sql_column_text(q, 4)),
                                 .from_ms = sql_column_int(q, 5),
                                 .until_ms = sql_column_int(q, 6),
                                 .fault_ms = sql_column_int(q, 7),
                                 .sent = sql_column_int(q, 8),
                                 .lost = sql_column_int(q, 9),
                                 .slow = sql_column_int(q, 10),
                                 .detect_ms = sql_column_int(q, 11),
                                 .decide_ms = sql_column_int(q, 12),
                                 .apply_ms = sql_column_int(q, 13),
                                 .recover_ms = sql_column_int(q, 14),
                                 .return_ms = sql_column_int(q, 15),
                                 .bound_ms = sql_column_int(q, 16),
                                 .standby_woken = (int)sql_column_int(q, 17),
                                 .text = sql_column_text(q, 18)};
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int drill_list(struct store *s, const char *route, int64_t from_ms, int64_t until_ms, int limit,
               drill_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    int more;

    if (sql_query(s->sql,
                  "SELECT id, " COLUMNS " FROM drills WHERE (?5 = 1 OR route = ?1)"
                  " AND from_ms >= ?2 AND from_ms < ?3 ORDER BY from_ms DESC, id DESC LIMIT ?4",
                  SQL_VALUES(sql_text(route), sql_int(from_ms), sql_int(until_ms),
                             sql_int(limit > 0 ? limit : INT64_MAX), sql_int(!route)),
                  &q, e) < 0)
        return -1;
    while ((more = sql_next(q, e)) == 1) {
        struct drill_record d = read_columns(q);
        fn(&d, arg);
    }
    return more;
}
