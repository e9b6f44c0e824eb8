#include "net/http_server.h"
#include "base/mem.h"
#include "net/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BODY_MAX = 64 << 20,
    IDLE_MS = 60000,
    HEAD_MAX = 65536,
    CONNECTIONS_MAX = 10000,
    BACKLOG = 1024,
    PIECE = 65536,
    SPARE_BODY = 65536, /* swallowed beyond the maximum, so that the peer gets to read its 413 */
};

/*
 * libmicrohttpd has an epoll of its own, whose descriptor uv_poll watches; a timer stands for its
 * timeouts. A request that is not answered at once is suspended: libmicrohttpd forgets its socket
 * until it is resumed, so a poll of ours looks out for the peer leaving.
 */
struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t *poll;
    struct timer *timer;
    http_handler_fn *fn;
    void *arg;
    size_t max_body;
    uint16_t port;
    struct http_exchange *exchanges;
};

/* Looks out for the peer leaving. Outlives its exchange until libuv has closed it. */
struct lookout {
    uv_poll_t poll;
    struct http_exchange *exchange;
};

struct http_exchange {
    struct http_exchange *next, **link;
    struct http_server *server;
    struct MHD_Connection *connection;
    struct arena arena;
    const char *method, *path;
    struct http_header *queries;
    size_t n_queries;
    struct buf body;
    size_t swallowed;

    struct http_header *headers; /* of the answer */
    size_t n_headers;
    struct MHD_Response *response; /* waits to be queued */
    unsigned status;
    struct buf pending; /* streamed, not yet taken by libmicrohttpd from `taken` on */
    size_t taken;

    bool delivered; /* the handler was called */
    bool streaming; /* between begin and end */
    bool ended;     /* the handler's part is over: the handle is dead to it */
    bool aborted;
    bool suspended;
    bool orphan; /* libmicrohttpd is done with it, but the handler has not called end yet */
    struct lookout *lookout;
    void (*gone)(void *arg);
    void *gone_arg;
};

/* ---- the request ---- */

static const char *decoded(struct http_exchange *x, const char *s, size_t len)
{
    char *copy = arena_strndup(&x->arena, s, len);

    for (char *c = copy; *c; c++) {
        if (*c == '+')
            *c = ' ';
    }
    /* What is wrongly escaped is taken as it stands. */
    return http_percent_decode(copy) ? copy : arena_strndup(&x->arena, s, len);
}

static void parse_query(struct http_exchange *x, const char *s)
{
    size_t n = 1;

    for (const char *c = s; *c; c++)
        n += *c == '&';
    x->queries = arena_array(&x->arena, n, sizeof *x->queries);
    while (*s) {
        size_t len = strcspn(s, "&"), name = strcspn(s, "=&");

        if (len > 0) {
            struct http_header *q = &x->queries[x->n_queries++];

            q->name = decoded(x, s, name);
            q->value = name < len ? decoded(x, s + name + 1, len - name - 1) : "";
        }
        s += len + (s[len] == '&');
    }
}

/* Called with the request line's target, before libmicrohttpd decodes it. */
static void *begin_exchange(void *arg, const char *target, struct MHD_Connection *connection)
{
    struct http_server *s = arg;
    struct http_exchange *x = mem_alloc(sizeof *x);
    size_t path = strcspn(target, "?");

    x->server = s;
    x->connection = connection;
    x->path = arena_strndup(&x->arena, target, path);
    if (target[path] == '?')
        parse_query(x, target + path + 1);
    buf_init(&x->body, s->max_body);
    buf_init(&x->pending, SIZE_MAX / 4);
    x->next = s->exchanges;
    x->link = &s->exchanges;
    if (x->next)
        x->next->link = &x->next;
    s->exchanges = x;
    return x;
}

const char *http_exchange_method(const struct http_exchange *x)
{
    return x->method;
}

const char *http_exchange_path(const struct http_exchange *x)
{
    return x->path;
}

const char *http_exchange_query(const struct http_exchange *x, const char *name)
{
    for (size_t i = 0; i < x->n_queries; i++) {
        if (strcmp(x->queries[i].name, name) == 0)
            return x->queries[i].value;
    }
    return NULL;
}

