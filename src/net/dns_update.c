#include "net/dns_update.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/dns_exchange.h"
#include "net/dns_wire.h"
#include "net/endpoint.h"
#include "net/loop.h"
#include "net/resolve.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DNS_PORT = 53,
    TIMEOUT_MS = 5000,
    ADDRESSES_TRIED = 3,
    NAME_LEN_MAX = 253,
    LABEL_LEN_MAX = 63
};

struct dns_primary {
    struct loop *loop;
    struct resolver *resolver;
    struct endpoint server;
    char *zone, *key_name, *key_secret, *algorithm;
    unsigned timeout_ms;
    struct job *job; /* the one under way */
};

/* One operation. On the pool it is alone with its own copies: the primary may be freed meanwhile.
 */
struct job {
    struct dns_primary *primary; /* NULL: nobody waits any more */
    dns_primary_fn *fn;
    void *arg;
    uint64_t lookup; /* 0 = on the pool */
    bool update;
    char *name, *zone, *key_name, *key_secret, *algorithm;
    struct dns_record seen, wanted;
    unsigned timeout_ms;
    struct address to[ADDRESSES_TRIED];
    size_t n_to;
    uint8_t *reply;
    struct dns_records found;
    struct err err;
};

/* ---- values ---- */

const char *dns_type_name(enum dns_type t)
{
    static const char *const names[] = {[DNS_A] = "A", [DNS_AAAA] = "AAAA", [DNS_CNAME] = "CNAME"};
    return names[t];
}

bool dns_same_answer(const struct dns_record *a, const struct dns_record *b)
{
    return a->type == b->type && strcmp(a->value, b->value) == 0;
}

/* Letters, digits, hyphens (RFC 1123 section 2.1), and the underscore that hosts of platforms have.
 */
static bool is_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_LEN_MAX || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

/* Not all of it a number, which would be an address written wrongly. */
static bool is_host(const char *name)
{
    size_t len = strlen(name);

    if (len > NAME_LEN_MAX || strspn(name, "0123456789.") == len)
        return false;
    for (;;) {
        size_t n = strcspn(name, ".");

        if (!is_label(name, n))
            return false;
        if (!name[n])
            return true;
        name += n + 1;
    }
}

static bool read_address(const char *text, struct dns_record *ret)
{
    static const int families[] = {[DNS_A] = AF_INET, [DNS_AAAA] = AF_INET6};
    struct in6_addr bytes; /* either kind fits */

    for (enum dns_type t = DNS_A; t <= DNS_AAAA; t++)
        if (inet_pton(families[t], text, &bytes) == 1) {
            ret->type = t;
            inet_ntop(families[t], &bytes, ret->value, sizeof ret->value);
            return true;
        }
    return false;
}

static bool read_host(const char *text, struct dns_record *ret)
{
    char name[DNS_VALUE_MAX];
    size_t len = strlen(text);

    if (!text_copy(name, sizeof name, text))
        return false;
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0';
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (!is_host(name))
        return false;
    ret->type = DNS_CNAME;
    (void)text_copy(ret->value, sizeof ret->value, name);
    return true;
}

int dns_value_read(const char *text, struct dns_record *ret, struct err *e)
{
    if (read_address(text, ret) || read_host(text, ret))
        return 0;
    return err_set(e, ERR_USAGE,
                   "\"%.80s%s\" is neither an IP address nor a host name (without scheme, port and "
                   "path; others than ASCII: write the xn-- form)",
                   text, strlen(text) > 80 ? "..." : "");
}

/* ---- on the pool ---- */

static int exchange(struct job *job, const struct dns_message *m, size_t *ret_len)
{
    int rc = -1;

    for (size_t i = 0; i < job->n_to && rc < 0; i++)
        rc = dns_exchange(&job->to[i], job->timeout_ms, m, job->reply, ret_len, &job->err);
    return rc;
}

static int ask(struct job *job, const struct dns_signer *signer, enum dns_type type)
{
    struct dns_message m = {0};
    struct dns_reply reply = {.bytes = job->reply};
    int rc = dns_make_query(signer, job->name, type, &m, &job->err);

    if (rc == 0)
        rc = exchange(job, &m, &reply.len);
    if (rc == 0)
        rc = dns_read_answer(signer, &m, &reply, job->name, &job->found, &job->err);
    dns_message_release(&m);
    return rc;
}

/* An alias answers the first question too. Between the two the name may change, and then looks as
 * if it had several records, or none; what is asked once more is either so or was not. */
static int ask_both(struct job *job, const struct dns_signer *signer)
{
    int rc = 0;

    for (int i = 0; i < 2 && rc == 0 && (i == 0 || job->found.n != 1); i++) {
        job->found = (struct dns_records){0};
        rc = ask(job, signer, DNS_A) < 0 ? -1 : ask(job, signer, DNS_AAAA);
    }
    return rc;
}

static int change(struct job *job, const struct dns_signer *signer)
{
    struct dns_message m = {0};
    struct dns_reply reply = {.bytes = job->reply};
    const struct dns_change c = {job->zone, job->name, &job->seen, &job->wanted};
    int rc = dns_make_update(signer, &c, &m, &job->err);

    if (rc == 0)
        rc = exchange(job, &m, &reply.len);
    if (rc == 0)
        rc = dns_read_updated(signer, &m, &reply, &job->err);
    dns_message_release(&m);
    return rc;
}

