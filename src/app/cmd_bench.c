#include "app/app.h"
#include "app/load_view.h"
#include "app/progress.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "probe/load.h"
#include "provider/allowance.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* trine bench: the same load on several environments at once, and what it did to their times. */

enum { DEFAULT_RATE = 10, WAKE_TIMEOUT_MS = 60000, REQUEST_TIMEOUT_MS = 10000 };

/* A run may take this share of a free allowance; what was used before is not known here. */
static const double share_most = 0.05;

struct benching;
struct place_to_load { /* one environment */
    struct benching *owner;
    const char *environment, *platform, *url;
    struct http_request request; /* the first one, which wakes it */
    struct err err;
    double wake_ms;
    uint64_t reply_bytes;
    char share[160];
};

struct benching {
    struct app *app;
    struct arena arena;
    const struct manifest_bench *bench;
    struct place_to_load places[64];
    size_t n_places, n_waiting;
    double rate;
    int64_t duration_ms;
    struct http_client *http;
    struct load *load;
    struct progress *progress;
    int64_t started_us;
};

/* --- What is to be loaded ------------------------------------------------------------------------
 */

static int choose_bench(struct benching *b, struct err *e)
{
    const struct manifest *m = b->app->manifest;
    const char *name = b->app->o.n_arguments ? b->app->o.arguments[0] : NULL;
    struct buf names = BUF_INIT(400);

    for (size_t i = 0; i < m->n_benches; i++) {
        if (name ? strcmp(m->benches[i].name, name) == 0 : m->n_benches == 1)
            b->bench = &m->benches[i];
        buf_addf(&names, "%s%s", i ? ", " : "", m->benches[i].name);
    }
    int rc = 0;
    if (m->n_benches == 0)
        rc = err_set(e, ERR_MANIFEST,
                     "%.80s: there is no load comparison; add one under bench: with app and path",
                     m->file);
    else if (!b->bench)
        rc = err_set(e, ERR_USAGE, "%s%.60s%s; give one of: %.300s",
                     name ? "there is no load comparison \"" : "which load comparison",
                     name ? name : "", name ? "\"" : "", buf_str(&names));
    buf_release(&names);
    return b->bench ? rc : -1;
}

static bool wants(const struct benching *b, const char *environment)
{
    const struct options *o = &b->app->o;
    const char *const *chosen = o->environments;
    size_t n = o->n_environments;

    if (n == 0) {
        chosen = b->bench->environments;
        n = b->bench->n_environments;
    }
    for (size_t i = 0; i < n; i++)
        if (strcmp(chosen[i], environment) == 0)
            return true;
    return n == 0;
}

static void keep_place(const struct deployment_row *r, void *arg)
{
    struct benching *b = arg;
    size_t n = strlen(r->url);

    if (strcmp(r->app, b->bench->app) != 0 || !wants(b, r->environment) || n == 0 ||
        b->n_places == sizeof(b->places) / sizeof(b->places[0]))
        return;
    while (n > 0 && r->url[n - 1] == '/')
        n--;
    b->places[b->n_places++] = (struct place_to_load){
        .owner = b,
        .environment = arena_strdup(&b->arena, r->environment),
        .platform = arena_strdup(&b->arena, r->platform),
        .url = arena_printf(&b->arena, "%.*s%s", (int)n, r->url, b->bench->path),
    };
}

static int find_places(struct benching *b, struct err *e)
{
    const struct options *o = &b->app->o;

    for (size_t i = 0; i < o->n_environments; i++)
        if (!manifest_environment_find(b->app->manifest, o->environments[i]))
            return err_set(e, ERR_USAGE, "-e %.60s: the manifest has no such environment",
                           o->environments[i]);
    if (deployment_live(b->app->store, NULL, keep_place, b, e) < 0)
        return -1;
    if (b->n_places == 0)
        return err_set(e, ERR_NO, "%.80s is live in none of these environments; see trine status",
                       b->bench->app);
    return 0;
}

