#include "net/dns_peer.h"
#include "net/resolve.h"
#include "probe/check_rig.h"

/* The rig's own dialer asks a port where nobody listens; these ask the test's server. */
static struct rig ask(enum dns_answer answer, int addresses, const char *url)
{
    struct target t = {.kind = CHECK_DNS, .url = url};
    struct dialer_options o = {0};
    struct dns_peer p;
    struct rig r;

    dns_peer_start(&p, answer, addresses);
    rig_begin(&r, NULL);
    dialer_free(r.tools.dialer);
    o.dns_servers = p.servers;
    r.tools.dialer = dialer_new(r.loop, &o);
    check_dns.start(&r.tools, &t, 0, rig_answered, &r);
    rig_wait(&r);
    rig_end(&r);
    dns_peer_stop(&p);
    CHECK(r.calls == 1 && r.answer.sent);
    return r;
}

static void addresses_are_told(void)
{
    struct rig r = ask(DNS_ADDRESSES, 1, "https://shop.example/health");

    CHECK(r.answer.ok && r.answer.answered && r.reason[0] == '\0');
    CHECK(strstr(r.detail, "192.0.2.1") && strstr(r.detail, "2001:db8::1"));
    CHECK(r.answer.lookup >= 0 && r.answer.total == r.answer.lookup && r.answer.connect == -1);
    r = ask(DNS_ADDRESSES, 30, "shop.example");
    CHECK(r.answer.ok && strlen(r.detail) < sizeof r.detail - 1);
}

static void a_name_that_is_not_there_is_a_failure(void)
{
    struct rig r = ask(DNS_NO_NAME, 0, "shop.example");

    CHECK(!r.answer.ok && r.answer.answered && r.answer.total >= 0 && r.answer.lookup == -1);
    CHECK(strstr(r.reason, "shop.example: there is no such name") == r.reason);
}

static void loopback_names_need_no_server(void)
{
    struct target t = {.kind = CHECK_DNS, .url = "shop.localhost"};
    struct rig r = rig_run(&check_dns, &t, NULL);

    CHECK(r.answer.ok && strcmp(r.detail, "127.0.0.1, ::1") == 0);
    t.url = "no name";
    r = rig_run(&check_dns, &t, NULL);
    CHECK(!r.answer.ok && !r.answer.sent);
}

static void it_can_be_cancelled_while_nobody_answers(void)
{
    struct target t = {.kind = CHECK_DNS, .url = "shop.example"};
    struct dns_peer p;

    dns_peer_start(&p, DNS_SILENCE, 0);
    for (int turns = 0; turns < 4; turns++) {
        struct dialer_options o = {.dns_servers = p.servers};
        struct check_answer so_far;
        struct rig r;

        rig_begin(&r, NULL);
        dialer_free(r.tools.dialer);
        r.tools.dialer = dialer_new(r.loop, &o);

        struct check *c = check_dns.start(&r.tools, &t, 0, rig_answered, &r);

        for (int i = 0; i < turns; i++)
            uv_run(loop_uv(r.loop), UV_RUN_NOWAIT);
        check_dns.progress(c, &so_far);
        CHECK(so_far.sent && !so_far.answered && so_far.total == -1);
        check_dns.cancel(c);
        loop_run(r.loop); /* nothing keeps it */
        CHECK(r.calls == 0);
        rig_end(&r);
    }
    dns_peer_stop(&p);
}

int main(void)
{
    addresses_are_told();
    a_name_that_is_not_there_is_a_failure();
    loopback_names_need_no_server();
    it_can_be_cancelled_while_nobody_answers();
    return DONE();
}
