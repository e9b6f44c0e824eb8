#pragma once

#include "manifest/manifest.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Tells people. Who notices something says so once, with alerter_tell; what becomes of it is seen
 * to here: it is written down first (store/outbox.h), once for each entry under `alerts` that wants
 * it, then sent, and sent again until it got through or a day has gone by. Quiet hours hold back,
 * `repeat` folds what comes too often. A restart, or a kill at any moment, loses nothing that was
 * written down and tells nobody twice; docs/adr/010 says how, and what remains unknown.
 *
 * Life cycle: alerter_new, alerter_tell and alerter_refresh as needed, alerter_stop, and once
 * alerter_pending is 0 alerter_free. One thread, the loop's; the store is written on the pool, with
 * a handle of its own. Nothing is borrowed from the manifest after alerter_new and alerter_refresh.
 */
struct app;
struct alerter;

struct alert_matter {
    enum alert_event event;
    const char *key;         /* once ever, for each alert: "incident 12 opened" */
    int64_t incident;        /* 0 = belongs to none */
    const char *environment; /* "" = of none: every alert that takes the event is told */
    const char *title;       /* one line */
    const char *text;        /* lines; "" = the title says it all */
    const char *link;        /* where to see more; "" = nowhere */
    int64_t at_ms;           /* wall: when it happened */
};

/* What became of one matter at one alert. */
struct alert_told {
    const char *alert, *key;
    int64_t incident, at_ms;
    enum { TOLD_SENT, TOLD_FAILED, TOLD_UNKNOWN } how;
    const char *answer; /* what the other side said, or why not; redacted */
};

struct alerter_options {
    /* May be NULL. On the loop; valid during the call. */
    void (*told)(const struct alert_told *t, void *arg);
    void *arg;
};

/* With manifest, secrets, net and store open. An alert that cannot be used (a secret without a
 * value, an address that is not https) is said; what it would have told waits in the store. */
struct alerter *alerter_new(struct app *a, const struct alerter_options *o); /* o may be NULL */

/* Copies what it needs. A matter whose key was told before, in this life or an earlier one, is no
 * news: so whoever is not sure after a restart says it again. `a` may be NULL. */
void alerter_tell(struct alerter *a, const struct alert_matter *m);

void alerter_refresh(struct alerter *a); /* app->manifest is another one now; `a` may be NULL */

/* No message is begun any more; those under way end within half a minute. `a` may be NULL. */
void alerter_stop(struct alerter *a);
/* What is being written or sent at this moment; not what waits for its time. `a` may be NULL. */
size_t alerter_pending(const struct alerter *a);
void alerter_free(struct alerter *a); /* NULL is fine */
