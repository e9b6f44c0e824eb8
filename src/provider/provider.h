#pragma once

#include "base/err.h"
#include "net/http.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Platforms as translators. A provider says which request comes next and reads the reply. It opens
 * no socket, sleeps never, retries never, logs nothing, reads no clock, keeps no state of its own:
 * the runner (deploy/run.h) does all that once, for every platform.
 *
 * One deployment is one `struct deployment`. The runner loops: next() -> SEND: it sends, and hands
 * the reply to take(); WAIT: it asks again after `wait_ms`; DONE; FAILED. After every take() the
 * runner stores provider_save(d). A process that is killed goes on from what was stored last.
 *
 * Exactly once. A request that must not happen twice (create a project, create a deployment) is
 * marked `once`. Before it is sent the runner stores d with `step` set to the request's `unclear`
 * step, and when no answer comes it goes on from there too. That step must look up whether the
 * request took effect (by name, by `want->marker`, or by "newer than d->before") before it comes to
 * creating again. All other requests may be repeated at will.
 */

enum turn { TURN_FAILED = -1, TURN_DONE, TURN_SEND, TURN_WAIT };

/* --- What is wanted: constant and borrowed for the life of one deployment --------------------- */

struct bundle_file {
    const char *path;   /* relative, forward slashes, raw UTF-8: "css/main.css" */
    const char *source; /* file to read it from */
    uint64_t size;
    uint32_t mode;  /* st_mode */
    char sha1[41];  /* lower-case hex */
    char pages[33]; /* Cloudflare Pages' asset hash, lower-case hex */
};

struct bundle {
    const struct bundle_file *files; /* sorted by path, bytewise; unique */
    size_t n;
    uint64_t bytes;
    char digest[65]; /* SHA-256 over (path, size, sha1) without trine's own file */
};

struct want_variable {
    const char *name, *value; /* value may be secret */
};

struct want {
    const char *project_name; /* expanded: "weedgo-uat-admin" */
    const char *app, *instance, *environment;
    const char *branch, *commit, *message;
    const char *marker; /* "trine uat-7 0f3a91c2": release and digest; finds our own deployment */
    /* credentials and options, expanded; "" = not given */
    const char *token, *account, *team, *region, *plan, *channel, *deploy_hook, *url;
    const char *project; /* Railway: the project that holds the service */
    const char *repository, *image, *dockerfile, *run, *path; /* service source */
    const char *app_id, *workflow, *profile, *mode;           /* expo */
    const char *deploy, *status, *rollback;                   /* exec */
    int port;
    const char *health;
    const struct want_variable *variables; /* service: environment of the running app */
    size_t n_variables;
    const struct bundle *bundle; /* static; NULL otherwise */
    const char *bundle_dir;      /* static: its folder, for programs; NULL otherwise */
};

/* --- How far it is: stored between steps -------------------------------------------------------
 */

struct deployment {
    int step; /* the provider's own enum; 0 = look up first */
    char account_id[64], project_id[128], remote_id[128];
    char before[128]; /* newest deployment of the project before ours was created */
    char url[320];    /* where users reach it */
    char word[64];    /* last status word seen, as the platform wrote it */
    char detail[256]; /* last message of the platform worth showing */
    char extra[512];  /* the provider's own small facts, text */
    uint32_t polls;   /* status polls so far: the runner's back-off grows with it */

    /* Not stored; a restart begins with them zeroed and must get them again. */
    char session[2048]; /* short-lived upload token: a secret */
    uint8_t *needed;    /* per bundle file: enum file_need; calloc'ed, freed by provider_release */
    size_t uploads_total, uploads_done;
    uint64_t bytes_total, bytes_done;
    size_t cursor; /* first file not yet handed out */
};
enum file_need { FILE_UNKNOWN, FILE_HAVE, FILE_MISSING, FILE_SENDING, FILE_SENT };

void provider_release(struct deployment *d);       /* frees `needed`, wipes `session` */
json_t *provider_save(const struct deployment *d); /* new reference; the stored members only */
/* Fills a zeroed *d. ERR_STORE when a member has another type than provider_save gives it or does
 * not fit; members that are missing stay empty, unknown ones are ignored. */
int provider_load(struct deployment *d, const json_t *saved, struct err *e);

/* --- One request and how it must be treated -----------------------------------------------------
 */

struct call {
    /* An absolute URL at the origin of provider_ops.base follows an overridden base; any other
     * goes where it says. */
    struct http_request http;
    int64_t tag;      /* the provider's own; comes back with the reply */
    bool once;        /* must not happen twice; see above */
    int unclear;      /* step to go on from when it is unknown whether it happened */
    bool parallel;    /* next() may be asked again before the reply is there (uploads) */
    bool exclusive;   /* only one deployment of the same account at a time may be between its first
                         exclusive call and its first non-exclusive one, so that files shared by
                         several sites travel once */
    const char *cost; /* rate class in provider_ops.limits, "" = the general one only */
    int also[4];      /* reply statuses handed to take() besides 2xx, ended by 0 */
};
void call_release(struct call *c);

