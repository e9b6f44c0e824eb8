#include "site.h"

#include "test.h"

#define FIND "GET /sites?name=shop-uat&filter=all&page=1&per_page=100"
#define CREATE "POST /sites/s1/deploys?title=trine%20uat-7%3A%20Sell%20more"
#define DEPLOY "GET /sites/s1/deploys/d1"
#define SITE(more) "{\"id\":\"s1\",\"name\":\"shop-uat\",\"ssl_url\":\"https://shop\"" more "}"
#define STATE(state, required)                                                                     \
    "{\"id\":\"d1\",\"state\":\"" state "\",\"required\":" required                                \
    ",\"title\":\"trine uat-7: Sell more\",\"url\":\"http://shop-uat.netlify.app\","               \
    "\"ssl_url\":\"https://shop-uat.netlify.app\",\"error_message\":\"quota exceeded\"}"

static struct talk begin(void)
{
    return site_talk(&provider_netlify);
}

static struct talk begin_at_create(void)
{
    struct talk t = begin();

    CHECK(asks(&t, FIND) && answer(&t, 200, "[" SITE("") "]") == 0);
    CHECK(asks(&t, CREATE) && t.call.once && t.call.exclusive);
    return t;
}

static void a_new_site_is_made_filled_and_live_at_its_own_address(void)
{
    struct talk t = begin();

    CHECK(asks(&t, FIND));
    CHECK(strcmp(http_request_find(&t.call.http, "authorization"), "Bearer secret-token") == 0);
    CHECK(answer(&t, 200, "[{\"id\":\"s0\",\"name\":\"shop-uat-2\"}]") == 0);
    CHECK(asks(&t, "POST /sites") && t.call.once && sends(&t, "{\"name\":\"shop-uat\"}"));
    CHECK(answer(&t, 201, SITE("")) == 0);
    CHECK(asks(&t, CREATE) && strcmp(t.call.cost, "deploy") == 0);
    CHECK(sends(&t,
                "{\"files\":{\".well-known/trine.json\":\"" SITE_A "\",\"copy of app.js\":\"" SITE_B
                "\",\"index.html\":\"" SITE_C "\",\"js/app.js\":\"" SITE_B "\"},\"async\":false}"));
    CHECK(answer(&t, 200, STATE("uploading", "[\"" SITE_C "\",\"" SITE_B "\"]")) == 0);
    CHECK(t.d.uploads_total == 2);
    CHECK(asks(&t, "PUT /deploys/d1/files/copy%20of%20app.js") && t.call.parallel);
    CHECK(t.call.exclusive && sends(&t, "</site/copy of app.js>"));
    struct call first = aside(&t);
    CHECK(asks(&t, "PUT /deploys/d1/files/index.html"));
    CHECK(answer(&t, 200, "{}") == 0);
    CHECK(turn(&t) == TURN_WAIT);
    resume(&t, first);
    CHECK(answer(&t, 200, "") == 0 && t.d.uploads_done == 2);
    CHECK(asks(&t, DEPLOY) && t.waits == 1 && !t.call.exclusive);
    CHECK(answer(&t, 200, STATE("processing", "[]")) == 0);
    CHECK(asks(&t, DEPLOY) && answer(&t, 200, STATE("ready", "[]")) == 0);
    CHECK(turn(&t) == TURN_DONE && strcmp(t.d.url, "https://shop-uat.netlify.app") == 0);
    talk_end(&t);
}

static void a_site_is_made_in_the_team_that_is_given(void)
{
    struct talk t = begin();

    t.want.team = "acme";
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, "[]") == 0);
    CHECK(asks(&t, "POST /acme/sites"));
    CHECK(answer(&t, 422, "{\"code\":422,\"message\":\"name taken\"}") == 1 && !t.e.retry);
    CHECK(says(&t, "name taken") && says(&t, "choose another"));
    CHECK(asks(&t, "POST /acme/sites"));
    lost(&t);
    CHECK(asks(&t, FIND));
    talk_end(&t);
}

