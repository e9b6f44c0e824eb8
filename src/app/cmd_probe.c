#include "app/app.h"
#include "app/progress.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/bases.h"
#include "net/http.h"
#include "net/loop.h"
#include "probe/sample_batch.h"
#include "probe/schedule.h"
#include "provider/provider.h"
#include "report/table.h"
#include "store/store.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* trine probe: the manifest's checks against what is live, on a fixed clock, samples into the
 * store. */

struct live {
    char *environment, *app, *instance, *platform, *url;
    int64_t live_at;
};

struct count { /* of one environment */
    const char *environment;
    size_t of[SAMPLE_MISSED + 1], cold;
};

struct probing {
    struct app *app;
    struct arena arena;
    struct live *live;
    size_t n_live, size_live;
    struct target *targets;
    size_t n_targets, size_targets;
    struct count counts[64];
    size_t n_counts;
    struct schedule *schedule;
    struct sample_batch *batch;
    struct progress *progress;
    size_t skipped; /* live deployments without an address, and check kinds not measured */
    struct err store_err;
};

static void keep_live(const struct deployment_row *r, void *arg)
{
    struct probing *p = arg;

    if (p->n_live == p->size_live) {
        p->size_live = p->size_live ? 2 * p->size_live : 64;
        p->live = mem_grow(p->live, p->size_live, sizeof(*p->live));
    }
    p->live[p->n_live++] = (struct live){.environment = arena_strdup(&p->arena, r->environment),
                                         .app = arena_strdup(&p->arena, r->app),
                                         .instance = arena_strdup(&p->arena, r->instance),
                                         .platform = arena_strdup(&p->arena, r->platform),
                                         .url = arena_strdup(&p->arena, r->url),
                                         .live_at = r->live_at};
}

static const struct live *live_of(const struct probing *p, const struct cell *c)
{
    for (size_t i = 0; i < p->n_live; i++)
        if (strcmp(p->live[i].environment, c->env->name) == 0 &&
            strcmp(p->live[i].app, c->app->name) == 0 &&
            strcmp(p->live[i].instance, c->instance) == 0)
            return &p->live[i];
    return NULL;
}

static bool applies(const struct manifest_check *check, const struct cell *c)
{
    bool environment = check->n_environments == 0;

    for (size_t i = 0; i < check->n_environments; i++)
        environment |= strcmp(check->environments[i], c->env->name) == 0;
    return environment && c->app->kind != APP_MOBILE && text_glob(check->app, c->app->name);
}

static const char *address(struct probing *p, const struct live *l, const struct cell *c,
                           const struct manifest_check *check)
{
    size_t n = strlen(l->url);
    const char *path = cell_expand(p->app->manifest, c, check->path, &p->arena);

    while (n > 0 && l->url[n - 1] == '/')
        n--;
    return arena_printf(&p->arena, "%.*s%s%s", (int)n, l->url, path[0] == '/' ? "" : "/", path);
}

static const struct http_header *headers_of(struct probing *p, const struct cell *c,
                                            const struct manifest_check *check)
{
    struct http_header *h = arena_array(&p->arena, check->n_headers + 1, sizeof(*h));

    for (size_t i = 0; i < check->n_headers; i++) {
        h[i].name = check->headers[i].name;
        h[i].value = cell_expand(p->app->manifest, c, check->headers[i].value, &p->arena);
    }
    return h;
}

static int add_target(struct probing *p, const struct cell *c, const struct manifest_check *check,
                      const struct live *l, struct err *e)
{
    const struct provider_ops *ops = provider_find(l->platform);
    double rate = bases_clock_rate(p->app->bases);
    int64_t cold_ms = p->app->manifest->targets.cold_start_ms;

    if (p->n_targets == p->size_targets) {
        p->size_targets = p->size_targets ? 2 * p->size_targets : 64;
        p->targets = mem_grow(p->targets, p->size_targets, sizeof(*p->targets));
    }
    struct target *t = &p->targets[p->n_targets++];
    *t = (struct target){
        .environment = c->env->name,
        .app = c->app->name,
        .instance = c->instance,
        .check = check->name,
        .url = address(p, l, c, check),
        .headers = headers_of(p, c, check),
        .n_headers = check->n_headers,
        .every_ms = p->app->o.every_ms ? p->app->o.every_ms : check->every_ms,
        .timeout_ms = check->timeout_ms,
        .cold_timeout_ms = cold_ms > check->timeout_ms ? 4 * cold_ms : 0,
        .slow_ms = check->slow_ms,
        .expect_status = check->expect_status,
        .expect_body = check->expect_body,
        .sleep_after_ms =
            c->app->kind == APP_SERVICE && ops ? (int64_t)((double)ops->sleep_after_ms / rate) : 0,
        .last_request_ms = l->live_at,
    };
    return series_id(p->app->store, t->environment, t->app, t->instance, t->check, &t->series, e);
}

