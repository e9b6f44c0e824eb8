#include "railway.h"

#include "base/json.h"

#include <string.h>

static const char *arg(const struct graphql_field *f, const char *path)
{
    return json_str(f->args, path, "");
}

/* --- Lists ------------------------------------------------------------------------------------ */

/* The records of a table that this token may see and whose member has that value (NULL: all). */
static json_t *records(const struct railway *w, const char *table, const char *member,
                       const char *value)
{
    json_t *list = json_array(), *record;
    const char *id;
    json_object_foreach(sim_member(w->account, table), id, record)
    {
        if (railway_find(w, table, id) &&
            (!member || strcmp(json_str(record, member, ""), value) == 0))
            json_array_append(list, record);
    }
    return list;
}

static json_t *one(struct graphql_field *f, const char *table, const char *id, const char *what)
{
    json_t *record = railway_find(f->context, table, id);
    return record ? json_incref(record) : railway_not_found(f, what);
}

/* --- The token and its owner ------------------------------------------------------------------ */

static json_t *project_token(struct graphql_field *f)
{
    const struct railway *w = f->context;
    if (!w->project_token)
        return graphql_fail(f, "INTERNAL_SERVER_ERROR", "Project Token not found");
    return json_pack("{s:s, s:s, s:s, s:s, s:O}", "id", w->environment_id, "name", "simulated",
                     "projectId", w->project_id, "environmentId", w->environment_id, "createdAt",
                     json_at(w->account, "workspace.createdAt"));
}

static json_t *me(struct graphql_field *f)
{
    const struct railway *w = f->context;
    if (w->project_token)
        return railway_not_authorised(f);
    return json_pack("{s:s, s:s, s:s, s:s, s:O, s:[O]}", "id",
                     "5a11ed00-0000-4000-8000-000000000002", "name", "Someone", "email",
                     "someone@example.com", "username", "someone", "createdAt",
                     json_at(w->account, "workspace.createdAt"), "workspaces",
                     json_object_get(w->account, "workspace"));
}

static json_t *api_token(struct graphql_field *f)
{
    const struct railway *w = f->context;
    if (w->project_token)
        return railway_not_authorised(f);
    return json_pack("{s:[O]}", "workspaces", json_object_get(w->account, "workspace"));
}

static json_t *workspace(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *found = json_object_get(w->account, "workspace");
    if (w->project_token || strcmp(json_str(found, "id", ""), arg(f, "workspaceId")) != 0)
        return railway_not_authorised(f);
    return json_incref(found);
}

static json_t *workspace_project_count(struct graphql_field *f)
{
    const struct railway *w = f->context;
    return json_integer((json_int_t)json_object_size(sim_member(w->account, "projects")));
}

/* Nothing is used up in the simulator. */
static json_t *workspace_customer(struct graphql_field *f)
{
    const struct railway *w = f->context;
    char from[32], to[32];
    sim_iso(sim_now_ms(w->r->sim) - 86400000, from);
    sim_iso(sim_now_ms(w->r->sim) + (int64_t)29 * 86400000, to);
    return json_pack("{s:O, s:f, s:f, s:f, s:f, s:b, s:b, s:i, s:{s:s, s:s}}", "id",
                     json_at(w->account, "workspace.id"), "appliedCredits", 1.0, "creditBalance",
                     0.0, "currentUsage", 0.0, "remainingUsageCreditBalance", 1.0,
                     "hasExhaustedFreePlan", 0, "isTrialing", 0, "trialDaysRemaining", 0,
                     "billingPeriod", "start", from, "end", to);
}

static json_t *usage(struct graphql_field *f)
{
    json_t *list = json_array(), *measurement;
    size_t i;
    json_array_foreach(json_object_get(f->args, "measurements"), i, measurement)
        json_array_append_new(list, json_pack("{s:O, s:f, s:f, s:s, s:{s:s}}", "measurement",
                                              measurement, "value", 0.0, "estimatedValue", 0.0,
                                              "projectId", arg(f, "projectId"), "tags", "projectId",
                                              arg(f, "projectId")));
    return list;
}

/* --- Projects, environments, services --------------------------------------------------------- */

static json_t *projects(struct graphql_field *f)
{
    const struct railway *w = f->context;
    if (w->project_token)
        return railway_not_authorised(f);
    return rest_connection(f->args, records(w, "projects", NULL, NULL));
}

