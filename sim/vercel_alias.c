#include "vercel.h"

#include "base/json.h"

#include <string.h>

/*
 * Rollback and promotion: they move a project's domain and build nothing. After a rollback new
 * production deployments are no longer put live by themselves, until one is promoted.
 */
enum { STARTED_MS = 300, MOVED_MS = 600 }; /* simulated, as the project's last request tells it */

void vercel_make_live(struct sim *s, json_t *project, json_t *d)
{
    json_object_set_new(project, "live", json_string(json_str(d, "id", "")));
    json_object_set_new(d, "promoted", json_true());
    sim_site_alias(s, &sim_vercel, json_str(project, "host", ""), json_str(d, "host", ""));
    sim_changed(s);
}

/* The deployment of the path when it may be put live, else NULL after a refusal. */
static json_t *candidate(struct sim_request *r, const json_t *project)
{
    json_t *d = vercel_deployment(r->sim, r->segments[4]);

    if (!d || strcmp(json_str(d, "project_id", ""), json_str(project, "id", "")) != 0) {
        vercel_refuse(r, 404, "not_found", "Deployment not found");
        return NULL;
    }
    if (strcmp(vercel_state(r->sim, d), "READY") == 0)
        return d;
    vercel_refuse(r, 409, "conflict", "The deployment is not ready");
    return NULL;
}

static void move(struct sim_request *r, const char *type)
{
    json_t *project = vercel_project_of_path(r), *d = project ? candidate(r, project) : NULL;

    if (!d)
        return;
    json_object_set_new(project, "alias_request",
                        json_pack("{s:s, s:s, s:s, s:I}", "type", type, "to", json_str(d, "id", ""),
                                  "from", json_str(project, "live", ""), "at_ms",
                                  (json_int_t)sim_now_ms(r->sim)));
    json_object_set_new(project, "auto_assign", json_boolean(strcmp(type, "promote") == 0));
    vercel_make_live(r->sim, project, d);
    sim_answer(r, 201, NULL);
}

void vercel_rollback(struct sim_request *r)
{
    move(r, "rollback");
}

void vercel_promote(struct sim_request *r)
{
    move(r, "promote");
}

static const char *job_status(struct sim *s, const json_t *request)
{
    int64_t age_ms = sim_now_ms(s) - json_int(request, "at_ms", 0);

    if (age_ms < STARTED_MS)
        return "pending";
    return age_ms < MOVED_MS ? "in-progress" : "succeeded";
}

json_t *vercel_alias_request_show(struct sim *s, const json_t *project)
{
    const json_t *request = json_object_get(project, "alias_request");

    if (!request)
        return NULL;
    return json_pack("{s:s, s:I, s:s, s:s, s:s}", "jobStatus", job_status(s, request),
                     "requestedAt", (json_int_t)json_int(request, "at_ms", 0), "toDeploymentId",
                     json_str(request, "to", ""), "fromDeploymentId", json_str(request, "from", ""),
                     "type", json_str(request, "type", ""));
}

void vercel_rollback_aliases(struct sim_request *r)
{
    const json_t *project = vercel_project_of_path(r), *request;
    json_t *list;
    char hostport[320];

    if (!project)
        return;
    request = json_object_get(project, "alias_request");
    sim_site_hostport(r->sim, json_str(project, "host", ""), hostport);
    list = json_array();
    if (request && !sim_query(r, "failedOnly"))
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "alias", hostport, "id",
                                              json_str(request, "to", ""), "status", "completed"));
    sim_answer(r, 200,
               json_pack("{s:o, s:{s:i, s:n, s:n}}", "aliases", list, "pagination", "count",
                         (int)json_array_size(list), "next", "prev"));
}
