#include "net/dns_update.h"

#include "name_server.h"
#include "net/loop.h"
#include "test.h"

#include <ldns/ldns.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

/* What a server may do wrong, and what somebody between may try. A peer of our own answers. */

enum { GUARD_MS = 30000, TRY_MS = 300 };

enum manner {
    GOOD,
    SILENT,
    CLOSES,
    GARBAGE,
    SHORT, /* says that more comes than does */
    WRONG_ID,
    UNSIGNED,
    FORGED, /* signed by another secret */
    NO_AUTHORITY,
    FAILS,     /* SERVFAIL */
    UDP_ONLY,  /* refuses TCP; loses the first datagram, and a stray one comes before the answer */
    STRANGERS, /* records of other names beside the right one */
};

struct peer {
    enum manner manner;
    int tcp, udp, port, datagrams;
    char address[32];
    atomic_bool stop;
    pthread_t thread;
};

static void add_answer(ldns_pkt *reply, const char *text)
{
    ldns_rr *rr = NULL;

    if (ldns_rr_new_frm_str(&rr, text, 60, NULL, NULL) == LDNS_STATUS_OK)
        ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, rr);
}

static void sign(const struct peer *p, ldns_pkt *reply, const ldns_pkt *query)
{
    const ldns_rr *tsig = ldns_pkt_tsig(query);
    const char *secret = p->manner == FORGED ? OTHER_SECRET : MOVER_SECRET;

    if (tsig && p->manner != UNSIGNED)
        ldns_pkt_tsig_sign(reply, "mover", secret, 300, "hmac-sha256.", ldns_rr_rdf(tsig, 3));
}

/* The answer's bytes, freed by LDNS_FREE. */
static uint8_t *answer(const struct peer *p, const uint8_t *bytes, size_t len, size_t *ret_len)
{
    ldns_pkt *query = NULL, *reply = ldns_pkt_new();
    uint8_t *wire = NULL;

    if (ldns_wire2pkt(&query, bytes, len) != LDNS_STATUS_OK)
        abort();
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    bool of_a = ldns_rr_get_type(question) == LDNS_RR_TYPE_A;
    ldns_pkt_set_id(reply, (uint16_t)(ldns_pkt_id(query) + (p->manner == WRONG_ID)));
    ldns_pkt_set_opcode(reply, ldns_pkt_get_opcode(query));
    ldns_pkt_set_qr(reply, true);
    ldns_pkt_set_aa(reply, p->manner != NO_AUTHORITY);
    ldns_pkt_set_rcode(reply, p->manner == FAILS ? LDNS_RCODE_SERVFAIL : LDNS_RCODE_NOERROR);
    ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
    if (of_a && p->manner == STRANGERS)
        add_answer(reply, "www.shop.example. 60 IN A 192.0.2.66");
    if (of_a && p->manner != FAILS)
        add_answer(reply, "api.shop.example. 60 IN A 192.0.2.1");
    sign(p, reply, query);
    if (ldns_pkt2wire(&wire, reply, ret_len) != LDNS_STATUS_OK)
        abort();
    ldns_pkt_free(query);
    ldns_pkt_free(reply);
    return wire;
}

static void serve_tcp(const struct peer *p, int fd)
{
    static const uint8_t garbage[] = {0, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t more[] = {0xff, 0xff, 0, 0};
    uint8_t query[4096], head[2];
    ssize_t n = recv(fd, head, 2, MSG_WAITALL);
    size_t len = n == 2 ? (size_t)head[0] << 8 | head[1] : 0;

    if (len == 0 || len > sizeof query || recv(fd, query, len, MSG_WAITALL) != (ssize_t)len)
        return;
    if (p->manner == GARBAGE || p->manner == SHORT) {
        bool cut = p->manner == SHORT;

        (void)!write(fd, cut ? more : garbage, cut ? sizeof more : sizeof garbage);
        return;
    }
    while (p->manner == SILENT && !p->stop)
        poll(NULL, 0, 10);
    if (p->manner == CLOSES || p->manner == SILENT)
        return;
    uint8_t *wire = answer(p, query, len, &len);
    head[0] = (uint8_t)(len >> 8);
    head[1] = (uint8_t)len;
    (void)!write(fd, head, 2);
    (void)!write(fd, wire, len);
    LDNS_FREE(wire);
}

static void serve_udp(struct peer *p)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    uint8_t query[4096];
    ssize_t n = recvfrom(p->udp, query, sizeof query, 0, (struct sockaddr *)&from, &from_len);
    size_t len = 0;

    if (n <= 0 || ++p->datagrams == 1)
        return;
    uint8_t *wire = answer(p, query, (size_t)n, &len);
    sendto(p->udp, "stray", 5, 0, (struct sockaddr *)&from, from_len);
    sendto(p->udp, wire, len, 0, (struct sockaddr *)&from, from_len);
    LDNS_FREE(wire);
}

