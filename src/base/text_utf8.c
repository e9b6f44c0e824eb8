#include "base/text.h"

#include <string.h>

/* Decodes one code point of at most `left` bytes; 0 when the bytes are not UTF-8 (RFC 3629). */
static size_t decode(const unsigned char *s, size_t left, uint32_t *ret)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (len == 0 || len > left || s[0] > 0xf4)
        return 0;

    uint32_t code = len == 1 ? s[0] : s[0] & (0xffU >> (len + 1));

    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret = code;
    return len;
}

bool text_is_utf8(const void *data, size_t len, size_t *ret_at)
{
    const unsigned char *s = data;
    uint32_t code;

    for (size_t at = 0, n; at < len; at += n) {
        n = decode(s + at, len - at, &code);
        if (n == 0) {
            if (ret_at)
                *ret_at = at;
            return false;
        }
    }
    return true;
}

struct range {
    uint32_t from, to;
};

static bool within(uint32_t code, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (code >= ranges[i].from && code <= ranges[i].to)
            return true;
    }
    return false;
}

/* From Unicode's EastAsianWidth and general categories Mn, Me and Cf, by block: a table column may
 * be off for a rare script, never unsafe. */
static unsigned columns(uint32_t code)
{
    static const struct range none[] = {
        {0x0000, 0x001f}, {0x007f, 0x009f}, {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},
        {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0900, 0x0902}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},
        {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064},
        {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2e80, 0x303e},
        {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
        {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
        {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
        {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };

    if (code < 0x7f && code >= 0x20)
        return 1;
    if (within(code, none, sizeof none / sizeof *none))
        return 0;
    return within(code, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

size_t text_columns(const char *s)
{
    size_t left = strlen(s), total = 0;

    while (left > 0) {
        uint32_t code = 0xfffd;
        size_t n = decode((const unsigned char *)s, left, &code);

        if (n == 0)
            n = 1; /* terminals show one replacement character a bad byte */
        total += columns(code);
        s += n;
        left -= n;
    }
    return total;
}
