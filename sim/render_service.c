#include "render.h"

#include "base/json.h"

#include <string.h>

static const char *const types[] = {"static_site",       "web_service", "private_service",
                                    "background_worker", "cron_job",    NULL};
static const char *const runtimes[] = {"docker", "elixir", "go",    "node", "python",
                                       "ruby",   "rust",   "image", NULL};
static const char *const plans[] = {"starter", "starter_plus", "standard", "standard_plus",
                                    "pro",     "pro_plus",     "pro_max",  "pro_ultra",
                                    "free",    "custom",       NULL};
static const char *const regions[] = {"frankfurt", "oregon", "ohio", "singapore", "virginia", NULL};

static bool one_of(const char *const *words, const char *word)
{
    for (; *words; words++) {
        if (strcmp(*words, word) == 0)
            return true;
    }
    return false;
}

json_t *render_service_of(struct sim_request *r)
{
    json_t *services = sim_member(render_account(r, r->account), "services");
    json_t *service = json_object_get(services, r->segments[1]);
    if (!service)
        r->platform->error(r, 404);
    return service;
}

/* --- What services look like ------------------------------------------------------------------ */

static json_t *env_specific(json_t *wanted, const char *runtime)
{
    json_t *given = json_at(wanted, "serviceDetails.envSpecificDetails");
    json_t *details;
    if (strcmp(runtime, "docker") == 0 || strcmp(runtime, "image") == 0)
        details = json_pack("{s:s, s:s, s:s}", "dockerCommand", "", "dockerContext", ".",
                            "dockerfilePath", "./Dockerfile");
    else
        details = json_pack("{s:s, s:s}", "buildCommand", "", "startCommand", "");
    if (json_is_object(given))
        json_object_update_existing(details, given);
    return details;
}

static json_t *service_details(json_t *wanted, const char *url)
{
    const char *runtime = json_str(wanted, "serviceDetails.runtime", "docker");
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:[], s:s, s:{s:s}}", "runtime", runtime,
        "env", runtime, "plan", json_str(wanted, "serviceDetails.plan", "starter"), "region",
        json_str(wanted, "serviceDetails.region", "oregon"), "healthCheckPath",
        json_str(wanted, "serviceDetails.healthCheckPath", ""), "numInstances",
        (json_int_t)json_int(wanted, "serviceDetails.numInstances", 1), "buildPlan", "starter",
        "url", url, "envSpecificDetails", env_specific(wanted, runtime), "openPorts",
        "pullRequestPreviewsEnabled", "no", "previews", "generation", "off");
}

static void remember_variables(struct sim_request *r, json_t *service, json_t *list)
{
    json_t *env = sim_member(sim_member(service, "sim"), "env"), *item;
    char made[48];
    size_t i;
    json_array_foreach(list, i, item)
    {
        const char *value = json_str(item, "value", NULL);
        sim_id(r->sim, "", 32, made, sizeof made);
        json_object_set_new(env, json_str(item, "key", ""), json_string(value ? value : made));
    }
}

json_t *render_service_make(struct sim_request *r, json_t *account, const char *id, json_t *wanted)
{
    json_t *hosts = sim_member(sim_state(r->sim, r->platform), "hosts");
    const char *name = json_str(wanted, "name", "");
    const char *slug = rest_take_name(r, hosts, rest_host_label(r->arena, name), id);
    const char *host = arena_printf(r->arena, "%s.onrender.localhost", slug);
    char url[320];
    int64_t now = sim_now_ms(r->sim);
    sim_site_origin(r->sim, host, url);
    json_t *service = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:s, s:s, s:s, s:s*, s:s*, s:s*, s:o}", "id", id,
        "name", name, "ownerId", json_str(account, "owner.id", ""), "type",
        json_str(wanted, "type", "web_service"), "slug", slug, "autoDeploy",
        json_str(wanted, "autoDeploy", "yes"), "suspended", "not_suspended", "suspenders",
        "notifyOnFail", "default", "rootDir", json_str(wanted, "rootDir", ""), "dashboardUrl",
        arena_printf(r->arena, "%s/dashboard", url), "repo", json_str(wanted, "repo", NULL),
        "branch", json_str(wanted, "branch", json_str(wanted, "repo", NULL) ? "main" : NULL),
        "imagePath", json_str(wanted, "image.imagePath", NULL), "serviceDetails",
        service_details(wanted, url));
    rest_stamp(service, "createdAt", now);
    rest_stamp(service, "updatedAt", now);
    json_object_set_new(sim_member(service, "sim"), "host", json_string(host));
    remember_variables(r, service, json_object_get(wanted, "envVars"));
    json_object_set_new(sim_member(account, "services"), id, service);
    sim_changed(r->sim);
    return service;
}

/* --- Handlers --------------------------------------------------------------------------------- */

void render_services_list(struct sim_request *r)
{
    json_t *all = rest_newest_first(sim_member(render_account(r, r->account), "services"));
    json_t *list = json_array(), *service;
    size_t i;
    json_array_foreach(all, i, service)
    {
        if (rest_query_allows(r, "name", json_str(service, "name", "")) &&
            rest_query_allows(r, "type", json_str(service, "type", "")) &&
            rest_query_allows(r, "ownerId", json_str(service, "ownerId", "")) &&
            rest_query_allows(r, "suspended", json_str(service, "suspended", "")) &&
            rest_query_allows(r, "region", json_str(service, "serviceDetails.region", "")))
            json_array_append(list, service);
    }
    json_decref(all);
    render_page(r, "service", "id", list);
}

