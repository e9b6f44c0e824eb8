#include "app/router_inner.h"

#include "app/app.h"
#include "app/json_out.h"
#include "app/store_worker.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lease, orders, log and state of the router: all on the ledger, so that no disk holds up a
 * decision. */

static void failed(struct router *r, const struct err *e)
{
    if (strcmp(r->said.text, e->text) != 0)
        router_say(r, "%s", e->text);
    r->said = *e;
}

/* --- The lease -----------------------------------------------------------------------------------
 */

struct lease_job {
    struct router *router;
    struct lease lease;
    bool have;
};

static int lease_work(struct store *s, void *arg, struct err *e)
{
    struct lease_job *j = arg;

    return j->have ? lease_heartbeat(s, &j->lease, e)
                   : lease_acquire(s, ROUTER_LEASE, "trine serve: traffic", &j->lease, e);
}

/* "environment traffic: another run is working on it: held by NAME since WHEN, at least until WHEN:
 * ...": who has it, without the end, which moves on each time it is asked. */
static void who_steers(const struct err *e, char *ret, size_t size)
{
    const char *held = strstr(e->text, "held by "), *end = strstr(e->text, ", at least until ");

    if (held && end && end > held)
        (void)snprintf(ret, size,
                       "traffic is steered by another process, %.*s; this one measures, and "
                       "follows when that one ends",
                       (int)(end - held), held);
    else
        (void)text_copy(ret, size, e->text);
}

static void lease_lost(struct router *r, const struct err *e)
{
    char why[sizeof(r->why)];

    who_steers(e, why, sizeof(why));
    if (r->steering || strcmp(r->why, why) != 0)
        router_say(r, "%s", why);
    (void)text_copy(r->why, sizeof(r->why), why);
    r->steering = false;
    for (size_t i = 0; i < r->n_routes; i++)
        router_dns_end(&r->routes[i]);
    if (r->proxy)
        haproxy_leave(r->proxy); /* whoever has the lease steers it now */
}

static void lease_done(const struct err *e, void *arg)
{
    struct lease_job *j = arg;
    struct router *r = j->router;
    bool began = !e && !r->steering;

    r->leasing = false;
    /* A full disk takes nobody's lease away: it runs out by itself when nobody could write. */
    if (e && e->kind == ERR_NO)
        lease_lost(r, e);
    else if (e)
        failed(r, e);
    else
        r->lease = j->lease;
    free(j);
    if (began && r->stopping) /* the next process need not wait until it runs out */
        router_lease_release(r);
    if (began && !r->stopping) {
        r->steering = true;
        r->why[0] = '\0';
        router_begin(r);
    }
    if (!r->stopping)
        timer_start(r->lease_timer, r->steering ? LEASE_HEARTBEAT_MS : ROUTER_LEASE_AGAIN_MS);
    router_moved(r);
}

void router_lease(struct router *r)
{
    struct lease_job *j = mem_alloc(sizeof(*j));

    if (r->leasing || r->stopping) {
        free(j);
        return;
    }
    r->leasing = true;
    *j = (struct lease_job){.router = r, .lease = r->lease, .have = r->steering};
    store_worker_do(r->ledger, "traffic: lease", lease_work, lease_done, j);
}

static int release_work(struct store *s, void *arg, struct err *e)
{
    return lease_release(s, arg, e);
}

static void release_done(const struct err *e, void *arg)
{
    (void)e; /* it runs out by itself */
    free(arg);
}

void router_lease_release(struct router *r)
{
    struct lease *l = mem_alloc(sizeof(*l));

    *l = r->lease;
    store_worker_do(r->ledger, "traffic: lease", release_work, release_done, l);
}

/* --- Orders --------------------------------------------------------------------------------------
 */

struct kept_order {
    struct kept_order *next;
    struct traffic_order order;
};
struct orders_job {
    struct router *router;
    struct arena arena;
    struct kept_order *first;
    int64_t now_ms;
    bool expired; /* one of them is over and has not been ended */
};

