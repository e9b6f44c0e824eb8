#include "base/zone.h"

#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 256 << 10, HEADER = 44, DAY_S = 86400 };

/* When clocks are changed every year, as POSIX writes it: "M3.2.0/2", "J60", "59". */
struct rule {
    enum { RULE_NONE, RULE_MONTH, RULE_JULIAN, RULE_DAY } kind;
    int month, week, day;
    int32_t at_s; /* of that day, by the clock in force before it */
};

struct zone {
    size_t n; /* transitions, in order */
    int64_t *at;
    int32_t *offset; /* from at[i] on */
    int32_t before;  /* before the first */
    bool ruled;      /* after the last: `standard`, or `summer` between the rules */
    int32_t standard, summer;
    struct rule begin, end; /* of summer time; RULE_NONE: there is none */
};

/* --- The rule at the end of the file (POSIX.1 TZ, as RFC 8536 section 3.3 extends it) ------------
 */

static bool skip_name(const char **s)
{
    const char *at = *s;

    if (*at == '<') {
        at += strcspn(at, ">");
        if (*at != '>')
            return false;
        *s = at + 1;
        return true;
    }
    while (isalpha((unsigned char)*at))
        at++;
    bool some = at - *s >= 3;
    *s = at;
    return some;
}

/* [+-]hh[:mm[:ss]], in seconds. */
static bool read_hms(const char **s, int32_t *ret)
{
    int sign = **s == '-' ? -1 : 1;
    int32_t value = 0, unit = 3600;

    *s += **s == '-' || **s == '+';
    for (int i = 0; i < 3; i++, unit /= 60) {
        if (!isdigit((unsigned char)**s))
            return false;
        int32_t part = 0;
        while (isdigit((unsigned char)**s) && part < 1000)
            part = part * 10 + (*(*s)++ - '0');
        value += part * unit;
        if (**s != ':' || i == 2)
            break;
        (*s)++;
    }
    *ret = sign * value;
    return true;
}

static bool read_int(const char **s, int *ret)
{
    int value = 0;

    if (!isdigit((unsigned char)**s))
        return false;
    while (isdigit((unsigned char)**s) && value < 1000)
        value = value * 10 + (*(*s)++ - '0');
    *ret = value;
    return true;
}

static bool read_rule(const char **s, struct rule *ret)
{
    struct rule r = {.kind = RULE_DAY, .at_s = 2 * 3600};
    bool ok = false;

    if (*(*s)++ != ',')
        return false;
    if (**s == 'M') {
        (*s)++;
        r.kind = RULE_MONTH;
        ok = read_int(s, &r.month) && *(*s)++ == '.' && read_int(s, &r.week) && *(*s)++ == '.' &&
             read_int(s, &r.day) && r.month >= 1 && r.month <= 12 && r.week >= 1 && r.week <= 5 &&
             r.day <= 6;
    } else {
        r.kind = **s == 'J' ? RULE_JULIAN : RULE_DAY;
        *s += **s == 'J';
        ok = read_int(s, &r.day) && r.day <= 365;
    }
    if (ok && **s == '/') {
        (*s)++;
        ok = read_hms(s, &r.at_s);
    }
    *ret = r;
    return ok;
}

