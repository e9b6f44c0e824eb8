#include "manifest/secrets.h"

#include "base/buf.h"
#include "base/redact.h"
#include "data.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

static char env_file[] = "/tmp/trine-secrets-XXXXXX";

static void write_env_file(const char *text)
{
    struct err e = ERR_INIT;
    CHECK(file_write_atomic(env_file, text, strlen(text), 0600, &e) == 0);
}

static void a_file_wins_over_the_environment(void)
{
    struct err e = ERR_INIT;
    struct secrets *s = secrets_new(NULL);
    CHECK(setenv("TRINE_TEST_A", "from-environment", 1) == 0);
    CHECK(strcmp(secrets_get(s, "TRINE_TEST_A"), "from-environment") == 0);
    write_env_file("TRINE_TEST_A='from-file'\nTRINE_TEST_EMPTY=\n");
    CHECK(secrets_load_file(s, env_file, &e) == 0);
    CHECK(strcmp(secrets_get(s, "TRINE_TEST_A"), "from-file") == 0);
    CHECK(secrets_get(s, "TRINE_TEST_EMPTY") == NULL);
    CHECK(secrets_get(s, "TRINE_TEST_NOTHING") == NULL);
    CHECK(secrets_load_file(s, "/nowhere/x.env", &e) == -1 && strstr(e.text, "/nowhere/x.env"));
    secrets_free(s);
    secrets_free(NULL);
}

static void every_value_looked_up_is_kept_out_of_text(void)
{
    struct err e = ERR_INIT;
    struct redactor *r = redactor_new();
    struct secrets *s = secrets_new(r);
    char line[128] = "token=canary-canary-0001 end";
    write_env_file("TRINE_TEST_TOKEN=canary-canary-0001\n");
    CHECK(secrets_load_file(s, env_file, &e) == 0);
    CHECK(secrets_get(s, "TRINE_TEST_TOKEN") != NULL);
    redact_text(r, line, sizeof line);
    CHECK(strcmp(line, "token=[TRINE_TEST_TOKEN] end") == 0);
    secrets_free(s);
    redactor_free(r);
}

static void names_in_text_are_replaced(void)
{
    static const struct {
        const char *text, *expanded;
    } rows[] = {
        {"$TRINE_TEST_B", "value-b"},
        {"${TRINE_TEST_B}c", "value-bc"},
        {"https://u:$TRINE_TEST_B@h/$TRINE_TEST_B", "https://u:value-b@h/value-b"},
        {"no names, $5 and ${ and $", "no names, $5 and ${ and $"},
        {"", ""},
    };
    struct arena a = ARENA_INIT;
    struct err e = ERR_INIT;
    struct secrets *s = secrets_new(NULL);
    const char *got = NULL;
    CHECK(setenv("TRINE_TEST_B", "value-b", 1) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(secrets_expand(s, rows[i].text, "here", &a, &got, &e) == 0);
        CHECK(got && strcmp(got, rows[i].expanded) == 0);
    }
    got = "untouched";
    CHECK(secrets_expand(s, "x$TRINE_TEST_NOTHING", "environment uat", &a, &got, &e) == -1);
    CHECK(e.kind == ERR_MANIFEST && strcmp(got, "untouched") == 0);
    CHECK(strstr(e.text, "environment uat needs $TRINE_TEST_NOTHING"));
    CHECK(strstr(e.text, "--env-file"));
    secrets_free(s);
    arena_release(&a);
}

static void all_missing_secrets_are_told_once_with_their_places(void)
{
    struct manifest *m =
        parse_text("project: p\n"
                   "apps: { web: { kind: static } }\n"
                   "environments:\n"
                   "  one:\n"
                   "    branch: a\n"
                   "    static:\n"
                   "      platform: netlify\n"
                   "      token: $TRINE_TEST_X\n"
                   "      variables: { V: \"a${TRINE_TEST_Y}b\" }\n"
                   "    secrets: [TRINE_TEST_Z, TRINE_TEST_SHORT]\n"
                   "  two: { branch: b, secrets: [TRINE_TEST_Z, TRINE_TEST_W] }\n");
    struct secrets *s = secrets_new(NULL);
    struct manifest_problems p;
    struct err e = ERR_INIT;
    CHECK(setenv("TRINE_TEST_SHORT", "abc", 1) == 0);
    const struct manifest_environment *envs[] = {&m->environments[0], &m->environments[1]};
    CHECK(secrets_check(s, m, envs, 2, &p, &e) == -1);
    CHECK(e.kind == ERR_MANIFEST && strstr(e.text, "5 problems"));
    CHECK(p.n == 5);
    CHECK(strstr(p.lines[0], "test.yaml:4:3: environments.one.secrets: secret TRINE_TEST_Z"));
    CHECK(strstr(p.lines[1], "TRINE_TEST_SHORT is shorter than 4 bytes"));
    CHECK(strstr(p.lines[2], "environments.one.static.token: secret TRINE_TEST_X"));
    CHECK(strstr(p.lines[3], "environments.one.static.variables.V: secret TRINE_TEST_Y"));
    CHECK(strstr(p.lines[4], "environments.two.secrets: secret TRINE_TEST_W"));
    manifest_problems_release(&p);
    CHECK(secrets_check(s, m, envs, 0, &p, &e) == 0 && p.n == 0);
    manifest_problems_release(&p);
    secrets_free(s);
    manifest_free(m);
}

static void the_simulators_env_file_has_all_that_the_example_needs(void)
{
    struct manifest *m = load_example();
    struct secrets *s = secrets_new(NULL);
    struct manifest_problems p;
    struct err e = ERR_INIT;
    const struct manifest_environment *envs[4];
    CHECK(clearenv() == 0);
    CHECK(secrets_load_file(s, SIM_ENV, &e) == 0);
    for (size_t i = 0; i < 4; i++)
        envs[i] = &m->environments[i];
    CHECK(secrets_check(s, m, envs, 4, &p, &e) == 0);
    for (size_t i = 0; i < p.n; i++)
        printf("# %s\n", p.lines[i]);
    manifest_problems_release(&p);
    for (size_t i = 0; i < m->n_alerts; i++) {
        struct arena a = ARENA_INIT;
        const char *url = NULL;
        CHECK(secrets_expand(s, m->alerts[i].url, "alert", &a, &url, &e) == 0);
        arena_release(&a);
    }
    CHECK(secrets_get(s, m->github.token + 1) && secrets_get(s, m->github.webhook_secret + 1));
    secrets_free(s);
    manifest_free(m);
}

int main(void)
{
    int fd = mkstemp(env_file);
    CHECK(fd >= 0);
    close(fd);
    a_file_wins_over_the_environment();
    every_value_looked_up_is_kept_out_of_text();
    names_in_text_are_replaced();
    all_missing_secrets_are_told_once_with_their_places();
    the_simulators_env_file_has_all_that_the_example_needs();
    unlink(env_file);
    return DONE();
}
