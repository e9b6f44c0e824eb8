#include "base/clock.h"
#include "base/zone.h"
#include "test.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t at(const char *text)
{
    int64_t ms = 0;
    CHECK(clock_parse_utc(text, &ms) == 0);
    return ms;
}

static struct zone *open_zone(const char *name)
{
    struct zone *z = NULL;
    struct err e = ERR_INIT;
    CHECK(zone_open(name, &z, &e) == 0);
    return z;
}

static void utc_needs_no_file(void)
{
    struct zone *z = open_zone("UTC");
    int weekday;
    CHECK(zone_offset_s(z, at("2026-07-01T00:00:00Z")) == 0);
    CHECK(zone_minute(z, at("2026-11-22T23:40:59Z"), &weekday) == 23 * 60 + 40 && weekday == 6);
    CHECK(zone_minute(z, at("1969-12-31T23:59:00Z"), &weekday) == 1439 && weekday == 2);
    zone_free(z);
}

/* Sources: the zones' own laws; years beyond the file's table go by the rule at its end. */
static void offsets_are_those_of_the_place_and_day(void)
{
    static const struct {
        const char *zone, *at;
        int32_t offset;
    } rows[] = {
        {"America/Toronto", "2026-11-22T12:00:00Z", -5 * 3600},
        {"America/Toronto", "2026-07-01T12:00:00Z", -4 * 3600},
        {"America/Toronto", "2026-03-08T06:59:59Z", -5 * 3600},
        {"America/Toronto", "2026-03-08T07:00:00Z", -4 * 3600},
        {"America/Toronto", "2060-07-01T12:00:00Z", -4 * 3600},
        {"America/Toronto", "2060-12-01T12:00:00Z", -5 * 3600},
        {"Europe/Berlin", "2026-10-25T00:59:59Z", 2 * 3600},
        {"Europe/Berlin", "2026-10-25T01:00:00Z", 3600},
        {"Asia/Kolkata", "2026-01-01T00:00:00Z", 19800},
        {"Asia/Kathmandu", "2050-01-01T00:00:00Z", 20700},
        {"Australia/Sydney", "2055-01-15T00:00:00Z", 11 * 3600}, /* summer across the new year */
        {"Australia/Sydney", "2055-07-15T00:00:00Z", 10 * 3600},
        {"Etc/GMT+3", "2026-01-01T00:00:00Z", -3 * 3600},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct zone *z = open_zone(rows[i].zone);
        int32_t is = z ? zone_offset_s(z, at(rows[i].at)) : -1;
        if (is != rows[i].offset)
            printf("# %s %s: %d\n", rows[i].zone, rows[i].at, is);
        CHECK(is == rows[i].offset);
        zone_free(z);
    }
}

/* libc is asked in a child's own environment: the process's TZ is not ours to set. */
static void it_agrees_with_the_c_library(void)
{
    static const char *const names[] = {"America/Toronto", "Europe/Dublin",  "Africa/Casablanca",
                                        "America/Nuuk",    "Asia/Jerusalem", "Pacific/Chatham"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct zone *z = open_zone(names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        int differs = 0;
        for (time_t t = 0; t < 3500000000; t += 86400 * 5 + 3607) {
            struct tm tm;
            localtime_r(&t, &tm);
            differs += z && zone_offset_s(z, (int64_t)t * 1000) != (int32_t)tm.tm_gmtoff;
        }
        if (differs)
            printf("# %s differs %d times\n", names[i], differs);
        CHECK(differs == 0);
        zone_free(z);
    }
    unsetenv("TZ");
}

static void a_span_may_go_past_midnight_and_over_a_change_of_clocks(void)
{
    enum { TEN = 22 * 60, SEVEN = 7 * 60, NINE = 9 * 60, SIX = 18 * 60 };
    struct zone *z = open_zone("America/Toronto");
    CHECK(zone_span_end(z, TEN, SEVEN, at("2026-11-23T02:59:59Z")) == 0); /* 21:59:59 */
    CHECK(zone_span_end(z, TEN, SEVEN, at("2026-11-23T03:00:00Z")) == at("2026-11-23T12:00:00Z"));
    CHECK(zone_span_end(z, TEN, SEVEN, at("2026-11-23T11:59:59Z")) == at("2026-11-23T12:00:00Z"));
    CHECK(zone_span_end(z, TEN, SEVEN, at("2026-11-23T12:00:00Z")) == 0);
    CHECK(zone_span_end(z, NINE, SIX, at("2026-11-23T15:00:00Z")) == at("2026-11-23T23:00:00Z"));
    CHECK(zone_span_end(z, TEN, SEVEN, at("2026-03-08T04:00:00Z")) == at("2026-03-08T11:00:00Z"));
    CHECK(zone_span_end(z, TEN, SEVEN, at("2026-11-01T03:00:00Z")) == at("2026-11-01T12:00:00Z"));
    zone_free(z);
}

static void a_zone_that_is_not_there_is_refused(void)
{
    static const char *const names[] = {"Mars/Olympus", "", "../../etc/passwd", "/etc/passwd",
                                        "zone.tab"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct zone *z = NULL;
        struct err e = ERR_INIT;
        CHECK(zone_open(names[i], &z, &e) == -1 && e.kind == ERR_MANIFEST && !z);
    }
}

/* Every cut and many changed bytes: refused or read, never a read out of bounds. */
static void a_damaged_file_harms_nobody(void)
{
    char dir[] = "/tmp/trine-zone-XXXXXX", path[64], bytes[8192];
    FILE *f = fopen("/usr/share/zoneinfo/America/Toronto", "rb");
    size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
    struct err e = ERR_INIT;
    if (f)
        fclose(f);
    CHECK(n > 100 && mkdtemp(dir) && setenv("TZDIR", dir, 1) == 0);
    snprintf(path, sizeof(path), "%s/Bad", dir);
    for (size_t i = 0; i < n; i += i < 200 ? 1 : 37) {
        struct zone *z = NULL;
        char damaged[8192];
        memcpy(damaged, bytes, n);
        damaged[i] = (char)~damaged[i];
        FILE *out = fopen(path, "wb");
        fwrite(damaged, 1, i % 2 ? i : n, out);
        fclose(out);
        if (zone_open("Bad", &z, &e) == 0)
            (void)zone_span_end(z, 1, 2, 1700000000000);
        zone_free(z);
    }
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
    unsetenv("TZDIR");
}

int main(void)
{
    utc_needs_no_file();
    offsets_are_those_of_the_place_and_day();
    it_agrees_with_the_c_library();
    a_span_may_go_past_midnight_and_over_a_change_of_clocks();
    a_zone_that_is_not_there_is_refused();
    a_damaged_file_harms_nobody();
    return DONE();
}
