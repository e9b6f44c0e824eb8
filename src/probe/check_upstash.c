#include "probe/check_http.h"
#include "probe/check_secret.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_client.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * Upstash's Redis over REST (upstash.com/docs/redis/features/restapi): one POST of a pipeline, SET
 * of a key of our own that goes away by itself, and GET of it. Each command of a pipeline is
 * billed: CHECK_UPSTASH_COMMANDS (manifest.h), no PING beside them, since it would prove less. The
 * connection is new each time, so that total, the round trip alone, counts from when it was ready.
 */
enum { EXPIRY_S = 60, MAX_REPLY = 64 << 10 };

struct check {
    const struct target *target;
    struct http_client *client;
    uint64_t id;
    struct http_request request;
    char value[33];
    check_fn *fn;
    void *arg;
};

static void upstash_release(struct check *c)
{
    http_cancel(c->client, c->id);
    http_request_release(&c->request);
    free(c);
}

/* As the other databases' samples have them: ready at first_byte, then the work. */
static void count_from_ready(const struct http_timing *t, struct check_answer *a)
{
    int64_t ready = t->tls > 0 ? t->tls : t->connect;
    bool worked = ready > 0 && t->first_byte > 0;

    a->first_byte = worked ? ready : -1;
    a->total = worked ? t->total - ready : -1;
}

/* {"error": "..."} where the whole was refused, or in place of one command's result. */
static int refused(const char *said, int status, struct err *e)
{
    if (strstr(said, "max requests limit") || strstr(said, "max daily request limit"))
        return err_set(e, ERR_NO, "Upstash: %.200s; its commands are spent: ask less often", said);
    if (status == 401 || status == 403 || strncmp(said, "WRONGPASS", 9) == 0)
        return err_set(e, ERR_NO, "Upstash answered %d: %.200s; look at the cache's token", status,
                       said[0] ? said : "the token is refused");
    return err_set(e, ERR_NO, "Upstash answered %d%s%.200s", status, said[0] ? ": " : "", said);
}

static int check_results(const struct check *c, int status, const json_t *json, struct err *e)
{
    const char *said = json_str(json, "0.error", json_str(json, "1.error", ""));

    if (said[0])
        return refused(said, status, e);
    if (strcmp(json_str(json, "0.result", ""), "OK") != 0)
        return err_set(e, ERR_NO, "what answers there is not Upstash: no result of SET");
    if (strcmp(json_str(json, "1.result", ""), c->value) != 0)
        return err_set(e, ERR_NO, "Upstash did not give back what was set a moment before");
    return 0;
}

static int check_reply(const struct check *c, const struct http_reply *r, struct err *e)
{
    struct err senseless = ERR_INIT;
    json_t *json = json_read(r->body, r->len, "Upstash's answer", &senseless);
    int rc;

    if (r->status != 200)
        rc = refused(json_str(json, "error", ""), r->status, e);
    else if (!json)
        rc = err_set(e, ERR_NO, "what answers there is not Upstash: %.200s", senseless.text);
    else
        rc = check_results(c, r->status, json, e);
    json_decref(json);
    return rc;
}

static void answered(uint64_t id, const struct http_reply *r, void *arg)
{
    struct check *c = arg;
    struct err e = r->err;
    struct check_answer a = check_http_seen(r);

    (void)id;
    count_from_ready(&r->timing, &a);
    a.ok = e.kind == ERR_NONE && check_reply(c, r, &e) == 0;
    check_hide(e.text, c->target->token);
    a.reason = a.ok ? "" : e.text;
    c->fn(&a, c->arg);
    http_request_release(&c->request);
    free(c);
}

static void build(struct check *c)
{
    unsigned char random[16];
    char key[64];
    const char *base = c->target->url;
    size_t n = strlen(base);

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        abort(); /* cannot be for so few bytes */
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(c->value + 2 * i, 3, "%02x", random[i]);
    (void)snprintf(key, sizeof(key), "trine:probe:%.16s", c->value);
    while (n > 0 && base[n - 1] == '/')
        n--;
    c->request = (struct http_request){.method = "POST",
                                       .max_reply = MAX_REPLY,
                                       .timeout_ms = HTTP_FOREVER_MS, /* the schedule ends it */
                                       .connect_ms = HTTP_FOREVER_MS,
                                       .fresh_connection = true};
    http_request_url(&c->request, "%.*s/pipeline", (int)n, base);
    http_request_header(&c->request, "Authorization", "Bearer %s", c->target->token);
    json_t *commands =
        json_pack("[[s, s, s, s, i], [s, s]]", "SET", key, c->value, "EX", EXPIRY_S, "GET", key);
    http_request_json(&c->request, commands);
    json_decref(commands);
}

static struct check *upstash_start(const struct check_tools *tools, const struct target *t,
                                   int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));

    *c = (struct check){.target = t, .client = tools->http, .fn = fn, .arg = arg};
    build(c);
    c->id = http_send(tools->http, NULL, &c->request, intended_us, answered, c);
    return c;
}

static void upstash_progress(const struct check *c, struct check_answer *ret)
{
    struct http_timing t;

    http_progress(c->client, c->id, &t);
    *ret = check_http_times(&t);
    count_from_ready(&t, ret);
    ret->sent = true;
    ret->answered = t.connect > 0;
}

const struct check_ops check_upstash = {CHECK_UPSTASH, upstash_start, upstash_release,
                                        upstash_progress};
