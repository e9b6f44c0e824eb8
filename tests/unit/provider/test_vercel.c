#include "base/hash.h"
#include "provider/vercel_config.h"
#include "site.h"

#include "test.h"

#include <unistd.h>

#define FIND "GET /v9/projects/shop-uat?teamId=team_1"
#define CREATE "POST /v13/deployments?teamId=team_1&skipAutoDetectionConfirmation=1&prebuilt=1"
#define LOOK "GET /v7/deployments?teamId=team_1&projectId=prj_1&limit=20"
#define POLL "GET /v13/deployments/dpl_1?teamId=team_1"
#define PROJECT "{\"id\":\"prj_1\",\"name\":\"shop-uat\"}"
#define STATE(state, more)                                                                         \
    "{\"id\":\"dpl_1\",\"readyState\":\"" state "\",\"alias\":[\"shop-uat-git-main.vercel.app\","  \
    "\"shop-uat.vercel.app\"],\"errorMessage\":\"out of cheese\"" more "}"
#define CONFIG "{\"version\":3,\"routes\":[{\"handle\":\"filesystem\"}]}"
#define MISSING(list)                                                                              \
    "{\"error\":{\"code\":\"missing_files\",\"message\":\"Missing files\",\"missing\":" list "}}"

static struct talk begin(void)
{
    struct talk t = site_talk(&provider_vercel);

    t.want.account = "";
    t.want.team = "team_1";
    return t;
}

static struct talk begin_at_create(void)
{
    struct talk t = begin();

    CHECK(asks(&t, FIND) && answer(&t, 200, PROJECT) == 0);
    CHECK(asks(&t, CREATE) && t.call.once && t.call.exclusive);
    return t;
}

static void a_new_project_is_made_filled_and_live_at_its_shortest_address(void)
{
    struct talk t = begin();
    uint8_t digest[SHA1_LEN];
    char config_sha1[2 * SHA1_LEN + 1], missing[200];

    CHECK(asks(&t, FIND));
    CHECK(answer(&t, 404, "{\"error\":{\"code\":\"not_found\",\"message\":\"none\"}}") == 0);
    CHECK(asks(&t, "POST /v11/projects?teamId=team_1") && t.call.once);
    CHECK(sends(&t, "{\"name\":\"shop-uat\",\"framework\":null}"));
    CHECK(answer(&t, 200, PROJECT) == 0);
    CHECK(asks(&t, CREATE));
    CHECK(sends_part(&t, "\"meta\":{\"trine\":\"trine uat-7\",\"commit\":\"0123456789abcdef"));
    CHECK(sends_part(&t, "{\"file\":\".vercel/output/static/index.html\",\"size\":200,"
                         "\"mode\":33188,\"sha\":\"" SITE_C "\"}"));
    char *first = site_body(&t.call);
    sha1(CONFIG, strlen(CONFIG), digest);
    hex_encode(digest, sizeof(digest), config_sha1);
    CHECK(sends_part(&t, config_sha1));
    (void)snprintf(missing, sizeof(missing), MISSING("[\"%s\",\"" SITE_B "\"]"), config_sha1);
    CHECK(answer(&t, 400, missing) == 0 && t.d.uploads_total == 2);
    CHECK(asks(&t, "POST /v2/files?teamId=team_1") && t.call.parallel && t.call.exclusive);
    CHECK(strcmp(http_request_find(&t.call.http, "x-vercel-digest"), SITE_B) == 0);
    CHECK(sends(&t, "</site/copy of app.js>"));
    struct call kept = aside(&t);
    CHECK(asks(&t, "POST /v2/files?teamId=team_1") && sends(&t, CONFIG));
    CHECK(strcmp(http_request_find(&t.call.http, "x-vercel-digest"), config_sha1) == 0);
    CHECK(answer(&t, 200, "{}") == 0);
    CHECK(turn(&t) == TURN_WAIT);
    resume(&t, kept);
    CHECK(answer(&t, 200, "{\"urls\":[]}") == 0 && t.d.uploads_done == 2);
    CHECK(asks(&t, CREATE) && t.call.once && sends(&t, first));
    CHECK(answer(&t, 200, STATE("QUEUED", "")) == 0);
    CHECK(asks(&t, POLL) && t.waits == 1 && !t.call.exclusive);
    CHECK(answer(&t, 200, STATE("READY", ",\"aliasAssigned\":1795360446005")) == 0);
    CHECK(turn(&t) == TURN_DONE && strcmp(t.d.url, "https://shop-uat.vercel.app") == 0);
    free(first);
    talk_end(&t);
}

