#include "provider/render.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "provider/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Render with an API token (render_hook.c: with only a deploy hook). Source of the protocol:
 * Render's published OpenAPI description and render.com/docs/api.
 *
 * The service is found by name or created, its variables are set one by one (the list form deletes
 * what it does not name), a deploy of exactly our commit is asked for and watched. Automatic
 * deploys are turned off: trine itself deploys each push, and after a rollback the next push would
 * silently undo it.
 *
 *   account_id  the workspace    project_id  the service    remote_id  the deploy
 *   before      the newest deploy that was there first
 *   session     where a list goes on; not stored: after a restart it is read from its beginning
 */

enum render_step {
    RENDER_START,
    RENDER_FIND_OWNER,
    RENDER_FIND,
    RENDER_CREATE,
    RENDER_FIND_CREATED, /* no answer to the creation: is the service there? */
    RENDER_FIRST,        /* the deploy that came with the creation: is it of our commit? */
    RENDER_CONFIGURE,
    RENDER_READ_VARIABLES,
    RENDER_SET_VARIABLE,
    RENDER_READ_BEFORE,
    RENDER_DEPLOY,
    RENDER_LOOK, /* no answer to the deploy: is one newer than `before`? */
    RENDER_AWAIT_QUEUED,
    RENDER_READ_QUEUED,
    RENDER_AWAIT,
    RENDER_POLL,
    RENDER_READ_URL,
    RENDER_LIVE,
    RENDER_FAILED,
};

enum { PAGE = 100, RECENT = 20 };

static const char title[] = "Render";
static const struct poll_pace pace = {5000, 20000};

static const struct status_word words[] = {
    {"live", VERDICT_GOOD},
    {"deactivated", VERDICT_GOOD}, /* was live, then a newer one took its place */
    {"build_failed", VERDICT_BAD},
    {"update_failed", VERDICT_BAD},
    {"pre_deploy_failed", VERDICT_BAD},
    {"canceled", VERDICT_BAD},
    {NULL, VERDICT_RUNNING},
};

#define RATE_PAGE "https://render.com/docs/api#rate-limits"
static const struct rate_limit limits[] = {
    {"create", 20, 3600000, RATE_PAGE ": creating services"},
    {"deploy", 10, 60000, RATE_PAGE ": changing a service, deploying, deploy hooks; per service"},
    {"write", 30, 60000, RATE_PAGE ": other POST, PATCH, PUT, DELETE"},
    {"read", 400, 60000, RATE_PAGE ": GET"},
    {NULL, 0, 0, NULL},
};
static const char *const needs[] = {NULL}; /* a token or a deploy hook: see render_check */

static int render_check(const struct want *w, struct err *e)
{
    if (w->token[0])
        return service_check(w, title, e);
    if (!w->deploy_hook[0])
        return err_set(e, ERR_MANIFEST,
                       "Render needs `token` (an API key) or `deploy_hook` (the hook's URL)");
    if (!w->url[0])
        return err_set(e, ERR_MANIFEST,
                       "a Render deploy hook does not tell where the app is; give its `url` too");
    if (strncmp(w->deploy_hook, "https://", 8) != 0 && strncmp(w->deploy_hook, "http://", 7) != 0)
        return err_set(e, ERR_MANIFEST, "Render's `deploy_hook` must be the hook's whole URL");
    return 0;
}

/* --- What to send -------------------------------------------------------------------- */

static void get(const struct deployment *d, const struct want *w, struct call *c, const char *fmt,
                ...) __attribute__((format(printf, 4, 5)));
