#include "app/store_worker.h"
#include "net/loop.h"
#include "store/store.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
    char dir[64];
    struct loop *loop;
    struct store_worker *worker;
    char order[64]; /* what was done and told, a letter each */
    int left;
    enum err_kind kind;
};
struct step {
    struct world *w;
    char work, done;
};

static void begin(struct world *w)
{
    *w = (struct world){.loop = loop_new(NULL)};
    snprintf(w->dir, sizeof w->dir, "/tmp/trine-worker-XXXXXX");
    if (!mkdtemp(w->dir))
        abort();
    w->worker = store_worker_new(w->loop, w->dir, loop_clock(w->loop));
}

static void finish(struct world *w)
{
    loop_free(w->loop);
    DIR *dir = opendir(w->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(w->dir);
}

static int write_letter(struct store *s, void *arg, struct err *e)
{
    struct step *step = arg;
    int64_t id;

    strncat(step->w->order, &step->work, 1);
    return series_id(s, "uat", "web", "", &step->work, &id, e);
}

static int refuse(struct store *s, void *arg, struct err *e)
{
    (void)s;
    (void)arg;
    return err_set(e, ERR_NO, "no such thing");
}

static void told(const struct err *e, void *arg)
{
    struct step *step = arg;

    strncat(step->w->order, &step->done, 1);
    step->w->kind = e ? e->kind : ERR_NONE;
    if (--step->w->left == 0)
        loop_stop(step->w->loop);
}

static void jobs_run_in_their_order_on_one_handle(void)
{
    struct world w;
    struct step steps[] = {{&w, 'a', 'A'}, {&w, 'b', 'B'}, {&w, 'c', 'C'}};

    begin(&w);
    w.left = 3;
    for (int i = 0; i < 3; i++)
        store_worker_do(w.worker, "test", write_letter, told, &steps[i]);
    CHECK(store_worker_pending(w.worker) == 3);
    loop_run(w.loop);
    CHECK(strcmp(w.order, "aAbBcC") == 0);
    CHECK(store_worker_pending(w.worker) == 0 && w.kind == ERR_NONE);
    store_worker_free(w.worker);
    finish(&w);
}

static void a_failure_reaches_who_asked(void)
{
    struct world w;
    struct step step = {&w, 'a', 'A'};

    begin(&w);
    w.left = 1;
    store_worker_do(w.worker, "test", refuse, told, &step);
    loop_run(w.loop);
    CHECK(w.kind == ERR_NO);
    store_worker_free(w.worker);
    finish(&w);
}

static void what_was_not_begun_is_told_at_the_end(void)
{
    struct world w;
    struct step steps[] = {{&w, 'a', 'A'}, {&w, 'b', 'B'}};

    begin(&w);
    w.left = 100;
    for (int i = 0; i < 2; i++)
        store_worker_do(w.worker, "test", write_letter, told, &steps[i]);
    store_worker_free(w.worker); /* the first is under way */
    CHECK(strchr(w.order, 'B') && w.kind == ERR_STORE);
    loop_free(w.loop);
    CHECK(strcmp(w.order, "BaA") == 0 || strcmp(w.order, "aBA") == 0);
    w.loop = NULL;
    finish(&w);
}

int main(void)
{
    jobs_run_in_their_order_on_one_handle();
    a_failure_reaches_who_asked();
    what_was_not_begun_is_told_at_the_end();
    return DONE();
}
