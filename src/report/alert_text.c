#include "report/alert_text.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "report/alert_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Slack, Discord and the generic webhook: JSON. Mail is in alert_mail.c. */

enum {
    TEXT_MAX = 32 << 10, /* of anything that is put together here */
    SLACK_HEADER_MAX = 150,
    SLACK_SECTION_MAX = 3000,
    SLACK_TEXT_MAX = 3000,
    DISCORD_TITLE_MAX = 256,
    DISCORD_DESCRIPTION_MAX = 4000, /* 4096, less what the escapes' last one may need */
    WEBHOOK_TEXT_MAX = 4000,
    COLOUR_BAD = 0xc0392b,
    COLOUR_GOOD = 0x2e8b57,
    COLOUR_OTHER = 0xb8860b,
};

/* --- Parts --------------------------------------------------------------------------------------
 */

/* The code point at s and its length in bytes; 0 when what stands there is no UTF-8. */
static size_t code_point(const char *s, uint32_t *ret)
{
    unsigned char first = (unsigned char)s[0];
    size_t n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

    if (strnlen(s, n) < n || !text_is_utf8(s, n, NULL))
        return 0;
    uint32_t c = n == 1 ? first : first & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3fu);
    *ret = c;
    return n;
}

/* Characters that are not seen, or turn the reading direction of what follows. */
static bool is_invisible(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* What stands for bytes that are not shown: a blank or a line break at most. */
static const char *stand_in(const char *s, enum alert_clean how)
{
    if (*s == '\n' && how == CLEAN_LINES)
        return "\n";
    return *s == '\n' || *s == '\t' ? " " : "";
}

size_t alert_clean(const char *s, size_t most, enum alert_clean how, struct buf *out)
{
    size_t units = 0;
    uint32_t c = 0;

    for (size_t n; *s; s += n) {
        n = code_point(s, &c);
        bool shown = n > 0 && !is_invisible(c);
        const char *instead = shown ? "" : stand_in(s, how);
        n += n == 0;
        size_t width = shown ? (c > 0xffff ? 2 : 1) : strlen(instead); /* as UTF-16 counts it */
        if (width > 0 && units + width + 1 > most) {
            buf_adds(out, "…");
            return units + 1;
        }
        buf_add(out, shown ? s : instead, shown ? n : width);
        units += width;
    }
    return units;
}

const struct alert_line *alert_newest(const struct alert_content *c)
{
    return &c->lines[c->n - 1];
}

void alert_headline(const struct alert_content *c, struct buf *out)
{
    const struct alert_line *l = alert_newest(c);
    size_t all = c->n + c->more;

    alert_clean(c->project, 100, CLEAN_LINE, out);
    if (c->form == ALERT_FORM_QUIET) {
        buf_addf(out, ": %zu %s from the quiet hours", all, all == 1 ? "alert" : "alerts");
        return;
    }
    if (*l->environment)
        buf_addc(out, ' ');
    alert_clean(l->environment, 100, CLEAN_LINE, out);
    buf_addf(out, " %s: ", l->event);
    alert_clean(*l->title ? l->title : "no title", 500, CLEAN_LINE, out);
    if (all > 1)
        buf_addf(out, " (and %zu more)", all - 1);
}

static void add_item(const struct alert_line *l, struct buf *out)
{
    char at[32];

    clock_format_utc(l->at_ms, at);
    buf_addf(out, "- %s %s", at, l->event);
    if (*l->environment)
        buf_addc(out, ' ');
    alert_clean(l->environment, 100, CLEAN_LINE, out);
    buf_adds(out, ": ");
    alert_clean(l->title, 300, CLEAN_LINE, out);
    buf_addc(out, '\n');
}

/* Newest first: what does not fit is cut off at the end. */
static void add_items(const struct alert_content *c, size_t n, struct buf *out)
{
    while (n-- > 0)
        add_item(&c->lines[n], out);
    if (c->more > 0)
        buf_addf(out, "- and %zu before\n", c->more);
}

void alert_body(const struct alert_content *c, struct buf *out)
{
    const struct alert_line *l = alert_newest(c);

    if (c->form == ALERT_FORM_QUIET) {
        add_items(c, c->n, out);
        return;
    }
    alert_clean(l->text, 8000, CLEAN_LINES, out);
    if (*l->text)
        buf_addc(out, '\n');
    if (c->n + c->more < 2)
        return;
    buf_addf(out, "%sHeld back before it, as alerts.%s.repeat says:\n", *l->text ? "\n" : "",
             c->alert);
    add_items(c, c->n - 1, out);
}

bool alert_has_link(const struct alert_line *l)
{
    return (strncmp(l->link, "https://", 8) == 0 || strncmp(l->link, "http://", 7) == 0) &&
           !l->link[strcspn(l->link, " \t\r\n<>|\"\\")];
}

/* "2026-11-22T15:04:05Z, incident 12, alerts.ops" */
static void footer(const struct alert_content *c, struct buf *out)
{
    const struct alert_line *l = alert_newest(c);
    char at[32];

    clock_format_utc(l->at_ms, at);
    buf_adds(out, at);
    if (l->incident && c->form != ALERT_FORM_QUIET)
        buf_addf(out, ", incident %lld", (long long)l->incident);
    buf_addf(out, ", alerts.%s", c->alert);
}

/* --- JSON ---------------------------------------------------------------------------------------
 */

static json_t *text_of(const struct buf *b)
{
    return json_stringn(buf_str(b), b->len);
}

static json_t *cut(const char *s, size_t most, enum alert_clean how)
{
    struct buf b = BUF_INIT(TEXT_MAX);

    alert_clean(s, most, how, &b);
    json_t *text = text_of(&b);
    buf_release(&b);
    return text;
}

static json_t *cut_headline(const struct alert_content *c, size_t most)
{
    struct buf b = BUF_INIT(TEXT_MAX);

    alert_headline(c, &b);
    json_t *text = cut(buf_str(&b), most, CLEAN_LINE);
    buf_release(&b);
    return text;
}

static void write_json(json_t *json, struct buf *out)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);

    json_decref(json);
    if (!text)
        abort(); /* memory: every text in it is UTF-8 */
    buf_adds(out, text);
    free(text);
}

