#include "railway.h"

#include "base/json.h"

#include <string.h>

/* --- Phases, with the times that a small app takes -------------------------------------------- */

static const struct rollout_plan plans[] = {
    {"build",
     {{"QUEUED", 1000},
      {"INITIALIZING", 2000},
      {"BUILDING", 25000},
      {"DEPLOYING", 6000},
      {"SUCCESS", 0}}},
    {"image", {{"QUEUED", 1000}, {"INITIALIZING", 2000}, {"DEPLOYING", 6000}, {"SUCCESS", 0}}},
    {"remove", {{"REMOVING", 2000}, {"REMOVED", 0}}},
    {NULL, {{NULL, 0}}},
};

static json_t *instance_of(json_t *account, json_t *deployment)
{
    struct arena arena = ARENA_INIT;
    const char *key = arena_printf(&arena, "%s/%s", json_str(deployment, "environmentId", ""),
                                   json_str(deployment, "serviceId", ""));
    json_t *instance = json_object_get(sim_member(account, "instances"), key);
    arena_release(&arena);
    return instance;
}

/* Serves the live deployment at one of the instance's domains. */
static void publish_at(struct sim *s, const struct sim_platform *p, json_t *instance,
                       json_t *deployment, json_t *domain)
{
    bool sleeps = json_flag(instance, "sleepApplication", false);
    const char *told = json_str(deployment, "sim.variables.TRINE_COMMIT", "");
    struct rest_site site = {.host = json_str(domain, "sim.host", ""),
                             .commit = json_str(deployment, "meta.commitHash", told),
                             .environment = json_str(deployment, "sim.variables.ENVIRONMENT", NULL),
                             .idle_ms = sleeps ? RAILWAY_IDLE_MS : 0,
                             .cold_ms = RAILWAY_COLD_MS};
    rest_publish(s, p, &site);
}

static void became_live(const struct rollout *o)
{
    json_t *instance = instance_of(o->account, o->record), *domain;
    struct rollout older = *o;
    size_t i;
    if (!instance)
        return;
    older.record =
        json_object_get(sim_member(o->account, "deployments"), json_str(instance, "sim.live", ""));
    if (older.record && older.record != o->record) {
        rest_set_live(older.record, false);
        rollout_start(&railway_rules, older, "remove");
    }
    json_object_set(sim_member(instance, "sim"), "live", json_object_get(o->record, "id"));
    json_object_set_new(sim_member(o->record, "sim"), "was_live", json_true());
    rest_set_live(o->record, true);
    json_array_foreach(json_at(instance, "domains.serviceDomains"), i, domain)
        publish_at(o->sim, o->platform, instance, o->record, domain);
}

static void entered(const struct rollout *o)
{
    rest_stamp(o->record, "statusUpdatedAt", o->at_ms);
    rest_stamp(o->record, "updatedAt", o->at_ms);
    if (strcmp(o->status, "SUCCESS") == 0)
        became_live(o);
}

const struct rollout_rules railway_rules = {plans, entered};

/* --- Starting one ----------------------------------------------------------------------------- */

/* What is deployed; NULL when the instance has no source. */
static json_t *meta_of(json_t *instance, const char *commit, const char *reason)
{
    const char *repo = json_str(instance, "source.repo", NULL);
    const char *image = json_str(instance, "source.image", NULL);
    const char *branch = json_str(instance, "sim.branch", "main");
    char head[41];
    if (image)
        return json_pack("{s:s, s:s}", "image", image, "reason", reason);
    if (!repo)
        return NULL;
    rest_branch_head(repo, branch, head);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "commitHash", *commit ? commit : head, "repo",
                     repo, "branch", branch, "commitMessage", "", "reason", reason);
}

static json_t *deployment_make(const struct railway *w, json_t *instance, json_t *meta)
{
    char id[37];
    sim_uuid(w->r->sim, id);
    json_t *deployment = json_pack(
        "{s:s, s:O, s:O, s:O, s:o, s:b, s:b}", "id", id, "environmentId",
        json_object_get(instance, "environmentId"), "serviceId",
        json_object_get(instance, "serviceId"), "projectId", json_object_get(instance, "projectId"),
        "meta", meta, "deploymentStopped", 0, "suggestAddServiceDomain",
        json_array_size(json_at(instance, "domains.serviceDomains")) == 0);
    rest_stamp(deployment, "createdAt", sim_now_ms(w->r->sim));
    json_object_set_new(sim_member(deployment, "sim"), "created",
                        json_integer(sim_now_ms(w->r->sim)));
    json_t *variables = json_deep_copy(sim_member(sim_member(instance, "sim"), "variables"));
    json_object_set_new(sim_member(deployment, "sim"), "variables", variables);
    rollout_set_outcome(deployment, json_str(variables, "SIM_OUTCOME", NULL));
    return deployment;
}

static json_t *start(const struct railway *w, json_t *instance, json_t *meta, const char *plan)
{
    struct rollout o = {.sim = w->r->sim, .platform = w->r->platform, .account = w->account};
    o.record = deployment_make(w, instance, meta);
    o.at_ms = sim_now_ms(w->r->sim);
    json_object_set_new(sim_member(w->account, "deployments"), json_str(o.record, "id", ""),
                        o.record);
    json_object_set(sim_member(instance, "sim"), "latest", json_object_get(o.record, "id"));
    rollout_start(&railway_rules, o, plan);
    sim_changed(w->r->sim);
    return o.record;
}