static const char *source_error(json_t *wanted)
{
    const char *runtime = json_str(wanted, "serviceDetails.runtime", "");
    bool image = strcmp(runtime, "image") == 0;
    if (image && !*json_str(wanted, "image.imagePath", ""))
        return "image.imagePath is required for an image-backed service";
    if (!image && !*json_str(wanted, "repo", ""))
        return "repo is required";
    return NULL;
}

/* What is wrong with the body of POST /services, or NULL. */
static const char *create_error(json_t *account, json_t *wanted)
{
    if (!*json_str(wanted, "name", ""))
        return "name is required";
    if (!one_of(types, json_str(wanted, "type", "")))
        return "invalid service type";
    if (strcmp(json_str(wanted, "ownerId", ""), json_str(account, "owner.id", "")) != 0)
        return "invalid ownerId: it is no workspace of this key";
    if (!one_of(runtimes, json_str(wanted, "serviceDetails.runtime", "")))
        return "invalid serviceDetails.runtime";
    if (!one_of(plans, json_str(wanted, "serviceDetails.plan", "starter")))
        return "invalid serviceDetails.plan";
    if (!one_of(regions, json_str(wanted, "serviceDetails.region", "oregon")))
        return "invalid serviceDetails.region";
    return source_error(wanted);
}

static bool name_in_use(json_t *account, const char *name)
{
    json_t *service;
    const char *id;
    json_object_foreach(sim_member(account, "services"), id, service)
    {
        if (strcmp(json_str(service, "name", ""), name) == 0)
            return true;
    }
    return false;
}

/* Creating starts the first deploy. */
void render_service_create(struct sim_request *r)
{
    static const struct render_order first = {.trigger = "api", .commit = "", .image = ""};
    json_t *account = render_account(r, r->account);
    const char *error = create_error(account, r->json);
    char id[40];
    if (error) {
        render_refuse(r, 400, error);
        return;
    }
    if (name_in_use(account, json_str(r->json, "name", ""))) {
        render_refuse(r, 409, "name is already in use by another service of this workspace");
        return;
    }
    sim_id(r->sim, "srv-", 20, id, sizeof id);
    json_t *service = render_service_make(r, account, id, r->json);
    json_t *deploy = render_deploy(r, account, service, &first);
    sim_answer(r, 201,
               json_pack("{s:o, s:O}", "service", rest_shown(service), "deployId",
                         json_object_get(deploy, "id")));
}

void render_service_get(struct sim_request *r)
{
    json_t *service = render_service_of(r);
    if (service)
        sim_answer(r, 200, rest_shown(service));
}

/* Changes only what is given; plan, region and the like within serviceDetails. */
void render_service_patch(struct sim_request *r)
{
    static const char *const members[] = {"autoDeploy", "repo", "branch", "name", "rootDir", NULL};
    json_t *service = render_service_of(r);
    if (!service)
        return;
    if (!one_of((const char *const[]){"yes", "no", NULL}, json_str(r->json, "autoDeploy", "no"))) {
        render_refuse(r, 400, "invalid autoDeploy: yes or no");
        return;
    }
    for (const char *const *member = members; *member; member++) {
        json_t *value = json_object_get(r->json, *member);
        if (json_is_string(value))
            json_object_set(service, *member, value);
    }
    json_t *image = json_at(r->json, "image.imagePath");
    if (json_is_string(image))
        json_object_set(service, "imagePath", image);
    json_t *details = json_object_get(r->json, "serviceDetails");
    if (json_is_object(details))
        json_object_update(json_object_get(service, "serviceDetails"), details);
    rest_stamp(service, "updatedAt", sim_now_ms(r->sim));
    sim_changed(r->sim);
    sim_answer(r, 200, rest_shown(service));
}

void render_service_delete(struct sim_request *r)
{
    json_t *account = render_account(r, r->account), *service = render_service_of(r), *deploy;
    const char *id;
    void *next;
    if (!service)
        return;
    sim_site_remove(r->sim, json_str(service, "sim.host", ""));
    json_object_del(sim_member(sim_state(r->sim, r->platform), "hosts"),
                    json_str(service, "slug", ""));
    json_object_foreach_safe(sim_member(account, "deployments"), next, id, deploy)
    {
        if (strcmp(json_str(deploy, "serviceId", ""), r->segments[1]) == 0)
            json_object_del(sim_member(account, "deployments"), id);
    }
    json_object_del(sim_member(account, "services"), r->segments[1]);
    sim_changed(r->sim);
    sim_answer(r, 204, NULL);
}

void render_service_suspend(struct sim_request *r)
{
    json_t *service = render_service_of(r);
    if (!service)
        return;
    json_object_set_new(service, "suspended", json_string("suspended"));
    json_object_set_new(service, "suspenders", json_pack("[s]", "user"));
    render_stop_deploys(render_account(r, r->account), service, r);
    sim_site_remove(r->sim, json_str(service, "sim.host", ""));
    sim_changed(r->sim);
    sim_answer(r, 202, NULL);
}

void render_service_resume(struct sim_request *r)
{
    json_t *service = render_service_of(r);
    if (!service)
        return;
    if (strcmp(json_str(service, "suspended", ""), "suspended") == 0) {
        struct render_order order = {.trigger = "service_resumed",
                                     .commit = json_str(service, "sim.commit", ""),
                                     .image = json_str(service, "sim.image", "")};
        json_object_set_new(service, "suspended", json_string("not_suspended"));
        json_object_set_new(service, "suspenders", json_array());
        render_deploy(r, render_account(r, r->account), service, &order);
    }
    sim_answer(r, 202, NULL);
}
