#include "../test.h"
#include "talk.h"

#define GRAPHQL "POST /graphql/v2"

static const char project[] =
    "{\"data\":{\"project\":{\"environments\":{\"edges\":[{\"node\":{\"id\":\"e0\",\"name\":"
    "\"production\"}},"
    "{\"node\":{\"id\":\"e1\",\"name\":\"uat\"}}]},\"services\":{\"edges\":["
    "{\"node\":{\"id\":\"s0\",\"name\":\"redis\"}},{\"node\":{\"id\":\"s1\",\"name\":\"shop-uat\"}}"
    "]}}}}";
static const char project_without_service[] =
    "{\"data\":{\"project\":{\"environments\":{\"edges\":[]},\"services\":{\"edges\":[]}}}}";
static const char only_old[] =
    "{\"data\":{\"deployments\":{\"edges\":[{\"node\":{\"id\":\"d0\",\"status\":\"SUCCESS\"}}]}}}";
static const char ours_and_old[] = "{\"data\":{\"deployments\":{\"edges\":[{\"node\":{\"id\":"
                                   "\"d2\",\"meta\":{\"commitHash\":\"ffffffffff\"}}},"
                                   "{\"node\":{\"id\":\"d1\",\"meta\":{\"commitHash\":"
                                   "\"0123456789abcdef0123456789abcdef01234567\"}}},"
                                   "{\"node\":{\"id\":\"d0\"}}]}}}";
static const char no_domain[] =
    "{\"data\":{\"serviceInstance\":{\"domains\":{\"serviceDomains\":[],\"customDomains\":[]}}}}";

static bool asks_graphql(struct talk *t, const char *field)
{
    return asks(t, GRAPHQL) && body_has(t, field);
}

/* Up to the project, as a project token gets there. */
static struct talk at_project(void)
{
    struct talk t = talk_with(&provider_railway);

    CHECK(asks_graphql(&t, "projectToken"));
    CHECK(strcmp(http_request_find(&t.call.http, "project-access-token"), "secret-token") == 0);
    CHECK(!http_request_find(&t.call.http, "authorization"));
    CHECK(answer(&t, 200,
                 "{\"data\":{\"projectToken\":{\"projectId\":\"p1\",\"environmentId\":\"e1\"}}}") ==
          0);
    CHECK(asks_graphql(&t, "project(id: $id)"));
    CHECK(http_request_find(&t.call.http, "project-access-token") != NULL);
    return t;
}

static struct talk at_deploy(void)
{
    struct talk t = at_project();

    CHECK(answer(&t, 200, project) == 0);
    CHECK(asks_graphql(&t, "serviceInstanceUpdate"));
    CHECK(body_has(&t, "\"serviceId\":\"s1\""));
    CHECK(body_has(&t, "\"rootDirectory\":\"src/Backend\""));
    CHECK(answer(&t, 200, "{\"data\":{\"serviceInstanceUpdate\":true}}") == 0);
    CHECK(asks_graphql(&t, "variableCollectionUpsert"));
    CHECK(body_has(&t, "\"skipDeploys\":true"));
    CHECK(body_has(&t, "\"TRINE_RELEASE\":\"trine uat-7\""));
    CHECK(answer(&t, 200, "{\"data\":{\"variableCollectionUpsert\":true}}") == 0);
    CHECK(asks_graphql(&t, "deployments(input: $input"));
    CHECK(answer(&t, 200, only_old) == 0);
    CHECK(strcmp(t.d.before, "d0") == 0);
    CHECK(asks_graphql(&t, "serviceInstanceDeployV2"));
    CHECK(t.call.once);
    CHECK(body_has(&t, "\"commitSha\":\"0123456789abcdef0123456789abcdef01234567\""));
    return t;
}

static struct talk at_poll(void)
{
    struct talk t = at_deploy();

    CHECK(answer(&t, 200, "{\"data\":{\"serviceInstanceDeployV2\":\"d1\"}}") == 0);
    CHECK(asks_graphql(&t, "deployment(id: $id)"));
    CHECK(t.waits == 1);
    return t;
}

