#include "probe/schedule_internal.h"

#include "base/clock.h"

#include <stdio.h>

enum {
    TOLD_MS = 10000,      /* what a platform said counts for so long */
    ASK_AGAIN_MS = 1000,  /* checks of one service share an answer */
    ONE_BY_ONE = 16,      /* so many slots missed at a stretch are told one by one, more together */
    TOGETHER_MS = 600000, /* the length of a cell of the history */
    AT_ONCE = 2, /* a probe may end a little after the next slot's time, when it was begun late */
};

/* The wall time of a slot: the same for all of its targets. */
static int64_t wall_of(const struct group *g, int64_t slot, const struct instant *now)
{
    return now->wall_ms - (now->mono_us - slots_time(&g->slots, slot)) / 1000;
}

static void tell_missed(const struct group *g, const struct slots_due *due,
                        const struct instant *now)
{
    int64_t every_ms = g->slots.every_us / 1000, step = 1;
    if (due->missed_until - due->missed_from > ONE_BY_ONE && every_ms < TOGETHER_MS)
        step = TOGETHER_MS / every_ms;
    for (int64_t slot = due->missed_from; slot < due->missed_until; slot += step) {
        int64_t left = due->missed_until - slot, n = left < step ? left : step;
        for (size_t i = 0; i < g->n; i++)
            probe_tell_missed(&g->probes[i], wall_of(g, slot, now), n * every_ms,
                              "this process was asleep", false);
    }
}

/* --- Awake or asleep -------------------------------------------------------------------------- */

static bool must_ask(const struct probe *p)
{
    return p->schedule->options.awake && p->target->sleep_after_ms > 0 &&
           p->target->wake != WAKE_ALWAYS;
}

void schedule_ask(void *arg)
{
    struct group *g = arg;
    int64_t now_us = clock_mono_us(g->schedule->clock);
    for (size_t i = 0; i < g->n; i++) {
        struct probe *p = &g->probes[i];
        if (!must_ask(p) || now_us - p->service->asked_us < ASK_AGAIN_MS * INT64_C(1000))
            continue;
        p->service->asked_us = now_us;
        g->schedule->options.awake(p->target, g->schedule->options.arg);
    }
}

enum sample_class probe_class(const struct probe *p, const struct instant *now)
{
    const struct service *v = p->service;
    bool told = v->told != AWAKE_UNKNOWN && now->mono_us - v->told_us <= TOLD_MS * INT64_C(1000);
    if (p->target->sleep_after_ms <= 0)
        return SAMPLE_WARM;
    if (told)
        return v->told == AWAKE_YES ? SAMPLE_WARM : SAMPLE_COLD;
    return classify_idle(p->target->sleep_after_ms, v->last_known ? &v->last : NULL, now);
}

static const char while_down[] = "left out while it is down";

/* Why this slot is not to be served; NULL when it is. */
static const char *leave_out(const struct probe *p, enum sample_class class_, int64_t slot_us,
                             const struct instant *now)
{
    const struct target *t = p->target;
    const struct service *v = p->service;
    if (v->waking)
        return "a cold start of the service is under way";
    if (p->under_way >= AT_ONCE)
        return "its last probes were still running";
    if (p->health.state == HEALTH_DOWN && p->health.good == 0 && t->down_ms > t->every_ms &&
        slot_us - p->served_us < t->down_ms * 1000)
        return while_down;
    if (class_ == SAMPLE_WARM || t->wake == WAKE_ALWAYS)
        return NULL;
    if (t->wake == WAKE_NEVER)
        return "the service is asleep, and this check never wakes it";
    if (now->mono_us - v->cold_us < t->cold_every_ms * 1000)
        return "the service is asleep, and its next cold start is not due yet";
    return NULL;
}

/* --- The tick --------------------------------------------------------------------------------- */

/* All are judged by what was before the tick. Sending takes its time, and the last one waits for
 * it: whose turn comes first goes round, so that no environment is always ahead. */
static void serve(struct group *g, int64_t slot, const struct instant *now)
{
    struct probe_begin how = {.intended_us = slots_time(&g->slots, slot),
                              .at_ms = wall_of(g, slot, now)};
    for (size_t i = 0; i < g->n && !g->schedule->stopped; i++) {
        struct probe *p = &g->probes[((size_t)slot + i) % g->n];
        how.class_ = probe_class(p, now);
        const char *why = leave_out(p, how.class_, how.intended_us, now);
        if (why) {
            probe_tell_missed(p, how.at_ms, p->target->every_ms, why, why == while_down);
            continue;
        }
        p->served_us = how.intended_us;
        probe_start(p, &how);
    }
}

/* A moment before the tick, so that the answer is there when it comes. */
static void plan_ask(struct group *g)
{
    int64_t ahead_us = g->slots.every_us / 2 < SCHEDULE_ASK_AHEAD_MS * INT64_C(1000)
                           ? g->slots.every_us / 2
                           : SCHEDULE_ASK_AHEAD_MS * INT64_C(1000);
    for (size_t i = 0; i < g->n; i++) {
        if (must_ask(&g->probes[i])) {
            agenda_set(&g->schedule->agenda, &g->ask, g->tick.at_us - ahead_us);
            return;
        }
    }
}

void schedule_plan(struct group *g)
{
    if (slots_over(&g->slots))
        return;
    agenda_set(&g->schedule->agenda, &g->tick, slots_time(&g->slots, g->slots.next));
    plan_ask(g);
}

void schedule_tick(void *arg)
{
    struct group *g = arg;
    struct instant now = schedule_now(g->schedule);
    struct slots_due due = slots_take(&g->slots, now.mono_us);
    tell_missed(g, &due, &now);
    if (due.serve >= 0)
        serve(g, due.serve, &now);
    schedule_plan(g);
}
