#include "provider/vercel.h"
#include "provider/static_host.h"
#include "provider/vercel_config.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Vercel, prebuilt output. Source of the protocol: the published OpenAPI description for projects,
 * deployments, promote; the vendor's own client for what that leaves out (prebuilt, mode, source).
 *
 * A deployment is asked for with the SHA-1 of every file; while some are missing the answer is 400
 * with their digests, these are uploaded, and the very same request is sent again. It is ours when
 * its meta data holds our marker.
 *
 *   project_id  the project    remote_id  the deployment
 *   extra       rounds of uploads so far, then READY polls without an address, as a digit
 *   cursor      in LOOK: the time to list deployments before
 */

enum vercel_step {
    VERCEL_FIND_PROJECT,
    VERCEL_CREATE_PROJECT,
    VERCEL_CREATE,
    VERCEL_LOOK, /* did the create happen? */
    VERCEL_UPLOAD,
    VERCEL_AWAIT,
    VERCEL_POLL,
    VERCEL_PROMOTE, /* ready, but the production addresses were not assigned */
    VERCEL_AWAIT_PROMOTED,
    VERCEL_POLL_PROMOTED,
    VERCEL_LIVE,
    VERCEL_FAILED,
};

enum {
    NAME_MAX_LEN = 100,
    PAGE = 20,
    MOST_FILES = 15000,
    MOST_ROUNDS = 3,
    UNASSIGNED_POLLS = 5, /* a good deployment gets its addresses within seconds */
    STEP_BITS = 8,        /* a tag is the step, and above it the file */
};

static const struct poll_pace pace = {1000, 10000};

static const struct status_word words[] = {
    {"READY", VERDICT_GOOD},  {"ERROR", VERDICT_BAD},   {"CANCELED", VERDICT_BAD},
    {"BLOCKED", VERDICT_BAD}, {"DELETED", VERDICT_BAD}, {NULL, VERDICT_RUNNING},
};

static const struct status_word promote_words[] = {
    {"succeeded", VERDICT_GOOD},
    {"failed", VERDICT_BAD},
    {"skipped", VERDICT_BAD},
    {NULL, VERDICT_RUNNING},
};

/* The free plan's 100 deployments and 5,000 uploads a day are not kept to here: which plan it is
 * only Vercel knows, and it says so with codes of their own (see refused). */
static const struct rate_limit limits[] = {
    {"deploy", 6000, 86400000, "vercel.com/docs/limits, \"Deployments created per day\" (Pro)"},
    {NULL, 0, 0, NULL},
};

static const char *const needs[] = {"token", NULL};

static int vercel_check(const struct want *w, struct err *e)
{
    if (check_project_name(w->project_name, NAME_MAX_LEN, "Vercel", e) < 0)
        return -1;
    if (strstr(w->project_name, "---"))
        return err_set(e, ERR_MANIFEST, "Vercel takes no name with \"---\" in it: \"%.100s\"",
                       w->project_name);
    if (w->bundle && w->bundle->n >= MOST_FILES)
        return err_set(e, ERR_MANIFEST, "the bundle has %zu files; Vercel takes %d at most",
                       w->bundle->n, MOST_FILES - 1);
    if (w->bundle) {
        char *config = vercel_config(w->bundle, e);
        free(config);
        return config ? 0 : -1;
    }
    return 0;
}

/* --- The files -------------------------------------------------------------------------------- */

/* The bundle's, and behind them config.json, which exists in memory only. */
struct output {
    struct file_set set;
    char *config; /* heap */
    char config_sha1[2 * SHA1_LEN + 1];
};

static int output_init(struct output *o, const struct want *w, struct err *e)
{
    uint8_t digest[SHA1_LEN];

    o->config = vercel_config(w->bundle, e);
    if (!o->config)
        return -1;
    sha1(o->config, strlen(o->config), digest);
    hex_encode(digest, sizeof(digest), o->config_sha1);
    o->set = (struct file_set){w->bundle, DIGEST_SHA1, vercel_carries, o->config_sha1};
    return 0;
}

static void output_release(struct output *o)
{
    free(o->config);
}

static json_t *file_entry(const char *path, uint64_t size, uint32_t mode, const char *digest)
{
    return json_pack("{s:o, s:I, s:I, s:s}", "file", json_sprintf(".vercel/output/%s", path),
                     "size", (json_int_t)size, "mode", (json_int_t)mode, "sha", digest);
}

