#include "probe/check_connection.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/websocket.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A WebSocket that opens (RFC 6455), answers a ping with its pong, and stays open for hold_ms while
 * pings go on. Its time is that of the first pong: how long it was held says nothing about speed.
 * What the server sends meanwhile is read, bounded and left alone; its pings are answered.
 */
enum {
    PING_MS = 5000,         /* at most, between two pings; each must be answered by the next */
    HEAD_MAX = 16384,       /* of the handshake's answer */
    MESSAGE_MAX = 1 << 20,  /* one message */
    TALK_MAX = 16 << 20,    /* all that is sent unasked */
    REQUEST_MAX = 64 << 10, /* the handshake with the target's headers */
    PING_BYTES = 8,
};

struct check {
    struct connection connection;
    char key[WS_KEY];
    struct buf head; /* of the answer, until it is whole */
    bool open;       /* the handshake was accepted */
    struct ws_reader reader;
    struct timer *timer;
    char ping[PING_BYTES + 1]; /* the payload that is waited for; "" = none */
    unsigned pings;
    int64_t ping_ms; /* between two; half of the time there is, when that is less */
    uint64_t talk;   /* bytes received after the handshake */
    int status;
    int64_t first_byte_us, first_pong_us, open_us, pinged_us;
    struct err failure; /* found inside the reader: told once it has returned */
};

/* ---- the end ---- */

static void release(struct check *c)
{
    stream_free(c->connection.stream);
    timer_free(c->timer);
    ws_reader_release(&c->reader);
    buf_release(&c->head);
    free(c);
}

static void websocket_progress(const struct check *c, struct check_answer *ret)
{
    connection_progress(&c->connection, ret);
    ret->status = c->status;
    ret->first_byte = c->first_byte_us;
}

static void answer(struct check *c, const struct check_answer *a)
{
    check_fn *fn = c->connection.fn;
    void *arg = c->connection.arg;

    release(c);
    fn(a, arg);
}

static void fail(struct check *c, const struct err *e)
{
    struct err copy = *e; /* it may live in *c */
    struct check_answer a;

    connection_failed(&c->connection, &copy, &a);
    a.status = c->status;
    a.first_byte = c->first_byte_us;
    answer(c, &a);
}

static void say_goodbye(struct check *c, int code)
{
    struct buf frame = BUF_INIT(256);

    ws_write_close(&frame, WS_CLIENT, code, "");
    stream_send(c->connection.stream, frame.data, frame.len);
    buf_release(&frame);
}

static void succeed(struct check *c)
{
    struct check_answer a;
    char text[128];

    say_goodbye(c, WS_NORMAL);
    websocket_progress(c, &a);
    a.ok = true;
    a.total = c->first_pong_us;
    snprintf(text, sizeof text, "ping answered in %.1f ms, held open for %.1f s with %u pings",
             (double)(c->first_pong_us - c->open_us) / 1000,
             (double)(connection_now(&c->connection) - c->open_us) / 1e6, c->pings);
    a.detail = text;
    answer(c, &a);
}

/* ---- open ---- */

static int64_t held_ms(const struct check *c)
{
    return (connection_now(&c->connection) - c->open_us) / 1000;
}

static void send_frame(struct check *c, enum ws_opcode opcode, const char *data, size_t len)
{
    struct buf frame = BUF_INIT(256);

    ws_write(&frame, WS_CLIENT, opcode, data, len);
    if (!stream_send(c->connection.stream, frame.data, frame.len) && !c->failure.kind)
        err_set(&c->failure, ERR_REMOTE, "%s: it sends pings and reads no answers",
                c->connection.place.host);
    buf_release(&frame);
}

static void send_ping(struct check *c)
{
    snprintf(c->ping, sizeof c->ping, "%08x", ++c->pings);
    c->pinged_us = connection_now(&c->connection);
    send_frame(c, WS_PING, c->ping, PING_BYTES);
}

/* Until the next ping, or the end of the holding when that is nearer. */
static void arm(struct check *c)
{
    int64_t left = c->connection.target->hold_ms - held_ms(c);

    timer_start(c->timer, left > c->ping_ms ? c->ping_ms : left > 0 ? left : 0);
}

static void pong_came(struct check *c)
{
    c->ping[0] = '\0';
    if (c->first_pong_us < 0) {
        c->first_pong_us = connection_now(&c->connection);
        arm(c);
    } else if (held_ms(c) >= c->connection.target->hold_ms) {
        timer_start(c->timer, 0); /* the last one was waited for */
    }
}

static void closed_early(struct check *c, const struct ws_message *m)
{
    char held[32], wanted[32];

    tls_how_long(held_ms(c), held);
    tls_how_long(c->connection.target->hold_ms, wanted);
    if (c->first_pong_us < 0)
        err_set(&c->failure, ERR_REMOTE, "%s: closed with code %d (%s) before it answered a ping",
                c->connection.place.host, m->code, ws_code_text(m->code));
    else
        err_set(&c->failure, ERR_REMOTE,
                "%s: closed with code %d (%s) after %s of %s; look at the idle timeouts of the "
                "server and of proxies before it",
                c->connection.place.host, m->code, ws_code_text(m->code), held, wanted);
}

static bool message_came(const struct ws_message *m, void *arg)
{
    struct check *c = arg;

    if (m->opcode == WS_PING)
        send_frame(c, WS_PONG, m->data, m->len);
    else if (m->opcode == WS_PONG && c->ping[0] && m->len == PING_BYTES &&
             memcmp(m->data, c->ping, PING_BYTES) == 0)
        pong_came(c);
    else if (m->opcode == WS_CLOSE)
        closed_early(c, m);
    return c->failure.kind == ERR_NONE;
}

