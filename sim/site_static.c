#include "core.h"
#include "sites.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/*
 * From a path to a file, as the static hosts do it. The differences are small but visible:
 * Cloudflare redirects away from ".html" and falls back to the root page when there is no 404 page;
 * Netlify serves both forms and lets files win over redirects that are not forced; Vercel keeps
 * names as they are.
 */
enum { REWRITES_MAX = 4 };

const char *site_file(const struct site *site, const char *path)
{
    return json_string_value(json_object_get(json_object_get(site->record, "files"), path));
}

/* --- Sending --------------------------------------------------------------------------------- */

static void set_rule_headers(struct sim_request *r, const struct site *site)
{
    struct captures found;

    for (const struct header_rule *rule = site->headers; rule; rule = rule->next) {
        if (!rule->lines || !rules_match(rule->pattern, r->path, &found))
            continue;
        for (size_t i = 0; rule->lines[i]; i += 2)
            sim_set_header(r, rule->lines[i], "%s",
                           rules_fill(r->arena, rule->lines[i + 1], &found));
    }
}

static bool rule_sets(const struct site *site, const char *path, const char *name)
{
    struct captures found;

    for (const struct header_rule *rule = site->headers; rule; rule = rule->next)
        for (size_t i = 0; rule->lines && rule->lines[i]; i += 2)
            if (strcasecmp(rule->lines[i], name) == 0 && rules_match(rule->pattern, path, &found))
                return true;
    return false;
}

void site_send(struct sim_request *r, struct site *site, const char *path, int status)
{
    const char *blob = site_file(site, path), *seen = sim_header(r, "If-None-Match"), *file;
    const json_t *types = json_object_get(site->record, "types");
    const char *type = json_string_value(json_object_get(types, path));
    size_t size;

    file =
        blob ? blob_file(r->sim, json_str(site->record, "space", ""), blob, r->arena, &size) : NULL;
    if (!file) {
        sim_answer_text(r, 500, "text/plain", "the simulator lost this file's content\n");
        return;
    }
    sim_set_header(r, "ETag", "\"%s\"", blob);
    if (!rule_sets(site, r->path, "Cache-Control"))
        sim_set_header(r, "Cache-Control", "public, max-age=0, must-revalidate");
    if (site->platform && site->platform->site_rules == SIM_SITE_CLOUDFLARE &&
        !rule_sets(site, r->path, "Access-Control-Allow-Origin"))
        sim_set_header(r, "Access-Control-Allow-Origin", "*");
    set_rule_headers(r, site);
    if (status == 200 && seen && strstr(seen, blob))
        sim_answer(r, 304, NULL);
    else
        sim_answer_file(r, status, type ? type : site_mime(path), file, size);
}

static void keep_query(const char *name, const char *value, void *arg)
{
    struct buf *to = arg;

    buf_addc(to, to->len && strchr(buf_str(to), '?') ? '&' : '?');
    text_percent_encode(to, name, false);
    if (value) {
        buf_addc(to, '=');
        text_percent_encode(to, value, false);
    }
}

void site_redirect(struct sim_request *r, int status, const char *location)
{
    struct buf to = BUF_INIT(8192);

    if (strstr(location, "://") || strpbrk(location, "?#"))
        buf_adds(&to, location);
    else
        text_percent_encode(&to, location, true);
    if (r->x && !strchr(location, '?'))
        http_exchange_queries(r->x, keep_query, &to);
    sim_set_header(r, "Location", "%s", buf_str(&to));
    buf_release(&to);
    sim_answer_text(r, status, "text/plain", "");
}

static void not_found(struct sim_request *r, struct site *site, const char *path)
{
    char *folder = arena_strdup(r->arena, path), *slash;
    bool climbs = site->platform && site->platform->site_rules == SIM_SITE_CLOUDFLARE;

    while (climbs && (slash = strrchr(folder, '/')) && slash > folder) {
        const char *page;

        *slash = '\0';
        page = arena_printf(r->arena, "%s/404.html", folder);
        if (site_file(site, page)) {
            site_send(r, site, page, 404);
            return;
        }
    }
    if (site_file(site, "/404.html"))
        site_send(r, site, "/404.html", 404);
    else if (climbs && site_file(site, "/index.html"))
        site_send(r, site, "/index.html", 200);
    else
        sim_answer_text(r, 404, "text/plain; charset=utf-8", "Not Found\n");
}

/* --- Finding --------------------------------------------------------------------------------- */

/* What a path leads to: a file, another address, or nothing. */
struct target {
    const char *file, *moved;
};

static const char *with(struct sim_request *r, const char *path, const char *suffix)
{
    return arena_printf(r->arena, "%s%s", path, suffix);
}

static const char *without(struct sim_request *r, const char *path, size_t n)
{
    size_t len = strlen(path);

    return arena_strndup(r->arena, path, len > n ? len - n : 0);
}

static bool ends_with(const char *s, const char *end)
{
    size_t len = strlen(s), n = strlen(end);

    return len >= n && strcmp(s + len - n, end) == 0;
}

static struct target find_folder(struct sim_request *r, const struct site *site, const char *path)
{
    const char *index = with(r, path, "index.html"), *bare = without(r, path, 1);
    struct target t = {0};

