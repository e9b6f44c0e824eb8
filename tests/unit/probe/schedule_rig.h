#pragma once

#include "test.h"
#include "world.h"

#include <stdio.h>

/* A schedule in a world without sockets, and a tally of what it told of each target. */

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
enum { TARGETS_MAX = 64 };

struct tally { /* of one target */
    int of[SAMPLE_MISSED + 1], extra, cold;
    int64_t covers_ms, at_sum, last_at_ms;
    int32_t late_max_us;
    char reason[256];
    int changes;
    enum health_state state;
    int64_t since_ms;
};

struct fixture {
    struct world world;
    struct schedule *schedule;
    struct schedule_options options;
    struct target targets[TARGETS_MAX];
    struct tally tallies[TARGETS_MAX];
    int n, blind_begins, blind_ends, n_done, asked_awake;
    int64_t blind_at_ms;
    struct manner manners[TARGETS_MAX]; /* by series - 1 */
    struct manner control;
    enum awake awake;
    bool silent_platform;
};

static const struct manner well
    __attribute__((unused)) = {.after_us = 20000, .ok = true, .answered = true};
static const struct manner sick __attribute__((unused)) = {.after_us = 20000, .answered = true};
static const struct manner cut __attribute__((unused)) = {.after_us = 20000};
static const struct manner hangs __attribute__((unused)) = {.after_us = WORLD_HANGS};

static inline struct manner behave(struct world *w, const struct target *t)
{
    const struct fixture *f = w->arg;
    return t->series ? f->manners[t->series - 1] : f->control;
}

static inline void note(const struct probe_result *r, void *arg)
{
    struct fixture *f = arg;
    struct tally *t = &f->tallies[r->sample->series - 1];
    const struct sample *v = r->sample;
    t->of[v->outcome]++;
    t->extra += v->extra;
    t->cold += v->class_ == SAMPLE_COLD && v->outcome != SAMPLE_MISSED;
    t->covers_ms += v->covers_ms;
    if (!v->extra)
        t->at_sum += v->at_ms;
    t->last_at_ms = v->at_ms;
    if (v->late_us > t->late_max_us)
        t->late_max_us = v->late_us;
    snprintf(t->reason, sizeof(t->reason), "%s", r->reason);
}

static inline void note_change(const struct probe_change *c, void *arg)
{
    struct fixture *f = arg;
    struct tally *t = &f->tallies[c->target->series - 1];
    t->changes++;
    t->state = c->to;
    t->since_ms = c->since_ms;
}

static inline void note_blind(bool blind, int64_t at_ms, void *arg)
{
    struct fixture *f = arg;
    *(blind ? &f->blind_begins : &f->blind_ends) += 1;
    if (blind)
        f->blind_at_ms = at_ms;
}

static inline void ask_awake(const struct target *t, void *arg)
{
    struct fixture *f = arg;
    f->asked_awake++;
    if (!f->silent_platform)
        schedule_awake(f->schedule, t, f->awake);
}

static inline void note_done(void *arg)
{
    struct fixture *f = arg;
    f->n_done++;
}

static inline void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    world_init(&f->world, behave, f);
    f->control = well;
    f->options = (struct schedule_options){.result = note,
                                           .change = note_change,
                                           .notice = note_blind,
                                           .done = note_done,
                                           .arg = f,
                                           .clock = &f->world.clock,
                                           .find = world_find};
}

static inline struct target *add(struct fixture *f, const char *environment, const char *app)
{
    struct target *t = &f->targets[f->n];
    f->manners[f->n++] = well;
    *t = (struct target){.kind = CHECK_HTTP,
                         .environment = environment,
                         .app = app,
                         .instance = "",
                         .check = "health",
                         .series = f->n,
                         .url = "http://x.invalid/",
                         .every_ms = 10 * SECOND,
                         .timeout_ms = 5 * SECOND,
                         .down_after = 3,
                         .up_after = 2};
    return t;
}

static inline void start(struct fixture *f)
{
    struct err e = ERR_INIT;
    f->schedule = schedule_new(NULL, &f->options);
    for (int i = 0; i < f->n; i++)
        if (schedule_add(f->schedule, &f->targets[i], &e) < 0)
            abort();
    schedule_start(f->schedule);
}

static inline void pass(struct fixture *f, int64_t ms)
{
    world_pass(&f->world, f->schedule, ms);
}

static inline void fixture_release(struct fixture *f)
{
    schedule_free(f->schedule);
    CHECK(f->world.under_way == 0);
    agenda_release(&f->world.agenda);
}

static inline int slots_of(const struct tally *t)
{
    int n = -t->extra;
    for (int i = 0; i <= SAMPLE_MISSED; i++)
        n += t->of[i];
    return n;
}
