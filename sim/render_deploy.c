#include "render.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* --- Phases, with the times that a small app takes -------------------------------------------- */

static const struct rollout_plan plans[] = {
    {"build",
     {{"queued", 1500}, {"build_in_progress", 30000}, {"update_in_progress", 8000}, {"live", 0}}},
    {"image",
     {{"queued", 1500}, {"build_in_progress", 2000}, {"update_in_progress", 8000}, {"live", 0}}},
    /* Waits until the deploy before it has ended, then changes over to one of the above. */
    {"wait", {{"queued", 0}}},
    {"deactivate", {{"deactivated", 0}}},
    {"cancel", {{"canceled", 0}}},
    {NULL, {{NULL, 0}}},
};

static json_t *service_of(json_t *account, json_t *deploy)
{
    return json_object_get(sim_member(account, "services"), json_str(deploy, "serviceId", ""));
}

static bool waits(json_t *deploy)
{
    return strcmp(json_str(deploy, "sim.plan", ""), "wait") == 0;
}

static const char *plan_of(json_t *deploy)
{
    return json_object_get(deploy, "image") ||
                   strcmp(json_str(deploy, "trigger", ""), "rollback") == 0
               ? "image"
               : "build";
}

/* Runs the oldest deploy of the service that waits. */
static void start_next(const struct rollout *o, const char *service_id)
{
    struct rollout next = *o;
    json_t *deploy;
    const char *id;
    json_object_foreach(sim_member(o->account, "deployments"), id, deploy)
    {
        if (waits(deploy) && strcmp(json_str(deploy, "serviceId", ""), service_id) == 0) {
            next.record = deploy;
            rollout_start(&render_rules, next, plan_of(deploy));
            return;
        }
    }
}

static void publish(const struct rollout *o, json_t *service)
{
    bool sleeps = strcmp(json_str(service, "serviceDetails.plan", ""), "free") == 0;
    struct rest_site site = {
        .host = json_str(service, "sim.host", ""),
        .commit = json_str(o->record, "commit.id", json_str(o->record, "sim.commit", "")),
        .environment = json_str(service, "sim.env.ENVIRONMENT", NULL),
        .idle_ms = sleeps ? RENDER_FREE_IDLE_MS : 0,
        .cold_ms = RENDER_COLD_MS};
    rest_publish(o->sim, o->platform, &site);
}

/* The deploy that was live is superseded. */
static void became_live(const struct rollout *o)
{
    json_t *service = service_of(o->account, o->record);
    struct rollout older = *o;
    if (!service)
        return;
    older.record =
        json_object_get(sim_member(o->account, "deployments"), json_str(service, "sim.live", ""));
    if (older.record && older.record != o->record) {
        rest_set_live(older.record, false);
        rollout_start(&render_rules, older, "deactivate");
    }
    json_t *own = sim_member(service, "sim");
    json_object_set(own, "live", json_object_get(o->record, "id"));
    json_object_set_new(own, "commit", json_string(json_str(o->record, "commit.id", "")));
    json_object_set_new(own, "image", json_string(json_str(o->record, "image.ref", "")));
    json_object_set_new(sim_member(o->record, "sim"), "was_live", json_true());
    rest_set_live(o->record, true);
    publish(o, service);
}

static void entered(const struct rollout *o)
{
    bool live = strcmp(o->status, "live") == 0;
    bool ended = !rollout_moving(o->record) && !waits(o->record);
    rest_stamp(o->record, "updatedAt", o->at_ms);
    if (strcmp(o->status, "build_in_progress") == 0)
        rest_stamp(o->record, "startedAt", o->at_ms);
    if (live)
        became_live(o);
    if (ended && !json_object_get(o->record, "finishedAt")) {
        rest_stamp(o->record, "finishedAt", o->at_ms);
        start_next(o, json_str(o->record, "serviceId", ""));
    }
}

const struct rollout_rules render_rules = {plans, entered};

/* --- Starting one ----------------------------------------------------------------------------- */

bool render_deploying(json_t *account, json_t *service)
{
    json_t *deploy;
    const char *id;
    json_object_foreach(sim_member(account, "deployments"), id, deploy)
    {
        if ((rollout_moving(deploy) || waits(deploy)) &&
            strcmp(json_str(deploy, "serviceId", ""), json_str(service, "id", "")) == 0)
            return true;
    }
    return false;
}

