#include "app/drill_timetable.h"

#include "base/zone.h"
#include "manifest/manifest.h"

#include <time.h>

enum { MINUTE_MS = 60000, DAY_MS = 86400000 };

static int day_of_month(const struct zone *zone, int64_t wall_ms)
{
    time_t local = (time_t)(wall_ms / 1000 + zone_offset_s(zone, wall_ms));
    struct tm day;

    return gmtime_r(&local, &day) ? day.tm_mday : 0;
}

static bool fits(const struct manifest_schedule *s, const struct zone *zone, int64_t minute_ms)
{
    int weekday = 0;

    if (zone_minute(zone, minute_ms, &weekday) != s->at)
        return false;
    if (s->day)
        return day_of_month(zone, minute_ms) == s->day;
    return s->weekdays & (1u << weekday);
}

bool timetable_due(const struct manifest_schedule *s, const struct zone *zone, int64_t from_ms,
                   int64_t until_ms)
{
    if (from_ms < 0 || until_ms <= from_ms)
        return false;
    if (s->every_ms > 0) {
        int64_t next = (from_ms + s->every_ms - 1) / s->every_ms * s->every_ms;
        return next < until_ms;
    }
    if (until_ms - from_ms >
        DAY_MS) /* the clock was set: what was passed over is not made up for */
        from_ms = until_ms - DAY_MS;
    for (int64_t t = (from_ms + MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS; t < until_ms;
         t += MINUTE_MS)
        if (fits(s, zone, t))
            return true;
    return false;
}
