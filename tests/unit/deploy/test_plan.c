#include "test.h"

#include "deploy/plan.h"
#include "deploy/tree.h"

#include "base/buf.h"

#include <stdlib.h>
#include <unistd.h>

static struct manifest_environment uat = {.name = "uat"}, prod = {.name = "prod"};
static struct manifest_app site = {.name = "site", .kind = APP_STATIC};
static struct manifest_binding netlify = {.platform = "netlify", .token = "$TOKEN"},
                               nobody = {.platform = ""}, koyeb = {.platform = "koyeb"};

static struct cell cell_of(const struct manifest_environment *env, const struct manifest_binding *b)
{
    return (struct cell){
        .env = env, .app = &site, .instance = "", .binding = b, .name = "uat-site"};
}

static void what_was_never_live_is_created(void)
{
    struct cell c = cell_of(&uat, &netlify);
    struct plan_item item = {.cell = &c, .digest = "d1"};
    struct plan_counts n = plan_make(&item, 1, NULL, 0);

    CHECK(item.action == PLAN_CREATE);
    CHECK(n.of[PLAN_CREATE] == 1);
}

static void what_is_equal_to_live_is_left_alone(void)
{
    struct cell c = cell_of(&uat, &netlify);
    struct plan_item item = {.cell = &c, .digest = "d1"};
    struct plan_live live[] = {
        {"uat", "site", "x", "other", "c0", "netlify", "uat-site", 1, 0},
        {"uat", "site", "", "d1", "c0", "netlify", "uat-site", 1, 0},
    };

    (void)plan_make(&item, 1, live, 2);
    CHECK(item.action == PLAN_NOTHING);
    item.digest = "d2";
    (void)plan_make(&item, 1, live, 2);
    CHECK(item.action == PLAN_CHANGE);
    item.digest = "";
    (void)plan_make(&item, 1, live, 2);
    CHECK(item.action == PLAN_CHANGE);
    CHECK(strstr(item.why, "built first") != NULL);
}

static void what_a_later_release_may_have_replaced_is_deployed_again(void)
{
    struct cell c = cell_of(&uat, &netlify);
    struct plan_item item = {.cell = &c, .digest = "d1"};
    struct plan_live live[] = {{.environment = "uat",
                                .app = "site",
                                .instance = "",
                                .digest = "d1",
                                .commit = "c0",
                                .platform = "netlify",
                                .project = "uat-site",
                                .release = 1,
                                .overtaken = 2}};

    (void)plan_make(&item, 1, live, 1);
    CHECK(item.action == PLAN_CHANGE);
    CHECK(strstr(item.why, "release 2 did not end well") != NULL);
}

static void a_move_to_another_platform_is_a_creation(void)
{
    struct cell c = cell_of(&uat, &netlify);
    struct plan_item item = {.cell = &c, .digest = "d1"};
    struct plan_live live[] = {{"uat", "site", "", "d1", "c0", "vercel", "uat-site", 1, 0}};

    (void)plan_make(&item, 1, live, 1);
    CHECK(item.action == PLAN_CREATE);
    CHECK(strstr(item.why, "vercel") != NULL);
}

static void what_can_never_work_is_said_in_words(void)
{
    struct cell c = cell_of(&prod, &nobody), wrong = cell_of(&uat, &koyeb);
    struct plan_item items[] = {{.cell = &c, .digest = ""}, {.cell = &wrong, .digest = ""}};
    struct plan_counts n = plan_make(items, 2, NULL, 0);

    CHECK(n.of[PLAN_CANNOT] == 2);
    CHECK(strstr(items[0].why, "no static platform yet") != NULL);
    CHECK(strstr(items[1].why, "does not host static apps") != NULL);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[4096];
    struct err e = ERR_INIT;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    CHECK(file_write_atomic(path, text, strlen(text), 0644, &e) == 0);
}

static void a_tree_changes_its_digest_exactly_when_a_source_changes(void)
{
    char dir[] = "/tmp/trine-tree-XXXXXX", a[65], b[65], sub[4096];
    const char *skip[] = {"./dist/web/", NULL};
    struct err e = ERR_INIT;

    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(sub, sizeof(sub), "%s/dist/web", dir);
    CHECK(dir_make(sub, &e) == 0);
    (void)snprintf(sub, sizeof(sub), "%s/src/dist/web", dir);
    CHECK(dir_make(sub, &e) == 0);
    write_file(dir, "main.js", "1");
    CHECK(tree_digest(dir, skip, a, &e) == 0);
    write_file(dir, "dist/web/out.js", "made");
    write_file(dir, "main.js", "1");
    CHECK(tree_digest(dir, skip, b, &e) == 0);
    CHECK(strcmp(a, b) == 0);
    write_file(dir, "main.js", "2");
    CHECK(tree_digest(dir, skip, b, &e) == 0);
    CHECK(strcmp(a, b) != 0);
    write_file(dir, "src/dist/web/part.js",
               "a source, though its folder is named as the output is");
    CHECK(tree_digest(dir, skip, a, &e) == 0);
    CHECK(strcmp(a, b) != 0);
    CHECK(tree_digest("/nowhere/at/all", skip, b, &e) == -1);
    CHECK(strstr(e.text, "/nowhere/at/all") != NULL);
    (void)snprintf(sub, sizeof(sub), "rm -rf '%s'", dir);
    CHECK(system(sub) == 0);
}

int main(void)
{
    what_was_never_live_is_created();
    what_is_equal_to_live_is_left_alone();
    what_a_later_release_may_have_replaced_is_deployed_again();
    a_move_to_another_platform_is_a_creation();
    what_can_never_work_is_said_in_words();
    a_tree_changes_its_digest_exactly_when_a_source_changes();
    return DONE();
}
