#include "net/resolve.h"

#include "net/dns_peer.h"
#include "net/loop.h"
#include "test.h"

enum { GUARD_MS = 30000, MANY = 64 };

struct outcome {
    struct loop *loop;
    int calls, stop_after;
    struct resolved result;
    struct address list[RESOLVE_MAX];
};

static void keep(const struct resolved *r, void *arg)
{
    struct outcome *o = arg;

    o->result = *r;
    if (r->n > 0)
        memcpy(o->list, r->list, r->n * sizeof *r->list);
    if (++o->calls == o->stop_after)
        loop_stop(o->loop);
}

static void over(void *arg)
{
    test_report(0, "it was answered in time", __FILE__, __LINE__);
    loop_stop(arg);
}

static void wait_for(struct outcome *o)
{
    struct timer *guard = timer_new(o->loop, over, o->loop);

    timer_start(guard, GUARD_MS);
    loop_run(o->loop);
    timer_free(guard);
}

static struct outcome look_up(const char *servers, const char *host)
{
    struct resolver_options options = {.servers = servers, .timeout_ms = 50};
    struct outcome o = {.loop = loop_new(NULL), .stop_after = 1};
    struct resolver *r = resolver_new(o.loop, &options);

    CHECK(resolve_start(r, host, 443, keep, &o) != 0 && o.calls == 0);
    wait_for(&o);
    CHECK(o.calls == 1);
    resolver_free(r);
    loop_free(o.loop);
    return o;
}

static bool is_text(const struct outcome *o, size_t i, const char *text)
{
    char one[ADDRESS_TEXT] = "";

    if (i < o->result.n)
        address_text(&o->list[i], true, one);
    return strcmp(one, text) == 0;
}

/* ---- without a server ---- */

static void addresses_are_themselves(void)
{
    struct outcome o = look_up("127.0.0.1:9", "192.0.2.7");

    CHECK(o.result.n == 1 && is_text(&o, 0, "192.0.2.7:443") && !o.result.asked);
    o = look_up("127.0.0.1:9", "2001:db8::7");
    CHECK(o.result.n == 1 && is_text(&o, 0, "[2001:db8::7]:443"));
    o = look_up("127.0.0.1:9", "[::1]");
    CHECK(o.result.n == 1 && is_text(&o, 0, "[::1]:443"));
}

static void names_under_localhost_never_leave_the_machine(void)
{
    static const char *const names[] = {"localhost", "LOCALHOST.", "a.b.localhost",
                                        "shop.localhost."};
    struct dns_peer p;

    dns_peer_start(&p, DNS_ADDRESSES, 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct outcome o = look_up(p.servers, names[i]);

        CHECK(o.result.n == 2 && is_text(&o, 0, "127.0.0.1:443") && is_text(&o, 1, "[::1]:443"));
        CHECK(o.result.answered && !o.result.asked);
    }
    dns_peer_stop(&p);
    CHECK(p.asked == 0);
}

static void what_is_no_name_is_refused(void)
{
    static const char *const names[] = {"", "two words", "a/b", "http:", "k\xc3\xb6ln.example"};
    char longer[400];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct outcome o = look_up("127.0.0.1:9", names[i]);

        CHECK(o.result.n == 0 && o.result.err.kind == ERR_USAGE && !o.result.asked);
    }
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';

    struct outcome o = look_up("127.0.0.1:9", longer);

    CHECK(o.result.n == 0 && o.result.err.kind == ERR_USAGE && strlen(o.result.err.text) < 200);
}

/* ---- with one ---- */

static void both_kinds_of_address_are_found(void)
{
    struct dns_peer p;

    dns_peer_start(&p, DNS_ADDRESSES, 2);

    struct outcome o = look_up(p.servers, "shop.example");
    size_t v4 = 0, v6 = 0;

    dns_peer_stop(&p);
    for (size_t i = 0; i < o.result.n; i++) {
        v4 += o.list[i].any.sa_family == AF_INET && ntohs(o.list[i].v4.sin_port) == 443;
        v6 += o.list[i].any.sa_family == AF_INET6 && ntohs(o.list[i].v6.sin6_port) == 443;
    }
    CHECK(v4 == 2 && v6 == 2 && o.result.n == 4);
    CHECK(o.result.asked && o.result.answered && p.asked == 2);
}

