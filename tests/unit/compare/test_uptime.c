#include "compare/uptime.h"

#include "statistics/reference.h"
#include "test.h"

#include <math.h>

enum { DAY_BLOCKS = 288, BLOCK_MS = 300000 };

static void without_a_failure_the_bound_is_r_s_exact_one(void)
{
    struct uptime_block block = {.up_ms = 1000};
    for (size_t i = 0; i < sizeof looks_reference / sizeof *looks_reference; i++) {
        uint64_t looks = (uint64_t)looks_reference[i].looks;
        struct uptime u = interval_uptime(&block, 1, looks, 0.95);
        CHECK(u.interval.bounded && u.interval.value == 1 && u.interval.high == 1);
        CHECK(fabs(u.interval.low - looks_reference[i].low) < 1e-12);
        CHECK(uptime_looks(looks_reference[i].share, 0.95) == looks);
    }
}

/* The published sizes: 99.9 % needs 2,995 looks without a failure, not one less. */
static void three_nines_are_supported_from_2995_looks(void)
{
    struct uptime_block block = {.up_ms = 1000};
    CHECK(interval_uptime(&block, 1, 2995, 0.95).interval.low >= 0.999);
    CHECK(interval_uptime(&block, 1, 2994, 0.95).interval.low < 0.999);
    CHECK(interval_uptime(&block, 1, 29956, 0.95).interval.low >= 0.9999);
    CHECK(interval_uptime(&block, 1, 29955, 0.95).interval.low < 0.9999);
}

static struct uptime day_with(int first_down, int n_down, int every)
{
    struct uptime_block blocks[DAY_BLOCKS] = {{0}};
    for (int i = 0; i < DAY_BLOCKS; i++) {
        int since = i - first_down;
        bool down = since >= 0 && since % every == 0 && since / every < n_down;
        blocks[i] = down ? (struct uptime_block){.down_ms = BLOCK_MS}
                         : (struct uptime_block){.up_ms = BLOCK_MS};
    }
    return interval_uptime(blocks, DAY_BLOCKS, 2880, 0.95);
}

/* One outage of 5 minutes in a day is one event, though ten probes saw it. */
static void one_outage_counts_as_one_event(void)
{
    struct uptime u = day_with(103, 1, 1);
    CHECK(fabs(u.interval.value - 287.0 / 288) < 1e-12 && u.interval.bounded);
    CHECK(u.worth > 200 && u.worth < 300);
    struct interval naive = interval_rate(2870, 2880, 0.95);
    CHECK(u.interval.low < naive.low && u.interval.low > 0.97 && u.interval.high > naive.high);
    CHECK(u.interval.high <= 1);
}

static void the_same_downtime_in_many_outages_is_known_better(void)
{
    struct uptime one = day_with(100, 12, 1), many = day_with(5, 12, 24);
    CHECK(one.interval.value == many.interval.value);
    CHECK(many.interval.low > one.interval.low && many.worth > one.worth);
    CHECK(many.worth <= 2880);
}

static void blind_time_moves_nothing_but_is_told(void)
{
    struct uptime_block blocks[DAY_BLOCKS] = {{0}};
    for (int i = 0; i < DAY_BLOCKS; i++)
        blocks[i].up_ms = BLOCK_MS;
    struct uptime whole = interval_uptime(blocks, DAY_BLOCKS, 2880, 0.95);
    blocks[7] = (struct uptime_block){.inconclusive_ms = BLOCK_MS};
    blocks[8] = (struct uptime_block){.inconclusive_ms = BLOCK_MS};
    struct uptime u = interval_uptime(blocks, DAY_BLOCKS, 2860, 0.95);
    CHECK(u.interval.value == 1 && u.interval.low < whole.interval.low);
    CHECK(u.inconclusive_ms == 2 * BLOCK_MS && u.best == 1);
    CHECK(fabs(u.worst - 286.0 / 288) < 1e-12 && whole.worst == 1);
}

static void what_was_never_seen_is_not_known(void)
{
    struct uptime_block blind = {.inconclusive_ms = 1000};
    struct uptime u = interval_uptime(&blind, 1, 0, 0.95);
    CHECK(!u.interval.known && !u.interval.bounded && u.worst == 0 && u.best == 1);
    CHECK(!interval_uptime(NULL, 0, 0, 0.95).interval.known);
}

static void what_was_never_up_is_bounded_from_above(void)
{
    struct uptime_block down = {.down_ms = 1000};
    struct uptime u = interval_uptime(&down, 1, 29, 0.95);
    CHECK(u.interval.value == 0 && u.interval.low == 0 &&
          fabs(u.interval.high - 0.098144627677296) < 1e-12);
}

static void some_downtime_in_a_few_blocks_has_no_bound(void)
{
    struct uptime_block blocks[] = {{1000, 0, 0}, {500, 500, 0}, {1000, 0, 0}};
    struct uptime u = interval_uptime(blocks, 3, 30, 0.95);
    CHECK(u.interval.known && !u.interval.bounded);
}

int main(void)
{
    without_a_failure_the_bound_is_r_s_exact_one();
    three_nines_are_supported_from_2995_looks();
    one_outage_counts_as_one_event();
    the_same_downtime_in_many_outages_is_known_better();
    blind_time_moves_nothing_but_is_told();
    what_was_never_seen_is_not_known();
    what_was_never_up_is_bounded_from_above();
    some_downtime_in_a_few_blocks_has_no_bound();
    return DONE();
}
