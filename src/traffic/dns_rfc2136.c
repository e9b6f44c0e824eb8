#include "traffic/dns_backend.h"

#include "base/mem.h"

#include <stdlib.h>

/* RFC 2136: the zone's primary server does all of it. */
struct rfc2136 {
    struct dns_backend base;
    struct dns_primary *primary;
    char *host;
};

static void rfc2136_read(struct dns_backend *b, dns_primary_fn *fn, void *arg)
{
    struct rfc2136 *r = (struct rfc2136 *)b;

    dns_read(r->primary, r->host, fn, arg);
}

static void rfc2136_write(struct dns_backend *b, const struct dns_record *seen,
                          const struct dns_record *wanted, dns_primary_fn *fn, void *arg)
{
    struct rfc2136 *r = (struct rfc2136 *)b;

    dns_update(r->primary, r->host, seen, wanted, fn, arg);
}

static void rfc2136_free(struct dns_backend *b)
{
    struct rfc2136 *r = (struct rfc2136 *)b;

    dns_primary_free(r->primary);
    free(r->host);
    free(r);
}

static const struct dns_backend_ops ops = {
    .read = rfc2136_read, .write = rfc2136_write, .free = rfc2136_free};

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

struct dns_backend *dns_backend_rfc2136(struct loop *loop, const struct dns_options *o,
                                        struct err *e)
{
    const struct dns_primary_options options = {
        .server = or_empty(o->server),
        .zone = o->zone,
        .key_name = or_empty(o->key_name),
        .key_secret = or_empty(o->key_secret),
        .algorithm = or_empty(o->algorithm),
        .timeout_ms = o->timeout_ms,
    };
    struct dns_primary *primary = dns_primary_new(loop, &options, e);

    if (!primary)
        return NULL;
    struct rfc2136 *r = mem_alloc(sizeof *r);
    r->base.ops = &ops;
    r->primary = primary;
    r->host = mem_strdup(o->host);
    return &r->base;
}
