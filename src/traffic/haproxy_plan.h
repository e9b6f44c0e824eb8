#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "traffic/haproxy.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * A plan as the engine needs it: checked, copied, and written down as HAProxy's configuration with
 * the names that its runtime socket uses. Internal to the HAProxy files of this folder. Pure.
 *
 * A route `api` becomes the frontend `in_api`, the backend `api`, and, with two servers or more,
 * `api_open`: the same servers without checks, used when none of `api` is left. A server's name is
 * what the Host header must say, because HAProxy writes that name there for each try.
 */
enum {
    SERVERS_MAX = 32, /* of a route */
    SERVER_NAME_MAX = 300,
    SOCKET_SUFFIX_MAX = 24, /* "/master.sock" and the ".PID.tmp" that HAProxy binds first */
    PATIENT_MS = 60000,     /* for what cannot be tried elsewhere: giving up early helps nobody */
    CHECK_DAYS = 7,         /* between two checks of a healthy server, at most */
};

/* Bounds and names. ERR_USAGE says the route, what is wrong with it and what to do. */
int haproxy_plan_check(const struct haproxy_plan *p, struct err *e);
/* A deep copy in `a`. */
struct haproxy_plan *haproxy_plan_copy(struct arena *a, const struct haproxy_plan *p);
void haproxy_server_name(const struct haproxy_server *s, char ret[SERVER_NAME_MAX]);
/* Is there another environment to turn to? If not, nothing is checked, and none is taken out. */
bool haproxy_route_has_choice(const struct haproxy_route *r);
/* The server of that route and environment; NULL: none. */
const struct haproxy_server *haproxy_plan_find(const struct haproxy_plan *p, const char *route,
                                               const char *environment);
const struct haproxy_route *haproxy_plan_route(const struct haproxy_plan *p, const char *route);
/* As it is given to HAProxy: a backup's weight is at least 1, for its turn comes by being a backup.
 */
int haproxy_weight(const struct haproxy_server *s, int weight);

/* --- Writing (haproxy_config.c) ---------------------------------------------------------------*/
struct haproxy_shape {
    const char *hash;                   /* of the configuration without orders; "" = none */
    const struct haproxy_order *orders; /* it starts with them in force */
    size_t n_orders;
};
/* Of a checked plan. */
void haproxy_config_write(const struct haproxy_plan *p, const struct haproxy_shape *shape,
                          struct buf *out);
/* Is it a name whose address may change? Then it is followed by the resolvers "trine_names". */
bool haproxy_is_looked_up(const char *host);
void haproxy_write_resolvers(const struct haproxy_plan *p, struct buf *out); /* if any is */
/* Puts in quotes what stands for itself in HAProxy's configuration. */
void haproxy_quote(struct buf *out, const char *text);
void haproxy_node_name(const char *project, char ret[80]);
