#include "base/sketch.h"

#include "base/buf.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAMMA ((1.0 + SKETCH_ERROR) / (1.0 - SKETCH_ERROR))
#define ZERO_BUCKET (-1)

enum { WIRE_VERSION = 1, VARINT_MAX_BYTES = 10 };

static double bucket_high(int i)
{
    return pow(GAMMA, i);
}

int sketch_bucket(int64_t us)
{
    if (us < 1)
        return ZERO_BUCKET;
    int i = (int)ceil(log((double)us) / log(GAMMA));
    assert(i >= 0 && i < SKETCH_BUCKETS);
    return i;
}

void sketch_release(struct sketch *s)
{
    free(s->counts);
    *s = (struct sketch){0};
}

/* Makes first .. first + n_buckets - 1 cover `low` .. `high`; counts stay where they belong. */
static void cover(struct sketch *s, int low, int high)
{
    int last = s->first + s->n_buckets - 1;
    if (s->n_buckets != 0 && low >= s->first && high <= last)
        return;
    if (s->n_buckets != 0) {
        low = low < s->first ? low : s->first;
        high = high > last ? high : last;
    }
    int n_buckets = high - low + 1;
    uint64_t *counts = mem_array((size_t)n_buckets, sizeof *counts);
    if (s->n_buckets != 0)
        memcpy(counts + (s->first - low), s->counts, (size_t)s->n_buckets * sizeof *counts);
    free(s->counts);
    s->counts = counts;
    s->first = low;
    s->n_buckets = n_buckets;
}

static void take_extremes(struct sketch *s, int64_t min_us, int64_t max_us)
{
    if (s->n == 0 || min_us < s->min_us)
        s->min_us = min_us;
    if (s->n == 0 || max_us > s->max_us)
        s->max_us = max_us;
}

void sketch_add(struct sketch *s, int64_t us)
{
    if (s->n >= SKETCH_MAX_COUNT)
        return;
    us = us < 0 ? 0 : us > SKETCH_MAX_US ? SKETCH_MAX_US : us;
    int i = sketch_bucket(us);
    if (i == ZERO_BUCKET) {
        s->zeros++;
    } else {
        cover(s, i, i);
        s->counts[i - s->first]++;
    }
    take_extremes(s, us, us);
    s->sum_us += (uint64_t)us;
    s->n++;
}

bool sketch_merge(struct sketch *s, const struct sketch *from)
{
    if (from->n == 0)
        return true;
    if (from->n > SKETCH_MAX_COUNT - s->n)
        return false;
    if (from->n_buckets != 0)
        cover(s, from->first, from->first + from->n_buckets - 1);
    for (int i = 0; i < from->n_buckets; i++)
        s->counts[from->first - s->first + i] += from->counts[i];
    take_extremes(s, from->min_us, from->max_us);
    s->zeros += from->zeros;
    s->sum_us += from->sum_us;
    s->n += from->n;
    return true;
}

static int bucket_at_rank(const struct sketch *s, uint64_t rank)
{
    assert(rank >= 1 && rank <= s->n);
    uint64_t seen = s->zeros;
    if (rank <= seen)
        return ZERO_BUCKET;
    int i = 0;
    while (i < s->n_buckets - 1 && rank > seen + s->counts[i])
        seen += s->counts[i++];
    return s->first + i;
}

/* The exact extremes are better bounds than their buckets' edges. */
static double within_extremes(const struct sketch *s, double us)
{
    return fmin(fmax(us, (double)s->min_us), (double)s->max_us);
}

double sketch_at_rank(const struct sketch *s, uint64_t rank)
{
    int i = bucket_at_rank(s, rank);
    return i == ZERO_BUCKET ? 0 : within_extremes(s, 2 * bucket_high(i) / (GAMMA + 1));
}

void sketch_bounds_at_rank(const struct sketch *s, uint64_t rank, double *ret_low, double *ret_high)
{
    int i = bucket_at_rank(s, rank);
    *ret_low = i == ZERO_BUCKET ? 0 : within_extremes(s, bucket_high(i - 1));
    *ret_high = i == ZERO_BUCKET ? 0 : within_extremes(s, bucket_high(i));
}

double sketch_quantile(const struct sketch *s, double q)
{
    assert(q >= 0 && q <= 1);
    if (s->n == 0)
        return 0;
    /* 0.95 * 20 is a little over 19 in binary; the tolerance keeps that rank 19. */
    double rank = ceil(q * (double)s->n - 1e-9 * (double)s->n);
    return sketch_at_rank(s, rank < 1 ? 1 : (uint64_t)rank);
}

