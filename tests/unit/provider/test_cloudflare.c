#include "site.h"

#include "test.h"

#define API "/accounts/acc/pages/projects"
#define PROJECT API "/shop-uat"
#define OK(result) "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":" result "}"
#define NO(code, message)                                                                          \
    "{\"success\":false,\"errors\":[{\"code\":" #code ",\"message\":\"" message                    \
    "\"}],\"messages\":[],\"result\":null}"
#define THE_PROJECT                                                                                \
    OK("{\"id\":\"p1\",\"name\":\"shop-uat\",\"subdomain\":\"shop-uat-x1.pages.dev\","             \
       "\"production_branch\":\"main\",\"latest_deployment\":{\"id\":\"old\"}}")
#define TOKEN OK("{\"jwt\":\"head.eyJtYXhfZmlsZV9jb3VudF9hbGxvd2VkIjoyMDAwMH0.tail\"}")
#define DEPLOYMENT(stage, status)                                                                  \
    "{\"id\":\"d1\",\"url\":\"https://"                                                            \
    "d1.shop-uat-x1.pages.dev\",\"latest_stage\":{\"name\":\"" stage "\",\"status\":\"" status     \
    "\"},\"deployment_trigger\":{\"metadata\":{\"commit_message\":"                                \
    "\"trine uat-7: Sell more\"}}}"

static struct talk begin(void)
{
    return site_talk(&provider_cloudflare);
}

/* Up to the step that creates the deployment, with everything uploaded before. */
static struct talk begin_at_create(void)
{
    struct talk t = begin();

    CHECK(asks(&t, "GET " PROJECT) && answer(&t, 200, THE_PROJECT) == 0);
    CHECK(asks(&t, "GET " PROJECT "/upload-token") && answer(&t, 200, TOKEN) == 0);
    CHECK(asks(&t, "POST /pages/assets/check-missing") && answer(&t, 200, OK("[]")) == 0);
    CHECK(asks(&t, "POST /pages/assets/upsert-hashes") && answer(&t, 200, OK("null")) == 0);
    CHECK(asks(&t, "POST " PROJECT "/deployments") && t.call.once);
    return t;
}

