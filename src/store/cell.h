#pragma once

#include "store/history.h"

struct buf;
struct sql;

/*
 * A cell as bytes, and where it is kept. The bytes: version 1; which parts are there, a bit each
 * from the lowest; and these parts: the two sketches of times and the one of lateness
 * (sketch_pack), the sums of the phases, seen_ms, unseen_ms, the counts that are not 0. All numbers
 * are varints. late_us_max is lateness.max_us.
 */
enum { CELL_MAX_BYTES = 64 * 1024 };

void cell_encode(const struct history_cell *c, struct buf *out);
/* ERR_STORE when cell_encode cannot have written the bytes; *ret, which must be empty, stays so. */
int cell_decode(const void *data, size_t len, struct history_cell *ret, struct err *e);

/* The id of a row of migration 002's cells_...: of the cell of `series` that begins at `start_ms`.
 */
int64_t cell_id(enum history_level l, int64_t series, int64_t start_ms);
int64_t cell_series(int64_t id);
int64_t cell_start_ms(enum history_level l, int64_t id);

/* The start of the stretch that a time is in, and the first start that is not before it. */
int64_t cell_floor(enum history_level l, int64_t ms);
int64_t cell_ceil(enum history_level l, int64_t ms);

/* One row. cell_get: 1 and *ret, which must be empty; 0 when there is none; -2 when it is damaged;
 * -1 when the store failed. */
enum { CELL_DAMAGED = -2 };
int cell_get(struct sql *sql, enum history_level l, int64_t id, struct history_cell *ret,
             struct err *e);
int cell_put(struct sql *sql, enum history_level l, int64_t id, const struct history_cell *c,
             struct err *e);
