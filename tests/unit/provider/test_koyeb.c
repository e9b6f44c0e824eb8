#include "../test.h"
#include "talk.h"

#define APPS "GET /v1/apps?name=shop-uat&limit=100&offset=0"
#define SERVICES "GET /v1/services?app_id=a1&name=shop-uat&limit=100&offset=0"

static const char app_list[] = "{\"apps\":[{\"id\":\"a0\",\"name\":\"shop-uat-2\"},{\"id\":\"a1\","
                               "\"name\":\"shop-uat\"}],\"count\":2}";
static const char service_list[] = "{\"services\":[{\"id\":\"s1\",\"name\":\"shop-uat\",\"latest_"
                                   "deployment_id\":\"d0\"}],\"count\":\"1\"}";
static const char old_deployment[] =
    "{\"deployment\":{\"id\":\"d0\",\"definition\":{\"env\":[{\"key\":\"TRINE_RELEASE\","
    "\"value\":\"trine uat-6\"}]}}}";
static const char our_deployment[] =
    "{\"deployment\":{\"id\":\"d1\",\"definition\":{\"env\":[{\"key\":\"TRINE_RELEASE\","
    "\"value\":\"trine uat-7\"}]}}}";

/* Up to the update of a service that is there. */
static struct talk at_update(void)
{
    struct talk t = talk_with(&provider_koyeb);

    CHECK(asks(&t, APPS));
    CHECK(answer(&t, 200, app_list) == 0);
    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, service_list) == 0);
    CHECK(asks(&t, "GET /v1/deployments/d0"));
    CHECK(answer(&t, 200, old_deployment) == 0);
    CHECK(asks(&t, "PUT /v1/services/s1"));
    CHECK(t.call.once);
    return t;
}

static struct talk at_poll(void)
{
    struct talk t = at_update();

    CHECK(answer(&t, 200, "{\"service\":{\"id\":\"s1\",\"latest_deployment_id\":\"d1\"}}") == 0);
    CHECK(asks(&t, "GET /v1/deployments/d1"));
    return t;
}

static void a_first_deployment_creates_the_app_and_the_service_and_ends_at_its_domain(void)
{
    struct talk t = talk_with(&provider_koyeb);

    CHECK(asks(&t, APPS));
    CHECK(strcmp(http_request_find(&t.call.http, "authorization"), "Bearer secret-token") == 0);
    CHECK(answer(&t, 200, "{\"apps\":[],\"count\":0}") == 0);
    CHECK(asks(&t, "POST /v1/apps"));
    CHECK(t.call.once);
    CHECK(body_has(&t, "\"name\":\"shop-uat\""));
    CHECK(answer(&t, 200, "{\"app\":{\"id\":\"a1\"}}") == 0);
    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, "{\"services\":[]}") == 0);
    CHECK(asks(&t, "POST /v1/services"));
    CHECK(t.call.once);
    CHECK(body_has(&t, "\"repository\":\"github.com/shop/shop\""));
    CHECK(body_has(&t, "\"sha\":\"0123456789abcdef0123456789abcdef01234567\""));
    CHECK(body_has(&t, "\"no_deploy_on_push\":true"));
    CHECK(body_has(&t, "{\"key\":\"TRINE_RELEASE\",\"value\":\"trine uat-7\"}"));
    CHECK(body_has(&t, "{\"key\":\"PORT\",\"value\":\"5024\"}"));
    CHECK(body_has(&t, "\"instance_types\":[{\"type\":\"free\"}]"));
    CHECK(answer(&t, 200, "{\"service\":{\"id\":\"s1\",\"latest_deployment_id\":\"d1\"}}") == 0);
    CHECK(asks(&t, "GET /v1/deployments/d1"));
    CHECK(t.waits == 1);
    CHECK(answer(&t, 200, "{\"deployment\":{\"id\":\"d1\",\"status\":\"PENDING\"}}") == 0);
    CHECK(asks(&t, "GET /v1/deployments/d1"));
    CHECK(answer(&t, 200, "{\"deployment\":{\"id\":\"d1\",\"status\":\"HEALTHY\"}}") == 0);
    CHECK(asks(&t, "GET /v1/apps/a1"));
    CHECK(answer(&t, 200,
                 "{\"app\":{\"id\":\"a1\",\"domains\":[{\"name\":\"old.example\",\"status\":"
                 "\"PENDING\"},"
                 "{\"name\":\"shop-uat-org.koyeb.app\",\"status\":\"ACTIVE\"}]}}") == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://shop-uat-org.koyeb.app") == 0);
    talk_end(&t);
}

static void an_app_on_the_second_page_is_found_even_when_counts_come_as_text(void)
{
    struct talk t = talk_with(&provider_koyeb);

    CHECK(asks(&t, APPS));
    CHECK(answer(&t, 200, "{\"apps\":[{\"id\":\"a0\",\"name\":\"shop-uat-x\"}],\"count\":\"2\"}") ==
          0);
    CHECK(asks(&t, "GET /v1/apps?name=shop-uat&limit=100&offset=1"));
    CHECK(answer(&t, 200, "{\"apps\":[{\"id\":\"a1\",\"name\":\"shop-uat\"}],\"count\":\"2\"}") ==
          0);
    CHECK(asks(&t, SERVICES));
    talk_end(&t);
}

static void an_update_that_got_no_answer_is_adopted_when_the_newest_deployment_is_ours(void)
{
    struct talk t = at_update();

    lost(&t);
    CHECK(asks(&t, SERVICES));
    CHECK(
        answer(
            &t, 200,
            "{\"services\":[{\"id\":\"s1\",\"name\":\"shop-uat\",\"latest_deployment_id\":\"d1\"}],"
            "\"count\":1}") == 0);
    CHECK(asks(&t, "GET /v1/deployments/d1"));
    CHECK(answer(&t, 200, our_deployment) == 0);
    CHECK(asks(&t, "GET /v1/deployments/d1")); /* polls, does not update again */
    CHECK(strcmp(t.d.remote_id, "d1") == 0);
    talk_end(&t);
}