static void *serve(void *arg)
{
    struct peer *p = arg;

    while (!p->stop) {
        struct pollfd fds[2] = {{.fd = p->tcp, .events = POLLIN}, {.fd = p->udp, .events = POLLIN}};

        if (poll(fds, 2, 20) <= 0)
            continue;
        if (fds[1].revents)
            serve_udp(p);
        int fd = fds[0].revents ? accept(p->tcp, NULL, NULL) : -1;
        if (fd >= 0) {
            serve_tcp(p, fd);
            close(fd);
        }
    }
    return NULL;
}

static void peer_start(struct peer *p, enum manner manner)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *p = (struct peer){.manner = manner, .tcp = -1};
    p->port = name_server_port();
    a.sin_port = htons((uint16_t)p->port);
    p->udp = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(p->udp, (struct sockaddr *)&a, sizeof a) == 0);
    if (manner != UDP_ONLY) {
        p->tcp = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(bind(p->tcp, (struct sockaddr *)&a, sizeof a) == 0 && listen(p->tcp, 8) == 0);
    }
    snprintf(p->address, sizeof p->address, "127.0.0.1:%d", p->port);
    pthread_create(&p->thread, NULL, serve, p);
}

static void peer_stop(struct peer *p)
{
    p->stop = true;
    pthread_join(p->thread, NULL);
    if (p->tcp >= 0)
        close(p->tcp);
    close(p->udp);
}

/* ---- asking ---- */

struct outcome {
    struct loop *loop;
    int calls;
    struct dns_records found;
    struct err err;
};

static void keep(const struct dns_records *r, const struct err *e, void *arg)
{
    struct outcome *o = arg;

    o->calls++;
    if (r)
        o->found = *r;
    if (e)
        o->err = *e;
    loop_stop(o->loop);
}

static void over(void *arg)
{
    test_report(0, "it was answered in time", __FILE__, __LINE__);
    loop_stop(arg);
}

static struct dns_primary *primary_at(struct loop *loop, const char *address)
{
    const struct dns_primary_options options = {.server = address,
                                                .zone = "shop.example",
                                                .key_name = "mover",
                                                .key_secret = MOVER_SECRET,
                                                .algorithm = "hmac-sha256",
                                                .timeout_ms = TRY_MS};
    struct err e = ERR_INIT;

    return dns_primary_new(loop, &options, &e);
}

static struct outcome ask(const char *address, bool change)
{
    const struct dns_record seen = {.type = DNS_A, .value = "192.0.2.1"},
                            wanted = {.type = DNS_A, .value = "192.0.2.2", .ttl_s = 60};
    struct outcome o = {.loop = loop_new(NULL)};
    struct dns_primary *p = primary_at(o.loop, address);
    struct timer *guard = timer_new(o.loop, over, o.loop);

    timer_start(guard, GUARD_MS);
    if (change)
        dns_update(p, "api.shop.example", &seen, &wanted, keep, &o);
    else
        dns_read(p, "api.shop.example", keep, &o);
    loop_run(o.loop);
    CHECK(o.calls == 1);
    if (o.err.kind)
        printf("# %s\n", o.err.text);
    timer_free(guard);
    dns_primary_free(p);
    loop_free(o.loop);
    return o;
}

static struct outcome ask_peer(enum manner manner, bool change)
{
    struct peer p;
    struct outcome o;

    peer_start(&p, manner);
    o = ask(p.address, change);
    peer_stop(&p);
    return o;
}

static void a_signed_answer_is_read(void)
{
    struct outcome o = ask_peer(GOOD, false);

    CHECK(o.err.kind == ERR_NONE && o.found.n == 1);
    CHECK(strcmp(o.found.list[0].value, "192.0.2.1") == 0 && o.found.list[0].ttl_s == 60);
    CHECK(ask_peer(GOOD, true).err.kind == ERR_NONE);
}

static void records_of_other_names_are_left_out(void)
{
    struct outcome o = ask_peer(STRANGERS, false);

    CHECK(o.found.n == 1 && strcmp(o.found.list[0].value, "192.0.2.1") == 0);
}

