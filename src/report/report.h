#pragma once

#include "report/table.h"

struct buf;
struct comparison;

/*
 * The comparison as people and programs read it. Pure writers: same comparison, same bytes. `out`
 * needs a maximum of REPORT_MAX_BYTES for any manifest that trine accepts; buf_over() tells when it
 * was too small. Names are escaped for each form; secrets never get here.
 */
enum { REPORT_MAX_BYTES = 64 << 20 };

/* Tables for a terminal. With `endpoints`, one row an endpoint and environment as well. */
void report_text(const struct comparison *c, const struct table_look *look, bool endpoints,
                 struct buf *out);

/* environment_comparison.json, version 2; its JSON Schema is
 * docs/environment_comparison.schema.json. */
void report_json(const struct comparison *c, struct buf *out);

/* environment_comparison.html: one file that opens without a network, its plots drawn here. */
void report_html(const struct comparison *c, struct buf *out);
