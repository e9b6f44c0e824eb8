#pragma once

#include "base/err.h"
#include "provider/provider.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is deployed: folders of ready-made files, walked, read once, hashed the way the platforms
 * hash, and searched for secrets on the way.
 *
 *     bundle_set_new
 *     bundle_set_add     for each folder: its files, checked by name and kind
 *     bundle_set_hash    all of them at once, on the loop's thread pool
 *     bundle_set_get     the bundle, or why it is refused
 *     bundle_check       against a platform's limits
 *     bundle_set_sign    the same bundle plus trine's own file, one for each deployment
 *     bundle_set_free    everything above goes with it
 *
 * Memory is proportional to the number of files, never to their size: while hashing, each worker
 * has one buffer of less than a megabyte. One thread, the loop's; the pool is used inside.
 */
struct bundle_set;
struct hash_cache;
struct loop;
struct redactor;

enum { BUNDLE_MOST_FILES = 200000 };

/* Which hashes beside SHA-1 (always there) are needed. */
enum { BUNDLE_PAGES = 1 };

struct bundle_set *bundle_set_new(void);
void bundle_set_free(struct bundle_set *s); /* NULL is fine; not while hashing */

/* Walks `dir` and puts the number of its bundle into *ret; a folder that was added before keeps its
 * number, and `flags` add up. Left out at any depth: .git and .DS_Store. A symbolic link to a file
 * inside the folder stands for that file.
 *
 * ERR_MANIFEST, with the file named: no such folder, no file in it, more than BUNDLE_MOST_FILES, a
 * link that leaves the folder or leads to a folder or nowhere, anything that is neither file nor
 * folder, a name that is not UTF-8, holds a control character or a backslash, or is trine's own. */
int bundle_set_add(struct bundle_set *s, const char *dir, unsigned flags, size_t *ret,
                   struct err *e);

struct bundle_hash_options {
    struct loop *loop;
    struct hash_cache *cache;        /* hash_cache.h; NULL: every file is read */
    const struct redactor *redactor; /* NULL: no search; unchanged until `done` */
    unsigned workers;                /* 0: one a processor */
};

/* Hashes what was added and is not hashed yet. Files are read once even when several bundles hold
 * them (links, the same inode). Calls `done` from the loop, never from inside this call. */
void bundle_set_hash(struct bundle_set *s, const struct bundle_hash_options *o,
                     void (*done)(void *arg), void *arg);

/* Bytes and files really read so far (not found in the cache), for progress. */
void bundle_set_progress(const struct bundle_set *s, uint64_t *ret_bytes, size_t *ret_files);

/* After hashing. ERR_MANIFEST: a file (named) holds a secret (named), is unreadable, or changed
 * while it was read. The bundle is valid until bundle_set_free. */
int bundle_set_get(const struct bundle_set *s, size_t number, const struct bundle **ret,
                   struct err *e);

/* ERR_MANIFEST when a file is larger, or their number is, than the platform takes. */
int bundle_check(const struct bundle *b, const struct provider_ops *ops, struct err *e);

/* What the running app answers at /.well-known/trine.json. */
struct bundle_identity {
    const char *project, *app, *instance, *environment, *commit;
    int64_t release;
};

/* The bundle with trine's own file, which is written to `path` (read again while it is uploaded)
 * and carries the bundle's digest; the digest itself does not count it. ERR_STORE. */
int bundle_set_sign(struct bundle_set *s, size_t number, const struct bundle_identity *identity,
                    const char *path, const struct bundle **ret, struct err *e);
