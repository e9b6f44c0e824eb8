#pragma once

#include "net/http_server.h"
#include "sim.h"

/*
 * What the simulator saw: rate windows, the books and the stream of requests. All per process and
 * on the loop's thread; the books live in the state and outlast a restart.
 */

/* --- rates.c --------------------------------------------------------------------------------- */
struct rates;
struct rates *rates_new(void);
void rates_free(struct rates *w); /* NULL is fine */
void rates_clear(struct rates *w);

struct rate_verdict {
    bool over;
    unsigned limit, left;   /* of the first row that matches; limit 0 = none does */
    int64_t reset_ms;       /* simulated, until a place is free again */
    int64_t retry_after_ms; /* simulated; when over */
};
/* Counts the request in every row of its platform that it matches, and says whether it may go on.
 */
void rates_take(struct rates *w, const struct sim_request *r, int64_t now_ms,
                struct rate_verdict *ret);
/* Counts an answer of 2xx in the rows that count only those. */
void rates_succeeded(struct rates *w, const struct sim_request *r, int64_t now_ms);
/* [{"name", "limit", "window_ms", "most"}] of a platform; a new reference. */
json_t *rates_books(const struct rates *w, const struct sim_platform *p);

/* --- books.c --------------------------------------------------------------------------------- */
void books_request(struct sim *s, const struct sim_platform *p, const char *method, int status);
json_t *books_all(struct sim *s); /* GET /books; a new reference */

/* --- stream.c -------------------------------------------------------------------------------- */
struct stream;
struct stream *stream_new(void);
void stream_free(struct stream *t); /* NULL is fine */
void stream_clear(struct stream *t);
/* Notes a request that was answered with `status` (0: not at all). */
void stream_note(struct stream *t, const struct sim_request *r, const char *full_path, int status);
/* Answers GET /requests; with follow the exchange stays open for what comes. */
void stream_show(struct stream *t, struct http_exchange *x, uint64_t since, bool follow);
