#include "app/incident_inner.h"

#include "app/json_out.h"
#include "app/store_worker.h"
#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 1000 };

/* --- Outages ------------------------------------------------------------------------------------
 */

static struct kept_sign *sign_with_outage(const struct incident_book *b, int64_t outage,
                                          struct kept_incident **ret)
{
    for (size_t k = 0; k < b->n; k++)
        for (size_t n = 0; n < b->incidents[k]->n_signs; n++)
            if (b->incidents[k]->signs[n]->outage == outage) {
                *ret = b->incidents[k];
                return b->incidents[k]->signs[n];
            }
    return NULL;
}

static void outage_over(struct incident_book *b, const struct watch_outage *o)
{
    struct kept_incident *i;
    struct kept_sign *s = sign_with_outage(b, o->outage.id, &i);
    char text[320], key[64];

    if (!s || s->view.until_ms != 0)
        return;
    if (s->view.kind == CAUSE_BLIND)
        (void)snprintf(text, sizeof(text), "the control targets answer again");
    else
        (void)snprintf(text, sizeof(text), "%s%s%s %s answers again in %s", s->view.app,
                       s->view.instance[0] ? "/" : "", s->view.instance, s->view.check,
                       s->view.environment);
    (void)snprintf(key, sizeof(key), "outage %lld over", (long long)o->outage.id);
    incident_end_sign(i, s, o->outage.until_ms, text, key);
}

void incident_book_outage(struct incident_book *b, const struct watch_outage *o)
{
    struct kept_incident *i;
    char key[64];

    if (!b || !b->started)
        return;
    if (o->outage.until_ms != 0) {
        outage_over(b, o);
        return;
    }
    if (sign_with_outage(b, o->outage.id, &i))
        return; /* acknowledged, or taken up after a restart */
    const struct kept_sign sign = incident_sign_of(b, o);
    (void)snprintf(key, sizeof(key), "outage %lld", (long long)o->outage.id);
    (void)incident_place(b, &sign, key, NULL);
}

/* --- Traffic ------------------------------------------------------------------------------------
 */

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += len)
        if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

/* A person's order is no failure. */
static bool leaves(const struct traffic_change *c)
{
    return has_word(c->action, "take-out") && strcmp(c->event, "drain") != 0;
}

bool incident_change_returns(const struct traffic_change *c)
{
    return has_word(c->action, "bring-back") || strcmp(c->to, "up") == 0 ||
           strcmp(c->to, "asleep") == 0;
}

/* It has no number yet when it happens; this is the same before and after. */
void incident_change_key(const struct traffic_change *c, char ret[64])
{
    (void)snprintf(ret, 64, "change %lld %.24s %.12s", (long long)c->decided_us, c->environment,
                   c->event);
}

static const char *app_of_route(const struct incident_book *b, const char *route)
{
    const struct manifest *m = b->o.app->manifest;

    for (size_t k = 0; k < m->n_routes; k++)
        if (strcmp(m->routes[k].name, route) == 0)
            return m->routes[k].app;
    return "";
}

static const char *platform_of_app(const struct incident_book *b, const char *environment,
                                   const char *app)
{
    for (size_t k = 0; k < b->n_platforms; k++)
        if (strcmp(b->platforms[k].environment, environment) == 0 &&
            strcmp(b->platforms[k].app, app) == 0)
            return b->platforms[k].platform;
    return "";
}

static struct kept_sign sign_of_change(const struct incident_book *b,
                                       const struct traffic_change *c)
{
    struct kept_sign sign = {0};
    const char *app = app_of_route(b, c->route);

    sign.view = (struct cause_sign){.kind = CAUSE_FAILOVER,
                                    .platform = platform_of_app(b, c->environment, app),
                                    .environment = c->environment,
                                    .app = app,
                                    .instance = "",
                                    .check = c->route,
                                    .from_ms = c->seen_us / 1000,
                                    .reason = ""};
    (void)snprintf(sign.reason, sizeof(sign.reason), "%s", c->reason);
    return sign;
}

static char *evidence_of_change(const struct traffic_change *c)
{
    struct buf b = BUF_INIT(65536);
    struct json_out o = {.b = &b};

    out_open(&o, '{');
    out_int_of(&o, "decided_us", c->decided_us);
    out_text_of(&o, "route", c->route);
    out_text_of(&o, "environment", c->environment);
    out_text_of(&o, "from", c->from);
    out_text_of(&o, "event", c->event);
    out_text_of(&o, "to", c->to);
    out_text_of(&o, "action", c->action);
    if (c->evidence[0]) {
        out_key(&o, "evidence");
        out_raw(&o, c->evidence, strlen(c->evidence));
    }
    out_close(&o, '}');
    return buf_take(&b, NULL);
}

