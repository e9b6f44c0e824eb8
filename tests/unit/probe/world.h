#pragma once

#include "base/clock.h"
#include "base/mem.h"
#include "probe/agenda.h"
#include "probe/schedule.h"

#include <stdlib.h>
#include <string.h>

/*
 * A world without sockets for the schedule: time stands still until it is stepped to the next thing
 * that is due, and what is probed answers as the test says. Days pass in milliseconds, and nothing
 * depends on how fast the machine is.
 */
enum { WORLD_HANGS = -1 };

struct manner {       /* how a target answers */
    int64_t after_us; /* WORLD_HANGS: never */
    bool ok, answered;
};

struct world {
    struct clock_fake time;
    struct clock clock;
    struct agenda agenda;
    struct manner (*behave)(struct world *w, const struct target *t);
    void *arg;
    size_t under_way;
    long started, cancelled;
};

static struct world *world_now; /* the checks find it here */

struct check {
    struct agenda_entry entry;
    struct manner manner;
    int64_t began_us;
    check_fn *fn;
    void *arg;
};

static void world_answer(void *arg)
{
    struct check *c = arg, copy = *c;
    int64_t took = world_now->time.mono_us - c->began_us;
    struct check_answer a = {.sent = true,
                             .answered = c->manner.answered,
                             .ok = c->manner.ok,
                             .status = c->manner.ok         ? 200
                                       : c->manner.answered ? 503
                                                            : 0,
                             .lookup = -1,
                             .connect = -1,
                             .tls = -1,
                             .first_byte = took,
                             .total = took,
                             .reason = c->manner.ok ? "" : "it is broken",
                             .detail = ""};
    free(c);
    world_now->under_way--;
    copy.fn(&a, copy.arg);
}

static struct check *world_start(const struct check_tools *tools, const struct target *t,
                                 int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));
    (void)tools, (void)intended_us;
    c->manner = world_now->behave(world_now, t);
    c->began_us = world_now->time.mono_us;
    c->fn = fn;
    c->arg = arg;
    c->entry = (struct agenda_entry){.fn = world_answer, .owner = c};
    if (c->manner.after_us != WORLD_HANGS)
        agenda_set(&world_now->agenda, &c->entry, c->began_us + c->manner.after_us);
    world_now->under_way++;
    world_now->started++;
    return c;
}

static void world_cancel(struct check *c)
{
    agenda_clear(&world_now->agenda, &c->entry);
    world_now->under_way--;
    world_now->cancelled++;
    free(c);
}

static void world_progress(const struct check *c, struct check_answer *ret)
{
    (void)c;
    ret->sent = true;
    ret->connect = 100;
}

static const struct check_ops world_ops = {
    .kind = CHECK_HTTP, .start = world_start, .cancel = world_cancel, .progress = world_progress};

static const struct check_ops *world_find(enum check_kind kind)
{
    (void)kind;
    return &world_ops;
}

static inline void world_init(struct world *w,
                              struct manner (*behave)(struct world *w, const struct target *t),
                              void *arg)
{
    *w = (struct world){.time = {.mono_us = 5000000, .wall_ms = INT64_C(1790000000000)},
                        .behave = behave,
                        .arg = arg};
    w->clock = clock_fake(&w->time);
    world_now = w;
}

/* Both clocks forward to a moment. */
static inline void world_set(struct world *w, int64_t mono_us)
{
    static int64_t rest_us; /* of a millisecond, so that the wall clock does not fall behind */
    int64_t us = mono_us - w->time.mono_us + rest_us;
    w->time.mono_us = mono_us;
    w->time.wall_ms += us / 1000;
    rest_us = us % 1000;
}

/* Lets `ms` pass, each thing at its own moment. */
static inline void world_pass(struct world *w, struct schedule *s, int64_t ms)
{
    int64_t end_us = w->time.mono_us + ms * 1000;
    for (;;) {
        int64_t next_us = schedule_next_us(s), theirs_us = agenda_next_us(&w->agenda);
        struct agenda_entry *e;
        next_us = theirs_us < next_us ? theirs_us : next_us;
        if (next_us > end_us)
            break;
        if (next_us > w->time.mono_us)
            world_set(w, next_us);
        while ((e = agenda_take(&w->agenda, w->time.mono_us)))
            e->fn(e->owner);
        schedule_turn(s);
    }
    world_set(w, end_us);
}