void render_stop_deploys(json_t *account, json_t *service, struct sim_request *r)
{
    struct rollout o = {.sim = r->sim, .platform = r->platform, .account = account};
    json_t *deployments = sim_member(account, "deployments");
    const char *id;
    o.at_ms = sim_now_ms(r->sim);
    json_object_foreach(deployments, id, o.record)
    {
        if (strcmp(json_str(o.record, "serviceId", ""), json_str(service, "id", "")) != 0)
            continue;
        if (waits(o.record) || rollout_moving(o.record))
            rollout_start(&render_rules, o, "cancel");
        else if (json_flag(o.record, "sim.live", false))
            rollout_start(&render_rules, o, "deactivate");
        rest_set_live(o.record, false);
    }
}

/* Code has a commit, an image has its reference; the app is told its commit by a variable. */
static void set_source(json_t *deploy, json_t *service, const struct render_order *order)
{
    const char *repo = json_str(service, "repo", NULL);
    const char *image = *order->image ? order->image : json_str(service, "imagePath", "");
    char head[41];
    if (repo) {
        rest_branch_head(repo, json_str(service, "branch", "main"), head);
        json_object_set_new(deploy, "commit",
                            json_pack("{s:s, s:s, s:O}", "id",
                                      *order->commit ? order->commit : head, "message", "",
                                      "createdAt", json_object_get(deploy, "createdAt")));
        return;
    }
    json_object_set_new(deploy, "image", json_pack("{s:s, s:s}", "ref", image, "sha", ""));
    json_object_set_new(sim_member(deploy, "sim"), "commit",
                        json_string(json_str(service, "sim.env.TRINE_COMMIT", order->commit)));
}

json_t *render_deploy(struct sim_request *r, json_t *account, json_t *service,
                      const struct render_order *order)
{
    char id[40];
    bool busy = render_deploying(account, service);
    struct rollout o = {.sim = r->sim, .platform = r->platform, .account = account};
    sim_id(r->sim, "dep-", 20, id, sizeof id);
    o.at_ms = sim_now_ms(r->sim);
    o.record = json_pack("{s:s, s:s, s:s}", "id", id, "trigger", order->trigger, "serviceId",
                         json_str(service, "id", ""));
    rest_stamp(o.record, "createdAt", o.at_ms);
    set_source(o.record, service, order);
    rollout_set_outcome(o.record, json_str(service, "sim.env.SIM_OUTCOME", NULL));
    json_object_set_new(sim_member(account, "deployments"), id, o.record);
    rollout_start(&render_rules, o, busy ? "wait" : plan_of(o.record));
    sim_changed(r->sim);
    return o.record;
}

/* --- Handlers --------------------------------------------------------------------------------- */

/* The link to the service is only the simulator's. */
static json_t *deploy_shown(json_t *deploy)
{
    json_t *shown = rest_shown(deploy);
    json_object_del(shown, "serviceId");
    return shown;
}

void render_deploys_list(struct sim_request *r)
{
    json_t *service = render_service_of(r), *list = json_array(), *deploy;
    json_t *all = rest_newest_first(sim_member(render_account(r, r->account), "deployments"));
    size_t i;
    json_array_foreach(all, i, deploy)
    {
        if (strcmp(json_str(deploy, "serviceId", ""), r->segments[1]) == 0 &&
            rest_query_allows(r, "status", json_str(deploy, "status", "")))
            json_array_append_new(list, deploy_shown(deploy));
    }
    json_decref(all);
    if (service)
        render_page(r, "deploy", "id", list);
    else
        json_decref(list);
}

static const char *create_error(json_t *service, json_t *body)
{
    bool deploy_only = strcmp(json_str(body, "deployMode", ""), "deploy_only") == 0;
    bool image = !json_str(service, "repo", NULL);
    if (json_object_get(body, "deployMode") &&
        (json_object_get(body, "commitId") || json_object_get(body, "imageUrl") ||
         json_object_get(body, "clearCache")))
        return "deployMode cannot be combined with commitId, imageUrl or clearCache";
    if (deploy_only && !json_str(service, "sim.live", NULL))
        return "there is no earlier build to deploy";
    if (image && json_object_get(body, "commitId"))
        return "commitId is not supported for an image-backed service";
    if (!image && json_object_get(body, "imageUrl"))
        return "imageUrl is supported for image-backed services only";
    if (strcmp(json_str(service, "suspended", ""), "suspended") == 0)
        return "the service is suspended";
    return NULL;
}

/* While another deploy is under way the new one is only queued: 202, and no body to read its id
 * from. */