static void get(const struct deployment *d, const struct want *w, struct call *c, const char *fmt,
                ...)
{
    char path[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    call_begin_http(c, d->step, "GET", "%s", path);
    c->cost = "read";
    call_bearer(c, w->token);
}

static const char *onward(const struct deployment *d, struct call *c)
{
    return d->session[0] ? arena_printf(&c->http.arena, "&cursor=%s", call_encode(c, d->session))
                         : "";
}

static void write_json(const struct deployment *d, const struct want *w, struct call *c,
                       const char *method, const char *path, json_t *body)
{
    call_begin_http(c, d->step, method, "%s", path);
    call_json(c, body);
    call_bearer(c, w->token);
}

static void create(const struct deployment *d, const struct want *w, struct call *c)
{
    write_json(d, w, c, "POST", "/services", render_create_body(d, w));
    call_once(c, RENDER_FIND_CREATED);
    c->cost = "create";
}

static void configure(const struct deployment *d, const struct want *w, struct call *c)
{
    json_t *body = json_pack("{s:s}", "autoDeploy", "no");

    if (!w->image[0])
        render_set_repository(body, w);
    write_json(d, w, c, "PATCH",
               arena_printf(&c->http.arena, "/services/%s", call_encode(c, d->project_id)), body);
    c->cost = "deploy";
}

static void deploy(const struct deployment *d, const struct want *w, struct call *c)
{
    write_json(d, w, c, "POST",
               arena_printf(&c->http.arena, "/services/%s/deploys", call_encode(c, d->project_id)),
               render_deploy_body(w));
    call_once(c, RENDER_LOOK);
    c->cost = "deploy";
}

/* The next variable that is not yet as wanted; false when all are. */
static bool set_variable(const struct deployment *d, const struct want *w, struct call *c)
{
    const struct want_variable *all;
    size_t n = service_variables(w, &c->http.arena, &all), i = 0;

    while (i < n && d->needed[i] != FILE_MISSING)
        i++;
    if (i == n)
        return false;
    write_json(d, w, c, "PUT",
               arena_printf(&c->http.arena, "/services/%s/env-vars/%s",
                            call_encode(c, d->project_id), call_encode(c, all[i].name)),
               json_pack("{s:s}", "value", all[i].value));
    c->cost = "write";
    return true;
}

/* Steps that only lead to another one. */
static void pass(struct deployment *d, const struct want *w, struct call *c)
{
    if (d->step == RENDER_START) {
        (void)text_copy(d->account_id, sizeof(d->account_id), w->team);
        d->step = w->team[0] ? RENDER_FIND : RENDER_FIND_OWNER;
    }
    if (d->step == RENDER_SET_VARIABLE && !d->needed)
        d->step = RENDER_READ_VARIABLES; /* after a restart: what is missing must be seen again */
    if (d->step == RENDER_SET_VARIABLE && !set_variable(d, w, c))
        d->step = RENDER_READ_BEFORE;
}

static enum turn render_next(struct deployment *d, const struct want *w, struct call *ret,
                             int64_t *ret_wait_ms, struct err *e)
{
    if (d->step >= RENDER_HOOK_FIRST || (d->step == RENDER_START && !w->token[0]))
        return render_hook_next(d, w, ret, ret_wait_ms, e);
    pass(d, w, ret);
    const char *service = call_encode(ret, d->project_id);

    switch ((enum render_step)d->step) {
    case RENDER_START:
    case RENDER_SET_VARIABLE: /* built by pass() */
        break;
    case RENDER_FIND_OWNER:
        get(d, w, ret, "/owners?limit=%d", PAGE);
        break;
    case RENDER_FIND:
    case RENDER_FIND_CREATED:
        get(d, w, ret, "/services?name=%s&ownerId=%s&limit=%d%s", call_encode(ret, w->project_name),
            call_encode(ret, d->account_id), PAGE, onward(d, ret));
        break;
    case RENDER_CREATE:
        create(d, w, ret);
        break;
    case RENDER_CONFIGURE:
        configure(d, w, ret);
        break;
    case RENDER_READ_VARIABLES:
        get(d, w, ret, "/services/%s/env-vars?limit=%d", service, PAGE);
        break;
    case RENDER_READ_BEFORE:
        get(d, w, ret, "/services/%s/deploys?limit=1", service);
        break;
    case RENDER_DEPLOY:
        deploy(d, w, ret);
        break;
    case RENDER_LOOK:
    case RENDER_READ_QUEUED:
        get(d, w, ret, "/services/%s/deploys?limit=%d", service, RECENT);
        break;
    case RENDER_FIRST:
    case RENDER_POLL:
        get(d, w, ret, "/services/%s/deploys/%s", service, call_encode(ret, d->remote_id));
        break;
    case RENDER_READ_URL:
        get(d, w, ret, "/services/%s", service);
        break;
    case RENDER_AWAIT_QUEUED:
        return poll_wait(d, RENDER_READ_QUEUED, &pace, ret_wait_ms);
    case RENDER_AWAIT:
        return poll_wait(d, RENDER_POLL, &pace, ret_wait_ms);
    case RENDER_LIVE:
        return TURN_DONE;
    case RENDER_FAILED:
        return service_failed(d, e);
    }
    return turn_send(d, ret, title, e);
}

/* --- What came back ------------------------------------------------------------------ */

static int expect_list(const json_t *json, const char *of, struct err *e)
{
    if (json_is_array(json))
        return 0;
    return err_set(e, ERR_REMOTE, "Render: the reply is no list of %s", of);
}

/* Every element has a cursor; the last one's leads to the next page, a short page is the last. */
static bool another_page(struct deployment *d, const json_t *list)
{
    size_t n = json_array_size(list);
    const char *cursor = n ? json_str(json_array_get(list, n - 1), "cursor", "") : "";

    if (n < PAGE || strcmp(cursor, d->session) == 0 ||
        !text_copy(d->session, sizeof(d->session), cursor))
        d->session[0] = '\0';
    return d->session[0] != '\0';
}

/* The workspace named in `account`, or the only one there is. */
static int take_owners(struct deployment *d, const struct want *w, const json_t *json,
                       struct err *e)
{
    const json_t *item, *found = NULL;
    size_t i;

    if (expect_list(json, "workspaces", e) < 0)
        return -1;
    json_array_foreach(json, i, item)
    {
        const char *name = json_str(item, "owner.name", ""),
                   *mail = json_str(item, "owner.email", "");
        if (w->account[0] && (strcmp(name, w->account) == 0 || strcmp(mail, w->account) == 0))
            found = item;
    }
    if (!found && json_array_size(json) == 1)
        found = json_array_get(json, 0);
    if (found && json_str(found, "owner.id", "")[0]) {
        (void)text_copy(d->account_id, sizeof(d->account_id), json_str(found, "owner.id", ""));
        d->step = RENDER_FIND;
        return 0;
    }
    (void)text_copy(d->word, sizeof(d->word), "no workspace chosen");
    (void)snprintf(d->detail, sizeof(d->detail),
                   "the token sees %zu workspaces; give the id (tea-... or usr-...) as `team`",
                   json_array_size(json));
    d->step = RENDER_FAILED;
    return 0;
}

static void note_suspended(struct deployment *d, const json_t *service)
{
    const char *by = json_str(service, "suspenders.0", "unknown");

    (void)text_copy(d->word, sizeof(d->word), "suspended");
    (void)snprintf(d->detail, sizeof(d->detail), "the service is suspended by: %s%s", by,
                   strcmp(by, "billing") == 0 ? " (the plan's allowance is used up)"
                                              : "; resume it in the dashboard first");
    d->step = RENDER_FAILED;
}

static void note_service(struct deployment *d, const json_t *service)
{
    (void)text_copy(d->project_id, sizeof(d->project_id), json_str(service, "id", ""));
    (void)text_copy(d->url, sizeof(d->url), json_str(service, "serviceDetails.url", ""));
}

static int take_services(struct deployment *d, const struct want *w, int step, const json_t *json,
                         struct err *e)
{
    const json_t *item, *found = NULL;
    size_t i;

    if (expect_list(json, "services", e) < 0)
        return -1;
    json_array_foreach(
        json, i, item) if (strcmp(json_str(item, "service.name", ""), w->project_name) == 0 &&
                           json_str(item, "service.id", "")[0]) found = json_at(item, "service");
    if (!found) {
        d->step = another_page(d, json) ? step : RENDER_CREATE;
        return 0;
    }
    d->session[0] = '\0';
    note_service(d, found);
    if (step == RENDER_FIND_CREATED)
        d->step = RENDER_LOOK;
    else if (strcmp(json_str(found, "suspended", ""), "suspended") == 0)
        note_suspended(d, found);
    else
        d->step = render_settings_differ(found, w) ? RENDER_CONFIGURE : RENDER_READ_VARIABLES;
    return 0;
}

static int take_created(struct deployment *d, const json_t *json, struct err *e)
{
    const json_t *service = json_at(json, "service");

    if (!json_str(service, "id", "")[0])
        return err_set(e, ERR_REMOTE, "Render: the reply to creating a service names none");
    note_service(d, service);
    (void)text_copy(d->remote_id, sizeof(d->remote_id), json_str(json, "deployId", ""));
    d->step = d->remote_id[0] ? RENDER_FIRST : RENDER_READ_BEFORE;
    return 0;
}

static bool deploy_is_ours(const json_t *deploy, const struct want *w)
{
    if (w->image[0])
        return strcmp(json_str(deploy, "image.ref", w->image), w->image) == 0;
    return commit_same(json_str(deploy, "commit.id", ""), w->commit);
}

static int take_first(struct deployment *d, const struct want *w, const json_t *json)
{
    if (deploy_is_ours(json, w)) {
        d->step = RENDER_AWAIT;
    } else {
        d->remote_id[0] = '\0';
        d->step = RENDER_READ_BEFORE;
    }
    return 0;
}

static bool variable_set(const json_t *list, const struct want_variable *v)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item) if (strcmp(json_str(item, "envVar.key", ""), v->name) ==
                                          0) return strcmp(json_str(item, "envVar.value", ""),
                                                           v->value) == 0;
    return false;
}