void http_exchange_queries(const struct http_exchange *x, http_header_fn *fn, void *arg)
{
    for (size_t i = 0; i < x->n_queries; i++)
        fn(x->queries[i].name, x->queries[i].value, arg);
}

const char *http_exchange_header(const struct http_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

struct header_visit {
    http_header_fn *fn;
    void *arg;
};

static enum MHD_Result visit_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    const struct header_visit *v = arg;

    (void)kind;
    v->fn(name, value ? value : "", v->arg);
    return MHD_YES;
}

void http_exchange_headers(const struct http_exchange *x, http_header_fn *fn, void *arg)
{
    struct header_visit v = {fn, arg};

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, visit_header, &v);
}

const char *http_exchange_body(const struct http_exchange *x, size_t *ret_len)
{
    if (ret_len)
        *ret_len = x->body.len;
    return buf_str(&x->body);
}

/* ---- waiting and going on ---- */

static void lookout_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Before libmicrohttpd closes the socket: libuv must not watch a number that is given away again.
 */
static void end_lookout(struct http_exchange *x)
{
    if (x->lookout)
        uv_close((uv_handle_t *)&x->lookout->poll, lookout_closed);
    x->lookout = NULL;
}

static void resume(struct http_exchange *x)
{
    if (!x->suspended)
        return;
    x->suspended = false;
    if (x->lookout)
        uv_poll_stop(&x->lookout->poll);
    MHD_resume_connection(x->connection);
    timer_start(x->server->timer, 0); /* without a thread of its own, libmicrohttpd wakes nobody */
}

static void tell_gone(struct http_exchange *x)
{
    bool tell = x->delivered && !x->ended && x->gone;

    x->ended = true;
    if (tell)
        x->gone(x->gone_arg);
}

static void peer_left(uv_poll_t *poll, int status, int events)
{
    const struct lookout *l = poll->data;
    struct http_exchange *x = l->exchange;

    (void)status;
    (void)events;
    x->aborted = true;
    tell_gone(x);
    resume(x);
}

static void suspend(struct http_exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct lookout *l = x->lookout;

    MHD_suspend_connection(x->connection);
    x->suspended = true;
    if (!l) {
        l = mem_alloc(sizeof *l);
        l->exchange = x;
        l->poll.data = l;
        if (!info || uv_poll_init_socket(loop_uv(x->server->loop), &l->poll, info->connect_fd) != 0)
            abort(); /* a connection always has a socket, and one exchange at a time */
        x->lookout = l;
    }
    uv_poll_start(&l->poll, UV_DISCONNECT, peer_left);
}

void http_exchange_on_gone(struct http_exchange *x, void (*fn)(void *arg), void *arg)
{
    x->gone = fn;
    x->gone_arg = arg;
}

static void free_exchange(struct http_exchange *x)
{
    *x->link = x->next;
    if (x->next)
        x->next->link = x->link;
    if (x->response)
        MHD_destroy_response(x->response);
    buf_release(&x->body);
    buf_release(&x->pending);
    arena_release(&x->arena);
    free(x);
}

static void end_exchange(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct http_exchange *x = *context;

    (void)arg;
    (void)connection;
    if (!x)
        return;
    *context = NULL;
    end_lookout(x);
    /* All bytes of a stream of known length are sent: the peer has everything, so nobody is gone.
     */
    x->orphan = x->streaming && !x->ended && why == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    if (x->orphan)
        return;
    tell_gone(x);
    free_exchange(x);
}

/* ---- the answer ---- */

void http_exchange_set(struct http_exchange *x, const char *name, const char *value)
{
    struct http_header *longer = arena_array(&x->arena, x->n_headers + 1, sizeof *longer);

    if (x->n_headers > 0)
        memcpy(longer, x->headers, x->n_headers * sizeof *longer);
    longer[x->n_headers++] =
        (struct http_header){arena_strdup(&x->arena, name), arena_strdup(&x->arena, value)};
    x->headers = longer;
}

