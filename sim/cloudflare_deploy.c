#include "cloudflare.h"
#include "form.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* Deployments of Cloudflare Pages: a manifest of path -> key, then stages, then the site is there.
 */
enum {
    PER_PAGE = 25,
    QUEUED_MS = 500, /* simulated, from the creation on */
    INITIALIZED_MS = 1000,
    DEPLOYED_MS = 3000,
    MESSAGE_MAX = 384,
    FILES_MAX = 20000,
};

static json_t *root_of(struct sim *s)
{
    return sim_state(s, &sim_cloudflare);
}

json_t *cf_deployment(struct sim *s, const char *id)
{
    return json_object_get(sim_member(root_of(s), "deployments"), id);
}

/* --- Showing --------------------------------------------------------------------------------- */

struct stage {
    const char *name, *status;
};

static struct stage stage_of(struct sim *s, const json_t *d)
{
    int64_t age_ms = sim_now_ms(s) - json_int(d, "created_ms", 0);

    if (json_flag(d, "done", false))
        return (struct stage){"deploy", "success"};
    if (age_ms < QUEUED_MS)
        return (struct stage){"queued", "active"};
    if (age_ms < INITIALIZED_MS)
        return (struct stage){"initialize", "active"};
    return (struct stage){"deploy", "active"};
}

static json_t *stages_show(struct stage now, const char *started)
{
    static const char *const names[] = {"queued", "initialize", "clone_repo", "build", "deploy"};
    json_t *list = json_array();
    bool before = true;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        bool here = strcmp(names[i], now.name) == 0;
        const char *status = here ? now.status : before ? "success" : "idle";

        before = before && !here;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s?, s:s?}", "name", names[i], "status", status,
                            "started_on", strcmp(status, "idle") == 0 ? NULL : started, "ended_on",
                            strcmp(status, "success") == 0 ? started : NULL));
    }
    return list;
}

json_t *cf_deployment_show(struct sim *s, const json_t *d)
{
    struct stage now = stage_of(s, d);
    bool done = strcmp(now.status, "success") == 0;
    const char *alias = json_str(d, "alias", NULL);
    char created[32], url[320], alias_url[320];
    json_t *shown;

    sim_iso(json_int(d, "created_ms", 0), created);
    sim_site_origin(s, json_str(d, "host", ""), url);
    shown = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:n, s:n, s:{s:s, s:s, s:s, s:s?}, s:o, "
        "s:{s:s, s:{s:s, s:s, s:s, s:b}}, s:s}",
        "id", json_str(d, "id", ""), "short_id", json_str(d, "short_id", ""), "project_id",
        json_str(d, "project_id", ""), "project_name", json_str(d, "project", ""), "environment",
        json_str(d, "environment", ""), "url", url, "created_on", created, "modified_on", created,
        "is_skipped", 0, "skip_reason", "aliases", "latest_stage", "name", now.name, "status",
        now.status, "started_on", created, "ended_on", done ? created : NULL, "stages",
        stages_show(now, created), "deployment_trigger", "type", "ad_hoc", "metadata", "branch",
        json_str(d, "branch", ""), "commit_hash", json_str(d, "commit_hash", ""), "commit_message",
        json_str(d, "commit_message", ""), "commit_dirty", json_flag(d, "commit_dirty", false),
        "production_branch", json_str(d, "production_branch", "main"));
    if (alias) {
        sim_site_origin(s, alias, alias_url);
        json_object_set_new(shown, "aliases", json_pack("[s]", alias_url));
    }
    return shown;
}

/* --- Creating -------------------------------------------------------------------------------- */

/* {"/path": "key"} with every key stored and right; what is wrong, or NULL. */
static const char *check_manifest(struct sim_request *r, const json_t *manifest)
{
    const char *path, *space = cf_space(r);
    json_t *key;

    if (!json_is_object(manifest))
        return "The `manifest` field must be a JSON object of paths and hashes.";
    if (json_object_size(manifest) > FILES_MAX)
        return "Pages only supports up to 20,000 files in a deployment.";
    json_object_foreach((json_t *)(uintptr_t)manifest, path, key)
    {
        const char *text = json_string_value(key);

        if (path[0] != '/' || !text)
            return arena_printf(r->arena, "manifest: %s: paths begin with '/' and hashes are text",
                                path);
        if (!sim_blob_has(r->sim, space, text))
            return arena_printf(r->arena, "manifest: %s: hash %s was never uploaded", path, text);
        if (!cf_key_is_right(r, text, path))
            return arena_printf(r->arena, "manifest: %s: hash %s is not this file's", path, text);
    }
    return NULL;
}

