#include "app/serve.h"

#include "app/json_out.h"
#include "app/store_worker.h"
#include "app/window.h"
#include "base/json.h"
#include "base/mem.h"
#include "compare/comparison.h"
#include "report/report.h"
#include "store/store.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* The first page: kept ready as bytes. Its figures are those of the comparison of the last day,
 * made on the pool when they are old and somebody asks. */

enum { KEPT_MS = 1000, FIGURES_MS = 30000, AGAIN_MS = 3000, ANSWER_MAX = 8 << 20 };
static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

bool kept_is_fresh(const struct serve *s, const struct kept *k, int64_t ms)
{
    return k->made_ms != 0 && clock_mono_ms(&s->app->clock) - k->made_ms < ms;
}

/* --- Figures ------------------------------------------------------------------------------------
 */

struct figuring {
    struct serve *serve;
    struct app app; /* a copy with the worker's store */
    struct serve_figures *figures;
    size_t n;
    int64_t until_ms;
};

static const char *const figure_names[] = {"avg_ms", "p50_ms",      "p95_ms",       "success_rate",
                                           "uptime", "db_query_ms", "cold_start_ms"};

/* From the JSON that trine compare writes, so that both say the same. */
static void take_environment(struct figuring *f, json_t *environment)
{
    json_t *all = json_object_get(environment, "figures"), *kept = json_object();

    for (size_t i = 0; i < sizeof(figure_names) / sizeof(figure_names[0]); i++) {
        json_t *v = json_object_get(all, figure_names[i]);
        json_object_set(kept, figure_names[i], json_is_object(v) ? v : json_null());
    }
    f->figures[f->n++] = (struct serve_figures){
        .environment = mem_strdup(json_str(environment, "name", "")), .json = json_text(kept)};
    json_decref(kept);
}

static int make_figures(struct store *store, void *arg, struct err *e)
{
    struct figuring *f = arg;
    struct buf b = BUF_INIT(REPORT_MAX_BYTES);
    struct comparison *c = NULL;

    f->app.store = store;
    if (window_comparison(&f->app, &c, e) < 0)
        return -1;
    report_json(c, &b);
    comparison_free(c);
    json_t *root = json_read(buf_str(&b), b.len, "comparison", e);
    buf_release(&b);
    if (!root)
        return -1;
    json_t *environments = json_object_get(root, "environments");
    f->figures = mem_array(json_array_size(environments) + 1, sizeof(*f->figures));
    for (size_t i = 0; i < json_array_size(environments); i++)
        take_environment(f, json_array_get(environments, i));
    json_decref(root);
    return 0;
}

void figures_release(struct serve_figures *figures, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(figures[i].environment);
        free(figures[i].json);
    }
    free(figures);
}

static void figures_made(const struct err *e, void *arg)
{
    struct figuring *f = arg;
    struct serve *s = f->serve;

    s->figuring = false;
    (void)malloc_trim(0); /* a comparison's tables are large, and the next is far */
    if (!e) {
        figures_release(s->figures, s->n_figures);
        s->figures = f->figures;
        s->n_figures = f->n;
        s->figures_until_ms = f->until_ms;
        free(f);
        return;
    }
    figures_release(f->figures, f->n);
    s->figures_at_ms -= FIGURES_MS - AGAIN_MS;
    if (e->kind != ERR_NO && !s->stopping) /* ERR_NO: nothing was measured yet */
        app_say(s->app, "figures of the overview: %s", e->text);
    free(f);
}

void figures_refresh(struct serve *s)
{
    int64_t now = clock_mono_ms(&s->app->clock);

    if (s->figuring || (s->figures_at_ms != 0 && now - s->figures_at_ms < FIGURES_MS))
        return;
    struct figuring *f = mem_alloc(sizeof(*f));
    f->serve = s;
    f->app = *s->app;
    f->app.o.from = "24h";
    f->app.o.until = NULL;
    f->until_ms = clock_wall_ms(&s->app->clock);
    s->figuring = true;
    s->figures_at_ms = now;
    store_worker_do(s->comparer, "figures", make_figures, figures_made, f);
}

/* --- The overview -------------------------------------------------------------------------------
 */

static void put_platforms(struct json_out *o, const struct manifest_environment *env)
{
    const struct manifest_binding *all[] = {&env->static_,  &env->service, &env->mobile,
                                            &env->database, &env->cache,   &env->storage};

    out_key(o, "platforms");
    out_open(o, '[');
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        bool again = all[i]->platform[0] == '\0';
        for (size_t j = 0; j < i; j++)
            again |= strcmp(all[j]->platform, all[i]->platform) == 0;
        if (!again)
            out_text(o, all[i]->platform);
    }
    out_close(o, ']');
}

static void put_states(struct json_out *o, const struct serve *s, const char *environment)
{
    static const enum health_state order[] = {HEALTH_UP, HEALTH_SUSPECT, HEALTH_DOWN,
                                              HEALTH_INCONCLUSIVE, HEALTH_UNKNOWN};
    int64_t counts[HEALTH_INCONCLUSIVE + 1] = {0};
    enum health_state worst = HEALTH_UNKNOWN;
    size_t n;
    const struct watch_check *const *checks = watch_checks(s->watch, &n);

    for (size_t i = 0; i < n; i++) {
        if (!checks[i]->present || strcmp(checks[i]->environment, environment) != 0)
            continue;
        enum health_state shown = health_shown(&checks[i]->health);
        counts[shown]++;
        worst = worse(worst, shown);
    }
    out_text_of(o, "state", health_state_name(worst));
    out_key(o, "checks");
    out_open(o, '{');
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        out_int_of(o, health_state_name(order[i]), counts[order[i]]);
    out_close(o, '}');
}

