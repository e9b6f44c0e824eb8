#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "net/http_server.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * trine-sim: the platforms' own APIs on loopback, for rehearsals, demos and tests. One process, one
 * loop, one listening port a platform plus one for the control API and one for the deployed sites.
 *
 * A platform file (sim/netlify.c, ...) holds one `struct sim_platform`: routes and handlers that
 * read and change `struct sim`'s state and answer in the platform's own shapes. The core does what
 * is the same everywhere: listening, authentication, rate windows, faults, books, the request
 * stream, saving state, time.
 */
struct sim;
struct sim_platform;

/* --- Time ------------------------------------------------------------------------------------ */

/* It runs `clock_rate` times as fast as ours; everything below is in simulated time.
 *
 * What a client reads follows one rule. Durations (Retry-After, "retry in n seconds") are
 * simulated: the client divides them by the clock rate of the ready line. Points in time that a
 * client compares with its own clock (X-RateLimit-Reset, a JWT's exp) are real: now + duration /
 * clock rate. Timestamps that are only shown (created_at) are simulated.
 */
int64_t sim_now_ms(const struct sim *s);      /* simulated wall time, ms since 1970 */
int64_t sim_real_now_ms(const struct sim *s); /* our own wall time, ms since 1970 */
void sim_iso(int64_t ms, char ret[32]);       /* "2026-11-22T15:04:05.123Z" */
/* The real epoch (ms) at which `remaining_ms` of simulated time will have passed. */
int64_t sim_reset_epoch_ms(const struct sim *s, int64_t remaining_ms);

/* --- One request as a platform's handler sees it --------------------------------------------- */
struct sim_request {
    struct sim *sim;
    const struct sim_platform *platform;
    struct http_exchange *x;
    const char *method;
    const char *path;         /* behind the platform's base, decoded, begins with '/' */
    const char *segments[16]; /* the path's parts, decoded; NULL-terminated */
    size_t n_segments;
    const char *body;
    size_t body_len;
    json_t *json;        /* parsed body when its type is JSON and it parses, else NULL; borrowed */
    const char *account; /* whom the credentials belong to */
    int64_t cold_ms;     /* a deployed service: it was not awake, and this waits so long for it */
    struct arena *arena; /* freed when the request was answered */
};

/* Answers, once; json is consumed (its reference is stolen); NULL answers without a body. Nothing
 * of r may be used after its handler has returned. When the peer has left meanwhile nothing is
 * sent. */
void sim_answer(struct sim_request *r, int status, json_t *json);
void sim_answer_text(struct sim_request *r, int status, const char *type, const char *text);

/* For an answer that takes time: runs fn after so many real milliseconds, unless the peer has left
 * by then (r is gone in that case). */
void sim_later(struct sim_request *r, int64_t real_ms, void (*fn)(struct sim_request *r));

