#include "base/buf.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * usage: replay_NAME FILE_OR_FOLDER...
 *
 * Feeds a fuzz target the files, and all files of the folders (its seeds), and of each file
 * prefixes and versions with one byte changed. The promises are those of tests/fuzz/fuzz_NAME.c,
 * which aborts when one is broken.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && !strstr(entry->d_name, ".err");
}

/* In memory of exactly its size, so that a sanitizer sees each byte read behind the end. */
static void feed(const char *data, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    if (exact && len)
        memcpy(exact, data, len);
    if (exact)
        (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void replay(const char *path)
{
    struct buf text = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    CHECK(buf_read_file(&text, path, &e) == 0);
    feed(buf_str(&text), text.len);
    size_t step = text.len / 40 + 1; /* bounded work for long files */
    for (size_t i = 0; i < text.len; i += step) {
        static const char changes[] = "\0\t\"{}[]:*&!\xff";
        feed(text.data, i);
        char kept = text.data[i];
        text.data[i] = changes[i % (sizeof changes - 1)];
        feed(text.data, text.len);
        text.data[i] = kept;
    }
    buf_release(&text);
}

static void replay_all(const char *place)
{
    struct dirent **entries;
    int n = scandir(place, &entries, is_file, alphasort);
    if (n < 0 && errno == ENOTDIR) {
        replay(place);
        return;
    }
    CHECK(n > 0);
    for (int i = 0; i < n; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", place, entries[i]->d_name);
        replay(path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

int main(int argc, char **argv)
{
    feed("", 0);
    for (int i = 1; i < argc; i++)
        replay_all(argv[i]);
    return DONE();
}
