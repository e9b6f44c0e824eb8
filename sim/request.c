#include "core.h"
#include "watch.h"

#include "base/json.h"
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Making a call -------------------------------------------------------------------------------
 */

/* The path behind the platform's base, or NULL when it is elsewhere. */
static const char *behind_base(const char *path, const struct sim_platform *p)
{
    const char *base = p->base_path;
    size_t len = strlen(base);

    if (p->beside && strncmp(path, p->beside, strlen(p->beside)) == 0)
        return path;
    if (strncmp(path, base, len) != 0 || (path[len] != '/' && path[len] != '\0'))
        return NULL;
    return path[len] ? path + len : "/";
}

static bool split(struct sim_request *r, const char *raw)
{
    char *rest = arena_strdup(r->arena, raw), *part;
    size_t max = sizeof(r->segments) / sizeof(*r->segments) - 1; /* the last stays NULL */

    while ((part = strsep(&rest, "/")))
        if (*part && r->n_segments < max) {
            if (!http_percent_decode(part))
                return false;
            r->segments[r->n_segments++] = part;
        }
    return true;
}

/* By its type; wrangler sends JSON as text/plain, so text that begins like JSON counts, too. */
static bool looks_like_json(const char *type, const char *body, size_t len)
{
    if (len == 0 || (type && strcasestr(type, "json")))
        return len > 0;
    return (!type || strncasecmp(type, "text/plain", 10) == 0) && (*body == '{' || *body == '[');
}

static void read_body(struct call *c, struct http_exchange *x)
{
    const char *type = http_exchange_header(x, "Content-Type");
    struct err ignored = ERR_INIT;

    c->r.body = http_exchange_body(x, &c->r.body_len);
    if (looks_like_json(type, c->r.body, c->r.body_len))
        c->r.json = json_read(c->r.body, c->r.body_len, "request", &ignored);
}

static void call_link(struct call *c, struct sim *s)
{
    c->next = s->calls;
    if (c->next)
        c->next->prev = c;
    s->calls = c;
}

/* A handler may look at its request after it answered; the call goes when it has returned. */
static void call_free(struct call *c)
{
    struct sim *s = c->port->sim;

    c->ended = true;
    c->r.x = NULL;
    if (c->running)
        return;
    if (c->prev)
        c->prev->next = c->next;
    else
        s->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
    timer_free(c->timer);
    json_decref(c->r.json);
    arena_release(&c->arena);
    free(c);
}

static void call_run(struct call *c, void (*fn)(struct sim_request *r))
{
    bool nested = c->running;

    c->running = true;
    fn(&c->r);
    c->running = nested;
    if (c->ended && !nested)
        call_free(c);
}

void calls_drop(struct sim *s)
{
    for (struct call *c = s->calls, *next; c; c = next) {
        next = c->next;
        call_free(c);
    }
}

/* The peer left. What waits for a timer never happens; a handler at work finds x gone. */
static void call_gone(void *arg)
{
    struct call *c = arg;

    c->r.x = NULL;
    c->r.body = "";
    c->r.body_len = 0;
    if (c->then)
        call_finish(c, 0);
}

static struct call *call_new(struct http_exchange *x, struct port *port)
{
    struct call *c = mem_alloc(sizeof(*c));
    const char *behind;
    char *path;

    c->port = port;
    c->r.sim = port->sim;
    c->r.platform = port->platform;
    c->r.x = x;
    c->r.arena = &c->arena;
    c->r.method = arena_strdup(&c->arena, http_exchange_method(x));
    c->full_path = arena_strdup(&c->arena, http_exchange_path(x));
    behind = behind_base(c->full_path, port->platform);
    path = arena_strdup(&c->arena, behind ? behind : c->full_path);
    c->refused = !behind || !http_percent_decode(path) || !split(&c->r, behind);
    c->r.path = path;
    read_body(c, x);
    call_link(c, port->sim);
    http_exchange_on_gone(x, call_gone, c);
    return c;
}

/* --- Running it ------------------------------------------------------------------------------ */

static void no_such_route(struct sim_request *r)
{
    r->platform->error(r, 404);
}

