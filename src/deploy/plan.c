#include "deploy/plan.h"

#include "base/text.h"
#include "deploy/want.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *plan_action_name(enum plan_action a)
{
    static const char *const names[] = {"create", "change", "nothing", "cannot"};
    return names[a];
}

static int compare_keys(const struct plan_live *a, const char *env, const char *app,
                        const char *instance)
{
    int c = strcmp(a->environment, env);

    if (c == 0)
        c = strcmp(a->app, app);
    return c ? c : strcmp(a->instance, instance);
}

static int compare_live(const void *a, const void *b)
{
    const struct plan_live *y = b;

    return compare_keys(a, y->environment, y->app, y->instance);
}

static int compare_cell(const void *key, const void *b)
{
    const struct cell *c = key;

    return -compare_keys(b, c->env->name, c->app->name, c->instance);
}

static bool hosts(const struct provider_ops *ops, enum app_kind kind)
{
    switch (kind) {
    case APP_STATIC:
        return ops->hosts_static;
    case APP_SERVICE:
        return ops->hosts_service;
    case APP_MOBILE:
        return ops->hosts_mobile;
    }
    return false;
}

/* Why it can never work, in words; 0 when it can. */
static int feasible(struct plan_item *it, struct err *e)
{
    const struct cell *c = it->cell;
    const char *kind = app_kind_name(c->app->kind);

    if (!c->binding || c->binding->platform[0] == '\0')
        return err_set(e, ERR_NO, "%s has no %s platform yet; choose one with `%s:`", c->env->name,
                       kind, kind);
    it->ops = provider_find(c->binding->platform);
    if (!it->ops)
        return err_set(e, ERR_NO,
                       "platform %s is not built in; use `platform: exec` with your own "
                       "commands",
                       c->binding->platform);
    if (!hosts(it->ops, c->app->kind))
        return err_set(e, ERR_NO, "%s does not host %s apps", it->ops->title, kind);
    if (it->trouble)
        return err_set(e, ERR_NO, "%s", it->trouble);
    const char *missing = want_missing(it->ops, c->binding);
    if (missing)
        return err_set(e, ERR_NO, "%s needs `%s:` in environments.%s.%s", it->ops->title, missing,
                       c->env->name, kind);
    return it->want && it->ops->check ? it->ops->check(it->want, e) : 0;
}

static void decide(struct plan_item *it)
{
    const struct plan_live *live = it->live;
    bool moved = live && (strcmp(live->platform, it->ops->name) != 0 ||
                          strcmp(live->project, it->cell->name) != 0);

    if (!live || moved) {
        it->action = PLAN_CREATE;
        if (moved)
            (void)snprintf(it->why, sizeof(it->why), "live on %s as %.60s, which stays there",
                           live->platform, live->project);
        else
            (void)snprintf(it->why, sizeof(it->why), "nothing is live yet");
    } else if (it->digest[0] == '\0') {
        it->action = PLAN_CHANGE;
        (void)snprintf(it->why, sizeof(it->why), "has to be built first");
    } else if (live->overtaken) {
        it->action = PLAN_CHANGE;
        (void)snprintf(it->why, sizeof(it->why),
                       "release %lld did not end well, so release %lld may not be what runs",
                       (long long)live->overtaken, (long long)live->release);
    } else if (strcmp(live->digest, it->digest) == 0) {
        it->action = PLAN_NOTHING;
        (void)snprintf(it->why, sizeof(it->why), "equal to release %lld, commit %.12s",
                       (long long)live->release, live->commit);
    } else {
        it->action = PLAN_CHANGE;
        (void)snprintf(it->why, sizeof(it->why), "differs from release %lld, commit %.12s",
                       (long long)live->release, live->commit);
    }
}

struct plan_counts plan_make(struct plan_item *items, size_t n, struct plan_live *live,
                             size_t n_live)
{
    struct plan_counts counts = {0};

    if (n_live > 0)
        qsort(live, n_live, sizeof(*live), compare_live);
    for (size_t i = 0; i < n; i++) {
        struct plan_item *it = &items[i];
        struct err e = ERR_INIT;

        it->live = n_live > 0 ? bsearch(it->cell, live, n_live, sizeof(*live), compare_cell) : NULL;
        if (feasible(it, &e) < 0) {
            it->action = PLAN_CANNOT;
            (void)text_copy(it->why, sizeof(it->why), e.text);
        } else {
            decide(it);
        }
        counts.of[it->action]++;
    }
    return counts;
}
