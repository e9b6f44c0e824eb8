#include "manifest/schema.h"

#include "base/buf.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const void *member(const struct key *row, const void *base)
{
    return (const char *)base + row->at;
}

static void store(const struct key *row, void *base, const void *value, size_t size)
{
    memcpy((char *)base + row->at, value, size);
}

/* So that the normal form, where a character may take three, keeps to yaml.c's longest line. */
enum { STRING_MAX = 16384 };

/* --- Reading -----------------------------------------------------------------------------------
 */

static int refuse(struct err *e, const struct key *row, const char *text, const char *why)
{
    if (row->dollar == DOLLAR_NAME)
        return err_set(e, ERR_MANIFEST, "%s", why);
    return err_set(e, ERR_MANIFEST, "\"%.80s\" %s", text, why);
}

static int check_dollar(const struct key *row, const char *text, struct err *e)
{
    if (row->dollar == DOLLAR_SHELL)
        return 0;
    for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
        bool braces = at[1] == '{';
        const char *name = at + 1 + braces;
        size_t len = 0;
        while (isalnum((unsigned char)name[len]) || name[len] == '_')
            len++;
        bool named = len && !isdigit((unsigned char)*name);
        if ((named || braces) && row->dollar == DOLLAR_REFUSED)
            return err_set(e, ERR_MANIFEST,
                           "$NAME is not read here, only in bindings, variables and alerts");
        if (braces && !(named && name[len] == '}'))
            return err_set(e, ERR_MANIFEST, "'${' must be followed by a name and '}'");
    }
    return 0;
}

int value_check_string(const struct key *row, const char *text, struct err *e)
{
    if (strlen(text) > STRING_MAX)
        return err_set(e, ERR_MANIFEST, "is longer than %d characters", STRING_MAX);
    const char *why = row->check ? row->check(text) : NULL;
    if (why)
        return refuse(e, row, text, why);
    return check_dollar(row, text, e);
}

int value_word(const struct key *row, const char *text, unsigned *ret, struct err *e)
{
    struct buf known = BUF_INIT(400);
    size_t n = 0;
    for (; row->words[n]; n++) {
        if (strcmp(row->words[n], text) == 0) {
            *ret = (unsigned)n;
            buf_release(&known);
            return 0;
        }
        buf_addf(&known, "%s%s", n ? ", " : "", row->words[n]);
    }
    const char *meant = strlen(text) <= 64 ? text_did_you_mean(text, row->words, n) : NULL;
    err_set(e, ERR_MANIFEST, "\"%.80s\" is not one of %s%s%s%s", text, buf_str(&known),
            meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
    buf_release(&known);
    return -1;
}

static int read_words(const struct key *row, const char *text, unsigned *ret, struct err *e)
{
    unsigned bits = 0;
    while (*text) {
        char word[64];
        size_t len = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)(len < 63 ? len : 63), text);
        unsigned index;
        if (value_word(row, word, &index, e))
            return -1;
        bits |= 1u << index;
        text += len + (text[len] == ',');
    }
    *ret = bits;
    return 0;
}

/* "10 USD", "10.5 USD" */
static int read_money(const char *text, int64_t *ret_cents, char ret_currency[4], struct err *e)
{
    char whole[24];
    size_t digits = strspn(text, "0123456789");
    const char *rest = text + digits;
    int64_t cents = 0, units = 0;
    if (*rest == '.') {
        size_t decimals = strspn(rest + 1, "0123456789");
        if (decimals < 1 || decimals > 2)
            goto bad;
        cents = (rest[1] - '0') * 10 + (decimals == 2 ? rest[2] - '0' : 0);
        rest += 1 + decimals;
    }
    snprintf(whole, sizeof whole, "%.*s", (int)(digits < 20 ? digits : 20), text);
    if (text_int(whole, 0, INT64_C(1000000000000), &units))
        goto bad;
    rest += strspn(rest, " ");
    if (!(isupper((unsigned char)rest[0]) && isupper((unsigned char)rest[1]) &&
          isupper((unsigned char)rest[2]) && !rest[3]))
        goto bad;
    *ret_cents = units * 100 + cents;
    memcpy(ret_currency, rest, 4);
    return 0;
bad:
    return err_set(e, ERR_MANIFEST, "\"%.40s\" is not an amount of money such as 10 USD", text);
}