/* The fault's own answer, in the platform's shape. */
static void answer_fault(struct call *c)
{
    struct sim_request *r = &c->r;
    int status = (int)c->fault.number;
    int64_t wait_s = c->fault.retry_after_s;

    c->planned = true;
    if (c->fault.kind == FAULT_EXPIRED) {
        r->platform->unauthorised(r);
    } else if (status == 429 && r->platform->too_many) {
        c->rate_left = 0;
        c->rate_reset_ms = wait_s >= 0 ? wait_s * 1000 : 1000;
        r->platform->too_many(r, wait_s >= 0 ? wait_s * 1000 : 1000);
    } else {
        if (wait_s >= 0)
            sim_set_header(r, "Retry-After", "%lld", (long long)wait_s);
        r->platform->error(r, status);
    }
}

static void execute(struct sim_request *r)
{
    struct call *c = (struct call *)r;
    const struct sim_platform *p = r->platform;
    struct rate_verdict rate = {0};

    sim_advance_all(r->sim);
    r->account = p->authenticate ? p->authenticate(r) : "";
    if (r->account)
        rates_take(r->sim->rates, r, sim_now_ms(r->sim), &rate);
    c->rate_limit = rate.limit;
    c->rate_left = rate.left;
    c->rate_reset_ms = rate.reset_ms;
    if (c->fault.kind == FAULT_CLOSE_BEFORE) {
        call_abort(c);
    } else if (c->fault.kind == FAULT_STATUS || c->fault.kind == FAULT_EXPIRED) {
        answer_fault(c);
    } else if (!r->account) {
        p->unauthorised(r);
    } else if (rate.over) {
        p->too_many(r, rate.retry_after_ms);
    } else if (c->refused) {
        no_such_route(r);
    } else {
        p->handle(r);
    }
}

void request_received(struct http_exchange *x, void *arg)
{
    struct port *port = arg;
    struct call *c = call_new(x, port);
    const char *host = http_exchange_header(x, "Host");
    struct fault_view view = {.platform = port->platform->name,
                              .method = c->r.method,
                              .path = c->r.path,
                              .full_path = c->full_path,
                              .short_lived = port->platform->short_lived &&
                                             port->platform->short_lived(&c->r)};

    view.host = arena_strndup(&c->arena, host ? host : "", host ? strcspn(host, ":") : 0);
    faults_choose(port->sim->faults, &view, &c->fault);
    if (c->fault.delay_ms > 0)
        sim_later(&c->r, c->fault.delay_ms, execute);
    else
        call_run(c, execute);
}

static void later_fired(void *arg)
{
    struct call *c = arg;
    void (*then)(struct sim_request * r) = c->then;

    c->then = NULL;
    call_run(c, then);
}

void sim_later(struct sim_request *r, int64_t real_ms, void (*fn)(struct sim_request *r))
{
    struct call *c = (struct call *)r;

    if (!r->x) { /* nobody waits any more */
        call_finish(c, 0);
        return;
    }
    if (!c->timer)
        c->timer = timer_new(r->sim->loop, later_fired, c);
    c->then = fn;
    timer_start(c->timer, real_ms);
}

/* --- Answering ------------------------------------------------------------------------------- */

/* In the stream and in the books, while the request can still be read. */
static void call_note(struct call *c, int status)
{
    struct sim *s = c->r.sim;

    if (status / 100 == 2)
        rates_succeeded(s->rates, &c->r, sim_now_ms(s));
    stream_note(s->stream, &c->r, c->full_path, status);
    books_request(s, c->r.platform, c->r.method, status);
}

void call_finish(struct call *c, int status)
{
    call_note(c, status);
    if (c->r.x)
        http_exchange_on_gone(c->r.x, NULL, NULL);
    call_free(c);
}

void call_abort(struct call *c)
{
    struct http_exchange *x = c->r.x;

    call_finish(c, 0);
    if (x)
        http_exchange_abort(x);
}

static bool answer_is_lost(const struct call *c)
{
    return !c->r.x ||
           (!c->planned && (c->fault.kind == FAULT_CLOSE_AFTER || c->fault.kind == FAULT_STALL));
}

