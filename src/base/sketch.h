#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Quantiles of many durations in little memory, with a proven error: DDSketch's rule (Masson, Rim,
 * Lee 2019, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees").
 *
 * Bucket i counts the values in (g^(i-1), g^i] microseconds, g = (1 + a) / (1 - a), a = 1 %. Its
 * middle 2 g^i / (g + 1) is within 1 % of everything in it, so every quantile is within 1 % of the
 * sample that has that rank. Minimum, maximum, count and sum are exact. Merging adds counts: it
 * loses nothing, and any order gives the same sketch.
 *
 * Range: 1 us .. 1 h; larger values count as 1 h, values below 1 us as zero. Memory: 8 bytes a
 * bucket between the smallest and the largest one in use, at most 8.7 KiB. A zeroed struct is an
 * empty sketch; sketch_release frees it, after which it is empty again. One thread.
 */
enum { SKETCH_BUCKETS = 1102 };
#define SKETCH_ERROR 0.01
#define SKETCH_MAX_US INT64_C(3600000000)
#define SKETCH_MAX_COUNT                                                                           \
    (UINT64_C(1) << 31) /* further samples are not taken: 68 years, one a second */

struct sketch {
    uint64_t *counts; /* of the buckets first .. first + n_buckets - 1 */
    int first, n_buckets;
    uint64_t zeros; /* values below 1 us */
    uint64_t n;     /* all values, zeros included */
    uint64_t sum_us;
    int64_t min_us, max_us; /* 0 when empty */
};

void sketch_release(struct sketch *s);
void sketch_add(struct sketch *s, int64_t us);
/* Adds all of `from`; false, and nothing changed, when that would go over SKETCH_MAX_COUNT. */
bool sketch_merge(struct sketch *s, const struct sketch *from);

/* The value of the rank-th smallest sample, 1 <= rank <= n, within 1 %. */
double sketch_at_rank(const struct sketch *s, uint64_t rank);
/* The exact value of that sample lies in [*ret_low, *ret_high]. */
void sketch_bounds_at_rank(const struct sketch *s, uint64_t rank, double *ret_low,
                           double *ret_high);
/* The smallest sample that at least the share q of all samples does not exceed (rank ceil(q n)),
 * within 1 %; 0 when empty. 0 <= q <= 1. */
double sketch_quantile(const struct sketch *s, double q);
double sketch_mean(const struct sketch *s); /* exact; 0 when empty */

/* Calls fn for each bucket in use, smallest first: `count` values in (low_us, high_us]. */
typedef void sketch_bucket_fn(double low_us, double high_us, uint64_t count, void *arg);
void sketch_each(const struct sketch *s, sketch_bucket_fn *fn, void *arg);

/* Compact, versioned bytes for the store: about two a bucket in use. */
void sketch_write(const struct sketch *s, struct buf *out);
/* Reads exactly `len` bytes. Anything that sketch_write could not have written is refused with
 * ERR_STORE, and *ret, which must be empty, stays so. */
int sketch_read(const void *data, size_t len, struct sketch *ret, struct err *e);

/* The bucket of a value, -1 below 1 us. 0 <= us <= SKETCH_MAX_US. */
int sketch_bucket(int64_t us);

/*
 * The same in fewer bytes and without a frame of its own, for records that hold several sketches:
 * about half a byte a bucket in use. Few values are kept as gaps and counts in exponential-Golomb
 * codes (Teuhola 1978, "A compression method for clustered bit-vectors"), many as a count a bucket,
 * which is quicker to read.
 */
void sketch_pack(const struct sketch *s, struct buf *out);
/* Reads what sketch_pack wrote from *at, never behind `end`, and moves *at behind it. *ret, which
 * must be empty, stays so when the result is false: the bytes make no sense. */
bool sketch_unpack(const uint8_t **at, const uint8_t *end, struct sketch *ret);
