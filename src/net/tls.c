#include "net/tls.h"
#include "base/clock.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_SHOWN = 3 };

/* ---- words ---- */

void tls_how_long(int64_t ms, char ret[32])
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "day"}, {3600000, "hour"}, {60000, "minute"}, {1000, "second"}};
    size_t i = 0;

    while (i < 3 && ms < units[i].ms)
        i++;
    snprintf(ret, 32, "%" PRId64 " %s%s", ms / units[i].ms, units[i].name,
             ms / units[i].ms == 1 ? "" : "s");
}

/* Whoever made a certificate chose its texts: nothing of them may move a terminal's cursor. */
static void make_printable(char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
            *s = '?';
    }
}

static int64_t time_ms(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

/* The common name, else the organisation, else the whole name on one line. */
static void name_text(const X509_NAME *name, char *ret, size_t size)
{
    ret[0] = '\0';
    if (X509_NAME_get_text_by_NID(name, NID_commonName, ret, (int)size) <= 0 &&
        X509_NAME_get_text_by_NID(name, NID_organizationName, ret, (int)size) <= 0)
        X509_NAME_oneline(name, ret, (int)size);
    make_printable(ret);
}

static bool general_name_text(const GENERAL_NAME *name, char *ret, size_t size)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    const unsigned char *bytes;

    if (type == GEN_DNS) {
        snprintf(ret, size, "%.*s", ASN1_STRING_length(value), ASN1_STRING_get0_data(value));
        make_printable(ret);
        return true;
    }
    if (type != GEN_IPADD)
        return false;
    bytes = ASN1_STRING_get0_data(value);
    if (ASN1_STRING_length(value) == 4)
        return inet_ntop(AF_INET, bytes, ret, (socklen_t)size) != NULL;
    return ASN1_STRING_length(value) == 16 &&
           inet_ntop(AF_INET6, bytes, ret, (socklen_t)size) != NULL;
}

/* "a.example, b.example and 3 more" */
static void names_text(const X509 *leaf, char *ret, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    int n = names ? sk_GENERAL_NAME_num(names) : 0, shown = 0, all = 0;
    char one[128];
    size_t len = 0;

    ret[0] = '\0';
    for (int i = 0; i < n; i++) {
        if (!general_name_text(sk_GENERAL_NAME_value(names, i), one, sizeof one))
            continue;
        if (all++ < NAMES_SHOWN && len + strlen(one) + 24 < size) {
            len += (size_t)snprintf(ret + len, size - len, "%s%s", shown ? ", " : "", one);
            shown++;
        }
    }
    if (all > shown && shown > 0)
        snprintf(ret + len, size - len, " and %d more", all - shown);
    if (shown == 0)
        text_copy(ret, size, "no host at all");
    GENERAL_NAMES_free(names);
}

static void read_leaf(const X509 *leaf, struct certificate *facts)
{
    names_text(leaf, facts->names, sizeof facts->names);
    name_text(X509_get_issuer_name(leaf), facts->issuer, sizeof facts->issuer);
    facts->begin_ms = time_ms(X509_get0_notBefore(leaf));
    facts->end_ms = facts->chain_end_ms = time_ms(X509_get0_notAfter(leaf));
}

/* Intermediates end, too; the authority at the top is trusted whatever its date. */
static void read_chain(STACK_OF(X509) * chain, struct certificate *facts)
{
    for (int i = 1; chain && i + 1 < sk_X509_num(chain); i++) {
        int64_t end = time_ms(X509_get0_notAfter(sk_X509_value(chain, i)));

        if (end < facts->chain_end_ms)
            facts->chain_end_ms = end;
    }
}

/* ---- what is wrong ---- */

static void say_date(const struct tls *t, const X509 *cert, bool ended, char ret[160])
{
    int64_t at = time_ms(ended ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert));
    char date[32], distance[32];

    clock_format_utc(at, date);
    if (ended) {
        tls_how_long(t->now_ms - at, distance);
        snprintf(ret, 160, "ended %s ago (%.10s); renew it", distance, date);
    } else {
        tls_how_long(at - t->now_ms, distance);
        snprintf(ret, 160, "begins only in %s (%.10s); is this machine's clock right?", distance,
                 date);
    }
}

static void say_wrong(const struct tls *t, int error, const X509 *cert, bool is_leaf, char *ret,
                      size_t size)
{
    const struct certificate *facts = &t->facts;
    char date[160], who[128] = "";

    if (!is_leaf)
        name_text(X509_get_subject_name(cert), who, sizeof who);
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        say_date(t, cert, error == X509_V_ERR_CERT_HAS_EXPIRED, date);
        if (is_leaf)
            snprintf(ret, size, "the certificate %s", date);
        else
            snprintf(ret, size, "the certificate of the authority \"%s\" above it %s", who, date);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        snprintf(ret, size, "the certificate is for %s, not %s", facts->names, t->host);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        snprintf(ret, size,
                 "the certificate is signed by itself, not by an authority this machine knows");
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(ret, size, "not signed by an authority this machine knows, but by \"%s\"", who);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf(ret, size,
                 "not signed by an authority this machine knows, but by \"%s\"; does the server "
                 "send its intermediate certificates?",
                 facts->issuer);
        break;
    default:
        snprintf(ret, size, "the certificate is refused: %s", X509_verify_cert_error_string(error));
        break;
    }
}

