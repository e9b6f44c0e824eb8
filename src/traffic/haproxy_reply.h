#pragma once

#include "base/err.h"
#include "traffic/haproxy_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * What HAProxy's runtime socket says, taken apart. Internal to the HAProxy files of this folder.
 * Pure; whatever comes is bounded and may be garbage. See HAProxy's Management Guide 2.6, sections
 * 9.1 (the columns of the statistics) and 9.3 (the commands).
 */

/* `show info`: who answers. */
struct haproxy_identity {
    char node[80], hash[80]; /* "" = it did not say */
    char version[40];
    int64_t pid;             /* the worker's; 0 = it did not say */
    int64_t connections_max; /* at once; 0 = it did not say */
};
/* ERR_REMOTE when that is not HAProxy's answer. */
int haproxy_identity_read(const char *text, struct haproxy_identity *ret, struct err *e);
/* "HAProxy version 2.6.12-1 ..." (of `haproxy -v`) is 2006; -1 for anything else. */
int haproxy_version_read(const char *text);

/* One server's line of `show stat`. */
struct haproxy_row {
    char proxy[128], server[SERVER_NAME_MAX], status[40], check[64];
    uint64_t tried, streams, answers[6], connect_errors, answer_errors, retries, redispatches;
    uint64_t client_aborts, answer_ms, weight;
};
typedef void haproxy_row_fn(const struct haproxy_row *row, void *arg);
/* All rows of a reply that may begin with other commands' words. ERR_REMOTE: there is no table, or
 * it lacks a column that is needed; it names it. */
int haproxy_stats_read(const char *text, haproxy_row_fn *fn, void *arg, struct err *e);
/* The first line of a reply that is neither empty nor the table: an order that was refused. */
bool haproxy_complaint(const char *text, char *ret, size_t size);

/* `show sess all`: the requests that are with the server, that have no answer yet and that HAProxy
 * will send again to another one if they are ended: `shutdown session` for each. Returns how many.
 */
size_t haproxy_sessions_free(const char *text, const char *proxy, const char *server,
                             struct buf *out);

/* --- Counters (haproxy_tally.c) ---------------------------------------------------------------*/

/*
 * One server's counters as live.h wants them, from those of its route and of its open backend.
 * HAProxy counts an answer when it begins and a request until it ends, so "waiting" is what was
 * tried, less what was answered, failed or left; what is miscounted is forgotten whenever nothing
 * is with the server, or when it is impossible for a while.
 */
struct haproxy_tally {
    uint64_t tried, answered, server_errors, left, streams, answer_ms;
    uint64_t failed; /* without an answer that reached the client */
    int64_t offset;  /* of "waiting": what was miscounted so far */
    int64_t least;   /* of the impossible readings in a row */
    int in_a_row;
};
void haproxy_tally_begin(struct haproxy_tally *t);
void haproxy_tally_add(struct haproxy_tally *t, const struct haproxy_row *row);
void haproxy_tally_end(struct haproxy_tally *t, struct live_counters *ret);
