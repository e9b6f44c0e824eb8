#pragma once

#include "base/err.h"

#include <stdint.h>

/*
 * Whose clock: an IANA time zone, read from the machine's own data (tzfile(5), RFC 8536; TZDIR or
 * /usr/share/zoneinfo) without touching the process's TZ. Immutable after zone_open, so any thread
 * may ask. Life cycle: zone_open .. zone_free.
 */
struct zone;

/* "America/Toronto". "UTC" needs no file. ERR_MANIFEST: this machine does not know it. */
int zone_open(const char *name, struct zone **ret, struct err *e);
void zone_free(struct zone *z); /* NULL is fine */

/* Seconds that its clock is ahead of UTC at this time; east is positive. */
int32_t zone_offset_s(const struct zone *z, int64_t wall_ms);

/* Minute of its day, 0..1439, and its day of the week, 0 = Monday. */
int zone_minute(const struct zone *z, int64_t wall_ms, int *ret_weekday /* may be NULL */);

/* In the span of the day from..to (minutes; from > to: past midnight) its end, as wall time;
 * outside it 0. Where clocks are changed in between, the end is where the clock on the wall says
 * `to`. */
int64_t zone_span_end(const struct zone *z, int from, int to, int64_t wall_ms);