static void a_lost_answer_to_create_is_cleared_up_in_the_list(void)
{
    struct talk t = begin_at_create();

    lost(&t);
    CHECK(asks(&t, LOOK));
    CHECK(answer(&t, 200,
                 "{\"deployments\":[{\"uid\":\"dpl_0\",\"meta\":{\"trine\":\"trine uat-70\"}}],"
                 "\"pagination\":{\"next\":1700}}") == 0);
    CHECK(asks(&t, LOOK "&until=1700"));
    CHECK(answer(&t, 200,
                 "{\"deployments\":[{\"uid\":\"dpl_1\",\"meta\":{\"trine\":\"trine uat-7\"}}]}") ==
          0);
    CHECK(asks(&t, POLL));
    talk_end(&t);

    t = begin_at_create();
    lost(&t);
    CHECK(turn(&t) == TURN_SEND && answer(&t, 200, "{\"deployments\":[]}") == 0);
    CHECK(asks(&t, CREATE));
    talk_end(&t);
}

static void a_killed_upload_asks_again_what_is_missing(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 400, MISSING("[\"" SITE_C "\"]")) == 0);
    CHECK(asks(&t, "POST /v2/files?teamId=team_1"));
    lost(&t);
    CHECK(asks(&t, CREATE));
    talk_end(&t);
}

static void files_that_stay_missing_end_the_deployment(void)
{
    struct talk t = begin_at_create();
    int rounds = 0;

    while (t.turn == TURN_SEND && rounds < 10) {
        CHECK(answer(&t, 400, MISSING("[\"" SITE_C "\"]")) == 0);
        if (turn(&t) != TURN_SEND)
            break;
        CHECK(answer(&t, 200, "{}") == 0);
        CHECK(asks(&t, CREATE));
        rounds++;
    }
    CHECK(rounds == 3 && t.turn == TURN_FAILED && says(&t, "still misses files"));
    talk_end(&t);
}

static void another_400_is_the_platform_s_no(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 400, "{\"error\":{\"code\":\"bad_request\",\"message\":\"no such thing\"}}") ==
          0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "no such thing"));
    talk_end(&t);
}

static void ready_without_an_address_is_promoted(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200,
                 STATE("READY", ",\"readySubstate\":\"STAGED\",\"aliasAssigned\":false")) == 0);
    CHECK(asks(&t, "POST /v10/projects/prj_1/promote/dpl_1?teamId=team_1") && !t.call.once);
    CHECK(answer(&t, 202, "") == 0);
    CHECK(asks(&t, "GET /v9/projects/prj_1?teamId=team_1") && t.waits == 1);
    CHECK(answer(&t, 200,
                 "{\"id\":\"prj_1\",\"lastAliasRequest\":{\"jobStatus\":\"succeeded\","
                 "\"toDeploymentId\":\"dpl_0\"}}") == 0);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200,
                 "{\"id\":\"prj_1\",\"lastAliasRequest\":{\"jobStatus\":\"in-progress\","
                 "\"toDeploymentId\":\"dpl_1\"}}") == 0);
    CHECK(turn(&t) == TURN_SEND);
    CHECK(answer(&t, 200,
                 "{\"id\":\"prj_1\",\"lastAliasRequest\":{\"jobStatus\":\"succeeded\","
                 "\"toDeploymentId\":\"dpl_1\"}}") == 0);
    CHECK(turn(&t) == TURN_DONE && strcmp(t.d.url, "https://shop-uat.vercel.app") == 0);
    talk_end(&t);
}

static void an_address_that_is_late_is_waited_for_first(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, STATE("READY", "")) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(asks(&t, POLL) && answer(&t, 200, STATE("READY", ",\"aliasAssigned\":null")) == 0);
    CHECK(asks(&t, POLL) && answer(&t, 200, STATE("READY", "")) == 0);
    CHECK(asks(&t, "POST /v10/projects/prj_1/promote/dpl_1?teamId=team_1"));
    talk_end(&t);
}

static void failures_say_why(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, STATE("ERROR", "")) == 0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "out of cheese"));
    talk_end(&t);
    t = begin_at_create();
    CHECK(answer(&t, 200, STATE("READY", ",\"aliasError\":{\"message\":\"domain gone\"}")) == 0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "domain gone"));
    talk_end(&t);
}

static void an_unknown_state_is_still_in_progress(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 200, STATE("DREAMING", ",\"aliasAssigned\":true")) == 0);
    CHECK(strcmp(t.d.word, "DREAMING") == 0 && asks(&t, POLL) && t.waits == 1);
    talk_end(&t);
}

