#include "base/clock.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "probe/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/*
 * probe_rate URL new|keep COUNT [IN_FLIGHT [CA_FILE]]: so many http probes as fast as they go,
 * IN_FLIGHT (50) at a time, through the check that the schedule uses. Prints one line of JSON:
 * probes a second, CPU seconds of this process for 1,000 of them. Exit 1 when a probe was not ok.
 */
struct rate {
    struct loop *loop;
    struct check_tools tools;
    struct target target;
    long left, under_way, ok, bad;
};

static void next(struct rate *r);

static void answered(const struct check_answer *a, void *arg)
{
    struct rate *r = arg;
    if (a->ok)
        r->ok++;
    else if (r->bad++ == 0)
        fprintf(stderr, "probe_rate: %s\n", a->reason);
    r->under_way--;
    next(r);
}

static void next(struct rate *r)
{
    if (r->left > 0) {
        r->left--;
        r->under_way++;
        check_http.start(&r->tools, &r->target, clock_mono_us(&clock_system), answered, r);
    } else if (r->under_way == 0) {
        loop_stop(r->loop);
    }
}

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: probe_rate URL new|keep COUNT [IN_FLIGHT [CA_FILE]]\n");
        return 2;
    }
    struct rate r = {.loop = loop_new(NULL),
                     .target = {.kind = CHECK_HTTP,
                                .url = argv[1],
                                .keep_connection = strcmp(argv[2], "keep") == 0,
                                .expect_status = 200},
                     .left = strtol(argv[3], NULL, 10)};
    struct http_client_options o = {.user_agent = "trine-bench",
                                    .max_per_host = HTTP_UNBOUNDED,
                                    .stall_ms = HTTP_FOREVER_MS,
                                    .ca_file = argc > 5 ? argv[5] : NULL};
    long in_flight = argc > 4 ? strtol(argv[4], NULL, 10) : 50, count = r.left;
    signal(SIGPIPE, SIG_IGN);
    r.tools.loop = r.loop;
    r.tools.http = http_client_new(r.loop, &o);
    int64_t from = clock_mono_us(&clock_system);
    for (long i = 0; i < in_flight; i++)
        next(&r);
    loop_run(r.loop);
    double took = (double)(clock_mono_us(&clock_system) - from) / 1e6;
    http_client_free(r.tools.http);
    loop_free(r.loop);

    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("{\"probes\":%ld,\"ok\":%ld,\"probes_per_s\":%.0f,\"cpu_s_per_1000\":%.4f,\"user_s\":%."
           "3f,\"system_s\":%.3f,\"rss_kib\":%ld}\n",
           count, r.ok, (double)count / took,
           (seconds(&use.ru_utime) + seconds(&use.ru_stime)) / (double)count * 1000,
           seconds(&use.ru_utime), seconds(&use.ru_stime), use.ru_maxrss);
    return r.bad > 0 || r.ok != count;
}
