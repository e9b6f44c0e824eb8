#include "net/http.h"

#include "base/json.h"
#include "test.h"

#include <stdlib.h>

static void an_origin_is_https_except_on_the_loopback(void)
{
    static const char *const rows[][2] = {
        {"example.com", "https://example.com"},
        {"example.com:8443", "https://example.com:8443"},
        {"localhost", "http://localhost"},
        {"LOCALHOST:80", "http://LOCALHOST:80"},
        {"app.uat.localhost", "http://app.uat.localhost"},
        {"app.localhost:8080", "http://app.localhost:8080"},
        {"notlocalhost", "https://notlocalhost"},
        {"localhost.example.com", "https://localhost.example.com"},
        {"127.0.0.1", "http://127.0.0.1"},
        {"127.8.9.1:99", "http://127.8.9.1:99"},
        {"128.0.0.1", "https://128.0.0.1"},
        {"127.0.0.1.example.com", "https://127.0.0.1.example.com"},
        {"[::1]:8080", "http://[::1]:8080"},
        {"::1", "http://[::1]"},
        {"[2001:db8::1]", "https://[2001:db8::1]"},
        {"", "https://"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char origin[300];

        http_origin_of_host(rows[i][0], origin);
        CHECK(strcmp(origin, rows[i][1]) == 0);
    }
}

static void percent_escapes_are_decoded_or_refused(void)
{
    static const struct {
        const char *in, *out;
    } rows[] = {{"", ""},
                {"plain", "plain"},
                {"a%20b%2fc%2F", "a b/c/"},
                {"%41%5a", "AZ"},
                {"100%", NULL},
                {"%4", NULL},
                {"%zz", NULL},
                {"%4g", NULL},
                {"a%00b", NULL},
                {"%%41", NULL},
                {"%e2%82%ac", "\xe2\x82\xac"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];

        snprintf(text, sizeof text, "%s", rows[i].in);

        bool ok = http_percent_decode(text);

        CHECK(ok == (rows[i].out != NULL));
        CHECK(!ok || strcmp(text, rows[i].out) == 0);
    }
}

static void a_request_keeps_copies_of_all_it_is_told(void)
{
    struct http_request r = {.method = "POST"};
    char name[16] = "X-A", body[16] = "one";
    json_t *json = json_pack("{s:i}", "n", 1);

    http_request_url(&r, "/%s/%d", name, 7);
    for (int i = 0; i < 20; i++)
        http_request_header(&r, name, "%d", i);
    http_request_text(&r, body, 3);
    memset(name, 'z', 3);
    memset(body, 'z', 3);
    http_request_json(&r, json);
    CHECK(strcmp(r.url, "/X-A/7") == 0);
    CHECK(r.n_headers == 21 && strcmp(r.headers[19].name, "X-A") == 0);
    CHECK(strcmp(r.headers[19].value, "19") == 0);
    CHECK(strcmp(http_request_find(&r, "x-a"), "0") == 0);
    CHECK(strcmp(http_request_find(&r, "CONTENT-TYPE"), "application/json") == 0);
    CHECK(http_request_find(&r, "X-B") == NULL);
    CHECK(r.n_parts == 2 && memcmp(r.parts[0].data, "one", 3) == 0);
    CHECK(r.parts[1].len == 7 && memcmp(r.parts[1].data, "{\"n\":1}", 7) == 0);
    json_decref(json);
    http_request_release(&r);
    CHECK(r.url == NULL && r.n_parts == 0);
}

static void the_length_counts_what_base64_makes_of_a_file(void)
{
    static const struct {
        size_t size;
        uint64_t length;
    } rows[] = {{0, 0}, {1, 4}, {2, 4}, {3, 4}, {4, 8}, {3000000000, 4000000000}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_request r = {0};

        http_request_file(&r, "f", rows[i].size, true);
        CHECK(http_request_length(&r) == rows[i].length);
        http_request_file(&r, "f", rows[i].size, false);
        CHECK(http_request_length(&r) == rows[i].length + rows[i].size);
        http_request_release(&r);
    }
}

int main(void)
{
    an_origin_is_https_except_on_the_loopback();
    percent_escapes_are_decoded_or_refused();
    a_request_keeps_copies_of_all_it_is_told();
    the_length_counts_what_base64_makes_of_a_file();
    return DONE();
}
