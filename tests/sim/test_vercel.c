#include "../unit/test.h"

#include "base/json.h"
#include "base/mem.h"
#include "drive.h"

#include <stdlib.h>

/* Vercel as its own client uses it. */

static const char token[] = "Authorization: Bearer sim-vercel-token-0001";
#define ONE "fe05bcdcdc4928012781a5f1a2a77cbb5398e106" /* SHA-1 of "one" */
#define TWO "ad782ecdac770fc6eb9a62e44f90873fb97fb26b" /* of "two" */

struct shop {
    struct drive sim;
    const char *base;
};

static bool shows(struct shop *s, const char *host, const char *path, int status, const char *text)
{
    char *header = mem_printf("Host: %s", host);
    struct drive_reply r = drive_call("GET", drive_base(&s->sim, "sites"), path, header, NULL);
    bool same = r.status == status && strcmp(r.text, text) == 0;

    drive_reply_release(&r);
    free(header);
    return same;
}

static int upload(struct shop *s, const char *digest, const char *content)
{
    char *headers =
        mem_printf("%s\nContent-Type: application/octet-stream\nx-now-digest: %s", token, digest);
    int status = drive_status("POST", s->base, "/v2/files", headers, content);

    free(headers);
    return status;
}

static bool wait_for(struct shop *s, const char *id, const char *state)
{
    char *path = mem_printf("/v13/deployments/%s", id);
    bool there = drive_wait(s->base, path, token, "readyState", state);

    free(path);
    return there;
}

/* Until the alias points there: that field turns from false into a number. */
static bool wait_for_alias(struct shop *s, const char *id)
{
    char *path = mem_printf("/v13/deployments/%s", id);
    bool there = false;

    while (!there) {
        json_t *d = drive_json(200, "GET", s->base, path, token, NULL);

        there = json_is_integer(json_at(d, "aliasAssigned"));
        if (!d)
            break;
        json_decref(d);
    }
    free(path);
    return there;
}

static void deploy(struct shop *s, const char *query, const char *body, char ret_id[40])
{
    char *path = mem_printf("/v13/deployments?teamId=team_simulated0001%s", query);
    json_t *d = drive_json(200, "POST", s->base, path, token, body);

    snprintf(ret_id, 40, "%s", json_str(d, "id", ""));
    json_decref(d);
    free(path);
}

static void scopes_and_tokens_are_checked(struct shop *s)
{
    CHECK(drive_status("GET", s->base, "/v2/user", "Authorization: Bearer x", NULL) == 403);
    CHECK(drive_status("GET", s->base, "/v9/projects/a?teamId=team_b", token, NULL) == 403);
    CHECK(drive_status("GET", s->base, "/v9/projects/a", token, NULL) == 404);
    CHECK(drive_status("GET", s->base, "/v2/user", "Authorization: Bearer sim_vercel_token_0001",
                       NULL) == 200);
}

#define OUTPUT ".vercel/output/"
static const char prebuilt[] =
    "{\"name\":\"demo\",\"target\":\"production\",\"meta\":{\"commit\":\"c1\"},\"files\":["
    "{\"file\":\"" OUTPUT "static/index.html\",\"sha\":\"" ONE "\",\"size\":3},"
    "{\"file\":\"" OUTPUT "static/two.html\",\"sha\":\"" TWO "\",\"size\":3},"
    "{\"file\":\"" OUTPUT
    "config.json\",\"data\":\"{\\\"version\\\":3,\\\"routes\\\":[{\\\"src\\\":"
    "\\\"^/old$\\\",\\\"status\\\":301,\\\"headers\\\":{\\\"Location\\\":\\\"/two\\\"}},"
    "{\\\"handle\\\":\\\"filesystem\\\"},{\\\"src\\\":\\\"^/app/(.*)$\\\",\\\"dest\\\":\\\"/\\\"}],"
    "\\\"overrides\\\":{\\\"two.html\\\":{\\\"path\\\":\\\"two\\\"}}}\"}]}";

