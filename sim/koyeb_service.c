#include "koyeb.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* --- Phases, with the times that a small app takes -------------------------------------------- */

static const struct rollout_plan plans[] = {
    {"git",
     {{"PENDING", 1000},
      {"PROVISIONING", 25000},
      {"ALLOCATING", 3000},
      {"STARTING", 6000},
      {"HEALTHY", 0}}},
    {"image",
     {{"PENDING", 1000},
      {"PROVISIONING", 2000},
      {"ALLOCATING", 3000},
      {"STARTING", 6000},
      {"HEALTHY", 0}}},
    {"stash", {{"STASHED", 0}}},
    {"stop", {{"STOPPING", 3000}, {"STOPPED", 0}}},
    {"cancel", {{"CANCELING", 1000}, {"CANCELED", 0}}},
    {NULL, {{NULL, 0}}},
};

static json_t *service_of(json_t *account, json_t *deployment)
{
    return json_object_get(sim_member(account, "services"), json_str(deployment, "service_id", ""));
}

static json_t *app_of(json_t *account, json_t *service)
{
    return json_object_get(sim_member(account, "apps"), json_str(service, "app_id", ""));
}

/* The plain value of a variable of the running app, or NULL. */
static const char *env_value(json_t *definition, const char *key)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(definition, "env"), i, item)
    {
        if (strcmp(json_str(item, "key", ""), key) == 0)
            return json_str(item, "value", NULL);
    }
    return NULL;
}

static void stop_deployment(const struct rollout *o, const char *id)
{
    struct rollout older = *o;
    older.record = json_object_get(sim_member(o->account, "deployments"), id);
    const char *status = json_str(older.record, "status", "");
    if (!older.record || strcmp(status, "STOPPED") == 0 || strcmp(status, "STOPPING") == 0)
        return;
    rest_set_live(older.record, false);
    rollout_start(&koyeb_rules, older, "stop");
}

static void publish(const struct rollout *o, json_t *service)
{
    struct arena arena = ARENA_INIT;
    json_t *definition = json_object_get(o->record, "definition");
    json_t *app = app_of(o->account, service);
    const char *told = env_value(definition, "TRINE_COMMIT");
    struct rest_site site = {.host = koyeb_app_host(&arena, o->account, app),
                             .commit = json_str(o->record, "provisioning_info.sha", ""),
                             .environment = env_value(definition, "ENVIRONMENT"),
                             .idle_ms = koyeb_is_free(definition) ? KOYEB_FREE_IDLE_MS : 0,
                             .cold_ms = KOYEB_COLD_MS};
    if (!*site.commit) /* an image does not tell; the app does when it was told */
        site.commit = told ? told : "";
    if (app && json_array_size(json_object_get(definition, "routes")))
        rest_publish(o->sim, o->platform, &site);
    arena_release(&arena);
}

static void became_healthy(const struct rollout *o)
{
    json_t *service = service_of(o->account, o->record);
    const char *id = json_str(o->record, "id", "");
    char before[64];
    if (!service)
        return;
    (void)snprintf(before, sizeof before, "%s", json_str(service, "active_deployment_id", ""));
    rest_stamp(o->record, "succeeded_at", o->at_ms);
    json_object_set_new(o->record, "role", json_string("ACTIVE"));
    json_object_set_new(o->record, "messages", json_pack("[s]", "Instance is healthy"));
    json_object_set_new(service, "active_deployment_id", json_string(id));
    json_object_set_new(service, "last_provisioned_deployment_id", json_string(id));
    json_object_set_new(service, "status", json_string("HEALTHY"));
    rest_stamp(service, "succeeded_at", o->at_ms);
    json_object_set_new(service, "messages", json_pack("[s]", "Service is healthy"));
    json_object_set_new(app_of(o->account, service), "status", json_string("HEALTHY"));
    json_object_set_new(app_of(o->account, service), "messages",
                        json_pack("[s]", "App is healthy"));
    rest_set_live(o->record, true);
    publish(o, service);
    if (*before && strcmp(before, id) != 0)
        stop_deployment(o, before);
}

static void set_stage(json_t *record, const char *status, const char *stamp, int64_t at_ms)
{
    json_t *stage = json_at(record, "provisioning_info.stages.0");
    if (!stage)
        return;
    json_object_set_new(stage, "status", json_string(status));
    rest_stamp(stage, stamp, at_ms);
}

