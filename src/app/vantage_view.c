#include "app/vantage_view.h"

#include "base/mem.h"
#include "report/table.h"
#include "store/observation.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct store *store;
    const struct vantage_window *window;
    struct vantage_rows *to;
    const char **vantages;
    size_t n_vantages, size_vantages;
    struct series *series;
    size_t n_series, size_series;
    const char *vantage; /* whose samples come now */
    size_t first;        /* of its rows */
};

/* --- Reading ------------------------------------------------------------------------------------
 */

static void keep_vantage(const char *name, void *arg)
{
    struct reading *in = arg;

    if (in->n_vantages == in->size_vantages) {
        in->size_vantages = in->size_vantages ? 2 * in->size_vantages : 8;
        in->vantages = mem_grow(in->vantages, in->size_vantages, sizeof(*in->vantages));
    }
    in->vantages[in->n_vantages++] = arena_strdup(&in->to->arena, name);
}

static void keep_series(const struct series *v, void *arg)
{
    struct reading *in = arg;
    struct arena *a = &in->to->arena;

    if (in->window->app && strcmp(in->window->app, v->app) != 0)
        return;
    if (in->n_series == in->size_series) {
        in->size_series = in->size_series ? 2 * in->size_series : 64;
        in->series = mem_grow(in->series, in->size_series, sizeof(*in->series));
    }
    in->series[in->n_series++] = (struct series){.id = v->id,
                                                 .environment = arena_strdup(a, v->environment),
                                                 .app = arena_strdup(a, v->app),
                                                 .instance = arena_strdup(a, v->instance),
                                                 .check = arena_strdup(a, v->check)};
}

static struct vantage_row *add_row(struct reading *in, const struct series *v)
{
    struct vantage_rows *to = in->to;

    if (to->n == to->size) {
        to->size = to->size ? 2 * to->size : 16;
        to->rows = mem_grow(to->rows, to->size, sizeof(*to->rows));
    }
    to->rows[to->n] = (struct vantage_row){.vantage = in->vantage,
                                           .environment = v->environment,
                                           .app = v->app,
                                           .instance = v->instance,
                                           .check = v->check,
                                           .series = v->id};
    return &to->rows[to->n++];
}

/* NULL: of an app that nobody asked about. An agent has 128 checks at most. */
static struct vantage_row *row_of(struct reading *in, int64_t series)
{
    for (size_t i = in->first; i < in->to->n; i++)
        if (in->to->rows[i].series == series)
            return &in->to->rows[i];
    for (size_t i = 0; i < in->n_series; i++)
        if (in->series[i].id == series)
            return add_row(in, &in->series[i]);
    return NULL;
}

static void count(const struct sample *v, void *arg)
{
    struct reading *in = arg;
    bool good = v->outcome == SAMPLE_OK || v->outcome == SAMPLE_SLOW;

    if (v->extra || (!good && v->outcome != SAMPLE_FAILED))
        return;
    struct vantage_row *row = row_of(in, v->series);
    if (!row)
        return;
    row->good += good;
    row->failed += !good;
    if (good && v->class_ == SAMPLE_WARM && v->total_us >= 0)
        sketch_add(&row->warm, v->total_us);
}

static int read_agents(struct reading *in, struct err *e)
{
    const struct vantage_window *w = in->window;

    for (size_t i = 0; i < in->n_vantages; i++) {
        in->vantage = in->vantages[i];
        in->first = in->to->n;
        if (observation_read(in->store, in->vantage, 0, w->from_ms, w->until_ms, count, in, e) < 0)
            return -1;
    }
    return 0;
}

static bool has_series(const struct vantage_rows *r, size_t n, int64_t series)
{
    for (size_t i = 0; i < n; i++)
        if (r->rows[i].series == series)
            return true;
    return false;
}

