#include "compare/verdict.h"

#include <stdbool.h>

enum target_state target_judge(enum metric m, const struct interval *v, double target)
{
    if (target <= 0)
        return TARGET_NONE;
    if (!v->known || !v->bounded)
        return TARGET_OPEN;
    bool all_below = v->high<target, all_above = v->low> target;
    if (metric_is_time(m))
        return all_below ? TARGET_MET : v->low >= target ? TARGET_MISSED : TARGET_OPEN;
    return all_above ? TARGET_MET : v->high <= target ? TARGET_MISSED : TARGET_OPEN;
}

const char *target_state_name(enum target_state s)
{
    static const char *const names[] = {[TARGET_NONE] = "none",
                                        [TARGET_MET] = "met",
                                        [TARGET_MISSED] = "missed",
                                        [TARGET_OPEN] = "inconclusive"};
    return names[s];
}
