#include "net/stream.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/resolve.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_UNSENT = 1 << 20,
    PATIENCE_MS = 2000, /* with one address, while there is another */
    READ_BYTES = 65536,
    READS_A_TURN = 4, /* an endless peer must leave the others their time */
};

struct dialer {
    struct loop *loop;
    struct resolver *resolver;
    const char *ca_file;
    SSL_CTX *context; /* made for the first stream with TLS */
    char read_space[READ_BYTES];
};

enum stream_state { LOOKING_UP, CONNECTING, SHAKING_HANDS, OPEN, ENDED, FREED };

struct stream {
    struct dialer *dialer;
    enum stream_state state;
    const struct stream_events *events;
    void *arg;
    char *host;
    bool wants_tls, sent, answered;
    bool busy; /* in a callback after which the stream is looked at again: keep the memory */

    uint64_t lookup;
    struct address list[RESOLVE_MAX];
    size_t n, next; /* addresses; the one to be tried next */
    struct err last_refusal;

    int fd;
    uv_poll_t *poll;     /* NULL without a socket */
    struct timer *timer; /* patience with an address; then: go on in the next turn */
    struct tls tls;
    struct buf unsent;
    size_t gone; /* bytes of `unsent` that were sent */

    int64_t began_us;
    struct stream_phases phases;
    char peer[ADDRESS_TEXT];
    char place[320]; /* "host:port", for errors */
};

static void connect_next(struct stream *s);
static void socket_ready(uv_poll_t *poll, int status, int events);

/* ---- dialer ---- */

struct dialer *dialer_new(struct loop *loop, const struct dialer_options *o)
{
    struct dialer *d = mem_alloc(sizeof *d);
    struct resolver_options r = {.servers = o ? o->dns_servers : NULL};

    d->loop = loop;
    d->ca_file = o ? o->ca_file : NULL;
    d->resolver = resolver_new(loop, &r);
    return d;
}

void dialer_free(struct dialer *d)
{
    if (!d)
        return;
    resolver_free(d->resolver);
    SSL_CTX_free(d->context);
    free(d);
}

struct resolver *dialer_resolver(const struct dialer *d)
{
    return d->resolver;
}

/* ---- what all states use ---- */

static int64_t now_us(const struct stream *s)
{
    return clock_mono_us(loop_clock(s->dialer->loop)) - s->began_us;
}

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static void close_socket(struct stream *s)
{
    tls_end(&s->tls);
    if (s->poll)
        uv_close((uv_handle_t *)s->poll, poll_closed);
    if (s->fd >= 0)
        close(s->fd);
    s->poll = NULL;
    s->fd = -1;
}

static void watch(struct stream *s, int events)
{
    uv_poll_start(s->poll, events, socket_ready);
}

/* The last thing that happens to a stream. */
static void end(struct stream *s, const struct err *e)
{
    struct err copy = *e;

    close_socket(s);
    timer_stop(s->timer);
    s->state = ENDED;
    s->events->ended(&copy, s->arg);
}

static void end_errno(struct stream *s, int code, const char *what)
{
    struct err e = ERR_INIT;

    err_errno(&e, ERR_NET, code, "%s: %s", s->place, what);
    e.retry = true;
    end(s, &e);
}

static void end_closed(struct stream *s)
{
    struct err none = ERR_INIT;

    end(s, &none);
}

/* After a callback that may have freed the stream. */
static bool still_open(struct stream *s)
{
    s->busy = false;
    if (s->state == FREED)
        free(s);
    else if (s->state == OPEN)
        return true;
    return false;
}

/* ---- sending and receiving ---- */

static bool would_wait(int code)
{
    return code == EAGAIN || code == EINTR;
}

/* Bytes moved; 0: the peer closed; -1: later; -2: it failed, and errno says why. */
static ssize_t outcome(struct stream *s, ssize_t n)
{
    if (!s->tls.ssl)
        return n >= 0 ? n : would_wait(errno) ? -1 : -2;
    if (n > 0)
        return n;

    int saved = errno, kind = SSL_get_error(s->tls.ssl, (int)n);

    ERR_clear_error();
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return -1;
    if (kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && saved == 0))
        return 0;
    errno = kind == SSL_ERROR_SYSCALL ? saved : EPROTO;
    return -2;
}

