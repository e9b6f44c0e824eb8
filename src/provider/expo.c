#include "base/json.h"
#include "base/text.h"
#include "provider/graphql.h"
#include "provider/service.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * Expo EAS builds mobile apps. There are two ways to start a build without resolving its
 * credentials oneself, and both end with the build's commit being read back: a build of anything
 * else is no success. Source of the protocol: docs.expo.dev on EAS Workflows' REST API and on
 * eas-cli, and the GraphQL schema that eas-cli carries.
 *
 * mode "workflow" (the default): a workflow of the linked repository is dispatched at our commit.
 * Its `on: workflow_dispatch: inputs:` must declare `platform`, `profile`, `channel` and `release`.
 * A run is ours when its inputs hold our marker and platform.
 *
 * mode "cli": the user's own `eas build` uploads the checked-out files. A build is ours when its
 * message is our marker.
 *
 *   project_id  the workflow run    remote_id  the build
 *   extra       builds of the run that were not looked at yet, separated by spaces
 */

enum expo_step {
    EXPO_START,
    EXPO_LOOK_RUN, /* is there a run of ours already? */
    EXPO_DISPATCH,
    EXPO_AWAIT_RUN,
    EXPO_POLL_RUN,
    EXPO_LOOK_BUILD, /* is there a build of ours already? */
    EXPO_RUN_PROGRAM,
    EXPO_AWAIT_BUILD,
    EXPO_POLL_BUILD,
    EXPO_LIVE,
    EXPO_FAILED,
};

enum { RECENT = 20 };

static const char title[] = "Expo";
static const char token_key[] = "`token` (an access token that reaches the app) and `app_id`";
static const struct poll_pace pace = {10000, 60000};

static const struct status_word run_words[] = {
    {"success", VERDICT_GOOD},
    {"failure", VERDICT_BAD},
    {"canceled", VERDICT_BAD},
    {NULL, VERDICT_RUNNING},
};
static const struct status_word build_words[] = {
    {"FINISHED", VERDICT_GOOD},
    {"ERRORED", VERDICT_BAD},
    {"CANCELED", VERDICT_BAD},
    {NULL, VERDICT_RUNNING},
};

static const struct rate_limit limits[] = {{NULL, 0, 0, NULL}}; /* none is documented */
static const char *const needs[] = {"token", "app_id", NULL};

static const char query_runs[] =
    "query ($appId: String!) { app { byId(appId: $appId) { id"
    " workflowRunsPaginated(first: 50) { edges { node { id status inputs } } }"
    " } } }";

static const char query_builds[] =
    "query ($appId: String!, $limit: Int!, $filter: BuildFilter) { app { byId(appId: $appId) { id"
    " builds(offset: 0, limit: $limit, filter: $filter) { id status message } } } }";

static const char query_build[] =
    "query ($buildId: ID!) { builds { byId(buildId: $buildId) { id status platform gitCommitHash"
    " queuePosition error { errorCode message } artifacts { buildUrl applicationArchiveUrl } } } }";

static bool by_program(const struct want *w)
{
    return strcmp(w->mode, "cli") == 0;
}

static const char *profile_of(const struct want *w)
{
    return w->profile[0] ? w->profile : "production"; /* as `eas build` itself chooses */
}

static int expo_check(const struct want *w, struct err *e)
{
    if (w->mode[0] && !by_program(w) && strcmp(w->mode, "workflow") != 0)
        return err_set(e, ERR_MANIFEST, "Expo's `mode` is \"workflow\" or \"cli\", not \"%s\"",
                       w->mode);
    if (strcmp(w->instance, "ios") != 0 && strcmp(w->instance, "android") != 0)
        return err_set(e, ERR_MANIFEST,
                       "Expo builds for the instances \"ios\" and \"android\", not for \"%s\"",
                       w->instance);
    if (!by_program(w) && !w->workflow[0])
        return err_set(
            e, ERR_MANIFEST,
            "Expo's mode \"workflow\" needs `workflow`, the name of a file in .eas/workflows");
    if (!by_program(w) && strchr(w->workflow, '/'))
        return err_set(e, ERR_MANIFEST,
                       "Expo's `workflow` is a file's name without its folder, not \"%s\"",
                       w->workflow);
    if (!w->commit[0])
        return err_set(
            e, ERR_MANIFEST,
            "Expo deploys a commit, but none is known; run trine inside the git repository");
    return 0;
}

/* --- What to send -------------------------------------------------------------------- */

