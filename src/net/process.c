#include "net/process.h"
#include "base/mem.h"
#include "net/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { GRACE_MS = 5000, KEEP_BYTES = 65536, LINE_BYTES = 4096, READ_BYTES = 65536 };

/* One of the child's output streams. The last `max` bytes are kept: `data` holds up to twice as
 * many, so that moving them down costs little. */
struct stream {
    uv_pipe_t pipe;
    struct process *process;
    bool is_stderr, open;
    size_t max, len;
    char *data;
    uint64_t dropped;
    size_t line_len;
    char line[LINE_BYTES + 1];
};

struct process {
    struct loop *loop;
    uv_process_t uv;
    uv_stdio_container_t stdio[3];
    struct stream streams[2];
    char **argv, **env, *dir;
    int64_t timeout_ms, grace_ms;
    void (*line)(const char *line, bool is_stderr, void *arg);
    process_done_fn *fn;
    void *arg;
    struct timer
        *timer; /* in turn: the timeout, the grace after SIGTERM, the wait for late output */
    struct process_result result;
    bool running, killed;
    int handles; /* of libuv, still to be closed */
    char read_space[READ_BYTES];
};

static char **copy_list(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;

    char **copy = mem_array(n + 1, sizeof *copy);

    for (size_t i = 0; i < n; i++)
        copy[i] = mem_strdup(list[i]);
    return copy;
}

/* The environment holds secrets. */
static void free_list(char **list)
{
    for (char **s = list; *s; s++) {
        explicit_bzero(*s, strlen(*s));
        free(*s);
    }
    free(list);
}

static void free_process(struct process *p)
{
    for (int i = 0; i < 2; i++)
        free(p->streams[i].data);
    free_list(p->argv);
    free_list(p->env);
    free(p->dir);
    free(p);
}

static void trim(struct stream *s)
{
    if (s->len <= s->max)
        return;
    s->dropped += s->len - s->max;
    memmove(s->data, s->data + (s->len - s->max), s->max);
    s->len = s->max;
}

/* Gone already is as good. */
static void kill_group(const struct process *p, int signal)
{
    kill(-p->uv.pid, signal);
}

static void finish(struct process *p)
{
    struct process_result *r = &p->result;

    if (p->killed)
        kill_group(p, SIGKILL); /* a grandchild that let go of the output but did not end */
    for (int i = 0; i < 2; i++) {
        trim(&p->streams[i]);
        p->streams[i].data[p->streams[i].len] = '\0';
    }
    r->out = p->streams[0].data;
    r->out_len = p->streams[0].len;
    r->out_dropped = p->streams[0].dropped;
    r->err_out = p->streams[1].data;
    r->err_len = p->streams[1].len;
    r->err_dropped = p->streams[1].dropped;
    timer_free(p->timer);
    p->fn(r, p->arg);
    free_process(p);
}

static void handle_closed(uv_handle_t *handle)
{
    struct process *p = handle->data;

    if (--p->handles == 0)
        finish(p);
}

static void end_line(struct stream *s)
{
    struct process *p = s->process;

    if (s->line_len > 0 && s->line[s->line_len - 1] == '\r')
        s->line_len--;
    s->line[s->line_len] = '\0';
    s->line_len = 0;
    p->line(s->line, s->is_stderr, p->arg);
}

static void take_lines(struct stream *s, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n')
            end_line(s);
        else if (s->line_len < LINE_BYTES)
            s->line[s->line_len++] = data[i];
    }
}

static void take_output(struct stream *s, const char *data, size_t len)
{
    if (s->process->line)
        take_lines(s, data, len);
    while (len > 0) {
        size_t n = 2 * s->max - s->len;

        if (n > len)
            n = len;
        memcpy(s->data + s->len, data, n);
        s->len += n;
        data += n;
        len -= n;
        if (s->len == 2 * s->max)
            trim(s);
    }
}

static void close_stream(struct stream *s)
{
    if (!s->open)
        return;
    s->open = false;
    if (s->process->line && s->line_len > 0)
        end_line(s);
    uv_close((uv_handle_t *)&s->pipe, handle_closed);
}

