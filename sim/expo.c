#include "expo.h"

#include "base/json.h"

#include <string.h>

/* --- Answers ---------------------------------------------------------------------------------- */

static void refuse(struct sim_request *r, int status, const char *code, const char *message)
{
    sim_answer(r, status,
               json_pack("{s:[{s:s, s:s, s:b}]}", "errors", "code", code, "message", message,
                         "isTransient", status >= 500 || status == 429));
}

static void expo_error(struct sim_request *r, int status)
{
    static const struct {
        int status;
        const char *code, *message;
    } known[] = {
        {400, "VALIDATION_ERROR", "The request is not valid"},
        {401, "AUTHENTICATION_ERROR", "The bearer token is invalid."},
        {403, "UNAUTHORIZED_ERROR", "The token may not do this"},
        {404, "NOT_FOUND", "Not found"},
        {429, "RATE_LIMITED", "Too many requests"},
        {503, "SERVICE_UNAVAILABLE", "The service is not available"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].status == status) {
            refuse(r, status, known[i].code, known[i].message);
            return;
        }
    }
    refuse(r, status, "INTERNAL_SERVER_ERROR", "Something went wrong");
}

static void expo_unauthorised(struct sim_request *r)
{
    expo_error(r, 401);
}

static void expo_too_many(struct sim_request *r, int64_t retry_after_ms)
{
    sim_set_header(r, "Retry-After", "%lld", (long long)((retry_after_ms + 999) / 1000));
    expo_error(r, 429);
}

/* --- The account ------------------------------------------------------------------------------ */

json_t *expo_account(struct sim_request *r)
{
    json_t *account =
        sim_member(sim_member(sim_state(r->sim, r->platform), "accounts"), r->account);
    if (!json_object_get(account, "account")) {
        char id[37];
        sim_uuid(r->sim, id);
        json_t *own = json_pack("{s:s, s:s, s:b}", "id", id, "name",
                                rest_host_label(r->arena, r->account), "isDisabled", 0);
        rest_stamp(own, "createdAt", sim_now_ms(r->sim));
        rest_stamp(own, "updatedAt", sim_now_ms(r->sim));
        json_object_set_new(account, "account", own);
        sim_changed(r->sim);
    }
    return account;
}

static bool is_uuid(const char *text)
{
    if (strlen(text) != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    }
    return true;
}

json_t *expo_app(const struct expo *w, const char *app_id)
{
    json_t *apps = sim_member(w->account, "apps"), *app = json_object_get(apps, app_id);
    if (app || !is_uuid(app_id) || strncmp(app_id, "00000000", 8) == 0)
        return app;
    const char *slug = arena_printf(w->r->arena, "app-%.8s", app_id);
    app = json_pack(
        "{s:s, s:s, s:s, s:s}", "id", app_id, "slug", slug, "name", slug, "fullName",
        arena_printf(w->r->arena, "@%s/%s", json_str(w->account, "account.name", ""), slug));
    json_object_set_new(apps, app_id, app);
    sim_changed(w->r->sim);
    return app;
}

/* --- REST ------------------------------------------------------------------------------------- */

static void dispatch(struct sim_request *r)
{
    struct expo w = {.r = r, .account = expo_account(r)};
    const char *app_id = json_str(r->json, "appId", ""), *why = "";
    if (!is_uuid(app_id)) {
        refuse(r, 400, "VALIDATION_ERROR", "appId must be a UUID");
        return;
    }
    json_t *app = expo_app(&w, app_id);
    if (!app) {
        refuse(r, 404, "NOT_FOUND", "There is no app with this id");
        return;
    }
    json_t *run =
        expo_run_start(&w, app, json_str(r->json, "fileName", ""), json_str(r->json, "gitRef", ""),
                       json_object_get(r->json, "inputs"), &why);
    if (!run) {
        refuse(r, 400, "VALIDATION_ERROR", why);
        return;
    }
    const char *id = json_str(run, "id", "");
    const char *url =
        arena_printf(r->arena, "https://expo.dev/accounts/%s/projects/%s/workflows/%s",
                     json_str(w.account, "account.name", ""), json_str(app, "slug", ""), id);
    sim_answer(r, 200, json_pack("{s:{s:s, s:s}}", "data", "id", id, "url", url));
}

