#include "manifest/parse.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "manifest/matrix.h"
#include "manifest/platform.h"
#include "manifest/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Shared by both halves -----------------------------------------------------------------------
 */

void complain(struct reading *r, const struct complaint *c, const char *fmt, ...)
{
    char path[512], why[800];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    snprintf(path, sizeof path, "%s%s%.100s%s%s", c->group, *c->entry ? "." : "", c->entry,
             *c->key ? "." : "", c->key);
    struct place at = c->member ? places_get(&r->places, c->member, c->place) : c->place;
    problem_add(r->problems, at, path, "%s", why);
}

bool was_given(const struct reading *r, const void *member)
{
    return places_get(&r->places, member, (struct place){0}).line != 0;
}

bool was_refused(const struct reading *r, const void *member)
{
    return places_get(&r->wrong, member, (struct place){0}).line != 0;
}

const struct manifest_environment *require_environment(struct reading *r, const struct complaint *c,
                                                       const char *name)
{
    const char *names[101]; /* the table allows 100 */
    size_t n = 0;
    const struct manifest_environment *env = manifest_environment_find(r->m, name);
    if (env || !*name) /* "" was refused for its own reason */
        return env;
    for (size_t i = 0; i < r->m->n_environments && n < 100; i++)
        names[n++] = r->m->environments[i].name;
    const char *meant = strlen(name) <= 64 ? text_did_you_mean(name, names, n) : NULL;
    complain(r, c, "there is no environment \"%.80s\"%s%s%s", name,
             meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
    return NULL;
}

/* --- Platforms -----------------------------------------------------------------------------------
 */

static void check_binding(struct reading *r, const struct manifest_environment *env,
                          const struct manifest_binding *b, const char *key, unsigned hosts)
{
    if (!*b->platform)
        return;
    char member[64];
    snprintf(member, sizeof member, "%s.platform", key);
    struct complaint c = {"environments", env->name, member, &b->platform, b->place};
    struct buf can = BUF_INIT(400), does = BUF_INIT(400), wanted = BUF_INIT(100);
    const struct platform *platform = platform_find(b->platform);
    platform_list(hosts, &can);
    platform_list_hosts(hosts, &wanted);
    if (!platform) {
        const char *meant = platform_did_you_mean(b->platform);
        complain(r, &c, "there is no platform \"%.80s\"%s%s%s; %s can be on %s", b->platform,
                 meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "",
                 buf_str(&wanted), buf_str(&can));
    } else if (!(platform->hosts & hosts)) {
        platform_list_hosts(platform->hosts, &does);
        complain(r, &c, "%s hosts %s only; %s can be on %s", b->platform, buf_str(&does),
                 buf_str(&wanted), buf_str(&can));
    }
    buf_release(&can);
    buf_release(&does);
    buf_release(&wanted);
}

static void check_environment(struct reading *r, const struct manifest_environment *env)
{
    check_binding(r, env, &env->static_, "static", HOSTS_STATIC);
    check_binding(r, env, &env->service, "service", HOSTS_SERVICE);
    check_binding(r, env, &env->mobile, "mobile", HOSTS_MOBILE);
    check_binding(r, env, &env->database, "database", HOSTS_DATABASE);
    check_binding(r, env, &env->cache, "cache", HOSTS_CACHE);
    check_binding(r, env, &env->storage, "storage", HOSTS_STORAGE);
}

/* --- Project names -------------------------------------------------------------------------------
 */

static const char *binding_key(const struct cell *c)
{
    return app_kind_name(c->app->kind);
}

static void complain_of_cell(struct reading *r, const struct cell *c, const char *why)
{
    char key[64];
    snprintf(key, sizeof key, "%s.name", binding_key(c));
    struct complaint at = {"environments", c->env->name, key, &c->binding->name, c->binding->place};
    complain(r, &at, "%s", why);
}

static bool fits_alphabet(const char *name)
{
    size_t len = strlen(name);
    return len && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && name[0] != '-' &&
           name[len - 1] != '-';
}

/* True when a problem was added. */
static bool check_cell_name(struct reading *r, const struct cell *c)
{
    char why[600];
    const struct platform *platform = platform_find(c->binding->platform);
    bool named = !check_name(c->app->name) && !check_instance(c->instance) &&
                 !check_name(c->env->name) && !check_name(r->m->project);
    if (!platform || !named || check_pattern(c->binding->name))
        return false; /* refused for its own reason */
    size_t len = strlen(c->name);
    if (!fits_alphabet(c->name))
        snprintf(why, sizeof why,
                 "\"%.160s\" (%s%s%s) is not a name on %s; use a-z, 0-9 and '-', not '-' first or "
                 "last",
                 c->name, c->app->name, *c->instance ? "/" : "", c->instance, platform->name);
    else if (len > platform->name_max)
        snprintf(why, sizeof why,
                 "\"%.160s\" (%s%s%s) has %zu characters; %s takes %zu: shorten the pattern",
                 c->name, c->app->name, *c->instance ? "/" : "", c->instance, len, platform->name,
                 platform->name_max);
    else
        return false;
    complain_of_cell(r, c, why);
    return true;
}

/* Two cells of one platform and account with one name would overwrite each other. */
static int by_project(const void *a, const void *b)
{
    const struct cell *x = *(const struct cell *const *)a, *y = *(const struct cell *const *)b;
    const struct manifest_binding *p = x->binding, *q = y->binding;
    const char *const left[] = {x->name, p->platform, p->account, p->team, p->project, p->token};
    const char *const right[] = {y->name, q->platform, q->account, q->team, q->project, q->token};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        int order = strcmp(left[i], right[i]);
        if (order)
            return order;
    }
    return 0;
}

