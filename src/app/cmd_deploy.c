#include "app/app.h"
#include "app/deploy_tell.h"
#include "app/job.h"
#include "app/plan_view.h"
#include "app/progress.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/redact.h"
#include "deploy/run.h"
#include "net/loop.h"
#include "store/store.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* trine deploy: plan, lease, release, run. The runner does the work; here it is put together, told
 * to the person, and closed. */

enum { MOST_ENVIRONMENTS = 64 };

struct env_run { /* one environment of this run */
    const struct manifest_environment *env;
    struct lease lease;
    struct release release;
    bool held, opened;
    size_t items, live, failed;
};

struct deploy {
    struct app *app;
    struct job job;
    struct env_run envs[MOST_ENVIRONMENTS];
    size_t n_envs;
    struct run_item *items;
    size_t n_items;
    struct run *run;
    struct progress *progress;
    struct timer *heartbeat;
    struct err lost;
};

/* --- Telling ---------------------------------------------------------------------------------- */

static void label(const struct run_item *it, char ret[200])
{
    (void)snprintf(ret, 200, "%s %s%s%s", it->cell->env->name, it->cell->app->name,
                   it->cell->instance[0] ? "/" : "", it->cell->instance);
}

static void told(const struct run_item *it, enum run_event event, const char *text, void *arg)
{
    struct deploy *d = arg;
    char name[200];
    struct progress_item item = {.name = name, .more = text};

    item.seconds = (double)(clock_wall_ms(&d->app->clock) - it->started_at) / 1000.0;
    label(it, name);
    switch (event) {
    case RUN_LIVE:
        item.good = true;
        item.word = "live";
        progress_done(d->progress, &item);
        return;
    case RUN_FAILED:
        item.word = "FAILED";
        progress_done(d->progress, &item);
        return;
    case RUN_PAUSED:
        if (!d->app->interrupted)
            progress_line(d->progress, "waits   %-44s %s", name, text);
        return;
    case RUN_RETRY:
        if (d->app->o.verbose > 1)
            progress_line(d->progress, "retry   %-44s %s", name, text);
        break;
    case RUN_VERIFY:
        if (d->app->o.verbose > 0)
            progress_line(d->progress, "asks    %-44s %s", name, text);
        break;
    case RUN_STEP:
    case RUN_UPLOAD:
        break;
    }
    progress_now(d->progress, "%s: %s", name, text);
}

/* --- Leases and releases ---------------------------------------------------------------------- */

static struct env_run *env_run_of(struct deploy *d, const struct manifest_environment *env)
{
    for (size_t i = 0; i < d->n_envs; i++)
        if (d->envs[i].env == env)
            return &d->envs[i];
    struct env_run *r = &d->envs[d->n_envs++];
    *r = (struct env_run){.env = env};
    return r;
}

static bool to_do(const struct plan_item *it)
{
    return it->action == PLAN_CREATE || it->action == PLAN_CHANGE;
}

/* What is left out, and why: the others are deployed all the same. */
static void tell_cannot(const struct deploy *d)
{
    for (size_t i = 0; i < d->job.matrix.n; i++) {
        const struct plan_item *it = &d->job.items[i];
        char why[sizeof(it->why)];
        if (it->action != PLAN_CANNOT)
            continue;
        (void)snprintf(why, sizeof(why), "%s", it->why);
        redact_text(d->app->redactor, why, sizeof(why));
        (void)fprintf(stderr, "cannot  %s %s%s%s: %s\n", it->cell->env->name, it->cell->app->name,
                      it->cell->instance[0] ? "/" : "", it->cell->instance, why);
    }
}

