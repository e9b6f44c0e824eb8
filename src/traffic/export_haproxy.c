#include "traffic/export.h"

#include "base/buf.h"

/* HAProxy alone, with the checks and the retries of its own: for a team that has no trine in the
 * path. What trine adds (votes of several vantage points, waking a standby, quotas) is not in it.
 */

static bool any_name(const struct haproxy_plan *p)
{
    for (size_t i = 0; i < p->n_routes; i++)
        for (size_t j = 0; j < p->routes[i].n_servers; j++)
            if (haproxy_is_looked_up(p->routes[i].servers[j].host))
                return true;
    return false;
}

static void write_head(const struct haproxy_plan *p, struct buf *out)
{
    buf_addf(out,
             "# HAProxy 2.6 or newer for the project %s, made by: trine traffic export\n"
             "# Put it at /etc/haproxy/haproxy.cfg, test it with: haproxy -c -f FILE\n"
             "# then: systemctl reload haproxy\n"
             "global\n"
             "  log /dev/log local0\n"
             "  user haproxy\n  group haproxy\n"
             "  # A second HAProxy on the same port would share its requests without a word.\n"
             "  noreuseport\n"
             "  ssl-default-bind-options ssl-min-ver TLSv1.2\n\n"
             "defaults\n  mode http\n  log global\n  option httplog\n  option forwardfor\n"
             "  # A reload waits for the next request of a kept connection before it closes it.\n"
             "  option idle-close-on-response\n"
             "  timeout http-request 10s\n  timeout http-keep-alive 75s\n  timeout client 60s\n"
             "  timeout client-fin 10s\n  timeout queue 10s\n"
             "  # WebSockets may be silent for an hour.\n  timeout tunnel 1h\n",
             p->project);
    if (any_name(p))
        buf_adds(out,
                 "\n# Platforms change the addresses of their names. One that is known is kept "
                 "while no\n# name server answers.\n");
    haproxy_write_resolvers(p, out);
}

static void write_front(const struct haproxy_route *r, struct buf *out)
{
    bool tls = r->certificate && *r->certificate;

    buf_addf(out, "\nfrontend in_%s\n  bind %s", r->name, r->listen);
    if (tls) {
        buf_adds(out, " ssl crt ");
        haproxy_quote(out, r->certificate);
        buf_adds(out, " alpn h2,http/1.1");
    }
    buf_addf(out,
             "\n  # One id for a request on its whole way; the client's own is kept.\n"
             "  http-request set-header X-Request-ID %%[uuid()] unless { req.hdr(X-Request-ID) -m "
             "found }\n  http-request set-header X-Forwarded-Proto %s\n"
             "  http-request set-header X-Forwarded-Host %%[req.hdr(Host)]\n"
             "  default_backend %s\n",
             tls ? "https" : "http", r->name);
    if (haproxy_route_has_choice(r))
        buf_addf(out,
                 "  # When all are taken out it is better to try than to refuse everybody.\n"
                 "  use_backend %s_open if { nbsrv(%s) eq 0 }\n",
                 r->name, r->name);
}

static int64_t patient_ms(const struct haproxy_route *r)
{
    return r->answer_ms > PATIENT_MS ? r->answer_ms : PATIENT_MS;
}

static bool sends_again(const struct haproxy_route *r)
{
    return r->retry != RETRY_NONE && haproxy_route_has_choice(r);
}

static void write_retries(const struct haproxy_route *r, struct buf *out)
{
    if (!sends_again(r)) {
        buf_adds(out, "  # Only what could not connect is sent again.\n  retry-on conn-failure\n");
        return;
    }
    buf_addf(out,
             "  # A request that failed is sent to another environment, at most %d times; not one\n"
             "  # that may have had an effect: only GET and HEAD%s.\n"
             "  option redispatch 1\n  retries %d\n"
             "  retry-on conn-failure empty-response response-timeout junk-response 500 502 503 "
             "504\n  acl again method GET HEAD\n",
             EXPORT_TRIES_MORE, r->retry == RETRY_KEYED ? ", and what has an Idempotency-Key" : "",
             EXPORT_TRIES_MORE);
    if (r->retry == RETRY_KEYED)
        buf_adds(out, "  acl again req.hdr(Idempotency-Key) -m found\n");
    buf_addf(out,
             "  http-request disable-l7-retry unless again\n"
             "  # What is not sent again may wait longer: giving it up early helps nobody.\n"
             "  http-request set-timeout server %lldms unless again\n",
             (long long)patient_ms(r));
}