/* An end that is not HEALTHY: the service is what its active deployment makes it. */
static void became_bad(const struct rollout *o)
{
    json_t *service = service_of(o->account, o->record);
    rest_stamp(o->record, "terminated_at", o->at_ms);
    set_stage(o->record, "FAILED", "finished_at", o->at_ms);
    json_object_set_new(o->record, "messages",
                        json_pack("[s]", "Application exited with code 1 (no logs available)"));
    if (service && !*json_str(service, "active_deployment_id", ""))
        json_object_set_new(service, "status", json_string("UNHEALTHY"));
}

static void entered(const struct rollout *o)
{
    const char *status = o->status;
    rest_stamp(o->record, "updated_at", o->at_ms);
    if (strcmp(status, "PROVISIONING") == 0) {
        set_stage(o->record, "RUNNING", "started_at", o->at_ms);
    } else if (strcmp(status, "ALLOCATING") == 0) {
        set_stage(o->record, "COMPLETED", "finished_at", o->at_ms);
        rest_stamp(o->record, "allocated_at", o->at_ms);
    } else if (strcmp(status, "STARTING") == 0) {
        rest_stamp(o->record, "started_at", o->at_ms);
    } else if (strcmp(status, "HEALTHY") == 0) {
        became_healthy(o);
    } else if (strcmp(status, "STOPPED") == 0 || strcmp(status, "CANCELED") == 0) {
        rest_stamp(o->record, "terminated_at", o->at_ms);
    } else if (strcmp(status, "STASHED") != 0 && !rollout_moving(o->record)) {
        became_bad(o);
    }
}

const struct rollout_rules koyeb_rules = {plans, entered};

/* --- Starting a deployment -------------------------------------------------------------------- */

static json_t *provisioning_info(json_t *definition)
{
    json_t *git = json_object_get(definition, "git");
    const char *sha = json_str(git, "sha", "");
    char head[41];
    if (!git)
        return json_pack("{s:s, s:s, s:[]}", "sha", "", "image",
                         json_str(definition, "docker.image", ""), "stages");
    if (!*sha) {
        rest_branch_head(json_str(git, "repository", ""), json_str(git, "branch", "main"), head);
        sha = head;
    }
    return json_pack("{s:s, s:s, s:[{s:s, s:s, s:[]}]}", "sha", sha, "image", "", "stages", "name",
                     "build", "status", "PENDING", "messages");
}

static json_t *deployment_make(struct sim_request *r, json_t *service, json_t *definition,
                               const char *trigger)
{
    char id[37];
    int64_t version = json_int(service, "version", 0) + 1;
    sim_uuid(r->sim, id);
    json_t *deployment = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:{s:s, s:s}}, s:O, s:[s], s:o, s:b, s:s, s:s, s:s}",
        "id", id, "organization_id", json_str(service, "organization_id", ""), "app_id",
        json_str(service, "app_id", ""), "service_id", json_str(service, "id", ""), "parent_id",
        json_str(service, "latest_deployment_id", ""), "child_id", "", "metadata", "trigger",
        "type", trigger, "actor", "USER", "definition", definition, "messages",
        "Deployment is pending", "provisioning_info", provisioning_info(definition), "skip_build",
        json_flag(r->json, "skip_build", false), "role", "UPCOMING", "version",
        arena_printf(r->arena, "%lld", (long long)version), "deployment_group", "prod");
    json_object_set(service, "version", json_object_get(deployment, "version"));
    rest_stamp(deployment, "created_at", sim_now_ms(r->sim));
    rollout_set_outcome(deployment, env_value(definition, "SIM_OUTCOME"));
    return deployment;
}

/* Stores and starts it; a deployment that was on its way is stopped. Returns it, borrowed. */
static json_t *deploy(struct sim_request *r, json_t *account, json_t *service, json_t *definition,
                      const char *trigger)
{
    bool stash = json_flag(r->json, "save_only", false);
    struct rollout o = {.sim = r->sim,
                        .platform = r->platform,
                        .account = account,
                        .record = deployment_make(r, service, definition, trigger),
                        .at_ms = sim_now_ms(r->sim)};
    const char *plan = json_object_get(definition, "git") ? "git" : "image";
    const char *id = json_str(o.record, "id", ""), *before = json_str(o.record, "parent_id", "");
    json_object_set_new(sim_member(account, "deployments"), id, o.record);
    json_object_set(json_object_get(sim_member(account, "deployments"), before), "child_id",
                    json_object_get(o.record, "id"));
    if (*before && !stash && strcmp(before, json_str(service, "active_deployment_id", "")) != 0)
        stop_deployment(&o, before);
    json_object_set_new(service, "latest_deployment_id", json_string(id));
    rest_stamp(service, "updated_at", o.at_ms);
    rollout_start(&koyeb_rules, o, stash ? "stash" : plan);
    sim_changed(r->sim);
    return o.record;
}

