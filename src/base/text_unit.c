#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Quantities with a unit: "90s", "25MiB", "99.9%". */

struct unit {
    const char *name;
    int64_t size;
};

/* Largest first: of two writings of the same length the larger unit is shown. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit sizes[] = {
    {"TiB", INT64_C(1) << 40},
    {"TB", 1000000000000},
    {"GiB", 1 << 30},
    {"GB", 1000000000},
    {"MiB", 1 << 20},
    {"MB", 1000000},
    {"KiB", 1024},
    {"kB", 1000},
    {"B", 1},
};

enum { N_DURATIONS = sizeof durations / sizeof *durations, N_SIZES = sizeof sizes / sizeof *sizes };

/* Digits with at most one point and nine digits behind it: digits / 10^ret_places. No floating
 * point, so that "0.1GB" is exact. */
static int take_decimal(const char **s, int64_t *ret_digits, int *ret_places)
{
    int64_t digits = 0;
    int places = 0, seen = 0;
    bool point = false;

    for (; isdigit((unsigned char)**s) || (**s == '.' && !point && seen > 0); (*s)++) {
        if (**s == '.') {
            point = true;
            continue;
        }
        seen++;
        places += point;
        if (places > 9 || __builtin_mul_overflow(digits, 10, &digits) ||
            __builtin_add_overflow(digits, **s - '0', &digits))
            return -1;
    }
    if (seen == 0 || (point && places == 0))
        return -1;
    *ret_digits = digits;
    *ret_places = places;
    return 0;
}

__extension__ typedef __int128 wide;

static int scale(int64_t digits, int places, int64_t unit, int64_t *ret)
{
    wide value = (wide)digits * unit;

    for (; places > 0; places--) {
        if (value % 10 != 0)
            return -1; /* a part of a millisecond or of a byte */
        value /= 10;
    }
    if (value > INT64_MAX)
        return -1;
    *ret = (int64_t)value;
    return 0;
}

static int parse(const char *s, const struct unit *units, size_t n, int64_t *ret)
{
    int64_t digits;
    int places;

    if (!s || take_decimal(&s, &digits, &places) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(s, units[i].name) == 0)
            return scale(digits, places, units[i].size, ret);
    }
    return -1;
}

int text_duration_ms(const char *s, int64_t *ret, struct err *e)
{
    if (parse(s, durations, N_DURATIONS, ret) == 0)
        return 0;
    return err_set(e, ERR_MANIFEST,
                   "\"%s\" is not a duration: write a number and ms, s, m, h or d, like 90s",
                   s ? s : "");
}

int text_bytes(const char *s, int64_t *ret, struct err *e)
{
    if (parse(s, sizes, N_SIZES, ret) == 0)
        return 0;
    return err_set(e, ERR_MANIFEST,
                   "\"%s\" is not a size: write a number and B, kB, MB, GB, TB, KiB, MiB, GiB or "
                   "TiB, like 25MiB",
                   s ? s : "");
}

int text_percent(const char *s, double *ret, struct err *e)
{
    const char *at = s ? s : "";
    int64_t digits, power = 100;
    int places;

    if (take_decimal(&at, &digits, &places) < 0 || strcmp(at, "%") != 0)
        return err_set(e, ERR_MANIFEST, "\"%s\" is not a percentage: write it like 99.9%%",
                       s ? s : "");
    for (; places > 0; places--)
        power *= 10;
    if (digits > power)
        return err_set(e, ERR_MANIFEST, "\"%s\" is more than 100%%", s);
    *ret = (double)digits / (double)power; /* one division: the nearest double */
    return 0;
}

static void format(int64_t value, const struct unit *units, size_t n, char ret[32])
{
    /* Zero is exact in every unit; it is shown in the one people expect. */
    const struct unit *zero = n == N_DURATIONS ? &units[3] : &units[n - 1];

    if (value == 0) {
        snprintf(ret, 32, "0%s", zero->name);
        return;
    }
    snprintf(ret, 32, "%" PRId64 "%s", value, units[n - 1].name);
    for (size_t i = n; i-- > 0;) {
        char text[32];

        if (value % units[i].size != 0)
            continue;
        snprintf(text, sizeof text, "%" PRId64 "%s", value / units[i].size, units[i].name);
        if (strlen(text) <= strlen(ret))
            text_copy(ret, 32, text);
    }
}

void text_format_duration(int64_t ms, char ret[32])
{
    format(ms, durations, N_DURATIONS, ret);
}

void text_format_bytes(int64_t bytes, char ret[32])
{
    format(bytes, sizes, N_SIZES, ret);
}

void text_format_span(int64_t ms, char ret[32])
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{INT64_C(86400000), "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    enum { N = sizeof(units) / sizeof(units[0]) };
    size_t i = 0;

    if (ms < 1000) {
        int64_t tenths = ms > 0 ? ms / 100 : 0;
        snprintf(ret, 32, tenths ? "0.%" PRId64 " s" : "%" PRId64 " s", tenths);
        return;
    }
    while (i < N - 1 && ms < units[i].ms)
        i++;
    int64_t more = i < N - 1 ? ms % units[i].ms / units[i + 1].ms : 0;
    if (more)
        snprintf(ret, 32, "%" PRId64 " %s %" PRId64 " %s", ms / units[i].ms, units[i].name, more,
                 units[i + 1].name);
    else
        snprintf(ret, 32, "%" PRId64 " %s", ms / units[i].ms, units[i].name);
}
