#include "manifest/envfile.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ENV_MAX_BYTES = 1 << 20 };

/* --- The set ---------------------------------------------------------------------------------- */

/* Where `name` is or belongs; true when it is there. */
static bool find(const struct env_set *s, const char *name, size_t len, size_t *ret_at)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *other = s->vars[middle].name;
        int order = strncmp(other, name, len);
        if (order == 0 && other[len])
            order = 1;
        if (order == 0) {
            *ret_at = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_at = low;
    return false;
}

static void put(struct env_set *s, struct env_var var)
{
    size_t at;
    if (!find(s, var.name, strlen(var.name), &at)) {
        if ((s->n & (s->n - 1)) == 0) /* full at each power of two; the arena keeps the old array */
        {
            struct env_var *more = arena_array(&s->arena, s->n ? 2 * s->n : 2, sizeof *more);
            if (s->n)
                memcpy(more, s->vars, s->n * sizeof *more);
            s->vars = more;
        }
        memmove(s->vars + at + 1, s->vars + at, (s->n - at) * sizeof *s->vars);
        s->n++;
    }
    s->vars[at] = var;
}

const char *env_get(const struct env_set *s, const char *name)
{
    size_t at;
    return find(s, name, strlen(name), &at) ? s->vars[at].value : NULL;
}

void env_release(struct env_set *s)
{
    arena_release(&s->arena);
    *s = (struct env_set){0};
}

/* --- Reading a file --------------------------------------------------------------------------- */

struct pair { /* slices of the file's text */
    const char *name, *value;
    size_t name_len, value_len;
    char quote; /* 0, '"', '\'' or '`' */
    int line;
};

struct scan {
    const char *file, *at, *end;
    const char *line_start;
    int line;
    struct err *e;
};

static int refuse(const struct scan *s, const char *at, const char *why)
{
    return err_set(s->e, ERR_MANIFEST, "%s:%d:%d: %s", s->file, s->line,
                   (int)(at - s->line_start) + 1, why);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && is_blank(*s->at))
        s->at++;
}

static void next_line(struct scan *s)
{
    while (s->at < s->end && *s->at != '\n')
        s->at++;
    s->at += s->at < s->end;
    s->line_start = s->at;
    s->line++;
}

static int scan_name(struct scan *s, struct pair *p)
{
    if ((size_t)(s->end - s->at) > 7 && memcmp(s->at, "export", 6) == 0 && is_blank(s->at[6])) {
        s->at += 6;
        skip_blanks(s);
    }
    p->name = s->at;
    p->line = s->line;
    while (s->at < s->end &&
           (isalnum((unsigned char)*s->at) || *s->at == '_' || *s->at == '.' || *s->at == '-'))
        s->at++;
    p->name_len = (size_t)(s->at - p->name);
    if (!p->name_len || isdigit((unsigned char)*p->name))
        return refuse(s, p->name, "no variable's name here; lines are NAME=value or # comment");
    skip_blanks(s);
    if (s->at == s->end || *s->at != '=')
        return refuse(s, s->at, "'=' is missing behind the name; lines are NAME=value");
    s->at++;
    skip_blanks(s);
    return 0;
}

static int scan_bare(struct scan *s, struct pair *p)
{
    p->value = s->at;
    const char *last = s->at; /* behind the last character that is no blank */
    for (; s->at < s->end && *s->at != '\n'; s->at++) {
        if (*s->at == '#' && (s->at == p->value || is_blank(s->at[-1])))
            break;
        /* dotenv would cut the value here without a word. */
        if (*s->at == '#')
            return refuse(s, s->at,
                          "'#' in a value: put the value in quotes, or a blank before "
                          "the comment");
        if (!is_blank(*s->at))
            last = s->at + 1;
    }
    p->value_len = (size_t)(last - p->value);
    return 0;
}

static int scan_quoted(struct scan *s, struct pair *p)
{
    const struct scan opened = *s;
    p->quote = *s->at++;
    p->value = s->at;
    for (; s->at < s->end && *s->at != p->quote; s->at++) {
        if (p->quote == '"' && *s->at == '\\' && s->at + 1 < s->end)
            s->at++;
        if (*s->at == '\n') {
            s->line_start = s->at + 1;
            s->line++;
        }
    }
    if (s->at == s->end)
        return refuse(&opened, opened.at, "the quote is never closed");
    p->value_len = (size_t)(s->at++ - p->value);
    skip_blanks(s);
    if (s->at < s->end && *s->at != '\n' && *s->at != '#')
        return refuse(s, s->at, "more text behind the closing quote");
    return 0;
}

