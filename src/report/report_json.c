#include "report/report.h"

#include "base/buf.h"
#include "base/clock.h"
#include "compare/comparison.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

enum { FORMAT_VERSION = 1 };

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        abort(); /* out of memory, or a name that is not UTF-8, which the manifest refuses */
}

static json_t *number(double v, bool known, double digits)
{
    return known ? json_real(round(v * digits) / digits) : json_null();
}

/* Microseconds for times, a millionth for rates: finer than either is known. */
static double digits_of(enum metric m)
{
    return metric_is_time(m) ? 1e3 : 1e6;
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *utc(int64_t wall_ms, bool known)
{
    char text[32];
    if (!known)
        return json_null();
    clock_format_utc(wall_ms, text);
    return json_string(text);
}

static void put_interval(json_t *object, enum metric m, const struct interval *v)
{
    put(object, "value", number(v->value, v->known, digits_of(m)));
    put(object, "low", number(v->low, v->bounded, digits_of(m)));
    put(object, "high", number(v->high, v->bounded, digits_of(m)));
    put(object, "confidence", json_real(v->confidence));
}

static json_t *met(enum target_state s)
{
    switch (s) {
    case TARGET_MET:
        return json_true();
    case TARGET_MISSED:
        return json_false();
    case TARGET_NONE:
    case TARGET_OPEN:
        return json_null();
    }
    return json_null();
}

static json_t *figure(enum metric m, const struct figure *f)
{
    json_t *object = json_object();
    put_interval(object, m, &f->interval);
    put(object, "n", count(f->n));
    put(object, "target", number(f->target, f->target > 0, digits_of(m)));
    put(object, "met", met(f->state));
    return object;
}

static json_t *cold_start(const struct cold_starts *cold)
{
    json_t *object = figure(METRIC_P50, &cold->median);
    put(object, "max", number(cold->max_ms, cold->median.n > 0, digits_of(METRIC_P50)));
    put(object, "failed", count(cold->failed));
    return object;
}

static json_t *samples(const struct tally *t)
{
    json_t *object = json_object();
    put(object, "ok", count(t->ok));
    put(object, "slow", count(t->slow));
    put(object, "failed", count(t->failed));
    put(object, "inconclusive", count(t->inconclusive));
    put(object, "missed", count(t->missed));
    return object;
}

static json_t *lateness(const struct lateness *l)
{
    json_t *object = json_object();
    put(object, "p50", number(l->p50_ms, l->n > 0, 1e3));
    put(object, "p95", number(l->p95_ms, l->n > 0, 1e3));
    put(object, "max", number(l->max_ms, l->n > 0, 1e3));
    put(object, "n", count(l->n));
    return object;
}

static json_t *environment(const struct environment_result *v)
{
    json_t *metrics = json_object();
    for (enum metric m = 0; m < N_METRICS; m++)
        put(metrics, metric_key(m), figure(m, &v->figures[m]));
    put(metrics, "n", count(v->figures[METRIC_SUCCESS].n));
    put(metrics, "cold_start_ms", cold_start(&v->cold));
    json_t *object = json_object();
    put(object, "name", json_string(v->name));
    put(object, "metrics", metrics);
    put(object, "samples", samples(&v->tally));
    put(object, "lateness_ms", lateness(&v->lateness));
    return object;
}

static json_t *endpoint_cell(const struct endpoint_cell *cell, const char *environment,
                             double confidence)
{
    json_t *object = json_object(), *p50 = json_object(), *p95 = json_object(),
           *success = json_object();
    struct interval none = {.confidence = confidence};
    put_interval(p50, METRIC_P50, cell->p50.known ? &cell->p50 : &none);
    put_interval(p95, METRIC_P95, cell->p95.known ? &cell->p95 : &none);
    put_interval(success, METRIC_SUCCESS, cell->success.known ? &cell->success : &none);
    put(object, "environment", json_string(environment));
    put(object, "p50_ms", p50);
    put(object, "p95_ms", p95);
    put(object, "success_rate", success);
    put(object, "n", count(cell->tally.ok + cell->tally.slow + cell->tally.failed));
    put(object, "samples", samples(&cell->tally));
    put(object, "cold", count(cell->cold));
    put(object, "cold_failed", count(cell->cold_failed));
    return object;
}

static json_t *endpoint(const struct comparison *c, const struct endpoint_result *v)
{
    json_t *cells = json_array(), *object = json_object();
    for (size_t i = 0; i < c->n_environments; i++)
        json_array_append_new(
            cells, endpoint_cell(&v->cells[i], c->environments[i].name, c->options.confidence));
    put(object, "app", json_string(v->app));
    put(object, "instance", json_string(v->instance));
    put(object, "check", json_string(v->check));
    put(object, "every_ms", v->every_ms > 0 ? json_integer(v->every_ms) : json_null());
    put(object, "in_figures", json_boolean(v->pooled));
    put(object, "in_verdicts", json_boolean(v->common));
    put(object, "environments", cells);
    return object;
}

static json_t *verdict(const struct comparison *c, const struct verdict *v)
{
    json_t *object = json_object();
    put(object, "metric", json_string(metric_key(v->metric)));
    put(object, "verdict", json_string(v->winner >= 0 ? "winner" : "inconclusive"));
    put(object, "winner",
        v->winner >= 0 ? json_string(c->environments[v->winner].name) : json_null());
    put(object, "n_needed", v->n_needed >= 0 ? json_integer(v->n_needed) : json_null());
    put(object, "text", json_string(v->text));
    return object;
}

static json_t *window(const struct comparison *c)
{
    json_t *object = json_object();
    bool any = c->n_moments > 0;
    put(object, "from", utc(c->options.from_ms, true));
    put(object, "until", utc(c->options.until_ms, true));
    put(object, "first_sample", utc(c->first_ms, any));
    put(object, "last_sample", utc(c->last_ms, any));
    return object;
}

static json_t *tree(const struct comparison *c)
{
    json_t *environments = json_array(), *endpoints = json_array(), *verdicts = json_array();
    for (size_t i = 0; i < c->n_environments; i++)
        json_array_append_new(environments, environment(&c->environments[i]));
    for (size_t i = 0; i < c->n_endpoints; i++)
        json_array_append_new(endpoints, endpoint(c, &c->endpoints[i]));
    for (enum metric m = 0; m < N_METRICS; m++)
        json_array_append_new(verdicts, verdict(c, &c->verdicts[m]));
    json_t *root = json_object();
    put(root, "version", json_integer(FORMAT_VERSION));
    put(root, "project", json_string(c->options.project));
    put(root, "generated_at", utc(c->options.generated_at_ms, true));
    put(root, "window", window(c));
    put(root, "environments", environments);
    put(root, "verdicts", verdicts);
    put(root, "endpoints", endpoints);
    return root;
}

static int add(const char *data, size_t len, void *out)
{
    buf_add(out, data, len);
    return 0;
}

void report_json(const struct comparison *c, struct buf *out)
{
    json_t *root = tree(c);
    json_dump_callback(root, add, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    json_decref(root);
    buf_addc(out, '\n');
}