double sketch_mean(const struct sketch *s)
{
    return s->n == 0 ? 0 : (double)s->sum_us / (double)s->n;
}

void sketch_each(const struct sketch *s, sketch_bucket_fn *fn, void *arg)
{
    if (s->zeros != 0)
        fn(0, 0, s->zeros, arg);
    for (int i = 0; i < s->n_buckets; i++)
        if (s->counts[i] != 0)
            fn(bucket_high(s->first + i - 1), bucket_high(s->first + i), s->counts[i], arg);
}

/*
 * The bytes: version, then varints (7 bits a byte, lowest first, high bit = more follows): zeros,
 * sum, min, max, and for each bucket in use its distance from the one before and its count.
 */
static void put(struct buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_addc(out, (char)(0x80 | (v & 0x7f)));
    buf_addc(out, (char)v);
}

void sketch_write(const struct sketch *s, struct buf *out)
{
    buf_addc(out, WIRE_VERSION);
    put(out, s->zeros);
    put(out, s->sum_us);
    put(out, (uint64_t)s->min_us);
    put(out, (uint64_t)s->max_us);
    int previous = -1;
    for (int i = 0; i < s->n_buckets; i++) {
        if (s->counts[i] == 0)
            continue;
        put(out, (uint64_t)(s->first + i - previous));
        put(out, s->counts[i]);
        previous = s->first + i;
    }
}

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

/* One varint of at most `max`; marks the reader bad, and gives 0, otherwise. */
static uint64_t get(struct reader *r, uint64_t max)
{
    uint64_t v = 0;
    for (int i = 0; i < VARINT_MAX_BYTES && r->at < r->end; i++) {
        uint8_t byte = *r->at++;
        if (i == VARINT_MAX_BYTES - 1 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            r->bad |= v > max || (byte == 0 && i > 0); /* one number, one writing */
            return r->bad ? 0 : v;
        }
    }
    r->bad = true;
    return 0;
}

static void read_buckets(struct reader *r, struct sketch *s)
{
    int i = -1;
    while (!r->bad && r->at < r->end) {
        uint64_t step = get(r, (uint64_t)(SKETCH_BUCKETS - 1 - i));
        uint64_t count = get(r, SKETCH_MAX_COUNT - s->n);
        if (step == 0 || count == 0) {
            r->bad = true;
            return;
        }
        i += (int)step;
        cover(s, i, i);
        s->counts[i - s->first] = count;
        s->n += count;
    }
}

/* Extremes and sum must be such as these counts can have. */
static bool consistent(const struct sketch *s)
{
    if (s->n == 0)
        return s->sum_us == 0 && s->min_us == 0 && s->max_us == 0;
    int lowest = s->zeros != 0 ? ZERO_BUCKET : s->first;
    int highest = s->n_buckets != 0 ? s->first + s->n_buckets - 1 : ZERO_BUCKET;
    return s->min_us <= s->max_us && sketch_bucket(s->min_us) == lowest &&
           sketch_bucket(s->max_us) == highest && s->sum_us >= s->n * (uint64_t)s->min_us &&
           s->sum_us <= s->n * (uint64_t)s->max_us;
}

int sketch_read(const void *data, size_t len, struct sketch *ret, struct err *e)
{
    const uint8_t *bytes = data;
    if (len == 0 || bytes[0] != WIRE_VERSION)
        return err_set(e, ERR_STORE, "sketch: %s; it was written by another version of trine",
                       len == 0 ? "no bytes" : "unknown version");
    struct reader r = {.at = bytes + 1, .end = bytes + len};
    struct sketch s = {0};
    s.zeros = s.n = get(&r, SKETCH_MAX_COUNT);
    s.sum_us = get(&r, SKETCH_MAX_COUNT * (uint64_t)SKETCH_MAX_US);
    s.min_us = (int64_t)get(&r, (uint64_t)SKETCH_MAX_US);
    s.max_us = (int64_t)get(&r, (uint64_t)SKETCH_MAX_US);
    read_buckets(&r, &s);
    if (r.bad || !consistent(&s)) {
        sketch_release(&s);
        return err_set(e, ERR_STORE, "sketch: damaged (%zu bytes); its time span is lost", len);
    }
    *ret = s;
    return 0;
}
