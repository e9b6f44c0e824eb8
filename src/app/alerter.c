#include "app/alerter.h"

#include "app/alert_lane.h"
#include "base/mem.h"
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

/* Writing matters down, and which alerts there are. How one alert sends is in alert_lane.c. */

enum { WRITE_AGAIN_MS = 2000 };

/* One matter on its way into the store, for all alerts that want it. */
struct telling {
    struct telling *next, **at;
    struct alerter *alerter;
    struct arena arena;
    struct outbox_matter *matters;
    size_t n, n_new;
    bool waits; /* the store could not take it; it is given again */
};

/* --- Matters ------------------------------------------------------------------------------------
 */

static int write_matters(struct store *s, void *arg, struct err *e)
{
    struct telling *t = arg;

    if (store_begin(s, e) < 0)
        return -1;
    for (size_t i = 0; i < t->n; i++) {
        bool is_new;
        if (outbox_add(s, &t->matters[i], &is_new, e) < 0) {
            store_rollback(s);
            return -1;
        }
        t->n_new += is_new;
    }
    return store_commit(s, e);
}

static void telling_free(struct telling *t)
{
    *t->at = t->next;
    if (t->next)
        t->next->at = t->at;
    arena_release(&t->arena);
    free(t);
}

/* The process ends and the store takes nothing: whoever told it will tell it again. */
static void lose(struct telling *t)
{
    app_say(t->alerter->app, "this alert could not be written down: %s", t->matters[0].title);
    telling_free(t);
}

static void written(const struct err *e, void *arg)
{
    struct telling *t = arg;
    struct alerter *a = t->alerter;

    if (e && !a->stopped) {
        if (a->writable)
            app_say(a->app, "alerts cannot be written down, and wait until they can be: %s",
                    e->text);
        a->writable = false;
        t->waits = true;
        t->n_new = 0;
        timer_start(a->again, WRITE_AGAIN_MS);
        alerter_done(a);
        return;
    }
    size_t n_new = t->n_new;
    if (e) {
        lose(t);
    } else {
        a->writable = true;
        telling_free(t);
    }
    for (struct lane *l = a->lanes; l && !e && n_new > 0; l = l->next)
        lane_look(l);
    alerter_done(a);
}

static void write_again(void *arg)
{
    struct alerter *a = arg;

    for (struct telling *t = a->tellings; t; t = t->next) {
        if (!t->waits)
            continue;
        t->waits = false;
        alerter_do(a, write_matters, written, t);
    }
}

static const char *redacted(const struct alerter *a, struct arena *arena, const char *text)
{
    size_t size = 2 * strlen(text) + 1;
    char *copy = arena_alloc(arena, size);

    memcpy(copy, text, strlen(text) + 1);
    redact_text(a->app->redactor, copy, size);
    return copy;
}

static struct outbox_matter matter_of(struct telling *t, const struct alert_matter *m)
{
    const struct alerter *a = t->alerter;

    return (struct outbox_matter){
        .key = redacted(a, &t->arena, m->key),
        .event = alert_event_name(m->event),
        .environment = redacted(a, &t->arena, m->environment),
        .title = redacted(a, &t->arena, m->title),
        .text = redacted(a, &t->arena, m->text),
        .link = redacted(a, &t->arena, m->link),
        .incident = m->incident,
        .at_ms = m->at_ms,
    };
}

void alerter_tell(struct alerter *a, const struct alert_matter *m)
{
    size_t n = 0;

    for (const struct lane *l = a ? a->lanes : NULL; l; l = l->next)
        n += lane_wants(l, m);
    if (n == 0)
        return;
    struct telling *t = mem_alloc(sizeof(*t));
    *t = (struct telling){.next = a->tellings, .at = &a->tellings, .alerter = a};
    if (t->next)
        t->next->at = &t->next;
    a->tellings = t;
    t->matters = arena_array(&t->arena, n, sizeof(*t->matters));
    const struct outbox_matter all = matter_of(t, m);
    for (const struct lane *l = a->lanes; l; l = l->next) {
        if (!lane_wants(l, m))
            continue;
        struct outbox_matter *one = &t->matters[t->n++];
        *one = all;
        one->alert = arena_strdup(&t->arena, l->name);
        one->held = lane_is_quiet(l, m->event);
    }
    alerter_do(a, write_matters, written, t);
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void release(struct alerter *a)
{
    store_worker_free(a->worker);
    free(a->project);
    free(a);
}

void alerter_do(struct alerter *a, store_work_fn *work, store_done_fn *done, void *arg)
{
    a->jobs++;
    store_worker_do(a->worker, "alerts", work, done, arg);
}

void alerter_done(struct alerter *a)
{
    a->jobs--;
    if (a->freed && a->jobs == 0)
        release(a);
}

static void make_lanes(struct alerter *a)
{
    const struct manifest *m = a->app->manifest;

    free(a->project);
    a->project = mem_strdup(m->project);
    for (size_t i = m->n_alerts; i-- > 0;)
        lane_new(a, &m->alerts[i]);
    for (struct lane *l = a->lanes; l; l = l->next)
        lane_look(l);
}

struct alerter *alerter_new(struct app *app, const struct alerter_options *o)
{
    struct alerter *a = mem_alloc(sizeof(*a));

    *a = (struct alerter){.app = app,
                          .worker = store_worker_new(app->loop, app->state, &app->clock),
                          .sender = alert_sender_new(app),
                          .writable = true,
                          .random = (uint64_t)clock_mono_us(&app->clock)};
    if (o)
        a->o = *o;
    a->again = timer_new(app->loop, write_again, a);
    make_lanes(a);
    return a;
}

void alerter_refresh(struct alerter *a)
{
    if (!a || a->stopped)
        return;
    for (struct lane *l = a->lanes, *next; l; l = next) {
        next = l->next;
        lane_drop(l);
    }
    make_lanes(a);
}

void alerter_stop(struct alerter *a)
{
    if (a)
        a->stopped = true;
}

size_t alerter_pending(const struct alerter *a)
{
    size_t n = 0;

    for (const struct telling *t = a ? a->tellings : NULL; t; t = t->next)
        n += !t->waits;
    return a ? n + a->turns : 0;
}

void alerter_free(struct alerter *a)
{
    if (!a)
        return;
    a->freed = a->stopped = true;
    alert_sender_free(a->sender);
    timer_free(a->again);
    for (struct lane *l = a->lanes, *next; l; l = next) {
        next = l->next;
        lane_abandon(l);
    }
    for (struct telling *t = a->tellings, *next; t; t = next) {
        next = t->next;
        if (t->waits)
            lose(t);
    }
    if (a->jobs == 0)
        release(a);
}
