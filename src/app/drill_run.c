#include "app/drill_run_inner.h"

#include "app/app.h"
#include "app/store_worker.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/endpoint.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 20,
    RETURN_LEAST_MS = 300000, /* the return is waited for so long, and some holds more */
    RETURN_HOLDS = 8,
};

/* --- What the manifest says ----------------------------------------------------------------------
 */

static const struct manifest_route *pick_route(const struct manifest *m, const char *name,
                                               struct err *e)
{
    const char *names[100];
    size_t n = 0;

    if (m->n_routes == 0) {
        err_set(e, ERR_MANIFEST, "%s: there is no route under traffic; see trine schema", m->file);
        return NULL;
    }
    if (!name && m->n_routes == 1)
        return &m->routes[0];
    for (size_t i = 0; i < m->n_routes && n < sizeof(names) / sizeof(names[0]); i++) {
        if (name && strcmp(m->routes[i].name, name) == 0)
            return &m->routes[i];
        names[n++] = m->routes[i].name;
    }
    const char *near = name ? text_did_you_mean(name, names, n) : NULL;
    if (name)
        err_set(e, ERR_USAGE, "there is no route \"%.60s\"%s%s%s", name,
                near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    else
        err_set(e, ERR_USAGE, "there are %zu routes; say which, as %s", m->n_routes, names[0]);
    return NULL;
}

static int take_places(struct drill_run *r, const struct manifest_route *route,
                       const char *environment, struct err *e)
{
    bool found = false;

    for (size_t i = 0; i < route->n_failover && r->n_places < 32; i++) {
        found |= strcmp(route->failover[i], environment) == 0;
        if (!found)
            r->target++;
        r->places[r->n_places++] =
            (struct drill_place){.name = arena_strdup(&r->arena, route->failover[i]), .host = ""};
    }
    if (found)
        return 0;
    const char *near = text_did_you_mean(environment, route->failover, route->n_failover);
    return err_set(e, ERR_USAGE, "route %s does not lead to %.60s%s%s", route->name, environment,
                   near ? "; did you mean " : "", near ? near : "");
}

/* Where a client on this machine reaches the router. */
static int take_address(struct drill_run *r, const struct manifest_route *route, const char *path,
                        struct err *e)
{
    struct endpoint at;

