#include "deploy/bundle.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/redact.h"
#include "deploy/bundle_set.h"
#include "deploy/file_hash.h"
#include "net/loop.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A worker goes back to the loop after so much, so that others get their turn on the pool and
 * progress can be shown. */
enum { TURN_BYTES = 64 << 20, TURN_FILES = 500, MOST_WORKERS = 16 };

/* A file changed within this time before it is read could change again unseen: file systems keep
 * times in ticks of some milliseconds. */
static const int64_t unsettled_ms = 2000;

/* One file to be read, whatever number of bundles hold it. */
struct item {
    struct file_wanted wanted;
    struct file_hashes hashes;
    struct err *err; /* heap; NULL = fine */
};

/* One place where a file's hashes belong, and its item (NULL: the cache knew it). */
struct place {
    struct tree *tree;
    size_t file;
    struct item *item;
};

struct hashing {
    struct bundle_set *set;
    struct bundle_hash_options o;
    void (*done)(void *arg);
    void *arg;
    struct place *places; /* sorted by the file's identity */
    size_t n_places;
    struct item *items; /* largest first */
    size_t n_items;
    atomic_size_t next, files_read;
    atomic_uint_fast64_t bytes_read;
    unsigned active;
};

struct worker {
    struct hashing *h;
    struct file_reader *reader;
};

/* --- What is to be read ----------------------------------------------------------------------- */

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_keys(const struct file_key *a, const struct file_key *b)
{
    int c = compare_u64(a->device, b->device);

    if (c == 0)
        c = compare_u64(a->inode, b->inode);
    if (c == 0)
        c = compare_u64(a->size, b->size);
    if (c == 0)
        c = compare_u64((uint64_t)a->modified_ns, (uint64_t)b->modified_ns);
    if (c == 0)
        c = compare_u64((uint64_t)a->changed_ns, (uint64_t)b->changed_ns);
    return c ? c : strcmp(a->extension, b->extension);
}

static const struct file_key *key_of(const struct place *p)
{
    return &p->tree->keys[p->file];
}

static int by_key(const void *a, const void *b)
{
    return compare_keys(key_of(a), key_of(b));
}

static int by_size(const void *a, const void *b)
{
    return compare_u64(((const struct item *)b)->wanted.key.size,
                       ((const struct item *)a)->wanted.key.size);
}

static void collect_places(struct hashing *h)
{
    struct bundle_set *s = h->set;
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += s->trees[i].hashed ? 0 : s->trees[i].bundle.n;
    h->places = mem_array(n, sizeof(*h->places));
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; !s->trees[i].hashed && k < s->trees[i].bundle.n; k++)
            h->places[h->n_places++] = (struct place){&s->trees[i], k, NULL};
    qsort(h->places, n, sizeof(*h->places), by_key);
}

static void set_hashes(const struct place *p, const struct file_hashes *hashes)
{
    struct bundle_file *f = &p->tree->files[p->file];

    hex_encode(hashes->sha1, SHA1_LEN, f->sha1);
    if (hashes->has_pages)
        hex_encode(hashes->pages, PAGES_LEN, f->pages);
}

static bool known(struct hashing *h, const struct file_key *key, bool pages,
                  const uint8_t secrets_id[SECRETS_ID_LEN], struct file_hashes *ret)
{
    if (!h->o.cache || !hash_cache_get(h->o.cache, key, ret))
        return false;
    return (ret->has_pages || !pages) &&
           (!h->o.redactor || memcmp(ret->secrets_id, secrets_id, SECRETS_ID_LEN) == 0);
}

/* The places of one file are neighbours: [from, until). */
static void take_group(struct hashing *h, size_t from, size_t until, const uint8_t *secrets_id)
{
    const struct place *first = &h->places[from];
    struct file_hashes hashes;
    bool pages = false;

    for (size_t i = from; i < until; i++)
        pages = pages || (h->places[i].tree->flags & BUNDLE_PAGES);
    if (known(h, key_of(first), pages, secrets_id, &hashes)) {
        for (size_t i = from; i < until; i++)
            set_hashes(&h->places[i], &hashes);
        return;
    }
    h->items[h->n_items++] =
        (struct item){.wanted = {first->tree->files[first->file].source, *key_of(first), pages}};
}

static void collect_items(struct hashing *h)
{
    uint8_t secrets_id[SECRETS_ID_LEN];

    redact_fingerprint(h->o.redactor, secrets_id);
    h->items = mem_array(h->n_places, sizeof(*h->items));
    for (size_t from = 0, until; from < h->n_places; from = until) {
        for (until = from + 1; until < h->n_places; until++)
            if (by_key(&h->places[from], &h->places[until]) != 0)
                break;
        take_group(h, from, until, secrets_id);
    }
    qsort(h->items, h->n_items, sizeof(*h->items), by_size);
}

/* --- On the pool ------------------------------------------------------------------------------ */

