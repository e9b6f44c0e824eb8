#include "base/buf.h"
#include "store/cell.h"

#include <stdlib.h>
#include <string.h>

/*
 * Any bytes as a stored cell, and so as three packed sketches: no crash, no leak; what is accepted
 * is the same after being written and read again, its quantiles lie between its extremes, and it
 * can be merged.
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
    check(low_us <= high_us && n > 0);
    *total += n;
}

static void check_sketch(const struct sketch *s)
{
    uint64_t total = 0;
    sketch_each(s, count, &total);
    check(total == s->n);
    if (s->n == 0)
        return;
    double p95 = sketch_quantile(s, 0.95), mean = sketch_mean(s);
    check(p95 >= (double)s->min_us && p95 <= (double)s->max_us);
    check(mean * (1 + 1e-9) >= (double)s->min_us && mean * (1 - 1e-9) <= (double)s->max_us);
}

static void check_rewrite(const struct history_cell *c)
{
    struct buf once = BUF_INIT(CELL_MAX_BYTES), twice = BUF_INIT(CELL_MAX_BYTES);
    struct history_cell back = {0};
    struct err e = ERR_INIT;
    cell_encode(c, &once);
    check(!buf_over(&once) && cell_decode(once.data, once.len, &back, &e) == 0);
    cell_encode(&back, &twice);
    check(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    buf_release(&once);
    buf_release(&twice);
    history_cell_release(&back);
}

static void check_merge(const struct history_cell *c)
{
    struct history_cell sum = {0};
    check(history_cell_merge(&sum, c));
    bool fits = 2 * c->times[0].n <= SKETCH_MAX_COUNT && 2 * c->times[1].n <= SKETCH_MAX_COUNT &&
                2 * c->lateness.n <= SKETCH_MAX_COUNT;
    check(history_cell_merge(&sum, c) == fits);
    history_cell_release(&sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct history_cell c = {0};
    struct err e = ERR_INIT;
    if (cell_decode(data, size, &c, &e) < 0) {
        check(e.kind == ERR_STORE && e.text[0] && !c.times[0].counts && c.lateness.n == 0);
        return 0;
    }
    check_sketch(&c.times[0]);
    check_sketch(&c.times[1]);
    check_sketch(&c.lateness);
    check_rewrite(&c);
    check_merge(&c);
    history_cell_release(&c);
    return 0;
}
