#pragma once

#include <stdbool.h>

/* The parts of http(s)://host[:port]...; an IPv6 host without its brackets. Pure. */
struct origin {
    bool secure, here; /* here: on this machine (RFC 6761: localhost and all below it) */
    char host[256];
    int port; /* 1..65535, the scheme's own when none is given */
};

bool origin_read(const char *url, struct origin *ret); /* false: it is no such address */
