#include "vercel.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

enum { LIMIT = 20, LIMIT_MAX = 100, PROJECTS_MAX = 200 };

static json_t *root_of(struct sim *s)
{
    return sim_state(s, &sim_vercel);
}

/* --- Answers --------------------------------------------------------------------------------- */

void vercel_refuse(struct sim_request *r, int status, const char *code, const char *message)
{
    sim_answer(r, status, json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message));
}

static const char *authenticate(struct sim_request *r)
{
    return sim_account(r, sim_bearer(r));
}

static void unauthorised(struct sim_request *r)
{
    sim_answer(r, 403,
               json_pack("{s:{s:s, s:s, s:b}}", "error", "code", "forbidden", "message",
                         "Not authorized", "invalidToken", 1));
}

static const char *limit_code(const struct sim_request *r)
{
    if (sim_route(r, "POST", "/:version/files"))
        return "api-upload-free";
    return sim_route(r, "POST", "/:version/deployments") ? "api-deployments-free-per-day"
                                                         : "rate_limited";
}

static void too_many(struct sim_request *r, int64_t retry_after_ms)
{
    sim_set_header(r, "Retry-After", "%lld", (long long)((retry_after_ms + 999) / 1000));
    sim_answer(r, 429,
               json_pack("{s:{s:s, s:s, s:{s:i, s:I}}}", "error", "code", limit_code(r), "message",
                         "Too many requests - try again later", "limit", "remaining", 0, "reset",
                         (json_int_t)sim_reset_epoch_ms(r->sim, retry_after_ms)));
}

static void rate_headers(struct sim_request *r, unsigned limit, unsigned remaining,
                         int64_t reset_ms)
{
    sim_set_header(r, "X-RateLimit-Limit", "%u", limit);
    sim_set_header(r, "X-RateLimit-Remaining", "%u", remaining);
    sim_set_header(r, "X-RateLimit-Reset", "%lld",
                   (long long)((sim_reset_epoch_ms(r->sim, reset_ms) + 999) / 1000));
}

static void error(struct sim_request *r, int status)
{
    if (status == 404)
        vercel_refuse(r, 404, "not_found", "The requested API endpoint was not found.");
    else
        vercel_refuse(r, status, status >= 500 ? "internal_server_error" : "bad_request",
                      "An unexpected error occurred");
}

/* --- Users and teams ------------------------------------------------------------------------- */

const char *vercel_space(struct sim_request *r)
{
    return arena_printf(r->arena, "vercel.%s", r->account);
}

static void user_get(struct sim_request *r)
{
    sim_answer(r, 200,
               json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:{s:s}}}", "user", "id",
                         "usr_simulated0001", "uid", "usr_simulated0001", "email",
                         "simulated@example.invalid", "name", "Simulated User", "username",
                         "simulated", "defaultTeamId", r->account, "version", "northstar",
                         "limited", 0, "billing", "plan", "hobby"));
}

static json_t *team_show(const struct sim_request *r)
{
    return json_pack("{s:s, s:s, s:s, s:{s:s, s:b}, s:{s:s}, s:i}", "id", r->account, "slug",
                     "simulated", "name", "Simulated team", "membership", "role", "OWNER",
                     "confirmed", 1, "billing", "plan", "hobby", "createdAt", 1);
}

static void teams_list(struct sim_request *r)
{
    sim_answer(r, 200,
               json_pack("{s:[o], s:{s:i, s:n, s:n}}", "teams", team_show(r), "pagination", "count",
                         1, "next", "prev"));
}

static void team_get(struct sim_request *r)
{
    const char *id = r->segments[r->n_segments - 1];

    if (strcmp(id, r->account) == 0 || strcmp(id, "simulated") == 0)
        sim_answer(r, 200, team_show(r));
    else
        vercel_refuse(r, 404, "not_found", "Team not found");
}

/* --- Projects -------------------------------------------------------------------------------- */

json_t *vercel_projects(struct sim_request *r)
{
    json_t *accounts = sim_member(root_of(r->sim), "accounts");

    return sim_member(sim_member(accounts, r->account), "projects");
}

json_t *vercel_project(struct sim_request *r, const char *id)
{
    const char *name = json_string_value(json_object_get(sim_member(root_of(r->sim), "ids"), id));

    return json_object_get(vercel_projects(r), name ? name : id);
}

json_t *vercel_project_of(struct sim *s, const json_t *deployment)
{
    json_t *account =
        json_object_get(sim_member(root_of(s), "accounts"), json_str(deployment, "account", ""));

    return json_object_get(sim_member(account, "projects"), json_str(deployment, "project", ""));
}

json_t *vercel_project_of_path(struct sim_request *r)
{
    json_t *project = vercel_project(r, r->segments[2]);

    if (!project)
        vercel_refuse(r, 404, "not_found", "Project not found.");
    return project;
}