static int scan_pair(struct scan *s, struct pair *p)
{
    if (scan_name(s, p))
        return -1;
    bool quoted = s->at < s->end && (*s->at == '"' || *s->at == '\'' || *s->at == '`');
    return quoted ? scan_quoted(s, p) : scan_bare(s, p);
}

/* --- Values ----------------------------------------------------------------------------------- */

struct reference { /* $NAME, ${NAME} or ${NAME:-otherwise} */
    const char *name, *otherwise;
    size_t name_len, otherwise_len;
    size_t len; /* all of it */
};

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool reference_at(const char *at, const char *end, struct reference *ret)
{
    struct reference r = {0};
    bool braces = at + 1 < end && at[1] == '{';
    r.name = at + 1 + braces;
    const char *rest = r.name;
    while (rest < end && is_name_char(*rest))
        rest++;
    r.name_len = (size_t)(rest - r.name);
    if (!r.name_len || isdigit((unsigned char)*r.name))
        return false;
    if (braces) {
        const char *close = memchr(rest, '}', (size_t)(end - rest));
        if (!close)
            return false;
        if (end - rest >= 2 && rest[0] == ':' && rest[1] == '-') {
            r.otherwise = rest + 2;
            r.otherwise_len = (size_t)(close - r.otherwise);
        } else if (close != rest) {
            return false;
        }
        rest = close + 1;
    }
    r.len = (size_t)(rest - at);
    *ret = r;
    return true;
}

static char unescape(char c)
{
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

/* Appends the value with references resolved. keep_unknown: those without a value stay as they are.
 */
static void expand(const struct env_set *known, const char *text, size_t len, char quote,
                   bool keep_unknown, struct buf *out)
{
    const char *end = text + len;
    for (const char *at = text; at < end;) {
        struct reference r;
        size_t found;
        bool escape = *at == '\\' && at + 1 < end;
        if (escape && (at[1] == '$' || (quote == '"' && strchr("nrt\\\"", at[1])))) {
            buf_addc(out, unescape(at[1]));
            at += 2;
        } else if (*at == '$' && reference_at(at, end, &r)) {
            if (find(known, r.name, r.name_len, &found))
                buf_adds(out, known->vars[found].value);
            else if (r.otherwise)
                buf_add(out, r.otherwise, r.otherwise_len);
            else if (keep_unknown)
                buf_add(out, at, r.len);
            at += r.len;
        } else {
            buf_addc(out, *at++);
        }
    }
}

static int put_pair(const char *file, const struct pair *p, struct env_set *s, struct err *e)
{
    struct buf value = BUF_INIT(ENV_MAX_BYTES);
    if (p->quote == '\'' || p->quote == '`')
        buf_add(&value, p->value, p->value_len);
    else
        expand(s, p->value, p->value_len, p->quote, false, &value);
    if (buf_over(&value)) {
        buf_release(&value);
        return err_set(e, ERR_MANIFEST, "%s:%d:1: the value grows over %d MiB once expanded", file,
                       p->line, ENV_MAX_BYTES >> 20);
    }
    put(s, (struct env_var){arena_strndup(&s->arena, p->name, p->name_len),
                            arena_strdup(&s->arena, buf_str(&value)),
                            arena_printf(&s->arena, "%s:%d", file, p->line)});
    if (value.data)
        explicit_bzero(value.data, value.len);
    buf_release(&value);
    return 0;
}

static int check_text(const char *name, const char *text, size_t len, struct err *e)
{
    size_t bad = 0;
    const char *why = "not valid UTF-8";
    if (len > ENV_MAX_BYTES)
        return err_set(e, ERR_MANIFEST, "%s: is larger than %d MiB", name, ENV_MAX_BYTES >> 20);
    if (text_is_utf8(text, len, &bad)) {
        const char *nul = len ? memchr(text, '\0', len) : NULL;
        if (!nul)
            return 0;
        bad = (size_t)(nul - text);
        why = "a NUL character";
    }
    int line = 1;
    size_t start = 0;
    for (size_t i = 0; i < bad; i++)
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    return err_set(e, ERR_MANIFEST, "%s:%d:%zu: %s", name, line, bad - start + 1, why);
}

int env_parse(const char *name, const char *text, size_t len, struct env_set *ret, struct err *e)
{
    if (check_text(name, text, len, e))
        return -1;
    struct scan s = {name, text, text + len, text, 1, e};
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) /* byte order mark */
        s.at = s.line_start = text + 3;
    struct pair *pairs = NULL;
    size_t n = 0, cap = 0;
    int bad = 0;
    while (!bad && s.at < s.end) {
        skip_blanks(&s);
        if (s.at < s.end && *s.at != '\n' && *s.at != '#') {
            if (n == cap) {
                cap = cap ? 2 * cap : 32;
                pairs = mem_grow(pairs, cap, sizeof *pairs);
            }
            pairs[n] = (struct pair){0};
            bad = scan_pair(&s, &pairs[n++]);
        }
        next_line(&s);
    }
    /* Into a copy, so that a value that grows too large leaves *ret as it was. */
    struct env_set grown = *ret;
    grown.vars = arena_array(&grown.arena, ret->n ? 2 * ret->n : 2, sizeof *grown.vars);
    if (ret->n)
        memcpy(grown.vars, ret->vars, ret->n * sizeof *grown.vars);
    for (size_t i = 0; !bad && i < n; i++)
        bad = put_pair(name, &pairs[i], &grown, e);
    free(pairs);
    ret->arena = grown.arena;
    if (!bad)
        *ret = grown;
    return bad;
}

