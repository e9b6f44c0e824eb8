#include "../test.h"
#include "talk.h"

#define GRAPHQL "POST /graphql"
#define RUN "GET /v2/workflows/runs/run-1"

static const char no_runs[] = "{\"data\":{\"app\":{\"byId\":{\"workflowRunsPaginated\":{\"edges\":["
                              "{\"node\":{\"id\":\"run-0\",\"inputs\":null}},"
                              "{\"node\":{\"id\":\"run-9\",\"inputs\":{\"release\":\"trine "
                              "uat-7\",\"platform\":\"android\"}}}]}}}}}";
static const char our_run[] = "{\"data\":{\"app\":{\"byId\":{\"workflowRunsPaginated\":{\"edges\":["
                              "{\"node\":{\"id\":\"run-1\",\"inputs\":{\"release\":\"trine "
                              "uat-7\",\"platform\":\"ios\"}}}]}}}}}";
static const char no_builds[] =
    "{\"data\":{\"app\":{\"byId\":{\"builds\":[{\"id\":\"b0\",\"message\":null}]}}}}";
static const char our_builds[] =
    "{\"data\":{\"app\":{\"byId\":{\"builds\":[{\"id\":\"b1\",\"message\":\"trine uat-7\"}]}}}}";
static const char good_build[] =
    "{\"data\":{\"builds\":{\"byId\":{\"id\":\"b1\",\"status\":\"FINISHED\",\"platform\":\"IOS\","
    "\"gitCommitHash\":\"0123456789abcdef0123456789abcdef01234567\","
    "\"artifacts\":{\"buildUrl\":\"https://expo.dev/b1.ipa\"}}}}}";
static const char wrong_build[] =
    "{\"data\":{\"builds\":{\"byId\":{\"id\":\"b1\",\"status\":\"FINISHED\",\"platform\":\"IOS\","
    "\"gitCommitHash\":\"fedcba9876543210\"}}}}";

static struct talk begin(const char *mode)
{
    struct talk t = talk_with(&provider_expo);

    t.want.instance = "ios";
    t.want.mode = mode;
    CHECK(t.ops->check(&t.want, &t.e) == 0);
    return t;
}

static struct talk at_dispatch(void)
{
    struct talk t = begin("");

    CHECK(asks(&t, GRAPHQL));
    CHECK(body_has(&t, "workflowRunsPaginated"));
    CHECK(answer(&t, 200, no_runs) == 0); /* the other platform's run is not ours */
    CHECK(asks(&t, "POST /v2/workflows/dispatch"));
    CHECK(t.call.once);
    CHECK(body_has(&t, "\"gitRef\":\"0123456789abcdef0123456789abcdef01234567\""));
    CHECK(body_has(&t, "\"platform\":\"ios\""));
    CHECK(body_has(&t, "\"release\":\"trine uat-7\""));
    CHECK(body_has(&t, "\"fileName\":\"build.yml\""));
    return t;
}

static struct talk at_run(void)
{
    struct talk t = at_dispatch();

    CHECK(answer(&t, 200, "{\"data\":{\"id\":\"run-1\",\"url\":\"https://expo.dev/run-1\"}}") == 0);
    CHECK(asks(&t, RUN));
    CHECK(t.waits == 1);
    return t;
}

