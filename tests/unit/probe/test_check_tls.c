#include "net/certificates.h"
#include "net/peer.h"
#include "probe/check_rig.h"

#include <inttypes.h>
#include <signal.h>

enum { DAY = 86400 };

static void serve_tls(int fd, void *arg)
{
    SSL *ssl = SSL_new(arg);
    char byte;

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
        (void)SSL_read(ssl, &byte, 1);
    SSL_free(ssl);
}

static void serve_silence(int fd, void *arg)
{
    (void)arg;
    peer_wait_gone(fd);
}

static struct target target_of(const struct peer *p, const char *host, char url[128])
{
    snprintf(url, 128, "https://%s:%u/health", host, p->port);
    return (struct target){
        .kind = CHECK_TLS, .url = url, .min_validity_ms = INT64_C(14) * DAY * 1000};
}

static struct rig check_with(SSL_CTX *ctx, const char *host, const char *ca_file)
{
    struct peer p;
    char url[128];

    peer_start(&p, serve_tls, ctx);

    struct target t = target_of(&p, host, url);
    struct rig r = rig_run(&check_tls, &t, ca_file);

    peer_stop(&p);
    SSL_CTX_free(ctx);
    return r;
}

static void a_certificate_that_lasts_is_well(const struct authority *a)
{
    struct rig r = check_with(server_context(a, "DNS:app.localhost", -DAY, 30L * DAY + 60),
                              "app.localhost", a->file);
    const struct check_answer *answer = &r.answer;

    CHECK(answer->ok && answer->sent && answer->answered);
    CHECK(strstr(r.detail, "for app.localhost, ends in 30 days (20") == r.detail);
    CHECK(strstr(r.detail, "signed by Test CA, TLSv1.3"));
    CHECK(answer->valid_until_ms > 0 && answer->valid_until_ms % 1000 == 0);
    CHECK(answer->lookup >= 0 && answer->connect >= answer->lookup &&
          answer->tls >= answer->connect && answer->total == answer->tls &&
          answer->first_byte == -1);
}

static void one_that_ends_soon_is_a_failure_with_the_days(const struct authority *a)
{
    struct rig r = check_with(server_context(a, "DNS:app.localhost", -DAY, 5L * DAY + 60),
                              "app.localhost", a->file);

    CHECK(!r.answer.ok && r.answer.answered && r.answer.valid_until_ms > 0);
    CHECK(strcmp(r.reason, "app.localhost: its certificate ends in 5 days, 14 days are asked for: "
                           "renew it") == 0);
}

static void each_fault_is_named(const struct authority *a)
{
    struct rig r = check_with(server_context(a, "DNS:app.localhost", -90L * DAY, -3L * DAY - 60),
                              "app.localhost", a->file);

    CHECK(!r.answer.ok && r.answer.answered && r.answer.valid_until_ms > 0);
    CHECK(strstr(r.reason, "the certificate ended 3 days ago"));
    r = check_with(server_context(a, "DNS:other.localhost", -DAY, 90L * DAY), "app.localhost",
                   a->file);
    CHECK(!r.answer.ok && strstr(r.reason, "is for other.localhost, not app.localhost"));
    r = check_with(server_context(NULL, "DNS:app.localhost", -DAY, 90L * DAY), "app.localhost",
                   a->file);
    CHECK(!r.answer.ok && strstr(r.reason, "signed by itself"));
    r = check_with(server_context(a, "DNS:app.localhost", -DAY, 90L * DAY), "app.localhost", NULL);
    CHECK(!r.answer.ok && strstr(r.reason, "not signed by an authority this machine knows"));
}

static void what_only_we_can_mend_is_not_the_targets_failure(const struct authority *a)
{
    struct rig r = check_with(server_context(a, "DNS:app.localhost", -DAY, 90L * DAY),
                              "app.localhost", "missing.pem");
    struct target t = {.kind = CHECK_TLS, .url = "https://two words/"};

    CHECK(!r.answer.ok && !r.answer.sent && strstr(r.reason, "missing.pem"));
    r = rig_run(&check_tls, &t, NULL);
    CHECK(!r.answer.ok && !r.answer.sent && strstr(r.reason, "is not a host name"));
}

static void it_can_be_cancelled_at_any_time(const struct authority *a)
{
    SSL_CTX *ctx = server_context(a, "DNS:app.localhost", -DAY, 90L * DAY);
    struct peer p;
    char url[128];

    peer_start(&p, serve_tls, ctx);

    struct target t = target_of(&p, "app.localhost", url);

    rig_cancel_everywhere(&check_tls, &t, a->file, 8);
    peer_stop(&p);
    SSL_CTX_free(ctx);
}

/* The schedule cancels it; what was reached by then is in its sample. */
static void a_hung_handshake_tells_how_far_it_came(void)
{
    struct peer p;
    char url[128];
    struct rig r;
    struct check_answer so_far = {.connect = -1};

    peer_start(&p, serve_silence, NULL);

    struct target t = target_of(&p, "app.localhost", url);

    rig_begin(&r, NULL);

    struct check *c = check_tls.start(&r.tools, &t, 0, rig_answered, &r);

    while (so_far.connect < 0) {
        uv_run(loop_uv(r.loop), UV_RUN_ONCE);
        check_tls.progress(c, &so_far);
    }
    CHECK(so_far.sent && so_far.answered && so_far.lookup >= 0 && so_far.tls == -1);
    check_tls.cancel(c);
    rig_end(&r);
    peer_stop(&p);
}

int main(void)
{
    struct authority a = authority_make("Test CA", NULL, 3000L * DAY);

    signal(SIGPIPE, SIG_IGN);
    a_certificate_that_lasts_is_well(&a);
    one_that_ends_soon_is_a_failure_with_the_days(&a);
    each_fault_is_named(&a);
    what_only_we_can_mend_is_not_the_targets_failure(&a);
    it_can_be_cancelled_at_any_time(&a);
    a_hung_handshake_tells_how_far_it_came();
    authority_free(&a);
    return DONE();
}