static void answer_head(struct call *c, int status)
{
    const struct sim_platform *p = c->r.platform;

    assert(!c->ended); /* a handler answers once */
    if (p->rate_headers && c->rate_limit && c->r.x)
        p->rate_headers(&c->r, (unsigned)c->rate_limit, (unsigned)c->rate_left, c->rate_reset_ms);
    call_note(c, answer_is_lost(c) ? 0 : status);
    if (c->r.x)
        http_exchange_on_gone(c->r.x, NULL, NULL);
}

static void answer_bytes(struct call *c, int status, const char *type, const char *body, size_t len)
{
    answer_head(c, status);
    if (c->r.x)
        reply_send(c, status, type, body, len);
    call_free(c);
}

void sim_answer(struct sim_request *r, int status, json_t *json)
{
    struct call *c = (struct call *)r;
    char *text;

    if (!json) {
        answer_bytes(c, status, NULL, "", 0);
        return;
    }
    if (c->fault.kind == FAULT_UNKNOWN_STATUS && status / 100 == 2)
        json = reply_unknown_status(json, c->fault.word);
    text = json_text(json);
    json_decref(json);
    answer_bytes(c, status, "application/json", text, strlen(text));
    free(text);
}

void sim_answer_text(struct sim_request *r, int status, const char *type, const char *text)
{
    answer_bytes((struct call *)r, status, type, text, strlen(text));
}

void sim_answer_file(struct sim_request *r, int status, const char *type, const char *path,
                     size_t size)
{
    struct call *c = (struct call *)r;
    struct buf bytes = BUF_INIT(SIM_BODY_MAX);
    struct err e = ERR_INIT;

    if (c->fault.kind == FAULT_NONE || c->planned) {
        answer_head(c, status);
        if (r->x)
            http_exchange_answer_file(r->x, status, type, path, size);
        call_free(c);
    } else if (buf_read_file(&bytes, path, &e) == 0) {
        answer_bytes(c, status, type, buf_str(&bytes), bytes.len);
    } else {
        r->platform->error(r, 500);
    }
    buf_release(&bytes);
}

struct http_tunnel *sim_answer_upgrade(struct sim_request *r, const char *protocol,
                                       const struct http_tunnel_events *events, void *arg)
{
    struct call *c = (struct call *)r;
    struct http_tunnel *tunnel = NULL;

    answer_head(c, 101);
    if (r->x)
        tunnel = http_exchange_upgrade(r->x, protocol, events, arg);
    call_free(c);
    return tunnel;
}

/* --- What handlers read ---------------------------------------------------------------------- */

const char *sim_query(const struct sim_request *r, const char *name)
{
    return r->x ? http_exchange_query(r->x, name) : NULL;
}

int64_t sim_query_int(const struct sim_request *r, const char *name, int64_t otherwise)
{
    const char *value = sim_query(r, name);
    int64_t number;

    return value && text_int(value, INT64_MIN, INT64_MAX, &number) == 0 ? number : otherwise;
}

const char *sim_header(const struct sim_request *r, const char *name)
{
    return r->x ? http_exchange_header(r->x, name) : NULL;
}

void sim_set_header(struct sim_request *r, const char *name, const char *fmt, ...)
{
    char value[2048];
    va_list ap;

    if (!r->x)
        return;
    va_start(ap, fmt);
    vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    http_exchange_set(r->x, name, value);
}

static bool part_fits(const char *pattern, size_t len, const char *part)
{
    return pattern[0] == ':' || (strlen(part) == len && strncmp(pattern, part, len) == 0);
}

bool sim_route(const struct sim_request *r, const char *method, const char *pattern)
{
    size_t i = 0;

    if (strcmp(r->method, method) != 0)
        return false;
    for (const char *p = pattern; *p == '/'; i++) {
        size_t len = strcspn(p + 1, "/");

        if (len == 0) /* "/" alone */
            break;
        if (i >= r->n_segments)
            return false;
        if (strcmp(p + 1, "**") == 0)
            return true;
        if (!part_fits(p + 1, len, r->segments[i]))
            return false;
        p += 1 + len;
    }
    return i == r->n_segments;
}

bool sim_dispatch(struct sim_request *r, const struct sim_endpoint *table)
{
    for (; table->method; table++)
        if (sim_route(r, table->method, table->pattern)) {
            table->run(r);
            return true;
        }
    return false;
}
