#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

/*
 * Sends mail: SMTP (RFC 5321) by libcurl, on the loop's pool. One attempt a call; whether to try
 * again is the caller's affair. Certificates are verified. A name and password never go over a
 * connection that is not encrypted, unless it stays on this machine. At most two are sent at a
 * time, so that servers that hang leave threads of the pool to others; the rest wait in order.
 *
 * Life cycle: mailer_new .. mailer_free. One thread, the loop's.
 */
struct mailer;

struct mail_server {
    bool tls;                    /* smtps: encrypted from the first byte */
    const char *host;            /* without brackets */
    uint16_t port;               /* 0 = 465 with tls, else 587 with a user, else 25 */
    const char *user, *password; /* "" = none */
    const char *ca_file;         /* extra trust anchor for tests; NULL = the system's */
};

struct mail { /* borrowed during mail_send, which copies it */
    struct mail_server server;
    const char *from, *const *to; /* bare addresses */
    size_t n_to;
    const char *message; /* headers and text, CRLF, without the dots of RFC 5321 section 4.5.2 */
    size_t len;
    unsigned timeout_ms; /* for all of it; 0 = 30000 */
};

struct mail_reply {   /* valid during the call */
    int code;         /* of the server's last answer; 0 = it gave none */
    const char *said; /* that answer, one line */
    size_t
        refused; /* recipients that the server did not want, of those given; the others have it */
    struct err err; /* ERR_NONE: the server took it. Else names the server, never the password */
};
typedef void mail_done_fn(const struct mail_reply *r, void *arg);

struct mailer *mailer_new(struct loop *loop);
/* The callback comes once, never from inside. */
void mail_send(struct mailer *m, const struct mail *mail, mail_done_fn *fn, void *arg);
size_t mailer_pending(const struct mailer *m);
void mailer_free(struct mailer *m); /* drops what is under way without calling back; NULL is fine */

/* "smtp://[user[:password]@]host[:port]" taken apart: parts are percent-decoded and copied into
 * `ret`'s own memory. ERR_MANIFEST says what is wrong without quoting any of it. */
struct mail_address {
    bool tls;
    char host[256], user[256], password[512];
    uint16_t port;
};
int mail_address_read(const char *url, struct mail_address *ret, struct err *e);
