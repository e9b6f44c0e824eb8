#include "base/json.h"
#include "base/mem.h"
#include "drive.h"
#include "test.h"

#include <stdlib.h>

static const char token[] = "Authorization: Bearer sim-koyeb-token-0001";

enum { FAST = 1200 };

struct shop {
    struct drive sim;
    const char *base;
    char app[64], service[64], host[300];
};

static void keep(char *ret, size_t size, json_t *json, const char *path)
{
    (void)snprintf(ret, size, "%s", json_str(json, path, ""));
    json_decref(json);
}

static char *definition(const char *commit, const char *extra)
{
    return mem_printf("{\"name\": \"api\", \"type\": \"WEB\", \"ports\": [{\"port\": 8000}],"
                      " \"routes\": [{\"port\": 8000, \"path\": \"/\"}], \"regions\": [\"fra\"],"
                      " \"instance_types\": [{\"type\": \"free\"}],"
                      " \"env\": [{\"key\": \"ENVIRONMENT\", \"value\": \"uat\"}%s],"
                      " \"git\": {\"repository\": \"github.com/o/r\", \"sha\": \"%s\"}}",
                      extra, commit);
}

/* PUTs a definition; returns the id of the deployment that it started. */
static void put(struct shop *s, const char *commit, const char *extra, char ret[64])
{
    char *text = definition(commit, extra);
    char *body = mem_printf("{\"definition\": %s}", text);
    char *path = mem_printf("/v1/services/%s", s->service);
    keep(ret, 64, drive_json(200, "PUT", s->base, path, token, body),
         "service.latest_deployment_id");
    free(path);
    free(body);
    free(text);
}

static bool reaches(struct shop *s, const char *deployment, const char *status)
{
    char *path = mem_printf("/v1/deployments/%s", deployment);
    bool there = drive_wait(s->base, path, token, "deployment.status", status);
    free(path);
    return there;
}

static void open_shop(struct shop *s, const char *program)
{
    drive_start(&s->sim, program, FAST);
    s->base = drive_base(&s->sim, "koyeb");
    json_t *app = drive_json(200, "POST", s->base, "/v1/apps", token, "{\"name\": \"shop\"}");
    (void)snprintf(s->host, sizeof s->host, "http://%s", json_str(app, "app.domains.0.name", ""));
    keep(s->app, sizeof s->app, app, "app.id");
    char *text = definition("1111111111111111111111111111111111111111", "");
    char *body = mem_printf("{\"app_id\": \"%s\", \"definition\": %s}", s->app, text);
    keep(s->service, sizeof s->service,
         drive_json(200, "POST", s->base, "/v1/services", token, body), "service.id");
    free(body);
    free(text);
}

static void nobody_gets_in_without_a_token(struct shop *s)
{
    json_t *json = drive_json(401, "GET", s->base, "/v1/apps", NULL, NULL);
    CHECK(json_int(json, "status", 0) == 401 && json_str(json, "message", NULL));
    json_decref(json);
    CHECK(drive_status("GET", s->base, "/v1/apps", "Authorization: Bearer real", NULL) == 401);
}

static void every_answer_tells_the_rate(struct shop *s)
{
    struct drive_reply r = drive_call("GET", s->base, "/v1/apps", token, NULL);
    CHECK(strstr(r.headers, "x-ratelimit-limit: 400, 400;w=60"));
    CHECK(strstr(r.headers, "x-ratelimit-remaining: "));
    CHECK(strstr(r.headers, "x-ratelimit-reset: "));
    drive_reply_release(&r);
}

static void a_service_becomes_healthy_and_is_served(struct shop *s)
{
    char *path = mem_printf("/v1/services/%s", s->service);
    CHECK(drive_wait(s->base, path, token, "service.status", "HEALTHY"));
    free(path);
    json_t *health = drive_json(200, "GET", s->host, "/health", NULL, NULL);
    CHECK(strcmp(json_str(health, "commit", ""), "1111111111111111111111111111111111111111") == 0);
    CHECK(strcmp(json_str(health, "environment", ""), "uat") == 0);
    json_decref(health);
}

static void a_newer_deployment_stops_the_older_one(struct shop *s)
{
    char first[64], second[64];
    put(s, "2222222222222222222222222222222222222222", "", first);
    CHECK(reaches(s, first, "HEALTHY"));
    put(s, "3333333333333333333333333333333333333333", "", second);
    CHECK(strcmp(first, second) != 0);
    CHECK(reaches(s, second, "HEALTHY"));
    CHECK(reaches(s, first, "STOPPED"));
    json_t *health = drive_json(200, "GET", s->host, "/health", NULL, NULL);
    CHECK(strncmp(json_str(health, "commit", ""), "3333", 4) == 0);
    json_decref(health);
}

