#include "traffic/haproxy_inner.h"

#include "base/mem.h"
#include "base/text.h"
#include "net/process.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* HAProxy as a program and as a process. */

void haproxy_set_paths(struct haproxy *h, const char *dir)
{
    const struct {
        char *ret;
        const char *name;
    } paths[] = {
        {h->config, "/haproxy.cfg"},          {h->fresh, "/haproxy.cfg.new"},
        {h->last, "/haproxy.cfg.last"},       {h->admin, "/admin.sock"},
        {h->master_socket, "/master.sock"},   {h->pid_file, "/haproxy.pid"},
        {h->servers_state, "/servers.state"}, {h->dir, ""},
    };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        snprintf(paths[i].ret, sizeof h->config, "%s%s", dir, paths[i].name);
}

int haproxy_find_program(struct haproxy *h, struct err *e)
{
    static const char *const folders[] = {"/usr/sbin", "/usr/local/sbin", "/usr/bin",
                                          "/usr/local/bin"};
    const char *path = getenv("PATH"), *asked = h->asked ? h->asked : "haproxy";
    char at[1024];

    free(h->program);
    h->program = NULL;
    if (strchr(asked, '/') && access(asked, X_OK) == 0)
        h->program = mem_strdup(asked);
    while (!h->program && !strchr(asked, '/') && path && *path) {
        size_t n = strcspn(path, ":");

        snprintf(at, sizeof at, "%.*s/%s", (int)n, path, asked);
        if (n > 0 && access(at, X_OK) == 0)
            h->program = mem_strdup(at);
        path += n + (path[n] == ':');
    }
    for (size_t i = 0; !h->program && !strchr(asked, '/') && i < sizeof folders / sizeof *folders;
         i++) {
        snprintf(at, sizeof at, "%s/%s", folders[i], asked);
        if (access(at, X_OK) == 0)
            h->program = mem_strdup(at);
    }
    if (!h->program)
        return err_set(e, ERR_NO,
                       "the program %s is missing: install HAProxy 2.6 or newer (Debian: apt-get "
                       "install haproxy)",
                       asked);
    return 0;
}

/* --- Running it -------------------------------------------------------------------------------*/

struct haproxy_run {
    struct haproxy *h; /* NULL: nobody waits any more */
    haproxy_ran_fn *fn;
};

static void ran(const struct process_result *r, void *arg)
{
    struct haproxy_run *run = arg;
    struct haproxy *h = run->h;
    haproxy_ran_fn *fn = run->fn;

    free(run);
    if (!h)
        return;
    h->run = NULL;
    fn(h, r);
}

void haproxy_run(struct haproxy *h, const char *const *args, int64_t timeout_ms, haproxy_ran_fn *fn)
{
    /* Nothing of ours goes along: no secret can be read from HAProxy's environment. */
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                                              NULL};
    const char *argv[16] = {h->program};
    struct process_options o = {
        .argv = argv, .env = environment, .dir = "/", .timeout_ms = timeout_ms};

    for (size_t i = 0; args[i] && i + 2 < sizeof argv / sizeof *argv; i++)
        argv[i + 1] = args[i];
    h->run = mem_alloc(sizeof *h->run);
    h->run->h = h;
    h->run->fn = fn;
    process_start(h->loop, &o, ran, h->run);
}

void haproxy_run_forget(struct haproxy *h)
{
    if (h->run)
        h->run->h = NULL;
    h->run = NULL;
}

static void add_line(char *ret, size_t size, const char *at, size_t len)
{
    size_t n = strlen(ret);

    if (n && n + 3 < size)
        n += (size_t)snprintf(ret + n, size - n, "; ");
    for (size_t i = 0; i < len && n + 1 < size; i++)
        ret[n++] = isprint((unsigned char)at[i]) ? at[i] : ' ';
    ret[n < size ? n : size - 1] = 0;
}

/* "[ALERT]    (4685) : config : parsing [...]": without what stands before the first colon. */
void haproxy_words(const struct process_result *r, char *ret, size_t size)
{
    const char *at = r->err_out ? r->err_out : "";

    *ret = 0;
    while (*at) {
        size_t len = strcspn(at, "\n");
        const char *colon = memchr(at, ':', len);

        if (!strncmp(at, "[ALERT]", 7) && colon && !memmem(at, len, "Fatal errors found", 18) &&
            !memmem(at, len, "Error(s) found", 14))
            add_line(ret, size, colon + 2, len - (size_t)(colon + 2 - at));
        at += len + (at[len] == '\n');
    }
    if (!*ret && r->err_out)
        add_line(ret, size, r->err_out, strcspn(r->err_out, "\n"));
    if (!*ret)
        snprintf(ret, size, "it said nothing, exit status %d", r->exit_status);
}

/* --- Which process is ours --------------------------------------------------------------------*/

static size_t read_small(const char *path, char *ret, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);

    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

/* A number that was written down may be another process's by now: its command line must name our
 * configuration. One that has ended and waits for its parent has no command line. */
bool haproxy_is_ours(const struct haproxy *h, int64_t pid)
{
    char path[64], line[4096];
    size_t n, config = strlen(h->config);

    if (pid <= 1)
        return false;
    snprintf(path, sizeof path, "/proc/%lld/cmdline", (long long)pid);
    n = read_small(path, line, sizeof line);
    for (size_t at = 0; at < n; at += strlen(line + at) + 1)
        if (strlen(line + at) == config && !strcmp(line + at, h->config))
            return true;
    return false;
}

int64_t haproxy_read_master(const struct haproxy *h)
{
    char text[32];
    int64_t pid;

    read_small(h->pid_file, text, sizeof text);
    text[strcspn(text, "\n")] = 0;
    if (text_int(text, 2, INT32_MAX, &pid) != 0 || !haproxy_is_ours(h, pid))
        return 0;
    return pid;
}
