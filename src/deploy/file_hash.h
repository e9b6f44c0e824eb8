#pragma once

#include "base/err.h"
#include "deploy/hash_cache.h"

struct redactor;

/*
 * Reads one file once, from begin to end, and computes everything that is wanted of its content.
 * Blocks on the disk: made for a pool thread. The buffer is the caller's, so that a worker that
 * hashes thousands of files allocates once.
 *
 * Pages' hash: the first 16 bytes of BLAKE3 over the base64 text of the content followed by the
 * file's extension (checked against what wrangler 4.164 sends).
 */
struct file_reader;                                            /* the buffers of one worker */
struct file_reader *file_reader_new(const struct redactor *r); /* NULL: no search for secrets */
void file_reader_free(struct file_reader *f);

struct file_wanted {
    const char *path;
    struct file_key key; /* as lstat said when the folder was walked */
    bool pages;
};

/* ERR_MANIFEST: unreadable, changed since it was walked, or holds a secret, which is named. */
int file_hash(struct file_reader *f, const struct file_wanted *w, struct file_hashes *ret,
              struct err *e);
