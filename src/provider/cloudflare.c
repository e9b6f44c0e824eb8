#include "provider/cloudflare.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Cloudflare Pages, Direct Upload. Source of the protocol: the published OpenAPI description for
 * projects and deployments; the vendor's own client (wrangler 4) for the asset calls.
 *
 * Assets belong to the account and are named by a hash; a short-lived upload token, fetched with
 * the API token, opens those calls. A deployment then maps paths to hashes. It is ours when its
 * commit message begins with our marker.
 *
 *   project_id  the project        remote_id  the deployment
 *   extra       "SUBDOMAIN BRANCH" of the project: where users reach it, and what is production
 *   session     the upload token   cursor     list pages read, or refused upload tokens in a row
 */

enum cloudflare_step {
    CLOUDFLARE_FIND_PROJECT,
    CLOUDFLARE_CREATE_PROJECT,
    CLOUDFLARE_TOKEN,
    CLOUDFLARE_TOKEN_AGAIN, /* the same: by a changed step the runner knows that a call is dropped
                             */
    CLOUDFLARE_CHECK,
    CLOUDFLARE_UPLOAD,
    CLOUDFLARE_UPSERT,
    CLOUDFLARE_CREATE,
    CLOUDFLARE_LOOK, /* did the create happen? */
    CLOUDFLARE_AWAIT,
    CLOUDFLARE_POLL,
    CLOUDFLARE_READ_LOG,
    CLOUDFLARE_LIVE,
    CLOUDFLARE_FAILED,
};

enum {
    NAME_MAX_LEN = 58,
    PAGE = 25,      /* more is refused (8000024) */
    MOST_PAGES = 8, /* of the list in which our deployment would be among the newest */
    DEFAULT_FILES = 20000,
    TOKENS_IN_A_ROW = 12,
    STEP_BITS = 8,      /* a tag is the step, and above it the batch */
    PENALTY_MS = 60000, /* the whole one is 5 minutes; what is left of it is not known */
    UNKNOWN_ERROR = 8000000,
    NO_PROJECT = 8000007,
    EXPIRED = 8000013,
};

static const char keys[] =
    "`token` (its permission \"Cloudflare Pages: Edit\") and `account` (the id of that account)";
static const struct poll_pace pace = {1000, 10000};

static const struct rate_limit limits[] = {
    {"", 1200, 300000, "developers.cloudflare.com/fundamentals/api/reference/limits"},
    {NULL, 0, 0, NULL},
};

static const char *const needs[] = {"token", "account", NULL};

static int cloudflare_check(const struct want *w, struct err *e)
{
    if (check_project_name(w->project_name, NAME_MAX_LEN, "Cloudflare Pages", e) < 0)
        return -1;
    for (size_t i = 0; w->bundle && i < w->bundle->n; i++)
        if (strcmp(w->bundle->files[i].path, "_worker.js") == 0 ||
            strcmp(w->bundle->files[i].path, "_routes.json") == 0)
            return err_set(e, ERR_MANIFEST,
                           "%s: Cloudflare Pages would run this as a function, but only static "
                           "files are deployed; take it out",
                           w->bundle->files[i].source);
    return 0;
}

/* --- Requests --------------------------------------------------------------------------------- */

static void api_call(struct call *c, const struct deployment *d, const struct want *w,
                     const char *method, const char *rest)
{
    call_begin_http(c, d->step, method, "/accounts/%s/pages/projects%s", call_encode(c, w->account),
                    rest);
    call_bearer(c, w->token);
}

static const char *project_path(struct call *c, const struct want *w, const char *rest)
{
    return arena_printf(&c->http.arena, "/%s%s", call_encode(c, w->project_name), rest);
}

static const char *deployment_path(struct call *c, const struct deployment *d, const struct want *w,
                                   const char *rest)
{
    return project_path(
        c, w,
        arena_printf(&c->http.arena, "/deployments/%s%s", call_encode(c, d->remote_id), rest));
}

