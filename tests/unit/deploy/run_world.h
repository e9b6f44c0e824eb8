#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/redact.h"
#include "deploy/run.h"
#include "net/bases.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A small platform for tests of the runner: a translator and, on a real HTTP server in the same
 * loop, what it talks to. The platform holds one thing an item; it is found by name, created
 * (once), given files (in parallel, one uploader at a time), and watched until it is ready.
 */
enum world_step { STEP_FIND, STEP_CREATE, STEP_UPLOAD, STEP_POLL, STEP_READY, STEP_FAILED };
enum { MOST_ITEMS = 4, MOST_FILES = 16 };
enum world_fault { FAULT_NONE, FAULT_CLOSE, FAULT_DO_AND_CLOSE, FAULT_GARBAGE, FAULT_STATUS };

/* What goes wrong with the next `times` requests to a path that begins so. */
struct world_rule {
    const char *path;
    enum world_fault fault;
    int status, times;
    const char *retry_after;
};

struct world {
    struct loop *loop;
    struct http_server *server;
    struct http_client *http;
    struct store *store;
    struct bases *bases;
    struct redactor *redactor;
    struct lease lease;
    struct provider_ops ops;
    char dir[64], base[64];
    const char *word; /* status of what is whole; "ready" */

    /* The manifest's side. */
    struct manifest_environment env;
    struct manifest_app app;
    struct manifest_binding binding;
    struct cell cells[MOST_ITEMS];
    struct want wants[MOST_ITEMS];
    struct run_item items[MOST_ITEMS];
    char names[MOST_ITEMS][16];
    size_t n;
    int files; /* each item has */

    /* The platform's books. */
    struct world_rule rules[4];
    int requests, finds, creates, polls, puts, created[MOST_ITEMS], got[MOST_ITEMS];
    int now_uploading, most_uploading, uploader, mixed;
    int64_t throttled_at; /* mono ms of the last 429 */
    int too_soon;         /* requests within its Retry-After */
    char progress[512];   /* the stored row while the creation was at the platform */
    enum deployment_state state;
};

/* --- The translator --------------------------------------------------------------------------- */

static struct world *world_now; /* the platform's own `files` is asked by pure functions */

static inline enum turn world_next(struct deployment *d, const struct want *w, struct call *c,
                                   int64_t *ret_wait_ms, struct err *e)
{
    static const char *const paths[] = {"find", "create", "put", "poll"};
    static const char *const methods[] = {"GET", "POST", "PUT", "GET"};

    *ret_wait_ms = 5;
    if (d->step == STEP_READY)
        return TURN_DONE;
    if (d->step == STEP_FAILED)
        return (enum turn)err_set(e, ERR_REMOTE, "failed: %s", d->word);
    if (d->step == STEP_UPLOAD && d->cursor == (size_t)world_now->files)
        return TURN_WAIT;
    if (d->step == STEP_POLL && d->polls++ % 2 == 0 && d->word[0])
        return TURN_WAIT;
    c->http.method = methods[d->step];
    http_request_url(&c->http, "/%s/%s/%zu", paths[d->step], w->project_name, d->cursor);
    c->tag = d->step;
    c->cost = "";
    if (d->step == STEP_CREATE) {
        c->once = true;
        c->unclear = STEP_FIND;
    } else if (d->step == STEP_UPLOAD) {
        c->parallel = c->exclusive = true;
        d->cursor++;
    }
    return TURN_SEND;
}

static inline int world_take(struct deployment *d, const struct want *w, const struct call *c,
                             const struct http_reply *reply, struct err *e)
{
    json_t *json = json_read(reply->body, reply->len, "reply", e);

    (void)w;
    if (!json)
        return -1;
    if (c->tag == STEP_FIND)
        d->step = !json_flag(json, "found", false)  ? STEP_CREATE
                  : json_flag(json, "whole", false) ? STEP_POLL
                                                    : STEP_UPLOAD;
    else if (c->tag == STEP_CREATE)
        d->step = world_now->files ? STEP_UPLOAD : STEP_POLL;
    else if (c->tag == STEP_UPLOAD && ++d->uploads_done == (size_t)world_now->files)
        d->step = STEP_POLL;
    else if (c->tag == STEP_POLL) {
        (void)snprintf(d->word, sizeof(d->word), "%s", json_str(json, "word", ""));
        (void)snprintf(d->url, sizeof(d->url), "%s/site/%s", world_now->base, w->project_name);
        d->step = strcmp(d->word, "ready") == 0 ? STEP_READY : STEP_POLL;
    }
    json_decref(json);
    return 0;
}