static void a_site_on_the_second_page_is_found(void)
{
    struct talk t = begin();
    json_t *list = json_array();

    for (int i = 0; i < 100; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "id", "x", "name", "shop-uat-old"));
    char *text = json_dumps(list, 0);
    CHECK(asks(&t, FIND) && answer(&t, 200, text) == 0);
    CHECK(asks(&t, "GET /sites?name=shop-uat&filter=all&page=2&per_page=100"));
    CHECK(answer(&t, 200, "[" SITE("") "]") == 0);
    CHECK(asks(&t, CREATE));
    free(text);
    json_decref(list);
    talk_end(&t);
}

static void nothing_missing_means_no_upload(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, STATE("prepared", "[]")) == 0);
    CHECK(asks(&t, DEPLOY) && answer(&t, 200, STATE("ready", "[]")) == 0);
    CHECK(turn(&t) == TURN_DONE);
    talk_end(&t);
}

static void a_lost_answer_to_create_is_cleared_up_in_the_list_and_gone_on_with(void)
{
    struct talk t = begin_at_create();

    lost(&t);
    CHECK(asks(&t, "GET /sites/s1/deploys?page=1&per_page=100"));
    CHECK(answer(&t, 200,
                 "[{\"id\":\"d0\",\"title\":\"trine uat-70\"}," STATE("uploading", "[]") "]") == 0);
    CHECK(asks(&t, DEPLOY) && t.call.exclusive);
    CHECK(answer(&t, 200, STATE("uploading", "[\"" SITE_A "\"]")) == 0);
    CHECK(asks(&t, "PUT /deploys/d1/files/.well-known/trine.json"));
    lost(&t);
    CHECK(asks(&t, DEPLOY));
    CHECK(answer(&t, 200, STATE("uploading", "[\"" SITE_A "\"]")) == 0);
    CHECK(asks(&t, "PUT /deploys/d1/files/.well-known/trine.json"));
    talk_end(&t);

    t = begin_at_create();
    lost(&t);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200, "[" STATE("error", "[]") "]") == 0);
    CHECK(asks(&t, CREATE));
    talk_end(&t);
}

static void a_large_site_waits_for_the_list_of_what_is_needed(void)
{
    enum { N = 101 };
    static struct bundle_file files[N];
    static char paths[N][16];
    struct bundle bundle = {files, N, 0, "00"};
    struct talk t = begin();

    for (int i = 0; i < N; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%03d.txt", i);
        files[i] = (struct bundle_file){paths[i], paths[i], 1, 0100644, SITE_A, PAGES_A};
    }
    t.want.bundle = &bundle;
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, "[" SITE("") "]") == 0);
    CHECK(turn(&t) == TURN_SEND && sends_part(&t, "\"async\":true"));
    CHECK(answer(&t, 200, STATE("preparing", "null")) == 0);
    CHECK(asks(&t, DEPLOY) && t.waits == 1 && t.call.exclusive);
    CHECK(answer(&t, 200, STATE("prepared", "[\"" SITE_A "\"]")) == 0);
    CHECK(asks(&t, "PUT /deploys/d1/files/000.txt") && answer(&t, 200, "{}") == 0);
    CHECK(asks(&t, DEPLOY) && !t.call.exclusive);
    talk_end(&t);
}

static void a_failed_deploy_says_why(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, STATE("prepared", "[]")) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, STATE("error", "[]")) == 0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "quota exceeded"));
    talk_end(&t);
}

static void an_unknown_state_is_still_in_progress(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, STATE("prepared", "[]")) == 0);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, STATE("meditating", "[]")) == 0);
    CHECK(strcmp(t.d.word, "meditating") == 0);
    CHECK(asks(&t, DEPLOY) && t.waits == 1);
    talk_end(&t);
}

static void a_site_that_takes_git_deploys_only_is_said_so(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200, "[" SITE(",\"prevent_non_git_prod_deploys\":true") "]") == 0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "from git only"));
    talk_end(&t);
}