static void a_prebuilt_deployment_asks_for_files_then_goes_live(struct shop *s, char first[40])
{
    struct drive_reply r =
        drive_call("POST", s->base, "/v13/deployments?prebuilt=1", token, prebuilt);

    CHECK(r.status == 400 && strcmp(json_str(r.json, "error.code", ""), "missing_files") == 0);
    CHECK(json_array_size(json_at(r.json, "error.missing")) == 2);
    CHECK(upload(s, ONE, "other") == 400);
    CHECK(upload(s, ONE, "one") == 200 && upload(s, TWO, "two") == 200);
    deploy(s, "&prebuilt=1", prebuilt, first);
    CHECK(wait_for(s, first, "READY") && wait_for_alias(s, first));
    CHECK(shows(s, "demo.vercel.localhost", "/", 200, "one"));
    CHECK(shows(s, "demo.vercel.localhost", "/two", 200, "two"));
    CHECK(shows(s, "demo.vercel.localhost", "/old", 301, ""));
    CHECK(shows(s, "demo.vercel.localhost", "/app/x", 200, "one"));
    CHECK(shows(s, "demo.vercel.localhost", "/nothing", 404,
                "The page could not be found\n\nNOT_FOUND\n"));
    drive_reply_release(&r);
}

static void after_a_rollback_nothing_goes_live_until_a_promotion(struct shop *s, const char *first)
{
    static const char plain[] = "{\"name\":\"demo\",\"target\":\"production\",\"files\":[{\"file\":"
                                "\"index.html\",\"data\":\"dHdv\",\"encoding\":\"base64\"}]}";
    char id[40], *path = mem_printf("/v9/projects/demo/rollback/%s", first);
    json_t *project;

    CHECK(drive_status("POST", s->base, path, token, "{}") == 201);
    free(path);
    deploy(s, "", plain, id);
    CHECK(wait_for_alias(s, id));
    CHECK(shows(s, "demo.vercel.localhost", "/", 200, "one"));
    path = mem_printf("/v10/projects/demo/promote/%s", id);
    CHECK(drive_status("POST", s->base, path, token, "{}") == 201);
    CHECK(shows(s, "demo.vercel.localhost", "/", 200, "two"));
    CHECK(
        drive_wait(s->base, "/v9/projects/demo", token, "lastAliasRequest.jobStatus", "succeeded"));
    project = drive_json(200, "GET", s->base, "/v9/projects/demo", token, NULL);
    CHECK(strcmp(json_str(project, "targets.production.id", ""), id) == 0);
    CHECK(strcmp(json_str(project, "lastAliasRequest.type", ""), "promote") == 0);
    json_decref(project);
    free(path);
}

static void a_prebuilt_deployment_without_its_config_fails(struct shop *s)
{
    char id[40];

    deploy(s, "&prebuilt=1",
           "{\"name\":\"broken\",\"files\":[{\"file\":\"" OUTPUT
           "static/a.html\",\"data\":\"x\"}]}",
           id);
    CHECK(wait_for(s, id, "ERROR"));
}

static void deployments_are_listed_by_page_newest_first(struct shop *s)
{
    json_t *list =
        drive_json(200, "GET", s->base, "/v7/deployments?projectId=demo&limit=1", token, NULL);
    char *path = mem_printf("/v7/deployments?projectId=demo&limit=1&until=%lld",
                            (long long)json_int(list, "pagination.next", 0));
    json_t *next = drive_json(200, "GET", s->base, path, token, NULL);

    CHECK(json_int(list, "deployments.0.created", 0) > json_int(next, "deployments.0.created", 0));
    CHECK(json_is_null(json_at(next, "pagination.next")));
    json_decref(list);
    json_decref(next);
    free(path);
}

int main(int argc, char **argv)
{
    struct shop s = {0};
    char first[40];

    drive_start(&s.sim, argc > 1 ? argv[1] : NULL, 50);
    s.base = drive_base(&s.sim, "vercel");
    scopes_and_tokens_are_checked(&s);
    a_prebuilt_deployment_asks_for_files_then_goes_live(&s, first);
    after_a_rollback_nothing_goes_live_until_a_promotion(&s, first);
    a_prebuilt_deployment_without_its_config_fails(&s);
    deployments_are_listed_by_page_newest_first(&s);
    drive_stop(&s.sim);
    return DONE();
}
