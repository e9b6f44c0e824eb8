#include "base/text.h"
#include "provider/provider.h"

#include "test.h"

static void every_registered_platform_is_found_by_its_name(void)
{
    bool all = provider_count() > 0;

    for (size_t i = 0; i < provider_count(); i++) {
        const struct provider_ops *ops = provider_at(i);
        all = all && provider_find(ops->name) == ops && ops->title[0] && ops->next && ops->take &&
              ops->refused && ops->check && ops->limits && ops->needs;
    }
    CHECK(all);
    CHECK(provider_find("geocities") == NULL);
    CHECK(provider_at(provider_count()) == NULL);
}

static void a_saved_deployment_is_loaded_as_it_was(void)
{
    struct deployment a = {.step = 7, .polls = 4000000000U}, b = {0};
    struct err e = ERR_INIT;

    (void)text_copy(a.project_id, sizeof(a.project_id), "prj_1");
    (void)text_copy(a.remote_id, sizeof(a.remote_id), "dpl_\"quoted\"");
    (void)text_copy(a.url, sizeof(a.url), "https://demo.example");
    (void)text_copy(a.word, sizeof(a.word), "gebaut, fürwahr");
    json_t *saved = provider_save(&a);
    CHECK(provider_load(&b, saved, &e) == 0);
    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    json_decref(saved);
}

static void the_upload_token_is_never_saved(void)
{
    struct deployment d = {.step = 3};

    (void)text_copy(d.session, sizeof(d.session), "short-lived-secret");
    json_t *saved = provider_save(&d);
    char *text = json_dumps(saved, 0);
    CHECK(strstr(text, "short-lived-secret") == NULL);
    free(text);
    json_decref(saved);
    provider_release(&d);
    CHECK(d.session[0] == '\0');
}

static void a_message_cut_inside_a_character_is_saved_without_it(void)
{
    struct deployment d = {0};

    (void)text_copy(d.detail, sizeof(d.detail), "caf\xc3");
    json_t *saved = provider_save(&d);
    CHECK(strcmp(json_string_value(json_object_get(saved, "detail")), "caf") == 0);
    json_decref(saved);
}

static void a_damaged_record_is_refused_and_changes_nothing(void)
{
    static const char *const records[] = {
        "[]",
        "{\"step\": -1}",
        "{\"step\": \"2\"}",
        "{\"step\": 99999999999}",
        "{\"polls\": 1.5}",
        "{\"step\": 3, \"url\": 7}",
        "{\"word\": \"0123456789012345678901234567890123456789012345678901234567890123\"}", /* one
                                                                                               byte
                                                                                               more
                                                                                               than
                                                                                               fits
                                                                                             */
    };

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct deployment d = {0}, zero = {0};
        struct err e = ERR_INIT;
        json_t *saved = json_loads(records[i], 0, NULL);
        CHECK(provider_load(&d, saved, &e) == -1 && e.kind == ERR_STORE);
        CHECK(memcmp(&d, &zero, sizeof(d)) == 0);
        json_decref(saved);
    }
}

static void rate_headers_of_every_platform_are_understood(void)
{
    static const int64_t now = 1795360374000; /* 2026-11-22T15:12:54Z */
    static const struct {
        const char *name, *value;
        struct rate_facts want;
    } rows[] = {
        {"x-ratelimit-remaining", "499", {499, -1, -1}},
        {"ratelimit-remaining", "0", {0, -1, -1}},
        {"x-ratelimit-reset", "1795360434", {-1, 60000, -1}},
        {"x-ratelimit-reset", "1795360384000", {-1, 10000, -1}},
        {"ratelimit-reset", "45", {-1, 45000, -1}},
        {"x-ratelimit-reset", "Sun, 22 Nov 2026 15:13:04 GMT", {-1, 10000, -1}},
        {"x-ratelimit-reset", "1795360000", {-1, 0, -1}},
        {"x-ratelimit-reset", "2026-11-22 15:13:04", {-1, -1, -1}}, /* no number of 2026 s */
        {"ratelimit-reset", "45;w=60", {-1, 45000, -1}},
        {"retry-after", "7", {-1, -1, 7000}},
        {"retry-after", "Sun, 22 Nov 2026 15:13:24 GMT", {-1, -1, 30000}},
        {"retry-after-ms", "250", {-1, -1, 250}},
        {"retry-after", "soon", {-1, -1, -1}},
        {"x-ratelimit-remaining", "many", {-1, -1, -1}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_header header = {rows[i].name, rows[i].value};
        struct http_reply r = {.headers = &header, .n_headers = 1, .body = ""};
        struct rate_facts facts;
        provider_rate_facts(&r, now, &facts);
        CHECK(memcmp(&facts, &rows[i].want, sizeof(facts)) == 0);
    }
}

static void the_extension_is_what_follows_the_last_dot_of_the_name(void)
{
    CHECK(strcmp(provider_extension("css/main.css"), "css") == 0);
    CHECK(strcmp(provider_extension("a.b/LICENSE"), "") == 0);
    CHECK(strcmp(provider_extension(".htaccess"), "") == 0);
    CHECK(strcmp(provider_extension("x/.well-known"), "") == 0);
    CHECK(strcmp(provider_extension("app.copy.js"), "js") == 0);
    CHECK(strcmp(provider_extension("img/UPPER.JPG"), "JPG") == 0);
    CHECK(strcmp(provider_extension("ends."), "") == 0);
}

static void content_types_are_those_that_the_clients_send(void)
{
    CHECK(strcmp(provider_content_type("index.html"), "text/html") == 0);
    CHECK(strcmp(provider_content_type("js/app.js"), "application/javascript") == 0);
    CHECK(strcmp(provider_content_type("img/UPPER.JPG"), "image/jpeg") == 0);
    CHECK(strcmp(provider_content_type("a.7z"), "application/x-7z-compressed") == 0);
    CHECK(strcmp(provider_content_type("a.zip"), "application/zip") == 0);
    CHECK(strcmp(provider_content_type("woff2"), "application/octet-stream") == 0);
    CHECK(strcmp(provider_content_type("dup/LICENSE"), "application/octet-stream") == 0);
}

int main(void)
{
    every_registered_platform_is_found_by_its_name();
    a_saved_deployment_is_loaded_as_it_was();
    the_upload_token_is_never_saved();
    a_message_cut_inside_a_character_is_saved_without_it();
    a_damaged_record_is_refused_and_changes_nothing();
    rate_headers_of_every_platform_are_understood();
    the_extension_is_what_follows_the_last_dot_of_the_name();
    content_types_are_those_that_the_clients_send();
    return DONE();
}
