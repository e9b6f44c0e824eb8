#include "provider/static_host.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Netlify, deploys by file digest. Source of the protocol: the published OpenAPI description and
 * the Go client beside it (netlify/open-api); status words: its deploy schema.
 *
 * A deploy is created with the SHA-1 of every path and answers which digests it needs; it goes live
 * by itself when the last has arrived. It is ours when its title begins with our marker.
 *
 *   project_id  the site        remote_id  the deploy       cursor  list pages read
 */

enum netlify_step {
    NETLIFY_FIND_SITE,
    NETLIFY_CREATE_SITE,
    NETLIFY_CREATE,
    NETLIFY_LOOK,    /* did the create happen? */
    NETLIFY_PREPARE, /* read the deploy for the digests it needs */
    NETLIFY_AWAIT_PREPARED,
    NETLIFY_UPLOAD,
    NETLIFY_AWAIT,
    NETLIFY_POLL,
    NETLIFY_LIVE,
    NETLIFY_FAILED,
};

enum {
    NAME_MAX_LEN = 63,
    PAGE = 100,
    MOST_SITE_PAGES = 50,
    MOST_DEPLOY_PAGES = 5, /* of the list in which our deploy would be among the newest */
    ASYNC_FROM = 100,      /* files; with more the official client does not wait for the list */
    TITLE_MAX = 384,
    DEPLOY_PACE_MS = 20000, /* three deploys a minute */
    STEP_BITS = 8,          /* a tag is the step, and above it the file */
};

static const struct poll_pace pace = {1000, 10000};

static const struct status_word words[] = {
    {"ready", VERDICT_GOOD},
    {"error", VERDICT_BAD},
    {"rejected", VERDICT_BAD},
    {NULL, VERDICT_RUNNING},
};

static const struct rate_limit limits[] = {
    {"", 500, 60000, "docs.netlify.com/api/get-started, \"Rate limiting\""},
    {"deploy", 3, 60000, "docs.netlify.com/api/get-started, \"Rate limiting\""},
    {"deploy", 100, 86400000, "docs.netlify.com/api/get-started, \"Rate limiting\""},
    {NULL, 0, 0, NULL},
};

static const char *const needs[] = {"token", NULL};

/* As both official clients leave out: what begins with a dot, at any depth, except .well-known. */
static bool carries(const struct bundle_file *f)
{
    for (const char *part = f->path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (*part == '.' && strncmp(part, ".well-known/", 12) != 0)
            return false;
        if (strncmp(part, "__MACOSX", 8) == 0)
            return false;
    }
    return true;
}

static struct file_set files_of(const struct want *w)
{
    return (struct file_set){w->bundle, DIGEST_SHA1, carries, NULL};
}

static int netlify_check(const struct want *w, struct err *e)
{
    if (check_project_name(w->project_name, NAME_MAX_LEN, "Netlify", e) < 0)
        return -1;
    for (size_t i = 0; w->bundle && i < w->bundle->n; i++)
        if (carries(&w->bundle->files[i]) && strpbrk(w->bundle->files[i].path, "#?"))
            return err_set(e, ERR_MANIFEST, "%s: Netlify takes no name with # or ?; rename it",
                           w->bundle->files[i].source);
    return 0;
}

/* --- Requests --------------------------------------------------------------------------------- */

static void call_find_site(struct call *c, const struct deployment *d, const struct want *w)
{
    call_begin_http(c, d->step, "GET", "/sites?name=%s&filter=all&page=%zu&per_page=%d",
                    call_encode(c, w->project_name), d->cursor + 1, PAGE);
}

static void call_create_site(struct call *c, const struct deployment *d, const struct want *w)
{
    if (w->team[0])
        call_begin_http(c, d->step, "POST", "/%s/sites", call_encode(c, w->team));
    else
        call_begin_http(c, d->step, "POST", "/sites");
    call_json(c, json_pack("{s:s}", "name", w->project_name));
    call_once(c, NETLIFY_FIND_SITE);
}

