#include "app/app.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "report/table.h"
#include "store/store.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* trine status: the matrix joined with what the store knows. */

struct known {
    char *environment, *app, *instance, *url, *commit, *error;
    enum deployment_state state;
    int64_t release, updated_at;
};

struct listing {
    struct known *rows;
    size_t n, size;
};

static void keep(const struct deployment_row *r, void *arg)
{
    struct listing *l = arg;

    if (l->n == l->size) {
        l->size = l->size ? 2 * l->size : 64;
        l->rows = mem_grow(l->rows, l->size, sizeof(*l->rows));
    }
    l->rows[l->n++] = (struct known){.environment = mem_strdup(r->environment),
                                     .app = mem_strdup(r->app),
                                     .instance = mem_strdup(r->instance),
                                     .url = mem_strdup(r->url),
                                     .commit = mem_strdup(r->commit),
                                     .error = mem_strdup(r->error),
                                     .state = r->state,
                                     .release = r->release,
                                     .updated_at = r->updated_at};
}

static void listing_release(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct known *k = &l->rows[i];
        free(k->environment);
        free(k->app);
        free(k->instance);
        free(k->url);
        free(k->commit);
        free(k->error);
    }
    free(l->rows);
}

static int by_key(const struct known *k, const char *env, const char *app, const char *instance)
{
    int c = strcmp(k->environment, env);

    if (c == 0)
        c = strcmp(k->app, app);
    return c ? c : strcmp(k->instance, instance);
}

static int compare_rows(const void *a, const void *b)
{
    const struct known *y = b;

    return by_key(a, y->environment, y->app, y->instance);
}

static int compare_key(const void *key, const void *b)
{
    const struct cell *c = key;

    return -by_key(b, c->env->name, c->app->name, c->instance);
}

static const struct known *find(const struct listing *l, const struct cell *c)
{
    return l->n ? bsearch(c, l->rows, l->n, sizeof(*l->rows), compare_key) : NULL;
}

static const char *state_word(const struct known *k)
{
    return k ? deployment_state_name(k->state) : "absent";
}

static json_t *as_json(const struct matrix *x, const struct listing *l)
{
    json_t *environments = json_array(), *deployments = NULL;
    const struct manifest_environment *env = NULL;

    for (size_t i = 0; i < x->n; i++) {
        const struct cell *c = &x->cells[i];
        const struct known *k = find(l, c);
        if (c->env != env) {
            env = c->env;
            deployments = json_array();
            json_array_append_new(environments, json_pack("{s:s, s:o}", "name", env->name,
                                                          "deployments", deployments));
        }
        json_t *d =
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "app", c->app->name, "instance",
                      c->instance, "platform", c->binding ? c->binding->platform : "", "state",
                      state_word(k), "url", k ? k->url : "", "commit", k ? k->commit : "",
                      "release", (json_int_t)(k ? k->release : 0));
        if (k && k->error[0])
            json_object_set_new(d, "error", json_string(k->error));
        json_array_append_new(deployments, d);
    }
    return json_pack("{s:o}", "environments", environments);
}

static enum table_tone tone(const struct known *k)
{
    if (!k)
        return TONE_DIM;
    switch (k->state) {
    case DEPLOYMENT_LIVE:
        return TONE_GOOD;
    case DEPLOYMENT_FAILED:
        return TONE_BAD;
    case DEPLOYMENT_PENDING:
    case DEPLOYMENT_RUNNING:
    case DEPLOYMENT_VERIFYING:
        return TONE_WARN;
    case DEPLOYMENT_SUPERSEDED:
        return TONE_DIM;
    }
    return TONE_PLAIN;
}

static void table_fill(struct table *t, const struct matrix *x, const struct listing *l)
{
    table_column(t, "ENVIRONMENT", TABLE_LEFT, false);
    table_column(t, "APP", TABLE_LEFT, false);
    table_column(t, "PLATFORM", TABLE_LEFT, false);
    table_column(t, "STATE", TABLE_LEFT, false);
    table_column(t, "RELEASE", TABLE_RIGHT, false);
    table_column(t, "COMMIT", TABLE_LEFT, false);
    table_column(t, "ADDRESS", TABLE_LEFT, true);
    for (size_t i = 0; i < x->n; i++) {
        const struct cell *c = &x->cells[i];
        const struct known *k = find(l, c);
        bool failed = k && k->state == DEPLOYMENT_FAILED;
        table_row(t);
        table_cell(t, TONE_PLAIN, "%s", c->env->name);
        table_cell(t, TONE_PLAIN, "%s%s%s", c->app->name, c->instance[0] ? "/" : "", c->instance);
        table_cell(t, TONE_PLAIN, "%s", c->binding ? c->binding->platform : "");
        table_cell(t, tone(k), "%s", state_word(k));
        if (k)
            table_cell(t, TONE_PLAIN, "%lld", (long long)k->release);
        else
            table_cell(t, TONE_PLAIN, "%s", "");
        table_cell(t, TONE_PLAIN, "%.12s", k ? k->commit : "");
        table_cell(t, failed ? TONE_BAD : TONE_PLAIN, "%s", !k ? "" : failed ? k->error : k->url);
    }
}

static int print_table(struct app *a, const struct matrix *x, const struct listing *l,
                       struct err *e)
{
    struct table *t = table_new();
    struct buf b = BUF_INIT(SIZE_MAX / 4);
    struct table_look look = {.width = a->width, .colour = a->colour};

    table_fill(t, x, l);
    table_print(t, &look, &b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    table_free(t);
    return rc;
}

static int show(struct app *a, const struct matrix *x, struct listing *l, struct err *e)
{
    size_t live = 0;

    if (l->n > 0)
        qsort(l->rows, l->n, sizeof(*l->rows), compare_rows);
    for (size_t i = 0; i < x->n; i++) {
        const struct known *k = find(l, &x->cells[i]);
        live += k && k->state == DEPLOYMENT_LIVE;
    }
    if ((a->o.json ? app_print_json(a, as_json(x, l), e) : print_table(a, x, l, e)) < 0)
        return -1;
    app_say(a, "%zu of %zu live", live, x->n);
    return live == x->n ? 0 : err_exit_code(ERR_NO);
}

int cmd_status(struct app *a, struct err *e)
{
    struct matrix x = {0};
    struct listing l = {0};
    int rc = -1;

    if (app_open_manifest(a, e) == 0 && app_matrix(a, &x, e) == 0 && app_open_store(a, e) == 0 &&
        deployment_latest(a->store, NULL, keep, &l, e) == 0)
        rc = show(a, &x, &l, e);
    listing_release(&l);
    matrix_release(&x);
    return rc;
}
