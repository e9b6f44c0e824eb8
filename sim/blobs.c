#include "core.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * File contents by hash: DIR/blobs/SPACE/NAME. Written beside and renamed, without fsync: a
 * simulator that dies with its machine may lose a rehearsal. Names come from requests, so every
 * byte that is not plainly harmless becomes '_'; hashes and account names are not touched by that.
 */
enum { READ_MAX = 128 << 20 };

static void add_safe(struct buf *b, const char *name)
{
    for (const char *p = name; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '-' || (*p == '.' && p > name);
        buf_addc(b, plain ? *p : '_');
    }
}

static char *blob_path(const struct sim *s, const char *space, const char *name)
{
    struct buf path = BUF_INIT(4096);

    buf_addf(&path, "%s/blobs/", s->dir);
    add_safe(&path, space);
    if (name) {
        buf_addc(&path, '/');
        add_safe(&path, name);
    }
    return buf_take(&path, NULL);
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_file(const char *path, const void *data, size_t len)
{
    char *part = mem_printf("%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_all(fd, data, len);

    if (fd >= 0 && close(fd) != 0)
        ok = false;
    ok = ok && rename(part, path) == 0;
    if (!ok)
        fprintf(stderr, "trine-sim: %s: %s\n", path, strerror(errno));
    free(part);
    return ok;
}

bool sim_blob_has(struct sim *s, const char *space, const char *name)
{
    char *path = blob_path(s, space, name);
    bool has = access(path, F_OK) == 0;

    free(path);
    return has;
}

bool sim_blob_put(struct sim *s, const char *space, const char *name, const void *data, size_t len)
{
    char *folder;
    char *path = blob_path(s, space, name);
    bool fresh = access(path, F_OK) != 0;

    if (fresh && access((folder = blob_path(s, space, NULL)), F_OK) == 0) {
        write_file(path, data, len);
        free(folder);
    } else if (fresh) {
        struct err e = ERR_INIT;

        if (dir_make(folder, &e) == 0)
            write_file(path, data, len);
        else
            fprintf(stderr, "trine-sim: %s\n", e.text);
        free(folder);
    }
    free(path);
    return fresh;
}

const char *blob_file(const struct sim *s, const char *space, const char *name, struct arena *arena,
                      size_t *ret_size)
{
    char *path = blob_path(s, space, name);
    struct stat st;
    const char *found = NULL;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        *ret_size = (size_t)st.st_size;
        found = arena_strdup(arena, path);
    }
    free(path);
    return found;
}

const char *sim_blob_read(struct sim *s, const char *space, const char *name, struct arena *arena,
                          size_t *ret_len)
{
    struct buf bytes = BUF_INIT(READ_MAX);
    struct err e = ERR_INIT;
    size_t size;
    const char *path = blob_file(s, space, name, arena, &size);
    const char *found = NULL;

    if (path && buf_read_file(&bytes, path, &e) == 0) {
        found = arena_strndup(arena, buf_str(&bytes), bytes.len);
        if (ret_len)
            *ret_len = bytes.len;
    }
    buf_release(&bytes);
    return found;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void blobs_clear(struct sim *s)
{
    char *path = state_path(s, "blobs");

    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        fprintf(stderr, "trine-sim: %s: %s\n", path, strerror(errno));
    free(path);
}
