#include "netlify.h"

#include "base/hash.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

/*
 * Deploys by digest: new -> (preparing ->) uploading until nothing is required -> uploaded ->
 * processing -> ready. A file that one deploy brought is known to all of the account.
 */
enum {
    PREPARING_MS = 300, /* simulated; only for async ones, from the digest on */
    UPLOADED_MS = 500,  /* from the last file on */
    READY_MS = 3000,
    ID_LEN = 24,
    PATH_SHOWN = 200,
};

static json_t *root_of(struct sim *s)
{
    return sim_state(s, &sim_netlify);
}

json_t *netlify_deploy(struct sim *s, const char *id)
{
    return json_object_get(sim_member(root_of(s), "deploys"), id);
}

static json_t *site_of(struct sim *s, const json_t *d)
{
    return json_object_get(sim_member(root_of(s), "sites"), json_str(d, "site_id", ""));
}

/* --- Showing --------------------------------------------------------------------------------- */

static bool is_preparing(struct sim *s, const json_t *d)
{
    return json_flag(d, "async", false) &&
           sim_now_ms(s) - json_int(d, "digest_ms", 0) < PREPARING_MS;
}

static const char *state_of(struct sim *s, const json_t *d)
{
    int64_t whole_ms = json_int(d, "whole_ms", 0);

    if (json_str(d, "error", NULL))
        return "error";
    if (json_flag(d, "done", false))
        return "ready";
    if (!json_object_get(d, "files"))
        return "new";
    if (is_preparing(s, d))
        return "preparing";
    if (!whole_ms)
        return "uploading";
    return sim_now_ms(s) - whole_ms < UPLOADED_MS ? "uploaded" : "processing";
}

static json_t *required_show(struct sim *s, const json_t *d)
{
    json_t *list = json_array(), *value;
    const char *sha;

    if (is_preparing(s, d))
        return list;
    json_object_foreach(json_object_get(d, "required"), sha, value)
        json_array_append_new(list, json_string(sha));
    return list;
}

static const char *context_of(const json_t *d)
{
    if (json_flag(d, "draft", false))
        return "deploy-preview";
    return json_str(d, "branch", NULL) ? "branch-deploy" : "production";
}

json_t *netlify_deploy_show(struct sim *s, const json_t *d)
{
    const json_t *site = site_of(s, d);
    char url[320], deploy_url[320], created[32], published[32];
    int64_t published_ms = json_int(d, "published_ms", 0);

    sim_site_origin(s, json_str(site, "host", ""), url);
    sim_site_origin(s, json_str(d, "host", ""), deploy_url);
    sim_iso(json_int(d, "created_ms", 0), created);
    sim_iso(published_ms, published);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:[], s:b, s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:o, s:s, s:s, "
        "s:s?, s:s?, s:b}",
        "id", json_str(d, "id", ""), "site_id", json_str(d, "site_id", ""), "name",
        json_str(site, "name", ""), "state", state_of(s, d), "required", required_show(s, d),
        "required_functions", "draft", json_flag(d, "draft", false), "branch",
        json_str(d, "branch", "main"), "context", context_of(d), "title",
        json_str(d, "title", NULL), "url", url, "ssl_url", url, "deploy_url", deploy_url,
        "deploy_ssl_url", deploy_url, "admin_url",
        json_sprintf("https://app.netlify.com/projects/%s", json_str(site, "name", "")),
        "created_at", created, "updated_at", created, "error_message", json_str(d, "error", NULL),
        "published_at", published_ms ? published : NULL, "locked",
        strcmp(json_str(site, "locked", ""), json_str(d, "id", "-")) == 0);
}

/* --- Creating -------------------------------------------------------------------------------- */

static bool sha_is_formed(const char *sha)
{
    return sha && strlen(sha) == 40 && strspn(sha, "0123456789abcdef") == 40;
}

/* What is wrong with a digest, or NULL. */
static const char *check_files(struct sim_request *r, const json_t *files)
{
    const char *path;
    json_t *sha;

    if (!json_is_object(files))
        return "files must be an object of paths and SHA-1 digests";
    json_object_foreach((json_t *)(uintptr_t)files, path, sha)
    {
        if (strpbrk(path, "#?"))
            return arena_printf(r->arena,
                                "Invalid filename '%.*s'. Deployed filenames cannot "
                                "contain # or ? characters",
                                PATH_SHOWN, path);
        if (!sha_is_formed(json_string_value(sha)))
            return arena_printf(r->arena, "%.*s: not a SHA-1 digest", PATH_SHOWN, path);
    }
    return NULL;
}

static bool is_whole(const json_t *d)
{
    return json_object_get(d, "files") && json_object_size(json_object_get(d, "required")) == 0;
}