static int by_project_and_age(const void *a, const void *b)
{
    const struct cell *x = *(const struct cell *const *)a, *y = *(const struct cell *const *)b;
    int order = by_project(a, b);
    return order ? order : x < y ? -1 : x > y;
}

/* The same cell, because an app, an environment or an instance stands twice: told of elsewhere. */
static bool same_cell(const struct cell *x, const struct cell *y)
{
    return strcmp(x->env->name, y->env->name) == 0 && strcmp(x->app->name, y->app->name) == 0 &&
           strcmp(x->instance, y->instance) == 0;
}

/* One problem a binding is enough: a pattern without {app} makes all its names collide. */
static void check_collisions(struct reading *r, const struct matrix *x)
{
    const struct cell **sorted = mem_array(x->n + 1, sizeof(void *));
    bool *told = mem_array(3 * r->m->n_environments + 1, sizeof *told);
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        if (*x->cells[i].binding->platform && *x->cells[i].name)
            sorted[n++] = &x->cells[i];
    qsort(sorted, n, sizeof(void *), by_project_and_age);
    for (size_t i = 1; i < n; i++) {
        const struct cell *c = sorted[i], *other = sorted[i - 1];
        size_t slot = 3 * (size_t)(c->env - r->m->environments) + c->app->kind;
        if (by_project(&sorted[i - 1], &sorted[i]) != 0 || told[slot] || same_cell(c, other))
            continue;
        told[slot] = true;
        char why[600];
        snprintf(why, sizeof why,
                 "\"%.160s\" is the name of both %s %s%s%s and %s %s%s%s on %s, which would "
                 "overwrite each other; put {environment}, {app} and {instance} into the pattern",
                 c->name, other->env->name, other->app->name, *other->instance ? "/" : "",
                 other->instance, c->env->name, c->app->name, *c->instance ? "/" : "", c->instance,
                 c->binding->platform);
        complain_of_cell(r, c, why);
    }
    free(told);
    free(sorted);
}

static void check_matrix(struct reading *r)
{
    const struct manifest *m = r->m;
    size_t instances = 0;
    for (size_t i = 0; i < m->n_apps; i++)
        instances += m->apps[i].n_instances;
    if (instances * m->n_environments > MANIFEST_MAX_DEPLOYMENTS) {
        problem_add(r->problems, places_get(&r->places, &m->apps, (struct place){0}), "apps",
                    "%zu instances in %zu environments are more than %d deployments", instances,
                    m->n_environments, MANIFEST_MAX_DEPLOYMENTS);
        return;
    }
    const char **all = mem_array(m->n_environments + 1, sizeof *all);
    for (size_t i = 0; i < m->n_environments; i++)
        all[i] = m->environments[i].name;
    struct matrix x;
    struct err ignored;
    const struct matrix_filter filter = {.environments = all, .n_environments = m->n_environments};
    if (matrix_build(m, &filter, &x, &ignored) == 0) {
        size_t told = x.n; /* cells of one binding follow each other */
        for (size_t i = 0; i < x.n; i++)
            if ((told == x.n || x.cells[i].binding != x.cells[told].binding) &&
                check_cell_name(r, &x.cells[i]))
                told = i;
        check_collisions(r, &x);
        matrix_release(&x);
    }
    free(all);
}

/* An app without instances has one without a name. */
static void default_instances(struct reading *r, struct manifest_app *app)
{
    if (app->n_instances)
        return;
    app->instances = arena_array(&r->m->arena, 1, sizeof *app->instances);
    app->instances[0] = "";
    app->n_instances = 1;
}

void manifest_check(struct reading *r)
{
    struct manifest *m = r->m;
    for (size_t i = 0; i < m->n_apps; i++)
        default_instances(r, &m->apps[i]);
    for (size_t i = 0; i < m->n_environments; i++)
        check_environment(r, &m->environments[i]);
    check_matrix(r);
    manifest_check_entries(r);
}
