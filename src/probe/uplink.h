#pragma once

#include "probe/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;

/*
 * Is it the target that is silent, or are we cut off? Control targets (`probe.control` of the
 * manifest) are asked every few seconds, and at once when a probe got no answer. An answer of any
 * status, or a certificate, from any one of them proves that our packets leave and come back; so we
 * are *blind* only when all are silent. (A majority would let two dead control sites hide every
 * outage of the targets. Choose controls of different owners, outside your own network.)
 *
 * A failure is judged by controls that were asked after it was seen: until they answered or their
 * time is up, the judgement waits. A failure whose probe overlapped a blind spell counts as ours.
 * While we are blind the controls are asked every second, and never more often. Without controls we
 * are never blind and nothing waits.
 *
 * Life cycle: uplink_new; uplink_turn whenever uplink_next_us says (the schedule does both);
 * uplink_free. One thread. Needs no loop: the controls are asked through check_ops.
 */
struct uplink;
enum { UPLINK_EVERY_MS = 5000, UPLINK_LEAST_MS = 1000, UPLINK_TIMEOUT_MS = 3000 };

struct uplink_options {
    const char *const *urls; /* http or https; borrowed */
    size_t n_urls;
    int64_t every_ms, timeout_ms;    /* 0 = as above */
    const struct check_tools *tools; /* borrowed */
    const struct check_ops *ops;     /* NULL = check_http */
    const struct clock *clock;       /* borrowed */
    /* Once at the beginning and once at the end of a blind spell. `at_ms` is wall time: of the
     * first control question, or failure, that stayed without an answer; of the first answer. */
    void (*notice)(bool blind, int64_t at_ms, void *arg);
    void (*moved)(void *arg); /* uplink_next_us may be earlier than it was */
    void *arg;
};

struct uplink_control { /* for the prober's own page */
    const char *url;
    bool known, ok;   /* known: it was asked and answered, or its time was up */
    int64_t at_ms;    /* when that was */
    int64_t total_us; /* -1 = no answer */
};

struct uplink *uplink_new(const struct uplink_options *o); /* NULL without urls */
void uplink_turn(struct uplink *u);                        /* does what is due */
int64_t uplink_next_us(const struct uplink *u);
bool uplink_blind(const struct uplink *u); /* NULL: false */
const struct uplink_control *uplink_controls(const struct uplink *u, size_t *ret_n);

/* Is a silence between began_us and now ours? The callback comes once: from inside uplink_turn or a
 * control's answer, never from inside this call. */
typedef void uplink_judge_fn(bool blind, void *arg);
void uplink_judge(struct uplink *u, int64_t began_us, uplink_judge_fn *fn, void *arg);
void uplink_free(struct uplink *u); /* drops questions and judgements; NULL is fine */
