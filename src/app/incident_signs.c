#include "app/incident_inner.h"

#include "app/json_out.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Signs of trouble become part of incidents. */

/* --- Of which platform --------------------------------------------------------------------------
 */

const char *incident_platform(const struct incident_book *b, const char *environment,
                              const char *app, const char *instance)
{
    for (size_t i = 0; i < b->n_platforms; i++) {
        const struct platform_of *p = &b->platforms[i];
        if (strcmp(p->environment, environment) == 0 && strcmp(p->app, app) == 0 &&
            strcmp(p->instance, instance) == 0)
            return p->platform;
    }
    return "";
}

/* --- An incident in memory ----------------------------------------------------------------------
 */

static void gathered(void *arg)
{
    struct kept_incident *i = arg;

    i->gathered = true;
    incident_tell(i);
}

struct kept_incident *incident_new(struct incident_book *b, enum cause_kind kind)
{
    struct kept_incident *i = mem_alloc(sizeof(*i));

    i->book = b;
    i->c = (struct cause_case){.kind = kind, .platform = "", .environment = "", .app = ""};
    i->last_event = &i->events;
    i->last_matter = &i->matters;
    i->gather = timer_new(b->o.app->loop, gathered, i);
    if (b->n == b->size) {
        b->size = b->size ? 2 * b->size : 8;
        b->incidents = mem_grow(b->incidents, b->size, sizeof(struct kept_incident *));
    }
    return b->incidents[b->n++] = i;
}

void incident_drop(struct kept_incident *i)
{
    struct incident_book *b = i->book;

    for (size_t k = 0; k < b->n; k++)
        if (b->incidents[k] == i) {
            memmove(&b->incidents[k], &b->incidents[k + 1],
                    (--b->n - k) * sizeof(struct kept_incident *));
            break;
        }
    while (i->events) {
        struct kept_event *v = i->events;
        i->events = v->next;
        free(v->text);
        free(v->evidence);
        free(v);
    }
    while (i->matters) {
        struct kept_matter *m = i->matters;
        i->matters = m->next;
        free(m);
    }
    timer_free(i->gather);
    free(i->signs);
    arena_release(&i->arena);
    free(i);
}

void incident_name(struct kept_incident *i)
{
    const char *drill = "";
    char title[240];

    if (i->c.kind != CAUSE_DRILL && i->c.kind != CAUSE_BLIND)
        for (size_t k = 0; k < i->n_signs && !drill[0]; k++)
            if (drill_was_on(i->book, i->signs[k]->view.environment, i->signs[k]->view.from_ms))
                drill = "drill: ";
    cause_title(&i->c, title, sizeof(title));
    (void)snprintf(i->title, sizeof(i->title), "%s%s", drill, title);
}

/* --- Signs --------------------------------------------------------------------------------------
 */

static bool is_same_sign(const struct cause_sign *a, const struct cause_sign *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == CAUSE_OUTAGE)
        return a->series == b->series;
    return strcmp(a->check, b->check) == 0 && strcmp(a->environment, b->environment) == 0;
}

static struct kept_sign *find_sign(const struct kept_incident *i, const struct cause_sign *sign)
{
    for (size_t k = 0; k < i->n_signs; k++)
        if (is_same_sign(&i->signs[k]->view, sign))
            return i->signs[k];
    return NULL;
}

static struct kept_sign *append_sign(struct kept_incident *i, const struct kept_sign *sign)
{
    struct kept_sign *s = arena_alloc(&i->arena, sizeof(*s));
    struct cause_sign *v = &s->view;

    *s = *sign;
    v->platform = arena_strdup(&i->arena, v->platform);
    v->environment = arena_strdup(&i->arena, v->environment);
    v->app = arena_strdup(&i->arena, v->app);
    v->instance = arena_strdup(&i->arena, v->instance);
    v->check = arena_strdup(&i->arena, v->check);
    v->reason = s->reason;
    if (i->n_signs == i->size_signs) {
        i->size_signs = i->size_signs ? 2 * i->size_signs : 8;
        i->signs = mem_grow(i->signs, i->size_signs, sizeof(struct kept_sign *));
    }
    i->signs[i->n_signs++] = s;
    i->c.signs = (const struct cause_sign *const *)i->signs; /* the view is their first member */
    i->c.n_signs = i->n_signs;
    return s;
}

/* A check that fails again takes the place of itself. */
struct kept_sign *incident_add_sign(struct kept_incident *i, const struct kept_sign *sign)
{
    struct kept_sign *s = find_sign(i, &sign->view);
    struct cause_case *c = &i->c;

