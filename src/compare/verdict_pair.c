#include "compare/verdict_pair.h"

#include "base/mem.h"

#include <gsl/gsl_cdf.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N_LIMIT 1e9 /* a number beyond it tells nobody anything */

const char *verdict_kind_name(enum verdict_kind k)
{
    static const char *const names[] = {[VERDICT_INCONCLUSIVE] = "inconclusive",
                                        [VERDICT_BETTER] = "better",
                                        [VERDICT_WORSE] = "worse"};
    return names[k];
}

static double quantile_of(enum metric m)
{
    return m == METRIC_P50 || m == METRIC_DB_QUERY ? 0.50 : m == METRIC_P95 ? 0.95 : 0;
}

struct paired_question verdict_question(enum metric m, double confidence, uint64_t seed)
{
    return (struct paired_question){
        .what = m == METRIC_AVG      ? STATISTIC_MEAN
                : !metric_is_time(m) ? STATISTIC_RATE
                                     : STATISTIC_QUANTILE,
        .q = quantile_of(m),
        .confidence = confidence,
        .seed = seed,
    };
}

/* The answer in the metric's own unit: microseconds become milliseconds. */
struct figures {
    double a, b, difference, low, high; /* the range's ends */
    double least;                       /* the smallest difference that matters */
    double family;                      /* tests that were corrected together */
};

static struct figures figures_of(const struct verdict_pair *p, size_t tests)
{
    double unit = metric_is_time(p->metric) ? 1000 : 1;
    const struct interval *d = &p->answer.difference;
    struct figures f = {
        .a = p->answer.a / unit,
        .b = p->answer.b / unit,
        .difference = d->value / unit,
        .low = d->low / unit,
        .high = d->high / unit,
        .family = tests ? (double)tests : 1,
    };
    f.least = metric_is_time(p->metric) ? fmax(VERDICT_MIN_MS, VERDICT_MIN_RATIO * fmin(f.a, f.b))
                                        : VERDICT_MIN_RATE;
    return f;
}

/* --- How many samples are missing ------------------------------------------------------------- */

static uint64_t fewer_samples(const struct paired_answer *a)
{
    return a->n_a < a->n_b ? a->n_a : a->n_b;
}

/* What a range, and a p that can be small enough at all, still need. */
static double missing_for_any(const struct verdict_pair *p, const struct figures *f, double alpha)
{
    double n = (double)fewer_samples(&p->answer), missing = 0;
    if (quantile_of(p->metric) > 0) {
        double q = quantile_of(p->metric);
        missing = fmax(missing, (double)interval_samples(q, 1 - alpha) - n);
    }
    size_t least = INTERVAL_MEAN_BLOCKS, seen = p->answer.stretches;
    while (least <= PAIRED_EXACT && paired_least_p(least) * f->family > alpha)
        least++;
    if (seen < least)
        missing = fmax(missing, ceil(n / (double)seen * (double)(least - seen)));
    return missing;
}

/* The range's half towards zero is 1.96 standard errors (for 95 %); a difference d is found with
 * VERDICT_POWER when it is as many of them as the corrected test needs, and 0.84 more. */
static double missing_for_difference(const struct verdict_pair *p, const struct figures *f,
                                     double alpha)
{
    double half = f->difference > 0 ? f->difference - f->low : f->high - f->difference;
    double error = half / gsl_cdf_ugaussian_Pinv(1 - alpha / 2);
    double wanted =
        gsl_cdf_ugaussian_Pinv(1 - alpha / (2 * f->family)) + gsl_cdf_ugaussian_Pinv(VERDICT_POWER);
    double n = (double)fewer_samples(&p->answer);
    return fmax(1, ceil(n * pow(wanted * error / f->difference, 2) - n));
}

/* Until the range shows on which side of what matters the difference is. */
static double missing_for_relevance(const struct verdict_pair *p, const struct figures *f)
{
    double size = fabs(f->difference);
    double half = f->difference >= 0 ? f->high - f->difference : f->difference - f->low;
    double n = (double)fewer_samples(&p->answer);
    return fmax(1, ceil(n * pow(half / (f->least - size), 2) - n));
}

/* --- Words ------------------------------------------------------------------------------------ */

static void add_shift(enum metric m, double by, char ret[48])
{
    char amount[32];
    if (metric_is_time(m)) {
        metric_format_ms(fabs(by), amount);
        snprintf(ret, 48, "%s %s", amount, by < 0 ? "less" : "more");
    } else {
        snprintf(ret, 48, "%.2f points %s", 100 * fabs(by), by < 0 ? "less" : "more");
    }
}

/* "65 ms less to 140 ms less; n = 2880 and 2875; p = 0.0015 corrected for 12 tests" */
static void add_evidence(const struct verdict_pair *p, const struct figures *f, char ret[200])
{
    char low[48], high[48], correction[48] = "";
    add_shift(p->metric, f->low, low);
    add_shift(p->metric, f->high, high);
    if (f->family > 1)
        snprintf(correction, sizeof correction, " corrected for %.0f tests", f->family);
    snprintf(ret, 200, "%s to %s; n = %" PRIu64 " and %" PRIu64 "; p = %.2g%s", low, high,
             p->answer.n_a, p->answer.n_b, p->p_adjusted, correction);
}

