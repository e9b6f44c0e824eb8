#include "base/json.h"
#include "base/text.h"
#include "provider/service.h"

#include <stdio.h>
#include <string.h>

/*
 * Koyeb: an app holds services, a service holds deployments, a deployment is a whole definition.
 * Source of the protocol: the OpenAPI description in koyeb/koyeb-api-client-go; which status is
 * good or bad: the vendor's own CLI.
 *
 * A deployment is ours when its definition's environment holds our marker, so a request whose
 * answer got lost is cleared up by reading the service's newest deployment.
 *
 *   project_id  the app       extra  the service       remote_id  the deployment
 */

enum koyeb_step {
    KOYEB_FIND_APP,
    KOYEB_CREATE_APP,
    KOYEB_FIND_SERVICE,
    KOYEB_READ_LATEST, /* is the newest deployment ours already? */
    KOYEB_CREATE_SERVICE,
    KOYEB_UPDATE_SERVICE,
    KOYEB_AWAIT_LATEST, /* the reply did not name the new deployment: it is on its way */
    KOYEB_FIND_LATEST,
    KOYEB_AWAIT,
    KOYEB_POLL,
    KOYEB_READ_URL,
    KOYEB_LIVE,
    KOYEB_FAILED,
};

enum { DEFAULT_PORT = 8000, PAGE = 100 };

static const char title[] = "Koyeb";
static const struct poll_pace pace = {2000, 10000};

static const struct status_word words[] = {
    {"HEALTHY", VERDICT_GOOD}, {"SLEEPING", VERDICT_GOOD}, {"ERROR", VERDICT_BAD},
    {"ERRORING", VERDICT_BAD}, {"DEGRADED", VERDICT_BAD},  {"UNHEALTHY", VERDICT_BAD},
    {"CANCELED", VERDICT_BAD}, {"STOPPED", VERDICT_BAD},   {"STASHED", VERDICT_BAD},
    {NULL, VERDICT_RUNNING},
};

static const struct rate_limit limits[] = {
    {"", 400, 60000,
     "header x-ratelimit-limit: 400;w=60, seen 2026-08-17 (not in the documentation)"},
    {NULL, 0, 0, NULL},
};

static const char *const needs[] = {"token", NULL};

static int koyeb_check(const struct want *w, struct err *e)
{
    struct repository r;

    if (service_check(w, title, e) < 0)
        return -1;
    if (!w->image[0] && repository_read(w->repository, &r) && strcmp(r.host, "github.com") != 0)
        return err_set(e, ERR_MANIFEST,
                       "Koyeb builds from github.com only, not from %s; give `image` instead",
                       r.host);
    return 0;
}

/* --- The definition of a deployment -------------------------------------------------- */

static int port_of(const struct want *w)
{
    return w->port > 0 ? w->port : DEFAULT_PORT;
}

/* A command line is run by a shell; an image's own command stays where none is given. */
static void set_command(json_t *source, const struct want *w)
{
    if (!w->run[0])
        return;
    json_object_set_new(source, "command", json_string("/bin/sh"));
    json_object_set_new(source, "args", json_pack("[s, s]", "-c", w->run));
}

static json_t *git_source(const struct want *w)
{
    struct repository r = {{0}, {0}};
    char repository[sizeof(r.host) + sizeof(r.path) + 1];

    (void)repository_read(w->repository, &r);
    (void)snprintf(repository, sizeof(repository), "%s/%s", r.host, r.path);
    json_t *git = json_pack("{s:s, s:s, s:b, s:s*, s:s*}", "repository", repository, "sha",
                            w->commit, "no_deploy_on_push", 1, "branch", or_null(w->branch),
                            "workdir", or_null(w->path));
    if (w->dockerfile[0]) {
        json_t *docker = json_pack("{s:s}", "dockerfile", w->dockerfile);
        set_command(docker, w);
        json_object_set_new(git, "docker", docker);
    } else {
        json_object_set_new(git, "buildpack", json_pack("{s:s*}", "run_command", or_null(w->run)));
    }
    return git;
}

static json_t *health_check(const struct want *w)
{
    if (w->health[0])
        return json_pack("{s:{s:i, s:s}}", "http", "port", port_of(w), "path", w->health);
    return json_pack("{s:{s:i}}", "tcp", "port", port_of(w));
}