static int read_load(struct benching *b, struct err *e)
{
    const struct options *o = &b->app->o;

    b->rate = o->rate > 0 ? o->rate : DEFAULT_RATE;
    b->duration_ms = o->duration_ms ? o->duration_ms
                                    : (int64_t)ceil(1000.0 * (double)b->bench->requests / b->rate);
    if (b->rate > LOAD_RATE_MAX)
        return err_set(e, ERR_USAGE, "--rate %g: at most %d requests a second", b->rate,
                       LOAD_RATE_MAX);
    if (b->duration_ms > LOAD_SECONDS_MAX * INT64_C(1000))
        return err_set(e, ERR_USAGE, "--duration: at most an hour; %s asks for %lld s",
                       o->duration_ms ? "this" : "the manifest's number of requests at this rate",
                       (long long)(b->duration_ms / 1000));
    return 0;
}

/* --- Before it begins: awake, how large an answer is, and what it will cost
 * ------------------------
 */

static void woke(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct place_to_load *p = arg;

    (void)id;
    p->err = reply->err;
    p->wake_ms = (double)reply->timing.total / 1000;
    p->reply_bytes = reply->len;
    for (size_t k = 0; k < reply->n_headers; k++)
        p->reply_bytes += strlen(reply->headers[k].name) + strlen(reply->headers[k].value) + 4;
    if (reply->err.kind == ERR_NONE && reply->status / 100 != 2)
        (void)err_set(&p->err, ERR_REMOTE, "answered %d", reply->status);
    if (--p->owner->n_waiting == 0)
        loop_stop(p->owner->app->loop);
}

static int wake_all(struct benching *b, struct err *e)
{
    int rc = 0;

    b->n_waiting = b->n_places;
    for (size_t i = 0; i < b->n_places; i++) {
        struct place_to_load *p = &b->places[i];
        p->request = (struct http_request){.method = "GET", .timeout_ms = WAKE_TIMEOUT_MS};
        http_request_url(&p->request, "%s", p->url);
        (void)http_send(b->http, NULL, &p->request, 0, woke, p);
    }
    (void)loop_run(b->app->loop);
    for (size_t i = 0; i < b->n_places; i++) {
        http_request_release(&b->places[i].request);
        if (b->places[i].err.kind != ERR_NONE && rc == 0)
            rc = err_set(e, b->places[i].err.kind, "%s: %.300s; nothing was loaded",
                         b->places[i].environment, b->places[i].err.text);
    }
    return rc;
}

static void describe_share(struct place_to_load *p, const struct allowance_share *s)
{
    bool bytes = strcmp(s->metric, "bandwidth") == 0;
    char used[32], amount[32];

    if (!s->known)
        return;
    if (bytes) {
        (void)snprintf(used, sizeof(used), "%.3g MB", s->used / 1e6);
        (void)snprintf(amount, sizeof(amount), "%.4g GB", s->amount / 1e9);
    } else {
        (void)snprintf(used, sizeof(used), "%.4g", s->used);
        (void)snprintf(amount, sizeof(amount), "%.7g", s->amount);
    }
    (void)snprintf(p->share, sizeof(p->share), "%s of %s %s a %s (%.3g %%)", used, amount,
                   s->metric, s->per, 100 * s->share);
}

/* Terms of the platform and its free allowance: refused unless --force, with the arithmetic. */
static int price_place(struct benching *b, const struct allowances *a, struct place_to_load *p,
                       struct err *e)
{
    uint64_t n = (uint64_t)ceil(b->rate * (double)b->duration_ms / 1000);
    struct traffic traffic = {.requests = (double)n, .bytes = (double)(n * p->reply_bytes)};
    const char *terms = allowance_load_terms(a, p->platform);
    struct allowance_share share;

    allowance_share(a, p->platform, &traffic, &share);
    describe_share(p, &share);
    if (b->app->o.force)
        return 0;
    if (terms)
        return err_set(e, ERR_NO, "%s: %s; leave it out with -e, or go on with --force",
                       p->environment, terms);
    if (share.known && share.share > share_most)
        return err_set(e, ERR_NO,
                       "%s: %llu requests of %llu bytes would use %s, more than the %g %% that a "
                       "run may; beyond it %s. Lower --rate or --duration, or go on with --force",
                       p->environment, (unsigned long long)n, (unsigned long long)p->reply_bytes,
                       p->share, 100 * share_most, share.beyond);
    return 0;
}

