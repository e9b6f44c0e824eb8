#include "vercel.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Deployments: the list of files comes first and is refused with what is missing; the same request
 * again, after the uploads, makes the deployment. It is queued, built, ready, and a moment later
 * its domain points to it.
 */
enum {
    QUEUED_MS = 500, /* simulated, from the creation on */
    BUILT_MS = 3000,
    ALIASED_MS = 3500,
    LIMIT = 20,
    LIMIT_MAX = 100,
    FILES_MAX = 15000,
};

static json_t *root_of(struct sim *s)
{
    return sim_state(s, &sim_vercel);
}

json_t *vercel_deployment(struct sim *s, const char *id)
{
    json_t *all = sim_member(root_of(s), "deployments"), *d = json_object_get(all, id);
    char host[300];
    const char *by_url;

    if (d)
        return d;
    snprintf(host, sizeof(host), "%.*s", (int)strcspn(id, ":"), id);
    by_url = json_string_value(json_object_get(sim_member(root_of(s), "urls"), host));
    return by_url ? json_object_get(all, by_url) : NULL;
}

/* --- Showing --------------------------------------------------------------------------------- */

const char *vercel_state(struct sim *s, const json_t *d)
{
    const char *ended = json_str(d, "ended", NULL); /* READY, ERROR or CANCELED */

    if (ended)
        return ended;
    return sim_now_ms(s) - json_int(d, "created_ms", 0) < QUEUED_MS ? "QUEUED" : "BUILDING";
}

static json_t *alias_show(struct sim *s, const json_t *d)
{
    const json_t *project = vercel_project_of(s, d);
    bool production = json_str(d, "target", NULL) != NULL;
    char hostport[320];

    sim_site_hostport(s, json_str(project, "host", ""), hostport);
    return production && project ? json_pack("[s]", hostport) : json_array();
}

json_t *vercel_deployment_show(struct sim *s, const json_t *d)
{
    const char *state = vercel_state(s, d), *id = json_str(d, "id", "");
    const json_t *project = vercel_project_of(s, d), *meta = json_object_get(d, "meta");
    int64_t aliased_ms = json_int(d, "aliased_ms", 0), ready_ms = json_int(d, "ready_ms", 0);
    char url[320];
    json_t *shown;

    sim_site_hostport(s, json_str(d, "host", ""), url);
    shown = json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:b, s:[s], s:[], s:I, s:I, "
        "s:o, s:o, s:n, s:O, s:{s:s, s:s}, s:s, s:s, s:s*, s:s*}",
        "id", id, "uid", id, "url", url, "name", json_str(project, "name", ""), "version", 2,
        "readyState", state, "status", state, "state", state, "target", json_str(d, "target", NULL),
        "projectId", json_str(d, "project_id", ""), "ownerId", json_str(d, "account", ""), "plan",
        "hobby", "public", 0, "regions", "iad1", "routes", "createdAt",
        (json_int_t)json_int(d, "created_ms", 0), "created",
        (json_int_t)json_int(d, "created_ms", 0), "alias", alias_show(s, d), "aliasAssigned",
        aliased_ms ? json_integer((json_int_t)aliased_ms) : json_false(), "aliasError", "meta",
        meta, "creator", "uid", "usr_simulated0001", "username", "simulated", "inspectorUrl",
        "https://vercel.com/simulated", "readySubstate",
        json_flag(d, "promoted", false) ? "PROMOTED" : "STAGED", "errorCode",
        json_str(d, "error_code", NULL), "errorMessage", json_str(d, "error", NULL));
    if (ready_ms)
        json_object_set_new(shown, "ready", json_integer((json_int_t)ready_ms));
    return shown;
}

/* --- Files ----------------------------------------------------------------------------------- */

static void sha1_hex(const void *data, size_t len, char ret[2 * SHA1_LEN + 1])
{
    uint8_t digest[SHA1_LEN];

    sha1(data, len, digest);
    hex_encode(digest, sizeof(digest), ret);
}

