#include "net/stream.h"

#include "net/certificates.h"
#include "net/loop.h"
#include "net/peer.h"
#include "net/resolve.h"
#include "test.h"

#include <signal.h>

enum { DAY = 86400, GUARD_MS = 20000 };

/* One stream and what it told; the loop stops when `want` says so. */
struct seen {
    struct loop *loop;
    struct dialer *dialer;
    struct stream *stream;
    int opened, ended;
    size_t bytes;
    char text[256];
    struct err err;
    const char *say; /* sent when it opens */
    size_t until;    /* stop after so many bytes; 0 = at the end */
    bool free_in_opened, free_in_received, start_tls, stop_at_open;
};

static void give_up(struct seen *t)
{
    stream_free(t->stream);
    t->stream = NULL;
    loop_stop(t->loop);
}

static void on_opened(void *arg)
{
    struct seen *t = arg;

    t->opened++;
    if (t->free_in_opened)
        give_up(t);
    else if (t->say)
        stream_send(t->stream, t->say, strlen(t->say));
    if (t->stop_at_open)
        loop_stop(t->loop);
}

static void on_received(const void *data, size_t len, void *arg)
{
    struct seen *t = arg;
    size_t room = sizeof t->text - 1 - strlen(t->text);

    strncat(t->text, data, len < room ? len : room);
    t->bytes += len;
    if (t->free_in_received) {
        give_up(t);
    } else if (t->start_tls) {
        t->start_tls = false;
        stream_start_tls(t->stream);
    } else if (t->until && t->bytes >= t->until) {
        loop_stop(t->loop);
    }
}

static void on_ended(const struct err *e, void *arg)
{
    struct seen *t = arg;

    t->ended++;
    t->err = *e;
    loop_stop(t->loop);
}

static const struct stream_events events = {on_opened, on_received, on_ended};

static void over(void *arg)
{
    test_report(0, "it ended in time", __FILE__, __LINE__);
    loop_stop(arg);
}

static void run(struct loop *loop)
{
    struct timer *guard = timer_new(loop, over, loop);

    timer_start(guard, GUARD_MS);
    loop_run(loop);
    timer_free(guard);
}

static void begin(struct seen *t, const char *host, unsigned port, bool tls, const char *ca_file)
{
    struct dialer_options o = {.ca_file = ca_file, .dns_servers = "127.0.0.1:9"};
    struct stream_options s = {.host = host, .port = (uint16_t)port, .tls = tls};

    t->loop = loop_new(NULL);
    t->dialer = dialer_new(t->loop, &o);
    t->stream = stream_open(t->dialer, &s, &events, t);
}

static void finish(struct seen *t)
{
    stream_free(t->stream);
    dialer_free(t->dialer);
    loop_free(t->loop);
}

/* ---- peers ---- */

static void serve_echo(int fd, void *arg)
{
    char bytes[4096];
    ssize_t n;

    (void)arg;
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0 && peer_write(fd, bytes, (size_t)n)) {
    }
}

static void serve_once(int fd, void *arg)
{
    peer_say(fd, arg);
}

static void serve_endless(int fd, void *arg)
{
    static const char bytes[65536];

    (void)arg;
    while (peer_write(fd, bytes, sizeof bytes)) {
    }
}

static void serve_silence(int fd, void *arg)
{
    (void)arg;
    peer_wait_gone(fd);
}

