#include "app/app.h"

#include "app/order_check.h"
#include "app/traffic_view.h"
#include "base/arena.h"
#include "base/text.h"
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
    ORDERS_MAX = 64,
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
        if (n < sizeof(names) / sizeof(names[0]))
            names[n++] = m->routes[i].name;
    }
    if (!a->o.route) {
        err_set(e, ERR_USAGE, "there are %zu routes; say which with --route, as --route %s",
                m->n_routes, names[0]);
        return NULL;
    }
    const char *near = text_did_you_mean(a->o.route, names, n);
    err_set(e, ERR_USAGE, "--route %.60s: %s has no such route under traffic%s%s%s", a->o.route,
            m->file, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return NULL;
}

/* --- Orders --------------------------------------------------------------------------------------
 */

struct order_set { /* what one command orders */
    struct arena arena;
    const struct manifest_route *route;
    struct traffic_order orders[ORDERS_MAX];
    size_t n;
};

struct order_terms {
    enum order_kind kind;
    int weight;
    int64_t span_ms; /* 0 = until it is taken back */
};

static struct traffic_order order_by(const struct app *a, struct arena *arena, const char *route)
{
    const struct passwd *user = getpwuid(getuid());

    return (struct traffic_order){.route = route,
                                  .made_ms = clock_wall_ms(&a->clock),
                                  .who = arena_strdup(arena, user ? user->pw_name : "somebody"),
                                  .why = a->o.why ? a->o.why : ""};
}

static int add_order(const struct app *a, const char *environment, const struct order_terms *terms,
                     struct order_set *ret, struct err *e)
{
    struct traffic_order o = order_by(a, &ret->arena, ret->route->name);

    if (ret->n == ORDERS_MAX)
        return err_set(e, ERR_USAGE, "more than %d environments in one order", ORDERS_MAX);
    o.environment = environment;
    o.kind = order_kind_name(terms->kind);
    o.weight = terms->weight;
    o.until_ms = terms->span_ms ? o.made_ms + terms->span_ms : 0;
    ret->orders[ret->n++] = o;
    return 0;
}

static int check_orders(const struct app *a, struct order_set *set, struct err *e)
{
    struct orderable all;

    orderable_from(&set->arena, set->route, &all);
    return order_check(a->store, &all, set->orders, set->n, e);
}

static int write_orders(struct app *a, struct order_set *set, struct err *e)
{
    if (store_begin(a->store, e) < 0)
        return -1;
    int rc = check_orders(a, set, e);
    for (size_t i = 0; rc == 0 && i < set->n; i++)
        rc = traffic_order_make(a->store, &set->orders[i], &set->orders[i].id, e);
    if (rc == 0)
        return store_commit(a->store, e);
    store_rollback(a->store);
    return -1;
}

static void say_order(const struct app *a, const struct traffic_order *o)
{
    char words[96], span[32] = "";

    traffic_order_words(o->kind, o->weight, words);
    if (o->until_ms)
        text_format_span(o->until_ms - o->made_ms, span);
    app_say(a, "would order: route %s, %s: %s%s%s", o->route, o->environment, words,
            *span ? " for " : "", *span ? span : " until it is taken back");
}

/* --- Are they followed? --------------------------------------------------------------------------
 */

static bool followed(const struct traffic_view *v, const struct order_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (traffic_view_order(v, set->route->name, set->orders[i].environment) !=
            set->orders[i].id)
            return false;
    return true;
}

/* Waits until the router has taken the orders, for a bounded time, while somebody steers at all. */
static int await(struct app *a, const struct order_set *set, struct traffic_view *ret,
                 bool *ret_done, struct err *e)
{
    const struct timespec step = {0, FOLLOW_STEP_MS * 1000000L};

    *ret_done = false;
    for (int waited = 0;; waited += FOLLOW_STEP_MS) {
        if (traffic_view_read(a, ret, e) < 0)
            return -1;
        *ret_done = ret->steered && followed(ret, set);
        if (*ret_done || !ret->steered || waited >= FOLLOW_MS)
            return 0;
        traffic_view_release(ret);
        (void)nanosleep(&step, NULL);
    }
}

