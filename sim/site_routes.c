#include "core.h"
#include "sites.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/*
 * Routes of Vercel's Build Output API v3: matched in order within a phase; a phase begins with
 * {"handle": NAME}. Before the first handle come redirects, headers and rewrites; "filesystem"
 * looks for files first; "hit" adds headers to what was found; "error" chooses the page for a
 * failure. Patterns are JavaScript regular expressions; what POSIX lacks is rewritten, and a
 * pattern that cannot be (look-around) never matches.
 */
enum { HOPS_MAX = 8, PATTERN_MAX = 4096 };

/* --- Patterns -------------------------------------------------------------------------------- */

/* One "(": returns what follows it in the source, or NULL when POSIX has no such group. */
static const char *open_group(struct route *route, struct arena *arena, const char *p,
                              unsigned *groups)
{
    const char *name = NULL;

    ++*groups;
    if (p[1] == '?' && p[2] == ':')
        return p + 3;
    if (p[1] == '?' && p[2] == '<' && p[3] != '=' && p[3] != '!') {
        size_t len = strcspn(p + 3, ">");

        name = arena_strndup(arena, p + 3, len);
        p += 3 + len;
        if (*p != '>')
            return NULL;
    } else if (p[1] == '?') {
        return NULL;
    }
    if (route->n_groups < CAPTURES_MAX) {
        route->groups[route->n_groups] = *groups;
        route->group_names[route->n_groups++] = name;
    }
    return p + 1;
}

/* One escape: writes its POSIX form. */
static void add_escape(struct buf *out, char c)
{
    if (c == 'd')
        buf_adds(out, "[0-9]");
    else if (c == 'w')
        buf_adds(out, "[A-Za-z0-9_]");
    else if (c == 's')
        buf_adds(out, "[[:space:]]");
    else if (c == '/' || c == '-')
        buf_addc(out, c);
    else
        buf_addf(out, "\\%c", c);
}

static bool translate(struct route *route, struct arena *arena, const char *src, struct buf *out)
{
    unsigned groups = 0;
    bool in_set = false;

    if (*src != '^')
        buf_addc(out, '^');
    while (*src) {
        bool repeated = out->len > 0 && strchr("*+?}", out->data[out->len - 1]);

        if (*src == '\\' && src[1]) {
            add_escape(out, src[1]);
            src += 2;
        } else if (!in_set && *src == '(') {
            src = open_group(route, arena, src, &groups);
            if (!src)
                return false;
            buf_addc(out, '(');
        } else if (!in_set && *src == '?' && repeated) {
            src++; /* lazy: whole-path patterns match the same without it */
        } else {
            in_set = *src == '[' || (in_set && *src != ']');
            buf_addc(out, *src++);
        }
    }
    if (out->len == 0 || out->data[out->len - 1] != '$')
        buf_addc(out, '$');
    return !buf_over(out);
}

static void compile(struct route *route, struct arena *arena, const char *src)
{
    struct buf pattern = BUF_INIT(PATTERN_MAX);
    int flags = REG_EXTENDED | (json_flag(route->json, "caseSensitive", false) ? 0 : REG_ICASE);

    route->usable = translate(route, arena, src, &pattern) &&
                    regcomp(&route->src, buf_str(&pattern), flags) == 0;
    buf_release(&pattern);
}

struct route *routes_parse(struct arena *arena, const json_t *list)
{
    struct route *first = NULL, **end = &first;
    const char *phase = NULL, *src;
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        struct route *route;

        if (json_object_get(item, "handle")) {
            phase = json_str(item, "handle", "");
            continue;
        }
        src = json_str(item, "src", NULL);
        if (!src)
            continue;
        route = arena_alloc(arena, sizeof(*route));
        route->phase = phase;
        route->json = item;
        compile(route, arena, src);
        *end = route;
        end = &route->next;
    }
    return first;
}

void routes_release(struct route *first)
{
    for (; first; first = first->next)
        if (first->usable)
            regfree(&first->src);
}

bool route_matches(const struct route *route, const char *path, struct captures *ret)
{
    regmatch_t at[CAPTURES_MAX + 1];

    ret->n = 0;
    if (!route->usable || regexec(&route->src, path, CAPTURES_MAX + 1, at, 0) != 0)
        return false;
    for (size_t i = 0; i < route->n_groups; i++) {
        unsigned group = route->groups[i];
        const char *name = route->group_names[i];
        bool taken = group <= CAPTURES_MAX && at[group].rm_so >= 0;

        ret->list[ret->n++] =
            (struct capture){.name = name,
                             .name_len = name ? strlen(name) : 0,
                             .text = taken ? path + at[group].rm_so : "",
                             .len = taken ? (size_t)(at[group].rm_eo - at[group].rm_so) : 0};
    }
    return true;
}

/* --- Serving --------------------------------------------------------------------------------- */

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