static void a_used_up_day_is_said_and_not_tried_again(void)
{
    struct talk t = begin_at_create();

    CHECK(answer(&t, 429,
                 "{\"error\":{\"code\":\"api-deployments-free-per-day\",\"message\":\"more "
                 "than 100\"}}") == 1);
    CHECK(!t.e.retry && says(&t, "100 deployments in 24 hours"));
    CHECK(answer(&t, 402,
                 "{\"error\":{\"code\":\"api-upload-free\",\"message\":\"more than 5000\"}}") == 1);
    CHECK(!t.e.retry && says(&t, "5,000 file uploads"));
    CHECK(answer(&t, 429,
                 "{\"error\":{\"code\":\"rate_limited\",\"message\":\"Too many requests - try "
                 "again in 24 hours (more than 5000, code: \\\"api-upload-free\\\").\"}}") == 1);
    CHECK(!t.e.retry && says(&t, "5,000 file uploads"));
    CHECK(answer(&t, 429, "{\"error\":{\"code\":\"rate_limited\",\"message\":\"slow down\"}}") ==
          1);
    CHECK(t.e.retry && says(&t, "slow down"));
    CHECK(answer(&t, 403, "{\"error\":{\"code\":\"forbidden\",\"message\":\"Not authorized\"}}") ==
          1);
    CHECK(!t.e.retry && says(&t, "the token was refused: Not authorized") && says(&t, "`team`"));
    talk_end(&t);
}

static void the_scope_is_a_team_by_id_or_slug_or_the_token_s_own_account(void)
{
    static const struct {
        const char *team, *line;
    } rows[] = {
        {"team_1", "GET /v9/projects/shop-uat?teamId=team_1"},
        {"acme-shop", "GET /v9/projects/shop-uat?slug=acme-shop"},
        {"QDuTTaZk9xyzKHVFDUwXvyVx", "GET /v9/projects/shop-uat"}, /* a person's id */
        {"", "GET /v9/projects/shop-uat"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct talk t = begin();
        t.want.team = rows[i].team;
        CHECK(asks(&t, rows[i].line));
        CHECK(answer(&t, 404, "{\"error\":{\"code\":\"not_found\"}}") == 0);
        CHECK(turn(&t) == TURN_SEND);
        CHECK(answer(&t, 409, "{\"error\":{\"code\":\"conflict\",\"message\":\"taken\"}}") == 1);
        CHECK(!t.e.retry && says(&t, "another `name`"));
        talk_end(&t);
    }
}

static void a_404_that_is_not_about_the_project_ends_it(void)
{
    struct talk t = begin();

    CHECK(asks(&t, FIND));
    CHECK(answer(&t, 404, "{\"error\":{\"code\":\"team_not_found\",\"message\":\"No team\"}}") ==
          0);
    CHECK(turn(&t) == TURN_FAILED && says(&t, "No team"));
    talk_end(&t);
}

static void garbage_changes_nothing(void)
{
    static const char *const bodies[] = {"",
                                         "<html>",
                                         "{}",
                                         "[]",
                                         "null",
                                         "{\"id\":\"dpl_1\"}",
                                         "{\"id\":1,\"readyState\":\"READY\"}"};
    static const char *const no_lists[] = {"{}", MISSING("7"), MISSING("[\"feed\"]"),
                                           MISSING("[{}]")};
    struct talk t = begin_at_create();

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 200, bodies[i]) == -1 && t.e.kind == ERR_REMOTE);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
    }
    for (size_t i = 0; i < sizeof(no_lists) / sizeof(no_lists[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 400, no_lists[i]) == -1);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
    }
    talk_end(&t);
}

/* --- config.json ------------------------------------------------------------------------------ */

/* The config of a site whose rule files hold these texts, or the error's. */
static char *config_of(const char *headers, const char *redirects, struct err *e)
{
    char top[] = "/tmp/trine-vercel-XXXXXX", a[64], b[64];
    struct bundle_file files[] = {
        {.path = "404.html"}, {.path = "_headers"}, {.path = "_redirects"}};
    struct bundle bundle = {.files = files, .n = 3};

    if (!mkdtemp(top))
        return NULL;
    (void)snprintf(a, sizeof(a), "%s/_headers", top);
    (void)snprintf(b, sizeof(b), "%s/_redirects", top);
    (void)file_write_atomic(a, headers, strlen(headers), 0600, e);
    (void)file_write_atomic(b, redirects, strlen(redirects), 0600, e);
    files[1].source = a;
    files[2].source = b;
    char *text = vercel_config(&bundle, e);
    (void)unlink(a);
    (void)unlink(b);
    (void)rmdir(top);
    return text;
}