static void put_figures(struct json_out *o, const struct serve *s, const char *environment)
{
    out_key(o, "window");
    out_open(o, '{');
    out_time_of(o, "from", s->figures_until_ms - DAY_MS);
    out_time_of(o, "until", s->figures_until_ms);
    out_close(o, '}');
    out_key(o, "figures");
    for (size_t i = 0; i < s->n_figures; i++)
        if (strcmp(s->figures[i].environment, environment) == 0) {
            out_raw(o, s->figures[i].json, strlen(s->figures[i].json));
            return;
        }
    out_open(o, '{');
    for (size_t i = 0; i < sizeof(figure_names) / sizeof(figure_names[0]); i++) {
        out_key(o, figure_names[i]);
        out_null(o);
    }
    out_close(o, '}');
}

static void put_counts(struct json_out *o, const struct serve *s, const char *environment)
{
    int64_t live = 0, failed = 0, other = 0;

    for (size_t i = 0; i < s->live.n; i++) {
        const struct live_row *r = &s->live.rows[i];
        if (strcmp(r->environment, environment) != 0)
            continue;
        live += strcmp(r->state, "live") == 0;
        failed += strcmp(r->state, "failed") == 0;
        other += strcmp(r->state, "live") != 0 && strcmp(r->state, "failed") != 0;
    }
    out_key(o, "deployments");
    out_open(o, '{');
    out_int_of(o, "live", live);
    out_int_of(o, "failed", failed);
    out_int_of(o, "other", other);
    out_close(o, '}');
}

static void put_environments(struct json_out *o, const struct serve *s)
{
    const struct matrix *x = &s->setup->matrix;
    const struct manifest_environment *env = NULL;

    out_key(o, "environments");
    out_open(o, '[');
    for (size_t i = 0; i < x->n; i++) {
        if (x->cells[i].env == env)
            continue;
        env = x->cells[i].env;
        out_open(o, '{');
        out_text_of(o, "name", env->name);
        out_text_of(o, "branch", env->branch);
        put_platforms(o, env);
        put_states(o, s, env->name);
        put_figures(o, s, env->name);
        put_counts(o, s, env->name);
        out_close(o, '}');
    }
    out_close(o, ']');
}

static void put_lists(struct json_out *o, const struct serve *s)
{
    size_t n;
    const struct watch_outage *const *outages = watch_outages(s->watch, &n);

    out_key(o, "deployments");
    out_open(o, '[');
    for (size_t i = 0; i < s->live.n; i++)
        json_deployment(o, s, &s->live.rows[i]);
    out_close(o, ']');
    out_key(o, "outages");
    out_open(o, '[');
    for (size_t i = n; i > 0; i--)
        json_outage(o, outages[i - 1]);
    out_close(o, ']');
}

static struct json_out begin_kept(struct serve *s, struct kept *k)
{
    if (k->json.max == 0)
        buf_init(&k->json, ANSWER_MAX);
    buf_clear(&k->json);
    k->made_ms = clock_mono_ms(&s->app->clock);
    return (struct json_out){.b = &k->json};
}

const struct buf *serve_overview(struct serve *s)
{
    figures_refresh(s);
    if (kept_is_fresh(s, &s->overview, KEPT_MS))
        return &s->overview.json;
    struct json_out o = begin_kept(s, &s->overview);
    out_open(&o, '{');
    out_text_of(&o, "project", s->setup->manifest->project);
    out_text_of(&o, "vantage", serve_vantage(s));
    out_text_of(&o, "version", TRINE_VERSION);
    out_time_of(&o, "now", clock_wall_ms(&s->app->clock));
    out_time_of(&o, "started_at", s->started_ms);
    put_environments(&o, s);
    put_lists(&o, s);
    out_close(&o, '}');
    serve_redact(s, &s->overview.json);
    return &s->overview.json;
}

const struct buf *serve_checks(struct serve *s)
{
    size_t n;
    const struct watch_check *const *checks = watch_checks(s->watch, &n);

    if (kept_is_fresh(s, &s->checks, KEPT_MS))
        return &s->checks.json;
    struct json_out o = begin_kept(s, &s->checks);
    out_open(&o, '{');
    out_key(&o, "checks");
    out_open(&o, '[');
    for (size_t i = 0; i < n; i++)
        if (checks[i]->present)
            json_check(&o, s->watch, checks[i]);
    out_close(&o, ']');
    out_close(&o, '}');
    serve_redact(s, &s->checks.json);
    return &s->checks.json;
}

const struct buf *serve_deployments(struct serve *s)
{
    if (kept_is_fresh(s, &s->deployments, KEPT_MS))
        return &s->deployments.json;
    struct json_out o = begin_kept(s, &s->deployments);
    out_open(&o, '{');
    out_key(&o, "deployments");
    out_open(&o, '[');
    for (size_t i = 0; i < s->live.n; i++)
        json_deployment(&o, s, &s->live.rows[i]);
    out_close(&o, ']');
    out_close(&o, '}');
    serve_redact(s, &s->deployments.json);
    return &s->deployments.json;
}
