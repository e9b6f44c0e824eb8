#include "manifest/manifest.h"

#include "base/buf.h"
#include "base/mem.h"
#include "manifest/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int manifest_parse(/* NOLINT(readability-function-size): seven parameters, none of them optional */
                   const char *name, const char *dir, const char *text, size_t len,
                   struct manifest **ret, struct manifest_problems *p, struct err *e)
{
    struct manifest *m = mem_alloc(sizeof *m);
    struct problem_list problems;
    struct arena tree = ARENA_INIT;
    m->file = arena_strdup(&m->arena, name);
    m->dir = arena_strdup(&m->arena, dir);
    problem_list_init(&problems, name);

    const struct yaml_node *root = NULL;
    if (len > MANIFEST_MAX_BYTES)
        problem_add(&problems, (struct place){0}, "", "is larger than %d MiB",
                    MANIFEST_MAX_BYTES >> 20);
    else
        root = yaml_read(text, len, &tree, &problems);
    if (root) {
        struct reading r = {.m = m, .problems = &problems};
        manifest_read(&r, root);
        manifest_check(&r);
        places_release(&r.places);
        places_release(&r.wrong);
    }
    arena_release(&tree);
    if (problem_list_finish(&problems, p, e)) {
        manifest_free(m);
        return -1;
    }
    *ret = m;
    return 0;
}

/* The absolute folder of the file; the caller frees. */
static char *folder_of(const char *path)
{
    char *real = realpath(path, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    if (!slash) {
        free(real);
        return mem_strdup("/");
    }
    slash[slash == real] = '\0';
    return real;
}

static int refuse_file(struct manifest_problems *p, const struct err *e)
{
    *p = (struct manifest_problems){.n = 1};
    p->lines = arena_array(&p->arena, 1, sizeof *p->lines);
    p->lines[0] = arena_strdup(&p->arena, e->text);
    return -1;
}

int manifest_load(const char *path, struct manifest **ret, struct manifest_problems *p,
                  struct err *e)
{
    struct stat st;
    struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    if (stat(path, &st)) {
        if (errno == ENOENT)
            err_set(
                e, ERR_MANIFEST,
                "%s: there is no such manifest: trine init writes a first one, -f names another",
                path);
        else
            err_errno(e, ERR_MANIFEST, errno, "%s: cannot read the manifest", path);
        return refuse_file(p, e);
    }
    if (S_ISDIR(st.st_mode)) {
        err_set(e, ERR_MANIFEST, "%s: is a folder; name the file in it, such as %s/trine.yaml",
                path, path);
        return refuse_file(p, e);
    }
    /* By its size, so that nothing of a huge file is read. */
    if (st.st_size > MANIFEST_MAX_BYTES) {
        err_set(e, ERR_MANIFEST, "%s: is %lld bytes; a manifest has at most %d MiB", path,
                (long long)st.st_size, MANIFEST_MAX_BYTES >> 20);
        return refuse_file(p, e);
    }
    if (buf_read_file(&text, path, e)) {
        buf_release(&text);
        return refuse_file(p, e);
    }
    char *dir = folder_of(path);
    int result = manifest_parse(path, dir, buf_str(&text), text.len, ret, p, e);
    free(dir);
    buf_release(&text);
    return result;
}

void manifest_free(struct manifest *m)
{
    if (!m)
        return;
    arena_release(&m->arena);
    free(m);
}

const struct manifest_environment *manifest_environment_find(const struct manifest *m,
                                                             const char *name)
{
    for (size_t i = 0; i < m->n_environments; i++)
        if (strcmp(m->environments[i].name, name) == 0)
            return &m->environments[i];
    return NULL;
}

const struct manifest_app *manifest_app_find(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_apps; i++)
        if (strcmp(m->apps[i].name, name) == 0)
            return &m->apps[i];
    return NULL;
}

const struct manifest_binding *manifest_hosting(const struct manifest_environment *env,
                                                enum app_kind k)
{
    switch (k) {
    case APP_STATIC:
        return &env->static_;
    case APP_SERVICE:
        return &env->service;
    case APP_MOBILE:
        return &env->mobile;
    }
    return NULL;
}