static void a_new_project_is_made_filled_and_live_at_its_own_address(void)
{
    struct talk t = begin();

    CHECK(asks(&t, "GET " PROJECT) && t.call.also[0] == 404);
    CHECK(strcmp(http_request_find(&t.call.http, "authorization"), "Bearer secret-token") == 0);
    CHECK(answer(&t, 404, NO(8000007, "Project not found.")) == 0);
    CHECK(asks(&t, "POST " API) && t.call.once);
    CHECK(sends(&t, "{\"name\":\"shop-uat\",\"production_branch\":\"develop\","
                    "\"deployment_configs\":{\"production\":{},\"preview\":{}}}"));
    CHECK(answer(&t, 200, THE_PROJECT) == 0);
    CHECK(asks(&t, "GET " PROJECT "/upload-token") && !t.call.exclusive);
    CHECK(answer(&t, 200, TOKEN) == 0);
    CHECK(asks(&t, "POST /pages/assets/check-missing") && t.call.exclusive);
    CHECK(strncmp(http_request_find(&t.call.http, "authorization"), "Bearer head.", 12) == 0);
    CHECK(sends(&t, "{\"hashes\":[\"" PAGES_A "\",\"" PAGES_B "\",\"" PAGES_C "\"]}"));
    CHECK(answer(&t, 200, OK("[\"" PAGES_B "\",\"" PAGES_C "\"]")) == 0);
    CHECK(t.d.uploads_total == 2 && t.d.bytes_total == 800);
    CHECK(asks(&t, "POST /pages/assets/upload") && t.call.parallel && t.call.exclusive);
    CHECK(sends(&t, "[{\"key\":\"" PAGES_B "\",\"value\":\"</site/copy of app.js>\","
                    "\"metadata\":{\"contentType\":\"application/javascript\"},"
                    "\"base64\":true}]"));
    struct call first = aside(&t);
    CHECK(asks(&t, "POST /pages/assets/upload") && sends_part(&t, PAGES_C));
    struct call second = aside(&t);
    CHECK(turn(&t) == TURN_WAIT);
    resume(&t, second);
    CHECK(answer(&t, 200, OK("{\"successful_key_count\":1,\"unsuccessful_keys\":[]}")) == 0);
    resume(&t, first);
    CHECK(answer(&t, 200, OK("null")) == 0);
    CHECK(t.d.uploads_done == 2 && t.d.bytes_done == 800);
    CHECK(asks(&t, "POST /pages/assets/upsert-hashes") && !t.call.exclusive);
    CHECK(answer(&t, 200, OK("null")) == 0);
    CHECK(asks(&t, "POST " PROJECT "/deployments") && t.call.once);
    CHECK(sends_part(&t, "name=\"manifest\"\r\n\r\n{\"/.well-known/trine.json\":\"" PAGES_A
                         "\",\"/copy of app.js\":\"" PAGES_B "\","));
    CHECK(sends_part(&t, "name=\"branch\"\r\n\r\nmain\r\n"));
    CHECK(sends_part(&t, "name=\"commit_message\"\r\n\r\ntrine uat-7: Sell more\r\n"));
    CHECK(answer(&t, 200, OK(DEPLOYMENT("deploy", "active"))) == 0);
    CHECK(asks(&t, "GET " PROJECT "/deployments/d1") && t.waits == 1);
    CHECK(answer(&t, 200, OK(DEPLOYMENT("deploy", "success"))) == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://shop-uat-x1.pages.dev") == 0);
    talk_end(&t);
}

static void headers_and_redirects_go_into_the_form_and_are_no_assets(void)
{
    static const struct bundle_file files[] = {
        {"_headers", "/site/_headers", 49, 0100644, SITE_D, PAGES_A},
        {"a/_headers", "/site/a/_headers", 5, 0100644, SITE_D, PAGES_C},
        {"node_modules/x.js", "/site/node_modules/x.js", 5, 0100644, SITE_D, PAGES_B},
    };
    struct bundle bundle = {files, 3, 59, "00"};
    struct talk t = begin();

    t.want.bundle = &bundle;
    CHECK(asks(&t, "GET " PROJECT) && answer(&t, 200, THE_PROJECT) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, TOKEN) == 0);
    CHECK(turn(&t) == TURN_SEND && sends(&t, "{\"hashes\":[\"" PAGES_C "\"]}"));
    CHECK(answer(&t, 200, OK("[]")) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, OK("null")) == 0);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(sends_part(&t, "name=\"manifest\"\r\n\r\n{\"/a/_headers\":\"" PAGES_C "\"}\r\n"));
    CHECK(sends_part(&t, "name=\"_headers\"; filename=\"_headers\"\r\nContent-Type: "
                         "application/octet-stream\r\n\r\n</site/_headers>\r\n--trine-00--"));
    talk_end(&t);
}

static void a_lost_answer_to_create_is_cleared_up_in_the_list(void)
{
    struct talk t = begin_at_create();

    lost(&t);
    CHECK(asks(&t, "GET " PROJECT "/deployments?env=production&page=1&per_page=25"));
    CHECK(answer(&t, 200, OK("[{\"id\":\"other\"}," DEPLOYMENT("deploy", "active") "]")) == 0);
    CHECK(asks(&t, "GET " PROJECT "/deployments/d1"));
    talk_end(&t);

    t = begin_at_create();
    lost(&t);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, OK("[{\"id\":\"old\"}]")) == 0);
    CHECK(asks(&t, "POST " PROJECT "/deployments"));
    talk_end(&t);
}

static void a_lost_answer_to_create_project_looks_it_up_by_name(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND && answer(&t, 404, NO(8000007, "Project not found.")) == 0);
    CHECK(asks(&t, "POST " API));
    lost(&t);
    CHECK(asks(&t, "GET " PROJECT));
    talk_end(&t);
}

static void a_marker_is_not_taken_for_a_longer_one(void)
{
    struct talk t = begin_at_create();

    t.want.marker = "trine uat-"; /* the list holds "trine uat-7: ..." */
    lost(&t);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200, OK("[" DEPLOYMENT("deploy", "success") "]")) == 0);
    CHECK(asks(&t, "POST " PROJECT "/deployments"));
    talk_end(&t);
}

