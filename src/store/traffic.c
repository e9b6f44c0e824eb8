#include "store/traffic.h"

#include "base/mem.h"
#include "store/inner.h"

#include <string.h>

/* Orders, changes and states of the routes; drills are in drill.c. */

/* Nobody but the router of this store steers. */
static int steer_begin(struct store *s, const struct lease *l, struct err *e)
{
    if (strcmp(l->environment, ROUTER_LEASE) != 0)
        return err_set(e, ERR_BUG, "a write of traffic under the lease of %s", l->environment);
    return write_begin_as(s, l, e);
}

/* --- Orders --------------------------------------------------------------------------------------
 */

static int end_orders(struct store *s, const char *route, const char *environment, int64_t at_ms,
                      struct err *e)
{
    return sql_run(
        s->sql,
        "UPDATE traffic_orders SET ended_ms = ?3 WHERE ended_ms = 0"
        " AND (?1 = '' OR route = ?1) AND (?2 = '' OR environment = ?2)",
        SQL_VALUES(sql_text(route), sql_text(environment), sql_int(at_ms > 0 ? at_ms : 1)), e);
}

static int make_order(struct store *s, const struct traffic_order *o, int64_t *ret_id,
                      struct err *e)
{
    if (end_orders(s, o->route, o->environment, o->made_ms, e) < 0 ||
        sql_run(s->sql,
                "INSERT INTO traffic_orders (route, environment, kind, weight, made_ms, until_ms,"
                " ended_ms, who, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)",
                SQL_VALUES(sql_text(o->route), sql_text(o->environment), sql_text(o->kind),
                           sql_int(o->weight), sql_int(o->made_ms), sql_int(o->until_ms),
                           sql_text(o->who), sql_text(o->why)),
                e) < 0)
        return -1;
    return sql_number(s->sql,
                      "SELECT id FROM traffic_orders WHERE route = ?1 AND environment = ?2"
                      " AND ended_ms = 0",
                      SQL_VALUES(sql_text(o->route), sql_text(o->environment)), ret_id, e) < 0
               ? -1
               : 0;
}

int traffic_order_make(struct store *s, const struct traffic_order *o, int64_t *ret_id,
                       struct err *e)
{
    if (!o->route || !*o->route || !o->environment || !*o->environment)
        return err_set(e, ERR_BUG, "an order names its route and environment");
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, make_order(s, o, ret_id, e), e);
}

int traffic_order_end(struct store *s, const char *route, const char *environment, int64_t at_ms,
                      int *ret_n, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    int rc = end_orders(s, route, environment, at_ms, e);
    if (rc == 0 && ret_n)
        *ret_n = (int)sql_changes(s->sql);
    return write_end(s, rc, e);
}

int traffic_order_end_made_by(struct store *s, const char *who, int64_t at_ms, int *ret_n,
                              struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    int rc =
        sql_run(s->sql, "UPDATE traffic_orders SET ended_ms = ?2 WHERE ended_ms = 0 AND who = ?1",
                SQL_VALUES(sql_text(who), sql_int(at_ms > 0 ? at_ms : 1)), e);
    if (rc == 0 && ret_n)
        *ret_n = (int)sql_changes(s->sql);
    return write_end(s, rc, e);
}

int traffic_order_expire(struct store *s, int64_t now_ms, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s,
                     sql_run(s->sql,
                             "UPDATE traffic_orders SET ended_ms = until_ms"
                             " WHERE ended_ms = 0 AND until_ms > 0 AND until_ms <= ?1",
                             SQL_VALUES(sql_int(now_ms)), e),
                     e);
}

int traffic_order_list(struct store *s, bool ended_too, int limit, traffic_order_fn *fn, void *arg,
                       struct err *e)
{
    struct sql_query *q;
    int more = 0;

    if (sql_query(s->sql,
                  "SELECT id, route, environment, kind, weight, made_ms, until_ms, ended_ms, who,"
                  " why FROM traffic_orders WHERE ?1 OR ended_ms = 0 ORDER BY id DESC LIMIT ?2",
                  SQL_VALUES(sql_int(ended_too), sql_int(limit > 0 ? limit : -1)), &q, e) < 0)
        return -1;
    while ((more = sql_next(q, e)) == 1) {
        const struct traffic_order o = {.id = sql_column_int(q, 0),
                                        .route = sql_column_text(q, 1),
                                        .environment = sql_column_text(q, 2),
                                        .kind = sql_column_text(q, 3),
                                        .weight = (int)sql_column_int(q, 4),
                                        .made_ms = sql_column_int(q, 5),
                                        .until_ms = sql_column_int(q, 6),
                                        .ended_ms = sql_column_int(q, 7),
                                        .who = sql_column_text(q, 8),
                                        .why = sql_column_text(q, 9)};
        fn(&o, arg);
    }
    return more;
}

/* --- Changes -------------------------------------------------------------------------------------
 */

