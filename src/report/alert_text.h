#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is told, as each receiver wants it. Pure: matters in, bytes out. Whatever stands in a title
 * or text (a server's error page, a name somebody chose) is only ever text to the receiver: it
 * mentions nobody, links nowhere and begins no header. Too long texts are cut, with "…", where the
 * receiver would refuse them. Texts need not be UTF-8: what is not is left out.
 *
 * Slack: https://docs.slack.dev/reference/block-kit and .../messaging/formatting-message-text.
 * Discord: https://discord.com/developers/docs/resources/webhook, limits of an embed. Webhook:
 * https://github.com/standard-webhooks/standard-webhooks. Mail: RFC 5322, 2045 and 2047.
 */
struct buf;

struct alert_line { /* one matter */
    const char *key, *event, *environment, *title, *text, *link;
    int64_t incident, at_ms;
};

enum alert_form {
    ALERT_FORM_SINGLE,
    ALERT_FORM_FOLDED, /* the newest, and those that were held back before it */
    ALERT_FORM_QUIET,  /* what came in quiet hours */
    ALERT_FORM_TEST,
};

struct alert_content {
    const char *project;
    const char *alert; /* the entry's name in the manifest */
    const char *uid;   /* the message's id, the same at every attempt */
    enum alert_form form;
    const struct alert_line *lines; /* at least one; in the order they came */
    size_t n, more;                 /* more: before those, left out */
    int64_t now_ms;
};

void alert_slack(const struct alert_content *c, struct buf *out);   /* JSON */
void alert_discord(const struct alert_content *c, struct buf *out); /* JSON */
void alert_webhook(const struct alert_content *c, struct buf *out); /* JSON */

struct alert_envelope {
    const char *from, *const *to;
    size_t n_to;
};
/* The whole message, headers and text, with CRLF. */
void alert_mail(const struct alert_content *c, const struct alert_envelope *v, struct buf *out);

/* Standard Webhooks, symmetric: the value of webhook-signature for what is sent at `at_s`, seconds
 * since 1970. ret holds 64 bytes. */
void alert_sign(const char *uid, int64_t at_s, const struct buf *body, const uint8_t *key,
                size_t key_len, char ret[64]);

/* The key of a secret "whsec_BASE64" of 24 to 64 bytes; 0 when it is none. ret holds 64 bytes. */
size_t alert_key_of(const char *secret, uint8_t ret[64]);
