#include "base/text.h"
#include "base/buf.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool text_copy(char *ret, size_t n, const char *s)
{
    size_t len = strlen(s);
    bool fits = len < n;

    if (!fits)
        len = n - 1;
    memcpy(ret, s, len);
    ret[len] = '\0';
    return fits;
}

int text_int(const char *s, int64_t min, int64_t max, int64_t *ret)
{
    char *end;

    /* strtoll alone would accept spaces and a plus sign. */
    if (!s || !(isdigit((unsigned char)*s) || (*s == '-' && isdigit((unsigned char)s[1]))))
        return -1;
    errno = 0;

    long long value = strtoll(s, &end, 10);

    if (errno != 0 || *end || value < min || value > max)
        return -1;
    *ret = value;
    return 0;
}

/* Remembers only the last star: a longer match of an earlier one can never be needed. */
bool text_glob(const char *pattern, const char *s)
{
    const char *star = NULL, *retry = NULL;

    while (*s) {
        if (*pattern == '*') {
            star = pattern++;
            retry = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star + 1;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

void text_percent_encode(struct buf *b, const char *s, bool keep_slash)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    strchr("-._~", c) || (keep_slash && c == '/');

        if (keep)
            buf_addc(b, *s);
        else
            buf_addf(b, "%%%02X", c);
    }
}

void text_html(struct buf *b, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&':
            buf_adds(b, "&amp;");
            break;
        case '<':
            buf_adds(b, "&lt;");
            break;
        case '>':
            buf_adds(b, "&gt;");
            break;
        case '"':
            buf_adds(b, "&quot;");
            break;
        case '\'':
            buf_adds(b, "&#39;");
            break;
        default:
            buf_addc(b, *s);
        }
    }
}
