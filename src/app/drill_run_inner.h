#pragma once

#include "app/drill_run.h"

#include "app/drill_fault.h"
#include "app/drill_sweep.h"
#include "base/arena.h"
#include "manifest/manifest.h"
#include "net/http.h"
#include "store/store.h"

#include <jansson.h>

/* What the files of drill_run share; nobody else includes it. */
struct store_worker;
struct timer;
struct standby_watch;

/* One of the route's environments. */
struct drill_place {
    const char *name, *host; /* host: of its deployment, without port; "" = nothing is live there */
};

/* Where the environment stood when the router was last heard of, and how the others did. */
struct drill_standing {
    bool known;                  /* the router has written something */
    char state[24];              /* "up" */
    double share, configured;    /* 0..1 of the route's new requests: now, and by the weights */
    int64_t order_id;            /* 0 = no order is in force */
    size_t others_up;            /* of the route's other environments: may be sent to */
    char ill[64], ill_state[24]; /* one of them that fails by itself; "" = none */
};

struct drill_run {
    struct drill_run_options o;
    struct arena arena;
    struct drill_record record;       /* what drill_begin takes; the id once it has begun */
    const char *url, *host;           /* of the canary */
    const char *app_name, *health[2]; /* as in fault_hand_options */
    enum drill_fault fault;
    double rate;
    int64_t return_ms;
    struct drill_place places[32];
    size_t n_places, target;

    struct store_worker *worker;
    struct http_client *client; /* the canary's own */
    struct drill_sweep *sweep;
    struct fault_hand *hand;
    struct drill *drill;
    struct standby_watch *standby;
    struct timer *poll, *heart;
    struct lease lease;
    bool have_lease, stopping, polling, beating, over;
    struct drill_standing before, now;
    int64_t standing_ms; /* when the router wrote what `now` is */
    struct traffic_change *changes;
    size_t n_changes;
    struct arena change_arena;

    struct err err;
    struct drill_record result;
    struct sketch times;
    bool ran;          /* `result` is there */
    char trouble[200]; /* a real failure has ended it; "" = none */
};

/* drill_run_store.c */
void drill_run_prepare(struct drill_run *r); /* what only the store can tell; then prepared */
void drill_run_prepared(struct drill_run *r, const struct err *e);
void drill_run_open(struct drill_run *r); /* the record begins; then opened */
void drill_run_opened(struct drill_run *r, const struct err *e);
void drill_run_poll(struct drill_run *r); /* the router's log and state; then polled */
void drill_run_polled(struct drill_run *r);
void drill_run_beat(struct drill_run *r);  /* keeps the lease; gone: drill_stop */
void drill_run_close(struct drill_run *r); /* record and lease; then closed */
void drill_run_closed(struct drill_run *r, const struct err *e);

/* drill_weather.c, on the store's worker: ERR_NO names what is in the way. */
int drill_run_check_calm(struct store *s, const struct drill_run *r, struct err *e);

/*
 * drill_standby.c: was a standby asleep when the fault began, and awake before the first client's
 * request reached it? Against the simulator from its books: each request with the time that it had
 * to wait for its service to wake. Against real platforms from the router's log: the row that says
 * the standby is up lies before the one that moved the traffic.
 */
struct standby_watch *standby_watch_new(struct drill_run *r);
/* Reads who is asleep; *e also when the environment is not one of the simulator's. */
void standby_watch_begin(struct standby_watch *w, fault_done_fn *done, void *arg);
/* Then 1, 0 or -1 by standby_watch_answer. */
void standby_watch_end(struct standby_watch *w, fault_done_fn *done, void *arg);
int standby_watch_answer(const struct standby_watch *w);
void standby_watch_free(struct standby_watch *w);
