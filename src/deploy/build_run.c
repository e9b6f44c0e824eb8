#include "deploy/build.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "deploy/tree.h"
#include "net/loop.h"
#include "net/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_AGAIN_MS = 100 };

/* One app folder: its install, then its builds one after the other. */
struct shop {
    struct round *round;
    const struct manifest_app *app;
    struct build **todo;
    size_t n, at;
    char root[PATH_MAX];
    char install_key[65];
    int lock; /* file descriptor, -1 = not held */
    bool begun;
    struct timer *timer;
    struct process *process; /* that runs now, or NULL */
    enum { SHOP_IDLE, SHOP_INSTALL, SHOP_BUILD, SHOP_KEEP, SHOP_DONE } phase;
    char *temporary; /* copy under way */
    int64_t started;
};

struct round {
    const struct build_options *o;
    struct shop *shops;
    size_t n, running, finished;
    unsigned at_once;
    bool interrupted;
};

static void shop_next(struct shop *s);

static void tell(const struct shop *s, enum build_event event, const char *text)
{
    char line[600];

    if (!s->round->o->event || s->at >= s->n)
        return;
    (void)snprintf(line, sizeof(line), "%s", text);
    redact_text(s->round->o->redactor, line, sizeof(line));
    s->round->o->event(s->todo[s->at], event, line, s->round->o->arg);
}

static void tell_line(const char *line, bool is_stderr, void *arg)
{
    (void)is_stderr;
    tell(arg, BUILD_LINE, line);
}

/* --- The commands' environment ---------------------------------------------------------------- */

static bool layered(const struct build *b, const char *entry)
{
    size_t n = strcspn(entry, "=");

    for (size_t i = 0; i < b->env.n; i++)
        if (strncmp(b->env.vars[i].name, entry, n) == 0 && b->env.vars[i].name[n] == '\0')
            return true;
    return false;
}

static const char **child_environment(const struct build_options *o, const struct build *b,
                                      struct arena *a)
{
    size_t n = 0, most = b->env.n + 1;

    while (environ[n])
        n++;
    const char **env = arena_array(a, n + most, sizeof(*env));
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!layered(b, environ[i]) &&
            !redact_find(o->redactor, environ[i], strlen(environ[i]), NULL))
            env[kept++] = environ[i];
    for (size_t i = 0; i < b->env.n; i++)
        env[kept++] = arena_printf(a, "%s=%s", b->env.vars[i].name, b->env.vars[i].value);
    env[kept] = NULL;
    return env;
}

/* --- One shop ------------------------------------------------------------------------------------
 */

static void unlock(struct shop *s)
{
    if (s->lock >= 0)
        (void)close(s->lock);
    s->lock = -1;
}

static void shop_begin(struct shop *s)
{
    s->begun = true;
    s->round->running++;
    shop_next(s);
}

static void shop_close(struct shop *s)
{
    struct round *r = s->round;

    unlock(s);
    s->phase = SHOP_DONE;
    r->running--;
    if (++r->finished == r->n)
        loop_stop(r->o->loop);
    for (size_t i = 0; i < r->n && r->running < r->at_once; i++)
        if (!r->shops[i].begun)
            shop_begin(&r->shops[i]);
}

static void build_failed(struct shop *s, const struct err *e)
{
    struct build *b = s->todo[s->at];

    b->err = *e;
    redact_text(s->round->o->redactor, b->err.text, sizeof(b->err.text));
    tell(s, BUILD_FAILED, b->err.text);
    s->at++;
}

/* Keeps all that a failed command said where a person can read it; *ret_path is "" when it cannot.
 */
static void keep_words(const struct shop *s, const char *what, const struct process_result *r,
                       char ret_path[PATH_MAX])
{
    const struct build *b = s->todo[s->at < s->n ? s->at : s->n - 1];
    struct buf text = BUF_INIT(1 << 20);
    struct err ignored = ERR_INIT;

    (void)snprintf(ret_path, PATH_MAX, "%s/installs/%s.%s.log", s->round->o->state, s->app->name,
                   b->cell->instance[0] ? b->cell->instance : b->cell->env->name);
    buf_addf(&text, "$ %s\n", what);
    buf_add(&text, r->out, r->out_len);
    buf_add(&text, r->err_out, r->err_len);
    redact_text(s->round->o->redactor, text.data, text.len + 1);
    if (file_write_atomic(ret_path, text.data, strlen(text.data), 0600, &ignored) < 0)
        ret_path[0] = '\0';
    buf_release(&text);
}

