#include "probe/sample_batch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/history.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRETCH_MS = 600000, /* how often samples are rolled up */
    SETTLE_MS = 20000,   /* and how long after the stretch, so that its last answers are there */
    ROLL_SAMPLES = 8192, /* a piece */
};
#define DAY_MS INT64_C(86400000)
#define KEEP_CELLS_MS (1826 * DAY_MS)

struct samples {
    struct sample *items;
    size_t n, cap;
};

/* What the pool does. Rolling and pruning take turns with writing. */
enum job { JOB_WRITE, JOB_ROLL, JOB_PRUNE };

struct sample_batch {
    struct loop *loop;
    struct sample_batch_options options;
    char *dir;
    struct store *store; /* the pool's while it works; NULL until it could be opened */
    struct timer *timer;
    struct samples filling;
    uint64_t dropped;
    bool waiting; /* the timer runs */
    bool due;     /* it came */
    bool refused; /* the last write failed: only the timer tries again */
    bool failing; /* the last write failed, whatever was tried since */
    bool freed;

    bool tidying;         /* between the first roll and the last prune */
    enum job tidy;        /* the next of them */
    int64_t tidied_block; /* the ten minutes in which the last one began */

    /* The job under way. */
    bool busy;    /* until its end came to the loop */
    bool settled; /* a flush has waited for it and taken its result */
    uv_mutex_t lock;
    uv_cond_t changed;
    bool worked; /* under the lock: the pool is done with it */
    enum job job;
    struct samples writing;
    int64_t now_ms, keep_samples_ms, keep_cells_ms;
    int result;
    bool more;
    struct err err;
};

/* --- On the pool ------------------------------------------------------------------------------ */

static int open_store(struct sample_batch *b, struct err *e)
{
    struct store *store;
    if (b->store)
        return 0;
    if (store_open(b->dir, loop_clock(b->loop), b->options.fault, &store, e) < 0)
        return -1;
    if (store_relax(store, e) < 0) {
        store_close(store);
        return -1;
    }
    b->store = store;
    return 0;
}

static int do_job(struct sample_batch *b, struct err *e)
{
    if (open_store(b, e) < 0)
        return -1;
    switch (b->job) {
    case JOB_WRITE:
        return sample_add(b->store, b->writing.items, b->writing.n, e);
    case JOB_ROLL:
        return history_roll(b->store, ROLL_SAMPLES, &b->more, e);
    case JOB_PRUNE:
        return history_prune(b->store, b->now_ms, b->keep_samples_ms, b->keep_cells_ms, &b->more,
                             e);
    }
    return -1;
}

static void work(void *arg)
{
    struct sample_batch *b = arg;
    b->more = false;
    b->result = do_job(b, &b->err);
    uv_mutex_lock(&b->lock);
    b->worked = true;
    uv_cond_signal(&b->changed);
    uv_mutex_unlock(&b->lock);
}

/* --- On the loop ------------------------------------------------------------------------------ */

static void next(struct sample_batch *b);

static void release(struct sample_batch *b)
{
    store_close(b->store);
    uv_cond_destroy(&b->changed);
    uv_mutex_destroy(&b->lock);
    free(b->dir);
    free(b->filling.items);
    free(b->writing.items);
    free(b);
}

static void reserve(struct samples *s, size_t n)
{
    if (n <= s->cap)
        return;
    while (s->cap < n)
        s->cap = s->cap ? 2 * s->cap : SAMPLE_BATCH_SIZE;
    s->items = mem_grow(s->items, s->cap, sizeof(*s->items));
}

static void wait_a_while(struct sample_batch *b)
{
    b->waiting = true;
    timer_start(b->timer, SAMPLE_BATCH_MS);
}

/* Those that could not be written come first again. */
static void take_back(struct sample_batch *b)
{
    struct samples all = b->writing;
    reserve(&all, all.n + b->filling.n);
    if (b->filling.n > 0)
        memcpy(all.items + all.n, b->filling.items, b->filling.n * sizeof(*all.items));
    all.n += b->filling.n;
    b->writing = b->filling;
    b->writing.n = 0;
    b->filling = all;
}

static void written(struct sample_batch *b)
{
    bool failed = b->failing;
    b->failing = b->result < 0;
    if (!b->failing) {
        b->writing.n = 0;
        if (failed && b->options.recovered)
            b->options.recovered(b->options.arg);
        return;
    }
    take_back(b);
    b->refused = true;
    wait_a_while(b);
}

static void tidied(struct sample_batch *b)
{
    if (b->result < 0) { /* again after the next ten minutes */
        b->tidying = false;
        return;
    }
    if (b->more)
        return;
    b->tidying = b->job == JOB_ROLL;
    b->tidy = JOB_PRUNE;
    if (!b->tidying && b->options.rolled)
        b->options.rolled(b->now_ms, b->options.arg);
}

