#pragma once

#include "app/checking_view.h"
#include "app/vantage_view.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct app;
struct buf;

/*
 * What `trine traffic` shows: where the routes stand, as the router last wrote it into the store
 * (the API's *Traffic*), and who holds its lease.
 *
 * Life cycle: zeroed, traffic_view_read, traffic_view_release. One thread.
 */
struct traffic_view {
    json_t *json; /* NULL: no router ever ran here */
    int64_t updated_ms;
    bool steered;     /* somebody holds the lease */
    char holder[128]; /* "operator@machine pid 4711" */
};
int traffic_view_read(struct app *a, struct traffic_view *ret, struct err *e);
void traffic_view_release(struct traffic_view *v);

/* The order in force for an environment of a route as the router has it; 0 = none. */
int64_t traffic_view_order(const struct traffic_view *v, const char *route,
                           const char *environment);
/* Whether the router's own manifest has that route with that environment. */
bool traffic_view_leads(const struct traffic_view *v, const char *route, const char *environment);
/* An order as the command line has it: "weight 50", "drain", "override up". */
void traffic_order_words(const char *kind, int weight, char ret[96]);

struct traffic_extra {    /* of trine traffic status */
    struct matrix matrix; /* of all environments, for checking */
    struct checking_rows checking;
    struct vantage_rows seen;
};
/* route NULL: all. What checking costs, and what agents saw since from_ms; to be released also when
 * it failed. */
int traffic_extra_read(struct app *a, const char *route, int64_t from_ms, struct traffic_extra *ret,
                       struct err *e);
void traffic_extra_release(struct traffic_extra *x);

/* route NULL: all; x NULL: only where the routes stand. v->json is not NULL. */
void traffic_view_text(const struct app *a, const struct traffic_view *v, const char *route,
                       const struct traffic_extra *x, struct buf *out);
/* On standard output, as text or JSON. 1 when an environment of these routes is down, or one of the
 * manifest's is steered by nobody, else 0. */
int traffic_view_print(struct app *a, const struct traffic_view *v, const char *route,
                       struct err *e);
/* The same with traffic_extra. */
int traffic_view_print_all(struct app *a, const struct traffic_view *v, const char *route,
                           int64_t from_ms, struct err *e);

/* --from as in compare: a time, or a span back from now; `span` when it is not given. */
int traffic_read_from(const struct app *a, int64_t span, int64_t *ret, struct err *e);

/* trine traffic export */
int traffic_export_print(struct app *a, struct err *e);