/* The first line that speaks of an error is what most tools put their reason into. */
static void first_reason(const struct process_result *r, char ret[200])
{
    const char *words = r->err_len ? r->err_out : r->out;
    const char *at = strcasestr(words, "error");

    while (at && at > words && at[-1] != '\n')
        at--;
    if (!at)
        at = words;
    (void)snprintf(ret, 200, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static bool command_failed(const struct shop *s, const char *what, const struct process_result *r,
                           struct err *e)
{
    char reason[200], path[PATH_MAX];

    if (r->err.kind == ERR_NONE && r->exit_status == 0 && !r->timed_out)
        return false;
    if (s->round->interrupted) {
        (void)err_set(e, ERR_NO, "`%.80s` in %.80s: interrupted", what, s->app->path);
        return true;
    }
    keep_words(s, what, r, path);
    first_reason(r, reason);
    if (r->err.kind != ERR_NONE)
        *e = r->err;
    else if (r->timed_out)
        (void)err_set(e, ERR_MANIFEST, "took longer than build_timeout");
    else
        (void)err_set(e, ERR_MANIFEST, "ended with status %d: %s; all it said is in %.200s",
                      r->exit_status, reason, path[0] ? path : "nowhere");
    (void)err_wrap(e, "`%.80s` in %.80s", what, s->app->path);
    return true;
}

static void run_shell(struct shop *s, const char *command, process_done_fn *done)
{
    struct build *b = s->todo[s->at];
    struct arena a = ARENA_INIT;
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    struct process_options o = {
        .argv = argv,
        .env = child_environment(s->round->o, b, &a),
        .dir = s->root,
        .timeout_ms = s->app->build_timeout_ms,
        .line = tell_line,
    };

    s->process = process_start(s->round->o->loop, &o, done, s);
    arena_release(&a);
}

static const char *const lock_files[] = {"package.json",
                                         "package-lock.json",
                                         "npm-shrinkwrap.json",
                                         "yarn.lock",
                                         "pnpm-lock.yaml",
                                         "bun.lock",
                                         "Gemfile.lock",
                                         "composer.lock",
                                         "requirements.txt",
                                         "poetry.lock",
                                         "go.sum",
                                         NULL};

static void marker_path(const struct shop *s, char ret[PATH_MAX])
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    sha256(s->root, strlen(s->root), digest);
    hex_encode(digest, sizeof(digest), hex);
    (void)snprintf(ret, PATH_MAX, "%s/installs/%s", s->round->o->state, hex);
}

/* Installed already: the marker names these lock files, and npm's folder was not thrown away. */
static bool installed(struct shop *s)
{
    char path[PATH_MAX], modules[PATH_MAX + 16];
    struct buf b = BUF_INIT(256);
    struct err e = ERR_INIT;

    if (s->app->install[0] == '\0')
        return true;
    if (tree_digest_files(s->root, lock_files, s->install_key, &e) < 0)
        return false;
    marker_path(s, path);
    bool same = buf_read_file(&b, path, &e) == 0 && strcmp(buf_str(&b), s->install_key) == 0;
    buf_release(&b);
    (void)snprintf(modules, sizeof(modules), "%s/package.json", s->root);
    if (same && access(modules, F_OK) == 0) {
        (void)snprintf(modules, sizeof(modules), "%s/node_modules", s->root);
        same = access(modules, F_OK) == 0;
    }
    return same;
}

static void install_done(const struct process_result *r, void *arg)
{
    struct shop *s = arg;
    struct err e = ERR_INIT;
    char path[PATH_MAX];

    s->process = NULL;
    if (command_failed(s, s->app->install, r, &e)) {
        build_failed(s, &e);
        for (; s->at < s->n; s->at++)
            s->todo[s->at]->err = s->todo[0]->err; /* told once */
        shop_close(s);
        return;
    }
    marker_path(s, path);
    (void)file_write_atomic(path, s->install_key, strlen(s->install_key), 0600, &e);
    s->phase = SHOP_BUILD;
    shop_next(s);
}

static void kept(const struct process_result *r, void *arg)
{
    struct shop *s = arg;
    struct build *b = s->todo[s->at];
    struct err e = ERR_INIT;

    s->process = NULL;
    if (command_failed(s, "cp", r, &e)) {
        build_failed(s, &e);
    } else if (rename(s->temporary, b->dir) < 0 && errno != ENOTEMPTY && errno != EEXIST) {
        (void)err_errno(&e, ERR_STORE, errno, "%s", b->dir);
        build_failed(s, &e);
    } else {
        b->ready = true;
        b->took_ms = clock_mono_ms(loop_clock(s->round->o->loop)) - s->started;
        tell(s, BUILD_DONE, b->dir);
        s->at++;
    }
    free(s->temporary);
    s->temporary = NULL;
    shop_next(s);
}

/* Copies what the build left beside its final place and renames: a killed copy is never taken for a
 * build. */
static void keep_output(struct shop *s)
{
    struct build *b = s->todo[s->at];
    char *output = mem_printf("%s/%s/.", s->root, s->app->output);
    struct err e = ERR_INIT;

    s->temporary = mem_printf("%s.%ld.tmp", b->dir, (long)getpid());
    if (access(output, F_OK) != 0) {
        (void)err_set(&e, ERR_MANIFEST, "%s: the build left no folder %s/%s; is `output:` right?",
                      s->app->name, s->app->path, s->app->output);
        build_failed(s, &e);
        free(s->temporary);
        s->temporary = NULL;
        free(output);
        shop_next(s);
        return;
    }
    const char *argv[] = {"cp", "-a", "--", output, s->temporary, NULL};
    struct process_options o = {.argv = argv, .env = (const char *const *)environ};
    s->phase = SHOP_KEEP;
    s->process = process_start(s->round->o->loop, &o, kept, s);
    free(output);
}

static void build_done(const struct process_result *r, void *arg)
{
    struct shop *s = arg;
    struct err e = ERR_INIT;

    s->process = NULL;
    if (command_failed(s, s->app->build, r, &e)) {
        build_failed(s, &e);
        shop_next(s);
        return;
    }
    keep_output(s);
}

static bool locked(struct shop *s)
{
    char path[PATH_MAX];

    marker_path(s, path);
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), ".lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        (void)close(fd);
        timer_start(s->timer, LOCK_AGAIN_MS);
        return false;
    }
    s->lock = fd;
    return true;
}