static void a_workflow_is_live_when_its_build_is_of_our_commit(void)
{
    struct talk t = at_run();

    CHECK(answer(&t, 200, "{\"data\":{\"id\":\"run-1\",\"status\":\"in-progress\",\"jobs\":[]}}") ==
          0);
    CHECK(asks(&t, RUN));
    CHECK(answer(&t, 200,
                 "{\"data\":{\"id\":\"run-1\",\"status\":\"success\",\"jobs\":["
                 "{\"key\":\"lint\",\"type\":\"custom\",\"buildId\":null},"
                 "{\"key\":\"droid\",\"type\":\"build\",\"buildId\":\"b0\"},"
                 "{\"key\":\"apple\",\"type\":\"build\",\"buildId\":\"b1\"}]}}") == 0);
    CHECK(asks(&t, GRAPHQL));
    CHECK(body_has(&t, "\"buildId\":\"b0\""));
    CHECK(answer(&t, 200,
                 "{\"data\":{\"builds\":{\"byId\":{\"status\":\"FINISHED\",\"platform\":"
                 "\"ANDROID\"}}}}") == 0);
    CHECK(asks(&t, GRAPHQL));
    CHECK(body_has(&t, "\"buildId\":\"b1\""));
    CHECK(answer(&t, 200, good_build) == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://expo.dev/b1.ipa") == 0);
    CHECK(strcmp(t.d.remote_id, "b1") == 0);
    talk_end(&t);
}

static void a_build_of_another_commit_is_no_success(void)
{
    struct talk t = at_run();

    CHECK(answer(&t, 200, "{\"status\":\"success\",\"jobs\":[{\"buildId\":\"b1\"}]}") == 0);
    CHECK(asks(&t, GRAPHQL));
    CHECK(answer(&t, 200, wrong_build) == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "commit fedcba987654, not of 0123456789ab"));
    talk_end(&t);
}

static void a_dispatch_without_answer_is_looked_up_by_our_marker_and_platform(void)
{
    struct talk t = at_dispatch();

    lost(&t);
    CHECK(asks(&t, GRAPHQL));
    CHECK(answer(&t, 200, our_run) == 0);
    CHECK(asks(&t, RUN));
    talk_end(&t);

    t = at_dispatch();
    lost(&t);
    CHECK(asks(&t, GRAPHQL));
    CHECK(answer(&t, 200, no_runs) == 0);
    CHECK(asks(&t, "POST /v2/workflows/dispatch"));
    talk_end(&t);
}

static void a_failed_run_tells_its_jobs_error(void)
{
    struct talk t = at_run();

    CHECK(answer(&t, 200,
                 "{\"data\":{\"status\":\"failure\",\"jobs\":[{\"errors\":[]},"
                 "{\"errors\":[{\"message\":\"No credentials\"}]}]}}") == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "No credentials"));
    talk_end(&t);

    t = at_run();
    CHECK(answer(&t, 200, "{\"data\":{\"status\":\"success\",\"jobs\":[{\"key\":\"lint\"}]}}") ==
          0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "has no build"));
    talk_end(&t);
}

static struct talk at_program(void)
{
    struct talk t = begin("cli");

    CHECK(asks(&t, GRAPHQL));
    CHECK(body_has(&t, "\"platform\":\"IOS\""));
    CHECK(answer(&t, 200, no_builds) == 0);
    CHECK(asks(&t, "program"));
    CHECK(t.call.once);
    return t;
}

static void the_users_own_program_gets_its_token_in_the_environment_only(void)
{
    static const char *const argv[] = {
        "eas",       "build",       "--platform",        "ios",    "--profile", "production",
        "--message", "trine uat-7", "--non-interactive", "--json", "--no-wait", NULL};
    struct talk t = at_program();
    struct arena arena = ARENA_INIT;
    struct program p;
    size_t i = 0;

    CHECK(t.ops->command(&t.d, &t.want, &arena, &p, &t.e) == 0);
    for (; p.argv[i] && argv[i]; i++)
        CHECK(strcmp(p.argv[i], argv[i]) == 0);
    CHECK(!p.argv[i] && !argv[i]);
    CHECK(p.n_env == 1 && strcmp(p.env[0].name, "EXPO_TOKEN") == 0);
    CHECK(strcmp(p.env[0].value, "secret-token") == 0);
    CHECK(strcmp(p.dir, "src/Backend") == 0);
    CHECK(answer(&t, 200, "See logs: https://expo.dev\n[{\"id\":\"b1\",\"status\":\"NEW\"}]\n") ==
          0);
    CHECK(asks(&t, GRAPHQL));
    CHECK(body_has(&t, "\"buildId\":\"b1\""));
    CHECK(
        answer(
            &t, 200,
            "{\"data\":{\"builds\":{\"byId\":{\"status\":\"IN_QUEUE\",\"platform\":\"IOS\"}}}}") ==
        0);
    CHECK(asks(&t, GRAPHQL));
    CHECK(answer(&t, 200, good_build) == 0);
    CHECK(turn(&t) == TURN_DONE);
    arena_release(&arena);
    talk_end(&t);
}

