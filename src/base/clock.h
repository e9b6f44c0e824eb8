#pragma once

#include <stdint.h>

/*
 * Time, injectable. Two kinds that must never be mixed: monotonic milliseconds for intervals, wall
 * milliseconds since 1970 UTC for what is stored and shown. A test installs its own functions.
 */
struct clock {
    int64_t (*mono_us)(void *arg); /* microseconds from an arbitrary start; never goes back */
    int64_t (*wall_ms)(void *arg); /* milliseconds since 1970-01-01 UTC; may jump */
    void *arg;
};

extern const struct clock clock_system;

int64_t clock_mono_us(const struct clock *c);
int64_t clock_mono_ms(const struct clock *c);
int64_t clock_wall_ms(const struct clock *c);

/* "2026-11-22T15:04:05Z" (20 characters and NUL) of a wall time; `ret` holds 32 bytes. */
void clock_format_utc(int64_t wall_ms, char ret[32]);

/* Reads what clock_format_utc writes, and RFC 3339 with fraction and offset. -1 when it is neither.
 */
int clock_parse_utc(const char *s, int64_t *ret_wall_ms);

/* A clock for tests: both kinds stand still until stepped. */
struct clock_fake {
    int64_t mono_us;
    int64_t wall_ms;
};
struct clock clock_fake(struct clock_fake *f); /* borrows f */
void clock_fake_step(struct clock_fake *f, int64_t ms);