static json_t *definition(const struct want *w)
{
    const char *plan = w->plan[0] ? w->plan : "free";
    int least = strcmp(plan, "free") == 0 ? 0 : 1; /* a free instance is always scaled to zero */
    json_t *json = json_pack(
        "{s:s, s:s, s:[{s:i, s:s}], s:[{s:i, s:s}], s:[s], s:[{s:s}], s:[{s:i, s:i}]}", "name",
        w->project_name, "type", "WEB", "ports", "port", port_of(w), "protocol", "http", "routes",
        "port", port_of(w), "path", "/", "regions", w->region[0] ? w->region : "fra",
        "instance_types", "type", plan, "scalings", "min", least, "max", 1);

    json_object_set_new(json, "env", service_variables_list(w));
    json_object_set_new(json, "health_checks", json_pack("[o]", health_check(w)));
    if (w->image[0]) {
        json_t *docker = json_pack("{s:s}", "image", w->image);
        set_command(docker, w);
        json_object_set_new(json, "docker", docker);
    } else {
        json_object_set_new(json, "git", git_source(w));
    }
    return json;
}

static bool holds_marker(const json_t *env, const char *marker)
{
    const json_t *item;
    size_t i;

    json_array_foreach(env, i, item) if (strcmp(json_str(item, "key", ""), "TRINE_RELEASE") ==
                                         0) return strcmp(json_str(item, "value", ""), marker) == 0;
    return false;
}

/* --- What to send -------------------------------------------------------------------- */

static void ask_list(struct deployment *d, const struct want *w, struct call *c)
{
    const char *name = call_encode(c, w->project_name);

    if (d->step == KOYEB_FIND_APP)
        call_begin_http(c, d->step, "GET", "/v1/apps?name=%s&limit=%d&offset=%zu", name, PAGE,
                        d->cursor);
    else
        call_begin_http(c, d->step, "GET", "/v1/services?app_id=%s&name=%s&limit=%d&offset=%zu",
                        call_encode(c, d->project_id), name, PAGE, d->cursor);
}

static void ask_write(const struct deployment *d, const struct want *w, struct call *c)
{
    if (d->step == KOYEB_CREATE_APP) {
        call_begin_http(c, d->step, "POST", "/v1/apps");
        call_json(c, json_pack("{s:s}", "name", w->project_name));
        call_once(c, KOYEB_FIND_APP);
    } else if (d->step == KOYEB_CREATE_SERVICE) {
        call_begin_http(c, d->step, "POST", "/v1/services");
        call_json(c, json_pack("{s:s, s:s, s:o}", "app_id", d->project_id, "name", w->project_name,
                               "definition", definition(w)));
        call_once(c, KOYEB_FIND_SERVICE);
    } else {
        call_begin_http(c, d->step, "PUT", "/v1/services/%s", call_encode(c, d->extra));
        call_json(c, json_pack("{s:o}", "definition", definition(w)));
        call_once(c, KOYEB_FIND_SERVICE);
    }
}

static enum turn koyeb_next(struct deployment *d, const struct want *w, struct call *ret,
                            int64_t *ret_wait_ms, struct err *e)
{
    switch ((enum koyeb_step)d->step) {
    case KOYEB_FIND_APP:
    case KOYEB_FIND_SERVICE:
        ask_list(d, w, ret);
        break;
    case KOYEB_CREATE_APP:
    case KOYEB_CREATE_SERVICE:
    case KOYEB_UPDATE_SERVICE:
        ask_write(d, w, ret);
        break;
    case KOYEB_READ_LATEST:
        call_begin_http(ret, d->step, "GET", "/v1/deployments/%s", call_encode(ret, d->before));
        break;
    case KOYEB_FIND_LATEST:
        call_begin_http(ret, d->step, "GET", "/v1/services/%s", call_encode(ret, d->extra));
        break;
    case KOYEB_POLL:
        call_begin_http(ret, d->step, "GET", "/v1/deployments/%s", call_encode(ret, d->remote_id));
        break;
    case KOYEB_READ_URL:
        call_begin_http(ret, d->step, "GET", "/v1/apps/%s", call_encode(ret, d->project_id));
        break;
    case KOYEB_AWAIT_LATEST:
        return poll_wait(d, KOYEB_FIND_LATEST, &pace, ret_wait_ms);
    case KOYEB_AWAIT:
        return poll_wait(d, KOYEB_POLL, &pace, ret_wait_ms);
    case KOYEB_LIVE:
        return TURN_DONE;
    case KOYEB_FAILED:
        return service_failed(d, e);
    }
    call_bearer(ret, w->token);
    return turn_send(d, ret, title, e);
}

/* --- What came back ------------------------------------------------------------------ */

/* The entry of that very name; the filter of the request need not be exact. */
static const json_t *named(const json_t *list, const char *name)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *status = json_str(item, "status", "");
        if (strcmp(json_str(item, "name", ""), name) == 0 && json_str(item, "id", NULL) &&
            strcmp(status, "DELETING") != 0 && strcmp(status, "DELETED") != 0)
            return item;
    }
    return NULL;
}

/* Some lists lack has_next, and counts may come as text: see what was returned against the count.
 */
