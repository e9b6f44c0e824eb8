#pragma once

#include "compare/comparison.h"
#include "compare/grid.h"

/* What comparison_add fills and comparison_finish reads; for the files of the comparison only. */

enum {
    MOMENTS = 288, /* of the plots: a day in 5 minutes */
    BLOCKS = 96,   /* of pairs and resampling: a week in 2 hours */
    HOURS = 24,
};

/* What one series, or all that are compared of one environment, did in one stretch of time. */
struct block_data {
    struct sketch times; /* warm, answered */
    uint64_t good, bad;  /* judged warm requests */
    int64_t seen_ms, down_ms, unseen_ms;
};
void block_data_release(struct block_data *d);
void block_data_merge(struct block_data *to, const struct block_data *from);

struct down_time {
    int64_t from_ms, until_ms;
};

struct series_state {
    size_t environment;
    const char *app, *instance, *check;
    int64_t every_ms;
    enum comparison_kind kind;
    struct tally tally; /* warm */
    struct sketch warm, cold;
    uint64_t cold_failed;
    struct clock_time time; /* down_ms is filled at the end */
    struct block_data blocks[BLOCKS];
    struct down_time *downs;
    size_t n_downs;
};

struct environment_cell {
    struct sketch times;
    struct tally tally;
};

struct environment_state {
    const char *name;
    struct comparison_facts facts;
    struct sketch lateness;
    struct environment_cell cells[MOMENTS];
    struct sketch hours[HOURS];
};

struct comparison_builder {
    struct arena arena; /* becomes the comparison's */
    struct comparison_options options;
    struct grid moments, blocks;
    struct environment_state **environments;
    size_t n_environments;
    struct series_state **series;
    size_t n_series, room_series;
    int64_t longest_ms; /* cell that was added; 0 = only raw samples */
    int64_t first_ms, last_ms;
    bool any;
    struct comparison *before;
};

/* --- Steps of comparison_finish ----------------------------------------------------------------
 */

/* What is compared of each environment, in the same stretches of time: only endpoints that are
 * common to all. `requests` and `databases` hold n_blocks an environment. */
struct lanes {
    size_t n_environments, n_blocks;
    struct block_data *requests, *databases; /* [environment * n_blocks + block] */
};
void lanes_init(struct lanes *l, const struct comparison *c, const struct comparison_builder *b);
void lanes_release(struct lanes *l);

/* Series in the order of their endpoints. */
int series_by_name(const void *a, const void *b);
void builder_free(struct comparison_builder *b);

double comparison_target(const struct comparison_targets *t, enum metric m);
/* The smallest difference that matters between two such figures. */
double pair_least_difference(enum metric m, double a, double b);
/* Fills c->pairs with verdicts, c->n_tests and the wins that pairs decide. */
void comparison_pair(struct comparison *c, const struct lanes *l);
/* The average, p95 and reliability from all pairs of all metrics. */
void comparison_name_wins(struct comparison *c, const struct verdict_pair *pairs, size_t n);
/* The best free option, from the share of resamples that each environment leads among the free. */
void comparison_name_free(struct comparison *c, const double *share);
/* Fills c->changes from c->before. */
void comparison_change(struct comparison *c);
/* Fills c->recommendation, and for each environment the share of resamples that it leads among
 * those that cost nothing. */
void comparison_recommend(struct comparison *c, const struct lanes *l, double *ret_free_share);
