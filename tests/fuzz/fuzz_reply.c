#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "net/bases.h"
#include "provider/provider.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as what peers send apart from a platform's own protocol: JSON, headers that tell of
 * rate limits (one a line, "name: value"), a percent-encoded path, a bases file. No crash, no leak;
 * what is accepted keeps its bounds and survives being written and read again.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_HEADERS = 16 };

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void check_error(const struct err *e)
{
    check(e->kind != ERR_NONE && e->text[0] && memchr(e->text, '\0', sizeof(e->text)));
    check(strpbrk(e->text, "\r\n") == NULL);
}

static void check_json(const char *text, size_t len)
{
    static const char *const paths[] = {"id", "data.0.id", "result.latest_stage.name", "0", "a..b"};
    struct err e = ERR_INIT;
    json_t *root = json_read(text, len, "reply", &e);

    if (!root) {
        check_error(&e);
        return;
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        check(json_str(root, paths[i], "otherwise") != NULL);
        (void)json_int(root, paths[i], -1);
        (void)json_num(root, paths[i], -1);
        (void)json_flag(root, paths[i], false);
    }
    char *again = json_text(root);
    json_t *same = json_read(again, strlen(again), "again", &e);
    check(json_equal(root, same));
    free(again);
    json_decref(same);
    json_decref(root);
}

static void check_rate_facts(char *text)
{
    struct http_header headers[MOST_HEADERS];
    struct http_reply reply = {.status = 429, .body = "", .headers = headers};
    struct rate_facts facts;
    char *rest;

    for (char *line = strtok_r(text, "\r\n", &rest); line && reply.n_headers < MOST_HEADERS;
         line = strtok_r(NULL, "\r\n", &rest)) {
        char *value = strstr(line, ": ");
        if (!value)
            continue;
        *value = '\0';
        headers[reply.n_headers++] = (struct http_header){line, value + 2};
    }
    provider_rate_facts(&reply, 1763800000000, &facts);
    check(facts.remaining >= -1 && facts.reset_ms >= -1 && facts.retry_after_ms >= -1);
}

static void check_percent(char *text)
{
    struct buf encoded = BUF_INIT((size_t)16 << 20);
    size_t len = strlen(text);

    if (!http_percent_decode(text))
        return;
    check(strlen(text) <= len);
    text_percent_encode(&encoded, text, true);
    char *again = buf_take(&encoded, NULL);
    check(http_percent_decode(again) && strcmp(again, text) == 0);
    free(again);
}

static void check_bases(const char *text, size_t len)
{
    struct bases *b = NULL;
    struct err e = ERR_INIT;

    if (bases_read("fuzz.json", text, len, &b, &e) < 0) {
        check(b == NULL && e.kind == ERR_MANIFEST);
        check_error(&e);
        return;
    }
    check(bases_clock_rate(b) >= 1 && bases_clock_rate(b) <= 100000);
    const char *base = bases_get(b, "netlify", "https://api.netlify.com");
    check(strncmp(base, "http", 4) == 0 && base[strlen(base) - 1] != '/');
    bases_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    char *headers = strndup(bytes, size), *path = strndup(bytes, size);

    check(headers && path);
    check_json(bytes, size);
    check_bases(bytes, size);
    check_rate_facts(headers);
    check_percent(path);
    free(headers);
    free(path);
    return 0;
}
