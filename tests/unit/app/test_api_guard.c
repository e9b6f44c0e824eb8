#include "app/api_guard.h"
#include "test.h"

static bool host(const char *listen, const char *value)
{
    static const char *const names[] = {"trine.example"};
    struct api_site site;
    struct err e = ERR_INIT;

    if (api_site_read(listen, &site, &e) < 0)
        return false;
    site.names = names;
    site.n_names = 1;
    return api_host_ok(&site, value);
}

static void an_address_and_a_port_are_read(void)
{
    struct api_site s;
    struct err e = ERR_INIT;

    CHECK(api_site_read("127.0.0.1:7467", &s, &e) == 0);
    CHECK(strcmp(s.address, "127.0.0.1") == 0 && s.port == 7467 && api_site_loopback(&s));
    CHECK(api_site_read("[::1]:0", &s, &e) == 0);
    CHECK(strcmp(s.address, "::1") == 0 && s.port == 0 && api_site_loopback(&s));
    CHECK(api_site_read("0.0.0.0:80", &s, &e) == 0 && !api_site_loopback(&s));
    CHECK(api_site_read("192.0.2.7:80", &s, &e) == 0 && !api_site_loopback(&s));
}

static void anything_else_is_refused_with_words(void)
{
    static const char *const bad[] = {
        "",
        "7467",
        ":7467",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "::1:7467",
        "[::1]",
        "[::1]x:1",
        "localhost:7467",
        "[]:1",
        "127.0.0.1:-1",
        "1.2.3.4:1:2",
        "127.0.0.1:7467 ",
        "[::1:7467",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct api_site s;
        struct err e = ERR_INIT;
        CHECK(api_site_read(bad[i], &s, &e) == -1 && e.kind == ERR_USAGE);
        CHECK(strstr(e.text, "127.0.0.1:7467"));
    }
}

static void our_own_names_are_taken(void)
{
    CHECK(host("127.0.0.1:7467", "127.0.0.1:7467"));
    CHECK(host("127.0.0.1:7467", "localhost:7467"));
    CHECK(host("127.0.0.1:7467", "LOCALHOST"));
    CHECK(host("127.0.0.1:7467", "localhost:8080")); /* through a tunnel */
    CHECK(host("[::1]:7467", "[::1]:7467"));
    CHECK(host("127.0.0.1:7467", "trine.example"));
    CHECK(host("192.0.2.7:80", "192.0.2.7"));
    CHECK(host("0.0.0.0:80", "192.0.2.7:80"));
    CHECK(host("[::]:80", "[2001:db8::7]:80"));
}

static void a_name_that_was_bound_to_our_address_is_not(void)
{
    CHECK(!host("127.0.0.1:7467", "evil.example:7467"));
    CHECK(!host("127.0.0.1:7467", "127.0.0.1.evil.example"));
    CHECK(!host("127.0.0.1:7467", "localhost.evil.example"));
    CHECK(!host("127.0.0.1:7467", "192.0.2.7:7467"));
    CHECK(!host("0.0.0.0:80", "evil.example"));
    CHECK(!host("127.0.0.1:7467", ""));
    CHECK(!host("127.0.0.1:7467", "[::1"));
    CHECK(!host("127.0.0.1:7467", "[::1]evil"));
    CHECK(!host("127.0.0.1:7467", NULL));
}

static void only_our_own_page_changes_something(void)
{
    CHECK(api_origin_ok("localhost:7467", NULL, NULL)); /* curl */
    CHECK(api_origin_ok("localhost:7467", "http://localhost:7467", "same-origin"));
    CHECK(api_origin_ok("trine.example", "https://trine.example", NULL));
    CHECK(!api_origin_ok("localhost:7467", "http://evil.example", NULL));
    CHECK(!api_origin_ok("localhost:7467", "http://localhost:8080", NULL));
    CHECK(!api_origin_ok("localhost:7467", "null", NULL));
    CHECK(!api_origin_ok("localhost:7467", NULL, "cross-site"));
    CHECK(!api_origin_ok("localhost:7467", NULL, "same-site"));
}

static void a_token_is_taken_from_the_header_alone(void)
{
    CHECK(strcmp(api_bearer("Bearer trine_ab"), "trine_ab") == 0);
    CHECK(strcmp(api_bearer("bearer  trine_ab"), "trine_ab") == 0);
    CHECK(!api_bearer("Basic dHJpbmU="));
    CHECK(!api_bearer("Bearer "));
    CHECK(!api_bearer(NULL));
}

int main(void)
{
    an_address_and_a_port_are_read();
    anything_else_is_refused_with_words();
    our_own_names_are_taken();
    a_name_that_was_bound_to_our_address_is_not();
    only_our_own_page_changes_something();
    a_token_is_taken_from_the_header_alone();
    return DONE();
}
