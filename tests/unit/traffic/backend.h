#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Small HTTP/1.1 servers and a client for tests, each a process of its own, so that they hang, die
 * and count while the test's loop does something else. What a server does is set while it runs,
 * through memory that it shares with the test; its port outlives its process.
 */
enum backend_mode {
    BACKEND_OK,
    BACKEND_503,
    BACKEND_GREY,  /* 503 on everything but /health */
    BACKEND_HANG,  /* takes requests and says nothing; those it took are answered when that ends */
    BACKEND_SLOW,  /* answers after `slow_ms` */
    BACKEND_RESET, /* takes the request and breaks the connection */
};

struct backend_shared {
    _Atomic int mode, slow_ms;
    _Atomic long requests, posts, checks; /* checks: /health, not among requests */
    _Atomic long wrong_hosts;             /* Host was not `host` */
    char host[64];
};

struct backend {
    const char *name;
    int listener, port;
    pid_t pid;
    struct backend_shared *shared;
};

enum { BACKEND_CONNECTIONS = 900, BACKEND_INPUT = 4096 };
struct backend_connection {
    size_t n;
    int64_t due_ms; /* of its answer; 0 = no request is waiting */
    int fd;
    bool is_check, is_tunnel;
    char in[BACKEND_INPUT];
};

static inline int64_t backend_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int backend_listen(int *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    a.sin_port = htons((uint16_t)*ret_port);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    *ret_port = ntohs(a.sin_port);
    return fd;
}

/* One that nobody listens on now, and that no outgoing connection is given meanwhile: below the
 * range that Linux takes those from. */
static inline int backend_free_port(void)
{
    for (unsigned i = 0;; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        unsigned port = 12000 + ((unsigned)getpid() * 37 + i * 101) % 20000;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, bad;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        a.sin_port = htons((uint16_t)port);
        bad = bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0;
        close(fd);
        if (!bad)
            return (int)port;
    }
}

static inline void backend_drop(struct backend_connection *c, bool reset)
{
    struct linger hard = {.l_onoff = 1};

    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(c->fd);
    c->fd = -1;
    c->due_ms = 0;
    c->n = 0;
}

static inline void backend_answer(const struct backend *b, struct backend_connection *c)
{
    int mode = b->shared->mode;
    bool bad = mode == BACKEND_503 || (mode == BACKEND_GREY && !c->is_check);
    char text[256];
    int n;

    /* The key that RFC 6455 has as its example; HAProxy wants its answer. */
    if (c->is_tunnel && !bad)
        n = snprintf(text, sizeof text,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    else
        n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
                     bad ? "503 Service Unavailable" : "200 OK", strlen(b->name), b->name);
    c->is_tunnel = c->is_tunnel && !bad;
    c->due_ms = 0;
    if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        backend_drop(c, false);
}

/* A whole request: headers, and a body of Content-Length. */
static inline bool backend_take(const struct backend *b, struct backend_connection *c)
{
    char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0, whole;
    char host[96];

    if (!end || c->n < (whole = (size_t)(end + 4 - c->in) + body))
        return false;
    c->is_check = strncmp(c->in, "GET /health ", 12) == 0;
    c->is_tunnel = strcasestr(c->in, "\r\nupgrade: websocket") != NULL;
    snprintf(host, sizeof host, "\r\nhost: %s\r\n", b->shared->host);
    if (!strcasestr(c->in, host))
        b->shared->wrong_hosts++;
    if (c->is_check)
        b->shared->checks++;
    else
        b->shared->requests++;
    b->shared->posts += strncmp(c->in, "POST ", 5) == 0;
    memmove(c->in, c->in + whole, c->n - whole + 1);
    c->n -= whole;
    return true;
}

static inline void backend_read(const struct backend *b, struct backend_connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->n, sizeof c->in - 1 - c->n, MSG_DONTWAIT);

    if (n <= 0) {
        backend_drop(c, false);
        return;
    }
    if (c->is_tunnel) { /* an echo */
        (void)!send(c->fd, c->in, (size_t)n, MSG_NOSIGNAL);
        return;
    }
    c->n += (size_t)n;
    c->in[c->n] = 0;
    if (!backend_take(b, c))
        return;
    c->due_ms = backend_now_ms() + (b->shared->mode == BACKEND_SLOW ? b->shared->slow_ms : 0);
    if (b->shared->mode == BACKEND_RESET)
        backend_drop(c, true);
}