static json_t *project(struct graphql_field *f)
{
    return one(f, "projects", arg(f, "id"), "Project");
}

static json_t *parent_project(struct graphql_field *f)
{
    return one(f, "projects", json_str(f->parent, "projectId", ""), "Project");
}

static json_t *project_environments(struct graphql_field *f)
{
    return rest_connection(
        f->args, records(f->context, "environments", "projectId", json_str(f->parent, "id", "")));
}

static json_t *project_services(struct graphql_field *f)
{
    return rest_connection(
        f->args, records(f->context, "services", "projectId", json_str(f->parent, "id", "")));
}

static json_t *environment(struct graphql_field *f)
{
    return one(f, "environments", arg(f, "id"), "Environment");
}

static json_t *parent_environment(struct graphql_field *f)
{
    return one(f, "environments", json_str(f->parent, "environmentId", ""), "Environment");
}

static json_t *environments(struct graphql_field *f)
{
    return rest_connection(f->args,
                           records(f->context, "environments", "projectId", arg(f, "projectId")));
}

static json_t *environment_instances(struct graphql_field *f)
{
    return rest_connection(
        f->args, records(f->context, "instances", "environmentId", json_str(f->parent, "id", "")));
}

static json_t *service(struct graphql_field *f)
{
    return one(f, "services", arg(f, "id"), "Service");
}

static json_t *parent_service(struct graphql_field *f)
{
    return one(f, "services", json_str(f->parent, "serviceId", ""), "Service");
}

static json_t *service_instances(struct graphql_field *f)
{
    return rest_connection(
        f->args, records(f->context, "instances", "serviceId", json_str(f->parent, "id", "")));
}

static json_t *service_instance(struct graphql_field *f)
{
    json_t *instance = railway_instance(f->context, arg(f, "environmentId"), arg(f, "serviceId"));
    return instance ? json_incref(instance) : railway_not_found(f, "ServiceInstance");
}

static json_t *domains(struct graphql_field *f)
{
    json_t *instance = railway_instance(f->context, arg(f, "environmentId"), arg(f, "serviceId"));
    return instance ? json_incref(json_object_get(instance, "domains"))
                    : railway_not_found(f, "ServiceInstance");
}

static json_t *variables(struct graphql_field *f)
{
    const struct railway *w = f->context;
    const char *service_id = arg(f, "serviceId");
    json_t *shared = railway_find(w, "environments", arg(f, "environmentId"));
    json_t *instance = railway_instance(w, arg(f, "environmentId"), service_id);
    if (!shared || (*service_id && !instance))
        return railway_not_authorised(f);
    return json_deep_copy(
        sim_member(sim_member(*service_id ? instance : shared, "sim"), "variables"));
}

/* --- Deployments ------------------------------------------------------------------------------ */

static json_t *deployment(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *found = railway_find(w, "deployments", arg(f, "id"));
    return found ? railway_deployment_shown(w, found) : railway_not_found(f, "Deployment");
}

static json_t *instance_latest(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *latest = railway_find(w, "deployments", json_str(f->parent, "sim.latest", ""));
    return latest ? railway_deployment_shown(w, latest) : json_null();
}

static json_t *instance_active(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *live = railway_find(w, "deployments", json_str(f->parent, "sim.live", ""));
    json_t *list = json_array();
    if (live && json_flag(live, "sim.live", false))
        json_array_append_new(list, railway_deployment_shown(w, live));
    return list;
}

static bool word_in(json_t *list, const char *word)
{
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), word) == 0)
            return true;
    }
    return false;
}

static bool same_or_any(struct graphql_field *f, const char *path, json_t *record,
                        const char *member)
{
    const char *want = json_str(f->args, path, NULL);
    return !want || strcmp(want, json_str(record, member, "")) == 0;
}

/* Newest first, as all lists of deployments. */
static json_t *shown_deployments(const struct railway *w)
{
    json_t *list = json_array(), *record;
    json_t *all = rest_newest_first(sim_member(w->account, "deployments"));
    size_t i;
    json_array_foreach(all, i, record)
    {
        if (railway_find(w, "deployments", json_str(record, "id", "")))
            json_array_append_new(list, railway_deployment_shown(w, record));
    }
    json_decref(all);
    return list;
}

