#include "app/window.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "compare/comparison.h"
#include "store/history.h"
#include "store/outage.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

static const int64_t default_window_ms = 7 * DAY_MS;
static const int64_t raw_window_ms = 6 * HOUR_MS; /* up to this, single samples are read */
static const int64_t ten_minutes_ms = 2 * DAY_MS; /* up to this, cells of 10 minutes */
static const int64_t two_hours_ms = 33 * DAY_MS;  /* up to this, cells of 2 hours: a month's
                                                     times of day are still told apart */

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
    size_t samples; /* raw ones, or cells */
    int64_t now_ms;
};

static size_t handle_of(const struct feeder *f, int64_t series)
{
    return series >= 0 && (size_t)series < f->size ? f->handle[series] : SIZE_MAX;
}

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

/* --- Feeding ------------------------------------------------------------------------------------
 */

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
                                       .outcome = outcome_of(v->outcome),
                                       .cold = v->class_ == SAMPLE_COLD,
                                       .extra = v->extra};

    size_t handle = handle_of(f, v->series);
    if (handle == SIZE_MAX)
        return;
    comparison_add(f->builder, handle, &sample);
    f->samples++;
}

static void add_cell(int64_t series, int64_t start_ms, int64_t length_ms,
                     const struct history_cell *c, void *arg)
{
    struct feeder *f = arg;

    size_t handle = handle_of(f, series);
    if (handle == SIZE_MAX)
        return;
    comparison_add_cell(f->builder, handle, start_ms, length_ms, c);
    f->samples++;
}

static void add_outage(const struct outage *i, void *arg)
{
    struct feeder *f = arg;

    size_t handle = handle_of(f, i->series);
    if (i->kind == OUTAGE_DOWN && handle != SIZE_MAX)
        comparison_add_down(f->builder, handle, i->from_ms, i->until_ms ? i->until_ms : f->now_ms);
}

/* Where the data of the window really begins: a week's window of ten minutes' data is a short one.
 */
static int find_begin(const struct app *a, const struct comparison_options *o, int64_t *ret,
                      struct err *e)
{
    struct history_size size;

    if (history_size(a->store, &size, e) < 0)
        return -1;
    bool all_raw =
        size.oldest_cell_ms == 0 || size.oldest_cell_ms >= size.oldest_raw_ms / DAY_MS * DAY_MS;
    *ret = all_raw && size.oldest_raw_ms > o->from_ms ? size.oldest_raw_ms : o->from_ms;
    return 0;
}

/* Single samples while they are few and still kept: their times are exact to the second. */
static bool reads_samples(const struct app *a, int64_t from_ms, int64_t until_ms, int64_t now)
{
    return until_ms - from_ms <= raw_window_ms && from_ms >= now - a->manifest->history.samples_ms;
}

static enum history_level level_of(int64_t span_ms)
{
    return span_ms <= ten_minutes_ms ? HISTORY_TEN_MINUTES
           : span_ms <= two_hours_ms ? HISTORY_TWO_HOURS
                                     : HISTORY_DAY;
}

static int feed(struct feeder *f, const struct comparison_options *o, struct err *e)
{
    struct store *s = f->app->store;
    int64_t begin;

    if (series_list(s, add_series, f, e) < 0 || find_begin(f->app, o, &begin, e) < 0)
        return -1;
    struct history_window w = {
        .from_ms = o->from_ms, .until_ms = o->until_ms, .coarsest = level_of(o->until_ms - begin)};
    int rc = reads_samples(f->app, begin, o->until_ms, f->now_ms)
                 ? sample_read(s, 0, o->from_ms, o->until_ms, add_sample, f, e)
                 : history_read(s, &w, add_cell, f, NULL, NULL, e);
    if (rc == 0)
        rc = outage_list(s, -1, o->from_ms, o->until_ms, 0, add_outage, f, e);
    return rc;
}

/* --- What is known beside the samples -----------------------------------------------------------
 */

static void count_deployment(const struct deployment_row *row, void *arg)
{
    struct comparison_facts *f = arg;

    f->deployments_known = true;
    f->live += row->state == DEPLOYMENT_LIVE;
    f->failed += row->state == DEPLOYMENT_FAILED;
    f->other += row->state != DEPLOYMENT_LIVE && row->state != DEPLOYMENT_FAILED;
}

/* Free when every part is on a plan that the manifest calls free; else not known: prices come with
 * the budget. */
