#include "app/route_parts.h"

#include <string.h>

int route_weight(const struct manifest_route *r, const char *environment)
{
    for (size_t i = 0; i < r->n_weights; i++)
        if (strcmp(r->weights[i].environment, environment) == 0)
            return r->weights[i].weight;
    return 0;
}

const char *route_health(const struct manifest *m, const struct manifest_route *r)
{
    for (size_t i = 0; i < m->n_checks; i++)
        if (strcmp(m->checks[i].name, r->check) == 0)
            return m->checks[i].path;
    return "/";
}

const char *app_first_instance(const struct manifest *m, const char *app)
{
    for (size_t i = 0; i < m->n_apps; i++)
        if (strcmp(m->apps[i].name, app) == 0)
            return m->apps[i].instances[0];
    return "";
}
