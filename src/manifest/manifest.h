#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The manifest: what runs where. One YAML file becomes one tree of plain structs, all in one arena.
 * Every string is never NULL unless the comment says so ("" = not given); a number, duration or
 * time that was not given and has no default is 0. What each key means to its user, its range and
 * its default stand in one table, manifest/schema.c. Life cycle: manifest_load .. manifest_free;
 * read-only in between, so any thread may read it.
 */

struct place { /* where a value stands in the file; line and column count from 1 */
    int line, column;
};

enum app_kind { APP_STATIC, APP_SERVICE, APP_MOBILE };
const char *app_kind_name(enum app_kind k); /* "static", "service", "mobile" */

struct manifest_pair { /* NAME: value; {app} {instance} {environment} not yet expanded */
    const char *name, *value;
    struct place place;
};

struct manifest_app {
    const char *name;
    enum app_kind kind;
    const char *path;       /* folder, relative to the manifest's */
    const char *install;    /* command run once per lock file, "" = none */
    const char *build;      /* command, "" = `output` is there already */
    const char *migrate;    /* service: command run once before a release, "" = none */
    const char *output;     /* folder inside path that the build leaves; static only */
    const char *workflow;   /* mobile: file name under .eas/workflows, expanded */
    const char *profile;    /* mobile: EAS build profile, expanded */
    const char **instances; /* at least one; "" is the single unnamed instance */
    size_t n_instances;
    struct manifest_pair *variables; /* given to the build and, for a service, to the running app */
    size_t n_variables;
    int port;           /* service: 1..65535, 0 = not given */
    const char *health; /* service: path that answers 200, default "/health" */
    const char
        *commit_field; /* service: dotted JSON member of the health answer, default "commit" */
    int64_t build_timeout_ms;
    int64_t migrate_timeout_ms;
    struct place place;
};

/* How an environment hosts one kind of app, or one of its stores. Strings may hold $NAME, which
 * secrets_expand resolves; such values are never printed. */
struct manifest_binding {
    const char *platform; /* "cloudflare-pages", ...; "" = this environment has none */
    const char *name;     /* pattern for the project or service */
    const char *account, *team, *token, *region, *plan, *project, *channel, *deploy_hook;
    const char *repository, *image, *dockerfile, *run; /* service source */
    const char *url; /* where it answers when the platform cannot tell; stores: connection */
    const char *bucket, *key_id, *key_secret; /* storage */
    const char *endpoint;      /* storage: S3 address when the platform has no fixed one */
    const char *mount;         /* storage: where a volume is mounted in the service */
    const char *domain;        /* the user's own host name, pattern */
    const char *app_id, *mode; /* expo: UUID; "workflow" | "cli" */
    const char *deploy, *status, *rollback; /* exec: commands */
    const char **extensions;
    size_t n_extensions;
    int version;                     /* database or cache: major version, 0 = any */
    unsigned needs;                  /* cache: bits of enum cache_need */
    int64_t size_bytes;              /* storage: how much is to be kept there */
    const char *expires;             /* database: "2026-12-21", when the platform deletes it */
    struct manifest_pair *variables; /* added to the app's own for this environment */
    size_t n_variables;
    struct place place;
};

struct manifest_environment {
    const char *name, *branch;
    bool manual; /* deploys only when named: trine deploy -e prod */
    struct manifest_binding static_, service, mobile, database, cache, storage;
    const char *env;      /* env file's name put between .env and .env.local, e.g. ".env.uat" */
    const char **secrets; /* names that must have a value before anything starts */
    size_t n_secrets;
    struct place place;
};

enum cache_need { NEED_SESSIONS, NEED_RATE_LIMITING, NEED_CACHE, NEED_PUBSUB };

enum check_kind {
    CHECK_HTTP,
    CHECK_TLS,
    CHECK_CORS,
    CHECK_WEBSOCKET,
    CHECK_POSTGRES,
    CHECK_REDIS,
    CHECK_UPSTASH,
    CHECK_TCP,
    CHECK_DNS
};
const char *check_kind_name(enum check_kind k);
enum check_wake { WAKE_ALWAYS, WAKE_DUE, WAKE_NEVER };
enum check_connection { CONNECTION_NEW, CONNECTION_KEPT };

/* What one probe of these kinds asks of a cache, in the commands that a platform counts. */
enum { CHECK_REDIS_COMMANDS = 5, CHECK_REDIS_PUBSUB_COMMANDS = 2, CHECK_UPSTASH_COMMANDS = 2 };

