#include "render.h"

#include "base/json.h"

#include <string.h>

/* --- Answers ---------------------------------------------------------------------------------- */

void render_refuse(struct sim_request *r, int status, const char *message)
{
    char id[24];
    sim_id(r->sim, "err-", 12, id, sizeof id);
    sim_answer(r, status, json_pack("{s:s, s:s}", "id", id, "message", message));
}

static void render_error(struct sim_request *r, int status)
{
    static const struct {
        int status;
        const char *message;
    } known[] = {
        {400, "bad request"},
        {401, "Unauthorized"},
        {402, "Payment information is required to complete this request"},
        {403, "Forbidden"},
        {404, "not found"},
        {405, "method not allowed"},
        {406, "not acceptable"},
        {409, "conflict"},
        {410, "gone"},
        {429, "rate limit exceeded"},
        {503, "service unavailable"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].status == status) {
            render_refuse(r, status, known[i].message);
            return;
        }
    }
    render_refuse(r, status, "internal server error");
}

static void render_unauthorised(struct sim_request *r)
{
    render_error(r, 401);
}

static void render_too_many(struct sim_request *r, int64_t retry_after_ms)
{
    (void)retry_after_ms; /* Render tells by Ratelimit-Reset */
    render_error(r, 429);
}

/* Reset counts seconds from now, as in the vendor's example (its table calls it an epoch). */
static void render_rate_headers(struct sim_request *r, unsigned limit, unsigned remaining,
                                int64_t reset_ms)
{
    sim_set_header(r, "Ratelimit-Limit", "%u", limit);
    sim_set_header(r, "Ratelimit-Remaining", "%u", remaining);
    sim_set_header(r, "Ratelimit-Reset", "%lld", (long long)((reset_ms + 999) / 1000));
}

void render_page(struct sim_request *r, const char *thing, const char *id_member, json_t *list)
{
    const char *after = sim_query(r, "cursor");
    int64_t limit = rest_query_int(r, "limit", 1, 100, 20);
    json_t *page = json_array(), *item;
    bool past = !after || !*after;
    size_t i;
    json_array_foreach(list, i, item)
    {
        const char *id = json_str(item, id_member, "");
        if (past && json_array_size(page) < (size_t)limit)
            json_array_append_new(page,
                                  json_pack("{s:o, s:s}", thing, rest_shown(item), "cursor", id));
        past |= !past && strcmp(id, after) == 0;
    }
    json_decref(list);
    sim_answer(r, 200, page);
}

/* --- The account ------------------------------------------------------------------------------ */

json_t *render_account(struct sim_request *r, const char *name)
{
    json_t *account = sim_member(sim_member(sim_state(r->sim, r->platform), "accounts"), name);
    if (!json_object_get(account, "owner")) {
        char id[40];
        sim_id(r->sim, "tea-", 20, id, sizeof id);
        json_object_set_new(account, "owner",
                            json_pack("{s:s, s:s, s:s, s:s}", "id", id, "name", name, "email",
                                      "someone@example.com", "type", "team"));
        sim_changed(r->sim);
    }
    return account;
}

static void owners_list(struct sim_request *r)
{
    json_t *owner = json_object_get(render_account(r, r->account), "owner"), *list = json_array();
    if (rest_query_allows(r, "name", json_str(owner, "name", "")) &&
        rest_query_allows(r, "email", json_str(owner, "email", "")))
        json_array_append(list, owner);
    render_page(r, "owner", "id", list);
}

static void owner_get(struct sim_request *r)
{
    json_t *owner = json_object_get(render_account(r, r->account), "owner");
    if (strcmp(json_str(owner, "id", ""), r->segments[1]) == 0)
        sim_answer(r, 200, json_incref(owner));
    else
        render_error(r, 404);
}

/* --- Environment variables: a change takes effect with the next deploy ------------------------ */

static json_t *variables_of(json_t *service)
{
    json_t *env = sim_member(sim_member(service, "sim"), "env"), *list = json_array(), *value;
    const char *key;
    json_object_foreach(env, key, value)
        json_array_append_new(list, json_pack("{s:s, s:O}", "key", key, "value", value));
    return list;
}

static void variables_list(struct sim_request *r)
{
    json_t *service = render_service_of(r);
    if (service)
        render_page(r, "envVar", "key", variables_of(service));
}

