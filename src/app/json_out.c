#include "app/json_out.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void separate(struct json_out *o)
{
    if (o->comma)
        buf_addc(o->b, ',');
    o->comma = true;
}

void out_open(struct json_out *o, char bracket)
{
    separate(o);
    buf_addc(o->b, bracket);
    o->comma = false;
}

void out_close(struct json_out *o, char bracket)
{
    buf_addc(o->b, bracket);
    o->comma = true;
}

static void quote(struct buf *b, const char *s, size_t len)
{
    size_t plain = 0; /* begin of what is copied as it stands */

    buf_addc(b, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, s + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\')
            buf_addf(b, "\\%c", c);
        else
            buf_addf(b, "\\u%04x", c);
    }
    buf_add(b, s + plain, len - plain);
    buf_addc(b, '"');
}

/* Rare: the part before each bad byte is taken, the byte is not. */
static void quote_cleaned(struct buf *b, const char *s)
{
    struct buf clean = BUF_INIT(SIZE_MAX / 4);
    size_t len = strlen(s), bad = 0;

    while (!text_is_utf8(s, len, &bad)) {
        buf_add(&clean, s, bad);
        s += bad + 1;
        len -= bad + 1;
    }
    buf_add(&clean, s, len);
    quote(b, buf_str(&clean), clean.len);
    buf_release(&clean);
}

void out_text(struct json_out *o, const char *s)
{
    if (!s) {
        out_null(o);
        return;
    }
    separate(o);
    size_t len = strlen(s);
    if (text_is_utf8(s, len, NULL))
        quote(o->b, s, len);
    else
        quote_cleaned(o->b, s);
}

void out_key(struct json_out *o, const char *name)
{
    out_text(o, name);
    buf_addc(o->b, ':');
    o->comma = false;
}

void out_int(struct json_out *o, int64_t v)
{
    separate(o);
    buf_addf(o->b, "%lld", (long long)v);
}

void out_flag(struct json_out *o, bool v)
{
    separate(o);
    buf_adds(o->b, v ? "true" : "false");
}

void out_null(struct json_out *o)
{
    separate(o);
    buf_adds(o->b, "null");
}

void out_number(struct json_out *o, double v, int decimals)
{
    char text[64];

    if (!isfinite(v) || fabs(v) > 1e15) {
        out_null(o);
        return;
    }
    int n = snprintf(text, sizeof(text), "%.*f", decimals, v);
    if (strchr(text, '.')) {
        while (text[n - 1] == '0')
            n--;
        n -= text[n - 1] == '.';
    }
    separate(o);
    buf_add(o->b, text, (size_t)n);
}

void out_us(struct json_out *o, int64_t us)
{
    if (us < 0)
        out_null(o);
    else
        out_number(o, (double)us / 1000, 3);
}

void out_time(struct json_out *o, int64_t wall_ms)
{
    char text[32];

    if (wall_ms == 0) {
        out_null(o);
        return;
    }
    clock_format_utc(wall_ms, text);
    out_text(o, text);
}

void out_raw(struct json_out *o, const char *json, size_t len)
{
    separate(o);
    buf_add(o->b, json, len);
}

void out_text_of(struct json_out *o, const char *name, const char *s)
{
    out_key(o, name);
    out_text(o, s);
}

void out_int_of(struct json_out *o, const char *name, int64_t v)
{
    out_key(o, name);
    out_int(o, v);
}

void out_time_of(struct json_out *o, const char *name, int64_t wall_ms)
{
    out_key(o, name);
    out_time(o, wall_ms);
}
