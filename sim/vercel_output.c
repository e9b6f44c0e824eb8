#include "vercel.h"

#include "base/buf.h"
#include "base/json.h"

#include <string.h>

/*
 * From a deployment's files to a site. Prebuilt ones bring the Build Output API's folder with its
 * routes; plain ones are served as they are, with what their vercel.json asks for.
 */
static const char output[] = ".vercel/output/", statics[] = ".vercel/output/static/";

struct site_plan {
    struct arena arena;
    json_t *files, *routes, *types;
};

static json_t *read_config(struct sim *s, const json_t *d, const char *name, struct arena *arena)
{
    const char *sha = json_string_value(json_object_get(json_object_get(d, "files"), name)), *text;
    struct err ignored = ERR_INIT;
    size_t len;

    text = sha ? sim_blob_read(s, json_str(d, "space", ""), sha, arena, &len) : NULL;
    return text ? json_read(text, len, name, &ignored) : NULL;
}

/* --- Prebuilt -------------------------------------------------------------------------------- */

/* "overrides": {"about.html": {"path": "about", "contentType": ...}} renames and types files. */
static void apply_overrides(struct site_plan *plan, const json_t *overrides)
{
    const char *name;
    json_t *how;

    json_object_foreach((json_t *)(uintptr_t)overrides, name, how)
    {
        const char *from = arena_printf(&plan->arena, "/%s", name);
        const char *path = json_str(how, "path", NULL), *type = json_str(how, "contentType", NULL);
        json_t *sha = json_object_get(plan->files, from);
        const char *to = path ? arena_printf(&plan->arena, "/%s", path) : from;

        if (!sha)
            continue;
        json_object_set(plan->files, to, sha);
        if (strcmp(from, to) != 0)
            json_object_del(plan->files, from);
        json_object_set_new(plan->types, to, json_string(type ? type : "text/html; charset=utf-8"));
    }
}

static const char *plan_prebuilt(struct sim *s, const json_t *d, struct site_plan *plan)
{
    json_t *config = read_config(s, d, ".vercel/output/config.json", &plan->arena), *sha;
    const char *path;

    if (json_int(config, "version", 0) != 3) {
        json_decref(config);
        return "Config file was not found at \".vercel/output/config.json\", or its version is "
               "not 3";
    }
    json_object_foreach(json_object_get(d, "files"), path, sha)
    {
        if (strncmp(path, statics, strlen(statics)) == 0)
            json_object_set(plan->files, arena_printf(&plan->arena, "/%s", path + strlen(statics)),
                            sha);
    }
    plan->routes = json_incref(json_object_get(config, "routes"));
    apply_overrides(plan, json_object_get(config, "overrides"));
    json_decref(config);
    return NULL;
}

/* --- Plain, with vercel.json ----------------------------------------------------------------- */

/* "/blog/:slug*" -> "^/blog/(?<slug>.*)$": the part of path-to-regexp that people use. */
static const char *pattern_of(struct arena *arena, const char *source)
{
    struct buf out = BUF_INIT(4096);
    const char *pattern;

    buf_addc(&out, '^');
    while (*source) {
        size_t len = *source == ':' ? strspn(source + 1, "abcdefghijklmnopqrstuvwxyz"
                                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
                                    : 0;

        if (len > 0) {
            bool any = source[1 + len] == '*';

            buf_addf(&out, "(?<%.*s>%s)", (int)len, source + 1, any ? ".*" : "[^/]+");
            source += 1 + len + any;
        } else if (*source == '.' && source[1] != '*') {
            buf_adds(&out, "\\.");
            source++;
        } else {
            buf_addc(&out, *source++);
        }
    }
    buf_addc(&out, '$');
    pattern = arena_strdup(arena, buf_str(&out));
    buf_release(&out);
    return pattern;
}

static void add_redirects(struct site_plan *plan, const json_t *config)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(config, "redirects"), i, rule)
    {
        int usual = json_flag(rule, "permanent", true) ? 308 : 307;

        json_array_append_new(plan->routes,
                              json_pack("{s:s, s:i, s:{s:s}}", "src",
                                        pattern_of(&plan->arena, json_str(rule, "source", "")),
                                        "status", (int)json_int(rule, "statusCode", usual),
                                        "headers", "Location", json_str(rule, "destination", "/")));
    }
}

