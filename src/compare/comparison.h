#pragma once

#include "base/arena.h"
#include "base/sketch.h"
#include "compare/interval.h"
#include "compare/metric.h"
#include "compare/tally.h"
#include "compare/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Samples in, comparison out: builds what every report shows of the environments.
 *
 * Life cycle: comparison_begin, comparison_environment for each in the order to show,
 * comparison_series once a series, comparison_add for every stored sample in any order,
 * comparison_finish (which frees the builder), the writers of report/, comparison_free. One thread.
 * Memory goes with the number of series (about 6 KiB each), never with the number of samples.
 *
 * What counts where:
 * - Warm requests make the figures. Times are those of answered requests (ok and slow), from the
 *   intended time; a failed request counts against the success rate and has no time.
 * - Cold requests are only in the cold-start table.
 * - Inconclusive and missed ticks are in no rate; their numbers are shown.
 * - Verdicts compare like with like: only endpoints measured in every environment that has data.
 */

struct comparison_targets { /* milliseconds and 0..1; 0 = not set */
    double avg_ms, p95_ms, cold_start_ms, success;
};

struct comparison_options {
    const char *project;       /* for titles */
    int64_t from_ms, until_ms; /* window, wall milliseconds; samples outside it are ignored */
    int64_t generated_at_ms;
    double confidence; /* 0 = 0.95 */
    struct comparison_targets targets;
};

enum comparison_outcome {
    COMPARISON_OK,
    COMPARISON_SLOW, /* answered, over its own bound */
    COMPARISON_FAILED,
    COMPARISON_INCONCLUSIVE, /* our own fault, or no quorum */
    COMPARISON_MISSED,       /* the tick was not served */
};

struct comparison_sample {
    int64_t at_ms;    /* the tick's intended time */
    int64_t total_us; /* from the intended time to the whole answer */
    int64_t late_us;  /* how late the request was sent; part of total_us */
    enum comparison_outcome outcome;
    bool cold;
};

struct comparison_series {
    const char *environment, *app, *instance, *check; /* copied */
    int64_t every_ms;                                 /* how often it is measured, 0 = not known */
    bool pooled; /* a user's request: part of the environment's figures; else only its own row */
};

struct comparison_builder;
struct comparison;

/* Copies *o. 0 <= from_ms < until_ms. */
struct comparison_builder *comparison_begin(const struct comparison_options *o);
/* The environment's index; the same one for the same name. */
size_t comparison_environment(struct comparison_builder *b, const char *name);
/* The handle for comparison_add. An unseen environment is added behind the others. */
size_t comparison_series(struct comparison_builder *b, const struct comparison_series *s);
void comparison_add(struct comparison_builder *b, size_t series, const struct comparison_sample *v);
struct comparison *comparison_finish(struct comparison_builder *b); /* frees b */
void comparison_free(struct comparison *c);                         /* NULL is fine */

/* --- The result. Times are milliseconds. Every pointer lives until comparison_free. ------------
 */

struct figure {
    struct interval interval; /* milliseconds, or a rate */
    uint64_t n;
    double target; /* 0 = none */
    enum target_state state;
};

struct cold_starts {
    struct figure median; /* target: the cold start's */
    double max_ms;        /* 0 when there was none */
    uint64_t failed;      /* not in median.n */
};

struct lateness { /* how late the prober itself was; it is inside every time shown */
    uint64_t n;
    double p50_ms, p95_ms, max_ms;
};

struct moment { /* one stretch of time, warm requests */
    int64_t at_ms;
    struct tally tally;
    double p50_ms, p95_ms; /* 0 when nothing was answered */
};

struct environment_result {
    const char *name;
    struct figure figures[N_METRICS];
    struct tally tally; /* warm */
    struct cold_starts cold;
    struct lateness lateness;
    struct sketch times;    /* warm, answered; microseconds; for distribution plots */
    struct moment *moments; /* n_moments of the comparison, the same stretches for all */
};

struct endpoint_cell {
    struct tally tally; /* warm; all 0 when this environment does not measure it */
    struct interval p50, p95, success;
    uint64_t cold, cold_failed;
};

struct endpoint_result {
    const char *app, *instance, *check;
    int64_t every_ms; /* 0 = not known */
    bool pooled;
    bool common;                 /* counted in the verdicts */
    struct endpoint_cell *cells; /* one an environment */
};

struct comparison {
    struct comparison_options options;
    struct environment_result *environments;
    size_t n_environments;
    struct endpoint_result *endpoints; /* by app, instance, check */
    size_t n_endpoints;
    size_t n_pooled, n_common; /* endpoints in the figures, and of them those in the verdicts */
    int64_t first_ms, last_ms; /* of the samples; 0 when there is none */
    int64_t moment_ms;         /* length of one stretch */
    size_t n_moments;          /* at most 288 */
    struct verdict verdicts[N_METRICS];
    struct arena arena; /* of all this */
};
