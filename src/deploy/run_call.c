#include "deploy/run_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/redact.h"
#include "deploy/backoff.h"
#include "deploy/pace.h"
#include "net/bases.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THROTTLED = 60, MOST_SETBACKS = 12, MOST_SETBACKS_EVER = 60, LEAST_THROTTLE_MS = 1000 };

static void queue_add(struct attempt *a)
{
    struct attempt **p = &a->task->account->queue;

    while (*p)
        p = &(*p)->next;
    a->next = NULL;
    *p = a;
}

static void queue_remove(struct attempt *a)
{
    for (struct attempt **p = &a->task->account->queue; *p; p = &(*p)->next)
        if (*p == a) {
            *p = a->next;
            return;
        }
}

static void attempt_retry(void *arg)
{
    struct attempt *a = arg;

    queue_add(a);
    account_pump(a->task->account);
}

void call_begin(struct task *t, struct call *c)
{
    struct attempt *a = mem_alloc(sizeof(*a));

    a->task = t;
    a->call = *c;
    a->step = t->item->deployment.step;
    *c = (struct call){0};
    a->timer = timer_new(t->run->o.loop, attempt_retry, a);
    a->sibling = t->attempts;
    t->attempts = a;
    t->in_flight++;
    queue_add(a);
    account_pump(t->account);
}

static void attempt_uncount(struct attempt *a)
{
    if (a->counted)
        pace_answered(a->task->account->pace, a->call.cost, run_platform_ms(a->task->run));
    a->counted = false;
}

void attempt_free(struct attempt *a)
{
    struct task *t = a->task;

    for (struct attempt **p = &t->attempts; *p; p = &(*p)->sibling)
        if (*p == a) {
            *p = a->sibling;
            break;
        }
    t->in_flight--;
    queue_remove(a);
    if (t->after_write == a)
        t->after_write = NULL;
    if (a->id)
        http_cancel(t->run->o.http, a->id);
    attempt_uncount(a);
    if (a->command)
        command_abandon(a->command);
    timer_free(a->timer);
    call_release(&a->call);
    free(a);
}

static void http_done(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct attempt *a = arg;
    struct run *r = a->task->run;
    struct account *account = a->task->account;
    int64_t now = run_platform_ms(r);
    struct rate_facts facts;

    (void)id;
    a->id = 0;
    attempt_uncount(a);
    provider_rate_facts(reply, clock_wall_ms(loop_clock(r->o.loop)), &facts);
    pace_learn(account->pace, &facts, now);
    attempt_answered(a, reply);
    account_pump(account);
}

/* A provider may name another host of its platform by a whole URL (a deploy hook is one); with an
 * override of the base it is reached where the base is. */
static const char *rebased(struct account *account, struct call *c)
{
    const char *own = account->ops->base, *url = c->http.url;
    const char *path = strstr(own, "://");
    size_t origin = path ? strcspn(path + 3, "/") + (size_t)(path + 3 - own) : 0;

    if (account->base == own || url[0] == '/' || strncmp(url, own, origin) != 0)
        return account->base;
    const char *to = strstr(account->base, "://");
    size_t n = to ? strcspn(to + 3, "/") + (size_t)(to + 3 - account->base) : 0;
    http_request_url(&c->http, "%.*s%s", (int)n, account->base, url + origin);
    return account->base;
}

void attempt_send(struct attempt *a)
{
    struct task *t = a->task;

    a->tries++;
    if (!a->call.http.method) {
        command_begin(a);
        return;
    }
    const char *base = rebased(t->account, &a->call);
    a->id = http_send(t->run->o.http, base, &a->call.http, 0, http_done, a);
}

/* The pace lets it go. What must not happen twice goes over the journal. */
static void attempt_go(struct attempt *a)
{
    if (a->call.http.method) {
        pace_sent(a->task->account->pace, a->call.cost);
        a->counted = true;
    }
    if (a->call.once && !a->journalled)
        journal_mark(a->task, a);
    else
        attempt_send(a);
}

void account_pump(struct account *account)
{
    struct run *r = account->run;
    int64_t soonest = -1;

    for (struct attempt *a = account->queue, *next; a; a = next) {
        next = a->next;
        int64_t delay = pace_delay(account->pace, a->call.cost, run_platform_ms(r));
        if (delay == 0) {
            queue_remove(a);
            attempt_go(a);
        } else if (delay > 0 && (soonest < 0 || delay < soonest)) {
            soonest = delay;
        }
    }
    if (soonest >= 0)
        timer_start(account->timer, run_our_ms(r, soonest));
}

/* The same request again, later. It goes over the journal again: by then another process may hold
 * the lease. */
static void try_again(struct attempt *a, const struct err *e)
{
    struct run *r = a->task->run;
    int64_t wait = backoff_ms(a->tries, &r->random);
    int64_t asked = e->retry_after ? run_our_ms(r, e->retry_after) : 0;

    if (asked > wait)
        wait = asked;
    a->journalled = false;
    run_tell(a->task, RUN_RETRY, "%s; again in %lld ms", e->text, (long long)wait);
    timer_start(a->timer, wait);
}

