#include "traffic/dns_backend.h"

#include "base/mem.h"
#include "net/http_client.h"
#include "provider/cloudflare_dns.h"

#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 5000 };

/* Cloudflare's API: the zone's id is asked for once, then each operation is one request. */
struct cloudflare {
    struct dns_backend base;
    struct http_client *client;
    char *api, *token, *zone, *host;
    struct cloudflare_dns names; /* the same, as the translator takes them */
    char zone_id[CLOUDFLARE_ID_MAX];
    unsigned timeout_ms;
    struct http_request request; /* the one under way */
    uint64_t under_way;
    bool writing;
    struct dns_record seen, wanted;
    dns_primary_fn *fn;
    void *arg;
};

static void answered(uint64_t id, const struct http_reply *reply, void *arg);

static void send_next(struct cloudflare *c)
{
    if (!*c->zone_id)
        cloudflare_ask_zone(&c->names, &c->request);
    else if (c->writing)
        cloudflare_change_record(&c->names, c->zone_id, c->seen.id, &c->wanted, &c->request);
    else
        cloudflare_ask_records(&c->names, c->zone_id, &c->request);
    c->request.timeout_ms = c->timeout_ms;
    c->under_way = http_send(c->client, c->api, &c->request, 0, answered, c);
}

static void answered(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct cloudflare *c = arg;
    struct dns_records found = {.n = 0};
    struct err e = ERR_INIT;
    bool of_zone = !*c->zone_id;
    int rc;

    (void)id;
    c->under_way = 0;
    if (of_zone)
        rc = cloudflare_take_zone(&c->names, reply, c->zone_id, &e);
    else if (c->writing)
        rc = cloudflare_take_change(&c->names, reply, &e);
    else
        rc = cloudflare_take_records(&c->names, reply, &found, &e);
    http_request_release(&c->request);
    if (rc < 0 && e.code == 404 && !cloudflare_is_zone_id(c->zone))
        c->zone_id[0] = '\0'; /* a zone that was made anew has another id */
    if (of_zone && rc == 0) {
        send_next(c);
        return;
    }
    c->fn(rc < 0 || c->writing ? NULL : &found, rc < 0 ? &e : NULL, c->arg);
}

static void cloudflare_read(struct dns_backend *b, dns_primary_fn *fn, void *arg)
{
    struct cloudflare *c = (struct cloudflare *)b;

    c->fn = fn;
    c->arg = arg;
    c->writing = false;
    send_next(c);
}

static void cloudflare_write(struct dns_backend *b, const struct dns_record *seen,
                             const struct dns_record *wanted, dns_primary_fn *fn, void *arg)
{
    struct cloudflare *c = (struct cloudflare *)b;

    c->fn = fn;
    c->arg = arg;
    c->writing = true;
    c->seen = *seen;
    c->wanted = *wanted;
    send_next(c);
}

static void cloudflare_free(struct dns_backend *b)
{
    struct cloudflare *c = (struct cloudflare *)b;

    if (c->under_way) {
        http_cancel(c->client, c->under_way);
        http_request_release(&c->request);
    }
    explicit_bzero(c->token, strlen(c->token));
    free(c->api);
    free(c->token);
    free(c->zone);
    free(c->host);
    free(c);
}

static const struct dns_backend_ops ops = {
    .read = cloudflare_read, .write = cloudflare_write, .free = cloudflare_free};

struct dns_backend *dns_backend_cloudflare(struct http_client *client, const struct dns_options *o)
{
    struct cloudflare *c = mem_alloc(sizeof *c);

    c->base.ops = &ops;
    c->client = client;
    c->api = mem_strdup(o->base ? o->base : CLOUDFLARE_API);
    c->token = mem_strdup(o->token ? o->token : "");
    c->zone = mem_strdup(o->zone);
    c->host = mem_strdup(o->host);
    c->names = (struct cloudflare_dns){c->token, c->zone, c->host};
    if (cloudflare_is_zone_id(o->zone))
        memcpy(c->zone_id, o->zone, strlen(o->zone) + 1);
    c->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
    return &c->base;
}
