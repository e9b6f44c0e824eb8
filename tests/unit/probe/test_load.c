#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "probe/load.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* The real engine against a real server on the loopback. Numbers of requests are exact whatever the
 * machine does; times are only compared with what must hold on the slowest one. */

enum { HELD_MAX = 64 };

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct load *load;
    struct timer *stall; /* ends the stall */
    struct http_exchange *held[HELD_MAX];
    size_t n_held;
    int n_answered, refuse_from;
    bool stalled;
    char url[64];
};

static void give(struct http_exchange *x, int status)
{
    http_exchange_answer(x, status, "text/plain", "well", 4);
}

/* "/stall" holds all answers until the stall ends, "/sick" is 500, "/enough" turns into 429. */
static void answer(struct http_exchange *x, void *arg)
{
    struct fixture *f = arg;
    const char *path = http_exchange_path(x);

    f->n_answered++;
    if (strcmp(path, "/stall") == 0 && f->stalled && f->n_held < HELD_MAX)
        f->held[f->n_held++] = x;
    else if (strcmp(path, "/sick") == 0)
        give(x, 500);
    else if (strcmp(path, "/enough") == 0 && f->n_answered > f->refuse_from)
        give(x, 429);
    else
        give(x, 200);
}

static void stall_over(void *arg)
{
    struct fixture *f = arg;

    f->stalled = false;
    for (size_t i = 0; i < f->n_held; i++)
        give(f->held[i], 200);
    f->n_held = 0;
}

static void finished(void *arg)
{
    struct fixture *f = arg;
    loop_stop(f->loop);
}

static void set_up(struct fixture *f)
{
    struct err e = ERR_INIT;

    *f = (struct fixture){0};
    f->loop = loop_new(NULL);
    f->server = http_server_new(f->loop, &(struct http_server_options){.address = "127.0.0.1"},
                                answer, f, &e);
    f->client = http_client_new(
        f->loop, &(struct http_client_options){.user_agent = "test", .max_per_host = 64});
    f->stall = timer_new(f->loop, stall_over, f);
    (void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u", http_server_port(f->server));
}

static void tear_down(struct fixture *f)
{
    load_free(f->load);
    timer_free(f->stall);
    http_client_free(f->client);
    http_server_free(f->server);
    loop_free(f->loop);
}

static const struct load_result *run(struct fixture *f, const char *path, struct load_options o)
{
    char url[128];

    (void)snprintf(url, sizeof(url), "%s%s", f->url, path);
    o.done = finished;
    o.arg = f;
    f->load = load_new(f->loop, f->client, &o);
    load_add(f->load, &(struct load_target){.name = "uat", .url = url});
    load_start(f->load);
    (void)loop_run(f->loop);
    return load_result(f->load, 0);
}

static void every_moment_gets_its_request(void)
{
    struct fixture f;
    uint64_t in_blocks = 0;

    set_up(&f);
    const struct load_result *r =
        run(&f, "/",
            (struct load_options){
                .rate = 200, .duration_ms = 1500, .connections = 32, .timeout_ms = 20000});
    CHECK(r->stop == LOAD_RAN && r->meant == 300 && r->sent == 300);
    CHECK(r->good == 300 && r->failed == 0 && r->times.n == 300 && r->service.n == 300);
    CHECK(r->block_ms == 50 && r->n_blocks == 30);
    for (size_t i = 0; i < r->n_blocks; i++)
        in_blocks += r->blocks[i].times.n;
    CHECK(in_blocks == 300 && r->blocks[0].good == 10);
    CHECK(r->bytes == 1200 && r->lateness.n + r->waited == 300);
    tear_down(&f);
}

/* One stall of 600 ms with two connections: the requests meant for that time were not sent, and yet
 * each shows the time its user would have waited. */
static void a_stall_is_in_every_request_that_had_to_wait(void)
{
    struct fixture f;

    set_up(&f);
    f.stalled = true;
    timer_start(f.stall, 600);
    const struct load_result *r =
        run(&f, "/stall",
            (struct load_options){
                .rate = 100, .duration_ms = 1000, .connections = 2, .timeout_ms = 20000});
    CHECK(r->good == 100 && r->failed == 0);
    CHECK(r->waited >= 50);
    /* Of 100 requests about 58 were meant during the stall; those of its first half waited for more
     * than 250 ms. What a closed loop would have told: only the two on their way. */
    CHECK(sketch_quantile(&r->times, 0.75) > 250000);
    CHECK(sketch_at_rank(&r->times, 98) > 500000);
    CHECK(sketch_at_rank(&r->service, 98) <= sketch_at_rank(&r->times, 98));
    tear_down(&f);
}

static void who_asks_for_less_is_left_alone(void)
{
    struct fixture f;

    set_up(&f);
    f.refuse_from = 20;
    const struct load_result *r =
        run(&f, "/enough",
            (struct load_options){
                .rate = 100, .duration_ms = 10000, .connections = 4, .timeout_ms = 20000});
    CHECK(r->stop == LOAD_ASKED_TO_STOP && strstr(r->reason, "429"));
    CHECK(r->good == 20 && r->failed >= 1 && r->meant < 1000);
    tear_down(&f);
}

static void who_fails_half_of_the_time_is_left_alone(void)
{
    struct fixture f;

    set_up(&f);
    const struct load_result *r =
        run(&f, "/sick",
            (struct load_options){
                .rate = 500, .duration_ms = 10000, .connections = 4, .timeout_ms = 20000});
    CHECK(r->stop == LOAD_FAILING && strstr(r->reason, "answered 500"));
    CHECK(r->failed >= LOAD_STOP_WINDOW && r->failed <= LOAD_STOP_WINDOW + 4 && r->good == 0);
    tear_down(&f);
}

/* Nobody answers: a request that found no connection in its time has failed without being sent. */
static void what_could_not_be_sent_in_time_has_failed(void)
{
    struct fixture f;

    set_up(&f);
    f.stalled = true;
    const struct load_result *r =
        run(&f, "/stall",
            (struct load_options){
                .rate = 20, .duration_ms = 1000, .connections = 1, .timeout_ms = 300});
    CHECK(r->meant == 20 && r->good == 0 && r->failed == 20 && r->sent <= 20);
    f.n_held = 0; /* their peers have left */
    tear_down(&f);
}

static void stopping_by_hand_ends_it(void)
{
    struct fixture f;

    set_up(&f);
    f.load = load_new(f.loop, f.client,
                      &(struct load_options){.rate = 10,
                                             .duration_ms = 3600000,
                                             .connections = 1,
                                             .timeout_ms = 1000,
                                             .done = finished,
                                             .arg = &f});
    load_add(f.load, &(struct load_target){.name = "uat", .url = f.url});
    load_start(f.load);
    load_stop(f.load);
    (void)loop_run(f.loop);
    CHECK(load_result(f.load, 0)->stop == LOAD_INTERRUPTED && load_result(f.load, 0)->sent == 0);
    tear_down(&f);
}

int main(void)
{
    every_moment_gets_its_request();
    a_stall_is_in_every_request_that_had_to_wait();
    who_asks_for_less_is_left_alone();
    who_fails_half_of_the_time_is_left_alone();
    what_could_not_be_sent_in_time_has_failed();
    stopping_by_hand_ends_it();
    return DONE();
}
