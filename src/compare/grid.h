#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A time axis of at most `cells` equal cells that grows with the data: cells start one second wide
 * and become wider (5 s, 10 s, 30 s, 1 min ... 1 day, then doubling; each a multiple of the one
 * before, aligned to UTC) as soon as the data would not fit. So a minute and a year both get a
 * useful axis, in whatever order samples come. Cells live in the users' arrays, used as rings.
 */
struct grid {
    int cells;         /* set by the user before the first time, at least 2 */
    int64_t width_ms;  /* 0 until the first time */
    int64_t low, high; /* numbers of the first and last cell: time / width_ms */
};

/* By how many cells to one the axis must be coarsened before `at_ms` (>= 0) fits; 1 = it fits. Only
 * the next step: coarsen all users' arrays, call grid_coarsen, and ask again. */
int64_t grid_factor(const struct grid *g, int64_t at_ms);
/* The same for cells that must be at least `length_ms` (up to a day) wide. */
int64_t grid_factor_wide(const struct grid *g, int64_t at_ms, int64_t length_ms);
void grid_coarsen(struct grid *g, int64_t factor);
/* Extends the axis to `at_ms`, for which grid_factor is 1, and returns its place in an array. */
int grid_take(struct grid *g, int64_t at_ms);
/* The place of cell number `cell`. */
int grid_slot(const struct grid *g, int64_t cell);
