#include "probe/check.h"
#include "probe/check_secret.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/stream.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/*
 * PostgreSQL, with libpq in its non-blocking mode. Three questions, each a round trip:
 *
 *   begin read only; set local statement_timeout; which extensions are there
 *   the statement itself, alone: the only one that is timed
 *   rollback
 *
 * The transaction keeps what is set from outliving us behind a connection pooler, read only keeps
 * the check from changing anything, and the timeout ends a statement on the server when we are
 * gone. The name is looked up first, by our resolver, since libpq's own look-up blocks.
 */

enum stage { LOOKING_UP, CONNECTING, PREPARING, ASKING, LEAVING };
enum { MAX_BYTES = 16 << 20, MAX_ADDRESSES = 4 };

struct check {
    const struct check_tools *tools;
    const struct target *target;
    check_fn *fn;
    void *arg;
    struct arena arena;
    struct timer *timer; /* tells in the next turn what is known in this one */
    enum stage stage;

    PQconninfoOption *given; /* the address, taken apart */
    const char *host, *password;
    uint16_t port;
    uint64_t lookup; /* 0 = none under way */

    PGconn *connection;
    uv_poll_t *poll; /* NULL: nothing is waited for */
    int64_t bytes;   /* received, about */

    size_t results; /* of the stage */
    int64_t began_us, asked_us;
    char version[32];
    const char *extensions; /* ", vector available 0.4.4" */
    struct check_answer answer;
    char reason[400], detail[400];
};

static int64_t now_us(const struct check *c)
{
    return clock_mono_us(loop_clock(c->tools->loop));
}

/* --- Its end -------------------------------------------------------------------------------------
 */

static void closed(uv_handle_t *handle)
{
    free(handle);
}

/* libpq closes and opens sockets as it likes, so none is watched while libpq runs. */
static void unwatch(struct check *c)
{
    if (c->poll)
        uv_close((uv_handle_t *)c->poll, closed);
    c->poll = NULL;
}

static void release(struct check *c)
{
    unwatch(c);
    if (c->lookup)
        resolve_cancel(dialer_resolver(c->tools->dialer), c->lookup);
    PQfinish(c->connection);
    PQconninfoFree(c->given);
    timer_free(c->timer);
    arena_release(&c->arena);
    free(c);
}

static void tell(void *arg)
{
    struct check *c = arg;

    c->answer.ok = !c->reason[0];
    c->answer.reason = c->reason;
    c->answer.detail = c->detail;
    unwatch(c);
    c->fn(&c->answer, c->arg);
    release(c);
}

static void fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct check *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(c->reason, sizeof(c->reason), fmt, ap);
    va_end(ap);
    check_hide(c->reason, c->password); /* a server may repeat it, and libpq quotes the server */
}

/* The last line of what libpq says that has a cause in it, without the preamble: with several
 * addresses there is a line for each. */
static const char *cause(struct check *c)
{
    const char *text = PQerrorMessage(c->connection), *last = text;

    for (const char *at = text; (at = strstr(at, "failed: ")) != NULL;)
        last = at += strlen("failed: ");
    last += strncmp(last, "FATAL:  ", 8) == 0 ? 8 : 0;
    size_t len = strcspn(last, "\n");
    return len > 0 ? arena_strndup(&c->arena, last, len) : "the connection was lost";
}

static const char *advice(const char *why)
{
    if (strstr(why, "password"))
        return "; look at the user and password in its address";
    if (strstr(why, "refused"))
        return "; is it running, and is that its port?";
    if (strstr(why, "invalid response") || strstr(why, "expected authentication"))
        return "; what answers there is no PostgreSQL server";
    return "";
}

/* Whatever libpq ended the connection with. */
static void lost(struct check *c)
{
    const char *why = cause(c);

    if (!c->reason[0])
        fail(c, "PostgreSQL at %s:%u: %s%s", c->host, c->port, why, advice(why));
    if (strstr(why, strerror(ECONNREFUSED)))
        c->answer.answered = true;
    timer_start(c->timer, 0);
}

/* --- Watching its socket -------------------------------------------------------------------------
 */

static void socket_ready(uv_poll_t *poll, int status, int events);

