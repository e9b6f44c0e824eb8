#include "traffic/dns_brake.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

/* When a name may be changed, and what is remembered of it. */

enum { HOUR = BRAKE_HOUR_MS };
static const int64_t now = INT64_C(1800000000000);

static struct dns_record record(const char *value)
{
    struct dns_record r = {.ttl_s = 60};
    struct err e = ERR_INIT;

    if (dns_value_read(value, &r, &e) < 0)
        test_report(0, value, __FILE__, __LINE__);
    return r;
}

static struct dns_records records(const char *a, const char *b)
{
    struct dns_records r = {.n = 0};

    if (a)
        r.list[r.n++] = record(a);
    if (b)
        r.list[r.n++] = record(b);
    return r;
}

static struct dns_record answers[2];
static struct dns_brake brake = {
    .host = "api.shop.example", .answers = answers, .n_answers = 2, .changes_per_hour = 3};

static enum brake_verdict judge(const struct dns_memory *m, const char *a, const char *b,
                                struct err *e)
{
    struct dns_records found = records(a, b);

    *e = ERR_INIT;
    return brake_judge(&brake, m, &found, &answers[1], now, e);
}

static void an_answer_of_the_route_may_be_replaced(void)
{
    struct dns_memory m = {.n_changes = 0};
    struct err e;

    CHECK(judge(&m, "uat.host.example", NULL, &e) == BRAKE_GO);
    CHECK(judge(&m, "UAT.host.example.", NULL, &e) == BRAKE_GO);
    CHECK(judge(&m, "192.0.2.2", NULL, &e) == BRAKE_THERE);
}

static void what_others_wrote_stays_and_is_named(void)
{
    struct dns_memory m = {.n_changes = 0};
    struct err e;

    CHECK(judge(&m, "evil.example", NULL, &e) == BRAKE_FOREIGN && e.kind == ERR_NO);
    CHECK(strstr(e.text, "evil.example") && strstr(e.text, "accept"));
    CHECK(judge(&m, NULL, NULL, &e) == BRAKE_FOREIGN && strstr(e.text, "no A, AAAA or CNAME"));
    CHECK(judge(&m, "192.0.2.2", "uat.host.example", &e) == BRAKE_FOREIGN);
    CHECK(strstr(e.text, "2 records: A 192.0.2.2, CNAME uat.host.example"));
    m.wrote = record("old.host.example");
    CHECK(judge(&m, "old.host.example", NULL, &e) == BRAKE_GO);
    CHECK(judge(&m, "evil.example", NULL, &e) == BRAKE_FOREIGN);
    CHECK(strstr(e.text, "last written was old.host.example"));
}

static void another_ttl_or_proxy_is_written_too(void)
{
    struct dns_memory m = {.n_changes = 0};
    struct dns_records found = records("192.0.2.2", NULL);
    struct err e = ERR_INIT;

    found.list[0].ttl_s = 3600;
    CHECK(brake_judge(&brake, &m, &found, &answers[1], now, &e) == BRAKE_GO);
    found.list[0].proxied = true;
    CHECK(brake_judge(&brake, &m, &found, &answers[1], now, &e) == BRAKE_GO);
    answers[1].proxied = true;
    found.list[0].ttl_s = 1; /* Cloudflare's own */
    CHECK(brake_judge(&brake, &m, &found, &answers[1], now, &e) == BRAKE_THERE);
    answers[1].proxied = false;
}

static void only_so_many_changes_are_made_in_an_hour(void)
{
    struct dns_memory m = {.n_changes = 0};
    struct err e;

    CHECK(brake_left(&brake, &m, now) == 3 && brake_next_ms(&brake, &m, now) == 0);
    for (int i = 0; i < 3; i++)
        brake_count(&m, &answers[0], &answers[1], now - HOUR + 1000 * (i + 1));
    CHECK(brake_left(&brake, &m, now) == 0);
    CHECK(brake_next_ms(&brake, &m, now) == now + 1000);
    CHECK(judge(&m, "uat.host.example", NULL, &e) == BRAKE_SPENT && e.kind == ERR_NO);
    CHECK(strstr(e.text, "3 times") && strstr(e.text, "until 2027-01-15T08:00:01Z"));
    CHECK(judge(&m, "192.0.2.2", NULL, &e) == BRAKE_THERE);
    CHECK(brake_left(&brake, &m, now + 1000) == 1);
    brake_uncount(&m);
    CHECK(brake_left(&brake, &m, now) == 1 && dns_same_answer(&m.wrote, &answers[0]));
}

