#include "deploy/hash_cache.h"

#include "base/mem.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reading a smaller file costs less than asking the store about it. */
enum { SMALLEST_STORED = 32768, KEY_SIZE = 192, FIRST_SLOTS = 256 };
static const char space[] = "file-hash";

struct entry {
    char *key; /* NULL: free */
    struct file_hashes value;
    bool store; /* not written yet */
};

struct hash_cache {
    struct store *store;
    struct entry *slots; /* open addressing; at most half full */
    size_t n, n_slots;
    bool dirty;
};

struct hash_cache *hash_cache_new(struct store *store)
{
    struct hash_cache *c = mem_alloc(sizeof(*c));

    c->store = store;
    c->n_slots = FIRST_SLOTS;
    c->slots = mem_array(c->n_slots, sizeof(*c->slots));
    return c;
}

void hash_cache_free(struct hash_cache *c)
{
    if (!c)
        return;
    hash_cache_flush(c);
    for (size_t i = 0; i < c->n_slots; i++)
        free(c->slots[i].key);
    free(c->slots);
    free(c);
}

static void write_key(const struct file_key *k, char ret[KEY_SIZE])
{
    (void)snprintf(ret, KEY_SIZE,
                   "%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRId64 ":%" PRId64 ":%.64s", k->device,
                   k->inode, k->size, k->modified_ns, k->changed_ns, k->extension);
}

/* FNV-1a; the keys come from our own disk, nobody chooses them to collide. */
static size_t hash_of(const char *key)
{
    uint64_t h = 14695981039346656037ULL;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211ULL;
    return (size_t)h;
}

static struct entry *slot_of(struct entry *slots, size_t n_slots, const char *key)
{
    size_t i = hash_of(key) & (n_slots - 1);

    while (slots[i].key && strcmp(slots[i].key, key) != 0)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

static void grow(struct hash_cache *c)
{
    size_t n_slots = 2 * c->n_slots;
    struct entry *slots = mem_array(n_slots, sizeof(*slots));

    for (size_t i = 0; i < c->n_slots; i++)
        if (c->slots[i].key)
            *slot_of(slots, n_slots, c->slots[i].key) = c->slots[i];
    free(c->slots);
    c->slots = slots;
    c->n_slots = n_slots;
}

static struct entry *entry_of(struct hash_cache *c, const char *key)
{
    if (2 * c->n >= c->n_slots)
        grow(c);
    struct entry *e = slot_of(c->slots, c->n_slots, key);
    if (!e->key) {
        e->key = mem_strdup(key);
        c->n++;
    }
    return e;
}

static bool stored(const struct hash_cache *c, const struct file_key *key)
{
    return c->store && key->size >= SMALLEST_STORED;
}

bool hash_cache_get(struct hash_cache *c, const struct file_key *key, struct file_hashes *ret)
{
    struct err e = ERR_INIT;
    struct file_hashes value;
    char text[KEY_SIZE];
    size_t len = 0;
    bool found = false;

    write_key(key, text);
    struct entry *known = slot_of(c->slots, c->n_slots, text);
    if (known->key) {
        *ret = known->value;
        return true;
    }
    if (!stored(c, key) ||
        cache_get(c->store, space, text, &value, sizeof(value), &len, &found, &e) < 0 || !found ||
        len != sizeof(value))
        return false;
    entry_of(c, text)->value = value;
    *ret = value;
    return true;
}

void hash_cache_put(struct hash_cache *c, const struct file_key *key,
                    const struct file_hashes *value, bool settled)
{
    char text[KEY_SIZE];

    write_key(key, text);
    struct entry *e = entry_of(c, text);
    e->value = *value;
    e->store = settled && stored(c, key);
    c->dirty = c->dirty || e->store;
}

void hash_cache_flush(struct hash_cache *c)
{
    struct err e = ERR_INIT;

    if (!c->dirty || store_begin(c->store, &e) < 0)
        return;
    c->dirty = false;
    for (size_t i = 0; i < c->n_slots; i++) {
        struct entry *entry = &c->slots[i];
        if (!entry->store)
            continue;
        entry->store = false;
        if (cache_put(c->store, space, entry->key, &entry->value, sizeof(entry->value), &e) < 0) {
            store_rollback(c->store);
            return;
        }
    }
    (void)store_commit(c->store, &e);
}
