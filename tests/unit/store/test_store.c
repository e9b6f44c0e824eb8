#include "base/fault.h"
#include "child.h"
#include "fixture.h"
#include "store/inner.h"

#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* --- What is asked of the file ---------------------------------------------------------------- */

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(data, 1, len, f) == len);
    if (f)
        fclose(f);
}

static size_t read_file(const char *path, char *ret, size_t max)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(ret, 1, max, f) : 0;
    if (f)
        fclose(f);
    return n;
}

/* Runs SQL on the file without the store. */
static void outside(const char *path, const char *sql)
{
    sqlite3 *db;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static void a_new_store_is_readable_by_its_owner_only(void)
{
    struct fixture f;
    struct stat folder, file;
    fixture_folder(&f);
    mode_t before = umask(0);
    char inner[80];
    snprintf(inner, sizeof(inner), "%s/state", f.dir);
    CHECK(store_open(inner, &f.clock, NULL, &f.store, &f.err) == 0);
    umask(before);
    char path[96];
    snprintf(path, sizeof(path), "%s/trine.db", inner);
    CHECK(stat(inner, &folder) == 0 && (folder.st_mode & 0777) == 0700);
    CHECK(stat(path, &file) == 0 && (file.st_mode & 0777) == 0600);
    store_close(f.store);
    f.store = NULL;
    CHECK(unlink(path) == 0 && rmdir(inner) == 0);
    fixture_release(&f);
}

static void what_was_written_is_there_after_reopening(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = 0, again = 0;
    CHECK(series_id(f.store, "uat", "shop", "modern", "http", &id, &f.err) == 0);
    store_close(f.store);
    CHECK(fixture_open(&f) == 0);
    CHECK(series_id(f.store, "uat", "shop", "modern", "http", &again, &f.err) == 0 && id == again);
    fixture_release(&f);
}

static void the_file_of_another_program_is_refused_and_left_as_it_is(void)
{
    struct fixture f;
    static char before[65536], after[65536];
    fixture_folder(&f);
    outside(f.path, "PRAGMA application_id = 1234; CREATE TABLE theirs (x)");
    size_t len = read_file(f.path, before, sizeof(before));
    CHECK(fixture_open(&f) == -1 && f.err.kind == ERR_STORE);
    CHECK(strstr(f.err.text, "another program") && strstr(f.err.text, f.path));
    CHECK(read_file(f.path, after, sizeof(after)) == len && memcmp(before, after, len) == 0);
    fixture_release(&f);
}

static void a_database_without_any_mark_but_with_tables_is_foreign_too(void)
{
    struct fixture f;
    fixture_folder(&f);
    outside(f.path, "CREATE TABLE theirs (x)");
    CHECK(fixture_open(&f) == -1 && strstr(f.err.text, "another program"));
    fixture_release(&f);
}

static void a_file_of_a_newer_trine_is_refused(void)
{
    struct fixture f;
    fixture_init(&f);
    store_close(f.store);
    f.store = NULL;
    outside(f.path, "PRAGMA user_version = 4711");
    CHECK(fixture_open(&f) == -1 && f.err.kind == ERR_STORE);
    CHECK(strstr(f.err.text, "newer trine") && strstr(f.err.text, "4711"));
    fixture_release(&f);
}

static void a_file_that_is_no_database_is_refused(void)
{
    struct fixture f;
    char text[8192];
    memset(text, 'x', sizeof(text));
    fixture_folder(&f);
    write_file(f.path, text, sizeof(text));
    CHECK(fixture_open(&f) == -1 && f.err.kind == ERR_STORE);
    CHECK(strstr(f.err.text, "not a database") && strstr(f.err.text, f.path));
    fixture_release(&f);
}

static void ignore_deployment(const struct deployment_row *row, void *arg)
{
    (void)row;
    (void)arg;
}

static void a_damaged_page_is_told_and_not_believed(void)
{
    struct fixture f;
    char noise[4096];
    memset(noise, 0xa5, sizeof(noise));
    fixture_init(&f);
    store_close(f.store);
    f.store = NULL;
    struct stat st;
    CHECK(stat(f.path, &st) == 0);
    int fd = open(f.path, O_WRONLY | O_CLOEXEC);
    /* All but the first two pages, which hold the header and the start of the schema. */
    for (off_t at = 8192; at < st.st_size; at += (off_t)sizeof(noise))
        CHECK(pwrite(fd, noise, sizeof(noise), at) == (ssize_t)sizeof(noise));
    close(fd);
    int opened = fixture_open(&f);
    if (opened == 0)
        opened = deployment_latest(f.store, NULL, ignore_deployment, NULL, &f.err);
    CHECK(opened == -1 && f.err.kind == ERR_STORE && strstr(f.err.text, "damaged"));
    fixture_release(&f);
}

static void a_folder_that_cannot_be_made_is_named(void)
{
    struct fixture f;
    fixture_folder(&f);
    write_file(f.path, "x", 1);
    CHECK(store_open(f.path, &f.clock, NULL, &f.store, &f.err) == -1 && f.err.kind == ERR_STORE);
    CHECK(strstr(f.err.text, f.path));
    fixture_release(&f);
}

/* --- Groups ------------------------------------------------------------------------------------
 */

static int put(struct store *s, const struct lease *l, const char *instance, int64_t release,
               struct err *e)
{
    struct deployment_row row = {.environment = l->environment,
                                 .app = "shop",
                                 .instance = instance,
                                 .release = release,
                                 .state = DEPLOYMENT_LIVE};
    return deployment_put(s, l, &row, e);
}

static void count(const struct deployment_row *row, void *arg)
{
    (void)row;
    ++*(int *)arg;
}

static int count_rows(struct store *s, const char *environment, int64_t release)
{
    struct err e = ERR_INIT;
    int n = 0;
    return deployment_of_release(s, environment, release, count, &n, &e) == 0 ? n : -1;
}

static void a_group_is_kept_whole_or_not_at_all(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    CHECK(store_begin(f.store, &f.err) == 0);
    CHECK(put(f.store, &l, "a", 1, &f.err) == 0 && put(f.store, &l, "b", 1, &f.err) == 0);
    store_rollback(f.store);
    CHECK(count_rows(f.store, "uat", 1) == 0);
    CHECK(store_begin(f.store, &f.err) == 0);
    CHECK(put(f.store, &l, "a", 1, &f.err) == 0 && put(f.store, &l, "b", 1, &f.err) == 0);
    CHECK(store_commit(f.store, &f.err) == 0);
    CHECK(count_rows(f.store, "uat", 1) == 2);
    fixture_release(&f);
}

static void a_group_with_a_failed_write_is_not_kept_even_when_nobody_looked(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat"), stale = l;
    stale.token = 0;
    CHECK(store_begin(f.store, &f.err) == 0);
    CHECK(put(f.store, &l, "a", 1, &f.err) == 0);
    CHECK(put(f.store, &stale, "b", 1, &f.err) == -1);
    CHECK(put(f.store, &l, "c", 1, &f.err) == -1);
    CHECK(store_commit(f.store, &f.err) == -1 && f.err.kind == ERR_STORE);
    CHECK(count_rows(f.store, "uat", 1) == 0);
    CHECK(put(f.store, &l, "d", 1, &f.err) == 0);
    fixture_release(&f);
}

static void groups_do_not_nest(void)
{
    struct fixture f;
    fixture_init(&f);
    CHECK(store_commit(f.store, &f.err) == -1 && f.err.kind == ERR_BUG);
    CHECK(store_begin(f.store, &f.err) == 0);
    CHECK(store_begin(f.store, &f.err) == -1 && f.err.kind == ERR_BUG);
    CHECK(store_commit(f.store, &f.err) == 0);
    fixture_release(&f);
}

/* --- Full disks and faults ---------------------------------------------------------------------
 */

/* Writes until it is refused, at most `most` rows of 8 kB; returns how many were kept. */
static int fill(struct store *s, int most, struct err *e)
{
    static char value[8192];
    for (int i = 0; i < most; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        if (cache_put(s, "fill", key, value, sizeof(value), e) < 0)
            return i;
    }
    return most;
}

static bool has(struct store *s, int i)
{
    struct err e = ERR_INIT;
    char key[16], value[8192];
    size_t len;
    bool found = false;
    snprintf(key, sizeof(key), "k%d", i);
    return cache_get(s, "fill", key, value, sizeof(value), &len, &found, &e) == 0 && found;
}

static void a_full_file_refuses_the_new_and_keeps_the_old(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    CHECK(sql_script(f.store->sql, "PRAGMA max_page_count = 60", &f.err) == 0);
    int kept = fill(f.store, 1000, &f.err);
    CHECK(kept > 0 && kept < 1000 && f.err.kind == ERR_STORE);
    CHECK(strstr(f.err.text, "full") && strstr(f.err.text, f.path));
    CHECK(has(f.store, 0) && has(f.store, kept - 1) && !has(f.store, kept));

    /* A group that the engine gave up is given up whole. */
    CHECK(store_begin(f.store, &f.err) == 0);
    CHECK(put(f.store, &l, "a", 1, &f.err) == 0 || f.err.kind == ERR_STORE);
    fill(f.store, 1000, &f.err);
    CHECK(store_commit(f.store, &f.err) == -1 && f.err.kind == ERR_STORE);
    CHECK(count_rows(f.store, "uat", 1) == 0 && has(f.store, kept - 1));
    fixture_release(&f);
}

/* Child: a disk of its own of 512 kB, full after some rows. Says what happened. */
static int full_disk_child(const char *dir)
{
    struct store *s;
    struct err e = ERR_INIT, none = ERR_INIT;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=512k") < 0) {
        child_say("no rights");
        return 0;
    }
    if (store_open(dir, NULL, NULL, &s, &e) < 0)
        return 1;
    int kept = fill(s, 1000, &e);
    bool good = kept > 0 && kept < 1000 && e.kind == ERR_STORE && strstr(e.text, "full") &&
                strstr(e.text, dir) && has(s, kept - 1) && !has(s, kept);
    store_close(s);
    if (store_open(dir, NULL, NULL, &s, &none) < 0)
        return 1;
    good = good && has(s, kept - 1);
    store_close(s);
    child_say(good ? "kept" : e.text);
    return 0;
}

