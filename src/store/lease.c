#include "base/text.h"
#include "store/inner.h"

#include <string.h>

/*
 * Leases. A holder of this machine is judged by its process and by the monotonic clock, which no
 * administrator or NTP daemon sets; one of another machine by the wall clock. Whatever a clock
 * does, the fencing token keeps a former holder from writing.
 */

/* A lease as stored, with what tells whether it still counts. */
struct stored {
    struct lease lease;
    struct holder by;
    int64_t expires_mono_ms;
};

/* 1: there is a row (perhaps released: holder ""), 0: none, -1. */
static int read_stored(struct store *s, const char *environment, struct stored *ret, struct err *e)
{
    struct sql_query *q;
    if (sql_query(s->sql,
                  "SELECT holder, token, acquired_at, expires_at, machine, pid, started,"
                  " expires_mono_ms FROM leases WHERE environment = ?1",
                  SQL_VALUES(sql_text(environment)), &q, e) < 0)
        return -1;
    int found = sql_next(q, e);
    if (found != 1)
        return found;
    *ret = (struct stored){
        .lease = {.token = sql_column_int(q, 1),
                  .acquired_at = sql_column_int(q, 2),
                  .expires_at = sql_column_int(q, 3)},
        .by = {.pid = sql_column_int(q, 5), .started = sql_column_int(q, 6)},
        .expires_mono_ms = sql_column_int(q, 7),
    };
    text_copy(ret->lease.environment, sizeof(ret->lease.environment), environment);
    text_copy(ret->lease.holder, sizeof(ret->lease.holder), sql_column_text(q, 0));
    text_copy(ret->by.machine, sizeof(ret->by.machine), sql_column_text(q, 4));
    sql_end(q);
    return 1;
}

static bool is_held(const struct store *s, const struct stored *l, const struct holder *self)
{
    if (l->lease.holder[0] == '\0' || !holder_may_live(&l->by, self))
        return false;
    if (strcmp(l->by.machine, self->machine) == 0)
        return l->expires_mono_ms > clock_mono_ms(s->clock);
    /* An expiry far ahead was not written under today's clock: a machine came up with a wrong date.
     * Waiting for it could take years; the fence makes taking over safe. */
    int64_t left = l->lease.expires_at - clock_wall_ms(s->clock);
    return left > 0 && left <= 2 * (int64_t)LEASE_MS;
}

/* ERR_NO with the present state of the environment's lease. */
static int refuse(const struct lease *l, const char *what, struct err *e)
{
    if (l->holder[0] == '\0')
        return err_set(e, ERR_NO, "environment %s: %s: the lease was given back", l->environment,
                       what);
    char since[32], until[32];
    clock_format_utc(l->acquired_at, since);
    clock_format_utc(l->expires_at, until);
    return err_set(
        e, ERR_NO,
        "environment %s: %s: held by %s since %s, at least until %s: wait for it, or end "
        "that process",
        l->environment, what, l->holder, since, until);
}

static int write_lease(struct store *s, const struct lease *l, const struct holder *self,
                       struct err *e)
{
    return sql_run(s->sql,
                   "INSERT INTO leases (environment, token, holder, machine, pid, started,"
                   " acquired_at, expires_at, expires_mono_ms)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                   " ON CONFLICT (environment) DO UPDATE SET token = excluded.token,"
                   " holder = excluded.holder, machine = excluded.machine, pid = excluded.pid,"
                   " started = excluded.started, acquired_at = excluded.acquired_at,"
                   " expires_at = excluded.expires_at, expires_mono_ms = excluded.expires_mono_ms",
                   SQL_VALUES(sql_text(l->environment), sql_int(l->token), sql_text(l->holder),
                              sql_text(self->machine), sql_int(self->pid), sql_int(self->started),
                              sql_int(l->acquired_at), sql_int(l->expires_at),
                              sql_int(clock_mono_ms(s->clock) + LEASE_MS)),
                   e);
}

static int acquire(struct store *s, const char *environment, const char *what, struct lease *ret,
                   struct err *e)
{
    struct holder self;
    struct stored before = {0};
    if (holder_self(&self, e) < 0)
        return -1;
    int found = read_stored(s, environment, &before, e);
    if (found < 0)
        return -1;
    if (found && is_held(s, &before, &self))
        return refuse(&before.lease, "another run is working on it", e);

    int64_t now = clock_wall_ms(s->clock);
    struct lease l = {
        .token = before.lease.token + 1, .acquired_at = now, .expires_at = now + LEASE_MS};
    text_copy(l.environment, sizeof(l.environment), environment);
    holder_text(what, l.holder, sizeof(l.holder));
    if (write_lease(s, &l, &self, e) < 0)
        return -1;
    *ret = l;
    return 0;
}

int lease_acquire(struct store *s, const char *environment, const char *what, struct lease *ret,
                  struct err *e)
{
    struct lease l;
    if (strlen(environment) >= sizeof(l.environment))
        return err_set(e, ERR_BUG, "environment name of %zu bytes", strlen(environment));
    if (write_begin(s, e) < 0 || write_end(s, acquire(s, environment, what, &l, e), e) < 0)
        return -1;
    *ret = l;
    return 0;
}

int lease_check(struct store *s, const struct lease *l, struct err *e)
{
    struct stored now = {0};
    int found = read_stored(s, l->environment, &now, e);
    if (found < 0)
        return -1;
    if (found && now.lease.token == l->token && now.lease.holder[0] != '\0')
        return 0;
    text_copy(now.lease.environment, sizeof(now.lease.environment), l->environment);
    return refuse(&now.lease, "this run lost its lease and may not write", e);
}

int lease_heartbeat(struct store *s, struct lease *l, struct err *e)
{
    int64_t expires_at = clock_wall_ms(s->clock) + LEASE_MS;
    if (write_begin_as(s, l, e) < 0)
        return -1;
    int result = sql_run(s->sql,
                         "UPDATE leases SET expires_at = ?2, expires_mono_ms = ?3"
                         " WHERE environment = ?1",
                         SQL_VALUES(sql_text(l->environment), sql_int(expires_at),
                                    sql_int(clock_mono_ms(s->clock) + LEASE_MS)),
                         e);
    if (write_end(s, result, e) < 0)
        return -1;
    l->expires_at = expires_at;
    return 0;
}

int lease_release(struct store *s, const struct lease *l, struct err *e)
{
    if (write_begin_as(s, l, e) < 0)
        return -1;
    return write_end(s,
                     sql_run(s->sql,
                             "UPDATE leases SET holder = '', machine = '', pid = 0, started = 0,"
                             " expires_at = 0, expires_mono_ms = 0 WHERE environment = ?1",
                             SQL_VALUES(sql_text(l->environment)), e),
                     e);
}

int lease_read(struct store *s, const char *environment, struct lease *ret, bool *ret_held,
               struct err *e)
{
    struct holder self;
    struct stored now = {0};
    if (holder_self(&self, e) < 0)
        return -1;
    int found = read_stored(s, environment, &now, e);
    if (found < 0)
        return -1;
    *ret_held = found && is_held(s, &now, &self);
    if (*ret_held)
        *ret = now.lease;
    return 0;
}
