#pragma once

#include <stddef.h>

/*
 * Memory that is freed all at once: a manifest, a plan, a request. arena_init .. arena_release.
 * Pointers stay valid until arena_release. Zeroed, aligned for any type. Out of memory aborts.
 */
struct arena_block;
struct arena {
    struct arena_block *head;
    size_t used; /* bytes handed out, for bounds and tests */
};

#define ARENA_INIT ((struct arena){0})

void arena_release(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size); /* aborts on overflow of n * size */
char *arena_strdup(struct arena *a, const char *s);        /* NULL in, NULL out */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
