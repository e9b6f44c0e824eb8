#pragma once

#include "store/traffic.h"

#include <stddef.h>

struct api_call;
struct serve;

/*
 * Drills in trine serve: the API's part (docs/api.md, *Drills*), the event `drills`, the manifest's
 * timetable (schedules with run: drill), and what dead drills have left, which is undone at the
 * start. Of drills that another process runs it learns from the store.
 *
 * Of the timetable: one after another, each environment that the routes with a `listen` lead to;
 * what is refused (an order is in force, the environment is down) is said and left out.
 *
 * Life cycle: drill_desk_new, drill_desk_start, drill_desk_stop (a drill under way ends its fault),
 * drill_desk_free once drill_desk_pending is 0. One thread, the loop's.
 */
struct drill_desk;
struct drill_desk_options {
    struct serve *serve;
    /* A drill has ended, of this process or another; once each. NULL is fine. Valid during the
     * call. */
    void (*ended)(const struct drill_record *d, void *arg);
    void *arg;
};
struct drill_desk *drill_desk_new(const struct drill_desk_options *o);
void drill_desk_start(struct drill_desk *d);
void drill_desk_stop(struct drill_desk *d);
size_t drill_desk_pending(const struct drill_desk *d); /* NULL is fine */
void drill_desk_free(struct drill_desk *d);            /* NULL is fine */

void drills_get(struct api_call *c);
void drills_post(struct api_call *c);
void drills_stop_post(struct api_call *c);