static void an_answer_with_very_many_addresses_is_cut(void)
{
    struct dns_peer p;

    dns_peer_start(&p, DNS_ADDRESSES, 30);

    struct outcome o = look_up(p.servers, "shop.example");

    dns_peer_stop(&p);
    CHECK(o.result.n == RESOLVE_MAX);
}

static void each_kind_of_no_is_told(void)
{
    static const struct {
        enum dns_answer answer;
        enum err_kind kind;
        bool answered;
        const char *text;
    } rows[] = {
        {DNS_NO_NAME, ERR_REMOTE, true, "shop.example: there is no such name"},
        {DNS_NO_DATA, ERR_REMOTE, true, "shop.example: the name has no address"},
        {DNS_REFUSED, ERR_NET, false, "shop.example: "},
        {DNS_GARBAGE, ERR_NET, false, "shop.example: "},
        {DNS_SILENCE, ERR_NET, false, "shop.example: no DNS server answered"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dns_peer p;

        dns_peer_start(&p, rows[i].answer, 0);

        struct outcome o = look_up(p.servers, "shop.example");

        dns_peer_stop(&p);
        CHECK(o.result.n == 0 && o.result.asked && strstr(o.result.err.text, rows[i].text));
        if (rows[i].answered)
            CHECK(o.result.answered && o.result.err.kind == rows[i].kind);
        printf("# %s\n", o.result.err.text);
    }
}

static void servers_that_make_no_sense_are_told(void)
{
    struct outcome o = look_up("no server", "shop.example");

    CHECK(o.result.n == 0 && o.result.err.kind == ERR_NET && !o.result.asked);
}

/* ---- many at once ---- */

static void a_hung_server_delays_nobody_else(void)
{
    struct dns_peer hung;
    struct outcome quick = {.loop = loop_new(NULL), .stop_after = 1};
    struct outcome slow = {.loop = quick.loop};
    struct resolver *r;

    dns_peer_start(&hung, DNS_SILENCE, 0);

    struct resolver_options options = {.servers = hung.servers, .timeout_ms = 10000};

    r = resolver_new(quick.loop, &options);
    for (int i = 0; i < MANY; i++)
        resolve_start(r, "shop.example", 443, keep, &slow);
    resolve_start(r, "shop.localhost", 443, keep, &quick);
    wait_for(&quick);
    CHECK(quick.calls == 1 && slow.calls == 0);
    resolver_free(r); /* forgets the others */
    loop_free(quick.loop);
    dns_peer_stop(&hung);
    CHECK(slow.calls == 0);
}

static void a_cancelled_one_is_never_told_and_keeps_no_loop_running(void)
{
    struct dns_peer hung;
    struct outcome o = {.loop = loop_new(NULL)};
    uint64_t ids[3];

    dns_peer_start(&hung, DNS_SILENCE, 0);

    struct resolver_options options = {.servers = hung.servers, .timeout_ms = 600000};
    struct resolver *r = resolver_new(o.loop, &options);

    ids[0] = resolve_start(r, "shop.example", 443, keep, &o);
    ids[1] = resolve_start(r, "localhost", 443, keep, &o);
    ids[2] = resolve_start(r, "other.example", 443, keep, &o);
    for (int i = 0; i < 3; i++)
        resolve_cancel(r, ids[i]);
    resolve_cancel(r, 12345);
    loop_run(o.loop); /* returns at once: nothing is waited for */
    CHECK(o.calls == 0);
    resolver_free(r);
    loop_free(o.loop);
    dns_peer_stop(&hung);
}

int main(void)
{
    addresses_are_themselves();
    names_under_localhost_never_leave_the_machine();
    what_is_no_name_is_refused();
    both_kinds_of_address_are_found();
    an_answer_with_very_many_addresses_is_cut();
    each_kind_of_no_is_told();
    servers_that_make_no_sense_are_told();
    a_hung_server_delays_nobody_else();
    a_cancelled_one_is_never_told_and_keeps_no_loop_running();
    return DONE();
}