static int price(struct benching *b, struct err *e)
{
    struct allowances *a = allowances_new(b->app->manifest);
    int rc = 0;

    for (size_t i = 0; i < b->n_places && rc == 0; i++)
        rc = price_place(b, a, &b->places[i], e);
    allowances_free(a);
    return rc;
}

/* --- The run -------------------------------------------------------------------------------------
 */

static void progressed(void *arg)
{
    struct benching *b = arg;
    uint64_t good = 0, failed = 0;

    for (size_t i = 0; i < load_count(b->load); i++) {
        good += load_result(b->load, i)->good;
        failed += load_result(b->load, i)->failed;
    }
    progress_now(b->progress, "%llu answered, %llu failed, %lld of %lld s",
                 (unsigned long long)good, (unsigned long long)failed,
                 (long long)((clock_mono_us(&b->app->clock) - b->started_us) / 1000000),
                 (long long)(b->duration_ms / 1000));
}

static void ended(void *arg)
{
    struct benching *b = arg;

    loop_stop(b->app->loop);
}

static void interrupted(int signal, void *arg)
{
    struct benching *b = arg;

    (void)signal;
    b->app->interrupted = true;
    load_stop(b->load);
}

static void run_load(struct benching *b)
{
    struct app *a = b->app;
    struct load_options o = {.rate = b->rate,
                             .duration_ms = b->duration_ms,
                             .connections = (unsigned)b->bench->concurrency,
                             .timeout_ms = REQUEST_TIMEOUT_MS,
                             .progress = progressed,
                             .done = ended,
                             .arg = b};

    app_allow_files(a, b->n_places * o.connections);
    b->load = load_new(a->loop, b->http, &o);
    for (size_t i = 0; i < b->n_places; i++)
        load_add(b->load,
                 &(struct load_target){.name = b->places[i].environment, .url = b->places[i].url});
    b->progress = progress_new(a, "bench", 0);
    b->started_us = clock_mono_us(&a->clock);
    loop_on_signal(a->loop, interrupted, b);
    load_start(b->load);
    (void)loop_run(a->loop);
    loop_on_signal(a->loop, NULL, NULL);
    progress_free(b->progress);
}

static int show(struct benching *b, struct err *e)
{
    struct load_run runs[64];
    char title[400];

    (void)snprintf(title, sizeof(title), "%s %s", b->bench->app, b->bench->path);
    for (size_t i = 0; i < b->n_places; i++)
        runs[i] = (struct load_run){.result = load_result(b->load, i),
                                    .wake_ms = b->places[i].wake_ms,
                                    .share = b->places[i].share};
    const struct load_view v = {.title = title,
                                .rate = b->rate,
                                .duration_ms = b->duration_ms,
                                .runs = runs,
                                .n_runs = b->n_places};
    if ((b->app->o.json ? load_view_json(b->app, &v, e) : load_view_text(b->app, &v, e)) < 0)
        return -1;
    for (size_t i = 0; i < b->n_places; i++)
        if (runs[i].result->stop != LOAD_RAN)
            return err_exit_code(ERR_NO);
    return 0;
}

static int measure(struct benching *b, struct err *e)
{
    const struct http_client_options o = {.user_agent = "trine/" TRINE_VERSION " (bench)",
                                          .max_per_host = (unsigned)b->bench->concurrency};

    b->http = http_client_new(b->app->loop, &o);
    int rc = wake_all(b, e);
    if (rc == 0)
        rc = price(b, e);
    for (size_t i = 0; i < b->n_places && rc == 0; i++)
        app_say(b->app, "%s: %g requests a second for %lld s%s%s", b->places[i].environment,
                b->rate, (long long)(b->duration_ms / 1000), b->places[i].share[0] ? "; " : "",
                b->places[i].share);
    if (rc == 0 && !b->app->o.dry_run) {
        run_load(b);
        rc = show(b, e);
    }
    load_free(b->load);
    http_client_free(b->http);
    return rc;
}

int cmd_bench(struct app *a, struct err *e)
{
    struct benching b = {.app = a};
    int rc = -1;

    if (app_open_manifest(a, e) == 0 && app_open_net(a, e) == 0 && app_open_store(a, e) == 0 &&
        choose_bench(&b, e) == 0 && read_load(&b, e) == 0 && find_places(&b, e) == 0)
        rc = measure(&b, e);
    arena_release(&b.arena);
    return rc;
}
