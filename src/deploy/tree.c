#include "deploy/tree.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* "./dist/" names the folder "dist". */
static bool same_folder(const char *relative, const char *written)
{
    while (strncmp(written, "./", 2) == 0)
        written += 2;
    size_t n = strlen(written);
    while (n > 0 && written[n - 1] == '/')
        n--;
    return strlen(relative) == n && strncmp(relative, written, n) == 0;
}

static bool skipped(const FTSENT *f, const char *relative, const char *const *skip)
{
    if (f->fts_level == 0)
        return false;
    if (strcmp(f->fts_name, ".git") == 0 || strcmp(f->fts_name, "node_modules") == 0)
        return true;
    for (size_t i = 0; skip && skip[i]; i++)
        if (same_folder(relative, skip[i]))
            return true;
    return false;
}

static int add_file(struct sha_stream *s, const char *path, struct err *e)
{
    char bytes[READ_SIZE];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    if (fd < 0)
        return err_errno(e, ERR_MANIFEST, errno, "%s", path);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        sha_add(s, bytes, (size_t)n);
    int code = errno;
    (void)close(fd);
    return n < 0 ? err_errno(e, ERR_MANIFEST, code, "%s", path) : 0;
}

static int add_link(struct sha_stream *s, const char *path, struct err *e)
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target));

    if (n < 0)
        return err_errno(e, ERR_MANIFEST, errno, "%s", path);
    sha_add(s, target, (size_t)n);
    return 0;
}

/* Path, kind and content, each ended so that no two trees give the same bytes. */
static int add_entry(struct sha_stream *s, const FTSENT *f, const char *relative, struct err *e)
{
    char head[64];
    int n = snprintf(head, sizeof(head), "%c%lld", f->fts_info == FTS_F ? 'f' : 'l',
                     (long long)f->fts_statp->st_size);

    sha_add(s, relative, strlen(relative) + 1);
    sha_add(s, head, (size_t)n + 1);
    return f->fts_info == FTS_F ? add_file(s, f->fts_accpath, e) : add_link(s, f->fts_accpath, e);
}

static int walk(FTS *fts, const char *root, const char *const *skip, struct sha_stream *s,
                struct err *e)
{
    size_t files = 0;

    for (FTSENT *f = fts_read(fts); f; f = fts_read(fts)) {
        const char *relative = f->fts_path + strlen(root);
        if (f->fts_info == FTS_D && skipped(f, relative + strspn(relative, "/"), skip)) {
            (void)fts_set(fts, f, FTS_SKIP);
            continue;
        }
        if (f->fts_info == FTS_ERR || f->fts_info == FTS_DNR || f->fts_info == FTS_NS)
            return err_errno(e, ERR_MANIFEST, f->fts_errno, "%s", f->fts_path);
        if (f->fts_info != FTS_F && f->fts_info != FTS_SL && f->fts_info != FTS_SLNONE)
            continue;
        if (++files > TREE_MOST_FILES)
            return err_set(e, ERR_MANIFEST, "%s: more than %d files; is `path:` right?", root,
                           TREE_MOST_FILES);
        if (add_entry(s, f, relative, e) < 0)
            return -1;
    }
    return 0;
}

int tree_digest(const char *root, const char *const *skip, char ret[65], struct err *e)
{
    char path[PATH_MAX];
    char *roots[] = {path, NULL};
    uint8_t digest[SHA256_LEN];

    if ((size_t)snprintf(path, sizeof(path), "%s", root) >= sizeof(path))
        return err_set(e, ERR_MANIFEST, "%.80s...: path too long", root);
    /* NOCHDIR: the pool's threads share one working directory. */
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
    if (!fts)
        return err_errno(e, ERR_MANIFEST, errno, "%s", root);
    struct sha_stream *s = sha256_begin();
    int rc = walk(fts, root, skip, s, e);
    sha_end(s, digest);
    (void)fts_close(fts);
    if (rc == 0)
        hex_encode(digest, sizeof(digest), ret);
    return rc;
}

int tree_digest_files(const char *root, const char *const *names, char ret[65], struct err *e)
{
    struct sha_stream *s = sha256_begin();
    uint8_t digest[SHA256_LEN];
    char path[PATH_MAX];
    int rc = 0;

    for (size_t i = 0; names[i] && rc == 0; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root, names[i]);
        if (access(path, F_OK) != 0)
            continue;
        sha_add(s, names[i], strlen(names[i]) + 1);
        rc = add_file(s, path, e);
    }
    sha_end(s, digest);
    if (rc == 0)
        hex_encode(digest, sizeof(digest), ret);
    return rc;
}
