#include "traffic/drill_canary.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>

struct flight {
    struct flight *next, **link; /* link: what points at us */
    struct canary *canary;
    struct http_request request;
    size_t shot;
    uint64_t id;
};

struct canary {
    struct loop *loop;
    struct http_client *client;
    struct canary_options o;
    struct timer *timer;
    struct canary_shot *shots;
    size_t n, size, in_flight;
    struct flight *flights;
    int64_t start_us;
    bool stopped;
    char trouble[200];
};

static int64_t moment(const struct canary *c, size_t i)
{
    return c->start_us + (int64_t)((double)i * 1e6 / c->o.rate);
}

struct canary *canary_new(struct loop *loop, struct http_client *client,
                          const struct canary_options *o)
{
    struct canary *c = mem_alloc(sizeof(*c));

    *c = (struct canary){.loop = loop, .client = client, .o = *o};
    return c;
}

static void flight_free(struct flight *f)
{
    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    f->canary->in_flight--;
    http_request_release(&f->request);
    free(f);
}

static void answered(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct flight *f = arg;
    struct canary *c = f->canary;
    struct canary_shot *s = &c->shots[f->shot];
    int64_t took_us = clock_mono_us(loop_clock(c->loop)) - s->intended_us;

    (void)id;
    s->took_us = took_us < INT32_MAX ? (int32_t)took_us : INT32_MAX;
    s->end =
        reply->err.kind == ERR_NONE && reply->status / 100 == 2 ? CANARY_ANSWERED : CANARY_LOST;
    if (s->end == CANARY_LOST && reply->err.kind != ERR_NONE)
        (void)text_copy(c->trouble, sizeof(c->trouble), reply->err.text);
    else if (s->end == CANARY_LOST)
        (void)snprintf(c->trouble, sizeof(c->trouble), "answered %d", reply->status);
    flight_free(f);
}

static void send_one(struct canary *c)
{
    struct flight *f = mem_alloc(sizeof(*f));
    int64_t intended_us = moment(c, c->n),
            late_ms = (clock_mono_us(loop_clock(c->loop)) - intended_us) / 1000;
    unsigned left_ms = late_ms + 1 < c->o.patience_ms ? c->o.patience_ms - (unsigned)late_ms : 1;

    if (c->n == c->size) {
        c->size = c->size ? 2 * c->size : 1024;
        c->shots = mem_grow(c->shots, c->size, sizeof(*c->shots));
    }
    c->shots[c->n] = (struct canary_shot){.intended_us = intended_us};
    *f = (struct flight){.next = c->flights, .link = &c->flights, .canary = c, .shot = c->n++};
    if (f->next)
        f->next->link = &f->next;
    c->flights = f;
    c->in_flight++;
    f->request =
        (struct http_request){.method = "GET", .timeout_ms = left_ms, .connect_ms = left_ms};
    http_request_url(&f->request, "%s", c->o.url);
    if (*c->o.host)
        http_request_header(&f->request, "Host", "%s", c->o.host);
    f->id = http_send(c->client, NULL, &f->request, intended_us, answered, f);
}

static void turn(void *arg)
{
    struct canary *c = arg;
    int64_t now_us = clock_mono_us(loop_clock(c->loop));

    while (!c->stopped && moment(c, c->n) <= now_us)
        send_one(c);
    if (!c->stopped)
        timer_start(c->timer, (moment(c, c->n) - now_us + 999) / 1000);
}

void canary_start(struct canary *c)
{
    c->timer = timer_new(c->loop, turn, c);
    c->start_us = clock_mono_us(loop_clock(c->loop));
    timer_start(c->timer, 0);
}

void canary_stop(struct canary *c)
{
    c->stopped = true;
    if (c->timer)
        timer_stop(c->timer);
}

const struct canary_shot *canary_shots(const struct canary *c, size_t *ret_n)
{
    *ret_n = c->n;
    return c->shots;
}

size_t canary_in_flight(const struct canary *c)
{
    return c->in_flight;
}

const char *canary_trouble(const struct canary *c)
{
    return c->trouble;
}

void canary_free(struct canary *c)
{
    if (!c)
        return;
    while (c->flights) {
        http_cancel(c->client, c->flights->id);
        flight_free(c->flights);
    }
    timer_free(c->timer);
    free(c->shots);
    free(c);
}
