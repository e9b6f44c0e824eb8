#include "base/clock.h"

#include "test.h"

static void times_are_written_in_utc(void)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "1970-01-01T00:00:00Z"},         {1795359845999, "2026-11-22T15:04:05Z"},
                {-1, "1969-12-31T23:59:59Z"},        {951782400000, "2000-02-29T00:00:00Z"},
                {INT64_MAX, "9999-12-31T23:59:59Z"}, {INT64_MIN, "1000-01-01T00:00:00Z"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];

        clock_format_utc(rows[i].ms, text);
        CHECK(strcmp(text, rows[i].text) == 0);
    }
}

static void times_are_read_with_fraction_and_offset(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"2026-11-22T15:04:05Z", 1795359845000},
                {"2026-11-22T15:04:05.25Z", 1795359845250},
                {"2026-11-22T15:04:05.123456789Z", 1795359845123},
                {"2026-11-22t15:04:05z", 1795359845000},
                {"2026-11-22 15:04:05Z", 1795359845000},
                {"2026-11-22T16:34:05+01:30", 1795359845000},
                {"2026-11-22T10:04:05-05:00", 1795359845000},
                {"1969-12-31T23:59:59Z", -1000},
                {"2016-12-31T23:59:60Z", 1483228800000}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -7;

        CHECK(clock_parse_utc(rows[i].text, &ms) == 0 && ms == rows[i].ms);
    }
}

static void what_is_no_time_is_refused(void)
{
    static const char *const rows[] = {"",
                                       "2026-11-22",
                                       "2026-11-22T15:04:05",
                                       "2026-11-22T15:04Z",
                                       "2026-02-30T00:00:00Z",
                                       "2026-13-01T00:00:00Z",
                                       "2026-00-01T00:00:00Z",
                                       "2026-01-00T00:00:00Z",
                                       "2026-01-01T24:00:00Z",
                                       "2026-01-01T00:60:00Z",
                                       "2026-01-01T00:00:61Z",
                                       "2026-01-01T00:00:00.Z",
                                       "2026-01-01T00:00:00+0100",
                                       "2026-01-01T00:00:00Zx",
                                       "26-01-01T00:00:00Z",
                                       " 2026-01-01T00:00:00Z"};
    int64_t ms = -7;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(clock_parse_utc(rows[i], &ms) == -1 && ms == -7);
    CHECK(clock_parse_utc(NULL, &ms) == -1);
}

static void a_fake_clock_moves_only_when_stepped(void)
{
    struct clock_fake f = {.mono_us = 5000500, .wall_ms = 1000};
    struct clock c = clock_fake(&f);

    CHECK(clock_mono_us(&c) == 5000500 && clock_mono_ms(&c) == 5000 && clock_wall_ms(&c) == 1000);
    clock_fake_step(&f, 250);
    CHECK(clock_mono_us(&c) == 5250500 && clock_wall_ms(&c) == 1250);
}

static void the_system_clock_never_goes_back(void)
{
    int64_t before = clock_mono_us(&clock_system);

    CHECK(clock_mono_us(&clock_system) >= before && before > 0);
    CHECK(clock_wall_ms(&clock_system) > 1700000000000);
}

int main(void)
{
    times_are_written_in_utc();
    times_are_read_with_fraction_and_offset();
    what_is_no_time_is_refused();
    a_fake_clock_moves_only_when_stepped();
    the_system_clock_never_goes_back();
    return DONE();
}
