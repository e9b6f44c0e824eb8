#include "traffic/export.h"

#include "base/buf.h"

#include <string.h>

/*
 * nginx sends one Host header to a whole upstream, and each platform wants its own. So there are
 * two steps in one nginx: the route's server chooses an environment, which is a UNIX socket of the
 * same nginx, and the server behind that socket knows the platform's name.
 */

/* A value in double quotes; nginx has variables, so '$' cannot be written: such a path is refused
 * by nginx -t and not by us. */
static void quote(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_addc(out, '\\');
        buf_addc(out, *text);
    }
    buf_addc(out, '"');
}

static void write_socket(const struct haproxy_plan *p, const struct haproxy_route *r,
                         const struct haproxy_server *s, struct buf *out)
{
    buf_addf(out, "unix:%s/nginx-%s-%s.sock", p->dir, r->name, s->environment);
}

static void write_head(const struct haproxy_plan *p, struct buf *out)
{
    buf_addf(out,
             "# nginx 1.18 or newer for the project %s, made by: trine traffic export\n"
             "# Put it at /etc/nginx/nginx.conf, test it with: nginx -t\n"
             "# then: systemctl reload nginx\n"
             "#\n"
             "# nginx has no checks of its own: it learns that an environment fails from the\n"
             "# requests that fail there. Names are looked up when it starts; platforms change\n"
             "# their addresses, so reload it now and then, as every hour in a crontab:\n"
             "#   0 * * * * root systemctl reload nginx\n"
             "# After a kill -9 of nginx remove %s/nginx-*.sock before it starts again.\n"
             "worker_processes auto;\n"
             "events { worker_connections 4096; }\n\n"
             "http {\n"
             "  # What may be silent for long: WebSockets, which keep their Upgrade, and events.\n"
             "  map $http_upgrade $route_upgrade { default ''; '~*^websocket$' websocket; }\n"
             "  map $route_upgrade $route_connection { default upgrade; '' ''; }\n"
             "  map \"$route_upgrade $http_accept\" $route_stream { default ''; '~^websocket ' 1; "
             "'~text/event-stream' 1; }\n"
             "  # What may have had an effect, and so is never sent again.\n"
             "  map $request_method $route_once { default 1; GET ''; HEAD ''; }\n"
             "  # One id for a request on its whole way; the client's own is kept.\n"
             "  map $http_x_request_id $route_request_id { default $http_x_request_id; '' "
             "$request_id; }\n",
             p->project, p->dir);
}

static void write_upstream(const struct haproxy_plan *p, const struct haproxy_route *r,
                           struct buf *out)
{
    buf_addf(out,
             "\n  upstream %s {\n    # All workers share what they know of a server.\n"
             "    zone %s 64k;\n",
             r->name, r->name);
    for (size_t i = 0; i < r->n_servers; i++) {
        const struct haproxy_server *s = &r->servers[i];
        int weight = haproxy_weight(s, s->weight);

        buf_adds(out, "    server ");
        write_socket(p, r, s, out);
        if (weight == 0)
            buf_adds(out, " down"); /* nginx has no weight 0 */
        else
            buf_addf(out, " weight=%d", weight);
        if (haproxy_route_has_choice(r))
            buf_addf(out, " max_fails=%d fail_timeout=%ds", r->errors, EXPORT_OUT_S);
        else
            buf_adds(out, " max_fails=0");
        buf_adds(out, s->backup ? " backup;\n" : ";\n");
    }
    buf_adds(out, "    keepalive 64;\n  }\n");
}

static bool sends_again(const struct haproxy_route *r)
{
    return r->retry != RETRY_NONE && haproxy_route_has_choice(r);
}

/* One try still counts against the environment that failed it. */
static void write_tries(const struct haproxy_route *r, int tries, struct buf *out)
{
    if (!haproxy_route_has_choice(r))
        buf_adds(out, "      proxy_next_upstream off;\n");
    else
        buf_addf(out,
                 "      proxy_next_upstream error timeout invalid_header http_500 http_502 "
                 "http_503 http_504;\n      proxy_next_upstream_tries %d;\n",
                 tries);
}

/* To one of the route's environments. */
static void write_pass(const struct haproxy_route *r, int64_t answer_ms, struct buf *out)
{
    buf_addf(out,
             "      proxy_pass http://%s;\n      proxy_http_version 1.1;\n"
             "      proxy_set_header Upgrade $route_upgrade;\n"
             "      proxy_set_header Connection $route_connection;\n"
             "      proxy_set_header Host $host;\n"
             "      proxy_set_header X-Request-ID $route_request_id;\n"
             "      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
             "      proxy_set_header X-Forwarded-Proto $scheme;\n"
             "      proxy_set_header X-Forwarded-Host $host;\n"
             "      proxy_connect_timeout %lldms;\n      proxy_send_timeout %lldms;\n"
             "      proxy_read_timeout %lldms;\n",
             r->name, (long long)r->connect_ms, (long long)answer_ms, (long long)answer_ms);
}

