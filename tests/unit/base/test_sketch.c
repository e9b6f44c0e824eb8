#include "base/sketch.h"

#include "base/buf.h"
#include "test.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { MANY = 20000 };

/* xorshift64* (Vigna 2016): the same values on every machine. */
static double uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* Spread evenly over nine decades: 1 us to almost 20 minutes. */
static int64_t wide_value(uint64_t *state)
{
    return (int64_t)pow(10, 9 * uniform(state));
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool same(const struct sketch *a, const struct sketch *b)
{
    struct buf x = BUF_INIT(1 << 16), y = BUF_INIT(1 << 16);
    sketch_write(a, &x);
    sketch_write(b, &y);
    bool equal = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    buf_release(&x);
    buf_release(&y);
    return equal && a->n == b->n;
}

static void every_quantile_is_within_one_percent_of_its_sample(void)
{
    static int64_t values[MANY];
    uint64_t state = 42;
    struct sketch s = {0};
    for (int i = 0; i < MANY; i++)
        sketch_add(&s, values[i] = wide_value(&state));
    qsort(values, MANY, sizeof *values, by_value);
    int outside = 0, unbounded = 0;
    for (uint64_t rank = 1; rank <= MANY; rank++) {
        double exact = (double)values[rank - 1], low, high;
        sketch_bounds_at_rank(&s, rank, &low, &high);
        outside += fabs(sketch_at_rank(&s, rank) - exact) > exact * (SKETCH_ERROR + 1e-9);
        unbounded += exact < low * (1 - 1e-9) || exact > high * (1 + 1e-9);
    }
    CHECK(outside == 0);
    CHECK(unbounded == 0);
    sketch_release(&s);
}

static void the_quantile_s_rank_is_not_moved_by_binary_fractions(void)
{
    struct sketch s = {0};
    for (int i = 1; i <= 20; i++)
        sketch_add(&s, INT64_C(1000000) * i);
    CHECK(fabs(sketch_quantile(&s, 0.95) - 19e6) <= 19e4);
    CHECK(fabs(sketch_quantile(&s, 0.5) - 10e6) <= 10e4);
    CHECK(sketch_quantile(&s, 0) == sketch_at_rank(&s, 1));
    CHECK(sketch_quantile(&s, 1) == sketch_at_rank(&s, 20));
    sketch_release(&s);
}

static void mean_and_extremes_are_exact(void)
{
    struct sketch s = {0};
    sketch_add(&s, 1001);
    sketch_add(&s, 17);
    sketch_add(&s, 999983);
    CHECK(s.n == 3 && s.min_us == 17 && s.max_us == 999983 && s.sum_us == 1001001);
    CHECK(sketch_mean(&s) == 333667);
    CHECK(sketch_at_rank(&s, 3) <= 999983 && sketch_at_rank(&s, 1) >= 17);
    sketch_release(&s);
}

static void values_out_of_range_count_at_its_ends(void)
{
    struct sketch s = {0};
    sketch_add(&s, INT64_MIN);
    sketch_add(&s, 0);
    sketch_add(&s, 1);
    sketch_add(&s, INT64_MAX);
    CHECK(s.zeros == 2 && s.n == 4);
    CHECK(sketch_at_rank(&s, 2) == 0);
    CHECK(fabs(sketch_at_rank(&s, 3) - 1) <= SKETCH_ERROR);
    CHECK(fabs(sketch_at_rank(&s, 4) / 3.6e9 - 1) <= SKETCH_ERROR);
    CHECK(s.n_buckets == SKETCH_BUCKETS);
    sketch_release(&s);
}

static void an_empty_sketch_answers_zero(void)
{
    struct sketch s = {0}, other = {0};
    CHECK(sketch_quantile(&s, 0.95) == 0 && sketch_mean(&s) == 0);
    CHECK(sketch_merge(&s, &other) && s.n == 0);
    sketch_release(&s);
}

static void merging_in_any_order_equals_adding_everything_once(void)
{
    struct sketch all = {0}, part[3] = {{0}}, ab_c = {0}, c_ba = {0};
    uint64_t state = 7;
    for (int i = 0; i < 3000; i++) {
        int64_t v = wide_value(&state);
        sketch_add(&all, v);
        sketch_add(&part[i % 3], v);
    }
    for (int i = 0; i < 3; i++) {
        sketch_merge(&ab_c, &part[i]);
        sketch_merge(&c_ba, &part[2 - i]);
    }
    CHECK(same(&ab_c, &all));
    CHECK(same(&c_ba, &all));
    sketch_release(&all);
    sketch_release(&ab_c);
    sketch_release(&c_ba);
    for (int i = 0; i < 3; i++)
        sketch_release(&part[i]);
}

/* --- Ten distributions ------------------------------------------------------------------------ */

static double exponential(uint64_t *state)
{
    return -log(1 - uniform(state));
}

/* Box & Muller 1958. */
static double normal(uint64_t *state)
{
    return sqrt(2 * exponential(state)) * cos(2 * M_PI * uniform(state));
}

static double log_normal(uint64_t *s)
{
    return 120e3 * exp(0.5 * normal(s));
}

static double two_humps(uint64_t *s)
{
    return (uniform(s) < 0.7 ? 80e3 : 900e3) + 5e3 * normal(s);
}

static double pareto(uint64_t *s) /* infinite variance; some above an hour are held to it */
{
    return 20e3 * pow(1 - uniform(s), -1 / 0.7);
}

static double constant(uint64_t *s)
{
    (void)s;
    return 123456;
}

static double with_zeros(uint64_t *s)
{
    return uniform(s) < 0.3 ? 0 : 40e3 * exp(normal(s));
}

static double evenly(uint64_t *s)
{
    return 1 + 1e6 * uniform(s);
}

static double waiting(uint64_t *s)
{
    return 250e3 * exponential(s);
}

static double gamma_three(uint64_t *s)
{
    return 50e3 * (exponential(s) + exponential(s) + exponential(s));
}

static double tiny(uint64_t *s)
{
    return 6 * uniform(s);
}

static double with_outliers(uint64_t *s)
{
    return uniform(s) < 0.002 ? 600e6 * (1 + uniform(s)) : 100e3 * exp(0.1 * normal(s));
}

static const struct {
    const char *name;
    double (*draw)(uint64_t *state);
} distributions[] = {
    {"log-normal", log_normal},       {"two humps", two_humps},   {"Pareto", pareto},
    {"constant", constant},           {"with zeros", with_zeros}, {"uniform", evenly},
    {"exponential", waiting},         {"gamma", gamma_three},     {"tiny values", tiny},
    {"with outliers", with_outliers},
};

enum { PARTS = 10000, ORDERS = 3 };

/* Ranks whose value in `s` is more than 1 % off the exact one; `sorted` holds all values. */
static int ranks_off(const struct sketch *s, const int64_t *sorted, uint64_t n)
{
    int off = s->n != n;
    for (uint64_t rank = 1; rank <= n; rank++) {
        double exact = (double)sorted[rank - 1];
        off += fabs(sketch_at_rank(s, rank) - exact) > exact * (SKETCH_ERROR + 1e-9);
    }
    for (int percent = 0; percent <= 100; percent++) {
        double rank = ceil(percent / 100.0 * (double)n - 1e-6);
        double exact = (double)sorted[rank < 1 ? 0 : (uint64_t)rank - 1];
        off += fabs(sketch_quantile(s, percent / 100.0) - exact) > exact * (SKETCH_ERROR + 1e-9);
    }
    return off;
}

static void shuffle(int *order, uint64_t *state)
{
    for (int i = PARTS - 1; i > 0; i--) {
        int k = (int)(uniform(state) * (i + 1)), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
}

/* All parts in one order: the same bytes as of everything added at once. */
static bool merges_to(const struct sketch *all, const struct sketch *parts, const int *order)
{
    struct sketch merged = {0};
    for (int i = 0; i < PARTS; i++)
        sketch_merge(&merged, &parts[order[i]]);
    bool equal = same(&merged, all);
    sketch_release(&merged);
    return equal;
}

static void ten_distributions_keep_one_percent_also_after_10000_merges(void)
{
    static int64_t values[MANY];
    static struct sketch parts[PARTS];
    static int order[PARTS];
    uint64_t state = 2025;
    for (int i = 0; i < PARTS; i++)
        order[i] = i;
    for (size_t d = 0; d < sizeof distributions / sizeof *distributions; d++) {
        struct sketch all = {0};
        for (int i = 0; i < MANY; i++) {
            double us = distributions[d].draw(&state);
            values[i] = us > (double)SKETCH_MAX_US ? SKETCH_MAX_US : (int64_t)us;
            sketch_add(&all, values[i]);
            sketch_add(&parts[i % PARTS], values[i]);
        }
        qsort(values, MANY, sizeof *values, by_value);
        int off = ranks_off(&all, values, MANY), different = 0;
        for (int turn = 0; turn < ORDERS; turn++) {
            shuffle(order, &state);
            different += !merges_to(&all, parts, order);
        }
        printf("# %s\n", distributions[d].name);
        CHECK(off == 0);
        CHECK(different == 0);
        for (int i = 0; i < PARTS; i++)
            sketch_release(&parts[i]);
        sketch_release(&all);
    }
}

static void a_merge_over_the_count_limit_is_refused(void)
{
    struct sketch full = {.zeros = SKETCH_MAX_COUNT, .n = SKETCH_MAX_COUNT}, one = {0};
    sketch_add(&one, 5);
    CHECK(!sketch_merge(&full, &one));
    CHECK(full.n == SKETCH_MAX_COUNT && full.n_buckets == 0 && full.max_us == 0);
    sketch_add(&full, 5);
    CHECK(full.n == SKETCH_MAX_COUNT);
    sketch_release(&one);
}

static void what_was_written_reads_back_the_same(void)
{
    struct sketch s = {0}, back = {0};
    struct err e = ERR_INIT;
    struct buf bytes = BUF_INIT(1 << 16);
    uint64_t state = 3;
    for (int i = 0; i < 5000; i++)
        sketch_add(&s, wide_value(&state) - 1);
    sketch_write(&s, &bytes);
    CHECK(!buf_over(&bytes) && bytes.len < 4096);
    CHECK(sketch_read(bytes.data, bytes.len, &back, &e) == 0);
    CHECK(same(&s, &back) && back.n == s.n && back.zeros == s.zeros);
    sketch_release(&back);
    sketch_release(&s);
    buf_clear(&bytes);
    sketch_write(&s, &bytes);
    CHECK(sketch_read(bytes.data, bytes.len, &back, &e) == 0 && back.n == 0);
    buf_release(&bytes);
}

static void damaged_bytes_are_refused(void)
{
    struct sketch s = {0}, back = {0};
    struct err e = ERR_INIT;
    struct buf bytes = BUF_INIT(1 << 16);
    for (int i = 1; i < 100; i++)
        sketch_add(&s, INT64_C(731) * i);
    sketch_write(&s, &bytes);
    int accepted = 0;
    for (size_t len = 0; len < bytes.len; len++)
        accepted += sketch_read(bytes.data, len, &back, &e) == 0;
    CHECK(accepted == 0 && back.counts == NULL);
    CHECK(e.kind == ERR_STORE);

    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x02\x00\x00\x00\x00", 5},                          /* a version not known */
        {"\x01\x00\x05\x05\x05\x52\x00", 7},                  /* a bucket with no sample */
        {"\x01\x00\x05\x05\x05\x00\x01", 7},                  /* a step of none */
        {"\x01\x00\x05\x05\x05\xff\xff\x03\x01", 9},          /* a bucket past the last */
        {"\x01\x00\x05\x05\x05\x52\x80\x00", 8},              /* a number written too long */
        {"\x01\x00\x09\x05\x05\x52\x01", 7},                  /* a sum that one 5 cannot have */
        {"\x01\x00\x00\x00\x00\x01\xff\xff\xff\xff\x7f", 11}, /* more samples than allowed */
        {"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11}, /* a number over 64 bits */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(sketch_read(bad[i].bytes, bad[i].len, &back, &e) == -1 && back.counts == NULL);
    CHECK(sketch_read("\x01\x00\x05\x05\x05\x52\x01", 7, &back, &e) == 0 && back.n == 1);
    sketch_release(&back);
    sketch_release(&s);
    buf_release(&bytes);
}

static void random_bytes_never_break_the_reader(void)
{
    uint64_t state = 99;
    struct err e = ERR_INIT;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[24] = {1};
        size_t len = 1 + (size_t)(uniform(&state) * 23);
        for (size_t i = 1; i < len; i++)
            bytes[i] = (uint8_t)(uniform(&state) * (round % 2 ? 256 : 8));
        struct sketch s = {0};
        if (sketch_read(bytes, len, &s, &e) == 0 && s.n > 0)
            (void)sketch_quantile(&s, 0.95);
        sketch_release(&s);
    }
    CHECK(true);
}

struct seen {
    uint64_t n;
    double last_high;
    bool ordered;
};

static void see(double low_us, double high_us, uint64_t count, void *arg)
{
    struct seen *seen = arg;
    seen->ordered &= low_us >= seen->last_high * (1 - 1e-9) && high_us >= low_us;
    seen->last_high = high_us;
    seen->n += count;
}

static void the_buckets_in_use_are_told_in_order(void)
{
    struct sketch s = {0};
    uint64_t state = 5;
    for (int i = 0; i < 1000; i++)
        sketch_add(&s, wide_value(&state) - 1);
    struct seen seen = {.ordered = true};
    sketch_each(&s, see, &seen);
    CHECK(seen.n == 1000 && seen.ordered);
    sketch_release(&s);
}

int main(void)
{
    every_quantile_is_within_one_percent_of_its_sample();
    the_quantile_s_rank_is_not_moved_by_binary_fractions();
    mean_and_extremes_are_exact();
    values_out_of_range_count_at_its_ends();
    an_empty_sketch_answers_zero();
    merging_in_any_order_equals_adding_everything_once();
    ten_distributions_keep_one_percent_also_after_10000_merges();
    a_merge_over_the_count_limit_is_refused();
    what_was_written_reads_back_the_same();
    damaged_bytes_are_refused();
    random_bytes_never_break_the_reader();
    the_buckets_in_use_are_told_in_order();
    return DONE();
}
