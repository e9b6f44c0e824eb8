#include "koyeb.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* --- Answers ---------------------------------------------------------------------------------- */

void koyeb_refuse(struct sim_request *r, int status, const char *code, const char *message)
{
    sim_answer(r, status,
               json_pack("{s:i, s:s, s:s}", "status", status, "code", code, "message", message));
}

void koyeb_field(json_t *fields, const char *field, const char *description)
{
    json_array_append_new(fields,
                          json_pack("{s:s, s:s}", "field", field, "description", description));
}

void koyeb_invalid(struct sim_request *r, json_t *fields)
{
    sim_answer(r, 400,
               json_pack("{s:i, s:s, s:s, s:o}", "status", 400, "code", "invalid_argument",
                         "message", "Validation error", "fields", fields));
}

static void koyeb_error(struct sim_request *r, int status)
{
    static const struct {
        int status;
        const char *code, *message;
    } known[] = {
        {400, "invalid_argument", "Invalid argument"},
        {401, "unauthenticated", "Authentication failed"},
        {403, "permission_denied", "Permission denied"},
        {404, "not_found", "Resource not found"},
        {405, "unimplemented", "Method not allowed"},
        {409, "already_exists", "Resource already exists"},
        {429, "resource_exhausted", "Too many requests"},
        {503, "unavailable", "Service unavailable"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].status == status) {
            koyeb_refuse(r, status, known[i].code, known[i].message);
            return;
        }
    }
    koyeb_refuse(r, status, "internal", "Internal error");
}

static void koyeb_unauthorised(struct sim_request *r)
{
    koyeb_error(r, 401);
}

static void koyeb_too_many(struct sim_request *r, int64_t retry_after_ms)
{
    (void)retry_after_ms; /* Koyeb sends no Retry-After: the reset header says when */
    koyeb_error(r, 429);
}

static void koyeb_rate_headers(struct sim_request *r, unsigned limit, unsigned remaining,
                               int64_t reset_ms)
{
    sim_set_header(r, "x-ratelimit-limit", "%u, %u;w=60", limit, limit);
    sim_set_header(r, "x-ratelimit-remaining", "%u", remaining);
    sim_set_header(r, "x-ratelimit-reset", "%lld", (long long)((reset_ms + 999) / 1000));
}

void koyeb_page(struct sim_request *r, const char *plural, json_t *list)
{
    size_t count = json_array_size(list);
    int64_t limit = rest_query_int(r, "limit", 1, 1000, 10);
    int64_t offset = rest_query_int(r, "offset", 0, INT32_MAX, 0);
    json_t *page = json_array();
    for (size_t i = (size_t)offset; i < count && i < (size_t)(offset + limit); i++)
        json_array_append_new(page, rest_shown(json_array_get(list, i)));
    json_decref(list);
    sim_answer(r, 200,
               json_pack("{s:o, s:I, s:I, s:I, s:b}", plural, page, "limit", (json_int_t)limit,
                         "offset", (json_int_t)offset, "count", (json_int_t)count, "has_next",
                         (size_t)(offset + limit) < count));
}

/* --- The account ------------------------------------------------------------------------------ */

json_t *koyeb_account(struct sim_request *r)
{
    json_t *accounts = sim_member(sim_state(r->sim, r->platform), "accounts");
    json_t *account = sim_member(accounts, r->account);
    if (!json_object_get(account, "organization")) {
        char id[37];
        sim_uuid(r->sim, id);
        json_object_set_new(account, "organization",
                            json_pack("{s:s, s:s, s:s, s:s}", "id", id, "name",
                                      rest_host_label(r->arena, r->account), "plan", "hobby",
                                      "status", "ACTIVE"));
        sim_changed(r->sim);
    }
    return account;
}

static void organization_get(struct sim_request *r)
{
    json_t *organization = json_object_get(koyeb_account(r), "organization");
    sim_answer(r, 200, json_pack("{s:O}", "organization", organization));
}

static void profile_get(struct sim_request *r)
{
    sim_answer(r, 200,
               json_pack("{s:{s:s, s:s, s:s}}", "user", "id",
                         "5a11ed00-0000-4000-8000-000000000001", "name", r->account, "email",
                         "someone@example.com"));
}