static struct kept_sign *sign_out(const struct kept_incident *i, const struct traffic_change *c)
{
    for (size_t n = 0; n < i->n_signs; n++) {
        struct kept_sign *s = i->signs[n];
        if (s->view.kind == CAUSE_FAILOVER && s->view.until_ms == 0 &&
            strcmp(s->view.check, c->route) == 0 &&
            strcmp(s->view.environment, c->environment) == 0)
            return s;
    }
    return NULL;
}

static void tell_change(struct kept_incident *i, const struct traffic_change *c, const char *way)
{
    char key[64], title[256];

    incident_change_key(c, key);
    (void)snprintf(title, sizeof(title), "%.60s: traffic %s %.60s", c->route, way, c->environment);
    incident_matter(i, &(struct alert_matter){.event = ON_FAILOVER,
                                              .key = key,
                                              .environment = c->environment,
                                              .title = title,
                                              .text = c->reason,
                                              .at_ms = c->decided_us / 1000});
}

static void came_back(struct kept_incident *i, struct kept_sign *s, const struct traffic_change *c)
{
    char text[320], key[64];

    (void)snprintf(text, sizeof(text), "%.60s: traffic returns to %.60s, %.160s", c->route,
                   c->environment, c->reason);
    incident_change_key(c, key);
    tell_change(i, c, "returns to");
    incident_end_sign(i, s, c->decided_us / 1000, text, key);
}

/* Said again of an incident that has it already. */
void incident_take_change(struct kept_incident *i, const struct traffic_change *c)
{
    struct kept_sign *out = sign_out(i, c);

    if (out && incident_change_returns(c)) {
        came_back(i, out, c);
    } else if (!out && leaves(c)) {
        const struct kept_sign sign = sign_of_change(i->book, c);
        (void)incident_add_sign(i, &sign);
        tell_change(i, c, "leaves");
    }
}

static void went_out(struct incident_book *b, const struct traffic_change *c)
{
    const struct kept_sign sign = sign_of_change(b, c);
    char key[64];

    incident_change_key(c, key);
    struct kept_incident *i = incident_place(b, &sign, key, evidence_of_change(c));
    tell_change(i, c, "leaves");
}

void incident_new_change(struct incident_book *b, const struct traffic_change *c)
{
    bool out = false;

    for (size_t k = 0; k < b->n; k++) {
        struct kept_sign *s = sign_out(b->incidents[k], c);
        if (s && incident_change_returns(c))
            came_back(b->incidents[k], s, c);
        out = out || s;
    }
    if (!out && leaves(c))
        went_out(b, c);
}

void incident_book_change(struct incident_book *b, const struct traffic_change *c)
{
    if (b && b->started && c->applied_us == 0)
        incident_new_change(b, c);
}

/* --- What else is told --------------------------------------------------------------------------
 */