static void call_create_project(struct call *c, const struct deployment *d, const struct want *w)
{
    api_call(c, d, w, "POST", "");
    call_json(c, json_pack("{s:s, s:s, s:{s:{}, s:{}}}", "name", w->project_name,
                           "production_branch", w->branch[0] ? w->branch : "main",
                           "deployment_configs", "production", "preview"));
    call_once(c, CLOUDFLARE_FIND_PROJECT);
}

/* An asset call: no account in the path, the upload token names it. */
static void asset_call(struct call *c, const struct deployment *d, const char *name)
{
    call_begin_http(c, d->step, "POST", "/pages/assets/%s", name);
    call_bearer(c, d->session);
}

static void call_hashes(struct call *c, const struct deployment *d, const struct want *w,
                        const char *name)
{
    struct file_set set = cloudflare_files(w);

    asset_call(c, d, name);
    call_json(c, json_pack("{s:o}", "hashes", file_set_digests(&set)));
}

/* The branch that makes it production, whatever the project was made with. */
static void call_create(struct call *c, const struct deployment *d, const struct want *w)
{
    const char *branch = strchr(d->extra, ' ');

    api_call(c, d, w, "POST", project_path(c, w, "/deployments"));
    cloudflare_form(c, w, branch ? branch + 1 : "");
    call_once(c, CLOUDFLARE_LOOK);
}

static enum turn next_upload(struct deployment *d, const struct want *w, struct call *c,
                             int64_t *ret_wait_ms)
{
    size_t batch;

    asset_call(c, d, "upload");
    if (!cloudflare_next_batch(d, w, c, &batch)) {
        *ret_wait_ms = pace.first_ms; /* the rest is on its way */
        return TURN_WAIT;
    }
    http_request_header(&c->http, "Content-Type", "application/json");
    c->tag = CLOUDFLARE_UPLOAD | (int64_t)batch << STEP_BITS;
    c->parallel = true;
    c->exclusive = true;
    c->http.timeout_ms = upload_timeout_ms(http_request_length(&c->http));
    return TURN_SEND;
}

/* After a restart neither the upload token nor what was missing is known any more. */
static void settle_step(struct deployment *d)
{
    bool upload = d->step == CLOUDFLARE_UPLOAD;

    if (upload && !d->needed)
        d->step = CLOUDFLARE_CHECK;
    if ((upload || d->step == CLOUDFLARE_CHECK || d->step == CLOUDFLARE_UPSERT) && !d->session[0])
        d->step = CLOUDFLARE_TOKEN;
}

static enum turn cloudflare_next(struct deployment *d, const struct want *w, struct call *ret,
                                 int64_t *ret_wait_ms, struct err *e)
{
    settle_step(d);
    switch ((enum cloudflare_step)d->step) {
    case CLOUDFLARE_FIND_PROJECT:
        api_call(ret, d, w, "GET", project_path(ret, w, ""));
        ret->also[0] = 404;
        break;
    case CLOUDFLARE_CREATE_PROJECT:
        call_create_project(ret, d, w);
        break;
    case CLOUDFLARE_TOKEN:
    case CLOUDFLARE_TOKEN_AGAIN:
        api_call(ret, d, w, "GET", project_path(ret, w, "/upload-token"));
        ret->exclusive = d->needed != NULL; /* between uploads the account's turn is kept */
        break;
    case CLOUDFLARE_CHECK:
        call_hashes(ret, d, w, "check-missing");
        ret->exclusive = true;
        break;
    case CLOUDFLARE_UPLOAD:
        return next_upload(d, w, ret, ret_wait_ms);
    case CLOUDFLARE_UPSERT:
        call_hashes(ret, d, w, "upsert-hashes");
        break;
    case CLOUDFLARE_CREATE:
        call_create(ret, d, w);
        break;
    case CLOUDFLARE_LOOK:
        api_call(ret, d, w, "GET",
                 project_path(ret, w,
                              arena_printf(&ret->http.arena,
                                           "/deployments?env=production&page=%zu&per_page=%d",
                                           d->cursor + 1, PAGE)));
        break;
    case CLOUDFLARE_AWAIT:
        return poll_wait(d, CLOUDFLARE_POLL, &pace, ret_wait_ms);
    case CLOUDFLARE_POLL:
        api_call(ret, d, w, "GET", deployment_path(ret, d, w, ""));
        break;
    case CLOUDFLARE_READ_LOG:
        api_call(ret, d, w, "GET", deployment_path(ret, d, w, "/history/logs?size=10000000"));
        break;
    case CLOUDFLARE_LIVE:
        return TURN_DONE;
    case CLOUDFLARE_FAILED:
        return service_failed(d, e);
    }
    return turn_send(d, ret, "Cloudflare Pages", e);
}

