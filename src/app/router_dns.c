#include "app/router_inner.h"

#include "app/app.h"
#include "app/json_out.h"
#include "app/store_worker.h"
#include "base/buf.h"
#include "base/hash.h"
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

enum { AGAIN_FIRST_MS = 1000, AGAIN_MOST_MS = 60000 };

struct again { /* what failed is tried again, at growing pauses: a full disk stays full for a while
                */
    int64_t at_ms, pause_ms; /* monotonic; 0 = at any time */
};

/* Of one route, over all plans that have it: a change under way is not cut off by a new manifest.
 */
struct router_dns {
    struct router *router;
    char *route, *key;         /* key: of the engine's state in the store */
    struct dns_engine *engine; /* NULL: it could not be made */
    uint8_t made_from[SHA256_LEN];
    bool renew, ended; /* renew: the manifest wants another engine, once this one is idle */
    unsigned jobs;     /* on the ledger; the last one frees it when it has ended */
    char *state;       /* the engine's, newest */
    unsigned states;
    bool unsaved;
    struct again save;
    int64_t order; /* to accept what is there; 0 = none */
    bool accepting, accepted, ending;
    struct again accept;
};

static int64_t mono_ms(const struct router_dns *d)
{
    return clock_mono_ms(&d->router->o.app->clock);
}

static void later(const struct router_dns *d, struct again *a)
{
    a->pause_ms = a->pause_ms ? a->pause_ms * 2 : AGAIN_FIRST_MS;
    if (a->pause_ms > AGAIN_MOST_MS)
        a->pause_ms = AGAIN_MOST_MS;
    a->at_ms = mono_ms(d) + a->pause_ms;
}

static void free_dns(struct router_dns *d)
{
    if (!d->ended || d->jobs)
        return;
    free(d->route);
    free(d->key);
    free(d->state);
    free(d);
}

/* --- What the engine knows, in the store ---------------------------------------------------------
 */

struct dns_job {
    struct router_dns *dns;
    struct lease lease;
    unsigned nth; /* of the states */
    char *text;   /* the state, or the route */
    int64_t at_ms;
};

static void job_start(struct router_dns *d, const char *text, store_work_fn *work,
                      store_done_fn *done)
{
    struct dns_job *j = mem_alloc(sizeof(*j));

    *j = (struct dns_job){d, d->router->lease, d->states, mem_strdup(text),
                          clock_wall_ms(&d->router->o.app->clock)};
    d->jobs++;
    store_worker_do(d->router->ledger, "traffic: dns", work, done, j);
}

static void job_end(struct dns_job *j)
{
    j->dns->jobs--;
    free_dns(j->dns);
    free(j->text);
    free(j);
}

static int save_work(struct store *s, void *arg, struct err *e)
{
    const struct dns_job *j = arg;
    return traffic_state_put(s, &j->lease, j->dns->key, j->text, e);
}

static void saved(const struct err *e, void *arg)
{
    struct dns_job *j = arg;
    struct router_dns *d = j->dns;

    if (!d->ended && j->nth == d->states) {
        d->unsaved = e != NULL;
        if (e)
            later(d, &d->save);
        else
            d->save = (struct again){0};
    }
    job_end(j);
}

static void save(const char *json, void *arg)
{
    struct router_dns *d = arg;

    free(d->state);
    d->state = mem_strdup(json);
    d->states++;
    d->unsaved = false; /* it is on its way */
    job_start(d, json, save_work, saved);
}

static void save_again(struct router_dns *d)
{
    if (!d->unsaved || mono_ms(d) < d->save.at_ms)
        return;
    d->unsaved = false;
    job_start(d, d->state, save_work, saved);
}

static void say(const char *text, bool bad, void *arg)
{
    const struct router_dns *d = arg;

    (void)bad;
    router_say(d->router, "%s", text);
    router_save(d->router);
    router_moved(d->router);
}

/* --- Making one ----------------------------------------------------------------------------------
 */

/* Beside the route's own state; no route's name holds a space. */
static char *key_of(const struct router_route *route)
{
    char text[160];

    (void)snprintf(text, sizeof(text), "dns %.128s", route->m->name);
    return mem_strdup(text);
}

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