/* The query's value, decoded, or NULL; the request header's value or NULL. Borrowed. */
const char *sim_query(const struct sim_request *r, const char *name);
int64_t sim_query_int(const struct sim_request *r, const char *name, int64_t otherwise);
const char *sim_header(const struct sim_request *r, const char *name);
/* A header for the answer; before sim_answer. */
void sim_set_header(struct sim_request *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* True when method and path match: pattern parts that begin with ':' match any one part, and a last
 * part of "**" matches one or more ("/sites/:id/deploys"). */
bool sim_route(const struct sim_request *r, const char *method, const char *pattern);
/* A platform's routes: runs the first that sim_route matches; false when none does. The table ends
 * with a NULL method. */
struct sim_endpoint {
    const char *method, *pattern;
    void (*run)(struct sim_request *r);
};
bool sim_dispatch(struct sim_request *r, const struct sim_endpoint *table);

/* The token of "Authorization: Bearer ..." or NULL. */
const char *sim_bearer(const struct sim_request *r);
/* The account that a token belongs to, or NULL when the token is not valid. Valid are the tokens of
 * the example set-up and any that begins with "sim-<platform>-" (as in the platform's name up to
 * its first '-': "sim-cloudflare-"), each of which is an account of its own; '_' may stand for '-'.
 * Borrowed from the arena. */
const char *sim_account(const struct sim_request *r, const char *token);

/* --- A platform ------------------------------------------------------------------------------ */
struct sim_rate {        /* documented limit; over it the platform's own 429 comes */
    const char *method;  /* NULL = all */
    const char *pattern; /* glob over the path; NULL = all */
    unsigned requests;
    int64_t window_ms; /* simulated */
    const char *name;  /* in the books: "requests", "deploys" */
    bool penalty;      /* once over it, everything is refused for a whole window */
    bool on_success;   /* a quota: only requests that were answered 2xx count */
    unsigned by_part;  /* a window for each value of the path's part of this number, from 1 ("per
                          service"); 0: one an account. Rows of one name share their windows. */
};

/* How a platform turns a path into a file. */
enum sim_site_rules { SIM_SITE_PLAIN, SIM_SITE_CLOUDFLARE, SIM_SITE_NETLIFY, SIM_SITE_VERCEL };

struct sim_platform {
    const char *name;             /* "netlify": key in the ready line's bases */
    const char *base_path;        /* path part of the base URL: "/api/v1", "" */
    const char *beside;           /* begins the paths served outside the base, or NULL */
    const char *site_suffix;      /* ".netlify.localhost": deployed sites' host names end in it */
    const struct sim_rate *rates; /* ended by requests == 0 */

    /* Returns the account name for valid credentials, or NULL (the core then calls unauthorised).
     * Paths that need none (deploy hooks) return "". */
    const char *(*authenticate)(struct sim_request *r);
    void (*unauthorised)(struct sim_request *r);
    void (*too_many)(struct sim_request *r, int64_t retry_after_ms);
    /* The platform's rate headers for an ordinary answer; reset_ms: simulated time until a place in
     * the window is free again (0: it is not full). May be NULL. */
    void (*rate_headers)(struct sim_request *r, unsigned limit, unsigned remaining,
                         int64_t reset_ms);
    /* An error in the platform's shape, for injected faults of a status. */
    void (*error)(struct sim_request *r, int status);
    /* Everything else; must answer exactly once (now or later). */
    void (*handle)(struct sim_request *r);
    /* Moves simulated deployments on to their next states; called before each request and tick. */
    void (*advance)(struct sim *s, const struct sim_platform *p, int64_t now_ms);
    /* Adds "projects", "deployments", "live" (integers) and per-project detail to the books. */
    void (*books)(struct sim *s, const struct sim_platform *p, json_t *into);
    enum sim_site_rules site_rules;
    /* True for requests whose credential is short-lived, so that it may expire at random; NULL:
     * none. */
    bool (*short_lived)(const struct sim_request *r);
};

extern const struct sim_platform sim_cloudflare, sim_netlify, sim_vercel, sim_koyeb, sim_render,
    sim_railway, sim_expo, sim_upstash, sim_webhooks;

/* --- State: one JSON object a platform, saved in --state DIR after each change --------------- */

/* The platform's root object; a handler changes it freely and then calls sim_changed. */
json_t *sim_state(struct sim *s, const struct sim_platform *p);
void sim_changed(struct sim *s);
/* Shorthands: the object member of `parent` of that name, made when it is absent. Borrowed. */
json_t *sim_member(json_t *parent, const char *name);
/* Stores a blob once by its own name (hash) under the state folder; true when it was new. */
bool sim_blob_put(struct sim *s, const char *space, const char *name, const void *data, size_t len);
bool sim_blob_has(struct sim *s, const char *space, const char *name);
/* Its bytes, NUL-terminated, in the arena; NULL when absent or larger than 128 MiB. */
const char *sim_blob_read(struct sim *s, const char *space, const char *name, struct arena *arena,
                          size_t *ret_len);
/* Counts an upload of file content in the books (uploads, bytes; `again` when it was there
 * already). */
void sim_count_upload(struct sim *s, const struct sim_platform *p, size_t bytes, bool again);

/* Ids in the platforms' forms, from a counter and a seed kept in the state: never repeated. */
void sim_id(struct sim *s, const char *prefix, size_t hex_digits, char *ret, size_t size);
void sim_uuid(struct sim *s, char ret[37]);

/* --- What is deployed: served on the sites port by Host header ------------------------------- */

/* Host names are without port; the origin (http://HOST:PORT) that users are told comes from here.
 */
void sim_site_origin(const struct sim *s, const char *host, char ret[320]);
void sim_site_hostport(const struct sim *s, const char *host, char ret[320]); /* "HOST:PORT" */

/* Publishes a static site: files = {"/path": "blob name"}, from the given blob space. The
 * platform's site_rules say how index.html, 404.html and extensionless names are treated. Replaces
 * what the host had, with its rules, routes and types. */
void sim_site_static(struct sim *s, const struct sim_platform *p, const char *host,
                     const char *blob_space, const json_t *files);
/* The texts of that site's _headers and _redirects, or NULL. */
void sim_site_rules(struct sim *s, const char *host, const char *headers, const char *redirects);
/* Publishes the built-in API backend (/health, /api/v1/products?limit=, /api/v1/stores, and /ws)
 * for a service with that commit. idle_ms: sleeps after so long without a request (0 = never);
 * cold_ms: real milliseconds that the first request after sleep takes. */
void sim_site_service(struct sim *s, const struct sim_platform *p, const char *host,
                      const char *commit, int64_t idle_ms, int64_t cold_ms);
/* "environment" in that service's /health; "production" until it is set. */
void sim_site_environment(struct sim *s, const char *host, const char *environment);
/* Makes `host` show what `target` shows now (and later); a domain that points to a deployment. */
void sim_site_alias(struct sim *s, const struct sim_platform *p, const char *host,
                    const char *target);
/* Vercel's routes (Build Output API v3) for a static site; borrowed for the call. */
void sim_site_routes(struct sim *s, const char *host, const json_t *routes);
/* {"/path": content type} for files whose name does not tell; borrowed for the call. */
void sim_site_types(struct sim *s, const char *host, const json_t *types);
bool sim_site_exists(const struct sim *s, const char *host);
bool sim_site_asleep(struct sim *s, const char *host);
void sim_site_remove(struct sim *s, const char *host);
