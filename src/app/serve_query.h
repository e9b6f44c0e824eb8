#pragma once

#include "app/serve.h"

/*
 * Answers that are made from the store on the pool and kept for some seconds by what was asked:
 * twenty pages that ask the same thing cost one. What the makers of serve_answers.c and
 * serve_check.c need is here; nobody else includes it.
 */
struct query;

/* Times as in trine compare ("24h", RFC 3339), resolved when the answer is made. */
struct query_ask {
    const char *name; /* of the kind of answer: "compare" */
    int64_t id;
    char from[48], until[48], environment[80];
    bool takes_long;          /* made beside the others, which it would hold up */
    int64_t ttl_ms, stale_ms; /* so long it is given at once; and longer, while it is made anew */
    /* On a pool thread, with the worker's store in a->store; a copy of the app otherwise. */
    int (*make)(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e);
    /* On the loop's thread, for each answer: what is known in memory, before the made members.
     * Opens the object; NULL: `out` is the whole answer. */
    void (*head)(struct serve *s, const struct query_ask *ask, struct json_out *o);
    int64_t from_ms, until_ms; /* for make */
};

/* Reads from=, until= and environment= of the request; false: it was refused. `span` is the default
 * window's length as a duration. */
bool query_window(struct http_exchange *x, const char *span, struct query_ask *ret);
void query_answer(struct serve *s, struct http_exchange *x, const struct query_ask *ask);

/* The names of series, for outages. */
struct series_name {
    int64_t id;
    const char *environment, *app, *instance, *check;
};
struct series_names {
    struct arena arena;
    struct series_name *rows;
    size_t n, size;
};
int series_names_read(struct store *store, struct series_names *ret, struct err *e);
void series_names_release(struct series_names *names);
struct watch_outage named_outage(const struct series_names *names, const struct outage *i);

int make_check(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e);
