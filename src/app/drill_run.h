#pragma once

#include "base/sketch.h"
#include "store/traffic.h"
#include "traffic/drill.h"

struct app;
struct loop;

/*
 * One drill from its checks to its record, in `trine traffic drill` and in `trine serve` alike: the
 * lease that keeps two from running at once, what an earlier one left behind, the fault
 * (drill_fault.h), the canary (traffic/drill.h), the router's log, the standby.
 *
 * What is refused before anything happened, with the reason: another drill runs; nobody steers; the
 * route has no `listen`; a person's order is in force for that environment; the environment is not
 * up; no other one of the route is; another one of it fails, or an incident of the app is open
 * there; the fault is none for a real platform; a fault that an earlier drill left cannot be
 * undone.
 *
 * Life cycle: drill_run_new, drill_run_start, `ended` once, drill_run_free. One thread, the loop's.
 */
struct drill_run_options {
    struct app *app; /* with manifest, net and store; the manifest is only read by drill_run_new */
    const char *route; /* NULL: the manifest's only one */
    const char *environment;
    enum drill_fault fault;
    int64_t for_ms; /* 0 = DRILL_RUN_FOR_MS */
    double rate;    /* 0 = DRILL_RATE */
    bool force;     /* an earlier drill's fault that cannot be undone is left as it is */
    /* Each may be NULL; valid during the call. */
    void (*say)(const char *text, void *arg);      /* stays: what was found and done */
    void (*progress)(const char *text, void *arg); /* now, about once a second */
    void (*began)(const struct drill_record *d, void *arg);
    /* Not from inside drill_run_start. `d` NULL: it did not begin, *e says why. With both: it ran,
     * and its record could not be written. */
    void (*ended)(const struct err *e, const struct drill_record *d, const struct sketch *times,
                  void *arg);
    void *arg;
};
enum { DRILL_RUN_FOR_MS = 30000 };

struct drill_run;
/* NULL and *e: the manifest and the options alone say that it cannot be done. */
struct drill_run *drill_run_new(const struct drill_run_options *o, struct err *e);
void drill_run_start(struct drill_run *r);
void drill_run_stop(struct drill_run *r); /* ends the fault first; `ended` comes */
void drill_run_free(struct drill_run *r); /* NULL is fine; after `ended`, not inside it */
