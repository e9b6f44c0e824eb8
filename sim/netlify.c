#include "netlify.h"

#include "base/buf.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

enum { PER_PAGE = 100, NAME_MAX_LEN = 63 };

static json_t *root_of(struct sim *s)
{
    return sim_state(s, &sim_netlify);
}

/* --- Answers --------------------------------------------------------------------------------- */

void netlify_refuse(struct sim_request *r, int status, const char *message)
{
    sim_answer(r, status, json_pack("{s:i, s:s}", "code", status, "message", message));
}

static void link_add(struct sim_request *r, struct buf *to, int64_t page, int64_t per_page,
                     const char *rel)
{
    buf_addf(to, "%s<%s%s?page=%lld&per_page=%lld>; rel=\"%s\"", to->len ? ", " : "",
             r->platform->base_path, r->path, (long long)page, (long long)per_page, rel);
}

void netlify_page(struct sim_request *r, json_t *list)
{
    int64_t page = sim_query_int(r, "page", 1), per_page = sim_query_int(r, "per_page", PER_PAGE);
    int64_t total = (int64_t)json_array_size(list), last;
    json_t *shown = json_array();
    struct buf links = BUF_INIT(4096);

    page = page < 1 ? 1 : page;
    per_page = per_page < 1 || per_page > PER_PAGE ? PER_PAGE : per_page;
    last = total ? (total + per_page - 1) / per_page : 1;
    for (int64_t i = (page - 1) * per_page; i < page * per_page && i < total; i++)
        json_array_append(shown, json_array_get(list, (size_t)i));
    json_decref(list);
    if (page < last)
        link_add(r, &links, page + 1, per_page, "next");
    if (page > 1)
        link_add(r, &links, page - 1, per_page, "prev");
    if (last > 1)
        link_add(r, &links, last, per_page, "last");
    if (links.len)
        sim_set_header(r, "Link", "%s", buf_str(&links));
    buf_release(&links);
    sim_answer(r, 200, shown);
}

static const char *authenticate(struct sim_request *r)
{
    return sim_account(r, sim_bearer(r));
}

static void unauthorised(struct sim_request *r)
{
    netlify_refuse(r, 401, "Access Denied");
}

static void too_many(struct sim_request *r, int64_t retry_after_ms)
{
    (void)retry_after_ms; /* told by X-RateLimit-Reset, as the platform does */
    netlify_refuse(r, 429, "API rate limit exceeded");
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
        sim_answer_text(r, 404, "text/plain", "Not Found");
    else
        netlify_refuse(r, status, status >= 500 ? "Internal Server Error" : "Bad Request");
}

/* --- Accounts -------------------------------------------------------------------------------- */

const char *netlify_space(struct sim_request *r)
{
    return arena_printf(r->arena, "netlify.%s", r->account);
}

static void user_get(struct sim_request *r)
{
    sim_answer(r, 200,
               json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", "5130c0ffee00000000000001", "email",
                         "simulated@example.invalid", "full_name", "Simulated User", "slug",
                         r->account, "site_count",
                         (json_int_t)json_object_size(sim_member(root_of(r->sim), "sites"))));
}

static void accounts_list(struct sim_request *r)
{
    sim_answer(r, 200,
               json_pack("[{s:s, s:s, s:s, s:b, s:s, s:{}}]", "id", r->account, "slug", r->account,
                         "name", "Simulated team", "default", 1, "type_name", "Free",
                         "capabilities"));
}

/* --- Environment variables: kept per account and site, as given ------------------------------ */

static json_t *env_of(struct sim_request *r)
{
    const char *site = sim_query(r, "site_id");
    const char *key = arena_printf(r->arena, "%s %s", r->account, site ? site : "");

    return sim_member(sim_member(root_of(r->sim), "env"), key);
}

static void env_list(struct sim_request *r)
{
    json_t *list = json_array(), *value;
    const char *key;

    json_object_foreach(env_of(r), key, value) json_array_append(list, value);
    sim_answer(r, 200, list);
}

static void env_create(struct sim_request *r)
{
    json_t *env = env_of(r), *value;
    size_t i;

    json_array_foreach(r->json, i, value)
    {
        const char *key = json_str(value, "key", NULL);

        if (key)
            json_object_set(env, key, value);
    }
    sim_changed(r->sim);
    sim_answer(r, 201, json_is_array(r->json) ? json_deep_copy(r->json) : json_array());
}

static void env_put(struct sim_request *r)
{
    if (!json_is_object(r->json)) {
        netlify_refuse(r, 422, "the body must be a JSON object");
        return;
    }
    json_object_set(env_of(r), r->segments[3], r->json);
    sim_changed(r->sim);
    sim_answer(r, 200, json_deep_copy(r->json));
}