/* --- Replies ---------------------------------------------------------------------------------- */

/* Success is what the envelope says, not the status alone. */
static json_t *read_envelope(const struct http_reply *r, struct err *e)
{
    json_t *json = reply_read(r, "reply", e);

    if (!json || json_flag(json, "success", false))
        return json;
    (void)err_set(e, ERR_REMOTE, "%s (code %lld)", json_str(json, "errors.0.message", "no success"),
                  (long long)json_int(json, "errors.0.code", 0));
    json_decref(json);
    return NULL;
}

static bool ours(const json_t *deployment, const char *marker)
{
    const char *status = json_str(deployment, "latest_stage.status", "");

    return json_str(deployment, "id", NULL) && strcmp(status, "failure") != 0 &&
           strcmp(status, "canceled") != 0 &&
           marker_begins(json_str(deployment, "deployment_trigger.metadata.commit_message", ""),
                         marker);
}

static void adopt(struct deployment *d, const json_t *deployment)
{
    (void)text_copy(d->remote_id, sizeof(d->remote_id), json_str(deployment, "id", ""));
    d->cursor = 0;
    d->step = CLOUDFLARE_POLL;
}

static int take_project(struct deployment *d, const struct want *w, const json_t *project,
                        struct err *e)
{
    const char *id = json_str(project, "id", ""), *subdomain = json_str(project, "subdomain", "");
    const json_t *latest = json_at(project, "latest_deployment");

    if (!id[0] || !subdomain[0])
        return err_set(e, ERR_REMOTE, "the reply has no project with id and subdomain");
    (void)text_copy(d->project_id, sizeof(d->project_id), id);
    (void)text_copy(d->before, sizeof(d->before), json_str(latest, "id", ""));
    (void)snprintf(d->extra, sizeof(d->extra), "%.255s %.255s", subdomain,
                   json_str(project, "production_branch", ""));
    if (ours(latest, w->marker))
        adopt(d, latest);
    else
        d->step = CLOUDFLARE_TOKEN;
    return 0;
}

static int take_find(struct deployment *d, const struct want *w, const struct http_reply *r,
                     struct err *e)
{
    json_t *json = r->status == 404 ? reply_read(r, "reply", e) : read_envelope(r, e);
    int rc = 0;

    if (!json)
        return -1;
    if (r->status != 404)
        rc = take_project(d, w, json_at(json, "result"), e);
    else if (json_int(json, "errors.0.code", 0) == NO_PROJECT)
        d->step = CLOUDFLARE_CREATE_PROJECT;
    else
        static_fail(d, CLOUDFLARE_FAILED, "no such account",
                    json_str(json, "errors.0.message", "not found"));
    json_decref(json);
    return rc;
}

/* How many files the account may have, from the token's middle part: a claim that need not be
 * verified, since the platform counts for itself. */
