#include "report/json_value.h"

#include <math.h>

static json_t *name_of(const struct comparison *c, int environment)
{
    return environment < 0 ? json_null() : json_string(c->environments[environment].name);
}

static json_t *needed(int64_t n)
{
    return n < 0 ? json_null() : json_integer(n);
}

static json_t *probability(double p, bool known)
{
    return known && !isnan(p) ? json_real(round(p * 1e6) / 1e6) : json_null();
}

static json_t *pair_metric(enum metric m, const struct pair_metric *v)
{
    json_t *object = json_object();
    json_put(object, "metric", json_string(metric_key(m)));
    json_put(object, "a", json_metric(m, v->a, v->known));
    json_put(object, "b", json_metric(m, v->b, v->known));
    json_put(object, "difference", json_metric(m, v->difference.value, v->known));
    json_put(object, "low", json_metric(m, v->difference.low, v->difference.bounded));
    json_put(object, "high", json_metric(m, v->difference.high, v->difference.bounded));
    json_put(object, "p", probability(v->p, v->known));
    json_put(object, "p_adjusted", probability(v->p_adjusted, v->known));
    json_put(object, "verdict", json_string(verdict_kind_name(v->verdict)));
    json_put(object, "n_a", json_count(v->n_a));
    json_put(object, "n_b", json_count(v->n_b));
    json_put(object, "blocks", json_count(v->blocks));
    json_put(object, "n_needed", needed(v->n_needed));
    json_put(object, "text", json_string(v->text));
    return object;
}

static json_t *pair(const struct comparison *c, const struct pair_result *r)
{
    json_t *object = json_object(), *metrics = json_array(), *shape = json_object();
    for (enum metric m = 0; m < N_COMPARED; m++)
        json_array_append_new(metrics, pair_metric(m, &r->metrics[m]));
    json_put(shape, "p", probability(r->shape.p, r->shape.known));
    json_put(shape, "p_adjusted", probability(r->shape.p_adjusted, r->shape.known));
    json_put(shape, "differs", r->shape.known ? json_boolean(r->shape.differs) : json_null());
    json_put(object, "a", name_of(c, (int)r->a));
    json_put(object, "b", name_of(c, (int)r->b));
    json_put(object, "metrics", metrics);
    json_put(object, "shape", shape);
    return object;
}

json_t *json_pairs(const struct comparison *c)
{
    json_t *array = json_array();
    for (size_t i = 0; i < c->n_pairs; i++)
        json_array_append_new(array, pair(c, &c->pairs[i]));
    return array;
}

json_t *json_winners(const struct comparison *c)
{
    json_t *array = json_array();
    for (enum win_category w = 0; w < WIN_CATEGORIES; w++) {
        const struct win *v = &c->wins[w];
        bool judged = !c->options.figures_only;
        json_t *object = json_object();
        json_put(object, "category", json_string(win_category_key(w)));
        json_put(object, "title", json_string(win_category_title(w)));
        json_put(object, "winner", judged ? name_of(c, v->winner) : json_null());
        json_put(object, "n_needed", judged ? needed(v->n_needed) : json_null());
        json_put(object, "text", json_string(v->text));
        json_array_append_new(array, object);
    }
    return array;
}

/* --- Week over week ----------------------------------------------------------------------------
 */

static json_t *change(enum metric m, const struct change *v)
{
    json_t *object = json_object();
    json_put(object, "metric", json_string(metric_key(m)));
    json_put(object, "before", json_metric(m, v->before, v->known));
    json_put(object, "after", json_metric(m, v->after, v->known));
    json_put(object, "difference", json_metric(m, v->difference.value, v->known));
    json_put(object, "low", json_metric(m, v->difference.low, v->difference.bounded));
    json_put(object, "high", json_metric(m, v->difference.high, v->difference.bounded));
    json_put(object, "p_adjusted", probability(v->p_adjusted, v->known));
    json_put(object, "verdict", json_string(verdict_kind_name(v->verdict)));
    return object;
}

