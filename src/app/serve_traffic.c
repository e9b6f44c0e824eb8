#include "app/serve_query.h"

#include "app/api.h"
#include "app/json_out.h"
#include "app/order_check.h"
#include "app/router.h"
#include "app/store_worker.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* The API's part about traffic; see docs/api.md. */

enum { CHANGES_MAX = 500 };

static void put_no_traffic(const struct serve *s, struct json_out *o)
{
    static const char rest[] = "\"steering\":false,"
                               "\"why\":\"the manifest has no routes under traffic\","
                               "\"proxy\":{\"state\":\"off\",\"why\":\"\",\"pid\":null},"
                               "\"routes\":[],\"vantages\":[]";

    out_open(o, '{');
    out_time_of(o, "now", clock_wall_ms(&s->app->clock));
    buf_addc(o->b, ',');
    buf_add(o->b, rest, sizeof(rest) - 1);
    out_close(o, '}');
}

static void put_traffic(struct serve *s, struct buf *b)
{
    struct json_out o = {.b = b};

    if (s->router)
        router_json(s->router, &o);
    else
        put_no_traffic(s, &o);
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
    struct orderable route;
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

/* A member of another type than it has to be must not count as left out: "weight": "50" would send
 * nothing there. */
static int check_members(const json_t *j, struct err *e)
{
    static const struct {
        const char *name;
        bool number, needed;
    } members[] = {{"route", false, true},  {"environment", false, true}, {"kind", false, true},
                   {"weight", true, false}, {"for_ms", true, false},      {"why", false, false}};
    bool weight = strcmp(json_str(j, "kind", ""), order_kind_name(ORDER_WEIGHT)) == 0;

    if (!json_is_object(j))
        return err_set(e, ERR_USAGE, "the order: give an object with route, environment and kind");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *m = json_object_get(j, members[i].name);
        bool needed = members[i].needed || (weight && strcmp(members[i].name, "weight") == 0);
        if (m && !(members[i].number ? json_is_integer(m) : json_is_string(m)))
            return err_set(e, ERR_USAGE, "%s: give a %s", members[i].name,
                           members[i].number ? "whole number" : "text");
        if (!m && needed)
            return err_set(e, ERR_USAGE, "%s is missing", members[i].name);
    }
    return 0;
}

static int read_order(struct ordering *g, const json_t *j, const char *who, struct err *e)
{
    const int64_t longest_ms = (int64_t)ORDER_SPAN_MAX_DAYS * 24 * 3600 * 1000;
    const char *name = json_str(j, "route", "");
    int64_t weight = json_int(j, "weight", 0), span = json_int(j, "for_ms", 0);
    int64_t now = clock_wall_ms(&g->serve->app->clock);

    if (check_members(j, e) < 0)
        return -1;
    const struct manifest_route *route = route_of(g->serve, name);
    if (!route)
        return err_set(e, ERR_USAGE, "route: there is no route \"%.80s\"", name);
    if (weight < 0 || weight > 100)
        return err_set(e, ERR_USAGE, "weight: %lld is not 0 to 100", (long long)weight);
    if (span < 0 || span > longest_ms)
        return err_set(e, ERR_USAGE, "for_ms: %lld is not 0 to %lld, which is %d days",
                       (long long)span, (long long)longest_ms, ORDER_SPAN_MAX_DAYS);
    orderable_from(&g->arena, route, &g->route);
    g->order = (struct traffic_order){
        .route = g->route.route,
        .environment = arena_strdup(&g->arena, json_str(j, "environment", "")),
        .kind = arena_strdup(&g->arena, json_str(j, "kind", "")),
        .weight = (int)weight,
        .made_ms = now,
        .until_ms = span ? now + span : 0,
        .who = arena_printf(&g->arena, "token %s", who),
        .why = arena_printf(&g->arena, "%.150s", json_str(j, "why", ""))};
    return 0;
}

static int write_order(struct store *store, void *arg, struct err *e)
{
    struct ordering *g = arg;
    int n = 0;

    if (order_check(store, &g->route, &g->order, 1, e) < 0)
        return -1;
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
    if (!j || read_order(g, j, c->who.name, &e) < 0) {
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
