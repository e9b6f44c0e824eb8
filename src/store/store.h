#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What trine remembers: leases, releases, deployments with their journal, samples, cached file
 * hashes and builds. One implementation per engine behind this header (SQLite in WAL mode now).
 *
 * Life cycle: store_open .. store_close. One thread. Every write that belongs to an environment
 * carries the fencing token of its lease and is refused (ERR_NO, naming the new holder) when
 * another holder has taken over since: a process that was asleep cannot overwrite a newer one's
 * work (Kleppmann 2016, "How to do distributed locking"). All times are wall milliseconds, UTC.
 * Texts must have been redacted by the caller. Rows handed to callbacks are valid during the call
 * only.
 */
struct store;
struct clock;
struct fault;

/* `dir` is made when missing (0700). Migrates an older file; refuses a newer or foreign one. */
int store_open(const char *dir, const struct clock *clock, struct fault *fault, struct store **ret,
               struct err *e);
void store_close(struct store *s); /* NULL is fine */

/* For a handle that writes samples: a commit no longer waits for the disk. A power cut may take the
 * last seconds' commits of this handle back, and leaves the file whole; a kill -9 takes nothing
 * that was committed. */
int store_relax(struct store *s, struct err *e);

/* Groups writes: all or nothing. Not nested. rollback after a failed commit is not needed. A write
 * of the group that fails spoils it: the commit then refuses and keeps nothing. A commit is one
 * fsync, so many small writes (file hashes) belong in one group. */
int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s);

/* --- Leases: one holder an environment ------------------------------------------------------- */

struct lease {
    char environment[64];
    char holder[128]; /* "user@host pid 4711: trine deploy -e uat" */
    int64_t token;    /* fencing token; grows with every acquisition, never reused */
    int64_t acquired_at, expires_at;
};

enum { LEASE_MS = 30000, LEASE_HEARTBEAT_MS = 5000 };

/* Takes the lease when it is free, expired, or held by a process of this machine (same boot) that
 * no longer exists: pid and start time are kept for that. Otherwise ERR_NO: who holds it, since
 * when, until when. */
int lease_acquire(struct store *s, const char *environment, const char *what, struct lease *ret,
                  struct err *e);
int lease_heartbeat(struct store *s, struct lease *l,
                    struct err *e); /* ERR_NO: it was taken over */
int lease_release(struct store *s, const struct lease *l, struct err *e);
/* The present holder; *ret_held false when nobody. */
int lease_read(struct store *s, const char *environment, struct lease *ret, bool *ret_held,
               struct err *e);

/* --- Releases: numbered per environment ------------------------------------------------------ */

enum release_state { RELEASE_OPEN, RELEASE_LIVE, RELEASE_FAILED };
const char *release_state_name(enum release_state s); /* "open", "live", "failed" */

struct release {
    char environment[64];
    int64_t number; /* 1, 2, ... per environment */
    char commit[65];
    char message[256];
    enum release_state state;
    int64_t created_at, finished_at; /* finished_at 0 while open */
    int64_t committed_at; /* the commit's own time, 0 unknown: for "commit to live" (B2) */
};

/* The environment's open release, or a new one with the next number when none is open or the open
 * one is of another commit (which is then closed as failed). */
int release_open(struct store *s, const struct lease *l, const struct release *want,
                 struct release *ret, struct err *e);
int release_close(struct store *s, const struct lease *l, int64_t number, enum release_state state,
                  struct err *e);
typedef void release_fn(const struct release *r, void *arg);
/* Newest first. environment NULL = all. limit 0 = all. */
int release_list(struct store *s, const char *environment, int limit, release_fn *fn, void *arg,
                 struct err *e);

/* --- Deployments: one row an attempt (environment, app, instance, release) -------------------- */

enum deployment_state {
    DEPLOYMENT_PENDING,    /* planned; nothing sent */
    DEPLOYMENT_RUNNING,    /* requests were sent; `progress` says how far */
    DEPLOYMENT_VERIFYING,  /* the platform says ready; the running app is being asked */
    DEPLOYMENT_LIVE,       /* the running app answered with this commit */
    DEPLOYMENT_FAILED,     /* `error` says why */
    DEPLOYMENT_SUPERSEDED, /* was live once; a newer one is */
};
const char *deployment_state_name(enum deployment_state s);

