#include "app/serve_query.h"

#include "app/api.h"
#include "app/json_out.h"
#include "base/mem.h"
#include "compare/interval.h"
#include "compare/uptime.h"
#include "compare/verdict.h"
#include "store/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* GET /api/v1/checks/ID: one check over a window, in cells, with its samples when that is short. */

#define CONFIDENCE 0.95
enum { CELLS_WANTED = 400, OUTAGES_MAX = 500 };
static const int64_t SAMPLES_WINDOW_MS = INT64_C(3) * 3600 * 1000 + 60000;

struct check_cell {
    int64_t at_ms, length_ms;
    struct history_cell data;
    int64_t down_ms; /* from outages */
};

struct check_view {
    struct json_out *out;
    struct check_cell *cells;
    size_t n, size;
    struct history_cell all;
    struct series_names names;
};

/* --- Cells --------------------------------------------------------------------------------------
 */

static void take_cell(int64_t series, int64_t start_ms, int64_t length_ms,
                      const struct history_cell *c, void *arg)
{
    struct check_view *v = arg;
    struct check_cell *to = NULL;

    (void)series;
    (void)history_cell_merge(&v->all, c);
    for (size_t i = v->n; i > 0 && !to; i--)
        if (v->cells[i - 1].at_ms == start_ms && v->cells[i - 1].length_ms == length_ms)
            to = &v->cells[i - 1];
    if (!to) {
        if (v->n == v->size) {
            v->size = v->size ? 2 * v->size : 64;
            v->cells = mem_grow(v->cells, v->size, sizeof(*v->cells));
        }
        to = &v->cells[v->n++];
        *to = (struct check_cell){.at_ms = start_ms, .length_ms = length_ms};
    }
    (void)history_cell_merge(&to->data, c);
}

static int by_time(const void *a, const void *b)
{
    const struct check_cell *x = a, *y = b;

    return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static enum history_level level_of(int64_t window_ms)
{
    for (int l = HISTORY_TEN_MINUTES; l < HISTORY_DAY; l++)
        if (window_ms / history_level_ms((enum history_level)l) <= CELLS_WANTED)
            return (enum history_level)l;
    return HISTORY_DAY;
}

static void put_ms(struct json_out *o, const char *name, const struct sketch *k, double q)
{
    out_key(o, name);
    if (k->n > 0)
        out_number(o, sketch_quantile(k, q) / 1000, 3);
    else
        out_null(o);
}

static void put_phases(struct json_out *o, const struct history_cell *c)
{
    uint64_t n = c->times[SAMPLE_WARM].n;
    const struct {
        const char *name;
        uint64_t us;
    } phases[] = {{"lookup", c->lookup_us},
                  {"connect", c->connect_us},
                  {"tls", c->tls_us},
                  {"first_byte", c->first_byte_us},
                  {"rest", c->rest_us}};

    out_key(o, "phases");
    if (n == 0) {
        out_null(o);
        return;
    }
    out_open(o, '{');
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        out_key(o, phases[i].name);
        out_number(o, (double)phases[i].us / (double)n / 1000, 3);
    }
    out_close(o, '}');
}

static uint64_t both(const struct history_cell *c, enum sample_outcome o)
{
    return c->count[SAMPLE_WARM][o] + c->count[SAMPLE_COLD][o];
}

static void put_cell(struct json_out *o, const struct check_cell *cell)
{
    static const enum sample_outcome order[] = {SAMPLE_OK, SAMPLE_SLOW, SAMPLE_FAILED,
                                                SAMPLE_INCONCLUSIVE, SAMPLE_MISSED};
    const struct history_cell *c = &cell->data;
    uint64_t cold = 0;

    out_open(o, '{');
    out_int_of(o, "at_ms", cell->at_ms);
    out_int_of(o, "length_ms", cell->length_ms);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        out_int_of(o, outcome_name(order[i]), (int64_t)both(c, order[i]));
        if (order[i] != SAMPLE_MISSED)
            cold += c->count[SAMPLE_COLD][order[i]];
    }
    out_int_of(o, "cold", (int64_t)cold);
    put_ms(o, "p50_ms", &c->times[SAMPLE_WARM], 0.5);
    put_ms(o, "p95_ms", &c->times[SAMPLE_WARM], 0.95);
    put_ms(o, "max_ms", &c->times[SAMPLE_WARM], 1);
    put_phases(o, c);
    out_close(o, '}');
}