struct manifest_check {
    const char *name;
    enum check_kind kind;
    enum check_wake wake;
    const char *app;                       /* glob over app names it applies to */
    const char *path;                      /* http: path and query */
    int64_t every_ms, timeout_ms, slow_ms; /* slow_ms: over it the outcome is "slow"; 0 = none */
    int64_t fast_ms, down_ms;              /* while suspected, while down; 0 = every_ms */
    int down_after, up_after;              /* results in a row that change the state */
    enum check_connection connection;      /* http */
    int expect_status;                     /* http; 0 = any 2xx */
    const char *expect_body;               /* substring that must be there; "" = none */
    const char *expect_header;             /* http: "Name: part of the value"; "" = none */
    const char *expect_json;               /* http: "path = value"; "" = none */
    int64_t cold_every_ms;                 /* WAKE_DUE: a cold start is measured at most so often */
    const char **environments;             /* none given = all */
    size_t n_environments;
    struct manifest_pair *headers; /* http, cors, websocket: sent along */
    size_t n_headers;
    const char *origin;      /* cors: the Origin that must be allowed, pattern */
    const char *query;       /* postgres: statement, default "select 1" */
    int64_t min_validity_ms; /* tls: how long the certificate must still be valid */
    int64_t hold_ms;         /* websocket: how long the connection must stay open */
    int port;                /* tcp, tls; 0 = the URL's */
    bool pubsub;             /* redis: a message must come back through a channel */
    struct place place;
};

struct manifest_probe {
    const char *vantage;  /* this prober's name in the samples */
    const char **control; /* URLs that tell a broken uplink of our own from a broken target */
    size_t n_control;
    int quorum; /* vantage points that must agree before an environment is down */
};

struct manifest_targets { /* D1; 0 = not given. Rates 0..1 */
    int64_t avg_ms, p95_ms, cold_start_ms, db_query_ms;
    double success, uptime;
};

struct manifest_weight {
    const char *environment;
    int weight; /* 0..100 */
    struct place place;
};
enum route_dns { ROUTE_DNS_CLOUDFLARE, ROUTE_DNS_RFC2136 };
enum route_dns_key { ROUTE_DNS_SHA256, ROUTE_DNS_SHA512, ROUTE_DNS_SHA1 };
const char *route_dns_key_name(enum route_dns_key k); /* "hmac-sha256", ... */
enum route_proxied { ROUTE_PROXIED_KEEP, ROUTE_PROXIED_NO, ROUTE_PROXIED_YES };
struct manifest_dns {
    const char *zone; /* "example.com"; Cloudflare: or the zone's id */
    enum route_dns engine;
    const char *token;                 /* Cloudflare; may hold $NAME */
    enum route_proxied proxied;        /* Cloudflare */
    const char *server;                /* RFC 2136, these four; "host", "host:port" */
    const char *key_name, *key_secret; /* "" = not signed; the secret may hold $NAME */
    enum route_dns_key algorithm;
    int64_t ttl_ms;
    struct manifest_pair *answers; /* environment: host name or address; not given = the platform's
                                      host of that environment */
    size_t n_answers;
    int changes;        /* at most so many an hour */
    int64_t settle_ms;  /* 0 = not given */
    int64_t look_ms;    /* how often it is read while nothing changes */
    struct place place; /* line 0: the route has no `dns` */
};
enum route_retry { ROUTE_RETRY_NONE, ROUTE_RETRY_SAFE, ROUTE_RETRY_KEYED };
enum route_unfit { ROUTE_WARN, ROUTE_REFUSE };
struct manifest_route {
    const char *name; /* "api" */
    const char *app;
    struct manifest_weight *weights;
    size_t n_weights;
    const char **backup;
    size_t n_backup;
    const char *
        *failover; /* order in which environments take over; default: weights, then backup */
    size_t n_failover;
    const char *listen;       /* address:port of the router */
    const char *host;         /* public host name that DNS engines move, "" = none */
    const char *check;        /* the check that decides; "" = the app's health path */
    int down_after, up_after; /* results in a row */
    int64_t hold_ms;          /* how long an environment must be well before traffic returns */
    int64_t max_data_age_ms;  /* a standby with an older database copy is refused; 0 = any */
    bool wake;                /* wake a sleeping standby on first suspicion */
    const char *certificate;  /* PEM file of certificate and key for `listen`; "" = plain HTTP */
    enum route_retry retry;
    int64_t connect_within_ms, answer_within_ms; /* a try is given up after it */
    int64_t slow_start_ms; /* an environment that is back gets its share in steps over this */
    int64_t detect_ms;     /* a failure without any traffic is to be found within this */
    double check_budget;   /* share of a free allowance that such checking may take, 0..1 */
    enum route_unfit unfit;
    struct manifest_dns dns;
    struct place place;
};

struct manifest_price {
    const char *name;
    int64_t cents;
    char currency[4];
    struct place place;
};
struct manifest_budget {
    int64_t monthly_cents; /* 0 = not given */
    char currency[4];
    double alert;                     /* 0..1, default 0.8 */
    struct manifest_price *elsewhere; /* monthly price of one such environment at other hosts */
    size_t n_elsewhere;
};