static void shop_next(struct shop *s)
{
    struct arena a = ARENA_INIT;

    if (s->round->interrupted) {
        shop_close(s);
        return;
    }
    if (s->lock < 0 && !locked(s))
        return;
    if (s->phase == SHOP_IDLE && !installed(s)) {
        s->phase = SHOP_INSTALL;
        tell(s, BUILD_INSTALL, s->app->install);
        run_shell(s, s->app->install, install_done);
        return;
    }
    if (s->at >= s->n) {
        shop_close(s);
        return;
    }
    s->phase = SHOP_BUILD;
    s->started = clock_mono_ms(loop_clock(s->round->o->loop));
    const char *command =
        cell_expand(s->round->o->manifest, s->todo[s->at]->cell, s->app->build, &a);
    tell(s, BUILD_START, command);
    run_shell(s, command, build_done);
    arena_release(&a);
}

static void shop_again(void *arg)
{
    shop_next(arg);
}

/* --- All shops -------------------------------------------------------------------------------- */

static struct shop *shop_of(struct round *r, const struct manifest_app *app, size_t most)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->shops[i].app == app)
            return &r->shops[i];
    struct shop *s = &r->shops[r->n++];
    *s = (struct shop){.round = r, .app = app, .lock = -1};
    s->todo = mem_array(most, sizeof(struct build *));
    (void)snprintf(s->root, sizeof(s->root), "%s/%s", r->o->manifest->dir, app->path);
    s->timer = timer_new(r->o->loop, shop_again, s);
    return s;
}

