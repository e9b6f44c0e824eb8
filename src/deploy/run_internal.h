#pragma once

#include "deploy/run.h"

#include "base/arena.h"

#include <stdint.h>

/*
 * Inside of the runner, shared by run*.c only.
 *
 *   run.c          the round of all deployments, accounts, the turn loop (next)
 *   run_call.c     one request: queue, pace, send, read the reply, try again (take, refused)
 *   run_command.c  the same for platforms that are driven by a program instead of HTTP
 *   run_pace.c     rate windows that outlive the process
 *   run_verify.c   asking the running app
 *   run_journal.c  what is written before and after, many deployments in one transaction
 */

struct timer;
struct pace;
struct task;
struct command;

/* A platform account: what rate limits and the one-uploader rule are counted by. */
struct account {
    struct run *run;
    char *key;
    const struct provider_ops *ops;
    const char *base;
    struct pace *pace;
    struct timer *timer;    /* next time a queued call may go */
    struct attempt *queue;  /* calls waiting for the pace, oldest first */
    struct task *exclusive; /* who may be uploading now */
    unsigned running;
    struct account *next;
};

/* One call on its way, through all its tries. */
struct attempt {
    struct task *task;
    struct call call;
    int step; /* of the deployment when it was asked for */
    unsigned tries, throttled;
    uint64_t id;             /* in the HTTP client; 0 = not sent at the moment */
    struct command *command; /* the same for programs */
    bool journalled;         /* the record a `once` call needs is on disk */
    bool counted;            /* the account's pace counts it as on its way */
    struct timer *timer;     /* back-off */
    struct err trouble;      /* why a command could not be started */
    struct attempt *next;    /* in the account's queue */
    struct attempt *sibling; /* in the task's list */
};

enum task_phase { TASK_WAITING, TASK_RUNNING, TASK_VERIFYING, TASK_FINISHED };

struct task {
    struct run *run;
    struct run_item *item;
    struct account *account;
    enum task_phase phase;
    struct attempt *attempts;
    unsigned in_flight; /* length of that list */
    bool parallel;      /* they are parallel calls */
    struct call held;   /* asked for, waiting to become the account's uploader */
    bool has_held;
    unsigned setbacks;           /* times in a row that a step had to be gone back to */
    unsigned setbacks_ever;      /* also those after which the next request went well */
    int64_t deadline;            /* mono ms */
    struct timer *timer;         /* poll or verify again */
    struct http_request request; /* to the running app */
    uint64_t verify_id;
    char url[512];               /* that is being verified */
    bool dirty;                  /* its row is not written yet */
    struct attempt *after_write; /* to be queued when it is */
    struct task *next;
};

struct run {
    struct run_options o;
    struct account *accounts;
    struct task *tasks, **tasks_end;
    size_t unfinished, dirty;
    double rate; /* platform seconds in one of ours */
    uint64_t random;
    struct timer *flush;
    bool stopping, started, told;
    bool starting, start_again;
    struct err lost; /* lease lost or store refused */
};

/* Milliseconds now on the platforms' clock, from an arbitrary start; and back to ours, at least 1.
 */
int64_t run_platform_ms(const struct run *r);
int64_t run_our_ms(const struct run *r, int64_t platform_ms);

void run_tell(const struct task *t, enum run_event event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void task_go(struct task *t);                    /* asks the provider what is next */
void task_later(struct task *t, int64_t our_ms); /* task_go after so long */
void task_fail(struct task *t, const struct err *e);
void task_live(struct task *t);
void task_pause(struct task *t, const struct err *e); /* no outcome: the next run goes on */

void call_begin(struct task *t, struct call *c); /* takes the call over */
void account_pump(struct account *a);
/* Slow rate windows outlive the process (run_pace.c). */
void account_recall(struct account *a);
int account_remember(const struct account *a, struct err *e); /* inside a transaction */
void attempt_free(struct attempt *a);
void attempt_send(struct attempt *a); /* the pace has let it go, the journal knows of it */
/* The reply of one try, from HTTP or made from a command's outcome. */
void attempt_answered(struct attempt *a, const struct http_reply *reply);

void command_begin(struct attempt *a);
void command_abandon(struct command *c); /* ends the program; nobody waits for it any more */

void verify_begin(struct task *t);

/* Notes that the task's row must be written soon; `then` (may be NULL) is queued once it is safe.
 */
void journal_mark(struct task *t, struct attempt *then);
void journal_flush(void *run);
/* Writes one task's row now, with `step` in place of its own when step >= 0. */
int journal_write(struct task *t, int step, struct err *e);