static void work(void *arg)
{
    struct job *job = arg;
    struct dns_signer signer = {job->key_name, job->key_secret, job->algorithm};
    int rc;

    job->reply = mem_alloc(DNS_REPLY_MAX);
    rc = job->update ? change(job, &signer) : ask_both(job, &signer);
    if (rc == 0)
        job->err = ERR_INIT; /* of an address that did not answer */
}

/* ---- on the loop ---- */

static void free_job(struct job *job)
{
    if (job->key_secret)
        explicit_bzero(job->key_secret, strlen(job->key_secret));
    free(job->name);
    free(job->zone);
    free(job->key_name);
    free(job->key_secret);
    free(job->algorithm);
    free(job->reply);
    free(job);
}

static void ended(void *arg)
{
    struct job *job = arg;
    bool failed = job->err.kind != ERR_NONE;

    if (job->primary) {
        job->primary->job = NULL;
        job->fn(failed || job->update ? NULL : &job->found, failed ? &job->err : NULL, job->arg);
    }
    free_job(job);
}

static void server_found(const struct resolved *r, void *arg)
{
    struct job *job = arg;

    job->lookup = 0;
    for (; job->n_to < r->n && job->n_to < ADDRESSES_TRIED; job->n_to++)
        job->to[job->n_to] = r->list[job->n_to];
    if (r->n == 0) {
        job->err = r->err;
        err_wrap(&job->err, "the DNS server");
        ended(job);
        return;
    }
    loop_work(job->primary->loop, "DNS server", work, ended, job);
}

static void start(struct dns_primary *p, struct job *job, dns_primary_fn *fn, void *arg)
{
    assert(!p->job);
    p->job = job;
    job->primary = p;
    job->fn = fn;
    job->arg = arg;
    job->zone = mem_strdup(p->zone);
    job->key_name = mem_strdup(p->key_name);
    job->key_secret = mem_strdup(p->key_secret);
    job->algorithm = mem_strdup(p->algorithm);
    job->timeout_ms = p->timeout_ms;
    job->lookup = resolve_start(p->resolver, p->server.host, p->server.port, server_found, job);
}

void dns_read(struct dns_primary *p, const char *name, dns_primary_fn *fn, void *arg)
{
    struct job *job = mem_alloc(sizeof *job);

    job->name = mem_strdup(name);
    start(p, job, fn, arg);
}

void dns_update(struct dns_primary *p, const char *name, const struct dns_record *seen,
                const struct dns_record *wanted, dns_primary_fn *fn, void *arg)
{
    struct job *job = mem_alloc(sizeof *job);

    job->update = true;
    job->name = mem_strdup(name);
    job->seen = *seen;
    job->wanted = *wanted;
    start(p, job, fn, arg);
}

/* ---- life ---- */

static int check_key(const struct dns_primary_options *o, const char *algorithm, struct err *e)
{
    size_t len = strlen(o->key_secret);
    bool known = false;
    uint8_t *bytes;
    int64_t n;

    for (size_t i = 0; dns_algorithms[i]; i++)
        known = known || strcmp(algorithm, dns_algorithms[i]) == 0;
    if (!known)
        return err_set(e, ERR_USAGE,
                       "the algorithm \"%.40s\" is not known; one of hmac-sha256, hmac-sha512, "
                       "hmac-sha1",
                       algorithm);
    if (!*o->key_name)
        return 0;
    bytes = mem_alloc(len + 4);
    n = base64_decode(o->key_secret, len, bytes);
    explicit_bzero(bytes, len + 4);
    free(bytes);
    if (n <= 0)
        return err_set(e, ERR_USAGE,
                       "the secret of the key \"%.120s\" is not base64; copy it as the server's "
                       "configuration or tsig-keygen shows it",
                       o->key_name);
    return 0;
}

struct dns_primary *dns_primary_new(struct loop *loop, const struct dns_primary_options *o,
                                    struct err *e)
{
    const char *algorithm = *o->algorithm ? o->algorithm : dns_algorithms[0];
    struct endpoint server;

    if (!endpoint_read(o->server, DNS_PORT, &server) || *server.scheme) {
        err_set(e, ERR_USAGE,
                "\"%.80s\" is not a DNS server; write it as ns1.example.com or "
                "192.0.2.53:53",
                o->server);
        return NULL;
    }
    if (check_key(o, algorithm, e) < 0)
        return NULL;
    struct dns_primary *p = mem_alloc(sizeof *p);
    p->loop = loop;
    p->resolver = resolver_new(loop, NULL);
    p->server = server;
    p->zone = mem_strdup(o->zone);
    p->key_name = mem_strdup(o->key_name);
    p->key_secret = mem_strdup(o->key_secret);
    p->algorithm = mem_strdup(algorithm);
    p->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    return p;
}

void dns_primary_free(struct dns_primary *p)
{
    if (!p)
        return;
    if (p->job && p->job->lookup) {
        resolve_cancel(p->resolver, p->job->lookup);
        free_job(p->job);
    } else if (p->job) {
        p->job->primary = NULL; /* `ended` frees it */
    }
    resolver_free(p->resolver);
    explicit_bzero(p->key_secret, strlen(p->key_secret));
    free(p->zone);
    free(p->key_name);
    free(p->key_secret);
    free(p->algorithm);
    free(p);
}