static void a_server_without_tcp_is_asked_by_udp(void)
{
    struct outcome o = ask_peer(UDP_ONLY, false);

    CHECK(o.err.kind == ERR_NONE && o.found.n == 1);
}

static void no_answer_is_an_error_that_may_pass(void)
{
    static const enum manner manners[] = {SILENT, CLOSES, SHORT};

    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        struct outcome o = ask_peer(manners[i], i % 2);

        CHECK(o.err.kind == ERR_NET && o.err.retry && o.found.n == 0);
        CHECK(strstr(o.err.text, "127.0.0.1:"));
    }
}

static void what_is_no_answer_is_not_believed(void)
{
    static const enum manner manners[] = {GARBAGE, WRONG_ID};

    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        struct outcome o = ask_peer(manners[i], false);

        CHECK(o.err.kind == ERR_REMOTE && strstr(o.err.text, "not an answer of a DNS server"));
    }
}

/* Neither a record, nor the news that it was changed. */
static void what_is_not_signed_by_the_key_is_not_believed(void)
{
    static const enum manner manners[] = {UNSIGNED, FORGED};

    for (int i = 0; i < 4; i++) {
        struct outcome o = ask_peer(manners[i % 2], i / 2);

        /* Of a change nobody knows then whether it was made. */
        CHECK(o.err.kind == (i / 2 ? ERR_NET : ERR_REMOTE));
        CHECK(strstr(o.err.text, "not signed by the key"));
        CHECK(o.found.n == 0 && !strstr(o.err.text, MOVER_SECRET));
    }
}

static void an_answer_without_authority_is_none(void)
{
    struct outcome o = ask_peer(NO_AUTHORITY, false);

    CHECK(o.err.kind == ERR_REMOTE && strstr(o.err.text, "primary"));
}

static void a_failing_server_may_be_asked_again(void)
{
    struct outcome o = ask_peer(FAILS, true);

    CHECK(o.err.kind == ERR_REMOTE && o.err.retry && strstr(o.err.text, "SERVFAIL"));
}

static void a_server_name_that_is_unknown_is_said(void)
{
    struct outcome o = ask("no..name:53", false);

    CHECK(o.err.kind == ERR_USAGE && strstr(o.err.text, "the DNS server"));
}

static void one_that_is_freed_calls_nobody(void)
{
    for (int turns = 0; turns < 3; turns++) {
        struct outcome o = {.loop = loop_new(NULL)};
        struct peer p;

        peer_start(&p, SILENT);
        struct dns_primary *primary = primary_at(o.loop, p.address);
        dns_read(primary, "api.shop.example", keep, &o);
        for (int i = 0; i < turns; i++)
            uv_run(loop_uv(o.loop), UV_RUN_NOWAIT);
        dns_primary_free(primary);
        loop_run(o.loop); /* until the pool has let go of it */
        CHECK(o.calls == 0);
        loop_free(o.loop);
        peer_stop(&p);
    }
}

static void keys_and_servers_that_make_no_sense_are_refused(void)
{
    static const struct {
        const char *server, *secret, *algorithm, *said;
    } cases[] = {
        {"", MOVER_SECRET, "", "DNS server"},
        {"https://ns1.example/", MOVER_SECRET, "", "DNS server"},
        {"ns1.example", "", "", "base64"},
        {"ns1.example", "***", "", "base64"},
        {"ns1.example", MOVER_SECRET, "hmac-md5", "hmac-sha256"},
    };
    struct loop *loop = loop_new(NULL);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dns_primary_options o = {.server = cases[i].server,
                                              .zone = "shop.example",
                                              .key_name = "mover",
                                              .key_secret = cases[i].secret,
                                              .algorithm = cases[i].algorithm};
        struct err e = ERR_INIT;

        CHECK(!dns_primary_new(loop, &o, &e) && e.kind == ERR_USAGE);
        CHECK(strstr(e.text, cases[i].said) && !strstr(e.text, MOVER_SECRET));
    }
    loop_free(loop);
}

int main(void)
{
    a_signed_answer_is_read();
    records_of_other_names_are_left_out();
    a_server_without_tcp_is_asked_by_udp();
    no_answer_is_an_error_that_may_pass();
    what_is_no_answer_is_not_believed();
    what_is_not_signed_by_the_key_is_not_believed();
    an_answer_without_authority_is_none();
    a_failing_server_may_be_asked_again();
    a_server_name_that_is_unknown_is_said();
    one_that_is_freed_calls_nobody();
    keys_and_servers_that_make_no_sense_are_refused();
    return DONE();
}
