#include "app/incident_inner.h"

#include "app/store_worker.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Drills, whichever process runs them: looked up in the store. One over its bound is an incident;
 * what fails while one runs in its environment says so in its title.
 */
enum { DRILLS_READ = 16, AFTER_MS = 60000 };

struct ended_drill {
    int64_t id, from_ms, until_ms;
    char route[80], environment[80], fault[24], text[160];
};

struct drill_look {
    struct incident_book *book; /* first; NULL: it is gone */
    int64_t since_ms;
    struct running_drill drills[DRILLS_READ];
    size_t n_drills;
    struct ended_drill missed[DRILLS_READ]; /* over their bound, newest first */
    size_t n_missed;
};

static void take_drill(const struct drill_record *d, void *arg)
{
    struct drill_look *l = arg;

    if (l->n_drills < DRILLS_READ) {
        struct running_drill *r = &l->drills[l->n_drills++];
        r->from_ms = d->from_ms;
        r->until_ms = d->until_ms;
        (void)text_copy(r->environment, sizeof(r->environment), d->environment);
    }
    if (d->outcome != DRILL_FAILED || d->until_ms == 0 || d->until_ms < l->since_ms ||
        l->n_missed == DRILLS_READ)
        return;
    struct ended_drill *m = &l->missed[l->n_missed++];
    m->id = d->id;
    m->from_ms = d->from_ms;
    m->until_ms = d->until_ms;
    (void)text_copy(m->route, sizeof(m->route), d->route);
    (void)text_copy(m->environment, sizeof(m->environment), d->environment);
    (void)text_copy(m->fault, sizeof(m->fault), d->fault);
    (void)snprintf(m->text, sizeof(m->text), "%s", d->text);
}

static int read_drills(struct store *s, void *arg, struct err *e)
{
    struct drill_look *l = arg;
    size_t kept = 0;

    if (drill_list(s, NULL, 0, INT64_MAX, DRILLS_READ, take_drill, l, e) < 0)
        return -1;
    for (size_t k = 0; k < l->n_missed; k++) { /* less those that are in an incident already */
        char key[64];
        int64_t incident = 0;
        (void)snprintf(key, sizeof(key), "drill %lld", (long long)l->missed[k].id);
        if (incident_noted(s, key, &incident, e) < 0)
            return -1;
        if (incident == 0)
            l->missed[kept++] = l->missed[k];
    }
    l->n_missed = kept;
    return 0;
}

static bool is_known(const struct incident_book *b, const char *environment, int64_t from_ms)
{
    for (size_t k = 0; k < b->n; k++) {
        const struct kept_incident *i = b->incidents[k];
        if (i->c.kind == CAUSE_DRILL && i->c.from_ms == from_ms &&
            strcmp(i->c.environment, environment) == 0)
            return true;
    }
    return false;
}

static void open_missed(struct incident_book *b, const struct ended_drill *d)
{
    struct kept_sign sign = {.view = {.kind = CAUSE_DRILL,
                                      .platform = "",
                                      .environment = d->environment,
                                      .app = "",
                                      .instance = "",
                                      .check = d->route,
                                      .from_ms = d->from_ms,
                                      .reason = ""}};
    char key[64], end[64];

    if (is_known(b, d->environment, d->from_ms))
        return;
    (void)snprintf(sign.reason, sizeof(sign.reason), "%s%s%s", d->fault, d->text[0] ? ": " : "",
                   d->text);
    (void)snprintf(key, sizeof(key), "drill %lld", (long long)d->id);
    (void)snprintf(end, sizeof(end), "drill %lld over", (long long)d->id);
    struct kept_incident *i = incident_place(b, &sign, key, NULL);
    incident_end_sign(i, i->signs[0], d->until_ms, "the drill has ended and its fault is undone",
                      end);
}

/* Titles of what is open may begin or cease to name a drill. */
static void name_again(struct incident_book *b)
{
    char before[sizeof(b->incidents[0]->title)];

    for (size_t k = 0; k < b->n; k++) {
        struct kept_incident *i = b->incidents[k];
        if (i->c.until_ms != 0 || i->n_signs == 0)
            continue;
        memcpy(before, i->title, sizeof(before));
        incident_name(i);
        if (strcmp(before, i->title) != 0)
            incident_changed(i);
    }
}

static void looked(const struct err *e, void *arg)
{
    struct drill_look *l = arg;
    struct incident_book *b = l->book;

    if (!b) {
        free(l);
        return;
    }
    b->looking = NULL;
    if (!e && !b->stopping) {
        memcpy(b->drills, l->drills, sizeof(b->drills));
        b->n_drills = l->n_drills;
        for (size_t k = l->n_missed; k > 0; k--)
            open_missed(b, &l->missed[k - 1]);
        name_again(b);
    }
    free(l);
}

void drills_look(struct incident_book *b)
{
    struct drill_look *l;

    if (b->looking || b->stopping)
        return;
    l = mem_alloc(sizeof(*l));
    l->book = b;
    l->since_ms = b->drills_since_ms;
    b->looking = l;
    store_worker_do(b->ledger, "drills", read_drills, looked, l);
}

void drills_forget(struct drill_look *l)
{
    l->book = NULL;
}

bool drill_was_on(const struct incident_book *b, const char *environment, int64_t at_ms)
{
    for (size_t k = 0; k < b->n_drills; k++) {
        const struct running_drill *d = &b->drills[k];
        if (strcmp(d->environment, environment) == 0 && at_ms >= d->from_ms &&
            (d->until_ms == 0 || at_ms <= d->until_ms))
            return true;
    }
    return false;
}
