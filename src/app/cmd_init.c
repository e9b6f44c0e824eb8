#include "app/app.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* trine init: looks at the folder and writes a first manifest. It guesses only what files say: a
 * package.json with Vite is a static app, one with Expo a mobile app, a Dockerfile a service. */

enum { MOST_APPS = 64, DEEPEST = 4, MOST_PACKAGE = 1 << 20 };

struct found {
    enum app_kind kind;
    char name[64];
    char path[PATH_MAX]; /* relative */
};

struct search {
    const char *root;
    struct found apps[MOST_APPS];
    size_t n;
};

static char safe_character(unsigned char c)
{
    return isalnum(c) ? (char)tolower(c) : '-';
}

/* A name in the manifest's alphabet: lower-case letters, digits, single hyphens inside. */
static void safe_name(const char *from, char ret[64])
{
    size_t n = 0;

    for (; *from && n < 62; from++) {
        char c = safe_character((unsigned char)*from);
        if (c != '-' || (n > 0 && ret[n - 1] != '-'))
            ret[n++] = c;
    }
    if (n > 0 && ret[n - 1] == '-')
        n--;
    ret[n] = '\0';
    if (n == 0)
        (void)snprintf(ret, 64, "app");
}

static bool has_file(const struct search *s, const char *dir, const char *name)
{
    char path[2 * PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s/%s", s->root, dir, name);
    return access(path, R_OK) == 0;
}

static bool depends_on(const json_t *package, const char *name)
{
    return json_object_get(json_object_get(package, "dependencies"), name) ||
           json_object_get(json_object_get(package, "devDependencies"), name);
}

static json_t *read_package(const struct search *s, const char *dir)
{
    char path[2 * PATH_MAX];
    struct buf b = BUF_INIT(MOST_PACKAGE);
    struct err e = ERR_INIT;

    (void)snprintf(path, sizeof(path), "%s/%s/package.json", s->root, dir);
    json_t *package = buf_read_file(&b, path, &e) == 0 ? json_read(b.data, b.len, path, &e) : NULL;
    buf_release(&b);
    return package;
}

static bool taken(const struct search *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->apps[i].name, name) == 0)
            return true;
    return false;
}

static void add(struct search *s, const char *dir, enum app_kind kind)
{
    const char *base = strrchr(dir, '/');
    char real[PATH_MAX];
    struct found *f = &s->apps[s->n];

    if (s->n == MOST_APPS)
        return;
    if (strcmp(dir, ".") == 0 && realpath(s->root, real)) {
        const char *last = strrchr(real, '/');
        safe_name(last ? last + 1 : real, f->name);
    } else {
        safe_name(base ? base + 1 : dir, f->name);
    }
    if (taken(s, f->name))
        safe_name(dir, f->name);
    f->kind = kind;
    (void)snprintf(f->path, sizeof(f->path), "%s", dir);
    s->n++;
}

/* What one folder is; true when it is an app and need not be searched further. */
static bool classify(struct search *s, const char *dir)
{
    json_t *package = read_package(s, dir);
    bool is = true;

    if (package && depends_on(package, "expo"))
        add(s, dir, APP_MOBILE);
    else if (package && depends_on(package, "vite"))
        add(s, dir, APP_STATIC);
    else if (has_file(s, dir, "Dockerfile"))
        add(s, dir, APP_SERVICE);
    else
        is = false;
    json_decref(package);
    return is;
}

static int worth_a_look(const struct dirent *d)
{
    static const char *const never[] = {"node_modules", "dist", "build", "vendor", "target"};

    if (d->d_name[0] == '.' || (d->d_type != DT_DIR && d->d_type != DT_UNKNOWN))
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (strcmp(d->d_name, never[i]) == 0)
            return false;
    return true;
}

static void look(struct search *s, const char *dir, int depth)
{
    char path[2 * PATH_MAX], below[PATH_MAX];
    struct dirent **entries = NULL;

    if (classify(s, dir) || depth == DEEPEST)
        return;
    (void)snprintf(path, sizeof(path), "%s/%s", s->root, dir);
    int n = scandir(path, &entries, worth_a_look, alphasort);
    for (int i = 0; i < n; i++) {
        int len = strcmp(dir, ".") == 0
                      ? snprintf(below, sizeof(below), "%s", entries[i]->d_name)
                      : snprintf(below, sizeof(below), "%s/%s", dir, entries[i]->d_name);
        if (len > 0 && (size_t)len < sizeof(below))
            look(s, below, depth + 1);
        free(entries[i]);
    }
    free(entries);
}