/* --- Outages ----------------------------------------------------------------------------------
 */

static void take_outage(const struct outage *i, void *arg)
{
    struct check_view *v = arg;
    struct watch_outage named = named_outage(&v->names, i);
    int64_t until = i->until_ms ? i->until_ms : INT64_MAX;

    json_outage(v->out, &named);
    for (size_t k = 0; k < v->n && i->kind == OUTAGE_DOWN; k++) {
        struct check_cell *c = &v->cells[k];
        int64_t from = i->from_ms > c->at_ms ? i->from_ms : c->at_ms;
        int64_t end = until < c->at_ms + c->length_ms ? until : c->at_ms + c->length_ms;
        if (end > from)
            c->down_ms += end - from;
    }
}

static int put_outages(struct check_view *v, const struct query_ask *ask, struct store *store,
                       struct err *e)
{
    out_key(v->out, "outages");
    out_open(v->out, '[');
    int rc = series_names_read(store, &v->names, e);
    if (rc == 0)
        rc = outage_list(store, ask->id, ask->from_ms, ask->until_ms, OUTAGES_MAX, take_outage, v,
                         e);
    out_close(v->out, ']');
    return rc;
}

/* --- Figures ------------------------------------------------------------------------------------
 */

struct figure_out {
    const char *name;
    enum metric metric; /* how it is judged */
    struct interval interval;
    uint64_t n;
    double target; /* 0 = none */
    double unit;   /* what the interval is divided by */
};

static void put_bound(struct json_out *o, const char *name, double v, bool known)
{
    out_key(o, name);
    if (known)
        out_number(o, v, 6);
    else
        out_null(o);
}

static void put_figure(struct json_out *o, const struct figure_out *f)
{
    struct interval v = f->interval;

    v.value /= f->unit;
    v.low /= f->unit;
    v.high /= f->unit;
    enum target_state state = f->target > 0 ? target_judge(f->metric, &v, f->target) : TARGET_NONE;
    out_key(o, f->name);
    if (!v.known) {
        out_null(o);
        return;
    }
    out_open(o, '{');
    put_bound(o, "value", v.value, v.known);
    put_bound(o, "low", v.low, v.bounded);
    put_bound(o, "high", v.high, v.bounded);
    put_bound(o, "confidence", CONFIDENCE, true);
    out_int_of(o, "n", (int64_t)f->n);
    put_bound(o, "target", f->target, f->target > 0);
    out_key(o, "met");
    if (state == TARGET_MET || state == TARGET_MISSED)
        out_flag(o, state == TARGET_MET);
    else
        out_null(o);
    out_close(o, '}');
}

static struct interval mean_of(const struct check_view *v)
{
    struct block *blocks = mem_array(v->n + 1, sizeof(*blocks));

    for (size_t i = 0; i < v->n; i++) {
        const struct sketch *k = &v->cells[i].data.times[SAMPLE_WARM];
        blocks[i] = (struct block){.n = k->n, .sum = (double)k->sum_us};
    }
    struct interval mean = interval_mean(blocks, v->n, CONFIDENCE);
    free(blocks);
    return mean;
}

/* Down time from outages, seen time from samples; what was not seen is told by the bound. */
static struct interval uptime_of(const struct check_view *v, uint64_t looks)
{
    struct uptime_block *blocks = mem_array(v->n + 1, sizeof(*blocks));

    for (size_t i = 0; i < v->n; i++) {
        int64_t seen = (int64_t)v->cells[i].data.seen_ms;
        int64_t down = v->cells[i].down_ms < seen ? v->cells[i].down_ms : seen;
        blocks[i] = (struct uptime_block){.up_ms = seen - down,
                                          .down_ms = down,
                                          .inconclusive_ms = (int64_t)v->cells[i].data.unseen_ms};
    }
    struct uptime u = interval_uptime(blocks, v->n, looks, CONFIDENCE);
    free(blocks);
    return u.interval;
}

