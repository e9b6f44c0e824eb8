#include "provider/cloudflare_dns.h"

#include "base/json.h"
#include "test.h"

#include <stdio.h>

/* Cloudflare's DNS records: what is asked, and what the replies say. */

static const struct cloudflare_dns names = {"secret-token", "shop.example", "api.shop.example"};

#define ID "0123456789abcdef0123456789abcdef"
#define RECORD(type, name, content)                                                                \
    "{\"id\":\"r-" content "\",\"type\":\"" type "\",\"name\":\"" name "\",\"content\":\"" content \
    "\",\"ttl\":60,\"proxied\":false}"
#define LIST(items)                                                                                \
    "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":[" items                           \
    "],\"result_info\":{\"page\":1,\"per_page\":100,\"total_count\":2}}"

static struct http_reply reply(int status, const char *body)
{
    return (struct http_reply){.status = status, .body = body, .len = strlen(body)};
}

static struct http_reply refusal(int status, int code, const char *message, char ret[400])
{
    snprintf(ret, 400,
             "{\"success\":false,\"errors\":[{\"code\":%d,\"message\":\"%s\"}],\"messages\":[],"
             "\"result\":null}",
             code, message);
    return reply(status, ret);
}

static void it_asks_for_one_name_and_changes_one_record_by_its_id(void)
{
    struct dns_record wanted = {.type = DNS_CNAME, .value = "beta.host.example", .ttl_s = 60};
    struct http_request r;
    struct err e = ERR_INIT;

    cloudflare_ask_zone(&names, &r);
    CHECK(strcmp(r.method, "GET") == 0 && strcmp(r.url, "/zones?name=shop.example") == 0);
    CHECK(strcmp(http_request_find(&r, "authorization"), "Bearer secret-token") == 0);
    http_request_release(&r);
    cloudflare_ask_records(&names, ID, &r);
    CHECK(strcmp(r.url, "/zones/" ID "/dns_records?name.exact=api.shop.example&per_page=100") == 0);
    http_request_release(&r);
    cloudflare_change_record(&names, ID, "r/1", &wanted, &r);
    CHECK(strcmp(r.method, "PATCH") == 0 && strcmp(r.url, "/zones/" ID "/dns_records/r%2F1") == 0);
    json_t *body = json_read(r.parts[0].data, r.parts[0].len, "body", &e);
    CHECK(strcmp(json_str(body, "content", ""), "beta.host.example") == 0);
    CHECK(strcmp(json_str(body, "type", ""), "CNAME") == 0 && json_int(body, "ttl", 0) == 60);
    CHECK(strcmp(json_str(body, "name", ""), "api.shop.example") == 0);
    CHECK(!json_flag(body, "proxied", true) && json_object_size(body) == 5);
    json_decref(body);
    http_request_release(&r);
}

static void what_is_proxied_has_an_automatic_ttl(void)
{
    struct dns_record wanted = {.type = DNS_A, .value = "192.0.2.1", .ttl_s = 60, .proxied = true};
    struct http_request r;
    struct err e = ERR_INIT;

    cloudflare_change_record(&names, ID, "r1", &wanted, &r);
    json_t *body = json_read(r.parts[0].data, r.parts[0].len, "body", &e);
    CHECK(json_int(body, "ttl", 0) == 1 && json_flag(body, "proxied", false));
    json_decref(body);
    http_request_release(&r);
}

static void only_records_of_that_very_name_are_taken(void)
{
    struct http_reply r = reply(
        200, LIST(RECORD("CNAME", "API.shop.example", "UAT.host.example") "," RECORD(
                 "A", "www.shop.example", "192.0.2.1") "," RECORD("TXT", "api.shop.example", "x")));
    struct dns_records found = {.n = 0};
    struct err e = ERR_INIT;

    CHECK(cloudflare_take_records(&names, &r, &found, &e) == 0 && found.n == 1);
    CHECK(found.list[0].type == DNS_CNAME && found.list[0].ttl_s == 60);
    CHECK(strcmp(found.list[0].value, "uat.host.example") == 0);
    CHECK(strcmp(found.list[0].id, "r-UAT.host.example") == 0);
}

static void a_zone_must_be_the_one_asked_for(void)
{
    struct http_reply good = reply(200, LIST("{\"id\":\"" ID "\",\"name\":\"shop.example\"}")),
                      other = reply(200, LIST("{\"id\":\"" ID "\",\"name\":\"hop.example\"}")),
                      none = reply(200, LIST(""));
    char id[CLOUDFLARE_ID_MAX] = "";
    struct err e = ERR_INIT;

    CHECK(cloudflare_take_zone(&names, &other, id, &e) == -1 && e.kind == ERR_REMOTE && !*id);
    CHECK(cloudflare_take_zone(&names, &none, id, &e) == -1 && strstr(e.text, "lists no zone"));
    CHECK(cloudflare_take_zone(&names, &good, id, &e) == 0 && strcmp(id, ID) == 0);
    CHECK(cloudflare_is_zone_id(ID) && !cloudflare_is_zone_id("shop.example"));
}

