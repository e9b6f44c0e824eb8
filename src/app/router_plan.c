#include "app/router_inner.h"

#include "app/app.h"
#include "app/route_parts.h"
#include "app/watch.h"
#include "base/mem.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The manifest's routes and what is live become members, and those become HAProxy's plan. */

/* --- What is live --------------------------------------------------------------------------------
 */

struct place_found {
    struct router *router;
    struct arena *arena;
    struct router_member *member;
    const char *app;
};

static void take_address(const struct deployment_row *row, void *arg)
{
    struct place_found *f = arg;
    struct router_member *m = f->member;

    if (strcmp(row->app, f->app) != 0 || strcmp(row->instance, m->instance) != 0)
        return;
    if (!origin_read(row->url, &m->origin))
        m->origin = (struct origin){0};
    m->platform = arena_strdup(f->arena, row->platform);
}

/* --- Members -------------------------------------------------------------------------------------
 */

static bool listed(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static const struct watch_check *deciding_check(const struct router *r,
                                                const struct router_route *route,
                                                const struct router_member *m)
{
    size_t n = 0;
    const struct watch_check *const *all = watch_checks(r->o.watch, &n);

    for (size_t i = 0; i < n; i++)
        if (all[i]->present && strcmp(all[i]->environment, m->environment) == 0 &&
            strcmp(all[i]->app, route->m->app) == 0 && strcmp(all[i]->instance, m->instance) == 0 &&
            strcmp(all[i]->check, route->m->check) == 0)
            return all[i];
    return NULL;
}

static int add_member(struct router *r, struct router_route *route, const char *environment,
                      struct err *e)
{
    const struct manifest_route *m = route->m;
    struct router_member *member = &route->members[route->n_members];
    struct place_found found = {r, &r->arena, member, m->app};

    *member = (struct router_member){.environment = environment,
                                     .platform = "",
                                     .instance = app_first_instance(r->o.app->manifest, m->app),
                                     .weight = route_weight(m, environment),
                                     .backup = listed(m->backup, m->n_backup, environment) ||
                                               route_weight(m, environment) == 0};
    if (deployment_live(r->o.app->store, environment, take_address, &found, e) < 0)
        return -1;
    const struct watch_check *check = deciding_check(r, route, member);
    if (!member->origin.port) {
        router_say(r,
                   "route %s: %s is not live there, so %s gets no traffic; deploy it with: "
                   "trine deploy -e %s",
                   m->name, m->app, environment, environment);
        return 0;
    }
    member->series = check ? check->series : 0;
    member->sleeps = check && check->sleeps;
    route->n_members++;
    return 0;
}

/* --- A route -------------------------------------------------------------------------------------
 */

_Static_assert((int)MANIFEST_ROUTE_ENVIRONMENTS_MAX == (int)ROUTE_ENVIRONMENTS_MAX,
               "the manifest lets through what a route can hold");

static struct failover *make_failover(struct router *r, struct router_route *route, struct err *e)
{
    struct failover_member list[ROUTE_ENVIRONMENTS_MAX];

    for (size_t i = 0; i < route->n_members; i++)
        list[i] = (struct failover_member){
            .environment = route->members[i].environment,
            .weight = route->members[i].backup ? 0 : route->members[i].weight,
            .backup = route->members[i].backup,
            .sleeps = route->members[i].sleeps};
    const struct failover_options o = {.route = route->m->name,
                                       .members = list,
                                       .n_members = route->n_members,
                                       .hold_ms = route->m->hold_ms,
                                       .fast_ms = ROUTER_FAST_FOR_MS,
                                       .refuse_unfit = route->m->unfit == ROUTE_REFUSE,
                                       .fitness = router_fitness,
                                       .arg = route};
    return failover_new(&o, clock_wall_ms(&r->o.app->clock), e);
}

static bool same_check(const struct router_route *a, const struct router_member *in_a,
                       const struct router_route *b, const struct router_member *in_b)
{
    return strcmp(a->m->app, b->m->app) == 0 && strcmp(a->m->check, b->m->check) == 0 &&
           strcmp(in_a->instance, in_b->instance) == 0;
}

/* What another check said would never be corrected: nobody asks it any more. */
static void carry_evidence(struct router_member *m, const struct router_member *was, bool votes)
{
    if (votes) {
        memcpy(m->ballots, was->ballots, sizeof(m->ballots));
        m->finding = was->finding;
    }
    m->asleep = was->asleep;
    m->fast_until_ms = was->fast_until_ms;
    m->live = was->live;
    m->counters = was->counters;
}

static void carry_order(struct router_member *m, const struct router_member *was)
{
    m->order_id = was->order_id;
    m->order_until_ms = was->order_until_ms;
    m->order_weight = was->order_weight;
    (void)text_copy(m->order_kind, sizeof(m->order_kind), was->order_kind);
    (void)text_copy(m->order_who, sizeof(m->order_who), was->order_who);
    (void)text_copy(m->order_why, sizeof(m->order_why), was->order_why);
}

/* What was known of the route: by this process, or by the one before, which wrote it down. */
static void carry_over(struct router *r, struct router_route *route, const struct router_route *old)
{
    struct buf b = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    char *kept = NULL;
    int64_t when = 0;

    if (old && old->failover && !r->taking_over)
        failover_save(old->failover, &b);
    else if (traffic_state_get(r->o.app->store, route->m->name, &kept, &when, &e) == 0)
        buf_adds(&b, kept);
    if (b.len &&
        failover_restore(route->failover, b.data, b.len, clock_wall_ms(&r->o.app->clock), &e) < 0)
        router_say(r, "route %s: where it stood is not known and is found out anew: %s",
                   route->m->name, e.text);
    free(kept);
    buf_release(&b);
    for (size_t i = 0; old && i < route->n_members; i++)
        for (size_t j = 0; j < old->n_members; j++)
            if (strcmp(route->members[i].environment, old->members[j].environment) == 0) {
                struct router_member *m = &route->members[i];
                const struct router_member *was = &old->members[j];
                carry_evidence(m, was, same_check(route, m, old, was));
                if (!r->taking_over) /* orders are read anew */
                    carry_order(m, was);
            }
}

static const struct router_route *find_old(const struct router_route *old, size_t n,
                                           const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(old[i].m->name, name) == 0)
            return &old[i];
    return NULL;
}

