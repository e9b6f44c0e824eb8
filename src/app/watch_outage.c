#include "app/watch_inner.h"

#include "app/store_worker.h"
#include "base/mem.h"
#include "base/redact.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Outages go to the store over the ledger, one after another: what closes one finds it there. The
 * list of open ones follows once the store has it. What the store refuses (a full disk) waits, with
 * all that came after it, and is tried again; writing the same twice changes nothing.
 */
enum { AGAIN_MS = 1000, NOTES_MAX = 65536 };

struct note { /* one write on its way */
    struct note *next;
    struct watch *watch; /* NULL: it is gone, and nobody waits for this */
    struct outage outage;
    char reason[320];
    bool closes;
    int64_t until_ms;
    bool found; /* closes: there was one */
};

static struct open_outage *find_open(const struct watch *w, enum outage_kind kind, int64_t series)
{
    for (size_t i = 0; i < w->n_open; i++)
        if (w->open[i]->view.outage.kind == kind && w->open[i]->view.outage.series == series)
            return w->open[i];
    return NULL;
}

static void tell(const struct watch *w, const struct open_outage *o)
{
    if (w->o.outage)
        w->o.outage(&o->view, w->o.arg);
}

static struct open_outage *keep(struct watch *w, const struct outage *i)
{
    struct open_outage *o = mem_alloc(sizeof(*o));
    struct known_check *k = watch_know(w, i->series);
    const struct watch_check none = {.environment = "", .app = "", .instance = "", .check = ""};
    const struct watch_check *c = k ? &k->view : &none;

    o->reason = mem_strdup(i->reason ? i->reason : "");
    o->view = (struct watch_outage){.outage = *i,
                                    .environment = c->environment,
                                    .app = c->app,
                                    .instance = c->instance,
                                    .check = c->check};
    o->view.outage.reason = o->reason;
    if (w->n_open == w->size_open) {
        w->size_open = w->size_open ? 2 * w->size_open : 16;
        w->open = mem_grow(w->open, w->size_open, sizeof(struct open_outage *));
    }
    w->open[w->n_open++] = o;
    return o;
}

static void forget(struct watch *w, struct open_outage *o)
{
    for (size_t i = 0; i < w->n_open; i++)
        if (w->open[i] == o) {
            memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(struct open_outage *));
            break;
        }
    free(o->reason);
    free(o);
}

/* --- Writing ------------------------------------------------------------------------------------
 */

static void take_open(const struct outage *i, void *arg)
{
    struct note *n = arg;

    if (i->until_ms == 0 && i->kind == n->outage.kind && i->series == n->outage.series) {
        n->outage.id = i->id;
        n->found = true;
    }
}

static int write_note(struct store *s, void *arg, struct err *e)
{
    struct note *n = arg;

    if (!n->closes)
        return outage_open(s, &n->outage, &n->outage.id, e);
    if (outage_list(s, n->outage.series, 0, INT64_MAX, 0, take_open, n, e) < 0)
        return -1;
    return n->found ? outage_close(s, n->outage.id, n->until_ms, e) : 0;
}

static void write_first(struct watch *w);

static void again(void *arg)
{
    write_first(arg);
}

static void taken_in(struct watch *w, struct note *n)
{
    struct open_outage *o = find_open(w, n->outage.kind, n->outage.series);

    if (!n->closes) {
        n->outage.reason = n->reason;
        if (!o)
            tell(w, keep(w, &n->outage));
    } else if (o) {
        o->view.outage.until_ms = n->until_ms;
        tell(w, o);
        forget(w, o);
    }
}

static void drop_first(struct watch *w)
{
    struct note *n = w->notes;

    w->notes = n->next;
    w->n_notes--;
    if (!w->notes)
        w->last_note = NULL;
    free(n);
}

/* At the end nothing is tried again: a disk that stays full would keep us for ever. */
static void written(const struct err *e, void *arg)
{
    struct note *n = arg;
    struct watch *w = n->watch;

    if (!w) {
        free(n);
        return;
    }
    w->noting = false;
    if (e) {
        watch_store_failed(w, &w->note_failure, e);
        if (!w->stopping) {
            timer_start(w->note_again, AGAIN_MS);
            return;
        }
    } else {
        w->note_failure = ERR_INIT;
        taken_in(w, n);
    }
    drop_first(w);
    write_first(w);
}

static void write_first(struct watch *w)
{
    if (w->noting || !w->notes)
        return;
    w->noting = true;
    w->notes->found = false;
    store_worker_do(w->ledger, "outage", write_note, written, w->notes);
}

static void submit(struct watch *w, struct note *n)
{
    bool waits = w->notes != NULL; /* the first one is under way, or waits for its next try */

    if (w->n_notes == NOTES_MAX) {
        free(n);
        return;
    }
    if (w->last_note)
        w->last_note->next = n;
    else
        w->notes = n;
    w->last_note = n;
    w->n_notes++;
    if (!w->note_again)
        w->note_again = timer_new(w->o.app->loop, again, w);
    if (!waits)
        write_first(w);
}

bool outages_pending(struct watch *w)
{
    if (w->stopping)
        write_first(w);
    return w->notes != NULL;
}

static struct note *note_new(struct watch *w, enum outage_kind kind, int64_t series)
{
    struct note *n = mem_alloc(sizeof(*n));