/* Notes which variables are to be set. What is on a later page is set again: it does no harm. */
static int take_variables(struct deployment *d, const struct want *w, const json_t *json,
                          struct err *e)
{
    struct arena arena = ARENA_INIT;
    const struct want_variable *all;

    if (expect_list(json, "variables", e) < 0)
        return -1;
    size_t n = service_variables(w, &arena, &all);
    free(d->needed);
    d->needed = mem_array(n, sizeof(*d->needed));
    for (size_t i = 0; i < n; i++)
        d->needed[i] = variable_set(json, &all[i]) ? FILE_HAVE : FILE_MISSING;
    arena_release(&arena);
    d->step = RENDER_SET_VARIABLE;
    return 0;
}

static int take_variable(struct deployment *d, const struct want *w)
{
    struct arena arena = ARENA_INIT;
    const struct want_variable *all;
    size_t n = service_variables(w, &arena, &all);

    arena_release(&arena);
    for (size_t i = 0; d->needed && i < n; i++)
        if (d->needed[i] == FILE_MISSING) {
            d->needed[i] = FILE_SENT;
            break;
        }
    d->step = RENDER_SET_VARIABLE;
    return 0;
}

static int take_before(struct deployment *d, const json_t *json, struct err *e)
{
    if (expect_list(json, "deploys", e) < 0)
        return -1;
    (void)text_copy(d->before, sizeof(d->before), json_str(json, "0.deploy.id", ""));
    d->step = RENDER_DEPLOY;
    return 0;
}