static void serve_tls(int fd, void *arg)
{
    SSL *ssl = SSL_new(arg);
    char bytes[4096];
    int n;

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        while ((n = SSL_read(ssl, bytes, sizeof bytes)) > 0 && SSL_write(ssl, bytes, n) > 0) {
        }
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

/* As PostgreSQL does: eight bytes ask, 'S' agrees, then the handshake. */
static void serve_tls_when_asked(int fd, void *arg)
{
    char asked[8];

    if (recv(fd, asked, sizeof asked, MSG_WAITALL) == 8 && peer_write(fd, "S", 1))
        serve_tls(fd, arg);
}

static unsigned closed_port(void)
{
    struct peer p;

    peer_start(&p, serve_silence, NULL);
    peer_stop(&p);
    return p.port;
}

/* ---- without TLS ---- */

static void bytes_go_and_come_back(void)
{
    struct seen t = {.say = "hello", .until = 5};
    struct peer p;

    peer_start(&p, serve_echo, NULL);
    begin(&t, "app.localhost", p.port, false, NULL);
    run(t.loop);
    CHECK(t.opened == 1 && t.ended == 0 && strcmp(t.text, "hello") == 0);

    struct stream_phases phases = stream_phases(t.stream);

    CHECK(phases.lookup >= 0 && phases.connect >= phases.lookup && phases.tls == -1);
    CHECK(strncmp(stream_peer(t.stream), "127.0.0.1:", 10) == 0 ||
          strncmp(stream_peer(t.stream), "[::1]:", 6) == 0);
    CHECK(stream_sent(t.stream) && stream_answered(t.stream));
    CHECK(stream_certificate(t.stream) == NULL);
    finish(&t);
    peer_stop(&p);
}

static void a_peer_that_closes_is_an_end_without_error(void)
{
    struct seen t = {0};
    struct peer p;
    char text[] = "bye";

    peer_start(&p, serve_once, text);
    begin(&t, "127.0.0.1", p.port, false, NULL);
    run(t.loop);
    CHECK(t.opened == 1 && t.ended == 1 && t.err.kind == ERR_NONE && strcmp(t.text, "bye") == 0);
    CHECK(stream_send(t.stream, "x", 1)); /* does nothing, harms nobody */
    finish(&t);
    peer_stop(&p);
}

static void a_refusal_names_the_place(void)
{
    struct seen t = {0};
    unsigned port = closed_port();
    char place[64];

    begin(&t, "app.localhost", port, false, NULL);
    run(t.loop);
    snprintf(place, sizeof place, "app.localhost:%u: cannot connect to ", port);
    CHECK(t.opened == 0 && t.ended == 1 && t.err.kind == ERR_NET && t.err.retry);
    CHECK(strncmp(t.err.text, place, strlen(place)) == 0);
    CHECK(stream_answered(t.stream));
    finish(&t);
}

static void the_next_address_is_tried_when_one_refuses(void)
{
    struct seen t = {.stop_at_open = true};
    struct peer p; /* listens on 127.0.0.1 only; localhost is ::1, too, and the order is ours */

    peer_start(&p, serve_silence, NULL);
    begin(&t, "localhost", p.port, false, NULL);
    run(t.loop);
    CHECK(t.opened == 1);
    finish(&t);
    peer_stop(&p);
}

static void an_endless_peer_can_be_left_at_any_time(void)
{
    struct seen t = {.free_in_received = true};
    struct peer p;

    peer_start(&p, serve_endless, NULL);
    begin(&t, "127.0.0.1", p.port, false, NULL);
    run(t.loop);
    CHECK(t.opened == 1 && t.ended == 0 && t.bytes > 0);
    finish(&t);
    peer_stop(&p);
}

static void a_stream_can_be_freed_when_it_opens(void)
{
    struct seen t = {.free_in_opened = true};
    struct peer p;

    peer_start(&p, serve_silence, NULL);
    begin(&t, "127.0.0.1", p.port, false, NULL);
    run(t.loop);
    CHECK(t.opened == 1 && t.ended == 0 && t.stream == NULL);
    finish(&t);
    peer_stop(&p);
}

static void what_is_unsent_is_bounded(void)
{
    static char much[4 << 20];
    struct seen t = {.stop_at_open = true};
    struct peer p;

    peer_start(&p, serve_silence, NULL);
    begin(&t, "127.0.0.1", p.port, false, NULL);
    run(t.loop);
    CHECK(!stream_send(t.stream, much, sizeof much));
    CHECK(stream_send(t.stream, much, 4096));
    finish(&t);
    peer_stop(&p);
}

/* ---- with TLS ---- */

static struct seen shake(SSL_CTX *ctx, const char *host, const char *ca_file,
                         struct certificate *ret)
{
    struct seen t = {.say = "secret", .until = 6};
    struct peer p;

    peer_start(&p, serve_tls, ctx);
    begin(&t, host, p.port, true, ca_file);
    run(t.loop);
    *ret = stream_certificate(t.stream) ? *stream_certificate(t.stream) : (struct certificate){0};
    if (t.opened) {
        struct stream_phases phases = stream_phases(t.stream);

        CHECK(phases.tls >= phases.connect);
    }
    finish(&t);
    peer_stop(&p);
    return t;
}

static void a_good_certificate_opens_the_stream(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a, "DNS:app.localhost,IP:127.0.0.1", -DAY, 30L * DAY);
    struct certificate c;
    struct seen t = shake(ctx, "app.localhost", a->file, &c);

    CHECK(t.opened == 1 && t.ended == 0 && strcmp(t.text, "secret") == 0);
    CHECK(strcmp(c.names, "app.localhost, 127.0.0.1") == 0 && strcmp(c.issuer, "Test CA") == 0);
    CHECK(strcmp(c.version, "TLSv1.3") == 0 && c.wrong[0] == '\0');
    CHECK(c.end_ms - c.begin_ms == 31L * DAY * 1000 && c.chain_end_ms == c.end_ms);
    t = shake(ctx, "127.0.0.1", a->file, &c);
    CHECK(t.opened == 1);
    SSL_CTX_free(ctx);
}

