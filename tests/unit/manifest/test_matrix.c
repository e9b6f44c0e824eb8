#include "base/buf.h"
#include "data.h"
#include "manifest/matrix.h"
#include "test.h"

static const char small[] = "project: shop\n"
                            "apps:\n"
                            "  web: { kind: static, instances: [red, blue] }\n"
                            "  api: { kind: service }\n"
                            "environments:\n"
                            "  uat: { branch: develop, static: { platform: netlify },\n"
                            "         service: { platform: render } }\n"
                            "  prod: { branch: main, manual: true }\n";

static void cells_come_in_the_manifests_order(const struct manifest *m)
{
    struct matrix x;
    struct err e = ERR_INIT;
    CHECK(matrix_build(m, NULL, &x, &e) == 0);
    CHECK(x.n == 3); /* prod is manual: only when named */
    CHECK(strcmp(x.cells[0].name, "shop-uat-web-red") == 0);
    CHECK(strcmp(x.cells[1].name, "shop-uat-web-blue") == 0);
    CHECK(strcmp(x.cells[2].name, "shop-uat-api") == 0);
    matrix_release(&x);
}

static void a_named_manual_environment_gives_cells_without_platform(const struct manifest *m)
{
    const char *names[] = {"prod"};
    struct matrix_filter f = {.environments = names, .n_environments = 1};
    struct matrix x;
    struct err e = ERR_INIT;
    CHECK(matrix_build(m, &f, &x, &e) == 0);
    CHECK(x.n == 3 && *x.cells[0].binding->platform == '\0');
    matrix_release(&x);
}

static size_t count(const struct manifest *m, const char *glob)
{
    struct matrix_filter f = {.app = glob};
    struct matrix x = {0};
    struct err e = ERR_INIT;
    size_t n = matrix_build(m, &f, &x, &e) == 0 ? x.n : 0;
    matrix_release(&x);
    return n;
}

static void a_glob_chooses_apps_or_instances(const struct manifest *m)
{
    CHECK(count(m, "web") == 2);
    CHECK(count(m, "web/red") == 1);
    CHECK(count(m, "*/blue") == 1);
    CHECK(count(m, "*") == 3);
    CHECK(count(m, "a*") == 1);
    CHECK(count(m, "nothing") == 0);
}

static void an_unknown_environment_gets_a_suggestion(const struct manifest *m)
{
    const char *names[] = {"uta"};
    struct matrix_filter f = {.environments = names, .n_environments = 1};
    struct matrix x;
    struct err e = ERR_INIT;
    CHECK(matrix_build(m, &f, &x, &e) == -1);
    CHECK(e.kind == ERR_USAGE && strstr(e.text, "did you mean \"uat\"?"));
    f = (struct matrix_filter){.app = "nothing"};
    CHECK(matrix_build(m, &f, &x, &e) == -1);
    CHECK(e.kind == ERR_USAGE && strstr(e.text, "no app"));
}

static void patterns_expand_and_absent_instances_leave_no_separator(const struct manifest *m)
{
    static const struct {
        const char *pattern, *red, *none;
    } rows[] = {
        {"{project}-{app}-{instance}", "shop-web-red", "shop-web"},
        {"{app}-{instance}-{environment}", "web-red-uat", "web-uat"},
        {"{instance}-{app}", "red-web", "web"},
        {"build-{instance}.yml", "build-red.yml", "build.yml"},
        {"vite build -- --mode {instance}", "vite build -- --mode red", "vite build -- --mode "},
        {"{branch}/{unknown}{", "develop/{unknown}{", "develop/{unknown}{"},
        {"a--b-{instance}", "a--b-red", "a--b"},
        {"", "", ""},
    };
    struct arena a = ARENA_INIT;
    struct cell c = {.env = &m->environments[0], .app = &m->apps[0]};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        c.instance = "red";
        CHECK(strcmp(cell_expand(m, &c, rows[i].pattern, &a), rows[i].red) == 0);
        c.instance = "";
        CHECK(strcmp(cell_expand(m, &c, rows[i].pattern, &a), rows[i].none) == 0);
    }
    arena_release(&a);
}

static void ten_thousand_deployments_are_accepted_and_a_hundred_thousand_refused(void)
{
    struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    struct err e = ERR_INIT;
    struct matrix x;
    buf_adds(&text, "project: p\napps:\n");
    for (int i = 0; i < 1000; i++)
        buf_addf(&text, "  app-%d: { kind: static, instances: [a, b, c, d, e] }\n", i);
    buf_adds(&text, "environments:\n");
    for (int i = 0; i < 2; i++)
        buf_addf(&text, "  env-%d: { branch: b, static: { platform: netlify } }\n", i);
    struct manifest *m = parse_text(buf_str(&text));
    CHECK(m && matrix_build(m, NULL, &x, &e) == 0);
    CHECK(m && x.n == 10000);
    if (m)
        matrix_release(&x);
    manifest_free(m);
    for (int i = 2; i < 21; i++)
        buf_addf(&text, "  env-%d: { branch: b, static: { platform: netlify } }\n", i);
    CHECK(refused(buf_str(&text), "are more than 100000 deployments"));
    buf_release(&text);
}

int main(void)
{
    struct manifest *m = parse_text(small);
    CHECK(m != NULL);
    if (m) {
        cells_come_in_the_manifests_order(m);
        a_named_manual_environment_gives_cells_without_platform(m);
        a_glob_chooses_apps_or_instances(m);
        an_unknown_environment_gets_a_suggestion(m);
        patterns_expand_and_absent_instances_leave_no_separator(m);
    }
    manifest_free(m);
    ten_thousand_deployments_are_accepted_and_a_hundred_thousand_refused();
    return DONE();
}
