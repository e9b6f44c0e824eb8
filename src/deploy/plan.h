#pragma once

#include "manifest/matrix.h"
#include "provider/provider.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What a deploy would do: wanted + observed -> one action a cell. Pure: arrays in, actions out, no
 * I/O. Cost grows as n log n with the cells.
 */
enum plan_action { PLAN_CREATE, PLAN_CHANGE, PLAN_NOTHING, PLAN_CANNOT };
const char *plan_action_name(enum plan_action a); /* "create", "change", "nothing", "cannot" */

/* What is live, as the store knows it. */
struct plan_live {
    const char *environment, *app, *instance, *digest, *commit, *platform, *project;
    int64_t release;
    int64_t overtaken; /* a later release that reached the platform and did not end well, or 0 */
};

struct plan_item {
    /* filled by the caller, borrowed */
    const struct cell *cell;
    const struct want *want; /* NULL when it could not be filled; `why` says why */
    const char *digest;      /* "" when the bundle has still to be built */
    const char *trouble;     /* why it cannot be done, found earlier (bundle, build); NULL = none */

    /* the answer */
    enum plan_action action;
    char why[320];
    const struct provider_ops *ops; /* NULL when there is none */
    const struct plan_live *live;   /* NULL when nothing is */
};

struct plan_counts {
    size_t of[PLAN_CANNOT + 1];
};

/* Fills the answers; `live` is sorted by the call. Returns the counts by action. */
struct plan_counts plan_make(struct plan_item *items, size_t n, struct plan_live *live,
                             size_t n_live);