/* Our own, of the checks that an agent measured too. */
static int read_own(struct reading *in, struct err *e)
{
    const struct vantage_window *w = in->window;
    size_t of_agents = in->to->n;

    in->vantage = arena_strdup(&in->to->arena, w->own);
    in->first = of_agents;
    for (size_t i = 0; i < in->n_series; i++)
        if (has_series(in->to, of_agents, in->series[i].id) &&
            sample_read(in->store, in->series[i].id, w->from_ms, w->until_ms, count, in, e) < 0)
            return -1;
    for (size_t i = of_agents; i < in->to->n; i++)
        in->to->rows[i].own = true;
    return 0;
}

static int by_check(const void *x, const void *y)
{
    const struct vantage_row *a = x, *b = y;

    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->own != b->own)
        return a->own ? -1 : 1;
    return strcmp(a->vantage, b->vantage);
}

int vantage_rows_read(struct store *s, const struct vantage_window *w, struct vantage_rows *ret,
                      struct err *e)
{
    struct reading in = {.store = s, .window = w, .to = ret};
    int rc = observation_vantages(s, w->from_ms, w->until_ms, keep_vantage, &in, e);

    if (rc == 0 && in.n_vantages > 0) {
        rc = series_list(s, keep_series, &in, e);
        if (rc == 0)
            rc = read_agents(&in, e);
        if (rc == 0)
            rc = read_own(&in, e);
        if (ret->n > 0)
            qsort(ret->rows, ret->n, sizeof(*ret->rows), by_check);
    }
    free(in.vantages);
    free(in.series);
    return rc;
}

void vantage_rows_release(struct vantage_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        sketch_release(&r->rows[i].warm);
    free(r->rows);
    arena_release(&r->arena);
    *r = (struct vantage_rows){0};
}

/* --- Showing ------------------------------------------------------------------------------------
 */

static int64_t count_of(const struct vantage_row *row)
{
    return (int64_t)row->good + (int64_t)row->failed;
}

static double success_of(const struct vantage_row *row)
{
    int64_t n = count_of(row);

    return n ? (double)row->good / (double)n : 0;
}

static void time_cell(struct table *t, const struct vantage_row *row, double q)
{
    if (row->warm.n > 0)
        table_cell(t, TONE_PLAIN, "%.1f ms", sketch_quantile(&row->warm, q) / 1000);
    else
        table_cell(t, TONE_DIM, "-");
}

struct table *vantage_table(const struct vantage_rows *r)
{
    struct table *t = table_new();

    table_column(t, "Seen from", TABLE_LEFT, false);
    table_column(t, "Environment", TABLE_LEFT, false);
    table_column(t, "App", TABLE_LEFT, false);
    table_column(t, "Check", TABLE_LEFT, false);
    table_column(t, "n", TABLE_RIGHT, false);
    table_column(t, "Success", TABLE_RIGHT, false);
    table_column(t, "p50", TABLE_RIGHT, false);
    table_column(t, "p95", TABLE_RIGHT, false);
    for (size_t i = 0; i < r->n; i++) {
        const struct vantage_row *row = &r->rows[i];
        table_row(t);
        table_cell(t, TONE_STRONG, "%s", row->vantage);
        table_cell(t, TONE_PLAIN, "%s", row->environment);
        table_cell(t, TONE_PLAIN, "%s%s%s", row->app, *row->instance ? "/" : "", row->instance);
        table_cell(t, TONE_PLAIN, "%s", row->check);
        table_cell(t, TONE_PLAIN, "%lld", (long long)count_of(row));
        table_cell(t, row->failed ? TONE_WARN : TONE_PLAIN, "%.2f %%", 100 * success_of(row));
        time_cell(t, row, 0.5);
        time_cell(t, row, 0.95);
    }
    return t;
}

static json_t *time_json(const struct vantage_row *row, double q)
{
    return row->warm.n > 0 ? json_real(sketch_quantile(&row->warm, q) / 1000) : json_null();
}

json_t *vantage_json(const struct vantage_rows *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n; i++) {
        const struct vantage_row *row = &r->rows[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:o, s:o}", "vantage",
                            row->vantage, "environment", row->environment, "app", row->app,
                            "instance", row->instance, "check", row->check, "n",
                            (json_int_t)count_of(row), "success_rate", success_of(row), "p50_ms",
                            time_json(row, 0.5), "p95_ms", time_json(row, 0.95)));
    }
    return list;
}
