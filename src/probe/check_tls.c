#include "probe/check_connection.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * A TLS handshake, and the certificate that it shows: signed by an authority this machine knows,
 * for this name, and valid for long enough still. The first end in the chain counts: an
 * intermediate that ends takes the certificate with it.
 */
enum { HTTPS = 443 };

struct check {
    struct connection connection;
};

static void tls_cancel(struct check *c)
{
    stream_free(c->connection.stream);
    free(c);
}

static void tls_answer(struct check *c, struct check_answer *a)
{
    const struct certificate *facts = stream_certificate(c->connection.stream);
    check_fn *fn = c->connection.fn;
    void *arg = c->connection.arg;

    if (facts)
        a->valid_until_ms = facts->chain_end_ms;
    tls_cancel(c);
    fn(a, arg);
}

/* "for shop.example, ends in 12 days (2026-12-04), signed by R11" */
static void describe(const struct certificate *facts, int64_t left_ms, char *ret, size_t size)
{
    char left[32], date[32];

    tls_how_long(left_ms, left);
    clock_format_utc(facts->chain_end_ms, date);
    snprintf(ret, size, "for %s, ends in %s (%.10s), signed by %s, %s", facts->names, left, date,
             facts->issuer, facts->version);
}

static void complain(const char *host, int64_t left_ms, int64_t least_ms, char ret[400])
{
    char left[32], least[32];

    tls_how_long(left_ms, left);
    tls_how_long(least_ms, least);
    snprintf(ret, 400, "%s: its certificate ends in %s, %s are asked for: renew it", host, left,
             least);
}

static void tls_opened(void *arg)
{
    struct check *c = arg;
    const struct connection *connection = &c->connection;
    const struct certificate *facts = stream_certificate(connection->stream);
    int64_t now_ms = clock_wall_ms(loop_clock(connection->tools->loop));
    int64_t left_ms = facts->chain_end_ms - now_ms;
    int64_t least_ms = connection->target->min_validity_ms;
    struct check_answer a;
    char text[512], reason[400];

    describe(facts, left_ms, text, sizeof text);
    connection_progress(connection, &a);
    a.total = a.tls;
    a.detail = text;
    a.ok = left_ms >= least_ms;
    if (!a.ok) {
        complain(connection->place.host, left_ms, least_ms, reason);
        a.reason = reason;
    }
    tls_answer(c, &a);
}

static void tls_ended(const struct err *e, void *arg)
{
    struct check *c = arg;
    struct check_answer a;

    connection_failed(&c->connection, e, &a);
    tls_answer(c, &a);
}

static const struct stream_events tls_events = {.opened = tls_opened, .ended = tls_ended};

static struct check *tls_start(const struct check_tools *tools, const struct target *t,
                               int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));

    c->connection = (struct connection){.tools = tools, .target = t, .fn = fn, .arg = arg};
    connection_place(&c->connection, HTTPS);
    connection_begin(&c->connection, intended_us, true, &tls_events, c);
    return c;
}

static void tls_progress(const struct check *c, struct check_answer *ret)
{
    connection_progress(&c->connection, ret);
}

const struct check_ops check_tls = {CHECK_TLS, tls_start, tls_cancel, tls_progress};
