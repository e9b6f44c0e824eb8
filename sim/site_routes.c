#include "sites.h"

#include "base/buf.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/*
 * The patterns of Vercel's routes: JavaScript regular expressions over the whole path. What POSIX
 * lacks is rewritten; a pattern that cannot be (look-around) never matches. Pure.
 */
enum { PATTERN_MAX = 4096 };

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
