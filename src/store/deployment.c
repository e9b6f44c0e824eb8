#include "store/inner.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "environment, app, instance, release, platform, project, state, commit_id, digest, url,"       \
    " remote_id, progress, error, started_at, live_at, updated_at"
#define IN_ORDER " ORDER BY environment, app, instance"

static const char *const state_names[] = {
    [DEPLOYMENT_PENDING] = "pending",     [DEPLOYMENT_RUNNING] = "running",
    [DEPLOYMENT_VERIFYING] = "verifying", [DEPLOYMENT_LIVE] = "live",
    [DEPLOYMENT_FAILED] = "failed",       [DEPLOYMENT_SUPERSEDED] = "superseded",
};

const char *deployment_state_name(enum deployment_state s)
{
    return state_names[s];
}

/* The schema's CHECK lets no other name in. */
static enum deployment_state state_of(const char *name)
{
    enum deployment_state s = DEPLOYMENT_PENDING;
    while (s < DEPLOYMENT_SUPERSEDED && strcmp(state_names[s], name) != 0)
        s++;
    return s;
}

/* The live row of the key makes way for `row`, and so does the newest one when `row` is newer: the
 * unique indexes allow one of each. */
static int make_way(struct store *s, const struct deployment_row *row, struct err *e)
{
    const struct sql_value *key = SQL_VALUES(sql_text(row->environment), sql_text(row->app),
                                             sql_text(row->instance), sql_int(row->release));
    if (sql_run(s->sql,
                "UPDATE deployments SET newest = 0 WHERE environment = ?1 AND app = ?2"
                " AND instance = ?3 AND release < ?4 AND newest = 1",
                key, e) < 0)
        return -1;
    if (row->state != DEPLOYMENT_LIVE)
        return 0;
    return sql_run(s->sql,
                   "UPDATE deployments SET state = 'superseded' WHERE environment = ?1 AND app = ?2"
                   " AND instance = ?3 AND release <> ?4 AND state = 'live'",
                   key, e);
}

static int put(struct store *s, const struct deployment_row *row, struct err *e)
{
    if (make_way(s, row, e) < 0)
        return -1;
    int64_t updated_at = row->updated_at ? row->updated_at : clock_wall_ms(s->clock);
    return sql_run(
        s->sql,
        "INSERT INTO deployments (" COLUMNS ", newest)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
        " CASE WHEN EXISTS (SELECT 1 FROM deployments WHERE environment = ?1 AND app = ?2"
        " AND instance = ?3 AND release > ?4) THEN 0 ELSE 1 END)"
        " ON CONFLICT (environment, app, instance, release) DO UPDATE SET"
        " platform = excluded.platform, project = excluded.project, state = excluded.state,"
        " commit_id = excluded.commit_id, digest = excluded.digest, url = excluded.url,"
        " remote_id = excluded.remote_id, progress = excluded.progress, error = excluded.error,"
        " started_at = excluded.started_at, live_at = excluded.live_at,"
        " updated_at = excluded.updated_at",
        SQL_VALUES(sql_text(row->environment), sql_text(row->app), sql_text(row->instance),
                   sql_int(row->release), sql_text(row->platform), sql_text(row->project),
                   sql_text(state_names[row->state]), sql_text(row->commit), sql_text(row->digest),
                   sql_text(row->url), sql_text(row->remote_id), sql_text(row->progress),
                   sql_text(row->error), sql_int(row->started_at), sql_int(row->live_at),
                   sql_int(updated_at)),
        e);
}

/* A lease speaks for its own environment only. */
static int check_same(const struct lease *l, const struct deployment_row *row, struct err *e)
{
    if (row->environment && strcmp(l->environment, row->environment) == 0)
        return 0;
    return err_set(e, ERR_BUG, "a write for environment %s under the lease of %s",
                   row->environment ? row->environment : "(none)", l->environment);
}

int deployment_put(struct store *s, const struct lease *l, const struct deployment_row *row,
                   struct err *e)
{
    if (check_same(l, row, e) < 0 || write_begin_as(s, l, e) < 0)
        return -1;
    return write_end(s, put(s, row, e), e);
}

