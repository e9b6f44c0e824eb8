#pragma once

#include "compare/comparison.h"

#include <stdint.h>
#include <stdlib.h>

/* A small made-up comparison, the same on every run: `n` minutes of two apps on three environments,
 * one of them named by `last`, cold starts, failures and a gap. */
static inline struct comparison *sample_comparison(int n, const char *last)
{
    static const int64_t start = INT64_C(1763737200000);
    struct comparison_options o = {.project = "shop & co",
                                   .from_ms = start,
                                   .until_ms = start + (int64_t)(n + 1) * 60000,
                                   .generated_at_ms = start + (int64_t)(n + 1) * 60000,
                                   .targets = {.avg_ms = 500,
                                               .p95_ms = 1000,
                                               .cold_start_ms = 15000,
                                               .success = 0.98,
                                               .uptime = 0.999},
                                   .weights = {30, 40, 20, 10}};
    const char *environments[] = {"uat", "beta", last}, *apps[] = {"backend", "storefront"};
    struct comparison_builder *b = comparison_begin(&o);
    for (int v = 0; v < 3; v++) {
        for (int a = 0; a < 2; a++) {
            struct comparison_series s = {environments[v], apps[a], a ? "modern" : "",
                                          "home",          60000,   COMPARISON_REQUEST};
            size_t series = comparison_series(b, &s);
            for (int i = 0; i < n; i++) {
                struct comparison_sample sample = {
                    .at_ms = start + (int64_t)i * 60000,
                    .total_us = 100000 + 60000 * v + 1000 * ((i * 37 + a * 11) % 90),
                    .covers_ms = 60000,
                    .late_us = 200 + i % 50,
                    .outcome = i % 100 == 99                          ? COMPARISON_FAILED
                               : v == 1 && i > n / 2 && i < n / 2 + 9 ? COMPARISON_MISSED
                                                                      : COMPARISON_OK,
                    .cold = v == 1 && i % 50 == 7,
                };
                comparison_add(b, series, &sample);
            }
        }
    }
    return comparison_finish(b);
}
