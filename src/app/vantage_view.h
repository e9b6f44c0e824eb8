#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/sketch.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct table;

/*
 * The same checks as seen from several places: what the agents measured (store/observation.h)
 * beside what trine serve measured itself. A difference between them is one of the way, not of the
 * environment; so these figures stand by themselves and are mixed into no other.
 *
 * Life cycle: zeroed, vantage_rows_read, vantage_rows_release. One thread.
 */
struct vantage_row { /* one check from one place; only samples on the clock count */
    const char *vantage, *environment, *app, *instance, *check;
    int64_t series;
    bool own;              /* of trine serve itself */
    uint64_t good, failed; /* good: ok or slow */
    struct sketch warm;    /* of the good ones */
};
struct vantage_rows {
    struct arena arena;
    struct vantage_row *rows; /* by check, our own first; none without an agent in that time */
    size_t n, size;
};
/* `own`: what this server is called. app NULL: all. */
struct vantage_window {
    const char *own, *app;
    int64_t from_ms, until_ms;
};
int vantage_rows_read(struct store *s, const struct vantage_window *w, struct vantage_rows *ret,
                      struct err *e);
void vantage_rows_release(struct vantage_rows *r);

struct table *vantage_table(const struct vantage_rows *r);
/* [{"vantage", "environment", "app", "instance", "check", "n", "success_rate", "p50_ms", "p95_ms"}]
 */
json_t *vantage_json(const struct vantage_rows *r);
