#include "base/fault.h"
#include "net/loop.h"
#include "probe/sample_batch.h"
#include "store/store.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct loop *loop;
    struct store *store;
    struct fault fault;
    struct sample_batch *batch;
    struct err err;
    int failures;
};

static void note_failure(const struct err *e, void *arg)
{
    struct fixture *f = arg;
    f->failures += e->kind == ERR_STORE;
    f->fault = (struct fault){0}; /* the disk has space again */
}

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.loop = loop_new(NULL)};
    snprintf(f->dir, sizeof(f->dir), "/tmp/trine-batch-XXXXXX");
    if (!mkdtemp(f->dir) ||
        store_open(f->dir, loop_clock(f->loop), &f->fault, &f->store, &f->err) < 0)
        abort();
    f->batch = sample_batch_new(f->loop, f->store, note_failure, f);
}

static void fixture_release(struct fixture *f)
{
    sample_batch_free(f->batch);
    store_close(f->store);
    loop_free(f->loop);
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
        sample_batch_add(f->batch, &(struct sample){.series = 1, .at_ms = i});
}

static void a_full_batch_is_written_at_once(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, SAMPLE_BATCH_SIZE - 1);
    CHECK(stored(&f) == 0);
    add(&f, 1);
    CHECK(stored(&f) == SAMPLE_BATCH_SIZE);
    fixture_release(&f);
}

static void a_small_one_is_written_after_a_while_or_when_asked(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, 3);
    loop_run(f.loop); /* ends when the timer has come */
    CHECK(stored(&f) == 3);
    add(&f, 2);
    CHECK(sample_batch_flush(f.batch, &f.err) == 0 && stored(&f) == 5);
    CHECK(sample_batch_flush(f.batch, &f.err) == 0 && stored(&f) == 5);
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

static void keep_failing(const struct err *e, void *arg)
{
    (void)e;
    ++*(int *)arg;
}

static void what_cannot_be_kept_for_ever_is_counted(void)
{
    struct fixture f;
    int failures = 0;
    fixture_init(&f);
    sample_batch_free(f.batch);
    f.batch = sample_batch_new(f.loop, f.store, keep_failing, &failures);
    f.fault = (struct fault){.after = 1, .sticky = true};
    add(&f, SAMPLE_BATCH_MAX + 5);
    CHECK(failures == 1 && sample_batch_dropped(f.batch) == 5);
    f.fault = (struct fault){0};
    CHECK(sample_batch_flush(f.batch, &f.err) == 0 && stored(&f) == SAMPLE_BATCH_MAX);
    fixture_release(&f);
}

int main(void)
{
    a_full_batch_is_written_at_once();
    a_small_one_is_written_after_a_while_or_when_asked();
    what_the_store_refused_is_tried_again();
    what_cannot_be_kept_for_ever_is_counted();
    return DONE();
}