/* --- Slack --------------------------------------------------------------------------------------
 */

/* The only three characters that mean something everywhere in Slack's own markup; as plain_text
 * nothing does. */
static void slack_escape(const char *s, struct buf *out)
{
    for (; *s; s++) {
        if (*s == '&')
            buf_adds(out, "&amp;");
        else if (*s == '<')
            buf_adds(out, "&lt;");
        else if (*s == '>')
            buf_adds(out, "&gt;");
        else
            buf_addc(out, *s);
    }
}

static json_t *slack_fallback(const struct alert_content *c)
{
    struct buf headline = BUF_INIT(TEXT_MAX), b = BUF_INIT(TEXT_MAX);

    alert_headline(c, &headline);
    slack_escape(buf_str(&headline), &b);
    json_t *text = text_of(&b);
    buf_release(&b);
    buf_release(&headline);
    return text;
}

static json_t *slack_context(const struct alert_content *c)
{
    struct buf b = BUF_INIT(TEXT_MAX);

    if (alert_has_link(alert_newest(c))) {
        buf_addc(&b, '<');
        slack_escape(alert_newest(c)->link, &b);
        buf_adds(&b, "|Open> ");
    }
    footer(c, &b);
    json_t *text = b.len <= SLACK_TEXT_MAX ? text_of(&b) : json_string("");
    buf_release(&b);
    return json_pack("{s:s, s:[{s:s, s:o}]}", "type", "context", "elements", "type", "mrkdwn",
                     "text", text);
}

static json_t *slack_plain(const char *type, json_t *text)
{
    return json_pack("{s:s, s:{s:s, s:o, s:b}}", "type", type, "text", "type", "plain_text", "text",
                     text, "emoji", 0);
}

void alert_slack(const struct alert_content *c, struct buf *out)
{
    struct buf body = BUF_INIT(TEXT_MAX);
    json_t *blocks = json_array();

    alert_body(c, &body);
    json_array_append_new(blocks, slack_plain("header", cut_headline(c, SLACK_HEADER_MAX)));
    if (body.len > 0)
        json_array_append_new(
            blocks, slack_plain("section", cut(buf_str(&body), SLACK_SECTION_MAX, CLEAN_LINES)));
    json_array_append_new(blocks, slack_context(c));
    write_json(json_pack("{s:o, s:b, s:b, s:o}", "text", slack_fallback(c), "unfurl_links", 0,
                         "unfurl_media", 0, "blocks", blocks),
               out);
    buf_release(&body);
}

/* --- Discord ------------------------------------------------------------------------------------
 */

/* A backslash before what would be Markdown. Cut before: an escape is never torn apart. */
static json_t *discord_text(const char *s, size_t most, enum alert_clean how)
{
    struct buf b = BUF_INIT(TEXT_MAX), clean = BUF_INIT(TEXT_MAX);
    size_t room = most - 2;

    alert_clean(s, most, how, &clean);
    for (const char *at = buf_str(&clean); *at && room > 0; at++) {
        bool marks = strchr("\\*_~`|<>[]()#", *at) != NULL;
        bool first = ((unsigned char)*at & 0xc0) != 0x80;
        if (first && room < 3) {
            buf_adds(&b, "…");
            break;
        }
        if (marks)
            buf_addc(&b, '\\');
        buf_addc(&b, *at);
        room -= (first ? 1u : 0u) + (marks ? 1u : 0u) + ((unsigned char)*at >= 0xf0 ? 1u : 0u);
    }
    json_t *text = text_of(&b);
    buf_release(&clean);
    buf_release(&b);
    return text;
}