static int count_environments(struct deploy *d, struct err *e)
{
    d->n_items = 0;
    for (size_t i = 0; i < d->n_envs; i++)
        d->envs[i].items = 0;
    for (size_t i = 0; i < d->job.matrix.n; i++) {
        if (!to_do(&d->job.items[i]))
            continue;
        if (d->n_envs == MOST_ENVIRONMENTS)
            return err_set(e, ERR_USAGE, "more than %d environments at once", MOST_ENVIRONMENTS);
        env_run_of(d, d->job.items[i].cell->env)->items++;
        d->n_items++;
    }
    return 0;
}

static int take_leases(struct deploy *d, struct err *e)
{
    for (size_t i = 0; i < d->n_envs; i++) {
        if (d->envs[i].held)
            continue;
        if (lease_acquire(d->app->store, d->envs[i].env->name, "trine deploy", &d->envs[i].lease,
                          e) < 0)
            return -1;
        d->envs[i].held = true;
    }
    return 0;
}

/* Whoever held a lease until now may have done what was planned: it is planned again with the
 * leases held, until no environment comes in addition. */
static int claim(struct deploy *d, struct err *e)
{
    for (size_t claimed = 0;;) {
        if (count_environments(d, e) < 0)
            return -1;
        if (d->n_envs == claimed)
            return 0;
        claimed = d->n_envs;
        if (take_leases(d, e) < 0 || job_plan(&d->job, e) < 0)
            return -1;
    }
}

static void drop_leases(struct deploy *d)
{
    struct err ignored = ERR_INIT; /* a lease that is not given back runs out by itself */

    for (size_t i = 0; i < d->n_envs; i++)
        if (d->envs[i].held)
            (void)lease_release(d->app->store, &d->envs[i].lease, &ignored);
}

static void beat(void *arg)
{
    struct deploy *d = arg;
    struct err e = ERR_INIT;

    for (size_t i = 0; i < d->n_envs; i++)
        if (d->envs[i].held && lease_heartbeat(d->app->store, &d->envs[i].lease, &e) < 0) {
            if (d->lost.kind == ERR_NONE)
                d->lost = e;
            run_stop(d->run);
            return;
        }
    timer_start(d->heartbeat, LEASE_HEARTBEAT_MS);
}

static int open_releases(struct deploy *d, struct err *e)
{
    const struct commit *c = &d->job.commit;

    for (size_t i = 0; i < d->n_envs; i++) {
        struct env_run *r = &d->envs[i];
        struct release want = {.committed_at = c->committed_at,
                               .created_at = clock_wall_ms(&d->app->clock)};
        if (r->items == 0)
            continue;
        (void)snprintf(want.environment, sizeof(want.environment), "%s", r->env->name);
        (void)snprintf(want.commit, sizeof(want.commit), "%s", c->id);
        (void)snprintf(want.message, sizeof(want.message), "%.255s", c->subject);
        if (release_open(d->app->store, &r->lease, &want, &r->release, e) < 0)
            return -1;
        r->opened = true;
    }
    return 0;
}

/* That nobody could be told is no reason to call the deploy itself failed. */
static void tell_alerts(struct deploy *d, const struct env_run *r, bool live)
{
    struct err e = ERR_INIT;
    int told = deploy_tell(d->app, &r->release, live, d->items, d->n_items, &e);

    if (told < 0)
        app_say(d->app, "the alerts could not be told of %s: %s", r->env->name, e.text);
    else if (told > 0)
        app_say(d->app, "trine serve will tell %d alert%s of %s", told, told == 1 ? "" : "s",
                r->env->name);
}

/* All of it live: the release is. One that failed for good closes it, and the next run begins a new
 * one; what is only unfinished leaves it open whatever failed beside it, for the next run goes on
 * with it only in the same release. */
static int close_releases(struct deploy *d, struct err *e)
{
    for (size_t i = 0; i < d->n_envs; i++) {
        struct env_run *r = &d->envs[i];
        if (!r->opened || r->live + r->failed < r->items)
            continue;
        enum release_state state = r->live == r->items ? RELEASE_LIVE : RELEASE_FAILED;
        if (release_close(d->app->store, &r->lease, r->release.number, state, e) < 0)
            return -1;
        tell_alerts(d, r, state == RELEASE_LIVE);
    }
    return 0;
}

