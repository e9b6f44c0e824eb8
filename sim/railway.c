#include "railway.h"

#include "base/json.h"

#include <string.h>

/* --- Who may do what -------------------------------------------------------------------------- */

static const char token_stem[] = "sim-railway-token";

static bool is_project_token(const char *token)
{
    return token && strncmp(token, token_stem, sizeof token_stem - 1) == 0;
}

/* A project token has a header of its own; in the other one it is worth nothing. */
static const char *railway_authenticate(struct sim_request *r)
{
    const char *project = sim_header(r, "Project-Access-Token"), *bearer = sim_bearer(r);
    if (project)
        return is_project_token(project) ? sim_account(r, project) : NULL;
    return is_project_token(bearer) ? NULL : sim_account(r, bearer);
}

json_t *railway_not_authorised(struct graphql_field *f)
{
    return graphql_fail(f, "INTERNAL_SERVER_ERROR", "Not Authorized");
}

json_t *railway_not_found(struct graphql_field *f, const char *what)
{
    return graphql_fail(f, "INTERNAL_SERVER_ERROR", arena_printf(f->arena, "%s not found", what));
}

static bool of_other_project(const struct railway *w, const char *table, json_t *record)
{
    const char *project = json_str(record, strcmp(table, "projects") == 0 ? "id" : "projectId", "");
    const char *environment =
        json_str(record, strcmp(table, "environments") == 0 ? "id" : "environmentId", NULL);
    return strcmp(project, w->project_id) != 0 ||
           (environment && strcmp(environment, w->environment_id) != 0);
}

json_t *railway_find(const struct railway *w, const char *table, const char *id)
{
    json_t *record = json_object_get(sim_member(w->account, table), id);
    if (record && w->project_token && of_other_project(w, table, record))
        return NULL;
    return record;
}

json_t *railway_instance(const struct railway *w, const char *environment_id,
                         const char *service_id)
{
    return railway_find(w, "instances",
                        arena_printf(w->r->arena, "%s/%s", environment_id, service_id));
}

/* --- Making projects -------------------------------------------------------------------------- */

static json_t *record_make(const struct railway *w, const char *name)
{
    char id[37];
    sim_uuid(w->r->sim, id);
    json_t *record = json_pack("{s:s, s:s}", "id", id, "name", name);
    rest_stamp(record, "createdAt", sim_now_ms(w->r->sim));
    rest_stamp(record, "updatedAt", sim_now_ms(w->r->sim));
    return record;
}

json_t *railway_environment_make(const struct railway *w, json_t *project, const char *name)
{
    json_t *environment = record_make(w, name), *service;
    const char *id;
    json_object_set(environment, "projectId", json_object_get(project, "id"));
    json_object_set_new(environment, "isEphemeral", json_false());
    json_object_set_new(sim_member(w->account, "environments"), json_str(environment, "id", ""),
                        environment);
    json_object_foreach(sim_member(w->account, "services"), id, service)
    {
        if (strcmp(json_str(service, "projectId", ""), json_str(project, "id", "")) == 0)
            railway_instance_make(w, service, environment);
    }
    sim_changed(w->r->sim);
    return environment;
}

json_t *railway_project_make(const struct railway *w, const char *name, const char *environment)
{
    json_t *project = record_make(w, name);
    json_object_set(project, "workspaceId", json_at(w->account, "workspace.id"));
    json_object_set_new(sim_member(w->account, "projects"), json_str(project, "id", ""), project);
    json_t *first = railway_environment_make(w, project, environment);
    json_object_set(project, "primaryEnvironmentId", json_object_get(first, "id"));
    return project;
}

static json_t *account_of(struct sim_request *r)
{
    json_t *account =
        sim_member(sim_member(sim_state(r->sim, r->platform), "accounts"), r->account);
    if (!json_object_get(account, "workspace")) {
        struct railway w = {.r = r, .account = account};
        json_t *workspace = record_make(&w, r->account);
        json_object_set_new(workspace, "plan", json_string("FREE"));
        json_object_set_new(account, "workspace", workspace);
    }
    return account;
}

