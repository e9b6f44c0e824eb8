#include "app/app.h"

#include "app/traffic_view.h"
#include "base/buf.h"
#include "base/text.h"
#include "store/traffic.h"
#include "traffic/failover.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* trine traffic: orders to the router of trine serve, through the store that both have. */

enum {
    OVERRIDE_MS = 3600 * 1000,
    FOLLOW_MS = 3000,
    FOLLOW_STEP_MS = 50,
    SEEN_MS = 3600 * 1000, /* of what agents saw, unless --from says otherwise */
};

/* --- The route -----------------------------------------------------------------------------------
 */

static const struct manifest_route *pick_route(const struct app *a, struct err *e)
{
    const struct manifest *m = a->manifest;
    const char *names[100];
    size_t n = 0;

    if (m->n_routes == 0) {
        err_set(e, ERR_MANIFEST, "%s: there is no route under traffic; see trine schema", m->file);
        return NULL;
    }
    if (!a->o.route && m->n_routes == 1)
        return &m->routes[0];
    for (size_t i = 0; i < m->n_routes; i++) {
        if (a->o.route && strcmp(m->routes[i].name, a->o.route) == 0)
            return &m->routes[i];
        names[n++] = m->routes[i].name;
    }
    if (!a->o.route) {
        err_set(e, ERR_USAGE, "there are %zu routes; say which with --route, as --route %s", n,
                names[0]);
        return NULL;
    }
    const char *near = text_did_you_mean(a->o.route, names, n);
    err_set(e, ERR_USAGE, "--route %.60s: there is no such route%s%s", a->o.route,
            near ? "; did you mean " : "", near ? near : "");
    return NULL;
}

static int check_environment(const struct manifest_route *route, const char *name, struct err *e)
{
    for (size_t i = 0; i < route->n_failover; i++)
        if (strcmp(route->failover[i], name) == 0)
            return 0;
    const char *near = text_did_you_mean(name, route->failover, route->n_failover);
    return err_set(e, ERR_USAGE, "route %s does not lead to %.60s%s%s", route->name, name,
                   near ? "; did you mean " : "", near ? near : "");
}

/* --- Orders --------------------------------------------------------------------------------------
 */

struct order_set { /* what one command orders */
    struct traffic_order orders[32];
    size_t n;
    char who[80], names[8][64];
};

struct order_terms {
    enum order_kind kind;
    int weight;
    int64_t span_ms; /* 0 = until it is taken back */
};

static int add_order(struct app *a, const struct manifest_route *route, const char *environment,
                     const struct order_terms *terms, struct order_set *ret, struct err *e)
{
    const struct passwd *user = getpwuid(getuid());
    int64_t now = clock_wall_ms(&a->clock);

    if (check_environment(route, environment, e) < 0)
        return -1;
    if (ret->n == sizeof(ret->orders) / sizeof(ret->orders[0]))
        return err_set(e, ERR_USAGE, "more than %zu environments in one order", ret->n);
    (void)snprintf(ret->who, sizeof(ret->who), "%s", user ? user->pw_name : "somebody");
    ret->orders[ret->n++] =
        (struct traffic_order){.route = route->name,
                               .environment = environment,
                               .kind = order_kind_name(terms->kind),
                               .weight = terms->weight,
                               .made_ms = now,
                               .until_ms = terms->span_ms ? now + terms->span_ms : 0,
                               .who = ret->who,
                               .why = a->o.why ? a->o.why : ""};
    return 0;
}

static int make_orders(struct app *a, struct order_set *set, struct err *e)
{
    if (a->o.dry_run)
        return 0;
    if (store_begin(a->store, e) < 0)
        return -1;
    for (size_t i = 0; i < set->n; i++)
        if (traffic_order_make(a->store, &set->orders[i], &set->orders[i].id, e) < 0) {
            store_rollback(a->store);
            return -1;
        }
    return store_commit(a->store, e);
}

/* --- Are they followed? --------------------------------------------------------------------------
 */

static bool followed(const struct traffic_view *v, const struct order_set *set,
                     const struct manifest_route *route)
{
    for (size_t i = 0; i < set->n; i++)
        if (traffic_view_order(v, route->name, set->orders[i].environment) != set->orders[i].id)
            return false;
    return true;
}