void vercel_file_post(struct sim_request *r)
{
    const char *promised = sim_header(r, "x-vercel-digest");
    char hex[2 * SHA1_LEN + 1];
    bool fresh;

    if (!promised)
        promised = sim_header(r, "x-now-digest");
    sha1_hex(r->body, r->body_len, hex);
    if (!promised || strcmp(promised, hex) != 0) {
        vercel_refuse(r, 400, promised ? "file_sha_mismatch" : "bad_request",
                      promised ? "The content is not what x-vercel-digest promised"
                               : "Missing required header x-vercel-digest");
        return;
    }
    fresh = sim_blob_put(r->sim, vercel_space(r), hex, r->body, r->body_len);
    sim_count_upload(r->sim, r->platform, r->body_len, !fresh);
    sim_answer(r, 200, json_pack("{s:[]}", "urls"));
}

/* Stores an inline file; its digest in the arena, or NULL when its data is malformed. */
static const char *store_inline(struct sim_request *r, const json_t *file, const char *space)
{
    const json_t *data = json_object_get(file, "data");
    const char *text = json_string_value(data);
    size_t len = json_string_length(data);
    uint8_t *bytes = mem_alloc(len + 1);
    char hex[2 * SHA1_LEN + 1];
    int64_t n = (int64_t)len;

    if (!text) {
        free(bytes);
        return NULL;
    }
    if (strcmp(json_str(file, "encoding", "utf-8"), "base64") == 0)
        n = base64_decode(text, len, bytes);
    else
        memcpy(bytes, text, len);
    if (n >= 0) {
        bool fresh;

        sha1_hex(bytes, (size_t)n, hex);
        fresh = sim_blob_put(r->sim, space, hex, bytes, (size_t)n);
        sim_count_upload(r->sim, r->platform, (size_t)n, !fresh);
    }
    free(bytes);
    return n >= 0 ? arena_strdup(r->arena, hex) : NULL;
}

/* --- Creating -------------------------------------------------------------------------------- */

/* Reads "files" into {path: sha} and the list of digests that are missing. What is wrong, or NULL.
 */
static const char *read_files(struct sim_request *r, json_t *files, json_t *missing)
{
    const char *space = vercel_space(r);
    json_t *seen = json_object();
    const char *wrong = NULL;
    const json_t *file;
    size_t i;

    json_array_foreach(json_object_get(r->json, "files"), i, file)
    {
        const char *path = json_str(file, "file", NULL), *sha = json_str(file, "sha", NULL);

        if (!sha)
            sha = store_inline(r, file, space);
        if (!path || *path == '/' || strstr(path, "..") || !sha) {
            wrong = "Invalid request: `files` should have relative paths with a sha or data.";
            break;
        }
        json_object_set_new(files, path, json_string(sha));
        if (!json_object_get(seen, sha) && !sim_blob_has(r->sim, space, sha)) {
            json_object_set_new(seen, sha, json_true());
            json_array_append_new(missing, json_string(sha));
        }
    }
    json_decref(seen);
    if (json_array_size(json_object_get(r->json, "files")) > FILES_MAX)
        wrong = "Invalid request: `files` should NOT have more than 15000 items.";
    return wrong;
}

/* The project that the body names, made when it is new; NULL when the body names none. */
static json_t *project_of_body(struct sim_request *r)
{
    const char *name = json_str(r->json, "name", NULL), *id = json_str(r->json, "project", name);
    json_t *project = id ? vercel_project(r, id) : NULL;

    if (!project && name && *name)
        project = vercel_project_make(r, name);
    return project;
}

static json_t *deployment_make(struct sim_request *r, json_t *project, json_t *files)
{
    const char *target = json_str(r->json, "target", NULL), *name = json_str(project, "name", "");
    const char *prebuilt = sim_query(r, "prebuilt");
    json_t *meta = json_object_get(r->json, "meta"), *d;
    char id[40], unique[16];
    const char *host;

    sim_id(r->sim, "dpl_", 24, id, sizeof(id));
    sim_id(r->sim, "", 9, unique, sizeof(unique));
    host = arena_printf(r->arena, "%s-%s-simulated%s", name, unique, r->platform->site_suffix);
    if (!target && json_array_size(json_object_get(project, "deployments")) == 0)
        target = "production"; /* a project's very first deployment */
    d = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:I, s:o, s:s, s:b, s:o}", "id", id, "host",
                  host, "project", name, "project_id", json_str(project, "id", ""), "account",
                  r->account, "target", target, "created_ms", (json_int_t)sim_now_ms(r->sim),
                  "files", files, "space", vercel_space(r), "prebuilt",
                  prebuilt && strcmp(prebuilt, "1") == 0, "meta",
                  json_is_object(meta) ? json_incref(meta) : json_object());
    json_array_append_new(json_object_get(project, "deployments"), json_string(id));
    json_object_set_new(sim_member(root_of(r->sim), "deployments"), id, d);
    json_object_set_new(sim_member(root_of(r->sim), "urls"), host, json_string(id));
    json_object_set_new(sim_member(root_of(r->sim), "pending"), id, json_true());
    sim_changed(r->sim);
    return d;
}