    if (s) {
        s->view.from_ms = sign->view.from_ms;
        s->view.until_ms = sign->view.until_ms;
        s->outage = sign->outage;
        s->certificate = sign->certificate;
        (void)text_copy(s->reason, sizeof(s->reason), sign->reason);
    } else {
        s = append_sign(i, sign);
        if (i->n_signs == 1 && c->from_ms == 0) {
            c->platform = s->view.platform;
            c->environment = s->view.environment;
            c->app = s->view.app;
        } else {
            cause_narrow(c, &s->view);
        }
    }
    if (c->from_ms == 0 || s->view.from_ms < c->from_ms)
        c->from_ms = s->view.from_ms;
    if (s->view.from_ms > c->newest_ms)
        c->newest_ms = s->view.from_ms;
    if (c->kind == CAUSE_FAILOVER && s->view.kind == CAUSE_OUTAGE)
        c->kind = CAUSE_OUTAGE; /* the failover came first, and this is why */
    return s;
}

/* What it is as a line: "backend health fails in uat: connection refused". */
static void describe(const struct cause_sign *v, bool again, char *ret, size_t size)
{
    const struct cause_sign *const one[] = {v};
    struct cause_case alone = {.kind = v->kind,
                               .platform = v->platform,
                               .environment = v->environment,
                               .app = v->app,
                               .signs = one,
                               .n_signs = 1};
    char title[256];

    cause_title(&alone, title, sizeof(title));
    bool reason = v->kind == CAUSE_OUTAGE && v->reason[0];
    (void)snprintf(ret, size, "%s%s%s%s", again ? "again: " : "", title, reason ? ": " : "",
                   reason ? v->reason : "");
}

static char *evidence_of(const struct kept_sign *s)
{
    struct buf b = BUF_INIT(8192);
    struct json_out o = {.b = &b};
    const struct cause_sign *v = &s->view;

    if (v->kind != CAUSE_OUTAGE)
        return NULL;
    out_open(&o, '{');
    out_int_of(&o, "outage", s->outage);
    out_int_of(&o, "check", v->series);
    out_text_of(&o, "platform", v->platform);
    out_text_of(&o, "environment", v->environment);
    out_text_of(&o, "app", v->app);
    out_text_of(&o, "instance", v->instance);
    out_text_of(&o, "name", v->check);
    out_text_of(&o, "reason", v->reason);
    out_time_of(&o, "from", v->from_ms);
    out_close(&o, '}');
    return buf_take(&b, NULL);
}

static struct kept_incident *find_incident(const struct incident_book *b,
                                           const struct cause_sign *sign)
{
    struct cause_case *cases = mem_array(b->n + 1, sizeof(*cases));

    for (size_t k = 0; k < b->n; k++)
        cases[k] = b->incidents[k]->c;
    size_t at = cause_find(cases, b->n, sign, clock_wall_ms(&b->o.app->clock));
    free(cases);
    return at == SIZE_MAX ? NULL : b->incidents[at];
}

static void reopen(struct kept_incident *i)
{
    i->c.until_ms = 0;
    i->acknowledged_ms = 0;
    i->times_reopened++;
    i->reopen = true;
    i->resolve = false;
    i->told = i->told_over = i->gathered = false;
}

static const char *kind_of_line(const struct kept_sign *s, bool is_new, bool reopened)
{
    if (is_new)
        return "opened";
    if (reopened)
        return "reopened";
    return s->view.kind == CAUSE_FAILOVER ? "failover" : "joined";
}

struct kept_incident *incident_place(struct incident_book *b, const struct kept_sign *sign,
                                     const char *key, char *evidence)
{
    struct kept_incident *i = find_incident(b, &sign->view);
    bool is_new = !i, reopened = i && i->c.until_ms != 0;
    char text[640];

    if (is_new) {
        i = incident_new(b, sign->view.kind);
        i->noticed_ms = clock_wall_ms(&b->o.app->clock);
    }
    bool again = find_sign(i, &sign->view) != NULL;
    if (reopened)
        reopen(i);
    struct kept_sign *s = incident_add_sign(i, sign);
    incident_name(i);
    describe(&s->view, again, text, sizeof(text));
    struct kept_event *v =
        incident_line(i, kind_of_line(s, is_new, reopened), s->view.from_ms, key, "%s", text);
    v->outage = s->outage;
    v->evidence = evidence ? evidence : evidence_of(s);
    if (is_new || reopened)
        incident_gather(i);
    incident_changed(i);
    return i;
}

void incident_end_sign(struct kept_incident *i, struct kept_sign *s, int64_t until_ms,
                       const char *text, const char *key)
{
    int64_t over_ms = 0;
    char took[32], resolved[64];

    s->view.until_ms = until_ms > 0 ? until_ms : 1;
    (void)incident_line(i, s->view.kind == CAUSE_FAILOVER ? "failover" : "recovered", until_ms, key,
                        "%s", text);
    if (i->c.until_ms == 0 && cause_over(&i->c, &over_ms)) {
        i->c.until_ms = over_ms;
        i->resolve = true;
        text_format_span(over_ms - i->c.from_ms, took);
        (void)snprintf(resolved, sizeof(resolved), "resolved %d", i->times_reopened);
        (void)incident_line(i, "resolved", over_ms, resolved, "over after %s", took);
    }
    incident_changed(i);
}