static void call_create(struct call *c, const struct deployment *d, const struct want *w)
{
    json_t *files = json_object();
    char title[TITLE_MAX + 1];

    for (size_t i = 0; i < w->bundle->n; i++)
        if (carries(&w->bundle->files[i]))
            json_object_set_new(files, w->bundle->files[i].path,
                                json_string(w->bundle->files[i].sha1));
    bool later = json_object_size(files) > ASYNC_FROM;
    marker_title(w, title, sizeof(title));
    call_begin_http(c, d->step, "POST", "/sites/%s/deploys?title=%s", call_encode(c, d->project_id),
                    call_encode(c, title));
    call_json(c, json_pack("{s:o, s:b}", "files", files, "async", later));
    call_once(c, NETLIFY_LOOK);
    c->cost = "deploy";
    c->exclusive = true;
}

static void call_deploy(struct call *c, const struct deployment *d)
{
    call_begin_http(c, d->step, "GET", "/sites/%s/deploys/%s", call_encode(c, d->project_id),
                    call_encode(c, d->remote_id));
}

/* A path may be longer than what call_begin_http takes. */
static void call_upload(struct call *c, const struct deployment *d, const struct bundle_file *f)
{
    struct buf path = BUF_INIT(65536);

    text_percent_encode(&path, f->path, true);
    call_begin_http(c, d->step, "PUT", "/");
    http_request_url(&c->http, "/deploys/%s/files/%s", call_encode(c, d->remote_id),
                     buf_str(&path));
    buf_release(&path);
    http_request_header(&c->http, "Content-Type", "application/octet-stream");
    http_request_file(&c->http, f->source, (size_t)f->size, false);
    c->http.timeout_ms = upload_timeout_ms(f->size);
    c->parallel = true;
    c->exclusive = true;
}

static enum turn next_upload(struct deployment *d, const struct want *w, struct call *c,
                             int64_t *ret_wait_ms)
{
    struct file_set set = files_of(w);
    size_t i;

    if (!uploads_next(d, &set, &i)) {
        *ret_wait_ms = pace.first_ms; /* the rest is on its way */
        return TURN_WAIT;
    }
    call_upload(c, d, &w->bundle->files[i]);
    call_bearer(c, w->token);
    c->tag = NETLIFY_UPLOAD | (int64_t)i << STEP_BITS;
    return TURN_SEND;
}

static enum turn netlify_next(struct deployment *d, const struct want *w, struct call *ret,
                              int64_t *ret_wait_ms, struct err *e)
{
    if (d->step == NETLIFY_UPLOAD && !d->needed)
        d->step = NETLIFY_PREPARE; /* after a restart */
    switch ((enum netlify_step)d->step) {
    case NETLIFY_FIND_SITE:
        call_find_site(ret, d, w);
        break;
    case NETLIFY_CREATE_SITE:
        call_create_site(ret, d, w);
        break;
    case NETLIFY_CREATE:
        call_create(ret, d, w);
        break;
    case NETLIFY_LOOK:
        call_begin_http(ret, d->step, "GET", "/sites/%s/deploys?page=%zu&per_page=%d",
                        call_encode(ret, d->project_id), d->cursor + 1, PAGE);
        ret->exclusive = true;
        break;
    case NETLIFY_PREPARE:
        call_deploy(ret, d);
        ret->exclusive = true;
        break;
    case NETLIFY_AWAIT_PREPARED:
        return poll_wait(d, NETLIFY_PREPARE, &pace, ret_wait_ms);
    case NETLIFY_UPLOAD:
        return next_upload(d, w, ret, ret_wait_ms);
    case NETLIFY_AWAIT:
        return poll_wait(d, NETLIFY_POLL, &pace, ret_wait_ms);
    case NETLIFY_POLL:
        call_deploy(ret, d);
        break;
    case NETLIFY_LIVE:
        return TURN_DONE;
    case NETLIFY_FAILED:
        return service_failed(d, e);
    }
    call_bearer(ret, w->token);
    return turn_send(d, ret, "Netlify", e);
}

/* --- Replies ---------------------------------------------------------------------------------- */

