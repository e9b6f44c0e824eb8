#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * HTTP messages as data: what a provider asks for and what a server answered. No I/O here; the
 * client is net/http_client.h.
 */

struct http_header {
    const char *name, *value;
};

/* A body is a list of parts, so that a file need never be in memory: its bytes are read (and turned
 * into base64) while they are sent. The total length is known before the first byte. */
enum http_part_kind { HTTP_PART_TEXT, HTTP_PART_FILE, HTTP_PART_FILE_BASE64 };
struct http_part {
    enum http_part_kind kind;
    const char *data; /* TEXT: the bytes; FILE*: the path */
    size_t len;       /* TEXT: bytes; FILE*: the file's size, which the sender checks */
};

/* Zero-initialised, then built with the functions below; http_request_release frees everything. One
 * that has only borrowed texts may be filled by hand, and needs no release.
 * `url` is absolute, or begins with '/' and is put behind the platform's base. */
struct http_request {
    struct arena arena;
    const char *method; /* "GET"; a literal */
    const char *url;
    const struct http_header *headers;
    size_t n_headers;
    struct http_part *parts;
    size_t n_parts;
    unsigned timeout_ms;   /* whole request; 0 = the client's default */
    unsigned connect_ms;   /* connecting; 0 = the client's default */
    size_t max_reply;      /* body bytes accepted; 0 = the client's default */
    bool fresh_connection; /* a probe: new connection, closed afterwards, all phases measured */
    bool follow_redirects; /* at most 5, http and https only, Authorization kept on the same host
                              only */
};

void http_request_release(struct http_request *r);
void http_request_url(struct http_request *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void http_request_header(struct http_request *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void http_request_text(struct http_request *r, const char *data, size_t len); /* copies */
void http_request_file(struct http_request *r, const char *path, size_t size, bool base64);
/* Sets Content-Type: application/json and appends the compact text of `json` (jansson), not
 * consumed. */
struct json_t;
void http_request_json(struct http_request *r, const struct json_t *json);
uint64_t http_request_length(const struct http_request *r); /* body bytes on the wire */
/* Value of the request header, case-insensitive, or NULL. */
const char *http_request_find(const struct http_request *r, const char *name);

/* True when it can be sent as it is: no line break in the value, which would begin a header, or a
 * request, of somebody else's choice. */
bool http_header_fits(const char *name, const char *value);

/* Phases in microseconds from the intended start; a phase that did not happen is -1. */
struct http_timing {
    int64_t queued;                                  /* lateness: intended start to real start */
    int64_t lookup, connect, tls, first_byte, total; /* each counted from the real start */
};

struct http_reply {
    int status;       /* 0: there was no answer; `err` says why */
    struct err err;   /* ERR_NONE, or: ERR_NET (no answer), ERR_REMOTE (too long or senseless),
                       * ERR_STORE (a file of the body; no descriptor or port left on this
                       * machine: nothing was sent); `retry` by the kind of failure */
    bool sent;        /* the request may have reached the peer: a repeat might do it twice */
    const char *body; /* NUL-terminated, never NULL */
    size_t len;
    const struct http_header *headers; /* names lower-case */
    size_t n_headers;
    struct http_timing timing;
    char peer[64]; /* address and port reached, "" when none */
};

/* First header of that name (case-insensitive) or NULL. */
const char *http_reply_header(const struct http_reply *r, const char *name);

/* Percent-decodes in place; false on a bad escape or an embedded NUL. */
bool http_percent_decode(char *s);

/* A loopback address, localhost or a name below it; without port and brackets. */
bool http_is_loopback(const char *host);

/* "https://host" for an ordinary host, "http://host" for a loopback name or address (RFC 6761
 * section 6.3: names under .localhost never leave the machine, and nobody issues certificates
 * for them). `host` may carry a port. ret holds 300 bytes. */
void http_origin_of_host(const char *host, char ret[300]);
