#include "app/router_inner.h"

#include "app/app.h"
#include "app/json_out.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* What a decision does: the log, the proxy, faster checks, the standby's wake-up. */

int64_t router_wall_us(const struct router *r)
{
    return r->wall_us_at_zero + clock_mono_us(&r->o.app->clock);
}

void router_fitness(const char *environment, struct fitness_answer *ret, void *arg)
{
    struct router_route *route = arg;

    *ret = (struct fitness_answer){0};
    for (size_t i = 0; i < route->n_members; i++)
        if (strcmp(route->members[i].environment, environment) == 0)
            *ret = route->members[i].fitness;
}

/* --- A decision ----------------------------------------------------------------------------------
 */

struct decision decision_begin(struct router_route *route, int64_t seen_us)
{
    return (struct decision){.route = route, .seen_us = seen_us};
}

static struct router_member *member_of(const struct router_route *route, const char *environment)
{
    for (size_t i = 0; i < route->n_members; i++)
        if (strcmp(route->members[i].environment, environment) == 0)
            return &route->members[i];
    return NULL;
}

static const char *action_words(unsigned action, struct arena *a)
{
    static const char *const words[] = {"check-fast", "wake-standby", "take-out",    "bring-back",
                                        "lessen",     "warn",         "check-calmly"};
    const char *text = "";

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (action & (1u << i))
            text = *text ? arena_printf(a, "%s,%s", text, words[i]) : words[i];
    return text;
}

static const char *evidence_of(const struct router_member *m, struct arena *a)
{
    struct buf b = BUF_INIT(8192);
    struct json_out o = {.b = &b};

    out_open(&o, '{');
    out_text_of(&o, "quorum", m->finding.text);
    out_int_of(&o, "valid", m->finding.valid);
    out_int_of(&o, "need", m->finding.need);
    out_text_of(&o, "live", live_state_name(m->live.state));
    out_int_of(&o, "waiting", m->counters.waiting);
    out_key(&o, "per_second"), out_number(&o, m->per_second, 1);
    out_key(&o, "errors_per_second"), out_number(&o, m->errors_per_second, 1);
    out_text_of(&o, "proxy_check", m->proxy_check);
    out_close(&o, '}');
    const char *text = arena_strndup(a, b.data, b.len);
    buf_release(&b);
    return text;
}

static struct change_note *note_of(struct decision *d, const struct failover_change *c,
                                   const struct router_member *m, unsigned action)
{
    struct change_note *n = mem_alloc(sizeof(*n));
    struct arena *a = &n->arena;

    n->router = d->route->router;
    n->change = (struct traffic_change){.route = arena_strdup(a, d->route->m->name),
                                        .environment = arena_strdup(a, c->environment),
                                        .from = traffic_state_name(c->row->from),
                                        .event = traffic_event_name(c->row->event),
                                        .to = traffic_state_name(c->row->to),
                                        .action = action_words(action, a),
                                        .reason = arena_strdup(a, c->reason),
                                        .evidence = m ? evidence_of(m, a) : "{}",
                                        .seen_us = d->seen_us};
    return n;
}

/* The failover wakes who takes over now; the one behind is woken too, for waking takes longer than
 * failing does. */
static unsigned standby_too(const struct router_route *route, unsigned action)
{
    size_t standby = failover_standby(route->failover);

    return action & ACTION_CHECK_FAST && route->m->wake && standby < route->n_members &&
                   route->members[standby].asleep
               ? ACTION_WAKE_STANDBY
               : 0;
}

void decision_change(const struct failover_change *c, void *decision)
{
    struct decision *d = decision;
    struct router_member *m = member_of(d->route, c->environment);
    unsigned action = c->action | standby_too(d->route, c->action);
    struct change_note *n = note_of(d, c, m, action), **last = &d->notes;

    while (*last)
        last = &(*last)->next;
    *last = n;
    if (!m)
        return;
    if (action & (ACTION_CHECK_FAST | ACTION_WAKE_STANDBY))
        router_check_fast(d->route, m, action & ACTION_WAKE_STANDBY);
    if (action & ACTION_CHECK_CALMLY)
        router_check_calmly(d->route, m);
    if (c->action & (ACTION_TAKE_OUT | ACTION_BRING_BACK))
        live_forget(&m->live, clock_mono_ms(&d->route->router->o.app->clock));
}

