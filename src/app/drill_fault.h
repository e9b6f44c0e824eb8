#pragma once

#include "store/traffic.h"
#include "traffic/drill.h"

struct bases;
struct http_client;
struct store_worker;
struct clock;

/*
 * How a drill's fault is begun and ended.
 *
 * Against the simulator (its bases file names its control API): a rule for the environment's host,
 * put before those that others have set, which stay. It carries the drill's mark in its note, so
 * that ending takes out what this drill put in and nothing else. Setting rules makes the simulator
 * count `times` and `after` of all rules from the beginning.
 *
 * Against real platforms: an order to drain, made by "trine drill N", which also runs out by
 * itself. Anything else is refused: nobody's platform is told to fail.
 *
 * Both are known from the drill's record alone, so another process can undo them.
 *
 * Life cycle: fault_hand_new, then fault_begin and fault_end in any order, each waited for,
 * fault_hand_free. One thread, the loop's.
 */
struct fault_hand;
typedef void fault_done_fn(const struct err *e, void *arg); /* e NULL: done */

struct fault_hand_options {
    struct http_client *http; /* for the control API */
    const struct bases *bases;
    struct store_worker *worker; /* for orders */
    const struct clock *clock;
    const struct drill_record
        *record;           /* id, route, environment, fault, from_ms, fault_ms; copied */
    const char *host;      /* of the environment's deployment, without port; copied; "" to undo */
    const char *health[2]; /* paths that DRILL_GREY leaves alone: the app's and the route's check's;
                            * copied; NULL to undo */
};
struct fault_hand *fault_hand_new(const struct fault_hand_options *o);
void fault_begin(struct fault_hand *h, fault_done_fn *done, void *arg);
void fault_end(struct fault_hand *h, fault_done_fn *done, void *arg); /* nothing to end: done */
void fault_hand_free(struct fault_hand *h); /* NULL is fine; not while a call is waited for, unless
                                             * the loop has ended */

/* Can it be begun here at all? ERR_NO says what can. */
int fault_check(const struct bases *bases, enum drill_fault fault, const char *environment,
                struct err *e);
