#pragma once

#include "app/app.h"
#include "compare/paired.h"
#include "probe/load.h"

/* A finished load comparison for people and for programs. */

struct load_run { /* of one environment, beside its load_result */
    const struct load_result *result;
    double wake_ms;    /* how long the first request took, which may have woken it */
    const char *share; /* "0.6 % of a month's bandwidth", "" = no limit is known */
};

struct load_view {
    const char *title; /* "backend /api/v1/products" */
    double rate;
    int64_t duration_ms;
    const struct load_run *runs;
    size_t n_runs;
};

int load_view_text(struct app *a, const struct load_view *v, struct err *e);
int load_view_json(struct app *a, const struct load_view *v, struct err *e);
