#include "base/buf.h"
#include "base/sketch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as a stored sketch: no crash, no leak; what is accepted has one writing only, its
 * quantiles grow and stay between the extremes, and it can be merged.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void count(double low_us, double high_us, uint64_t n, void *arg)
{
    uint64_t *total = arg;

    check(low_us <= high_us && n > 0); /* both are 0 for values below 1 us */
    *total += n;
}

static void check_quantiles(const struct sketch *s)
{
    static const double shares[] = {0, 0.01, 0.5, 0.9, 0.99, 1};
    double before = 0;

    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        double q = sketch_quantile(s, shares[i]);
        check(q >= before);
        check(q >= (double)s->min_us * (1 - SKETCH_ERROR));
        check(q <= (double)s->max_us * (1 + SKETCH_ERROR));
        before = q;
    }
    double mean = sketch_mean(s), rounding = 1e-9 * mean;
    check(mean + rounding >= (double)s->min_us && mean - rounding <= (double)s->max_us);
}

static void check_merge(const struct sketch *s)
{
    struct sketch sum = {0};
    uint64_t total = 0;

    check(sketch_merge(&sum, s));
    check(sketch_merge(&sum, s) == (2 * s->n <= SKETCH_MAX_COUNT));
    sketch_each(&sum, count, &total);
    check(sum.n == s->n || sum.n == 2 * s->n);
    check(total == sum.n);
    sketch_release(&sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sketch s = {0};
    struct buf again = BUF_INIT((size_t)1 << 20);
    struct err e = ERR_INIT;

    if (sketch_read(data, size, &s, &e) < 0) {
        check(e.kind == ERR_STORE && e.text[0] && s.counts == NULL && s.n == 0);
        return 0;
    }
    sketch_write(&s, &again);
    check(again.len == size && memcmp(again.data, data, size) == 0);
    buf_release(&again);
    check_quantiles(&s);
    check_merge(&s);
    sketch_release(&s);
    return 0;
}
