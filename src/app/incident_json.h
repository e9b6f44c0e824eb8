#pragma once

#include "base/err.h"

#include <stdint.h>

/* Incidents in the shapes of docs/api.md, from the store; for the API and `trine incidents`. Any
 * thread that owns the store handle. */
struct buf;
struct incident;
struct json_out;
struct store;

void incident_json_members(struct json_out *o, const struct incident *i); /* without brackets */
/* {"incidents": [...]}: those that overlap the window, newest first. */
int incident_json_list(struct store *s, int64_t from_ms, int64_t until_ms, struct buf *out,
                       struct err *e);
/* With timeline and outages. ERR_NO: there is none of that number. */
int incident_json_one(struct store *s, int64_t id, struct buf *out, struct err *e);