static int add_targets(struct probing *p, const struct matrix *x, struct err *e)
{
    for (size_t k = 0; k < p->app->manifest->n_checks; k++) {
        const struct manifest_check *check = &p->app->manifest->checks[k];
        if (check->kind != CHECK_HTTP) {
            app_say(p->app, "check %s is not measured: this version measures http checks, not %s",
                    check->name, check_kind_name(check->kind));
            continue;
        }
        for (size_t i = 0; i < x->n; i++) {
            const struct cell *c = &x->cells[i];
            const struct live *l = applies(check, c) ? live_of(p, c) : NULL;
            if (l && l->url[0] && add_target(p, c, check, l, e) < 0)
                return -1;
            p->skipped += applies(check, c) && !(l && l->url[0]);
        }
    }
    if (p->n_targets == 0)
        return err_set(e, ERR_NO,
                       "nothing to measure: no check applies to a live deployment; see "
                       "trine status and `checks:` in the manifest");
    return 0;
}

/* Services that were asked not long ago, by an earlier run, are awake: their first answer is no
 * cold start. */
static void keep_last(const struct sample *v, void *arg)
{
    struct probing *p = arg;

    for (size_t i = 0; i < p->n_targets; i++) {
        struct target *t = &p->targets[i];
        if (t->series == v->series && v->outcome != SAMPLE_MISSED && v->at_ms > t->last_request_ms)
            t->last_request_ms = v->at_ms;
    }
}

static int note_earlier(struct probing *p, struct err *e)
{
    int64_t now = clock_wall_ms(&p->app->clock);

    for (size_t i = 0; i < p->n_targets; i++)
        if (p->targets[i].sleep_after_ms > 0 &&
            sample_read(p->app->store, p->targets[i].series, now - p->targets[i].sleep_after_ms,
                        now, keep_last, p, e) < 0)
            return -1;
    return 0;
}

static struct count *count_of(struct probing *p, const char *environment)
{
    for (size_t i = 0; i < p->n_counts; i++)
        if (strcmp(p->counts[i].environment, environment) == 0)
            return &p->counts[i];
    if (p->n_counts == sizeof(p->counts) / sizeof(p->counts[0]))
        return &p->counts[0];
    p->counts[p->n_counts].environment = environment;
    return &p->counts[p->n_counts++];
}

static void result(const struct probe_result *r, void *arg)
{
    struct probing *p = arg;
    struct count *c = count_of(p, r->target->environment);
    size_t total = 0;

    sample_batch_add(p->batch, r->sample);
    c->of[r->sample->outcome]++;
    c->cold += r->sample->class_ == SAMPLE_COLD;
    for (size_t i = 0; i < p->n_counts; i++)
        for (size_t k = 0; k <= SAMPLE_MISSED; k++)
            total += p->counts[i].of[k];
    if (r->reason[0] && p->app->o.verbose)
        progress_line(p->progress, "%s %s%s%s %s: %s", r->target->environment, r->target->app,
                      r->target->instance[0] ? "/" : "", r->target->instance, r->target->check,
                      r->reason);
    progress_now(p->progress, "%zu samples; %s %s%s%s %d ms", total, r->target->environment,
                 r->target->app, r->target->instance[0] ? "/" : "", r->target->instance,
                 r->sample->total_us / 1000);
}

static void ended(void *arg)
{
    struct probing *p = arg;

    loop_stop(p->app->loop);
}

static void interrupted(int signal, void *arg)
{
    struct probing *p = arg;

    (void)signal;
    p->app->interrupted = true;
    schedule_stop(p->schedule);
}

