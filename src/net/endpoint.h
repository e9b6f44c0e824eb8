#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a URL leads, for connections that are not libcurl's. Pure; no name is looked up. */
struct endpoint {
    char scheme[16]; /* lower case; "" when only a host was given */
    char host[256];  /* without brackets */
    uint16_t port;
    char target[2048]; /* path and query as they go on the wire; at least "/" */
};

/* Reads "scheme://[user@]host[:port][/path][?query]", "host:port" or "host". `port` is what counts
 * when none is written: 0 = the scheme's own (80, 443). False when it is none of these, or too
 * long. User and password are left out. */
bool endpoint_read(const char *url, uint16_t port, struct endpoint *ret);

/* "shop.example:8443", or "shop.example" at the port `usual`; the value of a Host header. */
void endpoint_host(const struct endpoint *e, uint16_t usual, char ret[280]);
