#pragma once

#include "base/err.h"

/*
 * Identity of a source folder: SHA-256 over the sorted paths, modes and contents of its files, so
 * that a build is repeated exactly when something it could read has changed. Left out are folders
 * that tools make: `skip` (folders as seen from the root, NULL-terminated), and at any depth .git
 * and node_modules. Symbolic links count by where they point. Blocks on the disk: call it on a pool
 * thread (loop_work).
 */
enum { TREE_MOST_FILES = 200000 };

int tree_digest(const char *root, const char *const *skip, char ret[65], struct err *e);

/* The same over those of the named files that exist in `root` (lock files). */
int tree_digest_files(const char *root, const char *const *names, char ret[65], struct err *e);
