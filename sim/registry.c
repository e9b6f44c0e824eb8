#include "core.h"

#include <string.h>

/* The one list of platforms, in the order of their ports. */
const struct sim_platform *const sim_platforms[] = {
    &sim_cloudflare,
    &sim_netlify,
    &sim_vercel,
#ifdef SIM_SERVICES
    &sim_koyeb,
    &sim_render,
    &sim_railway,
    &sim_expo,
    &sim_upstash,
    &sim_webhooks,
#endif
    NULL,
};

const struct sim_platform *sim_platform_named(const char *name)
{
    for (size_t i = 0; sim_platforms[i]; i++)
        if (strcmp(sim_platforms[i]->name, name) == 0)
            return sim_platforms[i];
    return strcmp(name, sim_sites.name) == 0 ? &sim_sites : NULL;
}

void sim_advance_all(struct sim *s)
{
    for (size_t i = 0; sim_platforms[i]; i++)
        if (sim_platforms[i]->advance)
            sim_platforms[i]->advance(s, sim_platforms[i], sim_now_ms(s));
}