static void rules_of_other_platforms_become_routes(void)
{
    struct err e = ERR_INIT;
    char *text = config_of("# comment\n/css/*\n  Cache-Control: public\n  X-A: 1\n  X-A: 2\n",
                           "/old /new/ 301\n\n/n/:year/* https://x.example/:year?p=:splat\n"
                           "/app.v1 /404.html 404\n/* /index.html 200 # fallback\n",
                           &e);

    CHECK(text &&
          strcmp(text, "{\"version\":3,\"routes\":["
                       "{\"src\":\"^/css/(.*)$\",\"headers\":{\"Cache-Control\":\"public\","
                       "\"X-A\":\"1, 2\"},\"continue\":true},"
                       "{\"src\":\"^/old/?$\",\"status\":301,\"headers\":{\"Location\":\"/new/\"}},"
                       "{\"src\":\"^/n/([^/]+)/(.*)$\",\"status\":302,\"headers\":"
                       "{\"Location\":\"https://x.example/$1?p=$2\"}},"
                       "{\"handle\":\"filesystem\"},"
                       "{\"src\":\"^/app\\\\.v1/?$\",\"dest\":\"/404.html\",\"status\":404},"
                       "{\"src\":\"^/(.*)$\",\"dest\":\"/index.html\"},"
                       "{\"handle\":\"error\"},"
                       "{\"src\":\"^.*$\",\"dest\":\"/404.html\",\"status\":404}]}") == 0);
    if (text)
        printf("# %s\n", text);
    else
        printf("# %s\n", e.text);
    free(text);
}

static void a_rule_that_cannot_be_said_is_refused_with_its_line(void)
{
    static const struct {
        const char *headers, *redirects, *says;
    } rows[] = {
        {"", "/a\n", "_redirects:1:"},
        {"", "/ok /b\n/a /b 301 Country=au\n", "_redirects:2:"},
        {"", "/a id=:id /b/:id 301\n", "depends on a query"},
        {"", "/a /b forever\n", "no status"},
        {"", "/a /:gone\n", "no such placeholder"},
        {"", "https://x.example/* /y\n", "does not begin with a path"},
        {"  X: 1\n", "", "_headers:1:"},
        {"/a\n  ! X-A\n", "", "takes a header away"},
        {"/a\n  nonsense\n", "", "no header"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err e = ERR_INIT;
        char *text = config_of(rows[i].headers, rows[i].redirects, &e);
        CHECK(!text && e.kind == ERR_MANIFEST && strstr(e.text, rows[i].says));
        if (!strstr(e.text, rows[i].says))
            printf("# %s\n", text ? text : e.text);
        free(text);
    }
}

static void more_routes_than_a_deployment_may_have_are_refused(void)
{
    enum { RULES = 2047, SIZE = RULES * 16 }; /* and the three of 404.html and the file system */
    char *redirects = calloc(1, SIZE);
    struct err e = ERR_INIT;
    size_t n = 0;

    for (int i = 0; redirects && i < RULES; i++)
        n += (size_t)snprintf(redirects + n, SIZE - n, "/%d /b\n", i);
    char *text = redirects ? config_of("", redirects, &e) : NULL;
    CHECK(!text && e.kind == ERR_MANIFEST && strstr(e.text, "2050 routes"));
    free(text);
    free(redirects);
}

int main(void)
{
    a_new_project_is_made_filled_and_live_at_its_shortest_address();
    a_lost_answer_to_create_is_cleared_up_in_the_list();
    a_killed_upload_asks_again_what_is_missing();
    files_that_stay_missing_end_the_deployment();
    another_400_is_the_platform_s_no();
    ready_without_an_address_is_promoted();
    an_address_that_is_late_is_waited_for_first();
    failures_say_why();
    an_unknown_state_is_still_in_progress();
    a_used_up_day_is_said_and_not_tried_again();
    the_scope_is_a_team_by_id_or_slug_or_the_token_s_own_account();
    a_404_that_is_not_about_the_project_ends_it();
    garbage_changes_nothing();
    rules_of_other_platforms_become_routes();
    more_routes_than_a_deployment_may_have_are_refused();
    a_rule_that_cannot_be_said_is_refused_with_its_line();
    return DONE();
}
