#pragma once

#include "base/err.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct loop;

/*
 * Names to addresses, on the loop (c-ares; docs/adr/008): a DNS server that never answers costs
 * neither a thread nor anybody else's time. Order: an address written out is itself; localhost and
 * every name under it is loopback and never leaves the machine (RFC 6761 section 6.3); then
 * /etc/hosts; then the servers of /etc/resolv.conf, which is read again when it has changed.
 *
 * Life cycle: resolver_new .. resolver_free; one for a loop is enough. Look-ups under way are named
 * by id. One thread, the loop's. An idle resolver keeps no loop running.
 */
struct resolver;

struct resolver_options {
    const char *servers; /* "127.0.0.1:5353,192.0.2.1"; NULL = the system's */
    unsigned timeout_ms; /* one server's first chance; 0 = 2000. Three tries, each twice as long */
};

enum { RESOLVE_MAX = 16 }; /* addresses kept of one answer */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

/* Valid during the callback. */
struct resolved {
    const struct address *list; /* best first (RFC 6724), with the port asked for */
    size_t n;                   /* 0: `err` says why, and what to do */
    struct err err;             /* ERR_REMOTE: there is no such name; ERR_NET: nobody answered */
    bool asked;                 /* a DNS server was asked: something left this machine */
    bool answered;              /* the name was found, or a server said that there is none */
};
typedef void resolve_fn(const struct resolved *r, void *arg);

struct resolver *resolver_new(struct loop *loop, const struct resolver_options *o); /* o may be NULL
                                                                                     */
void resolver_free(struct resolver *r); /* forgets what is under way; NULL is fine */

/* Begins now; the callback comes once, never from inside. `host` is copied: a name or an address,
 * an IPv6 one with or without brackets. */
uint64_t resolve_start(struct resolver *r, const char *host, uint16_t port, resolve_fn *fn,
                       void *arg);
void resolve_cancel(struct resolver *r, uint64_t id); /* no callback; an unknown id is fine */

/* "192.0.2.7:443", "[2001:db8::7]:443"; without the port when with_port is false. */
enum { ADDRESS_TEXT = 64 };
void address_text(const struct address *a, bool with_port, char ret[ADDRESS_TEXT]);