/* --- Items ------------------------------------------------------------------------------------ */

struct resume { /* finds what an interrupted run of the same release left */
    struct deploy *d;
    const struct env_run *env;
};

static void take_up(const struct deployment_row *row, void *arg)
{
    const struct resume *r = arg;

    if (row->state != DEPLOYMENT_RUNNING && row->state != DEPLOYMENT_VERIFYING)
        return;
    for (size_t i = 0; i < r->d->n_items; i++) {
        struct run_item *it = &r->d->items[i];
        if (it->cell->env == r->env->env && strcmp(it->cell->app->name, row->app) == 0 &&
            strcmp(it->cell->instance, row->instance) == 0 &&
            strcmp(it->digest, row->digest) == 0) {
            it->saved = arena_strdup(&r->d->job.arena, row->progress);
            it->started_at = row->started_at;
        }
    }
}

static int fill_items(struct deploy *d, struct err *e)
{
    struct job *j = &d->job;
    size_t n = 0;

    d->items = mem_array(d->n_items ? d->n_items : 1, sizeof(*d->items));
    for (size_t i = 0; i < j->matrix.n; i++) {
        if (!to_do(&j->items[i]))
            continue;
        struct env_run *r = env_run_of(d, j->items[i].cell->env);
        struct want *w = &j->wants[i];
        /* An interrupted run may be gone on with after a file or a variable was changed: what it
         * left is then not what is wanted. */
        w->marker = arena_printf(&j->arena, "trine %s-%lld %.8s", r->env->name,
                                 (long long)r->release.number, j->items[i].digest);
        if (j->bundle_of[i] && job_sign(j, i, r->release.number, e) < 0)
            return -1;
        w->bundle = j->bundle_of[i];
        w->bundle_dir = j->build_of[i] ? j->build_of[i]->dir : NULL;
        d->items[n++] = (struct run_item){.cell = j->items[i].cell,
                                          .ops = j->items[i].ops,
                                          .want = w,
                                          .digest = j->items[i].digest,
                                          .lease = &r->lease,
                                          .release = r->release.number,
                                          .saved = ""};
    }
    for (size_t i = 0; i < d->n_envs; i++) {
        struct resume r = {.d = d, .env = &d->envs[i]};
        if (deployment_of_release(d->app->store, d->envs[i].env->name, d->envs[i].release.number,
                                  take_up, &r, e) < 0)
            return -1;
    }
    return 0;
}

/* --- The run ---------------------------------------------------------------------------------- */

static void finished(void *arg)
{
    struct deploy *d = arg;

    loop_stop(d->app->loop);
}

static void interrupted(int signal, void *arg)
{
    struct deploy *d = arg;

    (void)signal;
    d->app->interrupted = true;
    run_stop(d->run);
}

static void run_all(struct deploy *d)
{
    struct app *a = d->app;
    struct run_options o = {.loop = a->loop,
                            .http = a->http,
                            .store = a->store,
                            .bases = a->bases,
                            .redactor = a->redactor,
                            .env = (const char *const *)environ,
                            .dir = a->manifest->dir,
                            .event = told,
                            .finished = finished,
                            .arg = d};

    d->run = run_new(&o);
    d->progress = progress_new(a, "deploy", d->n_items);
    for (size_t i = 0; i < d->n_items; i++)
        run_add(d->run, &d->items[i]);
    d->heartbeat = timer_new(a->loop, beat, d);
    timer_start(d->heartbeat, LEASE_HEARTBEAT_MS);
    loop_on_signal(a->loop, interrupted, d);
    run_start(d->run);
    (void)loop_run(a->loop);
    loop_on_signal(a->loop, NULL, NULL);
    timer_free(d->heartbeat);
    progress_free(d->progress);
    if (d->lost.kind == ERR_NONE)
        (void)run_lost_lease(d->run, &d->lost);
}

