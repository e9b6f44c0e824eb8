#include "base/buf.h"

#include "base/arena.h"
#include "base/fault.h"
#include "base/mem.h"
#include "test.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_buffer_grows_to_its_maximum_and_no_further(void)
{
    struct buf b = BUF_INIT(10);

    CHECK(strcmp(buf_str(&b), "") == 0);
    buf_adds(&b, "12345");
    buf_addf(&b, "%d", 67890);
    CHECK(b.len == 10 && strcmp(buf_str(&b), "1234567890") == 0 && !buf_over(&b));
    buf_addc(&b, 'x');
    CHECK(b.len == 10 && buf_over(&b));
    buf_clear(&b);
    CHECK(b.len == 0 && !buf_over(&b) && strcmp(buf_str(&b), "") == 0);
    buf_adds(&b, "12345678901"); /* dropped whole */
    CHECK(b.len == 0 && buf_over(&b));
    buf_adds(&b, "1"); /* sticky */
    CHECK(b.len == 0);
    buf_release(&b);
    buf_adds(&b, "again");
    CHECK(strcmp(buf_str(&b), "again") == 0);
    buf_release(&b);
}

static void a_large_buffer_keeps_every_byte(void)
{
    struct buf b = BUF_INIT(1 << 20);
    bool same = true;

    for (int i = 0; i < 100000; i++)
        buf_addf(&b, "%05d,", i);
    CHECK(b.len == 600000 && !buf_over(&b));
    for (int i = 0; i < 100000; i += 997)
        same = same && strtol(b.data + (size_t)6 * (size_t)i, NULL, 10) == i;
    CHECK(same);
    buf_release(&b);
}

static void taken_bytes_belong_to_the_taker(void)
{
    struct buf b = BUF_INIT(100);
    size_t len = 9;
    char *none = buf_take(&b, &len);

    CHECK(len == 0 && strcmp(none, "") == 0);
    buf_add(&b, "a\0b", 3);

    char *data = buf_take(&b, &len);

    CHECK(len == 3 && memcmp(data, "a\0b", 4) == 0 && b.len == 0 && b.data == NULL);
    free(none);
    free(data);
}

static void a_file_is_read_whole_or_refused_by_name(void)
{
    struct buf b = BUF_INIT(5);
    struct err e = ERR_INIT;

    CHECK(file_write_atomic("buf.tmp", "hello", 5, 0640, &e) == 0);
    CHECK(buf_read_file(&b, "buf.tmp", &e) == 0 && strcmp(buf_str(&b), "hello") == 0);
    CHECK(file_write_atomic("buf.tmp", "hello!", 6, 0640, &e) == 0);
    buf_clear(&b);
    CHECK(buf_read_file(&b, "buf.tmp", &e) == -1 && e.kind == ERR_MANIFEST);
    CHECK(strstr(e.text, "buf.tmp") && strstr(e.text, "5 bytes"));
    buf_clear(&b);
    CHECK(buf_read_file(&b, "not-there.tmp", &e) == -1 && e.code == ENOENT);
    CHECK(strstr(e.text, "not-there.tmp") != NULL);
    CHECK(buf_read_file(&b, ".", &e) == -1 && e.kind == ERR_MANIFEST);
    unlink("buf.tmp");
    buf_release(&b);
}

static void a_written_file_replaces_the_old_one_with_its_mode(void)
{
    struct err e = ERR_INIT;
    struct stat st;

    umask(022);
    CHECK(file_write_atomic("mode.tmp", "one", 3, 0666, &e) == 0);
    CHECK(stat("mode.tmp", &st) == 0 && (st.st_mode & 0777) == 0644 && st.st_size == 3);
    CHECK(file_write_atomic("mode.tmp", "", 0, 0600, &e) == 0);
    CHECK(stat("mode.tmp", &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 0);
    unlink("mode.tmp");
    CHECK(file_write_atomic("no/such/folder/x", "x", 1, 0600, &e) == -1);
    CHECK(e.kind == ERR_STORE && e.code == ENOENT && strstr(e.text, "no/such/folder/x"));
}

static void folders_are_made_with_their_parents(void)
{
    struct err e = ERR_INIT;
    struct stat st;

    CHECK(dir_make("made.tmp/a/b", &e) == 0 && dir_make("made.tmp/a/b", &e) == 0);
    CHECK(dir_make("made.tmp/a/c/", &e) == 0);
    CHECK(stat("made.tmp/a/b", &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
    CHECK(file_write_atomic("made.tmp/file", "", 0, 0600, &e) == 0);
    CHECK(dir_make("made.tmp/file", &e) == -1 && e.kind == ERR_STORE && e.code == ENOTDIR);
    CHECK(dir_make("made.tmp/file/below", &e) == -1 && strstr(e.text, "made.tmp/file/below"));
    unlink("made.tmp/file");
    rmdir("made.tmp/a/c");
    rmdir("made.tmp/a/b");
    rmdir("made.tmp/a");
    rmdir("made.tmp");
}

static void an_arena_gives_zeroed_aligned_memory(void)
{
    struct arena a = ARENA_INIT;
    bool good = true;

    for (size_t i = 1; i < 3000; i += 7) {
        unsigned char *p = arena_alloc(&a, i);

        good = good && (uintptr_t)p % _Alignof(max_align_t) == 0 && p[0] == 0 && p[i - 1] == 0;
        memset(p, 0xff, i);
    }
    CHECK(good);
    memset(arena_array(&a, 1000, 1000), 1, 1000000);
    CHECK(strcmp(arena_printf(&a, "%s-%d", "x", 5), "x-5") == 0);
    CHECK(strcmp(arena_strndup(&a, "abcdef", 3), "abc") == 0);
    CHECK(arena_strdup(&a, NULL) == NULL && a.used > 1000000);
    arena_release(&a);
    CHECK(a.head == NULL && a.used == 0);
}

static void a_fault_hits_where_it_is_told(void)
{
    struct fault never = {0}, second = {.after = 2}, from_second = {.after = 2, .sticky = true};

    CHECK(!fault_hit(NULL) && !fault_hit(&never) && never.hits == 1);
    CHECK(!fault_hit(&second) && fault_hit(&second) && !fault_hit(&second) && second.hits == 3);
    CHECK(!fault_hit(&from_second) && fault_hit(&from_second) && fault_hit(&from_second));
}

int main(void)
{
    a_buffer_grows_to_its_maximum_and_no_further();
    a_large_buffer_keeps_every_byte();
    taken_bytes_belong_to_the_taker();
    a_file_is_read_whole_or_refused_by_name();
    a_written_file_replaces_the_old_one_with_its_mode();
    folders_are_made_with_their_parents();
    an_arena_gives_zeroed_aligned_memory();
    a_fault_hits_where_it_is_told();
    return DONE();
}
