#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Numbers as bytes, in what is kept: varints (7 bits a byte, lowest first, high bit = more
 * follows). A reader never reads behind its end; what does not fit marks it bad, and it then gives
 * zeros.
 */
struct wire_reader {
    const uint8_t *at, *end;
    bool bad;
};

static inline void wire_put(struct buf *out, uint64_t v)
{
    char bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (char)(0x80 | (v & 0x7f));
    bytes[n++] = (char)v;
    buf_add(out, bytes, n);
}

/* At most `max`; one number has one writing only. */
static inline uint64_t wire_get(struct wire_reader *r, uint64_t max)
{
    uint64_t v = 0;
    for (int i = 0; i < 10 && r->at < r->end; i++) {
        uint8_t byte = *r->at++;
        if (i == 9 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            r->bad |= v > max || (byte == 0 && i > 0);
            return r->bad ? 0 : v;
        }
    }
    r->bad = true;
    return 0;
}

/* Small numbers of either sign to small ones: 0, -1, 1, -2, ... */
static inline uint64_t wire_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t wire_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
