#include "app/incident_inner.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an earlier process left: the incidents that are open, or were so a moment ago, go on. */

struct load {
    struct incident_book *book;
    struct store *store;
    struct kept_incident *of; /* whose parts are read now */
    int64_t *wanted;          /* outages of it */
    size_t n_wanted, size_wanted;
    int64_t from_ms;
    int rc;
    struct err *err;
};

static void take_incident(const struct incident *row, void *arg)
{
    struct load *l = arg;
    enum cause_kind kind;

    if (!cause_kind_read(row->kind, &kind))
        return; /* of a newer program */
    struct kept_incident *i = incident_new(l->book, kind);
    i->id = row->id;
    i->c.platform = arena_strdup(&i->arena, row->platform);
    i->c.environment = arena_strdup(&i->arena, row->environment);
    i->c.app = arena_strdup(&i->arena, row->app);
    i->c.from_ms = i->c.newest_ms = row->from_ms;
    i->c.until_ms = row->until_ms;
    i->noticed_ms = row->noticed_ms;
    i->acknowledged_ms = row->acknowledged_ms;
    i->gathered = true;
    (void)snprintf(i->title, sizeof(i->title), "%s", row->title);
    if (row->from_ms < l->from_ms)
        l->from_ms = row->from_ms;
}

static void count_line(const struct incident_event *v, void *arg)
{
    struct kept_incident *i = arg;

    i->n_events++;
    i->times_reopened += strcmp(v->kind, "reopened") == 0;
}

static void take_number(int64_t outage, void *arg)
{
    struct load *l = arg;

    if (l->n_wanted == l->size_wanted) {
        l->size_wanted = l->size_wanted ? 2 * l->size_wanted : 32;
        l->wanted = mem_grow(l->wanted, l->size_wanted, sizeof(*l->wanted));
    }
    l->wanted[l->n_wanted++] = outage;
}

struct kept_sign incident_sign_of(const struct incident_book *b, const struct watch_outage *v)
{
    const struct outage *o = &v->outage;
    const struct watch_check *c = watch_find(b->o.watch, o->series);
    struct kept_sign sign = {.outage = o->id};

    sign.view = (struct cause_sign){.kind = o->kind == OUTAGE_BLIND ? CAUSE_BLIND : CAUSE_OUTAGE,
                                    .environment = v->environment,
                                    .app = v->app,
                                    .instance = v->instance,
                                    .check = v->check,
                                    .series = o->series,
                                    .from_ms = o->from_ms,
                                    .until_ms = o->until_ms,
                                    .late_ms = c ? c->every_ms : 0,
                                    .reason = ""};
    sign.view.platform = incident_platform(b, v->environment, v->app, v->instance);
    sign.certificate = c && c->kind == CHECK_TLS && c->valid_until_ms > o->from_ms;
    (void)snprintf(sign.reason, sizeof(sign.reason), "%s", o->reason ? o->reason : "");
    return sign;
}

/* Newest first: an older one of the same check is passed over. */
static void take_outage(const struct outage *o, void *arg)
{
    struct load *l = arg;
    bool wanted = false;

    for (size_t k = 0; k < l->n_wanted && !wanted; k++)
        wanted = l->wanted[k] == o->id;
    if (!wanted)
        return;
    for (size_t k = 0; k < l->of->n_signs; k++)
        if (l->of->signs[k]->view.series == o->series)
            return;
    const struct watch_check *c = watch_find(l->book->o.watch, o->series);
    const struct watch_outage named = {.outage = *o,
                                       .environment = c ? c->environment : "",
                                       .app = c ? c->app : "",
                                       .instance = c ? c->instance : "",
                                       .check = c ? c->check : ""};
    const struct kept_sign sign = incident_sign_of(l->book, &named);
    (void)incident_add_sign(l->of, &sign);
}

static int load_parts(struct load *l, struct kept_incident *i)
{
    const struct cause_case stored = i->c; /* the store knows better what was in common */

    l->of = i;
    l->n_wanted = 0;
    if (incident_timeline(l->store, i->id, count_line, i, l->err) < 0 ||
        incident_outages(l->store, i->id, take_number, l, l->err) < 0 ||
        outage_list(l->store, -1, i->c.from_ms - 1, INT64_MAX, 0, take_outage, l, l->err) < 0)
        return -1;
    i->c.platform = stored.platform;
    i->c.environment = stored.environment;
    i->c.app = stored.app;
    return 0;
}