static void watch(struct check *c, int events)
{
    int fd = PQsocket(c->connection);

    unwatch(c);
    c->poll = mem_alloc(sizeof(*c->poll));
    c->poll->data = c;
    if (fd < 0 || uv_poll_init_socket(loop_uv(c->tools->loop), c->poll, fd) != 0) {
        free(c->poll);
        c->poll = NULL;
        lost(c);
        return;
    }
    uv_poll_start(c->poll, events, socket_ready);
}

/* What libpq reads into memory has a bound; false: it was passed. */
static bool count_received(struct check *c)
{
    int waiting = 0;

    if (ioctl(PQsocket(c->connection), FIONREAD, &waiting) == 0)
        c->bytes += waiting;
    if (c->bytes <= MAX_BYTES)
        return true;
    fail(c, "PostgreSQL at %s:%u sent more than %d MiB; let the query return less", c->host,
         c->port, MAX_BYTES >> 20);
    timer_start(c->timer, 0);
    return false;
}

/* --- Questions -----------------------------------------------------------------------------------
 */

/* One row an extension: its name, the version on offer, the installed one. */
static void take_extensions(struct check *c, const PGresult *rows)
{
    struct buf have = BUF_INIT(sizeof(c->detail)), missing = BUF_INIT(sizeof(c->reason));

    for (size_t i = 0; i < c->target->n_extensions; i++) {
        const char *name = c->target->extensions[i];
        int row = 0;
        while (row < PQntuples(rows) && strcmp(PQgetvalue(rows, row, 0), name) != 0)
            row++;
        if (row == PQntuples(rows))
            buf_addf(&missing, "%s%s", missing.len ? ", " : "", name);
        else if (PQgetisnull(rows, row, 2))
            buf_addf(&have, ", %s available %s", name, PQgetvalue(rows, row, 1));
        else
            buf_addf(&have, ", %s %s", name, PQgetvalue(rows, row, 2));
    }
    if (missing.len)
        fail(c,
             "PostgreSQL %s has no extension %s; have it put on the server, or take it off the "
             "database's extensions",
             c->version, buf_str(&missing));
    c->extensions = arena_strdup(&c->arena, buf_str(&have));
    buf_release(&have);
    buf_release(&missing);
}

static void take_result(struct check *c, const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
        if (c->stage == PREPARING)
            take_extensions(c, result);
        break;
    case PGRES_COMMAND_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_NONFATAL_ERROR:
        break;
    case PGRES_EMPTY_QUERY:
        fail(c, "the query is empty");
        break;
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
        fail(c, "the query copies; let it select");
        break;
    case PGRES_BAD_RESPONSE:
    case PGRES_FATAL_ERROR:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED: {
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        if (c->stage != LEAVING && !c->reason[0])
            fail(c, "PostgreSQL %s: %s", c->version, text ? text : cause(c));
        break;
    }
    }
}

static void prepare(struct check *c)
{
    struct buf sql = BUF_INIT(1 << 20);

    buf_addf(&sql, "begin read only; set local statement_timeout = %lld;",
             (long long)c->target->timeout_ms);
    if (c->target->n_extensions > 0)
        buf_adds(&sql, " select name, default_version, installed_version"
                       " from pg_catalog.pg_available_extensions where name in (");
    for (size_t i = 0; i < c->target->n_extensions; i++) {
        const char *name = c->target->extensions[i];
        char *quoted = PQescapeLiteral(c->connection, name, strlen(name));
        buf_addf(&sql, "%s%s", i ? ", " : "", quoted ? quoted : "''");
        PQfreemem(quoted);
    }
    buf_adds(&sql, c->target->n_extensions > 0 ? ")" : "");
    c->stage = PREPARING;
    (void)PQsendQuery(c->connection, buf_str(&sql)); /* a failure shows when results are read */
    buf_release(&sql);
}

/* The extended protocol takes one statement and no more; rows are dropped one by one. */
static void ask(struct check *c)
{
    c->stage = ASKING;
    c->asked_us = now_us(c);
    c->results = 0;
    (void)PQsendQueryParams(c->connection, c->target->query, 0, NULL, NULL, NULL, NULL, 0);
    (void)PQsetSingleRowMode(c->connection);
}

