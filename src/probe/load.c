#include "probe/load.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lane;

struct flight { /* one request on its way */
    struct lane *lane;
    struct http_request request;
    int64_t intended_us;
    uint64_t id;
    bool busy;
};

struct lane { /* one target */
    struct load *load;
    struct load_target target;
    struct load_result result;
    struct flight *flights; /* options.connections of them */
    size_t n_busy;
    uint64_t next;                 /* the number of the next request to send */
    bool behind;                   /* no connection was free for it at its moment */
    bool window[LOAD_STOP_WINDOW]; /* the newest outcomes, a ring; true = failed */
    size_t seen;                   /* outcomes so far */
};

struct load {
    struct loop *loop;
    struct http_client *client;
    struct timer *timer;
    struct load_options options;
    struct lane **lanes;
    size_t n_lanes;
    int64_t start_us;
    uint64_t total;  /* requests a target */
    int64_t told_us; /* when progress was told last */
    bool over;
};

static int64_t now_us(const struct load *l)
{
    return clock_mono_us(loop_clock(l->loop));
}

static int64_t moment(const struct load *l, uint64_t i)
{
    return l->start_us + (int64_t)((double)i * 1e6 / l->options.rate);
}

struct load *load_new(struct loop *loop, struct http_client *client, const struct load_options *o)
{
    struct load *l = mem_alloc(sizeof(*l));

    assert(o->rate > 0 && o->rate <= LOAD_RATE_MAX && o->connections > 0);
    assert(o->duration_ms > 0 && o->duration_ms <= LOAD_SECONDS_MAX * INT64_C(1000));
    l->loop = loop;
    l->client = client;
    l->options = *o;
    l->total = (uint64_t)ceil(o->rate * (double)o->duration_ms / 1000.0);
    return l;
}

static int64_t block_ms(int64_t duration_ms)
{
    int64_t ms = duration_ms / LOAD_BLOCKS_LEAST;

    return ms > 1000 ? 1000 : ms < 1 ? 1 : ms;
}

void load_add(struct load *l, const struct load_target *t)
{
    struct lane *lane = mem_alloc(sizeof(*lane));

    lane->load = l;
    lane->target = *t;
    lane->flights = mem_array(l->options.connections, sizeof(*lane->flights));
    lane->result.target = &lane->target;
    lane->result.block_ms = block_ms(l->options.duration_ms);
    lane->result.n_blocks =
        (size_t)((l->options.duration_ms + lane->result.block_ms - 1) / lane->result.block_ms);
    lane->result.blocks = mem_array(lane->result.n_blocks, sizeof(*lane->result.blocks));
    l->lanes = mem_grow(l->lanes, l->n_lanes + 1, sizeof(struct lane *));
    l->lanes[l->n_lanes++] = lane;
}

static struct load_block *block_of(struct lane *lane, int64_t intended_us)
{
    struct load_result *r = &lane->result;
    size_t i = (size_t)((intended_us - lane->load->start_us) / (r->block_ms * 1000));

    return &r->blocks[i < r->n_blocks ? i : r->n_blocks - 1];
}

static void end_lane(struct lane *lane, enum load_stop why, const char *reason)
{
    if (lane->result.stop != LOAD_RAN)
        return;
    lane->result.stop = why;
    (void)text_copy(lane->result.reason, sizeof(lane->result.reason), reason);
}

static void note_outcome(struct lane *lane, bool failed)
{
    size_t n_failed = 0;
    char text[200];

    lane->window[lane->seen++ % LOAD_STOP_WINDOW] = failed;
    if (lane->seen < LOAD_STOP_WINDOW)
        return;
    for (size_t i = 0; i < LOAD_STOP_WINDOW; i++)
        n_failed += lane->window[i];
    if (2 * n_failed < LOAD_STOP_WINDOW)
        return;
    (void)snprintf(text, sizeof(text), "%zu of its last %d requests failed: %.120s", n_failed,
                   LOAD_STOP_WINDOW, lane->result.reason);
    end_lane(lane, LOAD_FAILING, text);
}

static bool as_expected(const struct lane *lane, const struct http_reply *reply)
{
    int wanted = lane->target.expect_status;

    return reply->err.kind == ERR_NONE &&
           (wanted ? reply->status == wanted : reply->status / 100 == 2);
}

static void keep_answer(struct lane *lane, const struct flight *f, const struct http_reply *reply)
{
    struct load_result *r = &lane->result;
    int64_t service_us = reply->timing.total;
    struct load_block *block = block_of(lane, f->intended_us);

    r->bytes += reply->len;
    if (as_expected(lane, reply)) {
        r->good++;
        block->good++;
        sketch_add(&r->times, reply->timing.queued + service_us);
        sketch_add(&block->times, reply->timing.queued + service_us);
        sketch_add(&r->service, service_us);
        note_outcome(lane, false);
        return;
    }
    r->failed++;
    block->bad++;
    if (r->reason[0] == '\0' && reply->err.kind != ERR_NONE)
        (void)text_copy(r->reason, sizeof(r->reason), reply->err.text);
    else if (r->reason[0] == '\0')
        (void)snprintf(r->reason, sizeof(r->reason), "answered %d", reply->status);
    if (reply->status == 429 || (reply->status == 503 && http_reply_header(reply, "retry-after")))
        end_lane(lane, LOAD_ASKED_TO_STOP,
                 reply->status == 429 ? "answered 429: it asks for fewer requests"
                                      : "answered 503 with Retry-After: it asks to be left alone");
    note_outcome(lane, true);
}