/* --- Layers ----------------------------------------------------------------------------------- */

/* Adds the file when it is there. 1 = it is, 0 = it is not, -1 = it cannot be read. */
static int add_file(const char *dir, const char *name, struct env_set *s, struct err *e)
{
    struct stat st;
    struct buf text = BUF_INIT(ENV_MAX_BYTES);
    char *path = mem_printf("%s/%s", dir, name);
    int result = 0;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        result = 1;
        if (buf_read_file(&text, path, e) || env_parse(path, buf_str(&text), text.len, s, e))
            result = -1;
    }
    buf_release(&text);
    free(path);
    return result;
}

/* NAME and NAME.local; the result says whether NAME is there. */
static int add_two(const char *dir, const char *name, struct env_set *s, struct err *e)
{
    char local[300];
    int there = add_file(dir, name, s, e);
    snprintf(local, sizeof local, "%s.local", name);
    return there < 0 || add_file(dir, local, s, e) < 0 ? -1 : there;
}

static int add_folder(const struct cell *c, const char *dir, struct env_set *s, bool *ret_named,
                      struct err *e)
{
    char name[280];
    if (add_two(dir, ".env", s, e) < 0)
        return -1;
    snprintf(name, sizeof name, ".env.%s", c->env->name);
    int there = add_two(dir, *c->env->env ? c->env->env : name, s, e);
    if (there < 0)
        return -1;
    *ret_named = *ret_named || there;
    snprintf(name, sizeof name, ".env.%s", c->instance);
    return *c->instance && add_two(dir, name, s, e) < 0 ? -1 : 0;
}

static int add_variables(const struct manifest *m, const struct cell *c,
                         const struct manifest_pair *pairs, size_t n, struct env_set *s)
{
    for (size_t i = 0; i < n; i++) {
        struct buf value = BUF_INIT(ENV_MAX_BYTES);
        const char *text = cell_expand(m, c, pairs[i].value, &s->arena);
        expand(s, text, strlen(text), 0, true, &value);
        bool over = buf_over(&value);
        put(s, (struct env_var){arena_strdup(&s->arena, pairs[i].name),
                                arena_strdup(&s->arena, buf_str(&value)), "manifest"});
        buf_release(&value);
        if (over)
            return -1;
    }
    return 0;
}

static int add_layers(const struct manifest *m, const struct cell *c, const char *folder,
                      struct env_set *s, struct err *e)
{
    bool named = false;

    if (add_folder(c, m->dir, s, &named, e))
        return -1;
    if (strcmp(c->app->path, ".") != 0 && add_folder(c, folder, s, &named, e))
        return -1;
    if (*c->env->env && !named)
        return err_set(e, ERR_MANIFEST,
                       "%s:%d:%d: environments.%s.env: %s is neither in %s nor in %s", m->file,
                       c->env->place.line, c->env->place.column, c->env->name, c->env->env, m->dir,
                       folder);
    if (add_variables(m, c, c->app->variables, c->app->n_variables, s) ||
        add_variables(m, c, c->binding->variables, c->binding->n_variables, s))
        return err_set(e, ERR_MANIFEST, "%s: %s: a variable grows over %d MiB once expanded",
                       m->file, c->app->name, ENV_MAX_BYTES >> 20);
    return 0;
}

/* Thousands of deployments may each keep such a set: one without variables holds no memory. */
int env_layered(const struct manifest *m, const struct cell *c, struct env_set *ret, struct err *e)
{
    struct env_set s = {0};
    char *folder = mem_printf("%s/%s", m->dir, c->app->path);
    int rc = add_layers(m, c, folder, &s, e);

    free(folder);
    if (rc < 0)
        env_release(&s);
    else
        *ret = s;
    return rc;
}
