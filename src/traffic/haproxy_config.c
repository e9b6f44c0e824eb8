#include "traffic/haproxy_plan.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

/*
 * HAProxy's configuration, from a checked plan. What each part is for stands in
 * docs/adr/014-haproxy-as-the-data-path.md; the keywords are explained in HAProxy's Configuration
 * Manual, version 2.6.
 */
enum {
    TRIES_MORE = 3,        /* of one request, each on another server than the one before */
    RISE = 2,              /* good checks that bring a server back */
    COLD_MS = 60000,       /* a failing check of a server that sleeps is not believed for so long */
    STREAM_MS = 3600000,   /* an event stream, a WebSocket: silence is normal */
    FILES_MOST = 40100,    /* 20,000 connections, two files each; fewer where the system says so */
    SPREAD_MS = 2000000000 /* HAProxy multiplies the interval by a server's number, in 31 bits */
};

void haproxy_quote(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    for (; *text; text++) {
        if (strchr("\"\\$", *text))
            buf_addc(out, '\\');
        buf_addc(out, *text);
    }
    buf_addc(out, '"');
}

void haproxy_node_name(const char *project, char ret[80])
{
    size_t n = (size_t)snprintf(ret, 80, "trine-%.60s", project);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)ret[i]) && !strchr("-_.", ret[i]))
            ret[i] = '-';
}

/* Names under localhost are loopback (RFC 6761, 6.3), whatever a name server says. */
static bool is_loopback_name(const char *host)
{
    size_t n = strlen(host);

    return !strcasecmp(host, "localhost") || (n > 10 && !strcasecmp(host + n - 10, ".localhost"));
}

bool haproxy_is_looked_up(const char *host)
{
    struct in_addr address;

    return !is_loopback_name(host) && inet_pton(AF_INET, host, &address) != 1;
}

static const struct haproxy_order *order_of(const struct haproxy_shape *shape, const char *route,
                                            const char *environment)
{
    for (size_t i = 0; i < shape->n_orders; i++)
        if (!strcmp(shape->orders[i].route, route) &&
            !strcmp(shape->orders[i].environment, environment))
            return &shape->orders[i];
    return NULL;
}

static void write_global(const struct haproxy_plan *p, const struct haproxy_shape *shape,
                         struct buf *out)
{
    char node[80];

    haproxy_node_name(p->project, node);
    buf_addf(out,
             "# Written by trine: it is written anew when the manifest changes.\n"
             "global\n  node %s\n",
             node);
    if (*shape->hash)
        buf_addf(out, "  description %s\n", shape->hash);
    buf_adds(out, "  stats socket ");
    haproxy_quote(out, p->dir);
    buf_adds(out, "/admin.sock mode 600 level admin expose-fd listeners\n  server-state-file ");
    haproxy_quote(out, p->dir);
    /* noreuseport: two HAProxies would share a port without a word, and with it the requests.
     * fd-hard-limit instead of maxconn: HAProxy takes as many connections as it may open files for,
     * two each, and no more. More than that would be accepted and then answered 503. */
    buf_addf(out,
             "/servers.state\n  noreuseport\n  fd-hard-limit %d\n"
             "  hard-stop-after %ds\n  ssl-default-bind-options ssl-min-ver TLSv1.2\n",
             FILES_MOST, STREAM_MS / 1000);
    buf_addf(out,
             "defaults\n  mode http\n  load-server-state-from-file global\n  option forwardfor\n"
             "  option idle-close-on-response\n"
             "  timeout http-request 10s\n  timeout http-keep-alive 75s\n  timeout client %dms\n"
             "  timeout client-fin 10s\n  timeout tunnel %dms\n  timeout queue 10s\n",
             PATIENT_MS, STREAM_MS);
}