static bool more_pages(const json_t *json, const json_t *list, size_t offset)
{
    int64_t end = (int64_t)(offset + json_array_size(list));

    return json_array_size(list) > 0 && end < json_int(json, "count", 0);
}

static int take_list(struct deployment *d, const struct want *w, int step, const json_t *json,
                     struct err *e)
{
    bool apps = step == KOYEB_FIND_APP;
    const json_t *list = json_at(json, apps ? "apps" : "services");

    if (!json_is_array(list))
        return err_set(e, ERR_REMOTE, "Koyeb: the reply has no list of %s",
                       apps ? "apps" : "services");
    const json_t *found = named(list, w->project_name);
    if (!found && more_pages(json, list, d->cursor)) {
        d->cursor += json_array_size(list);
        d->step = step;
        return 0;
    }
    d->cursor = 0;
    if (!found) {
        d->step = apps ? KOYEB_CREATE_APP : KOYEB_CREATE_SERVICE;
    } else if (apps) {
        (void)text_copy(d->project_id, sizeof(d->project_id), json_str(found, "id", ""));
        d->step = KOYEB_FIND_SERVICE;
    } else {
        (void)text_copy(d->extra, sizeof(d->extra), json_str(found, "id", ""));
        (void)text_copy(d->before, sizeof(d->before), json_str(found, "latest_deployment_id", ""));
        d->step = d->before[0] ? KOYEB_READ_LATEST : KOYEB_UPDATE_SERVICE;
    }
    return 0;
}

static int take_app(struct deployment *d, const json_t *json, struct err *e)
{
    const char *id = json_str(json, "app.id", "");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "Koyeb: the reply to creating an app names no app");
    (void)text_copy(d->project_id, sizeof(d->project_id), id);
    d->step = KOYEB_FIND_SERVICE;
    return 0;
}

/* The reply to create, update or read of the service: its newest deployment is ours, unless it is
 * still the one from before. */
static int take_service(struct deployment *d, const json_t *json, struct err *e)
{
    const char *id = json_str(json, "service.id", "");
    const char *latest = json_str(json, "service.latest_deployment_id", "");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "Koyeb: the reply names no service");
    (void)text_copy(d->extra, sizeof(d->extra), id);
    if (!latest[0] || strcmp(latest, d->before) == 0) {
        d->polls++;
        d->step = KOYEB_AWAIT_LATEST;
        return 0;
    }
    (void)text_copy(d->remote_id, sizeof(d->remote_id), latest);
    d->step = KOYEB_AWAIT;
    return 0;
}

static void take_messages(struct deployment *d, const json_t *messages)
{
    size_t n = json_array_size(messages);
    const char *last = n ? json_string_value(json_array_get(messages, n - 1)) : NULL;

    if (last)
        (void)text_copy(d->detail, sizeof(d->detail), last);
}

static int take_latest(struct deployment *d, const struct want *w, const json_t *json,
                       struct err *e)
{
    if (!json_is_object(json_at(json, "deployment.definition")))
        return err_set(e, ERR_REMOTE, "Koyeb: the reply has no deployment with a definition");
    if (holds_marker(json_at(json, "deployment.definition.env"), w->marker)) {
        (void)text_copy(d->remote_id, sizeof(d->remote_id), d->before);
        d->step = KOYEB_POLL;
    } else {
        d->step = KOYEB_UPDATE_SERVICE;
    }
    return 0;
}

static int take_poll(struct deployment *d, const json_t *json, struct err *e)
{
    const char *word = json_str(json, "deployment.status", "");

    if (!word[0])
        return err_set(e, ERR_REMOTE, "Koyeb: the reply has no deployment status");
    status_seen(d, word);
    take_messages(d, json_at(json, "deployment.messages"));
    switch (status_verdict(words, word)) {
    case VERDICT_RUNNING:
        d->step = KOYEB_AWAIT;
        break;
    case VERDICT_GOOD:
        d->step = KOYEB_READ_URL;
        break;
    case VERDICT_BAD:
        if (strcmp(word, "STASHED") == 0)
            (void)text_copy(d->detail, sizeof(d->detail), "saved, but not deployed");
        d->step = KOYEB_FAILED;
        break;
    }
    return 0;
}

/* An active domain; one that is still being set up where there is none. */
static int take_url(struct deployment *d, const json_t *json, struct err *e)
{
    const json_t *domains = json_at(json, "app.domains"), *item;
    const char *name = "";
    char origin[300];
    size_t i;

    if (!json_is_object(json_at(json, "app")))
        return err_set(e, ERR_REMOTE, "Koyeb: the reply has no app");
    json_array_foreach(domains, i, item)
    {
        bool active = strcmp(json_str(item, "status", ""), "ACTIVE") == 0;
        if (!name[0] || active)
            name = json_str(item, "name", "");
        if (active)
            break;
    }
    if (name[0]) {
        http_origin_of_host(name, origin);
        (void)text_copy(d->url, sizeof(d->url), origin);
    }
    d->step = KOYEB_LIVE;
    return 0;
}

