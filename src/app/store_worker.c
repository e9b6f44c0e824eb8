#include "app/store_worker.h"

#include "base/mem.h"
#include "net/loop.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdlib.h>

struct store_job {
    struct store_job *next;
    struct store_worker *worker;
    const char *what;
    store_work_fn *work;
    store_done_fn *done;
    void *arg;
    int result;
    struct err err;
};

struct store_worker {
    struct loop *loop;
    const struct clock *clock;
    char *dir;
    struct store *store; /* of the job under way; the loop's thread leaves it alone meanwhile */
    struct store_job *first, **last;
    size_t pending;
    bool busy, freed;
};

struct store_worker *store_worker_new(struct loop *loop, const char *dir, const struct clock *clock)
{
    struct store_worker *w = mem_alloc(sizeof(*w));

    *w = (struct store_worker){.loop = loop, .clock = clock, .dir = mem_strdup(dir)};
    w->last = &w->first;
    return w;
}

static void release(struct store_worker *w)
{
    store_close(w->store);
    free(w->dir);
    free(w);
}

static void run(void *arg)
{
    struct store_job *j = arg;
    struct store_worker *w = j->worker;

    j->result = w->store ? 0 : store_open(w->dir, w->clock, NULL, &w->store, &j->err);
    if (j->result == 0)
        j->result = j->work(w->store, j->arg, &j->err);
}

static void tell(struct store_job *j)
{
    j->worker->pending--;
    if (j->done)
        j->done(j->result < 0 ? &j->err : NULL, j->arg);
    free(j);
}

static void begin_next(struct store_worker *w);

static void ended(void *arg)
{
    struct store_job *j = arg;
    struct store_worker *w = j->worker;

    tell(j); /* which may free the worker */
    w->busy = false;
    if (w->freed)
        release(w);
    else
        begin_next(w);
}

static void begin_next(struct store_worker *w)
{
    struct store_job *j = w->first;

    if (w->busy || !j)
        return;
    w->first = j->next;
    if (!w->first)
        w->last = &w->first;
    w->busy = true;
    loop_work(w->loop, j->what, run, ended, j);
}

void store_worker_do(struct store_worker *w, const char *what, store_work_fn *work,
                     store_done_fn *done, void *arg)
{
    struct store_job *j = mem_alloc(sizeof(*j));

    *j = (struct store_job){.worker = w, .what = what, .work = work, .done = done, .arg = arg};
    *w->last = j;
    w->last = &j->next;
    w->pending++;
    begin_next(w);
}

size_t store_worker_pending(const struct store_worker *w)
{
    return w->pending;
}

void store_worker_free(struct store_worker *w)
{
    if (!w)
        return;
    w->freed = true;
    while (w->first) {
        struct store_job *j = w->first;
        w->first = j->next;
        j->result = err_set(&j->err, ERR_STORE, "%s: trine is ending", j->what);
        tell(j);
    }
    if (!w->busy)
        release(w);
}
