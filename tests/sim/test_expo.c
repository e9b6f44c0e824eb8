#include "base/json.h"
#include "base/mem.h"
#include "drive.h"
#include "test.h"

#include <stdlib.h>

static const char token[] = "Authorization: Bearer sim-expo-token-0001";
static const char app[] = "7b1d6f0a-3c52-4e8e-9a41-5d0f2c9e6b13";
static const char sha[] = "0123456789012345678901234567890123456789";

enum { FAST = 600 };

struct shop {
    struct drive sim;
    const char *base;
};

static char *dispatch_body(const char *app_id, const char *file, const char *inputs)
{
    return mem_printf("{\"appId\": \"%s\", \"gitRef\": \"%s\", \"fileName\": \"%s\","
                      " \"inputs\": %s}",
                      app_id, sha, file, inputs);
}

/* Starts a run; its id. */
static void dispatch(struct shop *s, const char *file, const char *inputs, char ret[64])
{
    char *body = dispatch_body(app, file, inputs);
    json_t *json = drive_json(200, "POST", s->base, "/v2/workflows/dispatch", token, body);
    (void)snprintf(ret, 64, "%s", json_str(json, "data.id", ""));
    json_decref(json);
    free(body);
}

static bool ends_as(struct shop *s, const char *run, const char *status)
{
    char *path = mem_printf("/v2/workflows/runs/%s", run);
    bool there = drive_wait(s->base, path, token, "data.status", status);
    free(path);
    return there;
}

static json_t *run_of(struct shop *s, const char *run)
{
    char *path = mem_printf("/v2/workflows/runs/%s", run);
    json_t *json = drive_json(200, "GET", s->base, path, token, NULL);
    free(path);
    return json;
}

static json_t *ask(struct shop *s, const char *query, const char *variables)
{
    json_t *request =
        json_pack("{s:s, s:o}", "query", query, "variables", json_loads(variables, 0, NULL));
    char *body = json_dumps(request, 0);
    json_t *answer = drive_json(200, "POST", s->base, "/graphql", token, body);
    free(body);
    json_decref(request);
    return answer;
}

static void a_workflow_builds_our_commit(struct shop *s)
{
    char run[64], *variables;
    dispatch(s, "build-ios.yml",
             "{\"platform\": \"ios\", \"profile\": \"uat\", \"channel\": \"uat\","
             " \"release\": \"trine uat-1\"}",
             run);
    CHECK(ends_as(s, run, "success"));
    json_t *json = run_of(s, run);
    CHECK(json_array_size(json_at(json, "data.jobs")) == 1);
    variables = mem_printf("{\"b\": \"%s\"}", json_str(json, "data.jobs.0.buildId", ""));
    json_decref(json);
    json = ask(s,
               "query ($b: ID!) { builds { byId(buildId: $b) { status platform gitCommitHash"
               " channel error { message } artifacts { buildUrl } } } }",
               variables);
    CHECK(strcmp(json_str(json, "data.builds.byId.status", ""), "FINISHED") == 0);
    CHECK(strcmp(json_str(json, "data.builds.byId.platform", ""), "IOS") == 0);
    CHECK(strcmp(json_str(json, "data.builds.byId.gitCommitHash", ""), sha) == 0);
    CHECK(drive_status("GET", json_str(json, "data.builds.byId.artifacts.buildUrl", ""), "", NULL,
                       NULL) == 200);
    json_decref(json);
    free(variables);
}

static void runs_are_found_again_by_their_inputs(struct shop *s)
{
    char *variables = mem_printf("{\"a\": \"%s\"}", app);
    json_t *json = ask(s,
                       "query ($a: String!) { app { byId(appId: $a) { id workflowRunsPaginated("
                       "first: 50) { edges { node { status inputs } } } } } }",
                       variables);
    json_t *node = json_at(json, "data.app.byId.workflowRunsPaginated.edges.0.node");
    CHECK(strcmp(json_str(node, "status", ""), "SUCCESS") == 0);
    CHECK(strcmp(json_str(node, "inputs.release", ""), "trine uat-1") == 0);
    json_decref(json);
    free(variables);
}

static void a_file_without_a_platform_builds_both(struct shop *s)
{
    char run[64];
    dispatch(s, "release.yaml", "{}", run);
    CHECK(ends_as(s, run, "success"));
    json_t *json = run_of(s, run);
    CHECK(json_array_size(json_at(json, "data.jobs")) == 2);
    json_decref(json);
}

static void a_build_can_be_made_to_fail(struct shop *s)
{
    char run[64];
    dispatch(s, "build-android.yml", "{\"sim_outcome\": \"ERRORED\"}", run);
    CHECK(ends_as(s, run, "failure"));
    json_t *json = run_of(s, run);
    CHECK(json_str(json, "data.jobs.0.errors.0.message", NULL));
    json_decref(json);
}

static void one_line_has_one_live_build(struct shop *s)
{
    char run[64];
    dispatch(s, "build-ios.yml", "{\"platform\": \"ios\", \"profile\": \"uat\"}", run);
    CHECK(ends_as(s, run, "success"));
    json_t *books = drive_json(200, "GET", drive_base(&s->sim, "control"), "/books", NULL, NULL);
    json_t *expo = json_at(books, "platforms.expo"), *line;
    size_t i;
    CHECK(json_int(expo, "deployments", 0) == 5 && json_int(expo, "live", 0) == 3);
    json_array_foreach(json_object_get(expo, "project_list"), i, line)
        CHECK(json_int(line, "live_count", 9) <= 1);
    json_decref(books);
}

static void wrong_requests_are_refused(struct shop *s)
{
    static const char path[] = "/v2/workflows/dispatch";
    char *unknown = dispatch_body("00000000-0000-4000-8000-000000000000", "build.yml", "{}");
    char *no_uuid = dispatch_body("shop", "build.yml", "{}");
    char *no_file = dispatch_body(app, "../build", "{}");
    char *windows = dispatch_body(app, "build.yml", "{\"platform\": \"windows\"}");
    CHECK(drive_status("POST", s->base, path, token, unknown) == 404);
    CHECK(drive_status("POST", s->base, path, token, no_uuid) == 400);
    CHECK(drive_status("POST", s->base, path, token, no_file) == 400);
    CHECK(drive_status("POST", s->base, path, token, windows) == 400);
    CHECK(drive_status("POST", s->base, path, NULL, windows) == 401);
    CHECK(drive_status("GET", s->base, "/v2/workflows/runs/none", token, NULL) == 404);
    CHECK(drive_status("POST", s->base, "/graphql", token, "{\"query\": \"{ nope }\"}") == 400);
    free(unknown);
    free(no_uuid);
    free(no_file);
    free(windows);
}

int main(int argc, char **argv)
{
    struct shop s;
    (void)argc;
    drive_start(&s.sim, argv[1], FAST);
    s.base = drive_base(&s.sim, "expo");
    a_workflow_builds_our_commit(&s);
    runs_are_found_again_by_their_inputs(&s);
    a_file_without_a_platform_builds_both(&s);
    a_build_can_be_made_to_fail(&s);
    one_line_has_one_live_build(&s);
    wrong_requests_are_refused(&s);
    drive_stop(&s.sim);
    return DONE();
}