static ssize_t receive(struct stream *s, void *space, size_t size)
{
    errno = 0;
    return outcome(s, s->tls.ssl ? SSL_read(s->tls.ssl, space, (int)size)
                                 : recv(s->fd, space, size, 0));
}

static ssize_t transmit(struct stream *s, const void *data, size_t len)
{
    errno = 0;
    return outcome(s, s->tls.ssl ? SSL_write(s->tls.ssl, data, (int)len)
                                 : send(s->fd, data, len, MSG_NOSIGNAL));
}

static void send_unsent(struct stream *s)
{
    while (s->gone < s->unsent.len) {
        ssize_t n = transmit(s, s->unsent.data + s->gone, s->unsent.len - s->gone);

        if (n <= 0) /* a peer that left is found by reading: its last words must be read, too */
            break;
        s->gone += (size_t)n;
    }
    if (s->gone == s->unsent.len) {
        buf_clear(&s->unsent);
        s->gone = 0;
    }
    watch(s, UV_READABLE | (s->unsent.len > 0 ? UV_WRITABLE : 0));
}

static void take_received(struct stream *s)
{
    char *space = s->dialer->read_space;

    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t n = receive(s, space, READ_BYTES);

        if (n == -1)
            return;
        if (n == 0) {
            end_closed(s);
            return;
        }
        if (n < 0) {
            end_errno(s, errno, "the connection broke");
            return;
        }
        s->busy = true;
        s->events->received(space, (size_t)n, s->arg);
        if (!still_open(s))
            return;
    }
    if (s->tls.ssl && SSL_has_pending(s->tls.ssl))
        timer_start(s->timer, 0); /* decrypted already: the socket will not tell of it */
}

bool stream_send(struct stream *s, const void *data, size_t len)
{
    if (s->state != OPEN)
        return true;
    if (s->gone > 0) {
        memmove(s->unsent.data, s->unsent.data + s->gone, s->unsent.len - s->gone);
        s->unsent.len -= s->gone;
        s->gone = 0;
    }
    if (len > s->unsent.max - s->unsent.len)
        return false;
    buf_add(&s->unsent, data, len);
    send_unsent(s);
    return true;
}

/* ---- TLS ---- */

static void opened(struct stream *s)
{
    s->state = OPEN;
    watch(s, UV_READABLE);
    s->busy = true;
    s->events->opened(s->arg);
    if (still_open(s) && s->tls.ssl && SSL_has_pending(s->tls.ssl))
        timer_start(s->timer, 0);
}

static void shake_hands(struct stream *s)
{
    struct err e = ERR_INIT;

    ERR_clear_error();
    errno = 0;

    int result = SSL_do_handshake(s->tls.ssl);
    int want = result == 1 ? SSL_ERROR_NONE : SSL_get_error(s->tls.ssl, result);

    if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE) {
        watch(s, want == SSL_ERROR_WANT_READ ? UV_READABLE : UV_WRITABLE);
        return;
    }
    if (result != 1) {
        tls_failed(&s->tls, result, &e);
        end(s, &e);
        return;
    }
    s->phases.tls = now_us(s);
    if (tls_check(&s->tls, &e) < 0)
        end(s, &e);
    else
        opened(s);
}

static void begin_tls(struct stream *s)
{
    struct dialer *d = s->dialer;
    struct err e = ERR_INIT;

    if (!d->context)
        d->context = tls_context_new(d->ca_file, &e);
    if (!d->context) {
        end(s, &e);
        return;
    }
    s->state = SHAKING_HANDS;
    tls_begin(&s->tls, d->context, s->fd, s->host, clock_wall_ms(loop_clock(d->loop)));
    shake_hands(s);
}

void stream_start_tls(struct stream *s)
{
    if (s->state != OPEN || s->tls.ssl)
        return;
    s->wants_tls = true;
    s->state = SHAKING_HANDS;
    timer_start(s->timer, 0); /* never a callback from inside */
}

/* ---- connecting ---- */

static void connected(struct stream *s)
{
    int one = 1;

    timer_stop(s->timer);
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s->answered = true;
    s->phases.connect = now_us(s);
    if (s->wants_tls)
        begin_tls(s);
    else
        opened(s);
}

/* No sockets, no memory, no port of our own left: nothing that the other side could do about. */
static bool is_ours(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM ||
           code == EADDRNOTAVAIL;
}

