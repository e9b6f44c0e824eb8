#pragma once

#include "traffic/dns_backend.h"
#include "traffic/dns_brake.h"

/* The engine's inside, shared by dns.c (operations), dns_follow.c (when), dns_look.c (did others
 * change it?) and dns_tail.c (what still comes by the old answer). */

enum { DNS_ENVIRONMENTS_MAX = 32, DNS_NONE = -1 };

enum op_kind { OP_WANT, OP_ACCEPT, OP_LOOK };
struct dns_op {
    struct dns_op *next;
    enum op_kind kind;
    char *environment; /* OP_WANT */
    bool given_way;    /* to a newer one */
    dns_done_fn *done; /* may be NULL */
    void *arg;
};

struct dns_tail { /* of one environment */
    bool known;
    uint64_t last, base; /* totals: last seen; at base_at */
    int64_t last_at, base_at;
    double rate; /* a second; -1 = not known yet */
};

struct dns_place { /* an environment with its answer */
    char *environment;
    struct dns_tail tail;
};

struct dns_engine {
    struct loop *loop;
    struct dns_backend *backend;
    struct dns_brake brake;
    struct dns_memory memory;
    char *route, *host;
    struct dns_place places[DNS_ENVIRONMENTS_MAX];
    struct dns_record answers[DNS_ENVIRONMENTS_MAX]; /* as they are wanted, by place */
    size_t n_places;
    int64_t settle_ms;
    void (*save)(const char *json, void *arg);
    void (*say)(const char *text, bool bad, void *arg);
    void *arg;

    /* operations */
    struct dns_op *waiting; /* oldest first */
    struct dns_op *now;
    struct timer *pump; /* begins the next one, and reads back again */
    int wanted;         /* place; DNS_NONE */
    int tries;          /* of this operation: readings anew, readings back */
    bool was_read;
    int64_t read_at;         /* wall */
    bool keep_proxied;       /* as the record has it */
    bool unsure;             /* an UPDATE that failed may be our own, sent twice */
    bool stubborn;           /* what was read did not change, and yet it is said to be gone */
    struct dns_record tried; /* what the last change was to replace */
    struct dns_records found;
    enum dns_phase phase;
    bool foreign;
    char why[512], said[700];
    char answer_text[DNS_FOUND_TEXT];

    /* looking */
    struct timer *look;
    int64_t look_ms;
    enum dns_phase before_look;
    bool looked_badly; /* HELD or FAILED by a look */

    int64_t tail_until; /* wall */

    /* following */
    struct timer *follow;
    bool follows;
    int candidate;              /* place; DNS_NONE */
    int64_t candidate_since;    /* monotonic ms */
    int reached;                /* the place at which following ended well; DNS_NONE */
    int64_t pause_ms, next_try; /* monotonic; 0 = now */
};

int dns_place_of(const struct dns_engine *d, const char *environment); /* DNS_NONE */
/* Whose answer the name has now; DNS_NONE. */
int dns_place_now(const struct dns_engine *d);
bool dns_is_busy(const struct dns_engine *d);

/* dns.c */
void dns_tell(struct dns_engine *d, const char *text, bool bad); /* not twice in a row */
void dns_end(struct dns_engine *d, const struct err *e);         /* of the operation */
void dns_end_well(struct dns_engine *d);

/* dns_look.c */
void dns_look_due(void *engine);
void dns_look_ended(struct dns_engine *d);                      /* OP_LOOK: the name was read */
void dns_look_later(struct dns_engine *d, const struct err *e); /* an operation has ended */

/* dns_follow.c: an operation has ended; perhaps it is time for one. */
void dns_follow_on(struct dns_engine *d);