static void quotas_get(struct sim_request *r)
{
    json_t *organization = json_object_get(koyeb_account(r), "organization");
    if (strcmp(json_str(organization, "id", ""), r->segments[2]) != 0) {
        koyeb_error(r, 404);
        return;
    }
    sim_answer(r, 200,
               json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:[s,s], s:[s,s], s:{s:s}, s:i, s:i,"
                         " s:{s:b, s:i, s:i, s:b}}}",
                         "quotas", "apps", "10", "services", "10", "domains", "10",
                         "services_by_app", "10", "memory_mb", "512", "instance_types", "free",
                         "nano", "regions", "fra", "was", "max_instances_by_type", "free", "1",
                         "metrics_retention", 1, "logs_retention", 1, "scale_to_zero",
                         "is_deep_sleep_enabled", 1, "deep_sleep_idle_delay_min",
                         KOYEB_FREE_IDLE_MS / 1000, "deep_sleep_idle_delay_max",
                         KOYEB_FREE_IDLE_MS / 1000, "is_light_sleep_enabled", 0));
}

/* No meter runs in the simulator: one period, each app with its services and nothing used. */
static void usages_get(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *apps = json_array(), *app, *service;
    const char *id, *service_id;
    char from[32], to[32];
    json_object_foreach(sim_member(account, "apps"), id, app)
    {
        json_t *services = json_array();
        json_object_foreach(sim_member(account, "services"), service_id, service)
        {
            if (strcmp(json_str(service, "app_id", ""), id) == 0)
                json_array_append_new(
                    services, json_pack("{s:s, s:s, s:{}}", "service_id", service_id,
                                        "service_name", json_str(service, "name", ""), "regions"));
        }
        json_array_append_new(apps, json_pack("{s:s, s:s, s:o, s:[]}", "app_id", id, "app_name",
                                              json_str(app, "name", ""), "services", services,
                                              "databases"));
    }
    sim_iso(sim_now_ms(r->sim) - 86400000, from);
    sim_iso(sim_now_ms(r->sim), to);
    sim_answer(r, 200,
               json_pack("{s:{s:{s:{s:s, s:s, s:o}}}}", "usage", "periods", "current",
                         "starting_time", from, "ending_time", to, "apps", apps));
}

/* --- Apps ------------------------------------------------------------------------------------- */

static json_t *app_find(json_t *account, const char *name)
{
    json_t *app;
    const char *id;
    json_object_foreach(sim_member(account, "apps"), id, app)
    {
        if (strcmp(json_str(app, "name", ""), name) == 0)
            return app;
    }
    return NULL;
}

const char *koyeb_app_host(struct arena *a, json_t *account, json_t *app)
{
    return arena_printf(a, "%s-%s.koyeb.localhost", json_str(app, "name", ""),
                        json_str(account, "organization.name", ""));
}

static void apps_list(struct sim_request *r)
{
    json_t *all = rest_newest_first(sim_member(koyeb_account(r), "apps")), *app;
    json_t *list = json_array();
    size_t i;
    json_array_foreach(all, i, app)
    {
        if (rest_query_allows(r, "name", json_str(app, "name", "")))
            json_array_append(list, app);
    }
    json_decref(all);
    koyeb_page(r, "apps", list);
}

static bool name_is_valid(const char *name)
{
    size_t len = strlen(name);
    return len >= 1 && len <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
           name[0] != '-' && name[len - 1] != '-';
}

static json_t *app_make(struct sim_request *r, json_t *account, const char *name)
{
    char id[37], domain_id[37], hostport[320];
    const char *organization = json_str(account, "organization.id", "");
    sim_uuid(r->sim, id);
    sim_uuid(r->sim, domain_id);
    json_t *app = json_pack("{s:s, s:s, s:s, s:s, s:[s], s:s}", "id", id, "name", name,
                            "organization_id", organization, "status", "STARTING", "messages",
                            "No services yet", "version", "1");
    sim_site_hostport(r->sim, koyeb_app_host(r->arena, account, app), hostport);
    json_t *domain = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", domain_id,
                               "organization_id", organization, "name", hostport, "status",
                               "ACTIVE", "type", "AUTOASSIGNED", "app_id", id, "version", "1");
    int64_t now = sim_now_ms(r->sim);
    rest_stamp(domain, "created_at", now);
    rest_stamp(domain, "verified_at", now);
    json_object_set_new(app, "domains", json_pack("[o]", domain));
    rest_stamp(app, "created_at", now);
    rest_stamp(app, "updated_at", now);
    json_object_set_new(sim_member(account, "apps"), id, app);
    sim_changed(r->sim);
    return app;
}

