#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct app;

/*
 * What `trine traffic` shows: where the routes stand, as the router last wrote it into the store
 * (the API's *Traffic*), and who holds its lease.
 *
 * Life cycle: zeroed, traffic_view_read, traffic_view_release. One thread.
 */
struct traffic_view {
    json_t *json; /* NULL: no router ever ran here */
    int64_t updated_ms;
    bool steered; /* somebody holds the lease */
    char holder[128];
};
int traffic_view_read(struct app *a, struct traffic_view *ret, struct err *e);
void traffic_view_release(struct traffic_view *v);

/* The order in force for an environment of a route as the router has it; 0 = none. */
int64_t traffic_view_order(const struct traffic_view *v, const char *route,
                           const char *environment);
/* Where its routes stand. route NULL: all. 1 when an environment is down or nobody steers, else 0.
 */
int traffic_view_print(struct app *a, const struct traffic_view *v, const char *route,
                       struct err *e);
/* The same with what their checking costs, and with what agents saw since from_ms. */
int traffic_view_print_all(struct app *a, const struct traffic_view *v, const char *route,
                           int64_t from_ms, struct err *e);

/* --from as in compare: a time, or a span back from now; `span` when it is not given. */
int traffic_read_from(const struct app *a, int64_t span, int64_t *ret, struct err *e);

/* trine traffic export */
int traffic_export_print(struct app *a, struct err *e);
