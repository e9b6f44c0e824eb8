#pragma once

#include "base/err.h"

struct buf;
struct comparison;
struct store;

/*
 * The last self-test on stored data, of trine compare --self-test or of trine serve: kept among the
 * store's caches, as the JSON that the API shows. Any thread that has the store.
 */

/* All environments together. Nothing is kept when the comparison tested none. */
int self_test_keep(struct store *s, const struct comparison *c, int64_t at_ms, struct err *e);
/* *ret_at_ms 0, and nothing added, when none is known. `out` is bounded by its maker. */
int self_test_recall(struct store *s, struct buf *out, int64_t *ret_at_ms, struct err *e);