static void app_create(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *fields = json_array();
    const char *name = json_str(r->json, "name", "");
    if (!*name)
        koyeb_field(fields, "name", "this field is required");
    else if (!name_is_valid(name))
        koyeb_field(fields, "name", "lower-case letters, digits and dashes only, at most 63");
    else if (app_find(account, name))
        koyeb_field(fields, "name", "already exists");
    if (json_array_size(fields)) {
        koyeb_invalid(r, fields);
        return;
    }
    json_decref(fields);
    sim_answer(r, 200, json_pack("{s:o}", "app", rest_shown(app_make(r, account, name))));
}

static json_t *app_of(struct sim_request *r, json_t *account)
{
    json_t *app = json_object_get(sim_member(account, "apps"), r->segments[2]);
    if (!app)
        koyeb_error(r, 404);
    return app;
}

static void app_get(struct sim_request *r)
{
    json_t *app = app_of(r, koyeb_account(r));
    if (app)
        sim_answer(r, 200, json_pack("{s:o}", "app", rest_shown(app)));
}

static void app_delete(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *service;
    json_t *app = app_of(r, account);
    const char *id;
    void *next;
    if (!app)
        return;
    json_object_foreach_safe(sim_member(account, "services"), next, id, service)
    {
        if (strcmp(json_str(service, "app_id", ""), r->segments[2]) == 0)
            koyeb_service_drop(r->sim, account, service);
    }
    json_object_del(sim_member(account, "apps"), r->segments[2]);
    sim_changed(r->sim);
    sim_answer(r, 200, json_object());
}

/* --- Secrets: values go in, and come out only by "reveal" ------------------------------------- */

static json_t *secret_shown(json_t *secret)
{
    json_t *shown = rest_shown(secret);
    json_object_set_new(shown, "value", json_string(""));
    return shown;
}

static void secrets_list(struct sim_request *r)
{
    json_t *all = rest_newest_first(sim_member(koyeb_account(r), "secrets")), *secret;
    json_t *list = json_array();
    size_t i;
    json_array_foreach(all, i, secret)
    {
        if (rest_query_allows(r, "name", json_str(secret, "name", "")))
            json_array_append_new(list, secret_shown(secret));
    }
    json_decref(all);
    koyeb_page(r, "secrets", list);
}

static void secret_create(struct sim_request *r)
{
    json_t *account = koyeb_account(r), *secrets = sim_member(account, "secrets"), *other;
    json_t *fields = json_array();
    const char *name = json_str(r->json, "name", ""), *id;
    if (!*name)
        koyeb_field(fields, "name", "this field is required");
    json_object_foreach(secrets, id, other)
    {
        if (strcmp(json_str(other, "name", ""), name) == 0)
            koyeb_field(fields, "name", "already exists");
    }
    if (json_array_size(fields)) {
        koyeb_invalid(r, fields);
        return;
    }
    json_decref(fields);
    char new_id[37];
    sim_uuid(r->sim, new_id);
    json_t *secret =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", new_id, "name", name, "organization_id",
                  json_str(account, "organization.id", ""), "type",
                  json_str(r->json, "type", "SIMPLE"), "value", json_str(r->json, "value", ""));
    rest_stamp(secret, "created_at", sim_now_ms(r->sim));
    rest_stamp(secret, "updated_at", sim_now_ms(r->sim));
    json_object_set_new(secrets, new_id, secret);
    sim_changed(r->sim);
    sim_answer(r, 200, json_pack("{s:o}", "secret", secret_shown(secret)));
}