static int add_change(struct store *s, const struct traffic_change *c, int64_t *ret_id,
                      struct err *e)
{
    if (sql_run(s->sql,
                "INSERT INTO traffic_changes (route, environment, from_state, event, to_state,"
                " action, reason, evidence, seen_us, decided_us, applied_us)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                SQL_VALUES(sql_text(c->route), sql_text(c->environment), sql_text(c->from),
                           sql_text(c->event), sql_text(c->to), sql_text(c->action),
                           sql_text(c->reason), sql_text(c->evidence), sql_int(c->seen_us),
                           sql_int(c->decided_us), sql_int(c->applied_us)),
                e) < 0)
        return -1;
    return sql_number(s->sql, "SELECT max(id) FROM traffic_changes", NULL, ret_id, e) < 0 ? -1 : 0;
}

int traffic_change_add(struct store *s, const struct lease *l, const struct traffic_change *c,
                       int64_t *ret_id, struct err *e)
{
    if (steer_begin(s, l, e) < 0)
        return -1;
    return write_end(s, add_change(s, c, ret_id, e), e);
}

static int set_applied(struct store *s, int64_t id, int64_t applied_us, struct err *e)
{
    if (sql_run(s->sql, "UPDATE traffic_changes SET applied_us = ?2 WHERE id = ?1",
                SQL_VALUES(sql_int(id), sql_int(applied_us)), e) < 0)
        return -1;
    if (sql_changes(s->sql) > 0)
        return 0;
    return err_set(e, ERR_NO, "there is no change of traffic %lld", (long long)id);
}

int traffic_change_applied(struct store *s, const struct lease *l, int64_t id, int64_t applied_us,
                           struct err *e)
{
    if (steer_begin(s, l, e) < 0)
        return -1;
    return write_end(s, set_applied(s, id, applied_us, e), e);
}

/* Microseconds of a bound in milliseconds; INT64_MAX stays what it is. */
static int64_t micro(int64_t ms)
{
    if (ms < INT64_MIN / 1000)
        return INT64_MIN;
    return ms > INT64_MAX / 1000 ? INT64_MAX : ms * 1000;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int traffic_change_list(struct store *s, const char *route, int64_t from_ms, int64_t until_ms,
                        int limit, traffic_change_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    int more = 0;

    if (sql_query(s->sql,
                  "SELECT id, route, environment, from_state, event, to_state, action, reason,"
                  " evidence, seen_us, decided_us, applied_us FROM traffic_changes"
                  " WHERE (?1 = '' OR route = ?1) AND decided_us >= ?2 AND decided_us < ?3"
                  " ORDER BY id DESC LIMIT ?4",
                  SQL_VALUES(sql_text(route), sql_int(micro(from_ms)), sql_int(micro(until_ms)),
                             sql_int(limit > 0 ? limit : -1)),
                  &q, e) < 0)
        return -1;
    while ((more = sql_next(q, e)) == 1) {
        const struct traffic_change c = {.id = sql_column_int(q, 0),
                                         .route = sql_column_text(q, 1),
                                         .environment = sql_column_text(q, 2),
                                         .from = sql_column_text(q, 3),
                                         .event = sql_column_text(q, 4),
                                         .to = sql_column_text(q, 5),
                                         .action = sql_column_text(q, 6),
                                         .reason = sql_column_text(q, 7),
                                         .evidence = sql_column_text(q, 8),
                                         .seen_us = sql_column_int(q, 9),
                                         .decided_us = sql_column_int(q, 10),
                                         .applied_us = sql_column_int(q, 11)};
        fn(&c, arg);
    }
    return more;
}

/* --- Where a route stands ------------------------------------------------------------------------
 */

int traffic_state_put(struct store *s, const struct lease *l, const char *route, const char *json,
                      struct err *e)
{
    if (steer_begin(s, l, e) < 0)
        return -1;
    return write_end(
        s,
        sql_run(s->sql,
                "INSERT INTO traffic_states (route, state, updated_ms) VALUES (?1, ?2, ?3)"
                " ON CONFLICT (route) DO UPDATE SET state = excluded.state,"
                " updated_ms = excluded.updated_ms",
                SQL_VALUES(sql_text(route), sql_text(json), sql_int(clock_wall_ms(s->clock))), e),
        e);
}

int traffic_state_get(struct store *s, const char *route, char **ret, int64_t *ret_updated_ms,
                      struct err *e)
{
    struct sql_query *q;

    *ret = NULL;
    *ret_updated_ms = 0;
    if (sql_query(s->sql, "SELECT state, updated_ms FROM traffic_states WHERE route = ?1",
                  SQL_VALUES(sql_text(route)), &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found < 0)
        return -1;
    *ret = mem_strdup(found ? sql_column_text(q, 0) : "");
    if (found) {
        *ret_updated_ms = sql_column_int(q, 1);
        sql_end(q);
    }
    return 0;
}
