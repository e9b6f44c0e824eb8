#include "netlify.h"

#include "base/buf.h"

#include <ctype.h>
#include <string.h>

/*
 * Netlify's command line takes _redirects and _headers out of a site and sends a netlify.toml that
 * it generated: plain "key = value" lines under [[redirects]], [[headers]] and [headers.values].
 */
enum { RULES_MAX = 1 << 20 };

enum section { OTHER, REDIRECT, HEADERS, HEADER_VALUES };

struct reader {
    struct buf redirects, headers;
    enum section section;
    const char *from, *to, *status, *force;
};

static void redirect_end(struct reader *t)
{
    if (t->from && t->to)
        buf_addf(&t->redirects, "%s %s %s%s\n", t->from, t->to, t->status ? t->status : "301",
                 t->force && strcmp(t->force, "true") == 0 ? "!" : "");
    t->from = t->to = t->status = t->force = NULL;
}

static void section_begin(struct reader *t, const char *line)
{
    if (strcmp(line, "[[redirects]]") == 0) {
        redirect_end(t);
        t->section = REDIRECT;
    } else if (strcmp(line, "[[headers]]") == 0) {
        t->section = HEADERS;
    } else if (strcmp(line, "[headers.values]") == 0) {
        t->section = HEADER_VALUES;
    } else {
        t->section = OTHER;
    }
}

/* Cuts spaces and one pair of quotes. */
static char *bare(char *s)
{
    size_t len;

    s += strspn(s, " \t");
    len = strlen(s);
    while (len > 0 && isspace((unsigned char)s[len - 1]))
        s[--len] = '\0';
    if (len >= 2 && s[0] == '"' && s[len - 1] == '"') {
        s[len - 1] = '\0';
        s++;
    }
    return s;
}

static void pair(struct reader *t, const char *key, const char *value)
{
    if (t->section == HEADERS && strcmp(key, "for") == 0)
        buf_addf(&t->headers, "%s\n", value);
    else if (t->section == HEADER_VALUES)
        buf_addf(&t->headers, "  %s: %s\n", key, value);
    else if (t->section != REDIRECT)
        return;
    else if (strcmp(key, "from") == 0)
        t->from = value;
    else if (strcmp(key, "to") == 0)
        t->to = value;
    else if (strcmp(key, "status") == 0)
        t->status = value;
    else if (strcmp(key, "force") == 0)
        t->force = value;
}

void netlify_toml_rules(struct arena *arena, const char *toml, const char **ret_redirects,
                        const char **ret_headers)
{
    struct reader t = {.redirects = BUF_INIT(RULES_MAX), .headers = BUF_INIT(RULES_MAX)};
    char *rest = arena_strdup(arena, toml), *line;

    while (rest && (line = strsep(&rest, "\r\n"))) {
        char *equals = strchr(line, '=');

        line += strspn(line, " \t");
        if (*line == '[') {
            section_begin(&t, line);
        } else if (equals) {
            *equals = '\0';
            pair(&t, bare(line), bare(equals + 1));
        }
    }
    redirect_end(&t);
    *ret_redirects = arena_strdup(arena, buf_str(&t.redirects));
    *ret_headers = arena_strdup(arena, buf_str(&t.headers));
    buf_release(&t.redirects);
    buf_release(&t.headers);
}
