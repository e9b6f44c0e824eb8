#include "base/mem.h"
#include "net/endpoint.h"
#include "net/http_client.h"
#include "probe/check_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * The question that a browser asks before it lets a page of another origin read an answer: a
 * pre-flight (Fetch standard, "CORS-preflight fetch"). Allowed is what a browser would allow: a 2xx
 * that names this origin exactly, or "*", and the header that was asked for. Browsers follow no
 * redirect here, so neither does this.
 */
static const char asked_header[] = "content-type"; /* what sending JSON needs */

enum { REPLY_MAX = 1 << 20, SHOWN_MAX = 80 };

struct check {
    const struct target *target;
    struct http_client *client;
    uint64_t id;
    struct http_request request;
    check_fn *fn;
    void *arg;
};

static void cors_free(struct check *c)
{
    http_request_release(&c->request);
    free(c);
}

static void cors_cancel(struct check *c)
{
    http_cancel(c->client, c->id);
    cors_free(c);
}

/* A value of the server's own choosing, fit to be shown. */
static const char *shown(const char *value, char ret[SHOWN_MAX])
{
    snprintf(ret, SHOWN_MAX, "%s", value);
    for (char *c = ret; *c; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
    }
    return ret;
}

static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list) {
        list += strspn(list, ", \t");
        size_t n = strcspn(list, ", \t");

        if ((n == len && strncasecmp(list, word, n) == 0) || (n == 1 && *list == '*'))
            return true;
        list += n;
    }
    return false;
}

static int check_origin(const struct target *t, const struct http_reply *r, const char *host,
                        struct err *e)
{
    const char *allowed = http_reply_header(r, "access-control-allow-origin");
    char text[SHOWN_MAX];

    if (allowed && (strcmp(allowed, t->origin) == 0 || strcmp(allowed, "*") == 0))
        return 0;
    if (!allowed)
        return err_set(e, ERR_NO,
                       "%s answered %d without Access-Control-Allow-Origin; add %s to the origins "
                       "that it allows",
                       host, r->status, t->origin);
    return err_set(e, ERR_NO,
                   "%s allows the origin \"%s\", not %s; add it to the origins that it allows",
                   host, shown(allowed, text), t->origin);
}

static int check_headers(const struct http_reply *r, const char *host, struct err *e)
{
    const char *allowed = http_reply_header(r, "access-control-allow-headers");
    char text[SHOWN_MAX];

    if (allowed && list_has(allowed, asked_header))
        return 0;
    return err_set(e, ERR_NO,
                   "%s allows the headers \"%s\", not %s; add it to Access-Control-Allow-Headers",
                   host, shown(allowed ? allowed : "", text), asked_header);
}

static int check_reply(const struct target *t, const struct http_reply *r, struct err *e)
{
    struct endpoint place = {.host = "it"};

    endpoint_read(t->url, 0, &place);
    if (r->status / 100 == 3)
        return err_set(e, ERR_NO,
                       "%s redirects the pre-flight (%d), which browsers do not follow; give the "
                       "address that it leads to",
                       place.host, r->status);
    if (check_origin(t, r, place.host, e) < 0)
        return -1;
    if (r->status / 100 != 2)
        return err_set(e, ERR_NO, "%s answered the pre-flight with %d instead of 2xx", place.host,
                       r->status);
    return check_headers(r, place.host, e);
}

/* ---- asking ---- */

static void cors_answered(uint64_t id, const struct http_reply *r, void *arg)
{
    struct check *c = arg;
    check_fn *fn = c->fn;
    void *fn_arg = c->arg;
    struct err e = r->err;
    struct check_answer a = check_http_seen(r);

    (void)id;
    a.ok = e.kind == ERR_NONE && check_reply(c->target, r, &e) == 0;
    a.reason = a.ok ? "" : e.text;
    cors_free(c);
    fn(&a, fn_arg);
}

static struct check *cors_start(const struct check_tools *tools, const struct target *t,
                                int64_t intended_us, check_fn *fn, void *arg)
{
    struct check *c = mem_alloc(sizeof(*c));
    struct http_request *r = &c->request;

    *c = (struct check){.target = t, .client = tools->http, .fn = fn, .arg = arg};
    r->method = "OPTIONS";
    r->max_reply = REPLY_MAX;
    r->timeout_ms = r->connect_ms = HTTP_FOREVER_MS; /* the schedule ends it */
    r->fresh_connection = !t->keep_connection;
    http_request_url(r, "%s", t->url);
    http_request_header(r, "Origin", "%s", t->origin);
    http_request_header(r, "Access-Control-Request-Method", "GET");
    http_request_header(r, "Access-Control-Request-Headers", "%s", asked_header);
    for (size_t i = 0; i < t->n_headers; i++)
        http_request_header(r, t->headers[i].name, "%s", t->headers[i].value);
    c->id = http_send(tools->http, NULL, r, intended_us, cors_answered, c);
    return c;
}

static void cors_progress(const struct check *c, struct check_answer *ret)
{
    struct http_timing t;

    http_progress(c->client, c->id, &t);
    *ret = check_http_times(&t);
    ret->sent = true;
    ret->answered = t.first_byte > 0;
}

const struct check_ops check_cors = {CHECK_CORS, cors_start, cors_cancel, cors_progress};
