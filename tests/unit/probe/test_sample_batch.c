#include "base/clock.h"
#include "base/fault.h"
#include "net/loop.h"
#include "probe/sample_batch.h"
#include "store/history.h"
#include "store/store.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* The batch writes with its own handle on the pool; the fixture reads with another. */
struct fixture {
    char dir[64];
    struct clock_fake time;
    struct clock clock;
    struct loop *loop;
    struct store *store;
    struct fault fault;
    struct sample_batch *batch;
    struct err err;
    int failures, rolls;
    bool heal; /* at the first failure */
};

#define NOW_MS INT64_C(1700000040000)

static void note_failure(const struct err *e, void *arg)
{
    struct fixture *f = arg;
    f->failures += e->kind == ERR_STORE;
    if (f->heal)
        f->fault = (struct fault){0}; /* the disk has space again */
}

static void note_roll(int64_t at_ms, void *arg)
{
    struct fixture *f = arg;
    f->rolls += at_ms == f->time.wall_ms;
}

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.heal = true, .time = {.mono_us = 5000000, .wall_ms = NOW_MS}};
    f->clock = clock_fake(&f->time);
    f->loop = loop_new(&f->clock);
    snprintf(f->dir, sizeof(f->dir), "/tmp/trine-batch-XXXXXX");
    if (!mkdtemp(f->dir) || store_open(f->dir, &f->clock, NULL, &f->store, &f->err) < 0)
        abort();
    struct sample_batch_options o = {.dir = f->dir,
                                     .keep_samples_ms = INT64_C(7) * 86400000,
                                     .failed = note_failure,
                                     .rolled = note_roll,
                                     .arg = f,
                                     .fault = &f->fault};
    f->batch = sample_batch_new(f->loop, &o);
    loop_run(f->loop); /* the first roll, of nothing */
}

static void fixture_release(struct fixture *f)
{
    sample_batch_free(f->batch);
    loop_free(f->loop);
    store_close(f->store);
    DIR *dir = opendir(f->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(f->dir);
}

static void count(const struct sample *v, void *arg)
{
    (void)v;
    ++*(int *)arg;
}

static int stored(struct fixture *f)
{
    int n = 0;
    CHECK(sample_read(f->store, 0, 0, INT64_MAX, count, &n, &f->err) == 0);
    return n;
}

static void add(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++)
        sample_batch_add(f->batch, &(struct sample){.series = 1, .at_ms = NOW_MS + i});
}

static void turn_until_stored(struct fixture *f, int n)
{
    while (stored(f) < n && uv_run(loop_uv(f->loop), UV_RUN_ONCE) != 0) {
    }
}

static void a_store_that_cannot_be_opened_is_told_and_tried_again(void)
{
    struct fixture f;
    fixture_init(&f);
    sample_batch_free(f.batch);
    struct sample_batch_options o = {.dir = "/dev/null/state", .failed = note_failure, .arg = &f};
    f.batch = sample_batch_new(f.loop, &o);
    add(&f, 3);
    CHECK(sample_batch_flush(f.batch, &f.err) == -1 && f.err.kind == ERR_STORE);
    while (f.failures < 2)
        uv_run(loop_uv(f.loop), UV_RUN_ONCE);
    CHECK(sample_batch_dropped(f.batch) == 0);
    fixture_release(&f);
}

static void a_full_batch_is_written_without_waiting(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, SAMPLE_BATCH_SIZE - 1);
    CHECK(stored(&f) == 0);
    add(&f, 1);
    turn_until_stored(&f, SAMPLE_BATCH_SIZE);
    CHECK(stored(&f) == SAMPLE_BATCH_SIZE && f.failures == 0);
    fixture_release(&f);
}

static void a_small_one_is_written_after_a_while_or_when_asked(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, 3);
    loop_run(f.loop); /* ends when the timer has come and the write is done */
    CHECK(stored(&f) == 3);
    add(&f, 2);
    CHECK(sample_batch_flush(f.batch, &f.err) == 0 && stored(&f) == 5);
    CHECK(sample_batch_flush(f.batch, &f.err) == 0 && stored(&f) == 5);
    fixture_release(&f);
}

static void a_flush_waits_for_the_write_under_way(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, SAMPLE_BATCH_SIZE + 44);
    CHECK(sample_batch_flush(f.batch, &f.err) == 0 && stored(&f) == SAMPLE_BATCH_SIZE + 44);
    fixture_release(&f);
}

static void what_the_store_refused_is_tried_again(void)
{
    struct fixture f;
    fixture_init(&f);
    f.fault = (struct fault){.after = 1, .sticky = true};
    add(&f, 3);
    CHECK(sample_batch_flush(f.batch, &f.err) == -1 && f.err.kind == ERR_STORE);
    add(&f, 4);
    loop_run(f.loop); /* fails, is told, and succeeds the next time */
    CHECK(f.failures == 1 && stored(&f) == 7 && sample_batch_dropped(f.batch) == 0);
    fixture_release(&f);
}

