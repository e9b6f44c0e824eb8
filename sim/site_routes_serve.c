#include "core.h"
#include "sites.h"

#include "base/json.h"

#include <string.h>

/*
 * Routes of Vercel's Build Output API v3, at work: matched in order within a phase; a phase begins
 * with {"handle": NAME}. Before the first handle come redirects, headers and rewrites; "filesystem"
 * looks for files first; "hit" adds headers to what was found; "error" chooses a failure's page.
 */
enum { HOPS_MAX = 8 };

struct walk {
    struct sim_request *r;
    struct site *site;
    const char *path;
    int status; /* a route's, else 0 */
    bool answered;
};

static bool same_phase(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool method_fits(const struct route *route, const char *method)
{
    const json_t *methods = json_object_get(route->json, "methods"), *one;
    size_t i;

    json_array_foreach(methods, i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), method) == 0)
            return true;
    }
    return !methods;
}

static const char *set_headers(struct walk *w, const struct route *route,
                               const struct captures *found)
{
    const char *name, *location = NULL;
    json_t *value;

    json_object_foreach(json_object_get(route->json, "headers"), name, value)
    {
        const char *filled =
            rules_fill(w->r->arena, json_is_string(value) ? json_string_value(value) : "", found);

        if (strcasecmp(name, "Location") == 0)
            location = filled;
        else
            sim_set_header(w->r, name, "%s", filled);
    }
    return location;
}

/* True when the phase goes on with the next route. */
static bool take_route(struct walk *w, const struct route *route, const struct captures *found)
{
    const char *location = set_headers(w, route, found);
    const char *dest = json_str(route->json, "dest", NULL);
    int status = (int)json_int(route->json, "status", 0);

    if (location && status / 100 == 3) {
        site_redirect(w->r, status, location);
        w->answered = true;
        return false;
    }
    if (status)
        w->status = status;
    if (dest) {
        dest = rules_fill(w->r->arena, dest, found);
        w->path = arena_printf(w->r->arena, "%s%.*s", *dest == '/' ? "" : "/",
                               (int)strcspn(dest, "?#"), dest);
    }
    return json_flag(route->json, "continue", false);
}

/* Runs one phase; true when a route changed the path. */
static bool run_phase(struct walk *w, const char *phase)
{
    const char *before = w->path;

    for (const struct route *route = w->site->routes; route; route = route->next) {
        struct captures found;

        if (!same_phase(route->phase, phase) || !method_fits(route, w->r->method) ||
            !route_matches(route, w->path, &found))
            continue;
        if (!take_route(w, route, &found))
            break;
    }
    return w->path != before;
}

/* The file a path names: itself, or its folder's index. */
static const char *file_of(const struct walk *w)
{
    size_t len = strlen(w->path);
    const char *slash = len && w->path[len - 1] == '/' ? "" : "/", *index;

    if (site_file(w->site, w->path))
        return w->path;
    index = arena_printf(w->r->arena, "%s%sindex.html", w->path, slash);
    return site_file(w->site, index) ? index : NULL;
}

static void send_error_page(struct walk *w)
{
    const char *file;

    if (!w->status)
        w->status = 404;
    run_phase(w, "error");
    if (w->answered)
        return;
    file = file_of(w);
    if (!file && site_file(w->site, "/404.html"))
        file = "/404.html";
    if (file)
        site_send(w->r, w->site, file, w->status);
    else
        sim_answer_text(w->r, w->status, "text/plain; charset=utf-8",
                        "The page could not be found\n\nNOT_FOUND\n");
}

void routes_serve(struct sim_request *r, struct site *site)
{
    struct walk w = {.r = r, .site = site, .path = r->path};
    const char *file;

    run_phase(&w, NULL);
    for (int hop = 0; !w.answered && hop < HOPS_MAX; hop++) {
        file = w.status >= 400 ? NULL : file_of(&w);
        if (file) {
            run_phase(&w, "hit");
            site_send(r, site, file, w.status ? w.status : 200);
            return;
        }
        if (!run_phase(&w, "filesystem") && !run_phase(&w, "miss"))
            break;
    }
    if (!w.answered)
        send_error_page(&w);
}
