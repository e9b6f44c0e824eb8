#include "base/buf.h"
#include "base/mem.h"

#include "test.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * Replays the seeds of the replies' fuzzer, and all their prefixes and one-byte changes, for every
 * platform: a damaged answer never crashes a translator, and one that is refused changes nothing.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
enum { PLATFORMS = 8 };

static int replay(const char *path)
{
    struct buf seed = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;

    if (buf_read_file(&seed, path, &e) < 0)
        return -1;
    for (int platform = 0; platform < PLATFORMS; platform++) {
        seed.data[0] = (char)platform;
        for (size_t i = 3; i <= seed.len; i++) {
            uint8_t *bytes = mem_alloc(i); /* exact: a read behind its end is seen */
            memcpy(bytes, seed.data, i);
            (void)LLVMFuzzerTestOneInput(bytes, i);
            bytes[i - 1] ^= 0x11;
            (void)LLVMFuzzerTestOneInput(bytes, i);
            free(bytes);
        }
    }
    buf_release(&seed);
    return 0;
}

int main(void)
{
    DIR *dir = opendir(SEEDS);
    char path[4096];
    int seeds = 0;

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", SEEDS, entry->d_name);
        CHECK(replay(path) == 0);
        seeds++;
    }
    CHECK(seeds >= 15);
    if (dir)
        (void)closedir(dir);
    return DONE();
}
