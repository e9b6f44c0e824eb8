#pragma once

#include "manifest/manifest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_header;

/* One thing to probe: a check of one app instance in one environment. Plain data, filled by `app`
 * from the manifest, the secrets and the live deployments; everything is borrowed. Texts are never
 * NULL unless it says so. */
struct target {
    enum check_kind kind;
    const char *environment, *app, *instance, *check;
    int64_t series; /* store.h: series_id of the four names */

    /* http, cors, upstash: absolute, http or https. websocket: ws or wss. tls, tcp, dns: host with
     * port in `port`. postgres, redis: the connection URL, password included: a secret, never
     * printed. */
    const char *url;
    const struct http_header *headers; /* http, cors, websocket: sent along */
    size_t n_headers;
    bool keep_connection; /* http: reuse it; else each probe pays look-up, connect and TLS */
    int port;             /* tls, tcp */

    const char *token;             /* upstash: a secret */
    const char *origin;            /* cors: the Origin that must be allowed */
    const char *query;             /* postgres: one statement */
    const char *const *extensions; /* postgres: that must be installed or installable */
    size_t n_extensions;
    int major_version;       /* postgres, redis: at least; 0 = any */
    bool pubsub;             /* redis: a message must come back through a channel */
    int64_t min_validity_ms; /* tls */
    int64_t hold_ms;         /* websocket: stays open for so long */

    int64_t every_ms;   /* > 0: while all is well */
    int64_t fast_ms;    /* while it is suspected; 0 = every_ms. Those samples are `extra` */
    int64_t down_ms;    /* while it is down; 0 = every_ms. Slots left out are recorded as missed */
    int64_t timeout_ms; /* > 0; whole probe */
    int64_t
        cold_timeout_ms; /* for a cold one, which takes as long as the wake-up; 0 = timeout_ms */
    int64_t slow_ms;     /* a good answer that took longer is "slow"; 0 = none is */
    int down_after, up_after; /* results in a row that change the state; >= 1 */

    int expect_status;         /* http; 0 = any 2xx */
    const char *expect_body;   /* http: must be in the body; "" = anything */
    const char *expect_header; /* http: "Name: part of the value"; "" = none */
    const char *expect_json;   /* http: "path = value"; "" = none */

    /* The platform puts the service to sleep after so long without a request; 0 = never. */
    int64_t sleep_after_ms;
    enum check_wake wake;
    int64_t cold_every_ms; /* WAKE_DUE: a cold start is measured at most so often */
    /* Wall time of the last request to the service that is known from before this schedule; 0 =
     * none. */
    int64_t last_request_ms;
};
