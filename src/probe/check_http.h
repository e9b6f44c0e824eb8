#pragma once

#include "net/http.h"
#include "probe/classify.h"

#include <stdbool.h>

struct http_client;

/*
 * One HTTP probe under way: a GET over a connection of its own, so that each one measures name
 * look-up, connect and TLS as a first visitor meets them.
 *
 * Life cycle: zeroed, then any number of check_http_start .. callback, or check_http_cancel. The
 * struct must stay where it is while `running`. One thread, the loop's.
 */
struct check_http;
typedef void check_http_fn(struct check_http *c, const struct http_reply *reply, void *arg);

struct check_http {
    bool running;
    uint64_t id;
    struct http_request request;
    check_http_fn *fn;
    void *arg;
};

/* Sends now. `intended_us` is the loop clock's time it was meant for. The callback comes once,
 * later; `running` is false by then, so it may start the next. */
void check_http_start(struct check_http *c, struct http_client *client, const struct target *t,
                      enum sample_class class_, int64_t intended_us);
void check_http_cancel(struct check_http *c, struct http_client *client); /* not running is fine */
