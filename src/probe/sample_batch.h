#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct loop;
struct sample;
struct store;

/*
 * Collects samples and writes them to the store together, because each write waits for the disk: a
 * second after the first one, or when 256 are there. When the store refuses (a full disk), they are
 * kept and tried again every second; beyond 65,536 the newest are dropped and counted.
 *
 * Life cycle: sample_batch_new, sample_batch_add, sample_batch_flush at the end, sample_batch_free.
 * One thread, the loop's. Borrows the loop and the store.
 */
struct sample_batch;
enum { SAMPLE_BATCH_SIZE = 256, SAMPLE_BATCH_MS = 1000, SAMPLE_BATCH_MAX = 65536 };

/* Told of each failed write that nobody waits for; the samples are kept. */
typedef void sample_batch_fn(const struct err *e, void *arg);

struct sample_batch *sample_batch_new(struct loop *loop, struct store *store,
                                      sample_batch_fn *failed, void *arg);
void sample_batch_add(struct sample_batch *b, const struct sample *v); /* copies */
int sample_batch_flush(struct sample_batch *b, struct err *e);         /* -1: they are kept */
uint64_t sample_batch_dropped(const struct sample_batch *b);
void sample_batch_free(struct sample_batch *b); /* does not flush; NULL is fine */
