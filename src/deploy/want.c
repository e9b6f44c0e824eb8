#include "deploy/want.h"

#include "base/hash.h"
#include "manifest/envfile.h"

#include <stdio.h>
#include <string.h>

/* Expands the {words}, then the $NAMEs of one binding value. */
struct filler {
    const struct manifest *m;
    const struct cell *c;
    struct secrets *s;
    struct arena *a;
    struct err *e;
    bool failed;
};

static const char *fill(struct filler *f, const char *key, const char *pattern)
{
    char where[256];
    const char *value = "";

    if (f->failed || !pattern || !pattern[0])
        return "";
    (void)snprintf(where, sizeof(where), "%s:%d:%d: environments.%s.%s.%s", f->m->file,
                   f->c->binding->place.line, f->c->binding->place.column, f->c->env->name,
                   app_kind_name(f->c->app->kind), key);
    if (secrets_expand(f->s, cell_expand(f->m, f->c, pattern, f->a), where, f->a, &value, f->e) < 0)
        f->failed = true;
    return value;
}

/* A hook's address is the fallback of platforms that have an API token; it is not missed then. */
static const char *fill_hook(struct filler *f, const struct want *w)
{
    return w->token[0] ? "" : fill(f, "deploy_hook", f->c->binding->deploy_hook);
}

static int fill_variables(struct filler *f, struct want *w)
{
    struct env_set set = {0};

    if (f->c->app->kind == APP_STATIC)
        return 0; /* they went into the bundle when it was built */
    if (env_layered(f->m, f->c, &set, f->e) < 0)
        return -1;
    struct want_variable *v = arena_array(f->a, set.n ? set.n : 1, sizeof(*v));
    for (size_t i = 0; i < set.n; i++) {
        v[i].name = arena_strdup(f->a, set.vars[i].name);
        if (secrets_expand(f->s, set.vars[i].value, set.vars[i].origin, f->a, &v[i].value, f->e) <
            0)
            f->failed = true;
    }
    w->variables = v;
    w->n_variables = set.n;
    env_release(&set);
    return f->failed ? -1 : 0;
}

int want_fill(const struct manifest *m, const struct cell *c, struct secrets *s,
              const struct commit *commit, struct arena *a, struct want *ret, struct err *e)
{
    struct filler f = {.m = m, .c = c, .s = s, .a = a, .e = e};
    const struct manifest_binding *b = c->binding;
    struct want w = {
        .project_name = c->name,
        .app = c->app->name,
        .instance = c->instance,
        .environment = c->env->name,
        .branch = c->env->branch,
        .commit = arena_strdup(a, commit->id),
        .message = arena_strdup(a, commit->subject),
        .marker = "",
        .path = c->app->path,
        .port = c->app->port,
        .health = c->app->health,
        .mode = b->mode,
    };

    w.token = fill(&f, "token", b->token);
    w.account = fill(&f, "account", b->account);
    w.team = fill(&f, "team", b->team);
    w.region = fill(&f, "region", b->region);
    w.plan = fill(&f, "plan", b->plan);
    w.channel = fill(&f, "channel", b->channel);
    w.deploy_hook = fill_hook(&f, &w);
    w.url = fill(&f, "url", b->url);
    w.repository = fill(&f, "repository", b->repository);
    w.image = fill(&f, "image", b->image);
    w.dockerfile = fill(&f, "dockerfile", b->dockerfile);
    w.run = fill(&f, "run", b->run);
    w.app_id = fill(&f, "app_id", b->app_id);
    w.deploy = fill(&f, "deploy", b->deploy);
    w.status = fill(&f, "status", b->status);
    w.rollback = fill(&f, "rollback", b->rollback);
    w.workflow = cell_expand(m, c, c->app->workflow, a);
    w.profile = cell_expand(m, c, c->app->profile, a);
    if (f.failed || fill_variables(&f, &w) < 0)
        return -1;
    *ret = w;
    return 0;
}

static void add(struct sha_stream *s, const char *text)
{
    if (text)
        sha_add(s, text, strlen(text));
    sha_add(s, "", 1);
}

void want_digest(const struct want *w, char ret[65])
{
    struct sha_stream *s = sha256_begin();
    uint8_t digest[SHA256_LEN];
    char port[16];

    (void)snprintf(port, sizeof(port), "%d", w->port);
    const char *parts[] = {w->project_name, w->commit,     w->branch,  w->repository,
                           w->image,        w->dockerfile, w->run,     w->path,
                           w->region,       w->plan,       w->channel, w->health,
                           w->workflow,     w->profile,    w->deploy,  port};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        add(s, parts[i]);
    for (size_t i = 0; i < w->n_variables; i++) {
        add(s, w->variables[i].name);
        add(s, w->variables[i].value);
    }
    sha_end(s, digest);
    hex_encode(digest, sizeof(digest), ret);
}