static const char *free_host(struct sim_request *r, const char *name)
{
    json_t *hosts = sim_member(root_of(r->sim), "hosts");
    const char *host = arena_printf(r->arena, "%s%s", name, r->platform->site_suffix);
    char end[8];

    while (json_object_get(hosts, host)) {
        sim_id(r->sim, "-", 4, end, sizeof(end));
        host = arena_printf(r->arena, "%s%s%s", name, end, r->platform->site_suffix);
    }
    json_object_set_new(hosts, host, json_string(r->account));
    return host;
}

json_t *vercel_project_make(struct sim_request *r, const char *name)
{
    json_t *project;
    char id[40];

    sim_id(r->sim, "prj_", 28, id, sizeof(id));
    project = json_pack("{s:s, s:s, s:s, s:s, s:I, s:[], s:b}", "id", id, "name", name, "account",
                        r->account, "host", free_host(r, name), "created_ms",
                        (json_int_t)sim_now_ms(r->sim), "deployments", "auto_assign", 1);
    json_object_set_new(vercel_projects(r), name, project);
    json_object_set_new(sim_member(root_of(r->sim), "ids"), id, json_string(name));
    sim_changed(r->sim);
    return project;
}

/* The deployment in short, as a project lists it. */
static json_t *summary(struct sim *s, const char *id)
{
    const json_t *d = id ? vercel_deployment(s, id) : NULL;

    return d ? vercel_deployment_show(s, d) : NULL;
}

static json_t *project_show(struct sim *s, const json_t *p)
{
    const json_t *ids = json_object_get(p, "deployments");
    size_t n = json_array_size(ids);
    json_t *latest = json_array(), *live = summary(s, json_str(p, "live", NULL)), *shown;
    char hostport[320];

    if (n > 0)
        json_array_append_new(latest, summary(s, json_string_value(json_array_get(ids, n - 1))));
    sim_site_hostport(s, json_str(p, "host", ""), hostport);
    shown = json_pack(
        "{s:s, s:s, s:s, s:n, s:I, s:I, s:b, s:s, s:n, s:o, s:{}, s:b, s:[], s:[{s:s, s:s, s:s}], "
        "s:b, s:o*}",
        "id", json_str(p, "id", ""), "name", json_str(p, "name", ""), "accountId",
        json_str(p, "account", ""), "framework", "createdAt",
        (json_int_t)json_int(p, "created_ms", 0), "updatedAt",
        (json_int_t)json_int(p, "created_ms", 0), "directoryListing", 0, "nodeVersion", "22.x",
        "link", "latestDeployments", latest, "targets", "live", 0, "env", "alias", "domain",
        hostport, "target", "PRODUCTION", "deployment", json_str(p, "live", ""),
        "autoAssignCustomDomains", json_flag(p, "auto_assign", true), "lastAliasRequest",
        vercel_alias_request_show(s, p));
    if (live)
        json_object_set_new(json_object_get(shown, "targets"), "production", live);
    return shown;
}

static void project_create(struct sim_request *r)
{
    const char *name = json_str(r->json, "name", NULL);
    size_t len = name ? strlen(name) : 0;

    if (len == 0 || len > 100 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != len) {
        vercel_refuse(r, 400, "bad_request",
                      "Project names can be up to 100 characters long and must be lowercase. They "
                      "can include letters, digits, and the following characters: '.', '_', '-'.");
    } else if (json_object_get(vercel_projects(r), name)) {
        vercel_refuse(r, 409, "conflict",
                      "A project with this name already exists in the account.");
    } else if (json_object_size(vercel_projects(r)) >= PROJECTS_MAX) {
        vercel_refuse(r, 400, "bad_request", "The plan's limit of 200 projects is reached.");
    } else {
        sim_answer(r, 200, project_show(r->sim, vercel_project_make(r, name)));
    }
}

static void project_list(struct sim_request *r)
{
    const char *name, *search = sim_query(r, "search");
    int64_t limit = sim_query_int(r, "limit", LIMIT), from = sim_query_int(r, "from", INT64_MAX);
    const json_t *projects = vercel_projects(r);
    json_t *list = json_array(), *project, *next = json_null();

    limit = limit < 1 ? 1 : limit > LIMIT_MAX ? LIMIT_MAX : limit;
    json_object_foreach((json_t *)(uintptr_t)projects, name, project)
    {
        int64_t made = json_int(project, "created_ms", 0);

        if (made >= from || (search && !strstr(name, search)))
            continue;
        json_array_insert_new(list, 0, project_show(r->sim, project)); /* newest first */
    }
    if ((int64_t)json_array_size(list) > limit) {
        const json_t *last = json_array_get(list, (size_t)limit - 1);

        next = json_integer((json_int_t)json_int(last, "createdAt", 0));
        while ((int64_t)json_array_size(list) > limit)
            json_array_remove(list, json_array_size(list) - 1);
    }
    sim_answer(r, 200,
               json_pack("{s:o, s:{s:I, s:o, s:n}}", "projects", list, "pagination", "count",
                         (json_int_t)json_array_size(list), "next", next, "prev"));
}

