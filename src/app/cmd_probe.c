#include "app/app.h"
#include "app/progress.h"
#include "app/targets.h"

#include "base/buf.h"
#include "net/loop.h"
#include "probe/sample_batch.h"
#include "probe/schedule.h"
#include "report/table.h"
#include "store/store.h"

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
    struct targets targets;
    struct count counts[64];
    size_t n_counts;
    struct schedule *schedule;
    struct sample_batch *batch;
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

/* -1: nothing is left to measure. */
static int fill_schedule(struct probing *p, struct err *e)
{
    const char *told = ""; /* of each check once */
    struct err why = ERR_INIT;
    size_t n = 0;

    for (size_t i = 0; i < p->targets.n; i++) {
        const struct target *t = &p->targets.items[i];
        bool added = schedule_add(p->schedule, t, &why) == 0;
        n += added;
        if (!added && strcmp(told, t->check) != 0)
            app_say(p->app, "%s", why.text);
        if (!added)
            told = t->check;
    }
    targets_say_left_out(p->app, &p->targets);
    if (n == 0)
        return err_set(e, ERR_NO,
                       "nothing to measure: no check applies to a live deployment; see "
                       "trine status and `checks:` in the manifest");
    if (p->app->o.dry_run)
        app_say(p->app, "would measure %zu targets", n);
    else
        app_say(p->app, "measuring %zu targets%s", n,
                p->app->o.for_ms || p->app->o.count ? "" : " until Ctrl-C");
    return 0;
}

static int run(struct probing *p, struct err *e)
{
    struct app *a = p->app;

    p->batch = sample_batch_new(a->loop, a->store, store_failed, p);
    p->progress = progress_new(a, "probe", 0);
    loop_on_signal(a->loop, interrupted, p);
    schedule_start(p->schedule);
    (void)loop_run(a->loop);
    loop_on_signal(a->loop, NULL, NULL);
    progress_free(p->progress);
    int rc = sample_batch_flush(p->batch, e);
    sample_batch_free(p->batch);
    if (rc < 0)
        return rc;
    return a->o.json ? print_json(p, e) : print_counts(p, e);
}

static int probe(struct probing *p, struct err *e)
{
    struct app *a = p->app;
    struct schedule_options o = {.user_agent = "trine/" TRINE_VERSION " (probe)",
                                 .duration_ms = a->o.for_ms,
                                 .ticks = a->o.count,
                                 .done = ended,
                                 .result = result,
                                 .arg = p};

    p->schedule = schedule_new(a->loop, &o);
    int rc = fill_schedule(p, e);
    if (rc == 0 && !a->o.dry_run)
        rc = run(p, e);
    schedule_free(p->schedule);
    return rc;
}

int cmd_probe(struct app *a, struct err *e)
{
    struct probing p = {.app = a};
    struct matrix x = {0};
    int rc = -1;

    if (app_open_manifest(a, e) == 0 && app_open_secrets(a, e) == 0 && app_matrix(a, &x, e) == 0 &&
        app_open_net(a, e) == 0 && app_open_store(a, e) == 0 &&
        targets_build(a, &x, &p.targets, e) == 0)
        rc = probe(&p, e);
    targets_release(&p.targets);
    matrix_release(&x);
    return rc;
}