/* An address once known is kept: a name server that fails is no reason to take a server out. */
void haproxy_write_resolvers(const struct haproxy_plan *p, struct buf *out)
{
    static const char *const holds[] = {"nx", "other", "refused", "timeout", "obsolete"};
    bool any = false;

    for (size_t i = 0; i < p->n_routes; i++)
        for (size_t j = 0; j < p->routes[i].n_servers; j++)
            any = any || haproxy_is_looked_up(p->routes[i].servers[j].host);
    if (!any)
        return;
    buf_adds(out, "resolvers trine_names\n  parse-resolv-conf\n  timeout resolve 10s\n"
                  "  timeout retry 2s\n  hold valid 30s\n");
    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        buf_addf(out, "  hold %s %s\n", holds[i], i == 4 ? "60s" : "20d");
}

/*
 * HAProxy checks the first server of its configuration at once and spreads the others over the
 * interval. A first one that is never asked keeps it from waking all the sleepers at each start.
 */
static int write_clock(const struct haproxy_plan *p, struct buf *out)
{
    int n = 1, inter_ms;

    for (size_t i = 0; i < p->n_routes; i++)
        n += haproxy_route_has_choice(&p->routes[i]) ? (int)p->routes[i].n_servers : 0;
    inter_ms = SPREAD_MS / n;
    if (inter_ms > CHECK_DAYS * 24 * 3600 * 1000)
        inter_ms = CHECK_DAYS * 24 * 3600 * 1000;
    buf_addf(out,
             "backend trine_clock\n  timeout connect 1s\n  timeout server 1s\n"
             "  server first 127.0.0.1:1 disabled check inter %dms\n",
             inter_ms);
    return inter_ms;
}

static void write_frontend(const struct haproxy_route *r, struct buf *out)
{
    bool tls = r->certificate && *r->certificate;

    buf_addf(out, "frontend in_%s\n  bind %s", r->name, r->listen);
    if (tls) {
        buf_adds(out, " ssl crt ");
        haproxy_quote(out, r->certificate);
        buf_adds(out, " alpn h2,http/1.1");
    }
    buf_addf(out,
             "\n  http-request set-header X-Request-ID %%[uuid()] unless { req.hdr(X-Request-ID) "
             "-m found }\n  http-request set-var(txn.request_id) req.hdr(X-Request-ID)\n"
             "  http-request set-header X-Forwarded-Proto %s\n"
             "  http-request set-header X-Forwarded-Host %%[req.hdr(Host)]\n"
             "  http-response set-header X-Request-ID %%[var(txn.request_id)]\n",
             tls ? "https" : "http");
    if (haproxy_route_has_choice(r))
        buf_addf(out, "  use_backend %s_open if { nbsrv(%s) eq 0 }\n", r->name, r->name);
    buf_addf(out, "  default_backend %s\n", r->name);
}

/* Who answered: drills and people see it. */
static void write_served_by(const struct haproxy_route *r, struct buf *out)
{
    for (size_t i = 0; i < r->n_servers; i++)
        buf_addf(out, "  http-response set-header X-Served-By %s if { srv_id %zu }\n",
                 r->servers[i].environment, i + 1);
}

static bool has_backup(const struct haproxy_route *r)
{
    for (size_t i = 0; i < r->n_servers; i++)
        if (r->servers[i].backup)
            return true;
    return false;
}

static void write_server(const struct haproxy_plan *p, const struct haproxy_route *r,
                         const struct haproxy_server *s, const struct haproxy_order *order,
                         struct buf *out)
{
    char name[SERVER_NAME_MAX];
    int weight = haproxy_weight(s, order ? order->weight : s->weight);

