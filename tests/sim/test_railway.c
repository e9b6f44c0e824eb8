#include "base/json.h"
#include "base/mem.h"
#include "drive.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

static const char token[] = "Project-Access-Token: sim-railway-token-0001";
static const char account[] = "Authorization: Bearer sim-railway-account-0001";

enum { FAST = 6000 }; /* so that an hour's hundred requests are enough for a test */

struct shop {
    struct drive sim;
    const char *base, *header;
    char project[64], environment[64], service[64], url[300];
};

static void keep(char *ret, size_t size, json_t *json, const char *path)
{
    (void)snprintf(ret, size, "%s", json_str(json, path, ""));
    json_decref(json);
}

/* Runs a document; variables are {"p", "e", "s"} of the shop, and what `more` adds. */
static json_t *run(struct shop *s, const char *query, const char *more)
{
    json_t *variables = more ? json_loads(more, 0, NULL) : json_object();
    json_t *request = json_pack("{s:s, s:o}", "query", query, "variables", variables);
    json_object_set_new(variables, "p", json_string(s->project));
    json_object_set_new(variables, "e", json_string(s->environment));
    json_object_set_new(variables, "s", json_string(s->service));
    char *body = json_dumps(request, 0);
    struct drive_reply r = drive_call("POST", s->base, "/graphql/v2", s->header, body);
    json_t *answer = json_incref(r.json);
    drive_reply_release(&r);
    free(body);
    json_decref(request);
    return answer;
}

static const char *first_error(json_t *answer)
{
    return json_str(answer, "errors.0.message", "");
}

static bool reaches(struct shop *s, const char *deployment, const char *status)
{
    char *more = mem_printf("{\"d\": \"%s\"}", deployment);
    bool there = false;
    for (int i = 0; i < 1500 && !there; i++) {
        json_t *answer = run(s, "query ($d: String!) { deployment(id: $d) { status } }", more);
        there = strcmp(json_str(answer, "data.deployment.status", ""), status) == 0;
        json_decref(answer);
        if (!there)
            usleep(20000);
    }
    free(more);
    return there;
}

static void deploy(struct shop *s, const char *commit, char ret[64])
{
    char *more = mem_printf("{\"c\": \"%s\"}", commit);
    keep(ret, 64,
         run(s,
             "mutation ($e: String!, $s: String!, $c: String) {"
             " serviceInstanceDeployV2(environmentId: $e, serviceId: $s, commitSha: $c) }",
             more),
         "data.serviceInstanceDeployV2");
    free(more);
}

static void health_says(struct shop *s, const char *commit)
{
    json_t *health = drive_json(200, "GET", s->url, "/health", NULL, NULL);
    CHECK(strcmp(json_str(health, "commit", ""), commit) == 0);
    json_decref(health);
}

static void a_project_token_names_its_project(struct shop *s)
{
    json_t *answer = run(s, "{ projectToken { projectId environmentId project { name } } }", NULL);
    CHECK(strcmp(json_str(answer, "data.projectToken.project.name", ""), "simulated") == 0);
    (void)snprintf(s->environment, sizeof s->environment, "%s",
                   json_str(answer, "data.projectToken.environmentId", ""));
    keep(s->project, sizeof s->project, answer, "data.projectToken.projectId");
}

static void a_project_token_is_no_account(struct shop *s)
{
    json_t *answer = run(s, "{ me { id } }", NULL);
    CHECK(strcmp(first_error(answer), "Not Authorized") == 0);
    json_decref(answer);
    s->header = "Authorization: Bearer sim-railway-token-0001";
    answer = run(s, "{ projectToken { projectId } }", NULL);
    CHECK(strcmp(first_error(answer), "Not Authorized") == 0);
    json_decref(answer);
    s->header = token;
}

static void a_service_is_created_once_and_deployed(struct shop *s)
{
    static const char create[] =
        "mutation ($p: String!, $e: String) { serviceCreate(input: {projectId: $p,"
        " environmentId: $e, name: \"api\", source: {repo: \"o/r\"},"
        " variables: {ENVIRONMENT: \"preprod\"}}) { id name } }";
    char id[64];
    keep(s->service, sizeof s->service, run(s, create, NULL), "data.serviceCreate.id");
    json_t *again = run(s, create, NULL);
    CHECK(strstr(first_error(again), "already exists"));
    json_decref(again);
    deploy(s, "aaaaaaa", id);
    CHECK(reaches(s, id, "SUCCESS"));
}

static void a_domain_shows_what_is_live(struct shop *s)
{
    json_t *answer = run(s,
                         "mutation ($e: String!, $s: String!) { serviceDomainCreate(input:"
                         " {environmentId: $e, serviceId: $s}) { domain targetPort } }",
                         NULL);
    (void)snprintf(s->url, sizeof s->url, "http://%s",
                   json_str(answer, "data.serviceDomainCreate.domain", ""));
    json_decref(answer);
    CHECK(strstr(s->url, "//api.up.railway.localhost:"));
    health_says(s, "aaaaaaa");
}

static void a_newer_deployment_removes_the_older_one_and_rollback_brings_it_back(struct shop *s)
{
    char first[64], second[64], *more;
    deploy(s, "bbbbbbb", first);
    CHECK(reaches(s, first, "SUCCESS"));
    deploy(s, "ccccccc", second);
    CHECK(reaches(s, second, "SUCCESS"));
    CHECK(reaches(s, first, "REMOVED"));
    health_says(s, "ccccccc");
    more = mem_printf("{\"d\": \"%s\"}", first);
    json_t *answer = run(s, "mutation ($d: String!) { deploymentRollback(id: $d) }", more);
    CHECK(json_flag(answer, "data.deploymentRollback", false));
    json_decref(answer);
    free(more);
    answer = run(s,
                 "query ($s: String!) { deployments(input: {serviceId: $s}, first: 1)"
                 " { edges { node { id meta } } pageInfo { hasNextPage } } }",
                 NULL);
    CHECK(json_flag(answer, "data.deployments.pageInfo.hasNextPage", false));
    keep(first, sizeof first, answer, "data.deployments.edges.0.node.id");
    CHECK(reaches(s, first, "SUCCESS"));
    health_says(s, "bbbbbbb");
}

