#include "expo.h"

#include "base/json.h"

#include <string.h>

static const char *arg(const struct graphql_field *f, const char *path)
{
    return json_str(f->args, path, "");
}

static json_t *not_found(struct graphql_field *f, const char *what)
{
    return graphql_fail(f, "NOT_FOUND_ERROR", arena_printf(f->arena, "%s not found", what));
}

/* Fields that only lead further: app { byId }, build { cancelBuild }. */
static json_t *name_space(struct graphql_field *f)
{
    (void)f;
    return json_object();
}

/* --- Accounts --------------------------------------------------------------------------------- */

static json_t *own_account(struct graphql_field *f)
{
    const struct expo *w = f->context;
    return json_incref(json_object_get(w->account, "account"));
}

static json_t *account_by(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *account = json_object_get(w->account, "account");
    bool same = strcmp(arg(f, "accountId"), json_str(account, "id", "")) == 0 ||
                strcmp(arg(f, "accountName"), json_str(account, "name", "")) == 0;
    return same ? json_incref(account) : not_found(f, "Account");
}

static json_t *user(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *account = json_object_get(w->account, "account");
    return json_pack("{s:s, s:O, s:s, s:O, s:[O]}", "id", "5a11ed00-0000-4000-8000-000000000003",
                     "username", json_object_get(account, "name"), "email", "someone@example.com",
                     "primaryAccount", account, "accounts", account);
}

static json_t *billing_period(struct graphql_field *f)
{
    const struct expo *w = f->context;
    int64_t now = sim_now_ms(w->r->sim), day = 86400000;
    json_t *period = json_pack("{s:s}", "id", "simulated-period");
    rest_stamp(period, "anchor", now - day);
    rest_stamp(period, "start", now - day);
    rest_stamp(period, "end", now + 29 * day);
    return period;
}

static json_t *subscription(struct graphql_field *f)
{
    (void)f;
    return json_pack("{s:s, s:s, s:s, s:s}", "id", "simulated-subscription", "name", "Free",
                     "planId", "free", "status", "active");
}

/* Each build that began counts, as on the free plan of 30 a month. */
static json_t *usage(struct graphql_field *f)
{
    const struct expo *w = f->context;
    double builds = (double)json_object_size(sim_member(w->account, "deployments"));
    return json_pack("{s:s, s:f, s:[{s:s, s:s, s:s, s:s, s:f, s:f}]}", "id", "simulated-usage",
                     "totalCost", 0.0, "planMetrics", "id", "simulated-builds", "service", "BUILDS",
                     "serviceMetric", "BUILDS", "metricType", "BUILD", "value", builds, "limit",
                     30.0);
}

static json_t *app_count(struct graphql_field *f)
{
    const struct expo *w = f->context;
    return json_integer((json_int_t)json_object_size(sim_member(w->account, "apps")));
}

/* --- Apps ------------------------------------------------------------------------------------- */

static json_t *app_by_id(struct graphql_field *f)
{
    json_t *app = expo_app(f->context, arg(f, "appId"));
    return app ? json_incref(app) : not_found(f, "App");
}

/* "@account/slug": only of apps that were used by their id before. */
static json_t *app_by_name(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *app;
    const char *id;
    json_object_foreach(sim_member(w->account, "apps"), id, app)
    {
        if (strcmp(json_str(app, "fullName", ""), arg(f, "fullName")) == 0)
            return json_incref(app);
    }
    return not_found(f, "App");
}

static bool build_matches(struct graphql_field *f, json_t *build)
{
    static const char *const members[] = {"platform",     "status",        "channel",
                                          "buildProfile", "gitCommitHash", NULL};
    json_t *filter = json_object_get(f->args, "filter");
    for (const char *const *member = members; *member; member++) {
        const char *is = json_str(build, *member, "");
        const char *direct = json_str(f->args, *member, is), *want = json_str(filter, *member, is);
        if (strcmp(direct, is) != 0 || strcmp(want, is) != 0)
            return false;
    }
    return true;
}

