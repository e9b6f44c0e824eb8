#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A second real process: this program again, with arguments that its main() knows. It tells its
 * parent what it did by lines on standard output, and can wait for a line from it.
 */
struct child {
    FILE *lines; /* what it writes */
    pid_t pid;
    int to_child; /* closing it is the signal to go on */
};

static inline struct child child_start(const char *role, const char *dir)
{
    int up[2], down[2];
    char self[4096] = ""; /* by its real path: under valgrind the link itself leads to valgrind */
    if (pipe(up) < 0 || pipe(down) < 0 || readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        abort();
    struct child c = {.pid = fork()};
    if (c.pid == 0) {
        dup2(down[0], STDIN_FILENO);
        dup2(up[1], STDOUT_FILENO);
        for (int i = 0; i < 2; i++) {
            close(up[i]);
            close(down[i]);
        }
        execl(self, "child", role, dir, (char *)NULL);
        _exit(127);
    }
    close(up[1]);
    close(down[0]);
    c.lines = fdopen(up[0], "r");
    c.to_child = down[1];
    return c;
}

/* The next line without its newline, "" when it ended. */
static inline const char *child_line(struct child *c, char ret[256])
{
    if (!fgets(ret, 256, c->lines))
        ret[0] = '\0';
    for (char *at = ret; *at; at++)
        if (*at == '\n')
            *at = '\0';
    return ret;
}

static inline void child_go(struct child *c)
{
    close(c->to_child);
    c->to_child = -1;
}

/* Ends it with SIGKILL if need be, and collects it. Returns its wait status. */
static inline int child_end(struct child *c, int signal)
{
    int status = 0;
    if (signal)
        kill(c->pid, signal);
    waitpid(c->pid, &status, 0);
    fclose(c->lines);
    if (c->to_child >= 0)
        close(c->to_child);
    return status;
}

/* In the child: one line to the parent. */
static inline void child_say(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

/* In the child: until the parent says go, or is gone. */
static inline void child_wait(void)
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}
