#pragma once

#include "store/store.h"

struct buf;

/*
 * Samples as bytes: columns, each as the difference from what the sample before or the phase before
 * lets expect, and those that hardly change as runs. About 14 bytes a sample of HTTPS with all its
 * phases when a few hundred are together.
 *
 * The bytes: version 1; the number of samples; for each column a byte (0: one number a sample, 1:
 * runs of number and length) and its numbers; FNV-1a (32 bits, low byte first) of all before. They
 * are kept by series, then time, then as they were given.
 */
enum { BATCH_MAX = 4096, BATCH_MAX_BYTES = 128 * BATCH_MAX };

/* What can be kept: numbers of series, and a bound of times far beyond any clock. */
#define BATCH_SERIES_MAX ((INT64_C(1) << 24) - 1)
#define BATCH_TIME_MAX (INT64_C(1) << 56)

/* ERR_BUG names the member that cannot be kept. */
int batch_check(const struct sample *v, struct err *e);

/* By series, then time. */
void batch_sort(struct sample *samples, size_t n);

/* Appends n samples (1 .. BATCH_MAX), all of which passed batch_check; sorts them by series and
 * time. `out` needs room for BATCH_MAX_BYTES. */
void batch_encode(struct sample *samples, size_t n, struct buf *out);

/* `ret` holds BATCH_MAX; returns how many there are, or -1 when the bytes are not such as
 * batch_encode writes. */
int batch_decode(const void *data, size_t len, struct sample *ret);

/* The checksum of the bytes, for tests that damage the rest. */
uint32_t batch_checksum(const void *data, size_t len);