static void what_cannot_be_kept_for_ever_is_counted(void)
{
    struct fixture f;
    fixture_init(&f);
    f.heal = false;
    f.fault = (struct fault){.after = 1, .sticky = true};
    add(&f, SAMPLE_BATCH_MAX + 5);
    CHECK(sample_batch_dropped(f.batch) == 5);
    CHECK(sample_batch_flush(f.batch, &f.err) == -1 && f.failures == 1 && stored(&f) == 0);
    f.fault = (struct fault){0};
    CHECK(sample_batch_flush(f.batch, &f.err) == 0 && stored(&f) == SAMPLE_BATCH_MAX);
    fixture_release(&f);
}

static void samples_are_rolled_up_at_the_start_and_after_ten_minutes(void)
{
    struct fixture f;
    struct history_size size;
    fixture_init(&f);
    CHECK(f.rolls == 1);
    add(&f, 3);
    loop_run(f.loop);
    CHECK(history_size(f.store, &size, &f.err) == 0 && f.rolls == 1);
    CHECK(size.raw_samples == 3 && size.unrolled_samples == 3);
    clock_fake_step(&f.time, 600000);
    add(&f, 3);
    loop_run(f.loop);
    CHECK(history_size(f.store, &size, &f.err) == 0 && f.rolls == 2);
    CHECK(size.raw_samples == 6 && size.unrolled_samples == 0 && size.cells[HISTORY_DAY] == 1);
    clock_fake_step(&f.time, -3600000); /* a clock set back does not stop it */
    add(&f, 3);
    loop_run(f.loop);
    CHECK(history_size(f.store, &size, &f.err) == 0 && f.rolls == 3);
    CHECK(size.unrolled_samples == 0);
    fixture_release(&f);
}

static void old_samples_are_dropped_after_they_were_rolled_up(void)
{
    struct fixture f;
    struct history_size size;
    fixture_init(&f);
    add(&f, 3);
    loop_run(f.loop);
    clock_fake_step(&f.time, INT64_C(8) * 86400000);
    sample_batch_add(f.batch, &(struct sample){.series = 1, .at_ms = f.time.wall_ms});
    loop_run(f.loop);
    CHECK(history_size(f.store, &size, &f.err) == 0);
    /* All four were packed into one row, which is young. */
    CHECK(size.raw_samples == 4 && size.cells[HISTORY_DAY] == 2);
    clock_fake_step(&f.time, INT64_C(8) * 86400000);
    sample_batch_add(f.batch, &(struct sample){.series = 1, .at_ms = f.time.wall_ms});
    loop_run(f.loop);
    CHECK(history_size(f.store, &size, &f.err) == 0);
    CHECK(size.raw_samples == 1 && size.cells[HISTORY_DAY] == 3);
    fixture_release(&f);
}

static void a_failed_roll_is_told_and_loses_nothing(void)
{
    struct fixture f;
    struct history_size size;
    fixture_init(&f);
    add(&f, 3);
    loop_run(f.loop);
    clock_fake_step(&f.time, 600000);
    f.fault = (struct fault){.after = 8, .sticky = true}; /* behind the write */
    add(&f, 3);
    loop_run(f.loop);
    CHECK(f.failures == 1 && f.rolls == 1 && stored(&f) == 6);
    clock_fake_step(&f.time, 600000);
    add(&f, 3);
    loop_run(f.loop);
    CHECK(f.failures == 1 && f.rolls == 2);
    CHECK(history_size(f.store, &size, &f.err) == 0);
    CHECK(size.raw_samples == 9 && size.unrolled_samples == 0);
    fixture_release(&f);
}

static void a_batch_may_be_freed_while_it_writes(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, SAMPLE_BATCH_SIZE);
    sample_batch_free(f.batch);
    f.batch = NULL;
    loop_run(f.loop);
    CHECK(stored(&f) == SAMPLE_BATCH_SIZE);
    fixture_release(&f);
}

int main(void)
{
    a_store_that_cannot_be_opened_is_told_and_tried_again();
    a_full_batch_is_written_without_waiting();
    a_small_one_is_written_after_a_while_or_when_asked();
    a_flush_waits_for_the_write_under_way();
    what_the_store_refused_is_tried_again();
    what_cannot_be_kept_for_ever_is_counted();
    samples_are_rolled_up_at_the_start_and_after_ten_minutes();
    old_samples_are_dropped_after_they_were_rolled_up();
    a_failed_roll_is_told_and_loses_nothing();
    a_batch_may_be_freed_while_it_writes();
    return DONE();
}