static int colour_of(const struct alert_content *c)
{
    const char *event = alert_newest(c)->event;

    if (c->form == ALERT_FORM_QUIET || c->form == ALERT_FORM_TEST)
        return COLOUR_OTHER;
    if (strcmp(event, "down") == 0 || strcmp(event, "deploy-failed") == 0)
        return COLOUR_BAD;
    return strcmp(event, "up") == 0 || strcmp(event, "deploy") == 0 ? COLOUR_GOOD : COLOUR_OTHER;
}

void alert_discord(const struct alert_content *c, struct buf *out)
{
    struct buf headline = BUF_INIT(TEXT_MAX), body = BUF_INIT(TEXT_MAX), foot = BUF_INIT(4096);
    const struct alert_line *l = alert_newest(c);
    char at[32];

    alert_headline(c, &headline);
    alert_body(c, &body);
    footer(c, &foot);
    clock_format_utc(l->at_ms, at);
    json_t *embed = json_pack(
        "{s:o, s:o, s:s, s:i, s:{s:o}}", "title",
        discord_text(buf_str(&headline), DISCORD_TITLE_MAX, CLEAN_LINE), "description",
        discord_text(buf_str(&body), DISCORD_DESCRIPTION_MAX, CLEAN_LINES), "timestamp", at,
        "color", colour_of(c), "footer", "text", cut(buf_str(&foot), 500, CLEAN_LINE));
    if (alert_has_link(l) && strlen(l->link) < 2000)
        json_object_set_new(embed, "url", cut(l->link, 2000, CLEAN_LINE));
    write_json(json_pack("{s:[o], s:{s:[]}}", "embeds", embed, "allowed_mentions", "parse"), out);
    buf_release(&foot);
    buf_release(&body);
    buf_release(&headline);
}

/* --- The generic webhook ------------------------------------------------------------------------
 */

static json_t *webhook_line(const struct alert_line *l)
{
    char at[32];

    clock_format_utc(l->at_ms, at);
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "key",
                     cut(l->key, 500, CLEAN_LINE), "event", l->event, "environment",
                     *l->environment ? cut(l->environment, 100, CLEAN_LINE) : json_null(),
                     "incident", l->incident ? json_integer(l->incident) : json_null(), "title",
                     cut(l->title, 500, CLEAN_LINE), "text",
                     cut(l->text, WEBHOOK_TEXT_MAX, CLEAN_LINES), "link",
                     alert_has_link(l) ? cut(l->link, 2000, CLEAN_LINE) : json_null(), "at", at);
}

void alert_webhook(const struct alert_content *c, struct buf *out)
{
    static const char *const forms[] = {"single", "folded", "quiet-hours", "test"};
    json_t *lines = json_array();
    char type[64], at[32];

    /* As of the newest matter, not of the attempt: a repeated message is the same, byte for byte.
     */
    clock_format_utc(alert_newest(c)->at_ms, at);
    (void)snprintf(type, sizeof(type), "alert.%s",
                   c->form == ALERT_FORM_QUIET ? "summary" : alert_newest(c)->event);
    for (size_t i = 0; i < c->n; i++)
        json_array_append_new(lines, webhook_line(&c->lines[i]));
    write_json(json_pack("{s:s, s:s, s:{s:o, s:s, s:s, s:o, s:I, s:o}}", "type", type, "timestamp",
                         at, "data", "project", cut(c->project, 100, CLEAN_LINE), "alert", c->alert,
                         "form", forms[c->form], "headline", cut_headline(c, 1000), "more",
                         (json_int_t)c->more, "matters", lines),
               out);
}

/* --- Signing ------------------------------------------------------------------------------------
 */

void alert_sign(const char *uid, int64_t at_s, const struct buf *body, const uint8_t *key,
                size_t key_len, char ret[64])
{
    struct buf signed_text = BUF_INIT(body->len + 256);
    uint8_t digest[SHA256_LEN];
    char coded[4 * SHA256_LEN / 3 + 4];

    buf_addf(&signed_text, "%s.%lld.", uid, (long long)at_s);
    buf_add(&signed_text, body->data, body->len);
    hmac_sha256(key, key_len, signed_text.data, signed_text.len, digest);
    (void)base64_encode(digest, sizeof(digest), coded);
    (void)snprintf(ret, 64, "v1,%s", coded);
    buf_release(&signed_text);
}

size_t alert_key_of(const char *secret, uint8_t ret[64])
{
    enum { SHORTEST = 24, LONGEST = 64, CODED_MAX = 88 };
    uint8_t key[CODED_MAX];
    size_t len = strlen(secret);

    if (strncmp(secret, "whsec_", 6) != 0 || len - 6 > CODED_MAX)
        return 0;
    int64_t n = base64_decode(secret + 6, len - 6, key);
    if (n >= SHORTEST && n <= LONGEST)
        memcpy(ret, key, (size_t)n);
    explicit_bzero(key, sizeof(key));
    return n >= SHORTEST && n <= LONGEST ? (size_t)n : 0;
}