static void a_wrong_name_is_told_with_both_names(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a,
                                  "DNS:a.localhost,DNS:b.localhost,DNS:c.localhost,"
                                  "DNS:d.localhost,DNS:e.localhost",
                                  -DAY, DAY);
    struct certificate c;
    struct seen t = shake(ctx, "x.localhost", a->file, &c);

    CHECK(t.opened == 0 && t.ended == 1 && t.err.kind == ERR_REMOTE && t.text[0] == '\0');
    CHECK(strcmp(t.err.text, "x.localhost: the certificate is for a.localhost, b.localhost, "
                             "c.localhost and 2 more, not x.localhost") == 0);
    t = shake(ctx, "127.0.0.1", a->file, &c);
    CHECK(t.opened == 0 && strstr(t.err.text, "and 2 more, not 127.0.0.1") != NULL);
    SSL_CTX_free(ctx);
}

static void an_end_in_the_past_is_told_in_days(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a, "DNS:app.localhost", -90L * DAY, -3L * DAY - 60);
    struct certificate c;
    struct seen t = shake(ctx, "app.localhost", a->file, &c);

    CHECK(t.opened == 0 && strstr(t.err.text, "the certificate ended 3 days ago (20") != NULL);
    CHECK(strcmp(c.wrong, strchr(t.err.text, ':') + 2) == 0 && c.end_ms > 0);
    SSL_CTX_free(ctx);
    ctx = server_context(a, "DNS:app.localhost", 7230, DAY);
    t = shake(ctx, "app.localhost", a->file, &c);
    CHECK(t.opened == 0 && strstr(t.err.text, "begins only in 2 hours") != NULL);
    SSL_CTX_free(ctx);
}

static void an_unknown_authority_is_told(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a, "DNS:app.localhost", -DAY, DAY);
    struct certificate c;
    struct seen t = shake(ctx, "app.localhost", NULL, &c);

    CHECK(t.opened == 0 && t.err.kind == ERR_REMOTE);
    CHECK(strstr(t.err.text, "not signed by an authority this machine knows, but by \"Test CA\""));
    SSL_CTX_free(ctx);
    ctx = server_context(NULL, "DNS:other.localhost", -DAY, -60);
    t = shake(ctx, "app.localhost", a->file, &c);
    CHECK(strstr(t.err.text, "signed by itself") && strstr(t.err.text, "ended 1 minute ago") &&
          strstr(t.err.text, "for other.localhost, not app.localhost"));
    SSL_CTX_free(ctx);
}