static void write_app(struct buf *b, const struct found *f)
{
    buf_addf(b, "  %s:\n    kind: %s\n    path: %s\n", f->name, app_kind_name(f->kind), f->path);
    switch (f->kind) {
    case APP_STATIC:
        buf_adds(b, "    install: npm ci\n    build: npm run build\n    output: dist\n");
        break;
    case APP_SERVICE:
        buf_adds(b, "    port: 8080        # where the service listens\n"
                    "    health: /health   # answers 200 and JSON with the running commit\n");
        break;
    case APP_MOBILE:
        buf_adds(b, "    instances: [ios, android]\n    workflow: build-{instance}.yml\n");
        break;
    }
}

static bool any(const struct search *s, enum app_kind kind)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->apps[i].kind == kind)
            return true;
    return false;
}

static void write_manifest(struct buf *b, const char *project, const struct search *s)
{
    buf_addf(b,
             "# What runs where. Check it with: trine validate. All keys: trine man\n"
             "project: %s\n\napps:\n",
             project);
    for (size_t i = 0; i < s->n; i++)
        write_app(b, &s->apps[i]);
    buf_adds(b, "\nenvironments:\n  uat:\n    branch: develop\n");
    if (any(s, APP_STATIC))
        buf_adds(b, "    static:\n      platform: cloudflare-pages\n"
                    "      name: \"{project}-{environment}-{app}\"\n"
                    "      token: $CLOUDFLARE_API_TOKEN\n      account: $CLOUDFLARE_ACCOUNT_ID\n");
    if (any(s, APP_SERVICE))
        buf_adds(
            b,
            "    service:\n      platform: koyeb\n      name: \"{project}-{environment}-{app}\"\n"
            "      token: $KOYEB_TOKEN\n"
            "      repository: github.com/you/your-repository\n");
    if (any(s, APP_MOBILE))
        buf_adds(b, "    mobile:\n      platform: expo\n      name: "
                    "\"{project}-{environment}-{app}-{instance}\"\n"
                    "      channel: uat\n      token: $EXPO_TOKEN\n"
                    "      app_id: 00000000-0000-0000-0000-000000000000   # from app.json\n");
    if (any(s, APP_STATIC) || any(s, APP_SERVICE))
        buf_adds(b, "\nchecks:\n");
    if (any(s, APP_STATIC))
        buf_adds(b, "  front: { kind: http, path: /, every: 60s }\n");
    buf_adds(b, "\ntargets: { avg: 500ms, p95: 1000ms, success: 99%, uptime: 99.9% }\n");
}

/* What was written must be what the other commands accept. */
static int prove(const char *name, const struct buf *b, struct err *e)
{
    struct manifest_problems problems = {0};
    struct manifest *m = NULL;
    int rc = manifest_parse(name, "/", buf_str(b), b->len, &m, &problems, e);

    for (size_t i = 0; i < problems.n; i++)
        (void)fprintf(stderr, "%s\n", problems.lines[i]);
    manifest_problems_release(&problems);
    manifest_free(m);
    return rc;
}

static int write_out(const struct app *a, const char *path, struct buf *b, struct err *e)
{
    if (a->o.dry_run)
        return app_print(a, b, e);
    if (access(path, F_OK) == 0 && !a->o.force)
        return err_set(e, ERR_USAGE, "%s is there already; --force writes over it", path);
    if (file_write_atomic(path, buf_str(b), b->len, 0644, e) < 0)
        return -1;
    app_say(a, "wrote %s; fill in the comments, then: trine validate", path);
    return 0;
}

int cmd_init(struct app *a, struct err *e)
{
    const char *path = a->o.output ? a->o.output : a->o.file;
    struct search *s = mem_alloc(sizeof(*s));
    struct buf b = BUF_INIT(1 << 20);
    char project[64], real[PATH_MAX];
    int rc = -1;

    s->root = ".";
    look(s, ".", 0);
    if (s->n == 0) {
        (void)err_set(e, ERR_NO,
                      "no app found here or up to %d folders below: looked for "
                      "package.json with vite or expo, and Dockerfile; run it at the root of your "
                      "apps, or write trine.yaml by hand (README.md has a short one, trine man "
                      "explains every key)",
                      DEEPEST);
    } else if (!realpath(".", real)) {
        (void)err_errno(e, ERR_STORE, errno, "the current folder");
    } else {
        const char *last = strrchr(real, '/');
        safe_name(last ? last + 1 : real, project);
        write_manifest(&b, project, s);
        rc = prove(path, &b, e);
        if (rc == 0)
            rc = write_out(a, path, &b, e);
    }
    buf_release(&b);
    free(s);
    return rc;
}
