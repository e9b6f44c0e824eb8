#include "app/drill_timetable.h"

#include "base/clock.h"
#include "base/zone.h"
#include "manifest/manifest.h"
#include "test.h"

static int64_t at(const char *text)
{
    int64_t ms = -1;

    (void)clock_parse_utc(text, &ms);
    return ms;
}

static struct zone *zone_of(const char *name)
{
    struct zone *z = NULL;
    struct err e = ERR_INIT;

    CHECK(zone_open(name, &z, &e) == 0);
    return z;
}

static void an_interval_is_due_at_its_whole_multiples(void)
{
    struct zone *z = zone_of("UTC");
    const struct manifest_schedule s = {.every_ms = 3600000, .at = -1};
    int64_t hour = at("2026-11-22T15:00:00Z");
    CHECK(timetable_due(&s, z, hour - 1000, hour + 1));
    CHECK(timetable_due(&s, z, hour, hour + 1000));
    CHECK(!timetable_due(&s, z, hour - 1000, hour)); /* the next look has it */
    CHECK(!timetable_due(&s, z, hour + 1, hour + 1001));
    CHECK(!timetable_due(&s, z, hour, hour - 5000)); /* the clock went back */
    zone_free(z);
}

static void a_time_of_day_is_the_zones(void)
{
    struct zone *z = zone_of("America/Toronto");
    struct manifest_schedule s = {.at = 4 * 60, .weekdays = 1u << 2}; /* Wednesday */
    int64_t wednesday = at("2026-11-25T09:00:00Z");
    CHECK(timetable_due(&s, z, wednesday - 500, wednesday + 500));
    CHECK(!timetable_due(&s, z, wednesday + 1, wednesday + 60000));
    CHECK(!timetable_due(&s, z, wednesday - 86400000 - 500, wednesday - 86400000 + 500));
    s = (struct manifest_schedule){.at = 4 * 60, .weekdays = WEEKDAYS_ALL, .day = 25};
    CHECK(timetable_due(&s, z, wednesday - 500, wednesday + 500));
    s.day = 24;
    CHECK(!timetable_due(&s, z, wednesday - 500, wednesday + 500));
    zone_free(z);
}

static void the_day_of_the_month_is_the_zones_too(void)
{
    struct zone *z = zone_of("America/Toronto");
    const struct manifest_schedule s = {.at = 23 * 60, .weekdays = WEEKDAYS_ALL, .day = 1};
    int64_t t = at("2026-12-02T04:00:00Z"); /* the 1st there */
    CHECK(timetable_due(&s, z, t, t + 1));
    CHECK(!timetable_due(&s, z, t - 86400000, t - 86400000 + 1));
    zone_free(z);
}

int main(void)
{
    an_interval_is_due_at_its_whole_multiples();
    a_time_of_day_is_the_zones();
    the_day_of_the_month_is_the_zones_too();
    return DONE();
}