static void variables_deploy_unless_told_not_to(struct shop *s)
{
    static const char upsert[] =
        "mutation ($p: String!, $e: String!, $s: String, $v: String!, $skip: Boolean) {"
        " variableUpsert(input: {projectId: $p, environmentId: $e, serviceId: $s, name: \"A\","
        " value: $v, skipDeploys: $skip}) }";
    static const char latest[] =
        "query ($e: String!, $s: String!) { serviceInstance(environmentId: $e, serviceId: $s)"
        " { latestDeployment { id } } }";
    char before[64], after[64];
    const char *path = "data.serviceInstance.latestDeployment.id";
    keep(before, sizeof before, run(s, latest, NULL), path);
    json_decref(run(s, upsert, "{\"v\": \"1\", \"skip\": true}"));
    keep(after, sizeof after, run(s, latest, NULL), path);
    CHECK(strcmp(before, after) == 0);
    json_decref(run(s, upsert, "{\"v\": \"2\", \"skip\": false}"));
    keep(after, sizeof after, run(s, latest, NULL), path);
    CHECK(strcmp(before, after) != 0);
    json_t *answer = run(s,
                         "query ($p: String!, $e: String!, $s: String) { variables(projectId: $p,"
                         " environmentId: $e, serviceId: $s) }",
                         NULL);
    CHECK(strcmp(json_str(answer, "data.variables.A", ""), "2") == 0);
    CHECK(strcmp(json_str(answer, "data.variables.ENVIRONMENT", ""), "preprod") == 0);
    json_decref(answer);
    CHECK(reaches(s, after, "SUCCESS"));
}

static void an_application_may_sleep(struct shop *s)
{
    char id[64];
    json_t *answer = run(s,
                         "mutation ($e: String, $s: String!) { serviceInstanceUpdate(environmentId:"
                         " $e, serviceId: $s, input: {sleepApplication: true}) }",
                         NULL);
    CHECK(json_flag(answer, "data.serviceInstanceUpdate", false));
    json_decref(answer);
    deploy(s, "ddddddd", id);
    CHECK(reaches(s, id, "SLEEPING"));
    health_says(s, "ddddddd"); /* a request wakes it */
}

static void wrong_documents_are_refused(struct shop *s)
{
    json_t *answer =
        run(s, "mutation ($s: String!) { deploymentRollback(id: $s) { id status } }", NULL);
    CHECK(strstr(first_error(answer), "must not have a selection"));
    json_decref(answer);
    answer = run(s, "{ deployments(input: {status: {successfulOnly: true}}) { edges { cursor } } }",
                 NULL);
    CHECK(strstr(first_error(answer), "\"successfulOnly\" is not defined by type"));
    json_decref(answer);
    CHECK(drive_status("GET", s->base, "/graphql/v2", s->header, NULL) == 400);
}

static void an_account_makes_projects_of_its_own(struct shop *s)
{
    s->header = account;
    json_t *answer = run(s, "mutation { projectCreate(input: {name: \"second\"}) { id } }", NULL);
    json_decref(answer);
    answer = run(s,
                 "{ me { workspaces { id name } } projects(first: 5) { edges { node { name"
                 " environments { edges { node { name } } } } } } }",
                 NULL);
    CHECK(json_array_size(json_at(answer, "data.projects.edges")) == 1);
    CHECK(strcmp(json_str(answer, "data.projects.edges.0.node.environments.edges.0.node.name", ""),
                 "production") == 0);
    json_decref(answer);
    s->header = token;
}

/* The free plan's hundred an hour; the clock is slow, so that the hour lasts. */
static void the_hundred_and_first_request_must_wait(const char *program)
{
    struct shop s = {.header = token};
    drive_start(&s.sim, program, 1);
    s.base = drive_base(&s.sim, "railway");
    for (int i = 0; i < 100; i++)
        json_decref(run(&s, "{ projectToken { projectId } }", NULL));
    struct drive_reply r = drive_call("POST", s.base, "/graphql/v2", token,
                                      "{\"query\": \"{ projectToken { projectId } }\"}");
    CHECK(r.status == 429 && strstr(r.headers, "Retry-After: "));
    CHECK(strstr(r.headers, "X-RateLimit-Remaining: 0"));
    drive_reply_release(&r);
    drive_stop(&s.sim);
}

int main(int argc, char **argv)
{
    struct shop s = {.header = token};
    (void)argc;
    drive_start(&s.sim, argv[1], FAST);
    s.base = drive_base(&s.sim, "railway");
    a_project_token_names_its_project(&s);
    a_project_token_is_no_account(&s);
    a_service_is_created_once_and_deployed(&s);
    a_domain_shows_what_is_live(&s);
    a_newer_deployment_removes_the_older_one_and_rollback_brings_it_back(&s);
    variables_deploy_unless_told_not_to(&s);
    an_application_may_sleep(&s);
    wrong_documents_are_refused(&s);
    an_account_makes_projects_of_its_own(&s);
    drive_stop(&s.sim);
    the_hundred_and_first_request_must_wait(argv[1]);
    return DONE();
}