static void a_clock_that_was_set_back_does_not_stop_it_for_good(void)
{
    struct dns_memory m = {.n_changes = 0};

    for (int i = 0; i < 3; i++)
        brake_count(&m, &answers[0], &answers[1], now + 100 * HOUR + i);
    CHECK(brake_left(&brake, &m, now) == 3);
    for (int i = 0; i < 3; i++)
        brake_count(&m, &answers[0], &answers[1], now);
    CHECK(brake_left(&brake, &m, now - 1000) == 0);
}

static void the_oldest_change_makes_room(void)
{
    struct dns_memory m = {.n_changes = 0};

    for (int i = 0; i < 200; i++)
        brake_count(&m, &answers[0], &answers[1], now + i);
    CHECK(m.n_changes == BRAKE_CHANGES_MAX && m.changes[BRAKE_CHANGES_MAX - 1] == now + 199);
    brake_count(&m, &answers[0], &answers[1], now + 2 * HOUR);
    CHECK(m.n_changes == 1);
}

static void it_is_remembered_as_it_was(void)
{
    struct dns_memory m = {.n_changes = 0}, read;
    struct err e = ERR_INIT;

    brake_count(&m, &answers[0], &answers[1], now);
    m.changed_at = now - 5;
    char *json = dns_memory_write(&m);
    CHECK(dns_memory_read(json, &read, &e) == 0);
    CHECK(dns_same_answer(&read.wrote, &m.wrote) && dns_same_answer(&read.before, &m.before));
    CHECK(read.n_changes == 1 && read.changes[0] == now && read.changed_at == now - 5);
    free(json);
    CHECK(dns_memory_read("", &read, &e) == 0 && read.n_changes == 0 && !*read.wrote.value);
}

static void a_memory_that_makes_no_sense_is_refused(void)
{
    static const char *const texts[] = {
        "x",
        "{}",
        "[]",
        "{\"version\":2}",
        "{\"version\":1,\"wrote\":{\"value\":\"a b\"}}",
        "{\"version\":1,\"wrote\":{\"type\":\"A\",\"value\":\"host.example\"}}"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct dns_memory read = {.changed_at = 42};
        struct err e = ERR_INIT;

        CHECK(dns_memory_read(texts[i], &read, &e) == -1 && e.kind == ERR_STORE);
        CHECK(read.changed_at == 42);
    }
}

static void values_are_addresses_or_host_names(void)
{
    static const char *const bad[] = {"",
                                      "a..b",
                                      "-a.example",
                                      "a-.example",
                                      "1.2.3",
                                      "192.0.2.256",
                                      "http://a.example",
                                      "a.example:1",
                                      ".",
                                      "a b.example",
                                      "::g",
                                      "\xc3\xa4.example",
                                      "*.example",
                                      "2001:db8::1/64"};
    struct dns_record r = record("2001:DB8:0::0001");
    struct err e = ERR_INIT;
    char longest[400];

    CHECK(r.type == DNS_AAAA && strcmp(r.value, "2001:db8::1") == 0);
    r = record("192.0.2.1");
    CHECK(r.type == DNS_A);
    r = record("My_App.Example.");
    CHECK(r.type == DNS_CNAME && strcmp(r.value, "my_app.example") == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(dns_value_read(bad[i], &r, &e) == -1 && e.kind == ERR_USAGE);
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(dns_value_read(longest, &r, &e) == -1 && strcmp(r.value, "my_app.example") == 0);
}

int main(void)
{
    answers[0] = record("uat.host.example");
    answers[1] = record("192.0.2.2");
    an_answer_of_the_route_may_be_replaced();
    what_others_wrote_stays_and_is_named();
    another_ttl_or_proxy_is_written_too();
    only_so_many_changes_are_made_in_an_hour();
    a_clock_that_was_set_back_does_not_stop_it_for_good();
    the_oldest_change_makes_room();
    it_is_remembered_as_it_was();
    a_memory_that_makes_no_sense_is_refused();
    values_are_addresses_or_host_names();
    return DONE();
}
