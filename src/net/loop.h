#pragma once

#include "base/err.h"

#include <stdint.h>
#include <uv.h>

struct clock;

/*
 * The one event loop of a process: libuv, one thread. Everything in net/ hangs on it, and all calls
 * and callbacks happen on its thread. Hashing and file reading use libuv's thread pool (loop_work).
 *
 * Life cycle: loop_new, attach things, loop_run until loop_stop or nothing is left, free the
 * things, loop_free. A turn that lasted over 50 ms is reported through `slow` (may be NULL).
 * The program itself ignores SIGPIPE: TLS and sendfile(2) raise it when a peer has left.
 */
struct loop;
typedef void loop_slow_fn(int64_t ms, const char *what, void *arg);

struct loop *loop_new(const struct clock *clock); /* borrows the clock; NULL = clock_system */
void loop_free(struct loop *l);                   /* NULL is fine */
void loop_on_slow(struct loop *l, loop_slow_fn *fn, void *arg);

int loop_run(struct loop *l);   /* returns when stopped or when no active handle is left */
void loop_stop(struct loop *l); /* from a callback; loop_run may be called again */
uv_loop_t *loop_uv(struct loop *l);
const struct clock *loop_clock(const struct loop *l);

/* One-shot timers, at least `ms` from now. A timer is owned by its maker; timer_free cancels. */
struct timer;
typedef void timer_fn(void *arg);
struct timer *timer_new(struct loop *l, timer_fn *fn, void *arg);
void timer_start(struct timer *t, int64_t ms); /* again: re-arms */
void timer_stop(struct timer *t);
void timer_free(struct timer *t); /* NULL is fine; safe inside its own callback */

/* Runs `work` on a pool thread, then `done` on the loop's thread. `what` names it in slow-turn
 * reports. Cannot be cancelled once begun. */
void loop_work(struct loop *l, const char *what, void (*work)(void *arg), void (*done)(void *arg),
               void *arg);

/* Calls fn when one of the signals SIGINT, SIGTERM comes; the loop keeps running. A second signal
 * within the process's life restores the default action first. NULL fn removes it. */
void loop_on_signal(struct loop *l, void (*fn)(int signal, void *arg), void *arg);