static void an_update_that_never_arrived_is_sent_again(void)
{
    struct talk t = at_update();

    lost(&t);
    CHECK(asks(&t, SERVICES));
    CHECK(answer(&t, 200, service_list) == 0);
    CHECK(asks(&t, "GET /v1/deployments/d0"));
    CHECK(answer(&t, 200, old_deployment) == 0);
    CHECK(asks(&t, "PUT /v1/services/s1"));
    talk_end(&t);
}

static void a_reply_that_still_names_the_old_deployment_is_asked_again(void)
{
    struct talk t = at_update();

    CHECK(answer(&t, 200, "{\"service\":{\"id\":\"s1\",\"latest_deployment_id\":\"d0\"}}") == 0);
    CHECK(asks(&t, "GET /v1/services/s1"));
    CHECK(answer(&t, 200, "{\"service\":{\"id\":\"s1\",\"latest_deployment_id\":\"d1\"}}") == 0);
    CHECK(asks(&t, "GET /v1/deployments/d1"));
    talk_end(&t);
}

static void each_bad_status_fails_with_the_platforms_last_message(void)
{
    static const char *const bad[] = {"ERROR",    "ERRORING", "DEGRADED", "UNHEALTHY",
                                      "CANCELED", "STOPPED",  "STASHED"};
    char body[200];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct talk t = at_poll();
        (void)snprintf(
            body, sizeof(body),
            "{\"deployment\":{\"status\":\"%s\",\"messages\":[\"Building\",\"Exit 137\"]}}",
            bad[i]);
        CHECK(answer(&t, 200, body) == 0);
        CHECK(turn(&t) == TURN_FAILED);
        CHECK(says(&t, bad[i]));
        CHECK(says(&t, strcmp(bad[i], "STASHED") == 0 ? "not deployed" : "Exit 137"));
        talk_end(&t);
    }
}

static void an_unknown_status_is_still_in_progress_and_is_kept_to_be_shown(void)
{
    struct talk t = at_poll();

    CHECK(answer(&t, 200, "{\"deployment\":{\"status\":\"MEDITATING\"}}") == 0);
    CHECK(strcmp(t.d.word, "MEDITATING") == 0);
    CHECK(asks(&t, "GET /v1/deployments/d1"));
    CHECK(t.waits == 1);
    talk_end(&t);
}

static void garbage_leaves_the_deployment_as_it_was(void)
{
    static const char *const replies[] = {"",     "<html>", "[]", "{}", "{\"deployment\":7}",
                                          "null", "{\"a\":"};
    struct talk t = at_poll();

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 200, replies[i]) == -1);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
        CHECK(t.e.kind == ERR_REMOTE);
    }
    talk_end(&t);
}

static void a_refusal_carries_the_platforms_message_and_the_field(void)
{
    struct talk t = at_update();

    CHECK(answer(&t, 400,
                 "{\"status\":400,\"code\":\"invalid_argument\",\"message\":\"Validation error\","
                 "\"fields\":[{\"field\":\"definition.regions\",\"description\":\"unknown "
                 "region\"}]}") == 1);
    CHECK(says(&t, "Validation error (definition.regions: unknown region)"));
    CHECK(!t.e.retry);
    CHECK(answer(&t, 401, "{\"code\":\"unauthorized\"}") == 1);
    CHECK(says(&t, "the token was refused: unauthorized; look at `token`"));
    CHECK(answer(&t, 503, "upstream") == 1);
    CHECK(says(&t, "answered 503"));
    CHECK(t.e.retry);
    talk_end(&t);
}

static void an_image_needs_no_repository_and_other_hosts_are_refused_in_words(void)
{
    struct talk t = talk_with(&provider_koyeb);

    CHECK(t.ops->check(&t.want, &t.e) == 0);
    t.want.repository = "https://gitlab.com/shop/shop";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
    CHECK(says(&t, "gitlab.com"));
    t.want.repository = "";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
    CHECK(says(&t, "`repository` or `image`"));
    t.want.image = "ghcr.io/shop/backend:1";
    CHECK(t.ops->check(&t.want, &t.e) == 0);
    t.d.step = 4; /* KOYEB_CREATE_SERVICE */
    CHECK(asks(&t, "POST /v1/services"));
    CHECK(body_has(&t, "\"docker\":{\"image\":\"ghcr.io/shop/backend:1\"}"));
    CHECK(!body_has(&t, "\"git\""));
    talk_end(&t);
}

static void a_damaged_record_is_said_to_be_one(void)
{
    struct talk t = talk_with(&provider_koyeb);

    t.d.step = 999;
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "step 999"));
    talk_end(&t);
}

int main(void)
{
    a_first_deployment_creates_the_app_and_the_service_and_ends_at_its_domain();
    an_app_on_the_second_page_is_found_even_when_counts_come_as_text();
    an_update_that_got_no_answer_is_adopted_when_the_newest_deployment_is_ours();
    an_update_that_never_arrived_is_sent_again();
    a_reply_that_still_names_the_old_deployment_is_asked_again();
    each_bad_status_fails_with_the_platforms_last_message();
    an_unknown_status_is_still_in_progress_and_is_kept_to_be_shown();
    garbage_leaves_the_deployment_as_it_was();
    a_refusal_carries_the_platforms_message_and_the_field();
    an_image_needs_no_repository_and_other_hosts_are_refused_in_words();
    a_damaged_record_is_said_to_be_one();
    return DONE();
}
