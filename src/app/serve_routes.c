#include "app/serve.h"

#include "app/api.h"
#include "app/api_assets.h"
#include "app/event_hub.h"
#include "app/serve_drill.h"

#include <string.h>

/* Which path is answered by what; see docs/api.md. */

static void healthz(struct api_call *c)
{
    api_answer(c->x, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void metrics(struct api_call *c)
{
    const struct buf *b = serve_metrics(c->arg);

    api_answer(c->x, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(b), b->len);
}

static void overview(struct api_call *c)
{
    api_answer_json(c->x, 200, serve_overview(c->arg));
}

static void checks(struct api_call *c)
{
    api_answer_json(c->x, 200, serve_checks(c->arg));
}

static void deployments(struct api_call *c)
{
    api_answer_json(c->x, 200, serve_deployments(c->arg));
}

static void events(struct api_call *c)
{
    const struct serve *s = c->arg;

    if (c->head) {
        api_answer(c->x, 200, "text/event-stream", "", 0);
    } else if (!event_hub_join(s->hub, c->x)) {
        http_exchange_set(c->x, "Retry-After", "5");
        api_refuse(c->x, 503, "no", "%d pages read along already; close one, or come back later",
                   HUB_READERS_MAX);
    }
}

static void compare(struct api_call *c)
{
    query_compare(c->arg, c->x);
}

static void one_check(struct api_call *c)
{
    query_check(c->arg, c->x, c->id);
}

static void releases(struct api_call *c)
{
    query_releases(c->arg, c->x);
}

static void outages(struct api_call *c)
{
    query_outages(c->arg, c->x);
}

static void incidents(struct api_call *c)
{
    query_incidents(c->arg, c->x);
}

static void one_incident(struct api_call *c)
{
    query_incident(c->arg, c->x, c->id);
}

static void acknowledge_incident(struct api_call *c)
{
    query_acknowledge_incident(c->arg, c->x, c->id);
}

static void prober(struct api_call *c)
{
    query_prober(c->arg, c->x);
}

static void acknowledge(struct api_call *c)
{
    query_acknowledge(c->arg, c->x, c->id);
}

static void probe_now(struct api_call *c)
{
    const struct serve *s = c->arg;
    const struct watch_check *k = watch_find(s->watch, c->id);

    if (!k || !k->present) {
        api_refuse(c->x, 404, "no", "there is no check %lld that is measured now",
                   (long long)c->id);
        return;
    }
    /* When one is under way already, its sample tells what was asked for. */
    (void)watch_probe_now(s->watch, c->id);
    api_answer(c->x, 202, "application/json", "{}", 2);
}

static void page(struct api_call *c)
{
    const char *path = http_exchange_path(c->x);
    const struct embedded_asset *a = asset_find(web_assets, web_assets_count, path);

    if (a)
        asset_answer(c->x, a);
    else if (web_assets_count == 0 && strcmp(path, "/") == 0)
        asset_answer_none(c->x);
    else
        api_refuse(c->x, 404, "no", "there is no %.200s here", path);
}

static const struct api_route routes[] = {
    {"GET", "/healthz", API_OPEN, healthz},
    {"GET", "/metrics", API_READ, metrics},
    {"GET", "/api/v1/overview", API_READ, overview},
    {"GET", "/api/v1/compare", API_READ, compare},
    {"GET", "/api/v1/checks", API_READ, checks},
    {"GET", "/api/v1/checks/:id", API_READ, one_check},
    {"POST", "/api/v1/checks/:id/probe", API_OPERATE, probe_now},
    {"GET", "/api/v1/deployments", API_READ, deployments},
    {"GET", "/api/v1/releases", API_READ, releases},
    {"GET", "/api/v1/outages", API_READ, outages},
    {"POST", "/api/v1/outages/:id/acknowledge", API_OPERATE, acknowledge},
    {"GET", "/api/v1/incidents", API_READ, incidents},
    {"GET", "/api/v1/incidents/:id", API_READ, one_incident},
    {"POST", "/api/v1/incidents/:id/acknowledge", API_OPERATE, acknowledge_incident},
    {"GET", "/api/v1/prober", API_READ, prober},
    {"GET", "/api/v1/traffic", API_READ, traffic_get},
    {"GET", "/api/v1/traffic/changes", API_READ, traffic_changes_get},
    {"POST", "/api/v1/traffic/orders", API_OPERATE, traffic_order_post},
    {"GET", "/api/v1/agents", API_READ, agents_get},
    {"GET", "/api/v1/agents/assignment", API_AGENT, agent_assignment_get},
    {"POST", "/api/v1/agents/report", API_AGENT, agent_report_post},
    {"GET", "/api/v1/drills", API_READ, drills_get},
    {"POST", "/api/v1/drills", API_OPERATE, drills_post},
    {"POST", "/api/v1/drills/stop", API_OPERATE, drills_stop_post},
    {"GET", "/api/v1/events", API_READ, events},
    {0},
};

static int check_token(const char *token, struct access_holder *ret, void *arg, struct err *e)
{
    const struct serve *s = arg;

    return access_check(s->app->store, token, ret, e);
}

void serve_routes(struct serve *s, struct api_options *ret)
{
    ret->routes = routes;
    ret->other = page;
    ret->check = check_token;
    ret->arg = s;
}
