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
int want_fill(const struct manifest *m, const struct cell *c, struct secrets *s,
              const struct commit *commit, struct arena *a, struct want *ret, struct err *e);

/* Identity of a service or mobile deployment (a bundle has its own digest): SHA-256 over everything
 * that would make it another one, values of variables included; hex, 65 bytes. */
void want_digest(const struct want *w, char ret[65]);
