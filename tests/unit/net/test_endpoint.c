#include "net/endpoint.h"

#include "test.h"

static void each_form_is_read(void)
{
    static const struct {
        const char *text;
        uint16_t given;
        const char *scheme, *host;
        uint16_t port;
        const char *target;
    } rows[] = {
        {"https://shop.example/health?x=1", 0, "https", "shop.example", 443, "/health?x=1"},
        {"wss://shop.example:8443/ws", 0, "wss", "shop.example", 8443, "/ws"},
        {"ws://shop.example", 0, "ws", "shop.example", 80, "/"},
        {"ws://[2001:db8::7]:81/a", 0, "ws", "2001:db8::7", 81, "/a"},
        {"https://user:secret@shop.example/", 0, "https", "shop.example", 443, "/"},
        {"shop.example", 443, "", "shop.example", 443, "/"},
        {"shop.example:465", 443, "", "shop.example", 465, "/"},
        {"192.0.2.7:53", 0, "", "192.0.2.7", 53, "/"},
        {"redis://cache.example", 6379, "redis", "cache.example", 6379, "/"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct endpoint e;
        bool good = endpoint_read(rows[i].text, rows[i].given, &e);

        CHECK(good);
        if (!good)
            continue;
        CHECK(strcmp(e.scheme, rows[i].scheme) == 0 && strcmp(e.host, rows[i].host) == 0);
        CHECK(e.port == rows[i].port && strcmp(e.target, rows[i].target) == 0);
    }
}

static void what_leads_nowhere_is_refused(void)
{
    static const char *const texts[] = {"",
                                        "https://",

                                        "shop.example:99999",
                                        "shop.example:x",
                                        "two words",
                                        "https://a b/",
                                        "https://shop.example/a\r\nX: y"};
    char longer[4200] = "https://";
    struct endpoint e = {.port = 7};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool good = endpoint_read(texts[i], 0, &e);

        CHECK(!good && e.port == 7);
        if (good)
            printf("# %s\n", texts[i]);
    }
    memset(longer + 8, 'a', 300);
    CHECK(!endpoint_read(longer, 0, &e));
    memset(longer + 20, '/', sizeof longer - 21);
    CHECK(!endpoint_read(longer, 0, &e));
}

static void the_host_header_has_the_port_when_it_is_unusual(void)
{
    struct endpoint e;
    char host[280];

    CHECK(endpoint_read("ws://[::1]:80/", 0, &e));
    endpoint_host(&e, 80, host);
    CHECK(strcmp(host, "[::1]") == 0);
    endpoint_host(&e, 443, host);
    CHECK(strcmp(host, "[::1]:80") == 0);
}

int main(void)
{
    each_form_is_read();
    what_leads_nowhere_is_refused();
    the_host_header_has_the_port_when_it_is_unusual();
    return DONE();
}
