#pragma once

#include "manifest/matrix.h"

/*
 * Env files in Vite's order (vite.dev/guide/env-and-mode), later ones win:
 *
 *     .env  .env.local  .env.<environment>  .env.<environment>.local  .env.<instance>
 * .env.<instance>.local
 *
 * first in the manifest's folder, then in the app's; then the app's variables, then the binding's.
 * The environment's `env:` takes the place of .env.<environment> and must then exist in at least
 * one of the two folders; all others are optional. (`vite build --mode INSTANCE` reads the
 * instance's file itself, but lets the process environment win: so it must be a layer here too.)
 *
 * $NAME and ${NAME} (and ${NAME:-otherwise}) in a value stand for what came before. In a file an
 * unknown name is empty, as in Vite; in the manifest's variables it stays, for secrets_expand.
 * {app}, {instance} and so on expand in the manifest's variables only.
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

/* All layers of one cell. *ret is overwritten. */
int env_layered(const struct manifest *m, const struct cell *c, struct env_set *ret, struct err *e);

/* Adds one file's pairs to *ret, which begins zeroed: KEY=value, # comments, `export`, values that
 * are bare, in "double" quotes (\n \r \t \\ \" \$), or in 'single' or `back` quotes, where nothing
 * is expanded; quoted values may span lines. -1: *ret is as it was, *e is located and quotes no
 * value. */
int env_parse(const char *name, const char *text, size_t len, struct env_set *ret, struct err *e);
const char *env_get(const struct env_set *s, const char *name); /* NULL */
void env_release(struct env_set *s);