static void name_difference(struct verdict_pair *p, const struct figures *f)
{
    char a[32], b[32], evidence[200], lead[48];
    metric_format(p->metric, f->a, a);
    metric_format(p->metric, f->b, b);
    add_evidence(p, f, evidence);
    if (metric_is_time(p->metric) && f->b > 0)
        snprintf(lead, sizeof lead, "%.0f%% %s", 100 * fabs(f->difference) / f->b,
                 f->difference < 0 ? "less" : "more");
    else
        add_shift(p->metric, f->difference, lead);
    snprintf(p->text, sizeof p->text, "%.48s has %s, %s than %.48s with %s (%s).", p->name_a, a,
             lead, p->name_b, b, evidence);
}

/* `why` ends the sentence: "about 400 more samples each would ...". */
static void name_open(struct verdict_pair *p, const struct figures *f, const char *why)
{
    char a[32], b[32], evidence[200];
    metric_format(p->metric, f->a, a);
    metric_format(p->metric, f->b, b);
    if (p->answer.difference.bounded)
        add_evidence(p, f, evidence);
    else
        snprintf(evidence, sizeof evidence, "n = %" PRIu64 " and %" PRIu64, p->answer.n_a,
                 p->answer.n_b);
    snprintf(p->text, sizeof p->text, "%.48s has %s, %.48s %s (%.190s): %.100s", p->name_a, a,
             p->name_b, b, evidence, why);
}

/* `to_do` says what the missing samples are good for, `hopeless` what to say when no number is. */
static void open_with(struct verdict_pair *p, const struct figures *f, double missing,
                      const char *to_do, const char *hopeless)
{
    char why[100];
    p->n_needed = missing > N_LIMIT ? -1 : (int64_t)missing;
    if (p->n_needed < 0)
        snprintf(why, sizeof why, "%s", hopeless);
    else
        snprintf(why, sizeof why, "about %" PRId64 " more samples each %.50s", p->n_needed, to_do);
    name_open(p, f, why);
}

/* --- The verdict ------------------------------------------------------------------------------ */

static bool matters(const struct figures *f)
{
    return fabs(f->difference) >= f->least;
}

static void judge_open(struct verdict_pair *p, const struct figures *f, double alpha)
{
    static const char no_use[] = "more samples of what was seen would not decide it.";
    double missing = missing_for_any(p, f, alpha);
    if (missing > 0 || !p->answer.difference.bounded)
        open_with(p, f, fmax(1, missing), "are the least for a verdict.", no_use);
    else if (matters(f))
        open_with(p, f, missing_for_difference(p, f, alpha),
                  "would show the difference, if it stays.", no_use);
    else if (f->low > -f->least && f->high < f->least)
        open_with(p, f, HUGE_VAL, "", "no difference that matters.");
    else
        open_with(p, f, missing_for_relevance(p, f), "would show whether the difference matters.",
                  "the difference is just what matters; more samples would hardly decide it.");
}

static void judge(struct verdict_pair *p, double alpha, size_t tests)
{
    p->kind = VERDICT_INCONCLUSIVE;
    p->n_needed = -1;
    if (!p->answer.known) {
        snprintf(p->text, sizeof p->text,
                 "%.60s and %.60s were not both measured in at least two stretches of time.",
                 p->name_a, p->name_b);
        return;
    }
    struct figures f = figures_of(p, tests);
    bool apart = p->answer.difference.bounded && (f.low > 0 || f.high < 0);
    if (!apart || p->p_adjusted > alpha || !matters(&f)) {
        judge_open(p, &f, alpha);
        return;
    }
    p->kind = (f.difference < 0) == metric_is_time(p->metric) ? VERDICT_BETTER : VERDICT_WORSE;
    p->n_needed = 0;
    name_difference(p, &f);
}

void verdict_judge_pairs(struct verdict_pair *pairs, size_t n_pairs, double *shapes,
                         size_t n_shapes, double confidence)
{
    double *p = mem_array(n_pairs + n_shapes + 1, sizeof *p);
    size_t tests = n_shapes;
    for (size_t i = 0; i < n_pairs; i++) {
        p[i] = pairs[i].answer.known ? pairs[i].answer.p : (double)NAN;
        tests += pairs[i].answer.known;
    }
    for (size_t i = 0; i < n_shapes; i++)
        p[n_pairs + i] = shapes[i];
    holm_adjust(p, n_pairs + n_shapes);
    for (size_t i = 0; i < n_pairs; i++) {
        pairs[i].p_adjusted = pairs[i].answer.known ? p[i] : 1;
        judge(&pairs[i], 1 - confidence, tests);
    }
    for (size_t i = 0; i < n_shapes; i++)
        shapes[i] = p[n_pairs + i];
    free(p);
}
