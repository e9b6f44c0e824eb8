#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "net/http_server.h"

#include <microhttpd.h>
#include <uv.h>

/*
 * One request and its answer, as http_server.c drives it: libmicrohttpd asks, the handler answers
 * through the functions of http_server.h. Only inside net/.
 *
 * A request that is not answered at once is suspended: libmicrohttpd forgets its socket until it is
 * resumed, so a poll of our own looks out for the peer leaving.
 */
struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t *poll;
    struct timer *timer;
    http_handler_fn *fn;
    void *arg;
    size_t max_body;
    uint16_t port;
    bool ending; /* it is being freed */
    struct http_exchange *exchanges;
};

struct lookout;
struct http_tunnel;
struct http_exchange {
    struct http_exchange *next, **link;
    struct http_server *server;
    struct MHD_Connection *connection;
    struct arena arena;
    const char *method, *path;
    struct http_header *queries;
    size_t n_queries;
    struct buf body;
    size_t swallowed;

    struct http_header *headers; /* of the answer */
    size_t n_headers;
    struct MHD_Response *response; /* waits to be queued */
    unsigned status;
    struct buf pending; /* streamed, not yet taken by libmicrohttpd from `taken` on */
    size_t taken;

    bool delivered; /* the handler was called */
    bool streaming; /* between begin and end */
    bool ended;     /* the handler's part is over: the handle is dead to it */
    bool aborted;
    bool suspended;
    bool orphan; /* libmicrohttpd is done with it, but the handler has not called end yet */
    struct lookout *lookout; /* NULL until it was suspended for the first time */
    void (*gone)(void *arg);
    void *gone_arg;
    struct http_tunnel *tunnel; /* it was upgraded */
};

/* `target` is the request line's, before anything is decoded. */
struct http_exchange *exchange_new(struct http_server *s, const char *target,
                                   struct MHD_Connection *connection);
void exchange_free(struct http_exchange *x);

/* What libmicrohttpd's access handler returns once the handler was called: again after each resume
 * until there is an answer. */
enum MHD_Result exchange_go_on(struct http_exchange *x);

/* libmicrohttpd is done with it; `whole` when all of the answer was sent. Frees x, or leaves that
 * to the handler's end call. */
void exchange_over(struct http_exchange *x, bool whole);

/* No answer will come any more: tells the handler's gone function and closes the connection. */
void exchange_drop(struct http_exchange *x);

/* libmicrohttpd may watch the socket again, or give it to a tunnel. */
void exchange_end_lookout(struct http_exchange *x);
/* Puts the answer in place; it is queued when libmicrohttpd calls next. Consumes the response. */
void exchange_respond(struct http_exchange *x, int status, const char *type,
                      struct MHD_Response *response);

/* ---- http_tunnel.c ---- */
void tunnel_drop(struct http_tunnel *t); /* the server is being freed */
void tunnel_over(struct http_tunnel *t); /* libmicrohttpd is done with the connection; frees t */
