#include "base/sketch.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/wire.h"

#include <assert.h>
#include <stdlib.h>

/*
 * The bytes, varints unless it says otherwise: 2 n, and nothing more when it is 0; with 1 added
 * when there are zeros, and then their number; minimum; maximum - minimum; sum - n * minimum. Then,
 * when there is a value that is not zero: the first bucket, if there are zeros (else it is the
 * minimum's); a form byte; and the counts of the buckets up to the maximum's. The form is DENSE, a
 * count a bucket, or SPARSE + gap order * ORDERS + count order: bits, highest first, of the count
 * of the first bucket and of the gap to and the count of each later one, all less 1. The last count
 * is what is left of n; zero bits fill the last byte.
 */
enum { DENSE = 0, SPARSE = 1, ORDERS = 11, DENSE_FROM = 4 };

/* --- Bits ------------------------------------------------------------------------------------- */

struct bit_writer {
    struct buf *out;
    uint64_t held; /* the low `n` bits wait for a whole byte */
    int n;
};

static void put_bits(struct bit_writer *w, uint64_t v, int n)
{
    w->held = w->held << n | v;
    for (w->n += n; w->n >= 8; w->n -= 8)
        buf_addc(w->out, (char)(w->held >> (w->n - 8)));
}

static int bit_length(uint64_t v)
{
    return v == 0 ? 0 : 64 - __builtin_clzll(v);
}

/* Exponential-Golomb of an order: v + 2^order, behind as many zeros as it has bits over order + 1.
 */
static int code_length(uint64_t v, int order)
{
    return 2 * bit_length(v + (UINT64_C(1) << order)) - 1 - order;
}

static void put_code(struct bit_writer *w, uint64_t v, int order)
{
    uint64_t code = v + (UINT64_C(1) << order);
    int length = bit_length(code);
    put_bits(w, 0, length - 1 - order);
    put_bits(w, code, length);
}

struct bit_reader {
    const uint8_t *at, *end;
    uint64_t held; /* the highest `n` bits come next */
    int n;
    bool bad;
};

static void fill(struct bit_reader *r)
{
    while (r->n <= 56 && r->at < r->end) {
        r->held |= (uint64_t)*r->at++ << (56 - r->n);
        r->n += 8;
    }
}

static uint64_t get_code(struct bit_reader *r, int order)
{
    fill(r);
    int zeros = r->held ? __builtin_clzll(r->held) : 64;
    int length = zeros + 1 + order;
    if (zeros + length > r->n || zeros >= 31) { /* no count is longer */
        r->bad = true;
        return 0;
    }
    r->held <<= zeros;
    uint64_t code = r->held >> (64 - length);
    r->held <<= length;
    r->n -= zeros + length;
    return code - (UINT64_C(1) << order);
}