/* "IN_PROGRESS" -> "in-progress": words of the REST API. */
static const char *rest_word(struct arena *a, const char *word)
{
    return rest_host_label(a, word);
}

static json_t *rest_job(struct sim_request *r, json_t *job)
{
    json_t *build = json_object_get(job, "turtleBuild"), *outputs = json_object();
    const char *id = json_str(build, "id", "");
    if (strcmp(json_str(job, "status", ""), "SUCCESS") == 0)
        json_object_set_new(outputs, "build_id", json_string(id));
    json_t *errors = json_array();
    if (json_object_get(build, "error"))
        json_array_append_new(errors, json_pack("{s:s, s:O}", "title", "Build failed", "message",
                                                json_at(build, "error.message")));
    return json_pack("{s:O, s:O, s:s, s:s, s:o, s:o, s:s}", "id", json_object_get(job, "id"), "key",
                     json_object_get(job, "key"), "type", "build", "status",
                     rest_word(r->arena, json_str(job, "status", "")), "outputs", outputs, "errors",
                     errors, "buildId", id);
}

static void run_get(struct sim_request *r)
{
    struct expo w = {.r = r, .account = expo_account(r)};
    json_t *run = json_object_get(sim_member(w.account, "runs"), r->segments[3]), *job;
    json_t *jobs = json_array();
    size_t i;
    if (!run) {
        json_decref(jobs);
        refuse(r, 404, "NOT_FOUND", "There is no workflow run with this id");
        return;
    }
    json_t *shown = expo_run_shown(&w, run);
    json_array_foreach(json_object_get(shown, "jobs"), i, job)
        json_array_append_new(jobs, rest_job(r, job));
    json_t *data = json_pack("{s:O, s:s, s:O, s:O, s:O, s:o}", "id", json_object_get(run, "id"),
                             "status", rest_word(r->arena, json_str(shown, "status", "")),
                             "gitCommitHash", json_object_get(run, "gitCommitHash"), "createdAt",
                             json_object_get(run, "createdAt"), "inputs",
                             json_object_get(run, "inputs"), "jobs", jobs);
    json_decref(shown);
    sim_answer(r, 200, json_pack("{s:o}", "data", data));
}

static void graphql(struct sim_request *r)
{
    static const struct graphql_server server = {.schema = expo_schema,
                                                 .query_type = "RootQuery",
                                                 .mutation_type = "RootMutation",
                                                 .resolvers = expo_resolvers};
    struct expo w = {.r = r, .account = expo_account(r)};
    int status;
    if (!json_is_object(r->json)) {
        refuse(r, 400, "VALIDATION_ERROR", "The body must be a JSON object with a query");
        return;
    }
    json_t *answer = graphql_answer(&server, &w, r->json, r->arena, &status);
    sim_answer(r, status, answer);
}

/* --- The platform ----------------------------------------------------------------------------- */

static const char *expo_authenticate(struct sim_request *r)
{
    return sim_account(r, sim_bearer(r));
}

static void expo_handle(struct sim_request *r)
{
    static const struct sim_endpoint routes[] = {
        {"POST", "/v2/workflows/dispatch", dispatch},
        {"GET", "/v2/workflows/runs/:id", run_get},
        {"POST", "/graphql", graphql},
        {NULL, NULL, NULL},
    };
    if (!sim_dispatch(r, routes))
        expo_error(r, 404);
}

static void expo_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms)
{
    rollout_advance(&expo_rules, s, p, now_ms);
}

static void expo_books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    rest_books(sim_member(sim_state(s, p), "accounts"), "lines", "line", into);
}

/* Expo documents no rate limit. */
static const struct sim_rate rates[] = {{.requests = 0}};

const struct sim_platform sim_expo = {
    .name = "expo",
    .base_path = "",
    .site_suffix = ".expo.localhost",
    .rates = rates,
    .authenticate = expo_authenticate,
    .unauthorised = expo_unauthorised,
    .too_many = expo_too_many,
    .error = expo_error,
    .handle = expo_handle,
    .advance = expo_advance,
    .books = expo_books,
};