static void write_line(const struct haproxy_plan *p, const struct haproxy_route *r,
                       const struct haproxy_server *s, bool checked, struct buf *out)
{
    char name[SERVER_NAME_MAX];

    haproxy_server_name(s, name);
    buf_addf(out, "  # %s\n  server %s %s:%d weight %d%s", s->environment, name, s->host, s->port,
             haproxy_weight(s, s->weight), s->backup ? " backup" : "");
    if (s->tls) {
        buf_addf(out, " ssl verify required sni str(%s) verifyhost %s alpn http/1.1 ca-file ",
                 s->host, s->host);
        haproxy_quote(out, p->ca_file ? p->ca_file : "@system-ca");
        if (checked)
            buf_addf(out, " check-sni %s check-alpn http/1.1", s->host);
    }
    if (checked)
        buf_addf(out,
                 " check inter %ds fastinter %lldms downinter %lldms fall 2 rise 2 observe layer7 "
                 "error-limit %d on-error mark-down",
                 EXPORT_CHECK_S, (long long)r->fast_ms, (long long)r->fast_ms, r->errors);
    if (checked && r->slow_start_ms > 0)
        buf_addf(out, " slowstart %lldms", (long long)r->slow_start_ms);
    if (haproxy_is_looked_up(s->host))
        buf_adds(out, " resolvers trine_names resolve-prefer ipv4 init-addr last,libc,none");
    buf_addc(out, '\n');
}

static void write_checks(const struct haproxy_route *r, struct buf *out)
{
    int64_t most_ms = r->answer_ms < 1000 * (int64_t)EXPORT_CHECK_S
                          ? r->answer_ms
                          : 1000 * (int64_t)EXPORT_CHECK_S;

    buf_addf(out,
             "  # Each check is a request to the platform: every %d s it keeps one awake that\n"
             "  # sleeps when nobody asks, and counts against its allowance. Errors of real\n"
             "  # requests (%d in a row) take a server out at once.\n"
             "  timeout check %lldms\n  option httpchk\n  http-check send meth GET uri ",
             EXPORT_CHECK_S, r->errors, (long long)most_ms);
    haproxy_quote(out, r->health);
    buf_adds(out, " ver HTTP/1.1 hdr Host %[srv_name]\n  http-check expect status 200\n");
}

/* Open: the same servers for when all have been taken out, unchecked. */
static void write_back(const struct haproxy_plan *p, const struct haproxy_route *r, bool open,
                       struct buf *out)
{
    bool checked = !open && haproxy_route_has_choice(r);

    buf_addf(out,
             "\nbackend %s%s\n  balance roundrobin\n  timeout connect %lldms\n"
             "  timeout server %lldms\n",
             r->name, open ? "_open" : "", (long long)r->connect_ms,
             (long long)(sends_again(r) ? r->answer_ms : patient_ms(r)));
    if (!open)
        buf_adds(
            out,
            "  # Each platform knows its app by the Host header: HAProxy writes the server's name\n"
            "  # there, also when a request is sent again to another one.\n");
    buf_adds(out, "  http-send-name-header Host\n");
    write_retries(r, out);
    buf_adds(out, "  # A stream of events may be silent as long as a WebSocket.\n"
                  "  http-request set-timeout server 1h if { req.hdr(Accept) -m sub "
                  "text/event-stream }\n");
    if (checked)
        write_checks(r, out);
    for (size_t i = 0; i < r->n_servers; i++)
        write_line(p, r, &r->servers[i], checked, out);
}

void export_haproxy(const struct haproxy_plan *p, struct buf *out)
{
    write_head(p, out);
    for (size_t i = 0; i < p->n_routes; i++) {
        write_front(&p->routes[i], out);
        write_back(p, &p->routes[i], false, out);
        if (haproxy_route_has_choice(&p->routes[i]))
            write_back(p, &p->routes[i], true, out);
    }
}