static int take_site(struct deployment *d, const struct want *w, const json_t *site, struct err *e)
{
    const char *id = json_str(site, "id", "");
    const json_t *published = json_at(site, "published_deploy");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "the reply has no site with an id");
    (void)text_copy(d->project_id, sizeof(d->project_id), id);
    (void)text_copy(d->before, sizeof(d->before), json_str(published, "id", ""));
    d->cursor = 0;
    if (json_flag(site, "prevent_non_git_prod_deploys", false)) {
        static_fail(d, NETLIFY_FAILED, "the site is locked",
                    "it takes production deploys from git only; change that in its settings");
    } else if (json_flag(published, "locked", false)) {
        static_fail(d, NETLIFY_FAILED, "the site is locked",
                    "a new deploy would not go live while the published one is locked; unlock it "
                    "(\"Start auto publishing\") in the dashboard");
    } else if (marker_begins(json_str(published, "title", ""), w->marker)) {
        (void)text_copy(d->remote_id, sizeof(d->remote_id), d->before);
        d->step = NETLIFY_POLL;
    } else {
        d->step = NETLIFY_CREATE;
    }
    return 0;
}

static int take_sites(struct deployment *d, const struct want *w, const json_t *list, struct err *e)
{
    const json_t *item;
    size_t i;

    if (!json_is_array(list))
        return err_set(e, ERR_REMOTE, "the reply has no list of sites");
    json_array_foreach(list, i, item)
    {
        if (strcmp(json_str(item, "name", ""), w->project_name) == 0)
            return take_site(d, w, item, e);
    }
    if (json_array_size(list) >= PAGE && d->cursor + 1 < MOST_SITE_PAGES) {
        d->cursor++;
        return 0;
    }
    d->cursor = 0;
    d->step = NETLIFY_CREATE_SITE;
    return 0;
}

/* The address of the site, not of this one deploy. */
static void note_url(struct deployment *d, const json_t *deploy)
{
    const char *url = json_str(deploy, "ssl_url", "");

    (void)text_copy(d->url, sizeof(d->url), url[0] ? url : json_str(deploy, "url", ""));
}

