#include "compare/two_sample.h"

#include "base/mem.h"
#include "compare/random.h"

#include <gsl/gsl_cdf.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEW_HITS = 10, MORE = 10, EXACT_RELABELLINGS = 20000, N_TESTS = 3 };
#define EQUAL 1e-9

struct pool {
    double *value; /* of both, ascending */
    bool *in_a;    /* whose value it is, under the present labels */
    size_t n, n_a;
};

struct measures {
    double mean[2], p95[2]; /* of A, of B */
    double distance[N_TESTS];
};

static size_t rank_of_p95(size_t n)
{
    return (size_t)ceil(0.95 * (double)n - 1e-9 * (double)n);
}

/* One walk over the ordered values gives everything. The energy distance in one dimension is twice
 * the area between the distribution functions, squared. */
static struct measures measure(const struct pool *pool)
{
    struct measures m = {0};
    size_t size[2] = {pool->n_a, pool->n - pool->n_a}, seen[2] = {0};
    for (size_t i = 0; i < pool->n; i++) {
        if (i > 0) {
            double gap = (double)seen[0] / (double)size[0] - (double)seen[1] / (double)size[1];
            m.distance[2] += 2 * gap * gap * (pool->value[i] - pool->value[i - 1]);
        }
        int side = !pool->in_a[i];
        m.mean[side] += pool->value[i] / (double)size[side];
        if (++seen[side] == rank_of_p95(size[side]))
            m.p95[side] = pool->value[i];
    }
    m.distance[0] = fabs(m.mean[0] - m.mean[1]);
    m.distance[1] = fabs(m.p95[0] - m.p95[1]);
    return m;
}

/* The next choice of n_a places in lexicographic order; false after the last. */
static bool next_choice(struct pool *pool)
{
    size_t end = pool->n, trailing = 0;
    while (end > 0 && pool->in_a[end - 1]) { /* the block of places at the very end */
        end--;
        trailing++;
    }
    while (end > 0 && !pool->in_a[end - 1])
        end--;
    if (end == 0)
        return false;
    pool->in_a[end - 1] = false;
    for (size_t i = end; i < pool->n; i++)
        pool->in_a[i] = i - end <= trailing;
    return true;
}

static void first_choice(struct pool *pool)
{
    for (size_t i = 0; i < pool->n; i++)
        pool->in_a[i] = i < pool->n_a;
}

static void shuffle(struct pool *pool, struct random *random)
{
    for (size_t i = pool->n; i > 1; i--) {
        size_t k = random_below(random, i);
        bool kept = pool->in_a[i - 1];
        pool->in_a[i - 1] = pool->in_a[k];
        pool->in_a[k] = kept;
    }
}

static void count(const struct pool *pool, const double *seen, uint64_t *hits)
{
    struct measures m = measure(pool);
    for (int t = 0; t < N_TESTS; t++)
        hits[t] += m.distance[t] >= seen[t] * (1 - EQUAL);
}

static bool few_relabellings(const struct pool *pool)
{
    double ways = 1;
    for (size_t i = 1; i <= pool->n_a && ways <= EXACT_RELABELLINGS; i++)
        ways = ways * (double)(pool->n - pool->n_a + i) / (double)i;
    return ways <= EXACT_RELABELLINGS;
}

static void find_p(struct pool *pool, const struct two_sample_question *q, const double *seen,
                   double *p)
{
    uint64_t hits[N_TESTS] = {0}, done = 0;
    if (few_relabellings(pool)) {
        first_choice(pool);
        do {
            count(pool, seen, hits);
            done++;
        } while (next_choice(pool));
        for (int t = 0; t < N_TESTS; t++)
            p[t] = (double)hits[t] / (double)done;
        return;
    }
    struct random random;
    random_seed(&random, q->seed);
    uint64_t wanted = q->resamples ? q->resamples : PAIRED_RESAMPLES;
    for (int turn = 0; turn < 2; turn++) {
        for (; done < wanted; done++) {
            shuffle(pool, &random);
            count(pool, seen, hits);
        }
        if (hits[0] >= FEW_HITS && hits[1] >= FEW_HITS && hits[2] >= FEW_HITS)
            break;
        wanted = (wanted + 1) * MORE - 1;
    }
    for (int t = 0; t < N_TESTS; t++)
        p[t] = ((double)hits[t] + 1) / ((double)done + 1);
}

/* --- The verdict ------------------------------------------------------------------------------ */

static enum verdict_kind side_of(const struct two_sample_figure *f, double alpha,
                                 bool more_is_better)
{
    double difference = f->a - f->b;
    double least = VERDICT_MIN_RATIO * fmin(fabs(f->a), fabs(f->b));
    if (f->p_adjusted > alpha || difference == 0 || fabs(difference) < least)
        return VERDICT_INCONCLUSIVE;
    return (difference > 0) == more_is_better ? VERDICT_BETTER : VERDICT_WORSE;
}

static double variance(const double *v, size_t n, double mean)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += pow(v[i] - mean, 2);
    return n > 1 ? squares / ((double)n - 1) : 0;
}

