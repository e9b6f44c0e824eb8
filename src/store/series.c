#include "store/inner.h"

/* The numbers of what is measured: environment, app, instance and check. */

/* 1: found, 0: not there, -1. */
static int find_series(struct store *s, const struct sql_value *name, int64_t *ret, struct err *e)
{
    return sql_number(s->sql,
                      "SELECT id FROM series WHERE environment = ?1 AND app = ?2 AND instance = ?3"
                      " AND check_name = ?4",
                      name, ret, e);
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
