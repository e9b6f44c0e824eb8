#include "net/http_body.h"
#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 49152, PIECE_ENCODED = PIECE / 3 * 4 }; /* 48 KiB are 64 KiB in base64 */

void http_body_init(struct http_body *b, const struct http_request *request)
{
    *b = (struct http_body){.request = request, .fd = -1};
}

static void close_part(struct http_body *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
    b->offset = 0;
    b->encoded_len = b->encoded_at = 0;
}

void http_body_release(struct http_body *b)
{
    close_part(b);
    free(b->encoded);
    b->encoded = NULL;
}

static uint64_t wire_length(const struct http_part *p)
{
    struct http_part copy = *p;

    return http_request_length(&(struct http_request){.parts = &copy, .n_parts = 1});
}

/* An open descriptor of a file that has the promised size, or -1. */
static int open_file(const struct http_part *p, struct err *e)
{
    struct stat st;
    int fd = open(p->data, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(e, ERR_STORE, errno, "%s: cannot open for upload", p->data);
    if (fstat(fd, &st) < 0)
        err_errno(e, ERR_STORE, errno, "%s: cannot read for upload", p->data);
    else if (!S_ISREG(st.st_mode))
        err_set(e, ERR_STORE, "%s: is no ordinary file; cannot upload it", p->data);
    else if ((uint64_t)st.st_size != p->len)
        err_set(e, ERR_STORE, "%s: changed from %zu to %" PRId64 " bytes; build and start again",
                p->data, p->len, (int64_t)st.st_size);
    else
        return fd;
    close(fd);
    return -1;
}

int http_body_check(const struct http_request *request, struct err *e)
{
    for (size_t i = 0; i < request->n_parts; i++) {
        if (request->parts[i].kind == HTTP_PART_TEXT)
            continue;

        int fd = open_file(&request->parts[i], e);

        if (fd < 0)
            return -1;
        close(fd);
    }
    return 0;
}

/* Reads from the file's byte `at` on, as much as there should be up to `size`. */
static int64_t read_file(struct http_body *b, const struct http_part *p, uint64_t at, char *ret,
                         size_t size, struct err *e)
{
    size_t got = 0;

    if (b->fd < 0 && (b->fd = open_file(p, e)) < 0)
        return -1;
    if (size > p->len - at)
        size = (size_t)(p->len - at);
    while (got < size) {
        ssize_t n = pread(b->fd, ret + got, size - got, (off_t)(at + got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_STORE, errno, "%s: cannot read for upload", p->data);
        if (n == 0)
            return err_set(e, ERR_STORE, "%s: became shorter while it was uploaded; start again",
                           p->data);
        got += (size_t)n;
    }
    return (int64_t)got;
}

static int64_t read_base64(struct http_body *b, const struct http_part *p, char *ret, size_t size,
                           struct err *e)
{
    if (b->encoded_at == b->encoded_len) {
        uint8_t raw[PIECE];
        int64_t n = read_file(b, p, b->offset / 4 * 3, (char *)raw, sizeof raw, e);

        if (n < 0)
            return -1;
        if (!b->encoded)
            b->encoded = mem_array(PIECE_ENCODED + 1, 1);
        b->encoded_len = base64_encode(raw, (size_t)n, b->encoded);
        b->encoded_at = b->offset % 4; /* after a seek into a group of four */
    }
    if (size > b->encoded_len - b->encoded_at)
        size = b->encoded_len - b->encoded_at;
    memcpy(ret, b->encoded + b->encoded_at, size);
    b->encoded_at += size;
    return (int64_t)size;
}

static int64_t read_part(struct http_body *b, const struct http_part *p, char *ret, size_t size,
                         struct err *e)
{
    switch (p->kind) {
    case HTTP_PART_TEXT:
        if (size > p->len - b->offset)
            size = (size_t)(p->len - b->offset);
        memcpy(ret, p->data + b->offset, size);
        return (int64_t)size;
    case HTTP_PART_FILE:
        return read_file(b, p, b->offset, ret, size, e);
    case HTTP_PART_FILE_BASE64:
        return read_base64(b, p, ret, size, e);
    }
    return -1;
}

int64_t http_body_read(struct http_body *b, char *ret, size_t size, struct err *e)
{
    while (b->part < b->request->n_parts) {
        const struct http_part *p = &b->request->parts[b->part];

        if (b->offset < wire_length(p)) {
            int64_t n = read_part(b, p, ret, size, e);

            if (n > 0)
                b->offset += (uint64_t)n;
            return n;
        }
        close_part(b);
        b->part++;
    }
    return 0;
}

int http_body_seek(struct http_body *b, uint64_t offset)
{
    close_part(b);
    for (b->part = 0; b->part < b->request->n_parts; b->part++) {
        uint64_t len = wire_length(&b->request->parts[b->part]);

        if (offset < len) {
            b->offset = offset;
            return 0;
        }
        offset -= len;
    }
    return offset == 0 ? 0 : -1;
}
