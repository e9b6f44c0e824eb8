#pragma once

#include "base/err.h"
#include "manifest/manifest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What traffic takes of the platforms' free plans, and what their terms say of load tests: by the
 * catalogue (manifest/catalogue.h), overridden by the manifest's `limits`. Constant after the first
 * use of a handle.
 *
 * Life cycle: allowances_new .. allowances_free. One thread. Results borrow from the handle.
 */
enum { MONTH_HOURS = 730 };

struct allowances;
struct allowances *allowances_new(const struct manifest *m); /* borrows m; NULL = no overrides */
void allowances_free(struct allowances *a);                  /* NULL is fine */

struct traffic {
    double requests, bytes; /* bytes: what the platform sends */
    double commands;        /* of a cache */
    double awake_hours;     /* of a service or database that sleeps, beyond those without it */
    unsigned hosts;         /* bits of enum hosting that it goes to; 0 = not said */
    bool paid; /* the free plan's figures do not hold: only the manifest's own limits */
};

/* The allowance of which this traffic takes the largest share. */
struct allowance_share {
    bool known;     /* false: no limit is stated for this platform and traffic */
    bool unlimited; /* not known, because the platform states that there is no limit */
    double share;   /* of the whole allowance of one period; what was used before is not known */
    const char *metric;  /* "bandwidth" */
    double used, amount; /* in the metric's own unit */
    const char *per;     /* "month" */
    const char *beyond;  /* what happens when it runs out */
    const char *source;  /* where and when it was read; "the manifest" for an override */
    const char *doubt;   /* what another copy of the figures says; "" = none is known */
};
/* Traffic of one moment: all of it in one day or month. */
void allowance_share(const struct allowances *a, const char *platform, const struct traffic *t,
                     struct allowance_share *ret);
/* Traffic of a month of MONTH_HOURS, evenly spread: an allowance a day counts for all its days;
 * `used` and `amount` are a month's. */
void allowance_share_of_month(const struct allowances *a, const char *platform,
                              const struct traffic *t, struct allowance_share *ret);

/* What the platform's terms say against a load test, with the source; NULL when nothing is known.
 */
const char *allowance_load_terms(const struct allowances *a, const char *platform);
