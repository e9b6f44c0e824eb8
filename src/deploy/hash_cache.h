#pragma once

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is known of file contents, by the identity of the file (device, inode, size, times) and its
 * extension, which takes part in one of the hashes. Kept in memory, and in the store's cache too
 * when one is given, so that a large bundle that did not change is not read again by the next run.
 *
 * An entry also says which set of secrets the content was searched for: with another set the file
 * is read again. Life cycle: hash_cache_new .. hash_cache_free. One thread.
 */
struct hash_cache;
struct store;

enum { SECRETS_ID_LEN = 16, PAGES_LEN = 16 };

struct file_key {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
    const char *extension; /* borrowed for the call */
};

struct file_hashes {
    uint8_t sha1[SHA1_LEN];
    uint8_t pages[PAGES_LEN];
    uint8_t secrets_id[SECRETS_ID_LEN]; /* the set it holds none of; all zero = not searched */
    bool has_pages;
};

struct hash_cache *hash_cache_new(struct store *store); /* borrowed; NULL: memory only */
void hash_cache_free(struct hash_cache *c);             /* NULL is fine */

bool hash_cache_get(struct hash_cache *c, const struct file_key *key, struct file_hashes *ret);

/* `settled`: the file is old enough that a later change must show in its times; only then, and when
 * it is large enough for that to pay, the entry goes to the store as well. */
void hash_cache_put(struct hash_cache *c, const struct file_key *key,
                    const struct file_hashes *value, bool settled);

/* Writes what was put since the last call in one transaction. A store that refuses loses nothing
 * but time, so there is no error. */
void hash_cache_flush(struct hash_cache *c);
