#include "net/http_server.h"
#include "base/mem.h"
#include "net/http_exchange.h"
#include "net/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BODY_MAX = 64 << 20,
    IDLE_MS = 60000,
    HEAD_MAX = 65536,
    CONNECTIONS_MAX = 10000,
    BACKLOG = 1024,
    LAST_TURNS = 3,
    SPARE_BODY = 65536, /* swallowed beyond the maximum, so that the peer gets to read its 413 */
};

/*
 * libmicrohttpd on our loop: its epoll descriptor is watched by uv_poll, a timer stands for its
 * timeouts. Requests are gathered here and then belong to http_exchange.c.
 */

static void *begin_exchange(void *arg, const char *target, struct MHD_Connection *connection)
{
    return exchange_new(arg, target, connection);
}

static void end_exchange(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    (void)arg;
    (void)connection;
    if (*context)
        exchange_over(*context, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    *context = NULL;
}

static enum MHD_Result refuse_body(struct http_exchange *x)
{
    static const char text[] = "the request's body is too large\n";

    x->delivered = true;
    http_exchange_answer(x, 413, "text/plain", text, sizeof text - 1);
    return exchange_go_on(x);
}

/* First call of a request: only its head is known. */
static enum MHD_Result take_head(struct http_exchange *x, const char *method)
{
    const char *length = http_exchange_header(x, "Content-Length");

    x->method = arena_strdup(&x->arena, method);
    if (length && strtoull(length, NULL, 10) > 2 * (uint64_t)x->server->max_body + SPARE_BODY)
        return refuse_body(x);
    return MHD_YES;
}

static enum MHD_Result take_piece(struct http_exchange *x, const char *data, size_t *len)
{
    buf_add(&x->body, data, *len);
    if (buf_over(&x->body))
        x->swallowed += *len;
    *len = 0;
    return x->swallowed > x->server->max_body + SPARE_BODY ? MHD_NO : MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd's type has eight parameters */
static enum MHD_Result take_request(void *arg, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *data,
                                    size_t *len, void **context)
{
    struct http_server *s = arg;
    struct http_exchange *x = *context;

    (void)connection;
    (void)url;
    (void)version;
    if (s->ending)
        return MHD_NO; /* closes the connection */
    if (!x->method)
        return take_head(x, method);
    if (*len > 0)
        return take_piece(x, data, len);
    if (!x->delivered) {
        if (buf_over(&x->body))
            return refuse_body(x);
        x->delivered = true;
        s->fn(x, s->arg);
    }
    return exchange_go_on(x);
}

static void run(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG ms;

    MHD_run(s->daemon);
    if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
        timer_start(s->timer, (int64_t)ms);
    else
        timer_stop(s->timer);
}

static void epoll_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void time_over(void *arg)
{
    run(arg);
}

static socklen_t fill_address(const struct http_server_options *o, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, o->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(o->port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, o->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(o->port);
        return sizeof *v6;
    }
    return 0;
}

/* A listening socket, and the port it got; -1 says what is in the way. */
static int listen_on(const struct http_server_options *o, uint16_t *ret_port, struct err *e)
{
    struct sockaddr_storage a;
    socklen_t len = fill_address(o, &a);
    int one = 1;

    if (len == 0)
        return err_set(e, ERR_USAGE, "%s: not an address to listen on; write it like 127.0.0.1",
                       o->address);

    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return err_errno(e, ERR_NET, errno, "cannot listen on %s", o->address);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
        int why = errno;

        close(fd);
        return err_errno(e, ERR_NET, why, "cannot listen on %s port %u", o->address, o->port);
    }
    *ret_port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                              : ((struct sockaddr_in *)&a)->sin_port);
    return fd;
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd, unsigned idle_s)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_UPGRADE, 0, NULL, NULL, take_request, s, MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, s, MHD_OPTION_NOTIFY_COMPLETED,
        end_exchange, s, MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MAX, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_END);
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_options *o,
                                    http_handler_fn *fn, void *arg, struct err *e)
{
    uint16_t port = 0;
    int fd = listen_on(o, &port, e);
    unsigned idle_ms = o->idle_ms ? o->idle_ms : IDLE_MS;

    if (fd < 0)
        return NULL;

    struct http_server *s = mem_alloc(sizeof *s);

    s->loop = loop;
    s->fn = fn;
    s->arg = arg;
    s->port = port;
    s->max_body = o->max_body ? o->max_body : BODY_MAX;
    s->daemon = start_daemon(s, fd, (idle_ms + 999) / 1000);
    if (!s->daemon) {
        close(fd);
        free(s);
        err_set(e, ERR_NET, "cannot start a server on %s port %u", o->address, port);
        return NULL;
    }

    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    s->timer = timer_new(loop, time_over, s);
    s->poll = mem_alloc(sizeof *s->poll);
    s->poll->data = s;
    if (!info || uv_poll_init(loop_uv(loop), s->poll, info->epoll_fd) != 0)
        abort();
    uv_poll_start(s->poll, UV_READABLE, epoll_ready);
    return s;
}

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    uv_close((uv_handle_t *)s->poll, poll_closed);
    /* libmicrohttpd cannot stop while a connection is suspended; one that was just about to become
     * a tunnel takes a turn to become it and one to be closed. */
    for (struct http_exchange *x = s->exchanges; x; x = x->next)
        exchange_drop(x);
    s->ending = true; /* a request that comes during these turns gets no answer */
    for (int turns = 0; turns < LAST_TURNS; turns++)
        MHD_run(s->daemon);
    MHD_stop_daemon(s->daemon);
    while (s->exchanges)
        exchange_free(s->exchanges);
    timer_free(s->timer);
    free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}