/* --- What clients see ------------------------------------------------------------------------- */

static const char *app_host(struct sim_request *r, json_t *account, json_t *service)
{
    json_t *app = app_of(account, service);
    return app ? koyeb_app_host(r->arena, account, app) : "";
}

/* The active deployment of a service whose site sleeps says SLEEPING. */
static json_t *deployment_shown(struct sim_request *r, json_t *account, json_t *deployment)
{
    json_t *shown = rest_shown(deployment), *service = service_of(account, deployment);
    if (strcmp(json_str(shown, "status", ""), "HEALTHY") == 0 && service &&
        sim_site_asleep(r->sim, app_host(r, account, service)))
        json_object_set_new(shown, "status", json_string("SLEEPING"));
    return shown;
}

static json_t *found(struct sim_request *r, const char *table, const char *id)
{
    json_t *record = json_object_get(sim_member(koyeb_account(r), table), id);
    if (!record)
        r->platform->error(r, 404);
    return record;
}

static void answer_service(struct sim_request *r, json_t *service)
{
    sim_answer(r, 200, json_pack("{s:o}", "service", rest_shown(service)));
}

/* --- Services --------------------------------------------------------------------------------- */

void koyeb_services_list(struct sim_request *r)
{
    json_t *all = rest_newest_first(sim_member(koyeb_account(r), "services")), *service;
    json_t *list = json_array();
    size_t i;
    json_array_foreach(all, i, service)
    {
        if (rest_query_allows(r, "name", json_str(service, "name", "")) &&
            rest_query_allows(r, "app_id", json_str(service, "app_id", "")) &&
            rest_query_allows(r, "types", json_str(service, "type", "")) &&
            rest_query_allows(r, "statuses", json_str(service, "status", "")))
            json_array_append(list, service);
    }
    json_decref(all);
    koyeb_page(r, "services", list);
}

void koyeb_service_get(struct sim_request *r)
{
    json_t *service = found(r, "services", r->segments[2]);
    if (service)
        answer_service(r, service);
}

static bool name_is_taken(json_t *account, const char *app_id, const char *name)
{
    json_t *service;
    const char *id;
    json_object_foreach(sim_member(account, "services"), id, service)
    {
        if (strcmp(json_str(service, "app_id", ""), app_id) == 0 &&
            strcmp(json_str(service, "name", ""), name) == 0)
            return true;
    }
    return false;
}

/* One free instance an organisation; `but` is the service being changed. */
static void check_free_limit(json_t *account, json_t *definition, json_t *but, json_t *fields)
{
    json_t *service;
    const char *id;
    if (!koyeb_is_free(definition))
        return;
    json_object_foreach(sim_member(account, "services"), id, service)
    {
        if (service != but && koyeb_is_free(json_at(service, "sim.definition")))
            koyeb_field(fields, "definition.instance_types",
                        "the limit of 1 free instance for the organization is reached");
    }
}

static const char *wanted_name(struct sim_request *r)
{
    const char *name = json_str(r->json, "name", "");
    return *name ? name : json_str(r->json, "definition.name", "");
}

static json_t *create_errors(struct sim_request *r, json_t *account)
{
    json_t *fields = json_array(), *definition = json_object_get(r->json, "definition");
    const char *app_id = json_str(r->json, "app_id", ""), *name = wanted_name(r);
    if (!json_object_get(sim_member(account, "apps"), app_id))
        koyeb_field(fields, "app_id", *app_id ? "no app has this id" : "this field is required");
    if (!*name)
        koyeb_field(fields, "definition.name", "this field is required");
    else if (name_is_taken(account, app_id, name))
        koyeb_field(fields, "definition.name", "already exists");
    koyeb_check_definition(account, definition, fields);
    check_free_limit(account, definition, NULL, fields);
    return fields;
}

static json_t *service_make(struct sim_request *r, json_t *account)
{
    char id[37];
    int64_t now = sim_now_ms(r->sim);
    sim_uuid(r->sim, id);
    json_t *service =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:s, s:s, s:s, s:s}", "id", id, "name",
                  wanted_name(r), "type", json_str(r->json, "definition.type", "WEB"),
                  "organization_id", json_str(account, "organization.id", ""), "app_id",
                  json_str(r->json, "app_id", ""), "status", "STARTING", "messages",
                  "Service is starting", "version", "0", "active_deployment_id", "",
                  "latest_deployment_id", "", "last_provisioned_deployment_id", "");
    rest_stamp(service, "created_at", now);
    rest_stamp(service, "updated_at", now);
    json_object_set(sim_member(service, "sim"), "definition",
                    json_object_get(r->json, "definition"));
    return service;
}

