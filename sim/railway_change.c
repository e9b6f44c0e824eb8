#include "railway.h"

#include "base/json.h"

#include <string.h>

/* The mutations. Each checks first that the token may see what it is about. */

static json_t *yes(const struct railway *w)
{
    sim_changed(w->r->sim);
    return json_true();
}

static const char *arg(const struct graphql_field *f, const char *path)
{
    return json_str(f->args, path, "");
}

json_t *railway_project_create(struct graphql_field *f)
{
    const struct railway *w = f->context;
    if (w->project_token)
        return railway_not_authorised(f);
    return rest_shown(
        railway_project_make(w, json_str(f->args, "input.name", "simulated-project"),
                             json_str(f->args, "input.defaultEnvironmentName", "production")));
}

json_t *railway_environment_create(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *project = railway_find(w, "projects", arg(f, "input.projectId"));
    if (w->project_token)
        return railway_not_authorised(f);
    if (!project)
        return railway_not_found(f, "Project");
    return rest_shown(railway_environment_make(w, project, arg(f, "input.name")));
}

/* --- Services --------------------------------------------------------------------------------- */

json_t *railway_instance_make(const struct railway *w, json_t *service, json_t *environment)
{
    char id[37];
    sim_uuid(w->r->sim, id);
    json_t *instance = json_pack(
        "{s:s, s:O, s:O, s:O, s:O, s:s, s:i, s:s, s:b, s:b, s:i, s:s, s:[], s:{s:[], s:[]}}", "id",
        id, "environmentId", json_object_get(environment, "id"), "serviceId",
        json_object_get(service, "id"), "serviceName", json_object_get(service, "name"),
        "projectId", json_object_get(service, "projectId"), "restartPolicyType", "ON_FAILURE",
        "restartPolicyMaxRetries", 10, "builder", "RAILPACK", "isUpdatable", 1, "sleepApplication",
        0, "numReplicas", 1, "region", "europe-west4-drams3a", "watchPatterns", "domains",
        "serviceDomains", "customDomains");
    rest_stamp(instance, "createdAt", sim_now_ms(w->r->sim));
    rest_stamp(instance, "updatedAt", sim_now_ms(w->r->sim));
    const char *key = arena_printf(w->r->arena, "%s/%s", json_str(environment, "id", ""),
                                   json_str(service, "id", ""));
    json_object_set_new(sim_member(w->account, "instances"), key, instance);
    return instance;
}

static bool name_is_taken(const struct railway *w, const char *project_id, const char *name)
{
    json_t *service;
    const char *id;
    json_object_foreach(sim_member(w->account, "services"), id, service)
    {
        if (strcmp(json_str(service, "projectId", ""), project_id) == 0 &&
            strcmp(json_str(service, "name", ""), name) == 0)
            return true;
    }
    return false;
}

static json_t *service_make(struct graphql_field *f)
{
    const struct railway *w = f->context;
    char id[37];
    sim_uuid(w->r->sim, id);
    const char *name = json_str(f->args, "input.name", arena_printf(f->arena, "service-%.4s", id));
    json_t *service = json_pack("{s:s, s:s, s:s}", "id", id, "name", name, "projectId",
                                arg(f, "input.projectId"));
    rest_stamp(service, "createdAt", sim_now_ms(w->r->sim));
    rest_stamp(service, "updatedAt", sim_now_ms(w->r->sim));
    json_object_set_new(sim_member(w->account, "services"), id, service);
    return service;
}

static void set_source(json_t *instance, json_t *source, const char *branch)
{
    if (json_is_object(source))
        json_object_set_new(instance, "source", json_deep_copy(source));
    if (*branch)
        json_object_set_new(sim_member(instance, "sim"), "branch", json_string(branch));
}

/* One instance in each environment, or in the one that is named; a source is deployed at once. */
json_t *railway_service_create(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *project = railway_find(w, "projects", arg(f, "input.projectId")), *environment;
    const char *only = arg(f, "input.environmentId"), *id;
    if (!project)
        return railway_not_authorised(f);
    if (*only && !railway_find(w, "environments", only))
        return railway_not_found(f, "Environment");
    if (name_is_taken(w, arg(f, "input.projectId"), arg(f, "input.name")))
        return graphql_fail(f, "INTERNAL_SERVER_ERROR",
                            arena_printf(f->arena,
                                         "A service named \"%.80s\" already exists in this project",
                                         arg(f, "input.name")));
    json_t *service = service_make(f);
    json_object_foreach(sim_member(w->account, "environments"), id, environment)
    {
        if (strcmp(json_str(environment, "projectId", ""), arg(f, "input.projectId")) != 0 ||
            (*only && strcmp(id, only) != 0))
            continue;
        json_t *instance = railway_instance_make(w, service, environment);
        json_t *variables = json_at(f->args, "input.variables");
        set_source(instance, json_at(f->args, "input.source"), arg(f, "input.branch"));
        if (json_is_object(variables))
            json_object_update(sim_member(sim_member(instance, "sim"), "variables"), variables);
        railway_deploy(w, instance, "", "deploy");
    }
    sim_changed(w->r->sim);
    return rest_shown(service);
}

