#include "app/incident_inner.h"

#include "app/store_worker.h"
#include "base/mem.h"
#include "base/redact.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The store is written one incident after another: all that one has gathered until then goes in one
 * group, so that it is there whole or not at all. What the store refuses (a full disk) is tried
 * again with what came meanwhile; keys make that harmless.
 */
enum { AGAIN_MS = 1000, LINES_MAX = 2000 };

struct incident_write {         /* belongs to the pool until `written`, but for the first member */
    struct incident_book *book; /* NULL: it is gone */
    struct kept_incident *incident;
    struct arena arena;
    struct incident row;
    struct kept_event *events;
    bool reopen, resolve;
};

static const struct incident_event *line_of(const struct kept_event *v, struct incident_event *ret)
{
    *ret = (struct incident_event){
        .at_ms = v->at_ms, .kind = v->kind, .text = v->text, .evidence = v->evidence};
    return ret;
}

struct kept_event *incident_line(struct kept_incident *i, const char *kind, int64_t at_ms,
                                 const char *key, const char *fmt, ...)
{
    struct kept_event *v = mem_alloc(sizeof(*v));
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    redact_text(i->book->o.app->redactor, text, sizeof(text));
    bool flutters = strcmp(kind, "joined") == 0 || strcmp(kind, "recovered") == 0;
    v->kind = flutters && i->n_events >= LINES_MAX ? "" : kind;
    v->at_ms = at_ms;
    (void)snprintf(v->key, sizeof(v->key), "%s", key);
    v->text = mem_strdup(text);
    i->n_events++;
    *i->last_event = v;
    i->last_event = &v->next;
    return v;
}

struct incident incident_row(const struct kept_incident *i)
{
    int outages = 0;

    for (size_t k = 0; k < i->n_signs; k++)
        outages += i->signs[k]->view.kind == CAUSE_OUTAGE;
    return (struct incident){.id = i->id,
                             .kind = cause_kind_name(i->c.kind),
                             .platform = i->c.platform,
                             .environment = i->c.environment,
                             .app = i->c.app,
                             .title = i->title,
                             .from_ms = i->c.from_ms,
                             .until_ms = i->c.until_ms,
                             .noticed_ms = i->noticed_ms,
                             .acknowledged_ms = i->acknowledged_ms,
                             .outages = outages};
}

/* --- On the pool --------------------------------------------------------------------------------
 */

/* An outage that is in an incident already tells which one this is: written by a process that was
 * killed before it could go on, or by another one on this store. */
static int find_or_open(struct store *s, struct incident_write *w, struct err *e)
{
    struct incident open = w->row;

    for (const struct kept_event *v = w->events; v && w->row.id == 0; v = v->next)
        if (v->outage != 0 && incident_of(s, v->outage, &w->row.id, e) < 0)
            return -1;
    if (w->row.id != 0)
        return 0;
    open.until_ms = 0;
    return incident_open(s, &open, &w->row.id, e);
}

static int write_events(struct store *s, const struct incident_write *w, struct err *e)
{
    struct incident_event line;

    for (const struct kept_event *v = w->events; v; v = v->next) {
        if (v->outage != 0 && incident_join(s, w->row.id, v->outage, e) < 0)
            return -1;
        if (v->kind[0] && incident_note(s, w->row.id, line_of(v, &line), v->key, e) < 0)
            return -1;
    }
    return 0;
}

static int write_all(struct store *s, struct incident_write *w, struct err *e)
{
    if (w->row.id == 0 && find_or_open(s, w, e) < 0)
        return -1;
    if (incident_widen(s, &w->row, e) < 0 || write_events(s, w, e) < 0)
        return -1;
    if (w->reopen && incident_reopen(s, w->row.id, e) < 0)
        return -1;
    return w->resolve ? incident_resolve(s, w->row.id, w->row.until_ms, e) : 0;
}

