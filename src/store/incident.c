#include "store/incident.h"

#include "base/clock.h"
#include "store/inner.h"

/* --- Writing ------------------------------------------------------------------------------------
 */

static int add(struct store *s, const struct incident *i, int64_t *ret, struct err *e)
{
    if (sql_run(s->sql,
                "INSERT INTO incidents (kind, platform, environment, app, title, from_ms, until_ms,"
                " noticed_ms, acknowledged_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                SQL_VALUES(sql_text(i->kind), sql_text(i->platform), sql_text(i->environment),
                           sql_text(i->app), sql_text(i->title), sql_int(i->from_ms),
                           sql_int(i->until_ms), sql_int(i->noticed_ms),
                           sql_int(i->acknowledged_ms)),
                e) < 0)
        return -1;
    return sql_number(s->sql, "SELECT max(id) FROM incidents", NULL, ret, e) < 0 ? -1 : 0;
}

int incident_open(struct store *s, const struct incident *i, int64_t *ret_id, struct err *e)
{
    int64_t id = 0;

    if (write_begin(s, e) < 0 || write_end(s, add(s, i, &id, e), e) < 0)
        return -1;
    *ret_id = id;
    return 0;
}

/* One statement about incident `id`; ERR_NO when there is none. */
static int change(struct store *s, int64_t id, const char *sql, const struct sql_value *values,
                  struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    int rc = sql_run(s->sql, sql, values, e);
    if (rc == 0 && sql_changes(s->sql) == 0)
        rc = err_set(e, ERR_NO, "there is no incident %lld", (long long)id);
    return write_end(s, rc, e);
}

int incident_widen(struct store *s, const struct incident *i, struct err *e)
{
    return change(s, i->id,
                  "UPDATE incidents SET kind = ?2, platform = ?3, environment = ?4, app = ?5,"
                  " title = ?6, from_ms = CASE WHEN ?7 < from_ms THEN ?7 ELSE from_ms END"
                  " WHERE id = ?1",
                  SQL_VALUES(sql_int(i->id), sql_text(i->kind), sql_text(i->platform),
                             sql_text(i->environment), sql_text(i->app), sql_text(i->title),
                             sql_int(i->from_ms)),
                  e);
}

static int run(struct store *s, const char *sql, const struct sql_value *values, struct err *e)
{
    if (write_begin(s, e) < 0)
        return -1;
    return write_end(s, sql_run(s->sql, sql, values, e), e);
}

int incident_join(struct store *s, int64_t id, int64_t outage, struct err *e)
{
    return run(s,
               "INSERT INTO incident_outages (outage, incident) VALUES (?1, ?2)"
               " ON CONFLICT (outage) DO NOTHING",
               SQL_VALUES(sql_int(outage), sql_int(id)), e);
}

int incident_of(struct store *s, int64_t outage, int64_t *ret_id, struct err *e)
{
    *ret_id = 0;
    return sql_number(s->sql, "SELECT incident FROM incident_outages WHERE outage = ?1",
                      SQL_VALUES(sql_int(outage)), ret_id, e) < 0
               ? -1
               : 0;
}

/* It cannot end before it began, though the clock may say so; 0 would be an open one. */
int incident_resolve(struct store *s, int64_t id, int64_t until_ms, struct err *e)
{
    return change(s, id,
                  "UPDATE incidents SET until_ms = CASE WHEN until_ms <> 0 THEN until_ms"
                  " WHEN ?2 > from_ms AND ?2 > 0 THEN ?2 WHEN from_ms > 0 THEN from_ms ELSE 1 END"
                  " WHERE id = ?1",
                  SQL_VALUES(sql_int(id), sql_int(until_ms)), e);
}

int incident_reopen(struct store *s, int64_t id, struct err *e)
{
    return change(s, id, "UPDATE incidents SET until_ms = 0, acknowledged_ms = 0 WHERE id = ?1",
                  SQL_VALUES(sql_int(id)), e);
}