    if (!*route->listen)
        return err_set(e, ERR_NO,
                       "route %s has no listen address, so there is no router that a client could "
                       "be sent through",
                       route->name);
    if (!endpoint_read(route->listen, 0, &at))
        return err_set(e, ERR_MANIFEST, "route %s: listen %s is no address", route->name,
                       route->listen);
    const char *host = at.host;
    if (strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    bool tls = *route->certificate != '\0', v6 = strchr(host, ':') != NULL;
    /* A certificate is for the public name, which leads here or to another router of the kind. */
    if (tls && *route->host)
        host = route->host;
    r->url = arena_printf(&r->arena, "%s://%s%s%s:%u%s", tls ? "https" : "http", v6 ? "[" : "",
                          host, v6 ? "]" : "", at.port, path);
    r->host = tls ? "" : arena_strdup(&r->arena, route->host);
    return 0;
}

static const struct manifest_check *find_check(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_checks; i++)
        if (strcmp(m->checks[i].name, name) == 0)
            return &m->checks[i];
    return NULL;
}

/* What the canary asks for: the health path; of a grey one, where that stays well, what another
 * check of the app asks for without a header of its own. NULL: there is none. */
static const char *canary_path(struct drill_run *r, const struct manifest *m,
                               const struct manifest_route *route, const char *health)
{
    const struct manifest_check *decisive = find_check(m, route->check);
    const char *checked = decisive && *decisive->path ? decisive->path : health;

    r->health[0] = arena_printf(&r->arena, "%.*s", (int)strcspn(health, "?"), health);
    r->health[1] = arena_printf(&r->arena, "%.*s", (int)strcspn(checked, "?"), checked);
    if (r->fault != DRILL_GREY)
        return health;
    for (size_t i = 0; i < m->n_checks; i++) {
        const struct manifest_check *c = &m->checks[i];
        size_t len = strcspn(c->path, "?");
        bool asks = c->kind == CHECK_HTTP && len > 0 && text_glob(c->app, route->app) &&
                    c->n_headers == 0 && (c->expect_status == 0 || c->expect_status / 100 == 2),
             is_health = false;
        for (size_t k = 0; k < 2; k++)
            is_health |= strlen(r->health[k]) == len && strncmp(c->path, r->health[k], len) == 0;
        if (asks && !is_health)
            return c->path;
    }
    return NULL;
}

static int check_span(const struct drill_run *r, struct err *e)
{
    if (r->record.fault_ms < 1000 || r->record.fault_ms > DRILL_FOR_MAX_MS)
        return err_set(e, ERR_USAGE, "a fault lasts from a second to an hour");
    if (r->rate > DRILL_RATE_MAX)
        return err_set(e, ERR_USAGE, "--rate %g: a canary sends at most %d requests a second",
                       r->rate, DRILL_RATE_MAX);
    return 0;
}

static int take_manifest(struct drill_run *r, const struct manifest *m, struct err *e)
{
    const struct manifest_route *route = pick_route(m, r->o.route, e);
    const struct manifest_app *app = route ? manifest_app_find(m, route->app) : NULL;

    if (!route)
        return -1;
    r->app_name = arena_strdup(&r->arena, route->app);
    r->return_ms = RETURN_LEAST_MS + RETURN_HOLDS * route->hold_ms + route->slow_start_ms;
    r->record = (struct drill_record){.route = arena_strdup(&r->arena, route->name),
                                      .environment = arena_strdup(&r->arena, r->o.environment),
                                      .fault = drill_fault_name(r->fault),
                                      .fault_ms = r->o.for_ms ? r->o.for_ms : DRILL_RUN_FOR_MS,
                                      .bound_ms = m->criteria.drill_ms,
                                      .detect_ms = -1,
                                      .decide_ms = -1,
                                      .apply_ms = -1,
                                      .recover_ms = -1,
                                      .return_ms = -1,
                                      .standby_woken = -1,
                                      .text = ""};
    r->o.route = r->record.route;
    r->o.environment = r->record.environment;
    const char *path = canary_path(r, m, route, app && app->health ? app->health : "/health");
    if (!path)
        return err_set(e, ERR_NO,
                       "fault grey: app %s has no check of anything but its health, and the canary "
                       "must ask for what fails; add one under checks, as: "
                       "api: { app: %s, path: /api/status }",
                       route->app, route->app);
    if (check_span(r, e) < 0 || take_places(r, route, r->record.environment, e) < 0 ||
        take_address(r, route, path, e) < 0)
        return -1;
    return fault_check(r->o.app->bases, r->fault, r->record.environment, e);
}

/* --- What the drill asks of us -------------------------------------------------------------------
 */

static void say(const struct drill_run *r, const char *text)
{
    if (r->o.say)
        r->o.say(text, r->o.arg);
}

static void begin_fault(void (*done)(const struct err *e, void *drill), void *drill, void *arg)
{
    struct drill_run *r = arg;
    fault_begin(r->hand, done, drill);
}

static void end_fault(void (*done)(const struct err *e, void *drill), void *drill, void *arg)
{
    struct drill_run *r = arg;
    fault_end(r->hand, done, drill);
}

/* By what the router writes of itself: no order, in the state it was in, with (nearly) the share.
 */
static bool returned(void *arg)
{
    const struct drill_run *r = arg;
    static const double nearly = 0.005;

    if (!r->now.known)
        return true;
    if (r->now.order_id != 0)
        return false;
    double share = r->before.share < r->before.configured ? r->before.share : r->before.configured;
    return r->now.share + nearly >= share &&
           (strcmp(r->now.state, r->before.state) == 0 || strcmp(r->now.state, "up") == 0);
}

static void progress(const char *text, void *arg)
{
    const struct drill_run *r = arg;

    if (r->o.progress)
        r->o.progress(text, r->o.arg);
}

static void standby_told(const struct err *e, void *arg)
{
    struct drill_run *r = arg;

    (void)e; /* then it is not known: -1 */
    r->result.standby_woken = standby_watch_answer(r->standby);
    drill_run_close(r);
}

static void drill_over(const struct drill_record *d, const struct sketch *times, void *arg)
{
    struct drill_run *r = arg;

    r->result = *d;
    r->result.id = r->record.id;
    r->result.from_ms = r->record.from_ms;
    r->result.route = r->record.route;
    r->result.environment = r->record.environment;
    bool early = *r->trouble && d->outcome == DRILL_INTERRUPTED;
    r->result.text = arena_strdup(&r->arena, early ? r->trouble : d->text);
    (void)sketch_merge(&r->times, times);
    r->ran = true;
    timer_stop(r->poll);
    timer_stop(r->heart);
    r->over = true;
    standby_watch_end(r->standby, standby_told, r);
}

/* --- One after another ---------------------------------------------------------------------------
 */

static void refuse(struct drill_run *r, const struct err *e)
{
    r->err = *e;
    r->over = true;
    drill_run_close(r);
}

static void swept(const struct err *e, const struct lease *l, void *arg)
{
    struct drill_run *r = arg;

    r->have_lease = e == NULL;
    if (e) {
        refuse(r, e);
        return;
    }
    r->lease = *l;
    timer_start(r->heart, LEASE_HEARTBEAT_MS);
    drill_run_prepare(r);
}

static void standby_known(const struct err *e, void *arg)
{
    struct drill_run *r = arg;

    if (e)
        refuse(r, e);
    else
        drill_run_open(r);
}

void drill_run_prepared(struct drill_run *r, const struct err *e)
{
    if (e) {
        refuse(r, e);
        return;
    }
    r->standby = standby_watch_new(r);
    standby_watch_begin(r->standby, standby_known, r);
}

static void start_drill(struct drill_run *r)
{
    struct app *a = r->o.app;
    const struct http_client_options client = {.user_agent = "trine/" TRINE_VERSION " (drill)",
                                               .max_per_host = HTTP_UNBOUNDED};
    const struct fault_hand_options hand = {.http = a->http,
                                            .bases = a->bases,
                                            .worker = r->worker,
                                            .clock = &a->clock,
                                            .record = &r->record,
                                            .host = r->places[r->target].host,
                                            .health = {r->health[0], r->health[1]}};
    const struct drill_options o = {.route = r->record.route,
                                    .environment = r->record.environment,
                                    .fault = r->fault,
                                    .for_ms = r->record.fault_ms,
                                    .bound_ms = r->record.bound_ms,
                                    .return_ms = r->return_ms,
                                    .rate = r->rate,
                                    .url = r->url,
                                    .host = r->host,
                                    .begin = begin_fault,
                                    .end = end_fault,
                                    .returned = returned,
                                    .progress = progress,
                                    .done = drill_over,
                                    .arg = r};

    r->client = http_client_new(a->loop, &client);
    r->hand = fault_hand_new(&hand);
    r->drill = drill_new(a->loop, r->client, &o);
    drill_start(r->drill);
    timer_start(r->poll, POLL_MS);
}

void drill_run_opened(struct drill_run *r, const struct err *e)
{
    if (e) {
        refuse(r, e);
        return;
    }
    if (r->o.began)
        r->o.began(&r->record, r->o.arg);
    start_drill(r);
    if (r->stopping)
        drill_stop(r->drill);
}

/* Users need what the fault has taken from them: another environment has failed in earnest. */
static void look_at_others(struct drill_run *r)
{
    if (!r->drill || r->over || *r->trouble || strcmp(r->now.ill_state, "down") != 0)
        return;
    (void)snprintf(r->trouble, sizeof(r->trouble),
                   "ended early: %s went down while the drill was on", r->now.ill);
    say(r, r->trouble);
    drill_run_stop(r);
}

void drill_run_polled(struct drill_run *r)
{
    for (size_t i = r->n_changes; r->drill && i-- > 0;) /* newest first: oldest first */
        drill_changed(r->drill, &r->changes[i]);
    look_at_others(r);
    if (!r->over)
        timer_start(r->poll, POLL_MS);
}

static void poll_due(void *arg)
{
    struct drill_run *r = arg;

    if (!r->polling)
        drill_run_poll(r);
}

static void heart_due(void *arg)
{
    struct drill_run *r = arg;

    if (!r->beating)
        drill_run_beat(r);
    timer_start(r->heart, LEASE_HEARTBEAT_MS);
}

void drill_run_closed(struct drill_run *r, const struct err *e)
{
    if (e && r->err.kind == ERR_NONE)
        r->err = *e;
    r->o.ended(r->err.kind == ERR_NONE ? NULL : &r->err, r->ran ? &r->result : NULL, &r->times,
               r->o.arg);
}

/* --- Life ----------------------------------------------------------------------------------------
 */

struct drill_run *drill_run_new(const struct drill_run_options *o, struct err *e)
{
    struct drill_run *r = mem_alloc(sizeof(*r));

