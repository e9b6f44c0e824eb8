#include "../test.h"
#include "talk.h"

#define SERVICES "GET /services?name=shop-uat&ownerId=tea-1&limit=100"
#define VARIABLES "GET /services/srv-1/env-vars?limit=100"
#define RECENT "GET /services/srv-1/deploys?limit=20"

static const char service_there[] =
    "[{\"service\":{\"id\":\"srv-0\",\"name\":\"shop-uat-2\"},\"cursor\":\"a\"},"
    "{\"service\":{\"id\":\"srv-1\",\"name\":\"shop-uat\",\"autoDeploy\":\"no\",\"branch\":"
    "\"develop\","
    "\"repo\":\"https://github.com/shop/shop\",\"rootDir\":\"src/"
    "Backend\",\"suspended\":\"not_suspended\","
    "\"serviceDetails\":{\"url\":\"https://shop-uat.onrender.com\"}},\"cursor\":\"b\"}]";
static const char our_deploy[] =
    "[{\"deploy\":{\"id\":\"dep-2\",\"trigger\":\"api\","
    "\"commit\":{\"id\":\"0123456789abcdef0123456789abcdef01234567\"}}},"
    "{\"deploy\":{\"id\":\"dep-1\",\"trigger\":\"api\","
    "\"commit\":{\"id\":\"0123456789abcdef0123456789abcdef01234567\"}}}]";
static const char only_old[] =
    "[{\"deploy\":{\"id\":\"dep-1\",\"trigger\":\"api\","
    "\"commit\":{\"id\":\"0123456789abcdef0123456789abcdef01234567\"}}}]";

static struct talk begin(void)
{
    struct talk t = talk_with(&provider_render);

    t.want.team = "tea-1";
    return t;
}

/* Up to the POST of a deploy to a service that is there and has all variables. */
static struct talk at_deploy(void)
{
    struct talk t = begin();

    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, service_there) == 0);
    CHECK(asks(&t, VARIABLES));
    CHECK(answer(&t, 200,
                 "[{\"envVar\":{\"key\":\"DATABASE_URL\",\"value\":\"postgres://secret@db/shop\"}},"
                 "{\"envVar\":{\"key\":\"PORT\",\"value\":\"5024\"}},"
                 "{\"envVar\":{\"key\":\"TRINE_RELEASE\",\"value\":\"trine uat-7\"}},"
                 "{\"envVar\":{\"key\":\"TRINE_COMMIT\","
                 "\"value\":\"0123456789abcdef0123456789abcdef01234567\"}}]") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys?limit=1"));
    CHECK(answer(&t, 200, only_old) == 0);
    CHECK(strcmp(t.d.before, "dep-1") == 0);
    CHECK(asks(&t, "POST /services/srv-1/deploys"));
    CHECK(t.call.once);
    CHECK(strcmp(t.call.cost, "deploy") == 0);
    CHECK(body_has(&t, "\"commitId\":\"0123456789abcdef0123456789abcdef01234567\""));
    return t;
}

