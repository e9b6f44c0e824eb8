#include "../unit/test.h"

#include "base/json.h"
#include "base/mem.h"
#include "drive.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "traffic/dns.h"

#include <stdlib.h>

/* Cloudflare's zones and records in the simulator, and the engine that moves a name there. */

enum { GUARD_MS = 30000 };

static const char token[] = "Authorization: Bearer sim-cloudflare-token-0001";

struct shop {
    struct drive sim;
    const char *base;
    char zone[40], records[80]; /* the zone's id, and the path of its records */
};

static char *path_of(const struct shop *s, const char *record)
{
    return mem_printf("%s/%s", s->records, record);
}

static json_t *call(const struct shop *s, int status, const char *method, const char *path,
                    const char *body)
{
    return drive_json(status, method, s->base, path, token, body);
}

/* The new record's id; "" when it was refused. */
static char *add(const struct shop *s, const char *type, const char *name, const char *content)
{
    char *body = mem_printf("{\"type\":\"%s\",\"name\":\"%s\",\"content\":\"%s\",\"ttl\":60}", type,
                            name, content);
    json_t *json = call(s, 200, "POST", s->records, body);
    char *id = mem_strdup(json_str(json, "result.id", ""));

    json_decref(json);
    free(body);
    return id;
}

/* One of the name's records has this content. */
static bool has(const struct shop *s, const char *name, const char *content)
{
    char *path = mem_printf("%s?name.exact=%s", s->records, name);
    json_t *json = call(s, 200, "GET", path, NULL);
    const json_t *item;
    bool same = false;
    size_t i;

    json_array_foreach(json_at(json, "result"), i, item)
    {
        same = same || strcmp(json_str(item, "content", ""), content) == 0;
    }

    json_decref(json);
    free(path);
    return same;
}

static void refuses(const struct shop *s, int status, int code, const char *method,
                    const char *path, const char *body)
{
    json_t *json = call(s, status, method, path, body);

    CHECK(json && !json_flag(json, "success", true) && json_is_null(json_at(json, "result")));
    CHECK(json_int(json, "errors.0.code", 0) == code);
    json_decref(json);
}

static void open_shop(struct shop *s, const char *program)
{
    drive_start(&s->sim, program, 1);
    s->base = drive_base(&s->sim, "cloudflare-pages");
    json_t *json = call(s, 200, "POST", "/zones", "{\"name\":\"shop.example\"}");
    snprintf(s->zone, sizeof s->zone, "%.32s", json_str(json, "result.id", ""));
    snprintf(s->records, sizeof s->records, "/zones/%s/dns_records", s->zone);
    json_decref(json);
    CHECK(strlen(s->zone) == 32);
}

/* ---- the API ---- */

static void zones_are_found_by_name(const struct shop *s)
{
    json_t *json = call(s, 200, "GET", "/zones?name=shop.example", NULL);

    CHECK(strcmp(json_str(json, "result.0.id", ""), s->zone) == 0);
    json_decref(json);
    json = call(s, 200, "GET", "/zones?name=hop.example", NULL);
    CHECK(json_array_size(json_at(json, "result")) == 0);
    json_decref(json);
    CHECK(drive_status("GET", s->base, "/zones", "Authorization: Bearer nobody", NULL) == 403);
}

static void records_are_made_changed_and_removed(const struct shop *s)
{
    char *id = add(s, "A", "www", "192.0.2.1"), *path = path_of(s, id);

    CHECK(strlen(id) == 32 && has(s, "www.shop.example", "192.0.2.1"));
    json_t *json = call(s, 200, "PATCH", path, "{\"content\":\"192.0.2.2\",\"comment\":\"x\"}");
    CHECK(strcmp(json_str(json, "result.type", ""), "A") == 0);
    json_decref(json);
    json = call(s, 200, "PUT", path,
                "{\"type\":\"CNAME\",\"name\":\"www.shop.example\",\"content\":\"a.example\","
                "\"proxied\":true,\"ttl\":60}");
    CHECK(json_int(json, "result.ttl", 0) == 1 && json_is_null(json_at(json, "result.comment")));
    json_decref(json);
    json_decref(call(s, 200, "DELETE", path, NULL));
    refuses(s, 404, 81044, "GET", path, NULL);
    free(path);
    free(id);
}