static json_t *secret_of(struct sim_request *r)
{
    json_t *secret = json_object_get(sim_member(koyeb_account(r), "secrets"), r->segments[2]);
    if (!secret)
        koyeb_error(r, 404);
    return secret;
}

static void secret_get(struct sim_request *r)
{
    json_t *secret = secret_of(r);
    if (secret)
        sim_answer(r, 200, json_pack("{s:o}", "secret", secret_shown(secret)));
}

static void secret_change(struct sim_request *r)
{
    json_t *secret = secret_of(r);
    if (!secret)
        return;
    if (json_is_string(json_object_get(r->json, "value")))
        json_object_set(secret, "value", json_object_get(r->json, "value"));
    rest_stamp(secret, "updated_at", sim_now_ms(r->sim));
    sim_changed(r->sim);
    sim_answer(r, 200, json_pack("{s:o}", "secret", secret_shown(secret)));
}

static void secret_delete(struct sim_request *r)
{
    if (!secret_of(r))
        return;
    json_object_del(sim_member(koyeb_account(r), "secrets"), r->segments[2]);
    sim_changed(r->sim);
    sim_answer(r, 200, json_object());
}

/* --- The platform ----------------------------------------------------------------------------- */

static const char *koyeb_authenticate(struct sim_request *r)
{
    return sim_account(r, sim_bearer(r));
}

static const struct sim_endpoint routes[] = {
    {"GET", "/v1/account/organization", organization_get},
    {"GET", "/v1/account/profile", profile_get},
    {"GET", "/v1/organizations/:id/quotas", quotas_get},
    {"GET", "/v1/usages", usages_get},
    {"GET", "/v1/apps", apps_list},
    {"POST", "/v1/apps", app_create},
    {"GET", "/v1/apps/:id", app_get},
    {"DELETE", "/v1/apps/:id", app_delete},
    {"GET", "/v1/services", koyeb_services_list},
    {"POST", "/v1/services", koyeb_service_create},
    {"GET", "/v1/services/:id", koyeb_service_get},
    {"PUT", "/v1/services/:id", koyeb_service_put},
    {"PATCH", "/v1/services/:id", koyeb_service_patch},
    {"DELETE", "/v1/services/:id", koyeb_service_delete},
    {"POST", "/v1/services/:id/redeploy", koyeb_service_redeploy},
    {"POST", "/v1/services/:id/pause", koyeb_service_pause},
    {"POST", "/v1/services/:id/resume", koyeb_service_resume},
    {"GET", "/v1/deployments", koyeb_deployments_list},
    {"GET", "/v1/deployments/:id", koyeb_deployment_get},
    {"POST", "/v1/deployments/:id/cancel", koyeb_deployment_cancel},
    {"GET", "/v1/instances", koyeb_instances_list},
    {"GET", "/v1/secrets", secrets_list},
    {"POST", "/v1/secrets", secret_create},
    {"GET", "/v1/secrets/:id", secret_get},
    {"PUT", "/v1/secrets/:id", secret_change},
    {"PATCH", "/v1/secrets/:id", secret_change},
    {"DELETE", "/v1/secrets/:id", secret_delete},
    {NULL, NULL, NULL},
};

static void koyeb_handle(struct sim_request *r)
{
    if (!sim_dispatch(r, routes))
        r->platform->error(r, 404);
}

static void koyeb_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms)
{
    rollout_advance(&koyeb_rules, s, p, now_ms);
}

static void koyeb_books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    rest_books(sim_member(sim_state(s, p), "accounts"), "services", "service_id", into);
}

static const struct sim_rate rates[] = {
    {.requests = 400, .window_ms = 60000, .name = "requests"},
    {.requests = 0},
};

const struct sim_platform sim_koyeb = {
    .name = "koyeb",
    .base_path = "",
    .site_suffix = ".koyeb.localhost",
    .rates = rates,
    .authenticate = koyeb_authenticate,
    .unauthorised = koyeb_unauthorised,
    .too_many = koyeb_too_many,
    .rate_headers = koyeb_rate_headers,
    .error = koyeb_error,
    .handle = koyeb_handle,
    .advance = koyeb_advance,
    .books = koyeb_books,
};