/* Without an environment that is live there is no route yet: no error. */
static int add_route(struct router *r, const struct manifest_route *m,
                     const struct router_route *old, struct err *e)
{
    struct router_route *route = &r->routes[r->n_routes];

    *route = (struct router_route){.router = r, .m = m};
    route->members = arena_array(&r->arena, ROUTE_ENVIRONMENTS_MAX, sizeof(*route->members));
    for (size_t i = 0; i < m->n_failover && route->n_members < ROUTE_ENVIRONMENTS_MAX; i++)
        if (add_member(r, route, m->failover[i], e) < 0)
            return -1;
    struct err why = ERR_INIT;
    route->failover = route->n_members ? make_failover(r, route, &why) : NULL;
    if (!route->failover) {
        router_say(r, "route %s: nothing to send to%s%s", m->name, why.text[0] ? ": " : "",
                   why.text);
        return 0;
    }
    r->n_routes++;
    carry_over(r, route, old);
    return 0;
}

/* What decides whether the proxy and the failover are to be made anew. */
static void describe(const struct router *r, struct buf *out)
{
    for (size_t i = 0; i < r->n_routes; i++) {
        const struct manifest_route *m = r->routes[i].m;
        buf_addf(out, "%s %s %s %s %d %lld %lld %lld %lld %d;", m->name, m->listen, m->certificate,
                 m->check, (int)m->retry, (long long)m->connect_within_ms,
                 (long long)m->answer_within_ms, (long long)m->slow_start_ms, (long long)m->hold_ms,
                 (int)m->unfit);
        for (size_t j = 0; j < r->routes[i].n_members; j++) {
            const struct router_member *v = &r->routes[i].members[j];
            buf_addf(out, "%s %s %d %d %d %d %lld;", v->environment, v->origin.host, v->origin.port,
                     v->origin.secure, v->weight, v->backup, (long long)v->series);
        }
    }
}