static bool dry_run(const struct sim_request *r)
{
    const char *text = sim_query(r, "dry_run");
    return text && strcmp(text, "true") == 0;
}

void koyeb_service_create(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *fields = create_errors(r, account);
    if (json_array_size(fields)) {
        koyeb_invalid(r, fields);
        return;
    }
    json_decref(fields);
    json_t *service = service_make(r, account);
    if (dry_run(r)) {
        answer_service(r, service);
        json_decref(service);
        return;
    }
    json_object_set_new(sim_member(account, "services"), json_str(service, "id", ""), service);
    deploy(r, account, service, json_object_get(r->json, "definition"), "UNKNOWN_TYPE");
    answer_service(r, service);
}

/* Both ways to change a service end here: the definition as it will be (stolen). */
static void change(struct sim_request *r, json_t *service, json_t *definition)
{
    json_t *account = koyeb_account(r), *fields = json_array();
    koyeb_check_definition(account, definition, fields);
    check_free_limit(account, definition, service, fields);
    if (json_array_size(fields)) {
        koyeb_invalid(r, fields);
        json_decref(definition);
        return;
    }
    json_decref(fields);
    if (!dry_run(r)) {
        json_object_set(sim_member(service, "sim"), "definition", definition);
        deploy(r, account, service, definition, "UNKNOWN_TYPE");
    }
    json_decref(definition);
    answer_service(r, service);
}

void koyeb_service_put(struct sim_request *r)
{
    json_t *service = found(r, "services", r->segments[2]);
    if (service)
        change(r, service, json_incref(json_object_get(r->json, "definition")));
}

/* PATCH changes the members that are given, a source as a whole. */
void koyeb_service_patch(struct sim_request *r)
{
    json_t *service = found(r, "services", r->segments[2]);
    json_t *given = json_object_get(r->json, "definition");
    if (!service)
        return;
    json_t *definition = json_deep_copy(json_at(service, "sim.definition"));
    if (json_object_get(given, "docker"))
        json_object_del(definition, "git");
    if (json_object_get(given, "git"))
        json_object_del(definition, "docker");
    if (json_is_object(given))
        json_object_update(definition, given);
    change(r, service, definition);
}

void koyeb_service_redeploy(struct sim_request *r)
{
    json_t *service = found(r, "services", r->segments[2]), *account = koyeb_account(r);
    const char *sha = json_str(r->json, "sha", "");
    if (!service)
        return;
    json_t *definition = json_deep_copy(json_at(service, "sim.definition"));
    if (*sha && json_object_get(definition, "git"))
        json_object_set_new(json_object_get(definition, "git"), "sha", json_string(sha));
    json_object_set(sim_member(service, "sim"), "definition", definition);
    json_t *deployment = deploy(r, account, service, definition, "UNKNOWN_TYPE");
    json_decref(definition);
    sim_answer(r, 200, json_pack("{s:o}", "deployment", deployment_shown(r, account, deployment)));
}

void koyeb_service_drop(struct sim *s, json_t *account, json_t *service)
{
    struct arena arena = ARENA_INIT;
    json_t *deployments = sim_member(account, "deployments"), *deployment;
    json_t *app = app_of(account, service);
    const char *service_id = json_str(service, "id", ""), *id;
    void *next;
    if (app)
        sim_site_remove(s, koyeb_app_host(&arena, account, app));
    arena_release(&arena);
    json_object_foreach_safe(deployments, next, id, deployment)
    {
        if (strcmp(json_str(deployment, "service_id", ""), service_id) == 0)
            json_object_del(deployments, id);
    }
    json_object_del(sim_member(account, "services"), service_id);
}

void koyeb_service_delete(struct sim_request *r)
{
    json_t *service = found(r, "services", r->segments[2]);
    if (!service)
        return;
    koyeb_service_drop(r->sim, koyeb_account(r), service);
    sim_changed(r->sim);
    sim_answer(r, 200, json_object());
}

void koyeb_service_pause(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *service = found(r, "services", r->segments[2]);
    struct rollout o = {.sim = r->sim, .platform = r->platform, .account = account};
    if (!service)
        return;
    o.at_ms = sim_now_ms(r->sim);
    stop_deployment(&o, json_str(service, "latest_deployment_id", ""));
    stop_deployment(&o, json_str(service, "active_deployment_id", ""));
    json_object_set_new(service, "active_deployment_id", json_string(""));
    json_object_set_new(service, "status", json_string("PAUSED"));
    rest_stamp(service, "paused_at", o.at_ms);
    sim_site_remove(r->sim, app_host(r, account, service));
    sim_changed(r->sim);
    sim_answer(r, 200, json_object());
}

