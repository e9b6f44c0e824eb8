#pragma once

#include "base/arena.h"
#include "base/sketch.h"
#include "compare/interval.h"
#include "compare/metric.h"
#include "compare/scorecard.h"
#include "compare/self_test.h"
#include "compare/tally.h"
#include "compare/verdict_pair.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_cell;

/*
 * Samples in, comparison out: builds what every report shows of the environments.
 *
 * Life cycle: comparison_begin, comparison_environment for each in the order to show,
 * comparison_series once a series, then in any order comparison_add for every raw sample or
 * comparison_add_cell for every stored stretch, and comparison_add_down for every outage,
 * comparison_finish (which frees the builder), the writers of report/, comparison_free. One thread.
 * Memory: a sketch (1 to 9 KiB) for each series and stretch of time with data, at most 96 stretches
 * a series; in practice about 80 KiB a series, however many samples there are.
 *
 * What counts where:
 * - Warm requests make the figures. Times are those of answered requests (ok and slow), from the
 *   intended time; a failed request counts against the success rate and has no time.
 * - Cold requests are only in the cold-start tables.
 * - Inconclusive and missed ticks are in no rate; their numbers are shown.
 * - Samples off the paired clock (extra) are in no figure; the time they stand for is.
 * - Uptime is 1 - down / seen, in endpoint time: one of ten endpoints down for an hour counts a
 *   tenth. Down comes from outages, seen from the samples that tell how the target was.
 * - Pairs compare like with like: only endpoints measured in every environment that has data.
 */

struct comparison_targets { /* milliseconds and 0..1; 0 = not set */
    double avg_ms, p95_ms, cold_start_ms, db_query_ms, success, uptime;
};

struct comparison_options {
    const char *project;       /* for titles */
    int64_t from_ms, until_ms; /* window, wall milliseconds; samples outside it are ignored */
    int64_t generated_at_ms;
    double confidence; /* 0 = 0.95 */
    struct comparison_targets targets;
    double weights[SCORE_PARTS]; /* of the scorecard, any scale; all 0 = no recommendation */
    bool figures_only;           /* no pairs, no recommendation: for an earlier window */
    unsigned resamples;          /* of pairs and recommendation; 0 = the methods' own numbers */
    unsigned self_test_rounds;   /* each environment against itself; 0 = none */
};

enum comparison_outcome {
    COMPARISON_OK,
    COMPARISON_SLOW, /* answered, over its own bound */
    COMPARISON_FAILED,
    COMPARISON_INCONCLUSIVE, /* our own fault, or no quorum */
    COMPARISON_MISSED,       /* the tick was not served */
};

struct comparison_sample {
    int64_t at_ms;     /* the tick's intended time */
    int64_t total_us;  /* from the intended time to the whole answer */
    int64_t late_us;   /* how late the request was sent; part of total_us */
    int64_t covers_ms; /* the time it stands for; 0 = not known */
    enum comparison_outcome outcome;
    bool cold, extra;
};

enum comparison_kind {
    COMPARISON_REQUEST,  /* a user's request: part of the environment's figures */
    COMPARISON_DATABASE, /* a database's answer: the database query time */
    COMPARISON_OTHER,    /* has only its own row */
};
#define COMPARISON_KINDS (COMPARISON_OTHER + 1)
const char *comparison_kind_name(enum comparison_kind k); /* "request", "database", "other" */

struct comparison_series {
    const char *environment, *app, *instance, *check; /* copied */
    int64_t every_ms;                                 /* how often it is measured, 0 = not known */
    enum comparison_kind kind;
};

/* What is known of an environment beside its samples. */
struct comparison_facts {
    bool cost_known;
    double monthly_cost;   /* in the budget's currency; 0 = free */
    const char *cost_note; /* why the cost is not known; copied; NULL = "" */
    bool deployments_known;
    unsigned live, failed, other; /* deployments by their newest state */
};

struct comparison_builder;
struct comparison;

/* Copies *o. 0 <= from_ms < until_ms. */
struct comparison_builder *comparison_begin(const struct comparison_options *o);
/* The environment's index; the same one for the same name. */
size_t comparison_environment(struct comparison_builder *b, const char *name);
void comparison_set_facts(struct comparison_builder *b, size_t environment,
                          const struct comparison_facts *f);
/* The handle for comparison_add. An unseen environment is added behind the others. */
size_t comparison_series(struct comparison_builder *b, const struct comparison_series *s);
void comparison_add(struct comparison_builder *b, size_t series, const struct comparison_sample *v);
/* A stretch [at_ms, at_ms + length_ms) that overlaps the window: 10 minutes, 2 hours or 1 day,
 * UTC-aligned. Taken whole. */
void comparison_add_cell(struct comparison_builder *b, size_t series, int64_t at_ms,
                         int64_t length_ms, const struct history_cell *c);
/* The target was down in [from_ms, until_ms); what lies outside the window is cut off. */
void comparison_add_down(struct comparison_builder *b, size_t series, int64_t from_ms,
                         int64_t until_ms);
/* The window before this one, finished with figures_only; owned from now on. */
void comparison_set_before(struct comparison_builder *b, struct comparison *before);
struct comparison *comparison_finish(struct comparison_builder *b); /* frees b */
void comparison_drop(struct comparison_builder *b);                 /* instead of finish */
void comparison_free(struct comparison *c);                         /* NULL is fine */

/* --- The result. Times are milliseconds. Every pointer lives until comparison_free. -------------
 */

struct figure {
    struct interval interval; /* milliseconds, or a rate */
    uint64_t n;
    double target; /* 0 = none */
    enum target_state state;
};

