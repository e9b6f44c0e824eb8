#include "deploy/bundle_walk.h"

#include "base/mem.h"
#include "base/text.h"
#include "deploy/bundle.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
    const char *root;
    size_t root_len;
    struct arena *arena;
    struct walked *files;
    size_t n, size;
};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct walked *)a)->path, ((const struct walked *)b)->path);
}

/* Names go into URLs, JSON and other people's terminals. A backslash is a separator to some of
 * those who will read them, so with it "..\\x" would leave the folder. */
static int check_name(const char *path, struct err *e)
{
    size_t at;

    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        if (*p < ' ' || *p == 0x7f || *p == '\\')
            return err_set(e, ERR_MANIFEST,
                           "%s: the name holds %s, which no platform serves; rename it", path,
                           *p == '\\' ? "a backslash" : "a control character");
    if (!text_is_utf8(path, strlen(path), &at))
        return err_set(e, ERR_MANIFEST,
                       "%.*s...: the name is not UTF-8 from byte %zu on; rename it", (int)at, path,
                       at + 1);
    if (strcmp(path, ".well-known/trine.json") == 0)
        return err_set(e, ERR_MANIFEST,
                       "%s: trine writes this file itself; take it out of the folder", path);
    return 0;
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int add_file(struct walk *w, const char *path, const char *source, const struct stat *st,
                    struct err *e)
{
    if (check_name(path, e) < 0)
        return err_wrap(e, "%s", w->root);
    if (w->n == BUNDLE_MOST_FILES)
        return err_set(e, ERR_MANIFEST, "%s: holds more than %d files; is it the right folder?",
                       w->root, BUNDLE_MOST_FILES);
    if (w->n == w->size) {
        w->size = w->size ? 2 * w->size : 64;
        w->files = mem_grow(w->files, w->size, sizeof(*w->files));
    }
    path = arena_strdup(w->arena, path);
    w->files[w->n++] = (struct walked){
        .path = path,
        .source = arena_strdup(w->arena, source),
        .mode = st->st_mode,
        .key = {st->st_dev, st->st_ino, (uint64_t)st->st_size, nanoseconds(st->st_mtim),
                nanoseconds(st->st_ctim), provider_extension(path)},
    };
    return 0;
}

/* A link stands for the file it leads to, as long as that is in the folder too. */
static int add_link(struct walk *w, const char *path, const char *link, struct err *e)
{
    char target[PATH_MAX];
    struct stat st;

    if (!realpath(link, target))
        return err_errno(e, ERR_MANIFEST, errno, "%s: this link leads nowhere", link);
    if (strncmp(target, w->root, w->root_len) != 0 || target[w->root_len] != '/')
        return err_set(e, ERR_MANIFEST,
                       "%s: this link leaves the folder (to %s); put a copy in its place", link,
                       target);
    if (lstat(target, &st) < 0)
        return err_errno(e, ERR_MANIFEST, errno, "%s", target);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_MANIFEST, "%s: links to a folder; put a copy in its place", link);
    return add_file(w, path, target, &st, e);
}

static int add_entry(struct walk *w, FTS *fts, FTSENT *f, struct err *e)
{
    const char *path = f->fts_path + w->root_len + (f->fts_level > 0);

    switch (f->fts_info) {
    case FTS_D:
        if (strcmp(f->fts_name, ".git") == 0)
            (void)fts_set(fts, f, FTS_SKIP);
        return 0;
    case FTS_DP:
        return 0;
    case FTS_F:
        if (strcmp(f->fts_name, ".DS_Store") == 0)
            return 0;
        return add_file(w, path, f->fts_path, f->fts_statp, e);
    case FTS_SL:
    case FTS_SLNONE:
        return add_link(w, path, f->fts_path, e);
    case FTS_DEFAULT:
        return err_set(e, ERR_MANIFEST, "%s: is neither a file nor a folder; take it out",
                       f->fts_path);
    default:
        return err_errno(e, ERR_MANIFEST, f->fts_errno ? f->fts_errno : EIO, "%s: cannot be read",
                         f->fts_path);
    }
}

static int walk_all(struct walk *w, struct err *e)
{
    char *const paths[] = {arena_strdup(w->arena, w->root), NULL};
    FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    int rc = 0, code = 0;

    if (!fts)
        return err_errno(e, ERR_MANIFEST, errno, "%s", w->root);
    while (rc == 0) {
        errno = 0;
        FTSENT *f = fts_read(fts);
        code = errno;
        if (!f)
            break;
        rc = add_entry(w, fts, f, e);
    }
    (void)fts_close(fts);
    if (rc == 0 && code != 0)
        return err_errno(e, ERR_MANIFEST, code, "%s: cannot be listed", w->root);
    return rc;
}

int bundle_walk(const char *root, struct arena *arena, struct walked **ret, size_t *ret_n,
                struct err *e)
{
    struct walk w = {.root = root, .root_len = strlen(root), .arena = arena};
    int rc = walk_all(&w, e);

    if (rc == 0 && w.n == 0)
        rc =
            err_set(e, ERR_MANIFEST,
                    "%s: holds no files; does the build write to another folder (`output`)?", root);
    if (rc < 0 || !w.files) {
        free(w.files);
        return -1;
    }
    qsort(w.files, w.n, sizeof(*w.files), by_path);
    *ret = w.files;
    *ret_n = w.n;
    return 0;
}