static void say_unfollowed(const struct app *a, const struct traffic_view *v,
                           const struct order_set *set)
{
    if (!v->steered) {
        app_say(a,
                "this is kept, but nobody steers now: it is followed once trine serve runs with "
                "the state folder %s",
                a->state);
        return;
    }
    for (size_t i = 0; i < set->n; i++)
        if (!traffic_view_leads(v, set->route->name, set->orders[i].environment)) {
            app_say(a,
                    "this is kept, but trine serve (%s) has no route %s to %s: it runs with "
                    "another manifest than %s; start it with this one, or send it SIGHUP when the "
                    "file has changed",
                    v->holder, set->route->name, set->orders[i].environment, a->manifest->file);
            return;
        }
    app_say(a,
            "this is kept, but trine serve (%s) has not followed it within %d s; look at its "
            "messages and at trine traffic status",
            v->holder, FOLLOW_MS / 1000);
}

/* Prints where the route stands then; 1 when the orders are not followed. */
static int show_followed(struct app *a, const struct order_set *set, struct err *e)
{
    struct traffic_view view = {0};
    bool done = false;
    int rc = await(a, set, &view, &done, e);

    if (rc == 0 && view.json)
        rc = traffic_view_print(a, &view, set->route->name, e);
    if (rc >= 0 && !done)
        say_unfollowed(a, &view, set);
    traffic_view_release(&view);
    return rc < 0 ? -1 : !done;
}

static int give(struct app *a, struct order_set *set, struct err *e)
{
    if (!a->o.dry_run)
        return write_orders(a, set, e) < 0 ? -1 : show_followed(a, set, e);
    if (check_orders(a, set, e) < 0)
        return -1;
    for (size_t i = 0; i < set->n; i++)
        say_order(a, &set->orders[i]);
    return 0;
}

/* --- The words -----------------------------------------------------------------------------------
 */

static int add_weight(struct app *a, const char *word, struct order_set *set, struct err *e)
{
    const char *equals = strchr(word, '=');
    int64_t weight = 0;

    if (!equals || equals == word || text_int(equals + 1, 0, 100, &weight) < 0)
        return err_set(e, ERR_USAGE,
                       "weights: \"%.60s\" is not ENV=N with a whole N from 0 to 100; write it as "
                       "uat=50",
                       word);
    const struct order_terms terms = {ORDER_WEIGHT, (int)weight, a->o.for_ms};
    return add_order(a, arena_printf(&set->arena, "%.*s", (int)(equals - word), word), &terms, set,
                     e);
}

static int weights(struct app *a, const struct manifest_route *route, struct err *e)
{
    struct order_set set = {.route = route};
    int rc = 0;

    for (size_t i = 1; rc == 0 && i < a->o.n_arguments; i++)
        rc = add_weight(a, a->o.arguments[i], &set, e);
    if (rc == 0)
        rc = give(a, &set, e);
    arena_release(&set.arena);
    return rc;
}

static int order_each(struct app *a, const struct manifest_route *route,
                      const struct order_terms *terms, struct err *e)
{
    struct order_set set = {.route = route};
    int rc = 0;

    if (a->o.n_environments == 0)
        return err_set(e, ERR_USAGE, "%s: say which environment with -e, as -e %s",
                       a->o.arguments[0], route->failover[0]);
    for (size_t i = 0; rc == 0 && i < a->o.n_environments; i++)
        rc = add_order(a, a->o.environments[i], terms, &set, e);
    if (rc == 0)
        rc = give(a, &set, e);
    arena_release(&set.arena);
    return rc;
}

static int drain(struct app *a, const struct manifest_route *route, struct err *e)
{
    const struct order_terms terms = {ORDER_DRAIN, 0, a->o.for_ms};

    return order_each(a, route, &terms, e);
}

static int override(struct app *a, const struct manifest_route *route, struct err *e)
{
    const char *word = a->o.n_arguments > 1 ? a->o.arguments[1] : "";
    bool up = strcmp(word, "up") == 0;
    const struct order_terms terms = {up ? ORDER_UP : ORDER_DOWN, 0,
                                      a->o.for_ms ? a->o.for_ms : OVERRIDE_MS};

    if (!up && strcmp(word, "down") != 0)
        return err_set(e, ERR_USAGE,
                       "override: say up or down, as: trine traffic override down -e %s --for 1h",
                       route->failover[0]);
    return order_each(a, route, &terms, e);
}