/* The branch as a part of a host name: lower-case, everything odd a hyphen, 28 characters. */
static const char *branch_label(struct arena *arena, const char *branch)
{
    char *label = arena_strndup(arena, branch, strnlen(branch, 28));

    for (char *p = label; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
        else if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')))
            *p = '-';
    }
    return label;
}

static void set_text(json_t *to, const char *name, const char *text)
{
    if (text)
        json_object_set_new(to, name, json_string(text));
}

static json_t *deployment_make(struct sim_request *r, const json_t *project, const char *branch,
                               json_t *files)
{
    const char *main_branch = json_str(project, "production_branch", "main");
    bool production = !branch || strcmp(branch, main_branch) == 0;
    const char *project_host = json_str(project, "host", "");
    char id[37];
    json_t *d;

    sim_uuid(r->sim, id);
    d = json_pack("{s:s, s:s%, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o, s:s}", "id", id,
                  "short_id", id, (size_t)8, "project", json_str(project, "name", ""), "project_id",
                  json_str(project, "id", ""), "project_host", project_host, "account", r->account,
                  "environment", production ? "production" : "preview", "branch",
                  branch ? branch : main_branch, "created_ms", (json_int_t)sim_now_ms(r->sim),
                  "production_branch", main_branch, "files", files, "space", cf_space(r));
    json_object_set_new(d, "host", json_sprintf("%.8s.%s", id, project_host));
    if (!production)
        json_object_set_new(d, "alias",
                            json_sprintf("%s.%s", branch_label(r->arena, branch), project_host));
    return d;
}

/* Into the books; from now on it advances by itself. */
static void deployment_enter(struct sim *s, json_t *project, json_t *d)
{
    const char *id = json_str(d, "id", "");

    json_array_append_new(json_object_get(project, "deployments"), json_string(id));
    json_object_set_new(sim_member(root_of(s), "pending"), id, json_true());
    json_object_set_new(sim_member(root_of(s), "deployments"), id, d);
    sim_changed(s);
}

void cf_deployment_create(struct sim_request *r)
{
    json_t *project = cf_project(r), *manifest, *d;
    struct err ignored = ERR_INIT;
    struct form_part *parts;
    const char *text, *wrong, *dirty;
    size_t n = 0;

    if (!project)
        return;
    parts = form_parse(r->arena, sim_header(r, "Content-Type"), r->body, r->body_len, &n);
    text = form_text(r->arena, parts, n, "manifest");
    manifest = text ? json_read(text, strlen(text), "manifest", &ignored) : NULL;
    wrong = parts ? check_manifest(r, manifest) : "The body must be multipart/form-data.";
    if (wrong) {
        json_decref(manifest);
        cf_refuse(r, 400, CF_BAD_REQUEST, wrong);
        return;
    }
    d = deployment_make(r, project, form_text(r->arena, parts, n, "branch"), manifest);
    text = form_text(r->arena, parts, n, "commit_message");
    if (text)
        set_text(d, "commit_message", arena_strndup(r->arena, text, strnlen(text, MESSAGE_MAX)));
    set_text(d, "commit_hash", form_text(r->arena, parts, n, "commit_hash"));
    set_text(d, "headers", form_text(r->arena, parts, n, "_headers"));
    set_text(d, "redirects", form_text(r->arena, parts, n, "_redirects"));
    dirty = form_text(r->arena, parts, n, "commit_dirty");
    json_object_set_new(d, "commit_dirty", json_boolean(dirty && strcmp(dirty, "true") == 0));
    deployment_enter(r->sim, project, d);
    cf_answer(r, cf_deployment_show(r->sim, d));
}

/* --- Going on -------------------------------------------------------------------------------- */

static json_t *project_of(struct sim *s, const json_t *d)
{
    json_t *account =
        json_object_get(sim_member(root_of(s), "accounts"), json_str(d, "account", ""));

    return json_object_get(sim_member(account, "projects"), json_str(d, "project", ""));
}

static void make_live(struct sim *s, json_t *project, const json_t *d)
{
    json_object_set_new(project, "live", json_string(json_str(d, "id", "")));
    sim_site_alias(s, &sim_cloudflare, json_str(project, "host", ""), json_str(d, "host", ""));
}

static void deployment_finish(struct sim *s, json_t *d)
{
    json_t *project = project_of(s, d);
    const char *branch_host = json_str(d, "alias", NULL), *target = json_str(d, "host", "");

    sim_site_static(s, &sim_cloudflare, target, json_str(d, "space", ""),
                    json_object_get(d, "files"));
    sim_site_rules(s, target, json_str(d, "headers", NULL), json_str(d, "redirects", NULL));
    json_object_del(d, "files"); /* the site has them now */
    json_object_del(d, "headers");
    json_object_del(d, "redirects");
    json_object_set_new(d, "done", json_true());
    if (branch_host)
        sim_site_alias(s, &sim_cloudflare, branch_host, target);
    else if (project)
        make_live(s, project, d);
}

