#include "report/alert_text.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "test.h"

#include <stdlib.h>

static const struct alert_line plain = {.key = "incident 12 opened",
                                        .event = "down",
                                        .environment = "uat",
                                        .title = "koyeb: 30 checks fail",
                                        .text = "api/health: 503 since 15:04",
                                        .link = "https://trine.example/incidents/12",
                                        .incident = 12,
                                        .at_ms = 1795392095000};

/* What servers and people put into names and error pages. */
static const struct alert_line hostile = {
    .key = "k\r\nBcc: x@evil.example",
    .event = "down",
    .environment = "uat\r\nBcc: y@evil.example",
    .title =
        "<!channel> @everyone *x* [a](http://evil) \xff\xfe\r\nBcc: z@evil.example\r\n\r\nbody "
        "\xe2\x80\xae"
        "evil",
    .text = "line\r\n.\r\nMAIL FROM:<x>\r\n<@U123> <!here> `rm` & \x1b[31m\x07 k\xc3\xb6yeb",
    .link = "https://x.example/|<!channel>",
    .at_ms = 1795392095000};

static struct alert_content content_of(const struct alert_line *lines, size_t n)
{
    return (struct alert_content){.project = "weedgo",
                                  .alert = "ops",
                                  .uid = "msg_0123",
                                  .form = n > 1 ? ALERT_FORM_FOLDED : ALERT_FORM_SINGLE,
                                  .lines = lines,
                                  .n = n,
                                  .now_ms = 1795392099000};
}

typedef void write_fn(const struct alert_content *c, struct buf *out);

static json_t *written(write_fn *fn, const struct alert_content *c)
{
    struct buf b = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    fn(c, &b);
    json_t *json = json_read(buf_str(&b), b.len, "test", &e);
    CHECK(json != NULL && !b.over);
    buf_release(&b);
    return json;
}

static bool is(const json_t *json, const char *path, const char *want)
{
    const char *got = json_str(json, path, "(none)");
    if (strcmp(got, want) != 0)
        printf("# %s: %s\n", path, got);
    return strcmp(got, want) == 0;
}

static size_t units(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80 ? 1u + ((unsigned char)*s >= 0xf0) : 0;
    return n;
}

static void each_says_what_where_and_when(void)
{
    struct alert_content c = content_of(&plain, 1);
    json_t *json = written(alert_slack, &c);
    CHECK(is(json, "text", "weedgo uat down: koyeb: 30 checks fail"));
    CHECK(is(json, "blocks.0.text.text", "weedgo uat down: koyeb: 30 checks fail"));
    CHECK(is(json, "blocks.1.text.text", "api/health: 503 since 15:04\n"));
    CHECK(is(json, "blocks.2.elements.0.text",
             "<https://trine.example/incidents/12|Open> 2026-11-23T00:01:35Z, incident 12, "
             "alerts.ops"));
    json_decref(json);
    json = written(alert_discord, &c);
    CHECK(is(json, "embeds.0.title", "weedgo uat down: koyeb: 30 checks fail"));
    CHECK(is(json, "embeds.0.url", plain.link));
    CHECK(json_is_array(json_at(json, "allowed_mentions.parse")) &&
          json_array_size(json_at(json, "allowed_mentions.parse")) == 0);
    json_decref(json);
    json = written(alert_webhook, &c);
    CHECK(is(json, "type", "alert.down") && is(json, "timestamp", "2026-11-23T00:01:35Z"));
    CHECK(is(json, "data.matters.0.key", plain.key) && is(json, "data.matters.0.link", plain.link));
    CHECK(json_int(json, "data.matters.0.incident", 0) == 12);
    json_decref(json);
}

static void nothing_of_a_text_is_markup_to_slack(void)
{
    struct alert_content c = content_of(&hostile, 1);
    struct buf b = BUF_INIT(1 << 20);
    json_t *json = written(alert_slack, &c);
    CHECK(!strchr(json_str(json, "text", "<"), '<') &&
          strstr(json_str(json, "text", ""), "&lt;!channel&gt;"));
    CHECK(is(json, "blocks.0.text.type", "plain_text"));
    CHECK(is(json, "blocks.1.text.type", "plain_text"));
    CHECK(!strchr(json_str(json, "blocks.2.elements.0.text", "<"), '<')); /* no such link */
    CHECK(!strstr(json_str(json, "blocks.0.text.text", ""), "\xe2\x80\xae"));
    CHECK(!strchr(json_str(json, "blocks.1.text.text", ""), '\x1b'));
    CHECK(strstr(json_str(json, "blocks.1.text.text", ""), "k\xc3\xb6yeb"));
    json_decref(json);
    buf_release(&b);
}

