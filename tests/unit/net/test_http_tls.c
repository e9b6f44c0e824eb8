#include "net/http_client.h"

#include "net/loop.h"
#include "peer.h"
#include "test.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

static const char certificate_file[] = "certificate.tmp.pem";

struct outcome {
    int calls, status;
    bool sent;
    struct err err;
    struct http_timing timing;
};

static void keep_outcome(uint64_t id, const struct http_reply *r, void *arg)
{
    struct outcome *o = arg;

    (void)id;
    *o = (struct outcome){o->calls + 1, r->status, r->sent, r->err, r->timing};
}

/* A certificate for app.localhost that signs itself; written to a file for the client to trust. */
static SSL_CTX *make_server_side(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:app.localhost");
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    FILE *f = fopen(certificate_file, "w");

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    if (!X509_sign(cert, key, EVP_sha256()) || !f || !PEM_write_X509(f, cert) ||
        SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
        abort();
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

static void serve_tls(int fd, void *arg)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    SSL *ssl = SSL_new(arg);
    char request[4096];

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
        SSL_write(ssl, answer, sizeof answer - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

static void serve_plain(int fd, void *arg)
{
    char bytes[4096];

    (void)arg;
    if (recv(fd, bytes, sizeof bytes, 0) > 0)
        peer_say(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static void serve_silence(int fd, void *arg)
{
    (void)arg;
    peer_wait_gone(fd);
}

static struct outcome get(const struct peer *p, const char *host, const char *ca_file)
{
    struct http_client_options o = {.user_agent = "t", .ca_file = ca_file, .connect_ms = 2000};
    struct loop *loop = loop_new(NULL);
    struct http_request r = {.method = "GET", .fresh_connection = true};
    struct outcome out = {0};

    if (p->serve == serve_silence)
        r.connect_ms = 80;

    struct http_client *c = http_client_new(loop, &o);

    http_request_url(&r, "https://%s:%u/?token=hidden", host, p->port);
    http_send(c, NULL, &r, 0, keep_outcome, &out);
    loop_run(loop);
    http_client_free(c);
    loop_free(loop);
    http_request_release(&r);
    return out;
}

static void a_trusted_certificate_is_accepted_and_the_handshake_timed(SSL_CTX *ctx)
{
    struct peer p;

    peer_start(&p, serve_tls, ctx);

    struct outcome o = get(&p, "app.localhost", certificate_file);

    peer_stop(&p);
    CHECK(o.calls == 1 && o.status == 200 && o.err.kind == ERR_NONE);
    CHECK(o.timing.tls >= o.timing.connect && o.timing.connect >= o.timing.lookup);
    CHECK(o.timing.first_byte >= o.timing.tls && o.timing.lookup >= 0);
    if (o.status != 200)
        printf("# %s\n", o.err.text);
}

static void an_untrusted_certificate_is_refused_for_good(SSL_CTX *ctx)
{
    struct peer p;

    peer_start(&p, serve_tls, ctx);

    struct outcome o = get(&p, "app.localhost", NULL);

    CHECK(o.calls == 1 && o.status == 0 && o.err.kind == ERR_NET && !o.err.retry && !o.sent);
    CHECK(strstr(o.err.text, "app.localhost: its certificate is not trusted") == o.err.text);
    CHECK(strstr(o.err.text, "hidden") == NULL);
    o = get(&p, "other.localhost", certificate_file); /* trusted, but another name */
    CHECK(o.status == 0 && o.err.kind == ERR_NET && !o.err.retry && !o.sent);
    peer_stop(&p);
}

static void a_peer_without_tls_is_told(void)
{
    struct peer p;

    peer_start(&p, serve_plain, NULL);

    struct outcome o = get(&p, "app.localhost", certificate_file);

    peer_stop(&p);
    CHECK(o.status == 0 && o.err.kind == ERR_NET && !o.sent);
    CHECK(strstr(o.err.text, "TLS handshake failed") != NULL);
}

static void a_handshake_that_never_ends_is_no_connection(void)
{
    struct peer p;

    peer_start(&p, serve_silence, NULL);

    struct outcome o = get(&p, "app.localhost", certificate_file);

    peer_stop(&p);
    CHECK(o.status == 0 && o.err.kind == ERR_NET && o.err.retry && !o.sent);
    CHECK(strstr(o.err.text, "no connection in time") != NULL);
}

int main(void)
{
    SSL_CTX *ctx = make_server_side();

    signal(SIGPIPE, SIG_IGN);
    a_trusted_certificate_is_accepted_and_the_handshake_timed(ctx);
    an_untrusted_certificate_is_refused_for_good(ctx);
    a_peer_without_tls_is_told();
    a_handshake_that_never_ends_is_no_connection();
    SSL_CTX_free(ctx);
    unlink(certificate_file);
    return DONE();
}
