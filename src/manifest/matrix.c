#include "manifest/matrix.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* --- Patterns -----------------------------------------------------------------------------------
 */

struct word {
    const char *text; /* "{app}" */
    const char *value;
};

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.' || c == '/';
}

/* The word that stands at `at`, NULL when there is none. */
static const struct word *word_at(const struct word *words, const char *at)
{
    for (; words->text; words++)
        if (strncmp(at, words->text, strlen(words->text)) == 0)
            return words;
    return NULL;
}

static size_t expanded_bound(const struct word *words, const char *pattern)
{
    size_t bound = 1;
    for (const char *at = pattern; *at; at++) {
        const struct word *word = *at == '{' ? word_at(words, at) : NULL;
        bound += word ? strlen(word->value) : 1;
    }
    return bound + strlen(pattern);
}

const char *cell_expand(const struct manifest *m, const struct cell *c, const char *pattern,
                        struct arena *a)
{
    if (!strchr(pattern, '{'))
        return arena_strdup(a, pattern);
    const struct word words[] = {{"{app}", c->app ? c->app->name : ""},
                                 {"{instance}", c->instance ? c->instance : ""},
                                 {"{environment}", c->env ? c->env->name : ""},
                                 {"{project}", m->project},
                                 {"{branch}", c->env ? c->env->branch : ""},
                                 {NULL, NULL}};
    char *ret = arena_alloc(a, expanded_bound(words, pattern));
    size_t len = 0;
    for (const char *at = pattern; *at;) {
        const struct word *word = *at == '{' ? word_at(words, at) : NULL;
        if (!word) {
            ret[len++] = *at++;
            continue;
        }
        at += strlen(word->text);
        size_t n = strlen(word->value);
        memcpy(ret + len, word->value, n);
        len += n;
        /* An absent value takes one separator with it: the one before, else the one after. */
        if (n == 0 && len && is_separator(ret[len - 1]) && (!*at || is_separator(*at)))
            len--;
        else if (n == 0 && len == 0 && is_separator(*at))
            at++;
    }
    ret[len] = '\0';
    return ret;
}

/* --- The matrix ---------------------------------------------------------------------------------
 */

static bool wanted_app(const struct matrix_filter *f, const struct manifest_app *app,
                       const char *instance)
{
    char name[160]; /* two names of at most 63 */
    if (!f || !f->app || text_glob(f->app, app->name))
        return true;
    if (!*instance)
        return false;
    snprintf(name, sizeof name, "%s/%s", app->name, instance);
    return text_glob(f->app, name);
}

static int find_environments(const struct manifest *m, const struct matrix_filter *f, bool *wanted,
                             struct err *e)
{
    if (!f || !f->environments) {
        for (size_t i = 0; i < m->n_environments; i++)
            wanted[i] = !m->environments[i].manual;
        return 0;
    }
    for (size_t i = 0; i < f->n_environments; i++) {
        const struct manifest_environment *env = manifest_environment_find(m, f->environments[i]);
        if (env) {
            wanted[env - m->environments] = true;
            continue;
        }
        struct arena a = ARENA_INIT;
        const char **names = arena_array(&a, m->n_environments + 1, sizeof *names);
        for (size_t j = 0; j < m->n_environments; j++)
            names[j] = m->environments[j].name;
        const char *meant = text_did_you_mean(f->environments[i], names, m->n_environments);
        err_set(e, ERR_USAGE, "%s has no environment \"%s\"%s%s%s", m->file, f->environments[i],
                meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
        arena_release(&a);
        return -1;
    }
    return 0;
}

static size_t count_instances(const struct manifest *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_apps; i++)
        n += m->apps[i].n_instances;
    return n;
}

static void add_app(const struct manifest *m, const struct matrix_filter *f,
                    const struct manifest_environment *env, const struct manifest_app *app,
                    struct matrix *x)
{
    for (size_t i = 0; i < app->n_instances; i++) {
        if (!wanted_app(f, app, app->instances[i]))
            continue;
        struct cell *c = &x->cells[x->n++];
        *c = (struct cell){.env = env,
                           .app = app,
                           .instance = app->instances[i],
                           .binding = manifest_hosting(env, app->kind)};
        c->name = cell_expand(m, c, c->binding->name, &x->arena);
    }
}

int matrix_build(const struct manifest *m, const struct matrix_filter *f, struct matrix *ret,
                 struct err *e)
{
    struct matrix x = {0};
    bool *wanted = arena_array(&x.arena, m->n_environments + 1, sizeof *wanted);
    if (find_environments(m, f, wanted, e)) {
        arena_release(&x.arena);
        return -1;
    }
    size_t n_wanted = 0;
    for (size_t i = 0; i < m->n_environments; i++)
        n_wanted += wanted[i];
    x.cells = arena_array(&x.arena, n_wanted * count_instances(m) + 1, sizeof *x.cells);
    for (size_t i = 0; i < m->n_environments; i++)
        for (size_t j = 0; wanted[i] && j < m->n_apps; j++)
            add_app(m, f, &m->environments[i], &m->apps[j], &x);
    if (x.n == 0 && f && f->app) {
        err_set(e, ERR_USAGE, "no app in %s matches \"%s\"; `trine validate -v` lists them",
                m->file, f->app);
        arena_release(&x.arena);
        return -1;
    }
    *ret = x;
    return 0;
}

void matrix_release(struct matrix *x)
{
    arena_release(&x->arena);
    *x = (struct matrix){0};
}