/* The first one counts. */
int incident_acknowledge(struct store *s, int64_t id, int64_t at_ms, struct err *e)
{
    return change(s, id,
                  "UPDATE incidents SET acknowledged_ms = CASE WHEN acknowledged_ms <> 0"
                  " THEN acknowledged_ms ELSE ?2 END WHERE id = ?1",
                  SQL_VALUES(sql_int(id), sql_int(at_ms)), e);
}

int incident_note(struct store *s, int64_t id, const struct incident_event *v, const char *key,
                  struct err *e)
{
    return run(s,
               "INSERT INTO incident_events (incident, at_ms, kind, text, evidence, key)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
               SQL_VALUES(sql_int(id), sql_int(v->at_ms), sql_text(v->kind), sql_text(v->text),
                          sql_text(v->evidence), sql_text(key)),
               e);
}

int incident_noted(struct store *s, const char *key, int64_t *ret_id, struct err *e)
{
    *ret_id = 0;
    return sql_number(s->sql,
                      "SELECT incident FROM incident_events WHERE key = ?1 AND key <> ''"
                      " ORDER BY incident DESC LIMIT 1",
                      SQL_VALUES(sql_text(key)), ret_id, e) < 0
               ? -1
               : 0;
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static struct incident read_columns(const struct sql_query *q)
{
    return (struct incident){
        .id = sql_column_int(q, 0),
        .kind = sql_column_text(q, 1),
        .platform = sql_column_text(q, 2),
        .environment = sql_column_text(q, 3),
        .app = sql_column_text(q, 4),
        .title = sql_column_text(q, 5),
        .from_ms = sql_column_int(q, 6),
        .until_ms = sql_column_int(q, 7),
        .noticed_ms = sql_column_int(q, 8),
        .acknowledged_ms = sql_column_int(q, 9),
        .outages = (int)sql_column_int(q, 10),
    };
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what it is asked for */
int incident_list(struct store *s, int64_t id, int64_t from_ms, int64_t until_ms, int limit,
                  incident_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    /* A check that failed twice in it counts once. */
    if (sql_query(s->sql,
                  "SELECT id, kind, platform, environment, app, title, from_ms, until_ms,"
                  " noticed_ms, acknowledged_ms, (SELECT count(DISTINCT o.series) FROM"
                  " incident_outages l JOIN outages o ON o.id = l.outage WHERE l.incident = i.id)"
                  " FROM incidents i WHERE from_ms < ?2"
                  " AND (CASE until_ms WHEN 0 THEN ?3 ELSE until_ms END > ?1 OR from_ms >= ?1)"
                  " AND (?4 = 0 OR id = ?4) ORDER BY from_ms DESC, id DESC LIMIT ?5",
                  SQL_VALUES(sql_int(from_ms), sql_int(until_ms), sql_int(clock_wall_ms(s->clock)),
                             sql_int(id), sql_int(limit > 0 ? limit : INT64_MAX)),
                  &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct incident i = read_columns(q);
        fn(&i, arg);
    }
    return more;
}

int incident_timeline(struct store *s, int64_t id, incident_event_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT at_ms, kind, text, evidence FROM incident_events WHERE incident = ?1"
                  " ORDER BY at_ms, id",
                  SQL_VALUES(sql_int(id)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1) {
        struct incident_event v = {.at_ms = sql_column_int(q, 0),
                                   .kind = sql_column_text(q, 1),
                                   .text = sql_column_text(q, 2),
                                   .evidence = sql_column_text(q, 3)};
        fn(&v, arg);
    }
    return more;
}

int incident_outages(struct store *s, int64_t id, incident_outage_fn *fn, void *arg, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql, "SELECT outage FROM incident_outages WHERE incident = ?1 ORDER BY outage",
                  SQL_VALUES(sql_int(id)), &q, e) < 0)
        return -1;
    int more;
    while ((more = sql_next(q, e)) == 1)
        fn(sql_column_int(q, 0), arg);
    return more;
}