static json_t *app_builds(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *all = rest_newest_first(sim_member(w->account, "deployments")), *build;
    json_t *list = json_array();
    int64_t skip = json_int(f->args, "offset", 0), limit = json_int(f->args, "limit", 0);
    size_t i;
    json_array_foreach(all, i, build)
    {
        if (strcmp(json_str(build, "sim.app", ""), json_str(f->parent, "id", "")) != 0 ||
            !build_matches(f, build))
            continue;
        if (skip-- > 0)
            continue;
        if ((int64_t)json_array_size(list) < limit)
            json_array_append_new(list, expo_build_shown(w, build));
    }
    json_decref(all);
    return list;
}

static json_t *app_runs(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *all = rest_newest_first(sim_member(w->account, "runs")), *run, *list = json_array();
    const char *status = json_str(f->args, "filter.status", NULL);
    const char *ref = json_str(f->args, "filter.requestedGitRef", NULL);
    size_t i;
    json_array_foreach(all, i, run)
    {
        if (strcmp(json_str(run, "sim.app", ""), json_str(f->parent, "id", "")) == 0 &&
            (!status || strcmp(status, expo_run_status(w, run)) == 0) &&
            (!ref || strcmp(ref, json_str(run, "requestedGitRef", "")) == 0))
            json_array_append_new(list, expo_run_shown(w, run));
    }
    json_decref(all);
    return rest_connection(f->args, list);
}

static json_t *workflow_made(const struct expo *w, const char *app_id, const char *file)
{
    return json_pack("{s:s, s:s, s:s, s:O, s:O, s:{s:s}}", "id",
                     arena_printf(w->r->arena, "%s-%s", app_id, file), "fileName", file, "name",
                     file, "createdAt", json_at(w->account, "account.createdAt"), "updatedAt",
                     json_at(w->account, "account.createdAt"), "sim", "app", app_id);
}

static json_t *app_workflows(struct graphql_field *f)
{
    const struct expo *w = f->context;
    const char *id = json_str(f->parent, "id", ""), *key;
    json_t *run, *seen = json_object(), *list = json_array();
    json_object_foreach(sim_member(w->account, "runs"), key, run)
    {
        const char *file = json_str(run, "sim.file", "");
        if (strcmp(json_str(run, "sim.app", ""), id) != 0 || json_object_get(seen, file))
            continue;
        json_object_set_new(seen, file, json_true());
        json_array_append_new(list, workflow_made(w, id, file));
    }
    json_decref(seen);
    return list;
}

static json_t *parent_app(struct graphql_field *f)
{
    json_t *app = expo_app(f->context, json_str(f->parent, "sim.app", ""));
    return app ? json_incref(app) : not_found(f, "App");
}

/* --- Runs and builds -------------------------------------------------------------------------- */

static json_t *run_found(struct graphql_field *f)
{
    const struct expo *w = f->context;
    return json_object_get(sim_member(w->account, "runs"), arg(f, "workflowRunId"));
}

static json_t *run_by_id(struct graphql_field *f)
{
    json_t *run = run_found(f);
    return run ? expo_run_shown(f->context, run) : not_found(f, "Workflow run");
}

static json_t *run_workflow(struct graphql_field *f)
{
    return workflow_made(f->context, json_str(f->parent, "sim.app", ""),
                         json_str(f->parent, "sim.file", ""));
}

static json_t *build_by_id(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *build = json_object_get(sim_member(w->account, "deployments"), arg(f, "buildId"));
    return build ? expo_build_shown(w, build) : not_found(f, "Build");
}

static json_t *build_cancel(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *build = json_object_get(sim_member(w->account, "deployments"), arg(f, "buildId"));
    if (!build)
        return not_found(f, "Build");
    expo_build_cancel(w, build);
    return expo_build_shown(w, build);
}

