#pragma once

#include "base/err.h"
#include "traffic/quorum.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Where the traffic of one route goes. A failover is a row of one table {from, event, to, reason,
 * action}; this file's other half is what the rows may do together. Pure: findings and times in,
 * changes and a steering out; no clock, no I/O.
 *
 * The rules, which a property test holds over random sequences:
 *  1. The last environment that answers is never taken out on active probes alone.
 *  2. Nothing is sent to an environment that a valid quorum calls down while another is up, unless
 *     all of those are refused as unfit.
 *  3. It fails open (sends by the configured weights) only while nobody is known to answer: the
 *     observers are invalid, or every environment is down. Those that are not called down are
 *     tried first.
 *  4. An environment comes back when it was well for its hold time; the hold doubles each time it
 *     falls again within HOLD_MEMORY_MS of its return, up to HOLD_MAX_MS (Envoy's growing ejection
 *     time). So however passes and failures follow each other, it is taken out at most
 *     1 + log2(1 + hour / hold) times in any hour: 7 with a hold of 30 s. It comes back sooner only
 *     when no other answers.
 *  5. A person's order stands above all of that until it expires, and is undone whole.
 *
 * Life cycle: failover_new, failover_observe / failover_order / failover_tick in the order of
 * events, failover_free. One thread.
 */
enum traffic_state {
    TRAFFIC_UNKNOWN, /* nothing was seen yet, or the observers are invalid */
    TRAFFIC_UP,
    TRAFFIC_DEGRADED, /* answers, with more errors than isolated ones; the others may be preferred
                       */
    TRAFFIC_ASLEEP,   /* its platform put it to sleep; it answers after waking */
    TRAFFIC_SUSPECT,  /* first signs; checked fast */
    TRAFFIC_DOWN,
    TRAFFIC_DRAINING, /* a person took it out: what runs ends by itself */
    TRAFFIC_STATES
};
const char *traffic_state_name(enum traffic_state s);

enum traffic_event {
    EVENT_UP,        /* the quorum says up */
    EVENT_DOUBT,     /* a first sign: one vote; a sleeper that does not answer yet */
    EVENT_ERRORS,    /* live traffic: more errors than isolated ones, checks are fine (grey) */
    EVENT_LIVE_DOWN, /* live traffic fails or stalls, no vantage point says so yet */
    EVENT_DOWN,      /* the quorum says down */
    EVENT_BLIND,     /* no valid observer and no traffic */
    EVENT_SLEPT,     /* its platform says it sleeps */
    EVENT_HELD,      /* was well for its hold time */
    EVENT_DRAIN,     /* a person's order */
    EVENT_RESTORE,   /* the order was taken back or expired */
    TRAFFIC_EVENTS
};
const char *traffic_event_name(enum traffic_event v);

/* Bits. */
enum traffic_action {
    ACTION_NONE = 0,
    ACTION_CHECK_FAST = 1,   /* ask it, and those that may take over, fast for a bounded time */
    ACTION_WAKE_STANDBY = 2, /* the next in order is woken at once */
    ACTION_TAKE_OUT = 4,
    ACTION_BRING_BACK = 8,
    ACTION_LESSEN = 16, /* less than its share, so that it is still seen to recover */
    ACTION_WARN = 32,   /* an advisory: people are told, traffic stays */
    ACTION_CHECK_CALMLY = 64,
};
struct failover_row {
    enum traffic_state from;
    enum traffic_event event;
    enum traffic_state to;
    unsigned action;    /* bits */
    const char *reason; /* for people */
};
/* Exactly one row for each (from, event). */
extern const struct failover_row failover_table[];
extern const size_t failover_table_count;
const struct failover_row *failover_row(enum traffic_state from, enum traffic_event event);
/* The table as a Graphviz graph (dot language). */
void failover_graph(struct buf *out);

/* --- A route ------------------------------------------------------------------------------------
 */
enum { ROUTE_ENVIRONMENTS_MAX = 32, HOLD_MAX_MS = 3600 * 1000, HOLD_MEMORY_MS = 3600 * 1000 };

struct failover_member { /* texts are copied */
    const char *environment;
    int weight;  /* as configured; 0 with backup */
    bool backup; /* takes traffic only when all of the weights are out */
    bool sleeps; /* its platform puts it to sleep */
};

/* May traffic move onto it? Asked when it is about to get more than its share. */
enum fitness { FIT_UNKNOWN, FIT_YES, FIT_NO };
struct fitness_answer {
    enum fitness fit;
    char why[200]; /* FIT_NO: "98 % of its bandwidth of this month is used" */
};
typedef void fitness_fn(const char *environment, struct fitness_answer *ret, void *arg);