static void refused(struct stream *s, int code)
{
    err_errno(&s->last_refusal, is_ours(code) ? ERR_STORE : ERR_NET, code, "%s: cannot connect%s%s",
              s->place, s->peer[0] ? " to " : "", s->peer);
    s->last_refusal.retry = true;
    s->answered = s->answered || code == ECONNREFUSED || code == ECONNRESET;
    close_socket(s);
    connect_next(s);
}

static void connect_ended(struct stream *s)
{
    int code = 0;
    socklen_t len = sizeof code;

    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
        code = errno;
    if (code)
        refused(s, code);
    else
        connected(s);
}

static void connect_next(struct stream *s)
{
    if (s->next == s->n) {
        end(s, &s->last_refusal);
        return;
    }

    const struct address *a = &s->list[s->next++];

    address_text(a, true, s->peer);
    s->fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0) {
        refused(s, errno);
        return;
    }
    s->poll = mem_alloc(sizeof *s->poll);
    s->poll->data = s;
    if (uv_poll_init_socket(loop_uv(s->dialer->loop), s->poll, s->fd) != 0)
        abort(); /* it is a socket */
    s->state = CONNECTING;
    if (connect(s->fd, &a->any, a->len) < 0 && errno != EINPROGRESS) {
        refused(s, errno);
        return;
    }
    s->sent = true;
    watch(s, UV_WRITABLE);
    if (s->next < s->n)
        timer_start(s->timer, PATIENCE_MS);
    else
        timer_stop(s->timer);
}

static void looked_up(const struct resolved *r, void *arg)
{
    struct stream *s = arg;

    s->lookup = 0;
    s->sent = r->asked;
    if (r->n == 0) {
        s->answered = r->answered;
        end(s, &r->err);
        return;
    }
    s->phases.lookup = now_us(s);
    memcpy(s->list, r->list, r->n * sizeof *r->list);
    s->n = r->n;
    connect_next(s);
}

/* ---- events of the loop ---- */

static void socket_ready(uv_poll_t *poll, int status, int events)
{
    struct stream *s = poll->data;

    if (s->state == CONNECTING) {
        connect_ended(s);
    } else if (s->state == SHAKING_HANDS && s->tls.ssl) {
        shake_hands(s);
    } else if (s->state == OPEN) {
        if (events & UV_WRITABLE)
            send_unsent(s);
        if (status < 0 || (events & UV_READABLE))
            take_received(s);
    }
}

static void timer_over(void *arg)
{
    struct stream *s = arg;

    if (s->state == CONNECTING)
        refused(s, ETIMEDOUT);
    else if (s->state == SHAKING_HANDS && !s->tls.ssl)
        begin_tls(s);
    else if (s->state == OPEN)
        take_received(s);
}

/* ---- life ---- */

struct stream *stream_open(struct dialer *d, const struct stream_options *o,
                           const struct stream_events *events, void *arg)
{
    struct stream *s = mem_alloc(sizeof *s);

    s->dialer = d;
    s->events = events;
    s->arg = arg;
    s->host = mem_strdup(o->host);
    s->wants_tls = o->tls;
    s->fd = -1;
    buf_init(&s->unsent, o->max_unsent ? o->max_unsent : MAX_UNSENT);
    snprintf(s->place, sizeof s->place, "%.300s:%u", o->host, o->port);
    s->began_us = clock_mono_us(loop_clock(d->loop));
    s->phases = (struct stream_phases){-1, -1, -1};
    s->timer = timer_new(d->loop, timer_over, s);
    s->lookup = resolve_start(d->resolver, o->host, o->port, looked_up, s);
    return s;
}

void stream_free(struct stream *s)
{
    if (!s)
        return;
    resolve_cancel(s->dialer->resolver, s->lookup);
    close_socket(s);
    timer_free(s->timer);
    buf_release(&s->unsent);
    free(s->host);
    s->state = FREED;
    if (!s->busy)
        free(s);
}

struct stream_phases stream_phases(const struct stream *s)
{
    return s->phases;
}

const char *stream_peer(const struct stream *s)
{
    return s->peer;
}

bool stream_sent(const struct stream *s)
{
    return s->sent;
}

bool stream_answered(const struct stream *s)
{
    return s->answered;
}

const struct certificate *stream_certificate(const struct stream *s)
{
    return s->tls.facts.end_ms ? &s->tls.facts : NULL;
}