/* An amount with its unit: "3GB", "750h", "5 USD", "10000". */
enum manifest_unit { UNIT_NONE, UNIT_COUNT, UNIT_BYTES, UNIT_MS, UNIT_CENTS };
struct manifest_quantity {
    enum manifest_unit unit; /* UNIT_NONE = not given */
    int64_t value;
    char currency[4]; /* UNIT_CENTS */
};
enum limit_metric {
    METRIC_STORAGE,
    METRIC_BANDWIDTH,
    METRIC_EGRESS,
    METRIC_HOURS,
    METRIC_CREDIT,
    METRIC_COMMANDS,
    METRIC_REQUESTS,
    METRIC_SERVICES,
    METRIC_BUILDS,
    METRIC_DEPLOYS
};
enum limit_period { PER_NONE, PER_DAY, PER_MONTH };
struct manifest_limit { /* overrides the catalogue's figure for this account */
    const char *name;
    const char *platform;
    enum limit_metric metric;
    struct manifest_quantity limit, alert; /* alert not given = 80 % of limit */
    enum limit_period per;
    struct place place;
};

enum { WEEKDAYS_ALL = 127 }; /* bit 0 = Monday .. bit 6 = Sunday */
struct manifest_hours {
    int from, to; /* minutes of the day, 0..1440, from < to unless said; both 0 = not given */
};
struct manifest_keep_awake {
    const char *environment;
    const char *app; /* glob over service apps */
    int64_t every_ms;
    struct manifest_hours hours;
    unsigned weekdays;
    const char *time_zone; /* IANA name */
    struct place place;
};

enum alert_kind { ALERT_SLACK, ALERT_DISCORD, ALERT_WEBHOOK, ALERT_MAIL };
enum alert_event {
    ON_DOWN,
    ON_UP,
    ON_FAILOVER,
    ON_DEPLOY,
    ON_DEPLOY_FAILED,
    ON_LIMIT,
    ON_BUDGET,
    ON_CERTIFICATE,
    ON_BACKUP,
    ON_COPY,
    ON_DRILL,
    ON_ROTATION,
    ON_NOTICE
};
const char *alert_event_name(enum alert_event v); /* "down", "deploy-failed", ... */
const char *alert_kind_name(enum alert_kind k);   /* "slack", ... */
struct manifest_alert {
    const char *name;
    enum alert_kind kind;
    const char *url; /* may hold $NAME; mail: smtp(s)://user:password@host:port */
    const char **to; /* mail: addresses */
    size_t n_to;
    const char *from;          /* mail */
    unsigned events;           /* bits of enum alert_event */
    const char **environments; /* none given = all */
    size_t n_environments;
    int64_t repeat_ms;           /* between two of the same event and environment */
    struct manifest_hours quiet; /* from > to: past midnight */
    unsigned urgent;             /* bits of enum alert_event that pass in quiet hours */
    const char *time_zone;       /* IANA name, of quiet */
    const char *secret;          /* webhook: signs what is sent; may hold $NAME */
    struct place place;
};

struct manifest_copy { /* a database copied from one environment to others */
    const char *name;
    const char *from;
    const char **to;
    size_t n_to;
    int64_t every_ms;
    int64_t max_age_ms;  /* an older copy raises an alert; 0 = never */
    const char **tables; /* globs; none given = all */
    size_t n_tables;
    const char **exclude; /* globs */
    size_t n_exclude;
    struct place place;
};

struct manifest_backup {
    const char *name;
    const char **from; /* environments whose databases are kept */
    size_t n_from;
    const char *to; /* environment whose storage takes them; "" = the state folder */
    int64_t every_ms;
    int64_t prove_ms; /* how often one is restored to prove it; 0 = never */
    int keep;         /* newest copies kept */
    struct place place;
};

struct manifest_objects { /* files that each environment's storage must hold */
    const char *name;
    const char *path; /* local folder, or "" with `from` */
    const char *from; /* environment whose storage is copied, or "" with `path` */
    const char **to;
    size_t n_to;
    const char *prefix;
    const char **include, **exclude; /* globs over paths; include: none given = all */
    size_t n_include, n_exclude;
    int64_t every_ms; /* 0 = on demand */
    struct place place;
};

enum parity_class { PARITY_EQUAL, PARITY_DIFFER, PARITY_FORBIDDEN };
struct manifest_parity {
    const char *name;
    enum parity_class class;
    const char **keys; /* globs over variable names */
    size_t n_keys;
    const char *app;           /* glob */
    const char **environments; /* none given = all */
    size_t n_environments;
    struct place place;
};

