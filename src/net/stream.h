#pragma once

#include "base/err.h"
#include "net/tls.h"

#include <stddef.h>
#include <stdint.h>

struct loop;
struct resolver;

/*
 * Byte streams: one TCP connection each, with TLS from the beginning, later (what PostgreSQL and
 * mail servers do) or never. Non-blocking, on the loop.
 *
 * A dialer holds what streams share: the resolver and the trusted authorities. A stream looks its
 * host up, tries one address after the other (the next one when an address refuses or stays silent
 * for two seconds), and then calls `opened`, once. From there on bytes come by `received` and go by
 * stream_send. `ended` comes at most once, and last.
 *
 * Life cycle: stream_open .. stream_free, which may come at any time, also from inside the stream's
 * own callbacks: none follows. No callback comes from inside stream_open. One thread, the loop's.
 */
struct dialer;
struct dialer_options {
    const char *ca_file;     /* extra trust anchor for tests; NULL = the system's alone. Borrowed */
    const char *dns_servers; /* see resolve.h; NULL = the system's */
};
struct dialer *dialer_new(struct loop *loop, const struct dialer_options *o); /* o may be NULL */
void dialer_free(struct dialer *d); /* after its streams; NULL is fine */
struct resolver *dialer_resolver(const struct dialer *d);

struct stream;
struct stream_events {
    /* Connected, and TLS established when it was asked for. After stream_start_tls: once more. */
    void (*opened)(void *arg);
    void (*received)(const void *data, size_t len, void *arg); /* valid during the call */
    /* The peer closed (e->kind is ERR_NONE) or something failed: e says what, where, and what to
     * do. ERR_NET: no answer; ERR_REMOTE: an answer that says no; ERR_USAGE, ERR_STORE: the cause
     * is here (no host name, an unreadable ca_file, no more sockets). What stream_phases,
     * stream_certificate and stream_peer say stays until stream_free. */
    void (*ended)(const struct err *e, void *arg);
};

struct stream_options {
    const char *host; /* copied; a name or an address, IPv6 with or without brackets */
    uint16_t port;
    bool tls;          /* from the beginning */
    size_t max_unsent; /* 0 = 1 MiB */
};

struct stream *stream_open(struct dialer *d, const struct stream_options *o,
                           const struct stream_events *events, void *arg); /* borrows events */
void stream_free(struct stream *s); /* closes at once; NULL is fine */

/* On an opened stream without TLS: begins the handshake; `opened` or `ended` will come. Nothing may
 * be sent meanwhile. */
void stream_start_tls(struct stream *s);

/* Copies, and sends as the peer takes it. False: more than max_unsent would wait; nothing was taken
 * of it. Only after `opened`. On a stream that has ended it does nothing. */
bool stream_send(struct stream *s, const void *data, size_t len);

/* Microseconds from stream_open; -1 = not reached. Each is the end of its phase. */
struct stream_phases {
    int64_t lookup, connect, tls;
};
struct stream_phases stream_phases(const struct stream *s);
const char *stream_peer(const struct stream *s); /* "192.0.2.7:443"; "" until connecting to it */
bool stream_sent(const struct stream *s);        /* something left this machine */
bool stream_answered(const struct stream *s);    /* the host said something, be it a refusal */
/* What the peer showed, also when it was refused; NULL when there was none yet. */
const struct certificate *stream_certificate(const struct stream *s);
