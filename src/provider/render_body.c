#include "provider/render.h"

#include "base/json.h"
#include "provider/service.h"

#include <stdio.h>
#include <string.h>

/* The JSON that Render is sent, and what it is compared with. */

void render_set_repository(json_t *body, const struct want *w)
{
    struct repository r = {{0}, {0}};
    char url[sizeof(r.host) + sizeof(r.path) + 16];

    (void)repository_read(w->repository, &r);
    (void)snprintf(url, sizeof(url), "https://%s/%s", r.host, r.path);
    json_object_set_new(body, "repo", json_string(url));
    if (w->branch[0])
        json_object_set_new(body, "branch", json_string(w->branch));
    if (w->path[0])
        json_object_set_new(body, "rootDir", json_string(w->path));
}

/* Always with a Dockerfile or an image: Render's native runtimes want a build command that a
 * manifest does not know. */
static json_t *service_details(const struct want *w)
{
    json_t *docker =
        json_pack("{s:s*, s:s*}", "dockerfilePath", w->image[0] ? NULL : or_null(w->dockerfile),
                  "dockerCommand", or_null(w->run));
    return json_pack("{s:s, s:s, s:s, s:s*, s:o}", "runtime", w->image[0] ? "image" : "docker",
                     "plan", w->plan[0] ? w->plan : "free", "healthCheckPath",
                     w->health[0] ? w->health : "/", "region", or_null(w->region),
                     "envSpecificDetails", docker);
}

json_t *render_create_body(const struct deployment *d, const struct want *w)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "type", "web_service", "name", w->project_name,
                  "ownerId", d->account_id, "autoDeploy", "no", "envVars",
                  service_variables_list(w), "serviceDetails", service_details(w));

    if (w->image[0])
        json_object_set_new(
            body, "image",
            json_pack("{s:s, s:s}", "ownerId", d->account_id, "imagePath", w->image));
    else
        render_set_repository(body, w);
    return body;
}

json_t *render_deploy_body(const struct want *w)
{
    if (w->image[0])
        return json_pack("{s:s}", "imageUrl", w->image);
    return json_pack("{s:s, s:s}", "commitId", w->commit, "clearCache", "do_not_clear");
}

bool render_settings_differ(const json_t *service, const struct want *w)
{
    struct repository wanted = {{0}, {0}}, is = {{0}, {0}};

    if (strcmp(json_str(service, "autoDeploy", "yes"), "no") != 0)
        return true;
    if (w->image[0])
        return false;
    if (!repository_read(w->repository, &wanted) ||
        !repository_read(json_str(service, "repo", ""), &is))
        return true;
    return strcmp(wanted.path, is.path) != 0 ||
           (w->branch[0] && strcmp(w->branch, json_str(service, "branch", "")) != 0) ||
           (w->path[0] && strcmp(w->path, json_str(service, "rootDir", "")) != 0);
}
