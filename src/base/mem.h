#pragma once

#include <stddef.h>

/* Allocation that aborts when memory is out: half of all branches vanish, and a supervisor
 * restarts a daemon. Free with free(). */
void *mem_alloc(size_t size);                   /* zeroed */
void *mem_array(size_t n, size_t size);         /* zeroed; aborts on overflow */
void *mem_grow(void *p, size_t n, size_t size); /* realloc to n items; aborts on overflow */
char *mem_strdup(const char *s);                /* NULL in, NULL out */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
