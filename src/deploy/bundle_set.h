#pragma once

#include "base/arena.h"
#include "deploy/bundle.h"
#include "deploy/hash_cache.h"

/* Inside of a bundle set; shared by bundle.c and bundle_hash.c only. */
struct tree {
    const char *dir; /* absolute */
    unsigned flags;
    struct bundle bundle;
    struct bundle_file *files; /* = bundle.files */
    struct file_key *keys;     /* one a file */
    bool hashed;
    struct err err; /* why it is refused */
};

struct bundle_set {
    struct arena arena; /* texts, arrays of signed bundles */
    struct tree *trees;
    size_t n, size;
    void *names;             /* tsearch(3) of bundle.c: trees by every name of their folder */
    struct hashing *hashing; /* while one is under way */
    uint64_t bytes_read;
    size_t files_read;
};