static inline void world_refused(struct deployment *d, const struct call *c,
                                 const struct http_reply *reply, struct err *e)
{
    bool retry = e->retry;

    (void)d, (void)c;
    (void)err_set(e, ERR_REMOTE, "answered %d: %.100s", reply->status, reply->body);
    e->retry = retry;
}

/* --- The platform ----------------------------------------------------------------------------- */

struct world_later { /* an upload that is being taken in */
    struct world *w;
    struct http_exchange *x;
    struct timer *timer;
};

static inline void world_say(struct http_exchange *x, int status, const char *body)
{
    http_exchange_answer(x, status, "application/json", body, strlen(body));
}

static inline void world_uploaded(void *arg)
{
    struct world_later *l = arg;

    l->w->now_uploading--;
    world_say(l->x, 200, "{}");
    timer_free(l->timer);
    free(l);
}

static inline void world_upload(struct world *w, struct http_exchange *x, int item)
{
    struct world_later *l = calloc(1, sizeof(*l));

    w->puts++;
    w->got[item]++;
    w->mixed += w->now_uploading > 0 && w->uploader != item;
    w->uploader = item;
    if (++w->now_uploading > w->most_uploading)
        w->most_uploading = w->now_uploading;
    *l = (struct world_later){.w = w, .x = x, .timer = timer_new(w->loop, world_uploaded, l)};
    timer_start(l->timer, 10); /* so that those sent together are here together */
}

static inline void world_row(const struct deployment_row *r, void *arg)
{
    struct world *w = arg;

    (void)snprintf(w->progress, sizeof(w->progress), "%s", r->progress);
    w->state = r->state;
}

static inline bool world_fault(struct world *w, struct http_exchange *x, bool before)
{
    const char *path = http_exchange_path(x);

    for (size_t i = 0; i < sizeof(w->rules) / sizeof(w->rules[0]); i++) {
        struct world_rule *r = &w->rules[i];
        if (!r->path || r->times == 0 || strncmp(path, r->path, strlen(r->path)) != 0 ||
            before == (r->fault == FAULT_DO_AND_CLOSE))
            continue;
        r->times--;
        if (r->fault == FAULT_GARBAGE) {
            world_say(x, 200, "<html>");
        } else if (r->fault == FAULT_STATUS) {
            if (r->retry_after)
                http_exchange_set(x, "Retry-After", r->retry_after);
            if (r->status == 429)
                w->throttled_at = clock_mono_ms(&clock_system);
            world_say(x, r->status, "not now");
        } else {
            http_exchange_abort(x);
        }
        return true;
    }
    return false;
}

static inline void world_serve(struct world *w, struct http_exchange *x, const char *what, int item)
{
    char body[256];
    struct err e = ERR_INIT;

    if (strcmp(what, "find") == 0) {
        w->finds++;
        (void)snprintf(body, sizeof(body), "{\"found\": %s, \"whole\": %s}",
                       w->created[item] ? "true" : "false",
                       w->got[item] >= w->files ? "true" : "false");
    } else if (strcmp(what, "create") == 0) {
        w->creates++;
        w->created[item]++;
        (void)deployment_latest(w->store, NULL, world_row, w, &e);
        (void)snprintf(body, sizeof(body), "{}");
    } else if (strcmp(what, "poll") == 0) {
        w->polls++;
        (void)snprintf(body, sizeof(body), "{\"word\": \"%s\"}", w->word);
    } else {
        (void)snprintf(body, sizeof(body), "{\"commit\": \"%s\", \"digest\": \"d\"}",
                       w->wants[item].commit);
    }
    if (!world_fault(w, x, false))
        world_say(x, 200, body);
}

