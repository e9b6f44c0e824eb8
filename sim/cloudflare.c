#include "cloudflare.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

enum { PROJECTS_PER_PAGE = 10, PROJECT_NAME_MAX = 58, PROJECTS_MAX = 100 };

/* --- Envelope -------------------------------------------------------------------------------- */

void cf_answer(struct sim_request *r, json_t *result)
{
    sim_answer(r, 200,
               json_pack("{s:b, s:[], s:[], s:o}", "success", 1, "errors", "messages", "result",
                         result ? result : json_null()));
}

void cf_refuse(struct sim_request *r, int status, int code, const char *message)
{
    sim_answer(r, status,
               json_pack("{s:b, s:[{s:i, s:s}], s:[], s:n}", "success", 0, "errors", "code", code,
                         "message", message, "messages", "result"));
}

void cf_page(struct sim_request *r, json_t *list, int64_t per_page, int64_t max)
{
    int64_t page = sim_query_int(r, "page", 1), total = (int64_t)json_array_size(list);
    json_t *shown = json_array();

    per_page = sim_query_int(r, "per_page", per_page);
    if (page < 1 || per_page < 1 || per_page > max) {
        json_decref(list);
        json_decref(shown);
        cf_refuse(r, 400, CF_BAD_PAGE,
                  "Invalid list options provided. Review the `page` or `per_page` parameter.");
        return;
    }
    for (int64_t i = (page - 1) * per_page; i < page * per_page && i < total; i++)
        json_array_append(shown, json_array_get(list, (size_t)i));
    json_decref(list);
    sim_answer(r, 200,
               json_pack("{s:b, s:[], s:[], s:o, s:{s:I, s:I, s:I, s:I, s:I}}", "success", 1,
                         "errors", "messages", "result", shown, "result_info", "page",
                         (json_int_t)page, "per_page", (json_int_t)per_page, "count",
                         (json_int_t)json_array_size(shown), "total_count", (json_int_t)total,
                         "total_pages", (json_int_t)((total + per_page - 1) / per_page)));
}

/* --- Accounts -------------------------------------------------------------------------------- */

json_t *cf_account(struct sim_request *r)
{
    json_t *root = sim_state(r->sim, r->platform);

    return sim_member(sim_member(root, "accounts"), r->account);
}

const char *cf_space(struct sim_request *r)
{
    return arena_printf(r->arena, "cloudflare.%s", r->account);
}

static const char *authenticate(struct sim_request *r)
{
    const char *token = sim_bearer(r);

    if (!token)
        return NULL;
    return cf_is_asset_call(r) ? cf_token_account(r, token) : sim_account(r, token);
}

static void unauthorised(struct sim_request *r)
{
    if (cf_is_asset_call(r))
        cf_refuse(r, 403, CF_EXPIRED, "Authorization failed: the upload token has expired");
    else if (sim_route(r, "GET", "/user/tokens/verify"))
        cf_refuse(r, 401, 1000, "Invalid API Token");
    else
        cf_refuse(r, 403, 9109, "Invalid access token");
}

static bool short_lived(const struct sim_request *r)
{
    return cf_is_asset_call(r);
}

static void too_many(struct sim_request *r, int64_t retry_after_ms)
{
    sim_set_header(r, "retry-after", "%lld", (long long)((retry_after_ms + 999) / 1000));
    cf_refuse(r, 429, 971, "Please wait and consider throttling your request speed");
}

static void rate_headers(struct sim_request *r, unsigned limit, unsigned remaining,
                         int64_t reset_ms)
{
    (void)reset_ms;
    sim_set_header(r, "x-ratelimit-limit", "%u", limit);
    sim_set_header(r, "x-ratelimit-remaining", "%u", remaining);
}

static void error(struct sim_request *r, int status)
{
    if (status == 404)
        cf_refuse(r, 404, 7003,
                  "Could not route to the requested path, perhaps your object "
                  "identifier is invalid?");
    else if (status == 401 || status == 403)
        cf_refuse(r, status, 10000, "Authentication error");
    else
        cf_refuse(r, status, CF_UNKNOWN, "An unknown error occurred. Contact your account team.");
}

static json_t *account_show(const struct sim_request *r)
{
    return json_pack("{s:s, s:s, s:s}", "id", r->account, "name", "Simulated account", "type",
                     "standard");
}

static void token_verify(struct sim_request *r)
{
    cf_answer(
        r, json_pack("{s:s, s:s}", "id", "0123456789abcdef0123456789abcdef", "status", "active"));
}

static void user_get(struct sim_request *r)
{
    cf_answer(r, json_pack("{s:s, s:s}", "id", "5130c0ffee0000000000000000000001", "email",
                           "simulated@example.invalid"));
}

static void accounts_list(struct sim_request *r)
{
    cf_page(r, json_pack("[o]", account_show(r)), 20, 50);
}

