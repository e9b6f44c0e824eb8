#pragma once

#include "app/alerter.h"
#include "app/watch.h"
#include "store/incident.h"
#include "store/traffic.h"

/*
 * Incidents as `trine serve` keeps them: outages, failovers, drills over their bound and our own
 * blindness come in, traffic/cause.h says what belongs together, and the book opens, widens,
 * resolves and reopens incidents, writes their timelines and says what people are to be told. What
 * an incident has is written in one group, and what is said afterwards is said again after a
 * restart, with the same keys: a kill at any moment leaves nothing out and tells nothing twice.
 *
 * The first alert of an incident waits INCIDENT_GATHER_MS, so that it names the cause and not the
 * first of its signs.
 *
 * Life cycle: incident_book_new, incident_book_start once the watch was started, the calls below
 * as things happen, incident_book_stop, and once incident_book_pending is false
 * incident_book_free. One thread, the loop's; the store is written on the pool with a handle of
 * the book's own.
 */
enum { INCIDENT_GATHER_MS = 2000 };

struct app;
struct incident_book;
struct matrix;

struct incident_book_options {
    struct app *app;
    const struct watch *watch;
    const struct matrix *matrix; /* of which platform an environment's app is; copied from */
    const char *link;            /* of the dashboard, "http://127.0.0.1:7467/"; copied; "" = none */
    /* Each may be NULL. Valid during the call. */
    void (*changed)(const struct incident *i, void *arg); /* something of it is new in the store */
    void (*alert)(const struct alert_matter *m, void *arg);
    /* An open incident is about this platform, or none is any more. */
    void (*platform)(const char *platform, bool in_trouble, void *arg);
    void *arg;
};

struct incident_book *incident_book_new(const struct incident_book_options *o);
/* Takes up what was open, and the outages that the watch has open. */
int incident_book_start(struct incident_book *b, struct err *e);
/* The manifest in force is another one: routes that are gone keep no incident open. */
void incident_book_refresh(struct incident_book *b, const struct matrix *matrix);

/* NULL, or not started: nothing is done; what is open then is found by the start. */
void incident_book_outage(struct incident_book *b, const struct watch_outage *o);
/* As it is decided; that it was applied is no news here. */
void incident_book_change(struct incident_book *b, const struct traffic_change *c);
/* What the platform's status page says, attached to the open incidents about it; each text once. */
void incident_book_status(struct incident_book *b, const char *platform, const char *text,
                          const char *evidence);
void incident_book_acknowledged(struct incident_book *b, int64_t id, int64_t at_ms);

void incident_book_stop(struct incident_book *b);          /* NULL is fine, as below */
bool incident_book_pending(const struct incident_book *b); /* something is being written */
void incident_book_free(struct incident_book *b);
