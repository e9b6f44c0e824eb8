#include "app/checking_view.h"

#include "app/json_out.h"
#include "app/targets_inner.h"
#include "base/mem.h"
#include "base/text.h"
#include "manifest/platform.h"
#include "provider/provider.h"
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one look is taken to make a platform send. */
enum {
    PAGE_BYTES = 5000, /* a page, or a list of the API: any path but the health path */
    STORE_BYTES = 1000 /* a connection to a database or cache, with its question */
};

/* Of one environment: what is asked there on one platform. */
struct group {
    const struct manifest_environment *env;
    const struct manifest_binding *binding;
    unsigned hosts;
    struct checking *list;
    size_t n, size;
};

struct pricing {
    const struct manifest *manifest;
    const struct matrix *matrix;
    struct checking_rows *rows;
    struct group *groups;
    size_t n_groups;
};

static const char *word_of(unsigned hosts)
{
    switch (hosts) {
    case HOSTS_STATIC:
        return "static";
    case HOSTS_SERVICE:
        return "service";
    case HOSTS_DATABASE:
        return "database";
    case HOSTS_CACHE:
        return "cache";
    }
    return "";
}

/* --- What a check asks ---------------------------------------------------------------------------
 */

static int64_t service_sleep_ms(const struct cell *c)
{
    const struct provider_ops *ops = provider_find(c->binding->platform);

    if (c->app->kind != APP_SERVICE || !ops || !binding_is_free(c->binding))
        return 0;
    return ops->sleep_after_ms;
}

/* The share of the month for which keep_awake holds this app awake. */
static double kept_awake(const struct manifest *m, const struct cell *c, int64_t sleep_after_ms)
{
    double most = 0;

    for (size_t i = 0; i < m->n_keep_awake; i++) {
        const struct manifest_keep_awake *k = &m->keep_awake[i];
        bool all_day = k->hours.from == 0 && k->hours.to == 0;
        if (strcmp(k->environment, c->env->name) != 0 || !text_glob(k->app, c->app->name) ||
            k->every_ms > sleep_after_ms)
            continue;
        double day = all_day ? 1 : (k->hours.to - k->hours.from) / (24.0 * 60);
        most = fmax(most, day * __builtin_popcount(k->weekdays & WEEKDAYS_ALL) / 7);
    }
    return most;
}

/* How often it asks. One that comes less often than the service falls asleep meets it asleep: when
 * that is measured only now and then, so often. One that comes more often keeps it awake. */
static int64_t interval(const struct manifest_check *k, int64_t sleep_after_ms)
{
    bool waits = k->wake == WAKE_DUE && k->every_ms > sleep_after_ms && sleep_after_ms > 0;

    return waits && k->cold_every_ms > k->every_ms ? k->cold_every_ms : k->every_ms;
}

static int64_t answer_bytes(const struct manifest_check *k, const struct cell *c)
{
    if (check_is_of_store(k->kind))
        return STORE_BYTES;
    if (k->kind == CHECK_HTTP && strcmp(k->path, c->app->health) != 0)
        return PAGE_BYTES;
    return CHECKING_BYTES;
}

static double commands(const struct manifest_check *k, const struct manifest_binding *cache)
{
    bool pubsub = k->pubsub || (cache->needs & (1u << NEED_PUBSUB)) != 0;

    if (k->kind == CHECK_UPSTASH)
        return CHECK_UPSTASH_COMMANDS;
    if (k->kind == CHECK_REDIS)
        return CHECK_REDIS_COMMANDS + (pubsub ? CHECK_REDIS_PUBSUB_COMMANDS : 0);
    return 0;
}

static struct checking of_app(const struct manifest *m, const struct manifest_check *k,
                              const struct cell *c, unsigned service)
{
    int64_t sleep = service_sleep_ms(c);

    return (struct checking){
        .platform = c->binding->platform,
        .hosts = c->app->kind == APP_STATIC ? HOSTS_STATIC : HOSTS_SERVICE,
        .service = service,
        .every_ms = interval(k, sleep),
        .request_bytes = answer_bytes(k, c),
        .sleep_after_ms = sleep,
        .awake_anyway = kept_awake(m, c, sleep),
        .paid = !binding_is_free(c->binding),
        .no_request = k->kind == CHECK_TLS || k->kind == CHECK_TCP || k->kind == CHECK_DNS,
    };
}

