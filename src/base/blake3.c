#include "base/hash.h"
#include "base/mem.h"

#include <blake3.h>
#include <stdlib.h>

struct blake3_stream {
    blake3_hasher hasher;
};

struct blake3_stream *blake3_begin(void)
{
    struct blake3_stream *s = mem_alloc(sizeof *s);

    blake3_hasher_init(&s->hasher);
    return s;
}

void blake3_add(struct blake3_stream *s, const void *data, size_t len)
{
    blake3_hasher_update(&s->hasher, data, len);
}

void blake3_end(struct blake3_stream *s, uint8_t ret[BLAKE3_LEN])
{
    blake3_hasher_finalize(&s->hasher, ret, BLAKE3_LEN);
    free(s);
}
