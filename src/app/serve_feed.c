#include "app/serve.h"

#include "app/event_hub.h"
#include "app/incident_json.h"
#include "app/json_out.h"
#include "app/router.h"
#include "base/mem.h"
#include "net/loop.h"

#include <stdlib.h>

/* Gathers what happens within a second, for whoever reads along. */

/* AT_LEAST: what belongs together (a tick of all environments) comes together. */
enum { EVERY_MS = 1000, AT_LEAST_MS = 50, LIST_BYTES_MAX = 768 << 10, PROBER_MS = 5000 };

enum list_kind { LIST_SAMPLES, LIST_CHECKS, LIST_OUTAGES, LIST_INCIDENTS, LIST_DEPLOYMENTS };
#define N_LISTS (LIST_DEPLOYMENTS + 1)

struct list {
    struct buf json;
    struct json_out out;
};

struct feed {
    struct serve *serve;
    struct timer *send, *prober;
    bool armed, traffic; /* traffic: something of it moved */
    int64_t sent_ms;     /* monotonic */
    struct list lists[N_LISTS];
    int64_t *changed; /* checks, each once */
    size_t n_changed, size_changed;
};

static void send_list(struct feed *t, enum list_kind kind)
{
    static const char *const names[] = {"samples", "checks", "outages", "incidents", "deployments"};
    struct list *l = &t->lists[kind];

    if (l->json.len == 0)
        return;
    buf_addc(&l->json, ']');
    serve_redact(t->serve, &l->json);
    event_hub_send(t->serve->hub, names[kind], l->json.data, l->json.len);
    buf_clear(&l->json);
}

static void arm(struct feed *t)
{
    int64_t wait = t->sent_ms + EVERY_MS - clock_mono_ms(&t->serve->app->clock);

    if (!t->armed)
        timer_start(t->send, wait > AT_LEAST_MS ? wait : AT_LEAST_MS);
    t->armed = true;
}

/* Where the next value goes; NULL when nobody reads, or it would be too much. */
static struct json_out *next(struct feed *t, enum list_kind kind)
{
    struct list *l = &t->lists[kind];

    if (event_hub_readers(t->serve->hub) == 0 || l->json.len > LIST_BYTES_MAX)
        return NULL;
    arm(t);
    if (l->json.len == 0) {
        l->out = (struct json_out){.b = &l->json};
        out_open(&l->out, '[');
    }
    return &l->out;
}

static void gather_checks(struct feed *t)
{
    for (size_t i = 0; i < t->n_changed; i++) {
        const struct watch_check *c = watch_find(t->serve->watch, t->changed[i]);
        struct json_out *o = c ? next(t, LIST_CHECKS) : NULL;
        if (o)
            json_check_change(o, t->serve->watch, c);
    }
    t->n_changed = 0;
}

static void send_traffic(struct feed *t)
{
    struct buf b = BUF_INIT(4 << 20);
    struct json_out o = {.b = &b};

    t->traffic = false;
    if (!t->serve->router || event_hub_readers(t->serve->hub) == 0)
        return;
    router_json(t->serve->router, &o);
    serve_redact(t->serve, &b);
    event_hub_send(t->serve->hub, "traffic", b.data, b.len);
    buf_release(&b);
}

static void send_all(void *arg)
{
    struct feed *t = arg;

    gather_checks(t);
    t->sent_ms = clock_mono_ms(&t->serve->app->clock);
    for (int i = 0; i < N_LISTS; i++)
        send_list(t, (enum list_kind)i);
    if (t->traffic)
        send_traffic(t);
    t->armed = false;
}

static void send_prober(void *arg)
{
    struct feed *t = arg;
    struct serve *s = t->serve;

    prober_use(s);
    if (event_hub_readers(s->hub) > 0) {
        const struct buf *b = serve_prober(s);
        event_hub_send(s->hub, "prober", b->data, b->len);
    }
    send_traffic(t);
    timer_start(t->prober, PROBER_MS);
}

struct feed *feed_new(struct serve *s)
{
    struct feed *t = mem_alloc(sizeof(*t));

    t->serve = s;
    for (int i = 0; i < N_LISTS; i++)
        buf_init(&t->lists[i].json, (size_t)2 * LIST_BYTES_MAX);
    t->send = timer_new(s->app->loop, send_all, t);
    t->prober = timer_new(s->app->loop, send_prober, t);
    timer_start(t->prober, PROBER_MS);
    return t;
}

void feed_sample(struct feed *t, const struct sample *v)
{
    struct json_out *o = next(t, LIST_SAMPLES);

    if (o)
        json_sample(o, v);
}

void feed_check(struct feed *t, const struct watch_check *c)
{
    if (event_hub_readers(t->serve->hub) == 0)
        return;
    for (size_t i = 0; i < t->n_changed; i++)
        if (t->changed[i] == c->series)
            return;
    if (t->n_changed == t->size_changed) {
        t->size_changed = t->size_changed ? 2 * t->size_changed : 64;
        t->changed = mem_grow(t->changed, t->size_changed, sizeof(*t->changed));
    }
    t->changed[t->n_changed++] = c->series;
    arm(t);
}

void feed_outage(struct feed *t, const struct watch_outage *i)
{
    struct json_out *o = next(t, LIST_OUTAGES);

    if (o)
        json_outage(o, i);
}

void feed_incident(struct feed *t, const struct incident *i)
{
    struct json_out *o = next(t, LIST_INCIDENTS);

    if (!o)
        return;
    out_open(o, '{');
    incident_json_members(o, i);
    out_close(o, '}');
}

void feed_deployment(struct feed *t, const struct live_row *r)
{
    struct json_out *o = next(t, LIST_DEPLOYMENTS);

    if (o)
        json_deployment(o, t->serve, r);
}

void feed_traffic(struct feed *t)
{
    t->traffic = true;
    if (event_hub_readers(t->serve->hub) > 0)
        arm(t);
}

void feed_free(struct feed *t)
{
    if (!t)
        return;
    timer_free(t->send);
    timer_free(t->prober);
    for (int i = 0; i < N_LISTS; i++)
        buf_release(&t->lists[i].json);
    free(t->changed);
    free(t);
}
