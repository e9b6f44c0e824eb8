#pragma once

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A DNS server that answers every question the same way (RFC 1035 section 4). */
enum dns_answer { DNS_ADDRESSES, DNS_NO_NAME, DNS_NO_DATA, DNS_REFUSED, DNS_GARBAGE, DNS_SILENCE };

struct dns_peer {
    int fd;
    enum dns_answer answer;
    int addresses; /* of each kind, for DNS_ADDRESSES: 192.0.2.1 .. and 2001:db8::1 .. */
    atomic_int asked;
    pthread_t thread;
    char servers[32]; /* for resolver_options */
};

enum { DNS_HEAD = 12, DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28 };

static inline size_t dns_add_address(uint8_t *at, int type, int number)
{
    static const uint8_t v4[4] = {192, 0, 2}, v6[16] = {0x20, 0x01, 0x0d, 0xb8};
    size_t len = type == DNS_TYPE_A ? sizeof v4 : sizeof v6;
    const uint8_t head[12] = {0xc0, DNS_HEAD, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)len};

    memcpy(at, head, sizeof head);
    memcpy(at + sizeof head, type == DNS_TYPE_A ? v4 : v6, len);
    at[sizeof head + len - 1] = (uint8_t)(number + 1);
    return sizeof head + len;
}

/* Turns the question in `m` into its answer; the answer's length. */
static inline size_t dns_make_answer(const struct dns_peer *p, uint8_t *m, size_t len)
{
    static const uint8_t codes[] = {0, 3, 0, 5, 0, 0};
    size_t end = DNS_HEAD;
    int type;

    while (end < len && m[end])
        end += 1u + m[end];
    end += 5; /* the root, type and class */
    type = m[end - 3];
    m[2] = 0x81;
    m[3] = (uint8_t)(0x80 | codes[p->answer]);
    memset(m + 6, 0, 6); /* neither authorities nor additions, such as EDNS */
    if (p->answer == DNS_GARBAGE) {
        memset(m + DNS_HEAD, 0xff, 40);
        return DNS_HEAD + 40;
    }
    if (p->answer != DNS_ADDRESSES)
        return end;
    m[7] = (uint8_t)p->addresses;
    for (int i = 0; i < p->addresses; i++)
        end += dns_add_address(m + end, type, i);
    return end;
}

static inline void *dns_peer_run(void *arg)
{
    struct dns_peer *p = arg;
    uint8_t m[4096];
    struct sockaddr_storage from;

    for (;;) {
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(p->fd, m, 512, 0, (struct sockaddr *)&from, &from_len);

        if (n < DNS_HEAD + 5)
            return NULL; /* dns_peer_stop sends one byte */
        p->asked++;
        if (p->answer != DNS_SILENCE)
            sendto(p->fd, m, dns_make_answer(p, m, (size_t)n), 0, (struct sockaddr *)&from,
                   from_len);
    }
}

static inline void dns_peer_start(struct dns_peer *p, enum dns_answer answer, int addresses)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;

    memset(p, 0, sizeof *p);
    p->answer = answer;
    p->addresses = addresses;
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(p->fd, (struct sockaddr *)&a, len) != 0 ||
        getsockname(p->fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    snprintf(p->servers, sizeof p->servers, "127.0.0.1:%u", ntohs(a.sin_port));
    pthread_create(&p->thread, NULL, dns_peer_run, p);
}

static inline void dns_peer_stop(struct dns_peer *p)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    getsockname(p->fd, (struct sockaddr *)&a, &len);
    sendto(fd, "", 1, 0, (struct sockaddr *)&a, len);
    pthread_join(p->thread, NULL);
    close(fd);
    close(p->fd);
}
