#include "probe/sample_batch.h"

#include "base/mem.h"
#include "net/loop.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdlib.h>

struct sample_batch {
    struct store *store;
    struct timer *timer;
    sample_batch_fn *failed;
    void *arg;
    struct sample *samples;
    size_t n, cap;
    uint64_t dropped;
    bool waiting; /* the timer runs */
};

static void wait_a_while(struct sample_batch *b)
{
    b->waiting = true;
    timer_start(b->timer, SAMPLE_BATCH_MS);
}

int sample_batch_flush(struct sample_batch *b, struct err *e)
{
    if (sample_add(b->store, b->samples, b->n, e) < 0)
        return -1;
    b->n = 0;
    b->waiting = false;
    timer_stop(b->timer);
    return 0;
}

static void flush_or_tell(struct sample_batch *b)
{
    struct err e = ERR_INIT;
    if (sample_batch_flush(b, &e) == 0)
        return;
    wait_a_while(b);
    b->failed(&e, b->arg);
}

static void time_came(void *arg)
{
    flush_or_tell(arg);
}

struct sample_batch *sample_batch_new(struct loop *loop, struct store *store,
                                      sample_batch_fn *failed, void *arg)
{
    struct sample_batch *b = mem_alloc(sizeof(*b));
    *b = (struct sample_batch){.store = store, .failed = failed, .arg = arg};
    b->timer = timer_new(loop, time_came, b);
    return b;
}

void sample_batch_add(struct sample_batch *b, const struct sample *v)
{
    if (b->n == SAMPLE_BATCH_MAX) {
        b->dropped++;
        return;
    }
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : SAMPLE_BATCH_SIZE;
        b->samples = mem_grow(b->samples, b->cap, sizeof(*b->samples));
    }
    b->samples[b->n++] = *v;
    /* Exactly then: while the store refuses, only the timer tries again. */
    if (b->n == SAMPLE_BATCH_SIZE)
        flush_or_tell(b);
    else if (!b->waiting)
        wait_a_while(b);
}

uint64_t sample_batch_dropped(const struct sample_batch *b)
{
    return b->dropped;
}

void sample_batch_free(struct sample_batch *b)
{
    if (!b)
        return;
    timer_free(b->timer);
    free(b->samples);
    free(b);
}
