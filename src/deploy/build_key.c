#include "deploy/build.h"

#include "base/hash.h"
#include "base/mem.h"
#include "deploy/tree.h"
#include "net/loop.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One app folder's digest, shared by all its builds. */
struct tree_job {
    struct loop *loop;
    const struct manifest_app *app;
    char root[PATH_MAX];
    char digest[65];
    struct err err;
    size_t *left;
};

void build_release(struct build *b)
{
    env_release(&b->env);
    free(b->dir);
    b->dir = NULL;
}

static void digest_work(void *arg)
{
    struct tree_job *j = arg;
    const char *skip[] = {j->app->output[0] ? j->app->output : ".git", NULL};

    (void)tree_digest(j->root, skip, j->digest, &j->err);
}

static void digest_done(void *arg)
{
    struct tree_job *j = arg;

    if (--*j->left == 0)
        loop_stop(j->loop);
}

static struct tree_job *job_of(struct tree_job *jobs, size_t n, const struct manifest_app *app)
{
    for (size_t i = 0; i < n; i++)
        if (jobs[i].app == app)
            return &jobs[i];
    return NULL;
}

/* One job an app; returns how many. */
static size_t list_jobs(const struct build_options *o, const struct build *builds, size_t n,
                        struct tree_job *jobs)
{
    size_t n_jobs = 0;

    for (size_t i = 0; i < n; i++) {
        const struct manifest_app *app = builds[i].cell->app;
        if (app->build[0] == '\0' || job_of(jobs, n_jobs, app))
            continue;
        struct tree_job *j = &jobs[n_jobs++];
        *j = (struct tree_job){.loop = o->loop, .app = app};
        (void)snprintf(j->root, sizeof(j->root), "%s/%s", o->manifest->dir, app->path);
    }
    return n_jobs;
}

static void add(struct sha_stream *s, const char *text)
{
    sha_add(s, text, strlen(text) + 1);
}

static void key_of(const struct build *b, const char *tree, const char *command, char ret[65])
{
    struct sha_stream *s = sha256_begin();
    uint8_t digest[SHA256_LEN];

    add(s, "trine build 1");
    add(s, tree);
    add(s, b->cell->app->install);
    add(s, command);
    add(s, b->cell->app->output);
    for (size_t i = 0; i < b->env.n; i++) {
        add(s, b->env.vars[i].name);
        add(s, b->env.vars[i].value);
    }
    sha_end(s, digest);
    hex_encode(digest, sizeof(digest), ret);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void key_one(const struct build_options *o, struct build *b, struct tree_job *j)
{
    const struct manifest_app *app = b->cell->app;
    struct arena a = ARENA_INIT;

    if (env_layered(o->manifest, b->cell, &b->env, &b->err) < 0)
        return;
    if (app->build[0] == '\0') {
        b->dir = mem_printf("%s/%s/%s", o->manifest->dir, app->path, app->output);
        b->ready = is_folder(b->dir);
        if (!b->ready)
            (void)err_set(&b->err, ERR_MANIFEST,
                          "%s is not there, and %s has no `build:` to make it", b->dir, app->name);
        return;
    }
    if (j->err.kind != ERR_NONE) {
        b->err = j->err;
        return;
    }
    key_of(b, j->digest, cell_expand(o->manifest, b->cell, app->build, &a), b->key);
    arena_release(&a);
    b->dir = mem_printf("%s/builds/%s", o->state, b->key);
    b->ready = is_folder(b->dir);
}

void builds_key(const struct build_options *o, struct build *builds, size_t n)
{
    struct tree_job *jobs = mem_array(n ? n : 1, sizeof(*jobs));
    size_t n_jobs = list_jobs(o, builds, n, jobs), left = n_jobs;

    for (size_t i = 0; i < n_jobs; i++) {
        jobs[i].left = &left;
        loop_work(o->loop, "hashing sources", digest_work, digest_done, &jobs[i]);
    }
    if (n_jobs > 0)
        (void)loop_run(o->loop);
    for (size_t i = 0; i < n; i++)
        key_one(o, &builds[i], job_of(jobs, n_jobs, builds[i].cell->app));
    free(jobs);
}
