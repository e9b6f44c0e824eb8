#include "report/report.h"

#include "base/buf.h"
#include "report/json_value.h"

#include <math.h>

enum { FORMAT_VERSION = 2 };

static json_t *samples(const struct tally *t)
{
    json_t *object = json_object();
    json_put(object, "ok", json_count(t->ok));
    json_put(object, "slow", json_count(t->slow));
    json_put(object, "failed", json_count(t->failed));
    json_put(object, "inconclusive", json_count(t->inconclusive));
    json_put(object, "missed", json_count(t->missed));
    return object;
}

static json_t *lateness(const struct lateness *l)
{
    json_t *object = json_object();
    json_put(object, "p50", json_ms(l->p50_ms, l->n > 0));
    json_put(object, "p95", json_ms(l->p95_ms, l->n > 0));
    json_put(object, "max", json_ms(l->max_ms, l->n > 0));
    json_put(object, "n", json_count(l->n));
    return object;
}

static json_t *clock_time(const struct clock_time *t)
{
    json_t *object = json_object();
    json_put(object, "seen_ms", json_integer(t->seen_ms));
    json_put(object, "down_ms", json_integer(t->down_ms));
    json_put(object, "inconclusive_ms", json_integer(t->unseen_ms));
    return object;
}

static json_t *cost(const struct comparison_facts *f)
{
    json_t *object = json_object();
    json_put(object, "monthly", f->cost_known ? json_real(f->monthly_cost) : json_null());
    json_put(object, "text",
             json_string(!f->cost_known         ? f->cost_note
                         : f->monthly_cost <= 0 ? "free"
                                                : ""));
    return object;
}

static json_t *deployments(const struct comparison_facts *f)
{
    if (!f->deployments_known)
        return json_null();
    json_t *object = json_object();
    json_put(object, "live", json_count(f->live));
    json_put(object, "failed", json_count(f->failed));
    json_put(object, "other", json_count(f->other));
    return object;
}

static json_t *environment(const struct environment_result *v)
{
    json_t *object = json_object(), *figures = json_object();
    for (enum metric m = 0; m < N_METRICS; m++)
        json_put(figures, metric_key(m), json_figure(m, &v->figures[m]));
    json_put(object, "name", json_string(v->name));
    json_put(object, "figures", figures);
    json_put(object, "samples", samples(&v->tally));
    json_put(object, "time", clock_time(&v->time));
    json_put(object, "lateness_ms", lateness(&v->lateness));
    json_put(object, "cost", cost(&v->facts));
    json_put(object, "deployments", deployments(&v->facts));
    return object;
}

/* --- Endpoints and cold starts -----------------------------------------------------------------
 */

static json_t *range(enum metric m, const struct interval *v)
{
    if (!v->known)
        return json_null();
    json_t *object = json_object();
    json_put_interval(object, m, v);
    return object;
}

static json_t *endpoint_cell(const struct endpoint_cell *cell, const char *environment)
{
    json_t *object = json_object();
    json_put(object, "environment", json_string(environment));
    json_put(object, "p50_ms", range(METRIC_P50, &cell->p50));
    json_put(object, "p95_ms", range(METRIC_P95, &cell->p95));
    json_put(object, "success_rate", range(METRIC_SUCCESS, &cell->success));
    json_put(object, "uptime", range(METRIC_UPTIME, &cell->uptime));
    json_put(object, "n", json_count(cell->tally.ok + cell->tally.slow + cell->tally.failed));
    json_put(object, "samples", samples(&cell->tally));
    json_put(object, "time", clock_time(&cell->time));
    json_put(object, "cold", json_count(cell->cold_n));
    json_put(object, "cold_failed", json_count(cell->cold_failed));
    return object;
}

static json_t *endpoint(const struct comparison *c, const struct endpoint_result *v)
{
    json_t *cells = json_array(), *object = json_object();
    for (size_t i = 0; i < c->n_environments; i++)
        json_array_append_new(cells, endpoint_cell(&v->cells[i], c->environments[i].name));
    json_put(object, "app", json_string(v->app));
    json_put(object, "instance", json_string(v->instance));
    json_put(object, "check", json_string(v->check));
    json_put(object, "kind", json_string(comparison_kind_name(v->kind)));
    json_put(object, "every_ms", v->every_ms > 0 ? json_integer(v->every_ms) : json_null());
    json_put(object, "in_pairs", json_boolean(v->common));
    json_put(object, "environments", cells);
    return object;
}

static json_t *endpoints(const struct comparison *c)
{
    json_t *array = json_array();
    for (size_t i = 0; i < c->n_endpoints; i++)
        json_array_append_new(array, endpoint(c, &c->endpoints[i]));
    return array;
}

/* Of all environments together first, then each endpoint that ever started cold. */
static json_t *cold_starts(const struct comparison *c)
{
    json_t *array = json_array();
    for (size_t i = 0; i < c->n_endpoints; i++) {
        const struct endpoint_result *v = &c->endpoints[i];
        for (size_t k = 0; k < c->n_environments; k++) {
            const struct endpoint_cell *cell = &v->cells[k];
            if (cell->cold_n + cell->cold_failed == 0)
                continue;
            json_t *object = json_object();
            json_put(object, "environment", json_string(c->environments[k].name));
            json_put(object, "app", json_string(v->app));
            json_put(object, "instance", json_string(v->instance));
            json_put(object, "check", json_string(v->check));
            json_put(object, "n", json_count(cell->cold_n));
            json_put(object, "failed", json_count(cell->cold_failed));
            json_put(object, "median_ms", range(METRIC_COLD_START, &cell->cold));
            json_put(object, "max_ms", json_ms(cell->cold_max_ms, cell->cold_n > 0));
            json_array_append_new(array, object);
        }
    }
    return array;
}

