#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Texts may quote what a peer sent: control characters would move a terminal's cursor or break the
 * promise of one line. A UTF-8 sequence that the end of the buffer cut is taken away whole. */
static void make_one_line(char *text, bool cut)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    }
    if (cut) {
        size_t at = len;
        while (at > 0 && len - at < 3 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
            at--;
        if (at > 0 && (unsigned char)text[at - 1] >= 0xc0)
            len = at - 1;
    }
    while (len > 0 && text[len - 1] == ' ')
        len--;
    text[len] = '\0';
}

/* Formats beside e->text first, so that the arguments may point into it. */
__attribute__((format(printf, 3, 0))) static void fill(struct err *e, struct err with,
                                                       const char *fmt, va_list ap)
{
    int n = vsnprintf(with.text, sizeof with.text, fmt, ap);

    make_one_line(with.text, n >= (int)sizeof with.text);
    *e = with;
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(e, (struct err){.kind = kind}, fmt, ap);
    va_end(ap);
    return -1;
}

int err_errno(struct err *e, enum err_kind kind, int code, const char *fmt, ...)
{
    char what[sizeof e->text], words[128];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    err_set(e, kind, "%s: %s", what, strerror_r(code, words, sizeof words));
    e->code = code;
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char doing[sizeof e->text], whole[2 * sizeof e->text + 2];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(doing, sizeof doing, fmt, ap);
    va_end(ap);

    int n = snprintf(whole, sizeof whole, "%s: %s", doing, e->text);
    bool cut = n >= (int)sizeof e->text;

    if (cut)
        whole[sizeof e->text - 1] = '\0';
    memcpy(e->text, whole, strlen(whole) + 1);
    make_one_line(e->text, cut);
    return -1;
}

int err_exit_code(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return 0;
    case ERR_NO:
        return 1;
    case ERR_USAGE:
    case ERR_MANIFEST:
        return 2;
    case ERR_NET:
    case ERR_REMOTE:
        return 3;
    case ERR_STORE:
        return 4;
    case ERR_BUG:
        return 70;
    }
    return 70;
}
