#pragma once

#include "manifest/manifest.h"

#include <stddef.h>

/*
 * What the platforms' free plans allow, and what their terms say of load tests: a dated data file
 * (allowances.json, in the binary), each row with its source. An account's own figures stand in the
 * manifest's `limits` and go before these. Constant after catalogue_new.
 *
 * Life cycle: catalogue_new .. catalogue_free. Everything borrows from it.
 */
struct catalogue_row {
    const char *platform;
    unsigned hosts; /* bits of enum hosting (platform.h) that it is for; 0 = all of them */
    enum limit_metric metric;
    double amount; /* bytes, hours awake, units of credit, else a number; INFINITY: unlimited */
    enum limit_period per;
    /* What a GB out, 10,000 requests and an hour awake take of credit or compute hours. */
    double per_gb, per_10k_requests, per_awake_hour;
    const char *beyond; /* what happens when it runs out */
    const char *source; /* where and when it was read */
    const char *doubt;  /* what another copy says; "" = none is known */
};

struct catalogue;
struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue *c); /* NULL is fine */

const struct catalogue_row *catalogue_rows(const struct catalogue *c, size_t *ret_n);
/* What the platform's terms say against a load test; NULL when nothing is known. */
const char *catalogue_load_terms(const struct catalogue *c, const char *platform);
