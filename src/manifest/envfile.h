#pragma once

#include "manifest/matrix.h"

/*
 * Env files in Vite's order (vite.dev/guide/env-and-mode): .env, .env.local, .env.<environment> (or
 * the environment's own `env:` name), the same with .local; later files win; then the manifest's
 * variables; $NAME inside a value is expanded from what came before. Files are optional unless the
 * environment names one with `env:`, which must then exist in at least one place (the app's folder
 * or the manifest's).
 */
struct env_var {
    const char *name, *value;
    const char *origin; /* file:line, or "manifest" */
};
struct env_set {
    struct arena arena;
    struct env_var *vars; /* sorted by name, unique */
    size_t n;
};

int env_layered(const struct manifest *m, const struct cell *c, struct env_set *ret, struct err *e);
/* One file's pairs: KEY=value, quotes, escapes in double quotes, # comments, export. Located
 * errors. */
int env_parse(const char *name, const char *text, size_t len, struct env_set *ret, struct err *e);
const char *env_get(const struct env_set *s, const char *name); /* NULL */
void env_release(struct env_set *s);
