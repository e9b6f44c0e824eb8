#include "app/app.h"

#include "base/buf.h"
#include "base/json.h"
#include "deploy/want.h"

#include <jansson.h>
#include <stdio.h>

/* What the chosen platforms need beyond what the manifest itself can know. Once a binding. */
static int check_needs(const struct app *a, const struct matrix *x, struct err *e)
{
    const struct manifest_binding *last = NULL;
    size_t missing = 0;

    for (size_t i = 0; i < x->n; i++) {
        const struct cell *c = &x->cells[i];
        const struct provider_ops *ops = provider_find(c->binding->platform);
        const char *key = ops && c->binding != last ? want_missing(ops, c->binding) : NULL;
        last = c->binding;
        if (!key)
            continue;
        missing++;
        (void)fprintf(stderr, "%s:%d:%d: environments.%s.%s.%s: %s needs it\n", a->manifest->file,
                      c->binding->place.line, c->binding->place.column, c->env->name,
                      app_kind_name(c->app->kind), key, ops->title);
    }
    return missing ? err_set(e, ERR_MANIFEST, "%s: %zu missing", a->manifest->file, missing) : 0;
}

/* trine validate: all problems at once; with -v the normal form. */
int cmd_validate(struct app *a, struct err *e)
{
    struct matrix x = {0};
    struct buf b = BUF_INIT(64 << 20);
    int rc = 0;

    if (app_open_manifest(a, e) < 0 || app_matrix(a, &x, e) < 0 || check_needs(a, &x, e) < 0) {
        matrix_release(&x);
        return -1;
    }
    if (a->o.json) {
        rc = app_print_json(
            a,
            json_pack("{s:s, s:s, s:I, s:I, s:I}", "file", a->manifest->file, "project",
                      a->manifest->project, "apps", (json_int_t)a->manifest->n_apps, "environments",
                      (json_int_t)a->manifest->n_environments, "deployments", (json_int_t)x.n),
            e);
    } else if (a->o.verbose) {
        manifest_print(a->manifest, &b);
        rc = app_print(a, &b, e);
    } else {
        app_say(a, "%s: no problem; %zu apps, %zu environments, %zu deployments", a->manifest->file,
                a->manifest->n_apps, a->manifest->n_environments, x.n);
    }
    buf_release(&b);
    matrix_release(&x);
    return rc;
}

int cmd_schema(struct app *a, struct err *e)
{
    struct buf b = BUF_INIT(16 << 20);

    manifest_schema_json(&b);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}