static void dispatch(const struct deployment *d, const struct want *w, struct call *c)
{
    json_t *inputs = json_pack("{s:s, s:s, s:s, s:s}", "platform", w->instance, "profile",
                               profile_of(w), "channel", w->channel, "release", w->marker);

    call_begin_http(c, d->step, "POST", "/v2/workflows/dispatch");
    call_json(c, json_pack("{s:s, s:s, s:s, s:o}", "appId", w->app_id, "gitRef", w->commit,
                           "fileName", w->workflow, "inputs", inputs));
    call_once(c, EXPO_LOOK_RUN);
}

static void ask_builds(const struct deployment *d, const struct want *w, struct call *c)
{
    const char *platform = strcmp(w->instance, "ios") == 0 ? "IOS" : "ANDROID";

    graphql_call(c, d->step, "/graphql", query_builds,
                 json_pack("{s:s, s:i, s:{s:s, s:s}}", "appId", w->app_id, "limit", RECENT,
                           "filter", "platform", platform, "buildProfile", profile_of(w)));
}

/* A program is a call without a method; provider_ops.command says which. */
static enum turn run_program(const struct deployment *d, struct call *c)
{
    c->tag = d->step;
    c->cost = "";
    call_once(c, EXPO_LOOK_BUILD);
    return TURN_SEND;
}

static int expo_command(const struct deployment *d, const struct want *w, struct arena *arena,
                        struct program *ret, struct err *e)
{
    const char *all[] = {"eas",         "build",     "--platform", w->instance,         "--profile",
                         profile_of(w), "--message", w->marker,    "--non-interactive", "--json",
                         "--no-wait",   NULL};
    const char **argv = arena_alloc(arena, sizeof(all));
    struct want_variable *env = arena_alloc(arena, sizeof(*env));

    if (d->step != EXPO_RUN_PROGRAM)
        return err_set(e, ERR_BUG, "Expo: step %d runs no program", d->step);
    memcpy(argv, all, sizeof(all));
    *env = (struct want_variable){"EXPO_TOKEN", w->token};
    *ret = (struct program){.argv = argv, .env = env, .n_env = 1, .dir = w->path};
    return 0;
}

static enum turn expo_next(struct deployment *d, const struct want *w, struct call *ret,
                           int64_t *ret_wait_ms, struct err *e)
{
    if (d->step == EXPO_START)
        d->step = by_program(w) ? EXPO_LOOK_BUILD : EXPO_LOOK_RUN;
    switch ((enum expo_step)d->step) {
    case EXPO_START:
        break;
    case EXPO_LOOK_RUN:
        graphql_call(ret, d->step, "/graphql", query_runs, json_pack("{s:s}", "appId", w->app_id));
        break;
    case EXPO_DISPATCH:
        dispatch(d, w, ret);
        break;
    case EXPO_POLL_RUN:
        call_begin_http(ret, d->step, "GET", "/v2/workflows/runs/%s",
                        call_encode(ret, d->project_id));
        break;
    case EXPO_LOOK_BUILD:
        ask_builds(d, w, ret);
        break;
    case EXPO_RUN_PROGRAM:
        return run_program(d, ret);
    case EXPO_POLL_BUILD:
        graphql_call(ret, d->step, "/graphql", query_build,
                     json_pack("{s:s}", "buildId", d->remote_id));
        break;
    case EXPO_AWAIT_RUN:
        return poll_wait(d, EXPO_POLL_RUN, &pace, ret_wait_ms);
    case EXPO_AWAIT_BUILD:
        return poll_wait(d, EXPO_POLL_BUILD, &pace, ret_wait_ms);
    case EXPO_LIVE:
        return TURN_DONE;
    case EXPO_FAILED:
        return service_failed(d, e);
    }
    call_bearer(ret, w->token);
    return turn_send(d, ret, title, e);
}

/* --- What came back ------------------------------------------------------------------ */

static int fail(struct deployment *d, const char *word, const char *detail)
{
    (void)text_copy(d->word, sizeof(d->word), word);
    (void)text_copy(d->detail, sizeof(d->detail), detail);
    d->step = EXPO_FAILED;
    return 0;
}