/* Waits for the router to have taken the orders; prints where it stands then. */
static int show_followed(struct app *a, const struct manifest_route *route,
                         const struct order_set *set, struct err *e)
{
    struct traffic_view view = {0};
    bool done = false;

    for (int waited = 0; !done && waited < FOLLOW_MS; waited += FOLLOW_STEP_MS) {
        const struct timespec step = {0, FOLLOW_STEP_MS * 1000000L};
        traffic_view_release(&view);
        if (traffic_view_read(a, &view, e) < 0)
            return -1;
        if (!view.steered)
            break;
        done = followed(&view, set, route);
        if (!done)
            (void)nanosleep(&step, NULL);
    }
    int rc = traffic_view_print(a, &view, route->name, e);
    if (rc >= 0 && !view.steered)
        app_say(a, "the order is kept; nobody follows it until trine serve runs");
    else if (rc >= 0 && !done)
        app_say(a,
                "the order is kept, but %s has not followed it within %d s; see trine traffic "
                "status",
                view.holder, FOLLOW_MS / 1000);
    traffic_view_release(&view);
    return rc < 0 ? -1 : done ? 0 : 1;
}

static int give(struct app *a, const struct manifest_route *route, struct order_set *set,
                struct err *e)
{
    if (make_orders(a, set, e) < 0)
        return -1;
    if (!a->o.dry_run)
        return show_followed(a, route, set, e);
    for (size_t i = 0; i < set->n; i++)
        app_say(a, "would order: route %s, %s: %s", route->name, set->orders[i].environment,
                set->orders[i].kind);
    return 0;
}

/* --- The words -----------------------------------------------------------------------------------
 */

static int need_environments(const struct app *a, const char *word, struct err *e)
{
    if (a->o.n_environments)
        return 0;
    return err_set(e, ERR_USAGE, "%s: say which environment, as -e uat", word);
}

static int weights(struct app *a, const struct manifest_route *route, struct err *e)
{
    struct order_set set = {0};
    int64_t sum = 0;

    if (a->o.n_arguments < 2)
        return err_set(e, ERR_USAGE, "weights: give ENV=N, as uat=50 beta=50");
    for (size_t i = 1; i < a->o.n_arguments; i++) {
        const char *word = a->o.arguments[i], *equals = strchr(word, '=');
        int64_t weight = 0;
        if (!equals || (size_t)(equals - word) >= sizeof(set.names[0]) ||
            text_int(equals + 1, 0, 100, &weight) < 0)
            return err_set(e, ERR_USAGE, "%.60s: give ENV=N with N from 0 to 100, as uat=50", word);
        (void)snprintf(set.names[i - 1], sizeof(set.names[0]), "%.*s", (int)(equals - word), word);
        const struct order_terms terms = {ORDER_WEIGHT, (int)weight, a->o.for_ms};
        if (add_order(a, route, set.names[i - 1], &terms, &set, e) < 0)
            return -1;
        sum += weight;
    }
    for (size_t i = 0; i < route->n_weights; i++) { /* those that keep theirs */
        bool named = false;
        for (size_t j = 0; j < set.n; j++)
            named |= strcmp(set.orders[j].environment, route->weights[i].environment) == 0;
        sum += named ? 0 : route->weights[i].weight;
    }
    if (sum == 0)
        return err_set(e, ERR_USAGE,
                       "all weights of route %s would be 0: nobody would answer; give "
                       "one more than 0",
                       route->name);
    return give(a, route, &set, e);
}

static int order_each(struct app *a, const struct manifest_route *route, const char *word,
                      enum order_kind kind, int64_t span_ms, struct err *e)
{
    const struct order_terms terms = {kind, 0, span_ms};
    struct order_set set = {0};

    if (need_environments(a, word, e) < 0)
        return -1;
    for (size_t i = 0; i < a->o.n_environments; i++)
        if (add_order(a, route, a->o.environments[i], &terms, &set, e) < 0)
            return -1;
    if (kind == ORDER_DRAIN && set.n == route->n_failover)
        return err_set(e, ERR_USAGE,
                       "that would drain every environment of route %s: nobody would "
                       "answer",
                       route->name);
    return give(a, route, &set, e);
}