static void a_deploy_to_a_service_that_is_there_ends_at_its_url(void)
{
    struct talk t = at_deploy();

    CHECK(answer(&t, 201, "{\"id\":\"dep-2\",\"status\":\"created\"}") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-2"));
    CHECK(t.waits == 1);
    CHECK(answer(&t, 200, "{\"id\":\"dep-2\",\"status\":\"build_in_progress\"}") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-2"));
    CHECK(answer(&t, 200, "{\"id\":\"dep-2\",\"status\":\"live\"}") == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://shop-uat.onrender.com") == 0);
    talk_end(&t);
}

static void only_variables_that_differ_are_set_each_by_its_own_key(void)
{
    struct talk t = begin();

    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, service_there) == 0);
    CHECK(asks(&t, VARIABLES));
    CHECK(answer(&t, 200,
                 "[{\"envVar\":{\"key\":\"PORT\",\"value\":\"5024\"}},"
                 "{\"envVar\":{\"key\":\"TRINE_RELEASE\",\"value\":\"trine uat-6\"}}]") == 0);
    CHECK(asks(&t, "PUT /services/srv-1/env-vars/DATABASE_URL"));
    CHECK(strcmp(t.call.cost, "write") == 0);
    CHECK(!t.call.once);
    CHECK(body_has(&t, "{\"value\":\"postgres://secret@db/shop\"}"));
    CHECK(answer(&t, 200, "{\"key\":\"DATABASE_URL\",\"value\":\"x\"}") == 0);
    CHECK(asks(&t, "PUT /services/srv-1/env-vars/TRINE_RELEASE"));
    lost(&t); /* killed: what is missing is looked at again */
    CHECK(asks(&t, VARIABLES));
    talk_end(&t);
}

static void
a_missing_service_is_created_once_and_its_first_deploy_adopted_when_it_is_of_our_commit(void)
{
    struct talk t = begin();

    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, "[]") == 0);
    CHECK(asks(&t, "POST /services"));
    CHECK(t.call.once);
    CHECK(strcmp(t.call.cost, "create") == 0);
    CHECK(body_has(&t, "\"autoDeploy\":\"no\""));
    CHECK(body_has(&t, "\"repo\":\"https://github.com/shop/shop\""));
    CHECK(body_has(&t, "\"dockerfilePath\":\"Dockerfile\""));
    CHECK(answer(&t, 201,
                 "{\"service\":{\"id\":\"srv-1\",\"serviceDetails\":{}},\"deployId\":\"dep-1\"}") ==
          0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-1"));
    CHECK(answer(&t, 200,
                 "{\"id\":\"dep-1\",\"commit\":{\"id\":"
                 "\"0123456789abcdef0123456789abcdef01234567\"}}") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-1"));
    CHECK(t.waits == 1);
    CHECK(answer(&t, 200, "{\"status\":\"deactivated\"}") == 0);
    CHECK(asks(&t, "GET /services/srv-1"));
    CHECK(
        answer(
            &t, 200,
            "{\"id\":\"srv-1\",\"serviceDetails\":{\"url\":\"https://shop-uat.onrender.com\"}}") ==
        0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://shop-uat.onrender.com") == 0);
    talk_end(&t);
}

static void a_first_deploy_of_another_commit_is_followed_by_one_of_ours(void)
{
    struct talk t = begin();

    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, "[]") == 0);
    CHECK(asks(&t, "POST /services"));
    CHECK(answer(&t, 201, "{\"service\":{\"id\":\"srv-1\"},\"deployId\":\"dep-1\"}") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-1"));
    CHECK(answer(&t, 200, "{\"id\":\"dep-1\",\"commit\":{\"id\":\"ffffffffffffff\"}}") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys?limit=1"));
    CHECK(answer(&t, 200, only_old) == 0);
    CHECK(asks(&t, "POST /services/srv-1/deploys"));
    talk_end(&t);
}

static void a_creation_without_answer_is_looked_up_by_name(void)
{
    struct talk t = begin();

    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, "[]") == 0);
    CHECK(asks(&t, "POST /services"));
    lost(&t);
    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, service_there) == 0);
    CHECK(asks(&t, RECENT)); /* the deploy that came with it, whatever its trigger */
    CHECK(answer(&t, 200,
                 "[{\"deploy\":{\"id\":\"dep-1\",\"trigger\":\"other\","
                 "\"commit\":{\"id\":\"0123456789ABCDEF\"}}}]") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-1"));
    talk_end(&t);
}

