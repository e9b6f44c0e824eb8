#pragma once

#include <stddef.h>
#include <stdint.h>

struct http_header;

/* One thing to probe: a check of one app instance in one environment. Plain data, filled by `app`
 * from the manifest and the live deployments; everything is borrowed. */
struct target {
    const char *environment, *app, *instance, *check;
    int64_t series;  /* store.h: series_id of the four names */
    const char *url; /* absolute; requested with GET, redirects are not followed */
    const struct http_header *headers; /* sent along */
    size_t n_headers;

    int64_t every_ms;   /* > 0 */
    int64_t timeout_ms; /* > 0; whole request */
    int64_t
        cold_timeout_ms; /* for a cold probe, which takes as long as the wake-up; 0 = timeout_ms */
    int64_t slow_ms;     /* a good answer that took longer is "slow"; 0 = none is */
    int expect_status;   /* 0 = any 2xx */
    const char *expect_body; /* must be in the body; NULL or "" = anything */

    /* The platform puts the service to sleep after so long without a request; 0 = never. */
    int64_t sleep_after_ms;
    /* Wall time of the last request to the service that is known from before this schedule; 0 =
     * none. */
    int64_t last_request_ms;
};