static json_t *deployments(struct graphql_field *f)
{
    json_t *all = shown_deployments(f->context), *list = json_array(), *record;
    json_t *in = json_at(f->args, "input.status.in"),
           *not_in = json_at(f->args, "input.status.notIn");
    size_t i;
    json_array_foreach(all, i, record)
    {
        const char *status = json_str(record, "status", "");
        if (same_or_any(f, "input.projectId", record, "projectId") &&
            same_or_any(f, "input.environmentId", record, "environmentId") &&
            same_or_any(f, "input.serviceId", record, "serviceId") &&
            (!json_is_array(in) || word_in(in, status)) && !word_in(not_in, status))
            json_array_append(list, record);
    }
    json_decref(all);
    return rest_connection(f->args, list);
}

static json_t *environment_deployments(struct graphql_field *f)
{
    json_t *all = shown_deployments(f->context), *list = json_array(), *record;
    size_t i;
    json_array_foreach(all, i, record)
    {
        if (strcmp(json_str(record, "environmentId", ""), json_str(f->parent, "id", "")) == 0)
            json_array_append(list, record);
    }
    json_decref(all);
    return rest_connection(f->args, list);
}

static json_t *logs(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *found = railway_find(w, "deployments", arg(f, "deploymentId"));
    if (!found)
        return railway_not_found(f, "Deployment");
    return json_pack(
        "[{s:s, s:s, s:O}]", "message",
        arena_printf(f->arena, "Simulated deployment: %s", json_str(found, "status", "")),
        "severity", "info", "timestamp", json_object_get(found, "createdAt"));
}

const struct graphql_resolver railway_resolvers[] = {
    {"Query", "apiToken", api_token},
    {"Query", "buildLogs", logs},
    {"Query", "deployment", deployment},
    {"Query", "deploymentLogs", logs},
    {"Query", "deployments", deployments},
    {"Query", "domains", domains},
    {"Query", "environment", environment},
    {"Query", "environments", environments},
    {"Query", "estimatedUsage", usage},
    {"Query", "me", me},
    {"Query", "project", project},
    {"Query", "projectToken", project_token},
    {"Query", "projects", projects},
    {"Query", "service", service},
    {"Query", "serviceInstance", service_instance},
    {"Query", "usage", usage},
    {"Query", "variables", variables},
    {"Query", "workspace", workspace},
    {"Workspace", "projectCount", workspace_project_count},
    {"Workspace", "customer", workspace_customer},
    {"ProjectToken", "project", parent_project},
    {"ProjectToken", "environment", parent_environment},
    {"Project", "environments", project_environments},
    {"Project", "services", project_services},
    {"Environment", "serviceInstances", environment_instances},
    {"Environment", "deployments", environment_deployments},
    {"Service", "project", parent_project},
    {"Service", "serviceInstances", service_instances},
    {"ServiceInstance", "service", parent_service},
    {"ServiceInstance", "latestDeployment", instance_latest},
    {"ServiceInstance", "activeDeployments", instance_active},
    {"Deployment", "environment", parent_environment},
    {"Deployment", "service", parent_service},
    {"Mutation", "deploymentCancel", railway_cancel},
    {"Mutation", "deploymentRedeploy", railway_redeploy},
    {"Mutation", "deploymentRemove", railway_cancel},
    {"Mutation", "deploymentRestart", railway_restart},
    {"Mutation", "deploymentRollback", railway_rollback},
    {"Mutation", "deploymentStop", railway_cancel},
    {"Mutation", "environmentCreate", railway_environment_create},
    {"Mutation", "projectCreate", railway_project_create},
    {"Mutation", "serviceConnect", railway_service_connect},
    {"Mutation", "serviceCreate", railway_service_create},
    {"Mutation", "serviceDelete", railway_service_delete},
    {"Mutation", "serviceDomainCreate", railway_domain_create},
    {"Mutation", "serviceDomainDelete", railway_domain_delete},
    {"Mutation", "serviceInstanceDeploy", railway_deploy_v1},
    {"Mutation", "serviceInstanceDeployV2", railway_deploy_v2},
    {"Mutation", "serviceInstanceRedeploy", railway_redeploy_instance},
    {"Mutation", "serviceInstanceUpdate", railway_instance_update},
    {"Mutation", "serviceUpdate", railway_service_update},
    {"Mutation", "variableCollectionUpsert", railway_variables_upsert},
    {"Mutation", "variableDelete", railway_variable_delete},
    {"Mutation", "variableUpsert", railway_variable_upsert},
    {NULL, NULL, NULL},
};
