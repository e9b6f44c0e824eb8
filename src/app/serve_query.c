#include "app/serve_query.h"

#include "app/api.h"
#include "app/json_out.h"
#include "app/store_worker.h"
#include "base/mem.h"
#include "base/text.h"
#include "report/report.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES_MAX = 64, KEPT_BYTES_MAX = 4 << 20 };

struct waiter {
    struct query *query;
    struct waiter *next;
    struct http_exchange *x;
};

struct query {
    struct query *after;
    struct serve *serve;
    char key[256];
    struct query_ask ask;
    struct app app;       /* a copy, with the worker's store while it is made */
    struct buf out, next; /* next: being made */
    struct err err;
    bool busy, failed;
    int64_t made_ms; /* monotonic; 0 = never */
    struct waiter *waiters;
};

struct query_book {
    struct query *queries; /* the one asked for last comes first */
    size_t n;
};

struct query_book *query_book_new(struct serve *s)
{
    (void)s;
    return mem_alloc(sizeof(struct query_book));
}

/* --- Windows ------------------------------------------------------------------------------------
 */

static bool take_text(struct http_exchange *x, const char *name, char *ret, size_t size)
{
    const char *value = http_exchange_query(x, name);

    if (!value || text_copy(ret, size, value))
        return true;
    api_refuse(x, 400, "usage", "%s=%.20s...: too long", name, value);
    return false;
}

/* A moment: RFC 3339, or a span back from now. */
static bool moment(const char *text, int64_t now, int64_t *ret)
{
    struct err ignored = ERR_INIT;
    int64_t span = 0;

    if (clock_parse_utc(text, ret) == 0)
        return *ret >= 0;
    if (text_duration_ms(text, &span, &ignored) < 0 || span < 0 || span > now)
        return false;
    *ret = now - span;
    return true;
}

static int resolve(struct query_ask *ask, int64_t now, struct err *e)
{
    ask->until_ms = now;
    if (!moment(ask->from, now, &ask->from_ms) ||
        (ask->until[0] && !moment(ask->until, now, &ask->until_ms)))
        return err_set(e, ERR_USAGE,
                       "from and until are times as 2026-11-22T15:00:00Z or spans back from now as "
                       "24h");
    if (ask->from_ms >= ask->until_ms)
        return err_set(e, ERR_USAGE, "from must be before until");
    return 0;
}

bool query_window(struct http_exchange *x, const char *span, struct query_ask *ret)
{
    struct err e = ERR_INIT;

    (void)text_copy(ret->from, sizeof(ret->from), span);
    if (!take_text(x, "from", ret->from, sizeof(ret->from)) ||
        !take_text(x, "until", ret->until, sizeof(ret->until)) ||
        !take_text(x, "environment", ret->environment, sizeof(ret->environment)))
        return false;
    if (resolve(ret, clock_wall_ms(&clock_system), &e) == 0)
        return true;
    api_refuse_err(x, &e);
    return false;
}

/* --- Answers ------------------------------------------------------------------------------------
 */

static void give(struct query *q, struct http_exchange *x)
{
    struct buf b = BUF_INIT(REPORT_MAX_BYTES);
    struct json_out o = {.b = &b};

    if (q->failed) {
        api_refuse_err(x, &q->err);
        return;
    }
    if (!q->ask.head) {
        api_answer_json(x, 200, &q->out);
        return;
    }
    q->ask.head(q->serve, &q->ask, &o);
    serve_redact(q->serve, &b);
    buf_add(&b, q->out.data, q->out.len);
    api_answer_json(x, 200, &b);
    buf_release(&b);
}

static void drop(struct query *q, struct waiter *w)
{
    struct waiter **at = &q->waiters;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    free(w);
}

static void leave(void *arg)
{
    struct waiter *w = arg;

    drop(w->query, w);
}

