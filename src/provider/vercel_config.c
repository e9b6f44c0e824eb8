#include "provider/vercel_config.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    RULES_MAX = 1 << 20,
    WORDS_MAX = 8,
    NAMES_MAX = 16,
    TEXT_MAX = 4096,
    ROUTES_MAX = 2048, /* vercel.com/docs/limits, "Routes created per deployment" */
};

bool vercel_carries(const struct bundle_file *f)
{
    return strcmp(f->path, "_headers") != 0 && strcmp(f->path, "_redirects") != 0;
}

static int by_path(const void *key, const void *item)
{
    return strcmp(key, ((const struct bundle_file *)item)->path);
}

static const struct bundle_file *find(const struct bundle *b, const char *path)
{
    return bsearch(path, b->files, b->n, sizeof(*b->files), by_path);
}

/* Where a rule stands, for messages. */
struct place {
    const char *file;
    unsigned line;
};

static int bad_rule(const struct place *p, struct err *e, const char *why, const char *what)
{
    return err_set(e, ERR_MANIFEST, "%s:%u: Vercel has no way to say this rule: %s \"%.100s\"",
                   p->file, p->line, why, what);
}

/* --- Paths become patterns -------------------------------------------------------------------- */

/* Placeholders of one rule, in the order of the pattern's groups: ":name", and "splat" for the
 * star. */
struct groups {
    char names[NAMES_MAX][64];
    size_t n;
};

static size_t name_length(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return n;
}

static int add_group(struct groups *g, const char *name, size_t n, const struct place *p,
                     struct err *e)
{
    if (g->n == NAMES_MAX || n >= sizeof(g->names[0]))
        return bad_rule(p, e, "too many or too long placeholders from", name);
    memcpy(g->names[g->n], name, n);
    g->names[g->n++][n] = '\0';
    return 0;
}

/* Writes what one piece of a path matches: a star, a placeholder, or a character that means itself.
 * Returns the piece's length, -1 when there are too many placeholders. */
static int write_piece(struct buf *b, const char *s, struct groups *g, const struct place *p,
                       struct err *e)
{
    size_t n = *s == ':' ? name_length(s + 1) : 0;

    if (*s == '*') {
        buf_adds(b, "(.*)");
        return add_group(g, "splat", 5, p, e) < 0 ? -1 : 1;
    }
    if (n > 0) {
        buf_adds(b, "([^/]+)");
        return add_group(g, s + 1, n, p, e) < 0 ? -1 : (int)n + 1;
    }
    if (strchr("\\^$.|?+()[]{}", *s))
        buf_addc(b, '\\');
    buf_addc(b, *s);
    return 1;
}

/* "/news/:year/ *" -> "^/news/([^/]+)/(.*)$"; a slash at the end may be there or not. */
static int write_pattern(struct buf *b, const char *path, struct groups *g, const struct place *p,
                         struct err *e)
{
    size_t len = strlen(path), step;

    if (path[0] != '/')
        return bad_rule(p, e, "it does not begin with a path:", path);
    if (len > TEXT_MAX)
        return bad_rule(p, e, "it is too long:", path);
    if (len > 1 && path[len - 1] == '/')
        len--;
    buf_addc(b, '^');
    for (size_t i = 0; i < len; i += step) {
        int n = write_piece(b, path + i, g, p, e);
        if (n < 0)
            return -1;
        step = (size_t)n;
    }
    if (len > 1 && path[len - 1] != '*')
        buf_adds(b, "/?");
    buf_addc(b, '$');
    return buf_over(b) ? bad_rule(p, e, "it is too long:", path) : 0;
}

/* "/archive/:splat" -> "/archive/$1" */
static int write_target(struct buf *b, const char *to, const struct groups *g,
                        const struct place *p, struct err *e)
{
    for (const char *s = to; *s; s++) {
        size_t n = *s == ':' ? name_length(s + 1) : 0, i = 0;
        if (n == 0 || isdigit((unsigned char)s[1])) { /* "https://", a port */
            buf_addc(b, *s);
            continue;
        }
        while (i < g->n && (strlen(g->names[i]) != n || strncmp(g->names[i], s + 1, n) != 0))
            i++;
        if (i == g->n)
            return bad_rule(p, e, "the path has no such placeholder as in", to);
        buf_addf(b, "$%zu", i + 1);
        s += n;
    }
    return buf_over(b) ? bad_rule(p, e, "it is too long:", to) : 0;
}

