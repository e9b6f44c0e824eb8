#include "app/app.h"

#include "base/buf.h"
#include "base/redact.h"
#include "manifest/secrets.h"
#include "net/bases.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "store/store.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    DEFAULT_WIDTH = 80,
    NARROWEST = 20,
    FILES_BESIDE = 256, /* the store, the dashboard's readers, kept connections */
};

static size_t terminal_width(void)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= NARROWEST)
        return size.ws_col;
    long n = columns ? strtol(columns, NULL, 10) : 0;
    return n >= NARROWEST && n < 10000 ? (size_t)n : DEFAULT_WIDTH;
}

void app_init(struct app *a, const struct command *c, const struct options *o)
{
    const char *no_colour = getenv("NO_COLOR");
    bool wanted = !no_colour || no_colour[0] == '\0';

    *a = (struct app){.command = c, .o = *o, .clock = clock_system};
    a->redactor = redactor_new();
    a->colour = wanted && isatty(STDOUT_FILENO);
    a->terminal = isatty(STDERR_FILENO);
    a->colour_err = wanted && a->terminal;
    a->width = isatty(STDOUT_FILENO) ? terminal_width() : 0;
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write, told like any other */
}

void app_close(struct app *a)
{
    store_close(a->store);
    http_client_free(a->http);
    loop_free(a->loop);
    bases_free(a->bases);
    secrets_free(a->secrets);
    manifest_free(a->manifest);
    redactor_free(a->redactor);
}

void app_say(const struct app *a, const char *fmt, ...)
{
    char text[4096];
    va_list ap;

    if (a->o.quiet)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    redact_text(a->redactor, text, sizeof(text));
    (void)fprintf(stderr, "%s\n", text);
}

int app_print(const struct app *a, const struct buf *b, struct err *e)
{
    size_t size = 2 * b->len + 1;
    char *text = malloc(size);

    if (!text)
        abort();
    memcpy(text, buf_str(b), b->len + 1);
    redact_text(a->redactor, text, size);
    int failed = fputs(text, stdout) == EOF || fflush(stdout) == EOF;
    int code = errno;
    free(text);
    return failed ? err_errno(e, ERR_STORE, code, "standard output") : 0;
}

int app_print_json(const struct app *a, struct json_t *json, struct err *e)
{
    struct buf b = BUF_INIT(SIZE_MAX / 4);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

    json_decref(json);
    if (!text)
        return err_set(e, ERR_BUG, "an answer could not be written as JSON");
    buf_adds(&b, text);
    buf_addc(&b, '\n');
    free(text);
    int rc = app_print(a, &b, e);
    buf_release(&b);
    return rc;
}

int app_open_manifest(struct app *a, struct err *e)
{
    struct manifest_problems problems = {0};
    int rc = manifest_load(a->o.file, &a->manifest, &problems, e);

    for (size_t i = 0; i < problems.n; i++)
        (void)fprintf(stderr, "%s\n", problems.lines[i]);
    if (problems.more > 0)
        (void)fprintf(stderr, "... and %zu more\n", problems.more);
    if (rc < 0 && problems.n == 1 &&
        problems.more == 0) /* it stands there already, word for word */
        (void)err_set(e, e->kind, "%s: 1 problem", a->o.file);
    manifest_problems_release(&problems);
    return rc;
}

int app_open_secrets(struct app *a, struct err *e)
{
    a->secrets = secrets_new(a->redactor);
    for (size_t i = 0; i < a->o.n_env_files; i++)
        if (secrets_load_file(a->secrets, a->o.env_files[i], e) < 0)
            return -1;
    return 0;
}

static size_t chosen(const struct matrix *x, const struct manifest_environment **ret, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n && n < most; i++)
        if (n == 0 || ret[n - 1] != x->cells[i].env)
            ret[n++] = x->cells[i].env;
    return n;
}

int app_check_secrets(struct app *a, const struct matrix *x, struct err *e)
{
    const struct manifest_environment *envs[64];
    struct manifest_problems problems = {0};
    size_t n = chosen(x, envs, sizeof(envs) / sizeof(envs[0]));
    int rc = secrets_check(a->secrets, a->manifest, envs, n, &problems, e);

    for (size_t i = 0; i < problems.n; i++)
        (void)fprintf(stderr, "%s\n", problems.lines[i]);
    manifest_problems_release(&problems);
    return rc;
}

static void slow_turn(int64_t ms, const char *what, void *arg)
{
    const struct app *a = arg;

    if (a->o.verbose > 1)
        app_say(a, "a turn of the loop took %lld ms (%s)", (long long)ms, what);
}

int app_open_net(struct app *a, struct err *e)
{
    struct http_client_options o = {.user_agent = "trine/" TRINE_VERSION, .stall_ms = 15000};

    if (a->o.bases) {
        if (bases_load(a->o.bases, &a->bases, e) < 0)
            return -1;
    } else {
        a->bases = bases_empty();
    }
    a->loop = loop_new(&a->clock);
    loop_on_slow(a->loop, slow_turn, a);
    a->http = http_client_new(a->loop, &o);
    return 0;
}

void app_allow_files(const struct app *a, size_t connections)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    rlim_t most = setrlimit(RLIMIT_NOFILE, &limit) < 0 ? soft : limit.rlim_max;
    if (connections + FILES_BESIDE > most)
        app_say(a,
                "up to %zu connections may be open at once, but this process may have %llu open "
                "files: what finds none free is inconclusive; raise the limit (ulimit -n, or "
                "LimitNOFILE= of the service)",
                connections, (unsigned long long)most);
}

int app_state_dir(struct app *a, struct err *e)
{
    char path[PATH_MAX];

    if (a->o.state)
        (void)snprintf(path, sizeof(path), "%s", a->o.state);
    else
        (void)snprintf(path, sizeof(path), "%s/.trine", a->manifest->dir);
    if (dir_make(path, e) < 0)
        return -1;
    if (!realpath(path, a->state))
        return err_errno(e, ERR_STORE, errno, "%s", path);
    return 0;
}

int app_open_store(struct app *a, struct err *e)
{
    if (app_state_dir(a, e) < 0)
        return -1;
    return store_open(a->state, &a->clock, NULL, &a->store, e);
}

int app_matrix(struct app *a, struct matrix *ret, struct err *e)
{
    struct matrix_filter f = {.environments = a->o.n_environments ? a->o.environments : NULL,
                              .n_environments = a->o.n_environments,
                              .app = a->o.app};

    return matrix_build(a->manifest, &f, ret, e);
}
