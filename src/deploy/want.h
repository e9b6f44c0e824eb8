#pragma once

#include "base/arena.h"
#include "deploy/commit.h"
#include "manifest/matrix.h"
#include "manifest/secrets.h"
#include "provider/provider.h"

/*
 * From a cell of the manifest to what a provider is given: names expanded, secrets resolved, env
 * files layered. All strings live in the arena; the secrets among them are registered with the
 * redactor.
 */
struct want_source { /* borrowed; the same for all cells of a run */
    const struct manifest *manifest;
    struct secrets *secrets;
    const struct commit *commit;
    struct arena *arena;
};

/* ERR_MANIFEST names the value and its place when a secret is missing or an env file is wrong. */
int want_fill(const struct want_source *s, const struct cell *c, struct want *ret, struct err *e);

/* The first key that the platform needs and the binding does not give, or NULL. */
const char *want_missing(const struct provider_ops *ops, const struct manifest_binding *b);

/* Identity of a service or mobile deployment (a bundle has its own digest): SHA-256 over everything
 * that would make it another one, values of variables included; hex, 65 bytes. */
void want_digest(const struct want *w, char ret[65]);
