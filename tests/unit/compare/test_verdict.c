#include "compare/verdict.h"

#include "test.h"

static void a_target_is_met_or_missed_only_by_the_whole_range(void)
{
    static const struct {
        enum metric m;
        double low, high, target;
        enum target_state state;
    } row[] = {
        {METRIC_P95, 400, 499, 500, TARGET_MET},
        {METRIC_P95, 400, 501, 500, TARGET_OPEN},
        {METRIC_P95, 500, 600, 500, TARGET_MISSED},
        {METRIC_P95, 400, 500, 500, TARGET_OPEN},
        {METRIC_P95, 400, 500, 0, TARGET_NONE},
        {METRIC_SUCCESS, 0.991, 1, 0.99, TARGET_MET},
        {METRIC_SUCCESS, 0.98, 0.99, 0.99, TARGET_MISSED},
        {METRIC_SUCCESS, 0.98, 0.999, 0.99, TARGET_OPEN},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct interval v = {row[i].low, row[i].low, row[i].high, 0.95, true, true};
        CHECK(target_judge(row[i].m, &v, row[i].target) == row[i].state);
    }
    CHECK(target_judge(METRIC_P95, &(struct interval){.known = true}, 500) == TARGET_OPEN);
    CHECK(strcmp(target_state_name(TARGET_OPEN), "inconclusive") == 0);
}

static bool writes(enum metric m, double low, double high, const char *value, const char *range)
{
    char a[32], b[80];
    metric_format(m, low, a);
    metric_format_range(m, low, high, b);
    return strcmp(a, value) == 0 && strcmp(b, range) == 0;
}

static void figures_are_written_with_three_digits_and_no_false_hundred(void)
{
    CHECK(writes(METRIC_AVG, 412.4, 430.6, "412 ms", "412–431 ms"));
    CHECK(writes(METRIC_AVG, 8.314, 12.34, "8.31 ms", "8.31–12.3 ms"));
    CHECK(writes(METRIC_AVG, 9000, 12340, "9000 ms", "9000 ms–12.3 s"));
    CHECK(writes(METRIC_SUCCESS, 0.99996, 1, "99.99%", "99.99–100%"));
    CHECK(writes(METRIC_SUCCESS, 0, 0.00001, "0%", "0–0.01%"));
    char target[32];
    metric_format_target(METRIC_SUCCESS, 0.999, target);
    CHECK(strcmp(target, "99.9%") == 0);
}

int main(void)
{
    a_target_is_met_or_missed_only_by_the_whole_range();
    figures_are_written_with_three_digits_and_no_false_hundred();
    return DONE();
}
