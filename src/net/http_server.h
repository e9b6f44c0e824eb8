#pragma once

#include "base/buf.h"
#include "net/http.h"

struct loop;

/*
 * HTTP/1.1 server on the loop (libmicrohttpd, external epoll). Each request is delivered whole; it
 * is answered at once or later by its handle. Bodies over max_body are answered 413 before the
 * handler sees them; idle connections are closed.
 */
struct http_server;
struct http_exchange; /* one request being answered; valid until it was answered or the peer left */

struct http_server_options {
    const char *address; /* "127.0.0.1" */
    uint16_t port;       /* 0 picks one */
    size_t max_body;     /* default 64 MiB */
    unsigned idle_ms;    /* default 60000 */
};

typedef void http_handler_fn(struct http_exchange *x, void *arg);

struct http_server *http_server_new(struct loop *loop, const struct http_server_options *o,
                                    http_handler_fn *fn, void *arg, struct err *e);
void http_server_free(struct http_server *s);
uint16_t http_server_port(const struct http_server *s);

/* The request; all borrowed until the exchange ends. path is as sent, without the query. */
const char *http_exchange_method(const struct http_exchange *x);
const char *http_exchange_path(const struct http_exchange *x);
const char *http_exchange_query(const struct http_exchange *x,
                                const char *name); /* decoded; NULL */
const char *http_exchange_header(const struct http_exchange *x, const char *name);
typedef void http_header_fn(const char *name, const char *value, void *arg);
void http_exchange_headers(const struct http_exchange *x, http_header_fn *fn, void *arg);
void http_exchange_queries(const struct http_exchange *x, http_header_fn *fn, void *arg);
const char *http_exchange_body(const struct http_exchange *x, size_t *ret_len);

/* Told when the peer leaves, or the server is freed, before answer, end or abort was called: the
 * handle is dead afterwards. Who answers later needs it, to forget the handle. */
void http_exchange_on_gone(struct http_exchange *x, void (*fn)(void *arg), void *arg);

/* Header to be added to the answer; copies. */
void http_exchange_set(struct http_exchange *x, const char *name, const char *value);

/* Answers and ends the exchange; copies the body. */
void http_exchange_answer(struct http_exchange *x, int status, const char *type, const void *body,
                          size_t len);
/* Answers with a file of `size` bytes, read while it is sent. */
void http_exchange_answer_file(struct http_exchange *x, int status, const char *type,
                               const char *path, size_t size);

/* A body that comes in pieces (server-sent events, slow bodies). After begin: any number of chunk
 * calls, then end. `length` < 0: chunked encoding. */
void http_exchange_begin(struct http_exchange *x, int status, const char *type, int64_t length);
void http_exchange_chunk(struct http_exchange *x, const void *data, size_t len);
void http_exchange_end(struct http_exchange *x);
/* Bytes of chunk calls that the peer's connection has not taken yet: for who must not wait for a
 * slow reader. */
size_t http_exchange_pending(const struct http_exchange *x);

/* Closes the connection without (the rest of) an answer: for the simulator's faults. */
void http_exchange_abort(struct http_exchange *x);

/*
 * Another protocol on the same connection (RFC 9110 section 7.8), such as WebSocket. Instead of an
 * answer: 101 with "Upgrade: protocol" and the headers that were set; the exchange has ended, and
 * its connection is a tunnel of bytes. `gone` is told once, last, whatever ended it: the peer,
 * http_tunnel_close, or the server that was freed. No callback comes from inside these functions.
 */
struct http_tunnel;
struct http_tunnel_events {
    void (*opened)(void *arg); /* from here on may be sent; not called when the peer left before */
    void (*received)(const void *data, size_t len, void *arg); /* valid during the call */
    void (*gone)(void *arg);                                   /* the tunnel is dead */
};
/* Borrows events. */
struct http_tunnel *http_exchange_upgrade(struct http_exchange *x, const char *protocol,
                                          const struct http_tunnel_events *events, void *arg);
/* Copies. False, and nothing was taken, when over 4 MiB would wait for a slow reader. */
bool http_tunnel_send(struct http_tunnel *t, const void *data, size_t len);
/* Ends it once all is sent and the peer closes, too, or after two seconds. */
void http_tunnel_close(struct http_tunnel *t);
