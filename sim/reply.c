#include "core.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/*
 * Answers, spoiled on purpose. What takes time (a stall, a slow or an endless body) lives in a
 * `drip` of its own, until it ends or the peer leaves.
 */
enum { DRIP_MS = 20, ENDLESS_CHUNK = 64 << 10, ENDLESS_MAX = 256 << 20 };

struct drip {
    struct http_exchange *x;
    struct timer *timer;
    char *body;
    size_t len, at, step;
    bool endless; /* body is sent again and again */
    bool close;   /* only waits to close the connection */
};

static void drip_free(void *arg)
{
    struct drip *d = arg;

    timer_free(d->timer);
    free(d->body);
    free(d);
}

static void drip_end(struct drip *d, bool whole)
{
    struct http_exchange *x = d->x;

    http_exchange_on_gone(x, NULL, NULL);
    drip_free(d);
    if (whole)
        http_exchange_end(x);
    else
        http_exchange_abort(x);
}

static void drip_endless(struct drip *d)
{
    http_exchange_chunk(d->x, d->body, ENDLESS_CHUNK);
    d->at += ENDLESS_CHUNK;
    if (d->at < ENDLESS_MAX)
        timer_start(d->timer, DRIP_MS);
    else
        drip_end(d, false); /* nobody reads that long; our memory has an end, too */
}

static void drip_fired(void *arg)
{
    struct drip *d = arg;
    size_t n;

    if (d->close) {
        drip_end(d, false);
        return;
    }
    if (d->endless) {
        drip_endless(d);
        return;
    }
    n = d->len - d->at < d->step ? d->len - d->at : d->step;
    http_exchange_chunk(d->x, d->body + d->at, n);
    d->at += n;
    if (d->at < d->len)
        timer_start(d->timer, DRIP_MS);
    else
        drip_end(d, true);
}

static struct drip *drip_new(struct call *c)
{
    struct drip *d = mem_alloc(sizeof(*d));

    d->x = c->r.x;
    d->timer = timer_new(c->r.sim->loop, drip_fired, d);
    http_exchange_on_gone(d->x, drip_free, d);
    return d;
}

static void send_stalled(struct call *c)
{
    struct drip *d = drip_new(c);

    d->close = true;
    if (c->fault.number > 0)
        timer_start(d->timer, c->fault.number);
}

static void send_slowly(struct call *c, int status, const char *type, const void *body, size_t len)
{
    struct drip *d = drip_new(c);

    d->body = mem_alloc(len + 1);
    memcpy(d->body, body, len);
    d->len = len;
    d->step = (size_t)c->fault.number * DRIP_MS / 1000;
    if (d->step == 0)
        d->step = 1;
    http_exchange_begin(d->x, status, type, (int64_t)len);
    timer_start(d->timer, DRIP_MS);
}

static void send_endlessly(struct call *c, int status, const char *type)
{
    struct drip *d = drip_new(c);

    d->endless = true;
    d->body = mem_alloc(ENDLESS_CHUNK);
    memset(d->body, ' ', ENDLESS_CHUNK);
    http_exchange_begin(d->x, status, type, -1);
    timer_start(d->timer, 0);
}

static void send_half(struct call *c, int status, const char *type, const void *body, size_t len)
{
    http_exchange_begin(c->r.x, status, type, (int64_t)len);
    http_exchange_chunk(c->r.x, body, len / 2);
    http_exchange_abort(c->r.x);
}

void reply_send(struct call *c, int status, const char *type, const void *body, size_t len)
{
    static const char garbage[] = "<html>\xff\xfe\x01{\"id\": [\"\xc3(\", }\n";
    enum fault_kind kind = c->planned ? FAULT_NONE : c->fault.kind;

    switch (kind) {
    case FAULT_CLOSE_BEFORE:
    case FAULT_CLOSE_AFTER:
        http_exchange_abort(c->r.x);
        break;
    case FAULT_STALL:
        send_stalled(c);
        break;
    case FAULT_GARBAGE:
        http_exchange_answer(c->r.x, status, type, garbage, sizeof(garbage) - 1);
        break;
    case FAULT_TRUNCATE:
        send_half(c, status, type, body, len);
        break;
    case FAULT_ENDLESS:
        send_endlessly(c, status, type);
        break;
    case FAULT_SLOW_BODY:
        if (len > 0) {
            send_slowly(c, status, type, body, len);
            break;
        }
        __attribute__((fallthrough));
    case FAULT_NONE:
    case FAULT_STATUS:
    case FAULT_EXPIRED:
    case FAULT_UNKNOWN_STATUS:
    case FAULT_FORBID_ORIGIN:
        http_exchange_answer(c->r.x, status, type, body, len);
        break;
    }
}

/* --- A word that no client has heard of ------------------------------------------------------ */

/* "active" says that an account or a token is valid, not how a deployment goes. */
static bool is_state(const char *key, const json_t *value)
{
    static const char *const keys[] = {"state", "readyState", "status"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return json_is_string(value) && strcmp(json_string_value(value), "active") != 0;
    return false;
}

static void replace_states(json_t *json, const char *word, int depth)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;

    if (depth == 0)
        return;
    json_array_foreach(json, i, value) replace_states(value, word, depth - 1);
    json_object_foreach_safe(json, next, key, value)
    {
        if (is_state(key, value))
            json_string_set(value, word);
        else
            replace_states(value, word, depth - 1);
    }
}

json_t *reply_unknown_status(json_t *json, const char *word)
{
    json_t *copy = json_deep_copy(json); /* a handler may answer with a part of the state itself */

    json_decref(json);
    replace_states(copy, word, 16);
    return copy;
}
