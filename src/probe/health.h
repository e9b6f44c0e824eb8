#pragma once

#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Is it up? Decided from results in their order, slow to change its mind. Pure: (health, result)
 * -> health.
 *
 * The rule is gdnsd's (its monitoring thresholds down_thresh, ok_thresh and up_thresh; here ok and
 * up are one number). The first failure makes an UP one SUSPECT. While it is suspect, failures add
 * up whatever good results come between them, until there are `down_after`: DOWN; only `up_after`
 * good ones in a row clear it: UP. So a target that fails every third time is found, which a count
 * of failures in a row never does. From DOWN, `up_after` good ones in a row lead to UP. An answer
 * that was slow is a good one here.
 *
 * An INCONCLUSIVE result tells nothing of the target: state and counters stay, it is only shown as
 * inconclusive until the next one that does. A MISSED one changes nothing at all.
 */
enum health_state {
    HEALTH_UNKNOWN, /* nothing was seen yet */
    HEALTH_UP,
    HEALTH_SUSPECT,
    HEALTH_DOWN,
    HEALTH_INCONCLUSIVE, /* only from health_shown, never in struct health */
};
const char *
health_state_name(enum health_state s); /* "unknown", "up", "suspect", … as in the API */

struct health_rule {
    int down_after, up_after; /* >= 1; less counts as 1 */
};

struct health { /* zeroed: unknown */
    enum health_state state;
    bool inconclusive;     /* the last result told nothing */
    int bad;               /* SUSPECT, UNKNOWN: failures since `first_bad_ms` */
    int good;              /* SUSPECT, DOWN: good ones in a row since the last failure */
    int64_t since_ms;      /* when the state began; DOWN: its first bad sample, so an outage can
                            * be dated back. 0 = never */
    int64_t first_bad_ms;  /* SUSPECT, DOWN, UNKNOWN: the first bad sample; 0 = none */
    int64_t first_good_ms; /* SUSPECT, DOWN: the first of the good ones in a row; 0 = none */
};

/* `at_ms` is the sample's time. From UNKNOWN, one good result leads to UP; failures are counted as
 * in SUSPECT. Back UP, `since_ms` is the first good sample. */
struct health health_next(struct health h, struct health_rule rule, enum sample_outcome outcome,
                          int64_t at_ms);

/* What to show: INCONCLUSIVE while the last result told nothing, else the state. */
enum health_state health_shown(const struct health *h);
