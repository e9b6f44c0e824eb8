#pragma once

#include "traffic/failover.h"

/*
 * What the files of failover share. failover.c: life cycle and the calls from outside;
 * failover_evidence.c: what is known of a member becomes an event; failover_step.c: an event goes
 * through its row; failover_rules.c: what a row may not do now; failover_hold.c: falls, hold times,
 * trials; failover_order.c; failover_steer.c: who gets how much; failover_save.c.
 *
 * Times are wall milliseconds, 0 = never or not.
 */
struct standing_order {
    bool set;
    enum order_kind kind;
    int weight;
    int64_t until_ms;
};

struct member {
    char *environment;
    int weight;
    bool backup, sleeps;

    enum traffic_state state;
    int64_t since_ms;
    bool out;   /* for its health; orders are not in it */
    bool seen;  /* anybody ever saw it */
    bool kept;  /* DOWN or DEGRADED, and the rules keep it in; told */
    bool unfit; /* may not get more than its share; as answered last */
    char reason[256];

    struct quorum_finding finding;
    enum live_state live;
    bool asleep;

    int64_t well_since_ms;
    int64_t hold_ms; /* of the fall it is in */
    int64_t back_ms; /* last time it came back from being out */
    int falls;       /* each within HOLD_MEMORY_MS of the return before */
    int64_t trial_until_ms, fast_until_ms;
    struct standing_order order;
};

struct failover {
    char *route;
    struct member *members;
    struct failover_standing *standings;
    size_t n;
    int64_t hold_ms, fast_ms;
    bool refuse_unfit;
    fitness_fn *fitness;
    void *fitness_arg;

    int64_t now_ms;
    bool open;
    char open_why[160];

    failover_change_fn *change; /* of the call that runs */
    void *change_arg;
};

/* --- failover.c */
struct member *member_named(struct failover *f, const char *environment); /* NULL: none */
/* Takes the time of a call: one that went back counts as no time passed. */
void failover_clock(struct failover *f, int64_t now_ms);
/* Around what a call does: orders that have expired; then holds, trials and the steering. */
void failover_begin(struct failover *f, int64_t now_ms, failover_change_fn *change, void *arg);
void failover_end(struct failover *f);

/* --- failover_evidence.c */
/* What the last findings say; TRAFFIC_EVENTS = nothing. */
enum traffic_event evidence_event(const struct member *m);
bool evidence_well(const struct member *m);
/* Lets the last findings have their effect: rows, hold time. Nothing while an order stands above
 * them. */
void evidence_judge(struct failover *f, struct member *m);

/* --- failover_step.c */
struct step { /* one event on its way through its row */
    const struct failover_row *row;
    unsigned action;
    bool news;  /* tell it even if it changes nothing */
    bool early; /* a hold time is cut short */
    char note[300];
};
void step_note(struct step *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Goes through the row of (state, event). `news`: tell it even if it changes nothing; `early`: the
 * hold time is cut short. */
void member_go(struct failover *f, struct member *m, enum traffic_event event, bool news,
               bool early);
/* After any event: what became allowed or necessary by it, and the steering. */
void failover_settle(struct failover *f);

/* --- failover_rules.c */
/* An order that says up, down or drained. */
static inline bool order_above(const struct member *m)
{
    return m->order.set && m->order.kind != ORDER_WEIGHT;
}

static inline bool ordered_weight(const struct member *m)
{
    return m->order.set && m->order.kind == ORDER_WEIGHT;
}

static inline int weight_now(const struct member *m)
{
    return ordered_weight(m) ? m->order.weight : m->weight;
}

/* A backup, unless an order gives it a weight. */
static inline bool reserve(const struct member *m)
{
    return m->backup && !ordered_weight(m);
}

/* Neither ordered away nor without a part to play. */
static inline bool eligible(const struct member *m)
{
    if (m->order.set && (m->order.kind == ORDER_DRAIN || m->order.kind == ORDER_DOWN))
        return false;
    return reserve(m) || weight_now(m) > 0;
}

bool answers(const struct member *m); /* in, and known to answer, be it after waking */
/* May an event take it out now? Else a note says why not. */
bool may_take_out(struct failover *f, struct member *m, enum traffic_event event, struct step *s);
/* The one to bring back before its time because nobody else answers; NULL = none. */
struct member *return_early(struct failover *f);

/* --- failover_hold.c */
void hold_fall(const struct failover *f, struct member *m);
void hold_return(const struct failover *f, struct member *m, bool trial);
bool hold_over(const struct failover *f, const struct member *m);
bool trial_over(const struct failover *f, const struct member *m);
int64_t hold_back_at(const struct member *m); /* 0 = its hold time does not run */
int hold_flaps(const struct failover *f, const struct member *m);
/* The wall clock went back by this much: no time has passed. */
void hold_shift(struct member *m, int64_t back_ms);

/* --- failover_order.c */
/* Ends the order in force, if any. Returns whether what was seen meanwhile is to be judged now. */
bool order_lift(struct failover *f, struct member *m);

/* --- failover_steer.c */
void failover_steer(struct failover *f); /* makes the standings anew */
