#include "net/loop.h"
#include "base/clock.h"
#include "base/mem.h"

#include <signal.h>
#include <stdlib.h>

enum { SLOW_MS = 50, N_SIGNALS = 2 };

struct loop {
    uv_loop_t uv;
    const struct clock *clock;

    /* A turn is what happens between two waits. uv_check runs after each wait and its callbacks;
     * libuv's own count of idle time is subtracted. */
    uv_check_t turn;
    uint64_t turn_ns, idle_ns;
    const char *what; /* the last named work of this turn */
    loop_slow_fn *slow;
    void *slow_arg;

    uv_signal_t signals[N_SIGNALS];
    int signals_seen;
    void (*on_signal)(int signal, void *arg);
    void *on_signal_arg;
};

struct timer {
    uv_timer_t uv;
    timer_fn *fn;
    void *arg;
};

struct work {
    uv_work_t uv;
    struct loop *loop;
    const char *what;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void end_turn(uv_check_t *handle)
{
    struct loop *l = handle->data;
    uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(&l->uv);
    int64_t busy_ms = ((int64_t)(now - l->turn_ns) - (int64_t)(idle - l->idle_ns)) / 1000000;
    const char *what = l->what ? l->what : "callback";

    l->turn_ns = now;
    l->idle_ns = idle;
    l->what = NULL;
    if (busy_ms > SLOW_MS && l->slow)
        l->slow(busy_ms, what, l->slow_arg);
}

struct loop *loop_new(const struct clock *clock)
{
    struct loop *l = mem_alloc(sizeof *l);

    /* Only a lack of file descriptors or memory can make these fail. */
    if (uv_loop_init(&l->uv) != 0 || uv_check_init(&l->uv, &l->turn) != 0)
        abort();
    uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME);
    l->clock = clock ? clock : &clock_system;
    l->turn.data = l;
    uv_check_start(&l->turn, end_turn);
    uv_unref((uv_handle_t *)&l->turn);
    for (int i = 0; i < N_SIGNALS; i++) {
        if (uv_signal_init(&l->uv, &l->signals[i]) != 0)
            abort();
        l->signals[i].data = l;
    }
    return l;
}

/* What others forgot to free is closed all the same, so that the loop can end. */
static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    uv_walk(&l->uv, close_handle, NULL);
    do /* again when a callback stops the loop, or pool work is still under way */
        uv_run(&l->uv, UV_RUN_DEFAULT);
    while (uv_loop_close(&l->uv) == UV_EBUSY);
    free(l);
}

void loop_on_slow(struct loop *l, loop_slow_fn *fn, void *arg)
{
    l->slow = fn;
    l->slow_arg = arg;
}

int loop_run(struct loop *l)
{
    l->turn_ns = uv_hrtime();
    l->idle_ns = uv_metrics_idle_time(&l->uv);
    return uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

const struct clock *loop_clock(const struct loop *l)
{
    return l->clock;
}

struct timer *timer_new(struct loop *l, timer_fn *fn, void *arg)
{
    struct timer *t = mem_alloc(sizeof *t);

    uv_timer_init(&l->uv, &t->uv);
    t->uv.data = t;
    t->fn = fn;
    t->arg = arg;
    return t;
}

static void timer_fired(uv_timer_t *handle)
{
    struct timer *t = handle->data;

    t->fn(t->arg);
}

void timer_start(struct timer *t, int64_t ms)
{
    uv_update_time(t->uv.loop);
    /* libuv cuts the present down to whole milliseconds: one more keeps "at least" true. */
    uv_timer_start(&t->uv, timer_fired, ms > 0 ? (uint64_t)ms + 1 : 0, 0);
}

void timer_stop(struct timer *t)
{
    uv_timer_stop(&t->uv);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void timer_free(struct timer *t)
{
    if (t)
        uv_close((uv_handle_t *)&t->uv, timer_closed);
}

static void do_work(uv_work_t *handle)
{
    struct work *w = handle->data;

    w->work(w->arg);
}

static void work_done(uv_work_t *handle, int status)
{
    struct work *w = handle->data;

    (void)status; /* never cancelled */
    w->loop->what = w->what;
    if (w->done)
        w->done(w->arg);
    free(w);
}

void loop_work(struct loop *l, const char *what, void (*work)(void *arg), void (*done)(void *arg),
               void *arg)
{
    struct work *w = mem_alloc(sizeof *w);

    *w = (struct work){.loop = l, .what = what, .work = work, .done = done, .arg = arg};
    w->uv.data = w;
    if (uv_queue_work(&l->uv, &w->uv, do_work, work_done) != 0)
        abort(); /* only when no function is given */
}

static void signal_came(uv_signal_t *handle, int signal)
{
    struct loop *l = handle->data;

    if (++l->signals_seen > 1) {
        for (int i = 0; i < N_SIGNALS; i++)
            uv_signal_stop(&l->signals[i]);
    }
    if (l->on_signal)
        l->on_signal(signal, l->on_signal_arg);
}

void loop_on_signal(struct loop *l, void (*fn)(int signal, void *arg), void *arg)
{
    static const int numbers[N_SIGNALS] = {SIGINT, SIGTERM};

    l->on_signal = fn;
    l->on_signal_arg = arg;
    for (int i = 0; i < N_SIGNALS; i++) {
        if (!fn) {
            uv_signal_stop(&l->signals[i]);
            continue;
        }
        uv_signal_start(&l->signals[i], signal_came, numbers[i]);
        uv_unref((uv_handle_t *)&l->signals[i]); /* listening alone keeps no loop running */
    }
}
