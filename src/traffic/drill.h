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
 * Times count from the moment the fault was in force. detect: the router's first change of the
 * environment's state; decide: its first change that moved traffic; apply: that change confirmed by
 * the proxy (all three told by drill_changed); recover: the end of the last second in which a
 * canary request was lost or slow, or was answered by the faulty environment with an error; return:
 * from the fault's end until the environment has its share again. A drill that is stopped, or whose
 * process dies, undoes its fault: `undo` is also called by the next process for a record that is
 * still running (the record says what to undo).
 *
 * Life cycle: drill_new, drill_start, `done` once, drill_free. One thread, the loop's.
 */
enum drill_fault { DRILL_STOP, DRILL_ERRORS, DRILL_SLOW, DRILL_DRAIN };
const char *drill_fault_name(enum drill_fault f); /* "stop", "errors", "slow", "drain" */
int drill_fault_read(const char *word, enum drill_fault *ret, struct err *e); /* ERR_USAGE */

enum { DRILL_FOR_MAX_MS = 3600 * 1000, DRILL_RATE_MAX = 200 };

struct drill_options {
    const char *route, *environment; /* borrowed, as all here */
    enum drill_fault fault;
    int64_t for_ms;    /* the fault lasts */
    int64_t bound_ms;  /* recovery over it fails the drill */
    int64_t return_ms; /* waited for the return at most */
    int64_t slow_ms;   /* a canary answer over it is slow; default 250 */
    double rate;       /* canary requests a second; default 20 */
    const char *url;   /* through the router */
    const char *host;  /* Host header; "" = the URL's */

    /* Begins or ends the fault; `done` is called once, later or at once, with an error when it
     * could not. */
    void (*begin)(void (*done)(const struct err *e, void *drill), void *drill, void *arg);
    void (*end)(void (*done)(const struct err *e, void *drill), void *drill, void *arg);
    /* Has the environment its share again? Asked while the return is waited for. */
    bool (*returned)(void *arg);
    void (*progress)(const char *text, void *arg); /* for a person; NULL is fine */
    void (*done)(const struct drill_record *d, const struct sketch *times, void *arg);
    void *arg;
};

struct drill;
struct drill *drill_new(struct loop *loop, struct http_client *client,
                        const struct drill_options *o);
void drill_start(struct drill *d);
/* What the router logged of that environment, by its own clock (microseconds, wall). */
void drill_changed(struct drill *d, const struct traffic_change *c);
void drill_stop(struct drill *d); /* ends the fault now; `done` comes */
void drill_free(struct drill *d); /* NULL is fine */
