#include "base/mem.h"
#include "net/http_exchange.h"
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { UNSENT_MAX = 4 << 20, READ_BYTES = 65536, READS_A_TURN = 4, LINGER_MS = 2000 };

enum tunnel_state {
    BEGINNING, /* 101 is on its way */
    OPEN,
    SENDING,   /* closed by our side; the rest is being sent */
    LINGERING, /* all is sent and said so: the peer's own end is waited for */
    OVER       /* the socket was given back to libmicrohttpd */
};

struct http_tunnel {
    struct http_exchange *x;
    enum tunnel_state state;
    const struct http_tunnel_events *events;
    void *arg;
    struct MHD_UpgradeResponseHandle *handle;
    int fd; /* libmicrohttpd's */
    uv_poll_t *poll;
    struct timer *timer;      /* tells `opened`; later the patience with the peer's end */
    struct buf unsent, early; /* early: came with the request's head */
    size_t gone;              /* bytes of `unsent` that were sent */
};

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

/* The last word of a tunnel; libmicrohttpd closes the socket at its next turn. */
static void finish(struct http_tunnel *t)
{
    enum tunnel_state before = t->state;

    if (before == OVER)
        return;
    t->state = OVER;
    timer_stop(t->timer);
    if (t->poll)
        uv_close((uv_handle_t *)t->poll, poll_closed);
    t->poll = NULL;
    t->events->gone(t->arg);
    if (t->handle) {
        MHD_upgrade_action(t->handle, MHD_UPGRADE_ACTION_CLOSE);
        timer_start(t->x->server->timer, 0);
    }
}

static void socket_ready(uv_poll_t *poll, int status, int events);

static void watch(struct http_tunnel *t)
{
    uv_poll_start(t->poll, UV_READABLE | (t->unsent.len > 0 ? UV_WRITABLE : 0), socket_ready);
}

static void send_unsent(struct http_tunnel *t)
{
    while (t->gone < t->unsent.len) {
        ssize_t n = send(t->fd, t->unsent.data + t->gone, t->unsent.len - t->gone, MSG_NOSIGNAL);

        if (n <= 0) /* a peer that left is found by reading */
            break;
        t->gone += (size_t)n;
    }
    if (t->gone == t->unsent.len) {
        buf_clear(&t->unsent);
        t->gone = 0;
        if (t->state == SENDING) {
            t->state = LINGERING;
            shutdown(t->fd, SHUT_WR);
        }
    }
    watch(t);
}

static void take_received(struct http_tunnel *t)
{
    char space[READ_BYTES];

    for (int i = 0; i < READS_A_TURN && t->state != OVER; i++) {
        ssize_t n = recv(t->fd, space, sizeof space, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0)
            finish(t);
        else if (t->state == OPEN)
            t->events->received(space, (size_t)n, t->arg);
    }
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
    struct http_tunnel *t = poll->data;

    if (events & UV_WRITABLE)
        send_unsent(t);
    if (status < 0 || (events & UV_READABLE))
        take_received(t);
}

static void open_tunnel(struct http_tunnel *t)
{
    fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) | O_NONBLOCK);
    t->poll = mem_alloc(sizeof *t->poll);
    t->poll->data = t;
    if (uv_poll_init_socket(loop_uv(t->x->server->loop), t->poll, t->fd) != 0)
        abort(); /* a connection always has a socket */
    t->state = OPEN;
    watch(t);
    t->events->opened(t->arg);
    if (t->state == OPEN && t->early.len > 0)
        t->events->received(t->early.data, t->early.len, t->arg);
    buf_release(&t->early);
}

static void timer_over(void *arg)
{
    struct http_tunnel *t = arg;

    if (t->state == BEGINNING)
        open_tunnel(t);
    else
        finish(t);
}

/* Called within libmicrohttpd's turn: the rest waits for one of our own. */
/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd's type has seven parameters */
static void upgraded(void *arg, struct MHD_Connection *connection, void *context, const char *extra,
                     size_t extra_len, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    struct http_tunnel *t = arg;

    (void)connection;
    (void)context;
    t->fd = fd;
    t->handle = handle;
    if (t->state == OVER) { /* the server was freed meanwhile */
        MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
        return;
    }
    exchange_end_lookout(t->x);
    buf_add(&t->early, extra, extra_len);
    timer_start(t->timer, 0);
}

struct http_tunnel *http_exchange_upgrade(struct http_exchange *x, const char *protocol,
                                          const struct http_tunnel_events *events, void *arg)
{
    struct http_tunnel *t = mem_alloc(sizeof *t);

    t->x = x;
    t->events = events;
    t->arg = arg;
    t->timer = timer_new(x->server->loop, timer_over, t);
    buf_init(&t->unsent, UNSENT_MAX);
    buf_init(&t->early, SIZE_MAX / 4);
    x->tunnel = t;
    x->ended = true;
    http_exchange_set(x, "Upgrade", protocol);
    exchange_respond(x, MHD_HTTP_SWITCHING_PROTOCOLS, NULL,
                     MHD_create_response_for_upgrade(upgraded, t));
    return t;
}

bool http_tunnel_send(struct http_tunnel *t, const void *data, size_t len)
{
    if (t->state != OPEN)
        return true;
    if (t->gone > 0) {
        memmove(t->unsent.data, t->unsent.data + t->gone, t->unsent.len - t->gone);
        t->unsent.len -= t->gone;
        t->gone = 0;
    }
    if (len > t->unsent.max - t->unsent.len)
        return false;
    buf_add(&t->unsent, data, len);
    send_unsent(t);
    return true;
}

void http_tunnel_close(struct http_tunnel *t)
{
    if (t->state != OPEN)
        return;
    t->state = SENDING;
    timer_start(t->timer, LINGER_MS);
    send_unsent(t);
}

void tunnel_drop(struct http_tunnel *t)
{
    finish(t);
}

void tunnel_over(struct http_tunnel *t)
{
    finish(t);
    timer_free(t->timer);
    buf_release(&t->unsent);
    buf_release(&t->early);
    free(t);
}