/* One cause, one sentence: an unknown issuer comes as up to three errors. */
static int same_cause(int error)
{
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    default:
        return error;
    }
}

static bool note_error(struct tls *t, int error)
{
    error = same_cause(error);
    for (int i = 0; i < t->n_errors; i++) {
        if (t->errors[i] == error)
            return false;
    }
    if (t->n_errors < TLS_ERRORS)
        t->errors[t->n_errors] = error;
    return t->n_errors++ < TLS_ERRORS;
}

/* Goes on past every error, so that all are known; tls_check refuses afterwards. */
static int verified(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *t = SSL_get_app_data(ssl);
    struct certificate *facts = &t->facts;
    int error = X509_STORE_CTX_get_error(store);
    const X509 *cert = X509_STORE_CTX_get_current_cert(store);
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);
    size_t len;

    if (facts->end_ms == 0 && leaf)
        read_leaf(leaf, facts);
    read_chain(X509_STORE_CTX_get0_chain(store), facts);
    if (good || !note_error(t, error))
        return 1;
    len = strlen(facts->wrong);
    if (len > 0 && len + 3 < sizeof facts->wrong) {
        memcpy(facts->wrong + len, "; ", 3);
        len += 2;
    }
    say_wrong(t, error, cert ? cert : leaf, !cert || X509_STORE_CTX_get_error_depth(store) == 0,
              facts->wrong + len, sizeof facts->wrong - len);
    return 1;
}

/* ---- making and judging ---- */

SSL_CTX *tls_context_new(const char *ca_file, struct err *e)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!context)
        abort(); /* no memory */
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    /* Peers that just close are an ordinary end of a stream; what is in it has its own framing. */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* each handshake is a whole one */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, verified);
    SSL_CTX_set_default_verify_paths(context);
    if (ca_file && SSL_CTX_load_verify_file(context, ca_file) != 1) {
        ERR_clear_error();
        SSL_CTX_free(context);
        err_set(e, ERR_USAGE, "%s: no certificates of authorities can be read from this file",
                ca_file);
        return NULL;
    }
    ERR_clear_error();
    return context;
}

void tls_begin(struct tls *t, SSL_CTX *context, int fd, const char *host, int64_t now_ms)
{
    X509_VERIFY_PARAM *rules;
    size_t len;

    *t = (struct tls){.now_ms = now_ms, .ssl = SSL_new(context)};
    if (!t->ssl || SSL_set_fd(t->ssl, fd) != 1)
        abort(); /* no memory */
    text_copy(t->host, sizeof t->host, host[0] == '[' ? host + 1 : host);
    len = strlen(t->host);
    if (len > 0 && (t->host[len - 1] == '.' || host[0] == '['))
        t->host[len - 1] = '\0'; /* "]", or the root's dot: certificates have neither */
    SSL_set_app_data(t->ssl, t);
    rules = SSL_get0_param(t->ssl);
    X509_VERIFY_PARAM_set_time(rules, (time_t)(now_ms / 1000));
    if (X509_VERIFY_PARAM_set1_ip_asc(rules, t->host) != 1) {
        X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (SSL_set1_host(t->ssl, t->host) != 1 || SSL_set_tlsext_host_name(t->ssl, t->host) != 1)
            abort();
    }
    ERR_clear_error();
    SSL_set_connect_state(t->ssl);
}

void tls_end(struct tls *t)
{
    if (!t->ssl)
        return;
    if (SSL_is_init_finished(t->ssl))
        SSL_shutdown(t->ssl);
    SSL_free(t->ssl);
    t->ssl = NULL;
    ERR_clear_error();
}

int tls_check(struct tls *t, struct err *e)
{
    text_copy(t->facts.version, sizeof t->facts.version, SSL_get_version(t->ssl));
    if (t->n_errors > 0)
        return err_set(e, ERR_REMOTE, "%s: %s", t->host, t->facts.wrong);
    if (SSL_get_verify_result(t->ssl) != X509_V_OK || t->facts.end_ms == 0)
        return err_set(e, ERR_REMOTE, "%s: it showed no certificate that can be verified", t->host);
    return 0;
}

int tls_failed(struct tls *t, int result, struct err *e)
{
    int saved = errno, kind = SSL_get_error(t->ssl, result);
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    if (kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && !saved) ||
        ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        err_set(e, ERR_NET,
                "%s: the peer closed during the TLS handshake; does this port speak TLS, and does "
                "it know this host name?",
                t->host);
    else if (kind == SSL_ERROR_SYSCALL)
        err_errno(e, ERR_NET, saved, "%s: the TLS handshake failed", t->host);
    else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
        err_set(e, ERR_NET,
                "%s: the TLS handshake failed: the answer is not TLS; does this port speak it?",
                t->host);
    else
        err_set(e, ERR_NET, "%s: the TLS handshake failed: %s", t->host,
                reason ? reason : "no reason given");
    e->retry = true;
    return -1;
}
