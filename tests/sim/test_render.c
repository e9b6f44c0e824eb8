#include "base/json.h"
#include "base/mem.h"
#include "drive.h"
#include "test.h"

#include <stdlib.h>

static const char token[] = "Authorization: Bearer sim-render-key-0001";

enum { FAST = 600 };

struct shop {
    struct drive sim;
    const char *base;
    char owner[64], service[64], url[300];
};

static void keep(char *ret, size_t size, json_t *json, const char *path)
{
    (void)snprintf(ret, size, "%s", json_str(json, path, ""));
    json_decref(json);
}

/* A request about the service; the answer's JSON when the status is as expected. */
static json_t *about(struct shop *s, int status, const char *method, const char *rest,
                     const char *body)
{
    char *path = mem_printf("/services/%s%s", s->service, rest);
    json_t *json = drive_json(status, method, s->base, path, token, body);
    free(path);
    return json;
}

static bool reaches(struct shop *s, const char *deploy, const char *status)
{
    char *path = mem_printf("/services/%s/deploys/%s", s->service, deploy);
    bool there = drive_wait(s->base, path, token, "status", status);
    free(path);
    return there;
}

static char *create_body(struct shop *s, const char *name)
{
    return mem_printf("{\"type\": \"web_service\", \"name\": \"%s\", \"ownerId\": \"%s\","
                      " \"repo\": \"https://github.com/o/r\", \"autoDeploy\": \"no\","
                      " \"envVars\": [{\"key\": \"ENVIRONMENT\", \"value\": \"beta\"}],"
                      " \"serviceDetails\": {\"runtime\": \"docker\", \"plan\": \"free\"}}",
                      name, s->owner);
}

static void creating_a_service_deploys_it(struct shop *s)
{
    char deploy[64], *body = create_body(s, "api");
    json_t *json = drive_json(201, "POST", s->base, "/services", token, body);
    (void)snprintf(deploy, sizeof deploy, "%s", json_str(json, "deployId", ""));
    (void)snprintf(s->url, sizeof s->url, "%s", json_str(json, "service.serviceDetails.url", ""));
    keep(s->service, sizeof s->service, json, "service.id");
    CHECK(strncmp(s->service, "srv-", 4) == 0 && strncmp(deploy, "dep-", 4) == 0);
    CHECK(reaches(s, deploy, "live"));
    CHECK(drive_status("POST", s->base, "/services", token, body) == 409);
    free(body);
}

static void a_deploy_while_another_runs_is_queued_without_a_body(struct shop *s)
{
    char first[64], second[64];
    keep(first, sizeof first, about(s, 201, "POST", "/deploys", "{\"commitId\": \"aaaaaaa\"}"),
         "id");
    char *path = mem_printf("/services/%s/deploys", s->service);
    struct drive_reply r = drive_call("POST", s->base, path, token, "{\"commitId\": \"bbbbbbb\"}");
    CHECK(r.status == 202 && r.text[0] == '\0');
    drive_reply_release(&r);
    free(path);
    keep(second, sizeof second, about(s, 200, "GET", "/deploys?limit=1", NULL), "0.deploy.id");
    CHECK(strcmp(first, second) != 0);
    CHECK(reaches(s, second, "live"));
    CHECK(reaches(s, first, "deactivated"));
    json_t *health = drive_json(200, "GET", s->url, "/health", NULL, NULL);
    CHECK(strcmp(json_str(health, "commit", ""), "bbbbbbb") == 0);
    CHECK(strcmp(json_str(health, "environment", ""), "beta") == 0);
    json_decref(health);
}

static void rollback_brings_the_older_commit_back(struct shop *s)
{
    char id[64], *body;
    json_t *list = about(s, 200, "GET", "/deploys?status=deactivated", NULL);
    body = mem_printf("{\"deployId\": \"%s\"}", json_str(list, "0.deploy.id", ""));
    json_decref(list);
    json_t *deploy = about(s, 201, "POST", "/rollback", body);
    CHECK(strcmp(json_str(deploy, "trigger", ""), "rollback") == 0);
    keep(id, sizeof id, deploy, "id");
    CHECK(reaches(s, id, "live"));
    json_t *health = drive_json(200, "GET", s->url, "/health", NULL, NULL);
    CHECK(strcmp(json_str(health, "commit", ""), "aaaaaaa") == 0);
    json_decref(health);
    free(body);
}

static void variables_are_set_singly_or_all_at_once(struct shop *s)
{
    json_decref(about(s, 200, "PUT", "/env-vars/A", "{\"value\": \"1\"}"));
    json_t *list = about(s, 200, "GET", "/env-vars", NULL);
    CHECK(json_array_size(list) == 2);
    json_decref(list);
    list = about(s, 200, "PUT", "/env-vars", "[{\"key\": \"B\", \"generateValue\": true}]");
    CHECK(json_array_size(list) == 1 && strlen(json_str(list, "0.envVar.value", "")) > 8);
    json_decref(list);
    json_decref(about(s, 204, "DELETE", "/env-vars/B", NULL));
    json_decref(about(s, 404, "DELETE", "/env-vars/B", NULL));
    json_decref(about(s, 400, "PUT", "/env-vars/A", "{\"valeu\": \"1\"}"));
}

static void a_failed_build_leaves_the_live_one_alone(struct shop *s)
{
    char id[64];
    json_decref(about(s, 200, "PUT", "/env-vars/SIM_OUTCOME", "{\"value\": \"build_failed\"}"));
    keep(id, sizeof id, about(s, 201, "POST", "/deploys", "{\"commitId\": \"ccccccc\"}"), "id");
    CHECK(reaches(s, id, "build_failed"));
    json_t *health = drive_json(200, "GET", s->url, "/health", NULL, NULL);
    CHECK(strcmp(json_str(health, "commit", ""), "aaaaaaa") == 0);
    json_decref(health);
    json_decref(about(s, 204, "DELETE", "/env-vars/SIM_OUTCOME", NULL));
}