/* Promoting a preview: a new deployment of the same files. */
static json_t *files_of_old(struct sim_request *r)
{
    const json_t *old = vercel_deployment(r->sim, json_str(r->json, "deploymentId", ""));

    return json_deep_copy(json_object_get(old, "files"));
}

void vercel_deployment_create(struct sim_request *r)
{
    json_t *missing = json_array(), *files = json_object(), *old = files_of_old(r), *project;
    const char *wrong = read_files(r, files, missing);

    if (old)
        json_object_update(files, old);
    if (!wrong && json_object_size(files) == 0)
        wrong = "Invalid request: missing required property `files`.";
    if (!wrong && json_array_size(missing) > 0) {
        json_decref(files);
        sim_answer(r, 400,
                   json_pack("{s:{s:s, s:s, s:O}}", "error", "code", "missing_files", "message",
                             "Missing files", "missing", missing));
    } else if (wrong || !(project = project_of_body(r))) {
        json_decref(files);
        vercel_refuse(r, 400, "bad_request",
                      wrong ? wrong : "Invalid request: missing required property `name`.");
    } else {
        sim_answer(r, 200, vercel_deployment_show(r->sim, deployment_make(r, project, files)));
    }
    json_decref(missing);
    json_decref(old);
}

/* --- Going on -------------------------------------------------------------------------------- */

static void finish_build(struct sim *s, json_t *d, int64_t now_ms)
{
    const char *wrong = vercel_publish(s, d);

    json_object_set_new(d, "ended", json_string(wrong ? "ERROR" : "READY"));
    if (wrong) {
        json_object_set_new(d, "error_code", json_string("BUILD_FAILED"));
        json_object_set_new(d, "error", json_string(wrong));
    }
    json_object_set_new(d, "ready_ms", json_integer((json_int_t)now_ms));
    sim_changed(s);
}

static void assign_alias(struct sim *s, json_t *d, int64_t now_ms)
{
    json_t *project = vercel_project_of(s, d);

    json_object_set_new(d, "aliased_ms", json_integer((json_int_t)now_ms));
    if (project && json_str(d, "target", NULL) && json_flag(project, "auto_assign", true))
        vercel_make_live(s, project, d);
    sim_changed(s);
}

/* True while there is something to come. */
static bool advance(struct sim *s, json_t *d, int64_t now_ms)
{
    int64_t age_ms = now_ms - json_int(d, "created_ms", 0);

    if (!d)
        return false;
    if (age_ms >= BUILT_MS && !json_str(d, "ended", NULL))
        finish_build(s, d, now_ms);
    if (age_ms >= ALIASED_MS && strcmp(json_str(d, "ended", ""), "READY") == 0)
        assign_alias(s, d, now_ms);
    return age_ms < ALIASED_MS;
}

void vercel_deployments_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms)
{
    json_t *pending = sim_member(sim_state(s, p), "pending"), *value;
    const char *id;
    void *next;

    json_object_foreach_safe(pending, next, id, value)
    {
        if (!advance(s, vercel_deployment(s, id), now_ms))
            json_object_del(pending, id);
    }
}

/* --- Asking and undoing ---------------------------------------------------------------------- */

static json_t *deployment_of_path(struct sim_request *r, const char *id)
{
    json_t *d = vercel_deployment(r->sim, id);

    if (d && strcmp(json_str(d, "account", ""), r->account) == 0)
        return d;
    vercel_refuse(r, 404, "not_found", "The deployment could not be found");
    return NULL;
}

void vercel_deployment_get(struct sim_request *r)
{
    const json_t *d = deployment_of_path(r, r->segments[2]);

    if (d)
        sim_answer(r, 200, vercel_deployment_show(r->sim, d));
}

/* "state" is a comma-separated list. */
static bool state_fits(const char *wanted, const char *state)
{
    size_t len = strlen(state);

    for (const char *at = wanted; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, state, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    }
    return !wanted;
}

