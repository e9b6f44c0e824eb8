#pragma once

#include "net/http.h"

#include <stdint.h>

/*
 * The bytes of a request's body, in pieces of at most 64 KiB, from any place on: what the HTTP
 * client feeds to libcurl. Files are opened when their turn comes. http_body_init ..
 * http_body_release; borrows the request. Only inside net/.
 */
struct http_body {
    const struct http_request *request;
    size_t part;     /* index of the part that is being read */
    uint64_t offset; /* bytes of that part already given out, as they are on the wire */
    int fd;          /* of that part; -1 when it is not open */
    char *encoded;   /* base64 of the piece read last */
    size_t encoded_len, encoded_at;
};

void http_body_init(struct http_body *b, const struct http_request *request);
void http_body_release(struct http_body *b);

/* Looks at every file. ERR_STORE names one that is missing, unreadable or of another size. */
int http_body_check(const struct http_request *request, struct err *e);

/* Up to `size` bytes into ret; 0 at the end; -1 and ERR_STORE when a file fails or has shrunk. */
int64_t http_body_read(struct http_body *b, char *ret, size_t size, struct err *e);

/* Goes on from byte `offset` of the whole body; -1 when it is beyond the end. */
int http_body_seek(struct http_body *b, uint64_t offset);
