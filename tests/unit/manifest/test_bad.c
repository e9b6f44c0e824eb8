#include "base/buf.h"
#include "data.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Every tests/data/manifest/bad-NAME.yaml gives exactly the lines of bad-NAME.err.
 * TRINE_UPDATE=1 writes the .err files anew: read the diff before committing it.
 */

static void lines_of(const char *name, const char *path, struct buf *ret)
{
    struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    struct err e = ERR_INIT;
    struct manifest *m;
    struct manifest_problems p = {0};
    if (buf_read_file(&text, path, &e)) {
        buf_adds(ret, e.text);
    } else if (manifest_parse(name, "/nowhere", buf_str(&text), text.len, &m, &p, &e) == 0) {
        buf_adds(ret, "accepted\n");
        manifest_free(m);
    }
    for (size_t i = 0; i < p.n; i++)
        buf_addf(ret, "%s\n", p.lines[i]);
    manifest_problems_release(&p);
    buf_release(&text);
}

static void compare(const char *name)
{
    char path[512], golden[512];
    struct err e = ERR_INIT;
    struct buf got = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
    snprintf(path, sizeof path, "%s/%s", DATA, name);
    snprintf(golden, sizeof golden, "%.*s.err", (int)(strlen(path) - strlen(".yaml")), path);
    lines_of(name, path, &got);
    if (getenv("TRINE_UPDATE"))
        (void)file_write_atomic(golden, got.data, got.len, 0644, &e);
    bool same = buf_read_file(&want, golden, &e) == 0 && strcmp(buf_str(&want), buf_str(&got)) == 0;
    if (!same)
        printf("# %s: got\n%s# want\n%s", name, buf_str(&got), buf_str(&want));
    test_report(same, name, __FILE__, __LINE__);
    buf_release(&got);
    buf_release(&want);
}

static int is_bad(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return strncmp(entry->d_name, "bad-", 4) == 0 && dot && strcmp(dot, ".yaml") == 0;
}

static void each_bad_manifest_gives_its_golden_lines(void)
{
    struct dirent **entries;
    int n = scandir(DATA, &entries, is_bad, alphasort);
    CHECK(n > 20);
    for (int i = 0; i < n; i++) {
        compare(entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static void two_hundred_problems_are_kept_and_the_rest_counted(void)
{
    struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    struct manifest *m;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    for (int i = 0; i < 5000; i++)
        buf_addf(&text, "key%d: 1\n", i);
    CHECK(manifest_parse("many.yaml", "/", text.data, text.len, &m, &p, &e) == -1);
    CHECK(p.n == 200);
    CHECK(p.n + p.more == 5003); /* and three keys are missing */
    CHECK(strstr(p.lines[0], "many.yaml:1:1: ") == p.lines[0]);
    CHECK(strstr(p.lines[199], "many.yaml:200:1: ") == p.lines[199]);
    CHECK(e.kind == ERR_MANIFEST && strstr(e.text, "5003 problems"));
    manifest_problems_release(&p);
    buf_release(&text);
}

static void a_huge_file_is_refused_by_its_size(void)
{
    char path[] = "/tmp/trine-test-XXXXXX";
    struct manifest *m;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    int fd = mkstemp(path);
    CHECK(fd >= 0 && ftruncate(fd, 100 << 20) == 0); /* sparse: takes no room */
    CHECK(manifest_load(path, &m, &p, &e) == -1);
    CHECK(e.kind == ERR_MANIFEST && strstr(e.text, "104857600 bytes"));
    CHECK(p.n == 1 && strcmp(p.lines[0], e.text) == 0);
    manifest_problems_release(&p);
    close(fd);
    unlink(path);
}

static void a_missing_file_and_a_folder_are_named(void)
{
    struct manifest *m;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    CHECK(manifest_load("/nowhere/trine.yaml", &m, &p, &e) == -1);
    CHECK(e.kind == ERR_MANIFEST && strstr(e.text, "/nowhere/trine.yaml"));
    manifest_problems_release(&p);
    CHECK(manifest_load("/tmp", &m, &p, &e) == -1);
    CHECK(strstr(e.text, "/tmp/trine.yaml"));
    manifest_problems_release(&p);
}

/* What was typed into a secret's place by mistake must not come back in the message. */
static void no_message_quotes_a_credential(void)
{
    CHECK(refused("project: p\n"
                  "apps: { a: { kind: static } }\n"
                  "environments:\n"
                  "  e: { branch: b, static: { platform: netlify, token: canary-canary } }\n",
                  "must be $NAME"));
    CHECK(!refused("project: p\n"
                   "apps: { a: { kind: static } }\n"
                   "environments:\n"
                   "  e: { branch: b, static: { platform: netlify, token: canary-canary } }\n",
                   "canary"));
}

int main(void)
{
    each_bad_manifest_gives_its_golden_lines();
    two_hundred_problems_are_kept_and_the_rest_counted();
    a_huge_file_is_refused_by_its_size();
    a_missing_file_and_a_folder_are_named();
    no_message_quotes_a_credential();
    return DONE();
}
