#include "app/api.h"
#include "base/json.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "test.h"

#include <stdlib.h>

/* The API's routing and guards over a real connection, without anything behind them. */
struct world {
    struct loop *loop;
    struct api *api;
    struct http_client *client;
    char base[64];
    int64_t id; /* that the last handler was given */
    int status;
    char kind[64], allow[64], csp[256], body[4096];
};

static void say(struct api_call *c)
{
    struct world *w = c->arg;

    w->id = c->id;
    api_answer(c->x, 200, "text/plain", "said", 4);
}

static void page(struct api_call *c)
{
    api_answer(c->x, 200, "text/html", "page", 4);
}

static const struct api_route routes[] = {
    {"GET", "/open", API_OPEN, say},
    {"GET", "/api/v1/things", API_READ, say},
    {"GET", "/api/v1/things/:id", API_READ, say},
    {"POST", "/api/v1/things/:id/push", API_OPERATE, say},
    {"POST", "/api/v1/things/:id", API_OPERATE, say},
    {0},
};

static int check(const char *token, struct access_holder *ret, void *arg, struct err *e)
{
    (void)arg;
    if (strcmp(token, "broken") == 0)
        return err_set(e, ERR_STORE, "the disk is full");
    *ret = (struct access_holder){.scope = ACCESS_READ};
    snprintf(ret->name, sizeof(ret->name), "%s", token);
    if (strcmp(token, "hand") == 0)
        ret->scope = ACCESS_OPERATE;
    else if (strcmp(token, "far") == 0)
        ret->scope = ACCESS_AGENT;
    return strcmp(token, "hand") == 0 || strcmp(token, "far") == 0 || strcmp(token, "eye") == 0;
}

static void begin(struct world *w)
{
    struct err e = ERR_INIT;
    struct api_options o = {.routes = routes, .other = page, .check = check, .arg = w};

    *w = (struct world){.loop = loop_new(NULL)};
    if (api_site_read("127.0.0.1:0", &o.site, &e) < 0 || !(w->api = api_new(w->loop, &o, &e)))
        abort();
    w->client = http_client_new(w->loop, &(struct http_client_options){.user_agent = "t"});
    snprintf(w->base, sizeof w->base, "http://127.0.0.1:%u", api_port(w->api));
}

static void finish(struct world *w)
{
    http_client_free(w->client);
    api_free(w->api);
    loop_free(w->loop);
}

static void copy_header(const struct http_reply *r, const char *name, char *ret, size_t n)
{
    const char *value = http_reply_header(r, name);

    snprintf(ret, n, "%s", value ? value : "");
}

static void came_back(uint64_t id, const struct http_reply *r, void *arg)
{
    struct world *w = arg;
    struct err e = ERR_INIT;
    json_t *json = json_read(r->body, r->len, "answer", &e);

    (void)id;
    w->status = r->status;
    snprintf(w->kind, sizeof w->kind, "%s", json ? json_str(json, "error.kind", "") : "");
    snprintf(w->body, sizeof w->body, "%s", r->body);
    copy_header(r, "Allow", w->allow, sizeof w->allow);
    copy_header(r, "Content-Security-Policy", w->csp, sizeof w->csp);
    json_decref(json);
    loop_stop(w->loop);
}

struct ask {
    const char *method, *url, *token, *host, *origin;
};

static int ask(struct world *w, const struct ask *a)
{
    struct http_request r = {.method = a->method ? a->method : "GET"};

    http_request_url(&r, "%s", a->url);
    if (a->token)
        http_request_header(&r, "Authorization", "Bearer %s", a->token);
    if (a->host)
        http_request_header(&r, "Host", "%s", a->host);
    if (a->origin)
        http_request_header(&r, "Origin", "%s", a->origin);
    http_send(w->client, w->base, &r, 0, came_back, w);
    loop_run(w->loop);
    http_request_release(&r);
    return w->status;
}

