#pragma once

#include "base/err.h"
#include "base/sketch.h"
#include "store/traffic.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;
struct loop;

/*
 * A rehearsed failure: a canary client sends through the router at a constant rate, the fault
 * begins, lasts, and ends, and what the client saw is measured until everything is as before. Who
 * runs it supplies how a fault is begun and ended; this file does not know what it is.
 *
 * Times count from the moment the fault was in force, in milliseconds:
 *   detect   the router had the evidence for its first change of the environment's state
 *   decide   its first change that moved traffic away
 *   apply    that change confirmed by the proxy (all three told by drill_changed)
 *   recover  the first request of which on every one was answered well and in time; 0 when none was
 *            lost or slow. What is lost or slow later, when the environment returns, is counted but
 *            is not the recovery's
 *   return   from the fault's end until the environment has its share again
 *
 * The fault only begins once the route answers the canary. It is ended whatever happens, again and
 * again should that fail; when it cannot be ended at all the record given to `done` still says
 * DRILL_RUNNING, so that who keeps it leaves it to the next process to undo.
 *
 * Life cycle: drill_new, drill_start, `done` once, drill_free. One thread, the loop's.
 */
enum drill_fault {
    DRILL_STOP,   /* every connection is cut */
    DRILL_HANG,   /* requests are taken and never answered */
    DRILL_ERRORS, /* 503 for all */
    DRILL_SLOW,   /* 2 s late */
    DRILL_GREY,   /* health paths answer as before, 503 for all else */
    DRILL_DRAIN,  /* an order; nothing fails */
};
const char *drill_fault_name(enum drill_fault f); /* "stop", "hang", ... */
int drill_fault_read(const char *word, enum drill_fault *ret, struct err *e); /* ERR_USAGE */

enum {
    DRILL_FOR_MAX_MS = 3600 * 1000,
    DRILL_RATE_MAX = 200,
    DRILL_RATE = 20,
    DRILL_SLOW_MS = 250,
    DRILL_PATIENCE_MS = 10000, /* a canary request without a 2xx for so long is lost */
};

struct drill_options {
    const char *route, *environment; /* borrowed, as all here */
    enum drill_fault fault;
    int64_t for_ms;    /* the fault lasts */
    int64_t bound_ms;  /* recovery over it fails the drill */
    int64_t return_ms; /* waited for the return at most */
    int64_t slow_ms;   /* a canary answer over it is slow; 0 = DRILL_SLOW_MS */
    double rate;       /* canary requests a second; 0 = DRILL_RATE */
    const char *url;   /* through the router */
    const char *host;  /* Host header; "" = the URL's */

    /* Begins or ends the fault; `done` is called once, later or at once, with an error when it
     * could not. */
    void (*begin)(void (*done)(const struct err *e, void *drill), void *drill, void *arg);
    void (*end)(void (*done)(const struct err *e, void *drill), void *drill, void *arg);
    /* Has the environment its share again? Asked ten times a second while its return is waited for.
     */
    bool (*returned)(void *arg);
    void (*progress)(const char *text, void *arg); /* for a person; NULL is fine */
    /* Once, never from inside a call of this file's; valid during the call. The record has no id
     * and standby_woken -1: its keeper knows them. */
    void (*done)(const struct drill_record *d, const struct sketch *times, void *arg);
    void *arg;
};

struct drill;
struct drill *drill_new(struct loop *loop, struct http_client *client,
                        const struct drill_options *o);
void drill_start(struct drill *d);
/* What the router logged of the route since the drill began, by the clock of this machine
 * (microseconds, wall). The same row may be told again, as when it has been applied meanwhile. */
void drill_changed(struct drill *d, const struct traffic_change *c);
void drill_stop(struct drill *d); /* ends the fault now; `done` comes, outcome interrupted */
void drill_free(struct drill *d); /* NULL is fine; not from inside a callback */
