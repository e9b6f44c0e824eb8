#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The manifest: what runs where. One YAML file becomes one tree of plain structs, all in one arena.
 * Every string is never NULL unless the comment says so ("" = not given). Life cycle:
 * manifest_load .. manifest_free; read-only in between, so any thread may read it.
 */

struct place { /* where a value stands in the file; line and column count from 1 */
    int line, column;
};

enum app_kind { APP_STATIC, APP_SERVICE, APP_MOBILE };
const char *app_kind_name(enum app_kind k); /* "static", "service", "mobile" */

struct manifest_pair { /* NAME: value, {app} {instance} {environment} not yet expanded */
    const char *name, *value;
    struct place place;
};

struct manifest_app {
    const char *name;
    enum app_kind kind;
    const char *path;        /* folder, relative to the manifest's */
    const char *install;     /* command run once per lock file, "" = none */
    const char *build;       /* command, "" = `output` is there already */
    const char *output;      /* folder inside path that the build leaves; static only */
    const char *workflow;    /* mobile: file name under .eas/workflows, expanded */
    const char *profile;     /* mobile: EAS build profile, expanded */
    const char **instances;  /* at least one; "" is the single unnamed instance */
    size_t n_instances;
    struct manifest_pair *variables; /* given to the build and, for a service, to the running app */
    size_t n_variables;
    int port;                /* service: 1..65535, 0 = not given */
    const char *health;      /* service: path that answers 200, default "/health" */
    const char *commit_field;/* service: dotted JSON member of the health answer, default "commit" */
    int64_t build_timeout_ms;
    struct place place;
};

/* How an environment hosts one kind of app, or one of its stores. Strings may hold $NAME, which
 * secrets_expand resolves; such values are never printed. */
struct manifest_binding {
    const char *platform; /* "cloudflare-pages", ...; "" = this environment has none */
    const char *name;     /* pattern for the project or service */
    const char *account, *team, *token, *region, *plan, *project, *channel, *deploy_hook;
    const char *repository, *image, *dockerfile, *run; /* service source */
    const char *url;      /* where it answers when the platform cannot tell; stores: connection */
    const char *bucket, *key_id, *key_secret; /* storage */
    const char *app_id, *mode; /* expo: UUID; "workflow" | "cli" */
    const char *deploy, *status, *rollback; /* exec: commands */
    const char **extensions;
    size_t n_extensions;
    int version;                     /* database major version, 0 = any */
    struct manifest_pair *variables; /* added to the app's own for this environment */
    size_t n_variables;
    struct place place;
};

struct manifest_environment {
    const char *name, *branch;
    bool manual; /* deploys only when named: trine deploy -e prod */
    struct manifest_binding static_, service, mobile, database, cache, storage;
    const char *env;       /* env file's name put between .env and .env.local, e.g. ".env.uat" */
    const char **secrets;  /* names that must have a value before anything starts */
    size_t n_secrets;
    struct place place;
};

enum check_kind { CHECK_HTTP, CHECK_TLS, CHECK_CORS, CHECK_WEBSOCKET, CHECK_POSTGRES, CHECK_REDIS,
                  CHECK_UPSTASH, CHECK_TCP, CHECK_DNS };
enum check_wake { WAKE_ALWAYS, WAKE_DUE, WAKE_NEVER };

struct manifest_check {
    const char *name;
    enum check_kind kind;
    const char *app;        /* glob over app names it applies to */
    const char *path;       /* http: path and query */
    int64_t every_ms, timeout_ms, slow_ms; /* slow_ms: over it the outcome is "slow"; 0 = none */
    int expect_status;      /* http; 0 = any 2xx */
    const char *expect_body;/* substring that must be there; "" = none */
    enum check_wake wake;
    struct place place;
};

struct manifest_targets { /* D1; 0 = not given. Rates 0..1 */
    int64_t avg_ms, p95_ms, cold_start_ms, db_query_ms;
    double success, uptime;
};

struct manifest_weight {
    const char *environment;
    int weight; /* 0..100 */
};
struct manifest_route {
    const char *name;  /* "api" */
    const char *app;
    struct manifest_weight *weights;
    size_t n_weights;
    const char **backup;
    size_t n_backup;
    struct place place;
};

struct manifest_budget {
    int64_t monthly_cents; /* 0 = not given */
    char currency[4];
    double alert; /* 0..1, default 0.8 */
};

struct manifest_score { /* weights of the production recommendation, each 0..100 */
    int speed, reliability, cost, limits;
};

struct manifest {
    struct arena arena;
    const char *file; /* as given */
    const char *dir;  /* absolute folder of the file */
    const char *project;
    struct manifest_app *apps;
    size_t n_apps;
    struct manifest_environment *environments;
    size_t n_environments;
    struct manifest_check *checks;
    size_t n_checks;
    struct manifest_targets targets;
    struct manifest_route *routes;
    size_t n_routes;
    struct manifest_budget budget;
    struct manifest_score score;
    struct manifest_alert *alerts; /* see manifest/schema.c; kept for later commands */
    size_t n_alerts;
};

/* All problems of one file, each "file:line:column: key: why; did you mean ..." */
struct manifest_problems {
    struct arena arena;
    const char **lines;
    size_t n;    /* kept, at most 200 */
    size_t more; /* counted beyond that */
};
void manifest_problems_release(struct manifest_problems *p);

enum { MANIFEST_MAX_BYTES = 4 << 20, MANIFEST_MAX_DEPLOYMENTS = 100000 };

/* Reads, checks and fills in defaults. On any problem: -1, *e counts them (ERR_MANIFEST) and *p holds
 * them all in file order. */
int manifest_load(const char *path, struct manifest **ret, struct manifest_problems *p, struct err *e);
int manifest_parse(const char *name, const char *dir, const char *text, size_t len,
                   struct manifest **ret, struct manifest_problems *p, struct err *e);
void manifest_free(struct manifest *m);

/* The normal form: every key with its value, defaults included, in the table's order; parsing it
 * gives an equal manifest. No secret value is in it, only $NAMEs. */
struct buf;
void manifest_print(const struct manifest *m, struct buf *out);
/* JSON Schema (2020-12) for editors; and the reference of all keys as mdoc for the man page. */
void manifest_schema_json(struct buf *out);
void manifest_schema_mdoc(struct buf *out);

const struct manifest_environment *manifest_environment_find(const struct manifest *m, const char *name);
const struct manifest_app *manifest_app_find(const struct manifest *m, const char *name);

/* The binding that hosts this kind of app in this environment; platform "" when there is none. */
const struct manifest_binding *manifest_hosting(const struct manifest_environment *env, enum app_kind k);