static void a_deploy_without_answer_is_adopted_only_when_newer_than_the_one_before(void)
{
    struct talk t = at_deploy();

    lost(&t);
    CHECK(asks(&t, RECENT));
    CHECK(answer(&t, 200, our_deploy) == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-2"));
    talk_end(&t);

    t = at_deploy();
    lost(&t);
    CHECK(asks(&t, RECENT));
    CHECK(answer(&t, 200, only_old) == 0); /* same commit, but from before */
    CHECK(asks(&t, "POST /services/srv-1/deploys"));
    talk_end(&t);
}

static void a_queued_deploy_has_no_body_and_is_waited_for_in_the_list(void)
{
    struct talk t = at_deploy();

    CHECK(answer(&t, 202, "") == 0);
    CHECK(asks(&t, RECENT));
    CHECK(t.waits == 1);
    CHECK(answer(&t, 200, only_old) == 0);
    CHECK(asks(&t, RECENT)); /* does not ask for a second deploy */
    CHECK(answer(&t, 200, our_deploy) == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-2"));
    talk_end(&t);
}

static void a_service_that_deploys_by_itself_is_told_not_to(void)
{
    struct talk t = begin();

    CHECK(asks(&t, SERVICES));
    CHECK(
        answer(&t, 200,
               "[{\"service\":{\"id\":\"srv-1\",\"name\":\"shop-uat\",\"autoDeploy\":\"yes\"}}]") ==
        0);
    CHECK(asks(&t, "PATCH /services/srv-1"));
    CHECK(body_has(&t, "\"autoDeploy\":\"no\""));
    CHECK(answer(&t, 200, "{}") == 0);
    CHECK(asks(&t, VARIABLES));
    talk_end(&t);
}

static void a_service_on_the_second_page_is_found_before_one_is_created(void)
{
    struct talk t = begin();
    json_t *list = json_array();

    for (int i = 0; i < 100; i++)
        json_array_append_new(list,
                              json_pack("{s:{s:s, s:s}, s:o}", "service", "id", "srv-9", "name",
                                        "shop-uat-old", "cursor", json_sprintf("c %d", i)));
    char *text = json_dumps(list, 0);
    CHECK(asks(&t, SERVICES) && answer(&t, 200, text) == 0);
    CHECK(asks(&t, SERVICES "&cursor=c%2099") && answer(&t, 200, text) == 0);
    CHECK(asks(&t, "POST /services")); /* a list that leads to itself has ended */
    free(text);
    json_decref(list);
    talk_end(&t);
}

static void a_suspended_service_says_by_whom(void)
{
    struct talk t = begin();

    CHECK(asks(&t, SERVICES));
    CHECK(
        answer(&t, 200,
               "[{\"service\":{\"id\":\"srv-1\",\"name\":\"shop-uat\",\"suspended\":\"suspended\","
               "\"suspenders\":[\"billing\"]}}]") == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "billing"));
    CHECK(says(&t, "allowance is used up"));
    talk_end(&t);
}

static void the_workspace_is_the_only_one_or_the_named_one(void)
{
    static const char two[] = "[{\"owner\":{\"id\":\"tea-1\",\"name\":\"Shop\"}},"
                              "{\"owner\":{\"id\":\"usr-1\",\"name\":\"Me\"}}]";
    struct talk t = talk_with(&provider_render);

    CHECK(asks(&t, "GET /owners?limit=100"));
    CHECK(answer(&t, 200, two) == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "`team`"));
    talk_end(&t);

    t = talk_with(&provider_render);
    t.want.account = "Shop";
    CHECK(asks(&t, "GET /owners?limit=100"));
    CHECK(answer(&t, 200, two) == 0);
    CHECK(asks(&t, SERVICES));
    talk_end(&t);
}

static void bad_ends_unknown_words_and_garbage(void)
{
    static const char *const bad[] = {"build_failed", "update_failed", "pre_deploy_failed",
                                      "canceled"};
    static const char *const garbage[] = {"",   "<html>",         "[]",
                                          "{}", "{\"status\":5}", "{\"status\":\""};
    char body[100];

    for (size_t i = 0; i < 4; i++) {
        struct talk t = at_deploy();
        CHECK(answer(&t, 201, "{\"id\":\"dep-2\"}") == 0);
        CHECK(asks(&t, "GET /services/srv-1/deploys/dep-2"));
        (void)snprintf(body, sizeof(body), "{\"status\":\"%s\"}", bad[i]);
        CHECK(answer(&t, 200, body) == 0);
        CHECK(turn(&t) == TURN_FAILED);
        CHECK(says(&t, bad[i]));
        talk_end(&t);
    }
    struct talk t = at_deploy();
    CHECK(answer(&t, 201, "{\"id\":\"dep-2\"}") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-2"));
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 200, garbage[i]) == -1);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
    }
    CHECK(answer(&t, 200, "{\"status\":\"warming_up\"}") == 0);
    CHECK(strcmp(t.d.word, "warming_up") == 0);
    CHECK(asks(&t, "GET /services/srv-1/deploys/dep-2"));
    CHECK(answer(&t, 404, "{\"id\":\"x\",\"message\":\"not found: deploy\"}") == 1);
    CHECK(says(&t, "not found: deploy"));
    talk_end(&t);
}

