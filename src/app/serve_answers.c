#include "app/serve_query.h"

#include "app/api.h"
#include "app/json_out.h"
#include "app/window.h"
#include "base/mem.h"
#include "compare/comparison.h"
#include "report/report.h"
#include "store/history.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1000 };

/* --- Names --------------------------------------------------------------------------------------
 */

static void take_name(const struct series *r, void *arg)
{
    struct series_names *n = arg;

    if (n->n == n->size) {
        n->size = n->size ? 2 * n->size : 256;
        n->rows = mem_grow(n->rows, n->size, sizeof(*n->rows));
    }
    n->rows[n->n++] = (struct series_name){.id = r->id,
                                           .environment = arena_strdup(&n->arena, r->environment),
                                           .app = arena_strdup(&n->arena, r->app),
                                           .instance = arena_strdup(&n->arena, r->instance),
                                           .check = arena_strdup(&n->arena, r->check)};
}

int series_names_read(struct store *store, struct series_names *ret, struct err *e)
{
    return series_list(store, take_name, ret, e);
}

void series_names_release(struct series_names *names)
{
    arena_release(&names->arena);
    free(names->rows);
}

struct watch_outage named_outage(const struct series_names *names, const struct outage *i)
{
    struct watch_outage v = {
        .outage = *i, .environment = "", .app = "", .instance = "", .check = ""};

    for (size_t k = 0; k < names->n; k++)
        if (names->rows[k].id == i->series) {
            v.environment = names->rows[k].environment;
            v.app = names->rows[k].app;
            v.instance = names->rows[k].instance;
            v.check = names->rows[k].check;
        }
    return v;
}

/* --- Compare ------------------------------------------------------------------------------------
 */

static int make_compare(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    struct comparison *c = NULL;

    a->o.from = ask->from;
    a->o.until = ask->until[0] ? ask->until : NULL;
    if (window_comparison(a, &c, e) < 0)
        return -1;
    report_json(c, out);
    comparison_free(c);
    return 0;
}

void query_compare(struct serve *s, struct http_exchange *x)
{
    struct query_ask ask = {.name = "compare",
                            .takes_long = true,
                            .ttl_ms = 15000,
                            .stale_ms = 45000,
                            .make = make_compare};

    if (query_window(x, "24h", &ask))
        query_answer(s, x, &ask);
}

/* --- Releases -----------------------------------------------------------------------------------
 */

static void put_release(const struct release *r, void *arg)
{
    struct json_out *o = arg;

    out_open(o, '{');
    out_text_of(o, "environment", r->environment);
    out_int_of(o, "number", r->number);
    out_text_of(o, "commit", r->commit);
    out_text_of(o, "message", r->message);
    out_text_of(o, "state", release_state_name(r->state));
    out_time_of(o, "created_at", r->created_at);
    out_time_of(o, "finished_at", r->finished_at);
    out_time_of(o, "committed_at", r->committed_at);
    out_key(o, "live_ms");
    if (r->state == RELEASE_LIVE && r->finished_at > 0 && r->committed_at > 0)
        out_int(o, r->finished_at - r->committed_at);
    else
        out_null(o);
    out_close(o, '}');
}

static int make_releases(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    struct json_out o = {.b = out};

    out_open(&o, '{');
    out_key(&o, "releases");
    out_open(&o, '[');
    int rc = release_list(a->store, ask->environment[0] ? ask->environment : NULL, LIST_MAX,
                          put_release, &o, e);
    out_close(&o, ']');
    out_close(&o, '}');
    return rc;
}

void query_releases(struct serve *s, struct http_exchange *x)
{
    struct query_ask ask = {.name = "releases", .ttl_ms = 2000, .make = make_releases};

    if (!query_window(x, "24h", &ask))
        return;
    if (ask.environment[0] && !manifest_environment_find(s->setup->manifest, ask.environment)) {
        api_refuse(x, 404, "no", "the manifest has no environment %.60s", ask.environment);
        return;
    }
    query_answer(s, x, &ask);
}

/* --- Outages ----------------------------------------------------------------------------------
 */

