#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "store/store.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A store in a folder of its own, on a clock that stands still. */
struct fixture {
    char dir[64];
    char path[96]; /* of the file in it */
    struct clock_fake time;
    struct clock clock;
    struct store *store;
    struct err err;
};

enum { FIXTURE_NOW_MS = 1700000000 }; /* seconds; times 1000 below */

static inline void fixture_folder(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->time = (struct clock_fake){.mono_us = 5000000, .wall_ms = FIXTURE_NOW_MS * INT64_C(1000)};
    f->clock = clock_fake(&f->time);
    snprintf(f->dir, sizeof(f->dir), "/tmp/trine-store-XXXXXX");
    if (!mkdtemp(f->dir))
        abort();
    snprintf(f->path, sizeof(f->path), "%s/trine.db", f->dir);
}

static inline int fixture_open(struct fixture *f)
{
    return store_open(f->dir, &f->clock, NULL, &f->store, &f->err);
}

static inline void fixture_init(struct fixture *f)
{
    fixture_folder(f);
    if (fixture_open(f) < 0) {
        fprintf(stderr, "%s\n", f->err.text);
        abort();
    }
}

static inline void fixture_release(struct fixture *f)
{
    store_close(f->store);
    DIR *dir = opendir(f->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(f->dir);
}

static inline struct lease fixture_lease(struct fixture *f, const char *environment)
{
    struct lease l = {0};
    if (lease_acquire(f->store, environment, "test", &l, &f->err) < 0)
        fprintf(stderr, "%s\n", f->err.text);
    return l;
}
