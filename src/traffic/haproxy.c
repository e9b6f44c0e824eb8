#include "traffic/haproxy_inner.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/local.h"
#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { POLL_MS = 50, STOP_MS = 5000, STOP_LOOK_MS = 20 };

int64_t haproxy_now_ms(const struct haproxy *h)
{
    return clock_mono_ms(loop_clock(h->loop));
}

int64_t haproxy_now_us(const struct haproxy *h)
{
    return clock_mono_us(loop_clock(h->loop));
}

void haproxy_set_state(struct haproxy *h, enum haproxy_state s, const char *why)
{
    bool same = h->state == s && !strcmp(h->why, why);

    h->state = s;
    if (!same) {
        text_copy(h->why, sizeof h->why, why);
        if (h->o.state)
            h->o.state(s, h->why, h->o.arg);
    }
}

void haproxy_say(struct haproxy *h, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    if (!h->o.say)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    h->o.say(text, h->o.arg);
}

struct haproxy *haproxy_new(struct loop *loop, const struct haproxy_options *o)
{
    struct haproxy *h = mem_alloc(sizeof *h);

    h->loop = loop;
    h->o = *o;
    h->asked = mem_strdup(o->program);
    if (h->o.poll_ms <= 0)
        h->o.poll_ms = POLL_MS;
    return h;
}

enum haproxy_state haproxy_state(const struct haproxy *h, const char **ret_why)
{
    if (ret_why)
        *ret_why = h->why;
    return h->state;
}

int64_t haproxy_pid(const struct haproxy *h)
{
    return h->master;
}

const struct haproxy_reading *haproxy_readings(const struct haproxy *h, size_t *ret_n)
{
    *ret_n = h->n_readings;
    return h->readings;
}

/* Everything under way ends here; who waits is told. */
static void let_go(struct haproxy *h, const char *why)
{
    struct err e = ERR_INIT;

    err_set(&e, ERR_NO, "%s", why);
    haproxy_poll_end(h);
    local_cancel(h->ask);
    h->ask = NULL;
    haproxy_run_forget(h);
    timer_free(h->step_timer);
    h->step_timer = NULL;
    h->busy = h->switching = false;
    haproxy_steer_fail(h, &e);
    while (h->queue) {
        struct wanted *w = h->queue;

        h->queue = w->next;
        if (w->done)
            w->done(&e, w->arg);
        wanted_free(w);
    }
}

void haproxy_leave(struct haproxy *h)
{
    let_go(h, "HAProxy was left to itself");
    h->master = h->worker = 0;
    haproxy_set_state(h, HAPROXY_OFF, "");
}

/* --- Ending it --------------------------------------------------------------------------------*/

/* What runs has its time to end, then less, then none. */
struct stop {
    struct haproxy *h;
    struct timer *timer;
    int64_t master, since_ms;
    int said; /* signals sent so far */
    haproxy_done_fn *done;
    void *arg;
};

static void look_stopped(void *arg)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    struct stop *s = arg;
    struct haproxy *h = s->h;
    int64_t waited_ms = haproxy_now_ms(h) - s->since_ms;

    if (haproxy_is_ours(h, s->master)) {
        if (s->said < 2 && waited_ms >= (int64_t)STOP_MS * (s->said + 1))
            kill((pid_t)s->master, signals[s->said++]);
        timer_start(s->timer, STOP_LOOK_MS);
        return;
    }
    h->stop = NULL;
    timer_free(s->timer);
    if (s->done)
        s->done(NULL, s->arg);
    free(s);
}

void haproxy_stop(struct haproxy *h, haproxy_done_fn *done, void *arg)
{
    int64_t master = *h->pid_file ? haproxy_read_master(h) : 0;
    struct stop *s;

    let_go(h, "HAProxy is being ended");
    h->master = h->worker = 0;
    haproxy_set_state(h, HAPROXY_OFF, "");
    if (h->stop || !master || kill((pid_t)master, SIGUSR1) != 0) {
        if (done)
            done(NULL, arg);
        return;
    }
    s = mem_alloc(sizeof *s);
    *s = (struct stop){
        .h = h, .master = master, .since_ms = haproxy_now_ms(h), .done = done, .arg = arg};
    s->timer = timer_new(h->loop, look_stopped, s);
    h->stop = s;
    timer_start(s->timer, STOP_LOOK_MS);
}

void haproxy_free(struct haproxy *h)
{
    if (!h)
        return;
    h->o.state = NULL;
    let_go(h, "HAProxy was left to itself");
    if (h->stop) {
        timer_free(h->stop->timer);
        free(h->stop);
    }
    wanted_free(h->force);
    haproxy_orders_free(h);
    free(h->readings);
    free(h->tallies);
    free(h->program);
    free(h->asked);
    free(h);
}