static void a_project_token_leads_to_a_live_deployment_at_a_new_domain(void)
{
    struct talk t = at_poll();

    CHECK(answer(&t, 200, "{\"data\":{\"deployment\":{\"id\":\"d1\",\"status\":\"BUILDING\"}}}") ==
          0);
    CHECK(asks_graphql(&t, "deployment(id: $id)"));
    CHECK(t.wait_ms >= 40000); /* 100 requests an hour on the free plan */
    CHECK(answer(&t, 200, "{\"data\":{\"deployment\":{\"id\":\"d1\",\"status\":\"SUCCESS\"}}}") ==
          0);
    CHECK(asks_graphql(&t, "serviceInstance(environmentId"));
    CHECK(answer(&t, 200, no_domain) == 0);
    CHECK(asks_graphql(&t, "serviceDomainCreate"));
    CHECK(t.call.once);
    CHECK(body_has(&t, "\"targetPort\":5024"));
    lost(&t); /* looks whether the domain is there now */
    CHECK(asks_graphql(&t, "serviceInstance(environmentId"));
    CHECK(answer(&t, 200, no_domain) == 0);
    CHECK(asks_graphql(&t, "serviceDomainCreate"));
    CHECK(answer(&t, 200,
                 "{\"data\":{\"serviceDomainCreate\":{\"domain\":\"shop.up.railway.app\"}}}") == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://shop.up.railway.app") == 0);
    talk_end(&t);
}

static void any_other_token_is_a_bearer_token_and_finds_the_project_by_name_over_pages(void)
{
    static const char *const no[] = {
        "{\"errors\":[{\"message\":\"Not Authorized\"}],\"data\":null}",
        ("{\"errors\":[{\"message\":\"Not Authorized\","
         "\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}],\"data\":null}"),
        "{\"errors\":[{\"message\":\"Project Token not found\"}]}"};

    for (size_t i = 0; i < 3; i++) {
        struct talk t = talk_with(&provider_railway);
        t.want.project = "shop";
        CHECK(asks_graphql(&t, "projectToken"));
        CHECK(answer(&t, i < 2 ? 200 : 401, no[i]) == 0);
        CHECK(asks_graphql(&t, "projects(workspaceId"));
        CHECK(strcmp(http_request_find(&t.call.http, "authorization"), "Bearer secret-token") == 0);
        CHECK(answer(&t, 200,
                     "{\"data\":{\"projects\":{\"edges\":[{\"node\":{\"id\":\"p0\",\"name\":\"shop-"
                     "2\"}}],"
                     "\"pageInfo\":{\"hasNextPage\":true,\"endCursor\":\"c1\"}}}}") == 0);
        CHECK(asks_graphql(&t, "\"after\":\"c1\""));
        CHECK(
            answer(
                &t, 200,
                "{\"data\":{\"projects\":{\"edges\":[{\"node\":{\"id\":\"p1\",\"name\":\"shop\"}}],"
                "\"pageInfo\":{\"hasNextPage\":false}}}}") == 0);
        CHECK(asks_graphql(&t, "\"id\":\"p1\""));
        CHECK(answer(&t, 200, project) == 0);
        CHECK(strcmp(t.d.account_id, "e1") == 0); /* the environment named like ours */
        CHECK(asks_graphql(&t, "serviceInstanceUpdate"));
        CHECK(http_request_find(&t.call.http, "authorization") != NULL);
        talk_end(&t);
    }
}

/* Railway's own answers, whose code says INTERNAL_SERVER_ERROR whatever the matter is. */
static void what_railway_means_is_read_from_its_text_not_its_code(void)
{
#define SAID(message)                                                                              \
    "{\"errors\":[{\"message\":\"" message                                                         \
    "\",\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}],\"data\":null}"
    struct talk t = talk_with(&provider_railway);

    CHECK(asks_graphql(&t, "projectToken"));
    CHECK(answer(&t, 200, SAID("Project Token not found")) == 0);
    CHECK(asks_graphql(&t, "projects(workspaceId"));
    CHECK(answer(&t, 200, SAID("Something went wrong")) == -1 && t.e.retry);
    CHECK(answer(&t, 200, SAID("Not Authorized")) == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "the token was refused: Not Authorized; look at `token`"));
    talk_end(&t);

    t = at_project();
    CHECK(answer(&t, 200, project_without_service) == 0);
    CHECK(asks_graphql(&t, "serviceCreate"));
    CHECK(answer(&t, 200, SAID("Service not found")) == -1 && t.e.retry);
    CHECK(answer(&t, 200,
                 SAID("Free plan resource provision limit exceeded. Please upgrade to provision "
                      "more resources!")) == 0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "provision limit"));
    talk_end(&t);
#undef SAID
}

static void a_project_that_is_not_there_is_named(void)
{
    struct talk t = talk_with(&provider_railway);

    CHECK(asks_graphql(&t, "projectToken"));
    CHECK(answer(&t, 200, "{\"errors\":[{\"message\":\"Not Authorized\"}]}") == 0);
    CHECK(asks_graphql(&t, "projects(workspaceId"));
    CHECK(answer(&t, 200,
                 "{\"data\":{\"projects\":{\"edges\":[],\"pageInfo\":{\"hasNextPage\":false}}}}") ==
          0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "no project \"shop-uat\""));
    talk_end(&t);
}

static void a_missing_service_is_created_once_and_looked_up_after_a_lost_answer(void)
{
    struct talk t = at_project();

    CHECK(answer(&t, 200, project_without_service) == 0);
    CHECK(asks_graphql(&t, "serviceCreate"));
    CHECK(t.call.once);
    CHECK(body_has(&t, "\"source\":{\"repo\":\"shop/shop\"}"));
    CHECK(body_has(&t, "\"branch\":\"develop\""));
    lost(&t);
    CHECK(asks_graphql(&t, "project(id: $id)"));
    CHECK(answer(&t, 200, project) == 0);
    CHECK(asks_graphql(&t, "serviceInstanceUpdate"));
    CHECK(strcmp(t.d.extra, "p+s1") == 0);
    talk_end(&t);
}