static void memberships_list(struct sim_request *r)
{
    cf_page(r,
            json_pack("[{s:s, s:s, s:o}]", "id", "5130c0ffee0000000000000000000002", "status",
                      "accepted", "account", account_show(r)),
            20, 50);
}

/* --- Projects -------------------------------------------------------------------------------- */

json_t *cf_project(struct sim_request *r)
{
    json_t *projects = sim_member(cf_account(r), "projects");
    json_t *project = json_object_get(projects, r->segments[4]);

    if (!project)
        cf_refuse(r, 404, CF_NO_PROJECT,
                  "Project not found. The specified project name does not match any of your "
                  "existing projects.");
    return project;
}

static json_t *deployment_or_null(struct sim *s, const char *id)
{
    const json_t *deployment = id ? cf_deployment(s, id) : NULL;

    return deployment ? cf_deployment_show(s, deployment) : json_null();
}

static json_t *project_show(struct sim *s, const json_t *p)
{
    const json_t *ids = json_object_get(p, "deployments");
    size_t n = json_array_size(ids);
    const char *latest = n ? json_string_value(json_array_get(ids, n - 1)) : NULL;
    char host[320], created[32];

    sim_site_hostport(s, json_str(p, "host", ""), host);
    sim_iso(json_int(p, "created_ms", 0), created);
    return json_pack("{s:s, s:s, s:s, s:[s], s:s, s:s, s:O, s:n, s:b, s:o, s:o}", "id",
                     json_str(p, "id", ""), "name", json_str(p, "name", ""), "subdomain", host,
                     "domains", host, "created_on", created, "production_branch",
                     json_str(p, "production_branch", "main"), "deployment_configs",
                     json_object_get(p, "deployment_configs"), "source", "uses_functions", 0,
                     "canonical_deployment", deployment_or_null(s, json_str(p, "live", NULL)),
                     "latest_deployment", deployment_or_null(s, latest));
}

static bool name_is_good(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= PROJECT_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && name[0] != '-' &&
           name[len - 1] != '-';
}

/* "<name>.pages.localhost", with a random end when another account has it. */
static const char *free_host(struct sim_request *r, const char *name)
{
    json_t *hosts = sim_member(sim_state(r->sim, r->platform), "hosts");
    const char *host = arena_printf(r->arena, "%s%s", name, r->platform->site_suffix);
    char end[8];

    while (json_object_get(hosts, host)) {
        sim_id(r->sim, "-", 3, end, sizeof(end));
        host = arena_printf(r->arena, "%s%s%s", name, end, r->platform->site_suffix);
    }
    json_object_set_new(hosts, host, json_string(r->account));
    return host;
}

static void project_create(struct sim_request *r)
{
    const char *name = json_str(r->json, "name", NULL);
    json_t *projects = sim_member(cf_account(r), "projects"), *project;
    json_t *configs = json_object_get(r->json, "deployment_configs");
    char id[37];

    if (!name || !name_is_good(name)) {
        cf_refuse(r, 400, CF_BAD_REQUEST,
                  "A project name must be 1 to 58 lower-case letters, digits and hyphens, and may "
                  "not begin or end with a hyphen.");
        return;
    }
    if (json_object_get(projects, name)) {
        cf_refuse(r, 409, CF_NAME_TAKEN,
                  "A project with this name already exists. Choose a different project name.");
        return;
    }
    if (json_object_size(projects) >= PROJECTS_MAX) {
        cf_refuse(r, 400, CF_BAD_REQUEST, "You have exceeded the limit of 100 projects.");
        return;
    }
    sim_uuid(r->sim, id);
    project = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:[]}", "id", id, "name", name, "host",
                        free_host(r, name), "production_branch",
                        json_str(r->json, "production_branch", "main"), "created_ms",
                        (json_int_t)sim_now_ms(r->sim), "deployment_configs",
                        configs ? json_incref(configs) : json_object(), "deployments");
    json_object_set_new(projects, name, project);
    sim_changed(r->sim);
    cf_answer(r, project_show(r->sim, project));
}

static void project_list(struct sim_request *r)
{
    json_t *list = json_array(), *project;
    const char *name;

    json_object_foreach(sim_member(cf_account(r), "projects"), name, project)
        json_array_append_new(list, project_show(r->sim, project));
    cf_page(r, list, PROJECTS_PER_PAGE, PROJECTS_PER_PAGE);
}

static void project_get(struct sim_request *r)
{
    const json_t *project = cf_project(r);

    if (project)
        cf_answer(r, project_show(r->sim, project));
}