static struct checking of_store(const struct manifest_check *k, const struct cell *c)
{
    bool database = k->kind == CHECK_POSTGRES;
    const struct manifest_binding *b = database ? &c->env->database : &c->env->cache;
    const struct platform *p = platform_find(b->platform);
    int64_t sleep = database && p && binding_is_free(b) ? p->database_sleep_ms : 0;

    return (struct checking){
        .platform = b->platform,
        .hosts = database ? HOSTS_DATABASE : HOSTS_CACHE,
        .every_ms = interval(k, sleep),
        .request_bytes = answer_bytes(k, c),
        .sleep_after_ms = sleep,
        .paid = !binding_is_free(b),
        .commands = commands(k, &c->env->cache),
    };
}

/* --- The checks ----------------------------------------------------------------------------------
 */

static struct group *group_of(struct pricing *p, const struct manifest_environment *env,
                              const struct manifest_binding *binding, unsigned hosts)
{
    for (size_t i = 0; i < p->n_groups; i++)
        if (p->groups[i].env == env && p->groups[i].hosts == hosts)
            return &p->groups[i];
    p->groups = mem_grow(p->groups, p->n_groups + 1, sizeof(*p->groups));
    p->groups[p->n_groups] = (struct group){.env = env, .binding = binding, .hosts = hosts};
    return &p->groups[p->n_groups++];
}

static void group_add(struct pricing *p, const struct cell *c, const struct checking *k)
{
    const struct manifest_binding *b = k->hosts == HOSTS_DATABASE ? &c->env->database
                                       : k->hosts == HOSTS_CACHE  ? &c->env->cache
                                                                  : c->binding;
    struct group *g = group_of(p, c->env, b, k->hosts);

    if (g->n == g->size) {
        g->size = g->size ? 2 * g->size : 16;
        g->list = mem_grow(g->list, g->size, sizeof(*g->list));
    }
    g->list[g->n++] = *k;
}

/* A store is asked once an environment: the matrix goes by environment. */
static void collect(struct pricing *p, const struct manifest_check *k)
{
    const struct manifest_environment *done = NULL;

    for (size_t i = 0; i < p->matrix->n; i++) {
        const struct cell *c = &p->matrix->cells[i];
        bool store = check_is_of_store(k->kind);
        if (!check_names(k, c) || (store ? c->env == done : !c->binding))
            continue;
        done = c->env;
        struct checking asked = store ? of_store(k, c) : of_app(p->manifest, k, c, (unsigned)i);
        if (*asked.platform)
            group_add(p, c, &asked);
    }
}

static struct checking_row *row_add(struct checking_rows *r)
{
    if (r->n == r->size) {
        r->size = r->size ? 2 * r->size : 16;
        r->items = mem_grow(r->items, r->size, sizeof(*r->items));
    }
    r->items[r->n] = (struct checking_row){.route = "", .app = ""};
    return &r->items[r->n++];
}

static void price_checks(struct pricing *p)
{
    for (size_t i = 0; i < p->manifest->n_checks; i++)
        collect(p, &p->manifest->checks[i]);
    for (size_t i = 0; i < p->matrix->n; i++) /* in the order of the environments */
        for (size_t k = 0; k < p->n_groups; k++) {
            const struct group *g = &p->groups[k];
            if (g->env != p->matrix->cells[i].env ||
                (i > 0 && p->matrix->cells[i - 1].env == g->env))
                continue;
            struct checking_row *row = row_add(p->rows);
            row->environment = g->env->name;
            row->platform = g->binding->platform;
            row->what = word_of(g->hosts);
            checking_price_all(p->rows->allowances, g->list, g->n, &row->price);
        }
}

/* --- The routes ----------------------------------------------------------------------------------
 */

static const struct cell *cell_of(const struct matrix *x, const char *environment, const char *app)
{
    for (size_t i = 0; i < x->n; i++)
        if (strcmp(x->cells[i].env->name, environment) == 0 &&
            strcmp(x->cells[i].app->name, app) == 0)
            return &x->cells[i];
    return NULL;
}

/* The share of the month in which checks and keep_awake keep it awake already. */
static double awake_already(const struct pricing *p, const struct cell *c, int64_t sleep_after_ms)
{
    double share = kept_awake(p->manifest, c, sleep_after_ms);

    for (size_t i = 0; sleep_after_ms > 0 && i < p->manifest->n_checks; i++) {
        const struct manifest_check *k = &p->manifest->checks[i];
        if (check_is_of_store(k->kind) || !check_names(k, c))
            continue;
        const struct checking asked = of_app(p->manifest, k, c, 0);
        struct checking_price price;
        checking_price(p->rows->allowances, &asked, &price);
        share += price.awake_hours / MONTH_HOURS;
    }
    return fmin(share, 1);
}