static void nothing_of_a_text_is_markdown_to_discord(void)
{
    struct alert_content c = content_of(&hostile, 1);
    json_t *json = written(alert_discord, &c);
    const char *title = json_str(json, "embeds.0.title", "");
    CHECK(strstr(title, "\\*x\\*") && strstr(title, "\\[a\\]\\(http://evil\\)"));
    CHECK(!json_at(json, "embeds.0.url"));
    json_decref(json);
}

static void too_long_texts_are_cut_where_the_receivers_would_refuse_them(void)
{
    static const char *const pieces[] = {"a", "*", "\xc3\xb6", "\xf0\x9f\x94\xa5", "&"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct buf b = BUF_INIT(1 << 20);
        while (b.len < 20000)
            buf_adds(&b, pieces[i]);
        struct alert_line long_line = plain;
        long_line.title = long_line.text = buf_str(&b);
        struct alert_content c = content_of(&long_line, 1);
        json_t *json = written(alert_slack, &c);
        CHECK(units(json_str(json, "blocks.0.text.text", "")) <= 150);
        CHECK(units(json_str(json, "blocks.1.text.text", "")) <= 3000);
        CHECK(units(json_str(json, "text", "")) <= 3500);
        json_decref(json);
        json = written(alert_discord, &c);
        size_t title = units(json_str(json, "embeds.0.title", ""));
        size_t description = units(json_str(json, "embeds.0.description", ""));
        CHECK(title > 120 && title <= 256);
        CHECK(description > 2000 && description <= 4096);
        CHECK(title + description + units(json_str(json, "embeds.0.footer.text", "")) <= 6000);
        json_decref(json);
        buf_release(&b);
    }
}

static void several_are_told_together(void)
{
    struct alert_line lines[3] = {plain, plain, plain};
    struct alert_content c = content_of(lines, 3);
    lines[0].title = "oldest";
    lines[1].title = "middle";
    lines[2].title = "newest";
    c.more = 4;
    json_t *json = written(alert_slack, &c);
    CHECK(is(json, "text", "weedgo uat down: newest (and 6 more)"));
    const char *body = json_str(json, "blocks.1.text.text", "");
    CHECK(strstr(body, "middle") && strstr(body, "oldest") && strstr(body, "and 4 before"));
    CHECK(strstr(body, "middle") < strstr(body, "oldest"));
    json_decref(json);
    c.form = ALERT_FORM_QUIET;
    json = written(alert_webhook, &c);
    CHECK(is(json, "type", "alert.summary") &&
          is(json, "data.headline", "weedgo: 7 alerts from the quiet hours"));
    CHECK(json_array_size(json_at(json, "data.matters")) == 3);
    json_decref(json);
}

static char *mail_of(const struct alert_content *c, const char *from, const char *to)
{
    const char *all[] = {to, "second@example.com"};
    const struct alert_envelope v = {.from = from, .to = all, .n_to = 2};
    struct buf b = BUF_INIT(1 << 20);
    alert_mail(c, &v, &b);
    return buf_take(&b, NULL);
}

/* Header lines are CRLF-ended, none longer than RFC 5322 allows, and no name is there that was not
 * meant. */
static bool headers_are_whole(const char *mail)
{
    static const char *const names[] = {"Date",
                                        "From",
                                        "To",
                                        "Subject",
                                        "Message-ID",
                                        "References",
                                        "Auto-Submitted",
                                        "MIME-Version",
                                        "Content-Type",
                                        "Content-Transfer-Encoding"};
    const char *end = strstr(mail, "\r\n\r\n");
    for (const char *line = mail; end && line < end; line = strstr(line, "\r\n") + 2) {
        size_t len = strcspn(line, "\r\n"), name = strcspn(line, ":");
        bool known = *line == ' ';
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            known = known || (strlen(names[i]) == name && strncmp(line, names[i], name) == 0);
        if (!known || len > 200 || line[len] != '\r' || line[len + 1] != '\n')
            return false;
    }
    return end != NULL;
}