static int read_quantity(const char *text, struct manifest_quantity *ret, struct err *e)
{
    struct manifest_quantity q = {0};
    struct err ignored;
    if (text_int(text, 0, INT64_MAX, &q.value) == 0)
        q.unit = UNIT_COUNT;
    else if (read_money(text, &q.value, q.currency, &ignored) == 0)
        q.unit = UNIT_CENTS;
    else if (text_duration_ms(text, &q.value, &ignored) == 0)
        q.unit = UNIT_MS;
    else if (text_bytes(text, &q.value, &ignored) == 0)
        q.unit = UNIT_BYTES;
    else
        return err_set(e, ERR_MANIFEST,
                       "\"%.40s\" is not an amount; write one such as 3GB, 750h, 5 USD or 10000",
                       text);
    *ret = q;
    return 0;
}

/* Minutes of "HH:MM" at *text, which moves on; -1 when it is none. */
static int read_clock(const char **text)
{
    const char *s = *text;
    for (int i = 0; i < 5; i++)
        if (i == 2 ? s[i] != ':' : !isdigit((unsigned char)s[i]))
            return -1;
    int hour = (s[0] - '0') * 10 + s[1] - '0', minute = (s[3] - '0') * 10 + s[4] - '0';
    *text += 5;
    return hour < 24 && minute < 60 ? hour * 60 + minute : hour == 24 && !minute ? 1440 : -1;
}

static int read_time(const char *text, int *ret, struct err *e)
{
    const char *rest = text;
    int minute = read_clock(&rest);
    if (minute < 0 || minute == 1440 || *rest)
        return err_set(e, ERR_MANIFEST, "\"%.40s\" is not a time of day such as 03:00", text);
    *ret = minute;
    return 0;
}

static int read_hours(const struct key *row, const char *text, struct manifest_hours *ret,
                      struct err *e)
{
    const char *rest = text;
    struct manifest_hours h = {read_clock(&rest), 0};
    if (h.from >= 0 && *rest == '-') {
        rest++;
        h.to = read_clock(&rest);
    }
    bool order = h.to > h.from || (row->overnight && h.to >= 0 && h.to != h.from);
    if (h.from < 0 || h.from == 1440 || *rest || !order)
        return err_set(e, ERR_MANIFEST, "\"%.40s\" is not a span of the day such as %s", text,
                       row->overnight ? "22:00-07:00" : "09:00-18:00");
    *ret = h;
    return 0;
}

/* The rate as few decimals as possible; what needs more than six is refused when it is read. */
static void format_rate(double rate, char ret[32])
{
    snprintf(ret, 32, "%.6f", rate * 100);
    size_t len = strlen(ret);
    while (ret[len - 1] == '0')
        len--;
    len -= ret[len - 1] == '.';
    snprintf(ret + len, 32 - len, "%%");
}

static int read_rate(const char *text, double *ret, struct err *e)
{
    double rate, again;
    char written[32];
    if (text_percent(text, &rate, e))
        return -1;
    format_rate(rate, written);
    if (text_percent(written, &again, e) || again < rate || again > rate)
        return err_set(e, ERR_MANIFEST, "\"%.40s\" has more than six decimals", text);
    *ret = rate;
    return 0;
}

static void format_number(const struct key *row, int64_t value, char ret[32])
{
    if (row->type == KEY_DURATION)
        text_format_duration(value, ret);
    else if (row->type == KEY_BYTES)
        text_format_bytes(value, ret);
    else
        snprintf(ret, 32, "%" PRId64, value);
}

static int check_range(const struct key *row, int64_t value, struct err *e)
{
    if (value >= row->min && value <= row->max)
        return 0;
    char given[32], min[32], max[32];
    format_number(row, value, given);
    format_number(row, row->min, min);
    format_number(row, row->max, max);
    const char *what = row->type == KEY_DURATION ? "a duration"
                       : row->type == KEY_BYTES  ? "a size"
                                                 : "a number";
    if (row->max == INT64_MAX)
        return err_set(e, ERR_MANIFEST, "%s is below %s", given, min);
    return err_set(e, ERR_MANIFEST, "%s is %s %s; give %s from %s to %s", given,
                   value < row->min ? "below" : "above", value < row->min ? min : max, what, min,
                   max);
}

static int read_number(const struct key *row, const char *text, int64_t *ret, struct err *e)
{
    int64_t value = 0;
    int bad;
    if (row->type == KEY_DURATION)
        bad = text_duration_ms(text, &value, e);
    else if (row->type == KEY_BYTES)
        bad = text_bytes(text, &value, e);
    else if ((bad = text_int(text, INT64_MIN, INT64_MAX, &value)))
        err_set(e, ERR_MANIFEST, "\"%.40s\" is not a whole number", text);
    if (bad || check_range(row, value, e))
        return -1;
    *ret = value;
    return 0;
}