static void a_cursor_leads_through_the_pages(struct shop *s)
{
    char *path, *body = create_body(s, "other");
    json_decref(drive_json(201, "POST", s->base, "/services", token, body));
    free(body);
    json_t *first = drive_json(200, "GET", s->base, "/services?limit=1", token, NULL);
    CHECK(json_array_size(first) == 1 &&
          strcmp(json_str(first, "0.service.name", ""), "other") == 0);
    path = mem_printf("/services?limit=1&cursor=%s", json_str(first, "0.cursor", ""));
    json_t *second = drive_json(200, "GET", s->base, path, token, NULL);
    CHECK(strcmp(json_str(second, "0.service.name", ""), "api") == 0);
    json_decref(first);
    json_decref(second);
    free(path);
    json_t *named = drive_json(200, "GET", s->base, "/services?name=api", token, NULL);
    CHECK(json_array_size(named) == 1);
    json_decref(named);
}

static void the_hook_needs_its_key_and_no_token(struct shop *s)
{
    const char *path = "/deploy/srv-simhook0000000000001?key=sim-render-hook-0001&ref=ddddddd";
    char *origin = mem_printf("%.*s", (int)(strlen(s->base) - strlen("/v1")), s->base);
    char id[64], *status;
    keep(id, sizeof id, drive_json(200, "POST", origin, path, NULL, NULL), "deploy.id");
    CHECK(strncmp(id, "dep-", 4) == 0);
    status = mem_printf("/services/srv-simhook0000000000001/deploys/%s", id);
    CHECK(drive_wait(s->base, status, token, "status", "live"));
    CHECK(drive_status("GET", origin, "/deploy/srv-simhook0000000000001?key=x", NULL, NULL) == 401);
    CHECK(drive_status("GET", origin, "/deploy/srv-none?key=x", NULL, NULL) == 404);
    json_t *named = drive_json(200, "GET", s->base, "/services?name=simhook", token, NULL);
    json_t *health = drive_json(200, "GET", json_str(named, "0.service.serviceDetails.url", ""),
                                "/health", NULL, NULL);
    CHECK(strcmp(json_str(health, "commit", ""), "ddddddd") == 0);
    json_decref(health);
    json_decref(named);
    free(status);
    free(origin);
}

static void a_suspended_service_is_down_until_it_is_resumed(struct shop *s)
{
    json_decref(about(s, 202, "POST", "/suspend", NULL));
    json_t *service = about(s, 200, "GET", "", NULL);
    CHECK(strcmp(json_str(service, "suspenders.0", ""), "user") == 0);
    json_decref(service);
    CHECK(drive_status("GET", s->url, "/health", NULL, NULL) != 200);
    json_decref(about(s, 400, "POST", "/deploys", "{}"));
    json_decref(about(s, 202, "POST", "/resume", NULL));
    char *path = mem_printf("/services/%s/deploys?limit=1", s->service);
    CHECK(drive_wait(s->base, path, token, "0.deploy.status", "live"));
    free(path);
    CHECK(drive_status("GET", s->url, "/health", NULL, NULL) == 200);
}

/* Ten a minute, counted a service: a slow clock, so that the minute lasts. */
static void deploys_are_limited_a_service(const char *program)
{
    struct shop s;
    drive_start(&s.sim, program, 1);
    s.base = drive_base(&s.sim, "render");
    keep(s.owner, sizeof s.owner, drive_json(200, "GET", s.base, "/owners", token, NULL),
         "0.owner.id");
    char *body = create_body(&s, "api"), *other = create_body(&s, "other");
    keep(s.service, sizeof s.service, drive_json(201, "POST", s.base, "/services", token, body),
         "service.id");
    for (int i = 0; i < 10; i++)
        json_decref(about(&s, 202, "POST", "/deploys", "{}"));
    char *path = mem_printf("/services/%s/deploys", s.service);
    struct drive_reply r = drive_call("POST", s.base, path, token, "{}");
    CHECK(r.status == 429 && strcmp(json_str(r.json, "message", ""), "rate limit exceeded") == 0);
    CHECK(strstr(r.headers, "Ratelimit-Remaining: 0"));
    drive_reply_release(&r);
    free(path);
    keep(s.service, sizeof s.service, drive_json(201, "POST", s.base, "/services", token, other),
         "service.id");
    json_decref(about(&s, 202, "POST", "/deploys", "{}"));
    free(other);
    free(body);
    drive_stop(&s.sim);
}

int main(int argc, char **argv)
{
    struct shop s;
    (void)argc;
    drive_start(&s.sim, argv[1], FAST);
    s.base = drive_base(&s.sim, "render");
    CHECK(drive_status("GET", s.base, "/owners", NULL, NULL) == 401);
    keep(s.owner, sizeof s.owner, drive_json(200, "GET", s.base, "/owners", token, NULL),
         "0.owner.id");
    creating_a_service_deploys_it(&s);
    a_deploy_while_another_runs_is_queued_without_a_body(&s);
    rollback_brings_the_older_commit_back(&s);
    variables_are_set_singly_or_all_at_once(&s);
    a_failed_build_leaves_the_live_one_alone(&s);
    a_cursor_leads_through_the_pages(&s);
    the_hook_needs_its_key_and_no_token(&s);
    a_suspended_service_is_down_until_it_is_resumed(&s);
    drive_stop(&s.sim);
    deploys_are_limited_a_service(argv[1]);
    return DONE();
}