static void keep_order(const struct traffic_order *o, void *arg)
{
    struct orders_job *j = arg;
    struct kept_order *k = arena_alloc(&j->arena, sizeof(*k));

    j->expired |= o->until_ms && o->until_ms <= j->now_ms;
    k->order = *o;
    k->order.route = arena_strdup(&j->arena, o->route);
    k->order.environment = arena_strdup(&j->arena, o->environment);
    k->order.kind = arena_strdup(&j->arena, o->kind);
    k->order.who = arena_strdup(&j->arena, o->who);
    k->order.why = arena_strdup(&j->arena, o->why);
    k->next = j->first;
    j->first = k;
}

static int orders_work(struct store *s, void *arg, struct err *e)
{
    struct orders_job *j = arg;
    struct err unsaid = ERR_INIT;

    if (traffic_order_list(s, false, 0, keep_order, j, e) < 0)
        return -1;
    if (j->expired) /* the router follows it no more in any case; the next look tries again */
        (void)traffic_order_expire(s, j->now_ms, &unsaid);
    return 0;
}

static enum order_kind kind_of(const char *word)
{
    for (int k = ORDER_WEIGHT; k < ORDER_NONE; k++)
        if (strcmp(word, order_kind_name((enum order_kind)k)) == 0)
            return (enum order_kind)k;
    return ORDER_NONE;
}

static void give_order(struct router_route *route, struct router_member *m,
                       const struct traffic_order *o)
{
    struct router *r = route->router;
    struct decision d = decision_begin(route, router_wall_us(r));
    struct err e = ERR_INIT;

    m->order_id = o ? o->id : 0;
    m->order_until_ms = o ? o->until_ms : 0;
    m->order_weight = o ? o->weight : 0;
    (void)text_copy(m->order_kind, sizeof(m->order_kind), o ? o->kind : "");
    (void)text_copy(m->order_who, sizeof(m->order_who), o ? o->who : "");
    (void)text_copy(m->order_why, sizeof(m->order_why), o ? o->why : "");
    if (failover_order(route->failover, m->environment, o ? kind_of(o->kind) : ORDER_NONE,
                       o ? o->weight : 0, o ? o->until_ms : 0, clock_wall_ms(&r->o.app->clock),
                       decision_change, &d, &e) < 0)
        router_say(r, "route %s: the order for %s is not followed: %s", route->m->name,
                   m->environment, e.text);
    decision_end(&d);
}

static const struct traffic_order *order_of(const struct orders_job *j,
                                            const struct router_route *route,
                                            const struct router_member *m)
{
    for (const struct kept_order *k = j->first; k; k = k->next)
        if (strcmp(k->order.route, route->m->name) == 0 &&
            strcmp(k->order.environment, m->environment) == 0)
            return &k->order;
    return NULL;
}

static void follow_dns(struct router_route *route, const struct orders_job *j)
{
    struct router *r = route->router;

    for (const struct kept_order *k = j->first; k; k = k->next) {
        if (strcmp(k->order.route, route->m->name) != 0 ||
            strcmp(k->order.environment, ROUTER_DNS) != 0 || !r->steering)
            continue;
        router_dns_accept(route, k->order.id);
    }
}

/* By what the process before left, though the order was taken back while no router ran. */
static bool still_ordered(const struct router_route *route, size_t member)
{
    size_t n = 0;
    const struct failover_standing *all = failover_standings(route->failover, &n);

    return member < n && all[member].ordered;
}

/* What sends an environment nothing comes after what sends one something: of two orders that swap
 * two environments the first must not find nobody left. */
static bool sends_away(const struct traffic_order *o)
{
    const enum order_kind kind = o ? kind_of(o->kind) : ORDER_NONE;

    return kind == ORDER_DRAIN || kind == ORDER_DOWN || (kind == ORDER_WEIGHT && o->weight == 0);
}

static void follow_route(struct router_route *route, const struct orders_job *j, bool away)
{
    int64_t now = clock_wall_ms(&route->router->o.app->clock);

    for (size_t k = 0; k < route->n_members; k++) {
        struct router_member *m = &route->members[k];
        const struct traffic_order *o = order_of(j, route, m);
        if (o && o->until_ms && o->until_ms <= now)
            o = NULL;
        if (sends_away(o) == away &&
            ((o ? o->id : 0) != m->order_id || (!o && still_ordered(route, k))))
            give_order(route, m, o);
    }
}

