#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;
struct loop;

/*
 * A client that asks the same thing again and again at a constant rate, whatever became of the
 * requests before (an open loop): request i is meant for start + i / rate, and its time counts from
 * then. Every one is remembered, so that afterwards the first good one behind the last bad one can
 * be named. Connections are kept, as users' are.
 *
 * Life cycle: canary_new, canary_start, canary_stop, canary_free. One thread, the loop's. Times are
 * the loop clock's monotonic microseconds.
 */
struct canary;
enum canary_end { CANARY_PENDING, CANARY_ANSWERED, CANARY_LOST };
struct canary_shot {
    int64_t intended_us;
    int32_t took_us; /* since then; of a lost one until it was given up */
    enum canary_end end;
};

struct canary_options { /* texts are borrowed */
    const char *url, *host;
    double rate;          /* requests a second */
    unsigned patience_ms; /* without a 2xx within it: lost */
};

struct canary *canary_new(struct loop *loop, struct http_client *client,
                          const struct canary_options *o);
void canary_start(struct canary *c);
void canary_stop(struct canary *c); /* sends no more; what is on its way goes on */
/* All so far, in the order of their moments; valid until the loop goes on. */
const struct canary_shot *canary_shots(const struct canary *c, size_t *ret_n);
size_t canary_in_flight(const struct canary *c);
const char *canary_trouble(const struct canary *c); /* of the newest lost one; "" = none */
void canary_free(struct canary *c);                 /* NULL is fine; drops what is on its way */