json_t *railway_deploy(const struct railway *w, json_t *instance, const char *commit,
                       const char *reason)
{
    json_t *meta = meta_of(instance, commit, reason);
    if (!meta)
        return NULL;
    return start(w, instance, meta, json_object_get(meta, "image") ? "image" : "build");
}

bool railway_can_roll_back(const struct railway *w, json_t *deployment)
{
    int64_t age = sim_now_ms(w->r->sim) - json_int(deployment, "sim.created", 0);
    return json_flag(deployment, "sim.was_live", false) && age < RAILWAY_IMAGES_KEPT_MS;
}

/* Image and variables as they were. */
void railway_roll_back(const struct railway *w, json_t *deployment)
{
    json_t *instance = instance_of(w->account, deployment);
    json_t *meta = json_deep_copy(json_object_get(deployment, "meta"));
    if (!instance) {
        json_decref(meta);
        return;
    }
    json_object_set_new(sim_member(instance, "sim"), "variables",
                        json_deep_copy(json_at(deployment, "sim.variables")));
    json_object_set_new(meta, "reason", json_string("rollback"));
    start(w, instance, meta, "image");
}

/* Cancel, stop and remove: whatever it was doing, it is over. */
void railway_deployment_end(const struct railway *w, json_t *deployment)
{
    struct rollout o = {.sim = w->r->sim,
                        .platform = w->r->platform,
                        .account = w->account,
                        .record = deployment,
                        .at_ms = sim_now_ms(w->r->sim)};
    json_t *instance = instance_of(w->account, deployment), *domain;
    size_t i;
    if (json_flag(deployment, "sim.live", false)) {
        json_array_foreach(json_at(instance, "domains.serviceDomains"), i, domain)
            sim_site_remove(w->r->sim, json_str(domain, "sim.host", ""));
    }
    rest_set_live(deployment, false);
    json_object_set_new(deployment, "deploymentStopped", json_true());
    rollout_start(&railway_rules, o, "remove");
    sim_changed(w->r->sim);
}

/* --- What clients see ------------------------------------------------------------------------- */

json_t *railway_deployment_shown(const struct railway *w, json_t *deployment)
{
    json_t *shown = rest_shown(deployment), *instance = instance_of(w->account, deployment);
    json_t *domain = json_at(instance, "domains.serviceDomains.0");
    bool live = json_flag(deployment, "sim.live", false);
    if (live && domain && sim_site_asleep(w->r->sim, json_str(domain, "sim.host", "")))
        json_object_set_new(shown, "status", json_string("SLEEPING"));
    json_object_set_new(shown, "canRedeploy", json_boolean(!rollout_moving(deployment)));
    json_object_set_new(shown, "canRollback", json_boolean(railway_can_roll_back(w, deployment)));
    if (domain)
        json_object_set(shown, "staticUrl", json_object_get(domain, "domain"));
    return shown;
}

/* --- Domains ---------------------------------------------------------------------------------- */

json_t *railway_domain_make(const struct railway *w, json_t *instance, int64_t port)
{
    struct sim_request *r = w->r;
    json_t *hosts = sim_member(sim_state(r->sim, r->platform), "hosts");
    const char *label = rest_host_label(r->arena, json_str(instance, "serviceName", ""));
    char id[37], hostport[320];
    sim_uuid(r->sim, id);
    const char *host =
        arena_printf(r->arena, "%s.up.railway.localhost", rest_take_name(r, hosts, label, id));
    sim_site_hostport(r->sim, host, hostport);
    json_t *domain = json_pack(
        "{s:s, s:s, s:O, s:O, s:O, s:s, s:s, s:{s:s}}", "id", id, "domain", hostport,
        "environmentId", json_object_get(instance, "environmentId"), "serviceId",
        json_object_get(instance, "serviceId"), "projectId", json_object_get(instance, "projectId"),
        "suffix", "up.railway.localhost", "syncStatus", "ACTIVE", "sim", "host", host);
    if (port > 0)
        json_object_set_new(domain, "targetPort", json_integer(port));
    rest_stamp(domain, "createdAt", sim_now_ms(r->sim));
    rest_stamp(domain, "updatedAt", sim_now_ms(r->sim));
    json_array_append_new(json_at(instance, "domains.serviceDomains"), domain);
    json_t *live =
        json_object_get(sim_member(w->account, "deployments"), json_str(instance, "sim.live", ""));
    if (live && json_flag(live, "sim.live", false))
        publish_at(r->sim, r->platform, instance, live, domain);
    sim_changed(r->sim);
    return domain;
}

/* --- The end of a service --------------------------------------------------------------------- */

static void drop_where(json_t *table, const char *member, const char *value)
{
    json_t *record;
    const char *key;
    void *next;
    json_object_foreach_safe(table, next, key, record)
    {
        if (strcmp(json_str(record, member, ""), value) == 0)
            json_object_del(table, key);
    }
}

void railway_service_drop(const struct railway *w, json_t *service)
{
    json_t *instance, *domain;
    const char *key, *id = arena_strdup(w->r->arena, json_str(service, "id", ""));
    size_t i;
    json_object_foreach(sim_member(w->account, "instances"), key, instance)
    {
        if (strcmp(json_str(instance, "serviceId", ""), id) != 0)
            continue;
        json_array_foreach(json_at(instance, "domains.serviceDomains"), i, domain)
            sim_site_remove(w->r->sim, json_str(domain, "sim.host", ""));
    }
    drop_where(sim_member(w->account, "instances"), "serviceId", id);
    drop_where(sim_member(w->account, "deployments"), "serviceId", id);
    json_object_del(sim_member(w->account, "services"), id);
    sim_changed(w->r->sim);
}
