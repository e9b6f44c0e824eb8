#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * make_files DIR COUNT BYTES: a folder of COUNT files with BYTES in all, as a bundle would have
 * them: index.html and hundreds of assets a folder, between a half and one and a half of the mean
 * size. Always the same bytes, which neither compress nor repeat.
 */
enum { A_FOLDER = 100, BLOCK_WORDS = 8192, PATH_SIZE = 4096 };

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "make_files: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void make_dir(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        fail(path);
}

static void make_file(const char *path, uint64_t size, uint64_t *state)
{
    static uint64_t block[BLOCK_WORDS];
    FILE *f = fopen(path, "wbe");

    if (!f)
        fail(path);
    while (size > 0) {
        size_t n = size < sizeof(block) ? (size_t)size : sizeof(block);
        for (size_t i = 0; i * sizeof(*block) < n; i++)
            block[i] = next_random(state);
        if (fwrite(block, 1, n, f) != n)
            fail(path);
        size -= n;
    }
    if (fclose(f) != 0)
        fail(path);
}

static void name_file(const char *dir, uint64_t i, char ret[PATH_SIZE])
{
    static const char *const endings[] = {"js", "css", "png", "woff2", "json"};
    int n;

    if (i == 0) {
        n = snprintf(ret, PATH_SIZE, "%s/index.html", dir);
    } else {
        n = snprintf(ret, PATH_SIZE, "%s/assets-%" PRIu64, dir, i / A_FOLDER);
        if (n > 0 && n < PATH_SIZE)
            make_dir(ret);
        n = snprintf(ret, PATH_SIZE, "%s/assets-%" PRIu64 "/part-%" PRIu64 ".%s", dir, i / A_FOLDER,
                     i, endings[i % (sizeof(endings) / sizeof(*endings))]);
    }
    if (n < 0 || n >= PATH_SIZE)
        fail("the folder's name is too long");
}

static uint64_t read_number(const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 10);

    if (*end || end == text || n == 0) {
        (void)fprintf(stderr, "make_files: %s: give a whole number from 1\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    char path[PATH_SIZE];
    uint64_t state = 1;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: make_files DIR COUNT BYTES\n");
        return 2;
    }
    uint64_t count = read_number(argv[2]), left = read_number(argv[3]);
    make_dir(argv[1]);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t mean = left / (count - i), size = mean / 2 + next_random(&state) % (mean + 1);
        if (i + 1 == count || size > left)
            size = left;
        name_file(argv[1], i, path);
        make_file(path, size, &state);
        left -= size;
    }
    return 0;
}
