#include "deploy/bundle.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "deploy/bundle_set.h"
#include "deploy/bundle_walk.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char own_path[] = ".well-known/trine.json";

/* A folder as it was named, or its real path, and the number of its tree. */
struct folder_name {
    const char *name;
    size_t tree;
};

struct bundle_set *bundle_set_new(void)
{
    return mem_alloc(sizeof(struct bundle_set));
}

static void in_arena(void *node)
{
    (void)node;
}

void bundle_set_free(struct bundle_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->trees[i].files);
        free(s->trees[i].keys);
    }
    free(s->trees);
    tdestroy(s->names, in_arena);
    arena_release(&s->arena);
    free(s);
}

static void fill_tree(struct tree *t, const struct walked *walked, size_t n)
{
    t->files = mem_array(n, sizeof(*t->files));
    t->keys = mem_array(n, sizeof(*t->keys));
    for (size_t i = 0; i < n; i++) {
        t->files[i] = (struct bundle_file){.path = walked[i].path,
                                           .source = walked[i].source,
                                           .size = walked[i].key.size,
                                           .mode = walked[i].mode};
        t->keys[i] = walked[i].key;
        t->bundle.bytes += walked[i].key.size;
    }
    t->bundle.files = t->files;
    t->bundle.n = n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct folder_name *)a)->name, ((const struct folder_name *)b)->name);
}

static bool find_tree(const struct bundle_set *s, const char *name, size_t *ret)
{
    const struct folder_name key = {.name = name};
    void *node = tfind(&key, &s->names, by_name);

    if (node)
        *ret = (*(struct folder_name **)node)->tree;
    return node != NULL;
}

static void name_tree(struct bundle_set *s, const char *name, size_t tree)
{
    struct folder_name *n = arena_alloc(&s->arena, sizeof(*n));

    *n = (struct folder_name){arena_strdup(&s->arena, name), tree};
    if (!tsearch(n, &s->names, by_name))
        abort(); /* as everywhere when there is no memory */
}

static int add_tree(struct bundle_set *s, const char *root, size_t *ret, struct err *e)
{
    struct walked *walked;
    size_t n;

    if (bundle_walk(root, &s->arena, &walked, &n, e) < 0)
        return -1;
    if (s->n == s->size) {
        s->size = s->size ? 2 * s->size : 16;
        s->trees = mem_grow(s->trees, s->size, sizeof(*s->trees));
    }
    s->trees[s->n] = (struct tree){.dir = arena_strdup(&s->arena, root)};
    fill_tree(&s->trees[s->n], walked, n);
    free(walked);
    *ret = s->n++;
    return 0;
}

int bundle_set_add(struct bundle_set *s, const char *dir, unsigned flags, size_t *ret,
                   struct err *e)
{
    char root[PATH_MAX];

    if (!find_tree(s, dir, ret)) {
        if (!realpath(dir, root))
            return err_errno(e, ERR_MANIFEST, errno, "%s: the folder to deploy", dir);
        if (!find_tree(s, root, ret)) {
            if (add_tree(s, root, ret, e) < 0)
                return -1;
            name_tree(s, root, *ret);
        }
        name_tree(s, dir, *ret);
    }
    struct tree *t = &s->trees[*ret];
    t->hashed = t->hashed && (t->flags | flags) == t->flags;
    t->flags |= flags;
    return 0;
}

void bundle_set_progress(const struct bundle_set *s, uint64_t *ret_bytes, size_t *ret_files)
{
    *ret_bytes = s->bytes_read;
    *ret_files = s->files_read;
}

int bundle_set_get(const struct bundle_set *s, size_t number, const struct bundle **ret,
                   struct err *e)
{
    const struct tree *t = &s->trees[number];

    if (!t->hashed)
        return err_set(e, ERR_BUG, "%s: the bundle was not hashed yet", t->dir);
    if (t->err.kind != ERR_NONE) {
        *e = t->err;
        return -1;
    }
    *ret = &t->bundle;
    return 0;
}

int bundle_check(const struct bundle *b, const struct provider_ops *ops, struct err *e)
{
    char size[32], most[32];

    if (ops->max_files && b->n > ops->max_files)
        return err_set(e, ERR_MANIFEST, "the bundle has %zu files; %s takes %" PRIu32 " at most",
                       b->n, ops->title, ops->max_files);
    for (size_t i = 0; ops->max_file_bytes && i < b->n; i++) {
        if (b->files[i].size <= ops->max_file_bytes)
            continue;
        text_format_bytes((int64_t)b->files[i].size, size);
        text_format_bytes((int64_t)ops->max_file_bytes, most);
        return err_set(e, ERR_MANIFEST, "%s: is %s; %s takes files of %s at most",
                       b->files[i].source, size, ops->title, most);
    }
    return 0;
}

/* --- Trine's own file ------------------------------------------------------------------------- */

/* What Pages' hash of a small text is; see file_hash.h. */
static void hash_pages(const char *text, size_t len, const char *extension, char ret[33])
{
    struct blake3_stream *s = blake3_begin();
    uint8_t digest[BLAKE3_LEN];
    char *encoded = mem_alloc(4 * ((len + 2) / 3) + 1);

    blake3_add(s, encoded, base64_encode((const uint8_t *)text, len, encoded));
    blake3_add(s, extension, strlen(extension));
    blake3_end(s, digest);
    hex_encode(digest, PAGES_LEN, ret);
    free(encoded);
}

static char *identity_text(const struct bundle_identity *id, const char *digest)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "project", id->project, "app", id->app,
                  "instance", id->instance, "environment", id->environment, "commit", id->commit,
                  "release", (json_int_t)id->release, "digest", digest);
    char *text = json_text(json);

    json_decref(json);
    return text;
}

static int write_own(struct bundle_set *s, const char *path, const char *text,
                     struct bundle_file *ret, struct err *e)
{
    uint8_t digest[SHA1_LEN];
    char source[PATH_MAX];
    size_t len = strlen(text);

    if (file_write_atomic(path, text, len, 0600, e) < 0)
        return -1;
    if (!realpath(path, source)) /* the folder may be left before the file is uploaded */
        return err_errno(e, ERR_STORE, errno, "%s", path);
    *ret = (struct bundle_file){.path = own_path,
                                .source = arena_strdup(&s->arena, source),
                                .size = len,
                                .mode = S_IFREG | 0644};
    sha1(text, len, digest);
    hex_encode(digest, sizeof(digest), ret->sha1);
    hash_pages(text, len, provider_extension(own_path), ret->pages);
    return 0;
}

int bundle_set_sign(struct bundle_set *s, size_t number, const struct bundle_identity *identity,
                    const char *path, const struct bundle **ret, struct err *e)
{
    const struct bundle *plain = NULL;
    struct bundle_file own = {.path = own_path};
    size_t at = 0;

    if (bundle_set_get(s, number, &plain, e) < 0)
        return -1;
    char *text = identity_text(identity, plain->digest);
    int rc = write_own(s, path, text, &own, e);
    free(text);
    if (rc < 0)
        return -1;
    struct bundle *b = arena_alloc(&s->arena, sizeof(*b));
    struct bundle_file *files = arena_array(&s->arena, plain->n + 1, sizeof(*files));
    while (at < plain->n && strcmp(plain->files[at].path, own_path) < 0)
        at++;
    memcpy(files, plain->files, at * sizeof(*files));
    files[at] = own;
    memcpy(files + at + 1, plain->files + at, (plain->n - at) * sizeof(*files));
    *b = *plain;
    b->files = files;
    b->n = plain->n + 1;
    b->bytes = plain->bytes + own.size;
    *ret = b;
    return 0;
}
