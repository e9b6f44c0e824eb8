#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/*
 * One name of a DNS zone, read from and changed at the zone's primary server: queries (RFC 1035),
 * UPDATE (RFC 2136) and their signatures (TSIG, RFC 8945), made by ldns.
 *
 * A change is one message that the server applies whole or not at all. Its prerequisite section
 * (RFC 2136 2.4) holds the records as they were last seen, so that it does nothing when somebody
 * else was faster; and when an address becomes an alias it demands that the name has nothing else,
 * for a server would drop the address and silently ignore the alias (RFC 2136 3.4.2.2).
 *
 * Messages go over TCP; over UDP when the server refuses TCP. Each try has `timeout_ms` in all. The
 * name of the server is looked up on the loop, the exchange happens on a pool thread.
 *
 * Life cycle: dns_primary_new, dns_read and dns_update any number of times, dns_primary_free. One
 * thread, the loop's; callbacks come once, never from inside the call.
 */

enum dns_type { DNS_A, DNS_AAAA, DNS_CNAME };
const char *dns_type_name(enum dns_type t); /* "A", "AAAA", "CNAME" */

enum { DNS_VALUE_MAX = 256, DNS_RECORDS_MAX = 16 };

struct dns_record {
    enum dns_type type;
    char value[DNS_VALUE_MAX]; /* as dns_value_read writes it */
    int64_t ttl_s;             /* seconds */
    bool proxied;              /* Cloudflare only: its own addresses are given out instead */
    char id[64];               /* Cloudflare only: the record's */
};

struct dns_records { /* of one name; those of the three types */
    struct dns_record list[DNS_RECORDS_MAX];
    size_t n, more; /* more: how many did not fit */
};

/* An address or a host name: addresses in their canonical text, host names in lower case without
 * the final dot. -1 and ERR_USAGE when it is neither; then *ret is as it was. */
int dns_value_read(const char *text, struct dns_record *ret, struct err *e);
bool dns_same_answer(const struct dns_record *a, const struct dns_record *b); /* type and value */

struct dns_primary_options { /* texts are copied */
    const char *server;      /* "ns1.example.com", "192.0.2.53:5353", "[2001:db8::1]:53" */
    const char *zone;        /* "example.com" */
    const char *key_name;    /* "" = not signed */
    const char *key_secret;  /* base64 */
    const char *algorithm;   /* "hmac-sha256", "hmac-sha512", "hmac-sha1"; "" = hmac-sha256 */
    unsigned timeout_ms;     /* one exchange; 0 = 5000 */
};
struct dns_primary;

/* NULL and ERR_USAGE: a name, server, secret or algorithm that makes no sense. */
struct dns_primary *dns_primary_new(struct loop *loop, const struct dns_primary_options *o,
                                    struct err *e);
/* No callback comes afterwards; NULL is fine. What a pool thread has begun it still ends. */
void dns_primary_free(struct dns_primary *p);

/* e NULL: done; r is valid during the call (dns_update: NULL). Errors: ERR_NET, nobody answered, or
 * (dns_update) with nothing that can be believed: it is not known whether the change was made;
 * ERR_REMOTE, refused (the text says by which rule, and what to do); ERR_NO, and `retry`: the
 * records are not as last seen any more, nothing was changed. */
typedef void dns_primary_fn(const struct dns_records *r, const struct err *e, void *arg);

/* The authoritative records of `name`, A, AAAA and CNAME. One operation at a time. */
void dns_read(struct dns_primary *p, const char *name, dns_primary_fn *fn, void *arg);
/* Puts `wanted` in the place of `seen`, the one record of the name. */
void dns_update(struct dns_primary *p, const char *name, const struct dns_record *seen,
                const struct dns_record *wanted, dns_primary_fn *fn, void *arg);
