#include "compare/two_sample.h"

#include "statistics/reference.h"
#include "test.h"

#include <math.h>

static const struct two_sample_question ordinary = {.seed = 1};

static void small_samples_get_r_s_exact_p(void)
{
    for (size_t i = 0; i < sizeof two_sample_reference / sizeof *two_sample_reference; i++) {
        struct two_sample_verdict v;
        two_sample_judge(two_sample_reference[i].a, (size_t)two_sample_reference[i].n_a,
                         two_sample_reference[i].b, (size_t)two_sample_reference[i].n_b, &ordinary,
                         &v);
        CHECK(fabs(v.mean.p - two_sample_reference[i].mean_p) < 1e-12);
        CHECK(fabs(v.p95.p - two_sample_reference[i].p95_p) < 1e-12);
        CHECK(fabs(v.shape_p - two_sample_reference[i].energy_p) < 1e-12);
    }
}

/* Three samples that users of a canary judge published because it passed them: the figures of
 * github.com/spinnaker/spinnaker#6278 (comment of 2021-07-12), spinnaker/kayenta#780 (case 1; the
 * thread names the side with two humps "control") and spinnaker/kayenta#426. */
static const double jump_canary[] = {100, 100, 100, 100, 100, 100, 100, 1, 1, 1};
static const double jump_control[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const double two_humps[] = {1, 100, 4, 101, 5, 102, 6, 103, 7, 104, 8, 105, 9, 106, 17};
static const double one_hump[] = {10,   10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 17,
                                  17.1, 17.2, 17.3, 17.4, 17.5, 17.6, 17.7};
static const double sparse_canary[] = {0, 1, 2, 1, 0, 0};
static const double sparse_control[] = {0, 0, 0, 0, 0, 0};

static void a_jump_in_seven_of_ten_is_worse(void)
{
    struct two_sample_verdict v;
    two_sample_judge(jump_canary, 10, jump_control, 10, &ordinary, &v);
    CHECK(v.kind == VERDICT_WORSE && v.n_needed == 0);
    CHECK(fabs(v.mean.p - 0.0031) < 0.0015 && fabs(v.shape_p - 0.0031) < 0.0015);
    CHECK(strstr(v.text, "A is worse: mean 70.3 against 1") == v.text);
    two_sample_judge(jump_control, 10, jump_canary, 10, &ordinary, &v);
    CHECK(v.kind == VERDICT_BETTER);
}

/* A rank test sees nothing here (p = 1.00). */
static void a_split_into_two_humps_is_worse_by_its_p95(void)
{
    struct two_sample_verdict v;
    two_sample_judge(two_humps, 15, one_hump, 15, &ordinary, &v);
    CHECK(v.kind == VERDICT_WORSE && v.p95.a == 106 && v.p95.b == 17.7);
    CHECK(v.p95.p_adjusted <= 0.05 && fabs(v.p95.p - 0.0063) < 0.002);
    CHECK(v.shape_p_adjusted <= 0.05 && v.shape_p < 0.006);
}

static void six_sparse_values_are_inconclusive_with_what_is_missing(void)
{
    struct two_sample_verdict v;
    two_sample_judge(sparse_canary, 6, sparse_control, 6, &ordinary, &v);
    CHECK(v.kind == VERDICT_INCONCLUSIVE && fabs(v.mean.p - 2.0 / 11) < 1e-9);
    CHECK(v.n_needed == 10);
    CHECK(strstr(v.text, "neither better nor worse yet") && strstr(v.text, "About 10 more values"));
    double canary[18], control[18] = {0};
    for (int i = 0; i < 18; i++)
        canary[i] = sparse_canary[i % 6];
    two_sample_judge(canary, 18, control, 18, &ordinary, &v);
    CHECK(v.kind == VERDICT_WORSE);
}

static void more_may_be_better(void)
{
    struct two_sample_question q = {.seed = 1, .more_is_better = true};
    struct two_sample_verdict v;
    two_sample_judge(jump_canary, 10, jump_control, 10, &q, &v);
    CHECK(v.kind == VERDICT_BETTER);
}

static void the_same_values_differ_in_nothing(void)
{
    struct two_sample_verdict v;
    two_sample_judge(one_hump, 15, one_hump, 15, &ordinary, &v);
    CHECK(v.kind == VERDICT_INCONCLUSIVE && v.mean.p == 1 && v.shape_p == 1 && v.n_needed == -1);
    two_sample_judge(jump_control, 10, jump_control, 1, &ordinary, &v);
    CHECK(v.kind == VERDICT_INCONCLUSIVE && v.p95.p == 1);
}

static void an_empty_side_is_inconclusive(void)
{
    struct two_sample_verdict v;
    two_sample_judge(NULL, 0, one_hump, 15, &ordinary, &v);
    CHECK(v.kind == VERDICT_INCONCLUSIVE && strstr(v.text, "A has no values"));
    two_sample_judge(one_hump, 15, NULL, 0, &ordinary, &v);
    CHECK(v.kind == VERDICT_INCONCLUSIVE && strstr(v.text, "B has no values"));
}

int main(void)
{
    small_samples_get_r_s_exact_p();
    a_jump_in_seven_of_ten_is_worse();
    a_split_into_two_humps_is_worse_by_its_p95();
    six_sparse_values_are_inconclusive_with_what_is_missing();
    more_may_be_better();
    the_same_values_differ_in_nothing();
    an_empty_side_is_inconclusive();
    return DONE();
}
