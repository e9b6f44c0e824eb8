#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A server that does as badly as a test wants: a thread of its own takes one connection after the
 * other and hands each to a function that reads and writes the bare socket.
 */
struct peer {
    int fd;
    unsigned port;
    void (*serve)(int fd, void *arg);
    void *arg;
    int served; /* connections taken; read it after peer_stop */
    pthread_t thread;
    char base[64];
};

static inline void *peer_run(void *arg)
{
    struct peer *p = arg;

    for (;;) {
        int fd = accept(p->fd, NULL, NULL);

        if (fd < 0)
            return NULL; /* peer_stop */
        p->served++;
        p->serve(fd, p->arg);
        close(fd);
    }
}

static inline void peer_start(struct peer *p, void (*serve)(int fd, void *arg), void *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;

    memset(p, 0, sizeof *p);
    p->serve = serve;
    p->arg = arg;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(p->fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(p->fd, 64) != 0 ||
        getsockname(p->fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    p->port = ntohs(a.sin_port);
    snprintf(p->base, sizeof p->base, "http://127.0.0.1:%u", p->port);
    pthread_create(&p->thread, NULL, peer_run, p);
}

static inline void peer_stop(struct peer *p)
{
    shutdown(p->fd, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->fd);
}

/* Reads up to the end of a request's head (and whatever came with it); bytes read. */
static inline size_t peer_read_head(int fd, char *ret, size_t size)
{
    size_t len = 0;

    ret[0] = '\0';
    while (len + 1 < size && !strstr(ret, "\r\n\r\n")) {
        ssize_t n = recv(fd, ret + len, size - 1 - len, 0);

        if (n <= 0)
            break;
        len += (size_t)n;
        ret[len] = '\0';
    }
    return len;
}

/* False when the other side is gone. */
static inline bool peer_write(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static inline void peer_say(int fd, const char *text)
{
    peer_write(fd, text, strlen(text));
}

/* Returns when the other side has closed. */
static inline void peer_wait_gone(int fd)
{
    char bytes[4096];

    while (recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
}