void cf_deployments_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms)
{
    json_t *pending = sim_member(sim_state(s, p), "pending"), *value;
    const char *id;
    void *next;

    json_object_foreach_safe(pending, next, id, value)
    {
        json_t *d = cf_deployment(s, id);

        if (d && now_ms - json_int(d, "created_ms", 0) < DEPLOYED_MS)
            continue;
        if (d)
            deployment_finish(s, d);
        json_object_del(pending, id);
        sim_changed(s);
    }
}

/* --- Asking and undoing ---------------------------------------------------------------------- */

static json_t *deployment_of_path(struct sim_request *r)
{
    json_t *project = cf_project(r), *d;

    if (!project)
        return NULL;
    d = cf_deployment(r->sim, r->segments[6]);
    if (d && strcmp(json_str(d, "project_id", ""), json_str(project, "id", "")) == 0)
        return d;
    cf_refuse(r, 404, CF_NO_DEPLOYMENT, "The deployment ID you have specified does not exist.");
    return NULL;
}

void cf_deployment_list(struct sim_request *r)
{
    const json_t *project = cf_project(r), *ids;
    const char *environment = sim_query(r, "env");
    json_t *list;

    if (!project)
        return;
    list = json_array();
    ids = json_object_get(project, "deployments");
    for (size_t i = json_array_size(ids); i-- > 0;) {
        const json_t *d = cf_deployment(r->sim, json_string_value(json_array_get(ids, i)));

        if (d && (!environment || strcmp(environment, json_str(d, "environment", "")) == 0))
            json_array_append_new(list, cf_deployment_show(r->sim, d));
    }
    cf_page(r, list, PER_PAGE, PER_PAGE);
}

void cf_deployment_get(struct sim_request *r)
{
    const json_t *d = deployment_of_path(r);

    if (d)
        cf_answer(r, cf_deployment_show(r->sim, d));
}

void cf_deployment_rollback(struct sim_request *r)
{
    json_t *d = deployment_of_path(r);

    if (!d)
        return;
    if (!json_flag(d, "done", false) || strcmp(json_str(d, "environment", ""), "production") != 0) {
        cf_refuse(r, 400, CF_BAD_REQUEST,
                  "Only successful production deployments can be rolled back to.");
        return;
    }
    make_live(r->sim, project_of(r->sim, d), d);
    sim_changed(r->sim);
    cf_answer(r, cf_deployment_show(r->sim, d));
}

void cf_deployment_retry(struct sim_request *r)
{
    json_t *d = deployment_of_path(r);

    if (d && json_flag(d, "done", false))
        cf_refuse(r, 400, CF_BAD_REQUEST, "Only failed deployments can be retried.");
    else if (d)
        cf_answer(r, cf_deployment_show(r->sim, d));
}

void cf_deployment_forget(struct sim *s, const char *id)
{
    const json_t *d = cf_deployment(s, id);

    if (!d)
        return;
    sim_site_remove(s, json_str(d, "host", ""));
    if (json_str(d, "alias", NULL))
        sim_site_remove(s, json_str(d, "alias", ""));
    json_object_del(sim_member(root_of(s), "pending"), id);
    json_object_del(sim_member(root_of(s), "deployments"), id);
    sim_changed(s);
}

void cf_deployment_delete(struct sim_request *r)
{
    json_t *d = deployment_of_path(r), *project, *ids;

    if (!d)
        return;
    project = project_of(r->sim, d);
    if (strcmp(json_str(project, "live", ""), json_str(d, "id", "")) == 0) {
        cf_refuse(r, 400, CF_BAD_REQUEST,
                  "You cannot delete the deployment that is live in production.");
        return;
    }
    ids = json_object_get(project, "deployments");
    for (size_t i = json_array_size(ids); i-- > 0;)
        if (strcmp(json_string_value(json_array_get(ids, i)), r->segments[6]) == 0)
            json_array_remove(ids, i);
    cf_deployment_forget(r->sim, r->segments[6]);
    cf_answer(r, NULL);
}

void cf_deployment_logs(struct sim_request *r)
{
    const json_t *d = deployment_of_path(r);
    char at[32];

    if (!d)
        return;
    sim_iso(json_int(d, "created_ms", 0), at);
    cf_answer(r, json_pack("{s:i, s:b, s:[{s:s, s:s}]}", "total", 1, "includes_container_logs", 0,
                           "data", "ts", at, "line", "Assets published!"));
}