static void read_frames(struct check *c, const void *data, size_t len)
{
    struct err e = ERR_INIT;

    c->talk += len;
    if (c->talk > TALK_MAX) {
        err_set(&c->failure, ERR_REMOTE, "%s: it sent over %d MiB unasked",
                c->connection.place.host, TALK_MAX >> 20);
    } else if (ws_read(&c->reader, data, len, &e) < 0) {
        say_goodbye(c, c->reader.failed);
        err_set(&c->failure, ERR_REMOTE, "%s: %s", c->connection.place.host, e.text);
    }
    if (c->failure.kind)
        fail(c, &c->failure);
}

/* A ping is due, or the holding is over. */
static void timer_over(void *arg)
{
    struct check *c = arg;
    bool held = held_ms(c) >= c->connection.target->hold_ms;

    if (held && !c->ping[0]) {
        succeed(c);
        return;
    }
    if (c->ping[0] && connection_now(&c->connection) - c->pinged_us >= c->ping_ms * 1000) {
        err_set(&c->failure, ERR_NET, "%s: a ping got no pong within %" PRId64 " ms",
                c->connection.place.host, c->ping_ms);
        fail(c, &c->failure);
    } else if (c->ping[0]) {
        timer_start(c->timer, c->ping_ms);
    } else {
        send_ping(c);
        arm(c);
    }
}

/* ---- the handshake ---- */

static int write_request(const struct check *c, struct buf *out, struct err *e)
{
    const struct target *t = c->connection.target;
    const struct endpoint *place = &c->connection.place;
    char host[280];

    endpoint_host(place, strcmp(place->scheme, "wss") == 0 ? 443 : 80, host);
    buf_addf(out,
             "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nUser-Agent: trine/%s\r\n",
             place->target, host, c->key, TRINE_VERSION);
    for (size_t i = 0; i < t->n_headers; i++) {
        const char *name = t->headers[i].name, *value = t->headers[i].value;

        if (!http_header_fits(name, value))
            return err_set(e, ERR_USAGE, "header %zu has a character that headers cannot hold",
                           i + 1);
        buf_addf(out, "%s: %s\r\n", name, value);
    }
    buf_adds(out, "\r\n");
    return buf_over(out)
               ? err_set(e, ERR_USAGE, "its headers are longer than %d bytes", REQUEST_MAX)
               : 0;
}

static void opened(void *arg)
{
    struct check *c = arg;
    struct buf request = BUF_INIT(REQUEST_MAX);
    struct err e = ERR_INIT;
    int rc = write_request(c, &request, &e);

    if (rc == 0)
        stream_send(c->connection.stream, request.data, request.len);
    if (request.data)
        explicit_bzero(request.data, request.len); /* headers may hold a token */
    buf_release(&request);
    if (rc < 0)
        fail(c, &e);
}

static void read_handshake(struct check *c, const char *data, size_t len)
{
    struct err e = ERR_INIT;
    int64_t size;

    if (c->first_byte_us < 0)
        c->first_byte_us = connection_now(&c->connection);
    /* What follows the head in the same piece is frames already. */
    size_t room = c->head.max - c->head.len, taken = len < room ? len : room;
    size_t before = c->head.len;

    buf_add(&c->head, data, taken);
    size = ws_read_answer(c->head.data, c->head.len, c->key, &c->status, &e);
    if (size < 0) {
        err_wrap(&e, "%s", c->connection.place.host);
        fail(c, &e);
    } else if (size > 0) {
        size_t used = (size_t)size - before;

        c->open = true;
        c->open_us = connection_now(&c->connection);
        send_ping(c);
        timer_start(c->timer, c->ping_ms);
        read_frames(c, data + used, len - used);
    } else if (c->head.len == c->head.max) {
        err_set(&e, ERR_REMOTE, "%s: the head of its answer is longer than %d bytes",
                c->connection.place.host, HEAD_MAX);
        fail(c, &e);
    }
}

static void received(const void *data, size_t len, void *arg)
{
    struct check *c = arg;

    if (c->open)
        read_frames(c, data, len);
    else
        read_handshake(c, data, len);
}

static void ended(const struct err *e, void *arg)
{
    struct check *c = arg;
    const char *host = c->connection.place.host;
    struct err closed = ERR_INIT;
    char held[32];

    tls_how_long(c->open ? held_ms(c) : 0, held);
    if (e->kind == ERR_NONE && c->open)
        err_set(&closed, ERR_NET,
                "%s: the connection was lost after %s, without a close frame (code 1006); look at "
                "the idle timeouts of the server and of proxies before it",
                host, held);
    else if (e->kind == ERR_NONE)
        err_set(&closed, ERR_NET, "%s: the connection was closed before the handshake was answered",
                host);
    fail(c, e->kind == ERR_NONE ? &closed : e);
}

/* ---- the check ---- */

static const struct stream_events events = {opened, received, ended};

static struct check *websocket_start(const struct check_tools *tools, const struct target *t,
                                     int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));

    c->connection = (struct connection){.tools = tools, .target = t, .fn = fn, .arg = arg};
    c->first_byte_us = c->first_pong_us = -1;
    c->ping_ms = t->timeout_ms / 2 < PING_MS ? t->timeout_ms / 2 : PING_MS;
    ws_make_key(c->key);
    buf_init(&c->head, HEAD_MAX);
    ws_reader_init(&c->reader, WS_CLIENT, MESSAGE_MAX, message_came, c);
    c->timer = timer_new(tools->loop, timer_over, c);
    connection_place(&c->connection, 0);
    connection_begin(&c->connection, intended_us, strcmp(c->connection.place.scheme, "wss") == 0,
                     &events, c);
    return c;
}

const struct check_ops check_websocket = {CHECK_WEBSOCKET, websocket_start, release,
                                          websocket_progress};
