#include "app/serve.h"

#include "app/store_worker.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/loop.h"
#include "provider/provider.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/*
 * What is deployed, as another process (trine deploy) leaves it in the store: read on the pool
 * every few seconds. What changed is told; when what is live changed, the targets are found anew.
 */
enum { POLL_MS = 3000, RELEASES_MAX = 2000 };

struct poll {
    struct serve *serve;
    const struct matrix *matrix; /* borrowed: setups are kept while something is pending */
    struct live_rows live;
    struct blake3_stream *digest;
};

static struct live_row *row_of(const struct live_rows *l, const char *environment, const char *app,
                               const char *instance)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->rows[i].environment, environment) == 0 && strcmp(l->rows[i].app, app) == 0 &&
            strcmp(l->rows[i].instance, instance) == 0)
            return &l->rows[i];
    return NULL;
}

static void begin_rows(struct live_rows *l, const struct matrix *x)
{
    l->rows = arena_array(&l->arena, x->n, sizeof(*l->rows));
    l->n = x->n;
    for (size_t i = 0; i < x->n; i++) {
        const struct cell *c = &x->cells[i];
        l->rows[i] = (struct live_row){.environment = arena_strdup(&l->arena, c->env->name),
                                       .app = arena_strdup(&l->arena, c->app->name),
                                       .instance = arena_strdup(&l->arena, c->instance),
                                       .platform = arena_strdup(&l->arena, c->binding->platform),
                                       .state = "absent",
                                       .commit = "",
                                       .url = "",
                                       .error = ""};
    }
}

static void take_latest(const struct deployment_row *d, void *arg)
{
    struct live_rows *l = arg;
    struct live_row *r = row_of(l, d->environment, d->app, d->instance);

    if (!r)
        return;
    r->platform = arena_strdup(&l->arena, d->platform);
    r->state = deployment_state_name(d->state);
    r->commit = arena_strdup(&l->arena, d->commit);
    r->url = arena_strdup(&l->arena, d->url);
    r->error = arena_strdup(&l->arena, d->error);
    r->release = d->release;
    r->live_at = d->live_at;
}

static void take_release(const struct release *v, void *arg)
{
    struct live_rows *l = arg;

    for (size_t i = 0; i < l->n; i++)
        if (l->rows[i].release == v->number && strcmp(l->rows[i].environment, v->environment) == 0)
            l->rows[i].committed_at = v->committed_at;
}

static void add_text(struct blake3_stream *d, const char *s)
{
    blake3_add(d, s, strlen(s) + 1);
}

/* A deploy to where it was before makes no new target, unless it woke a service. */
static void add_live(const struct deployment_row *d, void *arg)
{
    struct poll *p = arg;
    const struct provider_ops *ops = provider_find(d->platform);

    add_text(p->digest, d->environment);
    add_text(p->digest, d->app);
    add_text(p->digest, d->instance);
    add_text(p->digest, d->platform);
    add_text(p->digest, d->url);
    if (ops && ops->sleep_after_ms > 0)
        blake3_add(p->digest, &d->live_at, sizeof(d->live_at));
}

static int read_live(struct store *s, void *arg, struct err *e)
{
    struct poll *p = arg;

    begin_rows(&p->live, p->matrix);
    if (deployment_latest(s, NULL, take_latest, &p->live, e) < 0 ||
        release_list(s, NULL, RELEASES_MAX, take_release, &p->live, e) < 0)
        return -1;
    p->digest = blake3_begin();
    int rc = deployment_live(s, NULL, add_live, p, e);
    blake3_end(p->digest, p->live.targets);
    return rc;
}

static bool same_row(const struct live_row *a, const struct live_row *b)
{
    return strcmp(a->state, b->state) == 0 && strcmp(a->commit, b->commit) == 0 &&
           strcmp(a->url, b->url) == 0 && strcmp(a->error, b->error) == 0 &&
           a->release == b->release && a->live_at == b->live_at;
}

static void tell_changes(struct serve *s, const struct live_rows *before)
{
    for (size_t i = 0; i < s->live.n; i++) {
        const struct live_row *now = &s->live.rows[i];
        const struct live_row *was = row_of(before, now->environment, now->app, now->instance);
        if (!was || !same_row(was, now))
            feed_deployment(s->feed, now);
    }
}

static void take_live(struct serve *s, struct live_rows *l)
{
    struct live_rows before = s->live;
    bool known = s->live_known;
    struct err e = ERR_INIT;

    s->live = *l;
    *l = (struct live_rows){0};
    s->live_known = true;
    if (known) {
        tell_changes(s, &before);
        if (memcmp(before.targets, s->live.targets, sizeof(before.targets)) != 0) {
            if (watch_refresh(s->watch, &s->setup->matrix, &e) < 0)
                app_say(s->app, "what is live has changed, but the targets stay as they were: %s",
                        e.text);
            serve_refresh_router(s);
        }
    }
    live_release(&before);
}

static void poll_now(void *arg);

static void polled(const struct err *e, void *arg)
{
    struct poll *p = arg;
    struct serve *s = p->serve;

    if (!s->stopping) {
        if (e)
            app_say(s->app, "deployments: %s", e->text);
        else if (p->matrix == &s->setup->matrix)
            take_live(s, &p->live);
        timer_start(s->poll, POLL_MS);
    }
    live_release(&p->live);
    free(p);
}

static void poll_now(void *arg)
{
    struct serve *s = arg;
    struct poll *p = mem_alloc(sizeof(*p));

    *p = (struct poll){.serve = s, .matrix = &s->setup->matrix};
    store_worker_do(s->reader, "deployments", read_live, polled, p);
}

void live_begin(struct serve *s)
{
    s->poll = timer_new(s->app->loop, poll_now, s);
    poll_now(s);
}

void live_release(struct live_rows *l)
{
    arena_release(&l->arena);
    *l = (struct live_rows){0};
}