static void give_space(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
    struct process *p = handle->data;

    (void)wanted;
    *ret = uv_buf_init(p->read_space, sizeof p->read_space);
}

static void output_came(uv_stream_t *handle, ssize_t n, const uv_buf_t *space)
{
    struct process *p = handle->data;
    struct stream *s =
        handle == (uv_stream_t *)&p->streams[0].pipe ? &p->streams[0] : &p->streams[1];

    if (n > 0)
        take_output(s, space->base, (size_t)n);
    else if (n < 0)
        close_stream(s);
}

static void timer_came(void *arg)
{
    struct process *p = arg;

    if (!p->running) { /* something that the child left behind keeps the output open */
        kill_group(p, SIGKILL);
        close_stream(&p->streams[0]);
        close_stream(&p->streams[1]);
    } else if (p->killed) {
        kill_group(p, SIGKILL);
    } else {
        p->result.timed_out = true;
        process_kill(p);
    }
}

void process_kill(struct process *p)
{
    if (!p->running || p->killed)
        return;
    p->killed = true;
    kill_group(p, SIGTERM);
    timer_start(p->timer, p->grace_ms);
}

static void exited(uv_process_t *handle, int64_t status, int signal)
{
    struct process *p = handle->data;

    p->running = false;
    p->result.exit_status = signal ? -1 : (int)status;
    p->result.signal = signal;
    timer_start(p->timer, p->grace_ms); /* for output that is still on its way */
    uv_close((uv_handle_t *)handle, handle_closed);
}

static void init_stream(struct process *p, int i, size_t max)
{
    struct stream *s = &p->streams[i];

    s->process = p;
    s->is_stderr = i == 1;
    s->open = true;
    s->max = max ? max : KEEP_BYTES;
    s->data = mem_array(2 * s->max + 1, 1);
    uv_pipe_init(loop_uv(p->loop), &s->pipe, 0);
    s->pipe.data = p;
    p->stdio[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    p->stdio[i + 1].data.stream = (uv_stream_t *)&s->pipe;
    p->handles++;
}

static void start(struct process *p)
{
    uv_process_options_t o = {
        .file = p->argv[0],
        .args = p->argv,
        .env = p->env,
        .cwd = p->dir,
        .flags = UV_PROCESS_DETACHED, /* a session, and so a process group, of its own */
        .stdio = p->stdio,
        .stdio_count = 3,
        .exit_cb = exited,
    };
    int rc = uv_spawn(loop_uv(p->loop), &p->uv, &o);

    p->uv.data = p;
    p->handles++;
    if (rc != 0) {
        p->result.exit_status = -1;
        err_set(&p->result.err, ERR_MANIFEST, "%s: cannot be started%s%s: %s%s", p->argv[0],
                p->dir ? " in " : "", p->dir ? p->dir : "", uv_strerror(rc),
                rc == UV_ENOENT ? "; install it, or check PATH and the folder" : "");
        p->result.err.code = -rc;
        uv_close((uv_handle_t *)&p->uv, handle_closed);
        close_stream(&p->streams[0]);
        close_stream(&p->streams[1]);
        return;
    }
    p->running = true;
    for (int i = 0; i < 2; i++)
        uv_read_start((uv_stream_t *)&p->streams[i].pipe, give_space, output_came);
    if (p->timeout_ms > 0)
        timer_start(p->timer, p->timeout_ms);
}

struct process *process_start(struct loop *loop, const struct process_options *o,
                              process_done_fn *fn, void *arg)
{
    struct process *p = mem_alloc(sizeof *p);

    p->loop = loop;
    p->argv = copy_list(o->argv);
    p->env = copy_list(o->env);
    p->dir = mem_strdup(o->dir);
    p->timeout_ms = o->timeout_ms;
    p->grace_ms = o->grace_ms > 0 ? o->grace_ms : GRACE_MS;
    p->line = o->line;
    p->fn = fn;
    p->arg = arg;
    p->timer = timer_new(loop, timer_came, p);
    p->stdio[0].flags = UV_IGNORE;
    init_stream(p, 0, o->max_out);
    init_stream(p, 1, o->max_err);
    start(p);
    return p;
}
