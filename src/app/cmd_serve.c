#include "app/app.h"

#include "app/alerter.h"
#include "app/api.h"
#include "app/event_hub.h"
#include "app/incident_book.h"
#include "app/router.h"
#include "app/serve.h"
#include "app/serve_drill.h"
#include "app/status_watch.h"
#include "app/store_worker.h"
#include "app/targets.h"
#include "base/mem.h"
#include "net/loop.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* trine serve: the daemon's life. What it does is in serve.h and its files. */

enum { LOOK_MS = 3000, END_LOOK_MS = 20 };

static void traffic_moved(void *arg)
{
    const struct serve *s = arg;

    feed_traffic(s->feed);
}

static void say(const char *text, void *arg)
{
    const struct serve *s = arg;

    app_say(s->app, "%s", text);
}

static void traffic_changed(const struct traffic_change *c, void *arg)
{
    const struct serve *s = arg;

    incident_book_change(s->incidents, c);
}

static struct router *make_router(struct serve *s)
{
    const struct router_options o = {.app = s->app,
                                     .watch = s->watch,
                                     .matrix = &s->setup->matrix,
                                     .changed = traffic_moved,
                                     .change = traffic_changed,
                                     .say = say,
                                     .arg = s};
    return router_new(&o);
}

void serve_refresh_router(struct serve *s)
{
    struct err e = ERR_INIT;

    agents_refresh(s->agents);
    if (s->router) {
        router_refresh(s->router, &s->setup->matrix);
        return;
    }
    s->router = make_router(s);
    if (s->router && router_start(s->router, &e) < 0)
        app_say(s->app, "%s", e.text);
}

/* --- The manifest and its successors ------------------------------------------------------------
 */

static struct setup *setup_free(struct setup *p)
{
    struct setup *before = p->before;

    matrix_release(&p->matrix);
    manifest_free(p->manifest);
    free(p);
    return before;
}

/* Takes over the manifest that the app has just loaded. */
static int setup_take(struct serve *s, struct err *e)
{
    struct setup *p = mem_alloc(sizeof(*p));

    p->manifest = s->app->manifest;
    p->before = s->setup;
    if (app_matrix(s->app, &p->matrix, e) < 0) {
        free(p);
        return -1;
    }
    s->setup = p;
    return 0;
}

/* Back to the one before. */
static void setup_drop(struct serve *s)
{
    s->setup = setup_free(s->setup);
    s->app->manifest = s->setup->manifest;
}

/* SIGHUP: the new manifest when it is right in all, else the one in force stays. */
static void reload(struct serve *s)
{
    struct app *a = s->app;
    struct err e = ERR_INIT;
    struct manifest *before = a->manifest;

    if (app_open_manifest(a, &e) < 0 || setup_take(s, &e) < 0) {
        if (a->manifest != before)
            manifest_free(a->manifest);
        a->manifest = before;
        app_say(a, "the manifest was not taken, the one before stays in force: %s", e.text);
        return;
    }
    if (watch_refresh(s->watch, &s->setup->matrix, &e) < 0) {
        setup_drop(s);
        app_say(a, "the manifest was not taken, the one before stays in force: %s", e.text);
        return;
    }
    alerter_refresh(s->alerter);
    serve_refresh_router(s);
    incident_book_refresh(s->incidents, &s->setup->matrix);
    app_say(a, "the manifest was read again and is in force now");
}

static void watch_ended(void *arg);

static bool is_reading(const struct serve *s)
{
    return store_worker_pending(s->reader) + store_worker_pending(s->comparer) +
               router_pending(s->router) + agents_pending(s->agents) >
           0;
}

/* What is under way and must end before the process does. */
static bool is_busy(const struct serve *s)
{
    return is_reading(s) || alerter_pending(s->alerter) > 0 || drill_desk_pending(s->drills) > 0 ||
           incident_book_pending(s->incidents);
}

/* Earlier manifests go when nothing borrows from them any more. */
static void look(void *arg)
{
    struct serve *s = arg;

    if (s->stopping) {
        watch_ended(s);
        return;
    }
    if (s->setup->before && watch_settled(s->watch) && router_settled(s->router) && !is_reading(s))
        while (s->setup->before)
            s->setup->before = setup_free(s->setup->before);
    timer_start(s->look, LOOK_MS);
}