struct outage_list {
    struct json_out out;
    struct series_names names;
};

static void put_outage(const struct outage *i, void *arg)
{
    struct outage_list *l = arg;
    struct watch_outage v = named_outage(&l->names, i);

    json_outage(&l->out, &v);
}

static int make_outages(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    struct outage_list l = {.out = {.b = out}};

    out_open(&l.out, '{');
    out_key(&l.out, "outages");
    out_open(&l.out, '[');
    int rc = series_names_read(a->store, &l.names, e);
    if (rc == 0)
        rc = outage_list(a->store, -1, ask->from_ms, ask->until_ms, LIST_MAX, put_outage, &l, e);
    out_close(&l.out, ']');
    out_close(&l.out, '}');
    series_names_release(&l.names);
    return rc;
}

void query_outages(struct serve *s, struct http_exchange *x)
{
    struct query_ask ask = {.name = "outages", .ttl_ms = 1000, .make = make_outages};

    if (query_window(x, "7d", &ask))
        query_answer(s, x, &ask);
}

/* --- The prober's lateness over a day -----------------------------------------------------------
 */

struct late_cell {
    int64_t at_ms, max_us;
    struct sketch lateness;
};
struct late_day {
    int64_t from_ms;
    struct late_cell cells[160]; /* a day of ten minutes, and the edges */
};

static void add_late(int64_t series, int64_t start_ms, int64_t length_ms,
                     const struct history_cell *c, void *arg)
{
    struct late_day *d = arg;
    int64_t step = history_level_ms(HISTORY_TEN_MINUTES);
    int64_t at = start_ms / step - d->from_ms / step;

    (void)series;
    (void)length_ms;
    if (at < 0 || at >= (int64_t)(sizeof(d->cells) / sizeof(d->cells[0])))
        return;
    d->cells[at].at_ms = start_ms / step * step;
    (void)sketch_merge(&d->cells[at].lateness, &c->lateness);
    if ((int64_t)c->late_us_max > d->cells[at].max_us)
        d->cells[at].max_us = (int64_t)c->late_us_max;
}

static void put_late(struct json_out *o, const struct late_cell *c)
{
    if (c->lateness.n == 0)
        return;
    out_open(o, '{');
    out_int_of(o, "at_ms", c->at_ms);
    out_key(o, "p50_ms");
    out_number(o, sketch_quantile(&c->lateness, 0.5) / 1000, 3);
    out_key(o, "p99_ms");
    out_number(o, sketch_quantile(&c->lateness, 0.99) / 1000, 3);
    out_key(o, "max_ms");
    out_us(o, c->max_us);
    out_int_of(o, "n", (int64_t)c->lateness.n);
    out_close(o, '}');
}

static int make_prober(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    struct late_day *d = mem_alloc(sizeof(*d));
    const struct history_window w = {
        .from_ms = ask->from_ms, .until_ms = ask->until_ms, .coarsest = HISTORY_TEN_MINUTES};
    struct json_out o = {.b = out, .comma = true};

    d->from_ms = ask->from_ms;
    int rc = history_read(a->store, &w, add_late, d, NULL, NULL, e);
    out_key(&o, "lateness_cells");
    out_open(&o, '[');
    for (size_t i = 0; i < sizeof(d->cells) / sizeof(d->cells[0]); i++) {
        put_late(&o, &d->cells[i]);
        sketch_release(&d->cells[i].lateness);
    }
    out_close(&o, ']');
    out_close(&o, '}');
    free(d);
    return rc;
}

static void head_prober(struct serve *s, const struct query_ask *ask, struct json_out *o)
{
    const struct buf *b = serve_prober(s);

    (void)ask;
    buf_add(o->b, b->data, b->len - 1); /* without its last brace */
}

void query_prober(struct serve *s, struct http_exchange *x)
{
    struct query_ask ask = {.name = "prober",
                            .ttl_ms = 60000,
                            .stale_ms = 60000,
                            .make = make_prober,
                            .head = head_prober,
                            .from = "24h"};

    query_answer(s, x, &ask);
}
