#pragma once

#include "probe/health.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is an environment up? Decided from what several observers say, and from live traffic. Pure.
 *
 * An observer is a vantage point: this process, or an agent elsewhere. It votes only while it is
 * valid: it reported lately, its control targets answer it, its clock agrees with ours. Of the
 * valid ones `need` (probe.quorum) must call an environment down before it is; fewer are an
 * advisory that names them. With fewer valid observers than `need`, the active side cannot call
 * anything down. Live traffic is evidence of its own kind: its failures count as one observer more,
 * so that one vantage point and the users' own requests are enough; alone they call nothing down
 * (that is the failover table's EVENT_LIVE_DOWN). (Two independent pieces of
 * evidence before a failover; Cloudflare's load balancer asks for a majority of regions, Route 53
 * for 18 % of its checkers. Both assume many vantage points; a small team has one to three.)
 */
enum { VANTAGES_MAX = 32 };

struct vote {
    const char *vantage;
    enum health_state state; /* never HEALTH_INCONCLUSIVE */
    bool valid;
    const char *invalid_why; /* "its control targets do not answer it"; "" when valid */
    const char *reason;      /* of DOWN and SUSPECT; "" else */
    int64_t since_ms;        /* wall; of the state */
};

/* What live traffic says of an environment over the last moments (traffic/live.h). */
enum live_state {
    LIVE_NONE,    /* too little traffic to say anything */
    LIVE_GOOD,    /* answers come, and few are errors */
    LIVE_ERRORS,  /* some fail: more than isolated ones */
    LIVE_BAD,     /* nearly all fail */
    LIVE_STALLED, /* requests go out and nothing comes back */
};
const char *live_state_name(enum live_state s);

enum finding {
    FINDING_NONE,    /* nobody valid has seen anything */
    FINDING_INVALID, /* there are observers, and none is valid: we are blind */
    FINDING_UP,
    FINDING_SUSPECT, /* some say down or suspect, not enough */
    FINDING_DOWN,
};
const char *finding_name(enum finding f);

struct quorum_finding {
    enum finding finding;
    int valid, down, suspect, up, need; /* votes; down: with live traffic's when live_counted */
    bool live_counted;                  /* without live traffic it would not be DOWN */
    bool active_only;                   /* DOWN on active probes alone */
    char text[256]; /* "2 of 3 call it down: here (HTTP 503), fra (no answer); nyc says up" */
};

/* votes: one a vantage. `need` < 1 counts as 1. */
void quorum_judge(int need, const struct vote *votes, size_t n, enum live_state live,
                  struct quorum_finding *ret);
