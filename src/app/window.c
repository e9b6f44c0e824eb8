#include "app/window.h"

#include "base/mem.h"
#include "base/text.h"
#include "compare/comparison.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

static const int64_t default_window_ms = 7LL * 24 * 3600 * 1000;

/* A moment: RFC 3339, or a span back from now. */
static int read_moment(const char *option, const char *text, int64_t now, int64_t *ret,
                       struct err *e)
{
    struct err ignored = ERR_INIT;
    int64_t span = 0;

    if (clock_parse_utc(text, ret) == 0)
        return 0;
    if (text_duration_ms(text, &span, &ignored) < 0)
        return err_set(e, ERR_USAGE,
                       "--%s %.40s: give a time as 2026-11-22T15:00:00Z or a span back "
                       "from now as 24h",
                       option, text);
    *ret = now - span;
    return 0;
}

/* Series by their number, so that a sample finds its own at once. */
struct feeder {
    struct app *app;
    struct comparison_builder *builder;
    size_t *handle; /* by series id; SIZE_MAX = not of this comparison */
    size_t size;
    size_t samples;
};

static const struct manifest_check *check_of(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_checks; i++)
        if (strcmp(m->checks[i].name, name) == 0)
            return &m->checks[i];
    return NULL;
}

static bool wanted(const struct app *a, const struct series *s)
{
    bool environment = a->o.n_environments == 0;

    for (size_t i = 0; i < a->o.n_environments; i++)
        environment |= strcmp(a->o.environments[i], s->environment) == 0;
    return environment && (!a->o.app || text_glob(a->o.app, s->app));
}

static enum comparison_kind kind_of(const struct manifest_check *check)
{
    if (!check || check->kind == CHECK_HTTP)
        return COMPARISON_REQUEST;
    return check->kind == CHECK_POSTGRES ? COMPARISON_DATABASE : COMPARISON_OTHER;
}

static void add_series(const struct series *s, void *arg)
{
    struct feeder *f = arg;
    const struct manifest_check *check = check_of(f->app->manifest, s->check);
    struct comparison_series series = {.environment = s->environment,
                                       .app = s->app,
                                       .instance = s->instance,
                                       .check = s->check,
                                       .every_ms = check ? check->every_ms : 0,
                                       .kind = kind_of(check)};

    if (!wanted(f->app, s) || s->id < 0)
        return;
    if ((size_t)s->id >= f->size) {
        size_t size = 2 * (size_t)s->id + 64;
        f->handle = mem_grow(f->handle, size, sizeof(*f->handle));
        for (size_t i = f->size; i < size; i++)
            f->handle[i] = SIZE_MAX;
        f->size = size;
    }
    f->handle[s->id] = comparison_series(f->builder, &series);
}

static enum comparison_outcome outcome_of(enum sample_outcome o)
{
    switch (o) {
    case SAMPLE_OK:
        return COMPARISON_OK;
    case SAMPLE_SLOW:
        return COMPARISON_SLOW;
    case SAMPLE_FAILED:
        return COMPARISON_FAILED;
    case SAMPLE_INCONCLUSIVE:
        return COMPARISON_INCONCLUSIVE;
    case SAMPLE_MISSED:
        return COMPARISON_MISSED;
    }
    return COMPARISON_INCONCLUSIVE;
}

static void add_sample(const struct sample *v, void *arg)
{
    struct feeder *f = arg;
    struct comparison_sample sample = {.at_ms = v->at_ms,
                                       .total_us = v->total_us,
                                       .late_us = v->late_us,
                                       .covers_ms = v->covers_ms,
                                       .extra = v->extra,
                                       .outcome = outcome_of(v->outcome),
                                       .cold = v->class_ == SAMPLE_COLD};

    if (v->series < 0 || (size_t)v->series >= f->size || f->handle[v->series] == SIZE_MAX)
        return;
    comparison_add(f->builder, f->handle[v->series], &sample);
    f->samples++;
}

static int options_of(struct app *a, struct comparison_options *ret, struct err *e)
{
    int64_t now = clock_wall_ms(&a->clock);
    const struct manifest_targets *t = &a->manifest->targets;

    *ret = (struct comparison_options){
        .project = a->manifest->project,
        .from_ms = now - default_window_ms,
        .until_ms = now,
        .generated_at_ms = now,
        .targets = {.avg_ms = (double)t->avg_ms,
                    .p95_ms = (double)t->p95_ms,
                    .cold_start_ms = (double)t->cold_start_ms,
                    .db_query_ms = (double)t->db_query_ms,
                    .success = t->success,
                    .uptime = t->uptime},
        .weights = {[SCORE_SPEED] = a->manifest->score.speed,
                    [SCORE_RELIABILITY] = a->manifest->score.reliability,
                    [SCORE_COST] = a->manifest->score.cost,
                    [SCORE_LIMITS] = a->manifest->score.limits},
    };
    if (a->o.from && read_moment("from", a->o.from, now, &ret->from_ms, e) < 0)
        return -1;
    if (a->o.until && read_moment("until", a->o.until, now, &ret->until_ms, e) < 0)
        return -1;
    if (ret->from_ms < 0 || ret->from_ms >= ret->until_ms)
        return err_set(e, ERR_USAGE, "--from must be before --until");
    return 0;
}

int window_comparison(struct app *a, struct comparison **ret, struct err *e)
{
    struct comparison_options o;
    struct feeder f = {.app = a};

    if (options_of(a, &o, e) < 0)
        return -1;
    f.builder = comparison_begin(&o);
    for (size_t i = 0; i < a->manifest->n_environments; i++) {
        const struct series s = {.environment = a->manifest->environments[i].name, .app = "*"};
        if (!a->manifest->environments[i].manual && (a->o.n_environments == 0 || wanted(a, &s)))
            (void)comparison_environment(f.builder, s.environment);
    }
    int rc = series_list(a->store, add_series, &f, e);
    if (rc == 0)
        rc = sample_read(a->store, 0, o.from_ms, o.until_ms, add_sample, &f, e);
    struct comparison *c = comparison_finish(f.builder);
    free(f.handle);
    if (rc == 0 && f.samples == 0)
        rc = err_set(e, ERR_NO,
                     "no sample in this window; measure first with: trine probe --for 60s");
    if (rc < 0) {
        comparison_free(c);
        return -1;
    }
    *ret = c;
    return 0;
}
