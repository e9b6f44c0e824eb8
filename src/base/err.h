#pragma once

#include <stdbool.h>

/*
 * Errors that a person can act on.
 *
 * A function that can fail returns 0 or -1 and takes `struct err *` as its last argument. On
 * failure it fills *err once and leaves every other output untouched. Only `app` prints errors or
 * exits.
 */

/* What went wrong, as the caller must react to it; each kind has one exit code. */
enum err_kind {
    ERR_NONE,
    ERR_NO,       /* the answer is no: unhealthy, not feasible, held by another (exit 1) */
    ERR_USAGE,    /* command line (exit 2) */
    ERR_MANIFEST, /* manifest or an input file (exit 2) */
    ERR_NET,      /* no answer: connect, timeout, closed (exit 3) */
    ERR_REMOTE,   /* an answer that says no, or that makes no sense (exit 3) */
    ERR_STORE,    /* the store, or local files trine writes (exit 4) */
    ERR_BUG,      /* a broken promise of our own (exit 70) */
};

struct err {
    enum err_kind kind;
    bool retry;           /* the same request may succeed later */
    int code;             /* HTTP status or errno where there is one, else 0 */
    unsigned retry_after; /* ms that the peer asked us to wait; 0 when it did not say */
    char text[512];       /* one line, no trailing newline: the thing, the place, what to do next */
};

#define ERR_INIT ((struct err){0})

/* Fills *e and returns -1, so that a failing function ends with: return err_set(e, ...); */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, then appends ": " and the words for errno `code`, and keeps `code`. */
int err_errno(struct err *e, enum err_kind kind, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "doing: " before the text; returns -1. A text that no longer fits loses its end. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The process exit code for a kind: 0, 1, 2, 3, 4 or 70. */
int err_exit_code(enum err_kind kind);
