#include "compare/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *key, *title;
    bool is_time;
} metrics[] = {
    [METRIC_AVG] = {"avg_ms", "Average", true},
    [METRIC_P50] = {"p50_ms", "Median", true},
    [METRIC_P95] = {"p95_ms", "p95", true},
    [METRIC_SUCCESS] = {"success_rate", "Success rate", false},
    [METRIC_UPTIME] = {"uptime", "Uptime", false},
    [METRIC_DB_QUERY] = {"db_query_ms", "Database query", true},
    [METRIC_COLD_START] = {"cold_start_ms", "Cold start", true},
};

const char *metric_key(enum metric m)
{
    return metrics[m].key;
}

const char *metric_title(enum metric m)
{
    return metrics[m].title;
}

bool metric_is_time(enum metric m)
{
    return metrics[m].is_time;
}

/* Three digits that matter, no more. */
static int decimals(double value)
{
    return fabs(value) < 9.995 ? 2 : fabs(value) < 99.95 ? 1 : 0;
}

void metric_format_ms(double ms, char ret[32])
{
    if (ms < 9999.5)
        snprintf(ret, 32, "%.*f ms", decimals(ms), ms);
    else
        snprintf(ret, 32, "%.*f s", decimals(ms / 1000), ms / 1000);
}

/* Hundredths of a percent, rounded down above one half so that 99.996% is not called 100%. */
static double shown_percent(double rate)
{
    double hundredths = rate * 10000;
    return (rate > 0.5 ? floor(hundredths + 1e-6) : ceil(hundredths - 1e-6)) / 100;
}

void metric_format_rate(double rate, char ret[32])
{
    if (rate <= 0 || rate >= 1)
        snprintf(ret, 32, "%s", rate <= 0 ? "0%" : "100%");
    else
        snprintf(ret, 32, "%.2f%%", shown_percent(rate));
}

void metric_format(enum metric m, double value, char ret[32])
{
    if (metric_is_time(m))
        metric_format_ms(value, ret);
    else
        metric_format_rate(value, ret);
}

void metric_format_target(enum metric m, double value, char ret[32])
{
    if (metric_is_time(m))
        metric_format_ms(value, ret);
    else
        snprintf(ret, 32, "%.6g%%", 100 * value);
}

/* The low end without its unit when both ends have the same one. */
void metric_format_range(enum metric m, double low, double high, char ret[80])
{
    char from[32], to[32];
    metric_format(m, low, from);
    metric_format(m, high, to);
    const char *unit = to + strspn(to, "0123456789.");
    size_t number = strspn(from, "0123456789.");
    if (strcmp(from + number, unit) == 0)
        from[number] = '\0';
    snprintf(ret, 80, "%s–%s", from, to);
}