/* --- What the watch tells -----------------------------------------------------------------------
 */

static void sampled(const struct watch_check *c, const struct probe_result *r, void *arg)
{
    struct serve *s = arg;

    feed_sample(s->feed, r->sample);
    if (s->router)
        router_sampled(s->router, c, r);
}

static void state_changed(const struct watch_check *c, void *arg)
{
    struct serve *s = arg;

    feed_check(s->feed, c);
    if (s->router)
        router_state(s->router, c);
}

static void went_blind(bool blind, void *arg)
{
    const struct serve *s = arg;

    if (s->router)
        router_blind(s->router, blind);
}

static void outage_told(const struct watch_outage *i, void *arg)
{
    struct serve *s = arg;

    feed_outage(s->feed, i);
    incident_book_outage(s->incidents, i);
}

/* Everything measured is written. What runs on the pool ends before what it borrows is freed. */
static void watch_ended(void *arg)
{
    struct serve *s = arg;

    if (!is_busy(s))
        loop_stop(s->app->loop);
    else
        timer_start(s->look, END_LOOK_MS);
}

static void slow_turn(int64_t ms, const char *what, void *arg)
{
    struct serve *s = arg;

    s->slow_turns++;
    if (s->app->o.verbose)
        app_say(s->app, "a turn of the loop took %lld ms (%s)", (long long)ms, what);
}

/* --- Signals ------------------------------------------------------------------------------------
 */

static void told_to_end(int signal, void *arg)
{
    struct serve *s = arg;

    (void)signal;
    if (s->stopping)
        return;
    s->stopping = true;
    timer_stop(s->look);
    app_say(s->app, "ending");
    alerter_stop(s->alerter);
    drill_desk_stop(s->drills);
    if (s->router)
        router_stop(s->router);
    watch_stop(s->watch);
    incident_book_stop(s->incidents);
}

