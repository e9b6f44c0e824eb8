#include "manifest/envfile.h"

#include "base/buf.h"
#include "data.h"
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool parses_to(const char *text, const char *name, const char *value)
{
    struct env_set s = {0};
    struct err e = ERR_INIT;
    bool ok = env_parse("x.env", text, strlen(text), &s, &e) == 0;
    const char *got = ok ? env_get(&s, name) : NULL;
    bool same = got ? value && strcmp(got, value) == 0 : value == NULL;
    if (!same)
        printf("# got %s %s\n", got ? got : "(nothing)", e.text);
    env_release(&s);
    return same;
}

static void values_are_read_as_they_are_written(void)
{
    static const struct {
        const char *text, *value; /* of A */
    } rows[] = {
        {"A=1", "1"},
        {"A=", ""},
        {"", NULL},
        {"\n\n# A=2\n  A = 1 \n", "1"},
        {"export A=1\n", "1"},
        {"export\tA=1\n", "1"},
        {"exportA=1\nA=2", "2"},
        {"\xEF\xBB\xBF"
         "A=1\r\n",
         "1"},
        {"A=one two   # comment", "one two"},
        {"A=#comment", ""},
        {"A='one # two'", "one # two"},
        {"A=\"one # two\" # three", "one # two"},
        {"A=`it's \"so\"`", "it's \"so\""},
        {"A=\"a\\nb\\t\\\"c\\\\\\$d\"", "a\nb\t\"c\\$d"},
        {"A='a\\nb'", "a\\nb"},
        {"A=a\\nb", "a\\nb"},
        {"A=\"two\nlines\"\nB=1", "two\nlines"},
        {"A=1\nA=2", "2"},
        {"A=postgres://u:p@h/d?x=y", "postgres://u:p@h/d?x=y"},
        {"A.b-c=1\nA=2", "2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(parses_to(rows[i].text, "A", rows[i].value));
}

static void names_in_values_stand_for_what_came_before(void)
{
    CHECK(parses_to("B=x\nA=$B-${B}", "A", "x-x"));
    CHECK(parses_to("A=$B\nB=x", "A", ""));
    CHECK(parses_to("A=${B:-other}", "A", "other"));
    CHECK(parses_to("B=1\nA=${B:-other}", "A", "1"));
    CHECK(parses_to("B=x\nA=\\$B", "A", "$B"));
    CHECK(parses_to("B=x\nA='$B'", "A", "$B"));
    CHECK(parses_to("B=x\nA=\"$B\"", "A", "x"));
    CHECK(parses_to("A=$5 ${ ${x $", "A", "$5 ${ ${x $"));
    CHECK(parses_to("A=1\nA=$A$A\nA=$A$A", "A", "1111"));
}

static bool refused_at(const char *text, const char *where)
{
    struct env_set s = {0};
    struct err e = ERR_INIT;
    bool ok = env_parse("x.env", "KEPT=1", 6, &s, &e) == 0 &&
              env_parse("x.env", text, strlen(text), &s, &e) == -1 && e.kind == ERR_MANIFEST &&
              strncmp(e.text, where, strlen(where)) == 0 && s.n == 1 && env_get(&s, "KEPT") &&
              !strstr(e.text, "canary");
    if (!ok)
        printf("# %s\n", e.text);
    env_release(&s);
    return ok;
}

static void a_bad_line_is_located_and_changes_nothing(void)
{
    CHECK(refused_at("B=1\ncanary", "x.env:2:7: '=' is missing"));
    CHECK(refused_at("B=1\n=canary", "x.env:2:1: no variable's name"));
    CHECK(refused_at("1B=canary", "x.env:1:1: no variable's name"));
    CHECK(refused_at("B=\"canary\n\n", "x.env:1:3: the quote is never closed"));
    CHECK(refused_at("B='canary' canary", "x.env:1:12: more text"));
    CHECK(refused_at("B=canary#canary", "x.env:1:9: '#' in a value"));
    CHECK(refused_at("B=1\nC=\xff", "x.env:2:3: not valid UTF-8"));
    struct env_set s = {0};
    struct err e = ERR_INIT;
    CHECK(env_parse("x.env", "A=a\0b", 5, &s, &e) == -1 && strstr(e.text, "x.env:1:4: a NUL"));
    env_release(&s);
}

/* "Billion laughs" of env files. */
static void a_value_that_grows_without_end_is_refused(void)
{
    struct buf text = BUF_INIT(1 << 20);
    struct env_set s = {0};
    struct err e = ERR_INIT;
    buf_adds(&text, "A=xxxxxxxxxx\n");
    for (int i = 0; i < 40; i++)
        buf_adds(&text, "A=$A$A$A\n");
    CHECK(env_parse("x.env", buf_str(&text), text.len, &s, &e) == -1);
    CHECK(strstr(e.text, "grows over"));
    CHECK(s.n == 0);
    env_release(&s);
    buf_release(&text);
}

static void ten_thousand_names_stay_sorted(void)
{
    struct buf text = BUF_INIT(1 << 20);
    struct env_set s = {0};
    struct err e = ERR_INIT;
    for (int i = 0; i < 10000; i++)
        buf_addf(&text, "N%d=%d\n", (i * 7919) % 10000, i);
    CHECK(env_parse("x.env", buf_str(&text), text.len, &s, &e) == 0);
    bool sorted = s.n == 10000;
    for (size_t i = 1; i < s.n; i++)
        sorted = sorted && strcmp(s.vars[i - 1].name, s.vars[i].name) < 0;
    CHECK(sorted);
    env_release(&s);
    buf_release(&text);
}

/* --- Layers, in real folders ------------------------------------------------------------------ */

static char root[64];

static void write_file(const char *name, const char *text)
{
    char path[256];
    struct err e = ERR_INIT;
    snprintf(path, sizeof path, "%s/%s", root, name);
    CHECK(file_write_atomic(path, text, strlen(text), 0644, &e) == 0);
}

static struct manifest *layered_manifest(const char *env)
{
    struct buf text = BUF_INIT(4096);
    struct manifest *m = NULL;
    struct manifest_problems p;
    struct err e = ERR_INIT;
    buf_addf(&text,
             "project: p\n"
             "apps:\n"
             "  web:\n"
             "    kind: static\n"
             "    path: app\n"
             "    instances: [red, blue]\n"
             "    variables: { FROM_MANIFEST: \"{app}/{instance}\", BOTH: \"$FILE+$UNKNOWN\" }\n"
             "environments:\n"
             "  uat:\n"
             "    branch: b\n"
             "    static: { platform: netlify, variables: { LAST: binding } }\n"
             "%s",
             env);
    CHECK(manifest_parse("trine.yaml", root, buf_str(&text), text.len, &m, &p, &e) == 0);
    manifest_problems_release(&p);
    buf_release(&text);
    return m;
}

static bool layered_to(const struct manifest *m, size_t instance, const char *name,
                       const char *value)
{
    struct env_set s;
    struct err e = ERR_INIT;
    struct cell c = {.env = &m->environments[0],
                     .app = &m->apps[0],
                     .instance = m->apps[0].instances[instance],
                     .binding = &m->environments[0].static_};
    if (env_layered(m, &c, &s, &e)) {
        printf("# %s\n", e.text);
        return false;
    }
    const char *got = env_get(&s, name);
    bool same = got && strcmp(got, value) == 0;
    if (!same)
        printf("# %s is %s\n", name, got ? got : "(nothing)");
    env_release(&s);
    return same;
}

static void later_files_win_in_vites_order(const struct manifest *m)
{
    static const char *const files[] = {
        ".env",         ".env.local",         ".env.uat",     ".env.uat.local",
        ".env.red",     ".env.red.local",     "app/.env",     "app/.env.local",
        "app/.env.uat", "app/.env.uat.local", "app/.env.red", "app/.env.red.local"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "FILE=%s\nLAST=file\n", files[i]);
        write_file(files[i], text);
        CHECK(layered_to(m, 0, "FILE", files[i]));
    }
    CHECK(layered_to(m, 1, "FILE", "app/.env.uat.local")); /* blue has no file of its own */
}

static void the_manifests_variables_come_last_and_expand(const struct manifest *m)
{
    CHECK(layered_to(m, 0, "FROM_MANIFEST", "web/red"));
    CHECK(layered_to(m, 1, "FROM_MANIFEST", "web/blue"));
    CHECK(layered_to(m, 0, "LAST", "binding"));
    CHECK(layered_to(m, 0, "BOTH", "app/.env.red.local+$UNKNOWN")); /* for secrets_expand */
}

static void a_named_env_file_must_exist_in_one_of_the_folders(void)
{
    struct manifest *m = layered_manifest("    env: .env.special\n");
    struct env_set s;
    struct err e = ERR_INIT;
    struct cell c = {.env = &m->environments[0],
                     .app = &m->apps[0],
                     .instance = "",
                     .binding = &m->environments[0].static_};
    CHECK(env_layered(m, &c, &s, &e) == -1);
    CHECK(e.kind == ERR_MANIFEST && strstr(e.text, "environments.uat.env: .env.special"));
    CHECK(strncmp(e.text, "trine.yaml:9:", 13) == 0);
    write_file(".env.special", "SPECIAL=1\n");
    CHECK(layered_to(m, 0, "SPECIAL", "1"));
    write_file(".env.special", "SPECIAL='1\n");
    CHECK(env_layered(m, &c, &s, &e) == -1);
    CHECK(strstr(e.text, ".env.special:1:9: the quote"));
    manifest_free(m);
}

static void a_folder_called_env_is_no_env_file(void)
{
    char path[256];
    struct manifest *m = layered_manifest("");
    snprintf(path, sizeof path, "%s/.env.blue", root); /* as Python's venv may be called */
    CHECK(mkdir(path, 0700) == 0);
    CHECK(layered_to(m, 1, "LAST", "binding"));
    manifest_free(m);
}

static void remove_all(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    CHECK(system(command) == 0); /* NOLINT(cert-env33-c): a name of our own */
}

int main(void)
{
    struct err e = ERR_INIT;
    char app[128];
    values_are_read_as_they_are_written();
    names_in_values_stand_for_what_came_before();
    a_bad_line_is_located_and_changes_nothing();
    a_value_that_grows_without_end_is_refused();
    ten_thousand_names_stay_sorted();
    snprintf(root, sizeof root, "/tmp/trine-env-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    snprintf(app, sizeof app, "%s/app", root);
    CHECK(dir_make(app, &e) == 0);
    struct manifest *m = layered_manifest("");
    if (m) {
        later_files_win_in_vites_order(m);
        the_manifests_variables_come_last_and_expand(m);
    }
    manifest_free(m);
    a_named_env_file_must_exist_in_one_of_the_folders();
    a_folder_called_env_is_no_env_file();
    remove_all();
    return DONE();
}