static void bad_records_are_refused_in_the_platforms_words(const struct shop *s)
{
    char *id = add(s, "A", "taken", "192.0.2.1"), *path = path_of(s, id);

    refuses(s, 400, 9005, "PATCH", path, "{\"content\":\"host.example\"}");
    refuses(s, 400, 9021, "PATCH", path, "{\"ttl\":30}");
    refuses(s, 400, 81053, "POST", s->records,
            "{\"type\":\"CNAME\",\"name\":\"taken\",\"content\":\"a.example\"}");
    refuses(s, 400, 81058, "POST", s->records,
            "{\"type\":\"A\",\"name\":\"taken\",\"content\":\"192.0.2.1\"}");
    refuses(s, 404, 7003, "GET", "/zones/0123456789abcdef0123456789abcdef/dns_records", NULL);
    CHECK(has(s, "taken.shop.example", "192.0.2.1"));
    free(path);
    free(id);
}

/* ---- the engine ---- */

struct rig {
    struct loop *loop;
    struct http_client *client;
    struct dns_engine *engine;
    struct err err;
};

static void done(const struct err *e, void *arg)
{
    struct rig *r = arg;

    r->err = e ? *e : ERR_INIT;
    if (e)
        printf("# %s\n", e->text);
    loop_stop(r->loop);
}

static void over(void *arg)
{
    test_report(0, "it came in time", __FILE__, __LINE__);
    loop_stop(arg);
}

static struct dns_options options_for(const struct shop *s)
{
    static const struct dns_answer answers[] = {{"uat", "shop-uat.koyeb.app"},
                                                {"beta", "shop-beta.onrender.com"},
                                                {"preprod", "192.0.2.3"}};

    return (struct dns_options){
        .route = "api",
        .host = "api.shop.example",
        .zone = "shop.example",
        .kind = DNS_CLOUDFLARE,
        .base = s->base,
        .token = "sim-cloudflare-token-0001",
        .ttl_s = 60,
        .answers = answers,
        .n_answers = 3,
    };
}

static struct rig rig_with(const struct dns_options *o)
{
    const struct http_client_options of_client = {.user_agent = "trine-test"};
    struct rig r = {.loop = loop_new(NULL)};
    struct err e = ERR_INIT;

    r.client = http_client_new(r.loop, &of_client);
    r.engine = dns_engine_new(r.loop, r.client, o, &e);
    CHECK(r.engine != NULL);
    return r;
}

static void rig_end(struct rig *r)
{
    dns_engine_free(r->engine);
    http_client_free(r->client);
    loop_free(r->loop);
}

static enum err_kind run(struct rig *r)
{
    struct timer *guard = timer_new(r->loop, over, r->loop);

    timer_start(guard, GUARD_MS);
    loop_run(r->loop);
    timer_free(guard);
    return r->err.kind;
}

static enum err_kind want(struct rig *r, const char *environment)
{
    dns_engine_want(r->engine, environment, done, r);
    return run(r);
}

static void a_name_is_moved_by_the_api(const struct shop *s)
{
    struct dns_options o = options_for(s);
    char *id = add(s, "CNAME", "api", "shop-uat.koyeb.app"), *note = add(s, "TXT", "api", "stays");
    struct rig r = rig_with(&o);
    struct dns_summary now;

    CHECK(want(&r, "beta") == ERR_NONE && want(&r, "beta") == ERR_NONE);
    dns_engine_summary(r.engine, &now);
    CHECK(strcmp(now.answer, "CNAME shop-beta.onrender.com") == 0 && now.changes_left == 11);
    CHECK(want(&r, "preprod") == ERR_NONE && want(&r, "uat") == ERR_NONE);
    char *path = path_of(s, id);
    json_t *json = call(s, 200, "GET", path, NULL);
    CHECK(strcmp(json_str(json, "result.content", ""), "shop-uat.koyeb.app") == 0);
    CHECK(json_int(json, "result.ttl", 0) == 60);
    json_decref(json);
    free(path);
    free(id);
    free(note);
    rig_end(&r);
}