    if (order && order->mode == MODE_DRAIN)
        weight = 0; /* there is no word for it here; the order follows over the socket */
    haproxy_server_name(s, name);
    buf_addf(out, "  server %s %s:%d weight %d%s", name,
             is_loopback_name(s->host) ? "127.0.0.1" : s->host, s->port, weight,
             order && order->mode == MODE_MAINTENANCE ? " disabled" : "");
    if (r->slow_start_ms > 0)
        buf_addf(out, " slowstart %lldms", (long long)r->slow_start_ms);
    if (haproxy_is_looked_up(s->host))
        buf_adds(out, " resolvers trine_names init-addr last,libc,none resolve-prefer ipv4");
    if (!s->tls)
        return;
    buf_addf(out, " ssl verify required sni str(%s) verifyhost %s alpn http/1.1 ca-file ", s->host,
             s->host);
    haproxy_quote(out, p->ca_file ? p->ca_file : "@system-ca");
}

/* What a request may not do: be sent again when nobody else could take it, or when the method says
 * that it may have had an effect. Such a request may wait, for giving it up early helps nobody. */
static void write_retry_rules(const struct haproxy_route *r, struct buf *out)
{
    int64_t patient_ms = r->answer_ms > PATIENT_MS ? r->answer_ms : PATIENT_MS;
    const char *again = r->retry == RETRY_KEYED ? "safe or keyed" : "safe";
    char name[SERVER_NAME_MAX];

    buf_adds(out, "  acl safe method GET HEAD\n"
                  "  acl keyed req.hdr(Idempotency-Key) -m found\n"
                  "  http-request set-var(txn.usable) int(0)\n");
    for (size_t i = 0; i < r->n_servers; i++) {
        haproxy_server_name(&r->servers[i], name);
        buf_addf(out,
                 "  http-request set-var(txn.usable) var(txn.usable),add(1) if { srv_is_up(%s) } { "
                 "srv_weight(%s) gt 0 }\n",
                 name, name);
    }
    buf_addf(out,
             "  acl alone var(txn.usable) -m int le 1\n"
             "  http-request disable-l7-retry if alone\n"
             "  http-request disable-l7-retry unless %s\n"
             "  http-request set-timeout server %lldms if alone\n"
             "  http-request set-timeout server %lldms unless %s\n",
             again, (long long)patient_ms, (long long)patient_ms, again);
    buf_addf(out,
             "  http-request set-timeout server %dms if { req.hdr(Accept) -m sub "
             "text/event-stream }\n",
             STREAM_MS);
}

static void write_backend_head(const struct haproxy_route *r, const char *suffix, int64_t answer_ms,
                               struct buf *out)
{
    buf_addf(out,
             "backend %s%s\n  balance roundrobin\n  http-reuse safe\n"
             "  http-send-name-header Host\n  timeout connect %lldms\n  timeout server %lldms\n",
             r->name, suffix, (long long)r->connect_ms, (long long)answer_ms);
    write_served_by(r, out);
}

static void write_checks(const struct haproxy_route *r, struct buf *out)
{
    buf_addf(out, "  timeout check %lldms\n  option httpchk\n  http-check send meth GET uri ",
             (long long)(r->answer_ms < 100 ? 100 : r->answer_ms));
    haproxy_quote(out, r->health);
    buf_adds(out, " ver HTTP/1.1 hdr Host %[srv_name] hdr User-Agent trine\n"
                  "  http-check expect status 200\n");
}

/*
 * HAProxy's own backups get nothing while a primary seems well, a repeated request included: with
 * one primary that hangs it would be asked again and again. So a backup stands among the others,
 * where repeated requests find it, and first tries are given to the primaries by rule, with their
 * weights of this moment: of those that are up, by a random number below the sum of their weights.
 */