/* --- Taking orders back --------------------------------------------------------------------------
 */

struct going { /* the orders in force that would be taken back */
    const struct app *app;
    const struct order_set *set;
};

static void say_going(const struct traffic_order *o, void *arg)
{
    const struct going *g = arg;
    char words[96];

    for (size_t i = 0; i < g->set->n; i++)
        if (strcmp(o->route, g->set->route->name) == 0 &&
            strcmp(o->environment, g->set->orders[i].environment) == 0) {
            traffic_order_words(o->kind, o->weight, words);
            app_say(g->app, "would take back: route %s, %s: %s, ordered by %s", o->route,
                    o->environment, words, o->who);
        }
}

/* Of all environments: also of those that the route no longer leads to. */
static int end_orders(struct app *a, const struct order_set *set, int *ret_n, struct err *e)
{
    int64_t now = clock_wall_ms(&a->clock);
    int rc = 0, n = 0;

    if (a->o.n_environments == 0)
        return traffic_order_end(a->store, set->route->name, NULL, now, ret_n, e);
    if (store_begin(a->store, e) < 0)
        return -1;
    for (size_t i = 0; rc == 0 && i < set->n; i++) {
        rc = traffic_order_end(a->store, set->route->name, set->orders[i].environment, now, &n, e);
        *ret_n += n;
    }
    if (rc == 0)
        return store_commit(a->store, e);
    store_rollback(a->store);
    return -1;
}

static int take_back(struct app *a, struct order_set *set, struct err *e)
{
    int n = 0;

    if (check_orders(a, set, e) < 0)
        return -1;
    if (a->o.dry_run) {
        struct going g = {a, set};
        return traffic_order_list(a->store, false, 0, say_going, &g, e);
    }
    if (end_orders(a, set, &n, e) < 0)
        return -1;
    if (n == 0)
        app_say(a, "there was no order to take back");
    else
        app_say(a, n == 1 ? "1 order taken back" : "%d orders taken back", n);
    return show_followed(a, set, e);
}

static int restore(struct app *a, const struct manifest_route *route, struct err *e)
{
    const struct order_terms none = {ORDER_NONE, 0, 0};
    struct order_set set = {.route = route}; /* their ids are 0: no order is in force */
    bool all = a->o.n_environments == 0;
    size_t n = all ? route->n_failover : a->o.n_environments;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_order(a, all ? route->failover[i] : a->o.environments[i], &none, &set, e);
    if (rc == 0)
        rc = take_back(a, &set, e);
    arena_release(&set.arena);
    return rc;
}

/* --- The rest ------------------------------------------------------------------------------------
 */

static int accept_dns(struct app *a, const struct manifest_route *route, struct err *e)
{
    struct traffic_view view = {0};
    struct arena arena = {0};
    int64_t id = 0;

    if (route->dns.place.line == 0)
        return err_set(e, ERR_USAGE, "%s: route %s has no dns, so nothing of it is moved there",
                       a->manifest->file, route->name);
    if (a->o.dry_run) {
        app_say(a, "would let the next move replace what %s has in the DNS now", route->host);
        return 0;
    }
    struct traffic_order o = order_by(a, &arena, route->name);
    o.environment = ROUTER_DNS;
    o.kind = "accept";
    int rc = traffic_order_make(a->store, &o, &id, e);
    if (rc == 0)
        rc = traffic_view_read(a, &view, e);
    if (rc == 0)
        app_say(a, "what %s has in the DNS now may be replaced by the next move%s", route->host,
                view.steered ? "" : ", once trine serve runs: nobody steers now");
    rc = rc < 0 ? -1 : !view.steered;
    traffic_view_release(&view);
    arena_release(&arena);
    return rc;
}

static int status(struct app *a, const struct manifest_route *route, struct err *e)
{
    struct traffic_view view = {0};
    int64_t from_ms = 0;
    int rc = traffic_read_from(a, SEEN_MS, &from_ms, e);

    if (rc == 0)
        rc = traffic_view_read(a, &view, e);
    if (rc == 0)
        rc = traffic_view_print_all(a, &view, route ? route->name : NULL, from_ms, e);
    traffic_view_release(&view);
    return rc;
}