static const struct manifest_check *check_of(const struct manifest *m,
                                             const struct manifest_route *r)
{
    for (size_t i = 0; i < m->n_checks; i++)
        if (strcmp(m->checks[i].name, r->check) == 0)
            return &m->checks[i];
    return NULL;
}

static void price_member(struct pricing *p, const struct manifest_route *r, const char *environment)
{
    const struct cell *c = cell_of(p->matrix, environment, r->app);
    const struct manifest_check *k = check_of(p->manifest, r);

    if (!c || !c->binding || !*c->binding->platform)
        return;
    int64_t sleep = service_sleep_ms(c);
    struct checking asked = {
        .platform = c->binding->platform,
        .hosts = c->app->kind == APP_STATIC ? HOSTS_STATIC : HOSTS_SERVICE,
        .request_bytes = k ? answer_bytes(k, c) : CHECKING_BYTES,
        .sleep_after_ms = sleep,
        .awake_anyway = awake_already(p, c, sleep),
        .paid = !binding_is_free(c->binding),
    };
    struct checking_row *row = row_add(p->rows);
    const struct allowances *a = p->rows->allowances;
    row->route = r->name;
    row->environment = c->env->name;
    row->app = c->app->name;
    row->platform = c->binding->platform;
    row->what = word_of(asked.hosts);
    asked.every_ms = row->every_ms =
        checking_pace(a, &asked, r->check_budget, checking_interval(r->detect_ms, r->down_after),
                      &row->stops_when_asleep);
    asked.stops_when_asleep = row->stops_when_asleep;
    checking_price(a, &asked, &row->price);
    checking_price_tuned(a, &asked, &row->tuned);
}

/* The failover order names every member. */
static void price_routes(struct pricing *p)
{
    for (size_t i = 0; i < p->manifest->n_routes; i++) {
        const struct manifest_route *r = &p->manifest->routes[i];
        for (size_t k = 0; k < r->n_failover; k++)
            price_member(p, r, r->failover[k]);
    }
}

void checking_rows(const struct manifest *m, const struct matrix *x, struct checking_rows *ret)
{
    struct pricing p = {.manifest = m, .matrix = x, .rows = ret};

    *ret = (struct checking_rows){.allowances = allowances_new(m)};
    price_checks(&p);
    price_routes(&p);
    for (size_t i = 0; i < p.n_groups; i++)
        free(p.groups[i].list);
    free(p.groups);
}

void checking_rows_release(struct checking_rows *r)
{
    allowances_free(r->allowances);
    free(r->items);
    *r = (struct checking_rows){0};
}

const struct checking_row *checking_row_of(const struct checking_rows *r, const char *route,
                                           const char *environment)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->items[i].route, route) == 0 &&
            strcmp(r->items[i].environment, environment) == 0)
            return &r->items[i];
    return NULL;
}

/* --- Shown ---------------------------------------------------------------------------------------
 */

static bool shown(const struct checking_row *row, const char *route)
{
    return !route || strcmp(row->route, route) == 0;
}

static void say_share(struct table *t, const struct allowance_share *s)
{
    enum table_tone tone = s->share > 1 ? TONE_BAD : s->share > 0.1 ? TONE_WARN : TONE_GOOD;

    if (s->known)
        table_cell(t, tone, "%.*f %%", s->share < 0.0995 ? 1 : 0, 100 * s->share);
    else
        table_cell(t, TONE_DIM, "%s", s->unlimited ? "unlimited" : "no limit known");
}

static void say_allowance(struct table *t, const struct allowance_share *s)
{
    if (!s->known)
        table_cell(t, TONE_PLAIN, "%s", "");
    else if (strcmp(s->metric, "bandwidth") == 0)
        table_cell(t, TONE_PLAIN, "%.4g GB a %s", s->amount / 1e9, s->per);
    else if (strcmp(s->metric, "credit") == 0)
        table_cell(t, TONE_PLAIN, "credit of %.4g a %s", s->amount, s->per);
    else
        table_cell(t, TONE_PLAIN, "%.*f %s a %s", s->amount < 100 ? 1 : 0, s->amount, s->metric,
                   s->per);
}

void checking_every(int64_t ms, char ret[32])
{
    if (ms < 60000)
        (void)snprintf(ret, 32, "%.3g s", (double)ms / 1000);
    else
        text_format_span(ms, ret);
}

