#include "sites.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/*
 * _headers and _redirects as Cloudflare Pages and Netlify document them: one rule a line, '#'
 * begins a comment, ':name' matches a part of the path and '*' any rest.
 */
enum { WORDS_MAX = 8, LINES_OF_RULE = 64 };

/* --- Patterns -------------------------------------------------------------------------------- */

static size_t name_length(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || p[n] == '_')
        n++;
    return n;
}

static void capture_add(struct captures *found, const char *name, size_t name_len, const char *text,
                        size_t len)
{
    if (found->n < CAPTURES_MAX)
        found->list[found->n++] =
            (struct capture){.name = name, .name_len = name_len, .text = text, .len = len};
}

static bool match_from(const char *pattern, const char *path, struct captures *found);

/* A splat takes as much as the rest of the pattern leaves. */
static bool match_splat(const char *pattern, const char *path, struct captures *found)
{
    size_t before = found->n;

    for (size_t len = strlen(path) + 1; len-- > 0;) {
        found->n = before;
        capture_add(found, "splat", 5, path, len);
        if (match_from(pattern + 1, path + len, found))
            return true;
    }
    return false;
}

static bool match_from(const char *pattern, const char *path, struct captures *found)
{
    while (*pattern) {
        size_t name_len = *pattern == ':' ? name_length(pattern + 1) : 0;

        if (*pattern == '*')
            return match_splat(pattern, path, found);
        if (name_len > 0) {
            size_t len = strcspn(path, "/");

            if (len == 0)
                return false;
            capture_add(found, pattern + 1, name_len, path, len);
            pattern += 1 + name_len;
            path += len;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

bool rules_match(const char *pattern, const char *path, struct captures *ret)
{
    size_t len = strlen(pattern);

    ret->n = 0;
    if (match_from(pattern, path, ret))
        return true;
    ret->n = 0;
    /* "/dir/ *" also stands for "/dir" itself. */
    if (len > 2 && strcmp(pattern + len - 2, "/*") == 0 && strlen(path) == len - 2 &&
        strncmp(pattern, path, len - 2) == 0) {
        capture_add(ret, "splat", 5, "", 0);
        return true;
    }
    return false;
}

static const struct capture *capture_named(const struct captures *found, const char *name,
                                           size_t len)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct capture *c = &found->list[i];

        if (c->name && c->name_len == len && strncmp(c->name, name, len) == 0)
            return c;
    }
    return NULL;
}

const char *rules_fill(struct arena *arena, const char *to, const struct captures *found)
{
    struct buf out = BUF_INIT(16 << 10);
    const char *filled;

    while (*to) {
        size_t len = *to == ':' || *to == '$' ? name_length(to + 1) : 0;
        const struct capture *c = len ? capture_named(found, to + 1, len) : NULL;

        if (!c && *to == '$' && isdigit((unsigned char)to[1])) {
            size_t number = (size_t)(to[1] - '0');

            len = 1;
            c = number >= 1 && number <= found->n ? &found->list[number - 1] : NULL;
        }
        if (c) {
            buf_add(&out, c->text, c->len);
            to += 1 + len;
        } else {
            buf_addc(&out, *to++);
        }
    }
    filled = arena_strndup(arena, buf_str(&out), out.len);
    buf_release(&out);
    return filled;
}

/* --- Lines ----------------------------------------------------------------------------------- */

static size_t split_words(char *line, char *words[WORDS_MAX])
{
    size_t n = 0;
    char *word;

    while (n < WORDS_MAX && (word = strsep(&line, " \t"))) {
        if (*word == '#')
            break;
        if (*word)
            words[n++] = word;
    }
    return n;
}

/* The status word: "301", "200!"; 0 when it is none. */
static int status_of(const char *word, bool *ret_force)
{
    char digits[8];
    int64_t status;
    size_t len = strlen(word);

    *ret_force = len > 0 && word[len - 1] == '!';
    if (!text_copy(digits, sizeof(digits), word))
        return 0;
    if (*ret_force)
        digits[len - 1] = '\0';
    return text_int(digits, 100, 599, &status) == 0 ? (int)status : 0;
}

/* from [parameters] to [status[!]] [conditions]: `to` is the first word behind that begins as one.
 */
static struct redirect *redirect_of(struct arena *arena, char *line)
{
    char *words[WORDS_MAX];
    size_t n = split_words(line, words), to = 1;
    struct redirect *rule;

    while (to < n && words[to][0] != '/' && !strstr(words[to], "://"))
        to++;
    if (to >= n || words[0][0] != '/')
        return NULL;
    rule = arena_alloc(arena, sizeof(*rule));
    rule->from = words[0];
    rule->to = words[to];
    rule->status = to + 1 < n ? status_of(words[to + 1], &rule->force) : 0;
    return rule;
}

struct redirect *rules_redirects(struct arena *arena, const char *text)
{
    char *rest = arena_strdup(arena, text), *line;
    struct redirect *first = NULL, **end = &first;

    while (rest && (line = strsep(&rest, "\r\n"))) {
        struct redirect *rule = redirect_of(arena, line);

        if (!rule)
            continue;
        *end = rule;
        end = &rule->next;
    }
    return first;
}

static char *trim(char *s)
{
    size_t len;

    s += strspn(s, " \t");
    len = strlen(s);
    while (len > 0 && isspace((unsigned char)s[len - 1]))
        s[--len] = '\0';
    return s;
}

/* "Name: value" into the rule's list; a line without colon is ignored, as the platforms do. */
static void header_line(struct arena *arena, struct header_rule *rule, char *line)
{
    char *colon = strchr(line, ':');
    const char **lines = arena_array(arena, LINES_OF_RULE, sizeof(*lines));
    size_t n = 0;

    if (!colon || colon == line)
        return;
    *colon = '\0';
    while (rule->lines && rule->lines[n]) {
        lines[n] = rule->lines[n];
        n++;
    }
    if (n + 3 > LINES_OF_RULE)
        return;
    lines[n] = trim(line);
    lines[n + 1] = trim(colon + 1);
    rule->lines = lines;
}

struct header_rule *rules_headers(struct arena *arena, const char *text)
{
    char *rest = arena_strdup(arena, text), *line;
    struct header_rule *first = NULL, **end = &first, *now = NULL;

    while (rest && (line = strsep(&rest, "\r\n"))) {
        bool indented = *line == ' ' || *line == '\t';
        char *words = trim(line);

        if (*words == '\0' || *words == '#')
            continue;
        if (indented && now) {
            header_line(arena, now, words);
        } else if (!indented) {
            now = arena_alloc(arena, sizeof(*now));
            now->pattern = words;
            *end = now;
            end = &now->next;
        }
    }
    return first;
}
