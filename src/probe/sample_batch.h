#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct fault;
struct loop;
struct sample;

/*
 * Writes samples to the store, and keeps its history: all on libuv's pool and with a store handle
 * of its own, so that the loop never waits for the disk.
 *
 * Samples are written together: a second after the first one, or when 256 are there. When the store
 * refuses (a full disk), they are kept and tried again every second; beyond 65,536 the newest are
 * dropped and counted. When keep_samples_ms says so: at the start, and then soon after each full
 * ten minutes of the wall clock while samples come, what was written is rolled up (history_roll)
 * and what is old is dropped (history_prune), in pieces between the writes.
 *
 * What may be lost: by a kill -9 the samples that were not written yet, a second of them; by a
 * power cut also the last writes, as the handle does not wait for the disk (store_relax). The file
 * stays whole. Two processes may do all this at once; each sample is rolled up once.
 *
 * Life cycle: sample_batch_new, sample_batch_add, sample_batch_flush at the end, sample_batch_free.
 * All calls and callbacks on the loop's thread. Borrows the loop.
 */
struct sample_batch;
enum { SAMPLE_BATCH_SIZE = 256, SAMPLE_BATCH_MS = 1000, SAMPLE_BATCH_MAX = 65536 };

/* Neither may free the batch. Told of each failed write, roll or prune that nobody waits for;
 * samples are kept. */
typedef void sample_batch_fn(const struct err *e, void *arg);
/* Told when all that was there is rolled up and pruned: figures of longer windows have moved. */
typedef void sample_batch_rolled_fn(int64_t at_ms, void *arg);

struct sample_batch_options {
    const char *dir;         /* the store's folder; opened by the first write, or the next one */
    int64_t keep_samples_ms; /* raw samples; 0 = somebody else rolls up and prunes */
    int64_t keep_cells_ms;   /* 0 = 5 years; see history_prune */
    sample_batch_fn *failed;
    sample_batch_rolled_fn *rolled; /* NULL is fine */
    void (*recovered)(void *arg);   /* all that a failed write had kept is written; NULL is fine */
    void *arg;
    struct fault *fault; /* tests; used on the pool's thread while something is under way */
};

struct sample_batch *sample_batch_new(struct loop *loop, const struct sample_batch_options *o);
void sample_batch_add(struct sample_batch *b, const struct sample *v); /* copies */
/* Writes all there is, and waits for it and for what is under way. -1: they are kept. */
int sample_batch_flush(struct sample_batch *b, struct err *e);
/* Other times to keep than those of the options, from the next roll on. */
void sample_batch_keep(struct sample_batch *b, int64_t samples_ms, int64_t cells_ms);
uint64_t sample_batch_dropped(const struct sample_batch *b);
/* Does not flush; NULL is fine. What is under way ends by itself while the loop runs or is freed.
 */
void sample_batch_free(struct sample_batch *b);
