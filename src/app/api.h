#pragma once

#include "app/api_guard.h"
#include "net/http_server.h"
#include "store/access.h"

#include <stdint.h>

struct buf;
struct loop;

/*
 * The HTTP side of the control API, without knowing what it serves: routes, who may, errors in one
 * shape, security headers. See docs/api.md.
 *
 * Life cycle: api_new listens at once; api_free drops what is not answered yet. One thread, the
 * loop's.
 */
struct api;
enum { API_BODY_MAX = 65536 };

enum api_need { API_OPEN, API_READ, API_OPERATE, API_AGENT }; /* AGENT: always with a token */

struct api_call { /* valid until its handler returns; x as net/http_server.h says */
    struct http_exchange *x;
    int64_t id;               /* what stood for ":id", else 0 */
    bool head;                /* HEAD: a handler that streams answers with nothing */
    struct access_holder who; /* name "": no token was needed */
    void *arg;
};
typedef void api_handler_fn(struct api_call *c);

struct api_route {             /* the table ends with a NULL method */
    const char *method, *path; /* "GET" (which answers HEAD too), "/api/v1/checks/:id/probe" */
    enum api_need need;
    api_handler_fn *run;
};

struct api_options {
    struct api_site site;
    const struct api_route *routes;
    api_handler_fn *other; /* GET and HEAD of paths outside /api/ that no route has */
    /* 1 and whose it is when the token is valid, 0: it is none, -1: *e. */
    int (*check)(const char *token, struct access_holder *ret, void *arg, struct err *e);
    void *arg; /* for handlers and check */
};

struct api *api_new(struct loop *loop, const struct api_options *o, struct err *e);
uint16_t api_port(const struct api *a);
void api_free(struct api *a); /* NULL is fine */

/* --- Answers ------------------------------------------------------------------------------------
 */

void api_answer(struct http_exchange *x, int status, const char *type, const void *body,
                size_t len);
void api_answer_json(struct http_exchange *x, int status, const struct buf *json);
/* {"error": {"kind", "text"}} */
void api_refuse(struct http_exchange *x, int status, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void api_refuse_err(struct http_exchange *x, const struct err *e); /* status by its kind */
/* What every answer carries: no sniffing, no framing, no other site's reading. */
void api_secure(struct http_exchange *x);