static void write_listen(const struct haproxy_route *r, struct buf *out)
{
    bool tls = r->certificate && *r->certificate;

    buf_addf(out, "  server {\n    listen %s%s;\n", r->listen, tls ? " ssl http2" : "");
    if (tls) {
        buf_adds(out, "    ssl_certificate ");
        quote(out, r->certificate);
        buf_adds(out, ";\n    ssl_certificate_key ");
        quote(out, r->certificate);
        buf_adds(out, ";\n    ssl_protocols TLSv1.2 TLSv1.3;\n");
    }
    buf_adds(out, "    client_max_body_size 0;\n");
}

/* nginx would send PUT and DELETE again too; so what is no GET or HEAD goes another way, by a
 * status that no server answers with. */
static void write_front(const struct haproxy_route *r, struct buf *out)
{
    int64_t patient_ms = r->answer_ms > PATIENT_MS ? r->answer_ms : PATIENT_MS;

    write_listen(r, out);
    buf_addf(out, "    error_page 598 = @%s_stream;\n", r->name);
    if (sends_again(r))
        buf_addf(out, "    error_page 599 = @%s_once;\n", r->name);
    buf_adds(out, "    location / {\n      if ($route_stream) { return 598; }\n");
    if (sends_again(r))
        buf_addf(out,
                 "      if ($route_once) { return 599; }\n"
                 "      # A GET or HEAD that failed is sent to another environment%s.\n",
                 r->retry == RETRY_KEYED ? "; nginx cannot do so for an Idempotency-Key" : "");
    write_pass(r, sends_again(r) ? r->answer_ms : patient_ms, out);
    write_tries(r, sends_again(r) ? EXPORT_TRIES_MORE + 1 : 1, out);
    if (sends_again(r)) {
        buf_addf(out, "    }\n    location @%s_once {\n", r->name);
        write_pass(r, patient_ms, out);
        write_tries(r, 1, out);
    }
    buf_addf(out, "    }\n    location @%s_stream {\n", r->name);
    write_pass(r, EXPORT_STREAM_MS, out);
    buf_adds(out, "      proxy_buffering off;\n");
    write_tries(r, 1, out);
    buf_adds(out, "    }\n  }\n");
}

/* It keeps connections to the platform; how long an answer may take is the front's to say. */
static void write_platform(const struct haproxy_plan *p, const struct haproxy_route *r,
                           const struct haproxy_server *s, struct buf *out)
{
    char name[SERVER_NAME_MAX];

    haproxy_server_name(s, name);
    buf_addf(out,
             "  # %s\n  upstream platform_%s_%s {\n    server %s:%d max_fails=0;\n"
             "    keepalive 32;\n    keepalive_timeout 20s;\n  }\n  server {\n    listen ",
             s->environment, r->name, s->environment, s->host, s->port);
    write_socket(p, r, s, out);
    buf_addf(out,
             ";\n    client_max_body_size 0;\n    access_log off;\n    location / {\n"
             "      proxy_pass %s://platform_%s_%s;\n      proxy_http_version 1.1;\n"
             "      proxy_set_header Host %s;\n"
             "      proxy_set_header Upgrade $route_upgrade;\n"
             "      proxy_set_header Connection $route_connection;\n"
             "      proxy_connect_timeout %lldms;\n      proxy_send_timeout %dms;\n"
             "      proxy_read_timeout %dms;\n      proxy_next_upstream error;\n"
             "      proxy_next_upstream_tries 2;\n"
             "      proxy_request_buffering off;\n      proxy_buffering off;\n",
             s->tls ? "https" : "http", r->name, s->environment, name, (long long)r->connect_ms,
             EXPORT_STREAM_MS, EXPORT_STREAM_MS);
    buf_addf(out, "      add_header X-Served-By %s always;\n", s->environment);
    if (s->tls) {
        buf_addf(out,
                 "      proxy_ssl_server_name on;\n      proxy_ssl_name %s;\n"
                 "      proxy_ssl_protocols TLSv1.2 TLSv1.3;\n"
                 "      proxy_ssl_verify on;\n      proxy_ssl_verify_depth 4;\n"
                 "      proxy_ssl_trusted_certificate ",
                 s->host);
        quote(out, p->ca_file ? p->ca_file : "/etc/ssl/certs/ca-certificates.crt");
        buf_adds(out, ";\n");
    }
    buf_adds(out, "    }\n  }\n");
}

void export_nginx(const struct haproxy_plan *p, struct buf *out)
{
    write_head(p, out);
    for (size_t i = 0; i < p->n_routes; i++) {
        const struct haproxy_route *r = &p->routes[i];

        write_upstream(p, r, out);
        write_front(r, out);
        for (size_t j = 0; j < r->n_servers; j++)
            write_platform(p, r, &r->servers[j], out);
    }
    buf_adds(out, "}\n");
}

int traffic_export(const struct haproxy_plan *p, enum export_format format, struct buf *out,
                   struct err *e)
{
    if (haproxy_plan_check(p, e) != 0)
        return -1;
    switch (format) {
    case EXPORT_HAPROXY:
        export_haproxy(p, out);
        break;
    case EXPORT_NGINX:
        if (strpbrk(p->dir, " ;{}\"'$"))
            return err_set(e, ERR_USAGE, "the folder %s cannot be written in nginx's configuration",
                           p->dir);
        export_nginx(p, out);
        break;
    }
    return 0;
}