static void a_build_can_be_made_to_fail(struct shop *s)
{
    char id[64];
    put(s, "4444444444444444444444444444444444444444",
        ", {\"key\": \"SIM_OUTCOME\", \"value\": \"ERROR\"}", id);
    CHECK(reaches(s, id, "ERROR"));
    json_t *health = drive_json(200, "GET", s->host, "/health", NULL, NULL);
    CHECK(strncmp(json_str(health, "commit", ""), "3333", 4) == 0); /* the good one still runs */
    json_decref(health);
}

static void an_idle_free_service_sleeps_and_wakes(struct shop *s)
{
    char id[64], *path;
    put(s, "5555555555555555555555555555555555555555", "", id);
    CHECK(reaches(s, id, "HEALTHY"));
    CHECK(reaches(s, id, "SLEEPING"));
    path = mem_printf("/v1/instances?service_id=%s", s->service);
    CHECK(drive_wait(s->base, path, token, "instances.0.status", "SLEEPING"));
    free(path);
    CHECK(drive_status("GET", s->host, "/health", NULL, NULL) == 200);
    CHECK(reaches(s, id, "HEALTHY"));
}

static void an_organisation_has_one_free_instance(struct shop *s)
{
    char *text = definition("6666666666666666666666666666666666666666", "");
    char *body =
        mem_printf("{\"app_id\": \"%s\", \"name\": \"other\", \"definition\": %s}", s->app, text);
    json_t *json = drive_json(400, "POST", s->base, "/v1/services", token, body);
    CHECK(strcmp(json_str(json, "code", ""), "invalid_argument") == 0);
    CHECK(strcmp(json_str(json, "fields.0.field", ""), "definition.instance_types") == 0);
    json_decref(json);
    free(body);
    free(text);
}

static void what_is_wrong_is_named_field_by_field(struct shop *s)
{
    char *body =
        mem_printf("{\"app_id\": \"%s\", \"definition\": {\"name\": \"api\", \"type\": \"W\","
                   " \"routes\": [{\"port\": 1, \"path\": \"x\"}]}}",
                   s->app);
    json_t *json = drive_json(400, "POST", s->base, "/v1/services", token, body);
    CHECK(json_array_size(json_object_get(json, "fields")) == 5);
    json_decref(json);
    free(body);
    json = drive_json(400, "POST", s->base, "/v1/apps", token, "{\"name\": \"shop\"}");
    CHECK(strcmp(json_str(json, "fields.0.description", ""), "already exists") == 0);
    json_decref(json);
    CHECK(drive_status("GET", s->base, "/v1/apps/none", token, NULL) == 404);
    CHECK(drive_status("GET", s->base, "/v1/nothing", token, NULL) == 404);
    CHECK(drive_status("POST", s->base, "/v1/apps", token, "{") == 400);
}

static void lists_come_in_pages_and_versions_as_text(struct shop *s)
{
    json_t *json = drive_json(200, "GET", s->base, "/v1/deployments?limit=2&offset=1", token, NULL);
    CHECK(json_array_size(json_object_get(json, "deployments")) == 2);
    CHECK(json_int(json, "count", 0) == 5 && json_flag(json, "has_next", false));
    CHECK(json_is_string(json_at(json, "deployments.0.version")));
    json_decref(json);
    json = drive_json(200, "GET", s->base, "/v1/deployments?statuses=STOPPED&statuses=ERROR", token,
                      NULL);
    CHECK(json_int(json, "count", 0) == 4);
    json_decref(json);
}

static void the_books_count_one_live_deployment(struct shop *s)
{
    json_t *books = drive_json(200, "GET", drive_base(&s->sim, "control"), "/books", NULL, NULL);
    json_t *koyeb = json_at(books, "platforms.koyeb");
    CHECK(json_int(koyeb, "projects", 0) == 1 && json_int(koyeb, "live", 0) == 1);
    CHECK(json_int(koyeb, "deployments", 0) == 5);
    CHECK(json_int(koyeb, "project_list.0.live_count", 0) == 1);
    json_decref(books);
}

static void a_restart_forgets_nothing(struct shop *s, const char *program)
{
    drive_restart(&s->sim, program, FAST);
    s->base = drive_base(&s->sim, "koyeb");
    json_t *json = drive_json(200, "GET", s->base, "/v1/services?name=api", token, NULL);
    CHECK(strcmp(json_str(json, "services.0.id", ""), s->service) == 0);
    json_decref(json);
}

int main(int argc, char **argv)
{
    struct shop s;
    (void)argc;
    open_shop(&s, argv[1]);
    nobody_gets_in_without_a_token(&s);
    every_answer_tells_the_rate(&s);
    a_service_becomes_healthy_and_is_served(&s);
    a_newer_deployment_stops_the_older_one(&s);
    a_build_can_be_made_to_fail(&s);
    an_idle_free_service_sleeps_and_wakes(&s);
    an_organisation_has_one_free_instance(&s);
    what_is_wrong_is_named_field_by_field(&s);
    lists_come_in_pages_and_versions_as_text(&s);
    the_books_count_one_live_deployment(&s);
    a_restart_forgets_nothing(&s, argv[1]);
    drive_stop(&s.sim);
    return DONE();
}
