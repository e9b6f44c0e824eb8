#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * measure [-o FILE] PROGRAM [ARGUMENT...]: runs the program and writes one JSON line to FILE (or to
 * standard output, behind the program's own): {"wall_s", "cpu_s", "rss_mib", "status"}.
 *
 * wall_s: from before the fork until the program was waited for, so its start counts. cpu_s: user +
 * system time of it and of every descendant that was waited for. rss_mib: the largest resident set
 * that any one of these processes had. status: as a shell would say it. Exits 0 when it could
 * measure, whatever the program's status was.
 */

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int run(char **argv, struct rusage *ret)
{
    int state;
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        execvp(argv[0], argv);
        (void)fprintf(stderr, "measure: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    while (wait4(pid, &state, 0, ret) < 0)
        if (errno != EINTR)
            fail("wait4");
    return WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
}

int main(int argc, char **argv)
{
    FILE *out = stdout;
    struct rusage usage;
    int c, status;
    double begin;

    while ((c = getopt(argc, argv, "+o:")) != -1)
        if (c != 'o')
            return 2;
        else if (!(out = fopen(optarg, "we"))) /* e: the program must not inherit it */
            fail(optarg);
    if (optind == argc) {
        (void)fprintf(stderr, "usage: measure [-o FILE] PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    begin = now();
    status = run(argv + optind, &usage);
    (void)fprintf(out, "{\"wall_s\": %.6f, \"cpu_s\": %.6f, \"rss_mib\": %.3f, \"status\": %d}\n",
                  now() - begin, seconds(usage.ru_utime) + seconds(usage.ru_stime),
                  (double)usage.ru_maxrss / 1024, status);
    return fclose(out) == 0 ? 0 : 2;
}
