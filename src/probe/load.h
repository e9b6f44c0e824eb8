#pragma once

#include "base/err.h"
#include "base/sketch.h"

#include <stddef.h>
#include <stdint.h>

struct loop;
struct http_client;
struct http_header;

/*
 * Load at a constant rate, on all targets at once: request i of every target is meant for start +
 * i / rate, whether the ones before it were answered or not (an open loop). Times count from the
 * intended moment, so a target that stalls shows in every request that had to wait for it
 * (coordinated omission; G. Tene, "How NOT to Measure Latency", 2013). What would have been seen
 * otherwise is kept beside it (`service`): the gap between the two is the queue.
 *
 * Connections are kept, as users' browsers keep them. At most `connections` requests of a target
 * are on their way; the next ones wait here, and their time runs.
 *
 * A target is left alone for the rest of the run when it says so (429, or 503 with Retry-After) or
 * when at least half of its last 50 requests failed: measuring must not become an attack.
 *
 * Life cycle: load_new, load_add for each target, load_start; `done` comes once; results by
 * load_result until load_free. One thread, the loop's. The HTTP client is borrowed and should be
 * this load's own, with max_per_host at least `connections`.
 */
struct load;
enum {
    LOAD_SECONDS_MAX = 3600,
    LOAD_RATE_MAX = 2000,
    LOAD_STOP_WINDOW = 50, /* requests over which failures stop a target */
    LOAD_BLOCKS_LEAST = 30,
};

struct load_target {
    const char *name; /* the environment; borrowed, like everything here */
    const char *url;
    const struct http_header *headers;
    size_t n_headers;
    int expect_status; /* 0 = any 2xx */
};

struct load_options {
    double rate;         /* requests a second and target; > 0 */
    int64_t duration_ms; /* > 0 */
    unsigned connections;
    unsigned timeout_ms;         /* of one request, from its intended moment */
    void (*progress)(void *arg); /* about once a second; NULL is fine */
    void (*done)(void *arg);
    void *arg;
};

struct load_block { /* what was meant for one stretch of the run: for paired comparison */
    struct sketch times;
    uint64_t good, bad;
};

enum load_stop { LOAD_RAN, LOAD_ASKED_TO_STOP, LOAD_FAILING, LOAD_INTERRUPTED };

struct load_result {
    const struct load_target *target;
    enum load_stop stop;
    char reason[200];                   /* of the first failure, or of the stop; "" = none */
    uint64_t meant, sent, good, failed; /* meant: their moment came; sent <= meant, the rest found
                                           no free connection in time and failed */
    uint64_t waited;                    /* had no free connection at their moment */
    struct sketch times;                /* answered as expected, from the intended moment; us */
    struct sketch service;              /* the same, from the real start */
    struct sketch lateness;             /* of the sends that had a free connection: our own */
    uint64_t bytes;                     /* bodies received */
    struct load_block *blocks;          /* n_blocks stretches of block_ms */
    size_t n_blocks;
    int64_t block_ms; /* a second, or less in a run of under half a minute */
};

struct load *load_new(struct loop *loop, struct http_client *client, const struct load_options *o);
void load_add(struct load *l, const struct load_target *t); /* before load_start */
void load_start(struct load *l);                            /* once */
void load_stop(struct load *l); /* begins no more; what is on its way is waited for */
size_t load_count(const struct load *l);
const struct load_result *load_result(const struct load *l, size_t i); /* complete after `done` */
void load_free(struct load *l); /* NULL is fine; not from inside a callback */
