#pragma once

#include "compare/comparison.h"
#include "compare/grid.h"

/* What comparison_add fills and comparison_finish reads; for these two files only. */

struct span_block { /* what a series adds to the mean in one cell of the grid */
    uint64_t n, sum_us;
};

struct series_state {
    size_t environment;
    const char *app, *instance, *check;
    int64_t every_ms;
    bool pooled;
    struct tally tally; /* warm */
    struct sketch warm, cold;
    uint64_t cold_failed;
    struct span_block cells[GRID_CELLS];
};

struct environment_cell {
    struct sketch times;
    struct tally tally;
};

struct environment_state {
    const char *name;
    struct sketch lateness;
    struct environment_cell cells[GRID_CELLS];
};

struct comparison_builder {
    struct arena arena; /* becomes the comparison's */
    struct comparison_options options;
    struct grid grid;
    struct environment_state **environments;
    size_t n_environments;
    struct series_state **series;
    size_t n_series, room_series;
    int64_t first_ms, last_ms;
    bool any;
};