static void note_if_whole(struct sim *s, json_t *d)
{
    if (is_whole(d) && !json_int(d, "whole_ms", 0))
        json_object_set_new(d, "whole_ms", json_integer((json_int_t)sim_now_ms(s)));
    sim_changed(s);
}

/* Takes the digest in: {"/path": sha}, and which of them this account does not have yet. */
static void take_files(struct sim_request *r, json_t *d, const json_t *from)
{
    json_t *files = json_object(), *required = json_object(), *sha;
    const char *path, *space = netlify_space(r);

    json_object_foreach((json_t *)(uintptr_t)from, path, sha)
    {
        const char *text = json_string_value(sha);

        json_object_set(files, *path == '/' ? path : arena_printf(r->arena, "/%s", path), sha);
        if (!json_object_get(required, text) && !sim_blob_has(r->sim, space, text))
            json_object_set_new(required, text, json_true());
    }
    json_object_set_new(d, "files", files);
    json_object_set_new(d, "required", required);
    json_object_set_new(d, "async", json_boolean(json_flag(r->json, "async", false)));
    json_object_set_new(d, "digest_ms", json_integer((json_int_t)sim_now_ms(r->sim)));
    note_if_whole(r->sim, d);
}

static const char *label_of(struct arena *arena, const char *branch)
{
    char *label = arena_strdup(arena, branch);

    for (char *p = label; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')))
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : '-';
    return label;
}

static json_t *deploy_make(struct sim_request *r, json_t *site)
{
    const char *branch = json_str(r->json, "branch", NULL), *host = json_str(site, "host", "");
    const char *title = sim_query(r, "title");
    bool draft = json_flag(r->json, "draft", false);
    char id[ID_LEN + 1];
    json_t *d;

    sim_id(r->sim, "", ID_LEN, id, sizeof(id));
    d = json_pack("{s:s, s:s, s:s, s:b, s:s*, s:s*, s:o, s:I}", "id", id, "site_id",
                  json_str(site, "id", ""), "space", netlify_space(r), "draft", draft, "title",
                  title ? title : json_str(r->json, "title", NULL), "branch",
                  branch && *branch ? branch : NULL, "host", json_sprintf("%s--%s", id, host),
                  "created_ms", (json_int_t)sim_now_ms(r->sim));
    if (branch && *branch && !draft)
        json_object_set_new(d, "alias", json_sprintf("%s--%s", label_of(r->arena, branch), host));
    json_array_append_new(json_object_get(site, "deploys"), json_string(id));
    json_object_set_new(sim_member(root_of(r->sim), "deploys"), id, d);
    json_object_set_new(sim_member(root_of(r->sim), "pending"), id, json_true());
    sim_changed(r->sim);
    return d;
}

void netlify_deploy_create(struct sim_request *r)
{
    json_t *site = netlify_site(r, r->segments[1]), *d;
    const json_t *files = json_object_get(r->json, "files");
    const char *wrong = files ? check_files(r, files) : NULL;

    if (!site)
        return;
    if (r->body_len > 0 && !json_is_object(r->json))
        wrong = "only JSON is understood here; send a digest of files";
    if (wrong) {
        netlify_refuse(r, 422, wrong);
        return;
    }
    d = deploy_make(r, site);
    if (files)
        take_files(r, d, files);
    sim_answer(r, 200, netlify_deploy_show(r->sim, d));
}

/* The deploy that the path names (behind a site or alone), or NULL after a refusal. */
static json_t *deploy_of_path(struct sim_request *r)
{
    bool behind_site = strcmp(r->segments[0], "sites") == 0;
    json_t *site = behind_site ? netlify_site(r, r->segments[1]) : NULL, *d;

    if (behind_site && !site)
        return NULL;
    d = netlify_deploy(r->sim, r->segments[behind_site ? 3 : 1]);
    if (d && !site)
        site = site_of(r->sim, d);
    if (d && strcmp(json_str(d, "site_id", ""), json_str(site, "id", "")) == 0 &&
        strcmp(json_str(site, "account", ""), r->account) == 0)
        return d;
    netlify_refuse(r, 404, "Not Found");
    return NULL;
}

void netlify_deploy_digest(struct sim_request *r)
{
    json_t *d = deploy_of_path(r);
    const json_t *files = json_object_get(r->json, "files");
    const char *wrong;

    if (!d)
        return;
    wrong = check_files(r, files);
    if (!wrong && json_object_get(d, "files"))
        wrong = "this deploy already has its files";
    if (wrong) {
        netlify_refuse(r, 422, wrong);
        return;
    }
    take_files(r, d, files);
    sim_answer(r, 200, netlify_deploy_show(r->sim, d));
}

/* --- Files ----------------------------------------------------------------------------------- */

/* The content is the account's now: nobody has to bring it again. */
static void content_came(struct sim *s, const char *space, const char *sha)
{
    const char *id;
    json_t *value;

    json_object_foreach(sim_member(root_of(s), "pending"), id, value)
    {
        json_t *d = netlify_deploy(s, id);

        if (!d || strcmp(json_str(d, "space", ""), space) != 0)
            continue;
        json_object_del(json_object_get(d, "required"), sha);
        note_if_whole(s, d);
    }
}

void netlify_file_put(struct sim_request *r)
{
    json_t *d = deploy_of_path(r);
    const char *path = strchr(r->path + strlen("/deploys/"), '/'), *sha, *space;
    uint8_t digest[SHA1_LEN];
    char hex[2 * SHA1_LEN + 1];
    bool fresh;

    if (!d)
        return;
    path += strlen("/files");
    sha = json_string_value(json_object_get(json_object_get(d, "files"), path));
    sha1(r->body, r->body_len, digest);
    hex_encode(digest, sizeof(digest), hex);
    if (!sha || strcmp(hex, sha) != 0) {
        netlify_refuse(r, 422,
                       sha ? "the content is not what the digest promised"
                           : "the digest has no such path");
        return;
    }
    space = netlify_space(r);
    fresh = sim_blob_put(r->sim, space, sha, r->body, r->body_len);
    sim_count_upload(r->sim, r->platform, r->body_len, !fresh);
    content_came(r->sim, space, sha);
    sim_answer(r, 200,
               json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "id", path, "path", path, "sha", sha,
                         "mime_type", "application/octet-stream", "size", (json_int_t)r->body_len,
                         "deploy_id", json_str(d, "id", "")));
}