static void next_stage(struct check *c)
{
    if (c->stage == PREPARING && !c->reason[0]) {
        ask(c);
    } else if (c->stage == LEAVING) {
        timer_start(c->timer, 0);
    } else {
        if (c->stage == ASKING && c->results == 0 && !c->reason[0])
            fail(c, "PostgreSQL at %s:%u: %s", c->host, c->port, cause(c));
        if (c->stage == ASKING) {
            c->answer.total = now_us(c) - c->asked_us;
            (void)snprintf(c->detail, sizeof(c->detail), "PostgreSQL %s%s", c->version,
                           c->extensions);
        }
        c->stage = LEAVING;
        (void)PQsendQuery(c->connection, "rollback");
    }
}

/* False: it is over. */
static bool take_results(struct check *c)
{
    while (!PQisBusy(c->connection)) {
        PGresult *result = PQgetResult(c->connection);
        enum stage before = c->stage;
        if (!result)
            next_stage(c);
        else
            take_result(c, result);
        c->results += result != NULL;
        bool copies = result && c->reason[0] && PQresultStatus(result) >= PGRES_COPY_OUT &&
                      PQresultStatus(result) <= PGRES_COPY_IN;
        PQclear(result);
        if (copies)
            timer_start(c->timer, 0); /* a copy cannot be left but by hanging up */
        if (copies || (before == LEAVING && !result))
            return false;
    }
    return true;
}

