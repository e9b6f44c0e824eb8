#include "app/watch_inner.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* From what is live to targets, and from targets to a schedule. */

enum { ASKING_MS = 1000, AT_ONCE_MS = 10 };

static struct known_check *learn(struct watch *w, const struct target *t)
{
    struct known_check *k = mem_alloc(sizeof(*k));

    k->reason = mem_strdup("");
    k->detail = mem_strdup("");
    k->view = (struct watch_check){.series = t->series,
                                   .environment = arena_strdup(&k->arena, t->environment),
                                   .app = arena_strdup(&k->arena, t->app),
                                   .instance = arena_strdup(&k->arena, t->instance),
                                   .check = arena_strdup(&k->arena, t->check),
                                   .reason = k->reason,
                                   .detail = k->detail};
    if (w->n_checks == w->size_checks) {
        w->size_checks = w->size_checks ? 2 * w->size_checks : 64;
        w->checks = mem_grow(w->checks, w->size_checks, sizeof(struct known_check *));
    }
    w->checks[w->n_checks++] = k;
    return k;
}

/* The checks in the order of the new targets, then those that are measured no more. */
static void note_checks(struct watch *w, const struct round *r)
{
    size_t at = 0;

    for (size_t i = 0; i < w->n_checks; i++)
        w->checks[i]->view.present = false;
    for (size_t i = 0; i < r->targets.n; i++) {
        const struct target *t = &r->targets.items[i];
        if (!schedule_health(r->schedule, t->series))
            continue;
        struct known_check *k = watch_know(w, t->series);
        if (!k)
            k = learn(w, t);
        k->view.kind = t->kind;
        k->view.every_ms = t->every_ms;
        k->view.timeout_ms = t->timeout_ms;
        k->view.slow_ms = t->slow_ms;
        k->view.sleeps = t->sleep_after_ms > 0;
        k->view.present = true;
        for (size_t j = at; j < w->n_checks; j++)
            if (w->checks[j] == k) {
                memmove(&w->checks[at + 1], &w->checks[at],
                        (j - at) * sizeof(struct known_check *));
                w->checks[at++] = k;
                break;
            }
    }
}

static void ended(void *arg)
{
    struct round *r = arg;
    struct watch *w = r->watch;

    r->over = true;
    if (r != w->rounds) {
        for (struct round **p = &w->rounds; *p; p = &(*p)->next)
            if (*p == r) {
                *p = r->next;
                break;
            }
        round_free(r);
        if (!w->stopping)
            return;
    }
    watch_round_over(w);
}

/* How many there are to measure; those whose kind is not known are said, each check once. */
static size_t fill(struct watch *w, struct round *r)
{
    const char *told = "";
    struct err why = ERR_INIT;
    size_t n = 0;

    for (size_t i = 0; i < r->targets.n; i++) {
        const struct target *t = &r->targets.items[i];
        if (schedule_add(r->schedule, t, &why) == 0) {
            n++;
        } else if (strcmp(told, t->check) != 0) {
            watch_say(w, "%s", why.text);
            told = t->check;
        }
    }
    return n;
}

static void resume(const struct watch *w, const struct round *r)
{
    for (size_t i = 0; i < w->n_checks; i++) {
        const struct watch_check *c = &w->checks[i]->view;
        if (c->health.state != HEALTH_UNKNOWN)
            schedule_resume(r->schedule, c->series, &c->health, c->reason);
    }
    if (w->rounds)
        schedule_inherit(r->schedule, w->rounds->schedule);
}

/* The lateness of what is still under way in the old round comes with its end. */
static void retire(struct round *newest)
{
    struct round *before = newest->next;

    if (before && !before->over) {
        schedule_stop(before->schedule);
    } else if (before) {
        newest->next = before->next;
        round_free(before);
    }
}

/* How long after now the first tick is: never before, or it would be skipped; a moment later when
 * platforms are to be asked first. */
static int64_t first_tick_us(const struct targets *ts)
{
    bool asks = false;

    for (size_t i = 0; i < ts->n; i++)
        asks |= ts->items[i].sleep_after_ms > 0 && ts->items[i].wake != WAKE_ALWAYS;
    return asks ? ASKING_MS * INT64_C(1000) : AT_ONCE_MS * INT64_C(1000);
}

int round_begin(struct watch *w, size_t *ret_n, struct err *e)
{
    struct app *a = w->o.app;
    struct round *r = mem_alloc(sizeof(*r)), *before = w->rounds;
    struct schedule_options o = {.user_agent = "trine/" TRINE_VERSION " (probe)",
                                 .duration_ms = w->o.duration_ms,
                                 .ticks = w->o.ticks,
                                 .controls = a->manifest->probe.control,
                                 .n_controls = a->manifest->probe.n_control,
                                 .awake = awake_ask,
                                 .result = watch_result,
                                 .change = watch_change,
                                 .notice = outages_blind,
                                 .done = ended,
                                 .arg = r};

    r->watch = w;
    if (targets_build(a, w->o.matrix, &r->targets, e) < 0) {
        targets_release(&r->targets);
        free(r);
        return -1;
    }
    if (!before)
        w->anchor_us = clock_mono_us(&a->clock) + first_tick_us(&r->targets);
    o.anchor_us = w->anchor_us;
    r->schedule = schedule_new(a->loop, &o);
    *ret_n = fill(w, r);
    targets_say_left_out(a, &r->targets);
    app_allow_files(a, *ret_n);
    schedule_start(r->schedule);
    note_checks(w, r);
    if (!before && outages_load(w, e) < 0) {
        round_free(r);
        return -1;
    }
    resume(w, r);
    r->next = before;
    w->rounds = r;
    retire(r);
    if (w->o.whole)
        outages_close_unknown(w);
    return 0;
}

void round_free(struct round *r)
{
    struct watch *w = r->watch;
    struct schedule_counters c;

    schedule_count(r->schedule, &c);
    w->missed += c.missed;
    w->sent += c.sent;
    w->extra += c.extra;
    (void)sketch_merge(&w->lateness, c.lateness);
    awake_forget_round(w->awake, r);
    schedule_free(r->schedule);
    targets_release(&r->targets);
    free(r);
}
