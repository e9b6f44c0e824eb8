#include "provider/railway.h"
#include "base/json.h"
#include "base/text.h"
#include "provider/graphql.h"
#include "provider/service.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * Railway: a project holds environments and services; a service has an instance in each
 * environment, an instance has deployments. Source of the protocol: the GraphQL schema that the
 * vendor's own CLI carries (railwayapp/cli), and docs.railway.com on tokens and limits.
 *
 * A project token belongs to one environment of one project and names both; it has a header of its
 * own. Every other token is a bearer token, for which the project is looked up by name.
 *
 * The free plan allows 100 requests an hour, so each step is one request and polls are 40 s apart.
 */

static const char title[] = "Railway";
static const char token_key[] =
    "`token` (a project token of the environment, or one for the workspace)";
static const struct poll_pace pace = {40000, 90000};

static const struct status_word words[] = {
    {"SUCCESS", VERDICT_GOOD}, {"SLEEPING", VERDICT_GOOD}, {"FAILED", VERDICT_BAD},
    {"CRASHED", VERDICT_BAD},  {"SKIPPED", VERDICT_BAD},   {"REMOVING", VERDICT_BAD},
    {"REMOVED", VERDICT_BAD},  {NULL, VERDICT_RUNNING},
};

static const struct rate_limit limits[] = {
    {"", 100, 3600000, "https://docs.railway.com/reference/public-api#rate-limits: Free plan"},
    {NULL, 0, 0, NULL},
};

static const char *const needs[] = {"token", NULL};

static int railway_check(const struct want *w, struct err *e)
{
    struct repository r;

    if (service_check(w, title, e) < 0)
        return -1;
    if (!w->image[0] && repository_read(w->repository, &r) && strcmp(r.host, "github.com") != 0)
        return err_set(e, ERR_MANIFEST,
                       "Railway builds from github.com only, not from %s; give `image` instead",
                       r.host);
    return 0;
}

static void set_token(struct call *c, const struct want *w, bool of_project)
{
    if (of_project)
        http_request_header(&c->http, "Project-Access-Token", "%s", w->token);
    else
        call_bearer(c, w->token);
}

static enum turn railway_next(struct deployment *d, const struct want *w, struct call *ret,
                              int64_t *ret_wait_ms, struct err *e)
{
    if (d->step == RAILWAY_CONFIGURE && !railway_has_settings(w))
        d->step = RAILWAY_SET_VARIABLES;
    switch ((enum railway_step)d->step) {
    case RAILWAY_TOKEN:
    case RAILWAY_FIND_PROJECT:
    case RAILWAY_READ_PROJECT:
    case RAILWAY_READ_BEFORE:
    case RAILWAY_LOOK:
    case RAILWAY_POLL:
    case RAILWAY_READ_DOMAIN:
        railway_ask_read(d, w, ret);
        break;
    case RAILWAY_CREATE:
    case RAILWAY_CONFIGURE:
    case RAILWAY_SET_VARIABLES:
    case RAILWAY_DEPLOY:
    case RAILWAY_CREATE_DOMAIN:
        railway_ask_write(d, w, ret);
        break;
    case RAILWAY_AWAIT:
        return poll_wait(d, RAILWAY_POLL, &pace, ret_wait_ms);
    case RAILWAY_LIVE:
        return TURN_DONE;
    case RAILWAY_FAILED:
        return service_failed(d, e);
    }
    set_token(ret, w, d->step == RAILWAY_TOKEN || d->extra[KIND] == PROJECT_TOKEN);
    return turn_send(d, ret, title, e);
}

/* --- What came back ------------------------------------------------------------------ */

static int fail(struct deployment *d, const char *word, const char *detail)
{
    (void)text_copy(d->word, sizeof(d->word), word);
    (void)text_copy(d->detail, sizeof(d->detail), detail);
    d->step = RAILWAY_FAILED;
    return 0;
}

static void begin_extra(struct deployment *d, char kind)
{
    (void)snprintf(d->extra, sizeof(d->extra), "%c%c", kind, NOT_CREATED);
}

