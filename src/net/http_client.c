#include "net/http_client.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "net/http_transfer.h"
#include "net/loop.h"

#include <curl/curl.h>
#include <stdlib.h>

enum {
    TIMEOUT_MS = 60000,
    CONNECT_MS = 10000,
    STALL_MS = 30000,
    REPLY_MAX = 16 << 20,
    PER_HOST = 16,
    KEPT_CONNECTIONS = 128,
};

/* The shape of curl's own example for libuv: curl says which sockets to watch and when to be woken,
 * uv_poll and a timer do so, and every wake-up ends with looking for finished requests. */
struct http_client {
    struct loop *loop;
    struct http_client_options options;
    CURLM *multi;
    struct timer *wake;   /* when curl asked to be called */
    struct timer *failed; /* gives back requests that never started */
    struct timer *watch;  /* looks for stalled requests while there are any in flight */
    bool watching;
    struct http_transfer *transfers;
    size_t n;
    uint64_t last_id;
};

/* A socket of curl's that is being watched. */
struct watched {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t fd;
};

static void unlink_transfer(struct http_client *c, struct http_transfer *t)
{
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    if (!t->never_started)
        curl_multi_remove_handle(c->multi, t->easy);
    if (--c->n == 0) { /* an idle client keeps no loop running */
        timer_stop(c->watch);
        c->watching = false;
    }
}

/* Takes the transfer off the list first: the callback may send and cancel as it likes. */
static void finish(struct http_client *c, struct http_transfer *t, CURLcode code)
{
    struct arena a = ARENA_INIT;
    struct http_reply reply;

    transfer_reply(t, code, &a, &reply);
    unlink_transfer(c, t);
    t->fn(t->id, &reply, t->arg);
    transfer_free(t);
    arena_release(&a);
}

static void finish_done(struct http_client *c)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(c->multi, &left))) {
        struct http_transfer *t = NULL;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        finish(c, t, code);
    }
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    struct http_client *c = w->client;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0, running;

    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(c->multi, w->fd, flags, &running);
    finish_done(c);
}

static void watched_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watched *watch_socket(struct http_client *c, curl_socket_t fd)
{
    struct watched *w = mem_alloc(sizeof *w);

    w->client = c;
    w->fd = fd;
    w->poll.data = w;
    if (uv_poll_init_socket(loop_uv(c->loop), &w->poll, fd) != 0)
        abort(); /* fd is no socket */
    curl_multi_assign(c->multi, fd, w);
    return w;
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct http_client *c = arg;
    struct watched *w = socket_arg;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(c->multi, fd, NULL);
            uv_close((uv_handle_t *)&w->poll, watched_closed);
        }
        return 0;
    }
    if (!w)
        w = watch_socket(c, fd);

    int events =
        (what != CURL_POLL_OUT ? UV_READABLE : 0) | (what != CURL_POLL_IN ? UV_WRITABLE : 0);

    uv_poll_start(&w->poll, events, socket_ready);
    return 0;
}

static int wake_wanted(CURLM *multi, long ms, void *arg)
{
    struct http_client *c = arg;

    (void)multi;
    if (ms < 0)
        timer_stop(c->wake);
    else
        timer_start(c->wake, ms);
    return 0;
}

static void woken(void *arg)
{
    struct http_client *c = arg;
    int running;

    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_done(c);
}

static void give_back_failed(void *arg)
{
    struct http_client *c = arg;
    struct http_transfer *t = c->transfers;

    /* From the beginning again after each, for the callback may have changed the list. */
    while (t) {
        if (t->never_started) {
            finish(c, t, CURLE_OK);
            t = c->transfers;
        } else {
            t = t->next;
        }
    }
}

static void arm_watch(struct http_client *c)
{
    unsigned period = c->options.stall_ms / 4;

    c->watching = c->n > 0;
    if (c->watching)
        timer_start(c->watch, period > 1000 ? 1000 : period);
}

static void look_for_stalled(void *arg)
{
    struct http_client *c = arg;
    struct http_transfer *t = c->transfers;
    int64_t now = clock_mono_us(&clock_system); /* libcurl's own time, whatever the loop's clock */

    while (t) {
        if (!t->never_started && transfer_stalled(t, now)) {
            err_set(&t->err, ERR_NET, "%s: no byte came or went for %u ms", t->host, t->stall_ms);
            t->err.retry = true;
            finish(c, t, CURLE_OK);
            t = c->transfers;
        } else {
            t = t->next;
        }
    }
    arm_watch(c);
}

static void set_defaults(struct http_client_options *o)
{
    o->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    o->connect_ms = o->connect_ms ? o->connect_ms : CONNECT_MS;
    o->max_reply = o->max_reply ? o->max_reply : REPLY_MAX;
    o->max_per_host = o->max_per_host ? o->max_per_host : PER_HOST;
    o->stall_ms = o->stall_ms ? o->stall_ms : STALL_MS;
}

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *o)
{
    struct http_client *c = mem_alloc(sizeof *c);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(c->multi = curl_multi_init()))
        abort();
    c->loop = loop;
    c->options = *o;
    set_defaults(&c->options);
    c->wake = timer_new(loop, woken, c);
    c->failed = timer_new(loop, give_back_failed, c);
    c->watch = timer_new(loop, look_for_stalled, c);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, wake_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      c->options.max_per_host == HTTP_UNBOUNDED ? 0L
                                                                : (long)c->options.max_per_host);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    while (c->transfers) {
        struct http_transfer *t = c->transfers;

        unlink_transfer(c, t);
        transfer_free(t);
    }
    curl_multi_cleanup(c->multi); /* gives up its sockets through socket_wanted */
    timer_free(c->wake);
    timer_free(c->failed);
    timer_free(c->watch);
    free(c);
    curl_global_cleanup();
}

uint64_t http_send(struct http_client *c, const char *base, const struct http_request *r,
                   int64_t intended_us, http_done_fn *fn, void *arg)
{
    struct http_transfer *t = transfer_new(&c->options, base, r);
    int64_t now = clock_mono_us(loop_clock(c->loop));

    t->id = ++c->last_id;
    t->fn = fn;
    t->arg = arg;
    t->queued_us = intended_us > 0 && now > intended_us ? now - intended_us : 0;
    t->next = c->transfers;
    t->link = &c->transfers;
    if (t->next)
        t->next->link = &t->next;
    c->transfers = t;
    c->n++;
    if (!t->never_started && fault_hit(c->options.fault)) {
        t->never_started = t->sent = true;
        err_set(&t->err, ERR_NET, "%s: injected fault", t->host);
        t->err.retry = true;
    }
    if (t->never_started)
        timer_start(c->failed, 0);
    else if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
        abort(); /* only a handle that is in use, or no memory */
    if (!c->watching)
        arm_watch(c);
    return t->id;
}

void http_cancel(struct http_client *c, uint64_t id)
{
    for (struct http_transfer *t = c->transfers; t; t = t->next) {
        if (t->id != id)
            continue;
        unlink_transfer(c, t);
        transfer_free(t);
        return;
    }
}

void http_progress(const struct http_client *c, uint64_t id, struct http_timing *ret)
{
    *ret = (struct http_timing){0, -1, -1, -1, -1, -1};
    for (const struct http_transfer *t = c->transfers; t; t = t->next) {
        if (t->id == id)
            transfer_timing(t, ret);
    }
}

size_t http_in_flight(const struct http_client *c)
{
    return c->n;
}