/* --- Series for plots --------------------------------------------------------------------------
 */

static json_t *moment(const struct moment *m)
{
    bool answered = m->tally.ok + m->tally.slow > 0;
    json_t *object = samples(&m->tally);
    json_put(object, "at_ms", json_integer(m->at_ms));
    json_put(object, "p50_ms", json_ms(m->p50_ms, answered));
    json_put(object, "p95_ms", json_ms(m->p95_ms, answered));
    return object;
}

static json_t *moments(const struct comparison *c)
{
    json_t *object = json_object(), *environments = json_array();
    for (size_t i = 0; i < c->n_environments; i++) {
        json_t *environment = json_object(), *cells = json_array();
        for (size_t k = 0; k < c->n_moments; k++)
            json_array_append_new(cells, moment(&c->environments[i].moments[k]));
        json_put(environment, "environment", json_string(c->environments[i].name));
        json_put(environment, "cells", cells);
        json_array_append_new(environments, environment);
    }
    json_put(object, "cell_ms", c->n_moments > 0 ? json_integer(c->moment_ms) : json_null());
    json_put(object, "environments", environments);
    return object;
}

static json_t *heat(const struct comparison *c)
{
    json_t *object = json_object(), *environments = json_array();
    if (c->heat_hours == 0) {
        json_decref(object);
        json_decref(environments);
        return json_null();
    }
    for (size_t i = 0; i < c->n_environments; i++) {
        json_t *environment = json_object(), *cells = json_array();
        for (size_t k = 0; k < c->n_heat; k++) {
            const struct heat_cell *v = &c->environments[i].heat[k];
            json_t *cell = json_object();
            json_put(cell, "hour", json_integer((json_int_t)k * c->heat_hours));
            json_put(cell, "p50_ms", json_ms(v->p50_ms, v->n > 0));
            json_put(cell, "p95_ms", json_ms(v->p95_ms, v->n > 0));
            json_put(cell, "n", json_count(v->n));
            json_array_append_new(cells, cell);
        }
        json_put(environment, "environment", json_string(c->environments[i].name));
        json_put(environment, "cells", cells);
        json_array_append_new(environments, environment);
    }
    json_put(object, "hours", json_integer(c->heat_hours));
    json_put(object, "environments", environments);
    return object;
}

/* 0.5 % .. 99.5 % and the tail beyond, as [share, milliseconds]. */
static json_t *distribution(const struct comparison *c)
{
    static const double tail[] = {0.998, 0.999, 0.9999, 1};
    json_t *array = json_array();
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct sketch *s = &c->environments[i].times;
        json_t *environment = json_object(), *points = json_array();
        for (int k = 0; s->n > 0 && k < 104; k++) {
            double q = k < 100 ? 0.005 + 0.01 * k : tail[k - 100];
            double ms = q < 1 ? sketch_quantile(s, q) / 1000 : (double)s->max_us / 1000;
            json_t *point = json_array();
            json_array_append_new(point, json_real(round(q * 1e4) / 1e4));
            json_array_append_new(point, json_ms(ms, true));
            json_array_append_new(points, point);
        }
        json_put(environment, "environment", json_string(c->environments[i].name));
        json_put(environment, "points", points);
        json_array_append_new(array, environment);
    }
    return array;
}

/* --- The document ------------------------------------------------------------------------------
 */

static json_t *window(const struct comparison *c)
{
    json_t *object = json_object();
    bool any = c->n_moments > 0;
    json_put(object, "from", json_utc(c->options.from_ms, true));
    json_put(object, "until", json_utc(c->options.until_ms, true));
    json_put(object, "first_sample", json_utc(c->first_ms, any));
    json_put(object, "last_sample", json_utc(c->last_ms, any));
    return object;
}

static json_t *method(const struct comparison *c)
{
    json_t *object = json_object();
    json_put(object, "confidence", json_real(c->options.confidence));
    json_put(object, "tests", json_count(c->n_tests));
    json_put(object, "least_ratio", json_real(VERDICT_MIN_RATIO));
    json_put(object, "least_ms", json_real(VERDICT_MIN_MS));
    json_put(object, "least_rate", json_real(VERDICT_MIN_RATE));
    json_put(object, "endpoints", json_count(c->n_pooled));
    json_put(object, "endpoints_in_pairs", json_count(c->n_common));
    return object;
}

static json_t *tree(const struct comparison *c)
{
    json_t *environments = json_array(), *root = json_object();
    for (size_t i = 0; i < c->n_environments; i++)
        json_array_append_new(environments, environment(&c->environments[i]));
    json_put(root, "version", json_integer(FORMAT_VERSION));
    json_put(root, "project", json_string(c->options.project));
    json_put(root, "generated_at", json_utc(c->options.generated_at_ms, true));
    json_put(root, "window", window(c));
    json_put(root, "method", method(c));
    json_put(root, "environments", environments);
    json_put(root, "recommendation", json_recommendation(c));
    json_put(root, "winners", json_winners(c));
    json_put(root, "pairs", json_pairs(c));
    json_put(root, "weeks", json_weeks(c));
    json_put(root, "cold_starts", cold_starts(c));
    json_put(root, "endpoints", endpoints(c));
    json_put(root, "distribution", distribution(c));
    json_put(root, "heat", heat(c));
    json_put(root, "moments", moments(c));
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
    json_dump_callback(root, add, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    json_decref(root);
    buf_addc(out, '\n');
}
