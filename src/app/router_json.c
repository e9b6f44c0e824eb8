#include "app/router_inner.h"

#include "app/app.h"
#include "app/json_out.h"

#include <string.h>

/* docs/api.md, *Traffic*. */

static void json_order(struct json_out *o, const struct router_member *m)
{
    out_key(o, "order");
    if (!m->order_id) {
        out_null(o);
        return;
    }
    out_open(o, '{');
    out_int_of(o, "id", m->order_id);
    out_text_of(o, "kind", m->order_kind);
    out_int_of(o, "weight", m->order_weight);
    out_time_of(o, "until", m->order_until_ms);
    out_text_of(o, "who", m->order_who);
    out_text_of(o, "why", m->order_why);
    out_close(o, '}');
}

static void json_quorum(struct json_out *o, const struct router_member *m)
{
    out_key(o, "quorum");
    out_open(o, '{');
    out_text_of(o, "finding", finding_name(m->finding.finding));
    out_int_of(o, "valid", m->finding.valid);
    out_int_of(o, "need", m->finding.need);
    out_text_of(o, "text", m->finding.text);
    out_close(o, '}');
}

static void json_live(struct json_out *o, const struct router_member *m)
{
    out_key(o, "live");
    out_open(o, '{');
    out_text_of(o, "state", live_state_name(m->live.state));
    out_key(o, "per_second"), out_number(o, m->per_second, 1);
    out_key(o, "errors_per_second"), out_number(o, m->errors_per_second, 1);
    out_int_of(o, "waiting", m->counters.waiting);
    out_close(o, '}');
}

static void json_member(struct json_out *o, const struct router_member *m,
                        const struct failover_standing *s, int total)
{
    static const char *const fits[] = {
        [FIT_UNKNOWN] = "unknown", [FIT_YES] = "yes", [FIT_NO] = "no"};

    out_open(o, '{');
    out_text_of(o, "name", m->environment);
    out_text_of(o, "platform", m->platform);
    out_text_of(o, "state", traffic_state_name(s->state));
    out_time_of(o, "since", s->since_ms);
    out_text_of(o, "reason", s->reason);
    out_int_of(o, "weight", s->weight);
    out_key(o, "share"), out_number(o, total > 0 && !s->out ? (double)s->share / total : 0, 4);
    out_key(o, "backup"), out_flag(o, s->backup);
    out_key(o, "in_use_as_backup"), out_flag(o, s->in_use_as_backup);
    out_key(o, "out"), out_flag(o, s->out);
    json_order(o, m);
    out_time_of(o, "back_at", s->back_at_ms);
    out_int_of(o, "hold_ms", s->hold_ms);
    out_int_of(o, "flaps", s->flaps);
    json_quorum(o, m);
    json_live(o, m);
    out_int_of(o, "sessions", m->sessions);
    out_key(o, "pace_ms");
    if (m->pace_ms)
        out_int(o, m->pace_ms);
    else
        out_null(o);
    out_key(o, "pace_stops_when_idle"), out_flag(o, m->pace_stops);
    out_text_of(o, "fit", fits[m->fitness.fit]);
    out_text_of(o, "fit_why", m->fitness.why);
    out_close(o, '}');
}

static void json_route(struct json_out *o, const struct router_route *route)
{
    size_t n = 0, standby = failover_standby(route->failover);
    const struct failover_standing *all = failover_standings(route->failover, &n);
    int total = 0;

    for (size_t i = 0; i < n; i++)
        total += all[i].out ? 0 : all[i].share;
    out_open(o, '{');
    out_text_of(o, "name", route->m->name);
    out_text_of(o, "app", route->m->app);
    out_text_of(o, "listen", route->m->listen);
    out_text_of(o, "host", route->m->host);
    out_key(o, "failing_open"), out_flag(o, failover_is_open(route->failover));
    out_text_of(o, "open_why", failover_open_why(route->failover));
    out_text_of(o, "standby", standby < n ? all[standby].environment : NULL);
    out_key(o, "environments");
    out_open(o, '[');
    for (size_t i = 0; i < n; i++)
        json_member(o, &route->members[i], &all[i], total);
    out_close(o, ']');
    router_dns_json(route, o);
    out_key(o, "checking");
    checking_json(&route->router->checking, route->m->name, o);
    out_close(o, '}');
}

static void json_vantage(struct json_out *o, const struct router *r, const struct observer *v)
{
    int64_t ago = clock_mono_ms(&r->o.app->clock) - v->seen_ms;
    int64_t now = clock_wall_ms(&r->o.app->clock);

    out_open(o, '{');
    out_text_of(o, "name", v->name);
    out_key(o, "valid"), out_flag(o, v->valid);
    out_text_of(o, "why", v->why);
    out_time_of(o, "seen_at", v == &r->observers[0] ? now : now - ago);
    out_int_of(o, "clock_off_ms", v->clock_off_ms);
    out_close(o, '}');
}

static const char *why_off(const struct router *r)
{
    for (size_t i = 0; i < r->n_routes; i++)
        if (*r->routes[i].m->listen)
            return "nothing that a route with a listen address leads to is live yet; see trine "
                   "status";
    return "no route of the manifest has a listen address";
}

static void json_proxy(struct json_out *o, const struct router *r)
{
    const char *why = why_off(r);
    enum haproxy_state state = r->proxy ? haproxy_state(r->proxy, &why) : HAPROXY_OFF;
    int64_t pid = r->proxy ? haproxy_pid(r->proxy) : 0;

    out_key(o, "proxy");
    out_open(o, '{');
    out_text_of(o, "state", haproxy_state_name(state));
    out_text_of(o, "why", why);
    out_key(o, "pid");
    if (pid)
        out_int(o, pid);
    else
        out_null(o);
    out_close(o, '}');
}

void router_json(const struct router *r, struct json_out *o)
{
    out_open(o, '{');
    out_time_of(o, "now", clock_wall_ms(&r->o.app->clock));
    out_key(o, "steering"), out_flag(o, r->steering);
    out_text_of(o, "why", r->why);
    json_proxy(o, r);
    out_key(o, "routes");
    out_open(o, '[');
    for (size_t i = 0; i < r->n_routes; i++)
        json_route(o, &r->routes[i]);
    out_close(o, ']');
    out_key(o, "vantages");
    out_open(o, '[');
    for (size_t i = 0; i < r->n_observers; i++)
        json_vantage(o, r, &r->observers[i]);
    out_close(o, ']');
    out_close(o, '}');
}
