#include "app/watch_inner.h"

#include "app/store_worker.h"
#include "base/mem.h"
#include "base/redact.h"
#include "net/loop.h"
#include "probe/sample_batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRACE_MS = 1000,  /* what probes under way get to end once we are told to stop */
    END_LOOK_MS = 20, /* how often it is looked whether all is written */
};

void watch_say(const struct watch *w, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if (!w->o.say)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    redact_text(w->o.app->redactor, text, sizeof(text));
    w->o.say(text, w->o.arg);
}

/* A store that stays broken is told once. */
void watch_store_failed(struct watch *w, struct err *last, const struct err *e)
{
    if (strcmp(last->text, e->text) != 0)
        watch_say(w, "not written yet: %s", e->text);
    *last = *e;
}

/* --- Checks -------------------------------------------------------------------------------------
 */

struct known_check *watch_know(struct watch *w, int64_t series)
{
    for (size_t i = 0; i < w->n_checks; i++)
        if (w->checks[i]->view.series == series)
            return w->checks[i];
    return NULL;
}

const struct watch_check *watch_find(const struct watch *w, int64_t series)
{
    for (size_t i = 0; i < w->n_checks; i++)
        if (w->checks[i]->view.series == series)
            return &w->checks[i]->view;
    return NULL;
}

const struct watch_check *const *watch_checks(const struct watch *w, size_t *ret_n)
{
    *ret_n = w->n_checks;
    return (const struct watch_check *const *)w->checks; /* the view is their first member */
}

enum awake watch_awake(const struct watch *w, const struct watch_check *c)
{
    return w->rounds ? schedule_is_awake(w->rounds->schedule, c->series) : AWAKE_UNKNOWN;
}

bool watch_probe_now(struct watch *w, int64_t series)
{
    return w->rounds && !w->stopping && schedule_probe_now(w->rounds->schedule, series);
}

bool watch_pace(struct watch *w, int64_t series, int64_t every_ms, int64_t until_ms)
{
    const struct clock *c = &w->o.app->clock;
    bool ends = until_ms > 0 && until_ms < INT64_MAX;
    int64_t left_ms = ends ? until_ms - clock_wall_ms(c) : 0;

    if (!w->rounds || w->stopping)
        return false;
    if (ends && left_ms <= 0)
        every_ms = 0;
    return schedule_pace(w->rounds->schedule, series, every_ms,
                         ends ? clock_mono_us(c) + left_ms * 1000 : until_ms);
}

bool watch_wake(struct watch *w, int64_t series)
{
    return w->rounds && !w->stopping && schedule_wake(w->rounds->schedule, series);
}

void watch_seen(struct watch *w, int64_t series, int64_t at_ms)
{
    if (w->rounds)
        schedule_seen(w->rounds->schedule, series, at_ms);
}

/* Keeps a text that may hold what a server said: redacted, bounded. True when it is another one. */
static bool keep_text(const struct watch *w, char **to, const char **view, const char *text)
{
    char clean[320];

    (void)snprintf(clean, sizeof(clean), "%s", text);
    redact_text(w->o.app->redactor, clean, sizeof(clean));
    if (strcmp(*view, clean) == 0)
        return false;
    free(*to);
    *to = mem_strdup(clean);
    *view = *to;
    return true;
}

/* A round that was replaced while it was blind cannot tell that it sees again: an answer does. */
static void see_again(const struct round *from, const struct sample *v)
{
    struct schedule_counters now;

    if (!from->watch->blind || v->outcome != SAMPLE_OK || from != from->watch->rounds)
        return;
    schedule_count(from->schedule, &now);
    if (!now.blind)
        outages_blind(false, v->at_ms, from->watch->rounds);
}

void watch_result(const struct probe_result *r, void *round)
{
    const struct round *from = round;
    struct watch *w = from->watch;
    struct known_check *k = watch_know(w, r->target->series);

    sample_batch_add(w->batch, r->sample);
    see_again(from, r->sample);
    if (!k)
        return;
    struct watch_check *c = &k->view;
    enum health_state before = health_shown(&c->health);
    bool changed = false;
    c->outcomes[r->sample->outcome]++;
    if (r->sample->outcome != SAMPLE_MISSED) {
        c->cold += r->sample->class_ == SAMPLE_COLD;
        c->last = *r->sample;
        c->measured = true;
        c->health = *r->health;
        changed = keep_text(w, &k->reason, &c->reason, r->reason);
    }
    if (r->detail[0])
        keep_text(w, &k->detail, &c->detail, r->detail);
    if (r->valid_until_ms > 0)
        c->valid_until_ms = r->valid_until_ms;
    if (w->o.sample)
        w->o.sample(c, r, w->o.arg);
    if (w->o.state && (changed || before != health_shown(&c->health)))
        w->o.state(c, w->o.arg);
}

