#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A real Knot DNS or BIND, primary of the zone shop.example, that takes updates signed by the key
 * "mover" of names below it. On 127.0.0.1, in a folder of its own, ended by its pid.
 */
enum name_server_kind { KNOT, BIND };

#define MOVER_SECRET "c2VjcmV0IG9mIHRoZSBtb3ZlciBrZXksIDMyIGJ5dGVzIQ=="
#define OTHER_SECRET "YW5vdGhlciBzZWNyZXQsIHdoaWNoIGlzIG5vdCBpdHMgb25lISE="

struct name_server {
    enum name_server_kind kind;
    char dir[64];
    char address[32]; /* "127.0.0.1:PORT" */
    int port;
    pid_t pid;
};

static inline const char *name_server_program(enum name_server_kind kind)
{
    return kind == KNOT ? "/usr/sbin/knotd" : "/usr/sbin/named";
}

static inline bool name_server_installed(enum name_server_kind kind)
{
    return access(name_server_program(kind), X_OK) == 0;
}

/* One that is free by TCP and by UDP; somebody may take it before the server does. */
static inline int name_server_port(void)
{
    for (int i = 0; i < 50; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof a;
        int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
        bool good = bind(tcp, (struct sockaddr *)&a, len) == 0 &&
                    getsockname(tcp, (struct sockaddr *)&a, &len) == 0 &&
                    bind(udp, (struct sockaddr *)&a, len) == 0;

        close(tcp);
        close(udp);
        if (good)
            return ntohs(a.sin_port);
    }
    return 0;
}

static inline void name_server_write(const struct name_server *s, const char *name,
                                     const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        exit(99);
}

static inline void name_server_configure(const struct name_server *s)
{
    char text[4096];

    if (s->kind == KNOT)
        snprintf(text, sizeof text,
                 "server:\n  rundir: \"%s\"\n  listen: 127.0.0.1@%d\n"
                 "log:\n  - target: \"%s/log\"\n    any: debug\n"
                 "database:\n  storage: \"%s\"\n"
                 "key:\n  - id: mover\n    algorithm: hmac-sha256\n    secret: %s\n"
                 "acl:\n  - id: mover\n    key: mover\n    action: update\n"
                 "zone:\n  - domain: shop.example\n    storage: \"%s\"\n    file: zone\n"
                 "    acl: mover\n",
                 s->dir, s->port, s->dir, s->dir, MOVER_SECRET, s->dir);
    else
        snprintf(text, sizeof text,
                 "options { directory \"%s\"; pid-file \"pid\"; session-keyfile \"session.key\"; "
                 "managed-keys-directory \"%s\"; listen-on port %d { 127.0.0.1; }; "
                 "listen-on-v6 { none; }; recursion no; dnssec-validation no; };\n"
                 "controls { };\n"
                 "key \"mover\" { algorithm hmac-sha256; secret \"%s\"; };\n"
                 "zone \"shop.example\" { type primary; file \"zone\"; "
                 "update-policy { grant mover zonesub A AAAA CNAME; }; };\n",
                 s->dir, s->dir, s->port, MOVER_SECRET);
    name_server_write(s, "conf", text);
    name_server_write(s, "zone",
                      "$TTL 60\n"
                      "@ SOA ns1.shop.example. admin.shop.example. 1 3600 600 86400 60\n"
                      "@ NS ns1.shop.example.\n"
                      "ns1 A 127.0.0.1\n"
                      "api 300 CNAME uat.host.example.\n"
                      "address A 192.0.2.1\n"
                      "*.wild A 192.0.2.3\n"
                      "kill0 CNAME uat.host.example.\n"
                      "kill1 CNAME uat.host.example.\n"
                      "kill2 CNAME uat.host.example.\n"
                      "kill3 CNAME uat.host.example.\n"
                      "kill4 CNAME uat.host.example.\n"
                      "kill5 CNAME uat.host.example.\n"
                      "kill6 CNAME uat.host.example.\n"
                      "kill7 CNAME uat.host.example.\n"
                      "both A 192.0.2.1\n"
                      "both AAAA 2001:db8::1\n"
                      "many A 192.0.2.1\n"
                      "many A 192.0.2.2\n"
                      "noted A 192.0.2.1\n"
                      "noted TXT \"stays\"\n");
}

/* The library that the program faketime uses; NULL when it is not installed. */
static inline const char *name_server_faketime(void)
{
    static const char *const places[] = {"/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                                         "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

/* clock_off: by so many seconds its clock is wrong ("-7200"); NULL: it is right. */
static inline void name_server_run(struct name_server *s, const char *clock_off)
{
    const char *const knot[] = {"knotd", "-c", "conf", NULL};
    const char *const bind[] = {"named", "-f", "-c", "conf", "-L", "log", NULL};

    s->pid = fork();
    if (s->pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = chdir(s->dir) == 0 ? open("out", O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    dup2(out, 1);
    dup2(out, 2);
    if (clock_off) {
        setenv("LD_PRELOAD", name_server_faketime(), 1);
        setenv("FAKETIME", clock_off, 1);
    }
    execv(name_server_program(s->kind), (char *const *)(uintptr_t)(s->kind == KNOT ? knot : bind));
    _exit(99);
}

static inline bool name_server_answers(const struct name_server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)s->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool good = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;

    close(fd);
    return good;
}

static inline void name_server_await(struct name_server *s)
{
    const struct timespec pause = {.tv_nsec = 20000000};

    for (int i = 0; i < 1500 && !name_server_answers(s); i++)
        nanosleep(&pause, NULL);
}

static inline void name_server_start_with(struct name_server *s, enum name_server_kind kind,
                                          const char *clock_off)
{
    *s = (struct name_server){.kind = kind, .dir = "/tmp/trine-dns.XXXXXX"};
    if (!mkdtemp(s->dir))
        exit(99);
    s->port = name_server_port();
    snprintf(s->address, sizeof s->address, "127.0.0.1:%d", s->port);
    name_server_configure(s);
    name_server_run(s, clock_off);
    name_server_await(s);
}

static inline void name_server_start(struct name_server *s, enum name_server_kind kind)
{
    name_server_start_with(s, kind, NULL);
}

static inline void name_server_kill(struct name_server *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

static inline void name_server_stop(struct name_server *s)
{
    char command[128];

    name_server_kill(s);
    if (!getenv("TRINE_KEEP")) {
        snprintf(command, sizeof command, "rm -rf '%s'", s->dir);
        if (system(command) != 0) /* NOLINT(cert-env33-c): a folder of our own */
            printf("# %s is left\n", s->dir);
    }
}
