#include "app/agent_spool.h"
#include "base/buf.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static void folder(char path[64])
{
    snprintf(path, 64, "/tmp/trine-spool-XXXXXX");
    if (!mkdtemp(path))
        abort();
}

static void drop_folder(const char *path)
{
    DIR *d = opendir(path);

    for (struct dirent *e; d && (e = readdir(d));)
        unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

static void add(struct agent_spool *s, int n)
{
    struct buf b = BUF_INIT(256);
    struct err e = ERR_INIT;

    buf_addf(&b, "{\"n\":%04d}", n);
    CHECK(agent_spool_add(s, &b, &e) == 0);
    buf_release(&b);
}

/* The number in the oldest, which is removed; -1: there is none. */
static int take(struct agent_spool *s)
{
    struct buf b = BUF_INIT(256);
    uint64_t number = agent_spool_first(s, &b);
    int n = number ? (int)strtol(buf_str(&b) + 5, NULL, 10) : -1;

    agent_spool_remove(s, number);
    buf_release(&b);
    return n;
}

static void what_waits_comes_in_its_order_also_after_a_restart(void)
{
    struct agent_spool *s = NULL;
    struct err e = ERR_INIT;
    char path[64];

    folder(path);
    CHECK(agent_spool_open(path, 1000, &s, &e) == 0);
    for (int i = 1; i <= 5; i++)
        add(s, i);
    CHECK(take(s) == 1);
    agent_spool_close(s);
    CHECK(agent_spool_open(path, 1000, &s, &e) == 0);
    CHECK(agent_spool_waiting(s) == 4);
    add(s, 6);
    for (int i = 2; i <= 6; i++)
        CHECK(take(s) == i);
    CHECK(take(s) == -1 && agent_spool_dropped(s) == 0);
    agent_spool_close(s);
    drop_folder(path);
}

static void the_oldest_make_room_and_are_counted(void)
{
    struct agent_spool *s = NULL;
    struct err e = ERR_INIT;
    char path[64];

    folder(path);
    CHECK(agent_spool_open(path, 30, &s, &e) == 0); /* three of ten bytes */
    for (int i = 1; i <= 200; i++)
        add(s, i);
    CHECK(agent_spool_waiting(s) == 3 && agent_spool_dropped(s) == 197);
    for (int i = 198; i <= 200; i++)
        CHECK(take(s) == i);
    CHECK(take(s) == -1);
    agent_spool_close(s);
    drop_folder(path);
}

static void torn_and_foreign_files_hold_nothing_up(void)
{
    struct agent_spool *s = NULL;
    struct err e = ERR_INIT;
    char path[64], name[128], part[128];

    folder(path);
    snprintf(name, sizeof(name), "%s/0000000000000000001", path);
    CHECK(file_write_atomic(name, "{\"n\":00", 7, 0600, &e) == 0);
    snprintf(name, sizeof(name), "%s/notes.txt", path);
    CHECK(file_write_atomic(name, "hello", 5, 0600, &e) == 0);
    snprintf(part, sizeof(part), "%s/0000000000000000057.part", path);
    CHECK(file_write_atomic(part, "{\"n\"", 4, 0600, &e) == 0);
    CHECK(agent_spool_open(path, 1000, &s, &e) == 0);
    CHECK(access(part, F_OK) != 0); /* a kill left it: nobody would ever ask for it */
    add(s, 7);
    CHECK(take(s) == 7 && agent_spool_dropped(s) == 1 && take(s) == -1);
    agent_spool_close(s);
    CHECK(access(name, F_OK) == 0);
    drop_folder(path);
}

static void what_cannot_be_written_stays_with_its_owner(void)
{
    struct agent_spool *s = NULL;
    struct buf b = BUF_INIT(256);
    struct err e = ERR_INIT;
    char path[64];

    folder(path);
    CHECK(agent_spool_open(path, 1000, &s, &e) == 0);
    drop_folder(path);
    buf_adds(&b, "{\"n\":1}");
    CHECK(agent_spool_add(s, &b, &e) == -1 && e.kind == ERR_STORE);
    CHECK(agent_spool_waiting(s) == 0 && agent_spool_dropped(s) == 0);
    buf_release(&b);
    agent_spool_close(s);
}

static void a_folder_is_for_one_agent(void)
{
    struct agent_spool *s = NULL, *other = NULL;
    struct err e = ERR_INIT;
    char path[64];

    folder(path);
    CHECK(agent_spool_open(path, 1000, &s, &e) == 0);
    CHECK(agent_spool_open(path, 1000, &other, &e) == -1 && e.kind == ERR_NO);
    CHECK(strstr(e.text, path) && strstr(e.text, "--state"));
    agent_spool_close(s);
    CHECK(agent_spool_open(path, 1000, &other, &e) == 0);
    agent_spool_close(other);
    drop_folder(path);
}

int main(void)
{
    what_waits_comes_in_its_order_also_after_a_restart();
    the_oldest_make_room_and_are_counted();
    torn_and_foreign_files_hold_nothing_up();
    what_cannot_be_written_stays_with_its_owner();
    a_folder_is_for_one_agent();
    return DONE();
}
