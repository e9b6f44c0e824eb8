#pragma once

#include "app/app.h"
#include "app/watch.h"
#include "base/arena.h"
#include "base/buf.h"

/*
 * The daemon behind `trine serve`: measures (watch.h), answers the control API (api.h), tells every
 * open page what happens (event_hub.h). What is asked often is kept ready; what needs the store is
 * made on the pool and kept for some seconds (serve_query.c), so that no reader holds up a probe.
 * docs/api.md is the contract. Its files share this header; nobody else but cmd_serve.c includes
 * it.
 */
struct agents;
struct alerter;
struct api;
struct event_hub;
struct http_exchange;
struct incident;
struct incident_book;
struct json_out;
struct status_watch;
struct store_worker;

/* The manifest in force, and those that something may still borrow from. */
struct setup {
    struct setup *before;
    struct manifest *manifest;
    struct matrix matrix;
};

/* The newest deployment of each cell of the matrix, read again every few seconds. */
struct live_row {
    const char *environment, *app, *instance, *platform, *state, *commit, *url, *error;
    int64_t release, live_at, committed_at;
};
struct live_rows {
    struct arena arena;
    struct live_row *rows; /* one a cell, in its order; state "absent" where nothing is known */
    size_t n;
    uint8_t targets[32]; /* what is live, as far as it makes targets: to see when that changes */
};

/* An answer that is kept ready as bytes. */
struct kept {
    struct buf json;
    int64_t made_ms; /* monotonic; 0 = never */
};

struct serve_figures { /* of one environment, as JSON: {"avg_ms": {...}, ...} */
    char *environment, *json;
};

struct process_use { /* of this process, looked at every few seconds */
    int64_t cpu_us, resident_bytes;
    int64_t since_ms, since_cpu_us; /* begin of the stretch behind cpu_share */
    double cpu_share;
};

struct feed;
struct query_book;
struct serve {
    struct app *app;
    struct setup *setup;
    struct watch *watch;
    struct agents *agents;
    struct alerter *alerter;
    struct incident_book *incidents;
    struct status_watch *status_pages;
    struct api *api;
    struct event_hub *hub;
    struct router *router; /* NULL: the manifest has no routes */
    struct drill_desk *drills;
    struct feed *feed;
    struct store_worker *reader;   /* what API answers read from the store */
    struct store_worker *comparer; /* what takes long, so that no answer stands behind it */
    struct query_book *queries;
    struct timer *poll, *look;
    int64_t started_ms; /* wall */
    struct live_rows live;
    bool live_known, stopping;

    struct kept overview, checks, deployments, prober, metrics;
    struct serve_figures *figures;
    size_t n_figures;
    int64_t figures_until_ms, figures_at_ms; /* at: monotonic; 0 = never */
    bool figuring;
    char *store_json;     /* of the prober: what the store holds; NULL = not known yet */
    char *self_test_json; /* NULL = none */
    int64_t store_at_ms;
    bool sizing;
    uint64_t slow_turns;
    struct process_use use;
    char host[65];
};

/* serve_json.c: the shapes of docs/api.md */
void json_sample(struct json_out *o, const struct sample *v);
void json_check(struct json_out *o, const struct watch *w, const struct watch_check *c);
void json_check_change(struct json_out *o, const struct watch *w, const struct watch_check *c);
void json_outage(struct json_out *o, const struct watch_outage *i);
void json_deployment(struct json_out *o, const struct serve *s, const struct live_row *r);
enum health_state worse(enum health_state a, enum health_state b);
const char *outcome_name(enum sample_outcome o);
/* Takes secrets out, should one have slipped in: nothing is answered that has not passed here. */
void serve_redact(const struct serve *s, struct buf *json);

void serve_refresh_router(struct serve *s); /* cmd_serve.c: the manifest or what is live changed */

/* serve_live.c */
void live_begin(struct serve *s); /* reads at once, then every few seconds */
void live_release(struct live_rows *l);

/* serve_feed.c: at most one event a second of each kind */
struct feed *feed_new(struct serve *s);
void feed_sample(struct feed *t, const struct sample *v);
void feed_check(struct feed *t, const struct watch_check *c);
void feed_outage(struct feed *t, const struct watch_outage *i);
void feed_incident(struct feed *t, const struct incident *i);
void feed_deployment(struct feed *t, const struct live_row *r);
void feed_traffic(struct feed *t);
void feed_free(struct feed *t);

/* serve_overview.c, serve_prober.c, serve_metrics.c: kept ready, made anew when a second old */
const struct buf *serve_overview(struct serve *s);
const struct buf *serve_checks(struct serve *s);
const struct buf *serve_deployments(struct serve *s);
const struct buf *serve_prober(struct serve *s); /* without lateness_cells */
const struct buf *serve_metrics(struct serve *s);
bool kept_is_fresh(const struct serve *s, const struct kept *k, int64_t ms);
void figures_refresh(struct serve *s); /* when they are old */
void figures_release(struct serve_figures *figures, size_t n);
void prober_store_refresh(struct serve *s);
void prober_use(struct serve *s);
/* Its name: the manifest's, or this machine's. */
const char *serve_vantage(struct serve *s);

/* serve_query.c: answers made from the store */
struct query_book *query_book_new(struct serve *s);
void query_compare(struct serve *s, struct http_exchange *x);
void query_check(struct serve *s, struct http_exchange *x, int64_t id);
void query_releases(struct serve *s, struct http_exchange *x);
void query_outages(struct serve *s, struct http_exchange *x);
void query_prober(struct serve *s, struct http_exchange *x);
void query_book_free(struct query_book *b); /* what waits is forgotten; NULL is fine */

/* serve_acknowledge.c: marked as seen */
void query_acknowledge(struct serve *s, struct http_exchange *x, int64_t id);
void query_acknowledge_incident(struct serve *s, struct http_exchange *x, int64_t id);

/* serve_traffic.c */
struct api_call;
void traffic_get(struct api_call *c);
void traffic_changes_get(struct api_call *c);
void traffic_order_post(struct api_call *c);

/* serve_incidents.c */
void query_incidents(struct serve *s, struct http_exchange *x);
void query_incident(struct serve *s, struct http_exchange *x, int64_t id);
void incidents_begin(struct serve *s, const char *link); /* the book and the status pages */
struct alert_told;
void incident_told(const struct alert_told *t, void *serve); /* a line of the timeline */

/* serve_agent.c: vantage points elsewhere */
struct agents *agents_new(struct serve *s);
void agents_refresh(struct agents *a);         /* the manifest or what is live changed */
size_t agents_pending(const struct agents *a); /* writes on their way; NULL: 0 */
void agents_free(struct agents *a);            /* NULL is fine */
void agents_get(struct api_call *c);
void agent_assignment_get(struct api_call *c);
void agent_report_post(struct api_call *c);

/* serve_routes.c */
struct api_options;
void serve_routes(struct serve *s, struct api_options *ret);
