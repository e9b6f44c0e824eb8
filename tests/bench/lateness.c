#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "probe/schedule.h"

#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * lateness [CHECKS [SECONDS [HUNG_PERCENT [new|keep]]]]: how late is what the schedule sends? So
 * many http checks (5000) at one a second each, on one core, of which some (5 %) hang: their peer
 * accepts and never answers. The peer is a child on the other core. Prints one line of JSON; exit 1
 * when the 99th percentile of the lateness is 20 ms or more, or a slot was missed.
 */
enum { PORTS = 250, SECOND_MS = 1000, TIMEOUT_MS = 900, BOUND_US = 20000 };

static void stay_on(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* --- The peer --------------------------------------------------------------------------------- */

static int listen_somewhere(unsigned *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        abort();
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void answer(int fd)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char head[4096];
    if (recv(fd, head, sizeof(head), 0) <= 0)
        close(fd);
    else
        (void)!send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
}

/* Connections to the last of the ports are taken and never answered. */
static void take_all(int epoll, int listener, bool hung)
{
    struct epoll_event e = {.events = EPOLLIN};
    while ((e.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        e.events = hung ? EPOLLRDHUP : EPOLLIN;
        epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e);
    }
}

static void serve(const int *listeners)
{
    int epoll = epoll_create1(0);
    struct epoll_event list[256];
    for (int i = 0; i <= PORTS; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = listeners[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, listeners[i], &e);
    }
    for (;;) {
        int n = epoll_wait(epoll, list, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = list[i].data.fd;
            if (fd >= listeners[0] && fd <= listeners[PORTS])
                take_all(epoll, fd, fd == listeners[PORTS]);
            else if (list[i].events & EPOLLRDHUP)
                close(fd);
            else
                answer(fd);
        }
    }
}

/* --- The prober ------------------------------------------------------------------------------- */

struct tally {
    struct loop *loop;
    long of[SAMPLE_MISSED + 1];
    char reason[256];
};

static void note(const struct probe_result *r, void *arg)
{
    struct tally *t = arg;
    t->of[r->sample->outcome]++;
    if (r->sample->outcome == SAMPLE_INCONCLUSIVE || r->sample->outcome == SAMPLE_MISSED)
        snprintf(t->reason, sizeof(t->reason), "%s", r->reason);
}

static void stop(void *arg)
{
    struct tally *t = arg;
    loop_stop(t->loop);
}

static struct target *make_targets(long n, long hung, const unsigned *ports, bool keep)
{
    struct target *targets = mem_array((size_t)n, sizeof(*targets));
    for (long i = 0; i < n; i++) {
        bool hangs = i * hung / 100 != (i + 1) * hung / 100;
        targets[i] = (struct target){
            .kind = CHECK_HTTP,
            .environment = "uat",
            .app = mem_printf("app%ld", i),
            .instance = "",
            .check = "health",
            .series = i + 1,
            .url = mem_printf("http://127.0.0.1:%u/", ports[hangs ? PORTS : i % PORTS]),
            .keep_connection = keep,
            .every_ms = SECOND_MS,
            .timeout_ms = TIMEOUT_MS,
            .down_after = 3,
            .up_after = 2,
        };
    }
    return targets;
}

static int print(const struct schedule *s, const struct tally *t, long n, long seconds)
{
    struct schedule_counters c;
    struct rusage use;
    schedule_count(s, &c);
    getrusage(RUSAGE_SELF, &use);
    double p50 = sketch_quantile(c.lateness, 0.5), p99 = sketch_quantile(c.lateness, 0.99);
    double cpu_s = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                   (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    printf("{\"checks\":%ld,\"seconds\":%ld,\"sent\":%llu,\"ok\":%ld,\"failed\":%ld,"
           "\"inconclusive\":%ld,\"missed\":%llu,\"late_p50_ms\":%.3f,\"late_p99_ms\":%.3f,"
           "\"late_max_ms\":%.3f,\"cpu_share\":%.2f,\"rss_kib\":%ld}\n",
           n, seconds, (unsigned long long)c.sent, t->of[SAMPLE_OK], t->of[SAMPLE_FAILED],
           t->of[SAMPLE_INCONCLUSIVE], (unsigned long long)c.missed, p50 / 1000, p99 / 1000,
           (double)c.lateness->max_us / 1000, cpu_s / (double)seconds, use.ru_maxrss);
    if (t->reason[0])
        fprintf(stderr, "lateness: %s\n", t->reason);
    return p99 >= BOUND_US || c.missed > 0 || t->of[SAMPLE_INCONCLUSIVE] > 0;
}

static int probe(const unsigned *ports, int argc, char **argv)
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 5000;
    long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 20;
    long hung = argc > 3 ? strtol(argv[3], NULL, 10) : 5;
    bool keep = argc > 4 && strcmp(argv[4], "keep") == 0;
    struct tally t = {.loop = loop_new(NULL)};
    struct target *targets = make_targets(n, hung, ports, keep);
    struct schedule_options o = {.user_agent = "trine-bench",
                                 .duration_ms = seconds * SECOND_MS,
                                 .result = note,
                                 .done = stop,
                                 .arg = &t};
    struct schedule *s = schedule_new(t.loop, &o);
    struct err e = ERR_INIT;
    for (long i = 0; i < n; i++)
        if (schedule_add(s, &targets[i], &e) < 0)
            abort();
    schedule_start(s);
    loop_run(t.loop);
    int rc = print(s, &t, n, seconds);
    schedule_free(s);
    loop_free(t.loop);
    for (long i = 0; i < n; i++) {
        free((void *)(uintptr_t)targets[i].app);
        free((void *)(uintptr_t)targets[i].url);
    }
    free(targets);
    return rc;
}

int main(int argc, char **argv)
{
    unsigned ports[PORTS + 1];
    int listeners[PORTS + 1];
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i <= PORTS; i++)
        listeners[i] = listen_somewhere(&ports[i]);

    pid_t peer = fork();
    if (peer == 0) {
        stay_on(1);
        serve(listeners);
    }
    for (int i = 0; i <= PORTS; i++)
        close(listeners[i]);
    stay_on(0);
    int rc = probe(ports, argc, argv);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    return rc;
}