struct deployment_row {
    const char *environment, *app, *instance;
    int64_t release;
    const char *platform, *project; /* the expanded name */
    enum deployment_state state;
    const char *commit;
    const char
        *digest; /* identity of what was deployed: bundle digest, or service definition digest */
    const char *url;       /* where users reach it; "" until known */
    const char *remote_id; /* the platform's id of the deployment; "" until known */
    const char *progress;  /* JSON of struct deployment (provider.h), "" at the start */
    const char *error;     /* redacted; "" when none */
    int64_t started_at, live_at, updated_at;
};

/* Inserts or replaces the row of that key. Becoming LIVE supersedes the key's other live row, also
 * when that one is of a later release (a rollback). updated_at 0 = now. NULL texts are kept as "".
 */
int deployment_put(struct store *s, const struct lease *l, const struct deployment_row *row,
                   struct err *e);
typedef void deployment_fn(const struct deployment_row *row, void *arg);
/* The newest row of each (app, instance); environment NULL = all. */
int deployment_latest(struct store *s, const char *environment, deployment_fn *fn, void *arg,
                      struct err *e);
/* The live row of each (app, instance). */
int deployment_live(struct store *s, const char *environment, deployment_fn *fn, void *arg,
                    struct err *e);
int deployment_of_release(struct store *s, const char *environment, int64_t release,
                          deployment_fn *fn, void *arg, struct err *e);

/* Append-only account of what happened: one line an event, redacted. */
int journal_add(struct store *s, const struct lease *l, const struct deployment_row *key,
                const char *event, const char *detail, struct err *e);
struct journal_entry {
    int64_t at, release;
    const char *environment, *app, *instance, *event, *detail;
};
typedef void journal_fn(const struct journal_entry *j, void *arg);
/* In the order they were added. release 0 = all of the environment. */
int journal_list(struct store *s, const char *environment, int64_t release, journal_fn *fn,
                 void *arg, struct err *e);

/* --- Caches: may be lost at any time --------------------------------------------------------- */

/* Opaque value by (space, key): "file-hash" by "dev:ino:size:mtime_ns", "build" by input digest. A
 * value longer than `max` counts as not found. Looking up costs no write: the time of use is noted
 * in memory, to the day, and stored by cache_drop_older and store_close. */
int cache_get(struct store *s, const char *space, const char *key, void *ret, size_t max,
              size_t *ret_len, bool *ret_found, struct err *e);
int cache_put(struct store *s, const char *space, const char *key, const void *value, size_t len,
              struct err *e);
int cache_drop_older(struct store *s, const char *space, int64_t used_before, struct err *e);

/* --- Samples ---------------------------------------------------------------------------------- */

enum sample_outcome { SAMPLE_OK, SAMPLE_FAILED, SAMPLE_SLOW, SAMPLE_INCONCLUSIVE, SAMPLE_MISSED };
enum sample_class { SAMPLE_WARM, SAMPLE_COLD };

struct sample {
    int64_t series;  /* from series_id */
    int64_t at_ms;   /* the intended time of the tick */
    int32_t late_us; /* how late the request was really sent; -1 when it was not */
    enum sample_outcome outcome;
    enum sample_class class_;
    int32_t status;                                       /* HTTP status, 0 = none */
    int32_t lookup_us, connect_us, tls_us, first_byte_us; /* -1 = did not happen */
    /* -1 when nothing was sent. postgres, redis, upstash: the statement's round trip alone
     * (connecting is in the phases; first_byte_us is when the session was ready). All others: from
     * the intended time to the end, so lateness is in it. */
    int32_t total_us;
    int32_t covers_ms; /* the time this sample stands for, until the next one is meant */
    /* Off the paired clock (on suspicion): moves the state, is in no figure. A MISSED one: left out
     * on purpose while the target was known to be down, so that its time is seen, as down time. */
    bool extra;
};

/* The number of (environment, app, instance, check); made on first use. */
int series_id(struct store *s, const char *environment, const char *app, const char *instance,
              const char *check, int64_t *ret, struct err *e);
struct series {
    int64_t id;
    const char *environment, *app, *instance, *check;
};
typedef void series_fn(const struct series *r, void *arg);
int series_list(struct store *s, series_fn *fn, void *arg, struct err *e);

int sample_add(struct store *s, const struct sample *samples, size_t n, struct err *e);
typedef void sample_fn(const struct sample *v, void *arg);
/* In time order, from <= at < until; series 0 = all. */
int sample_read(struct store *s, int64_t series, int64_t from, int64_t until, sample_fn *fn,
                void *arg, struct err *e);