static bool listed(struct sim_request *r, const json_t *d)
{
    const char *project = sim_query(r, "projectId"), *app = sim_query(r, "app");
    const char *target = sim_query(r, "target");

    if (strcmp(json_str(d, "account", ""), r->account) != 0)
        return false;
    if (project && strcmp(project, json_str(d, "project_id", "")) != 0 &&
        strcmp(project, json_str(d, "project", "")) != 0)
        return false;
    if (app && strcmp(app, json_str(d, "project", "")) != 0)
        return false;
    if (target && strcmp(target, json_str(d, "target", "preview")) != 0)
        return false;
    return state_fits(sim_query(r, "state"), vercel_state(r->sim, d)) &&
           json_int(d, "created_ms", 0) < sim_query_int(r, "until", INT64_MAX);
}

void vercel_deployment_list(struct sim_request *r)
{
    int64_t limit = sim_query_int(r, "limit", LIMIT);
    json_t *list = json_array(), *d, *next = json_null();
    const char *id;

    limit = limit < 1 ? 1 : limit > LIMIT_MAX ? LIMIT_MAX : limit;
    json_object_foreach(sim_member(root_of(r->sim), "deployments"), id, d)
    {
        if (listed(r, d))
            json_array_insert_new(list, 0, vercel_deployment_show(r->sim, d)); /* newest first */
    }
    if ((int64_t)json_array_size(list) > limit) {
        const json_t *last = json_array_get(list, (size_t)limit - 1);

        next = json_integer((json_int_t)json_int(last, "created", 0));
        while ((int64_t)json_array_size(list) > limit)
            json_array_remove(list, json_array_size(list) - 1);
    }
    sim_answer(r, 200,
               json_pack("{s:o, s:{s:I, s:o, s:n}}", "deployments", list, "pagination", "count",
                         (json_int_t)json_array_size(list), "next", next, "prev"));
}

void vercel_deployment_cancel(struct sim_request *r)
{
    json_t *d = deployment_of_path(r, r->segments[2]);

    if (!d)
        return;
    if (!json_str(d, "ended", NULL))
        json_object_set_new(d, "ended", json_string("CANCELED"));
    sim_changed(r->sim);
    sim_answer(r, 200, vercel_deployment_show(r->sim, d));
}

void vercel_deployment_forget(struct sim *s, const char *id)
{
    const json_t *d = vercel_deployment(s, id);

    if (!d)
        return;
    sim_site_remove(s, json_str(d, "host", ""));
    json_object_del(sim_member(root_of(s), "urls"), json_str(d, "host", ""));
    json_object_del(sim_member(root_of(s), "pending"), id);
    json_object_del(sim_member(root_of(s), "deployments"), id);
    sim_changed(s);
}

void vercel_deployment_delete(struct sim_request *r)
{
    json_t *d = deployment_of_path(r, r->segments[2]), *project, *ids;
    const char *id;

    if (!d)
        return;
    id = arena_strdup(r->arena, json_str(d, "id", ""));
    project = vercel_project_of(r->sim, d);
    ids = json_object_get(project, "deployments");
    for (size_t i = json_array_size(ids); i-- > 0;)
        if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0)
            json_array_remove(ids, i);
    if (strcmp(json_str(project, "live", ""), id) == 0) {
        sim_site_remove(r->sim, json_str(project, "host", ""));
        json_object_del(project, "live");
    }
    vercel_deployment_forget(r->sim, id);
    sim_answer(r, 200, json_pack("{s:s, s:s}", "uid", id, "state", "DELETED"));
}

/* The build's log: one line, and the end once it is over; the command line does not wait for more.
 */
void vercel_events_get(struct sim_request *r)
{
    bool now = strcmp(r->segments[1], "now") == 0;
    const json_t *d = deployment_of_path(r, r->segments[now ? 3 : 2]);
    const char *line;

    if (!d)
        return;
    line =
        arena_printf(r->arena,
                     "{\"type\":\"stdout\",\"created\":%lld,\"payload\":{\"deploymentId\":\"%s\","
                     "\"text\":\"Deploying outputs...\"}}\n",
                     (long long)json_int(d, "created_ms", 0), json_str(d, "id", ""));
    sim_answer_text(r, 200, "application/stream+json", line);
}