/* Two cells with equal inputs (environments that differ in nothing the build reads) are one build.
 */
static bool already_listed(const struct shop *s, const struct build *b)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->todo[i]->key, b->key) == 0)
            return true;
    return false;
}

static void copy_outcomes(struct build *builds, size_t n, const struct shop *s)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < s->n; k++)
            if (!builds[i].ready && builds[i].err.kind == ERR_NONE &&
                strcmp(builds[i].key, s->todo[k]->key) == 0) {
                builds[i].ready = s->todo[k]->ready;
                builds[i].err = s->todo[k]->err;
            }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    (void)remove(path);
    return 0;
}

/* Copies that a killed run left half-made: KEY.PID.tmp of a process that is no more. */
static void sweep(const char *builds)
{
    char path[2 * PATH_MAX];
    DIR *dir = opendir(builds);
    int64_t pid = 0;

    for (const struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir)) {
        const char *dot = strchr(d->d_name, '.'), *end = strstr(d->d_name, ".tmp");
        char number[16] = "";
        if (!dot || !end || end <= dot)
            continue;
        (void)snprintf(number, sizeof(number), "%.*s", (int)(end - dot - 1), dot + 1);
        if (text_int(number, 1, INT32_MAX, &pid) < 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", builds, d->d_name);
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    if (dir)
        (void)closedir(dir);
}

static int make_folders(const char *state, struct err *e)
{
    static const char *const names[] = {"builds", "installs"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", state, names[i]);
        if (dir_make(path, e) < 0)
            return -1;
        sweep(path);
    }
    return 0;
}

/* The commands run in sessions of their own and hear nothing of a Ctrl-C: left alone, they would go
 * on writing into folders that the next run builds in. */
static void interrupted(int signal, void *arg)
{
    struct round *r = arg;

    (void)signal;
    r->interrupted = true;
    for (size_t i = 0; i < r->n; i++)
        if (r->shops[i].process)
            process_kill(r->shops[i].process);
}

static void start_shops(struct round *r)
{
    loop_on_signal(r->o->loop, interrupted, r);
    for (size_t i = 0; i < r->n && r->running < r->at_once; i++)
        shop_begin(&r->shops[i]);
    if (r->n > 0 && r->finished < r->n)
        (void)loop_run(r->o->loop);
    loop_on_signal(r->o->loop, NULL, NULL);
}

static void end_shops(struct round *r, struct build *builds, size_t n)
{
    for (size_t i = 0; i < r->n; i++) {
        copy_outcomes(builds, n, &r->shops[i]);
        timer_free(r->shops[i].timer);
        free(r->shops[i].todo);
    }
    free(r->shops);
}

int builds_run(const struct build_options *o, struct build *builds, size_t n, struct err *e)
{
    struct round r = {.o = o, .at_once = o->at_once ? o->at_once : uv_available_parallelism()};
    size_t failed = 0;

    if (make_folders(o->state, e) < 0)
        return -1;
    r.shops = mem_array(n ? n : 1, sizeof(*r.shops));
    for (size_t i = 0; i < n; i++) {
        if (builds[i].ready || builds[i].err.kind != ERR_NONE)
            continue;
        struct shop *s = shop_of(&r, builds[i].cell->app, n);
        if (!already_listed(s, &builds[i]))
            s->todo[s->n++] = &builds[i];
    }
    start_shops(&r);
    end_shops(&r, builds, n);
    if (r.interrupted)
        return err_set(e, ERR_NO, "interrupted; run the same command again to go on");
    for (size_t i = 0; i < n; i++)
        failed += builds[i].err.kind != ERR_NONE;
    if (failed > 0)
        return err_set(e, ERR_MANIFEST, "%zu of %zu builds failed", failed, n);
    return 0;
}
