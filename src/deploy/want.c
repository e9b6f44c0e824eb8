#include "deploy/want.h"

#include "base/hash.h"
#include "manifest/envfile.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Binding keys that become members of the want: {words} expanded, then $NAMEs. */
struct key {
    const char *name;
    size_t from, to; /* offsets of the const char * in manifest_binding and in want */
    bool command;    /* its $NAMEs are the shell's affair: a secret in its words could be read by
                        everybody on the machine */
};

#define KEY_OF(member, is_command)                                                                 \
    {                                                                                              \
#member, offsetof(struct manifest_binding, member), offsetof(struct want, member),         \
            is_command                                                                             \
    }
#define KEY(member) KEY_OF(member, false)
#define COMMAND(member) KEY_OF(member, true)

static const struct key keys[] = {
    KEY(token),
    KEY(account),
    KEY(team),
    KEY(region),
    KEY(plan),
    KEY(channel),
    KEY(url),
    KEY(project),
    KEY(repository),
    KEY(image),
    KEY(dockerfile),
    COMMAND(run),
    KEY(app_id),
    COMMAND(deploy),
    COMMAND(status),
    COMMAND(rollback),
    /* behind the token: a hook is the fallback of platforms that have one, and not missed then */
    KEY(deploy_hook),
};

const char *want_missing(const struct provider_ops *ops, const struct manifest_binding *b)
{
    for (size_t i = 0; ops->needs && ops->needs[i]; i++)
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            if (strcmp(keys[k].name, ops->needs[i]) == 0 &&
                (*(const char *const *)((const char *)b + keys[k].from))[0] == '\0')
                return ops->needs[i];
    return NULL;
}

static int fill_key(const struct want_source *s, const struct cell *c, const struct key *k,
                    struct want *w, struct err *e)
{
    const char *pattern = *(const char *const *)((const char *)c->binding + k->from);
    const char **to = (const char **)((char *)w + k->to);
    char where[256];

    *to = "";
    if (!pattern[0] || (strcmp(k->name, "deploy_hook") == 0 && w->token[0]))
        return 0;
    (void)snprintf(where, sizeof(where), "%s:%d:%d: environments.%s.%s.%s", s->manifest->file,
                   c->binding->place.line, c->binding->place.column, c->env->name,
                   app_kind_name(c->app->kind), k->name);
    const char *text = cell_expand(s->manifest, c, pattern, s->arena);
    if (k->command) {
        *to = text;
        return 0;
    }
    return secrets_expand(s->secrets, text, where, s->arena, to, e);
}

static int fill_variables(const struct want_source *s, const struct cell *c, struct want *w,
                          struct err *e)
{
    struct env_set set = {0};
    int rc = 0;

    if (c->app->kind == APP_STATIC)
        return 0; /* they went into the bundle when it was built */
    if (env_layered(s->manifest, c, &set, e) < 0)
        return -1;
    struct want_variable *v = arena_array(s->arena, set.n + 1, sizeof(*v));
    for (size_t i = 0; i < set.n && rc == 0; i++) {
        v[i].name = arena_strdup(s->arena, set.vars[i].name);
        rc = secrets_expand(s->secrets, set.vars[i].value, set.vars[i].origin, s->arena,
                            &v[i].value, e);
    }
    w->variables = v;
    w->n_variables = set.n;
    env_release(&set);
    return rc;
}

int want_fill(const struct want_source *s, const struct cell *c, struct want *ret, struct err *e)
{
    struct want w = {
        .project_name = c->name,
        .app = c->app->name,
        .instance = c->instance,
        .environment = c->env->name,
        .branch = c->env->branch,
        .commit = s->commit->id,
        .message = s->commit->subject,
        .marker = "",
        .token = "",
        .path = c->app->path,
        .port = c->app->port,
        .health = c->app->health,
        .mode = c->binding->mode,
        .workflow = cell_expand(s->manifest, c, c->app->workflow, s->arena),
        .profile = cell_expand(s->manifest, c, c->app->profile, s->arena),
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (fill_key(s, c, &keys[i], &w, e) < 0)
            return -1;
    if (fill_variables(s, c, &w, e) < 0)
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
    const char *parts[] = {w->project_name, w->commit, w->branch,   w->repository, w->image,
                           w->dockerfile,   w->run,    w->path,     w->region,     w->plan,
                           w->channel,      w->health, w->workflow, w->profile,    w->deploy,
                           w->project,      w->app_id, w->mode,     port};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        add(s, parts[i]);
    for (size_t i = 0; i < w->n_variables; i++) {
        add(s, w->variables[i].name);
        add(s, w->variables[i].value);
    }
    sha_end(s, digest);
    hex_encode(digest, sizeof(digest), ret);
}
