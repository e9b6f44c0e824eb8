#include "app/serve_query.h"

#include "app/api.h"
#include "app/json_out.h"
#include "app/router.h"
#include "app/store_worker.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* The API's part about traffic; see docs/api.md. */

enum { CHANGES_MAX = 500 };

static void put_traffic(struct serve *s, struct buf *b)
{
    struct json_out o = {.b = b};

    if (s->router)
        router_json(s->router, &o);
    else
        buf_adds(b, "{\"steering\":false,\"why\":\"the manifest has no routes under traffic\","
                    "\"proxy\":{\"state\":\"off\",\"why\":\"\",\"pid\":null},\"routes\":[],"
                    "\"vantages\":[]}");
    serve_redact(s, b);
}

void traffic_get(struct api_call *c)
{
    struct buf b = BUF_INIT(4 << 20);

    put_traffic(c->arg, &b);
    api_answer_json(c->x, 200, &b);
    buf_release(&b);
}

/* --- The log -------------------------------------------------------------------------------------
 */

static void put_change(const struct traffic_change *c, void *arg)
{
    struct json_out *o = arg;

    out_open(o, '{');
    out_int_of(o, "id", c->id);
    out_text_of(o, "route", c->route);
    out_text_of(o, "environment", c->environment);
    out_text_of(o, "from", c->from);
    out_text_of(o, "event", c->event);
    out_text_of(o, "to", c->to);
    out_text_of(o, "action", c->action);
    out_text_of(o, "reason", c->reason);
    out_key(o, "evidence");
    if (*c->evidence)
        out_raw(o, c->evidence, strlen(c->evidence));
    else
        out_null(o);
    out_time_of(o, "seen_at", c->seen_us / 1000);
    out_key(o, "seen_ms"), out_number(o, (double)c->seen_us / 1000, 3);
    out_key(o, "decided_ms"), out_us(o, c->decided_us - c->seen_us);
    out_key(o, "applied_ms"), out_us(o, c->applied_us ? c->applied_us - c->seen_us : -1);
    out_close(o, '}');
}

static int make_changes(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    struct json_out o = {.b = out};

    out_open(&o, '{');
    out_key(&o, "changes");
    out_open(&o, '[');
    int rc = traffic_change_list(a->store, NULL, ask->from_ms, ask->until_ms, CHANGES_MAX,
                                 put_change, &o, e);
    out_close(&o, ']');
    out_close(&o, '}');
    return rc;
}

void traffic_changes_get(struct api_call *c)
{
    struct query_ask ask = {
        .name = "traffic-changes", .ttl_ms = 200, .stale_ms = 200, .make = make_changes};

    if (query_window(c->x, "24h", &ask))
        query_answer(c->arg, c->x, &ask);
}

/* --- Orders --------------------------------------------------------------------------------------
 */

struct ordering {
    struct serve *serve;
    struct http_exchange *x; /* NULL: nobody waits any more */
    struct arena arena;
    struct traffic_order order;
};

static const struct manifest_route *route_of(const struct serve *s, const char *name)
{
    const struct manifest *m = s->setup->manifest;

    for (size_t i = 0; i < m->n_routes; i++)
        if (strcmp(m->routes[i].name, name) == 0)
            return &m->routes[i];
    return NULL;
}

static bool leads_to(const struct manifest_route *route, const char *environment)
{
    for (size_t i = 0; i < route->n_failover; i++)
        if (strcmp(route->failover[i], environment) == 0)
            return true;
    return false;
}

static bool is_kind(const char *word)
{
    for (int k = ORDER_WEIGHT; k <= ORDER_NONE; k++)
        if (strcmp(word, order_kind_name((enum order_kind)k)) == 0)
            return true;
    return false;
}

static int read_order(struct ordering *g, const json_t *j, struct err *e)
{
    const char *name = json_str(j, "route", ""), *environment = json_str(j, "environment", "");
    const char *kind = json_str(j, "kind", "");
    const struct manifest_route *route = route_of(g->serve, name);
    int64_t weight = json_int(j, "weight", 0), span = json_int(j, "for_ms", 0);
    int64_t now = clock_wall_ms(&g->serve->app->clock);

    if (!route)
        return err_set(e, ERR_USAGE, "route: there is no route \"%.80s\"", name);
    if (!leads_to(route, environment))
        return err_set(e, ERR_USAGE, "environment: route %s does not lead to \"%.80s\"", name,
                       environment);
    if (!is_kind(kind))
        return err_set(e, ERR_USAGE, "kind: \"%.40s\" is none of weight, drain, up, down, none",
                       kind);
    if (weight < 0 || weight > 100)
        return err_set(e, ERR_USAGE, "weight: %lld is not 0 to 100", (long long)weight);
    if (span < 0 || span > INT64_C(366) * 24 * 3600 * 1000)
        return err_set(e, ERR_USAGE, "for_ms: more than a year, or negative");
    g->order =
        (struct traffic_order){.route = arena_strdup(&g->arena, name),
                               .environment = arena_strdup(&g->arena, environment),
                               .kind = arena_strdup(&g->arena, kind),
                               .weight = (int)weight,
                               .made_ms = now,
                               .until_ms = span ? now + span : 0,
                               .who = "the dashboard",
                               .why = arena_printf(&g->arena, "%.150s", json_str(j, "why", ""))};
    return 0;
}

static int write_order(struct store *store, void *arg, struct err *e)
{
    struct ordering *g = arg;
    int n = 0;

    if (strcmp(g->order.kind, order_kind_name(ORDER_NONE)) == 0)
        return traffic_order_end(store, g->order.route, g->order.environment, g->order.made_ms, &n,
                                 e);
    return traffic_order_make(store, &g->order, &g->order.id, e);
}

static void ordered(const struct err *e, void *arg)
{
    struct ordering *g = arg;
    struct buf b = BUF_INIT(4 << 20);

    if (!e && g->serve->router)
        router_look_for_orders(g->serve->router);
    if (g->x && e) {
        api_refuse_err(g->x, e);
    } else if (g->x) {
        put_traffic(g->serve, &b);
        api_answer_json(g->x, 202, &b);
    }
    buf_release(&b);
    arena_release(&g->arena);
    free(g);
}

static void left(void *arg)
{
    struct ordering *g = arg;

    g->x = NULL;
}

void traffic_order_post(struct api_call *c)
{
    struct serve *s = c->arg;
    struct ordering *g = mem_alloc(sizeof(*g));
    struct err e = ERR_INIT;
    size_t len = 0;
    const char *body = http_exchange_body(c->x, &len);
    json_t *j = json_read(body, len, "the order", &e);

    *g = (struct ordering){.serve = s, .x = c->x};
    if (!j || read_order(g, j, &e) < 0) {
        e.kind = ERR_USAGE;
        api_refuse_err(c->x, &e);
        arena_release(&g->arena);
        free(g);
    } else {
        http_exchange_on_gone(c->x, left, g);
        store_worker_do(s->reader, "traffic: order", write_order, ordered, g);
    }
    json_decref(j);
}