enum schedule_job {
    JOB_COMPARE,
    JOB_REPORT,
    JOB_SCORE,
    JOB_COST,
    JOB_DOCTOR,
    JOB_DRILL,
    JOB_BACKUP,
    JOB_COPY,
    JOB_OBJECTS,
    JOB_PARITY,
    JOB_ROTATION,
    JOB_COMMAND
};
enum schedule_fault { FAULT_STOP, FAULT_HANG, FAULT_ERRORS, FAULT_SLOW, FAULT_GREY, FAULT_DRAIN };
struct manifest_schedule {
    const char *name;
    enum schedule_job job;
    const char *command;       /* JOB_COMMAND: run in the manifest's folder */
    enum schedule_fault fault; /* JOB_DRILL */
    int64_t for_ms;            /* JOB_DRILL: so long */
    int64_t every_ms;          /* or, when 0, at `at` on `weekdays` or on day `day` of the month */
    int at;                    /* minute of the day; -1 = not given */
    unsigned weekdays;         /* bits; default all */
    int day;                   /* 1..28; 0 = not given */
    const char *time_zone;
    const char **environments; /* none given = all */
    size_t n_environments;
    struct place place;
};

struct manifest_bench { /* load comparison */
    const char *name;
    const char *app;
    const char *path;
    int requests, concurrency;
    const char **environments; /* none given = all */
    size_t n_environments;
    struct place place;
};

struct manifest_score { /* weights of the production recommendation, each 0..100 */
    int speed, reliability, cost, limits;
};

struct manifest_history {
    int64_t samples_ms; /* raw samples */
    int64_t keep_ms;    /* sketches, releases, comparisons */
};

struct manifest_criteria { /* when the trial counts as passed */
    int64_t clean_ms;      /* no critical error in any environment for this long */
    int64_t data_ms;       /* measurements reach back this far */
    int64_t drill_ms;      /* a drill recovers within */
};

struct manifest_github {
    const char *repository;     /* owner/name */
    const char *token;          /* may hold $NAME */
    const char *webhook_secret; /* may hold $NAME */
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
    struct manifest_probe probe;
    struct manifest_targets targets;
    struct manifest_route *routes; /* key: traffic */
    size_t n_routes;
    struct manifest_budget budget;
    struct manifest_limit *limits;
    size_t n_limits;
    struct manifest_keep_awake *keep_awake;
    size_t n_keep_awake;
    struct manifest_alert *alerts;
    size_t n_alerts;
    struct manifest_copy *copies; /* key: copy */
    size_t n_copies;
    struct manifest_backup *backups; /* key: backup */
    size_t n_backups;
    struct manifest_objects *objects;
    size_t n_objects;
    struct manifest_parity *parity;
    size_t n_parity;
    int64_t rotation_after_ms; /* age at which a secret is due for a new value */
    struct manifest_schedule *schedules;
    size_t n_schedules;
    struct manifest_bench *benches; /* key: bench */
    size_t n_benches;
    struct manifest_score score;
    struct manifest_history history;
    struct manifest_criteria criteria;
    struct manifest_github github;
};

/* All problems of one file, each "file:line:column: key: why; did you mean ..." */
struct manifest_problems {
    struct arena arena;
    const char **lines;
    size_t n;    /* kept, at most 200 */
    size_t more; /* counted beyond that */
};
void manifest_problems_release(struct manifest_problems *p);

enum {
    MANIFEST_MAX_BYTES = 4 << 20,
    MANIFEST_MAX_DEPLOYMENTS = 100000,
    MANIFEST_ROUTE_ENVIRONMENTS_MAX = 32
};

/* Reads, checks and fills in defaults. On any problem: -1, *e counts them (ERR_MANIFEST) and *p
 * holds them all in file order. */
int manifest_load(const char *path, struct manifest **ret, struct manifest_problems *p,
                  struct err *e);
int manifest_parse(const char *name, const char *dir, const char *text, size_t len,
                   struct manifest **ret, struct manifest_problems *p, struct err *e);
void manifest_free(struct manifest *m);

/* The normal form: every key with its value, defaults included, in the table's order; parsing it
 * gives an equal manifest. No secret value is in it, only $NAMEs. */
struct buf;
void manifest_print(const struct manifest *m, struct buf *out);
/* The same contents; places in the file do not count. */
bool manifest_equal(const struct manifest *a, const struct manifest *b);
/* JSON Schema (2020-12) for editors; and the reference of all keys as mdoc for the man page. */
void manifest_schema_json(struct buf *out);
void manifest_schema_mdoc(struct buf *out);

const struct manifest_environment *manifest_environment_find(const struct manifest *m,
                                                             const char *name);
const struct manifest_app *manifest_app_find(const struct manifest *m, const char *name);

/* The binding that hosts this kind of app in this environment; platform "" when there is none. */
const struct manifest_binding *manifest_hosting(const struct manifest_environment *env,
                                                enum app_kind k);