static int take_token(struct deployment *d, const json_t *data)
{
    const char *project = json_str(data, "projectToken.projectId", "");
    const char *environment = json_str(data, "projectToken.environmentId", "");

    if (project[0] && environment[0]) {
        begin_extra(d, PROJECT_TOKEN);
        (void)text_copy(d->project_id, sizeof(d->project_id), project);
        (void)text_copy(d->account_id, sizeof(d->account_id), environment);
        d->step = RAILWAY_READ_PROJECT;
    } else {
        begin_extra(d, BEARER_TOKEN);
        d->session[0] = '\0';
        d->step = RAILWAY_FIND_PROJECT;
    }
    return 0;
}

/* The node of that name (or id) in a connection's edges. */
static const json_t *node_named(const json_t *edges, const char *name)
{
    const json_t *edge;
    size_t i;

    json_array_foreach(edges, i, edge) if (strcmp(json_str(edge, "node.name", ""), name) == 0 ||
                                           strcmp(json_str(edge, "node.id", ""), name) ==
                                               0) return json_at(edge, "node");
    return NULL;
}

static int take_projects(struct deployment *d, const struct want *w, const json_t *data,
                         struct err *e)
{
    const json_t *edges = json_at(data, "projects.edges");
    const char *name = or_null(w->project) ? w->project : w->project_name;
    char detail[sizeof(d->detail)];

    if (!json_is_array(edges))
        return err_set(e, ERR_REMOTE, "Railway: the reply has no list of projects");
    const json_t *found = node_named(edges, name);
    if (found) {
        (void)text_copy(d->project_id, sizeof(d->project_id), json_str(found, "id", ""));
        d->session[0] = '\0';
        d->step = RAILWAY_READ_PROJECT;
        return 0;
    }
    /* Where the list goes on is not stored: after a restart it is read from its beginning. */
    if (json_flag(data, "projects.pageInfo.hasNextPage", false) &&
        text_copy(d->session, sizeof(d->session),
                  json_str(data, "projects.pageInfo.endCursor", "")) &&
        d->session[0]) {
        d->step = RAILWAY_FIND_PROJECT;
        return 0;
    }
    (void)snprintf(
        detail, sizeof(detail),
        "the token sees no project \"%.100s\"; create it, name it as `project`, give its "
        "workspace's id as `team`, or use a project token",
        name);
    return fail(d, "no project", detail);
}

/* The environment of the same name as ours, else the one that every project begins with, else the
 * only one. A project token has chosen already. */
static bool choose_environment(struct deployment *d, const struct want *w, const json_t *project)
{
    const json_t *edges = json_at(project, "environments.edges");
    const json_t *node;

    if (d->extra[KIND] == PROJECT_TOKEN)
        return true;
    node = node_named(edges, w->environment);
    if (!node)
        node = node_named(edges, "production");
    if (!node && json_array_size(edges) == 1)
        node = json_at(edges, "0.node");
    (void)text_copy(d->account_id, sizeof(d->account_id), json_str(node, "id", ""));
    return d->account_id[0] != '\0';
}

static int take_project(struct deployment *d, const struct want *w, const json_t *data,
                        struct err *e)
{
    const json_t *project = json_at(data, "project");
    const json_t *service;

    if (!json_is_array(json_at(project, "services.edges")))
        return err_set(e, ERR_REMOTE, "Railway: the reply has no project with its services");
    if (!choose_environment(d, w, project))
        return fail(
            d, "no environment",
            "the project has several environments and none is named like ours or \"production\"");
    service = node_named(json_at(project, "services.edges"), w->project_name);
    if (!service) {
        d->step = RAILWAY_CREATE;
        return 0;
    }
    (void)text_copy(d->extra + SERVICE, sizeof(d->extra) - SERVICE, json_str(service, "id", ""));
    d->step = RAILWAY_CONFIGURE;
    return 0;
}

static int take_created(struct deployment *d, const json_t *data, struct err *e)
{
    const char *id = json_str(data, "serviceCreate.id", "");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "Railway: the reply to creating a service names none");
    (void)text_copy(d->extra + SERVICE, sizeof(d->extra) - SERVICE, id);
    d->step = RAILWAY_CONFIGURE;
    return 0;
}

/* Our deployment among the newest, which come first. One that tells another commit is not ours. */
static const json_t *recent_of_ours(const json_t *edges, const struct want *w, const char *before)
{
    const json_t *edge;
    size_t i;

    json_array_foreach(edges, i, edge)
    {
        const char *id = json_str(edge, "node.id", "");
        const char *commit = json_str(edge, "node.meta.commitHash", "");
        if (!id[0] || strcmp(id, before) == 0)
            return NULL;
        if (!commit[0] || w->image[0] || commit_same(commit, w->commit))
            return json_at(edge, "node");
    }
    return NULL;
}