static void env_delete(struct sim_request *r)
{
    json_object_del(env_of(r), r->segments[3]);
    sim_changed(r->sim);
    sim_answer(r, 204, NULL);
}

/* --- Sites ----------------------------------------------------------------------------------- */

static bool is_mine(const struct sim_request *r, const json_t *site)
{
    return strcmp(json_str(site, "account", ""), r->account) == 0;
}

json_t *netlify_site(struct sim_request *r, const char *id)
{
    json_t *sites = sim_member(root_of(r->sim), "sites"), *site = json_object_get(sites, id);
    const char *dot = strchr(id, '.'), *by_name;

    if (!site && dot) { /* the default domain works, too */
        by_name = json_string_value(json_object_get(
            sim_member(root_of(r->sim), "names"), arena_strndup(r->arena, id, (size_t)(dot - id))));
        site = by_name ? json_object_get(sites, by_name) : NULL;
    }
    if (site && is_mine(r, site))
        return site;
    netlify_refuse(r, 404, "Not Found");
    return NULL;
}

static json_t *site_show(struct sim *s, const json_t *site)
{
    const char *live = json_str(site, "live", NULL), *name = json_str(site, "name", "");
    const json_t *deploy = live ? netlify_deploy(s, live) : NULL;
    char url[320], created[32];

    sim_site_origin(s, json_str(site, "host", ""), url);
    sim_iso(json_int(site, "created_ms", 0), created);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{}, s:{}, s:{}, s:n, "
        "s:b, s:b, s:o}",
        "id", json_str(site, "id", ""), "site_id", json_str(site, "id", ""), "name", name, "url",
        url, "ssl_url", url, "admin_url", json_sprintf("https://app.netlify.com/projects/%s", name),
        "account_id", json_str(site, "account", ""), "account_slug", json_str(site, "account", ""),
        "account_name", "Simulated team", "state", "current", "plan", "nf_team_dev", "created_at",
        created, "updated_at", created, "capabilities", "build_settings", "processing_settings",
        "custom_domain", "use_envelope", 1, "prevent_non_git_prod_deploys", 0, "published_deploy",
        deploy ? netlify_deploy_show(s, deploy) : json_null());
}

static void site_list(struct sim_request *r)
{
    const char *id, *name = sim_query(r, "name");
    json_t *list = json_array(), *site;

    json_object_foreach(sim_member(root_of(r->sim), "sites"), id, site)
    {
        if (is_mine(r, site) && (!name || strstr(json_str(site, "name", ""), name)))
            json_array_append_new(list, site_show(r->sim, site));
    }
    netlify_page(r, list);
}

static bool name_is_good(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= NAME_MAX_LEN &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && name[0] != '-';
}

static void refuse_name(struct sim_request *r, const char *why)
{
    sim_answer(r, 422,
               json_pack("{s:i, s:s, s:{s:[s]}}", "code", 422, "message", "Unprocessable Entity",
                         "errors", "subdomain", why));
}

static void site_create(struct sim_request *r)
{
    json_t *names = sim_member(root_of(r->sim), "names"), *site;
    const char *name = json_str(r->json, "name", NULL);
    char made_up[32], id[37];

    if (!name) {
        sim_id(r->sim, "simulated-", 10, made_up, sizeof(made_up));
        name = made_up;
    }
    if (!name_is_good(name)) {
        refuse_name(r, "may have lower-case letters, digits and hyphens only");
        return;
    }
    if (json_object_get(names, name)) {
        refuse_name(r, "must be unique");
        return;
    }
    sim_uuid(r->sim, id);
    site = json_pack("{s:s, s:s, s:s, s:I, s:[], s:o}", "id", id, "name", name, "account",
                     r->account, "created_ms", (json_int_t)sim_now_ms(r->sim), "deploys", "host",
                     json_sprintf("%s%s", name, r->platform->site_suffix));
    json_object_set_new(names, name, json_string(id));
    json_object_set_new(sim_member(root_of(r->sim), "sites"), id, site);
    sim_changed(r->sim);
    sim_answer(r, 201, site_show(r->sim, site));
}

static void site_get(struct sim_request *r)
{
    const json_t *site = netlify_site(r, r->segments[1]);

    if (site)
        sim_answer(r, 200, site_show(r->sim, site));
}

static void site_patch(struct sim_request *r)
{
    const json_t *site = netlify_site(r, r->segments[1]);

    if (site) /* settings that a rehearsal has no use for are accepted and not kept */
        sim_answer(r, 200, site_show(r->sim, site));
}