static void a_killed_upload_asks_again_what_is_missing(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, THE_PROJECT) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, TOKEN) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, OK("[\"" PAGES_B "\"]")) == 0);
    CHECK(asks(&t, "POST /pages/assets/upload"));
    lost(&t);
    CHECK(asks(&t, "GET " PROJECT "/upload-token") && answer(&t, 200, TOKEN) == 0);
    CHECK(asks(&t, "POST /pages/assets/check-missing"));
    talk_end(&t);
}

static void an_expired_upload_token_is_renewed_and_the_files_sent_again(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, THE_PROJECT) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, TOKEN) == 0);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200, OK("[\"" PAGES_B "\",\"" PAGES_C "\"]")) == 0);
    CHECK(turn(&t) == TURN_SEND);
    struct call first = aside(&t);
    CHECK(turn(&t) == TURN_SEND);
    int step = t.d.step;
    CHECK(answer(&t, 403, "Expired JWT") == 1 && t.e.retry && t.d.step != step);
    step = t.d.step;
    resume(&t, first);
    CHECK(answer(&t, 400, NO(8000013, "unauthorized")) == 1 && t.e.retry && t.d.step != step);
    CHECK(asks(&t, "GET " PROJECT "/upload-token") && t.call.exclusive);
    CHECK(answer(&t, 200, TOKEN) == 0);
    CHECK(asks(&t, "POST /pages/assets/upload") && sends_part(&t, PAGES_B));
    CHECK(answer(&t, 200, OK("null")) == 0);
    CHECK(asks(&t, "POST /pages/assets/upload") && sends_part(&t, PAGES_C));
    CHECK(answer(&t, 200, OK("null")) == 0);
    CHECK(asks(&t, "POST /pages/assets/upsert-hashes"));
    talk_end(&t);
}

static void upload_tokens_that_never_work_end_the_deployment(void)
{
    struct talk t = begin();
    int tokens = 0;

    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, THE_PROJECT) == 0);
    do {
        CHECK(asks(&t, "GET " PROJECT "/upload-token") && answer(&t, 200, TOKEN) == 0);
        CHECK(turn(&t) == TURN_SEND && answer(&t, 403, "Expired JWT") == 1);
    } while (t.e.retry && ++tokens < 20);
    CHECK(!t.e.retry && tokens == 12);
    talk_end(&t);
}

static void files_that_were_not_stored_are_sent_again(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, THE_PROJECT) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, TOKEN) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, OK("[\"" PAGES_B "\"]")) == 0);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200, OK("{\"unsuccessful_keys\":[\"" PAGES_B "\"]}")) == -1);
    CHECK(t.d.uploads_done == 0);
    CHECK(answer(&t, 200, OK("null")) == 0 && t.d.uploads_done == 1);
    talk_end(&t);
}

static void a_failed_deployment_says_what_its_log_says(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, OK(DEPLOYMENT("deploy", "active"))) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, OK(DEPLOYMENT("deploy", "failure"))) == 0);
    CHECK(asks(&t, "GET " PROJECT "/deployments/d1/history/logs?size=10000000"));
    CHECK(answer(&t, 200, OK("{\"data\":[{\"line\":\"start\"},{\"line\":\"disk on fire\"}]}")) ==
          0);
    CHECK(turn(&t) == TURN_FAILED && strstr(t.e.text, "disk on fire"));
    talk_end(&t);
}

static void an_unknown_status_is_still_in_progress(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, OK(DEPLOYMENT("deploy", "pondering"))) == 0);
    CHECK(strcmp(t.d.word, "deploy: pondering") == 0);
    CHECK(asks(&t, "GET " PROJECT "/deployments/d1") && t.waits == 1);
    CHECK(answer(&t, 200, OK(DEPLOYMENT("victory", "success"))) == 0);
    CHECK(asks(&t, "GET " PROJECT "/deployments/d1") && t.waits == 1);
    talk_end(&t);
}

static void a_refused_token_is_said_with_the_platform_s_words(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 403, NO(10000, "Authentication error")) == 1 && !t.e.retry);
    CHECK(strstr(t.e.text, "the token was refused: Authentication error"));
    CHECK(strstr(t.e.text, "Cloudflare Pages: Edit") && strstr(t.e.text, "`account`"));
    CHECK(answer(&t, 400,
                 "{\"success\":false,\"errors\":[{\"code\":6003,\"message\":\"Invalid request "
                 "headers\",\"error_chain\":[{\"code\":6111,\"message\":\"Invalid format for "
                 "Authorization header\"}]}]}") == 1);
    CHECK(!t.e.retry && strstr(t.e.text, "the token was refused: Invalid format"));
    talk_end(&t);
}