static int override(struct app *a, const struct manifest_route *route, struct err *e)
{
    const char *word = a->o.n_arguments > 1 ? a->o.arguments[1] : "";
    bool up = strcmp(word, "up") == 0;

    if (!up && strcmp(word, "down") != 0)
        return err_set(e, ERR_USAGE,
                       "override: say up or down, as: trine traffic "
                       "override down -e uat --for 1h");
    return order_each(a, route, "override", up ? ORDER_UP : ORDER_DOWN,
                      a->o.for_ms ? a->o.for_ms : OVERRIDE_MS, e);
}

static int restore(struct app *a, const struct manifest_route *route, struct err *e)
{
    const struct order_terms none = {ORDER_NONE, 0, 0};
    struct order_set set = {0}; /* their ids are 0: no order is in force */
    int64_t now = clock_wall_ms(&a->clock);
    int ended = 0, n = 0;

    for (size_t i = 0; i < a->o.n_environments; i++) {
        if (add_order(a, route, a->o.environments[i], &none, &set, e) < 0 ||
            (!a->o.dry_run &&
             traffic_order_end(a->store, route->name, a->o.environments[i], now, &n, e) < 0))
            return -1;
        ended += n;
    }
    if (a->o.n_environments == 0) {
        for (size_t i = 0; i < route->n_failover; i++)
            if (add_order(a, route, route->failover[i], &none, &set, e) < 0)
                return -1;
        if (!a->o.dry_run && traffic_order_end(a->store, route->name, NULL, now, &ended, e) < 0)
            return -1;
    }
    if (a->o.dry_run)
        return 0;
    app_say(a, ended == 1 ? "1 order taken back" : "%d orders taken back", ended);
    return show_followed(a, route, &set, e);
}

static int accept_dns(struct app *a, const struct manifest_route *route, struct err *e)
{
    struct order_set set = {.n = 1};
    int64_t id = 0;

    if (route->dns.place.line == 0)
        return err_set(e, ERR_USAGE, "route %s has no dns: nothing of it is moved there",
                       route->name);
    set.orders[0] = (struct traffic_order){.route = route->name,
                                           .environment = ROUTER_DNS,
                                           .kind = "accept",
                                           .made_ms = clock_wall_ms(&a->clock),
                                           .who = "",
                                           .why = a->o.why ? a->o.why : ""};
    if (!a->o.dry_run && traffic_order_make(a->store, &set.orders[0], &id, e) < 0)
        return -1;
    app_say(a, "what %s has in the DNS now may be replaced by the next move", route->host);
    return 0;
}

static int status(struct app *a, struct err *e)
{
    struct traffic_view view = {0};
    int64_t from_ms = 0;
    int rc = traffic_read_from(a, SEEN_MS, &from_ms, e);

    if (rc == 0)
        rc = traffic_view_read(a, &view, e);
    if (rc == 0)
        rc = traffic_view_print_all(a, &view, a->o.route, from_ms, e);
    traffic_view_release(&view);
    return rc;
}

int cmd_traffic(struct app *a, struct err *e)
{
    const char *word = a->o.arguments[0];
    const struct manifest_route *route;

    if (strcmp(word, "drill") == 0 || strcmp(word, "drills") == 0)
        return cmd_traffic_drill(a, e);
    if (app_open_manifest(a, e) < 0 || app_open_store(a, e) < 0)
        return -1;
    if (strcmp(word, "export") == 0)
        return traffic_export_print(a, e);
    if (strcmp(word, "status") == 0)
        return status(a, e);
    route = pick_route(a, e);
    if (!route)
        return -1;
    if (strcmp(word, "weights") == 0)
        return weights(a, route, e);
    if (strcmp(word, "drain") == 0)
        return order_each(a, route, "drain", ORDER_DRAIN, a->o.for_ms, e);
    if (strcmp(word, "override") == 0)
        return override(a, route, e);
    if (strcmp(word, "restore") == 0)
        return restore(a, route, e);
    if (strcmp(word, "accept-dns") == 0)
        return accept_dns(a, route, e);
    return err_set(e, ERR_USAGE,
                   "%.40s: there are status, weights, drain, restore, override, drill, drills, "
                   "accept-dns and export",
                   word);
}
