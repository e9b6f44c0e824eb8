#pragma once

#include "graphql.h"
#include "rest.h"
#include "rollout.h"

/*
 * The parts of the Railway simulator: railway.c has the platform itself and who may do what;
 * railway_schema.c the schema; railway_query.c what is read; railway_change.c what is changed;
 * railway_deploy.c deployments and domains.
 *
 * An account's state: workspace {id, name}, tables projects, environments, services, instances (by
 * "environment/service") and deployments, and the list moving (rollout.h). The platform's table
 * hosts holds the host names that are taken. The "sim" of an instance holds variables, latest and
 * live (deployment ids) and branch; that of an environment the shared variables.
 */

enum {
    RAILWAY_IDLE_MS = 10 * 60 * 1000,
    RAILWAY_COLD_MS = 1000,
    RAILWAY_IMAGES_KEPT_MS = 24 * 3600 * 1000, /* on the free plan */
};

extern const char *const railway_schema[];
extern const struct graphql_resolver railway_resolvers[];

/* The context of all resolvers. */
struct railway {
    struct sim_request *r;
    json_t *account;
    bool project_token;     /* bound to one environment of one project */
    const char *project_id; /* of a project token */
    const char *environment_id;
};

json_t *railway_not_authorised(struct graphql_field *f);
json_t *railway_not_found(struct graphql_field *f, const char *what); /* "Service" */

/* A record by id that this token may see, or NULL. Borrowed. */
json_t *railway_find(const struct railway *w, const char *table, const char *id);
json_t *railway_instance(const struct railway *w, const char *environment_id,
                         const char *service_id);
json_t *railway_project_make(const struct railway *w, const char *name, const char *environment);
json_t *railway_environment_make(const struct railway *w, json_t *project, const char *name);
json_t *railway_instance_make(const struct railway *w, json_t *service, json_t *environment);

/* What clients see of a deployment: SLEEPING, canRollback, ... New reference. */
json_t *railway_deployment_shown(const struct railway *w, json_t *deployment);
/* Starts a deployment of an instance; NULL when it has no source. Borrowed. */
json_t *railway_deploy(const struct railway *w, json_t *instance, const char *commit,
                       const char *reason);
bool railway_can_roll_back(const struct railway *w, json_t *deployment);
void railway_roll_back(const struct railway *w, json_t *deployment);
void railway_deployment_end(const struct railway *w, json_t *deployment);
json_t *railway_domain_make(const struct railway *w, json_t *instance, int64_t port);
void railway_service_drop(const struct railway *w, json_t *service);

/* Resolvers that other files than railway_query.c hold. */
graphql_resolve_fn railway_project_create, railway_environment_create, railway_service_create,
    railway_service_connect, railway_service_update, railway_service_delete,
    railway_instance_update, railway_variable_upsert, railway_variable_delete,
    railway_variables_upsert, railway_deploy_v2, railway_deploy_v1, railway_redeploy_instance,
    railway_redeploy, railway_rollback, railway_cancel, railway_restart, railway_domain_create,
    railway_domain_delete;

extern const struct rollout_rules railway_rules;
