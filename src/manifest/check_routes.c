#include "manifest/parse.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* Checks of `traffic:`: who carries it, in which order they take over, and what decides that. */

static void default_route_app(struct manifest *m, struct manifest_route *route)
{
    const struct manifest_app *only = NULL;
    for (size_t i = 0; i < m->n_apps; i++) {
        if (m->apps[i].kind != APP_SERVICE)
            continue;
        if (only)
            return;
        only = &m->apps[i];
    }
    if (only)
        route->app = only->name;
}

/* The order in which the weights stand, those that carry traffic first, then the backups. */
static void default_failover(struct manifest *m, struct manifest_route *route)
{
    size_t n = 0;
    route->failover =
        arena_array(&m->arena, route->n_weights + route->n_backup + 1, sizeof *route->failover);
    for (int idle = 0; idle <= 1; idle++)
        for (size_t i = 0; i < route->n_weights; i++)
            if ((route->weights[i].weight == 0) == idle)
                route->failover[n++] = route->weights[i].environment;
    for (size_t i = 0; i < route->n_backup; i++)
        route->failover[n++] = route->backup[i];
    route->n_failover = n;
}

static bool weighs(const struct manifest_route *route, const char *environment)
{
    for (size_t i = 0; i < route->n_weights; i++)
        if (strcmp(route->weights[i].environment, environment) == 0)
            return true;
    return false;
}

bool route_holds(const struct manifest_route *route, const char *environment)
{
    return weighs(route, environment) || listed(route->backup, route->n_backup, environment);
}

/* One that the order leaves out would never get anything, whatever its weight. */
static void check_order(struct reading *r, const struct manifest_route *route, struct complaint c)
{
    c.key = "failover";
    for (size_t i = 0; i < route->n_failover; i++) {
        c.member = &route->failover[i];
        if (require_environment(r, &c, route->failover[i]) &&
            !route_holds(route, route->failover[i]))
            complain(r, &c, "%s has no part in this route; add it to its weights or backup",
                     route->failover[i]);
    }
    c.member = &route->failover;
    for (size_t i = 0; i < route->n_weights + route->n_backup; i++) {
        const char *name = i < route->n_weights ? route->weights[i].environment
                                                : route->backup[i - route->n_weights];
        if (!listed(route->failover, route->n_failover, name) &&
            manifest_environment_find(r->m, name))
            complain(r, &c, "leaves out %s; name all of weights and backup, or leave the key out",
                     name);
    }
}

static void check_weights(struct reading *r, const struct manifest_route *route, struct complaint c)
{
    int sum = 0;
    bool refused = false;
    c.key = "weights";
    for (size_t i = 0; i < route->n_weights; i++) {
        const struct manifest_weight *w = &route->weights[i];
        struct complaint at = {c.group, c.entry, c.key, NULL, w->place};
        const struct manifest_environment *env = require_environment(r, &at, w->environment);
        if (env && !*env->service.platform)
            complain(r, &at, "environment %s hosts no service", w->environment);
        if (listed(route->backup, route->n_backup, w->environment))
            complain(r, &at, "%s is also a backup; it can be only one of both", w->environment);
        sum += w->weight;
        refused = refused || was_refused(r, &w->weight);
    }
    c.member = &route->weights;
    if (route->n_weights + route->n_backup > MANIFEST_ROUTE_ENVIRONMENTS_MAX)
        complain(r, &c, "%zu environments with the backups; a route has at most %d",
                 route->n_weights + route->n_backup, MANIFEST_ROUTE_ENVIRONMENTS_MAX);
    if (sum == 0 && route->n_weights && !refused)
        complain(r, &c, "all weights are 0: nobody would answer; give one more than 0");
}

/* The first environment of the route that the check leaves out, or NULL. */
static const char *never_asked(const struct manifest *m, const struct manifest_check *k,
                               const struct manifest_route *route)
{
    for (size_t i = 0; k->n_environments && i < route->n_failover; i++)
        if (!listed(k->environments, k->n_environments, route->failover[i]) &&
            manifest_environment_find(m, route->failover[i]))
            return route->failover[i];
    return NULL;
}

/* The check that asks for the app's health path, or else the first that asks the app anything. */
static void default_check(const struct manifest *m, struct manifest_route *route)
{
    const char *health = "";

    for (size_t i = 0; i < m->n_apps; i++)
        if (strcmp(m->apps[i].name, route->app) == 0)
            health = m->apps[i].health;
    for (int any = 0; any <= 1 && !*route->check; any++)
        for (size_t i = 0; i < m->n_checks && !*route->check; i++) {
            const struct manifest_check *k = &m->checks[i];
            if (k->kind == CHECK_HTTP && text_glob(k->app, route->app) &&
                !never_asked(m, k, route) && (any || strcmp(k->path, health) == 0))
                route->check = k->name;
        }
}

