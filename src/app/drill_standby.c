#include "app/drill_run_inner.h"

#include "app/app.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/bases.h"
#include "net/http_client.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BOOKS_MS = 10000, BOOKS_MAX = 128 << 20, PLACES_MAX = 32 };

struct standby_watch {
    struct drill_run *run;
    const char *control; /* NULL: real platforms */
    struct http_request request;
    fault_done_fn *done;
    void *arg;
    bool asleep[PLACES_MAX]; /* of run->places, when the drill began */
    bool any;
    int64_t since; /* number of the last request in the books then */
    int answer;
};

struct standby_watch *standby_watch_new(struct drill_run *r)
{
    struct standby_watch *w = mem_alloc(sizeof(*w));

    *w = (struct standby_watch){.run = r, .control = bases_control(r->o.app->bases), .answer = -1};
    return w;
}

void standby_watch_free(struct standby_watch *w)
{
    if (!w)
        return;
    http_request_release(&w->request);
    free(w);
}

int standby_watch_answer(const struct standby_watch *w)
{
    return w ? w->answer : -1;
}

static void tell(struct standby_watch *w, const struct err *e)
{
    http_request_release(&w->request);
    w->request = (struct http_request){0};
    w->done(e, w->arg);
}

static void ask(struct standby_watch *w, http_done_fn *fn, const char *what, int64_t since)
{
    http_request_release(&w->request);
    w->request =
        (struct http_request){.method = "GET", .timeout_ms = BOOKS_MS, .max_reply = BOOKS_MAX};
    if (since < 0)
        http_request_url(&w->request, "%s%s", w->control, what);
    else
        http_request_url(&w->request, "%s%s?follow=0&since=%" PRId64, w->control, what, since);
    (void)http_send(w->run->o.app->http, NULL, &w->request, 0, fn, w);
}

static bool failed(struct standby_watch *w, const struct http_reply *reply)
{
    struct err e = ERR_INIT;

    if (reply->err.kind == ERR_NONE && reply->status == 200)
        return false;
    (void)err_set(&e, ERR_NET, "the simulator's control API at %s: %.300s", w->control,
                  reply->err.kind != ERR_NONE ? reply->err.text : "it does not answer as expected");
    tell(w, &e);
    return true;
}

/* --- Its requests --------------------------------------------------------------------------------
 */

typedef bool line_fn(const json_t *request, void *arg); /* false: enough */

static void each_line(const char *text, size_t len, line_fn *fn, void *arg)
{
    struct err ignored = ERR_INIT;

    for (const char *end; len > 0; len -= (size_t)(end - text), text = end) {
        end = memchr(text, '\n', len);
        end = end ? end + 1 : text + len;
        json_t *request = json_read(text, (size_t)(end - text), "the simulator's books", &ignored);
        bool more = !request || fn(request, arg);
        json_decref(request);
        if (!more)
            return;
    }
}

static bool keep_last(const json_t *request, void *arg)
{
    struct standby_watch *w = arg;

    w->since = json_int(request, "seq", w->since);
    return true;
}

/* Trine's own checks and wake-ups are no clients; the canary is one. */
static bool is_client(const json_t *request)
{
    const char *agent = json_str(request, "headers.user-agent", "");

    return strncmp(agent, "trine/", 6) != 0 || strstr(agent, "(drill)");
}

struct first_met {
    struct standby_watch *watch;
    bool seen[PLACES_MAX];
};

static bool meet(const json_t *request, void *arg)
{
    struct first_met *f = arg;
    const struct drill_run *r = f->watch->run;
    const char *host = json_str(request, "headers.host", "");
    size_t len = strcspn(host, ":");

    if (strcmp(json_str(request, "platform", ""), "sites") != 0 || !is_client(request))
        return true;
    for (size_t i = 0; i < r->n_places; i++) {
        const char *name = r->places[i].host;
        if (!f->watch->asleep[i] || f->seen[i] || strlen(name) != len ||
            strncasecmp(host, name, len) != 0)
            continue;
        f->seen[i] = true;
        bool woken = json_int(request, "cold_ms", 0) == 0;
        f->watch->answer = woken && f->watch->answer != 0;
    }
    return true;
}

/* --- Before --------------------------------------------------------------------------------------
 */

static void last_got(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct standby_watch *w = arg;

    (void)id;
    if (failed(w, reply))
        return;
    each_line(reply->body, reply->len, keep_last, w);
    tell(w, NULL);
}

static void take_site(struct standby_watch *w, const json_t *site, bool *ret_known)
{
    const struct drill_run *r = w->run;
    const char *host = json_str(site, "host", "");

    for (size_t i = 0; i < r->n_places; i++) {
        if (strcasecmp(r->places[i].host, host) != 0)
            continue;
        *ret_known |= i == r->target;
        w->asleep[i] = i != r->target && json_flag(site, "asleep", false);
        w->any |= w->asleep[i];
    }
}

static void sites_got(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct standby_watch *w = arg;
    const struct drill_run *r = w->run;
    struct err e = ERR_INIT;
    bool known = false;

    (void)id;
    if (failed(w, reply))
        return;
    json_t *sites = json_read(reply->body, reply->len, "the simulator's sites", &e);
    for (size_t i = 0; i < json_array_size(sites); i++)
        take_site(w, json_array_get(sites, i), &known);
    bool readable = sites != NULL;
    json_decref(sites);
    if (readable && !known)
        (void)err_set(&e, ERR_NO,
                      "%s of %s is not one of the simulator's sites (%s), so it cannot be told to "
                      "fail; try --fault drain",
                      r->app_name, r->record.environment, r->places[r->target].host);
    if (e.kind != ERR_NONE)
        tell(w, &e);
    else if (w->any)
        ask(w, last_got, "/requests", 0);
    else
        tell(w, NULL);
}

void standby_watch_begin(struct standby_watch *w, fault_done_fn *done, void *arg)
{
    w->done = done;
    w->arg = arg;
    if (w->control)
        ask(w, sites_got, "/sites", -1);
    else
        done(NULL, arg);
}

/* --- After ---------------------------------------------------------------------------------------
 */

static void books_got(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct standby_watch *w = arg;
    struct first_met f = {.watch = w};

    (void)id;
    if (failed(w, reply))
        return;
    each_line(reply->body, reply->len, meet, &f);
    tell(w, NULL);
}

/* The newest log that was read: a standby that slept was up before the traffic was moved. */
static void by_log(struct standby_watch *w)
{
    const struct drill_run *r = w->run;
    int64_t moved_us = 0;

    for (size_t i = r->n_changes; i-- > 0 && !moved_us;)
        if (strcmp(r->changes[i].environment, r->record.environment) == 0 &&
            (strstr(r->changes[i].action, "take-out") || strstr(r->changes[i].action, "lessen")))
            moved_us =
                r->changes[i].applied_us ? r->changes[i].applied_us : r->changes[i].decided_us;
    for (size_t i = r->n_changes; moved_us && i-- > 0;)
        if (strcmp(r->changes[i].environment, r->record.environment) != 0 &&
            strcmp(r->changes[i].from, "asleep") == 0 && strcmp(r->changes[i].to, "up") == 0)
            w->answer = r->changes[i].decided_us <= moved_us && w->answer != 0;
}

void standby_watch_end(struct standby_watch *w, fault_done_fn *done, void *arg)
{
    w->done = done;
    w->arg = arg;
    if (!w->control) {
        by_log(w);
        done(NULL, arg);
    } else if (!w->any) {
        done(NULL, arg);
    } else {
        ask(w, books_got, "/requests", w->since);
    }
}