static void site_delete(struct sim_request *r)
{
    json_t *site = netlify_site(r, r->segments[1]), *id;
    size_t i;

    if (!site)
        return;
    json_array_foreach(json_object_get(site, "deploys"), i, id)
        netlify_deploy_forget(r->sim, json_string_value(id));
    sim_site_remove(r->sim, json_str(site, "host", ""));
    json_object_del(sim_member(root_of(r->sim), "names"), json_str(site, "name", ""));
    json_object_del(sim_member(root_of(r->sim), "sites"),
                    arena_strdup(r->arena, json_str(site, "id", "")));
    sim_changed(r->sim);
    sim_answer(r, 204, NULL);
}

/* --- The platform ---------------------------------------------------------------------------- */

static void handle(struct sim_request *r)
{
    static const struct sim_endpoint table[] = {
        {"GET", "/user", user_get},
        {"GET", "/accounts", accounts_list},
        {"GET", "/accounts/:account/env", env_list},
        {"POST", "/accounts/:account/env", env_create},
        {"PUT", "/accounts/:account/env/:key", env_put},
        {"DELETE", "/accounts/:account/env/:key", env_delete},
        {"GET", "/sites/:id/env", env_list},
        {"GET", "/sites", site_list},
        {"POST", "/sites", site_create},
        {"GET", "/sites/:id", site_get},
        {"PATCH", "/sites/:id", site_patch},
        {"PUT", "/sites/:id", site_patch},
        {"DELETE", "/sites/:id", site_delete},
        {"PUT", "/sites/:id/rollback", netlify_rollback},
        {"GET", "/sites/:id/deploys", netlify_deploy_list},
        {"POST", "/sites/:id/deploys", netlify_deploy_create},
        {"GET", "/sites/:id/deploys/:deploy", netlify_deploy_get},
        {"PUT", "/sites/:id/deploys/:deploy", netlify_deploy_digest},
        {"POST", "/sites/:id/deploys/:deploy/restore", netlify_deploy_restore},
        {"GET", "/deploys/:deploy", netlify_deploy_get},
        {"DELETE", "/deploys/:deploy", netlify_deploy_delete},
        {"POST", "/deploys/:deploy/cancel", netlify_deploy_cancel},
        {"POST", "/deploys/:deploy/lock", netlify_deploy_lock},
        {"POST", "/deploys/:deploy/unlock", netlify_deploy_unlock},
        {"PUT", "/deploys/:deploy/files/**", netlify_file_put},
        {"GET", "/:account/sites", site_list},
        {"POST", "/:account/sites", site_create},
        {NULL, NULL, NULL}};

    if (!sim_dispatch(r, table))
        error(r, 404);
}

static void books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    json_t *root = sim_state(s, p), *site, *list = json_array();
    const char *id;
    int live = 0;

    json_object_foreach(sim_member(root, "sites"), id, site)
    {
        const char *live_id = json_str(site, "live", NULL);

        live += live_id != NULL;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s*, s:I}", "name", json_str(site, "name", ""), "account",
                            json_str(site, "account", ""), "live", live_id, "deployments",
                            (json_int_t)json_array_size(json_object_get(site, "deploys"))));
    }
    json_object_set_new(into, "projects", json_integer((json_int_t)json_array_size(list)));
    json_object_set_new(into, "deployments",
                        json_integer((json_int_t)json_object_size(sim_member(root, "deploys"))));
    json_object_set_new(into, "live", json_integer(live));
    json_object_set_new(into, "project_list", list);
}

static const struct sim_rate rates[] = {{.requests = 500, .window_ms = 60000, .name = "requests"},
                                        {.method = "POST",
                                         .pattern = "/sites/*/deploys",
                                         .requests = 3,
                                         .window_ms = 60000,
                                         .name = "deploys"},
                                        {.method = "POST",
                                         .pattern = "/sites/*/deploys",
                                         .requests = 100,
                                         .window_ms = 86400000,
                                         .name = "deploys_a_day"},
                                        {.requests = 0}};

const struct sim_platform sim_netlify = {
    .name = "netlify",
    .base_path = "/api/v1",
    .site_suffix = ".netlify.localhost",
    .rates = rates,
    .authenticate = authenticate,
    .unauthorised = unauthorised,
    .too_many = too_many,
    .rate_headers = rate_headers,
    .error = error,
    .handle = handle,
    .advance = netlify_deploys_advance,
    .books = books,
    .site_rules = SIM_SITE_NETLIFY,
};