static bool one_of(const char *word, const char *const *list)
{
    while (*list && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

/* Goes on from what the deploy says of itself, whether it was just created, is being prepared, or
 * all its files were sent: `uploaded` says which digests it has been given already. */
static int go_on(struct deployment *d, const struct want *w, const json_t *deploy, bool uploaded,
                 struct err *e)
{
    static const char *const takes_files[] = {"prepared", "uploading", NULL};
    static const char *const has_files[] = {"uploaded", "processing", "processed", "ready", NULL};
    const char *state = json_str(deploy, "state", "");
    const json_t *required = json_at(deploy, "required");
    struct file_set set = files_of(w);

    if (status_verdict(words, state) == VERDICT_BAD) {
        static_fail(d, NETLIFY_FAILED, state, json_str(deploy, "error_message", ""));
    } else if (status_verdict(words, state) == VERDICT_GOOD) {
        note_url(d, deploy);
        d->step = NETLIFY_LIVE;
    } else if (uploaded || one_of(state, has_files)) {
        d->step = NETLIFY_AWAIT;
    } else if (one_of(state, takes_files) || json_array_size(required) > 0) {
        if (uploads_require(d, &set, required, e) < 0)
            return -1;
        d->step = uploads_complete(d) ? NETLIFY_AWAIT : NETLIFY_UPLOAD;
    } else {
        d->step = NETLIFY_AWAIT_PREPARED;
    }
    return 0;
}

static int take_deploy(struct deployment *d, const struct want *w, const json_t *deploy,
                       bool uploaded, struct err *e)
{
    const char *id = json_str(deploy, "id", ""), *state = json_str(deploy, "state", "");

    if (!id[0] || !state[0])
        return err_set(e, ERR_REMOTE, "the reply has no deploy with id and state");
    if (go_on(d, w, deploy, uploaded, e) < 0)
        return -1;
    (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
    status_seen(d, state);
    return 0;
}

static int take_deploys(struct deployment *d, const struct want *w, const json_t *list,
                        struct err *e)
{
    const json_t *item;
    size_t i;
    bool older = false; /* than what there was before: ours cannot come any more */

    if (!json_is_array(list))
        return err_set(e, ERR_REMOTE, "the reply has no list of deploys");
    json_array_foreach(list, i, item)
    {
        const char *id = json_str(item, "id", "");
        if (id[0] && marker_begins(json_str(item, "title", ""), w->marker) &&
            status_verdict(words, json_str(item, "state", "")) != VERDICT_BAD) {
            (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
            d->cursor = 0;
            d->step = NETLIFY_PREPARE;
            return 0;
        }
        older = older || (d->before[0] && strcmp(id, d->before) == 0);
    }
    if (!older && json_array_size(list) >= PAGE && d->cursor + 1 < MOST_DEPLOY_PAGES) {
        d->cursor++;
        return 0;
    }
    d->cursor = 0;
    d->step = NETLIFY_CREATE;
    return 0;
}

static int take_upload(struct deployment *d, const struct want *w, size_t i)
{
    struct file_set set = files_of(w);

    uploads_sent(d, &set, i);
    if (uploads_complete(d) && d->step == NETLIFY_UPLOAD)
        d->step = NETLIFY_AWAIT;
    return 0;
}

static int take_json(struct deployment *d, const struct want *w, const struct call *c,
                     const json_t *json, struct err *e)
{
    switch ((enum netlify_step)c->tag) {
    case NETLIFY_FIND_SITE:
        return take_sites(d, w, json, e);
    case NETLIFY_CREATE_SITE:
        return take_site(d, w, json, e);
    case NETLIFY_CREATE:
    case NETLIFY_PREPARE:
        return take_deploy(d, w, json, false, e);
    case NETLIFY_POLL:
        return take_deploy(d, w, json, true, e);
    case NETLIFY_LOOK:
        return take_deploys(d, w, json, e);
    case NETLIFY_AWAIT_PREPARED:
    case NETLIFY_UPLOAD:
    case NETLIFY_AWAIT:
    case NETLIFY_LIVE:
    case NETLIFY_FAILED:
        break;
    }
    return err_set(e, ERR_BUG, "a reply to nothing that was asked (tag %lld)", (long long)c->tag);
}

static int netlify_take(struct deployment *d, const struct want *w, const struct call *c,
                        const struct http_reply *reply, struct err *e)
{
    if ((c->tag & ((1 << STEP_BITS) - 1)) == NETLIFY_UPLOAD)
        return take_upload(d, w, (size_t)(c->tag >> STEP_BITS));
    json_t *json = reply_read(reply, "reply", e);
    if (!json)
        return -1;
    int rc = take_json(d, w, c, json, e);
    json_decref(json);
    return rc;
}

/* --- Refusals --------------------------------------------------------------------------------- */

static void say_refused(const struct call *c, int status, const char *message, struct err *e)
{
    if (status == 401 || status == 403)
        refusal_of_token(e, message, "`token` (a personal access token of a member of the team)");
    else if (status == 422 && c->tag == NETLIFY_CREATE_SITE)
        refusal_say(e,
                    "the site cannot be created: %.300s; site names are shared by all of Netlify, "
                    "choose another `name` if it is taken",
                    message);
    else if (status == 404 && c->tag == NETLIFY_CREATE_SITE)
        refusal_say(e, "the site cannot be created: %.300s; look at `team` (the team's slug)",
                    message);
    else
        refusal_say(e, "answered %d: %.300s", status, message);
}

static void netlify_refused(struct deployment *d, const struct call *c,
                            const struct http_reply *reply, struct err *e)
{
    json_t *json = reply_peek(reply);
    const char *message = json_str(json, "message", "");
    char *errors = json_text(json_at(json, "errors"));
    bool upload = (c->tag & ((1 << STEP_BITS) - 1)) == NETLIFY_UPLOAD;

    /* The file may have come with a try whose answer was lost, and the deploy gone on since. */
    if (upload && (reply->status == 404 || reply->status == 409 || reply->status == 422))
        d->step = NETLIFY_PREPARE;
    if (!message[0] && json_at(json, "errors"))
        message = errors;
    else if (!message[0])
        message = reply->len > 0 && reply->len < 100 && reply->body[0] != '<' ? reply->body
                                                                              : "no message";
    say_refused(c, reply->status, message, e);
    if (reply->status == 429 && c->tag == NETLIFY_CREATE &&
        !http_reply_header(reply, "retry-after"))
        e->retry_after = DEPLOY_PACE_MS;
    free(errors);
    json_decref(json);
}

const struct provider_ops provider_netlify = {
    .name = "netlify",
    .title = "Netlify",
    .base = "https://api.netlify.com/api/v1",
    .hosts_static = true,
    .in_flight = 5,
    .limits = limits,
    .max_files = 0,
    .needs = needs,
    .check = netlify_check,
    .next = netlify_next,
    .take = netlify_take,
    .refused = netlify_refused,
};
