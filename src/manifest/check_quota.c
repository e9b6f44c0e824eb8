#include "manifest/parse.h"

#include "base/text.h"
#include "manifest/catalogue.h"
#include "manifest/platform.h"

#include <inttypes.h>
#include <string.h>

/*
 * Whether what is measured could ever fit the platforms' limits: the checks' own share alone, so a
 * check that is refused here would spend the whole allowance. A limit of the manifest goes before
 * the public figures of the catalogue, which hold for bindings without a plan or with the plan
 * "free".
 */

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS, MONTH_DAYS = 30 };

/* The public figures, for as long as a manifest is checked. */
struct quotas {
    struct reading *reading;
    struct catalogue *catalogue;
};

struct quota {
    const char *platform;
    int64_t limit; /* commands; hours in milliseconds */
    enum limit_period per;
    /* METRIC_HOURS: so long a database stays awake after a query, and what an hour of that costs in
     * hours of the allowance. */
    int64_t awake_ms;
    double per_awake_hour;
    const char *source;
};

static const struct catalogue_row *row_of(const struct catalogue *c, const char *platform,
                                          enum limit_metric metric, enum hosting hosts)
{
    size_t n;
    const struct catalogue_row *rows = catalogue_rows(c, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].platform, platform) == 0 && rows[i].metric == metric &&
            rows[i].hosts == hosts)
            return &rows[i];
    return NULL;
}

static int64_t period_ms(enum limit_period per)
{
    return per == PER_DAY ? DAY_MS : (int64_t)MONTH_DAYS * DAY_MS;
}

/* The manifest's own figure for the platform, else the public one: *ret_named is its name, NULL for
 * the public one. False when there is none, or the plan is a paid one whose limit nobody gave. */
static bool find_limit(const struct quotas *q, const struct manifest_binding *b,
                       enum limit_metric metric, struct quota *ret, const char **ret_named)
{
    const struct manifest *m = q->reading->m;
    const struct catalogue_row *row = row_of(q->catalogue, b->platform, metric,
                                             metric == METRIC_HOURS ? HOSTS_DATABASE : HOSTS_CACHE);
    if (!row)
        return false;
    *ret = (struct quota){.platform = row->platform,
                          .limit = (int64_t)(row->amount * (metric == METRIC_HOURS ? HOUR_MS : 1)),
                          .per = row->per,
                          .awake_ms = platform_find(row->platform)->database_sleep_ms,
                          .per_awake_hour = row->per_awake_hour,
                          .source = row->source};
    *ret_named = NULL;
    for (size_t i = 0; i < m->n_limits; i++) {
        const struct manifest_limit *l = &m->limits[i];
        if (strcmp(l->platform, b->platform) == 0 && l->metric == metric && l->per != PER_NONE &&
            l->limit.unit == (metric == METRIC_HOURS ? UNIT_MS : UNIT_COUNT)) {
            ret->limit = l->limit.value;
            ret->per = l->per;
            *ret_named = l->name;
            return true;
        }
    }
    return !*b->plan || strcmp(b->plan, "free") == 0;
}

static bool applies(const struct manifest_check *k, const char *environment)
{
    for (size_t i = 0; i < k->n_environments; i++)
        if (strcmp(k->environments[i], environment) == 0)
            return true;
    return k->n_environments == 0;
}

/* How often it asks when nothing else wakes the target; 0 = never. */
static int64_t interval(const struct manifest_check *k)
{
    switch (k->wake) {
    case WAKE_ALWAYS:
        return k->every_ms;
    case WAKE_DUE:
        return k->cold_every_ms > k->every_ms ? k->cold_every_ms : k->every_ms;
    case WAKE_NEVER:
        return 0;
    }
    return 0;
}

static int commands(const struct manifest_check *k)
{
    if (k->kind == CHECK_UPSTASH)
        return CHECK_UPSTASH_COMMANDS;
    if (k->kind == CHECK_REDIS)
        return CHECK_REDIS_COMMANDS + (k->pubsub ? CHECK_REDIS_PUBSUB_COMMANDS : 0);
    return 0;
}

static void say(struct reading *r, const struct manifest_check *k, const char *allowance,
                const char *named, const char *what)
{
    struct complaint c = {"checks", k->name, "every", &k->every_ms, k->place};
    if (named)
        complain(r, &c, "%s; limits.%s allows %s: ask less often", what, named, allowance);
    else
        complain(r, &c,
                 "%s; there are %s: ask less often, or give your plan's own figure in "
                 "`limits`",
                 what, allowance);
}

/* Commands of all checks of one cache together; told of the check that makes it too many. */
static void check_commands(const struct quotas *all, const struct manifest_environment *env)
{
    struct reading *r = all->reading;
    struct quota q;
    const char *named;
    int64_t sum = 0;
    if (!find_limit(all, &env->cache, METRIC_COMMANDS, &q, &named))
        return;
    for (size_t i = 0; i < r->m->n_checks; i++) {
        const struct manifest_check *k = &r->m->checks[i];
        if (!commands(k) || !applies(k, env->name) || k->every_ms <= 0)
            continue;
        int64_t add = period_ms(q.per) / k->every_ms * commands(k), before = sum;
        char what[300], allowance[200], every[32];
        sum += add;
        if (before > q.limit || sum <= q.limit)
            continue;
        text_format_duration(k->every_ms, every);
        snprintf(what, sizeof what, "%d commands every %s are %" PRId64 " a %s on %s in %s%s",
                 commands(k), every, add, q.per == PER_DAY ? "day" : "month", q.platform, env->name,
                 before ? ", too many beside the other checks'" : "");
        snprintf(allowance, sizeof allowance, "%" PRId64 " a %s%s%s%s", q.limit,
                 q.per == PER_DAY ? "day" : "month", named ? "" : " (", named ? "" : q.source,
                 named ? "" : ")");
        say(r, k, allowance, named, what);
    }
}

/* How long one check alone keeps a database awake. */
static void check_hours(const struct quotas *all, const struct manifest_environment *env)
{
    struct reading *r = all->reading;
    struct quota q;
    const char *named;
    if (!find_limit(all, &env->database, METRIC_HOURS, &q, &named))
        return;
    for (size_t i = 0; i < r->m->n_checks; i++) {
        const struct manifest_check *k = &r->m->checks[i];
        int64_t every = interval(k);
        if (k->kind != CHECK_POSTGRES || !applies(k, env->name) || every <= 0)
            continue;
        double awake = every > q.awake_ms ? (double)q.awake_ms / (double)every : 1.0;
        double hours = (double)period_ms(q.per) * awake * q.per_awake_hour / HOUR_MS;
        char what[300], allowance[300], often[32];
        if (hours * HOUR_MS <= (double)q.limit)
            continue;
        text_format_duration(every, often);
        snprintf(what, sizeof what, "a query every %s takes %.1f compute hours a %s on %s in %s",
                 often, hours, q.per == PER_DAY ? "day" : "month", q.platform, env->name);
        snprintf(allowance, sizeof allowance, "%.1f%s%s%s", (double)q.limit / HOUR_MS,
                 named ? "" : " (", named ? "" : q.source, named ? "" : ")");
        say(r, k, allowance, named, what);
    }
}

void manifest_check_quota(struct reading *r)
{
    struct quotas all = {.reading = r, .catalogue = catalogue_new()};
    for (size_t i = 0; i < r->m->n_environments; i++) {
        check_commands(&all, &r->m->environments[i]);
        check_hours(&all, &r->m->environments[i]);
    }
    catalogue_free(all.catalogue);
}