static inline void backend_serve(const struct backend *b)
{
    static struct backend_connection all[BACKEND_CONNECTIONS];
    static struct pollfd fds[BACKEND_CONNECTIONS + 1];

    for (int i = 0; i < BACKEND_CONNECTIONS; i++)
        all[i].fd = -1;
    for (;;) {
        fds[0] = (struct pollfd){.fd = b->listener, .events = POLLIN};
        for (int i = 0; i < BACKEND_CONNECTIONS; i++)
            fds[i + 1] = (struct pollfd){.fd = all[i].fd, .events = POLLIN};
        poll(fds, BACKEND_CONNECTIONS + 1, 2);
        for (int i = 0; i < BACKEND_CONNECTIONS; i++) {
            struct backend_connection *c = &all[i];

            if (c->fd >= 0 && fds[i + 1].revents)
                backend_read(b, c);
            if (c->fd >= 0 && c->due_ms && b->shared->mode != BACKEND_HANG &&
                backend_now_ms() >= c->due_ms)
                backend_answer(b, c);
            if (c->fd < 0 && (fds[0].revents & POLLIN)) {
                *c = (struct backend_connection){.fd = accept(b->listener, NULL, NULL)};
                fds[0].revents = 0;
            }
        }
    }
}

/* In a child: keeps only its own listener (others would keep their ports open), and never outlives
 * the test. */
static inline void backend_alone(int keep)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd = 3; fd < 1024; fd++)
        if (fd != keep)
            close(fd);
}

static inline void backend_run(struct backend *b)
{
    fflush(stdout);
    b->pid = fork();
    if (b->pid == 0) {
        backend_alone(b->listener);
        backend_serve(b);
        _exit(0);
    }
}

/* "127.0.0.1:PORT" is what its Host header should say. */
static inline void backend_begin(struct backend *b, const char *name)
{
    *b = (struct backend){.name = name};
    b->shared =
        mmap(NULL, sizeof *b->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    b->listener = backend_listen(&b->port);
    snprintf(b->shared->host, sizeof b->shared->host, "127.0.0.1:%d", b->port);
    backend_run(b);
}

/* Nobody listens afterwards. */
static inline void backend_kill(struct backend *b)
{
    if (b->pid > 0) {
        kill(b->pid, SIGKILL);
        waitpid(b->pid, NULL, 0);
    }
    b->pid = 0;
    if (b->listener >= 0)
        close(b->listener);
    b->listener = -1;
}

static inline void backend_revive(struct backend *b)
{
    b->listener = backend_listen(&b->port);
    backend_run(b);
}

static inline void backend_end(struct backend *b)
{
    backend_kill(b);
    munmap(b->shared, sizeof *b->shared);
}

/* --- One request, waited for ------------------------------------------------------------------*/

static inline int client_connect(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Sends and reads an answer with a Content-Length; returns its status, or -1. */
static inline int client_exchange(int fd, const char *request, char *ret, size_t size)
{
    size_t n = 0, whole = 0;

    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        return -1;
    while (!whole || n < whole) {
        ssize_t got = recv(fd, ret + n, size - 1 - n, 0);
        char *end, *length;

        if (got <= 0)
            return -1;
        n += (size_t)got;
        ret[n] = 0;
        end = strstr(ret, "\r\n\r\n");
        length = strcasestr(ret, "\r\ncontent-length:");
        if (end)
            whole = (size_t)(end + 4 - ret) +
                    (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    }
    return (int)strtol(ret + 9, NULL, 10);
}

static inline int client_ask(int port, const char *request, char *ret, size_t size)
{
    int fd = client_connect(port), status;

    *ret = 0;
    if (fd < 0)
        return -1;
    status = client_exchange(fd, request, ret, size);
    close(fd);
    return status;
}

/* --- Load -------------------------------------------------------------------------------------*/

struct load_shared {
    _Atomic long sent, good, lost, slow; /* slow: over 250 ms */
    _Atomic bool stop;
};
enum { LOAD_PROCESSES = 4 };
struct load {
    struct load_shared *shared;
    pid_t pids[LOAD_PROCESSES];
    int port;
};

/* One request each 5 ms on a connection that is kept; opened again when it was closed. */
static inline void load_serve(const struct load *l, const char *request)
{
    char answer[2048];
    int fd = -1;

    while (!l->shared->stop) {
        int64_t began = backend_now_ms();
        int status;

        if (fd < 0)
            fd = client_connect(l->port);
        l->shared->sent++;
        status = fd < 0 ? -1 : client_exchange(fd, request, answer, sizeof answer);
        if (status == 200)
            l->shared->good++;
        else
            l->shared->lost++;
        l->shared->slow += backend_now_ms() - began > 250;
        if (status < 0 || strcasestr(answer, "\r\nconnection: close")) {
            if (fd >= 0)
                close(fd);
            fd = -1;
        }
        usleep(5000);
    }
    _exit(0);
}

static inline void load_begin(struct load *l, int port, const char *request)
{
    *l = (struct load){.port = port};
    l->shared =
        mmap(NULL, sizeof *l->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    for (int i = 0; i < LOAD_PROCESSES; i++) {
        l->pids[i] = fork();
        if (l->pids[i] == 0) {
            backend_alone(-1);
            load_serve(l, request);
        }
    }
}

/* After their last answers. */
static inline void load_end(struct load *l)
{
    l->shared->stop = true;
    for (int i = 0; i < LOAD_PROCESSES; i++)
        waitpid(l->pids[i], NULL, 0);
}