static void project_get(struct sim_request *r)
{
    const json_t *project = vercel_project_of_path(r);

    if (project)
        sim_answer(r, 200, project_show(r->sim, project));
}

static void project_delete(struct sim_request *r)
{
    json_t *project = vercel_project_of_path(r), *id;
    const char *host, *name;
    size_t i;

    if (!project)
        return;
    json_array_foreach(json_object_get(project, "deployments"), i, id)
        vercel_deployment_forget(r->sim, json_string_value(id));
    host = json_str(project, "host", "");
    name = arena_strdup(r->arena, json_str(project, "name", ""));
    sim_site_remove(r->sim, host);
    json_object_del(sim_member(root_of(r->sim), "hosts"), host);
    json_object_del(sim_member(root_of(r->sim), "ids"), json_str(project, "id", ""));
    json_object_del(vercel_projects(r), name);
    sim_changed(r->sim);
    sim_answer(r, 204, NULL);
}

static void env_list(struct sim_request *r)
{
    if (vercel_project_of_path(r))
        sim_answer(r, 200, json_pack("{s:[]}", "envs"));
}

/* --- The platform ---------------------------------------------------------------------------- */

/* The token's own team, or none named; made-up tokens may name any. */
static bool scope_is_own(struct sim_request *r)
{
    const char *team = sim_query(r, "teamId"), *slug = sim_query(r, "slug");

    if (strncmp(r->account, "sim-", 4) == 0)
        return true;
    return (!team || strcmp(team, r->account) == 0) && (!slug || strcmp(slug, "simulated") == 0);
}

static void handle(struct sim_request *r)
{
#define PROJECT "/:version/projects/:project"
    static const struct sim_endpoint table[] = {
        {"GET", "/:version/user", user_get},
        {"GET", "/teams/:team", team_get},
        {"GET", "/:version/teams", teams_list},
        {"GET", "/:version/teams/:team", team_get},
        {"GET", "/:version/projects", project_list},
        {"POST", "/:version/projects", project_create},
        {"GET", PROJECT, project_get},
        {"PATCH", PROJECT, project_get},
        {"DELETE", PROJECT, project_delete},
        {"GET", PROJECT "/env", env_list},
        {"POST", PROJECT "/rollback/:deployment", vercel_rollback},
        {"POST", PROJECT "/promote/:deployment", vercel_promote},
        {"GET", PROJECT "/rollback/aliases", vercel_rollback_aliases},
        {"GET", PROJECT "/promote/aliases", vercel_rollback_aliases},
        {"POST", "/:version/files", vercel_file_post},
        {"POST", "/:version/now/files", vercel_file_post},
        {"GET", "/:version/deployments", vercel_deployment_list},
        {"POST", "/:version/deployments", vercel_deployment_create},
        {"GET", "/:version/deployments/:id", vercel_deployment_get},
        {"DELETE", "/:version/deployments/:id", vercel_deployment_delete},
        {"PATCH", "/:version/deployments/:id/cancel", vercel_deployment_cancel},
        {"GET", "/:version/deployments/:id/events", vercel_events_get},
        {"GET", "/:version/now/deployments/:id/events", vercel_events_get},
        {NULL, NULL, NULL}};
#undef PROJECT

    if (!scope_is_own(r))
        vercel_refuse(r, 403, "forbidden", "You don't have permission to access this scope.");
    else if (!sim_dispatch(r, table))
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
        const char *live_id = json_str(project, "live", NULL);

        live += live_id != NULL;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s*, s:I}", "name", name, "account", account_id, "live",
                            live_id, "deployments",
                            (json_int_t)json_array_size(json_object_get(project, "deployments"))));
    }
    json_object_set_new(into, "projects", json_integer((json_int_t)json_array_size(list)));
    json_object_set_new(
        into, "deployments",
        json_integer((json_int_t)json_object_size(sim_member(root, "deployments"))));
    json_object_set_new(into, "live", json_integer(live));
    json_object_set_new(into, "project_list", list);
}

/* The free plan's quotas of a rolling day. */
static const struct sim_rate rates[] = {{.method = "POST",
                                         .pattern = "/v*/deployments",
                                         .requests = 100,
                                         .window_ms = 86400000,
                                         .name = "deployments_a_day",
                                         .on_success = true},
                                        {.method = "POST",
                                         .pattern = "/v*/files",
                                         .requests = 5000,
                                         .window_ms = 86400000,
                                         .name = "uploads_a_day",
                                         .on_success = true},
                                        {.requests = 0}};

const struct sim_platform sim_vercel = {
    .name = "vercel",
    .base_path = "",
    .site_suffix = ".vercel.localhost",
    .rates = rates,
    .authenticate = authenticate,
    .unauthorised = unauthorised,
    .too_many = too_many,
    .rate_headers = rate_headers,
    .error = error,
    .handle = handle,
    .advance = vercel_deployments_advance,
    .books = books,
    .site_rules = SIM_SITE_VERCEL,
};
