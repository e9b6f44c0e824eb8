#include "app/targets.h"

#include "app/app.h"
#include "app/origin.h"
#include "app/targets_inner.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "manifest/secrets.h"
#include "net/bases.h"
#include "store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What there is to probe: the checks of what is live, one app after the other. The stores of an
 * environment are in targets_store.c. */

/* --- What both halves use ------------------------------------------------------------------------
 */

void leave_out(struct finding *f, const struct target *t, const char *fmt, ...)
{
    struct targets *ts = f->targets;
    char why[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    if (ts->n_left_out == ts->size_left_out) {
        ts->size_left_out = ts->size_left_out ? 2 * ts->size_left_out : 64;
        ts->left_out = mem_grow(ts->left_out, ts->size_left_out, sizeof(*ts->left_out));
    }
    ts->left_out[ts->n_left_out++] = (struct target_omission){.environment = t->environment,
                                                              .app = t->app,
                                                              .instance = t->instance,
                                                              .check = t->check,
                                                              .why = arena_strdup(&ts->arena, why)};
}

/* All that does not depend on what is asked. --every speeds up what costs nobody anything. */
struct target target_begin(const struct finding *f, const struct manifest_check *k,
                           const struct cell *c)
{
    int64_t asked = f->app->o.every_ms;
    bool override = asked > 0 && k->kind == CHECK_HTTP;

    return (struct target){.kind = k->kind,
                           .environment = c->env->name,
                           .app = c->app->name,
                           .instance = c->instance,
                           .check = k->name,
                           .url = "",
                           .token = "",
                           .origin = "",
                           .query = k->query,
                           .every_ms = override ? asked : k->every_ms,
                           .fast_ms = override && k->fast_ms > asked ? 0 : k->fast_ms,
                           .down_ms = override ? 0 : k->down_ms,
                           .timeout_ms = k->timeout_ms,
                           .slow_ms = k->slow_ms,
                           .down_after = k->down_after,
                           .up_after = k->up_after,
                           .expect_status = k->expect_status,
                           .expect_body = k->expect_body,
                           .expect_header = k->expect_header,
                           .expect_json = k->expect_json,
                           .keep_connection = k->connection == CONNECTION_KEPT,
                           .min_validity_ms = k->min_validity_ms,
                           .hold_ms = k->hold_ms,
                           .pubsub = k->pubsub,
                           .wake = k->wake,
                           .cold_every_ms = k->cold_every_ms};
}

bool binding_is_free(const struct manifest_binding *b)
{
    return !*b->plan || strcmp(b->plan, "free") == 0;
}

/* A target that sleeps: after how long by our clock, and what a cold one may take. */
void target_sleeps(const struct finding *f, struct target *t, int64_t sleep_after_ms)
{
    int64_t cold_ms = f->app->manifest->targets.cold_start_ms;

    t->sleep_after_ms = (int64_t)((double)sleep_after_ms / bases_clock_rate(f->app->bases));
    if (cold_ms > t->timeout_ms)
        t->cold_timeout_ms = 4 * cold_ms;
}

int target_add(struct finding *f, const struct target *t, struct err *e)
{
    struct targets *ts = f->targets;

    if (ts->n == ts->size) {
        ts->size = ts->size ? 2 * ts->size : 64;
        ts->items = mem_grow(ts->items, ts->size, sizeof(*ts->items));
    }
    ts->items[ts->n] = *t;
    if (series_id(f->app->store, t->environment, t->app, t->instance, t->check,
                  &ts->items[ts->n].series, e) < 0)
        return -1;
    ts->n++;
    return 0;
}

bool check_names(const struct manifest_check *k, const struct cell *c)
{
    bool environment = k->n_environments == 0;

    for (size_t i = 0; i < k->n_environments; i++)
        environment |= strcmp(k->environments[i], c->env->name) == 0;
    return environment && c->app->kind != APP_MOBILE && text_glob(k->app, c->app->name);
}

/* --- What is live --------------------------------------------------------------------------------
 */

static void keep_live(const struct deployment_row *r, void *arg)
{
    struct finding *f = arg;
    struct arena *a = &f->targets->arena;

    if (f->n_live == f->size_live) {
        f->size_live = f->size_live ? 2 * f->size_live : 64;
        f->live = mem_grow(f->live, f->size_live, sizeof(*f->live));
    }
    f->live[f->n_live++] = (struct live){.environment = arena_strdup(a, r->environment),
                                         .app = arena_strdup(a, r->app),
                                         .instance = arena_strdup(a, r->instance),
                                         .platform = arena_strdup(a, r->platform),
                                         .url = arena_strdup(a, r->url),
                                         .progress = arena_strdup(a, r->progress),
                                         .live_at = r->live_at};
}

static const struct live *live_of(const struct finding *f, const struct cell *c)
{
    for (size_t i = 0; i < f->n_live; i++)
        if (strcmp(f->live[i].environment, c->env->name) == 0 &&
            strcmp(f->live[i].app, c->app->name) == 0 &&
            strcmp(f->live[i].instance, c->instance) == 0)
            return &f->live[i];
    return NULL;
}

/* The service's own ids, once a service; without them its platform cannot be asked. */
static void add_service(struct finding *f, const struct cell *c, const struct live *l)
{
    struct targets *ts = f->targets;
    const struct provider_ops *ops = provider_find(l->platform);
    struct err ignored = ERR_INIT;
    const char *token;

    if (!ops || !ops->awake || c->app->kind != APP_SERVICE ||
        secrets_expand(f->app->secrets, c->binding->token, "token", &ts->arena, &token, &ignored))
        return;
    json_t *saved = json_read(l->progress, strlen(l->progress), "progress", &ignored);
    struct target_service *s = arena_alloc(&ts->arena, sizeof(*s));
    *s = (struct target_service){.environment = c->env->name,
                                 .app = c->app->name,
                                 .instance = c->instance,
                                 .provider = ops,
                                 .want = {.token = token}};
    if (saved && provider_load(&s->deployment, saved, &ignored) == 0) {
        if (ts->n_services == ts->size_services) {
            ts->size_services = ts->size_services ? 2 * ts->size_services : 16;
            ts->services =
                mem_grow(ts->services, ts->size_services, sizeof(struct target_service *));
        }
        ts->services[ts->n_services++] = s;
    }
    json_decref(saved);
}

/* --- Addresses -----------------------------------------------------------------------------------
 */

static const char *address(struct finding *f, const struct live *l, const struct cell *c,
                           const struct manifest_check *k)
{
    struct arena *a = &f->targets->arena;
    const char *path = cell_expand(f->app->manifest, c, k->path, a);
    size_t n = strlen(l->url);

    while (n > 0 && l->url[n - 1] == '/')
        n--;
    return arena_printf(a, "%.*s%s%s", (int)n, l->url, path[0] == '/' ? "" : "/", path);
}

/* -1: *e names a secret that has no value. */
static int headers_of(struct finding *f, const struct cell *c, const struct manifest_check *k,
                      struct target *t, struct err *e)
{
    struct arena *a = &f->targets->arena;
    struct http_header *h = arena_array(a, k->n_headers + 1, sizeof(*h));

    for (size_t i = 0; i < k->n_headers; i++) {
        const char *where = arena_printf(a, "its header %s", k->headers[i].name);
        h[i].name = k->headers[i].name;
        if (secrets_expand(f->app->secrets,
                           cell_expand(f->app->manifest, c, k->headers[i].value, a), where, a,
                           &h[i].value, e) < 0)
            return -1;
    }
    t->headers = h;
    t->n_headers = k->n_headers;
    return 0;
}

/* --- Targets of live deployments -----------------------------------------------------------------
 */

/* Kinds that reach the app itself; the others meet the platform's edge, which never sleeps. */
static bool reaches_app(enum check_kind kind)
{
    return kind == CHECK_HTTP || kind == CHECK_CORS || kind == CHECK_WEBSOCKET;
}

/* False: left out. */
static bool target_address(struct finding *f, const struct cell *c, const struct manifest_check *k,
                           const struct live *l, struct target *t)
{
    struct arena *a = &f->targets->arena;
    struct origin o;

    if (!origin_read(l->url, &o)) {
        leave_out(f, t, "its address is not http:// or https:// with a host");
        return false;
    }
    if (k->kind == CHECK_TLS && !o.secure && !k->port) {
        leave_out(f, t,
                  o.here ? "plain http:// on this machine has no certificate"
                         : "plain http:// has no certificate; give the check a port");
        return false;
    }
    t->url = reaches_app(k->kind) ? address(f, l, c, k) : arena_strdup(a, o.host);
    if (k->kind == CHECK_WEBSOCKET)
        t->url = arena_printf(a, "ws%s", t->url + strlen("http"));
    t->port = k->kind == CHECK_DNS ? 0 : k->port ? k->port : o.port;
    if (k->kind == CHECK_CORS)
        t->origin = cell_expand(f->app->manifest, c, k->origin, a);
    return true;
}

static int add_live(struct finding *f, const struct cell *c, const struct manifest_check *k,
                    struct err *e)
{
    const struct live *l = live_of(f, c);
    const struct provider_ops *ops = l ? provider_find(l->platform) : NULL;
    struct target t = target_begin(f, k, c);
    struct err missing = ERR_INIT;

    if (!l || !l->url[0]) {
        leave_out(f, &t, l ? "its platform named no address" : "not live; see trine status");
        return 0;
    }
    if (headers_of(f, c, k, &t, &missing) < 0) {
        leave_out(f, &t, "%s", missing.text);
        return 0;
    }
    if (!target_address(f, c, k, l, &t))
        return 0;
    if (c->app->kind == APP_SERVICE && ops && reaches_app(k->kind) && binding_is_free(c->binding))
        target_sleeps(f, &t, ops->sleep_after_ms);
    else
        t.wake = WAKE_ALWAYS;
    t.last_request_ms = l->live_at;
    return target_add(f, &t, e);
}

/* --- Earlier samples -----------------------------------------------------------------------------
 */

static void keep_last(const struct sample *v, void *arg)
{
    struct target *t = arg;

    if (v->outcome != SAMPLE_MISSED && v->late_us >= 0 && v->at_ms > t->last_request_ms)
        t->last_request_ms = v->at_ms;
}

/* What was asked not long ago, by an earlier run, is awake: its first answer is no cold start. */
static int note_earlier(struct finding *f, struct err *e)
{
    struct targets *ts = f->targets;
    int64_t now = clock_wall_ms(&f->app->clock);

    for (size_t i = 0; i < ts->n; i++) {
        struct target *t = &ts->items[i];
        if (t->sleep_after_ms > 0 && sample_read(f->app->store, t->series, now - t->sleep_after_ms,
                                                 now + 1, keep_last, t, e) < 0)
            return -1;
    }
    return 0;
}

/* --- Altogether ----------------------------------------------------------------------------------
 */

static int add_check(struct finding *f, const struct manifest_check *k, struct err *e)
{
    const struct matrix *x = f->matrix;
    const struct manifest_environment *done = NULL; /* the matrix goes by environment */

    for (size_t i = 0; i < x->n; i++) {
        const struct cell *c = &x->cells[i];
        if (!check_names(k, c))
            continue;
        if (!check_is_of_store(k->kind)) {
            if (add_live(f, c, k, e) < 0)
                return -1;
        } else if (c->env != done) {
            done = c->env;
            if (add_store(f, c, k, e) < 0)
                return -1;
        }
    }
    return 0;
}

int targets_build(struct app *a, const struct matrix *x, struct targets *ret, struct err *e)
{
    struct finding f = {.app = a, .matrix = x, .targets = ret};
    int rc = deployment_live(a->store, NULL, keep_live, &f, e);

    for (size_t i = 0; rc == 0 && i < x->n; i++) {
        const struct live *l = live_of(&f, &x->cells[i]);
        if (l)
            add_service(&f, &x->cells[i], l);
    }
    for (size_t i = 0; rc == 0 && i < a->manifest->n_checks; i++)
        rc = add_check(&f, &a->manifest->checks[i], e);
    if (rc == 0)
        rc = note_earlier(&f, e);
    free(f.live);
    return rc;
}

const struct target_service *targets_service(const struct targets *ts, const struct target *t)
{
    for (size_t i = 0; i < ts->n_services; i++) {
        const struct target_service *s = ts->services[i];
        if (strcmp(s->environment, t->environment) == 0 && strcmp(s->app, t->app) == 0 &&
            strcmp(s->instance, t->instance) == 0)
            return s;
    }
    return NULL;
}

static bool same_reason(const struct target_omission *a, const struct target_omission *b)
{
    return strcmp(a->check, b->check) == 0 && strcmp(a->why, b->why) == 0;
}

void targets_say_left_out(const struct app *a, const struct targets *t)
{
    for (size_t i = 0; i < t->n_left_out; i++) {
        const struct target_omission *o = &t->left_out[i];
        size_t before = 0, more = 0;
        for (size_t k = 0; k < t->n_left_out; k++) {
            before += k < i && same_reason(o, &t->left_out[k]);
            more += k > i && same_reason(o, &t->left_out[k]);
        }
        if (before > 0)
            continue;
        if (more > 0)
            app_say(a, "%s is left out of %s %s%s%s and %zu more: %s", o->check, o->environment,
                    o->app, o->instance[0] ? "/" : "", o->instance, more, o->why);
        else
            app_say(a, "%s is left out of %s %s%s%s: %s", o->check, o->environment, o->app,
                    o->instance[0] ? "/" : "", o->instance, o->why);
    }
}

void targets_release(struct targets *t)
{
    for (size_t i = 0; i < t->n_services; i++)
        provider_release(&t->services[i]->deployment);
    targets_wipe(t);
    free(t->items);
    free(t->left_out);
    free(t->services);
    arena_release(&t->arena);
    *t = (struct targets){0};
}
