#include "app/agent_message.h"
#include "base/buf.h"
#include "test.h"

#include <stdlib.h>

/* The wire between agent and server: what is written is read back; what makes no sense is refused,
 * whatever it is. */

#define NOW_MS INT64_C(1700000000000)

static bool accepted(const char *text, size_t len)
{
    struct arena a = ARENA_INIT;
    struct agent_report r = {0};
    struct err e = ERR_INIT;
    int rc = agent_report_read(text, len, &a, &r, &e);

    if (rc < 0 && (e.kind != ERR_USAGE || e.text[0] == '\0'))
        printf("# refused with another error: %s\n", e.text), abort();
    arena_release(&a);
    return rc == 0;
}

static void write_report(struct buf *out, int64_t at_ms)
{
    const struct sample v[2] = {{.series = 7,
                                 .at_ms = at_ms,
                                 .outcome = SAMPLE_SLOW,
                                 .class_ = SAMPLE_COLD,
                                 .status = 200,
                                 .late_us = 12,
                                 .lookup_us = -1,
                                 .connect_us = 3,
                                 .tls_us = -1,
                                 .first_byte_us = 4,
                                 .total_us = 5,
                                 .covers_ms = 1000,
                                 .extra = true},
                                {.series = 8, .at_ms = at_ms + 1, .outcome = SAMPLE_MISSED}};
    struct agent_vote votes[2] = {
        {.check = 7, .state = HEALTH_DOWN, .since_ms = NOW_MS - 9, .reason = "HTTP 503 \"x\"\n"},
        {.check = 8, .state = HEALTH_UNKNOWN, .reason = ""}};
    const struct agent_report r = {.vantage = "fra",
                                   .boot = "b2",
                                   .version = "1.0",
                                   .now_ms = NOW_MS,
                                   .blind = true,
                                   .waiting = 3,
                                   .dropped = 4,
                                   .votes = votes,
                                   .n_votes = 2};
    struct buf batch = BUF_INIT(65536);

    agent_batch_write("b1", 42, v, 2, &batch);
    agent_report_write(&r, buf_str(&batch), out);
    buf_release(&batch);
}

static void a_report_arrives_as_it_was_sent(void)
{
    struct buf b = BUF_INIT(65536);
    struct arena a = ARENA_INIT;
    struct agent_report r = {0};
    struct err e = ERR_INIT;

    write_report(&b, NOW_MS - 5000);
    CHECK(agent_report_read(buf_str(&b), b.len, &a, &r, &e) == 0);
    CHECK(strcmp(r.vantage, "fra") == 0 && strcmp(r.boot, "b2") == 0 && r.blind);
    CHECK(r.now_ms == NOW_MS && r.waiting == 3 && r.dropped == 4);
    CHECK(r.n_votes == 2 && r.votes[0].check == 7 && r.votes[0].state == HEALTH_DOWN);
    CHECK(strcmp(r.votes[0].reason, "HTTP 503 \"x\"\n") == 0);
    CHECK(strcmp(r.batch_boot, "b1") == 0 && r.sequence == 42 && r.n_samples == 2);
    CHECK(r.samples[0].series == 7 && r.samples[0].at_ms == NOW_MS - 5000 && r.samples[0].extra);
    CHECK(r.samples[0].outcome == SAMPLE_SLOW && r.samples[0].class_ == SAMPLE_COLD);
    CHECK(r.samples[0].lookup_us == -1 && r.samples[0].total_us == 5);
    CHECK(r.samples[0].covers_ms == 1000 && r.samples[1].outcome == SAMPLE_MISSED);
    arena_release(&a);
    buf_release(&b);
}

static void samples_of_the_future_are_refused(void)
{
    struct buf b = BUF_INIT(65536);

    write_report(&b, NOW_MS + AGENT_CLOCK_OFF_MS + 1);
    CHECK(!accepted(buf_str(&b), b.len));
    buf_clear(&b);
    write_report(&b, NOW_MS - INT64_C(500) * 24 * 3600 * 1000);
    CHECK(!accepted(buf_str(&b), b.len));
    buf_release(&b);
}

#define HEAD "{\"boot\":\"b\",\"version\":\"1\",\"now_ms\":1700000000000,\"blind\":false,"
#define REST "\"waiting\":0,\"dropped\":0,"
#define ROW(x)                                                                                     \
    HEAD REST "\"votes\":[],\"batch\":{\"boot\":\"b\",\"sequence\":1,\"samples\":[" x "]}}"

