#include "sim.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Where alerts go: Slack's incoming webhooks (docs.slack.dev/messaging/sending-messages-using-
 * incoming-webhooks), Discord's (discord.com/developers/docs/resources/webhook), and a receiver of
 * Standard Webhooks that checks the signature. They refuse what the real ones refuse, in their
 * words, and keep every message, so that a test can count them.
 *
 *     POST /services/T.../B.../...      Slack; T0GONE: the webhook was taken away
 *     POST /api/webhooks/ID/TOKEN       Discord; ID 0: it was deleted
 *     POST /hooks/NAME                  Standard Webhooks, with the secret below
 *
 * The state: messages [{receiver, place, text, id, times}]; a webhook-id that was there before
 * counts in `times` of the first, as a receiver that knows its ids would do it.
 */
static const char secret[] = "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGlydHktdHdvLWI=";

enum {
    SLACK_BLOCKS = 50,
    SLACK_HEADER = 150,
    SLACK_TEXT = 3000,
    DISCORD_EMBEDS = 10,
    DISCORD_CONTENT = 2000,
    DISCORD_TITLE = 256,
    DISCORD_DESCRIPTION = 4096,
    DISCORD_ALL = 6000,
    TOLERANCE_MS = 5 * 60 * 1000,
};

static json_t *messages_of(struct sim *s, const struct sim_platform *p)
{
    json_t *state = sim_state(s, p), *messages = json_object_get(state, "messages");

    if (!messages) {
        messages = json_array();
        json_object_set_new(state, "messages", messages);
    }
    return messages;
}

static void keep(struct sim_request *r, const char *receiver, const char *text, const char *id)
{
    json_object_set_new(sim_member(sim_state(r->sim, r->platform), "last"), receiver,
                        json_deep_copy(r->json));
    json_array_append_new(messages_of(r->sim, r->platform),
                          json_pack("{s:s, s:s, s:s, s:s, s:i}", "receiver", receiver, "place",
                                    r->path, "text", text, "id", id, "times", 1));
    sim_changed(r->sim);
}