static void go_on_asking(struct check *c)
{
    if (!count_received(c))
        return;
    if (PQconsumeInput(c->connection) == 0 || PQstatus(c->connection) == CONNECTION_BAD) {
        lost(c);
        return;
    }
    if (!take_results(c))
        return;
    int unsent = PQflush(c->connection);
    if (unsent < 0 || PQstatus(c->connection) == CONNECTION_BAD)
        lost(c);
    else
        watch(c, unsent > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* --- Connecting ----------------------------------------------------------------------------------
 */

static void connected(struct check *c)
{
    const char *version = PQparameterStatus(c->connection, "server_version");
    int major = PQserverVersion(c->connection) / 10000;

    c->answer.first_byte = now_us(c) - c->began_us;
    (void)snprintf(c->version, sizeof(c->version), "%.*s",
                   (int)strcspn(version ? version : "", " "), version ? version : "");
    if (major < c->target->major_version) {
        fail(c, "PostgreSQL %s is there; version %d or later is needed", c->version,
             c->target->major_version);
        timer_start(c->timer, 0);
        return;
    }
    (void)PQsetnonblocking(c->connection, 1);
    prepare(c);
    if (PQflush(c->connection) < 0)
        lost(c);
    else
        watch(c, UV_READABLE | UV_WRITABLE);
}

static void note_phases(struct check *c)
{
    ConnStatusType at = PQstatus(c->connection);
    bool began = at == CONNECTION_NEEDED || at == CONNECTION_STARTED || at == CONNECTION_BAD;

    if (began)
        return;
    if (c->answer.connect < 0)
        c->answer.connect = now_us(c) - c->began_us;
    if (c->answer.tls < 0 && at != CONNECTION_SSL_STARTUP && PQsslInUse(c->connection))
        c->answer.tls = now_us(c) - c->began_us;
    c->answer.answered = true;
}

static void go_on_connecting(struct check *c)
{
    if (!count_received(c))
        return;
    PostgresPollingStatusType wants = PQconnectPoll(c->connection);
    note_phases(c);
    switch (wants) {
    case PGRES_POLLING_READING:
        watch(c, UV_READABLE);
        break;
    case PGRES_POLLING_WRITING:
        watch(c, UV_WRITABLE);
        break;
    case PGRES_POLLING_OK:
        connected(c);
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        lost(c);
        break;
    }
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
    struct check *c = poll->data;

    (void)status; /* an error shows when libpq reads */
    (void)events;
    unwatch(c);
    if (c->stage == CONNECTING)
        go_on_connecting(c);
    else
        go_on_asking(c);
}

static void ignore_notice(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice; /* libpq would print it */
}

static const char *option(const struct check *c, const char *keyword)
{
    for (const PQconninfoOption *o = c->given; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val && o->val[0] ? o->val : NULL;
    return NULL;
}

/* The authorities that vouch for a server whose address wants it verified (libpq knows of none by
 * itself). NULL: as libpq does. */
static const char *authorities(const struct check *c)
{
    const char *mode = option(c, "sslmode");

    if (option(c, "sslrootcert") || !mode || strncmp(mode, "verify-", 7) != 0)
        return option(c, "sslrootcert");
    return c->tools->ca_file ? c->tools->ca_file : "/etc/ssl/certs/ca-certificates.crt";
}

/* libpq tries one address after the other when it is given the host as often. */
static void open_connection(struct check *c, const struct resolved *r)
{
    struct buf hosts = BUF_INIT(4096), addresses = BUF_INIT(4096);

    for (size_t i = 0; i < r->n && i < MAX_ADDRESSES; i++) {
        char text[ADDRESS_TEXT];
        address_text(&r->list[i], false, text);
        buf_addf(&hosts, "%s%s", i ? "," : "", c->host);
        buf_addf(&addresses, "%s%s", i ? "," : "", text);
    }
    const char *root = authorities(c);
    const char *const keys[] = {"dbname",
                                "host",
                                "hostaddr",
                                "gssencmode",
                                "fallback_application_name",
                                root ? "sslrootcert" : NULL,
                                NULL};
    const char *const values[] = {
        c->target->url, buf_str(&hosts), buf_str(&addresses), "disable", "trine", root, NULL};
    c->stage = CONNECTING;
    c->answer.sent = true;
    c->connection = PQconnectStartParams(keys, values, 1);
    buf_release(&hosts);
    buf_release(&addresses);
    if (!c->connection)
        abort(); /* out of memory */
    PQsetNoticeReceiver(c->connection, ignore_notice, NULL);
    if (PQstatus(c->connection) == CONNECTION_BAD)
        lost(c);
    else
        watch(c, UV_WRITABLE);
}

static void looked_up(const struct resolved *r, void *arg)
{
    struct check *c = arg;

    c->lookup = 0;
    c->answer.sent = r->asked;
    c->answer.lookup = now_us(c) - c->began_us;
    if (r->n > 0) {
        open_connection(c, r);
        return;
    }
    c->answer.answered = r->answered;
    fail(c, "%s", r->err.text);
    timer_start(c->timer, 0);
}

/* --- The vtable's functions ----------------------------------------------------------------------
 */

/* False: the reason is set. Never quotes the address. */
static bool read_address(struct check *c)
{
    const char *host, *port;
    char *ignored = NULL;

    c->given = PQconninfoParse(c->target->url, &ignored);
    PQfreemem(ignored);
    if (!c->given) {
        fail(c, "the database's address cannot be read; write postgres://user:password@host:port/"
                "name, with %%40 for @ and so on inside the parts");
        return false;
    }
    host = option(c, "host");
    port = option(c, "port");
    c->password = option(c, "password");
    if (!host || host[0] == '/' || strchr(host, ',') || (port && strchr(port, ','))) {
        fail(c, "the database's address must name one host");
        return false;
    }
    long number = port ? strtol(port, NULL, 10) : 5432;
    if (number < 1 || number > 65535) {
        fail(c, "the port in the database's address must be 1 to 65535");
        return false;
    }
    c->host = host;
    c->port = (uint16_t)number;
    return true;
}

static struct check *start(const struct check_tools *tools, const struct target *t,
                           int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));

    c->tools = tools;
    c->target = t;
    c->fn = fn;
    c->arg = arg;
    c->timer = timer_new(tools->loop, tell, c);
    c->extensions = "";
    c->began_us = now_us(c);
    c->answer = (struct check_answer){
        .queued = intended_us > 0 && c->began_us > intended_us ? c->began_us - intended_us : 0,
        .lookup = -1,
        .connect = -1,
        .tls = -1,
        .first_byte = -1,
        .total = -1};
    if (read_address(c))
        c->lookup = resolve_start(dialer_resolver(tools->dialer), c->host, c->port, looked_up, c);
    else
        timer_start(c->timer, 0);
    return c;
}

static void progress(const struct check *c, struct check_answer *ret)
{
    *ret = c->answer;
    ret->reason = c->reason;
    ret->detail = c->detail;
}

const struct check_ops check_postgres = {
    .kind = CHECK_POSTGRES,
    .start = start,
    .cancel = release,
    .progress = progress,
};
