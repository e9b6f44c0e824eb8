#pragma once

#include "store/store.h"

/*
 * Incidents: what people are told of, one a cause, with a timeline. An incident gathers outages of
 * single checks (outage.h), failovers, drills that missed their bound, blind spells. Which outage
 * belongs to which incident is decided in traffic/cause.h. Texts are redacted by the caller; NULL
 * texts are kept as "". Times are wall milliseconds. What is over for longer than history is kept
 * is dropped with it (history_prune).
 */
struct incident {
    int64_t id;
    const char *kind; /* "outage", "failover", "drill", "blind", "status" */
    /* What it is about: the parts that all that is in it have in common; "" = not narrowed to one.
     */
    const char *platform, *environment, *app;
    const char *title;         /* "koyeb: 30 checks fail in uat" */
    int64_t from_ms, until_ms; /* until 0 = open */
    int64_t noticed_ms, acknowledged_ms;
    int outages; /* checks that are or were in it; set by incident_list only */
};

/* Opens a new one. */
int incident_open(struct store *s, const struct incident *i, int64_t *ret_id, struct err *e);
/* Kind, title, platform, environment, app: widened as more joins it. from_ms: only to earlier. */
int incident_widen(struct store *s, const struct incident *i, struct err *e);
/* Twice is fine, and so is an outage that is in another one: it stays there. */
int incident_join(struct store *s, int64_t id, int64_t outage, struct err *e);
/* *ret_id: the incident that the outage is in; 0 = none. */
int incident_of(struct store *s, int64_t outage, int64_t *ret_id, struct err *e);
/* One that is over keeps its end. The end is never before the beginning. */
int incident_resolve(struct store *s, int64_t id, int64_t until_ms, struct err *e);
/* Its cause has returned: it is open again, and is to be acknowledged anew. */
int incident_reopen(struct store *s, int64_t id, struct err *e);
int incident_acknowledge(struct store *s, int64_t id, int64_t at_ms, struct err *e); /* ERR_NO */
typedef void incident_fn(const struct incident *i, void *arg);
/* Those that overlap the window (open ones last until now), newest first; id 0 = all; limit 0 =
 * all. */
int incident_list(struct store *s, int64_t id, int64_t from_ms, int64_t until_ms, int limit,
                  incident_fn *fn, void *arg, struct err *e);

struct incident_event { /* a line of the timeline */
    int64_t at_ms;
    /* "opened", "joined", "changed", "recovered" (one of several), "failover", "notice", "status"
     * (what the platform says), "alerted", "acknowledged", "resolved", "reopened" */
    const char *kind;
    const char *text;
    const char *evidence; /* JSON; "" = none */
};
/* `key` not empty: a second one with the same key is ignored (after a restart). NULL = "". */
int incident_note(struct store *s, int64_t id, const struct incident_event *v, const char *key,
                  struct err *e);
/* *ret_id: the incident with a line of that key, the newest; 0 = none. */
int incident_noted(struct store *s, const char *key, int64_t *ret_id, struct err *e);
typedef void incident_event_fn(const struct incident_event *v, void *arg);
/* In the order of their times. */
int incident_timeline(struct store *s, int64_t id, incident_event_fn *fn, void *arg, struct err *e);
typedef void incident_outage_fn(int64_t outage, void *arg);
int incident_outages(struct store *s, int64_t id, incident_outage_fn *fn, void *arg, struct err *e);