static void refusals_say_what_to_do(void)
{
    static const struct {
        int status, code;
        const char *message, *said;
        enum err_kind kind;
        bool retry;
    } cases[] = {
        {403, 9109, "Invalid access token", "DNS: Edit", ERR_REMOTE, false},
        {400, 9021, "Invalid TTL. Must be between 60 and 86400", "at least 60s", ERR_REMOTE, false},
        {404, 81044, "Record does not exist.", "was removed", ERR_NO, true},
        {400, 81053, "An A, AAAA, or CNAME record with that host already exists.", "81053",
         ERR_REMOTE, false},
        {404, 7003, "Could not route", "check `zone`", ERR_REMOTE, false},
        {429, 971, "Please wait", "429", ERR_REMOTE, true},
        {400, 6003, "Invalid request headers", "DNS: Edit", ERR_REMOTE, false},
        {400, 10000, "Authentication error", "DNS: Edit", ERR_REMOTE, false},
        {500, 10013, "Unknown error", "Unknown error", ERR_NET, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[400];
        struct http_reply r = refusal(cases[i].status, cases[i].code, cases[i].message, body);
        struct err e = ERR_INIT;

        CHECK(cloudflare_take_change(&names, &r, &e) == -1 && e.kind == cases[i].kind);
        CHECK(strstr(e.text, cases[i].said) && e.retry == cases[i].retry);
        CHECK(!strstr(e.text, "secret-token"));
    }
}

static void the_reason_behind_a_general_code_is_told(void)
{
    struct http_reply r =
        reply(400, "{\"success\":false,\"errors\":[{\"code\":1004,\"message\":\"DNS "
                   "Validation Error\",\"error_chain\":[{\"code\":9005,"
                   "\"message\":\"Content for A record must be a valid IPv4 "
                   "address.\"}]}],\"result\":null}");
    struct err e = ERR_INIT;

    CHECK(cloudflare_take_change(&names, &r, &e) == -1 && strstr(e.text, "valid IPv4"));
    CHECK(strstr(e.text, "9005"));
}

static void replies_that_make_no_sense_are_refused(void)
{
    static const char without_id[] =
        "{\"success\":true,\"result\":[{\"type\":\"A\",\"name\":\"api.shop.example\","
        "\"content\":\"192.0.2.1\"}]}";
    static const char *const bodies[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"success\":true}",
        "{\"success\":true,\"result\":{}}",
        without_id,
        "{\"success\":true,\"result\":[],\"result_info\":{\"total_count\":4000}}"};
    struct dns_records found = {.n = 7};

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct http_reply r = reply(200, bodies[i]);
        struct err e = ERR_INIT;

        CHECK(cloudflare_take_records(&names, &r, &found, &e) == -1 && e.kind == ERR_REMOTE);
        CHECK(*e.text && found.n == 7);
    }
}

static void a_success_that_cannot_be_read_may_have_been_made(void)
{
    struct http_reply cut = reply(200, "{\"success\":tr"), no = reply(200, "{\"success\":false}");
    struct err e = ERR_INIT;

    CHECK(cloudflare_take_change(&names, &cut, &e) == -1 && e.kind == ERR_NET && e.retry);
    CHECK(cloudflare_take_change(&names, &no, &e) == -1 && e.kind == ERR_REMOTE && !e.retry);
}

static void no_answer_stays_one(void)
{
    struct http_reply r = reply(0, "");
    struct err e = ERR_INIT;

    err_set(&r.err, ERR_NET, "timed out");
    r.err.retry = true;
    CHECK(cloudflare_take_change(&names, &r, &e) == -1 && e.kind == ERR_NET && e.retry);
    CHECK(strstr(e.text, "timed out") && strstr(e.text, "Cloudflare"));
}

int main(void)
{
    it_asks_for_one_name_and_changes_one_record_by_its_id();
    what_is_proxied_has_an_automatic_ttl();
    only_records_of_that_very_name_are_taken();
    a_zone_must_be_the_one_asked_for();
    refusals_say_what_to_do();
    the_reason_behind_a_general_code_is_told();
    replies_that_make_no_sense_are_refused();
    a_success_that_cannot_be_read_may_have_been_made();
    no_answer_stays_one();
    return DONE();
}
