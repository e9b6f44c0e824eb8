#include "app/router_inner.h"

#include "app/app.h"
#include "app/serve.h"
#include "app/store_worker.h"
#include "app/watch.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "net/loop.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The router's life. What it decides is in traffic/failover.h; see router.h for the other files. */

enum { LOOK_MS = 1000 };

void router_say(struct router *r, const char *fmt, ...)
{
    char text[700];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    redact_text(r->o.app->redactor, text, sizeof(text));
    if (r->o.say)
        r->o.say(text, r->o.arg);
}

void router_moved(struct router *r)
{
    if (r->o.changed)
        r->o.changed(r->o.arg);
}

/* --- HAProxy -------------------------------------------------------------------------------------
 */

static void proxy_state(enum haproxy_state s, const char *why, void *arg)
{
    struct router *r = arg;

    if (s == HAPROXY_REFUSED || s == HAPROXY_LOST)
        router_say(r, "HAProxy is %s: %s", haproxy_state_name(s), why);
    if (s == HAPROXY_REFUSED || s == HAPROXY_RUNNING)
        router_save(r); /* trine traffic status is asked soon after a start */
    router_moved(r);
}

static void proxy_says(const char *text, void *arg)
{
    router_say(arg, "%s", text);
}

bool router_proxy_said(const struct router *r, const struct err *e)
{
    const char *why = "";

    if (r->proxy)
        (void)haproxy_state(r->proxy, &why);
    return strcmp(why, e->text) == 0;
}

static void applied(const struct err *e, void *arg)
{
    struct router *r = arg;

    if (e && !router_proxy_said(r, e))
        router_say(r, "the router's configuration was not taken, the one before stays in force: %s",
                   e->text);
    else if (!e)
        for (size_t i = 0; i < r->n_routes; i++)
            router_steer_all(&r->routes[i]);
    router_moved(r);
}

static void apply(struct router *r)
{
    struct arena a = ARENA_INIT;
    struct haproxy_plan plan;
    char dir[4200];

    (void)snprintf(dir, sizeof(dir), "%s/traffic", r->o.app->state);
    if (router_proxy_plan(r, dir, &a, &plan)) {
        const struct haproxy_options o = {
            .state = proxy_state, .reading = router_readings, .say = proxy_says, .arg = r};
        if (!r->proxy)
            r->proxy = haproxy_new(r->o.app->loop, &o);
        haproxy_apply(r->proxy, &plan, applied, r);
    } else if (r->proxy) {
        haproxy_stop(r->proxy, applied, r);
    }
    arena_release(&a);
}

/* The lease is ours: from here on this process steers. */
void router_begin(struct router *r)
{
    struct err e = ERR_INIT;

    r->taking_over = true;
    if (router_plan(r, &e) < 0) /* what the one before left behind */
        router_say(r, "%s", e.text);
    r->taking_over = false;
    apply(r);
    for (size_t i = 0; i < r->n_routes; i++) {
        router_pace(&r->routes[i]);
        router_dns_begin(&r->routes[i]);
        (void)memset(r->routes[i].ordered, 0, sizeof(r->routes[i].ordered));
    }
    router_judge_all(r);
    router_read_orders(r);
    router_save(r);
}

/* --- Timers --------------------------------------------------------------------------------------
 */

static void orders_due(void *arg)
{
    struct router *r = arg;

    router_read_orders(r);
    timer_start(r->orders_timer, ROUTER_ORDERS_MS);
}

static void lease_due(void *arg)
{
    router_lease(arg);
}

static void set_zero(struct router *r)
{
    const struct clock *c = &r->o.app->clock;
    int64_t zero = clock_wall_ms(c) * 1000 - clock_mono_us(c);
    int64_t off = zero - r->wall_us_at_zero;

    if (off > 3000 || off < -3000)
        r->wall_us_at_zero = zero;
}

