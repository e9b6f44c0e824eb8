#pragma once

#include "compare/comparison.h"

#include <jansson.h>

/* The small values that environment_comparison.json is made of. All give a new reference. */
void json_put(json_t *object, const char *key, json_t *value); /* takes the value; aborts */
json_t *json_count(uint64_t n);
json_t *json_ms(double ms, bool known); /* to the microsecond; null when not known */
json_t *json_metric(enum metric m, double v, bool known);
json_t *json_utc(int64_t wall_ms, bool known);
void json_put_interval(json_t *object, enum metric m, const struct interval *v);
json_t *json_figure(enum metric m, const struct figure *f); /* null when there is no sample */

/* The judged half of the document: members of its top. */
json_t *json_pairs(const struct comparison *c);
json_t *json_winners(const struct comparison *c);
json_t *json_weeks(const struct comparison *c); /* null when nothing was measured before */
json_t *json_recommendation(const struct comparison *c);
