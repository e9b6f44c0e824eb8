#pragma once

#include "app/checking_view.h"
#include "app/origin.h"
#include "app/router.h"
#include "base/arena.h"
#include "base/buf.h"
#include "probe/health.h"
#include "traffic/live.h"

/* The router's parts, shared by its files; nobody else includes it. */

enum {
    ROUTER_ORDERS_MS = 250, /* the store is asked for people's orders */
    ROUTER_LEASE_AGAIN_MS = 2000,
    ROUTER_FAST_MS = 500, /* checks of what is in doubt */
    ROUTER_FAST_FOR_MS = 60000,
    ROUTER_WELL_MS = 2000, /* votes are looked at again so often: they grow old */
};

struct observer { /* a vantage point; the first is this process */
    char name[65];
    bool valid;
    char why[160];
    int64_t clock_off_ms, seen_ms; /* seen: monotonic */
};

struct ballot { /* what one observer says of one member */
    bool known;
    struct health health; /* of this process only: by the route's own thresholds */
    enum health_state state;
    char reason[160];
    int64_t since_ms;
};

struct router_member {
    const char *environment, *platform, *instance;
    struct origin origin; /* where it is live */
    int weight;
    bool backup, sleeps, asleep;
    int64_t series; /* of the check that decides; 0 = not known to the watch yet */
    struct ballot ballots[VANTAGES_MAX];
    struct quorum_finding finding;
    struct live live;
    struct live_counters counters;
    double per_second, errors_per_second; /* over the last second or so */
    struct live_counters second_ago;
    int64_t second_ago_ms;
    uint32_t sessions;
    bool proxy_took_out; /* HAProxy did, by itself */
    char proxy_check[64];
    int64_t pace_ms;  /* of the route's own checks while all is calm; 0 = none */
    bool pace_stops;  /* only while something else keeps it awake */
    int64_t order_id; /* in force, as the store has it; 0 = none */
    int64_t order_until_ms;
    int order_weight;
    char order_kind[8], order_who[80], order_why[160];
    struct fitness_answer fitness;
    int64_t fast_until_ms; /* wall; checks are fast until then, then calm again; 0 = calm */
    int64_t answered_ms;   /* monotonic: live traffic was last told to the watch */
};

struct router_route {
    struct router *router;
    const struct manifest_route *m;
    struct failover *failover;
    struct router_dns *dns; /* NULL: its name is not moved, or not by us now */
    struct router_member *members;
    size_t n_members;
    struct haproxy_order ordered[ROUTE_ENVIRONMENTS_MAX]; /* what the proxy was told last */
};

struct store_worker;
struct timer;
struct router {
    struct router_options o;
    struct arena arena; /* names of the routes and members in force */
    struct router_route *routes;
    size_t n_routes;
    struct checking_rows checking; /* what their checks may cost */
    struct observer observers[VANTAGES_MAX];
    size_t n_observers;
    struct haproxy *proxy; /* NULL: no route listens */
    struct store_worker *ledger;
    struct lease lease;
    bool steering, stopping, leasing;
    char why[256]; /* not steering: why */
    struct timer *orders_timer, *lease_timer, *look;
    bool reading_orders, saving, unsaved;
    unsigned looks;
    char *described;  /* of the plan in force, to see when it changes */
    bool taking_over; /* what stands in the store counts, not what this process thought meanwhile */
    bool differs, stale; /* stale: the plan could not be made anew and borrows from before */
    struct err said;     /* the last failure that was said */
    struct err stale_said;
    /* Wall microseconds at the monotonic clock's zero: the wall clock itself has milliseconds only.
     * Set again when it jumps. */
    int64_t wall_us_at_zero;
};

void router_say(struct router *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void router_moved(struct router *r); /* something that is shown has changed */
/* The same is told as the proxy's state already. */
bool router_proxy_said(const struct router *r, const struct err *e);
void router_begin(struct router *r); /* the lease is ours */
void router_lease_release(struct router *r);

/* router_plan.c: the manifest and what is live become routes, members and HAProxy's plan. What was
 * known of a route goes over into the new one. */
int router_plan(struct router *r, struct err *e);
void router_plan_release(struct router *r);
/* 1: there is something for HAProxy, in `a`; 0: no route listens. */
int router_proxy_plan(const struct router *r, const char *dir, struct arena *a,
                      struct haproxy_plan *ret);

/* router_evidence.c */
void router_judge(struct router_route *route, struct router_member *m, int64_t seen_us);
void router_judge_all(struct router *r);
void router_readings(const struct haproxy_reading *list, size_t n, int64_t at_us, void *router);
struct observer *router_observer(struct router *r, const char *name); /* NULL: too many */

/* router_steer.c */
struct decision { /* all that one piece of evidence brought about */
    struct router_route *route;
    int64_t seen_us, decided_us; /* wall */
    struct change_note *notes;   /* rows gone through, on their way into the log */
};
struct decision decision_begin(struct router_route *route, int64_t seen_us);
void decision_change(const struct failover_change *c, void *decision);
void decision_end(struct decision *d);             /* logs, steers, saves */
void router_steer_all(struct router_route *route); /* as it stands: after a start or a reload */
void router_fitness(const char *environment, struct fitness_answer *ret, void *arg);
int64_t router_wall_us(const struct router *r);

/* router_dns.c */
struct json_out;
/* Also for one that was carried over: with the manifest as it is now, once no change is under way.
 */
void router_dns_begin(struct router_route *route);
/* From the routes of the plan before, with what is under way. */
void router_dns_carry(struct router *r, struct router_route *old, size_t n_old);
void router_dns_end(struct router_route *route); /* another process moves the name now */
void router_dns_follow(struct router_route *route);
void router_dns_seen(struct router_route *route);
void router_dns_accept(struct router_route *route, int64_t order); /* once for each; ends it */
void router_dns_json(const struct router_route *route, struct json_out *o); /* the member dns */

/* router_pace.c */
void router_pace(struct router_route *route); /* calm checks of all members */
void router_check_fast(struct router_route *route, struct router_member *m, bool wake);
void router_check_calmly(struct router_route *route, struct router_member *m);
void router_pace_look(struct router_route *route); /* what was fast for long enough is calm again */
void router_answered(struct router_route *route, struct router_member *m);

/* router_store.c: lease, orders, log and state, on the ledger */
void router_lease(struct router *r); /* takes it, or keeps it */
void router_read_orders(struct router *r);
void router_save(struct router *r);
struct change_note { /* a row of the log on its way */
    struct change_note *next;
    struct router *router;
    struct traffic_change change; /* as it was decided; not touched while it is written */
    int64_t id, applied_us; /* the row's number, from the ledger's thread; when it was applied */
    struct lease lease;
    struct arena arena; /* its texts */
    int waits;          /* for the log and for the proxy */
};
void router_log(struct router *r, struct change_note *n);
void router_log_applied(struct change_note *n, int64_t applied_us);
void router_log_drop(struct change_note *n); /* the whole list */
