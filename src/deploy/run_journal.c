#include "deploy/run_internal.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/redact.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

/*
 * Rows are collected during one turn of the loop and written in one transaction at its end: 45
 * deployments that move together cost one fsync, not 45. A request that must not happen twice is
 * sent only after the transaction that names it is on disk.
 */

/* The platform's own words may repeat a secret that it was given. */
static char *progress_text(struct task *t, int step)
{
    struct deployment *d = &t->item->deployment;

    redact_text(t->run->o.redactor, d->word, sizeof(d->word));
    redact_text(t->run->o.redactor, d->detail, sizeof(d->detail));
    json_t *saved = provider_save(d);

    if (step >= 0)
        json_object_set_new(saved, "step", json_integer(step));
    char *text = json_text(saved);
    json_decref(saved);
    return text;
}

int journal_write(struct task *t, int step, struct err *e)
{
    const struct run_item *item = t->item;
    struct deployment *d = &t->item->deployment;

    /* What the platform said goes to the store: it may have repeated what it was sent. */
    redact_text(t->run->o.redactor, d->word, sizeof(d->word));
    redact_text(t->run->o.redactor, d->detail, sizeof(d->detail));
    char *progress = progress_text(t, step);
    struct deployment_row row = {
        .environment = item->cell->env->name,
        .app = item->cell->app->name,
        .instance = item->cell->instance,
        .release = item->release,
        .platform = item->ops->name,
        .project = item->cell->name,
        .state = item->state,
        .commit = item->want->commit,
        .digest = item->digest,
        .url = item->deployment.url,
        .remote_id = item->deployment.remote_id,
        .progress = progress,
        .error = item->err.text,
        .started_at = item->started_at,
        .live_at = item->live_at,
        .updated_at = clock_wall_ms(loop_clock(t->run->o.loop)),
    };
    int rc = deployment_put(t->run->o.store, item->lease, &row, e);
    free(progress);
    return rc;
}

void journal_mark(struct task *t, struct attempt *then)
{
    struct run *r = t->run;

    if (!t->dirty) {
        t->dirty = true;
        r->dirty++;
    }
    if (then)
        t->after_write = then;
    timer_start(r->flush, 0);
}

static int write_all(struct run *r, struct err *e)
{
    if (store_begin(r->o.store, e) < 0)
        return -1;
    for (struct task *t = r->tasks; t; t = t->next) {
        if (!t->dirty)
            continue;
        int step = t->after_write ? t->after_write->call.unclear : -1;
        if (journal_write(t, step, e) < 0 ||
            (t->after_write && account_remember(t->account, e) < 0)) {
            store_rollback(r->o.store);
            return -1;
        }
    }
    return store_commit(r->o.store, e);
}

/* The store is gone or ours no longer: nothing may be sent that is not on record. */
static void give_up(struct run *r, const struct err *e)
{
    r->lost = *e;
    r->stopping = true;
    for (struct task *t = r->tasks; t; t = t->next) {
        t->dirty = false;
        t->after_write = NULL;
    }
    run_stop(r);
    for (struct task *t = r->tasks; t; t = t->next)
        t->dirty = false;
    r->dirty = 0;
    timer_stop(r->flush);
}

static void tell_finished(struct run *r)
{
    if (r->unfinished > 0 || r->dirty > 0 || r->told || !r->started)
        return;
    r->told = true;
    if (r->o.finished)
        r->o.finished(r->o.arg);
}

void journal_flush(void *run)
{
    struct run *r = run;
    struct err e = ERR_INIT;

    if (r->dirty > 0 && write_all(r, &e) < 0)
        give_up(r, &e);
    for (struct task *t = r->tasks; t && r->dirty > 0; t = t->next) {
        if (!t->dirty)
            continue;
        struct attempt *then = t->after_write;
        t->dirty = false;
        t->after_write = NULL;
        r->dirty--;
        if (then) {
            then->journalled = true;
            attempt_send(then);
        }
    }
    tell_finished(r);
}
