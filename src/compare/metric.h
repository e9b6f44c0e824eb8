#pragma once

#include <stdbool.h>

/* The figures on which environments are compared, and how each is written for people. */
enum metric {
    METRIC_AVG,
    METRIC_P50,
    METRIC_P95,
    METRIC_SUCCESS,
    METRIC_UPTIME,
    METRIC_DB_QUERY,   /* median of the database checks */
    METRIC_COLD_START, /* median of the cold requests */
};
#define N_METRICS (METRIC_COLD_START + 1)
#define N_REQUEST_METRICS (METRIC_SUCCESS + 1) /* those of single requests */
/* Those before are compared in pairs; cold starts are too few and too unlike for that. */
#define N_COMPARED (METRIC_DB_QUERY + 1)

/* "avg_ms", "p50_ms", "p95_ms", "success_rate", "uptime", "db_query_ms", "cold_start_ms" */
const char *metric_key(enum metric m);
const char *metric_title(enum metric m); /* "Average", "Median", "p95", "Success rate", ... */
bool metric_is_time(enum metric m); /* milliseconds, less is better; else 0..1, more is better */

/* "412 ms", "8.3 ms", "12.4 s", "99.95%". ret holds 32 bytes. */
void metric_format(enum metric m, double value, char ret[32]);
void metric_format_ms(double ms, char ret[32]);
void metric_format_rate(double rate, char ret[32]); /* never rounds a miss up to 100% */
void metric_format_target(enum metric m, double value, char ret[32]); /* as set: "99.9%" */
/* "398–430 ms", "99.81–99.97%". */
void metric_format_range(enum metric m, double low, double high, char ret[80]);
