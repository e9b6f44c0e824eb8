#include "probe/check_http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "probe/check.h"
#include "probe/json_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct check {
    const struct target *target;
    struct http_client *client;
    uint64_t id;
    struct http_request request;
    check_fn *fn;
    void *arg;
};

/* --- Is it what was expected? ----------------------------------------------------------------- */

static int check_status(const struct target *t, const struct http_reply *r, struct err *e)
{
    if (t->expect_status ? r->status == t->expect_status : r->status / 100 == 2)
        return 0;
    if (t->expect_status)
        return err_set(e, ERR_NO, "answered %d instead of %d", r->status, t->expect_status);
    return err_set(e, ERR_NO, "answered %d instead of 2xx", r->status);
}

int check_http_header_valid(const char *expect, struct err *e)
{
    const char *colon = strchr(expect, ':');
    if (colon && colon != expect && !memchr(expect, ' ', (size_t)(colon - expect)))
        return 0;
    return err_set(e, ERR_MANIFEST,
                   "\"%.100s\" is no \"Name: part of the value\", such as Content-Type: json",
                   expect);
}

static int check_header(const char *expect, const struct http_reply *r, struct err *e)
{
    const char *colon = strchr(expect, ':');
    if (!colon)
        return check_http_header_valid(expect, e);
    const char *part = colon + 1 + strspn(colon + 1, " ");
    size_t len = (size_t)(colon - expect);
    bool found = false;
    for (size_t i = 0; i < r->n_headers; i++) {
        const char *name = r->headers[i].name;
        if (strncasecmp(name, expect, len) != 0 || name[len])
            continue;
        found = true;
        if (strstr(r->headers[i].value, part))
            return 0;
    }
    if (!found)
        return err_set(e, ERR_NO, "there is no header %.*s", (int)(len > 100 ? 100 : len), expect);
    return err_set(e, ERR_NO, "header %.*s does not hold \"%.100s\"", (int)(len > 100 ? 100 : len),
                   expect, part);
}

static int check_body(const char *expect, const struct http_reply *r, struct err *e)
{
    if (memmem(r->body, r->len, expect, strlen(expect)))
        return 0;
    return err_set(e, ERR_NO, "the body does not hold \"%.100s\"", expect);
}

static bool is_set(const char *expect)
{
    return expect && *expect;
}

static int check_reply(const struct target *t, const struct http_reply *r, struct err *e)
{
    if (check_status(t, r, e) < 0 ||
        (is_set(t->expect_header) && check_header(t->expect_header, r, e) < 0) ||
        (is_set(t->expect_body) && check_body(t->expect_body, r, e) < 0))
        return -1;
    return is_set(t->expect_json) ? json_path_check(t->expect_json, r->body, r->len, e) : 0;
}

/* --- Asking ----------------------------------------------------------------------------------- */

struct check_answer check_http_times(const struct http_timing *t)
{
    return (struct check_answer){
        .queued = t->queued,
        .lookup = t->lookup,
        .connect = t->connect,
        .tls = t->tls,
        .first_byte = t->first_byte,
        .total = t->total,
        .reason = "",
        .detail = "",
    };
}

struct check_answer check_http_seen(const struct http_reply *r)
{
    enum err_kind kind = r->err.kind;
    struct check_answer a = check_http_times(&r->timing);
    a.sent = kind == ERR_NONE || kind == ERR_NET || kind == ERR_REMOTE;
    /* Who connected with us and then says no, with a certificate or by closing, is there. */
    a.answered = kind == ERR_NONE || kind == ERR_REMOTE || r->timing.connect > 0;
    a.status = r->status;
    return a;
}

static void answered(uint64_t id, const struct http_reply *r, void *arg)
{
    struct check *c = arg;
    struct err e = r->err;
    struct check_answer a = check_http_seen(r);
    (void)id;
    a.ok = e.kind == ERR_NONE && check_reply(c->target, r, &e) == 0;
    a.reason = a.ok ? "" : e.text;
    c->fn(&a, c->arg);
    free(c);
}

static struct check *start(const struct check_tools *tools, const struct target *t,
                           int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));
    *c = (struct check){.target = t,
                        .client = tools->http,
                        .fn = fn,
                        .arg = arg,
                        .request = {.method = "GET",
                                    .url = t->url,
                                    .headers = t->headers,
                                    .n_headers = t->n_headers,
                                    .max_reply = CHECK_HTTP_BODY_MAX,
                                    .timeout_ms = HTTP_FOREVER_MS, /* the schedule ends it */
                                    .connect_ms = HTTP_FOREVER_MS,
                                    .fresh_connection = !t->keep_connection}};
    c->id = http_send(tools->http, NULL, &c->request, intended_us, answered, c);
    return c;
}

static void cancel(struct check *c)
{
    http_cancel(c->client, c->id);
    free(c);
}

static void progress(const struct check *c, struct check_answer *ret)
{
    struct http_timing t;
    http_progress(c->client, c->id, &t);
    *ret = check_http_times(&t);
    ret->sent = true;
    ret->answered = t.first_byte > 0;
}

const struct check_ops check_http = {
    .kind = CHECK_HTTP, .start = start, .cancel = cancel, .progress = progress};