static void project_patch(struct sim_request *r)
{
    json_t *project = cf_project(r), *branch, *configs;

    if (!project)
        return;
    branch = json_object_get(r->json, "production_branch");
    configs = json_object_get(r->json, "deployment_configs");
    if (json_is_string(branch))
        json_object_set(project, "production_branch", branch);
    if (json_is_object(configs))
        json_object_set(project, "deployment_configs", configs);
    sim_changed(r->sim);
    cf_answer(r, project_show(r->sim, project));
}

static void project_delete(struct sim_request *r)
{
    json_t *project = cf_project(r), *id;
    size_t i;

    if (!project)
        return;
    json_array_foreach(json_object_get(project, "deployments"), i, id)
        cf_deployment_forget(r->sim, json_string_value(id));
    sim_site_remove(r->sim, json_str(project, "host", ""));
    json_object_del(sim_member(sim_state(r->sim, r->platform), "hosts"),
                    json_str(project, "host", ""));
    json_object_del(sim_member(cf_account(r), "projects"), r->segments[4]);
    sim_changed(r->sim);
    cf_answer(r, NULL);
}

/* --- The platform ---------------------------------------------------------------------------- */

static void handle(struct sim_request *r)
{
#define PROJECTS "/accounts/:account/pages/projects"
    static const struct sim_endpoint table[] = {
        {"GET", "/user/tokens/verify", token_verify},
        {"GET", "/accounts/:account/tokens/verify", token_verify},
        {"GET", "/user", user_get},
        {"GET", "/accounts", accounts_list},
        {"GET", "/memberships", memberships_list},
        {"GET", PROJECTS, project_list},
        {"POST", PROJECTS, project_create},
        {"GET", PROJECTS "/:name", project_get},
        {"PATCH", PROJECTS "/:name", project_patch},
        {"DELETE", PROJECTS "/:name", project_delete},
        {"GET", PROJECTS "/:name/upload-token", cf_upload_token_get},
        {"GET", PROJECTS "/:name/deployments", cf_deployment_list},
        {"POST", PROJECTS "/:name/deployments", cf_deployment_create},
        {"GET", PROJECTS "/:name/deployments/:id", cf_deployment_get},
        {"DELETE", PROJECTS "/:name/deployments/:id", cf_deployment_delete},
        {"POST", PROJECTS "/:name/deployments/:id/rollback", cf_deployment_rollback},
        {"POST", PROJECTS "/:name/deployments/:id/retry", cf_deployment_retry},
        {"GET", PROJECTS "/:name/deployments/:id/history/logs", cf_deployment_logs},
        {"POST", "/pages/assets/check-missing", cf_check_missing},
        {"POST", "/pages/assets/upload", cf_upload},
        {"POST", "/pages/assets/upsert-hashes", cf_upsert},
        {NULL, NULL, NULL}};
#undef PROJECTS
    bool own = r->n_segments < 3 || strcmp(r->segments[0], "accounts") != 0 ||
               strcmp(r->segments[1], r->account) == 0 || strncmp(r->account, "sim-", 4) == 0;

    if (!own)
        cf_refuse(r, 403, 10000, "Authentication error");
    else if (!sim_dispatch(r, table) && !cf_dns(r))
        error(r, 404);
}

static void books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    json_t *root = sim_state(s, p), *account, *project, *list = json_array();
    const char *account_id, *name;
    int live = 0;

    json_object_foreach(sim_member(root, "accounts"), account_id, account)
        json_object_foreach(sim_member(account, "projects"), name, project)
    {
        const char *id = json_str(project, "live", NULL);
        const json_t *at = id ? cf_deployment(s, id) : NULL;

        live += at != NULL;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s*, s:I, s:s*}", "name", name, "account", account_id,
                            "live", id, "deployments",
                            (json_int_t)json_array_size(json_object_get(project, "deployments")),
                            "commit", json_str(at, "commit_hash", NULL)));
    }
    json_object_set_new(into, "projects", json_integer((json_int_t)json_array_size(list)));
    json_object_set_new(
        into, "deployments",
        json_integer((json_int_t)json_object_size(sim_member(root, "deployments"))));
    json_object_set_new(into, "live", json_integer(live));
    json_object_set_new(into, "project_list", list);
}

/* 1,200 requests in five minutes a user; over it, everything is refused for the next five. */
static const struct sim_rate rates[] = {
    {.requests = 1200, .window_ms = 300000, .name = "requests", .penalty = true}, {.requests = 0}};

const struct sim_platform sim_cloudflare = {
    .name = "cloudflare-pages",
    .base_path = "/client/v4",
    .site_suffix = ".pages.localhost",
    .rates = rates,
    .authenticate = authenticate,
    .unauthorised = unauthorised,
    .too_many = too_many,
    .rate_headers = rate_headers,
    .error = error,
    .handle = handle,
    .advance = cf_deployments_advance,
    .books = books,
    .site_rules = SIM_SITE_CLOUDFLARE,
    .short_lived = short_lived,
};
