#include "base/redact.h"

#include "base/hash.h"
#include "base/text.h"
#include "test.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char secret[] = "k/9+Zr\"t~p?q";

static const char *redacted(const struct redactor *r, const char *text)
{
    static char out[1024];

    text_copy(out, sizeof out, text);
    redact_text(r, out, sizeof out);
    return out;
}

static struct redactor *with_secret(void)
{
    struct redactor *r = redactor_new();

    redactor_add(r, "TOKEN", secret);
    return r;
}

static void a_secret_is_replaced_by_its_name(void)
{
    struct redactor *r = with_secret();
    char text[128];

    snprintf(text, sizeof text, "a %s b %s", secret, secret);
    CHECK(strcmp(redacted(r, text), "a [TOKEN] b [TOKEN]") == 0);
    CHECK(strcmp(redacted(r, "nothing here"), "nothing here") == 0);
    CHECK(strcmp(redacted(NULL, "no redactor"), "no redactor") == 0);
    redactor_free(r);
}

static void percent_and_json_writings_are_replaced(void)
{
    struct redactor *r = with_secret();

    CHECK(strcmp(redacted(r, "?t=k%2F9%2BZr%22t~p%3Fq&x"), "?t=[TOKEN]&x") == 0);
    CHECK(strcmp(redacted(r, "?t=k%2f9%2bZr%22t~p%3fq&x"), "?t=[TOKEN]&x") == 0);
    CHECK(strcmp(redacted(r, "{\"t\":\"k/9+Zr\\\"t~p?q\"}"), "{\"t\":\"[TOKEN]\"}") == 0);
    redactor_free(r);
}

static void base64_is_replaced_wherever_the_secret_stands_in_it(void)
{
    struct redactor *r = with_secret();
    static const char *const users[] = {"", "u:", "us:", "use:", "user:"};

    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        char plain[64], text[128];

        snprintf(plain, sizeof plain, "%s%s", users[i], secret);
        base64_encode((const uint8_t *)plain, strlen(plain), text);
        CHECK(strstr(redacted(r, text), "[TOKEN]") != NULL);
        CHECK(strlen(redacted(r, text)) <= strlen("[TOKEN]") + 4 * strlen(users[i]) + 3);
    }
    redactor_free(r);
}

static void a_secret_that_contains_another_wins(void)
{
    struct redactor *r = redactor_new();

    redactor_add(r, "PASSWORD", "hunter22");
    redactor_add(r, "URL", "postgres://u:hunter22@db/x");
    CHECK(strcmp(redacted(r, "at postgres://u:hunter22@db/x, hunter22"), "at [URL], [PASSWORD]") ==
          0);
    redactor_free(r);
}

static void a_secret_that_the_end_of_a_text_cut_is_replaced(void)
{
    struct redactor *r = redactor_new();
    char text[16];

    redactor_add(r, "T", "abcdefghijklmnop");
    text_copy(text, sizeof text, "key is abcdefghijklmnop");
    redact_text(r, text, sizeof text);
    CHECK(strcmp(text, "key is [T]") == 0);
    redactor_free(r);
}

static void a_result_that_does_not_fit_is_cut(void)
{
    struct redactor *r = redactor_new();
    char text[8] = "xab12";

    redactor_add(r, "A_LONG_NAME", "ab12");
    redact_text(r, text, sizeof text);
    CHECK(strcmp(text, "x[A_LON") == 0);
    redactor_free(r);
}

static void short_values_are_not_registered(void)
{
    struct redactor *r = redactor_new();

    redactor_add(r, "A", "abc");
    redactor_add(r, "B", "");
    CHECK(redact_longest(r) == 0);
    CHECK(strcmp(redacted(r, "abc"), "abc") == 0);
    redactor_free(r);
    redactor_free(NULL);
}

static void a_bundle_is_searched_for_plain_values(void)
{
    struct redactor *r = with_secret();
    const char *name = NULL;
    char data[64] = "\0\0var k='";

    for (size_t i = 0; i < strlen(secret); i++)
        data[9 + i] = secret[i];
    redactor_add(r, "LONG", "this is a longer value");
    CHECK(redact_find(r, data, sizeof data, &name) && strcmp(name, "TOKEN") == 0);
    CHECK(!redact_find(r, data, 12, &name));
    CHECK(!redact_find(NULL, data, sizeof data, NULL));
    CHECK(redact_longest(r) == strlen("this is a longer value"));
    redactor_free(r);
}

/* `len` bytes that tell `number`; the alphabet is small, so that parts of the values repeat. */
static void make_value(size_t number, size_t len, char *ret)
{
    (void)snprintf(ret, 5, "%03zu-", number);
    for (size_t k = 4; k < len; k++)
        ret[k] = (char)('a' + (k * 7 + number * 31 + k * k * number) % 5);
    ret[len] = '\0';
}

/* At the begin, at the end, and at every remainder of the step; one byte less is not enough. */
static bool found_everywhere(const struct redactor *r, const char *value)
{
    enum { PLACES = 150 };
    size_t len = strlen(value);
    const char *name;
    bool all = true;

    for (size_t at = 0; at < PLACES && all; at++) {
        char *text = malloc(at + len); /* exact, so that a read beyond it is seen */
        memset(text, 'a', at);
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, not text */
        memcpy(text + at, value, len);
        all = redact_find(r, text, at + len, &name) && strcmp(name, value) == 0 &&
              !redact_find(r, text, at + len - 1, NULL);
        free(text);
    }
    return all;
}

static void every_value_is_found_wherever_it_stands(void)
{
    enum { N = 24 };
    char values[N][320];
    struct redactor *r = redactor_new();

    for (size_t i = N; i-- > 0;) { /* 303 bytes down to 4, so that the step shrinks */
        make_value(i, 4 + 13 * i, values[i]);
        redactor_add(r, values[i], values[i]);
        for (size_t k = i; k < N; k++)
            CHECK(found_everywhere(r, values[k]));
    }
    redactor_free(r);
}

int main(void)
{
    a_secret_is_replaced_by_its_name();
    percent_and_json_writings_are_replaced();
    base64_is_replaced_wherever_the_secret_stands_in_it();
    a_secret_that_contains_another_wins();
    a_secret_that_the_end_of_a_text_cut_is_replaced();
    a_result_that_does_not_fit_is_cut();
    short_values_are_not_registered();
    a_bundle_is_searched_for_plain_values();
    every_value_is_found_wherever_it_stands();
    return DONE();
}