static int read_string(const struct key *row, const char *text, void *base, struct arena *a,
                       struct err *e)
{
    unsigned ignored;
    if (value_check_string(row, text, e) || (row->words && value_word(row, text, &ignored, e)))
        return -1;
    const char *copy = arena_strdup(a, text);
    store(row, base, &copy, sizeof copy);
    return 0;
}

union scalar {
    int64_t number;
    int small;
    unsigned bits;
    bool flag;
    double rate;
    struct {
        int64_t cents;
        char currency[4];
    } money;
    struct manifest_quantity quantity;
    struct manifest_hours hours;
};

/* Bytes of the member, by type. */
static const size_t sizes[] = {
    [KEY_STRING] = sizeof(char *),   [KEY_INTEGER] = sizeof(int),
    [KEY_FLAG] = sizeof(bool),       [KEY_WORD] = sizeof(unsigned),
    [KEY_WORDS] = sizeof(unsigned),  [KEY_DURATION] = sizeof(int64_t),
    [KEY_RATE] = sizeof(double),     [KEY_BYTES] = sizeof(int64_t),
    [KEY_MONEY] = sizeof(int64_t),   [KEY_QUANTITY] = sizeof(struct manifest_quantity),
    [KEY_TIME] = sizeof(int),        [KEY_HOURS] = sizeof(struct manifest_hours),
    [KEY_STRINGS] = sizeof(char **), [KEY_MAP] = sizeof(void *),
};

static int read_scalar(const struct key *row, const char *text, union scalar *v, struct err *e)
{
    int64_t number;
    switch (row->type) {
    case KEY_INTEGER:
    case KEY_DURATION:
    case KEY_BYTES:
        if (read_number(row, text, &number, e))
            return -1;
        if (row->type == KEY_INTEGER)
            v->small = (int)number;
        else
            v->number = number;
        return 0;
    case KEY_FLAG:
        v->flag = strcmp(text, "true") == 0;
        if (!v->flag && strcmp(text, "false") != 0)
            return err_set(e, ERR_MANIFEST, "\"%.40s\" is neither true nor false", text);
        return 0;
    case KEY_WORD:
        return value_word(row, text, &v->bits, e);
    case KEY_WORDS:
        return read_words(row, text, &v->bits, e);
    case KEY_RATE:
        return read_rate(text, &v->rate, e);
    case KEY_MONEY:
        return read_money(text, &v->money.cents, v->money.currency, e);
    case KEY_QUANTITY:
        return read_quantity(text, &v->quantity, e);
    case KEY_TIME:
        return read_time(text, &v->small, e);
    case KEY_HOURS:
        return read_hours(row, text, &v->hours, e);
    case KEY_STRING:
    case KEY_STRINGS:
    case KEY_GROUP:
    case KEY_MAP:
        break;
    }
    return err_set(e, ERR_BUG, "%s is not a scalar", row->name);
}

int value_read(const struct key *row, const char *text, void *base, struct arena *a, struct err *e)
{
    if (row->type == KEY_STRING)
        return read_string(row, text, base, a, e);
    union scalar v;
    memset(&v, 0, sizeof v);
    if (read_scalar(row, text, &v, e))
        return -1;
    store(row, base, &v, sizes[row->type]);
    if (row->type == KEY_MONEY)
        memcpy((char *)base + row->second, v.money.currency, sizeof v.money.currency);
    return 0;
}

/* --- Writing -----------------------------------------------------------------------------------
 */

static union scalar load(const struct key *row, const void *base)
{
    union scalar v;
    memset(&v, 0, sizeof v);
    memcpy(&v, member(row, base), sizes[row->type]);
    if (row->type == KEY_MONEY)
        memcpy(v.money.currency, (const char *)base + row->second, sizeof v.money.currency);
    return v;
}

static const char *load_string(const struct key *row, const void *base)
{
    const char *s;
    memcpy(&s, member(row, base), sizeof s);
    return s ? s : "";
}

static void write_money(int64_t cents, const char *currency, struct buf *out)
{
    buf_addf(out, "%" PRId64, cents / 100);
    if (cents % 100)
        buf_addf(out, ".%02d", (int)(cents % 100));
    buf_addf(out, " %.3s", currency);
}