/* The job is over: what it came to is told once. */
static void settle(struct sample_batch *b)
{
    if (b->settled)
        return;
    b->settled = true;
    if (b->job == JOB_WRITE)
        written(b);
    else
        tidied(b);
    if (b->result < 0)
        b->options.failed(&b->err, b->options.arg);
}

static void work_done(void *arg)
{
    struct sample_batch *b = arg;
    b->busy = false;
    if (b->freed) {
        release(b);
        return;
    }
    settle(b);
    next(b);
}

static void start(struct sample_batch *b, enum job job)
{
    b->busy = true;
    b->settled = b->worked = false;
    b->job = job;
    b->now_ms = clock_wall_ms(loop_clock(b->loop));
    b->keep_samples_ms = b->options.keep_samples_ms; /* the pool reads no option */
    b->keep_cells_ms = b->options.keep_cells_ms ? b->options.keep_cells_ms : KEEP_CELLS_MS;
    b->err = ERR_INIT;
    loop_work(b->loop, "writing samples", work, work_done, b);
}

static void start_writing(struct sample_batch *b)
{
    struct samples empty = b->writing;
    b->writing = b->filling;
    b->filling = empty;
    b->due = b->waiting = false;
    timer_stop(b->timer);
    start(b, JOB_WRITE);
}

static int64_t present_block(const struct sample_batch *b)
{
    return (clock_wall_ms(loop_clock(b->loop)) - SETTLE_MS) / STRETCH_MS;
}

static void begin_tidying(struct sample_batch *b)
{
    b->tidied_block = present_block(b);
    b->tidying = true;
    b->tidy = JOB_ROLL;
}

static void next(struct sample_batch *b)
{
    if (b->busy)
        return;
    bool full = b->filling.n >= SAMPLE_BATCH_SIZE && !b->refused;
    if (b->filling.n > 0 && (full || b->due)) {
        start_writing(b);
        return;
    }
    bool tidies = b->options.keep_samples_ms > 0;
    if (tidies && !b->tidying &&
        present_block(b) != b->tidied_block) /* also when the clock went back */
        begin_tidying(b);
    if (b->tidying)
        start(b, b->tidy);
}

static void time_came(void *arg)
{
    struct sample_batch *b = arg;
    b->waiting = b->refused = false;
    b->due = true;
    next(b);
}

/* --- From outside ----------------------------------------------------------------------------- */

struct sample_batch *sample_batch_new(struct loop *loop, const struct sample_batch_options *o)
{
    struct sample_batch *b = mem_alloc(sizeof(*b));
    *b = (struct sample_batch){.loop = loop, .options = *o, .dir = mem_strdup(o->dir)};
    if (uv_mutex_init(&b->lock) != 0 || uv_cond_init(&b->changed) != 0)
        abort(); /* only a lack of memory can make these fail */
    b->timer = timer_new(loop, time_came, b);
    next(b); /* the first roll */
    return b;
}

void sample_batch_add(struct sample_batch *b, const struct sample *v)
{
    if (b->filling.n + b->writing.n >= SAMPLE_BATCH_MAX) {
        b->dropped++;
        return;
    }
    reserve(&b->filling, b->filling.n + 1);
    b->filling.items[b->filling.n++] = *v;
    if (b->filling.n == SAMPLE_BATCH_SIZE)
        next(b);
    else if (!b->waiting)
        wait_a_while(b);
}

/* The pool's part of the job under way; its end comes to the loop later all the same. */
static void wait_for_pool(struct sample_batch *b)
{
    if (!b->busy)
        return;
    uv_mutex_lock(&b->lock);
    while (!b->worked)
        uv_cond_wait(&b->changed, &b->lock);
    uv_mutex_unlock(&b->lock);
    settle(b);
}

int sample_batch_flush(struct sample_batch *b, struct err *e)
{
    wait_for_pool(b);
    if (b->filling.n == 0)
        return 0;
    if (open_store(b, e) < 0 || sample_add(b->store, b->filling.items, b->filling.n, e) < 0) {
        if (!b->waiting)
            wait_a_while(b);
        return -1;
    }
    b->filling.n = 0;
    b->waiting = b->due = b->refused = false;
    timer_stop(b->timer);
    return 0;
}

void sample_batch_keep(struct sample_batch *b, int64_t samples_ms, int64_t cells_ms)
{
    b->options.keep_samples_ms = samples_ms;
    b->options.keep_cells_ms = cells_ms;
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
    if (b->busy)
        b->freed = true;
    else
        release(b);
}
