#include "provider/railway.h"

#include "provider/graphql.h"
#include "provider/service.h"

#include <string.h>

/* What Railway is asked: the GraphQL texts and their variables. */

static const char path[] = "/graphql/v2";

static const char query_token[] = "query { projectToken { projectId environmentId } }";

static const char query_projects[] =
    "query ($workspaceId: String, $after: String) {"
    " projects(workspaceId: $workspaceId, first: 100, after: $after) {"
    " edges { node { id name } } pageInfo { hasNextPage endCursor } } }";

static const char query_project[] =
    "query ($id: String!) { project(id: $id) { id name"
    " environments { edges { node { id name } } } services { edges { node { id name } } } } }";

static const char query_create[] =
    "mutation ($input: ServiceCreateInput!) { serviceCreate(input: $input) { id name } }";

static const char query_configure[] =
    "mutation ($serviceId: String!, $environmentId: String, $input: ServiceInstanceUpdateInput!) {"
    " serviceInstanceUpdate(serviceId: $serviceId, environmentId: $environmentId, input: $input) }";

static const char query_variables[] =
    "mutation ($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }";

static const char query_deployments[] =
    "query ($input: DeploymentListInput!) { deployments(input: $input, first: 20) {"
    " edges { node { id status createdAt meta } } } }";

static const char query_deploy[] =
    "mutation ($environmentId: String!, $serviceId: String!, $commitSha: String) {"
    " serviceInstanceDeployV2(environmentId: $environmentId, serviceId: $serviceId,"
    " commitSha: $commitSha) }";

static const char query_deployment[] = "query ($id: String!) { deployment(id: $id) { id status } }";

static const char query_domains[] =
    "query ($environmentId: String!, $serviceId: String!) {"
    " serviceInstance(environmentId: $environmentId, serviceId: $serviceId) {"
    " domains { serviceDomains { domain } customDomains { domain } } } }";

static const char query_latest[] =
    "query ($environmentId: String!, $serviceId: String!) {"
    " serviceInstance(environmentId: $environmentId, serviceId: $serviceId) {"
    " latestDeployment { id status } } }";

static const char query_create_domain[] = "mutation ($input: ServiceDomainCreateInput!) { "
                                          "serviceDomainCreate(input: $input) { domain } }";

static json_t *source_of(const struct want *w)
{
    struct repository r = {{0}, {0}};

    if (w->image[0])
        return json_pack("{s:s}", "image", w->image);
    (void)repository_read(w->repository, &r);
    return json_pack("{s:s}", "repo", r.path);
}

static json_t *create_input(const struct deployment *d, const struct want *w)
{
    return json_pack("{s:{s:s, s:s, s:s, s:o, s:s*, s:o}}", "input", "projectId", d->project_id,
                     "environmentId", d->account_id, "name", w->project_name, "source",
                     source_of(w), "branch", w->image[0] ? NULL : or_null(w->branch), "variables",
                     service_variables_map(w));
}

/* Settings of the instance that the manifest gives; an image is one of them, as it changes with
 * each release. NULL when there are none. */
static json_t *settings(const struct want *w)
{
    json_t *input =
        json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*}", "rootDirectory", or_null(w->path),
                  "dockerfilePath", or_null(w->dockerfile), "startCommand", or_null(w->run),
                  "healthcheckPath", or_null(w->health), "region", or_null(w->region));

    if (w->image[0])
        json_object_set_new(input, "source", source_of(w));
    if (json_object_size(input) > 0)
        return input;
    json_decref(input);
    return NULL;
}

bool railway_has_settings(const struct want *w)
{
    json_t *input = settings(w);
    bool has = input != NULL;

    json_decref(input);
    return has;
}

static json_t *instance_of(const struct deployment *d)
{
    return json_pack("{s:s, s:s}", "environmentId", d->account_id, "serviceId", railway_service(d));
}

/* {"input": {the instance, ...}} */
static json_t *input_of(const struct deployment *d, const char *name, json_t *value)
{
    json_t *input = instance_of(d);

    if (name)
        json_object_set_new(input, name, value);
    return json_pack("{s:o}", "input", input);
}

void railway_ask_write(struct deployment *d, const struct want *w, struct call *c)
{
    json_t *variables = NULL;

    if (d->step == RAILWAY_CREATE) {
        d->extra[CREATED] = ASKED_TO_CREATE;
        graphql_call(c, d->step, path, query_create, create_input(d, w));
        call_once(c, RAILWAY_READ_PROJECT);
    } else if (d->step == RAILWAY_CONFIGURE) {
        variables = instance_of(d);
        json_object_set_new(variables, "input", settings(w));
        graphql_call(c, d->step, path, query_configure, variables);
    } else if (d->step == RAILWAY_SET_VARIABLES) {
        variables = input_of(d, "variables", service_variables_map(w));
        json_object_set_new(json_object_get(variables, "input"), "projectId",
                            json_string(d->project_id));
        json_object_set_new(json_object_get(variables, "input"), "skipDeploys", json_true());
        graphql_call(c, d->step, path, query_variables, variables);
    } else if (d->step == RAILWAY_DEPLOY) {
        variables = instance_of(d);
        if (!w->image[0])
            json_object_set_new(variables, "commitSha", json_string(w->commit));
        graphql_call(c, d->step, path, query_deploy, variables);
        call_once(c, RAILWAY_LOOK);
    } else {
        variables = w->port > 0 ? input_of(d, "targetPort", json_integer(w->port))
                                : input_of(d, NULL, NULL);
        graphql_call(c, d->step, path, query_create_domain, variables);
        call_once(c, RAILWAY_READ_DOMAIN);
    }
}

static void ask_token(const struct deployment *d, struct call *c)
{
    static const int also[] = {400, 401, 403};

    graphql_call(c, d->step, path, query_token, NULL);
    memcpy(c->also, also, sizeof(also)); /* "no" means: it is a token of the other kind */
}

void railway_ask_read(const struct deployment *d, const struct want *w, struct call *c)
{
    if (d->step == RAILWAY_TOKEN) {
        ask_token(d, c);
    } else if (d->step == RAILWAY_FIND_PROJECT) {
        graphql_call(c, d->step, path, query_projects,
                     json_pack("{s:s*, s:s*}", "workspaceId", or_null(w->team), "after",
                               or_null(d->session)));
    } else if (d->step == RAILWAY_READ_PROJECT) {
        graphql_call(c, d->step, path, query_project, json_pack("{s:s}", "id", d->project_id));
    } else if (d->step == RAILWAY_POLL) {
        graphql_call(c, d->step, path, query_deployment, json_pack("{s:s}", "id", d->remote_id));
    } else if (d->step == RAILWAY_READ_DOMAIN) {
        graphql_call(c, d->step, path, query_domains, instance_of(d));
    } else {
        graphql_call(c, d->step, path, query_deployments,
                     input_of(d, "projectId", json_string(d->project_id)));
    }
}

void railway_ask_latest(const struct deployment *d, struct call *c)
{
    graphql_call(c, 0, path, query_latest, instance_of(d));
}