static void a_program_without_outcome_is_looked_up_before_it_runs_again(void)
{
    struct talk t = at_program();

    lost(&t);
    CHECK(asks(&t, GRAPHQL));
    CHECK(answer(&t, 200, our_builds) == 0);
    CHECK(asks(&t, GRAPHQL));
    CHECK(body_has(&t, "\"buildId\":\"b1\""));
    talk_end(&t);
}

static void a_program_that_fails_says_its_last_line_and_is_not_repeated(void)
{
    struct talk t = at_program();

    CHECK(answer(&t, 500, "Resolving...\nError: quota of 30 builds reached\n\n") == 1);
    CHECK(says(&t, "eas build failed: Error: quota of 30 builds reached"));
    CHECK(!t.e.retry);
    CHECK(answer(&t, 200, "no json here") == -1);
    CHECK(answer(&t, 200, "[{\"id\":5}]") == -1);
    talk_end(&t);
}

static void bad_ends_unknown_words_refusals_and_garbage(void)
{
    static const char *const garbage[] = {"",   "<html>",          "[]",
                                          "{}", "{\"data\":null}", "{\"data\":{}}"};
    struct talk t = at_run();

    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct deployment before = t.d;
        CHECK(answer(&t, 200, garbage[i]) == -1);
        CHECK(memcmp(&before, &t.d, sizeof(before)) == 0);
    }
    CHECK(answer(&t, 200, "{\"data\":{\"status\":\"dreaming\"}}") == 0);
    CHECK(strcmp(t.d.word, "dreaming") == 0);
    CHECK(asks(&t, RUN));
    CHECK(answer(&t, 404,
                 "{\"errors\":[{\"code\":\"NOT_FOUND\",\"message\":\"Run not found\"}]}") == 1);
    CHECK(says(&t, "Run not found"));
    talk_end(&t);

    t = begin("");
    CHECK(asks(&t, GRAPHQL));
    CHECK(answer(
              &t, 200,
              "{\"errors\":[{\"message\":\"Try later\",\"extensions\":{\"isTransient\":true}}]}") ==
          -1);
    CHECK(answer(&t, 200, "{\"errors\":[{\"message\":\"Not your app\"}]}") == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "Not your app"));
    talk_end(&t);
}

static void what_cannot_work_is_said_before_anything_is_sent(void)
{
    struct talk t = talk_with(&provider_expo);

    CHECK(t.ops->check(&t.want, &t.e) == -1);
    CHECK(says(&t, "\"ios\" and \"android\""));
    t.want.instance = "android";
    t.want.workflow = ".eas/workflows/build.yml";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
    t.want.workflow = "";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
    t.want.mode = "cli";
    CHECK(t.ops->check(&t.want, &t.e) == 0);
    t.want.mode = "magic";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
    t.want.mode = "cli";
    t.want.commit = "";
    CHECK(t.ops->check(&t.want, &t.e) == -1);
}

int main(void)
{
    a_workflow_is_live_when_its_build_is_of_our_commit();
    a_build_of_another_commit_is_no_success();
    a_dispatch_without_answer_is_looked_up_by_our_marker_and_platform();
    a_failed_run_tells_its_jobs_error();
    the_users_own_program_gets_its_token_in_the_environment_only();
    a_program_without_outcome_is_looked_up_before_it_runs_again();
    a_program_that_fails_says_its_last_line_and_is_not_repeated();
    bad_ends_unknown_words_refusals_and_garbage();
    what_cannot_work_is_said_before_anything_is_sent();
    return DONE();
}