    *r = (struct drill_run){.o = *o, .fault = o->fault, .rate = o->rate > 0 ? o->rate : DRILL_RATE};
    if (take_manifest(r, o->app->manifest, e) == 0)
        return r;
    drill_run_free(r);
    return NULL;
}

static void sweep_said(const char *text, void *arg)
{
    say(arg, text);
}

void drill_run_start(struct drill_run *r)
{
    struct app *a = r->o.app;

    r->worker = store_worker_new(a->loop, a->state, &a->clock);
    r->poll = timer_new(a->loop, poll_due, r);
    r->heart = timer_new(a->loop, heart_due, r);
    r->sweep = drill_sweep_new(&(struct drill_sweep_options){.app = a,
                                                             .worker = r->worker,
                                                             .force = r->o.force,
                                                             .keep_lease = true,
                                                             .say = sweep_said,
                                                             .done = swept,
                                                             .arg = r});
}

void drill_run_stop(struct drill_run *r)
{
    r->stopping = true;
    if (r->drill && !r->over)
        drill_stop(r->drill);
}

void drill_run_free(struct drill_run *r)
{
    if (!r)
        return;
    drill_free(r->drill);
    standby_watch_free(r->standby);
    fault_hand_free(r->hand);
    drill_sweep_free(r->sweep);
    timer_free(r->poll);
    timer_free(r->heart);
    store_worker_free(r->worker);
    http_client_free(r->client);
    sketch_release(&r->times);
    arena_release(&r->change_arena);
    arena_release(&r->arena);
    free(r);
}