static json_t *file_list(const struct output *o, const struct bundle *b)
{
    json_t *list = json_array();
    struct arena arena = ARENA_INIT;

    json_array_append_new(
        list, file_entry("config.json", strlen(o->config), S_IFREG | 0644, o->config_sha1));
    for (size_t i = 0; i < b->n; i++) {
        const struct bundle_file *f = &b->files[i];
        if (vercel_carries(f))
            json_array_append_new(list, file_entry(arena_printf(&arena, "static/%s", f->path),
                                                   f->size, f->mode, f->sha1));
    }
    arena_release(&arena);
    return list;
}

/* --- Requests --------------------------------------------------------------------------------- */

/* A person's id, as VERCEL_ORG_ID is for accounts that are no team: a slug has no capitals. */
static bool is_person(const char *team)
{
    return strpbrk(team, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

/* "?teamId=T" (or "?slug=S"), or "" when the token's own account is meant; `more` begins with '&'.
 */
static const char *query(struct call *c, const struct want *w, const char *more)
{
    const char *team = w->team[0] ? w->team : w->account;
    bool id = strncmp(team, "team_", 5) == 0;

    if (team[0] && (id || !is_person(team)))
        return arena_printf(&c->http.arena, "?%s=%s%s", id ? "teamId" : "slug",
                            call_encode(c, team), more);
    return more[0] ? arena_printf(&c->http.arena, "?%s", more + 1) : "";
}

static void call_create_project(struct call *c, const struct deployment *d, const struct want *w)
{
    call_begin_http(c, d->step, "POST", "/v11/projects%s", query(c, w, ""));
    call_json(c, json_pack("{s:s, s:n}", "name", w->project_name, "framework"));
    call_once(c, VERCEL_FIND_PROJECT);
}

static int call_create(struct call *c, const struct deployment *d, const struct want *w,
                       struct err *e)
{
    struct output o;

    if (output_init(&o, w, e) < 0)
        return -1;
    call_begin_http(c, d->step, "POST", "/v13/deployments%s",
                    query(c, w, "&skipAutoDetectionConfirmation=1&prebuilt=1"));
    call_json(c, json_pack("{s:s, s:s, s:s, s:{s:n}, s:{s:s, s:s, s:s}, s:s, s:i, s:o}", "name",
                           w->project_name, "project", d->project_id, "target", "production",
                           "projectSettings", "framework", "meta", "trine", w->marker, "commit",
                           w->commit, "branch", w->branch, "source", "cli", "version", 2, "files",
                           file_list(&o, w->bundle)));
    output_release(&o);
    call_once(c, VERCEL_LOOK);
    c->also[0] = 400; /* missing files */
    c->cost = "deploy";
    c->exclusive = true;
    return 0;
}

static void call_look(struct call *c, const struct deployment *d, const struct want *w)
{
    const char *more =
        arena_printf(&c->http.arena, "&projectId=%s&limit=%d", call_encode(c, d->project_id), PAGE);

    if (d->cursor)
        more = arena_printf(&c->http.arena, "%s&until=%zu", more, d->cursor);
    call_begin_http(c, d->step, "GET", "/v7/deployments%s", query(c, w, more));
    c->exclusive = true;
}

static void call_upload(struct call *c, const struct want *w, const struct output *o, size_t i)
{
    call_begin_http(c, VERCEL_UPLOAD, "POST", "/v2/files%s", query(c, w, ""));
    call_bearer(c, w->token);
    http_request_header(&c->http, "Content-Type", "application/octet-stream");
    http_request_header(&c->http, "x-vercel-digest", "%s", file_set_digest(&o->set, i));
    if (i == w->bundle->n)
        http_request_text(&c->http, o->config, strlen(o->config));
    else
        http_request_file(&c->http, w->bundle->files[i].source, file_set_size(&o->set, i), false);
    c->http.timeout_ms = upload_timeout_ms(file_set_size(&o->set, i));
    c->tag |= (int64_t)i << STEP_BITS;
    c->parallel = true;
    c->exclusive = true;
}

static enum turn next_upload(struct deployment *d, const struct want *w, struct call *c,
                             int64_t *ret_wait_ms, struct err *e)
{
    struct output o;
    enum turn turn = TURN_SEND;
    size_t i;

    if (output_init(&o, w, e) < 0)
        return TURN_FAILED;
    if (uploads_next(d, &o.set, &i)) {
        call_upload(c, w, &o, i);
    } else {
        *ret_wait_ms = pace.first_ms; /* the rest is on its way */
        turn = TURN_WAIT;
    }
    output_release(&o);
    return turn;
}

static void call_project(struct call *c, const struct deployment *d, const struct want *w)
{
    const char *project = d->project_id[0] ? d->project_id : w->project_name;

    call_begin_http(c, d->step, "GET", "/v9/projects/%s%s", call_encode(c, project),
                    query(c, w, ""));
}

static void call_promote(struct call *c, const struct deployment *d, const struct want *w)
{
    call_begin_http(c, d->step, "POST", "/v10/projects/%s/promote/%s%s",
                    call_encode(c, d->project_id), call_encode(c, d->remote_id), query(c, w, ""));
    call_json(c, json_object());
}

static enum turn vercel_next(struct deployment *d, const struct want *w, struct call *ret,
                             int64_t *ret_wait_ms, struct err *e)
{
    if (d->step == VERCEL_UPLOAD && !d->needed)
        d->step = VERCEL_CREATE; /* after a restart: its answer lists again what is missing */
    switch ((enum vercel_step)d->step) {
    case VERCEL_FIND_PROJECT:
        call_project(ret, d, w);
        ret->also[0] = 404;
        break;
    case VERCEL_CREATE_PROJECT:
        call_create_project(ret, d, w);
        break;
    case VERCEL_CREATE:
        if (call_create(ret, d, w, e) < 0)
            return TURN_FAILED;
        break;
    case VERCEL_LOOK:
        call_look(ret, d, w);
        break;
    case VERCEL_UPLOAD:
        return next_upload(d, w, ret, ret_wait_ms, e);
    case VERCEL_AWAIT:
        return poll_wait(d, VERCEL_POLL, &pace, ret_wait_ms);
    case VERCEL_POLL:
        call_begin_http(ret, d->step, "GET", "/v13/deployments/%s%s",
                        call_encode(ret, d->remote_id), query(ret, w, ""));
        break;
    case VERCEL_PROMOTE:
        call_promote(ret, d, w);
        break;
    case VERCEL_AWAIT_PROMOTED:
        return poll_wait(d, VERCEL_POLL_PROMOTED, &pace, ret_wait_ms);
    case VERCEL_POLL_PROMOTED:
        call_project(ret, d, w);
        break;
    case VERCEL_LIVE:
        return TURN_DONE;
    case VERCEL_FAILED:
        return service_failed(d, e);
    }
    call_bearer(ret, w->token);
    return turn_send(d, ret, "Vercel", e);
}

/* --- Replies ---------------------------------------------------------------------------------- */

/* The small counter in `extra`. */
static int count(struct deployment *d)
{
    int n = d->extra[0] ? d->extra[0] - '0' : 0;

    (void)snprintf(d->extra, sizeof(d->extra), "%d", n < 9 ? n + 1 : 9);
    return n + 1;
}

static void adopt(struct deployment *d, const char *id)
{
    (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
    d->cursor = 0;
    d->extra[0] = '\0';
    d->step = VERCEL_POLL;
}

static int take_project(struct deployment *d, const struct want *w, const json_t *project,
                        struct err *e)
{
    const char *id = json_str(project, "id", "");
    const json_t *live = json_at(project, "targets.production");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "the reply has no project with an id");
    (void)text_copy(d->project_id, sizeof(d->project_id), id);
    (void)text_copy(d->before, sizeof(d->before), json_str(live, "id", ""));
    if (d->before[0] && strcmp(json_str(live, "meta.trine", ""), w->marker) == 0)
        adopt(d, d->before);
    else
        d->step = VERCEL_CREATE;
    return 0;
}

static int take_find(struct deployment *d, const struct want *w, const struct http_reply *r,
                     const json_t *json, struct err *e)
{
    if (r->status != 404)
        return take_project(d, w, json, e);
    if (!json_at(json, "error"))
        return err_set(e, ERR_REMOTE, "answered 404 without saying that there is no such project");
    if (strcmp(json_str(json, "error.code", ""), "not_found") == 0)
        d->step = VERCEL_CREATE_PROJECT;
    else
        static_fail(d, VERCEL_FAILED, "no such team",
                    json_str(json, "error.message", json_str(json, "error.code", "not found")));
    return 0;
}

/* The shortest of the names is the project's own; the others name the branch or the team. */
static void note_url(struct deployment *d, const json_t *deployment)
{
    const json_t *item;
    const char *best = json_str(deployment, "alias.0", json_str(deployment, "url", ""));
    size_t i;

    json_array_foreach(json_at(deployment, "alias"), i, item)
    {
        const char *name = json_is_string(item) ? json_string_value(item) : "";
        if (name[0] && strlen(name) < strlen(best))
            best = name;
    }
    if (best[0])
        http_origin_of_host(best, d->url);
}

/* true or the time it happened; false, null or absent while it did not. */
static bool assigned(const json_t *deployment)
{
    const json_t *at = json_at(deployment, "aliasAssigned");

    return json_is_true(at) || (json_is_number(at) && json_number_value(at) > 0);
}

static void take_ready(struct deployment *d, const json_t *deployment)
{
    const json_t *trouble = json_at(deployment, "aliasError");

    note_url(d, deployment);
    if (json_is_object(trouble))
        static_fail(d, VERCEL_FAILED, "ready, but without its address",
                    json_str(trouble, "message", json_str(trouble, "code", "")));
    else if (assigned(deployment))
        d->step = VERCEL_LIVE;
    else if (strcmp(json_str(deployment, "readySubstate", ""), "STAGED") == 0 ||
             count(d) >= UNASSIGNED_POLLS)
        d->step = VERCEL_PROMOTE; /* after a rollback production addresses stay where they are */
}

static int take_deployment(struct deployment *d, const json_t *deployment, struct err *e)
{
    const char *id = json_str(deployment, "id", "");
    const char *word = json_str(deployment, "readyState", "");

    if (!id[0] || !word[0])
        return err_set(e, ERR_REMOTE, "the reply has no deployment with id and readyState");
    if (strcmp(d->remote_id, id) != 0) {
        (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
        d->extra[0] = '\0';
    }
    status_seen(d, word);
    d->step = VERCEL_AWAIT;
    switch (status_verdict(words, word)) {
    case VERDICT_GOOD:
        take_ready(d, deployment);
        break;
    case VERDICT_BAD:
        static_fail(d, VERCEL_FAILED, word,
                    json_str(deployment, "errorMessage", json_str(deployment, "errorCode", "")));
        break;
    case VERDICT_RUNNING:
        break;
    }
    return 0;
}

static int take_missing(struct deployment *d, const struct want *w, const json_t *json,
                        struct err *e)
{
    struct output o;
    int rc;

    if (!json_is_string(json_at(json, "error.code")))
        return err_set(e, ERR_REMOTE, "answered 400 without an error code");
    if (strcmp(json_str(json, "error.code", ""), "missing_files") != 0) {
        static_fail(d, VERCEL_FAILED, json_str(json, "error.code", ""),
                    json_str(json, "error.message", ""));
        return 0;
    }
    if (output_init(&o, w, e) < 0)
        return -1;
    rc = uploads_require(d, &o.set, json_at(json, "error.missing"), e);
    output_release(&o);
    if (rc < 0)
        return -1;
    d->step = VERCEL_UPLOAD;
    if (d->uploads_total == 0 || count(d) > MOST_ROUNDS)
        static_fail(d, VERCEL_FAILED, "missing_files",
                    "it still misses files after they were uploaded");
    return 0;
}

static int take_list(struct deployment *d, const struct want *w, const json_t *json, struct err *e)
{
    const json_t *list = json_at(json, "deployments"), *item;
    size_t i;
    bool older = false; /* than what there was before: ours cannot come any more */

    if (!json_is_array(list))
        return err_set(e, ERR_REMOTE, "the reply has no list of deployments");
    json_array_foreach(list, i, item)
    {
        const char *id = json_str(item, "uid", "");
        const char *state = json_str(item, "readyState", json_str(item, "state", ""));
        if (id[0] && strcmp(json_str(item, "meta.trine", ""), w->marker) == 0 &&
            status_verdict(words, state) != VERDICT_BAD) {
            adopt(d, id);
            return 0;
        }
        older = older || (d->before[0] && strcmp(id, d->before) == 0);
    }
    int64_t until = json_int(json, "pagination.next", 0);
    if (!older && until > 0 && (d->cursor == 0 || (size_t)until < d->cursor)) {
        d->cursor = (size_t)until;
        return 0;
    }
    d->cursor = 0;
    d->step = VERCEL_CREATE;
    return 0;
}

static int take_upload(struct deployment *d, const struct want *w, size_t i, struct err *e)
{
    struct output o;

    if (output_init(&o, w, e) < 0)
        return -1;
    uploads_sent(d, &o.set, i);
    output_release(&o);
    if (uploads_complete(d) && d->step == VERCEL_UPLOAD) {
        d->cursor = 0; /* means another thing in LOOK */
        d->step = VERCEL_CREATE;
    }
    return 0;
}

static int take_promoted(struct deployment *d, const json_t *project, struct err *e)
{
    const json_t *last = json_at(project, "lastAliasRequest");
    const char *word = json_str(last, "jobStatus", "");
    bool ours = strcmp(json_str(last, "toDeploymentId", ""), d->remote_id) == 0;

    if (!json_str(project, "id", NULL))
        return err_set(e, ERR_REMOTE, "the reply has no project with an id");
    status_seen(d, ours && word[0] ? word : "promoting");
    d->step = VERCEL_AWAIT_PROMOTED;
    if (strcmp(json_str(project, "targets.production.id", ""), d->remote_id) == 0 ||
        (ours && status_verdict(promote_words, word) == VERDICT_GOOD))
        d->step = VERCEL_LIVE;
    else if (ours && status_verdict(promote_words, word) == VERDICT_BAD)
        static_fail(d, VERCEL_FAILED, word, "the production addresses could not be moved to it");
    return 0;
}

static int take_json(struct deployment *d, const struct want *w, const struct call *c,
                     const struct http_reply *r, const json_t *json, struct err *e)
{
    switch ((enum vercel_step)c->tag) {
    case VERCEL_FIND_PROJECT:
        return take_find(d, w, r, json, e);
    case VERCEL_CREATE_PROJECT:
        return take_project(d, w, json, e);
    case VERCEL_CREATE:
        return r->status == 400 ? take_missing(d, w, json, e) : take_deployment(d, json, e);
    case VERCEL_POLL:
        return take_deployment(d, json, e);
    case VERCEL_LOOK:
        return take_list(d, w, json, e);
    case VERCEL_POLL_PROMOTED:
        return take_promoted(d, json, e);
    case VERCEL_UPLOAD:
    case VERCEL_AWAIT:
    case VERCEL_PROMOTE:
    case VERCEL_AWAIT_PROMOTED:
    case VERCEL_LIVE:
    case VERCEL_FAILED:
        break;
    }
    return err_set(e, ERR_BUG, "a reply to nothing that was asked (tag %lld)", (long long)c->tag);
}

static int vercel_take(struct deployment *d, const struct want *w, const struct call *c,
                       const struct http_reply *reply, struct err *e)
{
    if ((c->tag & ((1 << STEP_BITS) - 1)) == VERCEL_UPLOAD)
        return take_upload(d, w, (size_t)(c->tag >> STEP_BITS), e);
    if (c->tag == VERCEL_PROMOTE) { /* 201, or 202 when it is queued; the body is empty */
        d->step = VERCEL_AWAIT_PROMOTED;
        return 0;
    }
    json_t *json = reply_read(reply, "reply", e);
    if (!json)
        return -1;
    int rc = take_json(d, w, c, reply, json, e);
    json_decref(json);
    return rc;
}

/* --- Refusals --------------------------------------------------------------------------------- */

static void vercel_refused(struct deployment *d, const struct call *c,
                           const struct http_reply *reply, struct err *e)
{
    (void)d;
    vercel_say_refused(reply, c->tag == VERCEL_CREATE_PROJECT, e);
}

const struct provider_ops provider_vercel = {
    .name = "vercel",
    .title = "Vercel",
    .base = "https://api.vercel.com",
    .hosts_static = true,
    .in_flight = 10,
    .limits = limits,
    .max_files = MOST_FILES - 1, /* config.json is one more */
    .needs = needs,
    .check = vercel_check,
    .next = vercel_next,
    .take = vercel_take,
    .refused = vercel_refused,
};