static void a_mail_has_the_headers_that_it_needs(void)
{
    struct alert_content c = content_of(&plain, 1);
    char *mail = mail_of(&c, "trine@example.com", "a@example.com");
    CHECK(headers_are_whole(mail));
    CHECK(strstr(mail, "Date: Mon, 23 Nov 2026 00:01:39 +0000\r\n"));
    CHECK(strstr(mail, "To: <a@example.com>,\r\n <second@example.com>\r\n"));
    CHECK(strstr(mail, "Subject: weedgo uat down: koyeb: 30 checks fail\r\n"));
    CHECK(strstr(mail, "Message-ID: <msg_0123@example.com>\r\n"));
    CHECK(strstr(mail, "References: <incident-12.weedgo.trine@example.com>\r\n"));
    CHECK(strstr(mail, "\r\n\r\nweedgo uat down: koyeb: 30 checks fail\r\n"));
    CHECK(strstr(mail, "https://trine.example/incidents/12\r\n"));
    free(mail);
}

static void no_value_begins_a_header_or_ends_a_mail(void)
{
    struct alert_content c = content_of(&hostile, 1);
    c.project = "x\r\nBcc: p@evil.example";
    c.uid = "msg>\r\nBcc: q";
    char *mail = mail_of(&c, "a@b\r\nBcc: r@evil.example", "c@d>\r\nBcc: s@evil.example");
    CHECK(headers_are_whole(mail));
    CHECK(!strstr(mail, "\nBcc"));
    size_t foreign = 0; /* bytes that mail cannot carry */
    for (const char *s = mail; *s; s++)
        foreign += ((unsigned char)*s >= 0x7f || *s < ' ') && *s != '\r' && *s != '\n';
    CHECK(foreign == 0);
    CHECK(strstr(mail, "k=C3=B6yeb"));
    free(mail);
}

static void long_and_foreign_subjects_are_encoded_words(void)
{
    struct alert_line line = plain;
    line.title =
        "\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1"
        "\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac";
    struct alert_content c = content_of(&line, 1);
    char *mail = mail_of(&c, "a@b.c", "d@e.f"), decoded[512] = "";
    const char *at = strstr(mail, "Subject: ");
    size_t n = 0;
    CHECK(at != NULL);
    while (at && (at = strstr(at, "=?utf-8?B?"))) {
        const char *end = strstr(at += 10, "?=");
        CHECK((size_t)(end - at) + 12 <= 75);
        n += (size_t)base64_decode(at, (size_t)(end - at), (uint8_t *)decoded + n);
        CHECK(text_is_utf8(decoded, n, NULL)); /* no character is cut in two */
    }
    CHECK(strncmp(decoded, "weedgo uat down: ", 17) == 0 && strstr(decoded, line.title));
    free(mail);
}

static void no_line_of_a_mail_is_longer_than_76(void)
{
    struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i < 500; i++)
        buf_adds(&b, i % 3 ? "\xc3\xb6=" : "word ");
    struct alert_line line = plain;
    line.text = buf_str(&b);
    struct alert_content c = content_of(&line, 1);
    char *mail = mail_of(&c, "a@b.c", "d@e.f");
    for (const char *s = strstr(mail, "\r\n\r\n"); s && *s; s += strcspn(s, "\r"), s += *s ? 2 : 0)
        CHECK(strcspn(s, "\r") <= 76);
    free(mail);
    buf_release(&b);
}

/* The example of the specification (standard-webhooks.md, "Signature scheme"). */
static void signatures_are_those_of_standard_webhooks(void)
{
    static const char body[] = "{\"test\": 2432232314}";
    struct buf b = BUF_INIT(100);
    uint8_t key[64];
    char signature[64];
    buf_adds(&b, body);
    size_t n = alert_key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", key);
    CHECK(n == 24);
    alert_sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, &b, key, n, signature);
    CHECK(strcmp(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=") == 0);
    CHECK(alert_key_of("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", key) == 0);
    CHECK(alert_key_of("whsec_c2hvcnQ=", key) == 0 && alert_key_of("whsec_", key) == 0);
    CHECK(alert_key_of("", key) == 0 && alert_key_of("whsec_%%%%", key) == 0);
    buf_release(&b);
}

int main(void)
{
    each_says_what_where_and_when();
    nothing_of_a_text_is_markup_to_slack();
    nothing_of_a_text_is_markdown_to_discord();
    too_long_texts_are_cut_where_the_receivers_would_refuse_them();
    several_are_told_together();
    a_mail_has_the_headers_that_it_needs();
    no_value_begins_a_header_or_ends_a_mail();
    long_and_foreign_subjects_are_encoded_words();
    no_line_of_a_mail_is_longer_than_76();
    signatures_are_those_of_standard_webhooks();
    return DONE();
}
