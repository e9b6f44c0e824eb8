#include "net/http_client.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "net/http_sockets.h"
#include "net/http_transfer.h"
#include "net/loop.h"
#include "net/tls.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdlib.h>

enum {
    TIMEOUT_MS = 60000,
    CONNECT_MS = 10000,
    STALL_MS = 30000,
    REPLY_MAX = 16 << 20,
    PER_HOST = 16,
    KEPT_CONNECTIONS = 128,
    KEPT_UNBOUNDED = 1 << 16,
    PLACE_BITS = 24,
    PLACE_MASK = (1 << PLACE_BITS) - 1,
    SPARE_MAX = 256, /* ended transfers that are kept to be used again */
};

/* The shape of curl's own example for libuv: curl says which sockets to watch and when to be woken,
 * http_sockets and a timer do so, and every wake-up ends with looking for finished requests. */
struct http_client {
    struct loop *loop;
    struct http_client_options options;
    CURLM *multi;
    struct http_sockets *sockets;
    SSL_CTX *trust;       /* whose authorities all connections share; NULL until the first */
    struct timer *wake;   /* when curl asked to be called */
    struct timer *failed; /* gives back requests that never started */
    struct timer *ended;  /* looks for requests that ended while they were begun */
    struct timer *watch;  /* looks for stalled requests while there are any in flight */
    bool watching;
    struct http_transfer *transfers;
    size_t n;
    struct http_transfer *spare;
    size_t n_spare;
    /* By place: the low bits of an id are its transfer's place here, so that one in thousands is
     * found at once. */
    struct http_transfer **places;
    uint32_t *free_places;
    size_t n_places, n_free, cap_places;
    uint64_t last_serial;
};

static void take_place(struct http_client *c, struct http_transfer *t)
{
    if (c->n_free == 0 && c->n_places == c->cap_places) {
        c->cap_places = c->cap_places ? 2 * c->cap_places : 64;
        c->places = mem_grow(c->places, c->cap_places, sizeof(struct http_transfer *));
        c->free_places = mem_grow(c->free_places, c->cap_places, sizeof *c->free_places);
    }

    size_t place = c->n_free > 0 ? c->free_places[--c->n_free] : c->n_places++;

    c->places[place] = t;
    t->id = ++c->last_serial << PLACE_BITS | place;
}

static void give_place(struct http_client *c, const struct http_transfer *t)
{
    size_t place = t->id & PLACE_MASK;

    c->places[place] = NULL;
    c->free_places[c->n_free++] = (uint32_t)place;
}

static struct http_transfer *find(const struct http_client *c, uint64_t id)
{
    size_t place = id & PLACE_MASK;
    struct http_transfer *t = place < c->n_places ? c->places[place] : NULL;

    return t && t->id == id ? t : NULL;
}

static void unlink_transfer(struct http_client *c, struct http_transfer *t)
{
    give_place(c, t);
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

static void recycle(struct http_client *c, struct http_transfer *t)
{
    if (c->n_spare == SPARE_MAX) {
        transfer_free(t);
        return;
    }
    transfer_clear(t);
    t->next = c->spare;
    c->spare = t;
    c->n_spare++;
}

static void free_spare(struct http_client *c)
{
    while (c->spare) {
        struct http_transfer *t = c->spare;

        c->spare = t->next;
        transfer_free(t);
    }
}

static struct http_transfer *take_spare(struct http_client *c)
{
    struct http_transfer *t = c->spare;

    if (!t)
        return transfer_new();
    c->spare = t->next;
    c->n_spare--;
    return t;
}

/* Takes the transfer off the list first: the callback may send and cancel as it likes. */
static void finish(struct http_client *c, struct http_transfer *t, CURLcode code)
{
    struct arena a = ARENA_INIT;
    struct http_reply reply;

    transfer_reply(t, code, &a, &reply);
    unlink_transfer(c, t);
    t->fn(t->id, &reply, t->arg);
    recycle(c, t);
    arena_release(&a);
}

static void finish_done(void *arg)
{
    struct http_client *c = arg;
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
    c->ended = timer_new(loop, finish_done, c);
    c->watch = timer_new(loop, look_for_stalled, c);
    c->sockets = http_sockets_new(loop, c->multi, finish_done, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, wake_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      c->options.max_per_host == HTTP_UNBOUNDED ? 0L
                                                                : (long)c->options.max_per_host);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS,
                      c->options.max_per_host == HTTP_UNBOUNDED ? (long)KEPT_UNBOUNDED
                                                                : (long)KEPT_CONNECTIONS);
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
    free_spare(c);
    curl_multi_cleanup(c->multi); /* closes its sockets through http_sockets_close */
    http_sockets_free(c->sockets);
    SSL_CTX_free(c->trust);
    free(c->places);
    free(c->free_places);
    timer_free(c->wake);
    timer_free(c->failed);
    timer_free(c->ended);
    timer_free(c->watch);
    free(c);
    curl_global_cleanup();
}

/* At once, not when libcurl's timer comes round: what it measures begins here. */
static void start(struct http_client *c, struct http_transfer *t)
{
    int running;

    if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
        abort(); /* only a handle that is in use, or no memory */
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    timer_start(c->ended, 0); /* it may have ended already, and nobody is called from in here */
}

/* The authorities are read once, not for each connection. */
static CURLcode trust(CURL *easy, void *context, void *arg)
{
    struct http_transfer *t = arg;
    struct http_client *c = t->tools.arg;

    (void)easy;
    if (!c->trust)
        c->trust = tls_context_new(c->options.ca_file, &t->err);
    if (!c->trust)
        return CURLE_SSL_CACERT_BADFILE;
    SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(c->trust));
    return CURLE_OK;
}

uint64_t http_send(struct http_client *c, const char *base, const struct http_request *r,
                   int64_t intended_us, http_done_fn *fn, void *arg)
{
    struct http_transfer *t = take_spare(c);
    int64_t now = clock_mono_us(loop_clock(c->loop));

    struct transfer_tools tools = {&c->options, c->sockets, trust, c};

    transfer_begin(t, &tools, base, r);
    take_place(c, t);
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
    else
        start(c, t);
    if (!c->watching)
        arm_watch(c);
    return t->id;
}

void http_cancel(struct http_client *c, uint64_t id)
{
    struct http_transfer *t = find(c, id);

    if (!t)
        return;
    unlink_transfer(c, t);
    recycle(c, t);
}

void http_progress(const struct http_client *c, uint64_t id, struct http_timing *ret)
{
    *ret = (struct http_timing){0, -1, -1, -1, -1, -1};

    const struct http_transfer *t = find(c, id);

    if (t)
        transfer_timing(t, ret);
}

size_t http_in_flight(const struct http_client *c)
{
    return c->n;
}