static void say_pace(struct table *t, const struct checking_row *row)
{
    char every[32];

    if (!*row->route)
        table_cell(t, TONE_PLAIN, "%s", "");
    else if (row->every_ms == 0)
        table_cell(t, TONE_BAD, "%s", "none fits");
    else {
        checking_every(row->every_ms, every);
        table_cell(t, TONE_PLAIN, "%s%s", every, row->stops_when_asleep ? ", not when idle" : "");
    }
}

static void say_amount(struct table *t, double amount, const char *unit)
{
    if (amount > 0)
        table_cell(t, TONE_PLAIN, "%.0f%s", amount, unit);
    else
        table_cell(t, TONE_PLAIN, "%s", "");
}

static void say_row(struct table *t, const struct checking_row *row)
{
    const struct checking_price *p = &row->price;

    table_row(t);
    table_cell(t, TONE_PLAIN, "%s%s", *row->route ? "route " : "checks", row->route);
    table_cell(t, TONE_PLAIN, "%s", row->environment);
    table_cell(t, TONE_PLAIN, "%s %s", row->platform, row->what);
    say_pace(t, row);
    table_cell(t, TONE_PLAIN, "%.0f", p->requests);
    say_amount(t, p->awake_hours, " h");
    say_amount(t, p->commands, "");
    say_share(t, &p->worst);
    say_allowance(t, &p->worst);
    if (*row->route && row->tuned.worst.known)
        table_cell(t, TONE_DIM, "%.0f %%", 100 * row->tuned.worst.share);
}

struct table *checking_table(const struct checking_rows *r, const char *route)
{
    struct table *t = table_new();

    table_column(t, "A MONTH OF", TABLE_LEFT, false);
    table_column(t, "ENVIRONMENT", TABLE_LEFT, false);
    table_column(t, "ASKS", TABLE_LEFT, false);
    table_column(t, "EVERY", TABLE_LEFT, false);
    table_column(t, "REQUESTS", TABLE_RIGHT, false);
    table_column(t, "AWAKE", TABLE_RIGHT, false);
    table_column(t, "COMMANDS", TABLE_RIGHT, false);
    table_column(t, "SHARE", TABLE_RIGHT, false);
    table_column(t, "OF", TABLE_LEFT, true);
    table_column(t, "AT 200 MS", TABLE_RIGHT, false);
    for (size_t i = 0; i < r->n; i++)
        if (shown(&r->items[i], route))
            say_row(t, &r->items[i]);
    return t;
}

static void number_of(struct json_out *o, const char *name, bool known, double v, int decimals)
{
    out_key(o, name);
    if (known)
        out_number(o, v, decimals);
    else
        out_null(o);
}

static void flag_of(struct json_out *o, const char *name, bool v)
{
    out_key(o, name);
    out_flag(o, v);
}

static void row_json(const struct checking_row *row, struct json_out *o)
{
    const struct checking_price *p = &row->price;
    const struct allowance_share *s = &p->worst;
    bool route = *row->route;

    out_open(o, '{');
    out_text_of(o, "route", route ? row->route : NULL);
    out_text_of(o, "environment", row->environment);
    out_text_of(o, "platform", row->platform);
    out_text_of(o, "asks", row->what);
    number_of(o, "pace_ms", route && row->every_ms > 0, (double)row->every_ms, 0);
    flag_of(o, "stops_when_idle", row->stops_when_asleep);
    number_of(o, "requests", true, p->requests, 0);
    number_of(o, "bytes", true, p->bytes, 0);
    number_of(o, "awake_hours", true, p->awake_hours, 2);
    number_of(o, "commands", true, p->commands, 0);
    number_of(o, "share", s->known, s->share, 6);
    out_text_of(o, "of", s->known ? s->metric : NULL);
    number_of(o, "used", s->known, s->used, 3);
    number_of(o, "amount", s->known, s->amount, 3);
    flag_of(o, "unlimited", s->unlimited);
    out_text_of(o, "beyond", s->known ? s->beyond : NULL);
    out_text_of(o, "source", s->known ? s->source : NULL);
    out_text_of(o, "doubt", s->known && *s->doubt ? s->doubt : NULL);
    number_of(o, "tuned_share", route && row->tuned.worst.known, row->tuned.worst.share, 6);
    out_close(o, '}');
}

void checking_json(const struct checking_rows *r, const char *route, struct json_out *o)
{
    out_open(o, '[');
    for (size_t i = 0; i < r->n; i++)
        if (shown(&r->items[i], route))
            row_json(&r->items[i], o);
    out_close(o, ']');
}