/* This request is given up; the provider is asked again what comes next, after a while. */
static void go_back(struct attempt *a, const struct err *e)
{
    struct task *t = a->task;
    struct run *r = t->run;
    struct err last = *e;
    int64_t asked = e->retry_after ? run_our_ms(r, e->retry_after) : 0;

    attempt_free(a);
    t->setbacks_ever++;
    if (++t->setbacks > MOST_SETBACKS || t->setbacks_ever > MOST_SETBACKS_EVER) {
        (void)err_wrap(&last, "%s: given up after %u tries", t->item->ops->title, t->setbacks_ever);
        task_pause(t, &last); /* something may have been created: the next run looks first */
        return;
    }
    int64_t wait = backoff_ms(t->setbacks, &r->random);
    if (asked > wait)
        wait = asked;
    run_tell(t, RUN_RETRY, "%s; looking again in %lld ms", last.text, (long long)wait);
    journal_mark(t, NULL);
    task_later(t, wait);
}

/* Another of the parallel calls has made the provider go back already, for what may be this one's
 * trouble too: it is asked for again if it is still needed. */
static void left_behind(struct attempt *a)
{
    struct task *t = a->task;

    attempt_free(a);
    task_later(t, backoff_ms(t->setbacks + 1, &t->run->random));
}

static void fail_attempt(struct attempt *a, const struct err *e)
{
    struct task *t = a->task;
    struct err last = *e;

    (void)err_wrap(&last, "%s", t->item->ops->title);
    task_fail(t, &last);
}

/* The end of our tries. Trouble that may pass says nothing about the deployment: it stays
 * unfinished, and the next run goes on here. A failure would make that one begin anew, and create
 * again what a lost answer had told of. */
static void leave_attempt(struct attempt *a, const struct err *e)
{
    struct task *t = a->task;
    struct err last = *e;

    if (!e->retry) {
        fail_attempt(a, e);
        return;
    }
    (void)err_set(&last, e->kind, "%s: %.400s; run the same command again to go on",
                  t->item->ops->title, e->text);
    task_pause(t, &last);
}

/* Whether the request happened is not known, or it may simply be repeated. */
static void unanswered(struct attempt *a, const struct err *e, bool may_have_happened)
{
    struct task *t = a->task;

    if (a->call.once && may_have_happened) {
        t->item->deployment.step = a->call.unclear;
        go_back(a, e);
    } else if (a->tries >= t->run->o.tries) {
        leave_attempt(a, e);
    } else {
        try_again(a, e);
    }
}

static void throttled(struct attempt *a, struct err *e)
{
    struct task *t = a->task;
    int64_t now = run_platform_ms(t->run);

    if (e->retry_after == 0)
        e->retry_after = LEAST_THROTTLE_MS;
    pace_block(t->account->pace, now + e->retry_after, now);
    a->tries--; /* the request did not happen: it costs no try, but it has a bound of its own */
    if (++a->throttled > MOST_THROTTLED)
        leave_attempt(a, e);
    else
        try_again(a, e);
}

static void refused(struct attempt *a, const struct http_reply *reply)
{
    struct task *t = a->task;
    struct deployment *d = &t->item->deployment;
    int step = d->step;
    struct rate_facts facts;
    struct err e = ERR_INIT;

    (void)err_set(&e, ERR_REMOTE, "answered %d", reply->status);
    e.retry = reply->status == 408 || reply->status == 425 || reply->status == 429 ||
              reply->status >= 500;
    t->item->ops->refused(d, &a->call, reply, &e);
    e.code = reply->status;
    provider_rate_facts(reply, clock_wall_ms(loop_clock(t->run->o.loop)), &facts);
    if (e.retry_after == 0 && facts.retry_after_ms > 0)
        e.retry_after = facts.retry_after_ms > PACE_LONGEST_MS ? PACE_LONGEST_MS
                                                               : (unsigned)facts.retry_after_ms;
    if (d->step != step)
        go_back(a, &e);
    else if (d->step != a->step)
        left_behind(a);
    else if (!e.retry)
        fail_attempt(a, &e);
    else if (reply->status == 429)
        throttled(a, &e);
    else
        unanswered(a, &e, true);
}

static bool handed_to_take(const struct call *c, int status)
{
    if (status / 100 == 2)
        return true;
    for (size_t i = 0; i < sizeof(c->also) / sizeof(c->also[0]); i++)
        if (c->also[i] == status)
            return true;
    return false;
}

static void taken(struct attempt *a)
{
    struct task *t = a->task;
    bool parallel = a->call.parallel;

    t->setbacks = 0;
    attempt_free(a);
    if (parallel)
        run_tell(t, RUN_UPLOAD, "%zu of %zu files", t->item->deployment.uploads_done,
                 t->item->deployment.uploads_total);
    else
        journal_mark(t, NULL);
    task_go(t);
}

void attempt_answered(struct attempt *a, const struct http_reply *reply)
{
    struct task *t = a->task;
    struct err e = ERR_INIT;

    if (reply->status == 0) {
        e = reply->err;
        if (e.retry || e.kind == ERR_REMOTE)
            unanswered(a, &e, reply->sent);
        else
            fail_attempt(a, &e);
    } else if (!handed_to_take(&a->call, reply->status)) {
        refused(a, reply);
    } else if (t->item->ops->take(&t->item->deployment, t->item->want, &a->call, reply, &e) < 0) {
        (void)err_wrap(&e, "%s", a->call.http.method ? a->call.http.method : "command");
        unanswered(a, &e, true);
    } else {
        taken(a);
    }
}
