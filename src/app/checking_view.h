#pragma once

#include "base/arena.h"
#include "budget/checking.h"
#include "manifest/matrix.h"

/*
 * What the manifest's checking costs in a month, for `trine plan`, `trine traffic status` and the
 * API: its checks, by environment, platform and kind of what is asked; and the checking of each
 * route, by environment, at the pace that its `detect` and `check_budget` allow. Nothing is asked
 * of anybody. How large answers are is not known before they come, so it is taken for granted
 * (checking_view.c).
 *
 * Allowances are those of free plans. A binding on a paid plan has a share only when the manifest
 * gives it a limit of its own.
 *
 * Life cycle: checking_rows .. checking_rows_release. Borrows manifest and matrix. One thread.
 */
struct checking_row {
    const char *route; /* "" = of the manifest's checks */
    const char *environment, *platform;
    const char *app;  /* a route's; "" for checks */
    const char *what; /* "static", "service", "database", "cache" */
    int64_t every_ms; /* a route's pace; 0 = none fits its budget, or these are checks */
    bool stops_when_asleep;
    struct checking_price price;
    struct checking_price tuned; /* the route's checking at CHECKING_TUNED_MS; zeroed for checks */
};

struct checking_rows {
    struct allowances *allowances;
    struct checking_row *items; /* the checks, then the routes in the manifest's order */
    size_t n, size;
};

/* Of the environments that the matrix has. */
void checking_rows(const struct manifest *m, const struct matrix *x, struct checking_rows *ret);
void checking_rows_release(struct checking_rows *r);

/* A route's checking of an environment, for its pace: watch_pace with until_ms 0 when it stops
 * while idle, else INT64_MAX. NULL: no such. */
const struct checking_row *checking_row_of(const struct checking_rows *r, const char *route,
                                           const char *environment);

/* An interval in words: "3.5 s", "20 min". */
void checking_every(int64_t ms, char ret[32]);

struct table;
/* Of one route; "" = of the checks; NULL = of everything. To be freed with table_free. */
struct table *checking_table(const struct checking_rows *r, const char *route);
struct json_out;
/* The same as an array (docs/api.md: Checking). */
void checking_json(const struct checking_rows *r, const char *route, struct json_out *o);