static void write_quantity(const struct manifest_quantity *q, struct buf *out)
{
    char text[32] = "";
    switch (q->unit) {
    case UNIT_NONE:
        break;
    case UNIT_COUNT:
        buf_addf(out, "%" PRId64, q->value);
        break;
    case UNIT_BYTES:
        text_format_bytes(q->value, text);
        break;
    case UNIT_MS:
        text_format_duration(q->value, text);
        break;
    case UNIT_CENTS:
        write_money(q->value, q->currency, out);
        break;
    }
    buf_adds(out, text);
}

static void write_words(const struct key *row, unsigned bits, struct buf *out)
{
    bool more = false;
    for (unsigned i = 0; row->words[i]; i++) {
        if (!(bits & (1u << i)))
            continue;
        buf_addf(out, "%s%s", more ? "," : "", row->words[i]);
        more = true;
    }
}

void value_write(const struct key *row, const void *base, struct buf *out)
{
    char text[32] = "";
    union scalar v;
    if (row->type == KEY_STRING) {
        buf_adds(out, load_string(row, base));
        return;
    }
    v = load(row, base);
    switch (row->type) {
    case KEY_INTEGER:
        buf_addf(out, "%d", v.small);
        break;
    case KEY_FLAG:
        buf_adds(out, v.flag ? "true" : "false");
        break;
    case KEY_WORD:
        buf_adds(out, row->words[v.bits]);
        break;
    case KEY_WORDS:
        write_words(row, v.bits, out);
        break;
    case KEY_DURATION:
    case KEY_BYTES:
        format_number(row, v.number, text);
        break;
    case KEY_RATE:
        format_rate(v.rate, text);
        break;
    case KEY_MONEY:
        write_money(v.money.cents, v.money.currency, out);
        break;
    case KEY_QUANTITY:
        write_quantity(&v.quantity, out);
        break;
    case KEY_TIME:
        buf_addf(out, "%02d:%02d", v.small / 60, v.small % 60);
        break;
    case KEY_HOURS:
        buf_addf(out, "%02d:%02d-%02d:%02d", v.hours.from / 60, v.hours.from % 60, v.hours.to / 60,
                 v.hours.to % 60);
        break;
    case KEY_STRING:
    case KEY_STRINGS:
    case KEY_GROUP:
    case KEY_MAP:
        break;
    }
    buf_adds(out, text);
}

/* --- Absence and equality ----------------------------------------------------------------------
 */

static size_t load_count(const struct key *row, const void *base)
{
    size_t n;
    memcpy(&n, (const char *)base + row->second, sizeof n);
    return n;
}

bool value_absent(const struct key *row, const void *base)
{
    static const union scalar zero;
    if (row->type == KEY_GROUP)
        return false;
    if (row->type == KEY_STRING)
        return *load_string(row, base) == '\0';
    if (row->type == KEY_STRINGS || row->type == KEY_MAP)
        return load_count(row, base) == 0;
    if (row->type == KEY_MONEY)
        return ((const char *)base)[row->second] == '\0';
    union scalar v = load(row, base);
    if (row->type == KEY_TIME)
        return v.small < 0;
    return memcmp(&v, &zero, sizes[row->type]) == 0;
}

void value_clear(const struct key *row, void *base)
{
    static const char *const empty = "";
    static const int no_time = -1;
    if (row->type == KEY_STRING)
        store(row, base, &empty, sizes[KEY_STRING]);
    else if (row->type == KEY_TIME)
        store(row, base, &no_time, sizeof no_time);
}

static bool equal_strings(const struct key *row, const void *a, const void *b)
{
    size_t n = load_count(row, a);
    const char **x, **y;
    if (n != load_count(row, b))
        return false;
    memcpy(&x, member(row, a), sizeof x);
    memcpy(&y, member(row, b), sizeof y);
    for (size_t i = 0; i < n; i++)
        if (strcmp(x[i], y[i]) != 0)
            return false;
    return true;
}

bool value_equal(const struct key *row, const void *a, const void *b)
{
    if (row->type == KEY_STRINGS)
        return equal_strings(row, a, b);
    /* Values are equal when they are written alike: value_write loses nothing. */
    struct buf x = BUF_INIT(MANIFEST_MAX_BYTES), y = BUF_INIT(MANIFEST_MAX_BYTES);
    value_write(row, a, &x);
    value_write(row, b, &y);
    bool same = strcmp(buf_str(&x), buf_str(&y)) == 0;
    buf_release(&x);
    buf_release(&y);
    return same;
}
