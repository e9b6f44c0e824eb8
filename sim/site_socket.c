#include "core.h"
#include "sites.h"

#include "base/mem.h"
#include "net/websocket.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * The WebSocket of a deployed service (RFC 6455): says every text and binary message back, answers
 * pings, closes politely. A fault of the handshake's request goes on inside: "garbage" sends a
 * frame that no client may accept, "truncate" cuts the connection at the first message, "endless"
 * sends one message that never ends.
 */
enum { MESSAGE_MAX = 1 << 20, FRAME_MAX = MESSAGE_MAX + 16, ENDLESS_MS = 5, ENDLESS_PIECE = 4096 };

struct socket {
    struct sim *sim;
    char *host;
    enum fault_kind fault;
    struct http_tunnel *tunnel;
    struct ws_reader reader;
    struct timer *timer; /* endless: the next piece */
};

static void say(struct socket *s, enum ws_opcode opcode, const void *data, size_t len)
{
    struct buf frame = BUF_INIT(FRAME_MAX);

    ws_write(&frame, WS_SERVER, opcode, data, len);
    if (!http_tunnel_send(s->tunnel, frame.data, frame.len))
        http_tunnel_close(s->tunnel); /* it asks and never listens */
    buf_release(&frame);
}

static void say_goodbye(struct socket *s, int code)
{
    struct buf frame = BUF_INIT(FRAME_MAX);

    ws_write_close(&frame, WS_SERVER, code == WS_NO_CODE ? WS_NORMAL : code, "");
    http_tunnel_send(s->tunnel, frame.data, frame.len);
    buf_release(&frame);
    http_tunnel_close(s->tunnel);
}

static bool message_came(const struct ws_message *m, void *arg)
{
    struct socket *s = arg;
    struct site *site = site_find(s->sim, s->host);

    if (site)
        site->used_ms = sim_now_ms(s->sim); /* whoever talks keeps the service awake */
    if (s->fault == FAULT_TRUNCATE) {
        http_tunnel_close(s->tunnel);
        return false;
    }
    switch (m->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        say(s, m->opcode, m->data, m->len);
        return true;
    case WS_PING:
        say(s, WS_PONG, m->data, m->len);
        return true;
    case WS_CLOSE:
        say_goodbye(s, m->code);
        return false;
    case WS_PONG:
    case WS_CONTINUATION:
        return true;
    }
    return true;
}

/* ---- the tunnel ---- */

static void go_on_endlessly(void *arg)
{
    static const char piece[4 + ENDLESS_PIECE] = {0, 126, ENDLESS_PIECE >> 8, 0};
    struct socket *s = arg;

    http_tunnel_send(s->tunnel, piece, sizeof(piece)); /* a full one waits for the reader */
    timer_start(s->timer, ENDLESS_MS);
}

static void opened(void *arg)
{
    static const char garbage[] = "\xff\xff\xff\xff";
    static const char begin[] = {WS_BINARY, 0};
    struct socket *s = arg;

    if (s->fault == FAULT_GARBAGE) {
        http_tunnel_send(s->tunnel, garbage, sizeof(garbage) - 1);
    } else if (s->fault == FAULT_ENDLESS) {
        http_tunnel_send(s->tunnel, begin, sizeof(begin));
        go_on_endlessly(s);
    }
}

static void received(const void *data, size_t len, void *arg)
{
    struct socket *s = arg;
    struct err e = ERR_INIT;

    if (ws_read(&s->reader, data, len, &e) < 0)
        say_goodbye(s, s->reader.failed);
}

static void gone(void *arg)
{
    struct socket *s = arg;

    ws_reader_release(&s->reader);
    timer_free(s->timer);
    free(s->host);
    free(s);
}

static const struct http_tunnel_events socket_events = {opened, received, gone};

/* ---- the handshake ---- */

static bool is_handshake(const struct sim_request *r)
{
    const char *upgrade = sim_header(r, "Upgrade"), *connection = sim_header(r, "Connection");
    const char *version = sim_header(r, "Sec-WebSocket-Version");
    const char *key = sim_header(r, "Sec-WebSocket-Key");

    return strcmp(r->method, "GET") == 0 && upgrade && strcasecmp(upgrade, "websocket") == 0 &&
           connection && strcasestr(connection, "upgrade") && version &&
           strcmp(version, "13") == 0 && key && strlen(key) == WS_KEY - 1;
}

void socket_serve(struct sim_request *r, const struct site *site)
{
    const struct call *c = (const struct call *)r;
    char accept[WS_ACCEPT];
    struct socket *s;

    if (!is_handshake(r)) {
        sim_set_header(r, "Upgrade", "websocket");
        sim_set_header(r, "Sec-WebSocket-Version", "13");
        sim_answer(r, 426, json_pack("{s:s}", "error", "this path speaks WebSocket, version 13"));
        return;
    }
    if (c->fault.kind == FAULT_CLOSE_AFTER || c->fault.kind == FAULT_STALL) {
        sim_answer(r, 101, NULL); /* which is lost on the way */
        return;
    }
    s = mem_alloc(sizeof(*s));
    s->sim = r->sim;
    s->host = mem_strdup(site->host);
    s->fault = c->fault.kind;
    s->timer = timer_new(r->sim->loop, go_on_endlessly, s);
    ws_reader_init(&s->reader, WS_SERVER, MESSAGE_MAX, message_came, s);
    ws_accept(sim_header(r, "Sec-WebSocket-Key"), accept);
    sim_set_header(r, "Sec-WebSocket-Accept", "%s", accept);
    s->tunnel = sim_answer_upgrade(r, "websocket", &socket_events, s);
    if (!s->tunnel)
        gone(s);
}
