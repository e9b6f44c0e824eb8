#pragma once

#include "manifest/manifest.h"

/*
 * The matrix app x instance x environment: one cell a deployment, in the manifest's order
 * (environment, then app, then instance). Environments without hosting for an app's kind (a
 * production whose platform is not chosen yet) give cells with platform "".
 */
struct cell {
    const struct manifest_environment *env;
    const struct manifest_app *app;
    const char *instance; /* "" when the app has only one */
    const struct manifest_binding *binding;
    const char *name; /* the expanded project or service name, within the platform's alphabet */
};

struct matrix {
    struct arena arena;
    struct cell *cells;
    size_t n;
};

struct matrix_filter {
    const char *const *environments; /* NULL = all that are not manual */
    size_t n_environments;
    const char *app; /* glob over "app" and "app/instance"; NULL = all */
};

/* ERR_USAGE when a named environment is unknown (with a suggestion) or the glob matches nothing. */
int matrix_build(const struct manifest *m, const struct matrix_filter *f, struct matrix *ret,
                 struct err *e);
void matrix_release(struct matrix *x);

/* Expands {app}, {instance}, {environment}, {project}, {branch}; the result lives in the arena.
 * Unknown {words} stay as they are. An absent instance leaves no doubled or trailing '-'. */
const char *cell_expand(const struct manifest *m, const struct cell *c, const char *pattern,
                        struct arena *a);
