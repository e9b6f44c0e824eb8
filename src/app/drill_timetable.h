#pragma once

#include <stdbool.h>
#include <stdint.h>

struct manifest_schedule;
struct zone;

/*
 * Is an entry of the manifest's `schedules` due in from <= t < until (wall milliseconds)? Pure.
 * `every` means whole multiples of it since 1970, so that a restart neither repeats nor shifts it;
 * `at` is a minute of the zone's day, on its weekdays, or on a day of the month. A minute that the
 * clock shows twice when summer time ends is due twice; one that it skips, not at all.
 */
bool timetable_due(const struct manifest_schedule *s, const struct zone *zone, int64_t from_ms,
                   int64_t until_ms);