static int take_runs(struct deployment *d, const struct want *w, const json_t *data, struct err *e)
{
    const json_t *edges = json_at(data, "app.byId.workflowRunsPaginated.edges"), *edge;
    size_t i;

    if (!json_is_array(edges))
        return err_set(e, ERR_REMOTE, "Expo: the reply has no list of workflow runs");
    d->step = EXPO_DISPATCH;
    json_array_foreach(
        edges, i, edge) if (strcmp(json_str(edge, "node.inputs.release", ""), w->marker) == 0 &&
                            strcmp(json_str(edge, "node.inputs.platform", ""), w->instance) == 0)
    {
        (void)text_copy(d->project_id, sizeof(d->project_id), json_str(edge, "node.id", ""));
        d->step = EXPO_AWAIT_RUN;
        break;
    }
    return 0;
}

static int take_dispatch(struct deployment *d, const json_t *json, struct err *e)
{
    const char *id = json_str(json, "data.id", "");

    if (!id[0])
        return err_set(e, ERR_REMOTE, "Expo: the reply to the dispatch names no run");
    (void)text_copy(d->project_id, sizeof(d->project_id), id);
    (void)text_copy(d->url, sizeof(d->url), json_str(json, "data.url", ""));
    d->step = EXPO_AWAIT_RUN;
    return 0;
}

/* Goes on to the next build of the run; false when there is none left. */
static bool next_build(struct deployment *d)
{
    size_t n = strcspn(d->extra, " ");

    if (n == 0 || n >= sizeof(d->remote_id))
        return false;
    memcpy(d->remote_id, d->extra, n);
    d->remote_id[n] = '\0';
    n += strspn(d->extra + n, " ");
    memmove(d->extra, d->extra + n, strlen(d->extra + n) + 1);
    return true;
}

static void note_builds(struct deployment *d, const json_t *jobs)
{
    const json_t *job;
    size_t i, used = 0;

    d->extra[0] = '\0';
    json_array_foreach(jobs, i, job)
    {
        const char *id = json_str(job, "buildId", json_str(job, "outputs.build_id", ""));
        size_t n = strlen(id);
        if (n == 0 || strchr(id, ' ') || used + n + 2 > sizeof(d->extra))
            continue;
        (void)snprintf(d->extra + used, sizeof(d->extra) - used, "%s ", id);
        used += n + 1;
    }
}

static const char *first_job_error(const json_t *jobs)
{
    const json_t *job;
    size_t i;

    json_array_foreach(jobs, i, job) if (json_str(job, "errors.0.message", NULL)) return json_str(
        job, "errors.0.message", "");
    return "";
}

static int take_run(struct deployment *d, const json_t *json, struct err *e)
{
    const json_t *run = json_is_object(json_at(json, "data")) ? json_at(json, "data") : json;
    const char *word = json_str(run, "status", "");

    if (!word[0])
        return err_set(e, ERR_REMOTE, "Expo: the reply has no status of the workflow run");
    status_seen(d, word);
    switch (status_verdict(run_words, word)) {
    case VERDICT_RUNNING:
        d->step = EXPO_AWAIT_RUN;
        return 0;
    case VERDICT_GOOD:
        note_builds(d, json_at(run, "jobs"));
        if (!next_build(d))
            return fail(d, word, "the workflow run has no build; it needs a job of `type: build`");
        d->step = EXPO_POLL_BUILD;
        return 0;
    case VERDICT_BAD:
        return fail(d, word, first_job_error(json_at(run, "jobs")));
    }
    return 0;
}

static int take_builds(struct deployment *d, const struct want *w, const json_t *data,
                       struct err *e)
{
    const json_t *builds = json_at(data, "app.byId.builds"), *build;
    size_t i;

    if (!json_is_array(builds))
        return err_set(e, ERR_REMOTE, "Expo: the reply has no list of builds");
    d->step = EXPO_RUN_PROGRAM;
    json_array_foreach(builds, i, build) if (strcmp(json_str(build, "message", ""), w->marker) == 0)
    {
        (void)text_copy(d->remote_id, sizeof(d->remote_id), json_str(build, "id", ""));
        d->step = EXPO_AWAIT_BUILD;
        break;
    }
    return 0;
}

/* `eas build --json` prints an array of builds, at times after lines meant for people. */
static int take_program(struct deployment *d, const struct http_reply *reply, struct err *e)
{
    const char *begin = reply->body[0] == '[' ? reply->body : strstr(reply->body, "\n[");
    json_t *builds = NULL;

    if (begin) {
        begin += *begin == '\n';
        builds = json_read(begin, reply->len - (size_t)(begin - reply->body), "eas build", e);
    }
    const char *id = json_str(builds, "0.id", "");
    int rc = 0;
    if (id[0]) {
        (void)text_copy(d->remote_id, sizeof(d->remote_id), id);
        d->step = EXPO_AWAIT_BUILD;
    } else {
        rc = err_set(e, ERR_REMOTE, "eas build printed no build; is it eas-cli 16 or later?");
    }
    json_decref(builds);
    return rc;
}