static void what_passes_is_tried_again_and_a_penalty_is_waited_for(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 400, NO(8000000, "An unknown error occurred")) == 1 && t.e.retry);
    CHECK(answer(&t, 403, NO(8000000, "An unknown error occurred")) == 1 && !t.e.retry);
    CHECK(answer(&t, 429, "slow down") == 1 && t.e.retry && t.e.retry_after == 60000);
    talk_end(&t);
}

static void a_cache_hint_that_fails_holds_nothing_up(void)
{
    static const int statuses[] = {400, 500, 503};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct talk t = begin();
        CHECK(turn(&t) == TURN_SEND && answer(&t, 200, THE_PROJECT) == 0);
        CHECK(turn(&t) == TURN_SEND && answer(&t, 200, TOKEN) == 0);
        CHECK(turn(&t) == TURN_SEND && answer(&t, 200, OK("[]")) == 0);
        CHECK(asks(&t, "POST /pages/assets/upsert-hashes"));
        CHECK(answer(&t, statuses[i], "broken") == 1);
        CHECK(asks(&t, "POST " PROJECT "/deployments"));
        talk_end(&t);
    }
}

static void garbage_changes_nothing(void)
{
    static const char *const bodies[] = {"",
                                         "<html>",
                                         "[]",
                                         "{}",
                                         "{\"success\":true}",
                                         OK("null"),
                                         OK("{\"id\":5,\"subdomain\":[]}"),
                                         OK("{\"id\":\"p1\""),
                                         NO(8000000, "unknown error")};
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 200, bodies[i]) == -1 && t.e.kind == ERR_REMOTE);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
    }
    talk_end(&t);
}

static void a_file_it_asks_for_that_we_do_not_have_is_refused(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, THE_PROJECT) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, TOKEN) == 0);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200, OK("[\"feedfeed\"]")) == -1 && !t.d.needed);
    CHECK(answer(&t, 200, OK("[7]")) == -1 && !t.d.needed);
    talk_end(&t);
}

static void names_and_functions_that_cannot_work_are_refused_before_anything_is_sent(void)
{
    static const struct bundle_file worker = {"_worker.js", "/site/_worker.js", 1, 0100644, SITE_A,
                                              PAGES_A};
    struct bundle bundle = {&worker, 1, 1, "00"};
    struct talk t = begin();

    CHECK(t.ops->check(&t.want, &t.e) == 0);
    t.want.project_name = "Shop_UAT";
    CHECK(t.ops->check(&t.want, &t.e) == -1 && t.e.kind == ERR_MANIFEST);
    t.want.project_name = "shop-uat";
    t.want.bundle = &bundle;
    CHECK(t.ops->check(&t.want, &t.e) == -1 && strstr(t.e.text, "_worker.js"));
    t.want.bundle = NULL;
    CHECK(t.ops->check(&t.want, &t.e) == 0);
    talk_end(&t);
}

int main(void)
{
    a_new_project_is_made_filled_and_live_at_its_own_address();
    headers_and_redirects_go_into_the_form_and_are_no_assets();
    a_lost_answer_to_create_is_cleared_up_in_the_list();
    a_lost_answer_to_create_project_looks_it_up_by_name();
    a_marker_is_not_taken_for_a_longer_one();
    a_killed_upload_asks_again_what_is_missing();
    an_expired_upload_token_is_renewed_and_the_files_sent_again();
    upload_tokens_that_never_work_end_the_deployment();
    files_that_were_not_stored_are_sent_again();
    a_failed_deployment_says_what_its_log_says();
    an_unknown_status_is_still_in_progress();
    a_refused_token_is_said_with_the_platform_s_words();
    what_passes_is_tried_again_and_a_penalty_is_waited_for();
    a_cache_hint_that_fails_holds_nothing_up();
    garbage_changes_nothing();
    a_file_it_asks_for_that_we_do_not_have_is_refused();
    names_and_functions_that_cannot_work_are_refused_before_anything_is_sent();
    return DONE();
}
