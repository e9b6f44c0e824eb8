#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The arithmetic of a fixed clock: slot n is meant for first + n * every, whatever happened before.
 * Nothing drifts, because no slot is counted from the one before it. Pure; monotonic microseconds.
 */
struct slots {
    int64_t first_us, every_us;
    int64_t next; /* the first slot that was neither served nor missed */
    int64_t end;  /* slots in all */
};

enum { SLOT_LATE_MS = 1000 }; /* later than this a slot is missed: we were asleep, not the target */

/* The slots of the i-th of n apps: started i/n of the interval after start, so that not all apps
 * are probed at once. Ends with `ticks` slots or before start + duration; 0 = no such end. */
struct slots slots_plan(int64_t start_us, int64_t every_ms, unsigned i, unsigned n);
void slots_limit(struct slots *s, int64_t start_us, int64_t duration_ms, int64_t ticks);

/* Leaves out what was meant for before now, as neither served nor missed: another served it. */
void slots_skip(struct slots *s, int64_t now_us);

int64_t slots_time(const struct slots *s, int64_t slot);
bool slots_over(const struct slots *s); /* all were served or missed */

struct slots_due {
    int64_t missed_from, missed_until; /* half open; empty when equal */
    int64_t serve;                     /* -1: none is due */
};

/* What is due at `now`: the newest slot whose time came is to be served if that is not too late,
 * the ones before it were missed. Advances `next` past all of them. */
struct slots_due slots_take(struct slots *s, int64_t now_us);