static void wrong_types_and_bounds_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"boot\":",
        "\xff\xfe",
        HEAD "\"votes\":[],\"batch\":null}",
        HEAD REST "\"votes\":{},\"batch\":null}",
        HEAD REST "\"votes\":[],\"batch\":7}",
        HEAD REST "\"votes\":[]}",
        HEAD REST "\"votes\":[7],\"batch\":null}",
        HEAD REST "\"votes\":[{\"check\":0,\"state\":\"up\",\"since_ms\":0,\"reason\":\"\"}],"
                  "\"batch\":null}",
        HEAD REST "\"votes\":[{\"check\":1,\"state\":\"fine\",\"since_ms\":0,\"reason\":\"\"}],"
                  "\"batch\":null}",
        HEAD REST "\"votes\":[{\"check\":1,\"state\":\"inconclusive\",\"since_ms\":0,"
                  "\"reason\":\"\"}],\"batch\":null}",
        HEAD REST "\"votes\":[{\"check\":1,\"state\":\"up\",\"since_ms\":-1,\"reason\":\"\"}],"
                  "\"batch\":null}",
        HEAD REST "\"votes\":[],\"batch\":{\"boot\":\"b\",\"sequence\":0,\"samples\":[]}}",
        HEAD REST "\"votes\":[],\"batch\":{\"boot\":\"b/..\",\"sequence\":1,\"samples\":[]}}",
        HEAD REST "\"vantage\":\"a b\",\"votes\":[],\"batch\":null}",
        "{\"boot\":\"b\",\"version\":\"1\",\"now_ms\":\"now\",\"blind\":false," REST
        "\"votes\":[],\"batch\":null}",
        "{\"boot\":\"b\",\"version\":\"1\",\"now_ms\":9e99,\"blind\":0," REST
        "\"votes\":[],\"batch\":null}",
        ROW("[]"),
        ROW("7"),
        ROW("[1,1700000000000,0,0,0,200,0,0,0,0,0,0]"),
        ROW("[0,1700000000000,0,0,0,200,0,0,0,0,0,0,0]"),
        ROW("[1,1700000000000,9,0,0,200,0,0,0,0,0,0,0]"),
        ROW("[1,1700000000000,0,2,0,200,0,0,0,0,0,0,0]"),
        ROW("[1,1700000000000,0,0,2,200,0,0,0,0,0,0,0]"),
        ROW("[1,1700000000000,0,0,0,20000,0,0,0,0,0,0,0]"),
        ROW("[1,1700000000000,0,0,0,200,-2,0,0,0,0,0,0]"),
        ROW("[1,1700000000000,0,0,0,200,0,0,0,0,0,4294967296,0]"),
        ROW("[1,1700000000000,0,0,0,200,0,0,0,0,0,0.5,0]"),
        ROW("[1,\"1700000000000\",0,0,0,200,0,0,0,0,0,0,0]"),
        ROW("[99999999999,1700000000000,0,0,0,200,0,0,0,0,0,0,0]"),
        ROW("[1,-9223372036854775808,0,0,0,200,0,0,0,0,0,0,0]"),
    };
    static const char good[] = ROW("[1,1700000000000,0,0,0,200,0,0,0,0,0,0,0]");

    CHECK(accepted(good, sizeof(good) - 1));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!accepted(bad[i], strlen(bad[i])));
        if (test_bad)
            printf("# %zu: %s\n", i, bad[i]);
    }
}

static void too_many_are_refused(void)
{
    struct buf b = BUF_INIT(1 << 20);

    buf_adds(&b, HEAD REST "\"votes\":[],\"batch\":{\"boot\":\"b\",\"sequence\":1,\"samples\":[");
    for (int i = 0; i <= AGENT_SAMPLES_MAX; i++)
        buf_addf(&b, "%s[1,1700000000000,0,0,0,200,0,0,0,0,0,0,0]", i ? "," : "");
    buf_adds(&b, "]}}");
    CHECK(!accepted(buf_str(&b), b.len));
    buf_clear(&b);
    buf_adds(&b, HEAD REST "\"batch\":null,\"votes\":[");
    for (int i = 0; i <= AGENT_CHECKS_MAX; i++)
        buf_addf(&b, "%s{\"check\":1,\"state\":\"up\",\"since_ms\":0,\"reason\":\"\"}",
                 i ? "," : "");
    buf_adds(&b, "]}");
    CHECK(!accepted(buf_str(&b), b.len));
    buf_clear(&b);
    buf_adds(&b, HEAD REST "\"batch\":null,\"votes\":[{\"check\":1,\"state\":\"up\",\"since_ms\":0,"
                           "\"reason\":\"");
    for (int i = 0; i <= AGENT_REASON_MAX; i++)
        buf_addc(&b, 'x');
    buf_adds(&b, "\"}]}");
    CHECK(!accepted(buf_str(&b), b.len));
    buf_release(&b);
}