/* --- Going live ------------------------------------------------------------------------------ */

static void make_live(struct sim *s, json_t *site, json_t *d)
{
    json_object_set_new(site, "previous", json_string(json_str(site, "live", "")));
    json_object_set_new(site, "live", json_string(json_str(d, "id", "")));
    json_object_set_new(d, "published_ms", json_integer((json_int_t)sim_now_ms(s)));
    sim_site_alias(s, &sim_netlify, json_str(site, "host", ""), json_str(d, "host", ""));
    sim_changed(s);
}

static const char *rules_file(struct sim *s, struct arena *arena, const json_t *d, const char *name)
{
    const char *sha = json_string_value(json_object_get(json_object_get(d, "files"), name));

    return sha ? sim_blob_read(s, json_str(d, "space", ""), sha, arena, NULL) : NULL;
}

static void publish(struct sim *s, json_t *d)
{
    static const char *const control[] = {"/_headers", "/_redirects", "/netlify.toml"};
    struct arena arena = ARENA_INIT;
    const char *host = json_str(d, "host", "");
    const char *headers = rules_file(s, &arena, d, control[0]);
    const char *redirects = rules_file(s, &arena, d, control[1]);
    const char *toml = rules_file(s, &arena, d, control[2]), *toml_headers = "",
               *toml_redirects = "";

    if (toml)
        netlify_toml_rules(&arena, toml, &toml_redirects, &toml_headers);
    for (size_t i = 0; i < sizeof(control) / sizeof(*control); i++)
        json_object_del(json_object_get(d, "files"), control[i]);
    sim_site_static(s, &sim_netlify, host, json_str(d, "space", ""), json_object_get(d, "files"));
    sim_site_rules(s, host, arena_printf(&arena, "%s\n%s", headers ? headers : "", toml_headers),
                   arena_printf(&arena, "%s\n%s", redirects ? redirects : "", toml_redirects));
    json_object_set_new(d, "files", json_object()); /* the site has them now */
    arena_release(&arena);
}

static void deploy_finish(struct sim *s, json_t *d)
{
    json_t *site = site_of(s, d);
    const char *alias = json_str(d, "alias", NULL);

    publish(s, d);
    json_object_set_new(d, "done", json_true());
    if (alias)
        sim_site_alias(s, &sim_netlify, alias, json_str(d, "host", ""));
    if (site && strcmp(context_of(d), "production") == 0 && !json_str(site, "locked", NULL))
        make_live(s, site, d);
}

void netlify_deploys_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms)
{
    json_t *pending = sim_member(sim_state(s, p), "pending"), *value;
    const char *id;
    void *next;

    json_object_foreach_safe(pending, next, id, value)
    {
        json_t *d = netlify_deploy(s, id);
        int64_t whole_ms = json_int(d, "whole_ms", 0);

        if (d && !json_str(d, "error", NULL) && (!whole_ms || now_ms - whole_ms < READY_MS))
            continue;
        if (d && !json_str(d, "error", NULL))
            deploy_finish(s, d);
        json_object_del(pending, id);
        sim_changed(s);
    }
}