static int export(struct app *a, const struct manifest_route *route, struct err *e)
{
    (void)route; /* --route is read there */
    return traffic_export_print(a, e);
}

/* --- The command line ----------------------------------------------------------------------------
 */

enum {
    TAKES_ENVIRONMENT = 1,
    TAKES_FOR = 2,
    TAKES_WHY = 4,
    TAKES_FORMAT = 8,
    TAKES_FROM = 16,
    ANY_ROUTE = 32, /* without --route it is about all */
};

struct word {
    const char *name;
    size_t least, most; /* words behind it */
    const char *behind; /* what they are */
    unsigned takes;
    int (*run)(struct app *a, const struct manifest_route *route, struct err *e);
};

static const struct word words[] = {
    {"status", 0, 0, "", TAKES_FROM | ANY_ROUTE, status},
    {"weights", 1, 7, "ENV=N, as uat=50 beta=50", TAKES_FOR | TAKES_WHY, weights},
    {"drain", 0, 0, "", TAKES_ENVIRONMENT | TAKES_FOR | TAKES_WHY, drain},
    {"restore", 0, 0, "", TAKES_ENVIRONMENT, restore},
    {"override", 0, 1, "up or down", TAKES_ENVIRONMENT | TAKES_FOR | TAKES_WHY, override},
    {"accept-dns", 0, 0, "", TAKES_WHY, accept_dns},
    {"export", 0, 0, "", TAKES_FORMAT | ANY_ROUTE, export},
};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };

static const struct word *find_word(const char *name, struct err *e)
{
    const char *names[N_WORDS];

    for (size_t i = 0; i < N_WORDS; i++) {
        if (strcmp(words[i].name, name) == 0)
            return &words[i];
        names[i] = words[i].name;
    }
    const char *near = text_did_you_mean(name, names, N_WORDS);
    (void)err_set(e, ERR_USAGE,
                  "\"%.40s\": there are status, weights, drain, restore, override, drill, drills, "
                  "accept-dns and export%s%s%s",
                  name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return NULL;
}

/* What would be ignored is refused: "restore uat" must not take back all orders. */
static int check_line(const struct options *o, const struct word *w, struct err *e)
{
    const struct {
        bool given;
        unsigned takes;
        const char *name;
    } options[] = {{o->n_environments > 0, TAKES_ENVIRONMENT, "-e"},
                   {o->for_ms > 0, TAKES_FOR, "--for"},
                   {o->why != NULL, TAKES_WHY, "--why"},
                   {o->format != NULL, TAKES_FORMAT, "--format"},
                   {o->output != NULL, TAKES_FORMAT, "-o"},
                   {o->fault != NULL, 0, "--fault"},
                   {o->rate > 0, 0, "--rate"},
                   {o->from != NULL, TAKES_FROM, "--from"},
                   {o->force, 0, "--force"}};
    size_t n = o->n_arguments - 1;

    if (n < w->least)
        return err_set(e, ERR_USAGE, "%s: give %s", w->name, w->behind);
    if (n > w->most) {
        const char *more = o->arguments[w->most + 1];
        bool environment = (w->takes & TAKES_ENVIRONMENT) != 0;
        return err_set(e, ERR_USAGE, "%s takes no \"%.60s\"%s%.60s", w->name, more,
                       environment ? "; name an environment with -e, as -e " : "",
                       environment ? more : "");
    }
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (options[i].given && !(w->takes & options[i].takes))
            return err_set(e, ERR_USAGE, "%s takes no %s; see trine traffic --help", w->name,
                           options[i].name);
    return 0;
}

int cmd_traffic(struct app *a, struct err *e)
{
    const char *name = a->o.arguments[0];
    const struct manifest_route *route = NULL;

    if (strcmp(name, "drill") == 0 || strcmp(name, "drills") == 0)
        return cmd_traffic_drill(a, e);
    const struct word *w = find_word(name, e);
    if (!w || check_line(&a->o, w, e) < 0 || app_open_manifest(a, e) < 0 ||
        app_open_store(a, e) < 0)
        return -1;
    if (a->o.route || !(w->takes & ANY_ROUTE)) {
        route = pick_route(a, e);
        if (!route)
            return -1;
    }
    return w->run(a, route, e);
}
