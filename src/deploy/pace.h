#pragma once

#include "provider/provider.h"

#include <stdint.h>

/*
 * Keeps one account within its platform's documented request rates, before the platform has to say
 * 429. Every rate_limit row is a sliding window over the times of the requests that were sent; what
 * the platform says of itself (remaining, reset, Retry-After) is obeyed on top.
 *
 * Pure arithmetic on times that the caller gives, in milliseconds of the platform's clock (see
 * net/bases.h: clock_rate). One object an account; one thread. pace_new .. pace_free.
 */
struct pace;

struct pace *
pace_new(const struct rate_limit *limits); /* borrows the rows, ended by requests == 0 */
void pace_free(struct pace *p);            /* NULL is fine */

/* How long a request of this cost class must wait from `now` on; 0 = it may go. -1: until an answer
 * to one that is on its way. */
int64_t pace_delay(const struct pace *p, const char *cost, int64_t now);

/* Such a request was sent; its answer (or the end of waiting for one) came. The request counts from
 * the sending on, and leaves the window that long after its answer: the platform saw it somewhere
 * in between, so its own count can never be higher than ours. Calls must come in pairs. */
void pace_sent(struct pace *p, const char *cost);
void pace_answered(struct pace *p, const char *cost, int64_t now);

/* Takes in what a reply told: nothing is sent before a reset when nothing remains. Waits longer
 * than PACE_LONGEST_MS are cut to it: a wrong header must not stop a run for a day. */
enum { PACE_LONGEST_MS = 15 * 60 * 1000 };
void pace_learn(struct pace *p, const struct rate_facts *facts, int64_t now);

/* Nothing of this account is sent before `until` (a 429's Retry-After). */
void pace_block(struct pace *p, int64_t until, int64_t now);

/* Slow windows (at most PACE_KEPT requests) outlive the process: a run that is killed and begun
 * again must not ask a platform for twice what it allows. pace_save gives their requests as ages,
 * pace_load takes them up `elapsed` milliseconds later; what makes no sense is ignored. */
enum { PACE_KEPT = 128 };
json_t *pace_save(const struct pace *p, int64_t now); /* new reference; NULL: no slow window */
void pace_load(struct pace *p, const json_t *saved, int64_t elapsed, int64_t now);