json_t *json_weeks(const struct comparison *c)
{
    if (!c->changes)
        return json_null();
    json_t *object = json_object(), *environments = json_array();
    for (size_t i = 0; i < c->n_environments; i++) {
        json_t *environment = json_object(), *changes = json_array();
        for (enum metric m = 0; m < N_METRICS; m++)
            json_array_append_new(changes, change(m, &c->changes[i].metrics[m]));
        json_put(environment, "environment", name_of(c, (int)i));
        json_put(environment, "changes", changes);
        json_array_append_new(environments, environment);
    }
    json_put(object, "from", json_utc(c->before->options.from_ms, true));
    json_put(object, "until", json_utc(c->before->options.until_ms, true));
    json_put(object, "paired", json_false());
    json_put(object, "environments", environments);
    return object;
}

/* --- Recommendation ----------------------------------------------------------------------------
 */

static json_t *texts(const char *const *list, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_string(list[i]));
    return array;
}

static json_t *hundredth(double v, bool known)
{
    return known ? json_real(round(v * 100) / 100) : json_null();
}

static json_t *candidate(const struct comparison *c, size_t i)
{
    const struct candidate *v = &c->recommendation.candidates[i];
    json_t *object = json_object();
    json_put(object, "environment", name_of(c, (int)i));
    json_put(object, "total", hundredth(v->total, v->measured));
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        json_put(object, score_part_key(p),
                 hundredth(v->score.parts[p], v->measured && v->score.known[p]));
    json_put(object, "lead_share",
             v->measured ? json_real(round(v->lead_share * 1e4) / 1e4) : json_null());
    json_put(object, "excluded", texts(v->excluded, v->n_excluded));
    json_put(object, "unknown", texts(v->unknown, v->n_unknown));
    return object;
}

static json_t *turning_point(const struct comparison *c, const struct turning_point *v)
{
    if (!v->any)
        return json_null();
    json_t *object = json_object();
    json_put(object, "weight", json_real(round(v->weight * 1e4) / 1e4));
    json_put(object, "environment", name_of(c, (int)v->environment));
    return object;
}

static json_t *part(const struct comparison *c, enum score_part p)
{
    const struct recommendation *r = &c->recommendation;
    json_t *object = json_object();
    double all = 0;
    for (enum score_part k = 0; k < SCORE_PARTS; k++)
        all += r->used[k] ? r->weights[k] : 0;
    bool used = r->used[p] && all > 0;
    json_put(object, "part", json_string(score_part_key(p)));
    json_put(object, "set", json_real(round(r->weights[p] * 1e4) / 1e4));
    json_put(object, "used",
             used ? json_real(round(r->weights[p] / all * 1e4) / 1e4) : json_null());
    json_put(object, "below", turning_point(c, &r->below[p]));
    json_put(object, "above", turning_point(c, &r->above[p]));
    return object;
}

json_t *json_recommendation(const struct comparison *c)
{
    const struct recommendation *r = &c->recommendation;
    json_t *object = json_object(), *scores = json_array(), *weights = json_array();
    for (size_t i = 0; r->candidates && i < c->n_environments; i++)
        json_array_append_new(scores, candidate(c, i));
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        json_array_append_new(weights, part(c, p));
    bool clear = r->state == RECOMMEND_CLEAR;
    json_put(object, "state", json_string(recommend_state_name(r->state)));
    json_put(object, "environment", clear ? name_of(c, r->leader) : json_null());
    json_put(object, "leader", r->candidates ? name_of(c, r->leader) : json_null());
    json_put(object, "text", json_string(r->text));
    json_put(object, "missing", texts(r->missing, r->n_missing));
    json_put(object, "scores", scores);
    json_put(object, "weights", weights);
    json_put(object, "resamples", json_count(r->resamples));
    json_put(object, "blocks", json_count(r->blocks));
    return object;
}