struct failover_options {
    const char *route;                     /* borrowed */
    const struct failover_member *members; /* in the order in which they take over */
    size_t n_members;
    int64_t hold_ms;     /* how long it must be well before its share comes back */
    int64_t fast_ms;     /* CHECK_FAST lasts at most this; then ACTION_CHECK_CALMLY; 0 = 60 s */
    bool refuse_unfit;   /* else: warn and move all the same */
    fitness_fn *fitness; /* NULL: all unknown */
    void *arg;
};

struct failover_change { /* valid during the call */
    const char *environment;
    const struct failover_row *row;
    unsigned action;  /* of the row, less what the rules forbid */
    char reason[512]; /* the row's, with what the rules added: "it is the last that answers" */
    int64_t at_ms, hold_ms; /* hold_ms: that a DOWN one must be well before it comes back */
};
typedef void failover_change_fn(const struct failover_change *c, void *arg);

struct failover_standing { /* of one environment; for steering and for showing */
    const char *environment;
    enum traffic_state state;
    int64_t since_ms;
    int weight; /* as configured */
    int share;  /* 0..256: the weight it gets now */
    bool out;   /* gets nothing new */
    bool backup, in_use_as_backup;
    bool ordered;                               /* a person's order is in force */
    int64_t order_until_ms;                     /* 0 = until it is taken back */
    int64_t well_since_ms, hold_ms, back_at_ms; /* DOWN: when it may come back; 0 = not well yet */
    int flaps; /* falls, each within HOLD_MEMORY_MS of the return before; 0 = none lately */
    const char *reason; /* the last change's; valid until the next call */
};

struct failover;
/* NULL and ERR_USAGE: weights that sum to nothing, a backup that is also weighted, a name twice,
 * too many. */
struct failover *failover_new(const struct failover_options *o, int64_t now_ms, struct err *e);
void failover_free(struct failover *f); /* NULL is fine */

/* What is known of one environment now. `change` is called for every row gone through, in order.
 * Live traffic tells nothing more of one that was taken out: observe it again, with LIVE_NONE, or
 * its last word stands and its hold time does not begin.
 * All times wall milliseconds; one that goes back counts as no time passed. */
void failover_observe(struct failover *f, size_t member, const struct quorum_finding *finding,
                      enum live_state live, bool asleep, int64_t now_ms, failover_change_fn *change,
                      void *arg);
/* Holds and orders that run out. */
void failover_tick(struct failover *f, int64_t now_ms, failover_change_fn *change, void *arg);
int64_t failover_next_ms(const struct failover *f); /* when tick has something to do; INT64_MAX */

enum order_kind {
    ORDER_WEIGHT, /* this weight instead of the configured one */
    ORDER_DRAIN,  /* nothing new goes there */
    ORDER_UP,     /* counts as up whatever the observers say */
    ORDER_DOWN,   /* counts as down */
    ORDER_NONE,   /* takes the order in force back */
};
const char *order_kind_name(enum order_kind k);
/* until_ms 0: until it is taken back. Takes the place of the one in force. A weight (0..100) does
 * not stand above what the observers say, the other kinds do; a backup that is given a weight takes
 * its part like the others. ERR_USAGE: no such member; an end that has passed; it would leave
 * nobody to send to. */
int failover_order(struct failover *f, const char *environment, enum order_kind kind, int weight,
                   int64_t until_ms, int64_t now_ms, failover_change_fn *change, void *arg,
                   struct err *e);

/* In the order of the members. */
const struct failover_standing *failover_standings(const struct failover *f, size_t *ret_n);
bool failover_is_open(const struct failover *f); /* fails open: by the configured weights */
const char *failover_open_why(const struct failover *f);
/* Who would take over if the members of weight were out: index, or SIZE_MAX. */
size_t failover_standby(const struct failover *f);
/* Who would take over from this one, and so is woken at its first doubt: another one with a weight
 * that is in use, else the standby; SIZE_MAX. */
size_t failover_next(const struct failover *f, size_t member);

/* For the next process: what store_state takes; failover_restore refuses (ERR_NO) what it does not
 * understand and changes nothing then. Members that are gone are dropped, new ones begin unknown.
 */
void failover_save(const struct failover *f, struct buf *out); /* JSON */
int failover_restore(struct failover *f, const char *json, size_t len, int64_t now_ms,
                     struct err *e);
