#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/redact.h"
#include "deploy/bundle.h"
#include "deploy/hash_cache.h"
#include "net/loop.h"
#include "store/store.h"

#include "test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[] = "/tmp/trine-bundle-XXXXXX";
static char at_path[4096];

/* A path below the test's own folder; valid until the next call. */
static const char *at(const char *name)
{
    (void)snprintf(at_path, sizeof(at_path), "%s/%s", top, name);
    return at_path;
}

static void put(const char *name, const void *data, size_t len)
{
    char path[4096], *slash;
    struct err e = ERR_INIT;

    (void)snprintf(path, sizeof(path), "%s/%s", top, name);
    slash = strrchr(path, '/');
    *slash = '\0';
    (void)dir_make(path, &e);
    *slash = '/';
    (void)file_write_atomic(path, data, len, 0644, &e);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void hash_all(struct bundle_set *s, struct hash_cache *cache, const struct redactor *r)
{
    struct loop *l = loop_new(NULL);
    struct bundle_hash_options o = {.loop = l, .cache = cache, .redactor = r, .workers = 2};

    bundle_set_hash(s, &o, stop, l);
    loop_run(l);
    loop_free(l);
}

static bool refused(const char *dir, const char *word)
{
    struct bundle_set *s = bundle_set_new();
    struct err e = ERR_INIT;
    size_t number;
    bool ok = bundle_set_add(s, dir, 0, &number, &e) == -1 && e.kind == ERR_MANIFEST &&
              strstr(e.text, word);

    if (!ok)
        printf("# %s\n", e.text);
    bundle_set_free(s);
    return ok;
}

static void files_are_sorted_bytewise_and_hashed_as_the_platforms_do(void)
{
    struct bundle_set *s = bundle_set_new();
    const struct bundle *b = NULL;
    struct err e = ERR_INIT;
    size_t number;

    put("site/empty.txt", "", 0);
    put_text("site/index.html", "<h1>hello</h1>\n");
    put_text("site/Z.txt", "z");
    put_text("site/a/b.txt", "b");
    put_text("site/a-b.txt", "ab");
    put_text("site/.git/config", "no");
    put_text("site/.DS_Store", "no");
    CHECK(bundle_set_add(s, at("site"), BUNDLE_PAGES, &number, &e) == 0);
    hash_all(s, NULL, NULL);
    CHECK(bundle_set_get(s, number, &b, &e) == 0);
    CHECK(b->n == 5 && b->bytes == 15 + 1 + 1 + 2);
    CHECK(strcmp(b->files[0].path, "Z.txt") == 0);
    CHECK(strcmp(b->files[1].path, "a-b.txt") == 0);
    CHECK(strcmp(b->files[2].path, "a/b.txt") == 0);
    const struct bundle_file *empty = &b->files[3];
    CHECK(strcmp(empty->path, "empty.txt") == 0);
    CHECK(strcmp(empty->pages, "f9bc91770fa5e997cbd47fba833629fc") == 0);
    CHECK(strcmp(empty->sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709") == 0);
    bundle_set_free(s);
}

/* Larger than one piece, so that pieces must join without a seam. */
static void a_large_file_has_the_hash_of_its_whole_content(void)
{
    enum { LEN = 700001 };
    struct bundle_set *s = bundle_set_new();
    const struct bundle *b = NULL;
    struct err e = ERR_INIT;
    uint8_t *data = malloc(LEN), digest[BLAKE3_LEN];
    char *encoded = malloc(4 * (LEN / 3 + 1) + 1), hex[2 * BLAKE3_LEN + 1];
    size_t number;

    for (size_t i = 0; i < LEN; i++)
        data[i] = (uint8_t)(i * 31 + i / 251);
    put("large/app.js", data, LEN);
    CHECK(bundle_set_add(s, at("large"), BUNDLE_PAGES, &number, &e) == 0);
    hash_all(s, NULL, NULL);
    CHECK(bundle_set_get(s, number, &b, &e) == 0);
    sha1(data, LEN, digest);
    hex_encode(digest, SHA1_LEN, hex);
    CHECK(strcmp(b->files[0].sha1, hex) == 0);
    struct blake3_stream *stream = blake3_begin();
    blake3_add(stream, encoded, base64_encode(data, LEN, encoded));
    blake3_add(stream, "js", 2);
    blake3_end(stream, digest);
    hex_encode(digest, PAGES_LEN, hex);
    CHECK(strcmp(b->files[0].pages, hex) == 0);
    free(data);
    free(encoded);
    bundle_set_free(s);
}

static void what_must_not_be_published_is_refused_by_name(void)
{
    put_text("out/secret.txt", "outside");
    put_text("link/index.html", "x");
    CHECK(symlink("../out/secret.txt", at("link/leak.txt")) == 0);
    CHECK(refused(at("link"), "leaves the folder"));
    put_text("loop/index.html", "x");
    CHECK(symlink("self", at("loop/self")) == 0);
    CHECK(refused(at("loop"), "leads nowhere"));
    put_text("dirlink/a/index.html", "x");
    CHECK(symlink("a", at("dirlink/b")) == 0);
    CHECK(refused(at("dirlink"), "links to a folder"));
    put_text("fifo/index.html", "x");
    (void)mkfifo(at("fifo/pipe"), 0600);
    CHECK(refused(at("fifo"), "neither a file nor a folder"));
    put_text("control/a\nb.txt", "x");
    CHECK(refused(at("control"), "control character"));
    put_text("utf8/\xff.txt", "x");
    CHECK(refused(at("utf8"), "not UTF-8"));
    put_text("dots/..\\..\\etc.txt", "x");
    CHECK(refused(at("dots"), "backslash"));
    put_text("own/.well-known/trine.json", "{}");
    CHECK(refused(at("own"), "trine writes this file itself"));
    (void)mkdir(at("none"), 0700);
    CHECK(refused(at("none"), "holds no files"));
    CHECK(refused(at("absent"), "folder to deploy"));
}

static void a_link_inside_the_folder_stands_for_its_file(void)
{
    struct bundle_set *s = bundle_set_new();
    const struct bundle *b = NULL;
    struct err e = ERR_INIT;
    uint64_t bytes;
    size_t number, files;

    put_text("inside/a.txt", "same");
    CHECK(symlink("a.txt", at("inside/b.txt")) == 0);
    CHECK(bundle_set_add(s, at("inside"), 0, &number, &e) == 0);
    hash_all(s, NULL, NULL);
    CHECK(bundle_set_get(s, number, &b, &e) == 0);
    CHECK(b->n == 2 && strcmp(b->files[0].sha1, b->files[1].sha1) == 0 && b->files[1].sha1[0]);
    bundle_set_progress(s, &bytes, &files);
    CHECK(files == 1 && bytes == 4);
    bundle_set_free(s);
}

/* The value lies across the border of two pieces of 196608 bytes. */
static void a_secret_is_found_even_across_pieces_and_both_are_named(void)
{
    enum { LEN = 400000 };
    struct bundle_set *s = bundle_set_new();
    struct redactor *r = redactor_new();
    const struct bundle *b;
    struct err e = ERR_INIT;
    char *data = malloc(LEN);
    size_t bad, good;

    memset(data, 'x', LEN);
    for (const char *value = "canary-secret-value", *c = value; *c; c++)
        data[196608 - 5 + (c - value)] = *c;
    put("canary/app.js.map", data, LEN);
    put_text("clean/index.html", "nothing here");
    redactor_add(r, "API_TOKEN", "canary-secret-value");
    CHECK(bundle_set_add(s, at("canary"), 0, &bad, &e) == 0);
    CHECK(bundle_set_add(s, at("clean"), 0, &good, &e) == 0);
    hash_all(s, NULL, r);
    CHECK(bundle_set_get(s, bad, &b, &e) == -1 && e.kind == ERR_MANIFEST);
    CHECK(strstr(e.text, "app.js.map") && strstr(e.text, "API_TOKEN"));
    CHECK(!strstr(e.text, "canary-secret"));
    CHECK(bundle_set_get(s, good, &b, &e) == 0);
    free(data);
    redactor_free(r);
    bundle_set_free(s);
}

static size_t files_read(const char *dir, struct hash_cache *cache, const struct redactor *r)
{
    struct bundle_set *s = bundle_set_new();
    struct err e = ERR_INIT;
    uint64_t bytes;
    size_t number, files = 99;

    if (bundle_set_add(s, dir, BUNDLE_PAGES, &number, &e) == 0) {
        hash_all(s, cache, r);
        bundle_set_progress(s, &bytes, &files);
    }
    bundle_set_free(s);
    return files;
}

static void a_known_file_is_not_read_again_unless_the_secrets_changed(void)
{
    struct hash_cache *cache = hash_cache_new(NULL);
    struct redactor *r = redactor_new();

    put_text("again/a.txt", "a");
    put_text("again/b.txt", "b");
    CHECK(files_read(at("again"), cache, NULL) == 2);
    CHECK(files_read(at("again"), cache, NULL) == 0);
    redactor_add(r, "TOKEN", "a-new-secret");
    CHECK(files_read(at("again"), cache, r) == 2);
    CHECK(files_read(at("again"), cache, r) == 0);
    put_text("again/b.txt", "B");
    CHECK(files_read(at("again"), cache, r) == 1);
    redactor_free(r);
    hash_cache_free(cache);
}

static void large_files_are_remembered_by_the_store(void)
{
    struct file_key key = {1, 2, 100000, 3, 4, "js"};
    struct file_hashes in = {.sha1 = {1, 2, 3}, .has_pages = true}, out;
    struct store *store = NULL;
    struct err e = ERR_INIT;

    CHECK(store_open(at("state"), &clock_system, NULL, &store, &e) == 0);
    struct hash_cache *cache = hash_cache_new(store);
    hash_cache_put(cache, &key, &in, true);
    hash_cache_free(cache);
    cache = hash_cache_new(store);
    CHECK(hash_cache_get(cache, &key, &out) && memcmp(&in, &out, sizeof(in)) == 0);
    key.modified_ns++;
    CHECK(!hash_cache_get(cache, &key, &out));
    hash_cache_free(cache);
    store_close(store);
}

static void the_signed_bundle_has_the_plain_one_s_digest_and_one_file_more(void)
{
    struct bundle_identity identity = {"weed", "shop", "modern", "uat", "abcdef0", 7};
    struct bundle_set *s = bundle_set_new();
    const struct bundle *plain = NULL, *both = NULL;
    struct err e = ERR_INIT;
    struct buf text = BUF_INIT(4096);
    char own[4096];
    size_t number;

    put_text("sign/.a.txt", "first");
    put_text("sign/index.html", "x");
    (void)snprintf(own, sizeof(own), "%s", at("own.json"));
    CHECK(bundle_set_add(s, at("sign"), BUNDLE_PAGES, &number, &e) == 0);
    hash_all(s, NULL, NULL);
    CHECK(bundle_set_get(s, number, &plain, &e) == 0);
    CHECK(bundle_set_sign(s, number, &identity, own, &both, &e) == 0);
    CHECK(both->n == 3 && strcmp(both->digest, plain->digest) == 0);
    CHECK(strcmp(both->files[1].path, ".well-known/trine.json") == 0);
    CHECK(strlen(both->files[1].sha1) == 40 && strlen(both->files[1].pages) == 32);
    CHECK(buf_read_file(&text, own, &e) == 0 && text.len == both->files[1].size);
    json_t *json = json_read(text.data, text.len, "own", &e);
    CHECK(strcmp(json_str(json, "digest", ""), plain->digest) == 0);
    CHECK(json_int(json, "release", 0) == 7);
    json_decref(json);
    buf_release(&text);
    bundle_set_free(s);
}

static void a_folder_keeps_its_number_whatever_it_is_called(void)
{
    static const char *const names[] = {"one", "two", "one", "./two", "one/../two", "link", "one"};
    static const size_t numbers[] = {0, 1, 0, 1, 1, 0, 0};
    struct bundle_set *s = bundle_set_new();
    struct err e = ERR_INIT;
    char link[4096];

    put_text("numbers/one/index.html", "1");
    put_text("numbers/two/index.html", "2");
    (void)snprintf(link, sizeof(link), "%s/numbers/link", top);
    CHECK(symlink("one", link) == 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char name[64];
        size_t number = 99;

        (void)snprintf(name, sizeof(name), "numbers/%s", names[i]);
        CHECK(bundle_set_add(s, at(name), 0, &number, &e) == 0 && number == numbers[i]);
    }
    bundle_set_free(s);
}

static void limits_of_the_platform_are_checked_before_anything_is_sent(void)
{
    struct bundle_file files[2] = {{.path = "a", .source = "/site/a", .size = 10},
                                   {.path = "b", .source = "/site/b", .size = 26}};
    struct bundle b = {.files = files, .n = 2, .bytes = 36};
    struct provider_ops ops = {.title = "Tiny", .max_file_bytes = 25, .max_files = 2};
    struct err e = ERR_INIT;

    CHECK(bundle_check(&b, &ops, &e) == -1 && strstr(e.text, "/site/b"));
    ops.max_file_bytes = 0;
    CHECK(bundle_check(&b, &ops, &e) == 0);
    ops.max_files = 1;
    CHECK(bundle_check(&b, &ops, &e) == -1 && e.kind == ERR_MANIFEST);
}

int main(void)
{
    if (!mkdtemp(top))
        return 99;
    files_are_sorted_bytewise_and_hashed_as_the_platforms_do();
    a_large_file_has_the_hash_of_its_whole_content();
    what_must_not_be_published_is_refused_by_name();
    a_link_inside_the_folder_stands_for_its_file();
    a_secret_is_found_even_across_pieces_and_both_are_named();
    a_known_file_is_not_read_again_unless_the_secrets_changed();
    large_files_are_remembered_by_the_store();
    the_signed_bundle_has_the_plain_one_s_digest_and_one_file_more();
    a_folder_keeps_its_number_whatever_it_is_called();
    limits_of_the_platform_are_checked_before_anything_is_sent();
    (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return DONE();
}