static void store_failed(const struct err *e, void *arg)
{
    struct probing *p = arg;

    progress_line(p->progress, "samples not written yet: %s", e->text);
}

static int print_counts(struct probing *p, struct err *e)
{
    static const char *const names[] = {"ok", "failed", "slow", "inconclusive", "missed"};
    struct table *t = table_new();
    struct table_look look = {.width = p->app->width, .colour = p->app->colour};
    struct buf b = BUF_INIT(1 << 20);

    table_column(t, "ENVIRONMENT", TABLE_LEFT, false);
    for (size_t i = 0; i <= SAMPLE_MISSED; i++)
        table_column(t, names[i], TABLE_RIGHT, false);
    table_column(t, "of them cold", TABLE_RIGHT, false);
    for (size_t i = 0; i < p->n_counts; i++) {
        table_row(t);
        table_cell(t, TONE_PLAIN, "%s", p->counts[i].environment);
        for (size_t k = 0; k <= SAMPLE_MISSED; k++)
            table_cell(t, k == SAMPLE_FAILED && p->counts[i].of[k] ? TONE_BAD : TONE_PLAIN, "%zu",
                       p->counts[i].of[k]);
        table_cell(t, TONE_PLAIN, "%zu", p->counts[i].cold);
    }
    table_print(t, &look, &b);
    int rc = app_print(p->app, &b, e);
    buf_release(&b);
    table_free(t);
    return rc;
}

static int print_json(struct probing *p, struct err *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n_counts; i++) {
        const struct count *c = &p->counts[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
                                              c->environment, "ok", (json_int_t)c->of[SAMPLE_OK],
                                              "failed", (json_int_t)c->of[SAMPLE_FAILED], "slow",
                                              (json_int_t)c->of[SAMPLE_SLOW], "inconclusive",
                                              (json_int_t)c->of[SAMPLE_INCONCLUSIVE], "missed",
                                              (json_int_t)c->of[SAMPLE_MISSED], "cold",
                                              (json_int_t)c->cold));
    }
    return app_print_json(p->app, json_pack("{s:o}", "environments", list), e);
}

static int run(struct probing *p, struct err *e)
{
    struct app *a = p->app;
    struct schedule_options o = {.user_agent = "trine/" TRINE_VERSION " (probe)",
                                 .duration_ms = a->o.for_ms,
                                 .ticks = a->o.count,
                                 .done = ended,
                                 .result = result,
                                 .arg = p};

    app_say(a, "measuring %zu targets%s%s", p->n_targets,
            p->skipped ? "; deployments without an address are left out" : "",
            a->o.for_ms || a->o.count ? "" : " until Ctrl-C");
    p->batch = sample_batch_new(a->loop, a->store, store_failed, p);
    p->schedule = schedule_new(a->loop, &o);
    p->progress = progress_new(a, "probe", 0);
    for (size_t i = 0; i < p->n_targets; i++)
        if (schedule_add(p->schedule, &p->targets[i], e) < 0)
            abort(); /* only kinds that are measured were taken up */
    loop_on_signal(a->loop, interrupted, p);
    schedule_start(p->schedule);
    (void)loop_run(a->loop);
    loop_on_signal(a->loop, NULL, NULL);
    progress_free(p->progress);
    int rc = sample_batch_flush(p->batch, e);
    sample_batch_free(p->batch);
    schedule_free(p->schedule);
    if (rc < 0)
        return rc;
    return a->o.json ? print_json(p, e) : print_counts(p, e);
}

int cmd_probe(struct app *a, struct err *e)
{
    struct probing p = {.app = a};
    struct matrix x = {0};
    int rc = -1;

    if (app_open_manifest(a, e) == 0 && app_matrix(a, &x, e) == 0 && app_open_net(a, e) == 0 &&
        app_open_store(a, e) == 0 && deployment_live(a->store, NULL, keep_live, &p, e) == 0 &&
        add_targets(&p, &x, e) == 0 && note_earlier(&p, e) == 0) {
        if (a->o.dry_run) {
            app_say(a, "would measure %zu targets", p.n_targets);
            rc = 0;
        } else {
            rc = run(&p, e);
        }
    }
    free(p.targets);
    free(p.live);
    arena_release(&p.arena);
    matrix_release(&x);
    return rc;
}