static void the_deployment_that_came_with_a_creation_is_adopted_when_nothing_was_set_after_it(void)
{
    struct talk t = at_project();

    t.want.path = t.want.dockerfile = t.want.health = "";
    CHECK(answer(&t, 200, project_without_service) == 0);
    CHECK(asks_graphql(&t, "serviceCreate"));
    CHECK(answer(&t, 200, "{\"data\":{\"serviceCreate\":{\"id\":\"s1\"}}}") == 0);
    CHECK(asks_graphql(&t, "variableCollectionUpsert")); /* nothing else to set */
    CHECK(answer(&t, 200, "{\"data\":{\"variableCollectionUpsert\":true}}") == 0);
    CHECK(asks_graphql(&t, "deployments(input"));
    CHECK(answer(&t, 200,
                 "{\"data\":{\"deployments\":{\"edges\":[{\"node\":{\"id\":\"d9\",\"meta\":"
                 "{\"commitHash\":\"0123456789abcdef0123456789abcdef01234567\"}}}]}}}") == 0);
    CHECK(asks_graphql(&t, "\"id\":\"d9\""));
    talk_end(&t);
}

static void a_deploy_without_answer_is_adopted_when_newer_and_of_our_commit(void)
{
    struct talk t = at_deploy();

    lost(&t);
    CHECK(asks_graphql(&t, "deployments(input"));
    CHECK(answer(&t, 200, ours_and_old) == 0);
    CHECK(strcmp(t.d.remote_id, "d1") == 0); /* not d2: another commit */
    CHECK(asks_graphql(&t, "\"id\":\"d1\""));
    talk_end(&t);

    t = at_deploy();
    lost(&t);
    CHECK(asks_graphql(&t, "deployments(input"));
    CHECK(answer(&t, 200, only_old) == 0);
    CHECK(asks_graphql(&t, "serviceInstanceDeployV2"));
    talk_end(&t);
}

static void errors_at_status_200_are_refusals_unless_they_pass(void)
{
    struct talk t = at_deploy();

    CHECK(answer(&t, 200,
                 "{\"errors\":[{\"message\":\"Problem\",\"extensions\":{\"code\":\"INTERNAL_SERVER_"
                 "ERROR\"}}],"
                 "\"data\":null}") == -1);
    CHECK(t.e.retry);
    CHECK(answer(&t, 200, "{\"errors\":[{\"message\":\"Commit not found in repository\"}]}") == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "Commit not found in repository"));
    talk_end(&t);
}

static void bad_ends_unknown_words_and_garbage(void)
{
    static const char *const bad[] = {"FAILED", "CRASHED", "SKIPPED", "REMOVING", "REMOVED"};
    static const char *const garbage[] = {
        "", "<html>", "[]", "{}", "{\"data\":[]}", "{\"data\":{\"deployment\":null}}"};
    char body[120];

    for (size_t i = 0; i < 5; i++) {
        struct talk t = at_poll();
        (void)snprintf(body, sizeof(body), "{\"data\":{\"deployment\":{\"status\":\"%s\"}}}",
                       bad[i]);
        CHECK(answer(&t, 200, body) == 0);
        CHECK(turn(&t) == TURN_FAILED);
        CHECK(says(&t, bad[i]));
        talk_end(&t);
    }
    struct talk t = at_poll();
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 200, garbage[i]) == -1);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
    }
    CHECK(answer(&t, 200, "{\"data\":{\"deployment\":{\"status\":\"NEEDS_APPROVAL\"}}}") == 0);
    CHECK(strstr(t.d.detail, "approve") != NULL);
    CHECK(asks_graphql(&t, "deployment(id"));
    CHECK(answer(&t, 200, "{\"data\":{\"deployment\":{\"status\":\"PONDERING\"}}}") == 0);
    CHECK(asks_graphql(&t, "deployment(id"));
    CHECK(strcmp(t.d.word, "PONDERING") == 0);
    CHECK(answer(&t, 429, "{\"errors\":[{\"message\":\"Rate limit exceeded\"}]}") == 1);
    CHECK(says(&t, "Rate limit exceeded"));
    CHECK(t.e.retry);
    talk_end(&t);
}

int main(void)
{
    a_project_token_leads_to_a_live_deployment_at_a_new_domain();
    any_other_token_is_a_bearer_token_and_finds_the_project_by_name_over_pages();
    what_railway_means_is_read_from_its_text_not_its_code();
    a_project_that_is_not_there_is_named();
    a_missing_service_is_created_once_and_looked_up_after_a_lost_answer();
    the_deployment_that_came_with_a_creation_is_adopted_when_nothing_was_set_after_it();
    a_deploy_without_answer_is_adopted_when_newer_and_of_our_commit();
    errors_at_status_200_are_refusals_unless_they_pass();
    bad_ends_unknown_words_and_garbage();
    return DONE();
}
