#include "compare/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define N_NEEDED_LIMIT 1e12 /* a number beyond it tells nobody anything */

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

static bool better(enum metric m, double a, double b)
{
    return metric_is_time(m) ? a < b : a > b;
}

/* The range's end on the side of a worse contender, and on that of a better one. */
static double worse_end(enum metric m, const struct interval *v)
{
    return metric_is_time(m) ? v->high : v->low;
}

static double better_end(enum metric m, const struct interval *v)
{
    return metric_is_time(m) ? v->low : v->high;
}

static double least_difference(enum metric m, double best)
{
    return metric_is_time(m) ? fmax(VERDICT_MIN_MS, VERDICT_MIN_RATIO * best) : VERDICT_MIN_RATE;
}

/* "beta 412 ms (398–430 ms, n = 2880)" */
static void describe(enum metric m, const struct contender *c, char ret[192])
{
    char value[32], range[80];
    metric_format(m, c->interval.value, value);
    metric_format_range(m, c->interval.low, c->interval.high, range);
    snprintf(ret, 192, "%.60s %s (%s, n = %" PRIu64 ")", c->name, value, range, c->n);
}

static void inconclusive(struct verdict *v, int64_t n_needed)
{
    v->winner = -1;
    v->n_needed = n_needed;
}

/* The contender whose range needs the most further samples; NULL when all are bounded. */
static const struct contender *least_known(const struct contender *c, size_t n)
{
    const struct contender *found = NULL;
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        if (!c[i].interval.known || c[i].interval.bounded)
            continue;
        uint64_t missing = c[i].n_least > c[i].n ? c[i].n_least - c[i].n : 1;
        if (missing > most) {
            most = missing;
            found = &c[i];
        }
    }
    return found;
}

struct best_two {
    int best, second; /* second: the one whose range comes nearest to the best's */
    size_t n;         /* contenders that have samples */
};

static struct best_two find_best_two(enum metric m, const struct contender *c, size_t n)
{
    struct best_two r = {-1, -1, 0};
    for (size_t i = 0; i < n; i++) {
        if (!c[i].interval.known)
            continue;
        r.n++;
        if (r.best < 0 || better(m, c[i].interval.value, c[r.best].interval.value))
            r.best = (int)i;
    }
    for (size_t i = 0; i < n; i++) {
        if (!c[i].interval.known || (int)i == r.best)
            continue;
        if (r.second < 0 ||
            better(m, better_end(m, &c[i].interval), better_end(m, &c[r.second].interval)))
            r.second = (int)i;
    }
    return r;
}

static void name_winner(const struct contender *best, const struct contender *second,
                        struct verdict *v)
{
    char winner[192], other[192], lead[32];
    double difference = fabs(best->interval.value - second->interval.value);
    describe(v->metric, best, winner);
    describe(v->metric, second, other);
    if (metric_is_time(v->metric))
        snprintf(lead, sizeof lead, "%.0f%% less", 100 * difference / second->interval.value);
    else
        snprintf(lead, sizeof lead, "%.2f points more", 100 * difference);
    snprintf(v->text, sizeof v->text, "%s: %s than the next, %s.", winner, lead, other);
    v->n_needed = 0;
}

static void name_overlap(const struct contender *best, const struct contender *second,
                         struct verdict *v)
{
    enum metric m = v->metric;
    char a[192], b[192];
    describe(m, best, a);
    describe(m, second, b);
    double difference = fabs(best->interval.value - second->interval.value);
    double least = least_difference(m, best->interval.value);
    double halves = fabs(worse_end(m, &best->interval) - best->interval.value) +
                    fabs(second->interval.value - better_end(m, &second->interval));
    double n = (double)(best->n > second->n ? best->n : second->n);
    double more = ceil(n * pow(halves / difference, 2) - n);
    if (difference < least || more > N_NEEDED_LIMIT) {
        inconclusive(v, -1);
        snprintf(v->text, sizeof v->text,
                 "%s and %s overlap, and the difference seen is too small to matter.", a, b);
        return;
    }
    inconclusive(v, more < 1 ? 1 : (int64_t)more);
    snprintf(v->text, sizeof v->text,
             "%s and %s overlap. About %" PRId64 " more samples each would tell them "
             "apart if the difference stays.",
             a, b, v->n_needed);
}

static void name_too_small(const struct contender *best, const struct contender *second,
                           struct verdict *v)
{
    char a[192], b[192];
    describe(v->metric, best, a);
    describe(v->metric, second, b);
    inconclusive(v, -1);
    snprintf(v->text, sizeof v->text, "%s is ahead of %s by less than what matters (%s).", a, b,
             metric_is_time(v->metric) ? "5% and 1 ms" : "0.1 points");
}

static void name_missing(const struct contender *c, struct verdict *v)
{
    int64_t missing = c->n_least > c->n ? (int64_t)(c->n_least - c->n) : 1;
    inconclusive(v, missing);
    snprintf(v->text, sizeof v->text,
             "%.60s has %" PRIu64 " samples, its range needs %" PRIu64 ", %" PRId64 " more.",
             c->name, c->n, c->n + (uint64_t)missing, missing);
}

void verdict_judge(enum metric m, const struct contender *c, size_t n, struct verdict *ret)
{
    *ret = (struct verdict){.metric = m, .winner = -1, .n_needed = -1};
    struct best_two two = find_best_two(m, c, n);
    if (two.n < 2) {
        snprintf(ret->text, sizeof ret->text,
                 two.n == 0 ? "No environment has samples yet."
                            : "Only %.60s has samples; there is nothing to compare it with.",
                 two.n == 0 ? "" : c[two.best].name);
        return;
    }
    const struct contender *unknown = least_known(c, n);
    if (unknown) {
        name_missing(unknown, ret);
        return;
    }
    const struct contender *best = &c[two.best], *second = &c[two.second];
    bool apart = better(m, worse_end(m, &best->interval), better_end(m, &second->interval));
    double lead = fabs(best->interval.value - second->interval.value);
    if (!apart) {
        name_overlap(best, second, ret);
    } else if (lead < least_difference(m, best->interval.value)) {
        name_too_small(best, second, ret);
    } else {
        ret->winner = two.best;
        name_winner(best, second, ret);
    }
}