static void work(void *arg)
{
    struct worker *w = arg;
    struct hashing *h = w->h;
    uint64_t bytes = 0;

    if (!w->reader)
        w->reader = file_reader_new(h->o.redactor);
    for (int files = 0; bytes < TURN_BYTES && files < TURN_FILES; files++) {
        size_t i = atomic_fetch_add(&h->next, 1);
        struct err e = ERR_INIT;
        if (i >= h->n_items)
            return;
        struct item *item = &h->items[i];
        if (file_hash(w->reader, &item->wanted, &item->hashes, &e) < 0) {
            item->err = mem_alloc(sizeof(e));
            *item->err = e;
        }
        bytes += item->wanted.key.size;
        atomic_fetch_add(&h->bytes_read, item->wanted.key.size);
        atomic_fetch_add(&h->files_read, 1);
    }
}

/* --- Back on the loop ------------------------------------------------------------------------- */

static void fill_places(struct hashing *h)
{
    for (size_t i = 0; i < h->n_items; i++) {
        struct item *item = &h->items[i];
        struct place probe = {&(struct tree){.keys = &item->wanted.key}, 0, NULL};
        struct place *p = bsearch(&probe, h->places, h->n_places, sizeof(probe), by_key);
        while (p && p > h->places && by_key(p - 1, &probe) == 0)
            p--;
        for (; p && p < h->places + h->n_places && by_key(p, &probe) == 0; p++) {
            p->item = item;
            set_hashes(p, &item->hashes);
        }
    }
}

static void remember(struct hashing *h)
{
    int64_t now_ns = clock_wall_ms(loop_clock(h->o.loop)) * 1000000;

    for (size_t i = 0; h->o.cache && i < h->n_items; i++) {
        const struct item *item = &h->items[i];
        const struct file_key *key = &item->wanted.key;
        int64_t changed = key->changed_ns > key->modified_ns ? key->changed_ns : key->modified_ns;
        if (!item->err)
            hash_cache_put(h->o.cache, key, &item->hashes,
                           now_ns - changed > unsettled_ms * 1000000);
    }
    if (h->o.cache)
        hash_cache_flush(h->o.cache);
}

/* The first file by path that is refused names the reason; a bundle of many bad files gives the
 * same one each time. */
static void judge(struct hashing *h, const struct place *p)
{
    struct tree *t = p->tree;
    const struct bundle_file *f = &t->files[p->file];
    const char *secret;

    if (t->err.kind != ERR_NONE && strcmp(f->source, t->files[t->err.code].source) >= 0)
        return;
    if (p->item && p->item->err)
        t->err = *p->item->err;
    else if (redact_find(h->o.redactor, f->path, strlen(f->path), &secret))
        (void)err_set(&t->err, ERR_MANIFEST,
                      "%s: the name of a file holds the value of the secret %s", t->dir, secret);
    else
        return;
    t->err.code = (int)p->file;
}

static void digest_tree(struct tree *t)
{
    struct sha_stream *s = sha256_begin();
    uint8_t digest[SHA256_LEN];
    char size[32];

    for (size_t i = 0; i < t->bundle.n; i++) {
        const struct bundle_file *f = &t->files[i];
        int n = snprintf(size, sizeof(size), "%" PRIu64, f->size);
        sha_add(s, f->path, strlen(f->path) + 1);
        sha_add(s, size, (size_t)n + 1);
        sha_add(s, f->sha1, strlen(f->sha1));
        sha_add(s, "\n", 1);
    }
    sha_end(s, digest);
    hex_encode(digest, sizeof(digest), t->bundle.digest);
    t->err.code = 0;
    t->hashed = true;
}

static void finish(struct hashing *h)
{
    struct bundle_set *s = h->set;

    fill_places(h);
    remember(h);
    for (size_t i = 0; i < h->n_places; i++)
        judge(h, &h->places[i]);
    for (size_t i = 0; i < s->n; i++)
        if (!s->trees[i].hashed)
            digest_tree(&s->trees[i]);
    for (size_t i = 0; i < h->n_items; i++)
        free(h->items[i].err);
    free(h->items);
    free(h->places);
    s->hashing = NULL;
    void (*done)(void *) = h->done;
    void *arg = h->arg;
    free(h);
    done(arg);
}

static void worked(void *arg)
{
    struct worker *w = arg;
    struct hashing *h = w->h;

    h->set->bytes_read = atomic_load(&h->bytes_read);
    h->set->files_read = atomic_load(&h->files_read);
    if (atomic_load(&h->next) < h->n_items) {
        loop_work(h->o.loop, "hashing", work, worked, w);
        return;
    }
    file_reader_free(w->reader);
    free(w);
    if (--h->active == 0)
        finish(h);
}

void bundle_set_hash(struct bundle_set *s, const struct bundle_hash_options *o,
                     void (*done)(void *arg), void *arg)
{
    struct hashing *h = mem_alloc(sizeof(*h));
    unsigned workers = o->workers ? o->workers : uv_available_parallelism();

    *h = (struct hashing){.set = s, .o = *o, .done = done, .arg = arg};
    s->hashing = h;
    collect_places(h);
    collect_items(h);
    if (workers > MOST_WORKERS)
        workers = MOST_WORKERS;
    if (workers > h->n_items)
        workers = h->n_items > 0 ? (unsigned)h->n_items : 1;
    h->active = workers;
    for (unsigned i = 0; i < workers; i++) {
        struct worker *w = mem_alloc(sizeof(*w));
        w->h = h;
        loop_work(o->loop, "hashing", work, worked, w);
    }
}