static int take_json(struct deployment *d, const struct want *w, int step, const json_t *json,
                     struct err *e)
{
    switch ((enum koyeb_step)step) {
    case KOYEB_FIND_APP:
    case KOYEB_FIND_SERVICE:
        return take_list(d, w, step, json, e);
    case KOYEB_CREATE_APP:
        return take_app(d, json, e);
    case KOYEB_CREATE_SERVICE:
    case KOYEB_UPDATE_SERVICE:
    case KOYEB_FIND_LATEST:
        return take_service(d, json, e);
    case KOYEB_READ_LATEST:
        return take_latest(d, w, json, e);
    case KOYEB_POLL:
        return take_poll(d, json, e);
    case KOYEB_READ_URL:
        return take_url(d, json, e);
    case KOYEB_AWAIT_LATEST:
    case KOYEB_AWAIT:
    case KOYEB_LIVE:
    case KOYEB_FAILED:
        break;
    }
    return err_set(e, ERR_BUG, "Koyeb: step %d sends nothing", step);
}

static int koyeb_take(struct deployment *d, const struct want *w, const struct call *c,
                      const struct http_reply *reply, struct err *e)
{
    json_t *json = reply_read(reply, title, e);

    if (!json)
        return -1;
    int rc = take_json(d, w, (int)c->tag, json, e);
    json_decref(json);
    return rc;
}

/* {status, code, message}, and for a body that does not validate fields[{field, description}]. */
static void koyeb_refused(struct deployment *d, const struct call *c,
                          const struct http_reply *reply, struct err *e)
{
    struct err ignored = ERR_INIT;
    json_t *json = json_read(reply->body, reply->len, title, &ignored);
    const char *message = json_str(json, "message", json_str(json, "code", ""));
    const char *field = json_str(json, "fields.0.field", "");

    (void)d;
    (void)c;
    if (reply->status == 401 || reply->status == 403)
        refusal_of_token(e, message, "`token` (an API token of the organisation)");
    else if (message[0] && field[0])
        refusal_say(e, "answered %d: %s (%s: %s)", reply->status, message, field,
                    json_str(json, "fields.0.description", "not accepted"));
    else if (message[0])
        refusal_say(e, "answered %d: %s", reply->status, message);
    json_decref(json);
}

/* --- Awake or asleep ----------------------------------------------------------------- */

static int koyeb_awake(const struct deployment *d, const struct want *w, struct call *ret,
                       struct err *e)
{
    if (!d->extra[0])
        return err_set(e, ERR_NO, "Koyeb: the service's id is not known; deploy it once");
    call_begin_http(ret, 0, "GET", "/v1/instances?service_id=%s&limit=%d",
                    call_encode(ret, d->extra), PAGE);
    call_bearer(ret, w->token);
    return 0;
}

/* One instance that runs makes the service awake: it is the one that answers. One that starts may
 * be waking just now, so it decides nothing. */
static int koyeb_take_awake(const struct deployment *d, const struct http_reply *reply,
                            enum service_state *ret, struct err *e)
{
    json_t *json = reply_read(reply, title, e);
    const json_t *instances = json_at(json, "instances"), *instance;
    size_t i;

    (void)d;
    if (json && !json_is_array(instances))
        err_set(e, ERR_REMOTE, "Koyeb: the reply has no instances");
    if (!json_is_array(instances)) {
        json_decref(json);
        return -1;
    }
    *ret = SERVICE_UNKNOWN;
    json_array_foreach(instances, i, instance)
    {
        const char *word = json_str(instance, "status", "");
        if (strcmp(word, "HEALTHY") == 0 || strcmp(word, "UNHEALTHY") == 0)
            *ret = SERVICE_AWAKE;
        else if (strcmp(word, "SLEEPING") == 0 && *ret == SERVICE_UNKNOWN)
            *ret = SERVICE_ASLEEP;
    }
    json_decref(json);
    return 0;
}

const struct provider_ops provider_koyeb = {
    .name = "koyeb",
    .title = "Koyeb",
    .base = "https://app.koyeb.com",
    .hosts_service = true,
    .in_flight = 1,
    .sleep_after_ms =
        3600000, /* an hour without traffic; koyeb.com/docs/run-and-scale/scale-to-zero */
    .limits = limits,
    .needs = needs,
    .check = koyeb_check,
    .next = koyeb_next,
    .take = koyeb_take,
    .refused = koyeb_refused,
    .awake = koyeb_awake,
    .take_awake = koyeb_take_awake,
};