static const char *health_path(const struct manifest *m, const char *app)
{
    const struct manifest_app *a = manifest_app_find(m, app);

    return a && a->health && *a->health ? a->health : "/health";
}

static void check_route_check(struct reading *r, struct manifest_route *route, struct complaint c)
{
    const struct manifest *m = r->m;
    const struct manifest_check *found = NULL;
    const char *left_out;

    if (!*route->check)
        default_check(m, route);
    for (size_t i = 0; i < m->n_checks; i++)
        if (strcmp(m->checks[i].name, route->check) == 0)
            found = &m->checks[i];
    c.key = "check";
    c.member = &route->check;
    if (*route->check && !found)
        complain(r, &c, "there is no check \"%.80s\"", route->check);
    else if (found && found->kind != CHECK_HTTP)
        complain(r, &c, "%s is not an http check", found->name);
    else if (found && *route->app && !text_glob(found->app, route->app))
        complain(r, &c, "%s does not ask %s", found->name, route->app);
    else if (!found && *route->listen)
        complain(
            r, &c,
            "no http check asks %.80s: nothing would tell when to fail over; add one under checks, "
            "as health: { app: %.80s, path: %.80s }",
            route->app, route->app, health_path(m, route->app));
    else if (found && (left_out = never_asked(m, found, route)))
        complain(r, &c,
                 "%s does not ask %s: nothing would tell when to fail over; add it to the check's "
                 "environments",
                 found->name, left_out);
}

static bool is_any(const char *host, size_t len)
{
    return len == 0 || (len == 1 && *host == '*') || (len == 7 && !strncmp(host, "0.0.0.0", 7)) ||
           (len == 4 && !strncmp(host, "[::]", 4));
}

/* Of "127.0.0.1:8080" and "0.0.0.0:8080" only one can be had. */
static bool same_port(const char *a, const char *b)
{
    const char *port_a = strrchr(a, ':'), *port_b = strrchr(b, ':');
    size_t host_a = port_a ? (size_t)(port_a - a) : 0, host_b = port_b ? (size_t)(port_b - b) : 0;

    if (!port_a || !port_b || strcmp(port_a, port_b) != 0)
        return false;
    return is_any(a, host_a) || is_any(b, host_b) ||
           (host_a == host_b && strncasecmp(a, b, host_a) == 0);
}

static void check_listen_at(struct reading *r, const struct manifest_route *route,
                            struct complaint c)
{
    c.key = "listen";
    c.member = &route->listen;
    if (was_refused(r, &route->listen))
        return;
    for (const struct manifest_route *other = r->m->routes; *route->listen && other < route;
         other++) {
        if (!*other->listen || !same_port(other->listen, route->listen))
            continue;
        complain(r, &c, "the route %s listens on %s; give this one a port of its own", other->name,
                 other->listen);
        break;
    }
}

/* The default steps back where the other is shorter. */
static void check_limits(struct reading *r, struct manifest_route *route, struct complaint c)
{
    c.key = "connect_within";
    c.member = &route->connect_within_ms;
    if (route->connect_within_ms <= route->answer_within_ms ||
        was_refused(r, &route->answer_within_ms))
        return;
    if (was_given(r, c.member))
        complain(r, &c, "is longer than answer_within; make it shorter");
    else
        route->connect_within_ms = route->answer_within_ms;
}

static void check_route(struct reading *r, struct manifest_route *route)
{
    struct complaint c = {"traffic", route->name, "", NULL, route->place};
    if (!*route->app)
        default_route_app(r->m, route);
    if (*route->app)
        require_app(r, c, &route->app, APP_SERVICE);
    else
        complain(r, &c, "needs \"app\": there is no service, or more than one");
    check_weights(r, route, c);
    for (size_t i = 0; i < route->n_backup; i++)
        require_store(r, c, "backup", &route->backup[i],
                      offsetof(struct manifest_environment, service), "service hosting");
    if (route->n_failover)
        check_order(r, route, c);
    else
        default_failover(r->m, route);
    check_route_check(r, route, c);
    check_listen_at(r, route, c);
    check_limits(r, route, c);
}

void manifest_check_routes(struct reading *r)
{
    for (size_t i = 0; i < r->m->n_routes; i++)
        check_route(r, &r->m->routes[i]);
}
