#include "app/drill_sweep.h"

#include "app/app.h"
#include "app/drill_fault.h"
#include "app/store_worker.h"
#include "base/arena.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct left { /* a record that says it runs */
    struct left *next;
    struct drill_record record;
};

struct drill_sweep {
    struct drill_sweep_options o;
    struct arena arena;
    struct lease lease;
    struct left *first;
    struct fault_hand *hand;
    bool busy;      /* another process drills */
    struct err err; /* ends the sweep */
};

static void keep_running(const struct drill_record *d, void *arg)
{
    struct drill_sweep *w = arg;

    if (d->outcome != DRILL_RUNNING)
        return;
    struct left *l = arena_alloc(&w->arena, sizeof(*l));
    l->record = *d;
    l->record.route = arena_strdup(&w->arena, d->route);
    l->record.environment = arena_strdup(&w->arena, d->environment);
    l->record.fault = arena_strdup(&w->arena, d->fault);
    l->record.text = "";
    l->next = w->first;
    w->first = l;
}

static int begin_work(struct store *s, void *arg, struct err *e)
{
    struct drill_sweep *w = arg;
    struct lease held = {0};
    bool is_held = false;

    if (lease_acquire(s, DRILL_LEASE, w->o.app->command->name, &w->lease, e) < 0) {
        w->busy = e->kind == ERR_NO;
        if (w->busy && lease_read(s, DRILL_LEASE, &held, &is_held, e) == 0 && is_held)
            err_set(e, ERR_NO, "another drill is running (%s); wait for its end, or stop it",
                    held.holder);
        return -1;
    }
    return drill_list(s, NULL, 0, INT64_MAX, 0, keep_running, w, e);
}

static int release_work(struct store *s, void *arg, struct err *e)
{
    const struct drill_sweep *w = arg;

    return w->lease.token ? lease_release(s, &w->lease, e) : 0;
}

static void released(const struct err *e, void *arg)
{
    struct drill_sweep *w = arg;

    (void)e; /* it runs out by itself */
    w->o.done(w->err.kind == ERR_NONE ? NULL : &w->err, &w->lease, w->o.arg);
}

static void finish(struct drill_sweep *w, const struct err *e)
{
    if (e)
        w->err = *e;
    if (!e && w->o.keep_lease)
        w->o.done(NULL, &w->lease, w->o.arg);
    else
        store_worker_do(w->o.worker, "drill: lease", release_work, released, w);
}

static void sweep_next(struct drill_sweep *w);

static int close_work(struct store *s, void *arg, struct err *e)
{
    struct drill_sweep *w = arg;
    struct drill_record d = w->first->record;

    d.outcome = DRILL_INTERRUPTED;
    d.until_ms = clock_wall_ms(&w->o.app->clock);
    return drill_end(s, &d, e);
}

static void closed(const struct err *e, void *arg)
{
    struct drill_sweep *w = arg;

    if (e && e->kind != ERR_NO) {
        finish(w, e);
        return;
    }
    w->first = w->first->next;
    sweep_next(w);
}

static void close_record(struct drill_sweep *w, const char *text)
{
    w->first->record.text = arena_strdup(&w->arena, text);
    store_worker_do(w->o.worker, "drill: record", close_work, closed, w);
}

static void say(const struct drill_sweep *w, const char *text)
{
    if (w->o.say)
        w->o.say(text, w->o.arg);
}

static void undone(const struct err *e, void *arg)
{
    struct drill_sweep *w = arg;
    const struct drill_record *d = &w->first->record;
    char text[600];

    if (!e) {
        (void)snprintf(text, sizeof(text),
                       "drill %" PRId64 " (%s, %s) died before its end; its fault was undone",
                       d->id, d->environment, d->fault);
        say(w, text);
        close_record(w, "its process died; the fault was undone by a later one");
    } else if (w->o.force) {
        (void)snprintf(text, sizeof(text),
                       "drill %" PRId64 " (%s, %s) died before its end, and its fault may still be "
                       "in force: %.300s",
                       d->id, d->environment, d->fault, e->text);
        say(w, text);
        close_record(w, "its process died; the fault could not be undone, and may still be there");
    } else {
        (void)err_set(&w->err, e->kind,
                      "drill %" PRId64 " (%s, %s) died before its end, and its fault cannot be "
                      "undone: %.250s; go on all the same with --force",
                      d->id, d->environment, d->fault, e->text);
        finish(w, &w->err);
    }
}

static void sweep_next(struct drill_sweep *w)
{
    fault_hand_free(w->hand);
    w->hand = NULL;
    if (!w->first) {
        finish(w, NULL);
        return;
    }
    const struct fault_hand_options o = {.http = w->o.app->http,
                                         .bases = w->o.app->bases,
                                         .worker = w->o.worker,
                                         .clock = &w->o.app->clock,
                                         .record = &w->first->record,
                                         .host = ""};
    w->hand = fault_hand_new(&o);
    fault_end(w->hand, undone, w);
}

static void began(const struct err *e, void *arg)
{
    struct drill_sweep *w = arg;

    if (e)
        finish(w, w->busy && !w->o.keep_lease ? NULL : e);
    else
        sweep_next(w);
}

struct drill_sweep *drill_sweep_new(const struct drill_sweep_options *o)
{
    struct drill_sweep *w = mem_alloc(sizeof(*w));

    *w = (struct drill_sweep){.o = *o};
    store_worker_do(o->worker, "drill: lease", begin_work, began, w);
    return w;
}

void drill_sweep_free(struct drill_sweep *w)
{
    if (!w)
        return;
    fault_hand_free(w->hand);
    arena_release(&w->arena);
    free(w);
}
