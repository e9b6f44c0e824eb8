#include "provider/provider.h"

#include "base/json.h"
#include "base/text.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Registry -----------------------------------------------------------------------------------
 */

static const struct provider_ops *const providers[] = {
    &provider_cloudflare, &provider_netlify, &provider_vercel, &provider_koyeb,
    &provider_render,     &provider_railway, &provider_expo,   &provider_exec,
};

enum { N_PROVIDERS = sizeof(providers) / sizeof(providers[0]) };

const struct provider_ops *provider_find(const char *name)
{
    for (size_t i = 0; i < N_PROVIDERS; i++)
        if (strcmp(providers[i]->name, name) == 0)
            return providers[i];
    return NULL;
}

size_t provider_count(void)
{
    return N_PROVIDERS;
}

const struct provider_ops *provider_at(size_t i)
{
    return i < N_PROVIDERS ? providers[i] : NULL;
}

/* --- What is stored of a deployment --------------------------------------------------------------
 */

#define TEXT_MEMBER(name)                                                                          \
    {                                                                                              \
#name, offsetof(struct deployment, name), sizeof(((struct deployment *)0)->name)           \
    }

static const struct {
    const char *key;
    size_t offset, size;
} members[] = {
    TEXT_MEMBER(account_id), TEXT_MEMBER(project_id), TEXT_MEMBER(remote_id), TEXT_MEMBER(before),
    TEXT_MEMBER(url),        TEXT_MEMBER(word),       TEXT_MEMBER(detail),    TEXT_MEMBER(extra),
};

enum { N_MEMBERS = sizeof(members) / sizeof(members[0]) };

/* A text that was cut to fit may end inside a character; JSON takes whole ones only. */
static json_t *whole_characters(const char *text)
{
    size_t len = strlen(text), valid = len;

    if (!text_is_utf8(text, len, &valid))
        len = valid;
    return json_stringn(text, len);
}

json_t *provider_save(const struct deployment *d)
{
    json_t *json = json_pack("{s:i, s:I}", "step", d->step, "polls", (json_int_t)d->polls);

    for (size_t i = 0; i < N_MEMBERS; i++) {
        const char *text = (const char *)d + members[i].offset;
        if (text[0])
            json_object_set_new(json, members[i].key, whole_characters(text));
    }
    return json;
}

static int load_number(const json_t *saved, const char *key, int64_t max, int64_t *ret,
                       struct err *e)
{
    const json_t *member = json_object_get(saved, key);

    if (!member)
        return 0;
    if (!json_is_integer(member) || json_integer_value(member) < 0 ||
        json_integer_value(member) > max)
        return err_set(e, ERR_STORE, "stored progress: \"%s\" is no number from 0 to %" PRId64, key,
                       max);
    *ret = json_integer_value(member);
    return 0;
}

int provider_load(struct deployment *d, const json_t *saved, struct err *e)
{
    struct deployment loaded = *d;
    int64_t step = 0, polls = 0;

    if (!json_is_object(saved))
        return err_set(e, ERR_STORE, "stored progress: is no JSON object");
    if (load_number(saved, "step", INT32_MAX, &step, e) < 0 ||
        load_number(saved, "polls", UINT32_MAX, &polls, e) < 0)
        return -1;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const json_t *member = json_object_get(saved, members[i].key);
        char *text = (char *)&loaded + members[i].offset;
        if (!member)
            continue;
        if (!json_is_string(member) || !text_copy(text, members[i].size, json_string_value(member)))
            return err_set(e, ERR_STORE, "stored progress: \"%s\" is no text of at most %zu bytes",
                           members[i].key, members[i].size - 1);
    }
    loaded.step = (int)step;
    loaded.polls = (uint32_t)polls;
    *d = loaded;
    return 0;
}

void provider_release(struct deployment *d)
{
    free(d->needed);
    d->needed = NULL;
    explicit_bzero(d->session, sizeof(d->session));
}

void call_release(struct call *c)
{
    http_request_release(&c->http);
    *c = (struct call){0};
}

/* --- Rate facts ----------------------------------------------------------------------------------
 */

/* Platforms say "when" as seconds from now, as an epoch in seconds or milliseconds, or as a date;
 * nothing that lasts longer than ten years comes as "from now". -1: it is none of them. */
static int64_t ms_until(const char *text, int64_t now_ms)
{
    static const int64_t epoch_s = 315360000, epoch_ms = 315360000000;
    int64_t at;
    size_t n = strspn(text, "0123456789");
    bool number = n > 0 && (!text[n] || strchr(" ,;.", text[n])); /* "2026-11-22" is none */
    char digits[24];

    (void)text_copy(digits, sizeof(digits), text);
    digits[n < sizeof(digits) ? n : sizeof(digits) - 1] = '\0';
    if (number && text_int(digits, 0, INT64_MAX / 1000, &at) == 0) {
        if (at < epoch_s)
            return at * 1000;
        at = at < epoch_ms ? at * 1000 : at;
    } else {
        time_t date = curl_getdate(text, NULL);
        if (date < 0)
            return -1;
        at = (int64_t)date * 1000;
    }
    return at > now_ms ? at - now_ms : 0;
}

static const char *first_header(const struct http_reply *r, const char *one, const char *other)
{
    const char *value = http_reply_header(r, one);

    return value ? value : http_reply_header(r, other);
}

void provider_rate_facts(const struct http_reply *r, int64_t now_ms, struct rate_facts *ret)
{
    const char *left = first_header(r, "x-ratelimit-remaining", "ratelimit-remaining");
    const char *reset = first_header(r, "x-ratelimit-reset", "ratelimit-reset");
    const char *after_ms = http_reply_header(r, "retry-after-ms");
    const char *after = http_reply_header(r, "retry-after");

    *ret = (struct rate_facts){-1, -1, -1};
    if (left)
        (void)text_int(left, 0, INT64_MAX, &ret->remaining);
    if (reset)
        ret->reset_ms = ms_until(reset, now_ms);
    if (after)
        ret->retry_after_ms = ms_until(after, now_ms);
    if (after_ms)
        (void)text_int(after_ms, 0, INT64_MAX, &ret->retry_after_ms);
}