static int64_t files_allowed(const char *jwt)
{
    const char *from = strchr(jwt, '.');
    size_t len = from ? strcspn(from + 1, ".") : 0, padded = (len + 3) / 4 * 4;
    char *text = mem_alloc(padded + 1);
    uint8_t *bytes = mem_alloc(padded + 1);
    struct err ignored = ERR_INIT;
    int64_t allowed = DEFAULT_FILES;

    for (size_t i = 0; i < padded; i++) {
        char c = i < len ? from[1 + i] : '=';
        text[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    int64_t n = base64_decode(text, padded, bytes);
    json_t *claims = n > 0 ? json_read((char *)bytes, (size_t)n, "token", &ignored) : NULL;
    allowed = json_int(claims, "max_file_count_allowed", DEFAULT_FILES);
    json_decref(claims);
    free(text);
    free(bytes);
    return allowed;
}

static int take_token(struct deployment *d, const struct want *w, const json_t *result,
                      struct err *e)
{
    struct file_set set = cloudflare_files(w);
    const char *jwt = json_str(result, "jwt", "");
    char why[120];

    if (!jwt[0] || strlen(jwt) >= sizeof(d->session) || strpbrk(jwt, "\r\n"))
        return err_set(e, ERR_REMOTE, "the reply has no usable upload token");
    size_t published = file_set_carried(&set);
    if ((int64_t)published > files_allowed(jwt)) {
        (void)snprintf(why, sizeof(why), "%zu, but this account may have %lld a site", published,
                       (long long)files_allowed(jwt));
        static_fail(d, CLOUDFLARE_FAILED, "too many files", why);
        return 0;
    }
    (void)text_copy(d->session, sizeof(d->session), jwt);
    uploads_take_back(d, &set); /* nothing is on its way: see provider.h, refused */
    if (!d->needed)
        d->step = CLOUDFLARE_CHECK;
    else
        d->step = uploads_complete(d) ? CLOUDFLARE_UPSERT : CLOUDFLARE_UPLOAD;
    return 0;
}

static int take_missing(struct deployment *d, const struct want *w, const json_t *result,
                        struct err *e)
{
    struct file_set set = cloudflare_files(w);

    if (uploads_require(d, &set, result, e) < 0)
        return -1;
    d->step = uploads_complete(d) ? CLOUDFLARE_UPSERT : CLOUDFLARE_UPLOAD;
    return 0;
}

static int take_upload(struct deployment *d, const struct want *w, size_t batch,
                       const json_t *result, struct err *e)
{
    size_t failed = json_array_size(json_at(result, "unsuccessful_keys"));

    if (failed > 0) {
        e->retry = true;
        return err_set(e, ERR_REMOTE, "%zu files of a batch were not stored", failed);
    }
    d->cursor = 0;
    cloudflare_batch_sent(d, w, batch);
    if (uploads_complete(d) && d->step == CLOUDFLARE_UPLOAD)
        d->step = CLOUDFLARE_UPSERT;
    return 0;
}

/* The project's own address, with the scheme of the deployment's. */
static void note_url(struct deployment *d, const char *url)
{
    size_t host = strcspn(d->extra, " ");
    char name[300];

    (void)snprintf(name, sizeof(name), "%.*s", (int)host, d->extra);
    http_origin_of_host(name, d->url);
    const char *colon = strstr(url, "://");
    if (colon)
        (void)snprintf(d->url, sizeof(d->url), "%.*s://%s", (int)(colon - url), url, name);
}

static int take_deployment(struct deployment *d, const json_t *result, struct err *e)
{
    const char *id = json_str(result, "id", ""), *stage, *status;

    stage = json_str(result, "latest_stage.name", "");
    status = json_str(result, "latest_stage.status", "");
    if (!id[0])
        return err_set(e, ERR_REMOTE, "the reply has no deployment with an id");
    (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
    char word[sizeof(d->word)];
    (void)snprintf(word, sizeof(word), "%.30s: %.30s", stage, status);
    status_seen(d, word);
    d->step = CLOUDFLARE_AWAIT;
    if (json_flag(result, "is_skipped", false)) {
        static_fail(d, CLOUDFLARE_FAILED, "skipped", json_str(result, "skip_reason", ""));
    } else if (strcmp(status, "failure") == 0) {
        d->step = CLOUDFLARE_READ_LOG;
    } else if (strcmp(status, "canceled") == 0) {
        d->step = CLOUDFLARE_FAILED;
    } else if (strcmp(stage, "deploy") == 0 && strcmp(status, "success") == 0) {
        note_url(d, json_str(result, "url", ""));
        d->step = CLOUDFLARE_LIVE;
    }
    return 0;
}

static int take_list(struct deployment *d, const struct want *w, const json_t *result,
                     struct err *e)
{
    const json_t *item;
    size_t i;
    bool older = false; /* than what there was before: ours cannot come any more */

    if (!json_is_array(result))
        return err_set(e, ERR_REMOTE, "the reply has no list of deployments");
    json_array_foreach(result, i, item)
    {
        if (ours(item, w->marker)) {
            adopt(d, item);
            return 0;
        }
        older = older || (d->before[0] && strcmp(json_str(item, "id", ""), d->before) == 0);
    }
    if (!older && json_array_size(result) >= PAGE && d->cursor + 1 < MOST_PAGES) {
        d->cursor++;
        return 0;
    }
    d->cursor = 0;
    d->step = CLOUDFLARE_CREATE;
    return 0;
}

static int take_log(struct deployment *d, const json_t *result)
{
    const json_t *lines = json_at(result, "data");
    size_t n = json_array_size(lines);

    if (n > 0)
        (void)text_copy(d->detail, sizeof(d->detail),
                        json_str(json_array_get(lines, n - 1), "line", ""));
    d->step = CLOUDFLARE_FAILED;
    return 0;
}

static int take_result(struct deployment *d, const struct want *w, const struct call *c,
                       const json_t *result, struct err *e)
{
    switch ((enum cloudflare_step)(c->tag & ((1 << STEP_BITS) - 1))) {
    case CLOUDFLARE_CREATE_PROJECT:
        return take_project(d, w, result, e);
    case CLOUDFLARE_TOKEN:
    case CLOUDFLARE_TOKEN_AGAIN:
        return take_token(d, w, result, e);
    case CLOUDFLARE_CHECK:
        d->cursor = 0;
        return take_missing(d, w, result, e);
    case CLOUDFLARE_UPLOAD:
        return take_upload(d, w, (size_t)(c->tag >> STEP_BITS), result, e);
    case CLOUDFLARE_CREATE:
    case CLOUDFLARE_POLL:
        return take_deployment(d, result, e);
    case CLOUDFLARE_LOOK:
        return take_list(d, w, result, e);
    case CLOUDFLARE_READ_LOG:
        return take_log(d, result);
    case CLOUDFLARE_FIND_PROJECT:
    case CLOUDFLARE_UPSERT:
    case CLOUDFLARE_AWAIT:
    case CLOUDFLARE_LIVE:
    case CLOUDFLARE_FAILED:
        break;
    }
    return err_set(e, ERR_BUG, "a reply to nothing that was asked (tag %lld)", (long long)c->tag);
}

static int cloudflare_take(struct deployment *d, const struct want *w, const struct call *c,
                           const struct http_reply *reply, struct err *e)
{
    if (c->tag == CLOUDFLARE_FIND_PROJECT)
        return take_find(d, w, reply, e);
    if (c->tag == CLOUDFLARE_UPSERT) { /* a hint to the cache: its answer changes nothing */
        d->cursor = 0;
        d->step = CLOUDFLARE_CREATE;
        return 0;
    }
    json_t *json = read_envelope(reply, e);
    if (!json)
        return -1;
    int rc = take_result(d, w, c, json_at(json, "result"), e);
    json_decref(json);
    return rc;
}

/* --- Refusals --------------------------------------------------------------------------------- */

static bool is_asset_call(int64_t tag)
{
    int64_t step = tag & ((1 << STEP_BITS) - 1);

    return step == CLOUDFLARE_CHECK || step == CLOUDFLARE_UPLOAD || step == CLOUDFLARE_UPSERT;
}

/* Upload tokens live for minutes. A new one is fetched; several calls may find out at once. */
static void renew_token(struct deployment *d, const char *message, struct err *e)
{
    if (++d->cursor > TOKENS_IN_A_ROW) {
        refusal_say(e, "every new upload token is refused: %.200s", message);
        e->retry = false;
        return;
    }
    refusal_say(e, "the upload token has expired (%.100s); fetching another", message);
    e->retry = true;
    d->session[0] = '\0';
    d->step = d->step == CLOUDFLARE_TOKEN ? CLOUDFLARE_TOKEN_AGAIN : CLOUDFLARE_TOKEN;
}

/* A token that is wrong, or not even of a token's form, is told by codes too: at status 400. */
static bool is_of_token(int status, int64_t code)
{
    static const int64_t codes[] = {6003, 6111, 9106, 9109, 10000};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (code == codes[i])
            return true;
    return status == 401 || status == 403;
}

/* When it may be tried again, where status and headers do not say so. */
static void judge_retry(struct deployment *d, const struct call *c, const struct http_reply *reply,
                        int64_t code, struct err *e)
{
    if (code == UNKNOWN_ERROR && !is_of_token(reply->status, code))
        e->retry = true;
    if (reply->status == 429 && !http_reply_header(reply, "retry-after"))
        e->retry_after = PENALTY_MS;
    if (c->tag == CLOUDFLARE_UPSERT && reply->status != 429 && d->step == CLOUDFLARE_UPSERT) {
        d->cursor = 0;
        d->step = CLOUDFLARE_CREATE; /* only a hint to the cache */
        e->retry = true;
    }
}

static void cloudflare_refused(struct deployment *d, const struct call *c,
                               const struct http_reply *reply, struct err *e)
{
    json_t *json = reply_peek(reply);
    const char *mitigated = http_reply_header(reply, "cf-mitigated");
    const char *ray = http_reply_header(reply, "cf-ray");
    int64_t code = json_int(json, "errors.0.code", 0);
    const char *message = json_str(json, "errors.0.message", json ? "no message" : "");
    bool of_token = is_of_token(reply->status, code);

    message = json_str(json, "errors.0.error_chain.0.message", message);
    if (!json) /* an expired upload token is answered with plain text */
        message = reply->len < 100 && reply->body[0] != '<' ? reply->body : "no JSON";
    if (mitigated)
        refusal_say(e, "a firewall of Cloudflare stands in the way (%.40s, ray %.60s)", mitigated,
                    ray ? ray : "unknown");
    else if (is_asset_call(c->tag) && (of_token || code == EXPIRED))
        renew_token(d, message, e);
    else if (of_token)
        refusal_of_token(e, message, keys);
    else
        refusal_say(e, "answered %d: %.300s (code %lld, ray %.60s)", reply->status, message,
                    (long long)code, ray ? ray : "unknown");
    judge_retry(d, c, reply, code, e);
    json_decref(json);
}

const struct provider_ops provider_cloudflare = {
    .name = "cloudflare-pages",
    .title = "Cloudflare Pages",
    .base = "https://api.cloudflare.com/client/v4",
    .hosts_static = true,
    .in_flight = 3,
    .limits = limits,
    .max_file_bytes = 25 << 20,
    .max_files = 100000, /* on paid plans; the account's own number comes with the upload token */
    .needs = needs,
    .check = cloudflare_check,
    .next = cloudflare_next,
    .take = cloudflare_take,
    .refused = cloudflare_refused,
};
