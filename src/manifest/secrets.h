#pragma once

#include "manifest/manifest.h"

struct redactor;

/*
 * Secret values by name: from the process environment and from env files named on the command line
 * (--env-file), the latter first. Values never enter the manifest. Owned by `app`; one thread.
 */
struct secrets;

struct secrets *secrets_new(struct redactor *r); /* every value looked up is registered with r */
void secrets_free(struct secrets *s);            /* wipes; NULL is fine */
int secrets_load_file(struct secrets *s, const char *path,
                      struct err *e); /* NAME=value lines, quotes */

/* NULL when it has no value or an empty one. Borrowed. */
const char *secrets_get(struct secrets *s, const char *name);

/* Replaces each $NAME and ${NAME} in `text`. ERR_MANIFEST names the first that has no value, the
 * environment that needs it and how to give it. The result lives in the arena. */
int secrets_expand(struct secrets *s, const char *text, const char *where, struct arena *a,
                   const char **ret, struct err *e);

/* Checks all names that these environments require and all $NAMEs their bindings use; one problem a
 * missing or too short (under 4 bytes) value. 0 = all there. */
int secrets_check(struct secrets *s, const struct manifest *m,
                  const struct manifest_environment *const *envs, size_t n,
                  struct manifest_problems *p, struct err *e);
