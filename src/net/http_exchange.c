#include "net/http_exchange.h"
#include "base/mem.h"
#include "net/loop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 65536 };

/* Looks out for the peer leaving. Outlives its exchange until libuv has closed it. */
struct lookout {
    uv_poll_t poll;
    struct http_exchange *exchange;
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

struct http_exchange *exchange_new(struct http_server *s, const char *target,
                                   struct MHD_Connection *connection)
{
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
void exchange_end_lookout(struct http_exchange *x)
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

void exchange_drop(struct http_exchange *x)
{
    if (x->tunnel)
        tunnel_drop(x->tunnel);
    x->aborted = true;
    tell_gone(x);
    resume(x);
}

static void peer_left(uv_poll_t *poll, int status, int events)
{
    const struct lookout *l = poll->data;

    (void)status;
    (void)events;
    exchange_drop(l->exchange);
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

void exchange_free(struct http_exchange *x)
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

void exchange_over(struct http_exchange *x, bool whole)
{
    exchange_end_lookout(x);
    /* All bytes of a stream of known length are sent: the peer has everything, so nobody is gone.
     */
    x->orphan = x->streaming && !x->ended && whole;
    if (x->orphan)
        return;
    tell_gone(x);
    if (x->tunnel)
        tunnel_over(x->tunnel);
    exchange_free(x);
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

void exchange_respond(struct http_exchange *x, int status, const char *type,
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
    exchange_respond(x, status, type,
                     MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_COPY));
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
    exchange_respond(x, status, type, MHD_create_response_from_fd64(size, fd)); /* closes fd */
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
    exchange_respond(x, status, type,
                     MHD_create_response_from_callback(size, PIECE, give_stream, x, NULL));
}

void http_exchange_chunk(struct http_exchange *x, const void *data, size_t len)
{
    if (len == 0 || x->orphan)
        return;
    if (x->taken > x->pending.len / 2) { /* a reader that is always a little behind */
        memmove(x->pending.data, x->pending.data + x->taken, x->pending.len - x->taken);
        x->pending.len -= x->taken;
        x->taken = 0;
    }
    buf_add(&x->pending, data, len);
    resume(x);
}

size_t http_exchange_pending(const struct http_exchange *x)
{
    return x->pending.len - x->taken;
}

void http_exchange_end(struct http_exchange *x)
{
    x->streaming = false;
    x->ended = true;
    if (x->orphan)
        exchange_free(x);
    else
        resume(x);
}

void http_exchange_abort(struct http_exchange *x)
{
    x->aborted = true;
    x->ended = true;
    if (x->orphan)
        exchange_free(x);
    else
        resume(x);
}

enum MHD_Result exchange_go_on(struct http_exchange *x)
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
