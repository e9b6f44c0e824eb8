#pragma once

#include "store/store.h"

struct app;
struct store_worker;

/*
 * What drills that died have left: their faults are ended, from their records alone, and the
 * records closed as interrupted. Whoever sweeps holds DRILL_LEASE meanwhile, so what is found
 * running has nobody who runs it.
 *
 * Life cycle: drill_sweep_new, `done` once (not from inside drill_sweep_new), drill_sweep_free. One
 * thread, the loop's.
 */
#define DRILL_LEASE "traffic drill" /* an environment to lease_acquire; none has a blank in it */

struct drill_sweep_options {
    struct app *app; /* with net */
    struct store_worker *worker;
    bool force;      /* what cannot be undone is left as it is, and said */
    bool keep_lease; /* for the drill that follows: *lease is the caller's then */
    void (*say)(const char *text, void *arg);
    /* e: another drill runs (ERR_NO; with keep_lease only, else there is nothing to sweep), a fault
     * could not be ended, or the store failed; no lease is held then. */
    void (*done)(const struct err *e, const struct lease *l, void *arg);
    void *arg;
};
struct drill_sweep;
struct drill_sweep *drill_sweep_new(const struct drill_sweep_options *o);
void drill_sweep_free(struct drill_sweep *w); /* NULL is fine; after `done`, not inside it */