/* Holds and orders that run out; evidence that stays the same and so tells nobody. */
static void look(void *arg)
{
    struct router *r = arg;

    set_zero(r);
    for (size_t i = 0; i < r->n_routes; i++) {
        struct decision d = decision_begin(&r->routes[i], router_wall_us(r));
        failover_tick(r->routes[i].failover, clock_wall_ms(&r->o.app->clock), decision_change, &d);
        decision_end(&d);
        router_pace_look(&r->routes[i]);
        router_dns_follow(&r->routes[i]);
    }
    router_judge_all(r);
    if (r->stale)
        router_refresh(r, r->o.matrix);
    if (++r->looks % 5 == 0)
        router_save(r);
    timer_start(r->look, LOOK_MS);
}

/* --- Life ----------------------------------------------------------------------------------------
 */

struct router *router_new(const struct router_options *o)
{
    struct router *r;
    char self[64];

    if (o->app->manifest->n_routes == 0)
        return NULL;
    r = mem_alloc(sizeof(*r));
    r->o = *o;
    set_zero(r);
    const char *vantage = o->app->manifest->probe.vantage;
    (void)text_copy(self, sizeof(self), *vantage ? vantage : "here");
    (void)router_observer(r, self);
    (void)text_copy(r->why, sizeof(r->why), "it has just begun");
    r->ledger = store_worker_new(o->app->loop, o->app->state, &o->app->clock);
    r->orders_timer = timer_new(o->app->loop, orders_due, r);
    r->lease_timer = timer_new(o->app->loop, lease_due, r);
    r->look = timer_new(o->app->loop, look, r);
    return r;
}

int router_start(struct router *r, struct err *e)
{
    if (router_plan(r, e) < 0)
        return -1;
    router_lease(r);
    timer_start(r->orders_timer, ROUTER_ORDERS_MS);
    timer_start(r->look, LOOK_MS);
    return 0;
}

void router_refresh(struct router *r, const struct matrix *matrix)
{
    struct err e = ERR_INIT;

    r->o.matrix = matrix;
    r->stale = router_plan(r, &e) < 0;
    if (r->stale) { /* tried again each second */
        if (strcmp(r->stale_said.text, e.text) != 0)
            router_say(r, "the routes stay as they were: %s", e.text);
        r->stale_said = e;
        return;
    }
    r->stale_said = e;
    if (r->steering && r->differs)
        apply(r);
    for (size_t i = 0; r->steering && i < r->n_routes; i++) {
        router_pace(&r->routes[i]);
        router_dns_begin(&r->routes[i]);
    }
    router_moved(r);
}

bool router_settled(const struct router *r)
{
    return !r || !r->stale;
}

void router_stop(struct router *r)
{
    if (r->stopping)
        return;
    r->stopping = true;
    timer_stop(r->orders_timer);
    timer_stop(r->lease_timer);
    timer_stop(r->look);
    if (r->steering) {
        r->saving = false; /* the last word is written behind a save that is on its way, */
        router_save(r);
        router_lease_release(r);
        r->steering = false; /* and nothing behind the release */
    }
    for (size_t i = 0; i < r->n_routes;
         i++) /* the next process finds out what became of a change */
        router_dns_end(&r->routes[i]);
    if (r->proxy)
        haproxy_leave(r->proxy);
}

void router_look_for_orders(struct router *r)
{
    router_read_orders(r);
}

size_t router_pending(const struct router *r)
{
    return r ? store_worker_pending(r->ledger) : 0;
}

void router_free(struct router *r)
{
    if (!r)
        return;
    r->stopping = true;
    haproxy_free(r->proxy);
    store_worker_free(r->ledger);
    timer_free(r->orders_timer);
    timer_free(r->lease_timer);
    timer_free(r->look);
    router_plan_release(r);
    free(r);
}

const struct failover_standing *router_standing(const struct router *r, const char *route,
                                                const char *environment)
{
    for (size_t i = 0; i < r->n_routes; i++) {
        size_t n = 0;
        const struct failover_standing *all = failover_standings(r->routes[i].failover, &n);
        for (size_t k = 0; k < n && strcmp(r->routes[i].m->name, route) == 0; k++)
            if (strcmp(all[k].environment, environment) == 0)
                return &all[k];
    }
    return NULL;
}