/* The texts live in the arena, or in the manifest. */
static int options_of(struct router_route *route, struct arena *a, struct dns_options *ret,
                      struct err *e)
{
    struct router *r = route->router;
    const struct manifest_dns *m = &route->m->dns;
    struct dns_answer *answers = arena_array(a, route->n_members, sizeof(*answers));

    *ret = (struct dns_options){.route = route->m->name,
                                .host = route->m->host,
                                .zone = m->zone,
                                .kind = (enum dns_kind)m->engine,
                                .base = base_of(r),
                                .proxied = (enum dns_proxied)m->proxied,
                                .server = m->server,
                                .key_name = m->key_name,
                                .algorithm = route_dns_key_name(m->algorithm),
                                .ttl_s = m->ttl_ms / 1000,
                                .answers = answers,
                                .n_answers = route->n_members,
                                .changes_per_hour = m->changes,
                                .settle_ms = m->settle_ms        ? m->settle_ms
                                             : *route->m->listen ? DNS_SETTLE_BEHIND_PROXY_MS
                                                                 : 0,
                                .look_ms = m->look_ms,
                                .save = save,
                                .say = say,
                                .arg = route->dns};
    for (size_t i = 0; i < route->n_members; i++)
        answers[i] =
            (struct dns_answer){route->members[i].environment, answer_of(m, &route->members[i])};
    if (resolve(r, m->token, a, &ret->token, e) < 0)
        return -1;
    return resolve(r, m->key_secret, a, &ret->key_secret, e);
}

/* Which engine these options make. A digest, for two of them are secrets. */
static void digest(const struct dns_options *o, uint8_t ret[SHA256_LEN])
{
    const char *const texts[] = {o->host,   o->zone,     o->base,       o->token,
                                 o->server, o->key_name, o->key_secret, o->algorithm};
    struct buf b = BUF_INIT(1 << 20);

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        buf_addf(&b, "%s\n", texts[i] ? texts[i] : "");
    buf_addf(&b, "%d %d %lld %d %lld %lld\n", (int)o->kind, (int)o->proxied, (long long)o->ttl_s,
             o->changes_per_hour, (long long)o->settle_ms, (long long)o->look_ms);
    for (size_t i = 0; i < o->n_answers; i++)
        buf_addf(&b, "%s %s\n", o->answers[i].environment, o->answers[i].value);
    sha256(buf_str(&b), b.len, ret);
    if (b.len)
        explicit_bzero(b.data, b.len);
    buf_release(&b);
}

static int make(struct router_dns *d, struct dns_options *o, struct err *e)
{
    struct router *r = d->router;
    char *kept = NULL;
    int64_t when = 0;

    if (d->engine) /* newer than what the store has */
        kept = dns_engine_state(d->engine);
    else if (traffic_state_get(r->o.app->store, d->key, &kept, &when, e) < 0)
        return -1;
    dns_engine_free(d->engine);
    o->state = kept;
    d->engine = dns_engine_new(r->o.app->loop, r->o.app->http, o, e);
    free(kept);
    if (!d->engine)
        return -1;
    dns_engine_look(d->engine, NULL, NULL);
    return 0;
}

/* One with a change under way ends that first. */
static int fit(struct router_dns *d, struct dns_options *o, struct err *e)
{
    uint8_t made_from[SHA256_LEN];

    digest(o, made_from);
    d->renew = false;
    if (d->engine && memcmp(made_from, d->made_from, sizeof(made_from)) == 0)
        return 0;
    d->renew = d->engine && dns_engine_is_busy(d->engine);
    if (d->renew)
        return 0;
    memcpy(d->made_from, made_from, sizeof(made_from));
    return make(d, o, e);
}

/* The engine as the manifest wants it now. */
static void renew(struct router_route *route)
{
    struct router_dns *d = route->dns;
    struct arena a = ARENA_INIT;
    struct err e = ERR_INIT;
    struct dns_options o;

    if (options_of(route, &a, &o, &e) < 0 || fit(d, &o, &e) < 0)
        router_say(d->router, "route %s: its name is not moved in the DNS%s: %s", d->route,
                   d->engine ? " otherwise than before" : "", e.text);
    arena_release(&a);
}

