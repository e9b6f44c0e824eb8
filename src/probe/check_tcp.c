#include "probe/check_connection.h"

#include "base/mem.h"

#include <stdlib.h>

/* A TCP connection is accepted: the least that a server can do. */
struct check {
    struct connection connection;
};

static void tcp_cancel(struct check *c)
{
    stream_free(c->connection.stream);
    free(c);
}

static void tcp_answer(struct check *c, const struct check_answer *a)
{
    check_fn *fn = c->connection.fn;
    void *arg = c->connection.arg;

    tcp_cancel(c);
    fn(a, arg);
}

static void tcp_opened(void *arg)
{
    struct check *c = arg;
    struct check_answer a;

    connection_progress(&c->connection, &a);
    a.ok = true;
    a.total = a.connect;
    tcp_answer(c, &a);
}

static void tcp_ended(const struct err *e, void *arg)
{
    struct check *c = arg;
    struct check_answer a;

    connection_failed(&c->connection, e, &a);
    tcp_answer(c, &a);
}

static const struct stream_events tcp_events = {.opened = tcp_opened, .ended = tcp_ended};

static struct check *tcp_start(const struct check_tools *tools, const struct target *t,
                               int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));

    c->connection = (struct connection){.tools = tools, .target = t, .fn = fn, .arg = arg};
    connection_place(&c->connection, 0);
    connection_begin(&c->connection, intended_us, false, &tcp_events, c);
    return c;
}

static void tcp_progress(const struct check *c, struct check_answer *ret)
{
    connection_progress(&c->connection, ret);
}

const struct check_ops check_tcp = {CHECK_TCP, tcp_start, tcp_cancel, tcp_progress};