static void a_full_disk_refuses_the_new_and_keeps_the_old(void)
{
    struct fixture f;
    char line[256];
    fixture_folder(&f);
    struct child c = child_start("full-disk", f.dir);
    child_line(&c, line);
    if (strcmp(line, "no rights") == 0)
        printf("# a file system of its own needs root: only the bounded file was tried\n");
    else
        CHECK(strcmp(line, "kept") == 0);
    child_end(&c, 0);
    fixture_release(&f);
}

/* Everything once, in an environment of its own; the two deployments are one group. */
static int whole_round(struct store *s, const char *environment, struct err *e)
{
    struct lease l;
    struct release want = {.commit = "aaa"}, r;
    struct sample v = {.at_ms = 5, .total_us = 9};
    char value[8];
    size_t len;
    bool found;
    if (lease_acquire(s, environment, "round", &l, e) < 0 ||
        release_open(s, &l, &want, &r, e) < 0 || store_begin(s, e) < 0)
        return -1;
    int a = put(s, &l, "a", r.number, e), b = put(s, &l, "b", r.number, e);
    if (store_commit(s, e) < 0 || a < 0 || b < 0)
        return -1;
    if (series_id(s, environment, "shop", "a", "http", &v.series, e) < 0 ||
        sample_add(s, &v, 1, e) < 0 || cache_put(s, "build", environment, "x", 1, e) < 0 ||
        cache_get(s, "build", environment, value, sizeof(value), &len, &found, e) < 0 ||
        cache_drop_older(s, "build", 1, e) < 0 || lease_heartbeat(s, &l, e) < 0 ||
        release_close(s, &l, r.number, RELEASE_LIVE, e) < 0)
        return -1;
    return lease_release(s, &l, e);
}