/* --- _redirects ------------------------------------------------------------------------------- */

struct routes {
    json_t *before, *after; /* of looking for a file */
};

struct redirect {
    const char *from, *to;
    int64_t status;
    bool force;
};

/* "/from /to 301!"; conditions and query parameters are what Vercel would need other forms for. */
static int read_redirect(char **words, size_t n, struct redirect *ret, const struct place *p,
                         struct err *e)
{
    struct redirect r = {words[0], n > 1 ? words[1] : "", 302, false};

    if (n < 2)
        return bad_rule(p, e, "it has no target:", words[0]);
    if (r.to[0] != '/' && !strstr(r.to, "://"))
        return bad_rule(p, e,
                        strchr(r.to, '=') ? "it depends on a query:" : "this is no target:", r.to);
    if (n > 2) {
        size_t len = strlen(words[2]);
        r.force = len > 0 && words[2][len - 1] == '!';
        if (r.force)
            words[2][len - 1] = '\0';
        if (text_int(words[2], 200, 599, &r.status) < 0)
            return bad_rule(p, e, "this is no status:", words[2]);
    }
    if (n > 3)
        return bad_rule(p, e, "it has a condition:", words[3]);
    *ret = r;
    return 0;
}

static json_t *route_of(const struct redirect *r, const char *pattern, const char *target)
{
    if (r->status >= 300 && r->status < 400)
        return json_pack("{s:s, s:I, s:{s:s}}", "src", pattern, "status", (json_int_t)r->status,
                         "headers", "Location", target);
    if (r->status == 200)
        return json_pack("{s:s, s:s}", "src", pattern, "dest", target);
    return json_pack("{s:s, s:s, s:I}", "src", pattern, "dest", target, "status",
                     (json_int_t)r->status);
}

/* A rewrite stands back behind a file of that name, unless it is forced; a redirect does not. */
static int add_redirect(struct routes *routes, char **words, size_t n, const struct place *p,
                        struct err *e)
{
    struct buf pattern = BUF_INIT(TEXT_MAX), target = BUF_INIT(TEXT_MAX);
    struct groups g = {.n = 0};
    struct redirect r = {.from = "", .to = ""};
    int rc = -1;

    if (read_redirect(words, n, &r, p, e) < 0)
        return -1;
    if (write_pattern(&pattern, r.from, &g, p, e) == 0 &&
        write_target(&target, r.to, &g, p, e) == 0) {
        bool redirects = r.status >= 300 && r.status < 400;
        json_t *route = route_of(&r, buf_str(&pattern), buf_str(&target));
        json_array_append_new(redirects || r.force ? routes->before : routes->after, route);
        rc = 0;
    }
    buf_release(&pattern);
    buf_release(&target);
    return rc;
}

static size_t split_words(char *line, char **words)
{
    size_t n = 0;
    char *rest = line, *word;

    while (n < WORDS_MAX && (word = strsep(&rest, " \t\r"))) {
        if (word[0] == '#')
            break;
        if (word[0])
            words[n++] = word;
    }
    return n;
}

static int add_redirects(struct routes *routes, char *text, const char *file, struct err *e)
{
    struct place p = {file, 0};
    char *line, *words[WORDS_MAX];

    while ((line = strsep(&text, "\n"))) {
        size_t n = split_words(line, words);
        p.line++;
        if (n > 0 && add_redirect(routes, words, n, &p, e) < 0)
            return -1;
    }
    return 0;
}

/* --- _headers --------------------------------------------------------------------------------- */