/* Gives back the bytes that were not begun; what is left of the last one must be zeros. */
static bool end_bits(struct bit_reader *r)
{
    r->at -= r->n / 8;
    int left = r->n % 8;
    return left == 0 || r->held >> (64 - left) == 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* Bits that gaps and counts take in each order. */
struct cost {
    uint64_t gaps[ORDERS], counts[ORDERS];
};

static int cheapest(const uint64_t cost[ORDERS])
{
    int best = 0;
    for (int order = 1; order < ORDERS; order++)
        if (cost[order] < cost[best])
            best = order;
    return best;
}

static void choose_orders(const struct sketch *s, int low, int high, int *ret_gap, int *ret_count)
{
    struct cost cost = {0};
    for (int i = low, before = low; i <= high; i++) {
        uint64_t count = s->counts[i - s->first];
        if (count == 0)
            continue;
        for (int order = 0; order < ORDERS; order++) {
            if (i > low)
                cost.gaps[order] += (uint64_t)code_length((uint64_t)(i - before - 1), order);
            if (i < high)
                cost.counts[order] += (uint64_t)code_length(count - 1, order);
        }
        before = i;
    }
    *ret_gap = cheapest(cost.gaps);
    *ret_count = cheapest(cost.counts);
}

static void put_sparse(const struct sketch *s, int low, int high, struct buf *out)
{
    int gap_order, count_order;
    choose_orders(s, low, high, &gap_order, &count_order);
    buf_addc(out, (char)(SPARSE + gap_order * ORDERS + count_order));
    struct bit_writer w = {.out = out};
    for (int i = low, before = low; i <= high; i++) {
        uint64_t count = s->counts[i - s->first];
        if (count == 0)
            continue;
        if (i > low)
            put_code(&w, (uint64_t)(i - before - 1), gap_order);
        if (i < high)
            put_code(&w, count - 1, count_order);
        before = i;
    }
    if (w.n > 0)
        put_bits(&w, 0, 8 - w.n);
}

static void put_dense(const struct sketch *s, int low, int high, struct buf *out)
{
    buf_addc(out, DENSE);
    for (int i = low; i < high; i++)
        wire_put(out, s->counts[i - s->first]);
}

void sketch_pack(const struct sketch *s, struct buf *out)
{
    wire_put(out, 2 * s->n + (s->zeros > 0));
    if (s->n == 0)
        return;
    if (s->zeros > 0)
        wire_put(out, s->zeros);
    wire_put(out, (uint64_t)s->min_us);
    wire_put(out, (uint64_t)(s->max_us - s->min_us));
    wire_put(out, s->sum_us - s->n * (uint64_t)s->min_us);
    if (s->zeros == s->n)
        return;
    int low = s->first, high = s->first + s->n_buckets - 1; /* both are in use */
    while (s->counts[low - s->first] == 0)
        low++;
    while (s->counts[high - s->first] == 0)
        high--;
    if (s->zeros > 0)
        wire_put(out, (uint64_t)low);
    if (s->n - s->zeros >= (uint64_t)DENSE_FROM * (uint64_t)(high - low + 1))
        put_dense(s, low, high, out);
    else
        put_sparse(s, low, high, out);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The counts of the buckets are in `counts`, of which there are n; `left` values are in them. */
static bool get_dense(struct wire_reader *r, uint64_t *counts, int n, uint64_t left)
{
    for (int i = 0; i < n - 1; i++) {
        counts[i] = wire_get(r, left);
        left -= counts[i];
    }
    counts[n - 1] = left;
    return !r->bad && counts[0] > 0 && left > 0;
}

static bool get_sparse(struct wire_reader *r, int form, uint64_t *counts, int n, uint64_t left)
{
    int gap_order = (form - SPARSE) / ORDERS, count_order = (form - SPARSE) % ORDERS;
    struct bit_reader bits = {.at = r->at, .end = r->end};
    int i = 0;
    while (i < n - 1) {
        uint64_t count = get_code(&bits, count_order) + 1;
        uint64_t gap = get_code(&bits, gap_order) + 1;
        if (bits.bad || count >= left || gap > (uint64_t)(n - 1 - i))
            return false;
        counts[i] = count;
        left -= count;
        i += (int)gap;
    }
    counts[i] = left;
    bool ended = end_bits(&bits);
    r->at = bits.at;
    return ended && left > 0;
}

static bool get_buckets(struct wire_reader *r, struct sketch *s)
{
    int low = s->zeros > 0 ? (int)wire_get(r, SKETCH_BUCKETS - 1) : sketch_bucket(s->min_us);
    int high = sketch_bucket(s->max_us);
    int form = (int)wire_get(r, SPARSE + ORDERS * ORDERS - 1);
    if (r->bad || low < 0 || high < low)
        return false;
    s->first = low;
    s->n_buckets = high - low + 1;
    s->counts = mem_array((size_t)s->n_buckets, sizeof(*s->counts));
    uint64_t left = s->n - s->zeros;
    return form == DENSE ? get_dense(r, s->counts, s->n_buckets, left)
                         : get_sparse(r, form, s->counts, s->n_buckets, left);
}

static bool get_sketch(struct wire_reader *r, struct sketch *s)
{
    uint64_t head = wire_get(r, 2 * SKETCH_MAX_COUNT + 1);
    s->n = head / 2;
    if (s->n == 0)
        return !r->bad && head == 0;
    s->zeros = head % 2 ? wire_get(r, s->n) : 0;
    s->min_us = (int64_t)wire_get(r, (uint64_t)SKETCH_MAX_US);
    s->max_us = s->min_us + (int64_t)wire_get(r, (uint64_t)(SKETCH_MAX_US - s->min_us));
    uint64_t over = wire_get(r, s->n * (uint64_t)(s->max_us - s->min_us));
    s->sum_us = s->n * (uint64_t)s->min_us + over;
    if (r->bad || (s->zeros > 0) != (head % 2) || (s->zeros > 0) != (s->min_us == 0))
        return false;
    return s->zeros == s->n ? s->max_us == 0 : get_buckets(r, s);
}

bool sketch_unpack(const uint8_t **at, const uint8_t *end, struct sketch *ret)
{
    struct wire_reader r = {.at = *at, .end = end};
    struct sketch s = {0};
    if (!get_sketch(&r, &s)) {
        sketch_release(&s);
        return false;
    }
    *at = r.at;
    *ret = s;
    return true;
}