/* In UTF-16 units, as both services count. */
static size_t units(const char *s)
{
    size_t n = 0;

    for (; s && *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80 ? 1u + ((unsigned char)*s >= 0xf0) : 0;
    return n;
}

/* --- Slack --------------------------------------------------------------------------------------
 */

static bool slack_block_fits(const json_t *block)
{
    const char *type = json_str(block, "type", "");
    size_t n = units(json_str(block, "text.text", ""));

    if (strcmp(type, "header") == 0)
        return n > 0 && n <= SLACK_HEADER &&
               strcmp(json_str(block, "text.type", ""), "plain_text") == 0;
    if (strcmp(type, "section") == 0)
        return n > 0 && n <= SLACK_TEXT;
    if (strcmp(type, "context") == 0)
        return json_array_size(json_object_get(block, "elements")) > 0 &&
               units(json_str(block, "elements.0.text", "")) > 0;
    return strcmp(type, "divider") == 0;
}

static void slack_message(struct sim_request *r)
{
    const json_t *blocks = json_object_get(r->json, "blocks"), *block;
    const char *text = json_str(r->json, "text", "");
    bool fits = json_is_object(r->json) && json_array_size(blocks) <= SLACK_BLOCKS;
    size_t i;

    if (strcmp(r->segments[1], "T0GONE") == 0) {
        sim_answer_text(r, 404, "text/plain", "no_service");
        return;
    }
    json_array_foreach(blocks, i, block) fits = fits && slack_block_fits(block);
    if (!fits) {
        sim_answer_text(r, 400, "text/plain", "invalid_payload");
    } else if (!*text && json_array_size(blocks) == 0) {
        sim_answer_text(r, 400, "text/plain", "no_text");
    } else {
        keep(r, "slack", text, "");
        sim_answer_text(r, 200, "text/html", "ok");
    }
}

/* --- Discord ------------------------------------------------------------------------------------
 */

static bool discord_fits(const json_t *body)
{
    const json_t *embeds = json_object_get(body, "embeds"), *embed;
    size_t content = units(json_str(body, "content", "")), all = 0, i;
    bool fits = content <= DISCORD_CONTENT && json_array_size(embeds) <= DISCORD_EMBEDS &&
                (content > 0 || json_array_size(embeds) > 0);

    json_array_foreach(embeds, i, embed)
    {
        size_t title = units(json_str(embed, "title", ""));
        size_t description = units(json_str(embed, "description", ""));
        const char *url = json_str(embed, "url", "https://");
        fits = fits && title <= DISCORD_TITLE && description <= DISCORD_DESCRIPTION &&
               strncmp(url, "http", 4) == 0;
        all += title + description + units(json_str(embed, "footer.text", ""));
    }
    return fits && all <= DISCORD_ALL;
}

static void discord_message(struct sim_request *r)
{
    if (strcmp(r->segments[2], "0") == 0) {
        sim_answer(r, 404, json_pack("{s:s, s:i}", "message", "Unknown Webhook", "code", 10015));
    } else if (!json_is_object(r->json) || !discord_fits(r->json)) {
        sim_answer(r, 400, json_pack("{s:s, s:i}", "message", "Invalid Form Body", "code", 50035));
    } else {
        keep(r, "discord", json_str(r->json, "embeds.0.title", json_str(r->json, "content", "")),
             "");
        sim_answer(r, 204, NULL);
    }
}

/* --- Standard Webhooks --------------------------------------------------------------------------
 */

static bool is_signed(struct sim_request *r, const char *id)
{
    const char *at = sim_header(r, "webhook-timestamp"), *is = sim_header(r, "webhook-signature");
    uint8_t key[sizeof(secret)], digest[SHA256_LEN];
    char want[64] = "v1,";
    struct buf b = BUF_INIT(r->body_len + 1024);
    int64_t at_s, late;

    if (!id || !at || !is || text_int(at, 0, INT64_MAX / 1000, &at_s) < 0)
        return false;
    int64_t n = base64_decode(secret + 6, sizeof(secret) - 7, key);
    buf_addf(&b, "%s.%s.", id, at);
    buf_add(&b, r->body, r->body_len);
    hmac_sha256(key, n > 0 ? (size_t)n : 0, b.data, b.len, digest);
    (void)base64_encode(digest, sizeof(digest), want + 3);
    buf_release(&b);
    late = sim_real_now_ms(r->sim) - at_s * 1000;
    return strcmp(is, want) == 0 && late < TOLERANCE_MS && late > -TOLERANCE_MS;
}

static json_t *message_of_id(struct sim_request *r, const char *id)
{
    json_t *message;
    size_t i;

    json_array_foreach(messages_of(r->sim, r->platform), i, message)
    {
        if (strcmp(json_str(message, "id", ""), id) == 0)
            return message;
    }
    return NULL;
}

static void standard_message(struct sim_request *r)
{
    const char *id = sim_header(r, "webhook-id");

    if (!is_signed(r, id)) {
        sim_answer(r, 401, json_pack("{s:s}", "error", "signature"));
        return;
    }
    json_t *before = message_of_id(r, id);
    if (before) {
        json_object_set_new(before, "times", json_integer(json_int(before, "times", 0) + 1));
        sim_changed(r->sim);
    } else {
        keep(r, "webhook", json_str(r->json, "data.headline", ""), id);
    }
    sim_answer(r, 200, json_object());
}

static const struct sim_endpoint routes[] = {
    {"POST", "/services/:team/:hook/:token", slack_message},
    {"POST", "/api/webhooks/:id/:token", discord_message},
    {"POST", "/hooks/:name", standard_message},
    {NULL, NULL, NULL},
};

/* --- The platform -------------------------------------------------------------------------------
 */

static const char *webhooks_authenticate(struct sim_request *r)
{
    (void)r;
    return ""; /* the address is the credential */
}

static void webhooks_unauthorised(struct sim_request *r)
{
    sim_answer_text(r, 403, "text/plain", "invalid_token");
}

static void webhooks_too_many(struct sim_request *r, int64_t retry_after_ms)
{
    double seconds = (double)retry_after_ms / 1000;

    sim_set_header(r, "Retry-After", "%lld", (long long)(retry_after_ms + 999) / 1000);
    if (strncmp(r->path, "/api/", 5) == 0)
        sim_answer(r, 429,
                   json_pack("{s:s, s:f, s:b}", "message", "You are being rate limited.",
                             "retry_after", seconds, "global", 0));
    else
        sim_answer_text(r, 429, "text/plain", "rate_limited");
}

static void webhooks_error(struct sim_request *r, int status)
{
    sim_answer_text(r, status, "text/plain", status == 404 ? "no_service" : "rollup_error");
}

static void webhooks_handle(struct sim_request *r)
{
    if (!sim_dispatch(r, routes))
        sim_answer_text(r, 404, "text/plain", "no_service");
}

static void webhooks_books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    json_object_set(into, "messages", messages_of(s, p));
    json_object_set(into, "last", sim_member(sim_state(s, p), "last"));
}

static const struct sim_rate rates[] = {
    {"POST", "/api/webhooks/*", 5, 2000, "discord", .by_part = 3},
    {"POST", "/services/*", 10, 10000, "slack", .by_part = 3},
    {NULL, NULL, 0, 0, NULL, .by_part = 0},
};

const struct sim_platform sim_webhooks = {
    .name = "webhooks",
    .base_path = "",
    .site_suffix = ".webhooks.localhost",
    .rates = rates,
    .authenticate = webhooks_authenticate,
    .unauthorised = webhooks_unauthorised,
    .too_many = webhooks_too_many,
    .error = webhooks_error,
    .handle = webhooks_handle,
    .books = webhooks_books,
};