    n->watch = w;
    n->outage = (struct outage){
        .kind = kind, .series = series, .noticed_ms = clock_wall_ms(&w->o.app->clock)};
    n->outage.reason = n->reason;
    return n;
}

static void close_note(struct watch *w, enum outage_kind kind, int64_t series, int64_t until_ms)
{
    struct note *n = note_new(w, kind, series);

    n->closes = true;
    n->until_ms = until_ms;
    submit(w, n);
}

/* --- What happens -------------------------------------------------------------------------------
 */

static const char *slash(const char *instance)
{
    return instance[0] ? "/" : "";
}

void outages_down(struct watch *w, struct known_check *k, const struct probe_change *c)
{
    const struct watch_check *v = &k->view;

    if (k->outage_wanted)
        return;
    k->outage_wanted = true;
    struct note *n = note_new(w, OUTAGE_DOWN, v->series);
    n->outage.from_ms = c->since_ms;
    n->outage.noticed_ms = c->noticed_ms;
    (void)snprintf(n->reason, sizeof(n->reason), "%s", c->reason);
    redact_text(w->o.app->redactor, n->reason, sizeof(n->reason));
    submit(w, n);
    watch_say(w, "down: %s %s%s%s %s: %s", v->environment, v->app, slash(v->instance), v->instance,
              v->check, c->reason);
}

void outages_up(struct watch *w, struct known_check *k, int64_t until_ms)
{
    const struct watch_check *v = &k->view;

    if (!k->outage_wanted)
        return;
    k->outage_wanted = false;
    close_note(w, OUTAGE_DOWN, v->series, until_ms);
    watch_say(w, "up again: %s %s%s%s %s", v->environment, v->app, slash(v->instance), v->instance,
              v->check);
}

void outages_blind(bool blind, int64_t at_ms, void *round)
{
    const struct round *r = round;
    struct watch *w = r->watch;

    if (w->blind == blind)
        return;
    w->blind = blind;
    if (w->o.blind)
        w->o.blind(blind, w->o.arg);
    if (!blind) {
        close_note(w, OUTAGE_BLIND, 0, at_ms);
        watch_say(w, "the control targets answer again: measuring counts again");
        return;
    }
    struct note *n = note_new(w, OUTAGE_BLIND, 0);
    n->outage.from_ms = at_ms;
    (void)snprintf(n->reason, sizeof(n->reason),
                   "no control target answers: our own connection is down");
    submit(w, n);
    watch_say(w, "blind: no control target answers, so our own connection is down; until it is "
                 "back, silence counts for nobody");
}

/* --- What was before ----------------------------------------------------------------------------
 */

static void take_earlier(const struct outage *i, void *arg)
{
    struct watch *w = arg;

    if (i->until_ms != 0 || find_open(w, i->kind, i->series))
        return;
    struct open_outage *o = keep(w, i);
    struct known_check *k = watch_know(w, i->series);
    if (!k || i->kind != OUTAGE_DOWN)
        return;
    k->outage_wanted = true;
    k->view.health =
        (struct health){.state = HEALTH_DOWN, .since_ms = i->from_ms, .first_bad_ms = i->from_ms};
    free(k->reason);
    k->reason = mem_strdup(o->reason);
    k->view.reason = k->reason;
}

/* All of them are looked at: a clock that was set back may have left an open one in the future. */
int outages_load(struct watch *w, struct err *e)
{
    int64_t now = clock_wall_ms(&w->o.app->clock);

    if (outage_list(w->o.app->store, -1, 0, INT64_MAX, 0, take_earlier, w, e) < 0)
        return -1;
    /* Whether we are blind is found out anew, and nobody looked meanwhile. */
    if (w->o.whole && find_open(w, OUTAGE_BLIND, 0))
        close_note(w, OUTAGE_BLIND, 0, now);
    return 0;
}

void outages_close_unknown(struct watch *w)
{
    int64_t now = clock_wall_ms(&w->o.app->clock);

    for (size_t i = 0; i < w->n_open; i++) {
        const struct outage *v = &w->open[i]->view.outage;
        struct known_check *k = watch_know(w, v->series);
        if (v->kind != OUTAGE_DOWN || (k && (k->view.present || !k->outage_wanted)))
            continue;
        if (k) {
            k->outage_wanted = false;
            k->view.health = (struct health){0};
        }
        close_note(w, OUTAGE_DOWN, v->series, now);
    }
}

const struct watch_outage *const *watch_outages(const struct watch *w, size_t *ret_n)
{
    *ret_n = w->n_open;
    return (const struct watch_outage *const *)w->open; /* the view is their first member */
}

void watch_acknowledged(struct watch *w, int64_t id, int64_t at_ms)
{
    for (size_t i = 0; i < w->n_open; i++)
        if (w->open[i]->view.outage.id == id) {
            w->open[i]->view.outage.acknowledged_ms = at_ms;
            tell(w, w->open[i]);
        }
}

void outages_release(struct watch *w)
{
    timer_free(w->note_again);
    if (w->noting) { /* the pool still has it; its end comes later */
        struct note *n = w->notes;
        w->notes = n->next;
        n->watch = NULL;
    }
    while (w->notes)
        drop_first(w);
    while (w->n_open > 0)
        forget(w, w->open[0]);
    free(w->open);
}