static inline void world_received(struct http_exchange *x, void *arg)
{
    struct world *w = arg;
    char what[16] = "", name[16] = "";
    int item = 0;

    (void)sscanf(http_exchange_path(x), "/%15[^/]/%15[^/]", what, name);
    while (item < (int)w->n - 1 && strcmp(w->names[item], name) != 0)
        item++;
    w->requests++;
    w->too_soon += w->throttled_at > 0 && clock_mono_ms(&clock_system) < w->throttled_at + 900;
    if (world_fault(w, x, true))
        return;
    if (strcmp(what, "put") == 0)
        world_upload(w, x, item);
    else
        world_serve(w, x, what, item);
}

/* --- Life ------------------------------------------------------------------------------------- */

static inline void world_item(struct world *w, size_t i)
{
    (void)snprintf(w->names[i], sizeof(w->names[i]), "item-%zu", i);
    w->cells[i] = (struct cell){.env = &w->env,
                                .app = &w->app,
                                .instance = w->names[i],
                                .binding = &w->binding,
                                .name = w->names[i]};
    w->wants[i] = (struct want){.project_name = w->names[i],
                                .app = "web",
                                .instance = w->names[i],
                                .environment = "uat",
                                .commit = "0123456789abcdef0123456789abcdef01234567",
                                .token = "secret-token",
                                .account = "",
                                .team = "",
                                .url = "",
                                .marker = "trine uat-1"};
    w->items[i] = (struct run_item){.cell = &w->cells[i],
                                    .ops = &w->ops,
                                    .want = &w->wants[i],
                                    .digest = "d",
                                    .lease = &w->lease,
                                    .release = 1,
                                    .saved = ""};
}

static inline void world_init(struct world *w, size_t n, int files)
{
    static const struct rate_limit limits[] = {{NULL, 0, 0, NULL}};
    const struct http_server_options so = {.address = "127.0.0.1"};
    const struct http_client_options co = {.user_agent = "test"};
    struct err e = ERR_INIT;

    *w = (struct world){.n = n, .files = files, .word = "ready"};
    world_now = w;
    w->loop = loop_new(NULL);
    w->server = http_server_new(w->loop, &so, world_received, w, &e);
    w->http = http_client_new(w->loop, &co);
    w->bases = bases_empty();
    w->redactor = redactor_new();
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/trine-run-XXXXXX");
    if (!w->server || !mkdtemp(w->dir) ||
        store_open(w->dir, &clock_system, NULL, &w->store, &e) < 0 ||
        lease_acquire(w->store, "uat", "test", &w->lease, &e) < 0) {
        (void)fprintf(stderr, "%s\n", e.text);
        abort();
    }
    (void)snprintf(w->base, sizeof(w->base), "http://127.0.0.1:%u", http_server_port(w->server));
    w->ops = (struct provider_ops){.name = "world",
                                   .title = "World",
                                   .base = w->base,
                                   .hosts_static = true,
                                   .in_flight = 4,
                                   .limits = limits,
                                   .next = world_next,
                                   .take = world_take,
                                   .refused = world_refused};
    w->env = (struct manifest_environment){.name = "uat"};
    w->app = (struct manifest_app){.name = "web", .kind = APP_STATIC};
    w->binding = (struct manifest_binding){.platform = "world"};
    for (size_t i = 0; i < n; i++)
        world_item(w, i);
}

static inline void world_end(void *arg)
{
    struct world *w = arg;

    loop_stop(w->loop);
}

/* One run over all items; the options may be changed before. */
static inline struct run_options world_options(struct world *w)
{
    return (struct run_options){.loop = w->loop,
                                .http = w->http,
                                .store = w->store,
                                .bases = w->bases,
                                .redactor = w->redactor,
                                .seed = 1,
                                .finished = world_end,
                                .arg = w};
}

/* Returns whether the lease was lost. */
static inline bool world_run(struct world *w, const struct run_options *o)
{
    struct run *r = run_new(o);
    struct err e = ERR_INIT;

    for (size_t i = 0; i < w->n; i++)
        run_add(r, &w->items[i]);
    run_start(r);
    (void)loop_run(w->loop);
    bool lost = run_lost_lease(r, &e);
    run_free(r);
    return lost;
}

static inline void world_release(struct world *w)
{
    http_client_free(w->http);
    http_server_free(w->server);
    store_close(w->store);
    loop_free(w->loop);
    bases_free(w->bases);
    redactor_free(w->redactor);
    DIR *dir = opendir(w->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        (void)closedir(dir);
    (void)rmdir(w->dir);
}
