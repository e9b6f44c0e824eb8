#pragma once

#include "base/err.h"

struct clock;
struct loop;
struct store;

/*
 * Work on the store that must not hold up the loop (a comparison, an outage's fsync): jobs run on
 * a pool thread one after another, in the order they were given, with a store handle of this
 * worker's own. What a job touches belongs to it until its `done`.
 *
 * Life cycle: store_worker_new, store_worker_do, store_worker_free, loop_free. One thread, the
 * loop's; only `work` runs elsewhere.
 */
struct store_worker;

/* On a pool thread. -1: *e says why, and reaches `done`. */
typedef int store_work_fn(struct store *s, void *arg, struct err *e);
/* On the loop's thread, once; `e` is NULL when all went well. Also called, with an error, for jobs
 * that were not begun when the worker was freed. */
typedef void store_done_fn(const struct err *e, void *arg);

/* The folder is opened with the first job, again with each one for as long as that fails. */
struct store_worker *store_worker_new(struct loop *loop, const char *dir,
                                      const struct clock *clock);
void store_worker_do(struct store_worker *w, const char *what, store_work_fn *work,
                     store_done_fn *done, void *arg);
size_t store_worker_pending(const struct store_worker *w); /* jobs whose `done` has not come */
/* A job under way ends first; from a `done`, too; NULL is fine. */
void store_worker_free(struct store_worker *w);
