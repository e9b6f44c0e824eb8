#pragma once

#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>

/*
 * A growing byte string with a hard maximum, always NUL-terminated behind its length.
 *
 * Life cycle: buf_init .. buf_release, or buf_take to hand the bytes out. Not shared between
 * threads. Whatever comes from outside (a reply, a file, a child's output) is read into one of
 * these, so nothing from outside can take more memory than its reader stated. Running over the
 * maximum is sticky: later appends do nothing and buf_over() says so. Out of memory aborts.
 */
struct buf {
    char *data; /* never NULL after the first append; NUL-terminated */
    size_t len;
    size_t cap;
    size_t max; /* bytes, without the NUL */
    bool over;  /* something did not fit */
};

#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b); /* frees; the struct may be initialised again */
void buf_clear(struct buf *b);   /* keeps the memory */

/* Appends. What does not fit is dropped whole, and `over` is set. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

bool buf_over(const struct buf *b);
const char *buf_str(const struct buf *b); /* "" when empty; valid until the next append */

/* Hands the bytes to the caller, who frees them with free(); *b is empty afterwards. */
char *buf_take(struct buf *b, size_t *ret_len);

/* Reads a whole file of at most b->max bytes. ERR_MANIFEST names the path when it is missing,
 * unreadable or larger. */
int buf_read_file(struct buf *b, const char *path, struct err *e);

/* Writes `len` bytes to `path` so that a reader sees the old file or the whole new one: temporary
 * file beside it, fsync, rename. `mode` as in open(2). */
int file_write_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *e);

/* mkdir -p with mode 0700. */
int dir_make(const char *path, struct err *e);
