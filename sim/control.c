#include "core.h"
#include "sites.h"
#include "watch.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* The control API: what a test or a rehearsal asks and sets. No authentication: loopback only. */

static void answer_json(struct http_exchange *x, int status, json_t *json)
{
    char *text = json_text(json);

    json_decref(json);
    http_exchange_answer(x, status, "application/json", text, strlen(text));
    free(text);
}

static void answer_error(struct http_exchange *x, int status, const char *why)
{
    answer_json(x, status, json_pack("{s:s}", "error", why));
}

static json_t *body_json(struct http_exchange *x, struct err *e)
{
    size_t len;
    const char *body = http_exchange_body(x, &len);

    return json_read(body, len, "control", e);
}

static void books_get(struct http_exchange *x, struct sim *s)
{
    sim_advance_all(s);
    answer_json(x, 200, books_all(s));
}

static void faults_get(struct http_exchange *x, struct sim *s)
{
    answer_json(x, 200, json_deep_copy(faults_rules(s->faults)));
}

static void faults_post(struct http_exchange *x, struct sim *s)
{
    struct err e = ERR_INIT;
    json_t *rules = body_json(x, &e);

    if (rules && faults_set(s->faults, rules, &e) == 0) {
        json_object_set(s->state, "faults", rules);
        sim_changed(s);
        faults_get(x, s);
    } else {
        answer_error(x, 400, e.text);
    }
    json_decref(rules);
}

static void requests_get(struct http_exchange *x, struct sim *s)
{
    const char *since = http_exchange_query(x, "since"), *follow = http_exchange_query(x, "follow");
    int64_t from = 0;

    if (since && text_int(since, 0, INT64_MAX, &from) != 0)
        answer_error(x, 400, "since must be a sequence number");
    else
        stream_show(s->stream, x, (uint64_t)from, !follow || strcmp(follow, "0") != 0);
}

static void reset_post(struct http_exchange *x, struct sim *s)
{
    struct err ignored = ERR_INIT;
    json_t *none = json_array();

    state_reset(s);
    blobs_clear(s);
    rates_clear(s->rates);
    stream_clear(s->stream);
    faults_set(s->faults, none, &ignored);
    sites_load(s);
    json_decref(none);
    answer_json(x, 200, json_pack("{s:b}", "ok", 1));
}

static void sleep_post(struct http_exchange *x, struct sim *s)
{
    struct err e = ERR_INIT;
    json_t *body = body_json(x, &e);
    const char *host = json_str(body, "host", NULL);

    if (!host)
        answer_error(x, 400, "need {\"host\": NAME}");
    else if (!site_sleep_now(s, host))
        answer_error(x, 404, "no service is deployed at that host");
    else
        answer_json(x, 200, json_pack("{s:b, s:s}", "ok", 1, "host", host));
    json_decref(body);
}

static void sites_get(struct http_exchange *x, struct sim *s)
{
    sim_advance_all(s);
    answer_json(x, 200, sites_books(s));
}

void control_received(struct http_exchange *x, void *sim)
{
    static const struct {
        const char *method, *path;
        void (*run)(struct http_exchange *x, struct sim *s);
    } routes[] = {{"GET", "/books", books_get},     {"GET", "/faults", faults_get},
                  {"POST", "/faults", faults_post}, {"GET", "/requests", requests_get},
                  {"POST", "/reset", reset_post},   {"POST", "/sleep", sleep_post},
                  {"GET", "/sites", sites_get}};

    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
        if (strcmp(http_exchange_method(x), routes[i].method) == 0 &&
            strcmp(http_exchange_path(x), routes[i].path) == 0) {
            routes[i].run(x, sim);
            return;
        }
    answer_error(x, 404,
                 "the control API has GET /books, /sites, /faults, /requests and POST /faults, "
                 "/reset, /sleep");
}
