#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct loop;

/*
 * One question to a server on this machine that listens on a UNIX-domain socket: connect, send,
 * read until it closes. What HAProxy's runtime socket speaks, and other daemons' control sockets.
 *
 * Life cycle: local_ask, then `done` once, never from inside the call; or local_cancel before that,
 * after which nothing comes. One thread, the loop's. The reply is bounded by `max_reply`: a longer
 * one is an error.
 */
struct local_ask;
struct local_question {
    const char *path; /* of the socket; copied, as all here */
    const char *text; /* what is sent, as it is */
    size_t max_reply;
    int64_t timeout_ms; /* for all of it; longer by what this process is kept from running */
};
/* e: ERR_NONE; ERR_NET when nobody listens (code ENOENT or ECONNREFUSED), it took too long or broke
 * off; ERR_REMOTE when the reply is too long; ERR_USAGE when the path is too long for a socket.
 * What was read is there also with an error. `reply` is NUL-terminated and valid during the call.
 */
typedef void local_done_fn(const struct err *e, const char *reply, size_t len, void *arg);
struct local_ask *local_ask(struct loop *loop, const struct local_question *q, local_done_fn *done,
                            void *arg);
void local_cancel(struct local_ask *a); /* NULL is fine; not after `done` */

enum { LOCAL_PATH_MAX = 107 }; /* bytes of a socket's path: sun_path less its NUL */
