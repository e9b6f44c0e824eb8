#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct loop;

/*
 * Child processes on the loop (libuv), each in a process group of its own so that a timeout ends
 * all of it: SIGTERM, then SIGKILL after `grace_ms`. Standard input is /dev/null. Output is
 * captured up to a maximum; what is beyond is counted and thrown away. Secrets go in the
 * environment, never argv.
 */
struct process;

struct process_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in the child's PATH */
    const char *const *env;  /* "NAME=value", NULL-terminated: the child's whole environment */
    const char *dir;         /* working directory; NULL = ours */
    int64_t timeout_ms;      /* 0 = none */
    int64_t grace_ms;        /* default 5000 */
    size_t max_out,
        max_err; /* bytes kept of each stream's END; default 64 KiB. stdout and stderr */
    /* Each whole line as it comes, without its newline, cut at 4096 bytes; may be NULL. */
    void (*line)(const char *line, bool is_stderr, void *arg);
};

struct process_result {
    struct err err;  /* ERR_NONE when it ran (whatever its status), else why it could not */
    int exit_status; /* -1 when ended by a signal */
    int signal;      /* 0 when it exited */
    bool timed_out;
    const char *out, *err_out; /* NUL-terminated, valid during the callback */
    size_t out_len, err_len;
    uint64_t out_dropped, err_dropped; /* bytes not kept */
};

typedef void process_done_fn(const struct process_result *r, void *arg);

/* Starts now; copies the options. The callback comes exactly once, never from inside this call. */
struct process *process_start(struct loop *loop, const struct process_options *o,
                              process_done_fn *fn, void *arg);
/* Ends the group; the callback still comes. */
void process_kill(struct process *p);