/*
 * A program to run instead of an HTTP request: the user's own commands (exec), or the user's `eas`
 * (expo). A call whose http.method is NULL means one: the runner asks provider_ops.command what to
 * run, and turns the outcome into a reply. Exit 0: status 200, the body is standard output. Any
 * other end: status 500, the body is the last part of standard error (of standard output when that
 * is empty), which goes to refused(). A program that could not be started, or ran out of time: no
 * answer.
 */
struct program {
    const char *const *argv;         /* NULL-terminated; no secrets here, everybody can read it */
    const struct want_variable *env; /* added to the runner's own environment; may hold secrets */
    size_t n_env;
    const char *dir; /* relative to the manifest's folder; "" = that folder */
};

/* --- Rate limits as documented; counted per account in a sliding window --------------------------
 */

struct rate_limit {
    const char *cost; /* "" = every request */
    unsigned requests;
    int64_t window_ms;
    const char *source; /* where it is documented */
};

/* Of a service that its platform may put to sleep. UNKNOWN: it is neither, such as while it is
 * deployed, or stopped; the platform's word is unknown to us; or there is no instance to ask of. */
enum service_state { SERVICE_UNKNOWN, SERVICE_AWAKE, SERVICE_ASLEEP };

struct provider_ops {
    const char *name;  /* "cloudflare-pages": as in the manifest */
    const char *title; /* "Cloudflare Pages" */
    const char *base;  /* public API base, no trailing slash */
    bool hosts_static, hosts_service, hosts_mobile;
    unsigned in_flight;              /* parallel calls of one deployment */
    const struct rate_limit *limits; /* ended by requests == 0 */
    int64_t sleep_after_ms;  /* a free service without a request for so long sleeps; 0 = never */
    uint64_t max_file_bytes; /* 0 = none stated */
    uint32_t max_files;
    const char *const
        *needs; /* binding keys that must be given, NULL-terminated: "token", "account" */

    /* Says in words why this want can never work here, or 0. Pure; called by plan. */
    int (*check)(const struct want *w, struct err *e);

    /* Fills *ret on TURN_SEND; *ret_wait_ms on TURN_WAIT (milliseconds on the platform's clock). */
    enum turn (*next)(struct deployment *d, const struct want *w, struct call *ret,
                      int64_t *ret_wait_ms, struct err *e);
    /* Reads a reply of status 2xx or one of call->also. -1: *d is as it was, *e says why. */
    int (*take)(struct deployment *d, const struct want *w, const struct call *c,
                const struct http_reply *reply, struct err *e);
    /* Puts the platform's own message of any other reply into *e (kind ERR_REMOTE, code = status),
     * and sets e->retry and e->retry_after (ms) where body or headers ask for another try; on entry
     * *e holds what the status alone says. When it changes d->step the runner drops the call and,
     * after a while, asks next() again (an expired upload token, say); other parallel calls stay on
     * their way, and a call that is not parallel is sent only after the last of them. */
    void (*refused)(struct deployment *d, const struct call *c, const struct http_reply *reply,
                    struct err *e);
    /* The program behind a call without http.method; NULL for platforms that have none. Everything
     * in *ret is borrowed from d, w or the arena. */
    int (*command)(const struct deployment *d, const struct want *w, struct arena *arena,
                   struct program *ret, struct err *e);

    /* Is the service awake? Asked of the platform, so that the asking wakes nobody and costs none
     * of its hours. Of *w the credentials are read, of *d what names the service. NULL: the
     * platform cannot tell. One request and its reply, 2xx; any other reply goes to refused(). -1:
     * *d has no service yet, or the reply makes no sense. */
    int (*awake)(const struct deployment *d, const struct want *w, struct call *ret, struct err *e);
    int (*take_awake)(const struct deployment *d, const struct http_reply *reply,
                      enum service_state *ret, struct err *e);
};

const struct provider_ops *provider_find(const char *name); /* NULL when not built in */
size_t provider_count(void);
const struct provider_ops *provider_at(size_t i);

extern const struct provider_ops provider_cloudflare, provider_netlify, provider_vercel,
    provider_koyeb, provider_render, provider_railway, provider_expo, provider_exec;

/* Rate-limit facts of any reply, from the platforms' various headers: how many are left and in how
 * many ms the window resets (-1 = not told). `now_ms` is wall time, for headers that give an epoch.
 */
struct rate_facts {
    int64_t remaining, reset_ms, retry_after_ms;
};
void provider_rate_facts(const struct http_reply *r, int64_t now_ms, struct rate_facts *ret);

/* What follows the last dot of the path's last part: "main.css" -> "css", in the case it is
 * written.
 * "" when there is no dot, when it is the first character (".htaccess"), or the last. */
const char *provider_extension(const char *path);

/* Content type by extension as the platforms' clients send it (no charset parameter),
 * "application/octet-stream" when it is not known. */
const char *provider_content_type(const char *path);
