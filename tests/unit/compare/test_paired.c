#include "compare/paired.h"

#include "test.h"

#include <math.h>

enum { BLOCKS = 24 };

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

static struct paired_question mean_question(void)
{
    return (struct paired_question){.what = STATISTIC_MEAN, .confidence = 0.95, .seed = 1};
}

/* Six blocks of one request a side, A always 10 ms slower: of the 64 assignments only two, all and
 * none swapped, are as far apart. */
static void few_blocks_are_swapped_in_every_way(void)
{
    struct sketch a[6] = {0}, b[6] = {0};
    struct paired_block blocks[6] = {0};
    for (int i = 0; i < 6; i++) {
        sketch_add(&a[i], 110000 + 1000 * i);
        sketch_add(&b[i], 100000 + 1000 * i);
        blocks[i].a.times = &a[i];
        blocks[i].b.times = &b[i];
    }
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(blocks, 6, &q, &answer);
    CHECK(answer.known && near(answer.p, 2.0 / 64) && near(answer.p, paired_least_p(6)));
    CHECK(near(answer.difference.value, 10000) && answer.blocks == 6 && answer.n_a == 6);
    CHECK(answer.difference.bounded && near(answer.difference.low, 10000));
    paired_compare(blocks, 5, &q, &answer);
    CHECK(near(answer.p, 2.0 / 32) && !answer.difference.bounded);
    for (int i = 0; i < 6; i++) {
        sketch_release(&a[i]);
        sketch_release(&b[i]);
    }
}

static void nothing_in_common_is_not_known(void)
{
    struct sketch one = {0};
    sketch_add(&one, 1000);
    struct paired_block blocks[] = {{.a.times = &one}, {.b.times = &one}, {{0}, {0}}};
    struct paired_question q = mean_question();
    struct paired_answer answer;
    paired_compare(blocks, 3, &q, &answer);
    CHECK(!answer.known && answer.p == 1 && answer.blocks == 0);
    CHECK(paired_shape(blocks, 3, 0, 1) == 1);
    paired_compare(NULL, 0, &q, &answer);
    CHECK(!answer.known);
    sketch_release(&one);
}

int main(void)
{
    few_blocks_are_swapped_in_every_way();
    nothing_in_common_is_not_known();
    return DONE();
}