/* --- Changes of traffic -------------------------------------------------------------------------
 */

static struct kept_incident *incident_of_id(const struct incident_book *b, int64_t id)
{
    for (size_t k = 0; k < b->n; k++)
        if (b->incidents[k]->id == id)
            return b->incidents[k];
    return NULL;
}

struct changes {
    struct arena arena;
    struct traffic_change *rows;
    size_t n, size;
};

static void take_change(const struct traffic_change *c, void *arg)
{
    struct changes *all = arg;

    if (all->n == all->size) {
        all->size = all->size ? 2 * all->size : 32;
        all->rows = mem_grow(all->rows, all->size, sizeof(*all->rows));
    }
    struct traffic_change *r = &all->rows[all->n++];
    *r = *c;
    r->route = arena_strdup(&all->arena, c->route);
    r->environment = arena_strdup(&all->arena, c->environment);
    r->from = arena_strdup(&all->arena, c->from);
    r->event = arena_strdup(&all->arena, c->event);
    r->to = arena_strdup(&all->arena, c->to);
    r->action = arena_strdup(&all->arena, c->action);
    r->reason = arena_strdup(&all->arena, c->reason);
    r->evidence = arena_strdup(&all->arena, c->evidence);
}

/* One that is in an incident already, belongs there; one that nobody wrote down, because the
 * process was killed, is news if it is of the last minutes. */
static int again(struct load *l, const struct traffic_change *c, int64_t now)
{
    char key[64];
    int64_t id = 0;

    incident_change_key(c, key);
    if (incident_noted(l->store, key, &id, l->err) < 0)
        return -1;
    struct kept_incident *i = id != 0 ? incident_of_id(l->book, id) : NULL;
    if (i)
        incident_take_change(i, c);
    else if (id == 0 &&
             (incident_change_returns(c) || now - c->decided_us / 1000 < CAUSE_RETURN_MS))
        incident_new_change(l->book, c);
    return 0;
}

static int load_changes(struct load *l, int64_t now)
{
    struct changes all = {0};
    int rc = traffic_change_list(l->store, NULL, l->from_ms - CAUSE_JOIN_MS, INT64_MAX, 0,
                                 take_change, &all, l->err);

    for (size_t k = all.n; rc == 0 && k > 0; k--)
        rc = again(l, &all.rows[k - 1], now);
    arena_release(&all.arena);
    free(all.rows);
    return rc;
}

/* --- All ----------------------------------------------------------------------------------------
 */

/* What ended while nobody looked, or was not written any more, is over now. */
static void settle(struct kept_incident *i, int64_t now)
{
    int64_t until = 0;

    if (i->c.until_ms != 0 || !cause_over(&i->c, &until))
        return;
    char key[64];
    i->c.until_ms = i->n_signs > 0 ? until : now;
    i->resolve = true;
    (void)snprintf(key, sizeof(key), "resolved %d", i->times_reopened);
    (void)incident_line(i, "resolved", i->c.until_ms, key, "over");
    incident_changed(i);
}

int incidents_load(struct incident_book *b, struct err *e)
{
    int64_t now = clock_wall_ms(&b->o.app->clock);
    struct load l = {.book = b, .store = b->o.app->store, .from_ms = now, .err = e};
    int rc = incident_list(l.store, 0, now - CAUSE_RETURN_MS, INT64_MAX, 0, take_incident, &l, e);

    for (size_t k = 0; rc == 0 && k < b->n; k++)
        rc = load_parts(&l, b->incidents[k]);
    free(l.wanted);
    if (rc == 0)
        rc = load_changes(&l, now);
    if (rc < 0)
        return -1;
    for (size_t k = 0; k < b->n; k++) {
        settle(b->incidents[k], now);
        if (b->incidents[k]->id != 0) {
            incident_watch_platform(b->incidents[k]);
            incident_tell(b->incidents[k]);
        }
    }
    b->drills_since_ms = now - CAUSE_RETURN_MS;
    return 0;
}