static void put_figures(const struct check_view *v, const struct manifest *m)
{
    const struct sketch *warm = &v->all.times[SAMPLE_WARM], *cold = &v->all.times[SAMPLE_COLD];
    const uint64_t *counts = v->all.count[SAMPLE_WARM];
    const struct manifest_targets *t = &m->targets;
    uint64_t good = counts[SAMPLE_OK] + counts[SAMPLE_SLOW], judged = good + counts[SAMPLE_FAILED];
    const struct figure_out figures[] = {
        {"avg_ms", METRIC_AVG, mean_of(v), warm->n, (double)t->avg_ms, 1000},
        {"p50_ms", METRIC_P50, interval_quantile(warm, 0.5, CONFIDENCE), warm->n, 0, 1000},
        {"p95_ms", METRIC_P95, interval_quantile(warm, 0.95, CONFIDENCE), warm->n,
         (double)t->p95_ms, 1000},
        {"success_rate", METRIC_SUCCESS, interval_rate(good, judged, CONFIDENCE), judged,
         t->success, 1},
        {"uptime", METRIC_SUCCESS, uptime_of(v, judged), judged, t->uptime, 1},
        {"cold_start_ms", METRIC_P50, interval_quantile(cold, 0.5, CONFIDENCE), cold->n,
         (double)t->cold_start_ms, 1000},
    };

    out_key(v->out, "figures");
    out_open(v->out, '{');
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        put_figure(v->out, &figures[i]);
    out_close(v->out, '}');
}

/* --- The answer ---------------------------------------------------------------------------------
 */

static void put_sample(const struct sample *s, void *arg)
{
    json_sample(arg, s);
}

static int put_samples(struct json_out *o, const struct query_ask *ask, struct store *store,
                       struct err *e)
{
    out_key(o, "samples");
    if (ask->until_ms - ask->from_ms > SAMPLES_WINDOW_MS) {
        out_null(o);
        return 0;
    }
    out_open(o, '[');
    int rc = sample_read(store, ask->id, ask->from_ms, ask->until_ms, put_sample, o, e);
    out_close(o, ']');
    return rc;
}

static void put_window(struct json_out *o, int64_t from_ms, int64_t until_ms, int64_t cell_ms)
{
    out_key(o, "window");
    out_open(o, '{');
    out_time_of(o, "from", from_ms);
    out_time_of(o, "until", until_ms);
    out_close(o, '}');
    out_int_of(o, "cell_ms", cell_ms);
}

int make_check(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    struct json_out o = {.b = out, .comma = true};
    struct check_view v = {.out = &o};
    const struct history_window w = {.series = ask->id,
                                     .from_ms = ask->from_ms,
                                     .until_ms = ask->until_ms,
                                     .coarsest = level_of(ask->until_ms - ask->from_ms)};
    int64_t from = ask->from_ms, until = ask->until_ms;
    int rc = history_read(a->store, &w, take_cell, &v, &from, &until, e);

    if (v.n > 0)
        qsort(v.cells, v.n, sizeof(*v.cells), by_time);
    put_window(&o, from, until, history_level_ms(w.coarsest));
    out_key(&o, "cells");
    out_open(&o, '[');
    for (size_t i = 0; i < v.n; i++)
        put_cell(&o, &v.cells[i]);
    out_close(&o, ']');
    if (rc == 0)
        rc = put_samples(&o, ask, a->store, e);
    if (rc == 0)
        rc = put_outages(&v, ask, a->store, e);
    put_figures(&v, a->manifest);
    out_close(&o, '}');
    for (size_t i = 0; i < v.n; i++)
        history_cell_release(&v.cells[i].data);
    history_cell_release(&v.all);
    series_names_release(&v.names);
    free(v.cells);
    return rc;
}

static void head_check(struct serve *s, const struct query_ask *ask, struct json_out *o)
{
    const struct watch_check *c = watch_find(s->watch, ask->id);

    out_open(o, '{');
    out_key(o, "check");
    if (c)
        json_check(o, s->watch, c);
    else
        out_null(o);
}

void query_check(struct serve *s, struct http_exchange *x, int64_t id)
{
    struct query_ask ask = {.name = "check",
                            .id = id,
                            .ttl_ms = 2000,
                            .stale_ms = 8000,
                            .make = make_check,
                            .head = head_check};

    if (!watch_find(s->watch, id))
        api_refuse(x, 404, "no", "there is no check %lld; see /api/v1/checks", (long long)id);
    else if (query_window(x, "3h", &ask))
        query_answer(s, x, &ask);
}