static void release_routes(struct router_route *routes, size_t n, struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        failover_free(routes[i].failover);
        router_dns_end(&routes[i]);
    }
    free(routes);
    arena_release(arena);
}

void router_plan_release(struct router *r)
{
    release_routes(r->routes, r->n_routes, &r->arena);
    r->routes = NULL;
    r->n_routes = 0;
    checking_rows_release(&r->checking);
    free(r->described);
    r->described = NULL;
}

int router_plan(struct router *r, struct err *e)
{
    struct router_route *old = r->routes;
    size_t n_old = r->n_routes;
    struct arena old_arena = r->arena;
    const struct manifest *m = r->o.app->manifest;
    struct buf text = BUF_INIT(1 << 20);
    int rc = 0;

    r->arena = ARENA_INIT;
    r->routes = mem_grow(NULL, m->n_routes + 1, sizeof(*r->routes));
    r->n_routes = 0;
    for (size_t i = 0; rc == 0 && i < m->n_routes; i++)
        rc = add_route(r, &m->routes[i], find_old(old, n_old, m->routes[i].name), e);
    describe(r, &text);
    if (rc < 0) { /* the old ones stay in force */
        release_routes(r->routes, r->n_routes, &r->arena);
        r->routes = old;
        r->n_routes = n_old;
        r->arena = old_arena;
        buf_release(&text);
        return -1;
    }
    router_dns_carry(r, old, n_old);
    release_routes(old, n_old, &old_arena);
    checking_rows_release(&r->checking);
    r->checking = (struct checking_rows){0};
    checking_rows(m, r->o.matrix, &r->checking);
    r->differs = !r->described || strcmp(r->described, text.len ? text.data : "") != 0;
    free(r->described);
    r->described = mem_strdup(text.len ? text.data : "");
    buf_release(&text);
    return 0;
}

/* --- HAProxy's plan ------------------------------------------------------------------------------
 */

static const char *beside_manifest(const struct router *r, const char *path, struct arena *a)
{
    return !*path || *path == '/' ? path : arena_printf(a, "%s/%s", r->o.app->manifest->dir, path);
}

static struct haproxy_route route_for_proxy(const struct router *r,
                                            const struct router_route *route, struct arena *a)
{
    const struct manifest_route *m = route->m;
    struct haproxy_server *servers = arena_array(a, route->n_members, sizeof(*servers));

    for (size_t i = 0; i < route->n_members; i++) {
        const struct router_member *v = &route->members[i];
        servers[i] = (struct haproxy_server){.environment = v->environment,
                                             .host = v->origin.host,
                                             .port = (uint16_t)v->origin.port,
                                             .tls = v->origin.secure,
                                             .weight = v->backup ? 100 : v->weight,
                                             .backup = v->backup};
    }
    return (struct haproxy_route){.name = m->name,
                                  .listen = m->listen,
                                  .certificate = beside_manifest(r, m->certificate, a),
                                  .health = route_health(r->o.app->manifest, m),
                                  .servers = servers,
                                  .n_servers = route->n_members,
                                  .retry = (enum haproxy_retry)m->retry,
                                  .connect_ms = m->connect_within_ms,
                                  .answer_ms = m->answer_within_ms,
                                  .slow_start_ms = m->slow_start_ms,
                                  .errors = m->down_after,
                                  .fast_ms = ROUTER_FAST_MS};
}

int router_proxy_plan(const struct router *r, const char *dir, struct arena *a,
                      struct haproxy_plan *ret)
{
    struct haproxy_route *list = arena_array(a, r->n_routes + 1, sizeof(*list));
    size_t n = 0;

    for (size_t i = 0; i < r->n_routes; i++)
        if (*r->routes[i].m->listen)
            list[n++] = route_for_proxy(r, &r->routes[i], a);
    *ret = (struct haproxy_plan){
        .project = r->o.app->manifest->project, .dir = dir, .routes = list, .n_routes = n};
    return n > 0;
}
