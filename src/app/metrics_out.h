#pragma once

struct buf;

/*
 * Prometheus's text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): a family is
 * its HELP and TYPE, then its samples, all of them together.
 *
 *     metrics_family(b, "trine_check_up", "gauge", "1 while the check is well.");
 *     metrics_begin(b, "trine_check_up");
 *     metrics_label(b, "check", name);
 *     metrics_value(b, 1);
 */
void metrics_family(struct buf *b, const char *name, const char *type, const char *help);
void metrics_begin(struct buf *b, const char *name);
void metrics_label(struct buf *b, const char *name, const char *value); /* escapes the value */
void metrics_value(struct buf *b, double v); /* exact for counts up to 2^53; NaN and Inf by name */
