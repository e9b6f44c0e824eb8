#pragma once

#include "sim.h"

#include <regex.h>

/*
 * Deployed sites. sites.c keeps them by host name (records in the state under "sites", parsed rules
 * beside them); site_serve.c is the pseudo-platform that answers on the sites port; site_static.c
 * finds the file for a path, site_rules.c and site_routes.c understand what platforms let users
 * write; site_api.c is the backend that stands for a service. One thread; sites are found again by
 * host after any wait, never kept by pointer.
 */
struct sites;

struct capture { /* what a pattern's placeholder matched; name NULL: a numbered group */
    const char *name, *text;
    size_t name_len, len;
};
enum { CAPTURES_MAX = 16 };
struct captures {
    struct capture list[CAPTURES_MAX];
    size_t n;
};

struct redirect {
    struct redirect *next;
    const char *from, *to;
    int status;
    bool force; /* also where a file exists */
};

struct header_rule {
    struct header_rule *next;
    const char *pattern;
    const char *const *lines; /* name, value, name, value, ..., NULL */
};

struct route {
    struct route *next;
    const char *phase; /* NULL (first), "filesystem", "miss", "hit", "error", ... */
    const json_t *json;
    regex_t src;
    bool usable;                   /* src compiled */
    unsigned groups[CAPTURES_MAX]; /* number of the n-th written group in `src` */
    const char *group_names[CAPTURES_MAX];
    size_t n_groups;
};

struct site {
    char *host;
    json_t *record; /* borrowed from the state */
    const struct sim_platform *platform;
    struct arena rules; /* what follows, parsed at the first request */
    bool parsed;
    struct redirect *redirects;
    struct header_rule *headers;
    struct route *routes;
    int64_t used_ms;  /* simulated, last request */
    int64_t awake_us; /* monotonic: a cold start ends */
    bool sent_to_sleep;
};

/* --- sites.c --------------------------------------------------------------------------------- */
struct sites *sites_new(void);
void sites_free(struct sites *l); /* NULL is fine */
void sites_load(struct sim *s);   /* from the state, also after a reset */
struct site *site_find(const struct sim *s, const char *host); /* through aliases; NULL when none */
json_t *sites_books(const struct sim *s); /* [{"host", "platform", "kind", "commit", ...}]; new */
bool site_sleep_now(struct sim *s, const char *host);

/* --- site_rules.c: the formats of _headers and _redirects ------------------------------------ */
struct redirect *rules_redirects(struct arena *arena, const char *text);
struct header_rule *rules_headers(struct arena *arena, const char *text);
/* "/blog/:slug" and "/old/ *" against a decoded path. */
bool rules_match(const char *pattern, const char *path, struct captures *ret);
/* ":slug", ":splat" and "$1" in `to` replaced by what was captured. */
const char *rules_fill(struct arena *arena, const char *to, const struct captures *found);

/* --- site_routes.c: Vercel's routes ---------------------------------------------------------- */
struct route *routes_parse(struct arena *arena, const json_t *list);
void routes_release(struct route *first); /* the compiled patterns */
bool route_matches(const struct route *route, const char *path, struct captures *ret);
/* Answers by routes and files (site_routes_serve.c). */
void routes_serve(struct sim_request *r, struct site *site);

/* --- site_static.c --------------------------------------------------------------------------- */
const char *site_file(const struct site *site, const char *path); /* blob name or NULL */
/* Answers with that file. */
void site_send(struct sim_request *r, struct site *site, const char *path, int status);
void site_redirect(struct sim_request *r, int status, const char *location);
void site_serve_static(struct sim_request *r, struct site *site);
const char *site_mime(const char *path);

/* --- site_api.c ------------------------------------------------------------------------------ */
/* Real ms until that service is awake; wakes it. cold_ms < 0: its own. */
int64_t service_wake(struct sim *s, struct site *site, int64_t cold_ms);
void service_serve(struct sim_request *r, const struct site *site);

/* --- site_socket.c --------------------------------------------------------------------------- */
void socket_serve(struct sim_request *r, const struct site *site); /* /ws */