json_t *railway_service_connect(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *service = railway_find(w, "services", arg(f, "id")), *instance, *source;
    const char *key;
    if (!service)
        return railway_not_found(f, "Service");
    source = json_copy(json_object_get(f->args, "input"));
    json_object_del(source, "branch");
    json_object_foreach(sim_member(w->account, "instances"), key, instance)
    {
        if (strcmp(json_str(instance, "serviceId", ""), arg(f, "id")) != 0)
            continue;
        set_source(instance, source, arg(f, "input.branch"));
        railway_deploy(w, instance, "", "deploy");
    }
    json_decref(source);
    sim_changed(w->r->sim);
    return rest_shown(service);
}

json_t *railway_service_update(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *service = railway_find(w, "services", arg(f, "id"));
    if (!service)
        return railway_not_found(f, "Service");
    json_object_update(service, json_object_get(f->args, "input"));
    rest_stamp(service, "updatedAt", sim_now_ms(w->r->sim));
    sim_changed(w->r->sim);
    return rest_shown(service);
}

json_t *railway_service_delete(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *service = railway_find(w, "services", arg(f, "id"));
    if (!service)
        return railway_not_found(f, "Service");
    railway_service_drop(w, service);
    return json_true();
}

/* Without an environment: in all of them. Takes effect with the next deployment. */
json_t *railway_instance_update(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *input = json_object_get(f->args, "input"), *instance;
    const char *only = arg(f, "environmentId"), *key;
    bool found = false;
    if (w->project_token && !*only)
        return railway_not_authorised(f);
    json_object_foreach(sim_member(w->account, "instances"), key, instance)
    {
        if (strcmp(json_str(instance, "serviceId", ""), arg(f, "serviceId")) != 0 ||
            (*only && strcmp(json_str(instance, "environmentId", ""), only) != 0))
            continue;
        found = true;
        json_object_update(instance, input);
        rest_stamp(instance, "updatedAt", sim_now_ms(w->r->sim));
    }
    return found ? yes(w) : railway_not_found(f, "ServiceInstance");
}

/* --- Variables -------------------------------------------------------------------------------- */

/* What holds the variables of `input`: a service's instance, or the environment for shared ones. */
static json_t *variables_holder(struct graphql_field *f)
{
    const struct railway *w = f->context;
    const char *service = arg(f, "input.serviceId");
    json_t *environment = railway_find(w, "environments", arg(f, "input.environmentId"));
    if (!environment ||
        strcmp(json_str(environment, "projectId", ""), arg(f, "input.projectId")) != 0)
        return NULL;
    return *service ? railway_instance(w, arg(f, "input.environmentId"), service) : environment;
}

/* A changed variable is deployed at once unless the client said not to. */
static void deploy_change(struct graphql_field *f, json_t *holder)
{
    const struct railway *w = f->context;
    json_t *latest =
        json_object_get(sim_member(w->account, "deployments"), json_str(holder, "sim.latest", ""));
    if (latest && !json_flag(f->args, "input.skipDeploys", false))
        railway_deploy(w, holder, json_str(latest, "meta.commitHash", ""), "redeploy");
}

json_t *railway_variable_upsert(struct graphql_field *f)
{
    json_t *holder = variables_holder(f);
    if (!holder)
        return railway_not_authorised(f);
    if (!*arg(f, "input.name"))
        return graphql_fail(f, "BAD_USER_INPUT", "Variable name must not be empty");
    json_object_set_new(sim_member(sim_member(holder, "sim"), "variables"), arg(f, "input.name"),
                        json_string(arg(f, "input.value")));
    deploy_change(f, holder);
    return yes(f->context);
}

json_t *railway_variable_delete(struct graphql_field *f)
{
    json_t *holder = variables_holder(f);
    if (!holder)
        return railway_not_authorised(f);
    json_object_del(sim_member(sim_member(holder, "sim"), "variables"), arg(f, "input.name"));
    deploy_change(f, holder);
    return yes(f->context);
}

