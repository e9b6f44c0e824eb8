/*
 * A backend that can be broken: answers every request with its own name and a commit, so that
 * `trine deploy` finds it live. One thread, epoll; made for some thousand requests a second.
 *
 * usage: failover_backend NAME PORT COMMIT SECONDS
 *
 * Signals change how it answers, each also back: USR1: 503 to everything; USR2: every answer 2 s
 * late; HUP: grey, 503 to everything but /health; WINCH: 30 % of the answers to anything but
 * /health are 500. STOP and CONT (the kernel's own) make it hang; KILL ends it. It ends by itself
 * after SECONDS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { PEERS_MAX = 16384, ASKED_MAX = 4096, EVENTS = 256, LATE_MS = 2000, LATE_MAX = 65536 };

struct peer {
    size_t len;
    char asked[ASKED_MAX];
};

struct late { /* an answer that waits for its time; they come in the order of their times */
    int fd;
    uint32_t generation;
    int64_t at_ms;
    bool healthy;
};

struct backend {
    const char *name, *commit;
    int epoll, listener, signals;
    bool broken, slow, grey, flaky;
    unsigned seed;
    struct peer *peers[PEERS_MAX];
    uint32_t generation[PEERS_MAX]; /* of the connection behind a number */
    struct late *late;
    size_t late_first, late_n;
};

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void drop(struct backend *b, int fd)
{
    free(b->peers[fd]);
    b->peers[fd] = NULL;
    b->generation[fd]++;
    (void)close(fd);
}

static int status_of(struct backend *b, bool healthy)
{
    if (b->broken || (b->grey && !healthy))
        return 503;
    b->seed = b->seed * 1103515245U + 12345U;
    return b->flaky && !healthy && (b->seed >> 16) % 100 < 30 ? 500 : 200;
}

static void answer(struct backend *b, int fd, bool healthy)
{
    char body[160], text[400];
    int status = status_of(b, healthy);
    int n = snprintf(body, sizeof(body), "{\"status\":\"%s\",\"commit\":\"%s\",\"name\":\"%s\"}",
                     status == 200 ? "ok" : "broken", b->commit, b->name);
    int len = snprintf(text, sizeof(text),
                       "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                       "X-Backend: %s\r\n\r\n%s",
                       status, status == 200 ? "OK" : "Broken", n, b->name, body);

    if (write(fd, text, (size_t)len) != len)
        drop(b, fd);
}

static void answer_or_wait(struct backend *b, int fd, bool healthy)
{
    if (!b->slow || b->late_n == LATE_MAX) {
        answer(b, fd, healthy);
        return;
    }
    b->late[(b->late_first + b->late_n++) % LATE_MAX] =
        (struct late){fd, b->generation[fd], now_ms() + LATE_MS, healthy};
}

static void answer_late(struct backend *b)
{
    while (b->late_n && b->late[b->late_first].at_ms <= now_ms()) {
        const struct late l = b->late[b->late_first];
        b->late_first = (b->late_first + 1) % LATE_MAX;
        b->late_n--;
        if (b->generation[l.fd] == l.generation && b->peers[l.fd])
            answer(b, l.fd, l.healthy);
    }
}

/* Whole requests without a body, one after another on a kept connection. */
static void take(struct backend *b, int fd)
{
    struct peer *p = b->peers[fd];
    ssize_t got = read(fd, p->asked + p->len, sizeof(p->asked) - 1 - p->len);

    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            drop(b, fd);
        return;
    }
    p->len += (size_t)got;
    p->asked[p->len] = '\0';
    for (char *end; b->peers[fd] && (end = strstr(p->asked, "\r\n\r\n"));) {
        bool healthy =
            strncmp(strchr(p->asked, ' ') ? strchr(p->asked, ' ') + 1 : "", "/health", 7) == 0;
        size_t used = (size_t)(end + 4 - p->asked);
        memmove(p->asked, p->asked + used, p->len - used + 1);
        p->len -= used;
        answer_or_wait(b, fd, healthy);
    }
    if (b->peers[fd] && p->len == sizeof(p->asked) - 1)
        drop(b, fd);
}

static void let_in(struct backend *b)
{
    int one = 1;

    for (int fd; (fd = accept4(b->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct epoll_event v = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= PEERS_MAX || !(b->peers[fd] = calloc(1, sizeof(struct peer)))) {
            (void)close(fd);
            continue;
        }
        b->generation[fd]++;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        (void)epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &v);
    }
}

static void told(struct backend *b)
{
    struct signalfd_siginfo i;

    while (read(b->signals, &i, sizeof(i)) == (ssize_t)sizeof(i)) {
        b->broken ^= i.ssi_signo == SIGUSR1;
        b->slow ^= i.ssi_signo == SIGUSR2;
        b->grey ^= i.ssi_signo == SIGHUP;
        b->flaky ^= i.ssi_signo == SIGWINCH;
    }
}

static int begin(struct backend *b, uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct epoll_event v = {.events = EPOLLIN};
    sigset_t set;
    int one = 1;

    b->late = calloc(LATE_MAX, sizeof(*b->late));
    b->epoll = epoll_create1(EPOLL_CLOEXEC);
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(b->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1), (void)sigaddset(&set, SIGUSR2);
    (void)sigaddset(&set, SIGHUP), (void)sigaddset(&set, SIGWINCH);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    b->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (!b->late || bind(b->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(b->listener, 4096) < 0)
        return -1;
    v.data.fd = b->listener;
    (void)epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->listener, &v);
    v.data.fd = b->signals;
    return epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->signals, &v);
}

int main(int argc, char **argv)
{
    static struct backend b;
    struct epoll_event events[EVENTS];

    if (argc != 5) {
        (void)fprintf(stderr, "usage: failover_backend NAME PORT COMMIT SECONDS\n");
        return 2;
    }
    b.name = argv[1];
    b.commit = argv[3];
    (void)signal(SIGPIPE, SIG_IGN);
    if (begin(&b, (uint16_t)strtol(argv[2], NULL, 10)) < 0) {
        (void)fprintf(stderr, "failover_backend: port %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    for (int64_t end = now_ms() + strtol(argv[4], NULL, 10) * 1000; now_ms() < end;) {
        int n = epoll_wait(b.epoll, events, EVENTS, b.late_n ? 5 : 1000);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == b.listener)
                let_in(&b);
            else if (fd == b.signals)
                told(&b);
            else if (b.peers[fd])
                take(&b, fd);
        }
        answer_late(&b);
    }
    return 0;
}
