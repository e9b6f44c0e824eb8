#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "probe/health.h"
#include "probe/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What `trine agent` and `trine serve` say to each other, as JSON (docs/api.md, *Agents*): the
 * writing and the strict, bounded reading of both. Pure: no I/O, no clock. What was read lives in
 * its arena. A message that makes no sense is ERR_USAGE and names the member.
 */
struct buf;
struct json_out;

enum {
    AGENT_CHECKS_MAX = 128,
    AGENT_SAMPLES_MAX = 300, /* of one report, which then fits into the API's 64 KiB */
    AGENT_REASON_MAX = 160,
    AGENT_CONTROLS_MAX = 8,
    AGENT_NAME_MAX = 64,
    AGENT_REPORT_MS = 5000, /* while all is well, and while something is in doubt */
    AGENT_REPORT_FAST_MS = 1000,
    AGENT_CLOCK_OFF_MS = 5000, /* a clock further off makes votes and samples worthless */
};

/* 1 to 64 of letters, digits, '.', '_' and '-': a vantage point's name. */
bool agent_name_ok(const char *name);

/* --- From the server: what to measure -----------------------------------------------------------
 */
struct agent_omission {
    const char *environment, *app, *instance, *check, *why;
};
struct agent_assignment { /* zeroed, agent_assignment_read, agent_assignment_release */
    struct arena arena;
    const char *version; /* another one: fetch it again */
    const char **controls;
    struct target *targets; /* series: the server's, which is how both name a check */
    struct agent_omission *left_out;
    size_t n_controls, n, n_left_out;
};
void agent_target_write(const struct target *t, struct json_out *o);
int agent_assignment_read(const char *data, size_t len, struct agent_assignment *ret,
                          struct err *e);
void agent_assignment_release(struct agent_assignment *a);

/* --- From the agent: votes, and what was measured -----------------------------------------------
 */
struct agent_vote {
    int64_t check; /* its series */
    enum health_state state;
    int64_t since_ms;
    const char *reason;
};
struct agent_report {
    const char *vantage; /* "" = as the token is called */
    const char *boot;    /* one run of the agent */
    const char *version; /* of the program */
    int64_t now_ms;      /* the agent's wall clock as it was sent */
    bool blind;          /* its control targets do not answer it */
    int64_t waiting;     /* batches that wait to be sent after this one */
    int64_t dropped;     /* batches that were dropped because too many waited, or were refused */
    struct agent_vote *votes;
    size_t n_votes;
    /* The batch: once numbered it never changes, so that one that comes again is known. Its boot is
     * of the run that measured it. sequence 0: there is none. */
    const char *batch_boot;
    int64_t sequence;
    struct sample *samples;
    size_t n_samples;
};
void agent_batch_write(const char *boot, int64_t sequence, const struct sample *samples, size_t n,
                       struct buf *out);
/* `batch`: from agent_batch_write; NULL: none. The members of *r for a batch are not looked at. */
void agent_report_write(const struct agent_report *r, const char *batch, struct buf *out);
int agent_report_read(const char *data, size_t len, struct arena *a, struct agent_report *ret,
                      struct err *e);

/* --- The answer to a report --------------------------------------------------------------------
 */
struct agent_order {                 /* about one check */
    int64_t check, every_ms, for_ms; /* every_ms 0: at its own interval */
    int awake;                       /* 1, 0; -1 = not known */
};
struct agent_answer {
    const char *assignment; /* the version in force */
    int64_t next_ms, clock_off_ms;
    const char *refused; /* why the votes count for nothing and the batch was dropped; "" = not */
    struct agent_order *orders;
    size_t n_orders;
};
void agent_answer_write(const struct agent_answer *v, struct buf *out);
int agent_answer_read(const char *data, size_t len, struct arena *a, struct agent_answer *ret,
                      struct err *e);
