#pragma once

#include "manifest/matrix.h"
#include "probe/schedule.h"
#include "store/outage.h"
#include "store/store.h"

/*
 * Measuring as the program does it, for `trine probe` and `trine serve` alike: what is live becomes
 * targets, the schedule asks them, samples go to the store in batches, changes of state open and
 * close outages, platforms are asked whether a sleeper is awake, and what was measured is rolled
 * up into history. Who started it is told of everything by callbacks.
 *
 * What is known of a check (its state, its last sample) outlives the schedule: after a deploy the
 * targets are found anew, and a schedule that keeps the ticks takes the place of the one before,
 * whose probes under way end by themselves.
 *
 * Life cycle: watch_new, watch_start, watch_refresh whenever what is live has changed, watch_stop,
 * and once `ended` came watch_free. One thread, the loop's; only what is
 * written runs on the pool, on store handles of its own.
 */
struct app;
struct watch;

/* One check of one app instance in one environment. Texts are redacted and never NULL. */
struct watch_check {
    int64_t series;
    const char *environment, *app, *instance, *check;
    enum check_kind kind;
    int64_t every_ms, timeout_ms, slow_ms;
    bool sleeps;                                /* its platform puts it to sleep */
    bool present;                               /* it is measured now; false: it was once */
    struct health health;                       /* health_shown() is what to show */
    const char *reason;                         /* why it is not well */
    const char *detail;                         /* of the last good sample: "PostgreSQL 17.2" */
    int64_t valid_until_ms;                     /* tls: the certificate's end; 0 = none */
    bool measured;                              /* last is there */
    struct sample last;                         /* the last that was not missed */
    uint64_t outcomes[SAMPLE_MISSED + 1], cold; /* since the start */
};

/* An outage with the names of its check. */
struct watch_outage {
    struct outage outage;                             /* reason: never NULL */
    const char *environment, *app, *instance, *check; /* "" for our own blindness */
};

struct watch_options {
    struct app *app; /* with manifest, secrets, net and store open */
    const struct matrix *matrix;
    int64_t duration_ms, ticks; /* 0 = until watch_stop */
    /* Everything that the manifest has is measured here: outages of what is measured no more are
     * closed. */
    bool whole;

    /* Each may be NULL. Valid during the call. */
    void (*sample)(const struct watch_check *c, const struct probe_result *r, void *arg);
    void (*state)(const struct watch_check *c,
                  void *arg); /* shown state, reason or awake changed */
    void (*outage)(const struct watch_outage *i, void *arg); /* opened or closed, in the store */
    void (*blind)(bool blind, void *arg);     /* our own connection is down, or back */
    void (*say)(const char *text, void *arg); /* for a person; one line */
    void (*ended)(void *arg); /* after watch_stop or by the limits: everything is written */
    void *arg;
};

struct watch *watch_new(const struct watch_options *o);
/* Reads what the store knows, finds the targets and begins. *ret_n: how many there are; none is no
 * error here. Targets of kinds that cannot be measured, and why others are left out, are said. */
int watch_start(struct watch *w, size_t *ret_n, struct err *e);
/* What is live, or the manifest, has changed; `matrix` takes the place of the one before. On -1 the
 * old targets stay. */
int watch_refresh(struct watch *w, const struct matrix *matrix, struct err *e);
/* Nothing borrows from an earlier matrix any more. */
bool watch_settled(const struct watch *w);
void watch_stop(struct watch *w);
void watch_free(struct watch *w); /* drops what is under way; NULL is fine */

/* In the order of the manifest's checks; then those that are measured no more. */
const struct watch_check *const *watch_checks(const struct watch *w, size_t *ret_n);
const struct watch_check *watch_find(const struct watch *w, int64_t series);
/* The service of the check is asleep, as far as anybody knows. */
enum awake watch_awake(const struct watch *w, const struct watch_check *c);
bool watch_probe_now(struct watch *w, int64_t series); /* as schedule_probe_now */
/* As schedule_pace, schedule_wake and schedule_seen; a pace outlives a watch_refresh. until_ms:
 * wall time, turned into a time span at once; 0: no end, lets it sleep; INT64_MAX: no end. */
bool watch_pace(struct watch *w, int64_t series, int64_t every_ms, int64_t until_ms);
bool watch_wake(struct watch *w, int64_t series);
void watch_seen(struct watch *w, int64_t series, int64_t at_ms);
/* Open ones; in the order they were opened. */
const struct watch_outage *const *watch_outages(const struct watch *w, size_t *ret_n);
/* It was acknowledged in the store. */
void watch_acknowledged(struct watch *w, int64_t id, int64_t at_ms);

struct watch_health { /* the prober's own */
    struct schedule_counters now;
    const struct sketch *lateness; /* since the start, all schedules; until the next watch_count */
    uint64_t missed, sent, extra, dropped;
};
void watch_count(struct watch *w, struct watch_health *ret);
