#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "deploy/hash_cache.h"

#include <stddef.h>
#include <stdint.h>

/* One file of a folder; the texts live in the arena that bundle_walk was given. */
struct walked {
    const char *path;   /* relative to the folder */
    const char *source; /* absolute, without symbolic links */
    uint32_t mode;
    struct file_key key;
};

/* Lists the files below the absolute folder `root`, sorted bytewise by path. What is refused is
 * said in bundle.h. *ret is the caller's to free(). Follows nothing that leaves the folder. */
int bundle_walk(const char *root, struct arena *arena, struct walked **ret, size_t *ret_n,
                struct err *e);