void router_dns_begin(struct router_route *route)
{
    if (route->m->dns.place.line == 0 || !route->router->steering)
        return;
    if (!route->dns) {
        route->dns = mem_alloc(sizeof(*route->dns));
        *route->dns = (struct router_dns){
            .router = route->router, .route = mem_strdup(route->m->name), .key = key_of(route)};
    }
    renew(route);
}

/* Its timers would go on, and what another process writes down is not in this engine's state. */
void router_dns_end(struct router_route *route)
{
    struct router_dns *d = route->dns;

    route->dns = NULL;
    if (!d)
        return;
    dns_engine_free(d->engine);
    d->engine = NULL;
    d->ended = true;
    free_dns(d);
}

void router_dns_carry(struct router *r, struct router_route *old, size_t n_old)
{
    for (size_t i = 0; i < r->n_routes; i++)
        for (size_t j = 0; j < n_old; j++)
            if (old[j].dns && r->routes[i].m->dns.place.line &&
                strcmp(old[j].dns->route, r->routes[i].m->name) == 0) {
                r->routes[i].dns = old[j].dns;
                old[j].dns = NULL;
            }
}

/* --- Following -----------------------------------------------------------------------------------
 */

void router_dns_follow(struct router_route *route)
{
    size_t n = 0;
    const struct failover_standing *all = failover_standings(route->failover, &n);

    struct router_dns *d = route->dns;

    if (!d || !route->router->steering)
        return;
    if (d->renew)
        renew(route);
    if (d->engine && !d->renew)
        dns_engine_follow(d->engine, all, n);
    save_again(d);
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
    const struct router_member *m = route->dns && route->dns->engine ? behind_router(route) : NULL;
    uint64_t total = 0;

    if (!m)
        return;
    for (size_t i = 0; i < route->n_members; i++)
        total += route->members[i].counters.answered;
    dns_engine_seen(route->dns->engine, m->environment, total,
                    clock_mono_ms(&route->router->o.app->clock));
}

/* --- The order to accept what is there -----------------------------------------------------------
 */

static int taken_work(struct store *s, void *arg, struct err *e)
{
    const struct dns_job *j = arg;
    int n = 0;

    return traffic_order_end(s, j->text, ROUTER_DNS, j->at_ms, &n, e);
}

static void taken(const struct err *e, void *arg)
{
    struct dns_job *j = arg;
    struct router_dns *d = j->dns;

    d->ending = false;
    if (e && !d->ended)
        later(d, &d->accept);
    else
        d->accept = (struct again){0};
    job_end(j);
}

/* Done once, and then no longer in force. */
static void end_order(struct router_dns *d)
{
    d->ending = true;
    job_start(d, d->route, taken_work, taken);
}

static void accepted(const struct err *e, void *arg)
{
    struct router_dns *d = arg;

    d->accepting = false;
    if (e && e->kind == ERR_NET) { /* nobody answered: asked again */
        later(d, &d->accept);
        return;
    }
    d->accepted = true;
    d->accept = (struct again){0};
    end_order(d);
}

void router_dns_accept(struct router_route *route, int64_t order)
{
    struct router_dns *d = route->dns;

    if (!d || !d->engine || d->renew || d->accepting || d->ending || mono_ms(d) < d->accept.at_ms)
        return;
    if (d->order == order && d->accepted) { /* it could not be ended */
        end_order(d);
        return;
    }
    d->order = order;
    d->accepted = false;
    d->accepting = true;
    dns_engine_accept(d->engine, accepted, d);
}

/* --- Showing -------------------------------------------------------------------------------------
 */

void router_dns_json(const struct router_route *route, struct json_out *o)
{
    struct dns_summary s;

    out_key(o, "dns");
    if (!route->dns || !route->dns->engine) {
        out_null(o);
        return;
    }
    dns_engine_summary(route->dns->engine, &s);
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
    out_time_of(o, "looked_at", s.looked_at);
    out_key(o, "tail_per_second");
    if (s.tail_per_second < 0)
        out_null(o);
    else
        out_number(o, s.tail_per_second, 2);
    out_time_of(o, "tail_until", s.tail_until);
    out_int_of(o, "changes_left", s.changes_left);
    out_close(o, '}');
}