/* Puts the answer in place; it is queued when libmicrohttpd calls next. */
static void respond(struct http_exchange *x, int status, const char *type,
                    struct MHD_Response *response)
{
    if (!response)
        abort();
    if (type)
        MHD_add_response_header(response, "Content-Type", type);
    for (size_t i = 0; i < x->n_headers; i++)
        MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
    x->response = response;
    x->status = (unsigned)status;
    resume(x);
}

void http_exchange_answer(struct http_exchange *x, int status, const char *type, const void *body,
                          size_t len)
{
    void *bytes = (void *)(uintptr_t)body; /* copied; libmicrohttpd's prototype lacks the const */

    x->ended = true;
    respond(x, status, type, MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_COPY));
}

void http_exchange_answer_file(struct http_exchange *x, int status, const char *type,
                               const char *path, size_t size)
{
    static const char sorry[] = "the file to answer with cannot be read\n";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size < size) {
        if (fd >= 0)
            close(fd);
        http_exchange_answer(x, 500, "text/plain", sorry, sizeof sorry - 1);
        return;
    }
    x->ended = true;
    respond(x, status, type, MHD_create_response_from_fd64(size, fd)); /* closes fd */
}

static ssize_t give_stream(void *arg, uint64_t position, char *ret, size_t size)
{
    struct http_exchange *x = arg;
    size_t n = x->pending.len - x->taken;

    (void)position;
    if (n > 0) {
        n = n < size ? n : size;
        memcpy(ret, x->pending.data + x->taken, n);
        x->taken += n;
        if (x->taken == x->pending.len) {
            buf_clear(&x->pending);
            x->taken = 0;
        }
        return (ssize_t)n;
    }
    if (x->aborted)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!x->streaming)
        return MHD_CONTENT_READER_END_OF_STREAM;
    suspend(x);
    return 0;
}

void http_exchange_begin(struct http_exchange *x, int status, const char *type, int64_t length)
{
    uint64_t size = length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)length;

    x->streaming = true;
    respond(x, status, type, MHD_create_response_from_callback(size, PIECE, give_stream, x, NULL));
}

void http_exchange_chunk(struct http_exchange *x, const void *data, size_t len)
{
    if (len == 0 || x->orphan)
        return;
    buf_add(&x->pending, data, len);
    resume(x);
}

void http_exchange_end(struct http_exchange *x)
{
    x->streaming = false;
    x->ended = true;
    if (x->orphan)
        free_exchange(x);
    else
        resume(x);
}

void http_exchange_abort(struct http_exchange *x)
{
    x->aborted = true;
    x->ended = true;
    if (x->orphan)
        free_exchange(x);
    else
        resume(x);
}

/* ---- libmicrohttpd's calls ---- */

/* Once the handler was called: again after each resume until there is an answer. */
static enum MHD_Result go_on(struct http_exchange *x)
{
    if (x->response) {
        enum MHD_Result rc = MHD_queue_response(x->connection, x->status, x->response);

        MHD_destroy_response(x->response); /* the queue has its own hold on it */
        x->response = NULL;
        return rc;
    }
    if (x->aborted)
        return MHD_NO; /* closes the connection */
    suspend(x);
    return MHD_YES;
}

static enum MHD_Result refuse_body(struct http_exchange *x)
{
    static const char text[] = "the request's body is too large\n";

    x->delivered = true;
    http_exchange_answer(x, 413, "text/plain", text, sizeof text - 1);
    return go_on(x);
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

static enum MHD_Result take_request(void *arg, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *data,
                                    size_t *len, void **context)
{
    struct http_server *s = arg;
    struct http_exchange *x = *context;

    (void)connection;
    (void)url;
    (void)version;
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
    return go_on(x);
}

/* ---- the server ---- */

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
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, take_request,
                            s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
                            begin_exchange, s, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, s,
                            MHD_OPTION_CONNECTION_TIMEOUT, idle_s,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_END);
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
    /* libmicrohttpd cannot stop while a connection is suspended. */
    for (struct http_exchange *x = s->exchanges; x; x = x->next) {
        x->aborted = true;
        tell_gone(x);
        resume(x);
    }
    MHD_run(s->daemon);
    MHD_stop_daemon(s->daemon);
    while (s->exchanges)
        free_exchange(s->exchanges);
    timer_free(s->timer);
    free(s);
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}
