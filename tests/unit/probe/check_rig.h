#pragma once

#include "net/http_client.h"
#include "net/loop.h"
#include "net/stream.h"
#include "probe/check.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

/*
 * Runs one check against a real peer until it answers, and keeps a copy of the answer. The guard is
 * for a check that never does: it fails the test.
 */
enum { GUARD_MS = 20000 };

struct rig {
    struct loop *loop;
    struct check_tools tools;
    int calls;
    struct check_answer answer;
    char reason[1024], detail[1024];
};

static inline void rig_begin(struct rig *r, const char *ca_file)
{
    struct http_client_options http = {.user_agent = "test", .ca_file = ca_file};
    struct dialer_options dialer = {.ca_file = ca_file, .dns_servers = "127.0.0.1:9"};

    memset(r, 0, sizeof *r);
    r->loop = loop_new(NULL);
    r->tools.loop = r->loop;
    r->tools.http = http_client_new(r->loop, &http);
    r->tools.dialer = dialer_new(r->loop, &dialer);
    r->tools.ca_file = ca_file;
}

static inline void rig_end(struct rig *r)
{
    http_client_free(r->tools.http);
    dialer_free(r->tools.dialer);
    loop_free(r->loop);
}

static inline void rig_answered(const struct check_answer *a, void *arg)
{
    struct rig *r = arg;

    r->calls++;
    r->answer = *a;
    snprintf(r->reason, sizeof r->reason, "%s", a->reason);
    snprintf(r->detail, sizeof r->detail, "%s", a->detail);
    r->answer.reason = r->reason;
    r->answer.detail = r->detail;
    loop_stop(r->loop);
}

static inline void rig_over(void *arg)
{
    bool it_answered_in_time = false;

    CHECK(it_answered_in_time);
    loop_stop(arg);
}

static inline void rig_wait(struct rig *r)
{
    struct timer *guard = timer_new(r->loop, rig_over, r->loop);

    timer_start(guard, GUARD_MS);
    loop_run(r->loop);
    timer_free(guard);
}

/* The answer of one check, all made and freed here. */
static inline struct rig rig_run(const struct check_ops *ops, const struct target *t,
                                 const char *ca_file)
{
    struct rig r;

    rig_begin(&r, ca_file);
    CHECK(ops->start(&r.tools, t, 0, rig_answered, &r) != NULL && r.calls == 0);
    rig_wait(&r);
    rig_end(&r);
    CHECK(r.calls == 1);
    CHECK(r.answer.ok == (r.reason[0] == '\0'));
    r.answer.reason = r.answer.detail = NULL; /* they are in the copy's own arrays */
    return r;
}

static inline void rig_nothing(void *arg)
{
    (void)arg;
}

/* One turn of the loop; a peer that is silent must not make it wait for ever. */
static inline void rig_turn(struct rig *r)
{
    struct timer *t = timer_new(r->loop, rig_nothing, NULL);

    timer_start(t, 20);
    uv_run(loop_uv(r->loop), UV_RUN_ONCE);
    timer_free(t);
}

/* Cancels it after 0, 1, 2, ... turns of the loop: no callback, no leak, whatever it was doing. */
static inline void rig_cancel_everywhere(const struct check_ops *ops, const struct target *t,
                                         const char *ca_file, int most_turns)
{
    int after = 0;

    for (int turns = 0; turns < most_turns; turns++) {
        struct rig r;
        struct check *c;
        struct check_answer so_far;

        rig_begin(&r, ca_file);
        c = ops->start(&r.tools, t, 0, rig_answered, &r);
        for (int i = 0; i < turns && r.calls == 0; i++)
            rig_turn(&r);
        if (r.calls == 0) {
            ops->progress(c, &so_far);
            ops->cancel(c);
            after++;
        }
        int calls = r.calls;

        for (int i = 0; i < 3; i++)
            uv_run(loop_uv(r.loop), UV_RUN_NOWAIT);
        CHECK(r.calls == calls);
        rig_end(&r);
    }
    CHECK(after > 0);
}