static bool key_is_valid(const char *key)
{
    size_t len = strlen(key);
    return len > 0 && len < 256 && !strchr("0123456789", key[0]) &&
           strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

/* The value that a body gives: its own, or a generated one; new reference, NULL when it gives none.
 */
static json_t *given_value(struct sim_request *r, json_t *body)
{
    char made[48];
    json_t *value = json_object_get(body, "value");
    if (json_is_string(value))
        return json_incref(value);
    if (!json_flag(body, "generateValue", false))
        return NULL;
    sim_id(r->sim, "", 32, made, sizeof made);
    return json_string(made);
}

/* PUT of the list replaces all of it. */
static void variables_put(struct sim_request *r)
{
    json_t *service = render_service_of(r), *env = json_object(), *item;
    size_t i;
    bool good = json_is_array(r->json);
    json_array_foreach(r->json, i, item)
    {
        const char *key = json_str(item, "key", "");
        json_t *value = given_value(r, item);
        good &= value && key_is_valid(key);
        if (value)
            json_object_set_new(env, key, value);
    }
    if (!service || !good) {
        json_decref(env);
        if (service)
            render_refuse(r, 400, "invalid environment variables: a list of {key, value}");
        return;
    }
    json_object_set_new(sim_member(service, "sim"), "env", env);
    sim_changed(r->sim);
    render_page(r, "envVar", "key", variables_of(service));
}

static void variable_get(struct sim_request *r)
{
    json_t *service = render_service_of(r);
    if (!service)
        return;
    json_t *value = json_object_get(json_at(service, "sim.env"), r->segments[3]);
    if (value)
        sim_answer(r, 200, json_pack("{s:s, s:O}", "key", r->segments[3], "value", value));
    else
        render_error(r, 404);
}

static void variable_put(struct sim_request *r)
{
    json_t *service = render_service_of(r);
    if (!service)
        return;
    json_t *value = given_value(r, r->json);
    if (!value || !key_is_valid(r->segments[3])) {
        json_decref(value);
        render_refuse(r, 400, "invalid environment variable: {value} or {generateValue}");
        return;
    }
    json_object_set_new(sim_member(sim_member(service, "sim"), "env"), r->segments[3], value);
    sim_changed(r->sim);
    variable_get(r);
}

static void variable_delete(struct sim_request *r)
{
    json_t *service = render_service_of(r);
    if (!service)
        return;
    if (json_object_del(json_at(service, "sim.env"), r->segments[3]) != 0) {
        render_error(r, 404);
        return;
    }
    sim_changed(r->sim);
    sim_answer(r, 204, NULL);
}

/* --- The platform ----------------------------------------------------------------------------- */

static bool is_hook(const struct sim_request *r)
{
    return r->n_segments == 2 && strcmp(r->segments[0], "deploy") == 0;
}

/* A deploy hook's URL is its secret: no header is asked for. */
static const char *render_authenticate(struct sim_request *r)
{
    return is_hook(r) ? "" : sim_account(r, sim_bearer(r));
}

static const struct sim_endpoint routes[] = {
    {"GET", "/owners", owners_list},
    {"GET", "/owners/:id", owner_get},
    {"GET", "/services", render_services_list},
    {"POST", "/services", render_service_create},
    {"GET", "/services/:id", render_service_get},
    {"PATCH", "/services/:id", render_service_patch},
    {"DELETE", "/services/:id", render_service_delete},
    {"POST", "/services/:id/suspend", render_service_suspend},
    {"POST", "/services/:id/resume", render_service_resume},
    {"POST", "/services/:id/rollback", render_rollback},
    {"GET", "/services/:id/env-vars", variables_list},
    {"PUT", "/services/:id/env-vars", variables_put},
    {"GET", "/services/:id/env-vars/:id", variable_get},
    {"PUT", "/services/:id/env-vars/:id", variable_put},
    {"DELETE", "/services/:id/env-vars/:id", variable_delete},
    {"GET", "/services/:id/deploys", render_deploys_list},
    {"POST", "/services/:id/deploys", render_deploy_create},
    {"GET", "/services/:id/deploys/:id", render_deploy_get},
    {"POST", "/services/:id/deploys/:id/cancel", render_deploy_cancel},
    {"GET", "/deploy/:id", render_hook},
    {"POST", "/deploy/:id", render_hook},
    {NULL, NULL, NULL},
};

static void render_handle(struct sim_request *r)
{
    if (!sim_dispatch(r, routes))
        r->platform->error(r, 404);
}

static void render_advance(struct sim *s, const struct sim_platform *p, int64_t now_ms)
{
    rollout_advance(&render_rules, s, p, now_ms);
}

static void render_books(struct sim *s, const struct sim_platform *p, json_t *into)
{
    rest_books(sim_member(sim_state(s, p), "accounts"), "services", "serviceId", into);
}

/* Changing and deploying count a service, other writes together. */
static const struct sim_rate rates[] = {
    {"POST", "/services", 20, 3600000, "creates", .by_part = 0},
    {"POST", "/services/*/deploys", 10, 60000, "deploys", .by_part = 2},
    {"PATCH", "/services/*", 10, 60000, "deploys", .by_part = 2},
    {"POST", "/services/*/suspend", 10, 60000, "deploys", .by_part = 2},
    {"POST", "/services/*/resume", 10, 60000, "deploys", .by_part = 2},
    {NULL, "/deploy/*", 10, 60000, "deploys", .by_part = 2},
    {"POST", "/services/*/rollback", 30, 60000, "writes", .by_part = 0},
    {"POST", "/services/*/cancel", 30, 60000, "writes", .by_part = 0},
    {"PUT", NULL, 30, 60000, "writes", .by_part = 0},
    {"DELETE", NULL, 30, 60000, "writes", .by_part = 0},
    {"GET", "/services*", 400, 60000, "reads", .by_part = 0},
    {"GET", "/owners*", 400, 60000, "reads", .by_part = 0},
    {NULL, NULL, 0, 0, NULL, .by_part = 0},
};

const struct sim_platform sim_render = {
    .name = "render",
    .base_path = "/v1",
    .beside = "/deploy/",
    .site_suffix = ".onrender.localhost",
    .rates = rates,
    .authenticate = render_authenticate,
    .unauthorised = render_unauthorised,
    .too_many = render_too_many,
    .rate_headers = render_rate_headers,
    .error = render_error,
    .handle = render_handle,
    .advance = render_advance,
    .books = render_books,
};