struct cold_starts { /* their median is the figure METRIC_COLD_START */
    double max_ms;   /* 0 when there was none */
    uint64_t failed; /* not in the figure's n */
};

struct lateness { /* how late the prober itself was; it is inside every time shown */
    uint64_t n;
    double p50_ms, p95_ms, max_ms;
};

struct clock_time {                      /* endpoint time */
    int64_t seen_ms, down_ms, unseen_ms; /* down is part of seen; unseen: inconclusive, missed */
};

struct moment { /* one stretch of time, warm requests */
    int64_t at_ms;
    struct tally tally;
    double p50_ms, p95_ms; /* 0 when nothing was answered */
};

struct heat_cell { /* requests at one time of the day, all days together */
    uint64_t n;
    double p50_ms, p95_ms;
};

struct environment_result {
    const char *name;
    struct comparison_facts facts;
    struct figure figures[N_METRICS];
    struct tally tally; /* warm */
    struct clock_time time;
    struct cold_starts cold;
    struct lateness lateness;
    struct sketch times;    /* warm, answered; microseconds; for distribution plots */
    struct moment *moments; /* n_moments of the comparison, the same stretches for all */
    struct heat_cell *heat; /* n_heat of the comparison */
};

struct endpoint_cell {
    struct tally tally; /* warm; all 0 when this environment does not measure it */
    struct interval p50, p95, success, uptime;
    struct clock_time time;
    struct interval cold; /* median */
    double cold_max_ms;
    uint64_t cold_n, cold_failed;
};

struct endpoint_result {
    const char *app, *instance, *check;
    int64_t every_ms; /* 0 = not known */
    enum comparison_kind kind;
    bool common;                 /* compared in pairs */
    struct endpoint_cell *cells; /* one an environment */
};

struct pair_metric { /* is a better than b? */
    bool known;
    double a, b;                /* over what both measured at the same time */
    struct interval difference; /* a - b; milliseconds, or a rate */
    double p, p_adjusted;       /* by Holm, over everything that is shown */
    uint64_t n_a, n_b;
    size_t blocks; /* stretches of time that were swapped and drawn */
    enum verdict_kind verdict;
    int64_t n_needed; /* further samples for each; 0 with a verdict; -1: more of the same would not
                         decide it */
    char text[512];
};

struct pair_shape { /* is anything different between the two distributions? */
    bool known, differs;
    double p, p_adjusted;
};

struct pair_result {
    size_t a, b; /* environments, a < b */
    struct pair_metric metrics[N_COMPARED];
    struct pair_shape shape;
};

enum win_category { WIN_AVERAGE, WIN_P95, WIN_RELIABLE, WIN_FREE };
#define WIN_CATEGORIES (WIN_FREE + 1)
const char *win_category_key(enum win_category c);   /* "average", "p95", "reliable", "free" */
const char *win_category_title(enum win_category c); /* "Fastest average", ... */

struct win {
    int winner;       /* environment; -1 = inconclusive */
    int64_t n_needed; /* as in struct pair_metric */
    char text[512];
};

struct change { /* from the window before to this one */
    bool known;
    double before, after;
    struct interval difference; /* after - before */
    double p_adjusted;
    enum verdict_kind verdict; /* better: it got better */
};
struct change_row {
    struct change metrics[N_METRICS];
};

enum recommend_state { RECOMMEND_NONE, RECOMMEND_INCONCLUSIVE, RECOMMEND_CLEAR };
const char *recommend_state_name(enum recommend_state s); /* "none", "inconclusive", "clear" */

enum { RECOMMEND_NOTES = 8 };
struct candidate {
    bool measured; /* has scores */
    double total;  /* 0..100 */
    struct score score;
    double lead_share;                     /* of the resamples that it leads, 0..1 */
    const char *excluded[RECOMMEND_NOTES]; /* hard gates that it fails, in words */
    const char *unknown[RECOMMEND_NOTES];  /* gates that nothing is known of yet */
    size_t n_excluded, n_unknown;
};

struct turning_point { /* from this weight on, another environment leads */
    bool any;
    double weight; /* share of all weights, 0..1; the others keep their proportions */
    size_t environment;
};

struct recommendation {
    enum recommend_state state;
    int leader;                   /* highest total of those not excluded; -1 = none */
    struct candidate *candidates; /* one an environment */
    double weights[SCORE_PARTS];  /* shares of 1, as set */
    bool used[SCORE_PARTS];       /* measured for every candidate; the others are left out */
    struct turning_point below[SCORE_PARTS], above[SCORE_PARTS];
    unsigned resamples;
    size_t blocks;
    const char **missing; /* what a clear answer lacks, in words */
    size_t n_missing;
    char text[768];
};

struct comparison {
    struct comparison_options options;
    struct environment_result *environments;
    size_t n_environments;
    struct endpoint_result *endpoints; /* by app, instance, check */
    size_t n_endpoints;
    size_t n_pooled, n_common; /* request endpoints, and of them those in the pairs */
    int64_t first_ms, last_ms; /* of the samples; 0 when there is none */
    int64_t moment_ms;         /* length of one stretch */
    size_t n_moments;          /* at most 288 */
    int heat_hours;            /* of the day in one heat cell: 1 or 2; 0 = only days are kept */
    size_t n_heat;             /* 24 / heat_hours */
    struct pair_result *pairs; /* every two environments, in order */
    size_t n_pairs;
    size_t n_tests; /* that Holm's correction counts */
    struct win wins[WIN_CATEGORIES];
    struct comparison *before;  /* NULL = nothing was measured before */
    struct change_row *changes; /* one an environment; NULL = too little was measured before */
    struct recommendation recommendation;
    struct self_test_result *self_tests; /* one an environment; NULL = not asked for */
    struct arena arena;                  /* of all this */
};
