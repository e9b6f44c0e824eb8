#include "app/job.h"

#include "app/progress.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/hash_cache.h"
#include "deploy/want.h"
#include "manifest/envfile.h"
#include "manifest/secrets.h"
#include "net/loop.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

static int find_commit(struct job *j, struct err *e)
{
    struct app *a = j->app;

    if (a->o.commit)
        return commit_parse(a->o.commit, &j->commit, e);
    if (commit_read(a->loop, a->manifest->dir, &j->commit, e) < 0)
        return -1;
    if (j->commit.dirty)
        app_say(a,
                "note: tracked files differ from commit %.12s; static bundles are built from the "
                "files as they are",
                j->commit.id);
    return 0;
}

static int fill_wants(struct job *j, struct err *e)
{
    const struct want_source source = {.manifest = j->app->manifest,
                                       .secrets = j->app->secrets,
                                       .commit = &j->commit,
                                       .arena = &j->arena};

    j->wants = arena_array(&j->arena, j->matrix.n + 1, sizeof(*j->wants));
    for (size_t i = 0; i < j->matrix.n; i++) {
        const struct cell *c = &j->matrix.cells[i];
        if (c->binding && c->binding->platform[0] && want_fill(&source, c, &j->wants[i], e) < 0)
            return -1;
    }
    return 0;
}

/* A missing or broken env file is told before anything begins. Once for an app's instances: files
 * of an instance alone are read with its build. */
static int check_env_files(const struct job *j, struct err *e)
{
    const struct cell *before = NULL;

    for (size_t i = 0; i < j->matrix.n; i++) {
        const struct cell *c = &j->matrix.cells[i];
        struct env_set env = {0};
        if (c->app->kind != APP_STATIC || !c->binding || !c->binding->platform[0] ||
            (before && before->env == c->env && before->app == c->app))
            continue;
        if (env_layered(j->app->manifest, c, &env, e) < 0)
            return -1;
        env_release(&env);
        before = c;
    }
    return 0;
}

int job_open(struct job *j, struct app *a, struct err *e)
{
    j->app = a;
    if (app_open_manifest(a, e) < 0 || app_open_secrets(a, e) < 0 ||
        app_matrix(a, &j->matrix, e) < 0 || app_check_secrets(a, &j->matrix, e) < 0 ||
        check_env_files(j, e) < 0 || app_open_net(a, e) < 0 || app_open_store(a, e) < 0 ||
        find_commit(j, e) < 0)
        return -1;
    return fill_wants(j, e);
}

/* --- Builds ----------------------------------------------------------------------------------- */

static void told(const struct build *b, enum build_event event, const char *text, void *arg)
{
    struct progress *p = arg;
    const struct cell *c = b->cell;
    char name[200];
    struct progress_item item = {.name = name, .more = "", .seconds = -1};

    (void)snprintf(name, sizeof(name), "%s %s%s%s", c->env->name, c->app->name,
                   c->instance[0] ? "/" : "", c->instance);
    switch (event) {
    case BUILD_DONE:
        item.good = true;
        item.word = "built";
        item.seconds = (double)b->took_ms / 1000.0;
        progress_done(p, &item);
        return;
    case BUILD_FAILED:
        item.word = "FAILED";
        item.more = text;
        progress_done(p, &item);
        return;
    case BUILD_INSTALL:
    case BUILD_START:
    case BUILD_LINE:
        progress_now(p, "%s: %s", name, text);
        return;
    }
}

static void list_builds(struct job *j)
{
    j->builds = mem_array(j->matrix.n + 1, sizeof(*j->builds));
    j->build_of = arena_array(&j->arena, j->matrix.n + 1, sizeof(struct build *));
    for (size_t i = 0; i < j->matrix.n; i++) {
        const struct cell *c = &j->matrix.cells[i];
        if (c->app->kind != APP_STATIC || !c->binding || !c->binding->platform[0])
            continue;
        j->build_of[i] = &j->builds[j->n_builds++];
        j->build_of[i]->cell = c;
    }
}

