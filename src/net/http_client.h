#pragma once

#include "net/http.h"

struct loop;
struct fault;

/*
 * HTTP/1.1 and HTTP/2 client: libcurl's multi socket interface on the loop. It sends once: retry,
 * back-off and rate limits belong to the caller. Connections are kept and reused per host unless
 * the request says otherwise. Only http and https; TLS verified; no proxy, cookie or .netrc.
 * Requests in flight are named by id, never by pointer. A reply compressed with gzip is unpacked
 * (the limit counts the unpacked bytes) unless the request has an Accept-Encoding of its own.
 * What max_per_host holds back waits inside libcurl, whose queue gets slow beyond a thousand.
 */
struct http_client;

enum { HTTP_FOREVER_MS = 24 * 3600 * 1000 }; /* a timeout for who ends requests by himself */
#define HTTP_UNBOUNDED (~0U)

struct http_client_options {
    const char *user_agent; /* borrowed */
    unsigned timeout_ms;    /* default 60000 */
    unsigned connect_ms;    /* default 10000 */
    size_t max_reply;       /* default 16 MiB; a longer reply is ERR_REMOTE, retry false */
    unsigned
        max_per_host;  /* connections; default 16; HTTP_UNBOUNDED: as many as there are requests */
    unsigned stall_ms; /* no byte either way for so long: ERR_NET, retry; default 30000 */
    const char *ca_file; /* extra trust anchor for tests; NULL = the system's */
    struct fault *fault; /* NULL in production: a hit ends the request as ERR_NET, sent = true */
};

/* The reply is valid during the call. Called exactly once a request, never from inside http_send.
 */
typedef void http_done_fn(uint64_t id, const struct http_reply *reply, void *arg);

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *o);
void http_client_free(struct http_client *c); /* drops requests in flight without calling back,
                                               * never from inside a callback */

/* Begins now. `base` is put before a url that begins with '/'. The request (and files it names) is
 * borrowed until the callback. `intended_us` is the loop clock's monotonic time the request was
 * meant to start at (0 = now). Never fails here: a bad url comes back as a reply with status 0. */
uint64_t http_send(struct http_client *c, const char *base, const struct http_request *r,
                   int64_t intended_us, http_done_fn *fn, void *arg);
void http_cancel(struct http_client *c,
                 uint64_t id); /* no callback will come; unknown id is fine */
/* The phases that a request under way has reached so far; -1 for the others, and for all of an
 * unknown id. `total` is the time since its start. */
void http_progress(const struct http_client *c, uint64_t id, struct http_timing *ret);
size_t http_in_flight(const struct http_client *c);
