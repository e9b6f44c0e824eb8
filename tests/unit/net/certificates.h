#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A certificate authority of the test's own, and servers' certificates of every good and bad kind.
 * Times are seconds from now. authority_new writes its certificate to a file for clients to trust.
 */
struct authority {
    EVP_PKEY *key;
    X509 *cert;
    char file[64];
};

static inline void certificate_extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    if (!e || X509_add_ext(cert, e, -1) != 1)
        abort();
    X509_EXTENSION_free(e);
}

/* `issuer` NULL: signed by itself. `names` as in "DNS:a.example,IP:127.0.0.1"; NULL = none. */
static inline X509 *certificate_make(EVP_PKEY *key, const char *name, const char *names,
                                     const struct authority *issuer, const long when[2])
{
    static long serial;
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), when[0]);
    X509_gmtime_adj(X509_getm_notAfter(cert), when[1]);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
    X509_set_pubkey(cert, key);
    if (names)
        certificate_extend(cert, NID_subject_alt_name, names);
    else
        certificate_extend(cert, NID_basic_constraints, "critical,CA:TRUE");
    if (!X509_sign(cert, issuer ? issuer->key : key, EVP_sha256()))
        abort();
    return cert;
}

/* An intermediate when there is an issuer: its file is not written. */
static inline struct authority authority_make(const char *name, const struct authority *issuer,
                                              long end_s)
{
    struct authority a = {.key = EVP_EC_gen("P-256")};
    long when[2] = {-86400L * 400, end_s};

    a.cert = certificate_make(a.key, name, NULL, issuer, when);
    if (!issuer) {
        snprintf(a.file, sizeof a.file, "authority.%ld.tmp.pem", (long)getpid());

        FILE *f = fopen(a.file, "w");

        if (!f || !PEM_write_X509(f, a.cert) || fclose(f) != 0)
            abort();
    }
    return a;
}

static inline void authority_free(struct authority *a)
{
    if (a->file[0])
        unlink(a->file);
    X509_free(a->cert);
    EVP_PKEY_free(a->key);
}

/* The server's side: a certificate for `names`, valid from begin_s to end_s. */
static inline SSL_CTX *server_context(const struct authority *issuer, const char *names,
                                      long begin_s, long end_s)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    long when[2] = {begin_s, end_s};
    X509 *cert = certificate_make(key, "server", names, issuer, when);

    if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
        abort();
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}