static size_t not_ready(const struct job *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->n_builds; i++)
        n += !j->builds[i].ready && j->builds[i].err.kind == ERR_NONE;
    return n;
}

int job_builds(struct job *j, bool run, struct err *e)
{
    struct app *a = j->app;
    struct build_options o = {.loop = a->loop,
                              .manifest = a->manifest,
                              .state = a->state,
                              .redactor = a->redactor,
                              .event = told};

    list_builds(j);
    builds_key(&o, j->builds, j->n_builds);
    if (!run || not_ready(j) == 0)
        return 0;
    struct progress *p = progress_new(a, "build", not_ready(j));
    o.arg = p;
    int rc = builds_run(&o, j->builds, j->n_builds, e);
    progress_free(p);
    return rc;
}

/* --- Bundles ---------------------------------------------------------------------------------- */

/* Adds each folder once, however many cells it is for; what is refused by its names says so. */
static void add_folders(struct job *j, size_t *number)
{
    for (size_t i = 0; i < j->matrix.n; i++) {
        bool pages = strcmp(j->matrix.cells[i].binding->platform, "cloudflare-pages") == 0;
        struct err e = ERR_INIT;
        if (!j->build_of[i] || !j->build_of[i]->ready)
            continue;
        if (bundle_set_add(j->bundles, j->build_of[i]->dir, pages ? BUNDLE_PAGES : 0, &number[i],
                           &e) < 0)
            j->items[i].trouble = arena_strdup(&j->arena, e.text);
        else
            number[i]++;
    }
}

static void hashed(void *arg)
{
    struct job *j = arg;

    loop_stop(j->app->loop);
}

static void take_bundle(struct job *j, size_t i, size_t number)
{
    const struct provider_ops *ops = provider_find(j->matrix.cells[i].binding->platform);
    struct err e = ERR_INIT;

    if (bundle_set_get(j->bundles, number, &j->bundle_of[i], &e) < 0 ||
        (ops && bundle_check(j->bundle_of[i], ops, &e) < 0)) {
        j->bundle_of[i] = NULL;
        j->items[i].trouble = arena_strdup(&j->arena, e.text);
    }
}

int job_bundles(struct job *j, struct err *e)
{
    struct app *a = j->app;
    size_t *number = arena_array(&j->arena, j->matrix.n + 1, sizeof(*number)); /* 0 = none */

    (void)e;
    j->bundle_of = arena_array(&j->arena, j->matrix.n + 1, sizeof(struct bundle *));
    j->bundle_number = arena_array(&j->arena, j->matrix.n + 1, sizeof(*j->bundle_number));
    j->items = arena_array(&j->arena, j->matrix.n + 1, sizeof(*j->items));
    j->bundles = bundle_set_new();
    j->hashes = hash_cache_new(a->store);
    add_folders(j, number);
    const struct bundle_hash_options o = {
        .loop = a->loop, .cache = j->hashes, .redactor = a->redactor};
    bundle_set_hash(j->bundles, &o, hashed, j);
    (void)loop_run(a->loop);
    for (size_t i = 0; i < j->matrix.n; i++)
        if (number[i] > 0)
            take_bundle(j, i, number[i] - 1);
    for (size_t i = 0; i < j->matrix.n; i++)
        if (j->bundle_of[i])
            j->bundle_number[i] = number[i] - 1;
    return 0;
}

int job_sign(struct job *j, size_t cell, int64_t release, struct err *e)
{
    const struct cell *c = &j->matrix.cells[cell];
    const struct bundle_identity identity = {.project = j->app->manifest->project,
                                             .app = c->app->name,
                                             .instance = c->instance,
                                             .environment = c->env->name,
                                             .commit = j->commit.id,
                                             .release = release};
    const char *dir = arena_printf(&j->arena, "%s/own", j->app->state);
    const char *path =
        arena_printf(&j->arena, "%s/%s.%s.%s.json", dir, c->env->name, c->app->name, c->instance);

    if (dir_make(dir, e) < 0)
        return -1;
    return bundle_set_sign(j->bundles, j->bundle_number[cell], &identity, path, &j->bundle_of[cell],
                           e);
}

