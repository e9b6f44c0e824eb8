#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "traffic/haproxy.h"
#include "traffic/haproxy_plan.h"
#include "traffic/haproxy_reply.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The engine's inside, shared by its files: haproxy.c (life, orders of events), haproxy_apply.c (a
 * plan comes in force), haproxy_run.c (the process: program, files, ports), haproxy_steer.c
 * (orders), haproxy_poll.c (statistics, and noticing that it is gone).
 */
struct local_ask;
struct process_result;
struct timer;

enum {
    HASH_TEXT = 33,          /* 16 bytes in hex */
    CONFIG_MAX = 4 << 20,    /* bytes */
    REPLY_MAX = 4 << 20,     /* of the runtime socket; a server's line is about 500 bytes */
    SESSIONS_MAX = 32 << 20, /* of `show sess all`: about 1.7 KiB a request */
    ASK_MS = 1000,           /* the runtime socket answers within a millisecond */
    COMMANDS_MAX = 12000,    /* bytes in one line; HAProxy reads at most 16 KiB */
    MUTE_MS = 3000,          /* it is alive and does not answer: it is ended */
    PAUSE_MAX_MS = 10000,    /* between two attempts to start */
    CALM_MS = 10000,         /* it ran so long: the next pause is short again */
    VERSION_LEAST = 2006,
    LOOK_AT_FILES_MS = 60000,
};

struct kept_order {
    char *route, *environment;
    int weight;
    enum haproxy_mode mode;
    bool trusted;
};

/* A plan on its way into force, and the one that is. */
struct wanted {
    struct arena memory;
    struct haproxy_plan *plan;
    char hash[HASH_TEXT];
    haproxy_done_fn *done; /* NULL: nobody waits (any more) */
    void *arg;
    struct wanted *next;
};

struct steer_job;
struct stop;

struct haproxy {
    struct loop *loop;
    struct haproxy_options o;
    char *asked; /* the program, as in the options */
    bool version_known;
    char *program; /* as found; NULL = not looked for yet */
    enum haproxy_state state;
    char why[512];
    struct stop *stop; /* NULL: it is not being ended */

    struct wanted *force;          /* what runs; NULL: nothing yet */
    struct wanted *queue;          /* what is to be applied; the first one is in work */
    struct haproxy_identity found; /* who answers */
    bool up;                       /* `force` runs */
    bool busy;                     /* a step of that is under way */
    bool switching;                /* of such a step: orders would miss the one that comes */
    bool reloading;                /* else starting */
    int64_t old_worker;            /* of a reload: the one that will go */
    int64_t mute_since_ms;         /* ours is there and does not answer; 0 = no */
    int64_t deadline_ms;           /* of waiting for the answer */
    struct local_ask *ask;         /* of a step; at most one */
    struct haproxy_run *run;
    struct timer *step_timer; /* the next look while waiting, or the next attempt */
    int64_t pause_ms;
    int64_t running_since_ms;
    int64_t looked_ms;      /* at the certificates, last */
    int64_t master, worker; /* pids; 0 = none */

    struct kept_order *orders;
    size_t n_orders;
    struct steer_job *steers; /* the first one is in work */
    struct local_ask *steer_ask;

    struct timer *poll_timer;
    struct local_ask *poll_ask;
    struct haproxy_reading *readings; /* a server of the plan in force each */
    struct haproxy_tally *tallies;
    size_t n_readings;
    int64_t active_ms; /* when a request was last seen */
    bool silent;       /* requests wait somewhere, and none was answered there */
    bool poll_stale;   /* orders were confirmed since it was asked: it may say what was before */
    int unanswered;    /* polls in a row that were not answered in time */

    char config[160], fresh[160], last[160], admin[160], master_socket[160], pid_file[160],
        servers_state[160], dir[160], master_argument[176];
};

/* --- haproxy.c */
void haproxy_set_state(struct haproxy *h, enum haproxy_state s, const char *why);
void haproxy_say(struct haproxy *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t haproxy_now_ms(const struct haproxy *h); /* monotonic */
int64_t haproxy_now_us(const struct haproxy *h); /* monotonic, of this moment */

/* --- haproxy_apply.c */
void haproxy_next(struct haproxy *h);                      /* goes on with the queue */
void haproxy_lost(struct haproxy *h, const struct err *e); /* it is gone: start it again */
void haproxy_look_at_files(struct haproxy *h); /* another certificate in the same place: reloads */
void wanted_free(struct wanted *w);

/* --- haproxy_run.c */
typedef void haproxy_ran_fn(struct haproxy *h, const struct process_result *r);
/* One at a time. `args` without the program, NULL-terminated. */
void haproxy_run(struct haproxy *h, const char *const *args, int64_t timeout_ms,
                 haproxy_ran_fn *fn);
void haproxy_run_forget(struct haproxy *h);
/* Its words when it refuses: those that say why, bounded, on one line. */
void haproxy_words(const struct process_result *r, char *ret, size_t size);
int haproxy_find_program(struct haproxy *h, struct err *e);
/* The master of ours by the pid file, verified by its command line; 0 = none is alive. */
int64_t haproxy_read_master(const struct haproxy *h);
bool haproxy_is_ours(const struct haproxy *h, int64_t pid);
void haproxy_set_paths(struct haproxy *h, const char *dir);

/* --- haproxy_digest.c: equal for equal configurations, orders apart */
void haproxy_digest(const struct haproxy_plan *p, char ret[HASH_TEXT]);

/* --- haproxy_port.c: can this be listened on? ERR_NO says who has it, where that can be known. */
int haproxy_port_check(const char *address, struct err *e);

/* --- haproxy_steer.c */
struct kept_order *haproxy_kept(struct haproxy *h, const char *route, const char *environment);
void haproxy_keep(struct haproxy *h, const struct haproxy_order *o);
/* The kept orders as the API's; the caller frees it. Texts are borrowed. */
struct haproxy_order *haproxy_kept_orders(const struct haproxy *h, size_t *ret_n);
void haproxy_steer_again(struct haproxy *h);                     /* all that is kept */
void haproxy_steer_next(struct haproxy *h);                      /* goes on with the jobs */
void haproxy_steer_fail(struct haproxy *h, const struct err *e); /* all jobs */
void haproxy_orders_free(struct haproxy *h);

/* --- haproxy_poll.c */
void haproxy_poll_begin(struct haproxy *h); /* the plan in force is new, or it runs again */
/* What it was steered to, by somebody before us, becomes our orders. */
void haproxy_learn(struct haproxy *h, const struct haproxy_plan *p, const char *stats);
int haproxy_read_stats(struct haproxy *h, const char *stats, struct err *e); /* into readings */
void haproxy_poll_end(struct haproxy *h);