static void adopt(struct deployment *d, const json_t *deployment)
{
    (void)text_copy(d->remote_id, sizeof(d->remote_id), json_str(deployment, "id", ""));
    d->step = RAILWAY_AWAIT;
}

/* A service that we created just now is being deployed by Railway already. That deployment is taken
 * for ours where it is of our commit and no setting came after it. */
static int take_deployments(struct deployment *d, const struct want *w, int step,
                            const json_t *data, struct err *e)
{
    const json_t *edges = json_at(data, "deployments.edges"), *found = NULL;

    if (!json_is_array(edges))
        return err_set(e, ERR_REMOTE, "Railway: the reply has no list of deployments");
    if (step == RAILWAY_LOOK)
        found = recent_of_ours(edges, w, d->before);
    else if (d->extra[CREATED] == ASKED_TO_CREATE && !railway_has_settings(w) &&
             json_array_size(edges) == 1 &&
             commit_same(json_str(edges, "0.node.meta.commitHash", ""), w->commit))
        found = json_at(edges, "0.node");
    if (found) {
        adopt(d, found);
        return 0;
    }
    if (step == RAILWAY_READ_BEFORE)
        (void)text_copy(d->before, sizeof(d->before), json_str(edges, "0.node.id", ""));
    d->step = RAILWAY_DEPLOY;
    return 0;
}

static int take_deploy(struct deployment *d, const json_t *data, struct err *e)
{
    const char *id = json_str(data, "serviceInstanceDeployV2", "");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "Railway: the reply to deploying names no deployment");
    (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
    d->step = RAILWAY_AWAIT;
    return 0;
}

static int take_poll(struct deployment *d, const struct want *w, const json_t *data, struct err *e)
{
    const char *word = json_str(data, "deployment.status", "");

    if (!word[0])
        return err_set(e, ERR_REMOTE, "Railway: the reply has no deployment status");
    status_seen(d, word);
    d->detail[0] = '\0';
    switch (status_verdict(words, word)) {
    case VERDICT_RUNNING:
        if (strcmp(word, "NEEDS_APPROVAL") == 0)
            (void)text_copy(d->detail, sizeof(d->detail),
                            "a person must approve it in the dashboard");
        d->step = RAILWAY_AWAIT;
        break;
    case VERDICT_GOOD:
        (void)text_copy(d->url, sizeof(d->url), w->url);
        d->step = w->url[0] ? RAILWAY_LIVE : RAILWAY_READ_DOMAIN;
        break;
    case VERDICT_BAD:
        d->step = RAILWAY_FAILED;
        break;
    }
    return 0;
}

static void live_at(struct deployment *d, const char *host)
{
    char origin[300];

    http_origin_of_host(host, origin);
    (void)text_copy(d->url, sizeof(d->url), origin);
    d->step = RAILWAY_LIVE;
}

static int take_domains(struct deployment *d, const json_t *data, struct err *e)
{
    const json_t *domains = json_at(data, "serviceInstance.domains");
    const char *host = json_str(domains, "serviceDomains.0.domain",
                                json_str(domains, "customDomains.0.domain", ""));

    if (!json_is_object(domains))
        return err_set(e, ERR_REMOTE, "Railway: the reply has no domains");
    if (host[0])
        live_at(d, host);
    else
        d->step = RAILWAY_CREATE_DOMAIN;
    return 0;
}

static int take_domain(struct deployment *d, const json_t *data, struct err *e)
{
    const char *host = json_str(data, "serviceDomainCreate.domain", "");

    if (!host[0])
        return err_set(e, ERR_REMOTE, "Railway: the reply to creating a domain names none");
    live_at(d, host);
    return 0;
}

/* The two mutations that answer only "true". */
static int take_true(struct deployment *d, int step, const json_t *data, struct err *e)
{
    const char *field =
        step == RAILWAY_CONFIGURE ? "serviceInstanceUpdate" : "variableCollectionUpsert";

    if (!json_flag(data, field, false))
        return err_set(e, ERR_REMOTE, "Railway: %s did not answer true", field);
    d->step = step == RAILWAY_CONFIGURE ? RAILWAY_SET_VARIABLES : RAILWAY_READ_BEFORE;
    return 0;
}

