#include "manifest/secrets.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "manifest/envfile.h"
#include "manifest/problems.h"
#include "manifest/schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_MIN_BYTES = 4 }; /* shorter values cannot be kept out of a log (base/redact.h) */

struct secrets {
    struct redactor *redactor;
    struct env_set files;
    char **registered; /* names whose values the redactor knows */
    size_t n, cap;
};

struct secrets *secrets_new(struct redactor *r)
{
    struct secrets *s = mem_alloc(sizeof *s);
    s->redactor = r;
    return s;
}

static void wipe(const char *value)
{
    explicit_bzero((char *)(uintptr_t)value, strlen(value)); /* ours, const only to readers */
}

void secrets_free(struct secrets *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->files.n; i++)
        wipe(s->files.vars[i].value);
    env_release(&s->files);
    for (size_t i = 0; i < s->n; i++)
        free(s->registered[i]);
    free(s->registered);
    free(s);
}

int secrets_load_file(struct secrets *s, const char *path, struct err *e)
{
    struct buf text = BUF_INIT(1 << 20);
    int result = buf_read_file(&text, path, e);
    if (result == 0)
        result = env_parse(path, buf_str(&text), text.len, &s->files, e);
    if (text.data)
        explicit_bzero(text.data, text.len);
    buf_release(&text);
    return result;
}

/* Once a name: the same value would otherwise be added for each request. */
static void register_value(struct secrets *s, const char *name, const char *value)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->registered[i], name) == 0)
            return;
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->registered = mem_grow(s->registered, s->cap, sizeof *s->registered);
    }
    s->registered[s->n++] = mem_strdup(name);
    if (s->redactor)
        redactor_add(s->redactor, name, value);
}

const char *secrets_get(struct secrets *s, const char *name)
{
    const char *value = env_get(&s->files, name);
    if (!value || !*value)
        value = getenv(name);
    if (!value || !*value)
        return NULL;
    register_value(s, name, value);
    return value;
}

/* --- $NAME in text ---------------------------------------------------------------------------- */

/* The name of the reference at `at` ("$NAME" or "${NAME}") in the arena, and its whole length; NULL
 * when the '$' is an ordinary character. */
static const char *reference_at(const char *at, struct arena *a, size_t *ret_len)
{
    bool braces = at[1] == '{';
    const char *name = at + 1 + braces;
    size_t len = 0;
    while (isalnum((unsigned char)name[len]) || name[len] == '_')
        len++;
    if (!len || isdigit((unsigned char)*name) || (braces && name[len] != '}'))
        return NULL;
    *ret_len = 1 + len + (braces ? 2 : 0);
    return arena_strndup(a, name, len);
}

int secrets_expand(struct secrets *s, const char *text, const char *where, struct arena *a,
                   const char **ret, struct err *e)
{
    struct buf out = BUF_INIT(MANIFEST_MAX_BYTES);
    int result = 0;
    while (*text && result == 0) {
        size_t len = 1;
        const char *name = *text == '$' ? reference_at(text, a, &len) : NULL;
        const char *value = name ? secrets_get(s, name) : NULL;
        if (name && !value)
            result = err_set(e, ERR_MANIFEST,
                             "%s needs $%s, which has no value; set it in the environment or in a "
                             "file given with --env-file",
                             where, name);
        else if (name)
            buf_adds(&out, value);
        else
            buf_addc(&out, *text);
        text += len;
    }
    if (result == 0 && buf_over(&out))
        result = err_set(e, ERR_MANIFEST, "%s is too long once its $NAMEs are replaced", where);
    if (result == 0)
        *ret = arena_strndup(a, buf_str(&out), out.len);
    if (out.data)
        explicit_bzero(out.data, out.len);
    buf_release(&out);
    return result;
}

/* --- Are all there? --------------------------------------------------------------------------- */

struct check {
    struct secrets *secrets;
    struct problem_list problems;
    struct arena arena;
    const char **seen; /* each name is told of once */
    size_t n, cap;
};

static bool seen_before(struct check *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->seen[i], name) == 0)
            return true;
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 32;
        c->seen = mem_grow(c->seen, c->cap, sizeof *c->seen);
    }
    c->seen[c->n++] = name;
    return false;
}

static void check_name_of(struct check *c, struct place at, const char *key, const char *name)
{
    if (seen_before(c, name))
        return;
    const char *value = secrets_get(c->secrets, name);
    if (!value)
        problem_add(&c->problems, at, key,
                    "secret %s has no value; set it in the environment or in a file given with "
                    "--env-file",
                    name);
    else if (strlen(value) < SECRET_MIN_BYTES)
        problem_add(&c->problems, at, key,
                    "secret %s is shorter than %d bytes, too short to be kept out of logs", name,
                    SECRET_MIN_BYTES);
}

static void check_text(struct check *c, struct place at, const char *key, const char *text)
{
    while (*text) {
        size_t len = 1;
        const char *name = *text == '$' ? reference_at(text, &c->arena, &len) : NULL;
        if (name)
            check_name_of(c, at, key, name);
        text += len;
    }
}

/* Every string of the binding that may hold $NAME, by the table. */
static void check_binding(struct check *c, const char *environment, const struct key *group,
                          const struct manifest_binding *b)
{
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        if (!(row->in & SCOPE_BIT(group->of)) || row->type != KEY_STRING ||
            row->dollar != DOLLAR_NAME)
            continue;
        const char *text;
        memcpy(&text, (const char *)b + row->at, sizeof text);
        check_text(
            c, b->place,
            arena_printf(&c->arena, "environments.%s.%s.%s", environment, group->name, row->name),
            text);
    }
    for (size_t i = 0; i < b->n_variables; i++)
        check_text(c, b->variables[i].place,
                   arena_printf(&c->arena, "environments.%s.%s.variables.%s", environment,
                                group->name, b->variables[i].name),
                   b->variables[i].value);
}

static void check_environment(struct check *c, const struct manifest_environment *env)
{
    const char *key = arena_printf(&c->arena, "environments.%s.secrets", env->name);
    for (size_t i = 0; i < env->n_secrets; i++)
        check_name_of(c, env->place, key, env->secrets[i]);
    for (size_t i = 0; i < schema_n_keys; i++) {
        const struct key *row = &schema_keys[i];
        if (!(row->in & SCOPE_BIT(SCOPE_ENVIRONMENT)) || row->type != KEY_GROUP)
            continue;
        const void *binding = (const char *)env + row->at;
        check_binding(c, env->name, row, binding);
    }
}

int secrets_check(struct secrets *s, const struct manifest *m,
                  const struct manifest_environment *const *envs, size_t n,
                  struct manifest_problems *p, struct err *e)
{
    struct check c = {.secrets = s};
    problem_list_init(&c.problems, m->file);
    for (size_t i = 0; i < n; i++)
        check_environment(&c, envs[i]);
    int result = problem_list_finish(&c.problems, p, e);
    free(c.seen);
    arena_release(&c.arena);
    return result;
}
