#pragma once

#include "store/store.h"

/*
 * What is kept of traffic: orders, changes, where it stood, drills. Texts are redacted by the
 * caller; NULL texts are kept as "". Times are wall milliseconds unless a name says otherwise. The
 * writer of a route holds the lease ROUTER_LEASE, and its token fences every write that steers.
 */
#define ROUTER_LEASE "traffic" /* lease_acquire's environment: one router a store */

#define ROUTER_DNS ":dns" /* an order's environment: the route's name in the DNS */

/* --- Orders: made by people, also while no router runs ---------------------------------------- */
struct traffic_order {
    int64_t id;
    const char *route, *environment;
    const char *kind; /* "weight", "drain", "up", "down"; "accept" of the environment ROUTER_DNS */
    int weight;
    int64_t made_ms, until_ms, ended_ms; /* until 0: until taken back; ended 0: in force */
    const char *who, *why;
};
/* Takes the place of the one in force for that route and environment. */
int traffic_order_make(struct store *s, const struct traffic_order *o, int64_t *ret_id,
                       struct err *e);
/* Ends those in force; environment NULL: all of the route; route NULL: all. */
int traffic_order_end(struct store *s, const char *route, const char *environment, int64_t at_ms,
                      int *ret_n, struct err *e);
/* Ends those in force that `who` made, and nobody else's. */
int traffic_order_end_made_by(struct store *s, const char *who, int64_t at_ms, int *ret_n,
                              struct err *e);
/* Ends those whose time is over, and no newer one that took their place. */
int traffic_order_expire(struct store *s, int64_t now_ms, struct err *e);
typedef void traffic_order_fn(const struct traffic_order *o, void *arg);
int traffic_order_list(struct store *s, bool ended_too, int limit, traffic_order_fn *fn, void *arg,
                       struct err *e); /* newest first */

/* --- Changes: the log ------------------------------------------------------------------------- */
struct traffic_change {
    int64_t id;
    const char *route, *environment, *from, *event, *to, *action, *reason, *evidence;
    int64_t seen_us, decided_us, applied_us;
};
int traffic_change_add(struct store *s, const struct lease *l, const struct traffic_change *c,
                       int64_t *ret_id, struct err *e);
int traffic_change_applied(struct store *s, const struct lease *l, int64_t id, int64_t applied_us,
                           struct err *e);
typedef void traffic_change_fn(const struct traffic_change *c, void *arg);
/* from <= decided < until, newest first; route NULL = all; limit 0 = all. */
int traffic_change_list(struct store *s, const char *route, int64_t from_ms, int64_t until_ms,
                        int limit, traffic_change_fn *fn, void *arg, struct err *e);

int traffic_state_put(struct store *s, const struct lease *l, const char *route, const char *json,
                      struct err *e);
/* *ret is "" when there is none; the caller's (free). */
int traffic_state_get(struct store *s, const char *route, char **ret, int64_t *ret_updated_ms,
                      struct err *e);

/* --- Drills ----------------------------------------------------------------------------------- */
enum drill_outcome { DRILL_RUNNING, DRILL_PASSED, DRILL_FAILED, DRILL_INTERRUPTED };
const char *drill_outcome_name(enum drill_outcome o);
struct drill_record { /* -1 = did not happen */
    int64_t id;
    const char *route, *environment, *fault;
    enum drill_outcome outcome;
    int64_t from_ms, until_ms, fault_ms;
    int64_t sent, lost, slow;
    int64_t detect_ms, decide_ms, apply_ms, recover_ms, return_ms, bound_ms; /* since the fault */
    int standby_woken; /* 1, 0, -1 = it was not asleep */
    const char *text;
};
/* One at a time: ERR_NO, naming it, while there is a record that runs. Fields that are measured are
 * not taken from `d`; its text says what must be undone should the process die. */
int drill_begin(struct store *s, const struct drill_record *d, int64_t *ret_id, struct err *e);
/* Writes what was measured; route, environment, fault and begin stay. ERR_NO: it ended before. */
int drill_end(struct store *s, const struct drill_record *d, struct err *e);
typedef void drill_fn(const struct drill_record *d, void *arg);
int drill_list(struct store *s, const char *route, int64_t from_ms, int64_t until_ms, int limit,
               drill_fn *fn, void *arg, struct err *e); /* newest first */