static void follow(struct router *r, const struct orders_job *j)
{
    for (size_t i = 0; i < r->n_routes; i++) {
        follow_dns(&r->routes[i], j);
        follow_route(&r->routes[i], j, false);
        follow_route(&r->routes[i], j, true);
    }
}

static void orders_done(const struct err *e, void *arg)
{
    struct orders_job *j = arg;
    struct router *r = j->router;

    r->reading_orders = false;
    if (e)
        failed(r, e);
    else if (!r->stopping)
        follow(r, j);
    arena_release(&j->arena);
    free(j);
}

void router_read_orders(struct router *r)
{
    if (r->reading_orders || r->stopping)
        return;
    struct orders_job *j = mem_alloc(sizeof(*j));
    r->reading_orders = true;
    j->router = r;
    j->now_ms = clock_wall_ms(&r->o.app->clock);
    store_worker_do(r->ledger, "traffic: orders", orders_work, orders_done, j);
}

/* --- The log -------------------------------------------------------------------------------------
 */

static void let_go(struct change_note *n)
{
    if (--n->waits > 0)
        return;
    arena_release(&n->arena);
    free(n);
}

void router_log_drop(struct change_note *n)
{
    for (struct change_note *next; n; n = next) {
        next = n->next;
        n->waits = 1;
        let_go(n);
    }
}

static int log_work(struct store *s, void *arg, struct err *e)
{
    struct change_note *n = arg;
    return traffic_change_add(s, &n->lease, &n->change, &n->id, e);
}

static int applied_work(struct store *s, void *arg, struct err *e)
{
    struct change_note *n = arg;

    return n->id ? traffic_change_applied(s, &n->lease, n->id, n->applied_us, e) : 0;
}

static void logged(const struct err *e, void *arg)
{
    struct change_note *n = arg;

    if (e)
        failed(n->router, e);
    let_go(n);
}

void router_log(struct router *r, struct change_note *n)
{
    store_worker_do(r->ledger, "traffic: log", log_work, logged, n);
}

void router_log_applied(struct change_note *n, int64_t applied_us)
{
    struct router *r = n->router;

    if (!applied_us) {
        let_go(n);
        return;
    }
    struct traffic_change told = n->change;
    told.applied_us = n->applied_us = applied_us;
    if (r->o.change)
        r->o.change(&told, r->o.arg);
    store_worker_do(r->ledger, "traffic: log", applied_work, logged, n);
}

/* --- Where it stands -----------------------------------------------------------------------------
 */

struct save_job {
    struct router *router;
    struct lease lease;
    struct arena arena;
    size_t n;
    struct {
        const char *route, *json;
    } rows[];
};

static int save_work(struct store *s, void *arg, struct err *e)
{
    struct save_job *j = arg;

    for (size_t i = 0; i < j->n; i++)
        if (traffic_state_put(s, &j->lease, j->rows[i].route, j->rows[i].json, e) < 0)
            return -1;
    return 0;
}

static void saved(const struct err *e, void *arg)
{
    struct save_job *j = arg;
    struct router *r = j->router;

    r->saving = false;
    if (e)
        failed(r, e);
    arena_release(&j->arena);
    free(j);
    if (r->unsaved)
        router_save(r);
}

/* For `trine traffic status`, which is another process: what the API answers, under the name "". */
static void view(struct router *r, struct buf *b)
{
    struct json_out o = {.b = b};

    router_json(r, &o);
    redact_buf(r->o.app->redactor, b);
}

void router_save(struct router *r)
{
    r->unsaved = r->saving;
    if (r->saving || !r->steering)
        return;
    struct save_job *j = mem_alloc(sizeof(*j) + (r->n_routes + 1) * sizeof(j->rows[0]));
    struct buf b = BUF_INIT(4 << 20);
    j->router = r;
    j->lease = r->lease;
    for (size_t i = 0; i <= r->n_routes; i++) {
        buf_clear(&b);
        if (i < r->n_routes)
            failover_save(r->routes[i].failover, &b);
        else
            view(r, &b);
        j->rows[j->n].route = i < r->n_routes ? arena_strdup(&j->arena, r->routes[i].m->name) : "";
        j->rows[j->n++].json = arena_strndup(&j->arena, b.data, b.len);
    }
    buf_release(&b);
    r->saving = true;
    store_worker_do(r->ledger, "traffic: state", save_work, saved, j);
}
