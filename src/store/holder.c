#include "base/text.h"
#include "store/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who holds a lease, and whether that process still lives. Linux: /proc (proc(5)). */

/* Reads a small file of /proc into ret; -1 when it is not there or empty. */
static int read_small(const char *path, char *ret, size_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, ret, n - 1);
    close(fd);
    if (got <= 0)
        return -1;
    ret[got] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
    return 0;
}

/* State letter and start time: fields 3 and 22 of /proc/PID/stat. The name in field 2 may hold
 * blanks and parentheses, so counting begins behind the last one. */
static int read_stat(int64_t pid, char *ret_state, int64_t *ret_started)
{
    enum { FIRST_FIELD = 3, START_FIELD = 22 };
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    if (read_small(path, text, sizeof(text)) < 0)
        return -1;
    const char *at = strrchr(text, ')');
    if (!at || at[1] != ' ')
        return -1;
    *ret_state = at[2];
    at++;
    for (int field = FIRST_FIELD; field < START_FIELD && at; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return -1;
    *ret_started = strtoll(at + 1, NULL, 10);
    return 0;
}

/* "pid:[4026531836]"; "" where the kernel has no such namespace. */
static void read_namespace(const char *path, char *ret, size_t n)
{
    ssize_t got = readlink(path, ret, n - 1);
    ret[got > 0 ? got : 0] = '\0';
}

int holder_self(struct holder *ret, struct err *e)
{
    struct holder h = {.pid = getpid()};
    char boot[48], pids[40], times[40], state;
    if (read_small("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) < 0 ||
        read_stat(h.pid, &state, &h.started) < 0)
        return err_set(e, ERR_STORE,
                       "/proc: this process's start time and the boot id cannot be read, so nobody "
                       "could tell whether its lease is still held: mount /proc");
    read_namespace("/proc/self/ns/pid", pids, sizeof(pids));
    read_namespace("/proc/self/ns/time", times, sizeof(times));
    snprintf(h.machine, sizeof(h.machine), "%s %s %s", boot, pids, times);
    *ret = h;
    return 0;
}

bool holder_may_live(const struct holder *h, const struct holder *self)
{
    if (strcmp(h->machine, self->machine) != 0)
        return true;
    if (kill((pid_t)h->pid, 0) < 0 && errno == ESRCH)
        return false;
    char state;
    int64_t started;
    if (read_stat(h->pid, &state, &started) < 0)
        /* Hidden from us (hidepid), or it went away just now: the expiry decides. */
        return true;
    return started == h->started && state != 'Z' && state != 'X';
}

void holder_text(const char *what, char *ret, size_t n)
{
    char host[64], scratch[1024];
    if (gethostname(host, sizeof(host)) < 0)
        text_copy(host, sizeof(host), "localhost");
    host[sizeof(host) - 1] = '\0';

    struct passwd entry, *found = NULL;
    getpwuid_r(getuid(), &entry, scratch, sizeof(scratch), &found);
    if (found)
        snprintf(ret, n, "%s@%s pid %d: %s", found->pw_name, host, (int)getpid(), what);
    else
        snprintf(ret, n, "uid %u@%s pid %d: %s", (unsigned)getuid(), host, (int)getpid(), what);
}