void render_deploy_create(struct sim_request *r)
{
    json_t *account = render_account(r, r->account), *service = render_service_of(r);
    if (!service)
        return;
    const char *error = create_error(service, r->json);
    if (error) {
        render_refuse(r, 400, error);
        return;
    }
    struct render_order order = {.trigger = "api",
                                 .commit = json_str(r->json, "commitId", ""),
                                 .image = json_str(r->json, "imageUrl", "")};
    json_t *deploy = render_deploy(r, account, service, &order);
    if (waits(deploy))
        sim_answer(r, 202, NULL);
    else
        sim_answer(r, 201, deploy_shown(deploy));
}

static json_t *deploy_of(struct sim_request *r, const char *id)
{
    json_t *deploy = json_object_get(sim_member(render_account(r, r->account), "deployments"), id);
    return deploy && strcmp(json_str(deploy, "serviceId", ""), r->segments[1]) == 0 ? deploy : NULL;
}

void render_deploy_get(struct sim_request *r)
{
    json_t *deploy = deploy_of(r, r->segments[3]);
    if (deploy)
        sim_answer(r, 200, deploy_shown(deploy));
    else
        r->platform->error(r, 404);
}

void render_deploy_cancel(struct sim_request *r)
{
    struct rollout o = {.sim = r->sim, .platform = r->platform};
    o.record = deploy_of(r, r->segments[3]);
    if (!o.record) {
        r->platform->error(r, 404);
        return;
    }
    if (!rollout_moving(o.record) && !waits(o.record)) {
        render_refuse(r, 400, "the deploy has already ended");
        return;
    }
    o.account = render_account(r, r->account);
    o.at_ms = sim_now_ms(r->sim);
    rollout_start(&render_rules, o, "cancel");
    sim_changed(r->sim);
    sim_answer(r, 200, deploy_shown(o.record));
}

void render_rollback(struct sim_request *r)
{
    json_t *account = render_account(r, r->account), *service = render_service_of(r);
    if (!service)
        return;
    json_t *target = deploy_of(r, json_str(r->json, "deployId", ""));
    if (!target) {
        r->platform->error(r, 404);
        return;
    }
    if (!json_flag(target, "sim.was_live", false)) {
        render_refuse(r, 400, "can only roll back to a deploy that was live");
        return;
    }
    struct render_order order = {.trigger = "rollback",
                                 .commit = json_str(target, "commit.id", ""),
                                 .image = json_str(target, "image.ref", "")};
    sim_answer(r, 201, deploy_shown(render_deploy(r, account, service, &order)));
}

/* --- The deploy hook -------------------------------------------------------------------------- */

/* Services that were "made in the dashboard": srv-simhook0000000000001 with the key
 * sim-render-hook-0001, and so on for other numbers. Sets the key to be expected. */
static bool is_dashboard_service(const char *id, char key[32])
{
    static const char stem[] = "srv-simhook";
    size_t len = strlen(id);
    if (len != sizeof stem - 1 + 13 || strncmp(id, stem, sizeof stem - 1) != 0 ||
        strspn(id + sizeof stem - 1, "0123456789") != 13)
        return false;
    (void)snprintf(key, 32, "sim-render-hook-%s", id + len - 4);
    return true;
}

static json_t *dashboard_service(struct sim_request *r, json_t *account, const char *id)
{
    json_t *service = json_object_get(sim_member(account, "services"), id);
    if (service)
        return service;
    json_t *wanted =
        json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "name", "simhook", "type", "web_service",
                  "repo", "https://github.com/example/simhook", "autoDeploy", "no",
                  "serviceDetails", "runtime", "docker", "plan", "free");
    service = render_service_make(r, account, id, wanted);
    json_decref(wanted);
    return service;
}

void render_hook(struct sim_request *r)
{
    const char *id = r->segments[1], *key = sim_query(r, "key"), *ref = sim_query(r, "ref");
    const char *image = sim_query(r, "imgURL");
    json_t *account = render_account(r, "simulated");
    char expected[32];
    if (!is_dashboard_service(id, expected)) {
        r->platform->error(r, 404);
        return;
    }
    if (!key || strcmp(key, expected) != 0) {
        r->platform->error(r, 401);
        return;
    }
    struct render_order order = {
        .trigger = "deploy_hook", .commit = ref ? ref : "", .image = image ? image : ""};
    json_t *deploy = render_deploy(r, account, dashboard_service(r, account, id), &order);
    sim_answer(r, 200, json_pack("{s:{s:O}}", "deploy", "id", json_object_get(deploy, "id")));
}
