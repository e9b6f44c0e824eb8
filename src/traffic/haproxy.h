#pragma once

#include "base/err.h"
#include "traffic/live.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct loop;

/*
 * HAProxy as the data path (2.6 or newer): the configuration is made from a plan, checked by
 * `haproxy -c`, and HAProxy is started as a process of its own (master and worker) that outlives
 * us. It is steered over the worker's runtime socket and reloaded through the master without
 * dropping a connection. See the Management Guide of HAProxy 2.6, sections 9.3 and 9.4.
 *
 * Its own means work without us: retries of safe requests on another environment, taking a failing
 * server out after a few errors, checks while one is out, and an open backend that is used when no
 * server is left. So it goes on with the last good state when we die, and the next process adopts
 * it: same node name, same configuration; what was steered is read back from it.
 *
 * Its checks ask a healthy server nearly never (they would keep sleepers awake and eat an
 * allowance); they begin when the server fails.
 */
struct haproxy_server {
    const char *environment;
    const char *host; /* what the Host header and SNI say; with `port` where it is reached */
    uint16_t port;
    bool tls;
    int weight; /* 0..256 */
    bool
        backup; /* asked only when no other is left; its weight 0 counts as 1, here and in orders */
};

enum haproxy_retry {
    RETRY_NONE,
    RETRY_SAFE,
    RETRY_KEYED, /* SAFE, and other methods with an Idempotency-Key */
};
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the order in which it is read */
struct haproxy_route {
    const char *name;
    const char *listen;                   /* "127.0.0.1:8080" */
    const char *certificate;              /* PEM with key: TLS and HTTP/2 in front; "" = plain */
    const char *health;                   /* path that answers 200 */
    const struct haproxy_server *servers; /* in the order in which they take over */
    size_t n_servers;
    enum haproxy_retry retry;
    /* After which a try is given up. What cannot be tried elsewhere has a minute at least: giving
     * it up early would help nobody. */
    int64_t connect_ms, answer_ms;
    int64_t slow_start_ms;
    int errors;      /* in a row that take a server out; 3 */
    int64_t fast_ms; /* its own checks of one that is out */
};

struct haproxy_plan { /* all borrowed during the call */
    const char *project;
    const char *dir;            /* absolute; ours alone: configuration, sockets, pid file */
    const char *ca_file;        /* trust anchors; NULL = the system's */
    const char *control_listen; /* reserved: NULL */
    const struct haproxy_route *routes;
    size_t n_routes;
};

/* --- Configuration (haproxy_config.c, export_*.c): pure ------------------------------------------
 */
/* What the engine starts. ERR_USAGE names the route and what is wrong with it. */
int haproxy_config(const struct haproxy_plan *p, struct buf *out, struct err *e);
enum export_format { EXPORT_HAPROXY, EXPORT_NGINX };
/* What a team without trine in the path would install: complete, with comments, checked by the
 * program's own test mode in our tests. nginx puts UNIX sockets into p->dir: /run is usual. */
int traffic_export(const struct haproxy_plan *p, enum export_format format, struct buf *out,
                   struct err *e);

/* --- The engine (haproxy.c, haproxy_socket.c, haproxy_stats.c) -----------------------------------
 * Life cycle: haproxy_new, haproxy_apply (again when the plan changes), haproxy_steer,
 * haproxy_leave or haproxy_stop, haproxy_free. One thread, the loop's. */
struct haproxy;

enum haproxy_state {
    HAPROXY_OFF,      /* not started yet */
    HAPROXY_STARTING, /* checking, starting, adopting, reloading */
    HAPROXY_RUNNING,
    HAPROXY_LOST,    /* it does not answer; it is started again, with growing pauses */
    HAPROXY_REFUSED, /* cannot be used: missing, too old, foreign, port taken; `why` says it */
};
const char *haproxy_state_name(enum haproxy_state s);

struct haproxy_reading { /* of one server; valid during the call */
    const char *route, *environment;
    struct live_counters counters;
    bool down_by_itself; /* HAProxy took it out (its own errors or checks) */
    bool in_maintenance, draining;
    int weight; /* as HAProxy has it now */
    uint32_t sessions;
    char check[64]; /* "L7OK/200", "L4CON" */
};

struct haproxy_options {
    const char *program; /* NULL = "haproxy" in PATH, /usr/sbin too */
    /* Statistics are read so often while requests come, a fourth of that while they wait and none
     * is answered, four times that when none come; 0 = 50 */
    int64_t poll_ms;
    void (*state)(enum haproxy_state s, const char *why, void *arg);
    /* After each poll: all servers, then the end of it. */
    void (*reading)(const struct haproxy_reading *r, size_t n, int64_t at_us, void *arg);
    void (*say)(const char *text, void *arg);
    void *arg;
};
struct haproxy *haproxy_new(struct loop *loop, const struct haproxy_options *o);

/* Copies the plan; the orders that were given stand above its weights. Writes the configuration
 * beside the one in force, has it checked, then starts, reloads, or adopts what runs already; a
 * configuration that fails its check changes nothing. `done` (NULL is fine) comes once, e NULL when
 * HAProxy answers with the new configuration. When it could not be started (a port is taken, the
 * program is missing), that is tried again with growing pauses; `state` tells. A certificate that
 * was renewed in its place is noticed within a minute, and comes into force the same way. */
typedef void haproxy_done_fn(const struct err *e, void *arg);
void haproxy_apply(struct haproxy *h, const struct haproxy_plan *p, haproxy_done_fn *done,
                   void *arg);

enum haproxy_mode { MODE_READY, MODE_DRAIN, MODE_MAINTENANCE };
struct haproxy_order {
    const char *route, *environment;
    int weight; /* 0..256 */
    enum haproxy_mode mode;
    bool trusted; /* its own checks and error counts may not take it out (the last one) */
    /* With MODE_MAINTENANCE, of one that hangs: requests that wait for its answer and may be sent
     * again are sent to another one now, not when their time is up. Once; it is not kept. */
    bool release;
};
/* All orders of one decision in one go; `done` when the socket has confirmed them. Kept, and given
 * again after a reload or a restart: HAProxy starts with them in force. While HAProxy does not run
 * `done` gets ERR_NET with `retry`, and the orders are kept all the same. A new process finds those
 * of the one before it when it adopts HAProxy. */
void haproxy_steer(struct haproxy *h, const struct haproxy_order *orders, size_t n,
                   haproxy_done_fn *done, void *arg);
enum haproxy_state haproxy_state(const struct haproxy *h, const char **ret_why);
int64_t haproxy_pid(const struct haproxy *h); /* the master's; 0 = none */
/* The last reading. */
const struct haproxy_reading *haproxy_readings(const struct haproxy *h, size_t *ret_n);
void haproxy_leave(struct haproxy *h);                                  /* it goes on without us */
void haproxy_stop(struct haproxy *h, haproxy_done_fn *done, void *arg); /* ends it softly */
void haproxy_free(struct haproxy *h); /* as haproxy_leave; NULL is fine */