/* Our deploy among those newer than `before`. The first deploy of a service that we created carries
 * the trigger that Render chose; later ones were asked for through the API. */
static int take_recent(struct deployment *d, const struct want *w, int step, const json_t *json,
                       struct err *e)
{
    const json_t *item;
    size_t i;

    if (expect_list(json, "deploys", e) < 0)
        return -1;
    d->step = step == RENDER_LOOK ? RENDER_DEPLOY : RENDER_AWAIT_QUEUED;
    d->polls += step != RENDER_LOOK;
    json_array_foreach(json, i, item)
    {
        const json_t *deploy = json_at(item, "deploy");
        const char *id = json_str(deploy, "id", "");
        if (!id[0] || strcmp(id, d->before) == 0)
            break;
        if (!deploy_is_ours(deploy, w) ||
            (d->before[0] && strcmp(json_str(deploy, "trigger", ""), "api") != 0))
            continue;
        (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
        d->step = RENDER_AWAIT;
        break;
    }
    return 0;
}

static int take_deploy(struct deployment *d, const json_t *json, struct err *e)
{
    const char *id = json_str(json, "id", "");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "Render: the reply to asking for a deploy names none");
    (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
    d->step = RENDER_AWAIT;
    return 0;
}

static int take_poll(struct deployment *d, const json_t *json, struct err *e)
{
    const char *word = json_str(json, "status", "");

    if (!word[0])
        return err_set(e, ERR_REMOTE, "Render: the reply has no deploy status");
    status_seen(d, word);
    switch (status_verdict(words, word)) {
    case VERDICT_RUNNING:
        d->step = RENDER_AWAIT;
        break;
    case VERDICT_GOOD:
        d->step = d->url[0] ? RENDER_LIVE : RENDER_READ_URL;
        break;
    case VERDICT_BAD:
        d->step = RENDER_FAILED;
        break;
    }
    return 0;
}

static int take_url(struct deployment *d, const json_t *json, struct err *e)
{
    if (!json_str(json, "id", "")[0])
        return err_set(e, ERR_REMOTE, "Render: the reply names no service");
    note_service(d, json);
    d->step = RENDER_LIVE;
    return 0;
}

static int take_json(struct deployment *d, const struct want *w, int step, const json_t *json,
                     struct err *e)
{
    switch (step) {
    case RENDER_FIND_OWNER:
        return take_owners(d, w, json, e);
    case RENDER_FIND:
    case RENDER_FIND_CREATED:
        return take_services(d, w, step, json, e);
    case RENDER_CREATE:
        return take_created(d, json, e);
    case RENDER_FIRST:
        return take_first(d, w, json);
    case RENDER_READ_VARIABLES:
        return take_variables(d, w, json, e);
    case RENDER_READ_BEFORE:
        return take_before(d, json, e);
    case RENDER_LOOK:
    case RENDER_READ_QUEUED:
        return take_recent(d, w, step, json, e);
    case RENDER_DEPLOY:
        return take_deploy(d, json, e);
    case RENDER_POLL:
        return take_poll(d, json, e);
    case RENDER_READ_URL:
        return take_url(d, json, e);
    default:
        return err_set(e, ERR_BUG, "Render: step %d reads no JSON", step);
    }
}

static int render_take(struct deployment *d, const struct want *w, const struct call *c,
                       const struct http_reply *reply, struct err *e)
{
    int step = (int)c->tag;

    if (step >= RENDER_HOOK_FIRST)
        return render_hook_take(d, w, c, reply);
    if (step == RENDER_CONFIGURE) {
        d->step = RENDER_READ_VARIABLES;
        return 0;
    }
    if (step == RENDER_SET_VARIABLE)
        return take_variable(d, w);
    if (step == RENDER_DEPLOY && reply->status == 202) { /* queued: no body, no id yet */
        d->step = RENDER_AWAIT_QUEUED;
        return 0;
    }
    json_t *json = reply_read(reply, title, e);
    if (!json)
        return -1;
    int rc = take_json(d, w, step, json, e);
    json_decref(json);
    return rc;
}

/* {id, message}. The hook's URL is a secret and never part of the text. */
static void render_refused(struct deployment *d, const struct call *c,
                           const struct http_reply *reply, struct err *e)
{
    struct err ignored = ERR_INIT;
    json_t *json = json_read(reply->body, reply->len, title, &ignored);
    const char *message = json_str(json, "message", "");
    bool denied = reply->status == 401 || reply->status == 403;

    (void)d;
    if (denied && c->tag < RENDER_HOOK_FIRST)
        refusal_of_token(e, message, "`token` (an API key of the workspace)");
    else if (message[0])
        refusal_say(e, "answered %d: %s", reply->status, message);
    if (c->tag >= RENDER_HOOK_FIRST)
        (void)err_wrap(e, "deploy hook");
    json_decref(json);
}

const struct provider_ops provider_render = {
    .name = "render",
    .title = "Render",
    .base = "https://api.render.com/v1",
    .hosts_service = true,
    .in_flight = 1,
    .sleep_after_ms = 900000, /* 15 minutes without traffic; render.com/docs/free */
    .limits = limits,
    .needs = needs,
    .check = render_check,
    .next = render_next,
    .take = render_take,
    .refused = render_refused,
};