void incident_book_status(struct incident_book *b, const char *platform, const char *text,
                          const char *evidence)
{
    char key[64];
    uint64_t digest = UINT64_C(0xcbf29ce484222325); /* FNV-1a: the same text once */

    for (const char *p = text; *p; p++)
        digest = (digest ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    (void)snprintf(key, sizeof(key), "status %016llx", (unsigned long long)digest);
    for (size_t k = 0; k < b->n; k++) {
        struct kept_incident *i = b->incidents[k];
        if (i->c.until_ms != 0 || strcmp(i->c.platform, platform) != 0)
            continue;
        struct kept_event *v =
            incident_line(i, "status", clock_wall_ms(&b->o.app->clock), key, "%s", text);
        v->evidence = mem_strdup(evidence && evidence[0] ? evidence : NULL);
        incident_changed(i);
    }
}

void incident_book_acknowledged(struct incident_book *b, int64_t id, int64_t at_ms)
{
    for (size_t k = 0; k < b->n; k++) {
        struct kept_incident *i = b->incidents[k];
        if (i->id != id || i->acknowledged_ms != 0)
            continue;
        i->acknowledged_ms = at_ms;
        (void)incident_line(i, "acknowledged", at_ms, "", "seen by a person");
        incident_changed(i);
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void copy_matrix(struct incident_book *b, const struct matrix *x)
{
    static const char *const stores[] = {"database", "cache"}; /* as in targets.h */
    const struct manifest *m = b->o.app->manifest;
    size_t n = 0;

    arena_release(&b->names);
    b->names = (struct arena){0};
    b->platforms = arena_array(&b->names, x->n + 2 * m->n_environments + 1, sizeof(*b->platforms));
    for (size_t k = 0; k < x->n; k++)
        b->platforms[n++] = (struct platform_of){
            .environment = arena_strdup(&b->names, x->cells[k].env->name),
            .app = arena_strdup(&b->names, x->cells[k].app->name),
            .instance = arena_strdup(&b->names, x->cells[k].instance),
            .platform = arena_strdup(&b->names, x->cells[k].binding->platform)};
    for (size_t k = 0; k < 2 * m->n_environments; k++) {
        const struct manifest_environment *v = &m->environments[k / 2];
        b->platforms[n++] = (struct platform_of){
            .environment = arena_strdup(&b->names, v->name),
            .app = stores[k % 2],
            .instance = "",
            .platform = arena_strdup(&b->names, k % 2 ? v->cache.platform : v->database.platform)};
    }
    b->n_platforms = n;
}

static bool route_has(const struct manifest *m, const char *route, const char *environment)
{
    for (size_t k = 0; k < m->n_routes; k++) {
        const struct manifest_route *r = &m->routes[k];
        bool found = false;
        for (size_t n = 0; n < r->n_weights; n++)
            found = found || strcmp(r->weights[n].environment, environment) == 0;
        for (size_t n = 0; n < r->n_backup; n++)
            found = found || strcmp(r->backup[n], environment) == 0;
        if (found && strcmp(r->name, route) == 0)
            return true;
    }
    return false;
}

/* A route that is gone steers nothing, so nothing is out of it. */
static void end_gone_routes(struct incident_book *b)
{
    int64_t now = clock_wall_ms(&b->o.app->clock);

    for (size_t k = 0; k < b->n; k++)
        for (size_t n = 0; n < b->incidents[k]->n_signs; n++) {
            struct kept_sign *s = b->incidents[k]->signs[n];
            if (s->view.kind == CAUSE_FAILOVER && s->view.until_ms == 0 &&
                !route_has(b->o.app->manifest, s->view.check, s->view.environment))
                incident_end_sign(b->incidents[k], s, now,
                                  "the manifest has no such route any more", "");
        }
}

void incident_book_refresh(struct incident_book *b, const struct matrix *matrix)
{
    copy_matrix(b, matrix);
    end_gone_routes(b);
}

static void drop_old(struct incident_book *b)
{
    int64_t now = clock_wall_ms(&b->o.app->clock);

    for (size_t k = b->n; k > 0; k--) {
        struct kept_incident *i = b->incidents[k - 1];
        int64_t ago = now > i->c.until_ms ? now - i->c.until_ms : i->c.until_ms - now;
        if (i->c.until_ms != 0 && ago > CAUSE_RETURN_MS && !i->changed && !i->writing &&
            !i->matters)
            incident_drop(i);
    }
}

static void tick(void *arg)
{
    struct incident_book *b = arg;

    drop_old(b);
    if (b->o.app->manifest->n_routes > 0)
        drills_look(b);
    timer_start(b->tick, TICK_MS);
}

struct incident_book *incident_book_new(const struct incident_book_options *o)
{
    struct incident_book *b = mem_alloc(sizeof(*b));

    b->o = *o;
    b->link = mem_strdup(o->link ? o->link : "");
    b->ledger = store_worker_new(o->app->loop, o->app->state, &o->app->clock);
    b->again = timer_new(o->app->loop, incident_write_again, b);
    b->tick = timer_new(o->app->loop, tick, b);
    b->failure = ERR_INIT;
    copy_matrix(b, o->matrix);
    return b;
}

int incident_book_start(struct incident_book *b, struct err *e)
{
    size_t n;

    b->started = true;
    if (incidents_load(b, e) < 0)
        return -1;
    end_gone_routes(b);
    const struct watch_outage *const *open = watch_outages(b->o.watch, &n);
    for (size_t k = 0; k < n; k++)
        incident_book_outage(b, open[k]);
    timer_start(b->tick, TICK_MS);
    return 0;
}

void incident_book_stop(struct incident_book *b)
{
    if (!b)
        return;
    b->stopping = true;
    timer_stop(b->tick);
    incident_write_rest(b);
}

bool incident_book_pending(const struct incident_book *b)
{
    return b && (b->under_way || b->looking);
}

void incident_book_free(struct incident_book *b)
{
    if (!b)
        return;
    if (b->under_way)
        incident_write_forget(b->under_way);
    if (b->looking)
        drills_forget(b->looking);
    store_worker_free(b->ledger);
    timer_free(b->again);
    timer_free(b->tick);
    while (b->n > 0)
        incident_drop(b->incidents[b->n - 1]);
    free(b->incidents);
    arena_release(&b->names);
    free(b->link);
    free(b);
}