static int read_back(struct deployment *d, const struct want *w, const json_t *build)
{
    const char *commit = json_str(build, "gitCommitHash", "");
    char detail[sizeof(d->detail)];

    if (!commit_same(commit, w->commit)) {
        (void)snprintf(detail, sizeof(detail), "the build is of commit %.12s, not of %.12s",
                       commit[0] ? commit : "(not told)", w->commit);
        return fail(d, "another commit", detail);
    }
    const char *url = json_str(build, "artifacts.applicationArchiveUrl",
                               json_str(build, "artifacts.buildUrl", ""));
    if (url[0])
        (void)text_copy(d->url, sizeof(d->url), url);
    d->step = EXPO_LIVE;
    return 0;
}

static int take_build(struct deployment *d, const struct want *w, const json_t *data, struct err *e)
{
    const json_t *build = json_at(data, "builds.byId");
    const char *word = json_str(build, "status", "");
    const char *platform = json_str(build, "platform", w->instance);

    if (!word[0])
        return err_set(e, ERR_REMOTE, "Expo: the reply has no status of the build");
    if (strcasecmp(platform, w->instance) != 0) { /* a workflow may build for both */
        if (next_build(d))
            d->step = EXPO_POLL_BUILD;
        else
            return fail(d, "another platform", "the workflow run has no build for this platform");
        return 0;
    }
    status_seen(d, word);
    switch (status_verdict(build_words, word)) {
    case VERDICT_RUNNING:
        d->step = EXPO_AWAIT_BUILD;
        return 0;
    case VERDICT_GOOD:
        return read_back(d, w, build);
    case VERDICT_BAD:
        return fail(d, word, json_str(build, "error.message", ""));
    }
    return 0;
}

static int take_data(struct deployment *d, const struct want *w, int step, const json_t *data,
                     struct err *e)
{
    switch (step) {
    case EXPO_LOOK_RUN:
        return take_runs(d, w, data, e);
    case EXPO_LOOK_BUILD:
        return take_builds(d, w, data, e);
    case EXPO_POLL_BUILD:
        return take_build(d, w, data, e);
    default:
        return err_set(e, ERR_BUG, "Expo: step %d asks no GraphQL", step);
    }
}

static int take_graphql(struct deployment *d, const struct want *w, int step,
                        const struct http_reply *reply, struct err *e)
{
    json_t *data = NULL;
    int rc = -1;

    switch (graphql_read(reply, title, &data, e)) {
    case GRAPHQL_UNREADABLE:
        break;
    case GRAPHQL_DATA:
        rc = take_data(d, w, step, data, e);
        break;
    case GRAPHQL_REFUSED:
        if (graphql_is_of_token(e->text))
            refusal_of_token(e, e->text, token_key);
        rc = fail(d, "refused", e->text);
        break;
    }
    json_decref(data);
    return rc;
}

static int expo_take(struct deployment *d, const struct want *w, const struct call *c,
                     const struct http_reply *reply, struct err *e)
{
    int step = (int)c->tag;

    if (step == EXPO_RUN_PROGRAM)
        return take_program(d, reply, e);
    if (step != EXPO_DISPATCH && step != EXPO_POLL_RUN)
        return take_graphql(d, w, step, reply, e);
    json_t *json = reply_read(reply, title, e);
    if (!json)
        return -1;
    int rc = step == EXPO_DISPATCH ? take_dispatch(d, json, e) : take_run(d, json, e);
    json_decref(json);
    return rc;
}

static void expo_refused(struct deployment *d, const struct call *c, const struct http_reply *reply,
                         struct err *e)
{
    (void)d;
    if (c->tag == EXPO_RUN_PROGRAM) {
        program_refused(reply, "eas build", e);
        return;
    }
    (void)graphql_refused(reply, title, e);
    if (reply->status == 401 || reply->status == 403)
        refusal_of_token(e, e->text, token_key);
}

const struct provider_ops provider_expo = {
    .name = "expo",
    .title = "Expo",
    .base = "https://api.expo.dev",
    .hosts_mobile = true,
    .in_flight = 1,
    .limits = limits,
    .needs = needs,
    .check = expo_check,
    .next = expo_next,
    .take = expo_take,
    .refused = expo_refused,
    .command = expo_command,
};
