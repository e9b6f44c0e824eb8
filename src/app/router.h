#pragma once

#include "store/traffic.h"
#include "traffic/failover.h"
#include "traffic/haproxy.h"

#include <stdbool.h>

/*
 * Traffic as `trine serve` steers it: what the watch, the agents and HAProxy tell becomes votes and
 * live evidence (traffic/quorum.h, live.h), those become rows of the failover table
 * (traffic/failover.h), and these become orders to HAProxy, wake-ups, faster checks, lines in the
 * log and incidents. Only the process that holds the store's ROUTER_LEASE steers; another one
 * watches, says who steers, and takes over when the lease is free.
 *
 * Its files: router.c (life, lease), router_evidence.c (votes), router_steer.c (what a change
 * does), router_pace.c (the route's own checks), router_json.c (docs/api.md, *Traffic*).
 *
 * Life cycle: router_new, router_start, the router_* calls below as things happen, router_stop
 * (HAProxy goes on), router_free. One thread, the loop's.
 */
struct app;
struct buf;
struct json_out;
struct matrix;
struct probe_result;
struct router;
struct watch;
struct watch_check;

struct router_options {
    struct app *app;
    struct watch *watch;
    const struct matrix *matrix;
    /* Each may be NULL. Valid during the call. */
    void (*changed)(void *arg); /* something of what router_json prints is different */
    void (*change)(const struct traffic_change *c,
                   void *arg); /* a row of the table, applied or not */
    void (*say)(const char *text, void *arg);
    void *arg;
};
struct router *router_new(const struct router_options *o); /* NULL: the manifest has no routes */
int router_start(struct router *r, struct err *e);
void router_stop(struct router *r);
void router_free(struct router *r); /* NULL is fine */
/* The manifest or what is live has changed. */
void router_refresh(struct router *r, const struct matrix *matrix);

/* From the watch. */
void router_sampled(struct router *r, const struct watch_check *c, const struct probe_result *p);
void router_state(struct router *r, const struct watch_check *c); /* state or awake changed */
void router_blind(struct router *r, bool blind);

/* From the agents: what one vantage point says of one check; NULL check: only how it is itself. */
struct router_vote {
    const char *vantage;
    bool valid;
    const char *why; /* when it is not */
    int64_t clock_off_ms;
    const char *environment, *app, *instance, *check; /* "" = only how it is itself */
    enum health_state state;
    const char *reason;
    int64_t since_ms;
};
void router_vote(struct router *r, const struct router_vote *v);
void router_vantage_gone(struct router *r, const char *vantage);

/* There are orders in the store: looks now, which it does by itself four times a second. */
void router_look_for_orders(struct router *r);
/* Nothing borrows from an earlier manifest any more. NULL: true. */
bool router_settled(const struct router *r);
size_t router_pending(const struct router *r); /* writes on their way */

void router_json(const struct router *r, struct json_out *o); /* docs/api.md: Traffic */
const struct failover_standing *router_standing(const struct router *r, const char *route,
                                                const char *environment); /* NULL: no such */