static int write_group(struct store *s, void *arg, struct err *e)
{
    struct incident_write *w = arg;
    int64_t id = w->row.id;

    if (store_begin(s, e) < 0)
        return -1;
    if (write_all(s, w, e) == 0 && store_commit(s, e) == 0)
        return 0;
    store_rollback(s);
    w->row.id = id; /* what it would have been is free again */
    return -1;
}

/* --- On the loop --------------------------------------------------------------------------------
 */

static void write_next(struct incident_book *b);

static void free_events(struct kept_event *v)
{
    while (v) {
        struct kept_event *next = v->next;
        free(v->text);
        free(v->evidence);
        free(v);
        v = next;
    }
}

/* Back before what came meanwhile. */
static void give_back(struct kept_incident *i, struct incident_write *w)
{
    struct kept_event *later = i->events;

    i->events = w->events;
    w->events = NULL;
    i->last_event = &i->events;
    while (*i->last_event)
        i->last_event = &(*i->last_event)->next;
    *i->last_event = later;
    while (*i->last_event)
        i->last_event = &(*i->last_event)->next;
    i->reopen = i->reopen || w->reopen;
    i->resolve = i->resolve || (w->resolve && i->c.until_ms != 0);
    i->changed = true;
}

static void refused(struct incident_book *b, const struct err *e)
{
    if (strcmp(b->failure.text, e->text) != 0)
        app_say(b->o.app, "incidents wait until the store takes them: %s", e->text);
    b->failure = *e;
}

void incident_write_again(void *arg)
{
    write_next(arg);
}

static void write_free(struct incident_write *w)
{
    free_events(w->events);
    arena_release(&w->arena);
    free(w);
}

static void written(const struct err *e, void *arg)
{
    struct incident_write *w = arg;
    struct incident_book *b = w->book;
    struct kept_incident *i = w->incident;

    if (!b) {
        write_free(w);
        return;
    }
    b->under_way = NULL;
    i->writing = false;
    if (e) {
        refused(b, e);
        if (!b->stopping) {
            give_back(i, w);
            timer_start(b->again, AGAIN_MS);
            write_free(w);
            return;
        }
        /* found again by the next start: the outage is in no incident */
    } else {
        b->failure = ERR_INIT;
        i->id = w->row.id;
        if (b->o.changed) {
            struct incident row = incident_row(i);
            b->o.changed(&row, b->o.arg);
        }
        incident_watch_platform(i);
        incident_tell(i);
    }
    write_free(w);
    write_next(b);
}

static void write_one(struct kept_incident *i)
{
    struct incident_write *w = mem_alloc(sizeof(*w));

    *w = (struct incident_write){.book = i->book,
                                 .incident = i,
                                 .row = incident_row(i),
                                 .events = i->events,
                                 .reopen = i->reopen,
                                 .resolve = i->resolve};
    w->row.platform = arena_strdup(&w->arena, w->row.platform);
    w->row.environment = arena_strdup(&w->arena, w->row.environment);
    w->row.app = arena_strdup(&w->arena, w->row.app);
    w->row.title = arena_strdup(&w->arena, w->row.title);
    i->events = NULL;
    i->last_event = &i->events;
    i->reopen = i->resolve = i->changed = false;
    i->writing = true;
    i->book->under_way = w;
    store_worker_do(i->book->ledger, "incident", write_group, written, w);
}

static void write_next(struct incident_book *b)
{
    for (size_t k = 0; k < b->n && !b->under_way; k++)
        if (b->incidents[k]->changed)
            write_one(b->incidents[k]);
}

void incident_changed(struct kept_incident *i)
{
    i->changed = true;
    if (i->book->failure.text[0] == '\0') /* else the timer has it */
        write_next(i->book);
}

void incident_write_forget(struct incident_write *w)
{
    w->book = NULL;
}

void incident_write_rest(struct incident_book *b)
{
    timer_stop(b->again);
    b->failure = ERR_INIT;
    write_next(b);
}
