#include "app/traffic_view.h"

#include "app/app.h"
#include "app/origin.h"
#include "app/route_parts.h"
#include "base/buf.h"
#include "traffic/haproxy.h"

#include <string.h>

/* trine traffic export: the configuration of a proxy that the team runs by itself. */

struct export_work {
    struct app *app;
    struct arena arena;
    struct haproxy_server *server;
    const struct manifest_route *route;
    bool live;
};

static void take_address(const struct deployment_row *row, void *arg)
{
    struct export_work *w = arg;
    struct origin o;

    if (strcmp(row->app, w->route->app) != 0 || !origin_read(row->url, &o))
        return;
    w->server->host = arena_strdup(&w->arena, o.host);
    w->server->port = (uint16_t)o.port;
    w->server->tls = o.secure;
    w->live = true;
}

static int add_route(struct export_work *w, const struct manifest_route *m,
                     struct haproxy_route *ret, struct err *e)
{
    struct haproxy_server *servers = arena_array(&w->arena, m->n_failover + 1, sizeof(*servers));
    size_t n = 0;

    w->route = m;
    for (size_t i = 0; i < m->n_failover; i++) {
        int weight = route_weight(m, m->failover[i]);
        servers[n] = (struct haproxy_server){
            .environment = m->failover[i], .weight = weight ? weight : 100, .backup = weight == 0};
        w->server = &servers[n];
        w->live = false;
        if (deployment_live(w->app->store, m->failover[i], take_address, w, e) < 0)
            return -1;
        if (!w->live)
            app_say(w->app, "route %s: %s is not live in %s and is left out; deploy it first",
                    m->name, m->app, m->failover[i]);
        n += w->live;
    }
    if (n == 0)
        return err_set(e, ERR_NO, "route %s: %s is live nowhere; run trine deploy first", m->name,
                       m->app);
    *ret = (struct haproxy_route){.name = m->name,
                                  .listen = *m->listen ? m->listen : "127.0.0.1:8080",
                                  .certificate = m->certificate,
                                  .health = route_health(w->app->manifest, m),
                                  .servers = servers,
                                  .n_servers = n,
                                  .retry = (enum haproxy_retry)m->retry,
                                  .connect_ms = m->connect_within_ms,
                                  .answer_ms = m->answer_within_ms,
                                  .slow_start_ms = m->slow_start_ms,
                                  .errors = m->down_after,
                                  .fast_ms = 500};
    return 0;
}

static int read_format(const char *word, enum export_format *ret, struct err *e)
{
    *ret = word && strcmp(word, "nginx") == 0 ? EXPORT_NGINX : EXPORT_HAPROXY;
    if (!word || *ret == EXPORT_NGINX || strcmp(word, "haproxy") == 0)
        return 0;
    return err_set(e, ERR_USAGE, "--format %.40s: there are haproxy and nginx", word);
}

static int print(struct app *a, const struct buf *b, struct err *e)
{
    return a->o.output ? file_write_atomic(a->o.output, b->data, b->len, 0644, e)
                       : app_print(a, b, e);
}

int traffic_export_print(struct app *a, struct err *e)
{
    struct export_work w = {.app = a};
    struct haproxy_route routes[100];
    enum export_format format = EXPORT_HAPROXY;
    struct haproxy_plan plan = {.project = a->manifest->project, .dir = "/run", .routes = routes};
    struct buf b = BUF_INIT(4 << 20);
    int rc = read_format(a->o.format, &format, e);

    for (size_t i = 0; rc == 0 && i < a->manifest->n_routes; i++)
        if (!a->o.route || strcmp(a->manifest->routes[i].name, a->o.route) == 0)
            rc = add_route(&w, &a->manifest->routes[i], &routes[plan.n_routes++], e);
    if (rc == 0 && plan.n_routes == 0)
        rc = err_set(e, ERR_USAGE, "there is no such route under traffic in %s", a->manifest->file);
    if (rc == 0)
        rc = traffic_export(&plan, format, &b, e);
    if (rc == 0)
        rc = print(a, &b, e);
    arena_release(&w.arena);
    buf_release(&b);
    return rc;
}
