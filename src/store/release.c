#include "base/text.h"
#include "store/inner.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "environment, number, commit_id, message, state, created_at, finished_at, committed_at"

static const char *const state_names[] = {
    [RELEASE_OPEN] = "open",
    [RELEASE_LIVE] = "live",
    [RELEASE_FAILED] = "failed",
};

const char *release_state_name(enum release_state s)
{
    return state_names[s];
}

/* The schema's CHECK lets no other name in. */
static enum release_state state_of(const char *name)
{
    enum release_state s = RELEASE_OPEN;
    while (s < RELEASE_FAILED && strcmp(state_names[s], name) != 0)
        s++;
    return s;
}

static void read_columns(const struct sql_query *q, struct release *ret)
{
    *ret = (struct release){
        .number = sql_column_int(q, 1),
        .state = state_of(sql_column_text(q, 4)),
        .created_at = sql_column_int(q, 5),
        .finished_at = sql_column_int(q, 6),
        .committed_at = sql_column_int(q, 7),
    };
    text_copy(ret->environment, sizeof(ret->environment), sql_column_text(q, 0));
    text_copy(ret->commit, sizeof(ret->commit), sql_column_text(q, 2));
    text_copy(ret->message, sizeof(ret->message), sql_column_text(q, 3));
}

/* 1: `*ret` is the open release, 0: none is open, -1. */
static int find_open(struct store *s, const char *environment, struct release *ret, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT " COLUMNS " FROM releases WHERE environment = ?1 AND state = 'open'",
                  SQL_VALUES(sql_text(environment)), &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    read_columns(q, ret);
    sql_end(q);
    return 1;
}

static int next_number(struct store *s, const char *environment, int64_t *ret, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT coalesce(max(number), 0) + 1 FROM releases WHERE environment = ?1",
                  SQL_VALUES(sql_text(environment)), &q, e) < 0)
        return -1;
    if (sql_next(q, e) < 0)
        return -1;
    *ret = sql_column_int(q, 0);
    sql_end(q);
    return 0;
}

static int insert(struct store *s, const struct release *r, struct err *e)
{
    return sql_run(
        s->sql, "INSERT INTO releases (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        SQL_VALUES(sql_text(r->environment), sql_int(r->number), sql_text(r->commit),
                   sql_text(r->message), sql_text(state_names[r->state]), sql_int(r->created_at),
                   sql_int(r->finished_at), sql_int(r->committed_at)),
        e);
}

static int finish(struct store *s, const char *environment, int64_t number,
                  enum release_state state, struct err *e)
{
    int64_t finished_at = state == RELEASE_OPEN ? 0 : clock_wall_ms(s->clock);
    if (sql_run(s->sql,
                "UPDATE releases SET state = ?3, finished_at = ?4"
                " WHERE environment = ?1 AND number = ?2",
                SQL_VALUES(sql_text(environment), sql_int(number), sql_text(state_names[state]),
                           sql_int(finished_at)),
                e) < 0)
        return -1;
    if (sql_changes(s->sql) == 0)
        return err_set(e, ERR_BUG, "environment %s has no release %lld", environment,
                       (long long)number);
    return 0;
}

static int open_release(struct store *s, const char *environment, const struct release *want,
                        struct release *ret, struct err *e)
{
    struct release r = {0};
    int found = find_open(s, environment, &r, e);
    if (found < 0)
        return -1;
    if (found && strcmp(r.commit, want->commit) == 0) {
        *ret = r;
        return 0;
    }
    if (found && finish(s, environment, r.number, RELEASE_FAILED, e) < 0)
        return -1;

    r = *want;
    r.state = RELEASE_OPEN;
    r.created_at = clock_wall_ms(s->clock);
    r.finished_at = 0;
    text_copy(r.environment, sizeof(r.environment), environment);
    if (next_number(s, environment, &r.number, e) < 0 || insert(s, &r, e) < 0)
        return -1;
    *ret = r;
    return 0;
}

int release_open(struct store *s, const struct lease *l, const struct release *want,
                 struct release *ret, struct err *e)
{
    struct release r;
    if (write_begin_as(s, l, e) < 0 ||
        write_end(s, open_release(s, l->environment, want, &r, e), e) < 0)
        return -1;
    *ret = r;
    return 0;
}

int release_close(struct store *s, const struct lease *l, int64_t number, enum release_state state,
                  struct err *e)
{
    if (write_begin_as(s, l, e) < 0)
        return -1;
    return write_end(s, finish(s, l->environment, number, state, e), e);
}

int release_list(struct store *s, const char *environment, int limit, release_fn *fn, void *arg,
                 struct err *e)
{
    /* Numbers tell the order within one environment whatever the clock did; between environments
     * there is only the clock. */
    struct sql_query *q;
    struct sql_value most = sql_int(limit > 0 ? limit : INT64_MAX);
    int started = environment
                      ? sql_query(s->sql,
                                  "SELECT " COLUMNS " FROM releases WHERE environment = ?1"
                                  " ORDER BY number DESC LIMIT ?2",
                                  SQL_VALUES(sql_text(environment), most), &q, e)
                      : sql_query(s->sql,
                                  "SELECT " COLUMNS " FROM releases"
                                  " ORDER BY created_at DESC, environment, number DESC LIMIT ?1",
                                  SQL_VALUES(most), &q, e);
    if (started < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct release r;
        read_columns(q, &r);
        fn(&r, arg);
    }
    return more;
}