/* --- Asking and undoing ---------------------------------------------------------------------- */

static bool listed(struct sim *s, struct sim_request *r, const json_t *d, const json_t *site)
{
    const char *branch = sim_query(r, "branch"), *state = sim_query(r, "state");
    const char *production = sim_query(r, "production"), *latest = sim_query(r, "latest-published");

    if (branch && strcmp(branch, json_str(d, "branch", "main")) != 0)
        return false;
    if (state && strcmp(state, state_of(s, d)) != 0)
        return false;
    if (production && strcmp(production, "true") == 0 && strcmp(context_of(d), "production") != 0)
        return false;
    return !latest || strcmp(latest, "true") != 0 ||
           strcmp(json_str(d, "id", ""), json_str(site, "live", "-")) == 0;
}

void netlify_deploy_list(struct sim_request *r)
{
    const json_t *site = netlify_site(r, r->segments[1]), *ids;
    json_t *list;

    if (!site)
        return;
    list = json_array();
    ids = json_object_get(site, "deploys");
    for (size_t i = json_array_size(ids); i-- > 0;) {
        const json_t *d = netlify_deploy(r->sim, json_string_value(json_array_get(ids, i)));

        if (d && listed(r->sim, r, d, site))
            json_array_append_new(list, netlify_deploy_show(r->sim, d));
    }
    netlify_page(r, list);
}

void netlify_deploy_get(struct sim_request *r)
{
    const json_t *d = deploy_of_path(r);

    if (d)
        sim_answer(r, 200, netlify_deploy_show(r->sim, d));
}

void netlify_deploy_restore(struct sim_request *r)
{
    json_t *d = deploy_of_path(r);

    if (!d)
        return;
    if (!json_flag(d, "done", false)) {
        netlify_refuse(r, 422, "Only a deploy that is ready can be restored");
        return;
    }
    make_live(r->sim, site_of(r->sim, d), d);
    sim_answer(r, 201, netlify_deploy_show(r->sim, d));
}

void netlify_rollback(struct sim_request *r)
{
    json_t *site = netlify_site(r, r->segments[1]), *d;

    if (!site)
        return;
    d = netlify_deploy(r->sim, json_str(site, "previous", ""));
    if (!d) {
        netlify_refuse(r, 422, "There is no deploy to roll back to");
        return;
    }
    make_live(r->sim, site, d);
    sim_answer(r, 204, NULL);
}

void netlify_deploy_cancel(struct sim_request *r)
{
    json_t *d = deploy_of_path(r);

    if (!d)
        return;
    if (!json_flag(d, "done", false)) {
        json_object_set_new(d, "error", json_string("Canceled deploy"));
        sim_changed(r->sim);
    }
    sim_answer(r, 201, netlify_deploy_show(r->sim, d));
}

void netlify_deploy_forget(struct sim *s, const char *id)
{
    const json_t *d = netlify_deploy(s, id);

    if (!d)
        return;
    sim_site_remove(s, json_str(d, "host", ""));
    json_object_del(sim_member(root_of(s), "pending"), id);
    json_object_del(sim_member(root_of(s), "deploys"), id);
    sim_changed(s);
}

void netlify_deploy_delete(struct sim_request *r)
{
    json_t *d = deploy_of_path(r), *site, *ids;
    const char *id = r->segments[1];

    if (!d)
        return;
    site = site_of(r->sim, d);
    if (strcmp(json_str(site, "live", ""), id) == 0) {
        netlify_refuse(r, 422, "The published deploy cannot be deleted");
        return;
    }
    ids = json_object_get(site, "deploys");
    for (size_t i = json_array_size(ids); i-- > 0;)
        if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0)
            json_array_remove(ids, i);
    netlify_deploy_forget(r->sim, id);
    sim_answer(r, 204, NULL);
}

void netlify_deploy_lock(struct sim_request *r)
{
    json_t *d = deploy_of_path(r);

    if (!d)
        return;
    json_object_set(site_of(r->sim, d), "locked", json_object_get(d, "id"));
    sim_changed(r->sim);
    sim_answer(r, 200, netlify_deploy_show(r->sim, d));
}

void netlify_deploy_unlock(struct sim_request *r)
{
    json_t *d = deploy_of_path(r);

    if (!d)
        return;
    json_object_del(site_of(r->sim, d), "locked");
    sim_changed(r->sim);
    sim_answer(r, 200, netlify_deploy_show(r->sim, d));
}
