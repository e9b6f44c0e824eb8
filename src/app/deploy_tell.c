#include "app/deploy_tell.h"

#include "app/app.h"
#include "base/buf.h"
#include "base/redact.h"
#include "store/outbox.h"

#include <stdio.h>
#include <string.h>

enum { FAILURES_MAX = 10, TEXT_MAX = 8192 };

static bool wants(const struct manifest_alert *alert, enum alert_event event,
                  const char *environment)
{
    if (!(alert->events & (1u << event)))
        return false;
    for (size_t i = 0; i < alert->n_environments; i++)
        if (strcmp(alert->environments[i], environment) == 0)
            return true;
    return alert->n_environments == 0;
}

static bool is_of(const struct run_item *it, const struct release *r)
{
    return strcmp(it->cell->env->name, r->environment) == 0;
}

/* A line for each that failed. */
static void list_failures(const struct release *r, const struct run_item *items, size_t n,
                          struct buf *out)
{
    size_t failed = 0;

    for (size_t i = 0; i < n; i++) {
        const struct run_item *it = &items[i];
        if (!is_of(it, r) || it->state != DEPLOYMENT_FAILED || ++failed > FAILURES_MAX)
            continue;
        buf_addf(out, "%s%s%s on %s: %.300s\n", it->cell->app->name, *it->cell->instance ? "/" : "",
                 it->cell->instance, it->ops->name, it->err.text);
    }
    if (failed > FAILURES_MAX)
        buf_addf(out, "and %zu more; see trine status\n", failed - FAILURES_MAX);
}

static void headline(const struct release *r, bool live, const struct run_item *items, size_t n,
                     char *ret, size_t size)
{
    size_t all = 0, failed = 0;

    for (size_t i = 0; i < n; i++) {
        all += is_of(&items[i], r);
        failed += is_of(&items[i], r) && items[i].state == DEPLOYMENT_FAILED;
    }
    if (live)
        (void)snprintf(ret, size, "release %lld is live, commit %.8s: %.120s", (long long)r->number,
                       r->commit, r->message);
    else
        (void)snprintf(ret, size, "release %lld failed, commit %.8s: %zu of %zu deployments",
                       (long long)r->number, r->commit, failed, all);
}

static int add_all(const struct app *a, struct outbox_matter *m, enum alert_event event,
                   struct err *e)
{
    int told = 0;

    for (size_t i = 0; i < a->manifest->n_alerts; i++) {
        bool is_new = false;
        if (!wants(&a->manifest->alerts[i], event, m->environment))
            continue;
        m->alert = a->manifest->alerts[i].name;
        if (outbox_add(a->store, m, &is_new, e) < 0)
            return -1;
        told += is_new;
    }
    return told;
}

int deploy_tell(struct app *a, const struct release *r, bool live, const struct run_item *items,
                size_t n, struct err *e)
{
    enum alert_event event = live ? ON_DEPLOY : ON_DEPLOY_FAILED;
    struct buf text = BUF_INIT(TEXT_MAX);
    char title[320], key[160];

    headline(r, live, items, n, title, sizeof(title));
    redact_text(a->redactor, title, sizeof(title));
    (void)snprintf(key, sizeof(key), "release %lld of %s %s", (long long)r->number, r->environment,
                   live ? "live" : "failed");
    if (!live)
        list_failures(r, items, n, &text);
    redact_buf(a->redactor, &text);
    struct outbox_matter m = {.key = key,
                              .event = alert_event_name(event),
                              .environment = r->environment,
                              .title = title,
                              .text = buf_str(&text),
                              .link = "",
                              .at_ms = clock_wall_ms(&a->clock)};
    int told = add_all(a, &m, event, e);
    buf_release(&text);
    return told;
}
