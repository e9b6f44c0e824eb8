#include "app/app.h"

#include "base/buf.h"
#include "base/json.h"

#include <jansson.h>

/* trine validate: all problems at once; with -v the normal form. */
int cmd_validate(struct app *a, struct err *e)
{
    struct matrix x = {0};
    struct buf b = BUF_INIT(64 << 20);
    int rc = 0;

    if (app_open_manifest(a, e) < 0 || app_matrix(a, &x, e) < 0)
        return -1;
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