    if (site_file(site, index))
        t.file = index;
    else if (*bare && site_file(site, with(r, bare, ".html")))
        t.moved = bare;
    return t;
}

static struct target find_cloudflare(struct sim_request *r, const struct site *site,
                                     const char *path)
{
    struct target t = {0};

    if (ends_with(path, "/"))
        return find_folder(r, site, path);
    if (site_file(site, path)) {
        if (ends_with(path, "/index.html"))
            t.moved = without(r, path, strlen("index.html"));
        else if (ends_with(path, ".html"))
            t.moved = without(r, path, strlen(".html"));
        else
            t.file = path;
    } else if (site_file(site, with(r, path, ".html"))) {
        t.file = with(r, path, ".html");
    } else if (site_file(site, with(r, path, "/index.html"))) {
        t.moved = with(r, path, "/");
    }
    return t;
}

static struct target find_netlify(struct sim_request *r, const struct site *site, const char *path)
{
    struct target t = {0};

    if (ends_with(path, "/")) {
        t = find_folder(r, site, path);
        if (t.moved) { /* both forms are served */
            t.file = with(r, t.moved, ".html");
            t.moved = NULL;
        }
    } else if (site_file(site, path)) {
        t.file = path;
    } else if (site_file(site, with(r, path, ".html"))) {
        t.file = with(r, path, ".html");
    } else if (site_file(site, with(r, path, "/index.html"))) {
        t.moved = with(r, path, "/");
    }
    return t;
}

static struct target find_plain(struct sim_request *r, const struct site *site, const char *path)
{
    struct target t = {0};
    const char *index = with(r, path, ends_with(path, "/") ? "index.html" : "/index.html");

    if (site_file(site, path))
        t.file = path;
    else if (site_file(site, index))
        t.file = index;
    return t;
}

static struct target find(struct sim_request *r, const struct site *site, const char *path)
{
    enum sim_site_rules rules = site->platform ? site->platform->site_rules : SIM_SITE_PLAIN;

    switch (rules) {
    case SIM_SITE_CLOUDFLARE:
        return find_cloudflare(r, site, path);
    case SIM_SITE_NETLIFY:
        return find_netlify(r, site, path);
    case SIM_SITE_PLAIN:
    case SIM_SITE_VERCEL:
        break;
    }
    return find_plain(r, site, path);
}

/* The first redirect rule that applies; with `forced_only`, of those that win over files. */
static const struct redirect *rule_for(const struct site *site, const char *path, bool forced_only,
                                       struct captures *found)
{
    for (const struct redirect *rule = site->redirects; rule; rule = rule->next)
        if ((rule->force || !forced_only) && rules_match(rule->from, path, found))
            return rule;
    return NULL;
}

static void parse_rules(struct site *site)
{
    const char *redirects = json_str(site->record, "redirects", NULL);
    const char *headers = json_str(site->record, "headers", NULL);

    if (site->parsed)
        return;
    site->parsed = true;
    site->redirects = redirects ? rules_redirects(&site->rules, redirects) : NULL;
    site->headers = headers ? rules_headers(&site->rules, headers) : NULL;
    site->routes = routes_parse(&site->rules, json_object_get(site->record, "routes"));
}

/* Rules first (Cloudflare) or files first (Netlify). Returns the path to serve, or NULL when the
 * request was answered by a redirect. *ret_status is what a rewrite says. */
static const char *apply_redirects(struct sim_request *r, struct site *site, int *ret_status)
{
    bool rules_win = site->platform && site->platform->site_rules == SIM_SITE_CLOUDFLARE;
    int usual = rules_win ? 302 : 301;
    const char *path = r->path;

    for (int i = 0; i < REWRITES_MAX; i++) {
        struct captures found;
        struct target here = find(r, site, path);
        bool there = here.file || here.moved;
        const struct redirect *rule = rule_for(site, path, there && !rules_win, &found);
        const char *to;

        if (!rule)
            break;
        to = rules_fill(r->arena, rule->to, &found);
        if (rule->status != 200 && rule->status != 404) {
            site_redirect(r, rule->status ? rule->status : usual, to);
            return NULL;
        }
        *ret_status = rule->status;
        path = arena_strndup(r->arena, to, strcspn(to, "?#"));
        if (strcmp(path, r->path) == 0 || !rules_win)
            break;
    }
    return path;
}

void site_serve_static(struct sim_request *r, struct site *site)
{
    struct target t;
    const char *path;
    int status = 200;

    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
        sim_set_header(r, "Allow", "GET, HEAD");
        sim_answer_text(r, 405, "text/plain", "Method Not Allowed\n");
        return;
    }
    parse_rules(site);
    if (site->routes) {
        routes_serve(r, site);
        return;
    }
    path = apply_redirects(r, site, &status);
    if (!path)
        return;
    t = find(r, site, path);
    if (t.moved && path == r->path)
        site_redirect(r, site->platform->site_rules == SIM_SITE_CLOUDFLARE ? 308 : 301, t.moved);
    else if (t.moved) /* a rewrite's target is served, not redirected again */
        site_send(r, site,
                  site_file(site, with(r, t.moved, "index.html")) ? with(r, t.moved, "index.html")
                                                                  : with(r, t.moved, ".html"),
                  status);
    else if (t.file)
        site_send(r, site, t.file, status);
    else
        not_found(r, site, path);
}
