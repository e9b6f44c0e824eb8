#include "deploy/file_hash.h"

#include "base/mem.h"
#include "base/redact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A multiple of three, so that the base64 of the pieces is the base64 of the whole. */
enum { PIECE = 3 * 65536, PIECE_ENCODED = PIECE / 3 * 4 };

struct file_reader {
    const struct redactor *redactor;
    uint8_t secrets_id[SECRETS_ID_LEN];
    size_t overlap; /* bytes of the last piece that a secret could begin in */
    uint8_t *bytes; /* overlap, then the piece */
    char *encoded;
};

struct file_reader *file_reader_new(const struct redactor *r)
{
    struct file_reader *f = mem_alloc(sizeof(*f));
    size_t longest = redact_longest(r);

    f->redactor = r;
    redact_fingerprint(r, f->secrets_id);
    f->overlap = longest > 0 ? longest - 1 : 0;
    f->bytes = mem_alloc(f->overlap + PIECE);
    return f;
}

void file_reader_free(struct file_reader *f)
{
    if (!f)
        return;
    free(f->bytes);
    free(f->encoded);
    free(f);
}

/* An open descriptor of the very file that was walked, or -1. */
static int open_same(const struct file_wanted *w, struct err *e)
{
    const struct file_key *k = &w->key;
    struct stat st;
    int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return err_errno(e, ERR_MANIFEST, errno, "%s: cannot be read", w->path);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == k->device &&
        st.st_ino == k->inode && (uint64_t)st.st_size == k->size)
        return fd;
    (void)close(fd);
    return err_set(e, ERR_MANIFEST, "%s: changed while it was read; is a build still running?",
                   w->path);
}

/* Reads a whole piece; less only at the end of the file. */
static ssize_t read_piece(int fd, uint8_t *ret)
{
    size_t got = 0;

    while (got < PIECE) {
        ssize_t n = read(fd, ret + got, PIECE - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

struct digests {
    struct sha_stream *sha1;
    struct blake3_stream *pages; /* NULL when not wanted */
};

static void add_piece(struct file_reader *f, struct digests *d, const uint8_t *piece, size_t n)
{
    sha_add(d->sha1, piece, n);
    if (!d->pages)
        return;
    if (!f->encoded)
        f->encoded = mem_alloc(PIECE_ENCODED + 1);
    blake3_add(d->pages, f->encoded, base64_encode(piece, n, f->encoded));
}

static int search(const struct file_reader *f, const struct file_wanted *w, const uint8_t *from,
                  size_t n, struct err *e)
{
    const char *secret = "";

    if (!redact_find(f->redactor, from, n, &secret))
        return 0;
    return err_set(e, ERR_MANIFEST,
                   "%s: holds the value of the secret %s, which everybody could read there; take "
                   "it out of the build's environment and build again",
                   w->path, secret);
}

static int read_all(struct file_reader *f, const struct file_wanted *w, int fd, struct digests *d,
                    struct err *e)
{
    uint8_t *piece = f->bytes + f->overlap;
    uint64_t total = 0;
    size_t kept = 0; /* bytes of the piece before, right in front of this one */
    ssize_t n;

    while ((n = read_piece(fd, piece)) > 0) {
        size_t len = (size_t)n, have = kept + len;
        if (search(f, w, piece - kept, have, e) < 0)
            return -1;
        add_piece(f, d, piece, len);
        total += len;
        if (len < PIECE || total > w->key.size)
            break;
        kept = have < f->overlap ? have : f->overlap;
        memmove(piece - kept, piece + len - kept, kept);
    }
    if (n < 0)
        return err_errno(e, ERR_MANIFEST, errno, "%s: cannot be read", w->path);
    if (total != w->key.size)
        return err_set(e, ERR_MANIFEST, "%s: changed while it was read; is a build still running?",
                       w->path);
    return 0;
}

static void finish(struct digests *d, const struct file_wanted *w, struct file_hashes *ret)
{
    uint8_t digest[BLAKE3_LEN];

    sha_end(d->sha1, ret->sha1);
    ret->has_pages = d->pages != NULL;
    if (d->pages) {
        blake3_add(d->pages, w->key.extension, strlen(w->key.extension));
        blake3_end(d->pages, digest);
        memcpy(ret->pages, digest, PAGES_LEN);
    }
}

int file_hash(struct file_reader *f, const struct file_wanted *w, struct file_hashes *ret,
              struct err *e)
{
    struct file_hashes hashes = {0};
    struct digests d;
    int fd = open_same(w, e);

    if (fd < 0)
        return -1;
    if (w->key.size > PIECE)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    d = (struct digests){sha1_begin(), w->pages ? blake3_begin() : NULL};
    int rc = read_all(f, w, fd, &d, e);
    (void)close(fd);
    finish(&d, w, &hashes);
    if (rc == 0) {
        memcpy(hashes.secrets_id, f->secrets_id, SECRETS_ID_LEN);
        *ret = hashes;
    }
    return rc;
}
