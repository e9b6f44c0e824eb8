#pragma once

#include "../net/certificates.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Real servers for checks to ask, each in a folder of its own, on 127.0.0.1 and a port that was
 * free. A server that will not run as root (PostgreSQL) runs as the system's user for it. Ended by
 * pid, the folder removed by program.
 */
struct server {
    pid_t pid;
    unsigned port;
    char dir[64];
    uid_t user; /* 0 = as we are */
    gid_t group;
};

static inline unsigned server_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    close(fd);
    return ntohs(a.sin_port);
}

static inline void server_prepare(struct server *s, const char *user)
{
    const struct passwd *p = user && geteuid() == 0 ? getpwnam(user) : NULL;

    *s = (struct server){.port = server_free_port(), .dir = "/tmp/trine-server-XXXXXX"};
    if (!mkdtemp(s->dir))
        abort();
    if (p) {
        s->user = p->pw_uid;
        s->group = p->pw_gid;
        if (chown(s->dir, s->user, s->group) != 0)
            abort();
    }
}

/* A file in the server's folder that only the server may read. */
static inline void server_write(const struct server *s, const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, 0600) != 0 ||
        (s->user && chown(path, s->user, s->group) != 0))
        abort();
}

/* server.crt and server.key, for 127.0.0.1 and localhost. */
static inline void server_certificate(const struct server *s, const struct authority *issuer)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    long when[2] = {-3600, 86400L * 30};
    X509 *cert = certificate_make(key, "server", "IP:127.0.0.1,DNS:localhost", issuer, when);
    char path[PATH_MAX];
    FILE *f;

    server_write(s, "server.crt", "");
    server_write(s, "server.key", "");
    snprintf(path, sizeof(path), "%s/server.crt", s->dir);
    f = fopen(path, "w");
    if (!f || !PEM_write_X509(f, cert) || fclose(f) != 0)
        abort();
    snprintf(path, sizeof(path), "%s/server.key", s->dir);
    f = fopen(path, "w");
    if (!f || !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) || fclose(f) != 0)
        abort();
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Runs argv in the server's folder, as its user; what it says goes to a file there. */
static inline pid_t server_spawn(const struct server *s, const char *const *argv)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    if (chdir(s->dir) != 0)
        _exit(126);
    int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    if (s->user && (fchown(log, s->user, s->group) != 0 || setgroups(0, NULL) != 0 ||
                    setgid(s->group) != 0 || setuid(s->user) != 0))
        _exit(126);
    setenv("LC_ALL", "C", 1);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static inline bool server_run(const struct server *s, const char *const *argv)
{
    int status = -1;
    pid_t pid = server_spawn(s, argv);

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static inline bool server_listens(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

    close(fd);
    return yes;
}

static inline void server_show_log(const struct server *s)
{
    char path[PATH_MAX], line[400];

    snprintf(path, sizeof(path), "%s/log", s->dir);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        printf("# server: %s", line);
    if (f)
        fclose(f);
}

/* Until `ready` says so; false when the server ended instead. */
static inline bool server_await(struct server *s, bool (*ready)(const struct server *s))
{
    while (!ready(s)) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            server_show_log(s);
            return false;
        }
        usleep(20000);
    }
    return true;
}

static inline void server_end(struct server *s)
{
    const char *const remove[] = {"/bin/rm", "-rf", s->dir, NULL};
    pid_t pid = -1;

    if (s->pid > 0) {
        kill(s->pid, SIGCONT);
        kill(s->pid, SIGQUIT);
        kill(s->pid, SIGTERM);
        waitpid(s->pid, NULL, 0);
    }
    if (s->dir[0] && (pid = fork()) == 0) {
        execv(remove[0], (char *const *)(uintptr_t)remove);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}