/* Hands each row of a started query to fn. */
static int hand_out(struct sql_query *q, deployment_fn *fn, void *arg, struct err *e)
{
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct deployment_row row = {
            .environment = sql_column_text(q, 0),
            .app = sql_column_text(q, 1),
            .instance = sql_column_text(q, 2),
            .release = sql_column_int(q, 3),
            .platform = sql_column_text(q, 4),
            .project = sql_column_text(q, 5),
            .state = state_of(sql_column_text(q, 6)),
            .commit = sql_column_text(q, 7),
            .digest = sql_column_text(q, 8),
            .url = sql_column_text(q, 9),
            .remote_id = sql_column_text(q, 10),
            .progress = sql_column_text(q, 11),
            .error = sql_column_text(q, 12),
            .started_at = sql_column_int(q, 13),
            .live_at = sql_column_int(q, 14),
            .updated_at = sql_column_int(q, 15),
        };
        fn(&row, arg);
    }
    return more;
}

int deployment_latest(struct store *s, const char *environment, deployment_fn *fn, void *arg,
                      struct err *e)
{
    struct sql_query *q;
    int started =
        environment
            ? sql_query(s->sql,
                        "SELECT " COLUMNS " FROM deployments"
                        " WHERE newest = 1 AND environment = ?1" IN_ORDER,
                        SQL_VALUES(sql_text(environment)), &q, e)
            : sql_query(s->sql, "SELECT " COLUMNS " FROM deployments WHERE newest = 1" IN_ORDER,
                        NULL, &q, e);
    return started < 0 ? -1 : hand_out(q, fn, arg, e);
}

int deployment_live(struct store *s, const char *environment, deployment_fn *fn, void *arg,
                    struct err *e)
{
    struct sql_query *q;
    int started =
        environment
            ? sql_query(s->sql,
                        "SELECT " COLUMNS " FROM deployments"
                        " WHERE state = 'live' AND environment = ?1" IN_ORDER,
                        SQL_VALUES(sql_text(environment)), &q, e)
            : sql_query(s->sql, "SELECT " COLUMNS " FROM deployments WHERE state = 'live'" IN_ORDER,
                        NULL, &q, e);
    return started < 0 ? -1 : hand_out(q, fn, arg, e);
}

int deployment_of_release(struct store *s, const char *environment, int64_t release,
                          deployment_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT " COLUMNS " FROM deployments"
                  " WHERE environment = ?1 AND release = ?2 ORDER BY app, instance",
                  SQL_VALUES(sql_text(environment), sql_int(release)), &q, e) < 0)
        return -1;
    return hand_out(q, fn, arg, e);
}

int journal_add(struct store *s, const struct lease *l, const struct deployment_row *key,
                const char *event, const char *detail, struct err *e)
{
    if (check_same(l, key, e) < 0 || write_begin_as(s, l, e) < 0)
        return -1;
    return write_end(
        s,
        sql_run(s->sql,
                "INSERT INTO journal (at, environment, app, instance, release, event, detail)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                SQL_VALUES(sql_int(clock_wall_ms(s->clock)), sql_text(key->environment),
                           sql_text(key->app), sql_text(key->instance), sql_int(key->release),
                           sql_text(event), sql_text(detail)),
                e),
        e);
}

int journal_list(struct store *s, const char *environment, int64_t release, journal_fn *fn,
                 void *arg, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT at, release, environment, app, instance, event, detail FROM journal"
                  " WHERE environment = ?1 AND release BETWEEN ?2 AND ?3 ORDER BY id",
                  SQL_VALUES(sql_text(environment), sql_int(release),
                             sql_int(release ? release : INT64_MAX)),
                  &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct journal_entry entry = {
            .at = sql_column_int(q, 0),
            .release = sql_column_int(q, 1),
            .environment = sql_column_text(q, 2),
            .app = sql_column_text(q, 3),
            .instance = sql_column_text(q, 4),
            .event = sql_column_text(q, 5),
            .detail = sql_column_text(q, 6),
        };
        fn(&entry, arg);
    }
    return more;
}