static void wait_for(struct query *q, struct http_exchange *x)
{
    struct waiter *w = mem_alloc(sizeof(*w));

    *w = (struct waiter){.query = q, .next = q->waiters, .x = x};
    q->waiters = w;
    http_exchange_on_gone(x, leave, w);
}

static int make(struct store *store, void *arg, struct err *e)
{
    struct query *q = arg;

    q->app.store = store;
    return q->ask.make(&q->ask, &q->app, &q->next, e);
}

static void made(const struct err *e, void *arg)
{
    struct query *q = arg;

    buf_release(&q->out);
    q->out = q->next;
    q->next = (struct buf){0};
    q->busy = false;
    q->failed = e || buf_over(&q->out);
    if (e)
        q->err = *e;
    else if (q->failed)
        (void)err_set(&q->err, ERR_USAGE, "the answer is too large; ask for a shorter window");
    else
        serve_redact(q->serve, &q->out);
    q->made_ms = clock_mono_ms(&q->serve->app->clock);
    while (q->waiters) {
        struct http_exchange *x = q->waiters->x;
        drop(q, q->waiters);
        give(q, x);
    }
    (void)malloc_trim(0);              /* a comparison's tables are large, and the next is far */
    if (q->out.len > KEPT_BYTES_MAX) { /* answered, and not worth the memory */
        buf_release(&q->out);
        q->made_ms = 0;
    }
}

static void begin(struct query *q)
{
    struct serve *s = q->serve;
    struct err e = ERR_INIT;

    buf_init(&q->next, REPORT_MAX_BYTES);
    q->app = *s->app;
    q->busy = true;
    (void)resolve(&q->ask, clock_wall_ms(&s->app->clock), &e); /* it was good when it was asked */
    store_worker_do(q->ask.takes_long ? s->comparer : s->reader, q->ask.name, make, made, q);
}

/* The query of that key at the front; a new one in the place of the oldest that rests. NULL: all
 * are busy. */
static struct query *query_of(struct serve *s, const char *key)
{
    struct query_book *b = s->queries;
    struct query **oldest = NULL, *q;

    for (struct query **p = &b->queries; *p; p = &(*p)->after) {
        if (strcmp((*p)->key, key) == 0) {
            q = *p;
            *p = q->after;
            q->after = b->queries;
            return b->queries = q;
        }
        if (!(*p)->busy)
            oldest = p;
    }
    if (b->n >= QUERIES_MAX) {
        if (!oldest)
            return NULL;
        q = *oldest;
        *oldest = q->after;
        buf_release(&q->out);
        free(q);
        b->n--;
    }
    q = mem_alloc(sizeof(*q));
    q->serve = s;
    (void)text_copy(q->key, sizeof(q->key), key);
    q->after = b->queries;
    b->n++;
    return b->queries = q;
}

void query_answer(struct serve *s, struct http_exchange *x, const struct query_ask *ask)
{
    char key[256];
    int64_t now = clock_mono_ms(&s->app->clock);

    (void)snprintf(key, sizeof(key), "%s %lld %s %s %s", ask->name, (long long)ask->id, ask->from,
                   ask->until, ask->environment);
    struct query *q = s->stopping ? NULL : query_of(s, key);
    if (!q) {
        http_exchange_set(x, "Retry-After", "2");
        api_refuse(x, 503, "no", "too many different questions at once; ask again");
        return;
    }
    /* What is a little old is given at once, and made anew for the next who asks. */
    int64_t age = q->made_ms != 0 ? now - q->made_ms : INT64_MAX;
    bool usable = age < ask->ttl_ms + (q->failed ? 0 : ask->stale_ms);
    if (usable)
        give(q, x);
    else
        wait_for(q, x);
    if (q->busy || age < ask->ttl_ms)
        return;
    q->ask = *ask;
    begin(q);
}

void query_book_free(struct query_book *b)
{
    if (!b)
        return;
    while (b->queries) {
        struct query *q = b->queries;
        b->queries = q->after;
        buf_release(&q->out);
        free(q);
    }
    free(b);
}