/* The project that a project token is bound to: "simulated", environment "production". */
static void bind_project(struct railway *w)
{
    json_t *bound = sim_member(w->account, "bound");
    w->project_token = sim_header(w->r, "Project-Access-Token") != NULL;
    if (!w->project_token)
        return;
    if (!json_object_get(bound, "projectId")) {
        json_t *project = railway_project_make(w, "simulated", "production");
        json_object_set(bound, "projectId", json_object_get(project, "id"));
        json_object_set(bound, "environmentId", json_object_get(project, "primaryEnvironmentId"));
    }
    w->project_id = json_str(bound, "projectId", "");
    w->environment_id = json_str(bound, "environmentId", "");
}

/* --- The platform ----------------------------------------------------------------------------- */

static void railway_handle(struct sim_request *r)
{
    static const struct graphql_server server = {.schema = railway_schema,
                                                 .query_type = "Query",
                                                 .mutation_type = "Mutation",
                                                 .resolvers = railway_resolvers};
    struct railway w = {.r = r, .account = account_of(r)};
    int status;
    if (strcmp(r->path, "/graphql/v2") != 0) {
        r->platform->error(r, 404);
        return;
    }
    if (strcmp(r->method, "POST") != 0 || !json_is_object(r->json)) {
        sim_answer(r, 400,
                   graphql_refusal("BAD_REQUEST", "POST body missing, invalid Content-Type, or "
                                                  "JSON object has no keys."));
        return;
    }
    bind_project(&w);
    json_t *answer = graphql_answer(&server, &w, r->json, r->arena, &status);
    sim_answer(r, status, answer);
}

/* Errors of the requests themselves come at 200, as all that GraphQL says. */
static void railway_unauthorised(struct sim_request *r)
{
    json_t *answer = graphql_refusal("INTERNAL_SERVER_ERROR", "Not Authorized");
    json_object_set_new(answer, "data", json_null());
    sim_answer(r, 200, answer);
}

static void railway_too_many(struct sim_request *r, int64_t retry_after_ms)
{
    sim_set_header(r, "Retry-After", "%lld", (long long)((retry_after_ms + 999) / 1000));
    sim_answer(r, 429, graphql_refusal("RATE_LIMITED", "Rate limit exceeded"));
}

static void railway_rate_headers(struct sim_request *r, unsigned limit, unsigned remaining,
                                 int64_t reset_ms)
{
    sim_set_header(r, "X-RateLimit-Limit", "%u", limit);
    sim_set_header(r, "X-RateLimit-Remaining", "%u", remaining);
    sim_set_header(r, "X-RateLimit-Reset", "%lld",
                   (long long)((sim_reset_epoch_ms(r->sim, reset_ms) + 999) / 1000));
}

static void railway_error(struct sim_request *r, int status)
{
    const char *message = status == 401   ? "Not Authorized"
                          : status == 404 ? "Not Found"
                          : status < 500  ? "Problem processing request"
                                          : "Internal Server Error";
    sim_answer(r, status,
               graphql_refusal(status < 500 ? "BAD_REQUEST" : "INTERNAL_SERVER_ERROR", message));
}

static void railway_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms)
{
    rollout_advance(&railway_rules, s, p, now_ms);
}

static void railway_books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    rest_books(sim_member(sim_state(s, p), "accounts"), "services", "serviceId", into);
}

static const struct sim_rate rates[] = {
    {.requests = 100, .window_ms = 3600000, .name = "requests"},
    {.requests = 0},
};

const struct sim_platform sim_railway = {
    .name = "railway",
    .base_path = "",
    .site_suffix = ".up.railway.localhost",
    .rates = rates,
    .authenticate = railway_authenticate,
    .unauthorised = railway_unauthorised,
    .too_many = railway_too_many,
    .rate_headers = railway_rate_headers,
    .error = railway_error,
    .handle = railway_handle,
    .advance = railway_advance,
    .books = railway_books,
};
