#pragma once

#include "app/alert_send.h"
#include "app/alerter.h"
#include "app/app.h"
#include "app/store_worker.h"
#include "base/zone.h"
#include "net/loop.h"
#include "store/outbox.h"

/*
 * What alerter.c and alert_lane.c share; nobody else includes it. A lane is one entry under
 * `alerts`: it takes its messages from the outbox one after another, sends each, and writes down
 * what came of it. Lanes know nothing of each other, so one that fails delays none.
 */
enum lane_state {
    LANE_IDLE,
    LANE_STORE, /* a job of it is in the store's worker */
    LANE_SENDING,
    LANE_UNSETTLED, /* the store did not take what came of a message; it is given again */
};

struct turn; /* one message, from taking it to its end */
struct telling;

struct lane {
    struct lane *next, **at;
    struct alerter *alerter;
    enum lane_state state;
    bool gone;             /* another manifest is in force: it ends once it is idle */
    bool again;            /* something new came while it was at work */
    bool usable, troubled; /* troubled: it was said that the store does not answer */
    struct turn *turn;
    struct timer *timer;

    char *name;
    struct alert_place place;
    unsigned events, urgent;
    const char *urgent_names[ON_NOTICE + 1];
    size_t n_urgent;
    char **environments;
    size_t n_environments;
    int64_t repeat_ms;
    struct manifest_hours quiet;
    struct zone *zone;
};

struct alerter {
    struct app *app;
    struct alerter_options o;
    struct store_worker *worker;
    struct alert_sender *sender;
    char *project;
    struct lane *lanes;
    struct telling *tellings; /* being written down */
    struct timer *again;
    size_t jobs, turns; /* in the worker; of lanes, from taking a message to its end */
    uint64_t random;
    bool writable, stopped, freed;
};

/* A job of the alerter's worker. After alerter_free the last one's end releases the alerter. */
void alerter_do(struct alerter *a, store_work_fn *work, store_done_fn *done, void *arg);
void alerter_done(struct alerter *a); /* ends each `done`; `a` may be gone afterwards */

void lane_new(struct alerter *a, const struct manifest_alert *m); /* in a->lanes, first */
bool lane_wants(const struct lane *l, const struct alert_matter *m);
/* These are quiet hours, and the event is none that passes in them. */
bool lane_is_quiet(const struct lane *l, enum alert_event event);
void lane_look(struct lane *l);    /* something may be due; of the loop's thread */
void lane_drop(struct lane *l);    /* it ends now, or when what it does is done */
void lane_abandon(struct lane *l); /* alerter_free: nothing will be sent or answered any more */
