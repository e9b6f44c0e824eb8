#pragma once

#include "manifest/manifest.h"
#include "probe/target.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct http_client;
struct dialer;

/*
 * One probe, whatever its kind: begun by the schedule, answered once. A check asks and reports what
 * it saw; what that means (ok, slow, failed, inconclusive) is decided in one place (classify.h),
 * and time is up when the schedule says so, by cancelling it.
 *
 * Life cycle: start .. the callback, or start .. cancel. The check frees itself at either. One
 * thread, the loop's. The target is borrowed until then.
 */
struct check;

struct check_tools { /* what checks may use; lives as long as the schedule */
    struct loop *loop;
    struct http_client *http;
    struct dialer *dialer; /* net/stream.h: connections other than HTTP, and names */
    const char *ca_file;   /* extra trust anchor for tests; NULL = the system's */
};

/* What was seen. Phases in microseconds counted from the real start, -1 = did not happen. Valid
 * during the callback. */
struct check_answer {
    bool sent;      /* something left this machine; false: only `reason`, and the cause is ours */
    bool answered;  /* the target said something, good or bad: our uplink works */
    bool ok;        /* it is what the check expects, whatever it took */
    int status;     /* HTTP's, where there is one */
    int64_t queued; /* the real start, counted from the intended one: lateness */
    int64_t lookup, connect, tls, first_byte;
    int64_t total;      /* the end, from the real start; see struct sample for databases */
    const char *reason; /* why it is not ok: the thing and what to do; "" when it is. No secrets */
    const char
        *detail; /* worth keeping when it is ok: "PostgreSQL 17.2, vector 0.8.0"; "" = none */
    int64_t valid_until_ms; /* tls: the certificate's end, wall clock; 0 = none */
};
typedef void check_fn(const struct check_answer *a, void *arg);

struct check_ops {
    enum check_kind kind;
    /* Begins now; `intended_us` is the loop clock's time it was meant for. The callback comes once
     * and never from inside start. */
    struct check *(*start)(const struct check_tools *tools, const struct target *t,
                           int64_t intended_us, check_fn *fn, void *arg);
    void (*cancel)(struct check *c); /* frees it; no callback comes */
    /* Phases that were reached so far, for the sample of a probe whose time is up. */
    void (*progress)(const struct check *c, struct check_answer *ret);
};

/* The table is in check.c: a new kind adds its row there. NULL: that kind is not measured yet. */
const struct check_ops *check_find(enum check_kind kind);
extern const struct check_ops check_http, check_tls, check_cors, check_websocket, check_postgres,
    check_redis, check_upstash, check_tcp, check_dns;
