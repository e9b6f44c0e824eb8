#pragma once

#include "manifest/matrix.h"
#include "provider/provider.h"
#include "store/store.h"

/*
 * The one runner: takes many deployments through their providers to "live", concurrently, on the
 * loop.
 *
 * It alone sends requests, so everything that is the same on every platform is here: concurrency,
 * rate limits (pace.h), retries (backoff.h), timeouts, the journal before and after each step that
 * must not happen twice, one uploader an account at a time, and at the end the question to the
 * running app which commit it is. See provider.h for the contract with the platforms.
 *
 * Life cycle: run_new, run_add for each deployment, run_start, loop_run until `finished` was
 * called, run_free. One thread. Killed at any point, a new run with the same store goes on from
 * where this one was.
 */
struct run;
struct loop;
struct http_client;
struct bases;
struct redactor;

enum run_event {
    RUN_STEP,   /* a step was done; text = what the platform says */
    RUN_UPLOAD, /* a file (or batch) arrived; see the counts in the item's deployment */
    RUN_RETRY,  /* something failed and is tried again; text = why, and when */
    RUN_VERIFY, /* the platform says ready; the running app is being asked; text = url */
    RUN_LIVE,   /* it answered with our commit */
    RUN_FAILED, /* text = why */
    RUN_PAUSED, /* no outcome yet, the next run goes on; text = why */
};

/* One deployment. The caller fills the first part and keeps it until run_free. */
struct run_item {
    const struct cell *cell;
    const struct provider_ops *ops;
    const struct want *want;
    const char *digest; /* identity of what is deployed */
    const struct lease *lease;
    int64_t release;
    const char *saved;  /* progress of an interrupted attempt of this release, or "" */
    int64_t started_at; /* wall ms of that attempt's start, 0 = now */

    /* The outcome. */
    enum deployment_state state;
    struct deployment deployment;
    struct err err; /* redacted */
    int64_t live_at;
};

typedef void run_event_fn(const struct run_item *item, enum run_event event, const char *text,
                          void *arg);

struct run_options {
    struct loop *loop;
    struct http_client *http;
    struct store *store;
    const struct bases *bases;
    const struct redactor *redactor;
    unsigned per_account; /* deployments of one account at work at once; default 6 */
    unsigned tries;       /* of one request; default 8 */
    int64_t deadline_ms;  /* from start to "ready", platform's clock; default 30 min */
    int64_t verify_ms; /* from "ready" to the right commit; default 3 min of the platform's clock,
                          at least 20 s of ours */
    uint64_t seed;     /* of the jitter; 0 = from the clock */
    const char *const
        *env;            /* our environment, for programs; those that hold a secret are left out */
    const char *dir;     /* the manifest's folder, where programs run */
    run_event_fn *event; /* may be NULL */
    void (*finished)(void *arg); /* all items have an outcome; called once, from the loop */
    void *arg;
};

struct run *run_new(const struct run_options *o);
void run_add(struct run *r, struct run_item *item); /* borrowed */
void run_start(struct run *r);
/* Lets what is on its way end, begins nothing new; unfinished items stay RUNNING in the store and
 * are gone on with by the next run. */
void run_stop(struct run *r);
/* The store refused a write because another process holds the lease now: ERR_NO. */
bool run_lost_lease(const struct run *r, struct err *ret);
void run_free(struct run *r); /* NULL is fine */