/* --- With only a hook ---------------------------------------------------------------- */

static struct talk at_hook(void)
{
    struct talk t = talk_with(&provider_render);

    t.want.token = "";
    t.want.deploy_hook = "https://api.render.com/deploy/srv-1?key=hook-secret";
    t.want.url = "https://shop.example/";
    CHECK(t.ops->check(&t.want, &t.e) == 0);
    CHECK(asks(&t, "POST https://api.render.com/deploy/srv-1?key=hook-secret"
                   "&ref=0123456789abcdef0123456789abcdef01234567"));
    CHECK(t.call.once);
    CHECK(!http_request_find(&t.call.http, "authorization"));
    return t;
}

static void after_the_hook_the_running_app_is_asked_until_it_tells_our_commit(void)
{
    struct talk t = at_hook();

    CHECK(answer(&t, 200, "{\"deploy\":{\"id\":\"dep-9\"}}") == 0);
    CHECK(strcmp(t.d.remote_id, "dep-9") == 0);
    CHECK(asks(&t, "GET https://shop.example/health"));
    CHECK(t.waits == 1);
    CHECK(!http_request_find(&t.call.http, "authorization"));
    CHECK(answer(&t, 502, "Bad gateway") == 0);
    CHECK(asks(&t, "GET https://shop.example/health"));
    CHECK(answer(&t, 200, "{\"commit\":\"fffffff\"}") == 0);
    CHECK(asks(&t, "GET https://shop.example/health"));
    CHECK(answer(&t, 200, "{\"commit\":\"0123456\"}") == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://shop.example/") == 0);
    talk_end(&t);
}

static void a_hook_without_answer_is_called_again_only_after_the_app_had_time_to_change(void)
{
    struct talk t = at_hook();
    int asked = 0;

    lost(&t);
    while (asks(&t, "GET https://shop.example/health") && asked < 1000) {
        asked++;
        CHECK(answer(&t, 404, "") == 0);
    }
    CHECK(asked >= 50 && asked < 1000);
    CHECK(strstr(t.call.http.url, "/deploy/srv-1") != NULL);
    CHECK(t.d.polls == 0);
    talk_end(&t);
}

static void the_hooks_url_is_in_no_error(void)
{
    struct talk t = at_hook();

    CHECK(answer(&t, 404, "{\"message\":\"not found\"}") == 1);
    CHECK(says(&t, "deploy hook: answered 404: not found"));
    CHECK(strstr(t.e.text, "hook-secret") == NULL);
    t.want.url = "";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
    CHECK(says(&t, "`url`"));
    t.want.deploy_hook = "";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
    CHECK(says(&t, "`token`"));
    talk_end(&t);
}

int main(void)
{
    a_deploy_to_a_service_that_is_there_ends_at_its_url();
    only_variables_that_differ_are_set_each_by_its_own_key();
    a_missing_service_is_created_once_and_its_first_deploy_adopted_when_it_is_of_our_commit();
    a_first_deploy_of_another_commit_is_followed_by_one_of_ours();
    a_creation_without_answer_is_looked_up_by_name();
    a_deploy_without_answer_is_adopted_only_when_newer_than_the_one_before();
    a_queued_deploy_has_no_body_and_is_waited_for_in_the_list();
    a_service_that_deploys_by_itself_is_told_not_to();
    a_service_on_the_second_page_is_found_before_one_is_created();
    a_suspended_service_says_by_whom();
    the_workspace_is_the_only_one_or_the_named_one();
    bad_ends_unknown_words_and_garbage();
    after_the_hook_the_running_app_is_asked_until_it_tells_our_commit();
    a_hook_without_answer_is_called_again_only_after_the_app_had_time_to_change();
    the_hooks_url_is_in_no_error();
    return DONE();
}
