#include "manifest/parse.h"

#include "base/text.h"
#include "manifest/platform.h"
#include "net/http.h"

#include <stdio.h>
#include <string.h>

/* Checks of what stands beside apps and environments: alerts, copies, schedules, ... */

bool listed(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

void require_environments(struct reading *r, struct complaint c, const char *key,
                          const char *const *names, size_t n)
{
    c.key = key;
    for (size_t i = 0; i < n; i++) {
        c.member = &names[i];
        require_environment(r, &c, names[i]);
    }
}

void require_store(struct reading *r, struct complaint c, const char *key, const char *const *name,
                   size_t binding, const char *what)
{
    c.key = key;
    c.member = name;
    const struct manifest_environment *env = require_environment(r, &c, *name);
    if (!env)
        return;
    const struct manifest_binding *b =
        (const struct manifest_binding *)(const void *)((const char *)env + binding);
    if (!*b->platform)
        complain(r, &c, "environment %s has no %s; give it one or leave it out here", *name, what);
}

void require_app(struct reading *r, struct complaint c, const char *const *name, enum app_kind kind)
{
    c.key = "app";
    c.member = name;
    const struct manifest_app *app = manifest_app_find(r->m, *name);
    if (!app) {
        const char *near = NULL;
        for (size_t i = 0; i < r->m->n_apps && strlen(*name) <= 64 && !near; i++)
            near = text_did_you_mean(*name, (const char *const *)&r->m->apps[i].name, 1);
        complain(r, &c, "there is no app \"%.80s\"%s%s%s", *name, near ? "; did you mean \"" : "",
                 near ? near : "", near ? "\"?" : "");
    } else if (app->kind != kind) {
        complain(r, &c, "%s is of kind %s; a %s is needed", *name, app_kind_name(app->kind),
                 app_kind_name(kind));
    }
}

void require_match(struct reading *r, struct complaint c, const char *const *pattern)
{
    for (size_t i = 0; i < r->m->n_apps; i++)
        if (text_glob(*pattern, r->m->apps[i].name))
            return;
    c.key = "app";
    c.member = pattern;
    if (**pattern)
        complain(r, &c, "\"%.80s\" matches no app", *pattern);
}

/* --- Alerts, keep-awake ----------------------------------------------------------------------- */

static bool is_scheme(const char *url, const char *scheme)
{
    return strncmp(url, scheme, strlen(scheme)) == 0;
}

/* As far as it is written out; what $NAME stands for is seen when it is used. */
static const char *alert_url_fault(const struct manifest_alert *alert)
{
    char host[256];
    if (alert->url[0] == '$')
        return NULL;
    if (alert->kind == ALERT_MAIL)
        return is_scheme(alert->url, "smtp://") || is_scheme(alert->url, "smtps://")
                   ? NULL
                   : "must be smtp://user:password@host:port, or smtps://";
    if (is_scheme(alert->url, "https://"))
        return NULL;
    const char *at = is_scheme(alert->url, "http://") ? alert->url + 7 : "";
    bool v6 = *at == '[';
    snprintf(host, sizeof host, "%.*s", (int)strcspn(at + v6, v6 ? "]" : ":/?#"), at + v6);
    return http_is_loopback(host) ? NULL
                                  : "must be https://, or all on the way could read it; http:// "
                                    "only where it stays on this machine";
}

static void check_alert(struct reading *r, const struct manifest_alert *alert)
{
    struct complaint c = {"alerts", alert->name, "", NULL, alert->place};
    require_environments(r, c, "environments", alert->environments, alert->n_environments);
    if (alert->kind == ALERT_MAIL && (!alert->n_to || !*alert->from))
        complain(r, &c, "mail needs \"to\" and \"from\"");
    const char *fault = *alert->url ? alert_url_fault(alert) : NULL;
    c.key = "url";
    c.member = &alert->url;
    if (fault)
        complain(r, &c, "%s", fault);
}

static void check_keep_awake(struct reading *r, const struct manifest_keep_awake *k)
{
    struct complaint c = {"keep_awake", k->environment, "", NULL, k->place};
    require_store(r, c, "", &k->environment, offsetof(struct manifest_environment, service),
                  "service hosting");
    require_match(r, c, &k->app);
}

/* --- Money and limits ------------------------------------------------------------------------- */

static enum manifest_unit metric_unit(enum limit_metric metric)
{
    switch (metric) {
    case METRIC_STORAGE:
    case METRIC_BANDWIDTH:
    case METRIC_EGRESS:
        return UNIT_BYTES;
    case METRIC_HOURS:
        return UNIT_MS;
    case METRIC_CREDIT:
        return UNIT_CENTS;
    case METRIC_COMMANDS:
    case METRIC_REQUESTS:
    case METRIC_SERVICES:
    case METRIC_BUILDS:
    case METRIC_DEPLOYS:
        return UNIT_COUNT;
    }
    return UNIT_NONE;
}

static void check_limit(struct reading *r, struct manifest_limit *limit)
{
    static const char *const examples[] = {"", "10000", "3GB", "750h", "5 USD"};
    struct complaint c = {"limits", limit->name, "platform", &limit->platform, limit->place};
    const char *meant = platform_did_you_mean(limit->platform);
    if (*limit->platform && !platform_find(limit->platform))
        complain(r, &c, "there is no platform \"%.80s\"%s%s%s", limit->platform,
                 meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
    c.key = "limit";
    c.member = &limit->limit;
    enum manifest_unit unit = metric_unit(limit->metric);
    if (limit->limit.unit != UNIT_NONE && limit->limit.unit != unit &&
        !was_refused(r, &limit->metric))
        complain(r, &c, "is of the wrong unit for this metric; write one such as %s",
                 examples[unit]);
    if (limit->alert.unit == UNIT_NONE) {
        limit->alert = limit->limit;
        limit->alert.value = limit->limit.value / 5 * 4 + limit->limit.value % 5 * 4 / 5;
        return;
    }
    c.key = "alert";
    c.member = &limit->alert;
    if (limit->alert.unit != limit->limit.unit)
        complain(r, &c, "is of another unit than the limit");
    else if (limit->alert.value > limit->limit.value)
        complain(r, &c, "is above the limit, so it would come too late");
}

static void check_budget(struct reading *r)
{
    const struct manifest_budget *b = &r->m->budget;
    for (size_t i = 0; i < b->n_elsewhere; i++) {
        const struct manifest_price *price = &b->elsewhere[i];
        struct complaint c = {"budget.elsewhere", price->name, "", NULL, price->place};
        if (*price->currency && *b->currency && strcmp(price->currency, b->currency) != 0)
            complain(r, &c, "is in %s but the budget in %s; give both in one currency",
                     price->currency, b->currency);
    }
    const struct manifest_score *s = &r->m->score;
    if (s->speed + s->reliability + s->cost + s->limits == 0)
        problem_add(r->problems, places_get(&r->places, s, (struct place){1, 1}), "score",
                    "all weights are 0; give one more than 0");
}

/* --- Data ------------------------------------------------------------------------------------- */

static void check_copy(struct reading *r, const struct manifest_copy *copy)
{
    size_t database = offsetof(struct manifest_environment, database);
    struct complaint c = {"copy", copy->name, "", NULL, copy->place};
    require_store(r, c, "from", &copy->from, database, "database");
    for (size_t i = 0; i < copy->n_to; i++)
        require_store(r, c, "to", &copy->to[i], database, "database");
    c.key = "to";
    c.member = &copy->to;
    if (*copy->from && listed(copy->to, copy->n_to, copy->from))
        complain(r, &c, "%s would be copied onto itself", copy->from);
}

static void check_backup(struct reading *r, const struct manifest_backup *backup)
{
    struct complaint c = {"backup", backup->name, "", NULL, backup->place};
    for (size_t i = 0; i < backup->n_from; i++)
        require_store(r, c, "from", &backup->from[i],
                      offsetof(struct manifest_environment, database), "database");
    require_store(r, c, "to", &backup->to, offsetof(struct manifest_environment, storage),
                  "storage");
}

static void check_objects(struct reading *r, const struct manifest_objects *o)
{
    size_t storage = offsetof(struct manifest_environment, storage);
    struct complaint c = {"objects", o->name, "", NULL, o->place};
    if (!*o->path == !*o->from)
        complain(r, &c, "needs either \"path\" or \"from\"");
    require_store(r, c, "from", &o->from, storage, "storage");
    for (size_t i = 0; i < o->n_to; i++)
        require_store(r, c, "to", &o->to[i], storage, "storage");
    c.key = "to";
    c.member = &o->to;
    if (*o->from && listed(o->to, o->n_to, o->from))
        complain(r, &c, "%s would be copied onto itself", o->from);
}

static void check_parity(struct reading *r, const struct manifest_parity *p)
{
    struct complaint c = {"parity", p->name, "", NULL, p->place};
    require_match(r, c, &p->app);
    require_environments(r, c, "environments", p->environments, p->n_environments);
}

static void check_schedule(struct reading *r, const struct manifest_schedule *s)
{
    struct complaint c = {"schedules", s->name, "", NULL, s->place};
    if (was_given(r, &s->every_ms) == was_given(r, &s->at))
        complain(r, &c, "needs either \"every\" or \"at\"");
    if (s->job == JOB_COMMAND && !*s->command)
        complain(r, &c, "needs \"command\" when run is command");
    c.key = "day";
    c.member = &s->day;
    if (s->day && !was_given(r, &s->at))
        complain(r, &c, "needs \"at\" beside it");
    c.key = "weekdays";
    c.member = &s->weekdays;
    if (s->at >= 0 && !s->weekdays)
        complain(r, &c, "is empty, so it would never run");
    require_environments(r, c, "environments", s->environments, s->n_environments);
}

void manifest_check_entries(struct reading *r)
{
    struct manifest *m = r->m;
    manifest_check_checks(r);
    manifest_check_routes(r);
    manifest_check_dns(r);
    check_budget(r);
    for (size_t i = 0; i < m->n_limits; i++)
        check_limit(r, &m->limits[i]);
    manifest_check_quota(r);
    for (size_t i = 0; i < m->n_keep_awake; i++)
        check_keep_awake(r, &m->keep_awake[i]);
    for (size_t i = 0; i < m->n_alerts; i++)
        check_alert(r, &m->alerts[i]);
    for (size_t i = 0; i < m->n_copies; i++)
        check_copy(r, &m->copies[i]);
    for (size_t i = 0; i < m->n_backups; i++)
        check_backup(r, &m->backups[i]);
    for (size_t i = 0; i < m->n_objects; i++)
        check_objects(r, &m->objects[i]);
    for (size_t i = 0; i < m->n_parity; i++)
        check_parity(r, &m->parity[i]);
    for (size_t i = 0; i < m->n_schedules; i++)
        check_schedule(r, &m->schedules[i]);
    for (size_t i = 0; i < m->n_benches; i++) {
        const struct manifest_bench *b = &m->benches[i];
        struct complaint c = {"bench", b->name, "", NULL, b->place};
        require_app(r, c, &b->app, APP_SERVICE);
        require_environments(r, c, "environments", b->environments, b->n_environments);
    }
}
