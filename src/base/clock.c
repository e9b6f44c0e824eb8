#include "base/clock.h"
#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t system_mono_us(void *arg)
{
    struct timespec t;

    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t system_wall_ms(void *arg)
{
    struct timespec t;

    (void)arg;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const struct clock clock_system = {.mono_us = system_mono_us, .wall_ms = system_wall_ms};

int64_t clock_mono_us(const struct clock *c)
{
    return c->mono_us(c->arg);
}

int64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_us(c->arg) / 1000;
}

int64_t clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c->arg);
}

void clock_format_utc(int64_t wall_ms, char ret[32])
{
    /* Years 1000 to 9999, which always have four digits. */
    const int64_t first = -30610224000, last = 253402300799;
    int64_t s = wall_ms / 1000 - (wall_ms % 1000 < 0);
    time_t t = (time_t)(s < first ? first : s > last ? last : s);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Reads exactly `digits` digits; -1 when there are other characters. */
static int take_digits(const char **s, int digits)
{
    int value = 0;

    for (; digits > 0; digits--, (*s)++) {
        if (!isdigit((unsigned char)**s))
            return -1;
        value = value * 10 + (**s - '0');
    }
    return value;
}

static bool take_char(const char **s, char c)
{
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

/* "2026-11-22T15:04:05" into UTC seconds as if it had no offset. */
static int take_date_time(const char **s, int64_t *ret)
{
    struct tm tm = {0};

    tm.tm_year = take_digits(s, 4) - 1900;
    if (tm.tm_year < -1900 || !take_char(s, '-'))
        return -1;
    tm.tm_mon = take_digits(s, 2) - 1;
    if (tm.tm_mon < 0 || tm.tm_mon > 11 || !take_char(s, '-'))
        return -1;
    tm.tm_mday = take_digits(s, 2);
    if (tm.tm_mday < 1 || tm.tm_mday > 31 || (**s != 'T' && **s != 't' && **s != ' '))
        return -1;
    (*s)++;
    tm.tm_hour = take_digits(s, 2);
    if (tm.tm_hour < 0 || tm.tm_hour > 23 || !take_char(s, ':'))
        return -1;
    tm.tm_min = take_digits(s, 2);
    if (tm.tm_min < 0 || tm.tm_min > 59 || !take_char(s, ':'))
        return -1;
    tm.tm_sec = take_digits(s, 2);
    if (tm.tm_sec < 0 || tm.tm_sec > 60)
        return -1;

    int month = tm.tm_mon, second = tm.tm_sec;

    *ret = timegm(&tm);
    /* 30 February became March; only a leap second may move into the next month */
    return tm.tm_mon == month || second == 60 ? 0 : -1;
}

static int take_fraction_ms(const char **s)
{
    int ms = 0, scale = 100;

    if (!take_char(s, '.'))
        return 0;
    if (!isdigit((unsigned char)**s))
        return -1;
    for (; isdigit((unsigned char)**s); (*s)++, scale /= 10)
        ms += (**s - '0') * scale;
    return ms;
}

static int take_offset_s(const char **s, int *ret)
{
    if (take_char(s, 'Z') || take_char(s, 'z')) {
        *ret = 0;
        return 0;
    }

    int sign = **s == '+' ? 1 : **s == '-' ? -1 : 0;

    if (sign == 0)
        return -1;
    (*s)++;

    int hours = take_digits(s, 2);

    if (hours < 0 || hours > 23 || !take_char(s, ':'))
        return -1;

    int minutes = take_digits(s, 2);

    if (minutes < 0 || minutes > 59)
        return -1;
    *ret = sign * (hours * 3600 + minutes * 60);
    return 0;
}

int clock_parse_utc(const char *s, int64_t *ret_wall_ms)
{
    int64_t seconds;
    int ms, offset;

    if (!s || take_date_time(&s, &seconds) < 0 || (ms = take_fraction_ms(&s)) < 0 ||
        take_offset_s(&s, &offset) < 0 || *s)
        return -1;
    *ret_wall_ms = (seconds - offset) * 1000 + ms;
    return 0;
}

static int64_t fake_mono_us(void *arg)
{
    return ((const struct clock_fake *)arg)->mono_us;
}

static int64_t fake_wall_ms(void *arg)
{
    return ((const struct clock_fake *)arg)->wall_ms;
}

struct clock clock_fake(struct clock_fake *f)
{
    return (struct clock){.mono_us = fake_mono_us, .wall_ms = fake_wall_ms, .arg = f};
}

void clock_fake_step(struct clock_fake *f, int64_t ms)
{
    f->mono_us += ms * 1000;
    f->wall_ms += ms;
}
