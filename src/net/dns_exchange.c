#include "net/dns_exchange.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UDP_TRIES = 3 };

/* Waits for the socket until the deadline; -1 and errno ETIMEDOUT when it passes. */
static int wait_for(int fd, short events, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - clock_mono_ms(&clock_system);
        struct pollfd p = {.fd = fd, .events = events};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;

        if (n > 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ETIMEDOUT;
        return -1;
    }
}

/* -1 and errno. */
static int send_all(int fd, const uint8_t *data, size_t len, int64_t until_ms)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno != EINTR && (errno != EAGAIN || wait_for(fd, POLLOUT, until_ms) < 0)) {
            return -1;
        }
    }
    return 0;
}

static int receive_all(int fd, uint8_t *data, size_t len, int64_t until_ms)
{
    while (len > 0) {
        ssize_t n = recv(fd, data, len, 0);

        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (n == 0) {
            errno = ECONNRESET;
            return -1;
        } else if (errno != EINTR && (errno != EAGAIN || wait_for(fd, POLLIN, until_ms) < 0)) {
            return -1;
        }
    }
    return 0;
}

static int open_socket(const struct address *to, int kind)
{
    int fd = socket(to->any.sa_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, &to->any, to->len) < 0 && errno != EINPROGRESS) {
        int code = errno;

        close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

static int connected(int fd, int64_t until_ms)
{
    int code = 0;
    socklen_t len = sizeof code;

    if (wait_for(fd, POLLOUT, until_ms) < 0)
        return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
        return -1;
    errno = code;
    return code ? -1 : 0;
}

/* -1 and errno. */
static int by_tcp(const struct address *to, int64_t until_ms, const struct dns_message *m,
                  uint8_t *reply, size_t *ret_len)
{
    uint8_t size[2] = {(uint8_t)(m->len >> 8), (uint8_t)m->len};
    int fd = open_socket(to, SOCK_STREAM), code;
    bool good;

    if (fd < 0)
        return -1;
    good = connected(fd, until_ms) == 0 && send_all(fd, size, 2, until_ms) == 0 &&
           send_all(fd, m->bytes, m->len, until_ms) == 0 && receive_all(fd, size, 2, until_ms) == 0;
    if (good) {
        *ret_len = (size_t)size[0] << 8 | size[1];
        good = receive_all(fd, reply, *ret_len, until_ms) == 0;
    }
    code = errno;
    close(fd);
    errno = code;
    return good ? 0 : -1;
}

/* Datagrams get lost: sent again, three times in all. An answer to something else is none. */
static int by_udp(const struct address *to, int64_t until_ms, const struct dns_message *m,
                  uint8_t *reply, size_t *ret_len)
{
    int fd = open_socket(to, SOCK_DGRAM), code = ETIMEDOUT;
    int64_t step = (until_ms - clock_mono_ms(&clock_system)) / UDP_TRIES;
    bool good = false;

    if (fd < 0)
        return -1;
    for (int i = 1; i <= UDP_TRIES && !good && send(fd, m->bytes, m->len, MSG_NOSIGNAL) >= 0; i++) {
        int64_t until = until_ms - step * (UDP_TRIES - i);

        while (!good && wait_for(fd, POLLIN, until) == 0) {
            ssize_t n = recv(fd, reply, DNS_REPLY_MAX, 0);

            if (n < 0 && errno != EAGAIN && errno != EINTR)
                break;
            good = n >= 2 && memcmp(reply, m->bytes, 2) == 0;
            *ret_len = good ? (size_t)n : 0;
        }
        code = errno;
    }
    close(fd);
    errno = code;
    return good ? 0 : -1;
}

int dns_exchange(const struct address *to, unsigned timeout_ms, const struct dns_message *m,
                 uint8_t *reply, size_t *ret_len, struct err *e)
{
    int64_t until_ms = clock_mono_ms(&clock_system) + timeout_ms;
    char where[ADDRESS_TEXT];
    size_t n = 0;
    int rc = by_tcp(to, until_ms, m, reply, &n);

    if (rc < 0 && errno == ECONNREFUSED)
        rc = by_udp(to, until_ms, m, reply, &n);
    if (rc == 0) {
        *ret_len = n;
        return 0;
    }
    address_text(to, true, where);
    err_errno(e, ERR_NET, errno,
              "no answer from the DNS server at %s; check `server`, and that it can be reached by "
              "TCP from here",
              where);
    e->retry = true;
    return -1;
}