static void a_path_finds_its_handler_and_its_number(void)
{
    struct world w;

    begin(&w);
    CHECK(ask(&w, &(struct ask){.url = "/open"}) == 200);
    CHECK(ask(&w, &(struct ask){.url = "/api/v1/things/42"}) == 200 && w.id == 42);
    CHECK(ask(&w, &(struct ask){.url = "/api/v1/things?x=1"}) == 200 && w.id == 0);
    CHECK(ask(&w, &(struct ask){.method = "HEAD", .url = "/open"}) == 200 && w.body[0] == '\0');
    CHECK(ask(&w, &(struct ask){.url = "/style.css"}) == 200 && strcmp(w.body, "page") == 0);
    CHECK(strstr(w.csp, "default-src 'self'") && strstr(w.csp, "frame-ancestors 'none'"));
    finish(&w);
}

static void what_is_not_there_is_said_in_one_shape(void)
{
    static const char *const paths[] = {
        "/api/v1/nothing",  "/api/v1/things/",    "/api/v1/things/x",
        "/api/v1/things/0", "/api/v1/things/-1",  "/api/v1/things/1x",
        "/api/v1",          "/api/v1/things/1/2", "/api/v1/things/99999999999999999999999",
    };
    struct world w;

    begin(&w);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        CHECK(ask(&w, &(struct ask){.url = paths[i]}) == 404);
        CHECK(strcmp(w.kind, "no") == 0);
    }
    CHECK(ask(&w, &(struct ask){.method = "POST", .url = "/style.css"}) == 404);
    finish(&w);
}

static void a_method_that_is_not_taken_is_told_which_are(void)
{
    struct world w;

    begin(&w);
    CHECK(ask(&w, &(struct ask){.method = "DELETE", .url = "/api/v1/things/1"}) == 405);
    CHECK(strcmp(w.allow, "GET, HEAD, POST") == 0);
    CHECK(ask(&w, &(struct ask){.method = "GET", .url = "/api/v1/things/1/push"}) == 405);
    CHECK(strcmp(w.allow, "POST") == 0);
    finish(&w);
}

static void a_change_needs_a_token_that_may_operate(void)
{
    const char *push = "/api/v1/things/7/push";
    struct world w;

    begin(&w);
    CHECK(ask(&w, &(struct ask){.method = "POST", .url = push}) == 401);
    CHECK(strstr(w.body, "trine token create"));
    CHECK(ask(&w, &(struct ask){.method = "POST", .url = push, .token = "wrong"}) == 401);
    CHECK(!strstr(w.body, "wrong"));
    CHECK(ask(&w, &(struct ask){.method = "POST", .url = push, .token = "eye"}) == 403);
    CHECK(strcmp(w.kind, "scope") == 0);
    CHECK(w.id == 0);
    CHECK(ask(&w, &(struct ask){.method = "POST", .url = push, .token = "hand"}) == 200);
    CHECK(w.id == 7);
    CHECK(ask(&w, &(struct ask){.method = "POST", .url = push, .token = "broken"}) == 503);
    finish(&w);
}

static void other_sites_are_refused(void)
{
    const char *push = "/api/v1/things/7/push";
    struct world w;

    begin(&w);
    CHECK(ask(&w, &(struct ask){.url = "/open", .host = "evil.example"}) == 421);
    CHECK(ask(&w, &(struct ask){.url = "/style.css", .host = "evil.example"}) == 421);
    CHECK(ask(&w, &(struct ask){.method = "POST",
                                .url = push,
                                .token = "hand",
                                .origin = "http://evil.example"}) == 403);
    CHECK(w.id == 0);
    CHECK(ask(&w, &(struct ask){
                      .method = "POST", .url = push, .token = "hand", .origin = w.base}) == 200);
    finish(&w);
}

int main(void)
{
    a_path_finds_its_handler_and_its_number();
    what_is_not_there_is_said_in_one_shape();
    a_method_that_is_not_taken_is_told_which_are();
    a_change_needs_a_token_that_may_operate();
    other_sites_are_refused();
    return DONE();
}