static bool read_footer(const char *s, struct zone *z)
{
    int32_t west;

    if (!skip_name(&s) || !read_hms(&s, &west))
        return false;
    z->standard = -west;
    z->ruled = true;
    if (!*s)
        return true;
    if (!skip_name(&s))
        return false;
    z->summer = z->standard + 3600;
    if (*s && *s != ',') {
        if (!read_hms(&s, &west))
            return false;
        z->summer = -west;
    }
    return read_rule(&s, &z->begin) && read_rule(&s, &z->end) && !*s;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of that month (H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms"). */
static int64_t days_to(int64_t year, int month)
{
    int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The moment of that year, in seconds of a clock that is `offset` ahead of UTC. */
static int64_t rule_moment(const struct rule *r, int64_t year, int32_t offset)
{
    int64_t day;

    if (r->kind == RULE_MONTH) {
        int64_t first = days_to(year, r->month);
        int64_t next = r->month == 12 ? days_to(year + 1, 1) : days_to(year, r->month + 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 = Sunday */
        day = first + (r->day - weekday + 7) % 7 + INT64_C(7) * (r->week - 1);
        if (day >= next) /* the fifth is the last */
            day -= 7;
    } else {
        day = days_to(year, 1) + r->day;
        if (r->kind == RULE_JULIAN) /* from 1, and 29 February does not count */
            day -= !(is_leap(year) && r->day >= 60);
    }
    return day * DAY_S + r->at_s - offset;
}

static int32_t ruled_offset(const struct zone *z, int64_t at_s)
{
    if (z->begin.kind == RULE_NONE)
        return z->standard;
    time_t local = (time_t)(at_s + z->standard);
    struct tm tm;
    gmtime_r(&local, &tm);
    int64_t year = tm.tm_year + INT64_C(1900);
    int64_t begin = rule_moment(&z->begin, year, z->standard);
    int64_t end = rule_moment(&z->end, year, z->summer);
    bool summer = begin < end ? at_s >= begin && at_s < end : at_s >= begin || at_s < end;
    return summer ? z->summer : z->standard;
}

/* --- The file -----------------------------------------------------------------------------------
 */

static uint32_t big32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big64(const unsigned char *p)
{
    return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

/* How many of each a block holds, in the header's order. */
struct counts {
    size_t isut, isstd, leap, time, type, chars;
};

static bool read_counts(const unsigned char *p, size_t len, struct counts *ret)
{
    if (len < HEADER || memcmp(p, "TZif", 4) != 0)
        return false;
    *ret = (struct counts){big32(p + 20), big32(p + 24), big32(p + 28),
                           big32(p + 32), big32(p + 36), big32(p + 40)};
    return ret->isut < FILE_MAX && ret->isstd < FILE_MAX && ret->leap < FILE_MAX &&
           ret->time < FILE_MAX && ret->type > 0 && ret->type <= 256 && ret->chars < FILE_MAX;
}

static size_t block_size(const struct counts *c, size_t time_size)
{
    return c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) +
           c->isstd + c->isut;
}

/* The second block, with times of 64 bits, and the line behind it. */
static bool read_block(const unsigned char *p, size_t len, struct zone *z)
{
    struct counts c;

    if (!read_counts(p, len, &c) || block_size(&c, 8) > len - HEADER)
        return false;
    const unsigned char *times = p + HEADER, *kinds = times + 8 * c.time, *types = kinds + c.time;
    z->at = mem_array(c.time + 1, sizeof(*z->at));
    z->offset = mem_array(c.time + 1, sizeof(*z->offset));
    z->before = (int32_t)big32(types);
    for (z->n = 0; z->n < c.time; z->n++) {
        if (kinds[z->n] >= c.type)
            return false;
        z->at[z->n] = big64(times + 8 * z->n);
        z->offset[z->n] = (int32_t)big32(types + (size_t)6 * kinds[z->n]);
    }
    const unsigned char *foot = p + HEADER + block_size(&c, 8), *end = p + len;
    if (foot >= end || *foot != '\n')
        return false;
    const unsigned char *stop = memchr(foot + 1, '\n', (size_t)(end - foot - 1));
    if (!stop || stop - foot > 200)
        return false;
    char rule[200] = "";
    memcpy(rule, foot + 1, (size_t)(stop - foot - 1));
    return !*rule || read_footer(rule, z);
}

static bool read_file(const unsigned char *p, size_t len, struct zone *z)
{
    struct counts first;

    if (!read_counts(p, len, &first) || p[4] < '2')
        return false;
    size_t skip = HEADER + block_size(&first, 4);
    return skip < len && read_block(p + skip, len - skip, z);
}

int zone_open(const char *name, struct zone **ret, struct err *e)
{
    struct zone *z = mem_alloc(sizeof(*z));
    const char *dir = getenv("TZDIR");
    struct buf b = BUF_INIT(FILE_MAX);
    char path[PATH_MAX];

    if (strcmp(name, "UTC") == 0) {
        z->ruled = true;
        *ret = z;
        return 0;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/usr/share/zoneinfo", name);
    struct err why = ERR_INIT;
    bool ok = *name && *name != '/' && !strstr(name, "..") && buf_read_file(&b, path, &why) == 0 &&
              read_file((const unsigned char *)b.data, b.len, z);
    buf_release(&b);
    if (!ok) {
        zone_free(z);
        return err_set(e, ERR_MANIFEST,
                       "time zone \"%.64s\" is not known on this machine; write one such as "
                       "America/Toronto, or install tzdata",
                       name);
    }
    *ret = z;
    return 0;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    free(z->at);
    free(z->offset);
    free(z);
}

/* --- Asking -------------------------------------------------------------------------------------
 */

static int64_t seconds_of(int64_t ms)
{
    return (ms - ((ms % 1000 + 1000) % 1000)) / 1000;
}

int32_t zone_offset_s(const struct zone *z, int64_t wall_ms)
{
    int64_t at = seconds_of(wall_ms);
    size_t low = 0, high = z->n;

    while (low < high) { /* the first transition after `at` */
        size_t middle = low + (high - low) / 2;
        if (z->at[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->n && z->ruled)
        return ruled_offset(z, at);
    return low == 0 ? z->before : z->offset[low - 1];
}

int zone_minute(const struct zone *z, int64_t wall_ms, int *ret_weekday)
{
    int64_t local = seconds_of(wall_ms) + zone_offset_s(z, wall_ms);
    int64_t of_day = (local % DAY_S + DAY_S) % DAY_S;

    if (ret_weekday)
        *ret_weekday = (int)((((local - of_day) / DAY_S + 3) % 7 + 7) % 7);
    return (int)(of_day / 60);
}

int64_t zone_span_end(const struct zone *z, int from, int to, int64_t wall_ms)
{
    enum { DAY_MINUTES = 1440 };
    int now = zone_minute(z, wall_ms, NULL);
    bool inside = from < to ? now >= from && now < to : now >= from || now < to;

    if (!inside || from == to)
        return 0;
    int64_t minute = wall_ms - ((wall_ms % 60000) + 60000) % 60000;
    int64_t end = minute + (int64_t)((to - now + DAY_MINUTES) % DAY_MINUTES) * 60000;
    int32_t change = zone_offset_s(z, end) - zone_offset_s(z, wall_ms);
    return end - (int64_t)change * 1000;
}