static void answered(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct flight *f = arg;
    struct lane *lane = f->lane;

    (void)id;
    keep_answer(lane, f, reply);
    http_request_release(&f->request);
    f->busy = false;
    lane->n_busy--;
    timer_start(lane->load->timer, 0); /* the next one may wait for this connection */
}

static void send_one(struct lane *lane, int64_t intended_us, int64_t at_us)
{
    struct load *l = lane->load;
    struct flight *f = lane->flights;
    int64_t left_ms = l->options.timeout_ms - (at_us - intended_us) / 1000;

    while (f->busy)
        f++;
    *f = (struct flight){.lane = lane, .intended_us = intended_us, .busy = true};
    f->request = (struct http_request){.method = "GET",
                                       .timeout_ms = left_ms > 1 ? (unsigned)left_ms : 1,
                                       .connect_ms = left_ms > 1 ? (unsigned)left_ms : 1};
    http_request_url(&f->request, "%s", lane->target.url);
    for (size_t i = 0; i < lane->target.n_headers; i++)
        http_request_header(&f->request, lane->target.headers[i].name, "%s",
                            lane->target.headers[i].value);
    lane->n_busy++;
    lane->result.sent++;
    f->id = http_send(l->client, NULL, &f->request, intended_us, answered, f);
}

/* Its time was up before it could be sent. */
static void give_up(struct lane *lane, int64_t intended_us)
{
    struct load_result *r = &lane->result;

    r->failed++;
    block_of(lane, intended_us)->bad++;
    if (r->reason[0] == '\0')
        (void)snprintf(r->reason, sizeof(r->reason), "no connection came free within %u ms",
                       lane->load->options.timeout_ms);
    note_outcome(lane, true);
}

static bool is_due(const struct lane *lane, int64_t at_us)
{
    return lane->result.stop == LOAD_RAN && lane->next < lane->load->total &&
           moment(lane->load, lane->next) <= at_us;
}

/* Sends what is due of one target, oldest first. */
static void serve(struct lane *lane, int64_t at_us)
{
    const struct load_options *o = &lane->load->options;

    for (; is_due(lane, at_us); lane->next++) {
        int64_t intended_us = moment(lane->load, lane->next);
        if (at_us - intended_us >= (int64_t)o->timeout_ms * 1000) {
            give_up(lane, intended_us);
        } else if (lane->n_busy == o->connections) {
            lane->behind = true;
            return;
        } else {
            if (lane->behind)
                lane->result.waited++;
            else
                sketch_add(&lane->result.lateness, at_us - intended_us);
            send_one(lane, intended_us, at_us);
        }
        lane->result.meant++;
    }
    lane->behind = false;
}

static bool lane_over(const struct lane *lane)
{
    return lane->n_busy == 0 && (lane->result.stop != LOAD_RAN || lane->next == lane->load->total);
}

/* When a target must be looked at again, if no answer comes before. */
static int64_t next_look(const struct lane *lane)
{
    const struct load *l = lane->load;
    int64_t at_us = moment(l, lane->next);

    return lane->behind ? at_us + (int64_t)l->options.timeout_ms * 1000 : at_us;
}

static int64_t pause_ms(const struct load *l, int64_t at_us)
{
    int64_t next_us = at_us + 1000000;

    for (size_t i = 0; i < l->n_lanes; i++) {
        const struct lane *lane = l->lanes[i];
        if (lane->result.stop == LOAD_RAN && lane->next < l->total && next_look(lane) < next_us)
            next_us = next_look(lane);
    }
    return next_us <= at_us ? 0 : (next_us - at_us + 999) / 1000;
}

static void turn(void *arg)
{
    struct load *l = arg;
    int64_t at_us = now_us(l);
    size_t n_over = 0;

    for (size_t i = 0; i < l->n_lanes; i++) {
        serve(l->lanes[i], at_us);
        n_over += lane_over(l->lanes[i]);
    }
    if (l->options.progress && at_us - l->told_us >= 1000000) {
        l->told_us = at_us;
        l->options.progress(l->options.arg);
    }
    if (n_over == l->n_lanes && !l->over) {
        l->over = true;
        l->options.done(l->options.arg);
    } else if (!l->over) {
        timer_start(l->timer, pause_ms(l, at_us));
    }
}

void load_start(struct load *l)
{
    l->timer = timer_new(l->loop, turn, l);
    l->start_us = now_us(l);
    l->told_us = l->start_us;
    timer_start(l->timer, 0);
}

void load_stop(struct load *l)
{
    for (size_t i = 0; i < l->n_lanes; i++)
        if (!lane_over(l->lanes[i]))
            end_lane(l->lanes[i], LOAD_INTERRUPTED, "stopped by hand");
    timer_start(l->timer, 0);
}

size_t load_count(const struct load *l)
{
    return l->n_lanes;
}

const struct load_result *load_result(const struct load *l, size_t i)
{
    return &l->lanes[i]->result;
}

static void free_lane(struct lane *lane)
{
    struct load_result *r = &lane->result;

    for (unsigned i = 0; i < lane->load->options.connections; i++)
        if (lane->flights[i].busy) {
            http_cancel(lane->load->client, lane->flights[i].id);
            http_request_release(&lane->flights[i].request);
        }
    for (size_t i = 0; i < r->n_blocks; i++)
        sketch_release(&r->blocks[i].times);
    sketch_release(&r->times);
    sketch_release(&r->service);
    sketch_release(&r->lateness);
    free(r->blocks);
    free(lane->flights);
    free(lane);
}

void load_free(struct load *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n_lanes; i++)
        free_lane(l->lanes[i]);
    timer_free(l->timer);
    free(l->lanes);
    free(l);
}