static void an_intermediate_that_ends_sooner_counts(const struct authority *a)
{
    struct authority middle = authority_make("Middle CA", a, 5L * DAY);
    SSL_CTX *ctx = server_context(&middle, "DNS:app.localhost", -DAY, 30L * DAY);
    struct certificate c;

    SSL_CTX_add1_chain_cert(ctx, middle.cert);

    struct seen t = shake(ctx, "app.localhost", a->file, &c);

    CHECK(t.opened == 1 && c.end_ms - c.chain_end_ms == 25L * DAY * 1000);
    SSL_CTX_free(ctx);
    ctx = server_context(&middle, "DNS:app.localhost", -DAY, 30L * DAY);
    t = shake(ctx, "app.localhost", a->file, &c);
    CHECK(t.opened == 0 && strstr(t.err.text, "does the server send its intermediate"));
    SSL_CTX_free(ctx);
    authority_free(&middle);
}

static void a_peer_without_tls_is_told(void)
{
    struct seen t = {0};
    struct peer p;
    char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

    peer_start(&p, serve_once, text);
    begin(&t, "app.localhost", p.port, true, NULL);
    run(t.loop);
    CHECK(t.opened == 0 && t.ended == 1 && strstr(t.err.text, "the answer is not TLS"));
    finish(&t);
    peer_stop(&p);
    t = (struct seen){0};
    text[0] = '\0';
    peer_start(&p, serve_once, text);
    begin(&t, "app.localhost", p.port, true, NULL);
    run(t.loop);
    CHECK(t.opened == 0 && t.ended == 1 && t.err.kind == ERR_NET);
    finish(&t);
    peer_stop(&p);
}

static void tls_can_begin_later(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a, "DNS:app.localhost", -DAY, DAY);
    struct seen t = {.say = "\1\2\3\4\5\6\7\b", .until = 9, .start_tls = true};
    struct peer p;

    peer_start(&p, serve_tls_when_asked, ctx);
    begin(&t, "app.localhost", p.port, false, a->file);
    run(t.loop);
    CHECK(t.opened == 2 && strcmp(t.text, "S\1\2\3\4\5\6\7\b") == 0);
    CHECK(stream_phases(t.stream).tls > 0 && stream_certificate(t.stream) != NULL);
    finish(&t);
    peer_stop(&p);
    SSL_CTX_free(ctx);
}

static void a_missing_file_of_authorities_is_named(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a, "DNS:app.localhost", -DAY, DAY);
    struct certificate c;
    struct seen t = shake(ctx, "app.localhost", "missing.pem", &c);

    CHECK(t.opened == 0 && t.ended == 1 && strstr(t.err.text, "missing.pem: ") == t.err.text);
    SSL_CTX_free(ctx);
}

/* A turn is one run of whatever is ready; freed after 0, 1, 2, ... of them. */
static void a_stream_can_be_freed_after_any_turn(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a, "DNS:app.localhost", -DAY, DAY);

    for (int turns = 0; turns < 12; turns++) {
        struct seen t = {.say = "x", .until = 1};
        struct peer p;

        peer_start(&p, serve_tls, ctx);
        begin(&t, "app.localhost", p.port, true, a->file);
        for (int i = 0; i < turns && t.bytes == 0; i++)
            uv_run(loop_uv(t.loop), UV_RUN_ONCE);
        finish(&t);
        peer_stop(&p);
        CHECK(t.ended == 0);
    }
    SSL_CTX_free(ctx);
}

int main(void)
{
    struct authority a = authority_make("Test CA", NULL, 3000L * DAY);

    signal(SIGPIPE, SIG_IGN);
    bytes_go_and_come_back();
    a_peer_that_closes_is_an_end_without_error();
    a_refusal_names_the_place();
    the_next_address_is_tried_when_one_refuses();
    an_endless_peer_can_be_left_at_any_time();
    a_stream_can_be_freed_when_it_opens();
    what_is_unsent_is_bounded();
    a_good_certificate_opens_the_stream(&a);
    a_wrong_name_is_told_with_both_names(&a);
    an_end_in_the_past_is_told_in_days(&a);
    an_unknown_authority_is_told(&a);
    an_intermediate_that_ends_sooner_counts(&a);
    a_peer_without_tls_is_told();
    tls_can_begin_later(&a);
    a_missing_file_of_authorities_is_named(&a);
    a_stream_can_be_freed_after_any_turn(&a);
    authority_free(&a);
    return DONE();
}
