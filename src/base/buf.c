#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = BUF_INIT(max);
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->over = false;
    if (b->data)
        b->data[0] = '\0';
}

/* Makes room for `len` more bytes and the NUL; false when that would go over the maximum. */
static bool make_room(struct buf *b, size_t len)
{
    if (b->over || len > b->max - b->len) {
        b->over = true;
        return false;
    }

    size_t need = b->len + len + 1;

    if (need <= b->cap)
        return true;

    size_t cap = b->cap ? b->cap : FIRST_CAP;

    while (cap < need)
        cap = cap > b->max / 2 ? b->max + 1 : cap * 2;
    if (cap < need)
        cap = need;
    b->data = mem_grow(b->data, cap, 1);
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (!make_room(b, len))
        return;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(b, fmt, ap);
    va_end(ap);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        b->over = true;
    else if (make_room(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

bool buf_over(const struct buf *b)
{
    return b->over;
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b, size_t *ret_len)
{
    char *data = b->data ? b->data : mem_alloc(1);

    if (ret_len)
        *ret_len = b->len;
    *b = BUF_INIT(b->max);
    return data;
}