/* The fault counter moves through every statement there is, once failing one and once all later. */
static void whatever_statement_fails_the_store_stays_whole(bool sticky)
{
    struct fixture f;
    fixture_init(&f);
    int whole = 0, halves = 0, unkind = 0, rounds = 0;
    bool hit = true;
    for (int after = 1; hit && after < 500; after++, rounds++) {
        struct fault fault = {.after = after, .sticky = sticky};
        struct store *s;
        struct err e = ERR_INIT;
        char environment[32];
        snprintf(environment, sizeof(environment), "e%d", after);
        int result = store_open(f.dir, &f.clock, &fault, &s, &e);
        if (result == 0) {
            result = whole_round(s, environment, &e);
            store_close(s);
        }
        hit = result < 0;
        unkind += hit && (e.kind != ERR_STORE || !strstr(e.text, f.path));
        int n = count_rows(f.store, environment, 1);
        whole += n == 2;
        halves += n != 0 && n != 2;
    }
    CHECK(!hit && rounds > 20);
    CHECK(halves == 0 && unkind == 0);
    CHECK(whole > 0 && whole < rounds);
    fixture_release(&f);
}

/* --- Several processes -------------------------------------------------------------------------
 */

static void processes_that_open_a_new_store_at_once_all_succeed(void)
{
    enum { N = 6 };
    struct fixture f;
    struct child c[N];
    char line[256];
    fixture_folder(&f);
    for (int i = 0; i < N; i++)
        c[i] = child_start("open", f.dir);
    for (int i = 0; i < N; i++)
        child_go(&c[i]);
    for (int i = 0; i < N; i++) {
        CHECK(strcmp(child_line(&c[i], line), "opened") == 0);
        CHECK(child_end(&c[i], 0) == 0);
    }
    fixture_release(&f);
}

