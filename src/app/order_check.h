#pragma once

#include "manifest/manifest.h"
#include "store/traffic.h"

#include <stddef.h>

struct arena;

/*
 * What people may order of a route, by `trine traffic` or by the API: looked at before it is
 * written, together with the orders that are in force, so that nobody orders the last environment
 * away. The router refuses such an order too, but whoever gave it is no longer there to be told.
 *
 * Threads: an orderable is a copy of its own and may go to another thread with its arena;
 * order_check belongs to the thread that owns the store handle.
 */
enum { ORDER_SPAN_MAX_DAYS = 366 };

struct orderable { /* what a route leads to */
    const char *route;
    const char **environments;
    size_t n;
};
void orderable_from(struct arena *a, const struct manifest_route *r, struct orderable *ret);

/* ERR_USAGE names what is wrong: no such environment, one that is named twice, an unknown kind, a
 * weight or an end that cannot be, or nobody left to send to. `n` orders of one route that are
 * given together, made at their made_ms; those of the kind "none" take one back. */
int order_check(struct store *s, const struct orderable *r, const struct traffic_order *orders,
                size_t n, struct err *e);
