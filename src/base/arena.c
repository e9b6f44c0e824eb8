#include "base/arena.h"
#include "base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks grow with what was used, so that a big manifest takes few of them. */
enum { BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

void arena_release(struct arena *a)
{
    for (struct arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = ARENA_INIT;
}

static struct arena_block *add_block(struct arena *a, size_t at_least)
{
    size_t size = a->used < BLOCK_MIN ? BLOCK_MIN : a->used > BLOCK_MAX ? BLOCK_MAX : a->used;

    if (size < at_least)
        size = at_least;

    struct arena_block *b = mem_alloc(sizeof *b + size);

    b->size = size;
    b->next = a->head;
    a->head = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);

    if (size > SIZE_MAX / 2)
        abort(); /* no such memory exists; a length was computed wrongly */

    size_t rounded = (size + align - 1) / align * align;
    struct arena_block *b = a->head;

    if (!b || b->size - b->used < rounded)
        b = add_block(a, rounded);

    void *p = b->data + b->used;

    b->used += rounded;
    a->used += rounded;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        abort();
    return arena_alloc(a, total);
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = arena_alloc(a, len + 1);

    if (len > 0)
        memcpy(copy, s, len);
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();

    char *text = arena_alloc(a, (size_t)n + 1);

    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}
