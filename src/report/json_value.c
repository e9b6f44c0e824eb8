#include "report/json_value.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

void json_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        abort(); /* out of memory, or a name that is not UTF-8, which the manifest refuses */
}

json_t *json_count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *number(double v, bool known, double digits)
{
    return known && isfinite(v) ? json_real(round(v * digits) / digits) : json_null();
}

json_t *json_ms(double ms, bool known)
{
    return number(ms, known, 1e3);
}

/* Microseconds for times, a millionth for rates: finer than either is known. */
json_t *json_metric(enum metric m, double v, bool known)
{
    return number(v, known, metric_is_time(m) ? 1e3 : 1e6);
}

json_t *json_utc(int64_t wall_ms, bool known)
{
    char text[32];
    if (!known)
        return json_null();
    clock_format_utc(wall_ms, text);
    return json_string(text);
}

void json_put_interval(json_t *object, enum metric m, const struct interval *v)
{
    json_put(object, "value", json_metric(m, v->value, v->known));
    json_put(object, "low", json_metric(m, v->low, v->bounded));
    json_put(object, "high", json_metric(m, v->high, v->bounded));
    json_put(object, "confidence", json_real(v->confidence));
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

json_t *json_figure(enum metric m, const struct figure *f)
{
    if (!f->interval.known)
        return json_null();
    json_t *object = json_object();
    json_put_interval(object, m, &f->interval);
    json_put(object, "n", json_count(f->n));
    json_put(object, "target", json_metric(m, f->target, f->target > 0));
    json_put(object, "met", met(f->state));
    return object;
}
