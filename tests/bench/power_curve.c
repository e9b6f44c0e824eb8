#include "compare/self_test.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Over windows of an hour to two days: how often the comparison finds an environment that is 10 or
 * 20 % slower, and how often it names a winner of two that are alike. JSON on standard output; the
 * input of tools/power-plot. Takes about two minutes.
 */
enum { ROUNDS = 300 };

static json_t *share_of(unsigned n, unsigned rounds)
{
    struct interval v = interval_rate(n, rounds, 0.95);
    return json_pack("{s:f, s:f, s:f}", "value", v.value, "low", v.low, "high", v.high);
}

static json_t *point(double slower, double hours)
{
    struct day_model model = day_default;
    struct self_test_result r;
    model.slower = slower;
    model.hours = hours;
    if (hours > 24)
        model.block_s *= 2; /* as the time axis does: at most 288 blocks */
    self_test_simulated(&model, ROUNDS, 0.95, 1, &r);
    return json_pack("{s:f, s:f, s:o, s:o, s:o, s:o}", "slower", slower, "hours", hours, "any",
                     share_of(r.decided, r.rounds), "avg_ms",
                     share_of(r.by_metric[METRIC_AVG], r.rounds), "p50_ms",
                     share_of(r.by_metric[METRIC_P50], r.rounds), "p95_ms",
                     share_of(r.by_metric[METRIC_P95], r.rounds));
}

int main(void)
{
    static const double hours[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48};
    static const double slower[] = {1, 1.1, 1.2};
    json_t *points = json_array();
    for (size_t s = 0; s < sizeof slower / sizeof *slower; s++)
        for (size_t h = 0; h < sizeof hours / sizeof *hours; h++)
            json_array_append_new(points, point(slower[s], hours[h]));
    json_t *root =
        json_pack("{s:i, s:f, s:o}", "rounds", ROUNDS, "confidence", 0.95, "points", points);
    char *text = json_text(root);
    puts(text);
    free(text);
    json_decref(root);
    return 0;
}