static json_t *revision_make(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *revisions = sim_member(w->account, "revisions");
    const char *id =
        arena_printf(f->arena, "%s %s %s", arg(f, "appId"), arg(f, "fileName"), arg(f, "gitRef"));
    if (!expo_app(w, arg(f, "appId")))
        return not_found(f, "App");
    json_t *revision = json_object_get(revisions, id);
    if (!revision) {
        char head[41];
        rest_branch_head(arg(f, "appId"), arg(f, "gitRef"), head);
        revision = json_pack("{s:s, s:s, s:s, s:s, s:O, s:{s:s, s:s}}", "id", id, "blobSha", head,
                             "commitSha", head, "yamlConfig", "jobs: {}", "createdAt",
                             json_at(w->account, "account.createdAt"), "sim", "app",
                             arg(f, "appId"), "file", arg(f, "fileName"));
        json_object_set_new(revisions, id, revision);
        sim_changed(w->r->sim);
    }
    return json_incref(revision);
}

static json_t *run_start(struct graphql_field *f, const char *app_id, const char *file,
                         const char *git_ref, json_t *inputs)
{
    const struct expo *w = f->context;
    const char *why;
    json_t *app = expo_app(w, app_id);
    json_t *run = app ? expo_run_start(w, app, file, git_ref, inputs, &why) : NULL;
    if (!app)
        return not_found(f, "App");
    return run ? expo_run_shown(w, run) : graphql_fail(f, "VALIDATION_ERROR", why);
}

static json_t *run_create(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *revision =
        json_object_get(sim_member(w->account, "revisions"), arg(f, "workflowRevisionId"));
    if (!revision)
        return not_found(f, "Workflow revision");
    return run_start(f, json_str(revision, "sim.app", ""), json_str(revision, "sim.file", ""),
                     arg(f, "gitRef"), json_object_get(f->args, "inputs"));
}

static json_t *run_retry(struct graphql_field *f)
{
    json_t *run = run_found(f);
    if (!run)
        return not_found(f, "Workflow run");
    return run_start(f, json_str(run, "sim.app", ""), json_str(run, "sim.file", ""),
                     json_str(run, "requestedGitRef", ""), json_object_get(run, "inputs"));
}

static json_t *run_cancel(struct graphql_field *f)
{
    const struct expo *w = f->context;
    json_t *run = run_found(f), *id;
    size_t i;
    if (!run)
        return not_found(f, "Workflow run");
    json_array_foreach(json_at(run, "sim.builds"), i, id) expo_build_cancel(
        w, json_object_get(sim_member(w->account, "deployments"), json_string_value(id)));
    return expo_run_shown(w, run);
}

const struct graphql_resolver expo_resolvers[] = {
    {"RootQuery", "account", name_space},
    {"RootQuery", "app", name_space},
    {"RootQuery", "builds", name_space},
    {"RootQuery", "me", user},
    {"RootQuery", "viewer", user},
    {"RootQuery", "workflowRuns", name_space},
    {"RootMutation", "build", name_space},
    {"RootMutation", "workflowRevision", name_space},
    {"RootMutation", "workflowRun", name_space},
    {"AccountQuery", "byId", account_by},
    {"AccountQuery", "byName", account_by},
    {"Account", "appCount", app_count},
    {"Account", "billingPeriod", billing_period},
    {"Account", "subscription", subscription},
    {"Account", "usageMetrics", name_space},
    {"AccountUsageMetrics", "byBillingPeriod", usage},
    {"AppQuery", "byId", app_by_id},
    {"AppQuery", "byFullName", app_by_name},
    {"App", "builds", app_builds},
    {"App", "ownerAccount", own_account},
    {"App", "workflowRunsPaginated", app_runs},
    {"App", "workflows", app_workflows},
    {"Workflow", "app", parent_app},
    {"WorkflowRevision", "workflow", run_workflow},
    {"WorkflowRun", "workflow", run_workflow},
    {"Build", "app", parent_app},
    {"BuildQuery", "byId", build_by_id},
    {"BuildMutation", "cancelBuild", build_cancel},
    {"WorkflowRunQuery", "byId", run_by_id},
    {"WorkflowRevisionMutation", "getOrCreateWorkflowRevisionFromGitRef", revision_make},
    {"WorkflowRunMutation", "createWorkflowRunFromGitRef", run_create},
    {"WorkflowRunMutation", "retryWorkflowRun", run_retry},
    {"WorkflowRunMutation", "cancelWorkflowRun", run_cancel},
    {NULL, NULL, NULL},
};
