#include "net/local.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The time is counted in so many parts, with a look at the socket after each. While our own process
 * or its loop is kept from running only one part ends, and what came meanwhile is read. */
enum { PARTS = 10 };

struct local_ask {
    uv_pipe_t pipe;
    uv_timer_t limit; /* the timeout's next part; and what fails at once is told through it */
    uv_connect_t connect;
    uv_write_t write;
    int open_handles; /* that must be closed before this is freed */
    struct buf reply;
    struct err err;
    char *path, *text;
    int64_t timeout_ms;
    int parts_left;
    bool over;
    char chunk[16384];
    local_done_fn *done;
    void *arg;
};

static void closed(uv_handle_t *handle)
{
    struct local_ask *a = handle->data;

    if (--a->open_handles)
        return;
    buf_release(&a->reply);
    free(a->path);
    free(a->text);
    free(a);
}

void local_cancel(struct local_ask *a)
{
    if (!a || a->over)
        return;
    a->over = true;
    uv_close((uv_handle_t *)&a->pipe, closed);
    uv_close((uv_handle_t *)&a->limit, closed);
}

/* The handles close afterwards, so the reply lives until the callback is back. */
static void finish(struct local_ask *a)
{
    if (a->over)
        return;
    local_cancel(a);
    a->done(&a->err, buf_str(&a->reply), a->reply.len, a->arg);
}

static void fail(struct local_ask *a, int uv_code, const char *what)
{
    err_errno(&a->err, ERR_NET, -uv_code, "%s %s", what, a->path);
    a->err.retry = true;
    finish(a);
}

static void part_ended(uv_timer_t *timer);

static void begin_part(struct local_ask *a)
{
    int64_t ms = a->timeout_ms / PARTS;

    uv_update_time(a->limit.loop); /* the turn may have lasted: its time counts for nobody */
    uv_timer_start(&a->limit, part_ended, (uint64_t)(ms > 0 ? ms : 1), 0);
}

static void part_ended(uv_timer_t *timer)
{
    struct local_ask *a = timer->data;

    if (a->err.kind == ERR_NONE && --a->parts_left > 0) {
        begin_part(a);
        return;
    }
    if (a->err.kind == ERR_NONE) {
        err_set(&a->err, ERR_NET, "no answer from the socket %s within %lld ms", a->path,
                (long long)a->timeout_ms);
        a->err.retry = true;
        a->err.code = ETIMEDOUT;
    }
    finish(a);
}

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct local_ask *a = handle->data;

    (void)suggested;
    *ret = uv_buf_init(a->chunk, sizeof a->chunk);
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct local_ask *a = stream->data;

    if (n == UV_EOF) {
        finish(a);
    } else if (n < 0) {
        fail(a, (int)n, "cannot read from the socket");
    } else {
        buf_add(&a->reply, bytes->base, (size_t)n);
        if (buf_over(&a->reply)) {
            err_set(&a->err, ERR_REMOTE, "the answer from the socket %s is longer than %zu bytes",
                    a->path, a->reply.max);
            finish(a);
        }
    }
}

/* A peer that answered and closed before it read all is seen by the read. */
static void written(uv_write_t *write, int status)
{
    struct local_ask *a = write->data;

    if (status < 0 && status != UV_ECANCELED && status != UV_EPIPE)
        fail(a, status, "cannot send to the socket");
}

static void connected(uv_connect_t *connect, int status)
{
    struct local_ask *a = connect->data;
    uv_buf_t bytes;

    if (a->over)
        return;
    if (status < 0) {
        fail(a, status, "cannot connect to the socket");
        return;
    }
    uv_read_start((uv_stream_t *)&a->pipe, room, received);
    bytes = uv_buf_init(a->text, (unsigned)strlen(a->text));
    a->write.data = a;
    status = uv_write(&a->write, (uv_stream_t *)&a->pipe, &bytes, 1, written);
    if (status < 0)
        fail(a, status, "cannot send to the socket");
}

struct local_ask *local_ask(struct loop *loop, const struct local_question *q, local_done_fn *done,
                            void *arg)
{
    struct local_ask *a = mem_alloc(sizeof *a);
    uv_loop_t *uv = loop_uv(loop);

    buf_init(&a->reply, q->max_reply);
    a->path = mem_strdup(q->path);
    a->text = mem_strdup(q->text);
    a->timeout_ms = q->timeout_ms;
    a->done = done;
    a->arg = arg;
    a->pipe.data = a->limit.data = a->connect.data = a;
    a->open_handles = 2;
    uv_timer_init(uv, &a->limit);
    if (uv_pipe_init(uv, &a->pipe, 0) != 0)
        abort(); /* it only fails for a bad flag */
    if (strlen(a->path) > LOCAL_PATH_MAX) {
        err_set(&a->err, ERR_USAGE, "the path of the socket %s is longer than %d bytes", a->path,
                LOCAL_PATH_MAX);
        uv_timer_start(&a->limit, part_ended, 0, 0);
        return a;
    }
    a->parts_left = PARTS;
    begin_part(a);
    uv_pipe_connect(&a->connect, &a->pipe, a->path, connected);
    return a;
}