void watch_change(const struct probe_change *c, void *round)
{
    const struct round *from = round;
    struct watch *w = from->watch;
    struct known_check *k = watch_know(w, c->target->series);

    if (!k)
        return;
    if (c->to == HEALTH_DOWN)
        outages_down(w, k, c);
    else if (c->to == HEALTH_UP)
        outages_up(w, k, c->since_ms);
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void batch_failed(const struct err *e, void *arg)
{
    struct watch *w = arg;

    watch_store_failed(w, &w->failure, e);
}

static void batch_recovered(void *arg)
{
    struct watch *w = arg;

    watch_say(w, "written again: the samples that were kept meanwhile are in the store");
    w->failure = ERR_INIT;
}

struct watch *watch_new(const struct watch_options *o)
{
    struct watch *w = mem_alloc(sizeof(*w));
    struct app *a = o->app;

    w->o = *o;
    const struct manifest_history *h = &a->manifest->history;
    w->batch =
        sample_batch_new(a->loop, &(struct sample_batch_options){.dir = a->state,
                                                                 .keep_samples_ms = h->samples_ms,
                                                                 .keep_cells_ms = h->keep_ms,
                                                                 .failed = batch_failed,
                                                                 .recovered = batch_recovered,
                                                                 .arg = w});
    w->ledger = store_worker_new(a->loop, a->state, &a->clock);
    w->awake = awake_book_new(a);
    return w;
}

/* Probes that do not end by themselves are dropped. */
static void cut(struct watch *w)
{
    while (w->rounds) {
        struct round *r = w->rounds;
        w->rounds = r->next;
        round_free(r);
    }
}

static void look_for_end(void *arg)
{
    struct watch *w = arg;
    struct err e = ERR_INIT;

    cut(w);
    if (outages_pending(w)) {
        timer_start(w->end, END_LOOK_MS);
        return;
    }
    if (sample_batch_flush(w->batch, &e) < 0)
        watch_store_failed(w, &w->failure, &e);
    if (w->o.ended)
        w->o.ended(w->o.arg);
}

/* A schedule has ended; when none is left, so has the watch, once all is written. Without an end of
 * its own it waits for targets to come. */
void watch_round_over(struct watch *w)
{
    if (!w->stopping && w->o.duration_ms == 0 && w->o.ticks == 0)
        return;
    for (const struct round *r = w->rounds; r; r = r->next)
        if (!r->over)
            return;
    w->stopping = true;
    timer_start(w->end, 0);
}

int watch_start(struct watch *w, size_t *ret_n, struct err *e)
{
    w->end = timer_new(w->o.app->loop, look_for_end, w);
    if (round_begin(w, ret_n, e) < 0)
        return -1;
    return 0;
}

int watch_refresh(struct watch *w, const struct matrix *matrix, struct err *e)
{
    const struct matrix *before = w->o.matrix;
    size_t n;

    if (w->stopping)
        return 0;
    w->o.matrix = matrix;
    if (round_begin(w, &n, e) == 0) {
        const struct manifest_history *h = &w->o.app->manifest->history;
        sample_batch_keep(w->batch, h->samples_ms, h->keep_ms);
        return 0;
    }
    w->o.matrix = before;
    return -1;
}

void watch_stop(struct watch *w)
{
    if (w->stopping)
        return;
    w->stopping = true;
    timer_start(w->end, GRACE_MS);
    for (struct round *r = w->rounds; r; r = r->next)
        if (!r->over)
            schedule_stop(r->schedule);
    watch_round_over(w);
}

bool watch_settled(const struct watch *w)
{
    return w->rounds && !w->rounds->next;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    cut(w);
    timer_free(w->end);
    w->stopping = true;
    store_worker_free(w->ledger);
    sample_batch_free(w->batch);
    awake_book_free(w->awake);
    outages_release(w);
    for (size_t i = 0; i < w->n_checks; i++) {
        arena_release(&w->checks[i]->arena);
        free(w->checks[i]->reason);
        free(w->checks[i]->detail);
        free(w->checks[i]);
    }
    free(w->checks);
    sketch_release(&w->lateness);
    sketch_release(&w->lateness_now);
    free(w);
}

void watch_count(struct watch *w, struct watch_health *ret)
{
    *ret = (struct watch_health){.missed = w->missed,
                                 .sent = w->sent,
                                 .extra = w->extra,
                                 .dropped = sample_batch_dropped(w->batch)};
    sketch_release(&w->lateness_now);
    (void)sketch_merge(&w->lateness_now, &w->lateness);
    for (const struct round *r = w->rounds; r; r = r->next) {
        struct schedule_counters c;
        schedule_count(r->schedule, &c);
        if (r == w->rounds)
            ret->now = c;
        ret->missed += c.missed;
        ret->sent += c.sent;
        ret->extra += c.extra;
        (void)sketch_merge(&w->lateness_now, c.lateness);
    }
    ret->lateness = &w->lateness_now;
}