static int take_data(struct deployment *d, const struct want *w, int step, const json_t *data,
                     struct err *e)
{
    switch ((enum railway_step)step) {
    case RAILWAY_TOKEN:
        return take_token(d, data);
    case RAILWAY_FIND_PROJECT:
        return take_projects(d, w, data, e);
    case RAILWAY_READ_PROJECT:
        return take_project(d, w, data, e);
    case RAILWAY_CREATE:
        return take_created(d, data, e);
    case RAILWAY_CONFIGURE:
    case RAILWAY_SET_VARIABLES:
        return take_true(d, step, data, e);
    case RAILWAY_READ_BEFORE:
    case RAILWAY_LOOK:
        return take_deployments(d, w, step, data, e);
    case RAILWAY_DEPLOY:
        return take_deploy(d, data, e);
    case RAILWAY_POLL:
        return take_poll(d, w, data, e);
    case RAILWAY_READ_DOMAIN:
        return take_domains(d, data, e);
    case RAILWAY_CREATE_DOMAIN:
        return take_domain(d, data, e);
    case RAILWAY_AWAIT:
    case RAILWAY_LIVE:
    case RAILWAY_FAILED:
        break;
    }
    return err_set(e, ERR_BUG, "Railway: step %d sends nothing", step);
}

static int railway_take(struct deployment *d, const struct want *w, const struct call *c,
                        const struct http_reply *reply, struct err *e)
{
    json_t *data = NULL;
    int rc = -1;

    if (c->tag == RAILWAY_TOKEN && reply->status != 200)
        return take_token(d, NULL);
    switch (graphql_read(reply, title, &data, e)) {
    case GRAPHQL_UNREADABLE:
        break;
    case GRAPHQL_DATA:
        rc = take_data(d, w, (int)c->tag, data, e);
        break;
    case GRAPHQL_REFUSED:
        if (c->tag == RAILWAY_TOKEN) {
            rc = take_token(d, NULL);
            break;
        }
        if (graphql_is_of_token(e->text))
            refusal_of_token(e, e->text, token_key);
        rc = fail(d, "refused", e->text);
        break;
    }
    json_decref(data);
    return rc;
}

static void railway_refused(struct deployment *d, const struct call *c,
                            const struct http_reply *reply, struct err *e)
{
    (void)d;
    (void)c;
    (void)graphql_refused(reply, title, e);
    if (reply->status == 401 || reply->status == 403)
        refusal_of_token(e, e->text, token_key);
}

/* --- Awake or asleep ----------------------------------------------------------------- */

static int railway_awake(const struct deployment *d, const struct want *w, struct call *ret,
                         struct err *e)
{
    if (!d->account_id[0] || !railway_service(d)[0])
        return err_set(e, ERR_NO, "Railway: the service's id is not known; deploy it once");
    railway_ask_latest(d, ret);
    set_token(ret, w, d->extra[KIND] == PROJECT_TOKEN);
    return 0;
}

static int railway_take_awake(const struct deployment *d, const struct http_reply *reply,
                              enum service_state *ret, struct err *e)
{
    json_t *data = NULL;
    enum graphql_outcome outcome = graphql_read(reply, title, &data, e);
    const json_t *instance = json_at(data, "serviceInstance");
    const char *word = json_str(instance, "latestDeployment.status", "");

    (void)d;
    if (outcome == GRAPHQL_DATA && !json_is_object(instance))
        err_set(e, ERR_REMOTE, "Railway: the reply has no instance of the service");
    else if (outcome == GRAPHQL_DATA)
        *ret = strcmp(word, "SUCCESS") == 0    ? SERVICE_AWAKE
               : strcmp(word, "SLEEPING") == 0 ? SERVICE_ASLEEP
                                               : SERVICE_UNKNOWN;
    int rc = json_is_object(instance) ? 0 : -1;
    json_decref(data);
    return rc;
}

const struct provider_ops provider_railway = {
    .name = "railway",
    .title = "Railway",
    .base = "https://backboard.railway.com",
    .hosts_service = true,
    .in_flight = 1,
    .sleep_after_ms =
        600000, /* 10 minutes without outbound packets; docs.railway.com/reference/app-sleeping */
    .limits = limits,
    .needs = needs,
    .check = railway_check,
    .next = railway_next,
    .take = railway_take,
    .refused = railway_refused,
    .awake = railway_awake,
    .take_awake = railway_take_awake,
};