static void count_outcomes(struct deploy *d)
{
    for (size_t i = 0; i < d->n_items; i++) {
        struct env_run *r = env_run_of(d, d->items[i].cell->env);
        r->live += d->items[i].state == DEPLOYMENT_LIVE;
        r->failed += d->items[i].state == DEPLOYMENT_FAILED;
    }
}

/* --- The outcome ------------------------------------------------------------------------------ */

static json_t *outcome_json(const struct deploy *d)
{
    json_t *list = json_array();

    for (size_t i = 0; i < d->n_items; i++) {
        const struct run_item *it = &d->items[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "environment",
                            it->cell->env->name, "app", it->cell->app->name, "instance",
                            it->cell->instance, "platform", it->ops->name, "state",
                            deployment_state_name(it->state), "release", (json_int_t)it->release,
                            "url", it->deployment.url, "error", it->err.text));
    }
    return json_pack("{s:s, s:I, s:o}", "commit", d->job.commit.id, "unchanged",
                     (json_int_t)d->job.counts.of[PLAN_NOTHING], "deployments", list);
}

/* Exit status: the first failure's own kind; 0 only when everything that could be deployed is live.
 */
static int outcome(struct deploy *d, struct err *e)
{
    size_t live = 0, failed = 0;
    const struct run_item *first = NULL;

    for (size_t i = 0; i < d->n_items; i++) {
        live += d->items[i].state == DEPLOYMENT_LIVE;
        failed += d->items[i].state == DEPLOYMENT_FAILED;
        if (!first && d->items[i].state != DEPLOYMENT_LIVE)
            first = &d->items[i];
    }
    if (d->app->o.json && app_print_json(d->app, outcome_json(d), e) < 0)
        return -1;
    if (d->lost.kind != ERR_NONE) {
        *e = d->lost;
        return -1;
    }
    if (d->app->interrupted)
        return err_set(e, ERR_NO,
                       "interrupted: %zu of %zu live, %zu failed, %zu unfinished; run the same "
                       "command again to go on",
                       live, d->n_items, failed, d->n_items - live - failed);
    if (first) {
        enum err_kind kind = first->err.kind == ERR_NONE ? ERR_REMOTE : first->err.kind;
        return err_set(e, kind, "%zu of %zu live, %zu failed, %zu unfinished; see trine status",
                       live, d->n_items, failed, d->n_items - live - failed);
    }
    app_say(d->app, "%zu live, %zu unchanged", live, d->job.counts.of[PLAN_NOTHING]);
    return d->job.counts.of[PLAN_CANNOT] > 0 ? err_exit_code(ERR_NO) : 0;
}

static int run_deploy(struct deploy *d, struct err *e)
{
    int rc = -1;

    tell_cannot(d);
    if (claim(d, e) == 0 && open_releases(d, e) == 0 && fill_items(d, e) == 0) {
        run_all(d);
        count_outcomes(d);
        rc = d->lost.kind == ERR_NONE ? close_releases(d, e) : 0;
        if (rc == 0)
            rc = outcome(d, e);
        run_free(d->run);
    }
    drop_leases(d);
    free(d->items);
    return rc;
}

int cmd_deploy(struct app *a, struct err *e)
{
    struct deploy *d = mem_alloc(sizeof(*d));
    int rc = -1;

    d->app = a;
    if (job_open(&d->job, a, e) == 0 && job_builds(&d->job, !a->o.dry_run, e) == 0 &&
        (a->o.build_only || (job_bundles(&d->job, e) == 0 && job_plan(&d->job, e) == 0))) {
        if (a->o.build_only)
            rc = 0;
        else if (a->o.dry_run)
            rc = plan_print(&d->job, false, NULL, e);
        else
            rc = run_deploy(d, e);
    }
    job_release(&d->job);
    free(d);
    return rc;
}
