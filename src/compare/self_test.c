#include "compare/self_test.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static void judge_round(const struct paired_block *blocks, size_t n, double confidence,
                        uint64_t seed, struct self_test_result *ret)
{
    struct verdict_pair pairs[N_REQUEST_METRICS];
    double shape = paired_shape(blocks, n, 0, seed);
    for (enum metric m = 0; m < N_REQUEST_METRICS; m++) {
        struct paired_question q = verdict_question(m, confidence, seed);
        pairs[m] = (struct verdict_pair){.metric = m, .b = 1, .name_a = "a", .name_b = "b"};
        paired_compare(blocks, n, &q, &pairs[m].answer);
    }
    verdict_judge_pairs(pairs, N_REQUEST_METRICS, &shape, 1, confidence);
    bool decided = false, wrong = false, significant = shape <= 1 - confidence;
    ret->shapes += significant;
    for (enum metric m = 0; m < N_REQUEST_METRICS; m++) {
        bool here = pairs[m].kind != VERDICT_INCONCLUSIVE;
        ret->by_metric[m] += here;
        decided |= here;
        wrong |= metric_is_time(m) && pairs[m].kind == VERDICT_WORSE;
        significant |= pairs[m].p_adjusted <= 1 - confidence;
    }
    ret->rounds++;
    ret->decided += decided;
    ret->wrong += wrong;
    ret->significant += significant;
}

void self_test_simulated(const struct day_model *m, unsigned rounds, double confidence,
                         uint64_t seed, struct self_test_result *ret)
{
    struct random random;
    random_seed(&random, seed);
    *ret = (struct self_test_result){0};
    for (unsigned i = 0; i < rounds; i++) {
        struct day day;
        day_simulate(m, &random, &day);
        judge_round(day.blocks, day.n_blocks, confidence, random_bits(&random), ret);
        day_release(&day);
    }
    ret->rate = interval_rate(ret->decided, rounds, confidence);
}

/* --- Stored data ------------------------------------------------------------------------------ */

/* How many of n coins fall on one side. */
static uint64_t half_of(uint64_t n, struct random *random)
{
    uint64_t heads = 0;
    for (; n >= 64; n -= 64)
        heads += (uint64_t)__builtin_popcountll(random_bits(random));
    return n == 0 ? heads : heads + (uint64_t)__builtin_popcountll(random_bits(random) >> (64 - n));
}

struct halves {
    struct sketch *a, *b;
    struct random *random;
};

static void add_many(struct sketch *s, int64_t us, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        sketch_add(s, us);
}

/* Both halves get the bucket's middle, so that their means differ by chance only. */
static void split_bucket(double low_us, double high_us, uint64_t count, void *arg)
{
    struct halves *h = arg;
    int64_t us = llround((low_us + high_us) / 2);
    uint64_t to_a = half_of(count, h->random);
    add_many(h->a, us, to_a);
    add_many(h->b, us, count - to_a);
}

static void split(const struct paired_side *from, struct sketch *a, struct sketch *b,
                  struct random *random, struct paired_block *ret)
{
    struct halves h = {a, b, random};
    if (from->times)
        sketch_each(from->times, split_bucket, &h);
    uint64_t good = half_of(from->good, random), bad = half_of(from->bad, random);
    ret->a = (struct paired_side){a, good, bad};
    ret->b = (struct paired_side){b, from->good - good, from->bad - bad};
}

void self_test_stored(const struct paired_side *blocks, size_t n, unsigned rounds,
                      double confidence, uint64_t seed, struct self_test_result *ret)
{
    struct random random;
    random_seed(&random, seed);
    *ret = (struct self_test_result){0};
    struct sketch *halves = mem_array(2 * n + 1, sizeof *halves);
    struct paired_block *split_blocks = mem_array(n + 1, sizeof *split_blocks);
    for (unsigned i = 0; i < rounds; i++) {
        for (size_t k = 0; k < n; k++)
            split(&blocks[k], &halves[2 * k], &halves[2 * k + 1], &random, &split_blocks[k]);
        judge_round(split_blocks, n, confidence, random_bits(&random), ret);
        for (size_t k = 0; k < 2 * n; k++)
            sketch_release(&halves[k]);
    }
    free(halves);
    free(split_blocks);
    ret->rate = interval_rate(ret->decided, rounds, confidence);
}
