#include "world.h"

#include <errno.h>
#include <fcntl.h>

/* The exported files are taken by the programs themselves, and one real failover goes through each.
 */

static void write_file(const char *path, const struct buf *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len);
    close(fd);
}

/* Its exit status; -1 when it did not end by itself. */
static int run(const char *const *argv, pid_t *ret_running)
{
    pid_t pid;
    int status = -1;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        char *args[16] = {NULL};

        backend_alone(-1);
        for (int i = 0; argv[i] && i < 15; i++)
            args[i] = strdup(argv[i]);
        dup2(2, 1); /* standard output is for TAP */
        execvp(args[0], args);
        _exit(127);
    }
    if (ret_running) {
        *ret_running = pid;
        return 0;
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fails_over(struct world *w)
{
    char answer[2048];
    int good = 0;

    run_until(w, world_ask(w, GET, answer) == 200);
    w->b[0].shared->requests = 0;
    for (int i = 0; i < 40; i++)
        good += world_ask(w, GET, answer) == 200;
    CHECK(good == 40 && w->b[0].shared->requests > 20);
    CHECK(w->b[2].shared->requests == 0);
    w->b[0].shared->mode = BACKEND_503;
    good = 0;
    for (int i = 0; i < 40; i++)
        good += world_ask(w, GET, answer) == 200;
    CHECK(good == 40);
    backend_kill(&w->b[0]);
    good = 0;
    for (int i = 0; i < 40; i++)
        good += world_ask(w, GET, answer) == 200;
    CHECK(good == 40 && w->b[1].shared->requests >= 80);
    CHECK(w->b[0].shared->wrong_hosts + w->b[1].shared->wrong_hosts == 0);
}

static void through(struct world *w, enum export_format format)
{
    struct buf text = BUF_INIT(1 << 20);
    char path[64], pid_line[128];
    const char *const haproxy[] = {"/usr/sbin/haproxy", "-c", "-f", path, NULL};
    const char *const haproxy_runs[] = {"/usr/sbin/haproxy", "-db", "-f", path, NULL};
    const char *const nginx[] = {"/usr/sbin/nginx", "-t", "-q", "-c", path, "-g", pid_line, NULL};
    const char *const nginx_runs[] = {"/usr/sbin/nginx", "-c", path, "-g", pid_line, NULL};
    struct err e = ERR_INIT;
    pid_t pid;

    snprintf(path, sizeof path, "%s/exported", w->dir);
    snprintf(pid_line, sizeof pid_line, "pid %s/nginx.pid; daemon off; error_log stderr crit;",
             w->dir);
    CHECK(traffic_export(&w->plan, format, &text, &e) == 0);
    char *user = strstr(text.data, "  user haproxy\n  group haproxy\n");
    CHECK((user != NULL) == (format == EXPORT_HAPROXY));
    if (user && geteuid() != 0) /* only root may become somebody else */
        memcpy(user, "  #ser haproxy\n  #roup haproxy\n", 30);
    write_file(path, &text);
    CHECK(run(format == EXPORT_NGINX ? nginx : haproxy, NULL) == 0);
    run(format == EXPORT_NGINX ? nginx_runs : haproxy_runs, &pid);
    fails_over(w);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    buf_release(&text);
}

static void haproxy_takes_its_export_and_fails_over(void)
{
    struct world w;

    world_begin(&w, 3);
    through(&w, EXPORT_HAPROXY);
    world_end(&w);
}

/* Debian's nginx keeps its temporary files where only root may write. */
static void nginx_takes_its_export_and_fails_over(void)
{
    struct world w;

    if (geteuid() != 0 || access("/usr/sbin/nginx", X_OK) != 0) {
        printf("# skipped: nginx is not installed, or this is not root\n");
        return;
    }
    world_begin(&w, 3);
    chmod(w.dir, 0755);
    through(&w, EXPORT_NGINX);
    world_end(&w);
}

static void a_bad_plan_is_refused_with_its_reason(void)
{
    struct buf text = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct world w;

    world_begin(&w, 2);
    w.servers[0].weight = w.servers[1].weight = 0;
    CHECK(traffic_export(&w.plan, EXPORT_NGINX, &text, &e) == -1);
    CHECK(e.kind == ERR_USAGE && strstr(e.text, "weight") && text.len == 0);
    w.servers[0].weight = 1;
    w.plan.dir = "/run; include /etc/passwd";
    CHECK(traffic_export(&w.plan, EXPORT_NGINX, &text, &e) == -1);
    w.plan.dir = w.dir;
    buf_release(&text);
    world_end(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    haproxy_takes_its_export_and_fails_over();
    nginx_takes_its_export_and_fails_over();
    a_bad_plan_is_refused_with_its_reason();
    return DONE();
}