static void what_others_wrote_there_is_left(const struct shop *s)
{
    struct dns_options o = options_for(s);
    char *other = add(s, "A", "second", "192.0.2.77");

    o.host = "second.shop.example";
    struct rig second = rig_with(&o);
    CHECK(want(&second, "uat") == ERR_NO && strstr(second.err.text, "192.0.2.77"));
    CHECK(has(s, "second.shop.example", "192.0.2.77"));
    dns_engine_accept(second.engine, done, &second);
    CHECK(run(&second) == ERR_NONE && want(&second, "uat") == ERR_NONE);
    CHECK(has(s, "second.shop.example", "shop-uat.koyeb.app"));
    free(other);
    rig_end(&second);
}

static void what_cloudflare_refuses_is_said(const struct shop *s)
{
    struct dns_options o = options_for(s);

    o.token = "sim-netlify-token";
    struct rig r = rig_with(&o);
    CHECK(want(&r, "beta") == ERR_REMOTE && strstr(r.err.text, "DNS: Edit"));
    rig_end(&r);
    o = options_for(s);
    o.zone = "example";
    r = rig_with(&o);
    CHECK(want(&r, "beta") == ERR_REMOTE && strstr(r.err.text, "lists no zone"));
    rig_end(&r);
    o = options_for(s);
    o.ttl_s = 30;
    r = rig_with(&o);
    CHECK(want(&r, "beta") == ERR_REMOTE && strstr(r.err.text, "at least 60s"));
    rig_end(&r);
    o = options_for(s);
    o.zone = "0123456789abcdef0123456789abcdef";
    r = rig_with(&o);
    CHECK(want(&r, "beta") == ERR_REMOTE && strstr(r.err.text, "check `zone`"));
    rig_end(&r);
}

static void the_zone_may_be_given_by_its_id_and_the_record_be_proxied(const struct shop *s)
{
    struct dns_options o = options_for(s);

    o.zone = s->zone;
    o.proxied = DNS_PROXIED_YES;
    struct rig r = rig_with(&o);
    CHECK(want(&r, "beta") == ERR_NONE && want(&r, "beta") == ERR_NONE);
    struct dns_summary now;
    dns_engine_summary(r.engine, &now);
    CHECK(now.ttl_s == 1 && now.changes_left == 11);
    rig_end(&r);
    o.proxied = DNS_PROXIED_KEEP; /* a manifest that says nothing exposes nobody's address */
    r = rig_with(&o);
    CHECK(want(&r, "uat") == ERR_NONE);
    dns_engine_summary(r.engine, &now);
    CHECK(now.ttl_s == 1);
    rig_end(&r);
}

static void fault(const struct shop *s, const char *text)
{
    CHECK(drive_status("POST", drive_base(&s->sim, "control"), "/faults", NULL, text) / 100 == 2);
}

/* A change whose answer is lost may have been made: the next look finds out. */
static void an_answer_that_is_lost_is_found_out(const struct shop *s)
{
    struct dns_options o = options_for(s);
    struct rig r = rig_with(&o);

    CHECK(want(&r, "uat") == ERR_NONE);
    fault(s, "[{\"method\":\"PATCH\",\"close\":\"after\",\"times\":1}]");
    CHECK(want(&r, "beta") == ERR_NET);
    CHECK(want(&r, "beta") == ERR_NONE && has(s, "api.shop.example", "shop-beta.onrender.com"));
    rig_end(&r);
}

int main(int argc, char **argv)
{
    struct shop s;

    if (argc < 2)
        return 2;
    open_shop(&s, argv[1]);
    zones_are_found_by_name(&s);
    records_are_made_changed_and_removed(&s);
    bad_records_are_refused_in_the_platforms_words(&s);
    a_name_is_moved_by_the_api(&s);
    what_others_wrote_there_is_left(&s);
    what_cloudflare_refuses_is_said(&s);
    the_zone_may_be_given_by_its_id_and_the_record_be_proxied(&s);
    an_answer_that_is_lost_is_found_out(&s);
    drive_stop(&s.sim);
    return DONE();
}