/* "Name: value" into the rule's headers; a name that comes twice is one header with both values. */
static int add_header(json_t *rule, char *line, const struct place *p, struct err *e)
{
    char *colon = strchr(line, ':');

    if (!rule || !colon || colon == line)
        return bad_rule(p, e,
                        line[0] == '!' ? "it takes a header away:" : "this is no header:", line);
    char *value = colon + 1 + strspn(colon + 1, " \t");
    *colon = '\0';
    json_t *headers = json_object_get(rule, "headers");
    const char *before = json_string_value(json_object_get(headers, line));
    if (before)
        json_object_set_new(headers, line, json_sprintf("%s, %s", before, value));
    else
        json_object_set_new(headers, line, json_string(value));
    return 0;
}

static json_t *header_rule(const char *path, const struct place *p, struct err *e)
{
    struct buf pattern = BUF_INIT(TEXT_MAX);
    struct groups g = {.n = 0};
    json_t *rule = NULL;

    if (write_pattern(&pattern, path, &g, p, e) == 0)
        rule = json_pack("{s:s, s:{}, s:b}", "src", buf_str(&pattern), "headers", "continue", 1);
    buf_release(&pattern);
    return rule;
}

static void trim_end(char *line)
{
    size_t n = strlen(line);

    while (n > 0 && isspace((unsigned char)line[n - 1]))
        line[--n] = '\0';
}

static int add_headers(struct routes *routes, char *text, const char *file, struct err *e)
{
    struct place p = {file, 0};
    json_t *rule = NULL; /* borrowed from routes */
    char *line;

    while ((line = strsep(&text, "\n"))) {
        bool indented = line[0] == ' ' || line[0] == '\t';
        p.line++;
        line += strspn(line, " \t");
        trim_end(line);
        if (!line[0] || line[0] == '#')
            continue;
        if (indented) {
            if (add_header(rule, line, &p, e) < 0)
                return -1;
            continue;
        }
        rule = header_rule(line, &p, e);
        if (!rule)
            return -1;
        json_array_append_new(routes->before, rule);
    }
    return 0;
}

/* --- config.json ------------------------------------------------------------------------------ */

static int add_file(struct routes *routes, const struct bundle *b, const char *path,
                    int (*add)(struct routes *, char *, const char *, struct err *), struct err *e)
{
    const struct bundle_file *f = find(b, path);
    struct buf text = BUF_INIT(RULES_MAX);
    size_t at;
    int rc;

    if (!f)
        return 0;
    rc = buf_read_file(&text, f->source, e);
    if (rc == 0 &&
        (!text_is_utf8(buf_str(&text), text.len, &at) || memchr(buf_str(&text), '\0', text.len)))
        rc = err_set(e, ERR_MANIFEST, "%s: is not UTF-8 text", f->source);
    if (rc == 0 && text.len > 0)
        rc = add(routes, text.data, f->source, e);
    buf_release(&text);
    return rc;
}

char *vercel_config(const struct bundle *b, struct err *e)
{
    struct routes routes = {json_array(), json_array()};
    char *text = NULL;

    if (add_file(&routes, b, "_headers", add_headers, e) == 0 &&
        add_file(&routes, b, "_redirects", add_redirects, e) == 0) {
        json_array_append_new(routes.before, json_pack("{s:s}", "handle", "filesystem"));
        json_array_extend(routes.before, routes.after);
        if (find(b, "404.html")) {
            json_array_append_new(routes.before, json_pack("{s:s}", "handle", "error"));
            json_array_append_new(routes.before, json_pack("{s:s, s:s, s:i}", "src", "^.*$", "dest",
                                                           "/404.html", "status", 404));
        }
        size_t n = json_array_size(routes.before);
        json_t *config = json_pack("{s:i, s:O}", "version", 3, "routes", routes.before);
        if (n <= ROUTES_MAX)
            text = json_text(config);
        else
            (void)err_set(e, ERR_MANIFEST,
                          "_headers and _redirects make %zu routes; Vercel takes %d a deployment",
                          n, ROUTES_MAX);
        json_decref(config);
    }
    json_decref(routes.before);
    json_decref(routes.after);
    return text;
}