static int open_child(const char *dir)
{
    struct store *s;
    struct err e = ERR_INIT;
    child_wait();
    if (store_open(dir, NULL, NULL, &s, &e) < 0) {
        child_say(e.text);
        return 1;
    }
    child_say("opened");
    store_close(s);
    return 0;
}

enum { GROUP = 12 };

/* Writes one release after another, each a group of rows, and says each number once it is kept. */
static int write_child(const char *dir)
{
    struct store *s;
    struct lease l;
    struct err e = ERR_INIT;
    if (store_open(dir, NULL, NULL, &s, &e) < 0 || lease_acquire(s, "uat", "write", &l, &e) < 0) {
        child_say(e.text);
        return 1;
    }
    for (;;) {
        struct release want = {0}, r;
        snprintf(want.commit, sizeof(want.commit), "%lld-%d", (long long)l.token, rand());
        if (store_begin(s, &e) < 0 || release_open(s, &l, &want, &r, &e) < 0)
            return 1;
        for (int i = 0; i < GROUP; i++) {
            char instance[16];
            snprintf(instance, sizeof(instance), "i%d", i);
            if (put(s, &l, instance, r.number, &e) < 0)
                return 1;
        }
        if (release_close(s, &l, r.number, RELEASE_LIVE, &e) < 0 || store_commit(s, &e) < 0)
            return 1;
        char text[32];
        snprintf(text, sizeof(text), "%lld", (long long)r.number);
        child_say(text);
    }
}

struct audit {
    struct store *store;
    int64_t newest;
    int partial, unfinished;
};

static void audit_release(const struct release *r, void *arg)
{
    struct audit *a = arg;
    if (r->number > a->newest)
        a->newest = r->number;
    a->partial += count_rows(a->store, "uat", r->number) != GROUP;
    a->unfinished += r->state != RELEASE_LIVE;
}

static void killing_a_writer_leaves_only_whole_groups_and_all_that_it_reported(void)
{
    enum { ROUNDS = 30 };
    struct fixture f;
    fixture_folder(&f);
    int lost = 0, refused = 0;
    struct audit a = {0};
    for (int round = 0; round < ROUNDS; round++) {
        struct child c = child_start("write", f.dir);
        char line[256];
        int64_t reported = 0;
        for (int i = 0; i <= round % 4; i++)
            reported = strtoll(child_line(&c, line), NULL, 10);
        child_end(&c, SIGKILL);
        refused += reported == 0;
        if (fixture_open(&f) < 0)
            break;
        a.store = f.store;
        a.newest = 0;
        release_list(f.store, "uat", 0, audit_release, &a, &f.err);
        lost += a.newest < reported;
        store_close(f.store);
        f.store = NULL;
    }
    CHECK(f.err.kind == ERR_NONE);
    CHECK(refused == 0 && lost == 0);
    CHECK(a.partial == 0 && a.unfinished == 0);
    fixture_release(&f);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "open") == 0)
        return open_child(argv[2]);
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return write_child(argv[2]);
    if (argc == 3 && strcmp(argv[1], "full-disk") == 0)
        return full_disk_child(argv[2]);
    a_new_store_is_readable_by_its_owner_only();
    what_was_written_is_there_after_reopening();
    the_file_of_another_program_is_refused_and_left_as_it_is();
    a_database_without_any_mark_but_with_tables_is_foreign_too();
    a_file_of_a_newer_trine_is_refused();
    a_file_that_is_no_database_is_refused();
    a_damaged_page_is_told_and_not_believed();
    a_folder_that_cannot_be_made_is_named();
    a_group_is_kept_whole_or_not_at_all();
    a_group_with_a_failed_write_is_not_kept_even_when_nobody_looked();
    groups_do_not_nest();
    a_full_file_refuses_the_new_and_keeps_the_old();
    a_full_disk_refuses_the_new_and_keeps_the_old();
    whatever_statement_fails_the_store_stays_whole(false);
    whatever_statement_fails_the_store_stays_whole(true);
    processes_that_open_a_new_store_at_once_all_succeed();
    killing_a_writer_leaves_only_whole_groups_and_all_that_it_reported();
    return DONE();
}
