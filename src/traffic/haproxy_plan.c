#include "traffic/haproxy_plan.h"

#include "base/text.h"
#include "net/local.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

enum { WEIGHT_MAX = 256, NAME_MAX_LEN = 100, TIME_MAX_MS = 24 * 3600 * 1000 };

void haproxy_server_name(const struct haproxy_server *s, char ret[SERVER_NAME_MAX])
{
    if (s->port == (s->tls ? 443 : 80))
        snprintf(ret, SERVER_NAME_MAX, "%s", s->host);
    else
        snprintf(ret, SERVER_NAME_MAX, "%s:%d", s->host, s->port);
}

bool haproxy_route_has_choice(const struct haproxy_route *r)
{
    return r->n_servers > 1;
}

int haproxy_weight(const struct haproxy_server *s, int weight)
{
    return s->backup && weight == 0 ? 1 : weight;
}

const struct haproxy_route *haproxy_plan_route(const struct haproxy_plan *p, const char *route)
{
    for (size_t i = 0; i < p->n_routes; i++)
        if (!strcmp(p->routes[i].name, route))
            return &p->routes[i];
    return NULL;
}

const struct haproxy_server *haproxy_plan_find(const struct haproxy_plan *p, const char *route,
                                               const char *environment)
{
    const struct haproxy_route *r = haproxy_plan_route(p, route);

    for (size_t i = 0; r && i < r->n_servers; i++)
        if (!strcmp(r->servers[i].environment, environment))
            return &r->servers[i];
    return NULL;
}

/* --- Checking ---------------------------------------------------------------------------------*/

/* What HAProxy takes as the name of a proxy or a server. */
static bool is_name(const char *s, const char *also)
{
    size_t n = strlen(s);

    if (n == 0 || n > (size_t)NAME_MAX_LEN * 2)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr(also, s[i]))
            return false;
    return true;
}

static bool is_line(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static bool is_address(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* "127.0.0.1:8080", "[::1]:8080", ":8080", "*:8080" */
static bool is_listen(const char *s)
{
    const char *colon = strrchr(s, ':');
    int64_t port;

    if (!colon ||
        strspn(s, "0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ.:*[]-_") !=
            strlen(s))
        return false;
    return text_int(colon + 1, 1, 65535, &port) == 0;
}

static int check_server(const struct haproxy_route *r, size_t at, struct err *e)
{
    const struct haproxy_server *s = &r->servers[at];
    char name[SERVER_NAME_MAX], other[SERVER_NAME_MAX];

    if (!s->environment || !is_name(s->environment, "-_."))
        return err_set(e, ERR_USAGE, "route %s: an environment without a usable name", r->name);
    if (!s->host || !is_name(s->host, "-_."))
        return err_set(e, ERR_USAGE,
                       "route %s, %s: %.80s is no host that can stand in a Host header: give a "
                       "name or an IPv4 address",
                       r->name, s->environment, s->host && is_line(s->host) ? s->host : "that");
    if (s->port == 0)
        return err_set(e, ERR_USAGE, "route %s, %s: %s has no port", r->name, s->environment,
                       s->host);
    if (s->tls && is_address(s->host))
        return err_set(e, ERR_USAGE,
                       "route %s, %s: a certificate is checked against a name; %s is an address",
                       r->name, s->environment, s->host);
    if (s->weight < 0 || s->weight > WEIGHT_MAX)
        return err_set(e, ERR_USAGE, "route %s, %s: weight %d is not within 0 and %d", r->name,
                       s->environment, s->weight, WEIGHT_MAX);
    haproxy_server_name(s, name);
    for (size_t i = 0; i < at; i++) {
        haproxy_server_name(&r->servers[i], other);
        if (!strcmp(s->environment, r->servers[i].environment))
            return err_set(e, ERR_USAGE, "route %s names %s twice", r->name, s->environment);
        if (!strcasecmp(name, other))
            return err_set(e, ERR_USAGE, "route %s: %s and %s are both at %s: one of them must go",
                           r->name, r->servers[i].environment, s->environment, name);
    }
    return 0;
}

static int check_servers(const struct haproxy_route *r, struct err *e)
{
    int weights = 0;

    if (r->n_servers == 0 || r->n_servers > SERVERS_MAX)
        return err_set(e, ERR_USAGE, "route %s has %zu environments: 1 to %d are possible", r->name,
                       r->n_servers, SERVERS_MAX);
    for (size_t i = 0; i < r->n_servers; i++) {
        if (check_server(r, i, e) != 0)
            return -1;
        weights += r->servers[i].backup ? 0 : r->servers[i].weight;
    }
    if (weights == 0)
        return err_set(e, ERR_USAGE,
                       "route %s: no environment has a weight above 0: give one to those that "
                       "shall have traffic",
                       r->name);
    return 0;
}

static int check_times(const struct haproxy_route *r, struct err *e)
{
    const struct {
        const char *what;
        int64_t ms, least;
    } times[] = {
        {"connect_within", r->connect_ms, 1},
        {"answer_within", r->answer_ms, 1},
        {"slow_start", r->slow_start_ms, 0},
        {"the time between its own checks", r->fast_ms, 10},
    };

    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i].ms < times[i].least || times[i].ms > TIME_MAX_MS)
            return err_set(e, ERR_USAGE, "route %s: %s is %lld ms: %lld to %d are possible",
                           r->name, times[i].what, (long long)times[i].ms,
                           (long long)times[i].least, TIME_MAX_MS);
    if (r->errors < 1 || r->errors > 100)
        return err_set(e, ERR_USAGE, "route %s: %d errors in a row: 1 to 100 are possible", r->name,
                       r->errors);
    return 0;
}