json_t *railway_variables_upsert(struct graphql_field *f)
{
    json_t *holder = variables_holder(f), *given = json_at(f->args, "input.variables"), *value;
    const char *name;
    if (!holder)
        return railway_not_authorised(f);
    json_object_foreach(given, name, value)
    {
        if (!json_is_string(value))
            return graphql_fail(f, "BAD_USER_INPUT", "Variables must be strings");
    }
    if (json_flag(f->args, "input.replace", false))
        json_object_del(sim_member(holder, "sim"), "variables");
    if (json_is_object(given))
        json_object_update(sim_member(sim_member(holder, "sim"), "variables"), given);
    deploy_change(f, holder);
    return yes(f->context);
}

/* --- Deployments ------------------------------------------------------------------------------ */

static json_t *deploy_instance(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *instance = railway_instance(w, arg(f, "environmentId"), arg(f, "serviceId"));
    if (!instance)
        return railway_not_found(f, "ServiceInstance");
    json_t *deployment = railway_deploy(w, instance, arg(f, "commitSha"), "deploy");
    return deployment ? deployment
                      : graphql_fail(f, "INTERNAL_SERVER_ERROR",
                                     "Cannot deploy a service without a source");
}

json_t *railway_deploy_v2(struct graphql_field *f)
{
    json_t *deployment = deploy_instance(f);
    return deployment ? json_incref(json_object_get(deployment, "id")) : NULL;
}

json_t *railway_deploy_v1(struct graphql_field *f)
{
    return deploy_instance(f) ? json_true() : NULL;
}

json_t *railway_redeploy_instance(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *instance = railway_instance(w, arg(f, "environmentId"), arg(f, "serviceId"));
    json_t *latest = json_object_get(sim_member(w->account, "deployments"),
                                     json_str(instance, "sim.latest", ""));
    if (!latest)
        return railway_not_found(f, "Deployment");
    railway_deploy(w, instance, json_str(latest, "meta.commitHash", ""), "redeploy");
    return json_true();
}

json_t *railway_redeploy(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *deployment = railway_find(w, "deployments", arg(f, "id"));
    json_t *instance = railway_instance(w, json_str(deployment, "environmentId", ""),
                                        json_str(deployment, "serviceId", ""));
    if (!instance)
        return railway_not_found(f, "Deployment");
    json_t *made =
        railway_deploy(w, instance, json_str(deployment, "meta.commitHash", ""), "redeploy");
    return made ? railway_deployment_shown(w, made) : railway_not_found(f, "Source");
}

json_t *railway_rollback(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *deployment = railway_find(w, "deployments", arg(f, "id"));
    if (!deployment)
        return railway_not_found(f, "Deployment");
    if (!railway_can_roll_back(w, deployment))
        return graphql_fail(f, "INTERNAL_SERVER_ERROR", "Deployment cannot be rolled back to");
    railway_roll_back(w, deployment);
    return json_true();
}

json_t *railway_cancel(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *deployment = railway_find(w, "deployments", arg(f, "id"));
    if (!deployment)
        return railway_not_found(f, "Deployment");
    railway_deployment_end(w, deployment);
    return json_true();
}

json_t *railway_restart(struct graphql_field *f)
{
    const struct railway *w = f->context;
    if (!railway_find(w, "deployments", arg(f, "id")))
        return railway_not_found(f, "Deployment");
    return json_true();
}

/* --- Domains ---------------------------------------------------------------------------------- */

json_t *railway_domain_create(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *instance =
        railway_instance(w, arg(f, "input.environmentId"), arg(f, "input.serviceId"));
    if (!instance)
        return railway_not_found(f, "ServiceInstance");
    return rest_shown(railway_domain_make(w, instance, json_int(f->args, "input.targetPort", 0)));
}

json_t *railway_domain_delete(struct graphql_field *f)
{
    const struct railway *w = f->context;
    json_t *instance, *domain;
    const char *key;
    size_t i;
    json_object_foreach(sim_member(w->account, "instances"), key, instance)
    {
        json_t *domains = json_at(instance, "domains.serviceDomains");
        json_array_foreach(domains, i, domain)
        {
            if (strcmp(json_str(domain, "id", ""), arg(f, "id")) != 0)
                continue;
            sim_site_remove(w->r->sim, json_str(domain, "sim.host", ""));
            json_array_remove(domains, i);
            return yes(w);
        }
    }
    return railway_not_found(f, "Domain");
}