/* Welch's standard error of the means' difference must become so small that the difference is found
 * with VERDICT_POWER (Cohen 1988); -1 when there is nothing to find. */
static int64_t missing(const struct two_sample_verdict *v, double error, double n, double alpha)
{
    double difference = fabs(v->mean.a - v->mean.b);
    double wanted =
        gsl_cdf_ugaussian_Pinv(1 - alpha / (2 * N_TESTS)) + gsl_cdf_ugaussian_Pinv(VERDICT_POWER);
    double more = ceil(n * pow(wanted * error / difference, 2) - n);
    if (difference <= 0 || !(more < 1e12))
        return -1;
    return more < 1 ? 1 : (int64_t)more;
}

static void put_words(const struct two_sample_verdict *v, size_t n_a, size_t n_b, char ret[400])
{
    char figures[240], open[120] = "";
    snprintf(figures, sizeof figures,
             "mean %.4g against %.4g (p = %.2g), p95 %.4g against %.4g (p = %.2g), "
             "shape p = %.2g; n = %zu and %zu",
             v->mean.a, v->mean.b, v->mean.p_adjusted, v->p95.a, v->p95.b, v->p95.p_adjusted,
             v->shape_p_adjusted, n_a, n_b);
    if (v->kind == VERDICT_INCONCLUSIVE && v->n_needed > 0)
        snprintf(open, sizeof open,
                 " About %" PRId64 " more values each would show it, if the difference stays.",
                 v->n_needed);
    snprintf(ret, 400, "A is %s%s: %s.%s",
             v->kind == VERDICT_INCONCLUSIVE ? "neither better nor worse yet" : "",
             v->kind == VERDICT_INCONCLUSIVE ? "" : verdict_kind_name(v->kind), figures, open);
}

static void decide(struct two_sample_verdict *v, double alpha, bool more_is_better)
{
    double p[] = {v->mean.p, v->p95.p, v->shape_p};
    holm_adjust(p, N_TESTS);
    v->mean.p_adjusted = p[0];
    v->p95.p_adjusted = p[1];
    v->shape_p_adjusted = p[2];
    enum verdict_kind mean = side_of(&v->mean, alpha, more_is_better);
    enum verdict_kind p95 = side_of(&v->p95, alpha, more_is_better);
    if (mean == VERDICT_INCONCLUSIVE || p95 == VERDICT_INCONCLUSIVE || mean == p95)
        v->kind = mean != VERDICT_INCONCLUSIVE ? mean : p95;
}

struct labelled {
    double value;
    bool in_a;
};

static int by_labelled_value(const void *x, const void *y)
{
    double a = ((const struct labelled *)x)->value, b = ((const struct labelled *)y)->value;
    return (a > b) - (a < b);
}

static void pool_init(struct pool *pool, const double *a, size_t n_a, const double *b, size_t n_b)
{
    *pool = (struct pool){.n = n_a + n_b, .n_a = n_a};
    struct labelled *all = mem_array(pool->n, sizeof *all);
    for (size_t i = 0; i < pool->n; i++)
        all[i] = (struct labelled){i < n_a ? a[i] : b[i - n_a], i < n_a};
    qsort(all, pool->n, sizeof *all, by_labelled_value);
    pool->value = mem_array(pool->n, sizeof *pool->value);
    pool->in_a = mem_array(pool->n, sizeof *pool->in_a);
    for (size_t i = 0; i < pool->n; i++) {
        pool->value[i] = all[i].value;
        pool->in_a[i] = all[i].in_a;
    }
    free(all);
}

void two_sample_judge(const double *a, size_t n_a, const double *b, size_t n_b,
                      const struct two_sample_question *q, struct two_sample_verdict *ret)
{
    double alpha = 1 - (q->confidence > 0 ? q->confidence : 0.95);
    *ret = (struct two_sample_verdict){.n_needed = -1, .shape_p = 1, .shape_p_adjusted = 1};
    ret->mean.p = ret->mean.p_adjusted = ret->p95.p = ret->p95.p_adjusted = 1;
    if (n_a == 0 || n_b == 0) {
        snprintf(ret->text, sizeof ret->text, "%s has no values; there is nothing to compare.",
                 n_a == 0 ? "A" : "B");
        return;
    }
    struct pool pool;
    pool_init(&pool, a, n_a, b, n_b);
    struct measures seen = measure(&pool);
    double p[N_TESTS];
    find_p(&pool, q, seen.distance, p);
    free(pool.value);
    free(pool.in_a);
    ret->mean = (struct two_sample_figure){seen.mean[0], seen.mean[1], p[0], 1};
    ret->p95 = (struct two_sample_figure){seen.p95[0], seen.p95[1], p[1], 1};
    ret->shape_p = p[2];
    decide(ret, alpha, q->more_is_better);
    double error = sqrt(variance(a, n_a, seen.mean[0]) / (double)n_a +
                        variance(b, n_b, seen.mean[1]) / (double)n_b);
    ret->n_needed = ret->kind != VERDICT_INCONCLUSIVE
                        ? 0
                        : missing(ret, error, (double)(n_a < n_b ? n_a : n_b), alpha);
    put_words(ret, n_a, n_b, ret->text);
}
