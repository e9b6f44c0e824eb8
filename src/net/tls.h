#pragma once

#include "base/err.h"

#include <openssl/types.h>
#include <stdint.h>

/*
 * The client's side of TLS (OpenSSL): at least version 1.2, the chain and the name verified. What a
 * certificate says is kept as facts, above all when it is refused, so that the error names what is
 * wrong with it in words that a person can act on.
 *
 * One context is shared by all connections of a dialer. One thread, the loop's.
 */
struct certificate {
    char names[256];  /* "shop.example, *.shop.example and 3 more" */
    char issuer[128]; /* who signed it */
    char version[16]; /* "TLSv1.3"; "" until the handshake is over */
    int64_t begin_ms; /* wall clock: the certificate's own validity */
    int64_t end_ms;
    int64_t chain_end_ms; /* the first end among it and the intermediates above it */
    char wrong[400];      /* why it is not trusted; "" when it is */
};

/* `ca_file` is trusted beside the system's authorities (NULL = these alone). NULL when it cannot be
 * read: *e says why. */
SSL_CTX *tls_context_new(const char *ca_file, struct err *e);

/* One connection's TLS. tls_begin .. tls_end; must stay where it is meanwhile. */
enum { TLS_ERRORS = 4 };
struct tls {
    SSL *ssl;
    char host[256];
    int64_t now_ms;
    struct certificate facts;
    int errors[TLS_ERRORS]; /* what verification found (X509_V_ERR_*), each once */
    int n_errors;
};

/* Prepares the handshake over the socket `fd`, which it does not own. The peer will be verified to
 * be `host` (a name or an address, IPv6 with or without brackets) as of `now_ms` (wall clock). */
void tls_begin(struct tls *t, SSL_CTX *context, int fd, const char *host, int64_t now_ms);
void tls_end(struct tls *t); /* says goodbye when there is someone; the facts stay */

/* After SSL_do_handshake succeeded: 0 when the peer is to be trusted; else -1 and why. Must be
 * asked before anything is sent: the handshake itself goes on past a bad certificate, to learn all
 * that is wrong with it. */
int tls_check(struct tls *t, struct err *e);

/* The words for a failed handshake; `result` is what SSL_do_handshake returned. Always -1. */
int tls_failed(struct tls *t, int result, struct err *e);

/* "3 days", "5 hours", "1 minute"; ret holds 32 bytes. */
void tls_how_long(int64_t ms, char ret[32]);