/* --- Plan ------------------------------------------------------------------------------------- */

static void keep_live(const struct deployment_row *r, void *arg)
{
    struct job *j = arg;

    if (j->n_live == j->size_live) {
        j->size_live = j->size_live ? 2 * j->size_live : 256;
        j->live = mem_grow(j->live, j->size_live, sizeof(*j->live));
    }
    j->live[j->n_live++] =
        (struct plan_live){.environment = arena_strdup(&j->arena, r->environment),
                           .app = arena_strdup(&j->arena, r->app),
                           .instance = arena_strdup(&j->arena, r->instance),
                           .digest = arena_strdup(&j->arena, r->digest),
                           .commit = arena_strdup(&j->arena, r->commit),
                           .platform = arena_strdup(&j->arena, r->platform),
                           .project = arena_strdup(&j->arena, r->project),
                           .release = r->release};
}

/* What an unfinished or failed deployment left on its platform may have taken the live one's place.
 * Both lists come in the same order; `at` is how far the live ones were gone through. */
struct overtaking {
    struct job *j;
    size_t at;
};

static int order(const struct plan_live *a, const struct deployment_row *r)
{
    int c = strcmp(a->environment, r->environment);

    if (c == 0)
        c = strcmp(a->app, r->app);
    return c ? c : strcmp(a->instance, r->instance);
}

static void note_overtaken(const struct deployment_row *r, void *arg)
{
    struct overtaking *o = arg;
    struct plan_live *live = o->j->live;
    bool begun = r->state == DEPLOYMENT_RUNNING || r->state == DEPLOYMENT_VERIFYING ||
                 (r->state == DEPLOYMENT_FAILED && r->remote_id[0]);

    while (o->at < o->j->n_live && order(&live[o->at], r) < 0)
        o->at++;
    if (begun && o->at < o->j->n_live && order(&live[o->at], r) == 0 &&
        r->release > live[o->at].release)
        live[o->at].overtaken = r->release;
}

static const char *digest_of(struct job *j, size_t i)
{
    if (j->bundle_of[i])
        return j->bundle_of[i]->digest;
    if (j->build_of[i] || !j->wants[i].project_name)
        return "";
    char *digest = arena_alloc(&j->arena, 65);
    want_digest(&j->wants[i], digest);
    return digest;
}

int job_plan(struct job *j, struct err *e)
{
    struct overtaking o = {.j = j};

    j->n_live = 0;
    if (deployment_live(j->app->store, NULL, keep_live, j, e) < 0 ||
        deployment_latest(j->app->store, NULL, note_overtaken, &o, e) < 0)
        return -1;
    for (size_t i = 0; i < j->matrix.n; i++) {
        struct plan_item *it = &j->items[i];
        it->cell = &j->matrix.cells[i];
        it->want = j->wants[i].project_name ? &j->wants[i] : NULL;
        it->digest = digest_of(j, i);
        if (!it->trouble && j->build_of[i] && j->build_of[i]->err.kind != ERR_NONE)
            it->trouble = j->build_of[i]->err.text;
    }
    j->counts = plan_make(j->items, j->matrix.n, j->live, j->n_live);
    return 0;
}

void job_release(struct job *j)
{
    for (size_t i = 0; i < j->n_builds; i++)
        build_release(&j->builds[i]);
    free(j->builds);
    free(j->live);
    bundle_set_free(j->bundles);
    hash_cache_free(j->hashes);
    arena_release(&j->arena);
    matrix_release(&j->matrix);
}