static void add_headers(struct site_plan *plan, const json_t *config)
{
    const json_t *rule, *header;
    size_t i, k;

    json_array_foreach(json_object_get(config, "headers"), i, rule)
    {
        json_t *headers = json_object();

        json_array_foreach(json_object_get(rule, "headers"), k, header)
        {
            json_object_set_new(headers, json_str(header, "key", "x-empty"),
                                json_string(json_str(header, "value", "")));
        }
        json_array_append_new(plan->routes,
                              json_pack("{s:s, s:o, s:b}", "src",
                                        pattern_of(&plan->arena, json_str(rule, "source", "")),
                                        "headers", headers, "continue", 1));
    }
}

static void add_rewrites(struct site_plan *plan, const json_t *config)
{
    const json_t *rule;
    size_t i;

    json_array_append_new(plan->routes, json_pack("{s:s}", "handle", "filesystem"));
    json_array_foreach(json_object_get(config, "rewrites"), i, rule)
    {
        json_array_append_new(plan->routes,
                              json_pack("{s:s, s:s}", "src",
                                        pattern_of(&plan->arena, json_str(rule, "source", "")),
                                        "dest", json_str(rule, "destination", "/")));
    }
}

/* cleanUrls: "about.html" is there as "about", and the long form redirects. */
static void clean_urls(struct site_plan *plan)
{
    json_t *longs = json_deep_copy(plan->files), *sha;
    const char *path;

    json_object_foreach(longs, path, sha)
    {
        size_t len = strlen(path);
        const char *clean;

        if (len < 6 || strcmp(path + len - 5, ".html") != 0 || strcmp(path, "/404.html") == 0 ||
            (len >= 11 && strcmp(path + len - 11, "/index.html") == 0))
            continue;
        clean = arena_strndup(&plan->arena, path, len - 5);
        json_object_set(plan->files, clean, sha);
        json_object_set_new(plan->types, clean, json_string("text/html; charset=utf-8"));
        json_array_append_new(plan->routes,
                              json_pack("{s:s, s:i, s:{s:s}}", "src",
                                        arena_printf(&plan->arena, "^%s\\.html$", clean), "status",
                                        308, "headers", "Location", clean));
    }
    json_decref(longs);
}

static void plan_plain(struct sim *s, const json_t *d, struct site_plan *plan)
{
    json_t *config = read_config(s, d, "vercel.json", &plan->arena), *sha;
    const char *path;

    json_object_foreach(json_object_get(d, "files"), path, sha)
    {
        if (strcmp(path, "vercel.json") != 0 && strncmp(path, ".vercel/", 8) != 0)
            json_object_set(plan->files, arena_printf(&plan->arena, "/%s", path), sha);
    }
    if (!config)
        return;
    plan->routes = json_array();
    add_redirects(plan, config);
    if (json_flag(config, "cleanUrls", false))
        clean_urls(plan);
    add_headers(plan, config);
    add_rewrites(plan, config);
    json_decref(config);
}

static bool has_output(const json_t *d)
{
    const char *path;
    json_t *sha;

    json_object_foreach(json_object_get(d, "files"), path, sha)
    {
        if (strncmp(path, output, strlen(output)) == 0)
            return true;
    }
    return json_flag(d, "prebuilt", false);
}

const char *vercel_publish(struct sim *s, const json_t *d)
{
    struct site_plan plan = {.files = json_object(), .types = json_object()};
    const char *host = json_str(d, "host", ""), *wrong = NULL;

    if (has_output(d))
        wrong = plan_prebuilt(s, d, &plan);
    else
        plan_plain(s, d, &plan);
    if (!wrong) {
        sim_site_static(s, &sim_vercel, host, json_str(d, "space", ""), plan.files);
        sim_site_types(s, host, plan.types);
        if (plan.routes)
            sim_site_routes(s, host, plan.routes);
    }
    json_decref(plan.files);
    json_decref(plan.types);
    json_decref(plan.routes);
    arena_release(&plan.arena);
    return wrong;
}
