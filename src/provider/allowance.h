#pragma once

#include "base/err.h"
#include "manifest/manifest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the platforms' free plans allow in traffic, and what their terms say of load tests: a dated
 * data file (allowances.json, in the binary), overridden by the manifest's `limits`. Constant after
 * the first use of a handle.
 *
 * Life cycle: allowances_new .. allowances_free. One thread. Results borrow from the handle.
 */
struct allowances;
struct allowances *allowances_new(const struct manifest *m); /* borrows m; NULL = no overrides */
void allowances_free(struct allowances *a);                  /* NULL is fine */

struct traffic {
    uint64_t requests, bytes;
};

/* The allowance of which this traffic takes the largest share. */
struct allowance_share {
    bool known;   /* false: no limit is stated for this platform */
    double share; /* of the whole allowance of one period; what was used before is not known */
    const char *metric;  /* "bandwidth" */
    double used, amount; /* in the metric's own unit */
    const char *per;     /* "month" */
    const char *beyond;  /* what happens when it runs out */
    const char *source;  /* where and when it was read; "the manifest" for an override */
};
void allowance_share(const struct allowances *a, const char *platform, const struct traffic *t,
                     struct allowance_share *ret);

/* What the platform's terms say against a load test, with the source; NULL when nothing is known.
 */
const char *allowance_load_terms(const struct allowances *a, const char *platform);
