#include "app/watch_inner.h"

#include "base/mem.h"
#include "net/bases.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

/*
 * Asks a service's platform whether it is awake, so that a probe does not wake it unasked. An
 * answer holds for a few seconds: several checks of one service are due together. A platform is
 * asked at most so often a minute whatever the manifest says; beyond that, and after a refusal for
 * a while, our own idle time decides.
 */
enum {
    FRESH_MS = 5000,
    ASK_TIMEOUT_MS = 5000,
    QUESTIONS_A_MINUTE = 30, /* far under every platform's general limit */
    MINUTE_MS = 60000,
    REFUSED_MS = 60000,
    REPLY_BYTES_MAX = 1 << 20,
};

struct platform {
    const struct provider_ops *ops;
    int64_t minute_ms; /* begin of the one that is counted */
    unsigned asked;
    int64_t not_before_ms;
};

struct question { /* about one service; kept, for its answer */
    struct question *next;
    struct awake_book *book;
    char *environment, *app, *instance;
    enum awake answer;
    int64_t answered_ms; /* monotonic; INT64_MIN / 2 = never */
    uint64_t id;         /* under way; 0 = it is not */
    struct call call;
    struct deployment deployment; /* as it was asked about */
    struct round *round;
    const struct target *target;
    struct platform *platform;
};

struct awake_book {
    struct app *app;
    struct question *questions;
    struct platform platforms[32];
    size_t n_platforms;
};

struct awake_book *awake_book_new(struct app *a)
{
    struct awake_book *b = mem_alloc(sizeof(*b));

    b->app = a;
    return b;
}

static struct question *question_of(struct awake_book *b, const struct target *t)
{
    for (struct question *q = b->questions; q; q = q->next)
        if (strcmp(q->environment, t->environment) == 0 && strcmp(q->app, t->app) == 0 &&
            strcmp(q->instance, t->instance) == 0)
            return q;
    struct question *q = mem_alloc(sizeof(*q));
    *q = (struct question){.next = b->questions,
                           .book = b,
                           .environment = mem_strdup(t->environment),
                           .app = mem_strdup(t->app),
                           .instance = mem_strdup(t->instance),
                           .answered_ms = INT64_MIN / 2};
    b->questions = q;
    return q;
}

static struct platform *platform_of(struct awake_book *b, const struct provider_ops *ops)
{
    size_t most = sizeof(b->platforms) / sizeof(b->platforms[0]);

    for (size_t i = 0; i < b->n_platforms; i++)
        if (b->platforms[i].ops == ops)
            return &b->platforms[i];
    if (b->n_platforms == most)
        return NULL;
    b->platforms[b->n_platforms] = (struct platform){.ops = ops};
    return &b->platforms[b->n_platforms++];
}

static bool may_ask(struct platform *p, int64_t now_ms)
{
    if (!p || now_ms < p->not_before_ms)
        return false;
    if (now_ms - p->minute_ms >= MINUTE_MS) {
        p->minute_ms = now_ms;
        p->asked = 0;
    }
    return p->asked++ < QUESTIONS_A_MINUTE;
}

static void end_question(struct question *q)
{
    q->id = 0;
    call_release(&q->call);
    q->call = (struct call){0};
}

static enum awake awake_of(enum service_state s)
{
    switch (s) {
    case SERVICE_AWAKE:
        return AWAKE_YES;
    case SERVICE_ASLEEP:
        return AWAKE_NO;
    case SERVICE_UNKNOWN:
        return AWAKE_UNKNOWN;
    }
    return AWAKE_UNKNOWN;
}

static void answered(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct question *q = arg;
    int64_t now = clock_mono_ms(&q->book->app->clock);
    enum service_state state = SERVICE_UNKNOWN;
    struct err e = ERR_INIT;

    (void)id;
    bool good = reply->status / 100 == 2 &&
                q->platform->ops->take_awake(&q->deployment, reply, &state, &e) == 0;
    end_question(q);
    q->answer = good ? awake_of(state) : AWAKE_UNKNOWN;
    q->answered_ms = now;
    if (!good && reply->status != 0)
        q->platform->not_before_ms = now + REFUSED_MS;
    schedule_awake(q->round->schedule, q->target, q->answer);
}

static void put_question(struct question *q, const struct target_service *v)
{
    struct app *a = q->book->app;
    struct err e = ERR_INIT;

    q->deployment = v->deployment;
    if (v->provider->awake(&q->deployment, &v->want, &q->call, &e) < 0) {
        end_question(q);
        return;
    }
    q->call.http.timeout_ms = ASK_TIMEOUT_MS;
    q->call.http.max_reply = REPLY_BYTES_MAX;
    q->id = http_send(a->http, bases_get(a->bases, v->provider->name, v->provider->base),
                      &q->call.http, 0, answered, q);
}

void awake_ask(const struct target *t, void *round)
{
    struct round *r = round;
    struct awake_book *b = r->watch->awake;
    const struct target_service *v = targets_service(&r->targets, t);
    int64_t now = clock_mono_ms(&b->app->clock);

    if (!v || !v->provider->awake)
        return;
    struct question *q = question_of(b, t);
    if (q->id)
        return;
    if (now - q->answered_ms < FRESH_MS) {
        schedule_awake(r->schedule, t, q->answer);
        return;
    }
    q->platform = platform_of(b, v->provider);
    q->round = r;
    q->target = t;
    if (may_ask(q->platform, now))
        put_question(q, v);
}

void awake_forget_round(struct awake_book *b, const struct round *r)
{
    for (struct question *q = b->questions; q; q = q->next)
        if (q->id && q->round == r) {
            http_cancel(b->app->http, q->id);
            end_question(q);
        }
}

void awake_book_free(struct awake_book *b)
{
    if (!b)
        return;
    while (b->questions) {
        struct question *q = b->questions;
        b->questions = q->next;
        if (q->id) {
            http_cancel(b->app->http, q->id);
            end_question(q);
        }
        free(q->environment);
        free(q->app);
        free(q->instance);
        free(q);
    }
    free(b);
}