static void find_cost(const struct manifest_environment *v, struct comparison_facts *ret,
                      struct buf *note)
{
    const struct {
        const char *name;
        const struct manifest_binding *binding;
    } parts[] = {{"static", &v->static_},    {"service", &v->service}, {"mobile", &v->mobile},
                 {"database", &v->database}, {"cache", &v->cache},     {"storage", &v->storage}};
    size_t used = 0;

    ret->cost_known = true;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const struct manifest_binding *b = parts[i].binding;
        used += b->platform[0] != '\0';
        if (b->platform[0] == '\0' || strcmp(b->plan, "free") == 0)
            continue;
        buf_addf(note, "%s%s %s (%s)", ret->cost_known ? "not known to be free: " : ", ", v->name,
                 parts[i].name, b->platform);
        ret->cost_known = false;
    }
    ret->cost_known &= used > 0;
}

static int add_facts(struct feeder *f, const struct manifest_environment *v, struct err *e)
{
    struct comparison_facts facts = {0};
    struct buf note = BUF_INIT(4096);

    find_cost(v, &facts, &note);
    int rc = deployment_latest(f->app->store, v->name, count_deployment, &facts, e);
    facts.cost_note = buf_over(&note) ? "not known to be free" : buf_str(&note);
    comparison_set_facts(f->builder, comparison_environment(f->builder, v->name), &facts);
    buf_release(&note);
    return rc;
}

/* --- The comparison ------------------------------------------------------------------------------
 */

int window_times(const struct app *a, int64_t span_ms, int64_t *ret_from, int64_t *ret_until,
                 struct err *e)
{
    int64_t now = clock_wall_ms(&a->clock), from = now - span_ms, until = now;

    if (a->o.from && read_moment("from", a->o.from, now, &from, e) < 0)
        return -1;
    if (a->o.until && read_moment("until", a->o.until, now, &until, e) < 0)
        return -1;
    if (from < 0 || from >= until)
        return err_set(e, ERR_USAGE, "--from must be before --until");
    *ret_from = from;
    *ret_until = until;
    return 0;
}

static int options_of(struct app *a, int64_t now, struct comparison_options *ret, struct err *e)
{
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
    return window_times(a, default_window_ms, &ret->from_ms, &ret->until_ms, e);
}

/* Environments in the manifest's order, then all that the store has of the window. */
static int collect(struct feeder *f, const struct comparison_options *o, struct err *e)
{
    const struct manifest *m = f->app->manifest;

    f->builder = comparison_begin(o);
    for (size_t i = 0; i < m->n_environments; i++) {
        const struct series s = {.environment = m->environments[i].name, .app = "*"};
        bool named = f->app->o.n_environments > 0 && wanted(f->app, &s);
        if ((!m->environments[i].manual && f->app->o.n_environments == 0) || named)
            if (add_facts(f, &m->environments[i], e) < 0)
                return -1;
    }
    return feed(f, o, e);
}

/* *ret NULL when that window holds no sample. */
static int compare_window(struct app *a, const struct comparison_options *o, int64_t now,
                          struct comparison *before, struct comparison **ret, struct err *e)
{
    struct feeder f = {.app = a, .now_ms = now};

    int rc = collect(&f, o, e);
    comparison_set_before(f.builder, before);
    free(f.handle);
    if (rc < 0 || f.samples == 0) {
        comparison_drop(f.builder);
        *ret = NULL;
        return rc;
    }
    *ret = comparison_finish(f.builder);
    return 0;
}

int window_self_test(struct app *a, unsigned rounds, struct comparison **ret, struct err *e)
{
    int64_t now = clock_wall_ms(&a->clock);
    struct comparison_options o, earlier;
    struct comparison *before = NULL, *c = NULL;

    if (options_of(a, now, &o, e) < 0)
        return -1;
    earlier = o;
    earlier.figures_only = true;
    earlier.until_ms = o.from_ms;
    earlier.from_ms = 2 * o.from_ms - o.until_ms;
    if (earlier.from_ms >= 0 && compare_window(a, &earlier, now, NULL, &before, e) < 0)
        return -1;
    o.self_test_rounds = rounds;
    if (compare_window(a, &o, now, before, &c, e) < 0)
        return -1;
    if (!c)
        return err_set(e, ERR_NO,
                       "no sample in this window; measure first with: trine probe --for 60s");
    *ret = c;
    return 0;
}

int window_comparison(struct app *a, struct comparison **ret, struct err *e)
{
    return window_self_test(a, a->o.self_test ? WINDOW_SELF_TEST_ROUNDS : 0, ret, e);
}
