#include "base/clock.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "test.h"
#include "traffic/drill.h"

#include <stdio.h>
#include <string.h>

/* The engine with a real client and a server that stands for the route; what begins and ends the
 * fault is here. */
struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct drill *drill;
    struct drill_options o;
    char url[64];
    bool failing, lose, refuse_begin;
    int begun, ended, refuse_end, answered_in_fault;
    struct drill_record result;
    char text[400];
};

static void answer(struct http_exchange *x, void *arg)
{
    struct fixture *f = arg;
    bool bad = f->failing && f->lose && ++f->answered_in_fault <= 5;

    http_exchange_answer(x, bad ? 503 : 200, "text/plain", "well", 4);
}

static void tell_change(struct fixture *f, int64_t id, const char *to, const char *action)
{
    int64_t now_us = clock_wall_ms(&clock_system) * 1000;
    const struct traffic_change c = {.id = id,
                                     .environment = f->o.environment,
                                     .from = "x",
                                     .to = to,
                                     .action = action,
                                     .seen_us = now_us,
                                     .decided_us = now_us,
                                     .applied_us = now_us};
    drill_changed(f->drill, &c);
}

static void begin(void (*done)(const struct err *e, void *drill), void *drill, void *arg)
{
    struct fixture *f = arg;
    struct err e = ERR_INIT;

    f->begun++;
    f->failing = true;
    (void)err_set(&e, ERR_NET, "it does not listen");
    done(f->refuse_begin ? &e : NULL, drill);
    if (!f->refuse_begin)
        tell_change(f, 1, "down", "take-out");
}

static void end(void (*done)(const struct err *e, void *drill), void *drill, void *arg)
{
    struct fixture *f = arg;
    struct err e = ERR_INIT;
    bool refused = ++f->ended <= f->refuse_end;

    (void)err_set(&e, ERR_NET, "it does not listen");
    if (!refused)
        f->failing = false;
    done(refused ? &e : NULL, drill);
}

static bool returned(void *arg)
{
    const struct fixture *f = arg;
    return !f->failing;
}

static void done(const struct drill_record *d, const struct sketch *times, void *arg)
{
    struct fixture *f = arg;

    (void)times;
    f->result = *d;
    (void)snprintf(f->text, sizeof(f->text), "%s", d->text);
    loop_stop(f->loop);
}

static void set_up(struct fixture *f)
{
    struct err e = ERR_INIT;

    *f = (struct fixture){0};
    f->loop = loop_new(NULL);
    f->server = http_server_new(f->loop, &(struct http_server_options){.address = "127.0.0.1"},
                                answer, f, &e);
    f->client = http_client_new(f->loop, &(struct http_client_options){
                                             .user_agent = "test", .max_per_host = HTTP_UNBOUNDED});
    (void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/", http_server_port(f->server));
    f->o = (struct drill_options){.route = "api",
                                  .environment = "uat",
                                  .fault = DRILL_STOP,
                                  .for_ms = 400,
                                  .bound_ms = 60000,
                                  .return_ms = 60000,
                                  .slow_ms = 20000, /* a busy machine is not what is tested */
                                  .rate = 100,
                                  .url = f->url,
                                  .begin = begin,
                                  .end = end,
                                  .returned = returned,
                                  .done = done,
                                  .arg = f};
}

static void run(struct fixture *f)
{
    f->drill = drill_new(f->loop, f->client, &f->o);
    drill_start(f->drill);
    (void)loop_run(f->loop);
}

static void tear_down(struct fixture *f)
{
    drill_free(f->drill);
    http_client_free(f->client);
    http_server_free(f->server);
    loop_free(f->loop);
}

static void a_drill_that_nobody_notices_passes(void)
{
    struct fixture f;
    set_up(&f);
    run(&f);
    CHECK(f.result.outcome == DRILL_PASSED && f.begun == 1 && f.ended == 1);
    CHECK(f.result.lost == 0 && f.result.slow == 0 && f.result.recover_ms == 0);
    CHECK(f.result.sent > 0 && f.result.fault_ms >= 400 && f.result.return_ms >= 0);
    CHECK(f.result.detect_ms >= 0 && f.result.decide_ms >= 0 && f.result.apply_ms >= 0);
    tear_down(&f);
}

static void a_lost_request_fails_it(void)
{
    struct fixture f;
    set_up(&f);
    f.lose = true;
    run(&f);
    CHECK(f.result.outcome == DRILL_FAILED && f.result.lost == 5 && f.result.recover_ms > 0);
    CHECK(strstr(f.text, "5 of ") && strstr(f.text, "answered 503"));
    tear_down(&f);
}

static void a_fault_that_cannot_be_begun_is_ended_all_the_same(void)
{
    struct fixture f;
    set_up(&f);
    f.refuse_begin = true;
    run(&f);
    CHECK(f.result.outcome == DRILL_INTERRUPTED && f.ended == 1 && f.result.sent == 0);
    CHECK(strstr(f.text, "could not be begun") && strstr(f.text, "does not listen"));
    tear_down(&f);
}

static void an_end_that_fails_is_tried_again(void)
{
    struct fixture f;
    set_up(&f);
    f.refuse_end = 1;
    run(&f);
    CHECK(f.result.outcome == DRILL_PASSED && f.ended == 2 && f.text[0] == '\0');
    tear_down(&f);
}

static void stop_now(void *arg)
{
    struct fixture *f = arg;
    drill_stop(f->drill);
}

static void a_drill_that_is_stopped_ends_its_fault(void)
{
    struct fixture f;
    set_up(&f);
    struct timer *timer = timer_new(f.loop, stop_now, &f);
    f.o.for_ms = DRILL_FOR_MAX_MS;
    timer_start(timer, 700);
    run(&f);
    CHECK(f.result.outcome == DRILL_INTERRUPTED && f.begun == f.ended && !f.failing);
    timer_free(timer);
    tear_down(&f);
}

static void words_of_faults_are_read_and_a_wrong_one_is_explained(void)
{
    enum drill_fault fault = DRILL_STOP;
    struct err e = ERR_INIT;

    CHECK(drill_fault_read("slow", &fault, &e) == 0 && fault == DRILL_SLOW);
    CHECK(strcmp(drill_fault_name(DRILL_ERRORS), "errors") == 0);
    CHECK(drill_fault_read("drian", &fault, &e) == -1 && e.kind == ERR_USAGE);
    CHECK(strstr(e.text, "did you mean drain?"));
}

int main(void)
{
    a_drill_that_nobody_notices_passes();
    a_lost_request_fails_it();
    a_fault_that_cannot_be_begun_is_ended_all_the_same();
    an_end_that_fails_is_tried_again();
    a_drill_that_is_stopped_ends_its_fault();
    words_of_faults_are_read_and_a_wrong_one_is_explained();
    return DONE();
}
