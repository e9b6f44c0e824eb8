#include "report/alert_text.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "report/alert_parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* An alert as mail: RFC 5322 headers, RFC 2047 words in them, RFC 2045 quoted-printable text. */

enum { TEXT_MAX = 32 << 10, SUBJECT_MAX = 300, LINE_MAX_CHARS = 76 };

/* A mail address as it may stand in a header: what cannot be part of one is left out, so that no
 * value begins a line of its own. */
static void add_address(struct buf *out, const char *address)
{
    buf_addc(out, '<');
    for (const char *s = address; *s; s++)
        if (*s > ' ' && *s < 0x7f && !strchr("<>,;\"\\()", *s))
            buf_addc(out, *s);
    buf_addc(out, '>');
}

static const char *domain_of(const char *address)
{
    const char *at = strrchr(address, '@');

    return at && at[1] ? at + 1 : "localhost";
}

/* <left@domain>, with only what a message id may hold. */
static void add_id(struct buf *out, const char *name, const char *left, const char *domain)
{
    buf_addf(out, "%s: <", name);
    for (const char *s = left; *s; s++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *s))
            buf_addc(out, *s);
    buf_addc(out, '@');
    for (const char *s = domain; *s; s++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-", *s))
            buf_addc(out, *s);
    buf_adds(out, ">\r\n");
}

static bool is_plain(const char *s)
{
    size_t len = strlen(s);

    for (size_t i = 0; i < len; i++)
        if (s[i] < ' ' || s[i] > '~')
            return false;
    return len <= 60 && !strstr(s, "=?") && (len == 0 || (s[0] != ' ' && s[len - 1] != ' '));
}

/* One line of a header; other than short plain words go as encoded words of at most 75 characters,
 * none of which cuts a character in two. */
static void add_words(struct buf *out, const char *name, const char *text)
{
    enum { PIECE = 42 }; /* bytes; 56 in base64 */
    char coded[64];

    buf_addf(out, "%s: ", name);
    if (is_plain(text)) {
        buf_addf(out, "%s\r\n", text);
        return;
    }
    while (*text) {
        size_t n = strnlen(text, PIECE);
        while (n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        (void)base64_encode((const uint8_t *)text, n, coded);
        text += n;
        buf_addf(out, "=?utf-8?B?%s?=%s", coded, *text ? "\r\n " : "\r\n");
    }
}

static void add_date(struct buf *out, int64_t at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm tm;
    char text[64];

    gmtime_r(&at, &tm);
    /* The program never leaves the C locale: English names of days and months. */
    (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
    buf_addf(out, "Date: %s\r\n", text);
}

static void quoted_printable(const char *text, struct buf *out)
{
    size_t column = 0;

    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s == '\n') {
            buf_adds(out, "\r\n");
            column = 0;
            continue;
        }
        bool last_blank = *s == ' ' && (s[1] == '\n' || s[1] == '\0');
        bool plain = *s >= ' ' && *s <= '~' && *s != '=' && !last_blank;
        size_t width = plain ? 1 : 3;
        if (column + width > LINE_MAX_CHARS - 1) {
            buf_adds(out, "=\r\n");
            column = 0;
        }
        if (plain)
            buf_addc(out, (char)*s);
        else
            buf_addf(out, "=%02X", *s);
        column += width;
    }
}

static void write_text(const struct alert_content *c, struct buf *out)
{
    const struct alert_line *l = alert_newest(c);
    char at[32];

    alert_headline(c, out);
    buf_adds(out, "\n\n");
    alert_body(c, out);
    clock_format_utc(l->at_ms, at);
    buf_addf(out, "\nAt %s", at);
    if (l->incident && c->form != ALERT_FORM_QUIET)
        buf_addf(out, ", incident %lld", (long long)l->incident);
    if (alert_has_link(l))
        buf_addf(out, "\n%s", l->link);
    buf_addf(out, "\n\nSent by trine, as alerts.%s of its manifest says.\n", c->alert);
}

void alert_mail(const struct alert_content *c, const struct alert_envelope *v, struct buf *out)
{
    struct buf headline = BUF_INIT(TEXT_MAX), subject = BUF_INIT(TEXT_MAX),
               text = BUF_INIT(TEXT_MAX);
    const char *domain = domain_of(v->from);
    char thread[200];

    alert_headline(c, &headline);
    alert_clean(buf_str(&headline), SUBJECT_MAX, CLEAN_LINE, &subject);
    write_text(c, &text);
    add_date(out, c->now_ms);
    buf_adds(out, "From: trine ");
    add_address(out, v->from);
    buf_adds(out, "\r\nTo: ");
    for (size_t i = 0; i < v->n_to; i++) {
        buf_adds(out, i ? ",\r\n " : "");
        add_address(out, v->to[i]);
    }
    buf_adds(out, "\r\n");
    add_words(out, "Subject", buf_str(&subject));
    add_id(out, "Message-ID", c->uid, domain);
    if (alert_newest(c)->incident && c->form != ALERT_FORM_QUIET) {
        (void)snprintf(thread, sizeof(thread), "incident-%lld.%.100s.trine",
                       (long long)alert_newest(c)->incident, c->project);
        add_id(out, "References", thread, domain); /* readers show one incident as one thread */
    }
    buf_adds(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    quoted_printable(buf_str(&text), out);
    buf_release(&text);
    buf_release(&subject);
    buf_release(&headline);
}
