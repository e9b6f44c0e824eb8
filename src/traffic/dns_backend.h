#pragma once

#include "traffic/dns.h"

/*
 * Where a name's records are read and changed. Two implementations; inside of traffic/dns*.c only.
 * One operation at a time; callbacks come once, never from inside, and none after `free`.
 */
struct dns_backend;
struct dns_backend_ops {
    void (*read)(struct dns_backend *b, dns_primary_fn *fn, void *arg);
    void (*write)(struct dns_backend *b, const struct dns_record *seen,
                  const struct dns_record *wanted, dns_primary_fn *fn, void *arg);
    void (*free)(struct dns_backend *b);
};
struct dns_backend {
    const struct dns_backend_ops *ops;
};

struct dns_backend *dns_backend_cloudflare(struct http_client *client, const struct dns_options *o);
struct dns_backend *dns_backend_rfc2136(struct loop *loop, const struct dns_options *o,
                                        struct err *e);