/* Names that this file makes itself: a route may not take them. */
static bool is_ours(const char *name)
{
    size_t n = strlen(name);

    return !strncmp(name, "in_", 3) || !strncmp(name, "trine_", 6) ||
           (n > 5 && !strcmp(name + n - 5, "_open"));
}

static int check_route(const struct haproxy_plan *p, size_t at, struct err *e)
{
    const struct haproxy_route *r = &p->routes[at];

    if (!r->name || !is_name(r->name, "-_.") || strlen(r->name) > NAME_MAX_LEN || is_ours(r->name))
        return err_set(e, ERR_USAGE,
                       "a route's name has letters, digits, '-', '_' and '.', at most %d, and is "
                       "not in_..., trine_... or ..._open",
                       NAME_MAX_LEN);
    if (!r->listen || !is_listen(r->listen))
        return err_set(e, ERR_USAGE, "route %s: listen is an address and a port, as 127.0.0.1:8080",
                       r->name);
    if (!r->health || r->health[0] != '/' || !is_line(r->health) || strchr(r->health, ' '))
        return err_set(e, ERR_USAGE, "route %s: the health check is a path, as /health", r->name);
    if (!is_line(r->certificate ? r->certificate : ""))
        return err_set(e, ERR_USAGE, "route %s: the certificate's path has a control character",
                       r->name);
    for (size_t i = 0; i < at; i++) {
        if (!strcmp(p->routes[i].name, r->name))
            return err_set(e, ERR_USAGE, "two routes are called %s", r->name);
        if (!strcmp(p->routes[i].listen, r->listen))
            return err_set(e, ERR_USAGE, "routes %s and %s both listen on %s", p->routes[i].name,
                           r->name, r->listen);
    }
    return check_times(r, e) != 0 || check_servers(r, e) != 0 ? -1 : 0;
}

int haproxy_plan_check(const struct haproxy_plan *p, struct err *e)
{
    if (!p->project || !*p->project || !is_line(p->project))
        return err_set(e, ERR_USAGE, "a router needs its project's name");
    if (!p->dir || p->dir[0] != '/' || !is_line(p->dir))
        return err_set(e, ERR_USAGE, "the router's folder must be an absolute path");
    if (strpbrk(p->dir, ",$")) /* HAProxy ends a socket's address there, or puts a variable in */
        return err_set(e, ERR_USAGE,
                       "the router's folder %s has a comma or a dollar in it: choose another one "
                       "for the store",
                       p->dir);
    if (strlen(p->dir) > LOCAL_PATH_MAX - SOCKET_SUFFIX_MAX)
        return err_set(e, ERR_USAGE,
                       "the router's folder %s is too long a path for a socket: %zu bytes, at most "
                       "%d; choose a shorter one for the store",
                       p->dir, strlen(p->dir), LOCAL_PATH_MAX - SOCKET_SUFFIX_MAX);
    if (p->ca_file && !is_line(p->ca_file))
        return err_set(e, ERR_USAGE, "the path of the trust anchors has a control character");
    if (p->n_routes == 0)
        return err_set(e, ERR_USAGE, "there is no route");
    for (size_t i = 0; i < p->n_routes; i++)
        if (check_route(p, i, e) != 0)
            return -1;
    return 0;
}

/* --- Copying ----------------------------------------------------------------------------------*/

static const struct haproxy_server *copy_servers(struct arena *a, const struct haproxy_route *r)
{
    struct haproxy_server *servers = arena_array(a, r->n_servers, sizeof *servers);

    for (size_t i = 0; i < r->n_servers; i++) {
        servers[i] = r->servers[i];
        servers[i].environment = arena_strdup(a, r->servers[i].environment);
        servers[i].host = arena_strdup(a, r->servers[i].host);
    }
    return servers;
}

struct haproxy_plan *haproxy_plan_copy(struct arena *a, const struct haproxy_plan *p)
{
    struct haproxy_plan *copy = arena_alloc(a, sizeof *copy);
    struct haproxy_route *routes = arena_array(a, p->n_routes, sizeof *routes);

    *copy = *p;
    copy->project = arena_strdup(a, p->project);
    copy->dir = arena_strdup(a, p->dir);
    copy->ca_file = arena_strdup(a, p->ca_file);
    copy->control_listen = arena_strdup(a, p->control_listen);
    copy->routes = routes;
    for (size_t i = 0; i < p->n_routes; i++) {
        routes[i] = p->routes[i];
        routes[i].name = arena_strdup(a, p->routes[i].name);
        routes[i].listen = arena_strdup(a, p->routes[i].listen);
        routes[i].certificate = arena_strdup(a, p->routes[i].certificate);
        routes[i].health = arena_strdup(a, p->routes[i].health);
        routes[i].servers = copy_servers(a, &p->routes[i]);
    }
    return copy;
}
