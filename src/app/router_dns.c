#include "app/router_inner.h"

#include "app/app.h"
#include "app/json_out.h"
#include "app/store_worker.h"
#include "base/mem.h"
#include "manifest/secrets.h"
#include "net/bases.h"
#include "provider/cloudflare_dns.h"
#include "provider/provider.h"
#include "traffic/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The public name of a route follows where its traffic goes: the second line behind the proxy, or
 * the only one where no route listens. */

/* --- What the engine knows, in the store ---------------------------------------------------------
 */

struct dns_save {
    struct lease lease;
    char *route, *json;
};

static int save_work(struct store *s, void *arg, struct err *e)
{
    const struct dns_save *j = arg;
    return traffic_state_put(s, &j->lease, j->route, j->json, e);
}

static void saved(const struct err *e, void *arg)
{
    struct dns_save *j = arg;

    (void)e; /* the next change saves it again; the engine bears an older state */
    free(j->route);
    free(j->json);
    free(j);
}

/* Beside the route's own state; no route's name holds a space. */
static char *key_of(const struct router_route *route)
{
    char text[160];

    (void)snprintf(text, sizeof(text), "dns %.128s", route->m->name);
    return mem_strdup(text);
}

static void save(const char *json, void *arg)
{
    struct router_route *route = arg;
    struct dns_save *j = mem_alloc(sizeof(*j));

    *j = (struct dns_save){route->router->lease, key_of(route), mem_strdup(json)};
    store_worker_do(route->router->ledger, "traffic: dns", save_work, saved, j);
}

static void say(const char *text, bool bad, void *arg)
{
    const struct router_route *route = arg;

    (void)bad;
    router_say(route->router, "%s", text);
    router_save(route->router);
    router_moved(route->router);
}

/* --- Making one ----------------------------------------------------------------------------------
 */

static const char *answer_of(const struct manifest_dns *m, const struct router_member *v)
{
    for (size_t i = 0; i < m->n_answers; i++)
        if (strcmp(m->answers[i].name, v->environment) == 0)
            return m->answers[i].value;
    return v->origin.host;
}

static int resolve(struct router *r, const char *text, struct arena *a, const char **ret,
                   struct err *e)
{
    return secrets_expand(r->o.app->secrets, text, "traffic's dns", a, ret, e);
}

/* The same API as its hosting's: one override leads both elsewhere. */
static const char *base_of(const struct router *r)
{
    return bases_get(r->o.app->bases, provider_cloudflare.name, CLOUDFLARE_API);
}

static struct dns_engine *make(struct router_route *route, const char *kept, struct arena *a,
                               struct err *e)
{
    struct router *r = route->router;
    const struct manifest_dns *m = &route->m->dns;
    struct dns_answer *answers = arena_array(a, route->n_members, sizeof(*answers));
    struct dns_options o = {.route = route->m->name,
                            .host = route->m->host,
                            .zone = m->zone,
                            .kind = (enum dns_kind)m->engine,
                            .base = base_of(r),
                            .proxied = m->proxied,
                            .server = m->server,
                            .key_name = m->key_name,
                            .algorithm = route_dns_key_name(m->algorithm),
                            .ttl_s = m->ttl_ms / 1000,
                            .answers = answers,
                            .n_answers = route->n_members,
                            .state = kept,
                            .changes_per_hour = m->changes,
                            .settle_ms = m->settle_ms        ? m->settle_ms
                                         : *route->m->listen ? DNS_SETTLE_BEHIND_PROXY_MS
                                                             : 0,
                            .save = save,
                            .say = say,
                            .arg = route};

    for (size_t i = 0; i < route->n_members; i++)
        answers[i] =
            (struct dns_answer){route->members[i].environment, answer_of(m, &route->members[i])};
    if (resolve(r, m->token, a, &o.token, e) < 0 ||
        resolve(r, m->key_secret, a, &o.key_secret, e) < 0)
        return NULL;
    return dns_engine_new(r->o.app->loop, r->o.app->http, &o, e);
}

void router_dns_begin(struct router_route *route)
{
    struct router *r = route->router;
    struct arena a = ARENA_INIT;
    struct err e = ERR_INIT;
    char *kept = NULL, *key = key_of(route);
    int64_t when = 0;

    if (route->dns || route->m->dns.place.line == 0 || !r->steering) {
        free(key);
        return;
    }
    if (traffic_state_get(r->o.app->store, key, &kept, &when, &e) == 0)
        route->dns = make(route, kept, &a, &e);
    if (!route->dns)
        router_say(r, "route %s: its name is not moved in the DNS: %s", route->m->name, e.text);
    else
        dns_engine_look(route->dns, NULL, NULL);
    arena_release(&a);
    free(kept);
    free(key);
}

/* Its timers would go on, and what the other process writes down is not in this engine's state. */
void router_dns_end(struct router_route *route)
{
    dns_engine_free(route->dns);
    route->dns = NULL;
}

/* --- Following -----------------------------------------------------------------------------------
 */

void router_dns_follow(struct router_route *route)
{
    size_t n = 0;
    const struct failover_standing *all = failover_standings(route->failover, &n);

    if (route->dns && route->router->steering)
        dns_engine_follow(route->dns, all, n);
}

/* The environment whose answer is the router itself: what still comes through the proxy after the
 * name has moved away are clients on the old answer. */
static const struct router_member *behind_router(const struct router_route *route)
{
    const char *listen = route->m->listen, *colon = strrchr(listen, ':');

    for (size_t i = 0; i < route->n_members && colon; i++) {
        const char *answer = answer_of(&route->m->dns, &route->members[i]);
        if (strlen(answer) == (size_t)(colon - listen) &&
            strncmp(answer, listen, (size_t)(colon - listen)) == 0)
            return &route->members[i];
    }
    return NULL;
}

void router_dns_seen(struct router_route *route)
{
    const struct router_member *m = route->dns ? behind_router(route) : NULL;
    uint64_t total = 0;

    if (!m)
        return;
    for (size_t i = 0; i < route->n_members; i++)
        total += route->members[i].counters.answered;
    dns_engine_seen(route->dns, m->environment, total, clock_mono_ms(&route->router->o.app->clock));
}

void router_dns_accept(struct router_route *route)
{
    if (route->dns)
        dns_engine_accept(route->dns, NULL, NULL);
}

void router_dns_json(const struct router_route *route, struct json_out *o)
{
    struct dns_summary s;

    out_key(o, "dns");
    if (!route->dns) {
        out_null(o);
        return;
    }
    dns_engine_summary(route->dns, &s);
    out_open(o, '{');
    out_text_of(o, "engine", dns_kind_name((enum dns_kind)route->m->dns.engine));
    out_text_of(o, "host", s.host);
    out_text_of(o, "phase", dns_phase_name(s.phase));
    out_text_of(o, "answer", s.answer);
    out_text_of(o, "environment", s.environment);
    out_text_of(o, "wanted", s.wanted);
    out_text_of(o, "why", s.why);
    out_key(o, "foreign"), out_flag(o, s.foreign);
    out_int_of(o, "ttl_s", s.ttl_s);
    out_time_of(o, "changed_at", s.changed_at);
    out_key(o, "tail_per_second");
    if (s.tail_per_second < 0)
        out_null(o);
    else
        out_number(o, s.tail_per_second, 2);
    out_time_of(o, "tail_until", s.tail_until);
    out_int_of(o, "changes_left", s.changes_left);
    out_close(o, '}');
}
