#include "core.h"
#include "sites.h"

#include "base/json.h"

#include <string.h>

/* The sites port as a platform: no account, no rates, every host that something was deployed to. */

static const char *host_of(struct sim_request *r)
{
    const char *host = sim_header(r, "Host");
    char *name;

    if (!host)
        return "";
    name = arena_strndup(r->arena, host, strcspn(host, ":"));
    for (char *p = name; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    return name;
}

static void sites_error(struct sim_request *r, int status)
{
    sim_answer_text(r, status, "text/plain; charset=utf-8",
                    status == 404 ? "Nothing is deployed here.\n" : "Something went wrong.\n");
}

static void sites_unauthorised(struct sim_request *r)
{
    sites_error(r, 401);
}

static void serve(struct sim_request *r)
{
    struct site *site = site_find(r->sim, host_of(r));

    if (!site)
        sites_error(r, 404);
    else if (strcmp(json_str(site->record, "kind", ""), "service") == 0)
        service_serve(r, site);
    else
        site_serve_static(r, site);
}

static void sites_handle(struct sim_request *r)
{
    struct site *site = site_find(r->sim, host_of(r));
    struct latency_draw draw;
    int64_t wait;

    if (!site) {
        sites_error(r, 404);
        return;
    }
    latency_draw(r->sim->latency, host_of(r), &draw);
    r->cold_ms = service_wake(r->sim, site, draw.cold_ms);
    wait = r->cold_ms + draw.delay_ms;
    if (draw.error)
        sites_error(r, 503);
    else if (wait > 0)
        sim_later(r, wait, serve);
    else
        serve(r);
}

const struct sim_platform sim_sites = {
    .name = "sites",
    .base_path = "",
    .site_suffix = "",
    .unauthorised = sites_unauthorised,
    .error = sites_error,
    .handle = sites_handle,
};