static void every_cut_of_a_report_is_refused(void)
{
    struct buf b = BUF_INIT(65536);
    int taken = 0;

    write_report(&b, NOW_MS);
    for (size_t n = 0; n < b.len; n++)
        taken += accepted(buf_str(&b), n);
    CHECK(taken == 0);
    buf_release(&b);
}

static void the_largest_report_fits_into_a_request(void)
{
    struct sample v[AGENT_SAMPLES_MAX];
    struct agent_vote votes[AGENT_CHECKS_MAX];
    struct agent_report r = {.vantage = "fra",
                             .boot = "0123456789abcdef0123456789abcdef",
                             .version = "1.0",
                             .now_ms = NOW_MS,
                             .votes = votes,
                             .n_votes = AGENT_CHECKS_MAX};
    struct buf batch = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);

    for (size_t i = 0; i < AGENT_SAMPLES_MAX; i++)
        v[i] = (struct sample){.series = 10000,
                               .at_ms = NOW_MS,
                               .outcome = SAMPLE_FAILED,
                               .status = 503,
                               .late_us = 99999,
                               .lookup_us = 99999,
                               .connect_us = 999999,
                               .tls_us = 999999,
                               .first_byte_us = 9999999,
                               .total_us = 9999999,
                               .covers_ms = 60000};
    for (size_t i = 0; i < AGENT_CHECKS_MAX; i++)
        votes[i] = (struct agent_vote){.check = 10000,
                                       .state = HEALTH_SUSPECT,
                                       .since_ms = NOW_MS,
                                       .reason = "HTTP 503 Service Unavailable from the platform"};
    agent_batch_write(r.boot, 123456789, v, AGENT_SAMPLES_MAX, &batch);
    agent_report_write(&r, buf_str(&batch), &b);
    CHECK(b.len < 65536);
    CHECK(accepted(buf_str(&b), b.len));
    buf_release(&batch);
    buf_release(&b);
}

static void an_answer_says_what_to_do(void)
{
    struct agent_order orders[2] = {{.check = 7, .every_ms = 500, .for_ms = 10000, .awake = -1},
                                    {.check = 8, .awake = 0}};
    const struct agent_answer v = {.assignment = "abc",
                                   .next_ms = 1000,
                                   .clock_off_ms = -7,
                                   .refused = "no",
                                   .orders = orders,
                                   .n_orders = 2};
    struct agent_answer got = {0};
    struct arena a = ARENA_INIT;
    struct buf b = BUF_INIT(65536);
    struct err e = ERR_INIT;

    agent_answer_write(&v, &b);
    CHECK(agent_answer_read(buf_str(&b), b.len, &a, &got, &e) == 0);
    CHECK(strcmp(got.assignment, "abc") == 0 && got.next_ms == 1000 && got.clock_off_ms == -7);
    CHECK(got.n_orders == 2 && got.orders[0].every_ms == 500 && got.orders[0].awake == -1);
    CHECK(got.orders[1].awake == 0 && strcmp(got.refused, "no") == 0);
    CHECK(agent_answer_read("{}", 2, &a, &got, &e) < 0);
    arena_release(&a);
    buf_release(&b);
}

static void a_name_is_short_and_plain(void)
{
    CHECK(agent_name_ok("fra-1.example_2") && !agent_name_ok("") && !agent_name_ok("a b"));
    CHECK(!agent_name_ok("../x") && !agent_name_ok("a\n"));
    CHECK(!agent_name_ok("0123456789012345678901234567890123456789012345678901234567890123456789"));
}

int main(void)
{
    a_report_arrives_as_it_was_sent();
    samples_of_the_future_are_refused();
    wrong_types_and_bounds_are_refused();
    too_many_are_refused();
    every_cut_of_a_report_is_refused();
    the_largest_report_fits_into_a_request();
    an_answer_says_what_to_do();
    a_name_is_short_and_plain();
    return DONE();
}