static void a_locked_published_deploy_is_said_before_credits_are_spent(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200, "[" SITE(",\"published_deploy\":{\"id\":\"d0\",\"locked\":true}") "]") ==
          0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "unlock it"));
    talk_end(&t);
}

static void a_taken_name_and_a_wrong_team_are_told_apart(void)
{
    struct talk t = begin();

    t.want.team = "acme";
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, "[]") == 0 && turn(&t) == TURN_SEND);
    CHECK(answer(&t, 422, "{\"errors\":{\"subdomain\":[\"must be unique\"]}}") == 1 && !t.e.retry);
    CHECK(says(&t, "must be unique") && says(&t, "another `name`"));
    CHECK(answer(&t, 404, "Not Found") == 1 && !t.e.retry && says(&t, "`team`"));
    talk_end(&t);
}

static void too_many_deploys_a_minute_are_waited_for(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 429, "{\"code\":429,\"message\":\"too many\"}") == 1);
    CHECK(t.e.retry && t.e.retry_after == 20000);
    talk_end(&t);
}

static void refusals_carry_the_platform_s_own_words(void)
{
    struct talk t = begin();

    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 401, "{\"code\":401,\"message\":\"Access Denied\"}") == 1 && !t.e.retry);
    CHECK(says(&t, "the token was refused: Access Denied"));
    CHECK(answer(&t, 404, "Not Found") == 1 && says(&t, "answered 404: Not Found"));
    CHECK(answer(&t, 422, "{\"errors\":{\"name\":[\"is bad\"]}}") == 1 && says(&t, "is bad"));
    CHECK(answer(&t, 502, "<html>") == 1 && t.e.retry);
    talk_end(&t);
}

static void garbage_changes_nothing(void)
{
    static const char *const bodies[] = {"",
                                         "<html>",
                                         "{}",
                                         "null",
                                         "{\"id\":\"d1\"}",
                                         "[1,2]",
                                         "{\"id\":\"d1\",\"state\":7}",
                                         STATE("uploading", "{}"),
                                         STATE("uploading", "[\"feed\"]"),
                                         STATE("uploading", "[1]")};
    struct talk t = begin_at_create();

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 200, bodies[i]) == -1 && t.e.kind == ERR_REMOTE);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
    }
    talk_end(&t);
}

static void hidden_files_stay_at_home_and_bad_names_are_refused(void)
{
    static const struct bundle_file files[] = {
        {".env", "/site/.env", 1, 0100644, SITE_A, PAGES_A},
        {".well-known/x#y", "/site/x#y", 1, 0100644, SITE_B, PAGES_B},
        {"a/.hidden/b", "/site/b", 1, 0100644, SITE_C, PAGES_C},
    };
    struct bundle bundle = {files, 3, 3, "00"};
    struct talk t = begin();

    CHECK(t.ops->check(&t.want, &t.e) == 0);
    t.want.bundle = &bundle;
    CHECK(t.ops->check(&t.want, &t.e) == -1 && says(&t, "x#y"));
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, "[" SITE("") "]") == 0);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(sends(&t, "{\"files\":{\".well-known/x#y\":\"" SITE_B "\"},\"async\":false}"));
    talk_end(&t);
}

int main(void)
{
    a_new_site_is_made_filled_and_live_at_its_own_address();
    a_site_is_made_in_the_team_that_is_given();
    a_site_on_the_second_page_is_found();
    nothing_missing_means_no_upload();
    a_lost_answer_to_create_is_cleared_up_in_the_list_and_gone_on_with();
    a_large_site_waits_for_the_list_of_what_is_needed();
    a_failed_deploy_says_why();
    an_unknown_state_is_still_in_progress();
    a_site_that_takes_git_deploys_only_is_said_so();
    a_locked_published_deploy_is_said_before_credits_are_spent();
    a_taken_name_and_a_wrong_team_are_told_apart();
    too_many_deploys_a_minute_are_waited_for();
    refusals_carry_the_platform_s_own_words();
    garbage_changes_nothing();
    hidden_files_stay_at_home_and_bad_names_are_refused();
    return DONE();
}