static void hung_up(uv_signal_t *handle, int signal)
{
    struct serve *s = handle->data;

    (void)signal;
    if (!s->stopping)
        reload(s);
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void count_token(const struct access_token *t, void *arg)
{
    size_t *n = arg;

    (void)t;
    ++*n;
}

static int read_site(struct app *a, struct api_site *ret, struct err *e)
{
    size_t tokens = 0;

    if (api_site_read(a->o.listen ? a->o.listen : "127.0.0.1:7467", ret, e) < 0)
        return -1;
    ret->names = a->o.hosts;
    ret->n_names = a->o.n_hosts;
    if (api_site_loopback(ret))
        return 0;
    if (access_list(a->store, count_token, &tokens, e) < 0)
        return -1;
    if (tokens == 0)
        return err_set(e, ERR_USAGE,
                       "--listen %s: others reach this address, so reading needs a token and there "
                       "is none yet; make one with: trine token create NAME --scope read",
                       a->o.listen);
    return 0;
}

static int begin(struct serve *s, struct err *e)
{
    struct app *a = s->app;
    struct api_options api = {0};
    char link[128];
    size_t n = 0;

    if (read_site(a, &api.site, e) < 0)
        return -1;
    s->reader = store_worker_new(a->loop, a->state, &a->clock);
    s->comparer = store_worker_new(a->loop, a->state, &a->clock);
    s->alerter = alerter_new(a, &(struct alerter_options){.told = incident_told, .arg = s});
    s->drills = drill_desk_new(&(struct drill_desk_options){.serve = s});
    s->hub = event_hub_new(a->loop);
    s->agents = agents_new(s);
    s->feed = feed_new(s);
    s->queries = query_book_new(s);
    serve_routes(s, &api);
    s->api = api_new(a->loop, &api, e);
    if (!s->api)
        return -1;
    bool v6 = strchr(api.site.address, ':');
    (void)snprintf(link, sizeof(link), "http://%s%s%s:%u/", v6 ? "[" : "", api.site.address,
                   v6 ? "]" : "", api_port(s->api));
    incidents_begin(s, link);
    if (watch_start(s->watch, &n, e) < 0 || incident_book_start(s->incidents, e) < 0)
        return -1;
    live_begin(s);
    if (s->router && router_start(s->router, e) < 0)
        return -1;
    drill_desk_start(s->drills);
    figures_refresh(s);
    s->look = timer_new(a->loop, look, s);
    timer_start(s->look, LOOK_MS);
    loop_on_slow(a->loop, slow_turn, s);
    app_say(a, "measuring %zu targets; the dashboard is at the address below", n);
    if (n == 0)
        app_say(a, "nothing to measure yet: it begins by itself once something is live");
    (void)printf("%s\n", link);
    (void)fflush(stdout);
    return 0;
}

static void end(struct serve *s)
{
    api_free(s->api);
    query_book_free(s->queries);
    agents_free(s->agents);
    drill_desk_free(s->drills);
    router_free(s->router);
    event_hub_free(s->hub);
    incident_book_free(s->incidents);
    status_watch_free(s->status_pages);
    watch_free(s->watch);
    alerter_free(s->alerter);
    feed_free(s->feed);
    timer_free(s->poll);
    timer_free(s->look);
    store_worker_free(s->reader);
    store_worker_free(s->comparer);
}

static void release(struct serve *s)
{
    struct kept *all[] = {&s->overview, &s->checks, &s->deployments, &s->prober, &s->metrics};

    live_release(&s->live);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        buf_release(&all[i]->json);
    figures_release(s->figures, s->n_figures);
    free(s->store_json);
    free(s->self_test_json);
    while (s->setup && s->setup->before)
        s->setup->before = setup_free(s->setup->before);
    if (s->setup) { /* the manifest in force is the app's */
        matrix_release(&s->setup->matrix);
        free(s->setup);
    }
}

static int run(struct serve *s, struct err *e)
{
    struct app *a = s->app;
    uv_signal_t *hup = mem_alloc(sizeof(*hup)); /* until the loop has closed it */
    int rc = begin(s, e);

    (void)uv_signal_init(loop_uv(a->loop), hup);
    hup->data = s;
    if (rc == 0) {
        (void)uv_signal_start(hup, hung_up, SIGHUP);
        loop_on_signal(a->loop, told_to_end, s);
        (void)loop_run(a->loop);
        loop_on_signal(a->loop, NULL, NULL);
    }
    uv_close((uv_handle_t *)hup, closed);
    s->stopping = true;
    end(s);
    release(s);
    return rc;
}

static int look_only(struct serve *s, struct err *e)
{
    struct app *a = s->app;
    struct targets targets = {0};
    struct api_site site = {0};
    int rc = read_site(a, &site, e);

    if (rc == 0)
        rc = targets_build(a, &s->setup->matrix, &targets, e);
    if (rc == 0) {
        targets_say_left_out(a, &targets);
        app_say(a, "would measure %zu targets and serve the dashboard on %s port %d", targets.n,
                site.address, site.port);
    }
    targets_release(&targets);
    release(s);
    return rc;
}

int cmd_serve(struct app *a, struct err *e)
{
    /* One heap for all threads: what a comparison leaves free is used again, and given back. */
    (void)mallopt(M_ARENA_MAX, 1);
    int64_t now = clock_wall_ms(&a->clock);
    struct serve s = {.app = a, .started_ms = now, .figures_until_ms = now};

    if (app_open_manifest(a, e) < 0 || app_open_secrets(a, e) < 0 || app_open_net(a, e) < 0 ||
        app_open_store(a, e) < 0 || setup_take(&s, e) < 0)
        return -1;
    if (a->o.dry_run)
        return look_only(&s, e);
    const struct watch_options o = {.app = a,
                                    .matrix = &s.setup->matrix,
                                    .whole = a->o.n_environments == 0 && !a->o.app,
                                    .sample = sampled,
                                    .state = state_changed,
                                    .outage = outage_told,
                                    .blind = went_blind,
                                    .say = say,
                                    .ended = watch_ended,
                                    .arg = &s};
    s.watch = watch_new(&o);
    s.router = make_router(&s);
    return run(&s, e);
}
