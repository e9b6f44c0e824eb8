#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "probe/target.h"
#include "provider/provider.h"

#include <stddef.h>

/*
 * What there is to probe now: the manifest's checks, the matrix, the secrets and what is live
 * become an array of struct target.
 *
 * http, cors, websocket, tls, tcp and dns: one target a live deployment of each app that the check
 * names. postgres, redis and upstash: one an environment, of its database or cache, as app
 * "database" or "cache" with instance ""; it is taken when the matrix has a cell of an app that the
 * check names.
 *
 * What cannot be probed is left out and said: an app that is not live yet, a certificate on plain
 * http, an environment that has no database, a secret without a value. That is no error.
 *
 * Life cycle: zeroed, targets_build, targets_release. Borrows the app (manifest, store) and the
 * matrix until then. Build anew after a deploy. The texts of targets hold secrets: the URLs of
 * databases, tokens and headers. One thread.
 */
struct app;
struct matrix;

struct target_omission { /* why: plain words, what to do included, no secrets */
    const char *environment, *app, *instance, *check, *why;
};

/* The running service behind targets whose platform can tell whether it is awake: what
 * provider->awake and provider->take_awake need. */
struct target_service {
    const char *environment, *app, *instance;
    const struct provider_ops *provider;
    struct deployment deployment;
    struct want want; /* the token, and what names the account: nothing else is set */
};

struct targets {
    struct arena arena;
    struct target *items; /* in the manifest's order of checks, then the matrix's */
    size_t n, size;
    struct target_omission *left_out;
    size_t n_left_out, size_left_out;
    struct target_service **services;
    size_t n_services, size_services;
};

/* Needs app_open_manifest, app_open_secrets, app_open_net (for bases) and app_open_store. -1: the
 * store could not be read or written. */
int targets_build(struct app *a, const struct matrix *x, struct targets *ret, struct err *e);

/* One line on stderr a check and reason, with how many it concerns. */
void targets_say_left_out(const struct app *a, const struct targets *t);

/* NULL: there is none, or its platform cannot tell. */
const struct target_service *targets_service(const struct targets *ts, const struct target *t);

void targets_release(struct targets *t); /* wipes secrets; a zeroed one is fine */
