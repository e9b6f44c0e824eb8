#include "app/app.h"
#include "app/progress.h"
#include "app/targets.h"
#include "app/watch.h"

#include "base/buf.h"
#include "net/loop.h"
#include "report/table.h"

#include <jansson.h>
#include <string.h>

/* trine probe: the manifest's checks against what is live, on a fixed clock, samples into the
 * store. */

struct count { /* of one environment */
    const char *environment;
    size_t of[SAMPLE_MISSED + 1], cold;
};

struct probing {
    struct app *app;
    struct count counts[64];
    size_t n_counts, total;
    struct watch *watch;
    struct progress *progress;
};

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

static void sampled(const struct watch_check *k, const struct probe_result *r, void *arg)
{
    struct probing *p = arg;
    struct count *c = count_of(p, k->environment);

    c->of[r->sample->outcome]++;
    c->cold += r->sample->class_ == SAMPLE_COLD;
    p->total++;
    if (r->reason[0] && p->app->o.verbose)
        progress_line(p->progress, "%s %s%s%s %s: %s", k->environment, k->app,
                      k->instance[0] ? "/" : "", k->instance, k->check, r->reason);
    progress_now(p->progress, "%zu samples; %s %s%s%s %d ms", p->total, k->environment, k->app,
                 k->instance[0] ? "/" : "", k->instance, r->sample->total_us / 1000);
}

static void say(const char *text, void *arg)
{
    struct probing *p = arg;

    if (p->progress)
        progress_line(p->progress, "%s", text);
    else
        app_say(p->app, "%s", text);
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
    watch_stop(p->watch);
}

static int print_counts(struct probing *p, struct err *e)
{
    static const char *const names[] = {"ok", "failed", "slow", "inconclusive", "missed"};
    struct table *t = table_new();
    struct table_look look = {.width = p->app->width, .colour = p->app->colour};
    struct buf b = BUF_INIT(1 << 20);
    struct watch_health h;

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
    watch_count(p->watch, &h);
    if (h.lateness->n > 0)
        buf_addf(&b, "sent late by: p50 %.1f ms, p99 %.1f ms, at most %.1f ms\n",
                 sketch_quantile(h.lateness, 0.5) / 1000, sketch_quantile(h.lateness, 0.99) / 1000,
                 (double)h.lateness->max_us / 1000);
    int rc = app_print(p->app, &b, e);
    buf_release(&b);
    table_free(t);
    return rc;
}

static json_t *lateness_json(struct watch *w)
{
    struct watch_health h;

    watch_count(w, &h);
    return json_pack("{s:f, s:f, s:f, s:I}", "p50", sketch_quantile(h.lateness, 0.5) / 1000, "p99",
                     sketch_quantile(h.lateness, 0.99) / 1000, "max",
                     (double)h.lateness->max_us / 1000, "n", (json_int_t)h.lateness->n);
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
    return app_print_json(
        p->app,
        json_pack("{s:o, s:o}", "environments", list, "lateness_ms", lateness_json(p->watch)), e);
}

static int run(struct probing *p, struct err *e)
{
    struct app *a = p->app;
    size_t n = 0;

    if (watch_start(p->watch, &n, e) < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_NO,
                       "nothing to measure: no check applies to a live deployment; see "
                       "trine status and `checks:` in the manifest");
    app_say(a, "measuring %zu targets%s", n, a->o.for_ms || a->o.count ? "" : " until Ctrl-C");
    p->progress = progress_new(a, "probe", 0);
    loop_on_signal(a->loop, interrupted, p);
    (void)loop_run(a->loop);
    loop_on_signal(a->loop, NULL, NULL);
    progress_free(p->progress);
    p->progress = NULL;
    return a->o.json ? print_json(p, e) : print_counts(p, e);
}

static int look(struct app *a, const struct matrix *x, struct err *e)
{
    struct targets targets = {0};
    int rc = targets_build(a, x, &targets, e);

    if (rc == 0) {
        targets_say_left_out(a, &targets);
        app_say(a, "would measure %zu targets", targets.n);
    }
    targets_release(&targets);
    return rc;
}

int cmd_probe(struct app *a, struct err *e)
{
    struct probing p = {.app = a};
    struct matrix x = {0};
    int rc = -1;

    if (app_open_manifest(a, e) == 0 && app_open_secrets(a, e) == 0 && app_matrix(a, &x, e) == 0 &&
        app_open_net(a, e) == 0 && app_open_store(a, e) == 0) {
        const struct watch_options o = {.app = a,
                                        .matrix = &x,
                                        .duration_ms = a->o.for_ms,
                                        .ticks = a->o.count,
                                        .sample = sampled,
                                        .say = say,
                                        .ended = ended,
                                        .arg = &p};
        p.watch = a->o.dry_run ? NULL : watch_new(&o); /* which writes */
        rc = p.watch ? run(&p, e) : look(a, &x, e);
    }
    watch_free(p.watch);
    matrix_release(&x);
    return rc;
}