/* --- The proxy -----------------------------------------------------------------------------------
 */

/* Is it the only one that something could be sent to? */
static bool is_last(const struct failover_standing *all, size_t n, size_t which)
{
    for (size_t i = 0; i < n; i++)
        if (i != which && !all[i].out && all[i].share > 0)
            return false;
    return !all[which].out;
}

static size_t orders_of(const struct router_route *route, struct haproxy_order *ret)
{
    size_t n = 0;
    const struct failover_standing *all = failover_standings(route->failover, &n);

    for (size_t i = 0; i < n; i++)
        ret[i] =
            (struct haproxy_order){.route = route->m->name,
                                   .environment = all[i].environment,
                                   .weight = all[i].share,
                                   .mode = !all[i].out                        ? MODE_READY
                                           : all[i].state == TRAFFIC_DRAINING ? MODE_DRAIN
                                                                              : MODE_MAINTENANCE,
                                   .trusted = is_last(all, n, i),
                                   .release = all[i].out && all[i].state != TRAFFIC_DRAINING};
    return n;
}

struct steering { /* orders on their way, with the rows that asked for them */
    struct change_note *notes;
    struct router *router;
};

static void taken_by_proxy(const struct err *e, void *arg)
{
    struct steering *s = arg;
    int64_t now = router_wall_us(s->router);

    if (e && !router_proxy_said(s->router, e))
        router_say(s->router, "HAProxy did not take an order: %s", e->text);
    for (struct change_note *n = s->notes, *next; n; n = next) {
        next = n->next;
        router_log_applied(n, e ? 0 : now);
    }
    free(s);
}

static void send_orders(struct router_route *route, struct change_note *notes)
{
    struct router *r = route->router;
    struct haproxy_order orders[ROUTE_ENVIRONMENTS_MAX];
    struct steering *s = mem_alloc(sizeof(*s));
    size_t n = orders_of(route, orders);

    *s = (struct steering){notes, r};
    haproxy_steer(r->proxy, orders, n, taken_by_proxy, s);
}

void router_steer_all(struct router_route *route)
{
    if (route->router->proxy && route->router->steering && *route->m->listen)
        send_orders(route, NULL);
}

static bool same_orders(const struct router_route *route)
{
    struct haproxy_order now[ROUTE_ENVIRONMENTS_MAX];
    size_t n = orders_of(route, now);

    for (size_t i = 0; i < n; i++)
        if (now[i].weight != route->ordered[i].weight || now[i].mode != route->ordered[i].mode ||
            now[i].trusted != route->ordered[i].trusted)
            return false;
    return true;
}

void decision_end(struct decision *d)
{
    struct router *r = d->route->router;
    bool steers = r->proxy && r->steering && *d->route->m->listen && !same_orders(d->route);
    int64_t now = router_wall_us(r);

    if (!r->steering) { /* another process does, and writes it down */
        router_log_drop(d->notes);
        router_moved(r);
        return;
    }
    if (!d->notes && !steers)
        return;
    for (struct change_note *n = d->notes; n; n = n->next) {
        n->change.decided_us = now;
        n->lease = r->lease;
        n->waits = 1 + steers;
        if (r->o.change)
            r->o.change(&n->change, r->o.arg);
    }
    if (steers) {
        (void)orders_of(d->route, d->route->ordered);
        send_orders(d->route, d->notes);
    }
    for (struct change_note *n = d->notes, *next; n; n = next) {
        next = n->next;
        router_log(r, n);
    }
    router_dns_follow(d->route);
    router_save(r);
    router_moved(r);
}