void koyeb_service_resume(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *service = found(r, "services", r->segments[2]);
    if (!service)
        return;
    if (strcmp(json_str(service, "status", ""), "PAUSED") != 0) {
        koyeb_refuse(r, 400, "invalid_argument", "Service is not paused");
        return;
    }
    json_object_set_new(service, "status", json_string("RESUMING"));
    rest_stamp(service, "resumed_at", sim_now_ms(r->sim));
    deploy(r, account, service, json_at(service, "sim.definition"), "RESUME");
    sim_answer(r, 200, json_object());
}

/* --- Deployments and instances ---------------------------------------------------------------- */

void koyeb_deployments_list(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *list = json_array(), *deployment;
    json_t *all = rest_newest_first(sim_member(account, "deployments"));
    size_t i;
    json_array_foreach(all, i, deployment)
    {
        json_t *shown = deployment_shown(r, account, deployment);
        if (rest_query_allows(r, "app_id", json_str(shown, "app_id", "")) &&
            rest_query_allows(r, "service_id", json_str(shown, "service_id", "")) &&
            rest_query_allows(r, "statuses", json_str(shown, "status", "")))
            json_array_append(list, shown);
        json_decref(shown);
    }
    json_decref(all);
    koyeb_page(r, "deployments", list);
}

void koyeb_deployment_get(struct sim_request *r)
{
    json_t *deployment = found(r, "deployments", r->segments[2]);
    if (deployment)
        sim_answer(
            r, 200,
            json_pack("{s:o}", "deployment", deployment_shown(r, koyeb_account(r), deployment)));
}

void koyeb_deployment_cancel(struct sim_request *r)
{
    struct rollout o = {.sim = r->sim, .platform = r->platform};
    o.record = found(r, "deployments", r->segments[2]);
    const char *status = json_str(o.record, "status", "");
    if (!o.record)
        return;
    if (strcmp(status, "PENDING") != 0 && strcmp(status, "PROVISIONING") != 0) {
        koyeb_refuse(r, 400, "invalid_argument", "Deployment can no longer be canceled");
        return;
    }
    o.account = koyeb_account(r);
    o.at_ms = sim_now_ms(r->sim);
    rollout_start(&koyeb_rules, o, "cancel");
    sim_changed(r->sim);
    sim_answer(r, 200, json_object());
}

static json_t *instance_of(json_t *deployment, const char *status)
{
    json_t *definition = json_object_get(deployment, "definition");
    return json_pack("{s:s, s:O*, s:O*, s:O*, s:O*, s:s, s:s, s:s, s:i, s:[s], s:O*, s:O*}", "id",
                     json_str(deployment, "id", ""), "organization_id",
                     json_object_get(deployment, "organization_id"), "app_id",
                     json_object_get(deployment, "app_id"), "service_id",
                     json_object_get(deployment, "service_id"), "xyz_deployment_id",
                     json_object_get(deployment, "id"), "type",
                     json_str(definition, "instance_types.0.type", "free"), "region",
                     json_str(definition, "regions.0", "fra"), "status", status, "replica_index", 0,
                     "messages", "Instance is running", "created_at",
                     json_object_get(deployment, "allocated_at"), "updated_at",
                     json_object_get(deployment, "updated_at"));
}

/* One instance for each deployment that has one. */
void koyeb_instances_list(struct sim_request *r)
{
    static const char *const running[] = {"ALLOCATING", "STARTING", "HEALTHY",
                                          "SLEEPING",   "STOPPING", NULL};
    json_t *account = koyeb_account(r), *list = json_array(), *deployment;
    json_t *all = rest_newest_first(sim_member(account, "deployments"));
    size_t i;
    json_array_foreach(all, i, deployment)
    {
        json_t *shown = deployment_shown(r, account, deployment);
        const char *status = json_str(shown, "status", "");
        bool runs = false;
        for (const char *const *word = running; *word; word++)
            runs |= strcmp(*word, status) == 0;
        if (runs && rest_query_allows(r, "service_id", json_str(shown, "service_id", "")) &&
            rest_query_allows(r, "app_id", json_str(shown, "app_id", "")) &&
            rest_query_allows(r, "deployment_id", json_str(shown, "id", "")) &&
            rest_query_allows(r, "statuses", status))
            json_array_append_new(list, instance_of(shown, status));
        json_decref(shown);
    }
    json_decref(all);
    koyeb_page(r, "instances", list);
}
