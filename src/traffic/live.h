#pragma once

#include "traffic/quorum.h"

/*
 * What the users' own requests say of an environment: from HAProxy's counters, read every few tens
 * of milliseconds. Pure: counters in, verdict out.
 *
 * Three signs.
 *  - Failures in a row with no good answer between: LIVE_BAD. Of a reading with b bad and g good
 *    ones it is certain that b / (g + 1) were in a row.
 *  - A failure rate that a sequential probability ratio test (Wald 1945) calls worse than
 *    `bad_rate` rather than `good_rate`: LIVE_ERRORS. So 30 % errors are found within seconds at
 *    one request a second and within 100 ms at a thousand, and isolated ones are not: 1 % of them
 *    give one wrong alarm in a million requests (tests/unit/traffic/test_live.c counts). The bound
 *    grows with the number of requests, so that wrong alarms stay rare in time at any rate.
 *  - `in_a_row` requests or more that were sent after the last answer, one after the other, and no
 *    answer for several times the longest silence that is usual there, never less than
 *    stall_least_ms: LIVE_STALLED; this is known long before their time is up. For fewer requests
 *    it takes ten times that, since one that waits may just be slow. Nothing is usual yet for one
 * that never answered. Evidence fades: after `window_ms` a third of it is left.
 */
struct live_counters {  /* of one server, since HAProxy's start; all but waiting only grow */
    uint64_t answered;  /* responses of any status, and tries that failed without one */
    uint64_t failed;    /* 5xx, refused or broken connections, timeouts */
    uint64_t tried;     /* requests sent to it, retries included */
    uint32_t waiting;   /* requests that are with it now */
    uint32_t answer_ms; /* HAProxy's average of the last 1024 answers */
};

struct live_rule {
    double good_rate, bad_rate; /* 0.02, 0.20 */
    int in_a_row;               /* 3 */
    int64_t stall_least_ms;     /* 50 */
    int64_t window_ms;          /* 60 s: ten requests cannot tell 30 % from isolated errors */
};
extern const struct live_rule live_rule_default;

struct live { /* zeroed: nothing is known yet */
    struct live_counters last;
    int64_t last_ms, last_end_ms; /* of the last reading; of the last one with a request's end */
    bool known;
    int bad_in_a_row;
    double evidence;     /* log likelihood ratio, 0 .. its bound */
    double seen, bad;    /* requests that ended, and that failed; faded */
    bool worse;          /* the test has called it worse, and not taken that back yet */
    uint64_t unanswered; /* sent since the last answer */
    int arrivals;        /* readings in which such were sent */
    int64_t waiting_since_ms, silence_ms; /* of those; 0 = none */
    double usual_ms;                      /* learnt: the longest silence while all was well */
    enum live_state state;
    int64_t since_ms;
};

/* `now_ms` is monotonic. Counters that went back (HAProxy was reloaded) begin anew. */
enum live_state live_take(struct live *l, const struct live_rule *rule,
                          const struct live_counters *now, int64_t now_ms);
/* Forgets errors: after an environment was taken out or brought back. */
void live_forget(struct live *l, int64_t now_ms);