static void write_primaries_first(const struct haproxy_route *r, struct buf *out)
{
    char name[SERVER_NAME_MAX];
    int n = 0;

    if (!has_backup(r))
        return;
    buf_adds(out, "  http-request set-var(txn.below_0) int(0)\n");
    for (size_t i = 0; i < r->n_servers; i++) {
        if (r->servers[i].backup)
            continue;
        haproxy_server_name(&r->servers[i], name);
        buf_addf(out,
                 "  http-request set-var(txn.share) int(0)\n"
                 "  http-request set-var(txn.share) srv_weight(%s) if { srv_is_up(%s) }\n"
                 "  http-request set-var(txn.below_%d) var(txn.below_%d),add(txn.share)\n",
                 name, name, n + 1, n);
        n++;
    }
    buf_addf(out, "  http-request set-var(txn.chance) rand(65536),mul(txn.below_%d),div(65536)\n",
             n);
    n = 0;
    for (size_t i = 0; i < r->n_servers; i++) {
        if (r->servers[i].backup)
            continue;
        haproxy_server_name(&r->servers[i], name);
        buf_addf(out, "  use-server %s if { var(txn.chance),sub(txn.below_%d) -m int lt 0 }\n",
                 name, ++n);
    }
}

static void write_choice(const struct haproxy_plan *p, const struct haproxy_route *r,
                         const struct haproxy_shape *shape, int inter_ms, struct buf *out)
{
    int64_t fall = COLD_MS / r->fast_ms + RISE;

    write_backend_head(r, "", r->answer_ms, out);
    buf_addf(out, "  option redispatch 1\n  retries %d\n  retry-on conn-failure%s\n",
             r->retry == RETRY_NONE ? 1 : TRIES_MORE,
             r->retry == RETRY_NONE
                 ? ""
                 : " empty-response response-timeout junk-response 500 502 503 504");
    if (r->retry != RETRY_NONE)
        write_retry_rules(r, out);
    write_primaries_first(r, out);
    write_checks(r, out);
    for (size_t i = 0; i < r->n_servers; i++) {
        const struct haproxy_server *s = &r->servers[i];

        write_server(p, r, s, order_of(shape, r->name, s->environment), out);
        if (s->tls)
            buf_addf(out, " check-ssl check-sni %s check-alpn http/1.1", s->host);
        buf_addf(out,
                 " check inter %dms fastinter %lldms downinter %lldms rise %d fall %lld observe "
                 "layer7 error-limit %d on-error mark-down\n",
                 inter_ms, (long long)r->fast_ms, (long long)r->fast_ms, RISE, (long long)fall,
                 r->errors);
    }
}

/* Without checks and without a retry: whatever happens to them, these servers are asked. */
static void write_open(const struct haproxy_plan *p, const struct haproxy_route *r,
                       const struct haproxy_shape *shape, const char *suffix, struct buf *out)
{
    int64_t patient_ms = r->answer_ms > PATIENT_MS ? r->answer_ms : PATIENT_MS;

    write_backend_head(r, suffix, patient_ms, out);
    buf_adds(out, "  option redispatch 1\n  retries 1\n  retry-on conn-failure\n");
    for (size_t i = 0; i < r->n_servers; i++) {
        const struct haproxy_server *s = &r->servers[i];

        write_server(p, r, s, order_of(shape, r->name, s->environment), out);
        buf_adds(out, s->backup ? " backup\n" : "\n");
    }
}

void haproxy_config_write(const struct haproxy_plan *p, const struct haproxy_shape *shape,
                          struct buf *out)
{
    int inter_ms;

    write_global(p, shape, out);
    haproxy_write_resolvers(p, out);
    inter_ms = write_clock(p, out);
    for (size_t i = 0; i < p->n_routes; i++) {
        const struct haproxy_route *r = &p->routes[i];

        write_frontend(r, out);
        if (haproxy_route_has_choice(r))
            write_choice(p, r, shape, inter_ms, out);
        write_open(p, r, shape, haproxy_route_has_choice(r) ? "_open" : "", out);
    }
}

int haproxy_config(const struct haproxy_plan *p, struct buf *out, struct err *e)
{
    struct haproxy_shape shape = {.hash = ""};

    if (haproxy_plan_check(p, e) != 0)
        return -1;
    haproxy_config_write(p, &shape, out);
    return 0;
}
