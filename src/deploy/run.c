#include "deploy/run.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "deploy/pace.h"
#include "deploy/run_internal.h"
#include "net/bases.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PER_ACCOUNT = 6, TRIES = 8, SHORTEST_WAIT_MS = 2, LEAST_VERIFY_MS = 20000 };
static const int64_t deadline_ms = 30LL * 60 * 1000;
static const int64_t verify_ms = 3LL * 60 * 1000;

int64_t run_platform_ms(const struct run *r)
{
    return (int64_t)((double)clock_mono_us(loop_clock(r->o.loop)) / 1000.0 * r->rate);
}

int64_t run_our_ms(const struct run *r, int64_t platform_ms)
{
    int64_t ms = (int64_t)((double)platform_ms / r->rate);
    return ms < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS : ms;
}

void run_tell(const struct task *t, enum run_event event, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    if (!t->run->o.event)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    redact_text(t->run->o.redactor, text, sizeof(text));
    t->run->o.event(t->item, event, text, t->run->o.arg);
}

struct run *run_new(const struct run_options *o)
{
    struct run *r = mem_alloc(sizeof(*r));

    r->o = *o;
    if (r->o.per_account == 0)
        r->o.per_account = PER_ACCOUNT;
    if (r->o.tries == 0)
        r->o.tries = TRIES;
    if (r->o.deadline_ms == 0)
        r->o.deadline_ms = deadline_ms;
    if (r->o.verify_ms == 0)
        r->o.verify_ms = verify_ms;
    r->tasks_end = &r->tasks;
    r->rate = bases_clock_rate(o->bases);
    r->random = o->seed ? o->seed : (uint64_t)clock_mono_us(loop_clock(o->loop));
    r->flush = timer_new(o->loop, journal_flush, r);
    return r;
}

static void account_timer(void *arg)
{
    account_pump(arg);
}

static struct account *account_of(struct run *r, const struct run_item *item)
{
    const struct want *w = item->want;
    char *key = mem_printf("%s\n%s\n%s\n%s", item->ops->name, w->account, w->team, w->token);
    struct account *a = r->accounts;

    while (a && strcmp(a->key, key) != 0)
        a = a->next;
    if (a) {
        free(key);
        return a;
    }
    a = mem_alloc(sizeof(*a));
    a->run = r;
    a->key = key;
    a->ops = item->ops;
    a->base = bases_get(r->o.bases, item->ops->name, item->ops->base);
    a->pace = pace_new(item->ops->limits);
    a->timer = timer_new(r->o.loop, account_timer, a);
    account_recall(a);
    a->next = r->accounts;
    r->accounts = a;
    return a;
}

static void task_timer(void *arg)
{
    task_go(arg);
}

void run_add(struct run *r, struct run_item *item)
{
    struct task *t = mem_alloc(sizeof(*t));

    t->run = r;
    t->item = item;
    t->account = account_of(r, item);
    t->timer = timer_new(r->o.loop, task_timer, t);
    item->state = DEPLOYMENT_PENDING;
    *r->tasks_end = t;
    r->tasks_end = &t->next;
    r->unfinished++;
}

/* Takes up what an interrupted run left. A record that cannot be read starts from the look-up,
 * which is always safe. */
static void task_start(struct task *t)
{
    struct run_item *item = t->item;
    struct err e = ERR_INIT;

    t->phase = TASK_RUNNING;
    t->account->running++;
    t->deadline =
        clock_mono_ms(loop_clock(t->run->o.loop)) + run_our_ms(t->run, t->run->o.deadline_ms);
    if (item->started_at == 0)
        item->started_at = clock_wall_ms(loop_clock(t->run->o.loop));
    item->state = DEPLOYMENT_RUNNING;
    if (item->saved && item->saved[0]) {
        json_t *saved = json_loads(item->saved, 0, NULL);
        if (!saved || provider_load(&item->deployment, saved, &e) < 0)
            item->deployment = (struct deployment){0};
        json_decref(saved);
    }
    journal_mark(t, NULL);
    task_go(t);
}

/* Starting one may end it at once, which makes room for the next: that is seen by the loop here,
 * not by calling this again from inside, or thousands of failures would need as many frames. */
static void start_some(struct run *r)
{
    r->start_again = true;
    if (r->starting)
        return;
    r->starting = true;
    while (r->start_again && !r->stopping) {
        r->start_again = false;
        for (struct task *t = r->tasks; t && !r->stopping; t = t->next)
            if (t->phase == TASK_WAITING && t->account->running < r->o.per_account)
                task_start(t);
    }
    r->starting = false;
}

void run_start(struct run *r)
{
    r->started = true;
    start_some(r);
    if (r->unfinished == 0)
        timer_start(r->flush, 0);
}

/* The account's uploader changes: the next that waits for it gets its held call sent. */
static void account_leave(struct task *t)
{
    struct account *a = t->account;

    if (a->exclusive != t)
        return;
    a->exclusive = NULL;
    for (struct task *w = t->run->tasks; w; w = w->next)
        if (w->account == a && w->has_held && w->phase == TASK_RUNNING) {
            a->exclusive = w;
            w->has_held = false;
            w->parallel = w->held.parallel;
            call_begin(w, &w->held);
            return;
        }
}

/* True when the call may be sent now; otherwise it is held until it is this task's turn. */
static bool account_enter(struct task *t, struct call *c)
{
    struct account *a = t->account;

    if (!c->exclusive) {
        account_leave(t);
        return true;
    }
    if (!a->exclusive)
        a->exclusive = t;
    if (a->exclusive == t)
        return true;
    t->held = *c;
    t->has_held = true;
    return false;
}

/* A request that must not happen twice and is on its way has perhaps happened: who goes on has to
 * look first. */
static void note_unclear(struct task *t)
{
    for (const struct attempt *a = t->attempts; a; a = a->sibling)
        if (a->call.once && a->journalled)
            t->item->deployment.step = a->call.unclear;
}

static void task_end(struct task *t, enum deployment_state state)
{
    struct run *r = t->run;

    if (t->phase == TASK_FINISHED)
        return;
    note_unclear(t);
    while (t->attempts)
        attempt_free(t->attempts);
    if (t->has_held)
        call_release(&t->held);
    t->has_held = false;
    if (t->verify_id)
        http_cancel(r->o.http, t->verify_id);
    t->verify_id = 0;
    timer_stop(t->timer);
    bool begun = t->phase != TASK_WAITING;
    t->phase = TASK_FINISHED;
    t->item->state = state;
    r->unfinished--;
    if (begun) {
        t->account->running--;
        account_leave(t);
        journal_mark(t, NULL);
        start_some(r);
    } else {
        timer_start(r->flush, 0); /* nothing to write; the end is still told from the loop */
    }
}

void task_fail(struct task *t, const struct err *e)
{
    t->item->err = *e;
    redact_text(t->run->o.redactor, t->item->err.text, sizeof(t->item->err.text));
    run_tell(t, RUN_FAILED, "%s", t->item->err.text);
    task_end(t, DEPLOYMENT_FAILED);
}

void task_pause(struct task *t, const struct err *e)
{
    t->item->err = *e;
    redact_text(t->run->o.redactor, t->item->err.text, sizeof(t->item->err.text));
    run_tell(t, RUN_PAUSED, "%s", t->item->err.text);
    task_end(t, t->phase == TASK_VERIFYING ? DEPLOYMENT_VERIFYING : DEPLOYMENT_RUNNING);
}

void task_live(struct task *t)
{
    t->item->live_at = clock_wall_ms(loop_clock(t->run->o.loop));
    run_tell(t, RUN_LIVE, "%s", t->item->deployment.url);
    task_end(t, DEPLOYMENT_LIVE);
}

void task_later(struct task *t, int64_t our_ms)
{
    timer_start(t->timer, our_ms);
}

/* The platform needs time. It does not get it for ever: past the deadline the deployment stays as
 * it is, and the next run goes on watching it. */
static void task_wait(struct task *t, int64_t wait_ms)
{
    const struct deployment *d = &t->item->deployment;
    struct err e = ERR_INIT;

    if (clock_mono_ms(loop_clock(t->run->o.loop)) > t->deadline) {
        (void)err_set(&e, ERR_REMOTE,
                      "%s: still in progress, says \"%s\"; run the same command again to go on "
                      "watching it",
                      t->item->ops->title, d->word[0] ? d->word : "nothing");
        task_pause(t, &e);
        return;
    }
    if (d->word[0])
        run_tell(t, RUN_STEP, "%s", d->word);
    task_later(t, run_our_ms(t->run, wait_ms));
}

static void task_done(struct task *t)
{
    struct run *r = t->run;
    int64_t patience = run_our_ms(r, r->o.verify_ms);

    account_leave(t);
    timer_stop(t->timer); /* of a call that was given up while others went well */
    if (patience < LEAST_VERIFY_MS)
        patience = LEAST_VERIFY_MS;
    t->deadline = clock_mono_ms(loop_clock(r->o.loop)) + patience;
    t->phase = TASK_VERIFYING;
    t->item->state = DEPLOYMENT_VERIFYING;
    journal_mark(t, NULL);
    verify_begin(t);
}

/* True when another request may be asked for at once. */
static bool task_send(struct task *t, struct call *c)
{
    if (t->in_flight > 0 && !c->parallel) {
        call_release(c); /* its answer may hang on those on their way: asked for again */
        return false;
    }
    if (!account_enter(t, c))
        return false;
    t->parallel = c->parallel;
    call_begin(t, c);
    return t->parallel;
}

/* One question to the provider. True: ask again (another parallel call may follow). */
static bool task_turn(struct task *t)
{
    struct run_item *item = t->item;
    struct call call = {0};
    struct err e = ERR_INIT;
    int64_t wait_ms = 1000;

    enum turn turn = item->ops->next(&item->deployment, item->want, &call, &wait_ms, &e);
    if (turn == TURN_SEND)
        return task_send(t, &call);
    call_release(&call); /* of a request that was begun, and not wanted then */
    switch (turn) {
    case TURN_SEND:
        break;
    case TURN_WAIT:
        if (t->in_flight == 0)
            task_wait(t, wait_ms);
        return false;
    case TURN_DONE:
        if (t->in_flight == 0)
            task_done(t);
        return false;
    case TURN_FAILED:
        (void)err_wrap(&e, "%s", item->ops->title);
        task_fail(t, &e);
        return false;
    }
    return false;
}

void task_go(struct task *t)
{
    unsigned most = t->item->ops->in_flight ? t->item->ops->in_flight : 1;

    if (t->phase == TASK_VERIFYING) {
        verify_begin(t);
        return;
    }
    while (t->phase == TASK_RUNNING && !t->run->stopping && !t->has_held) {
        if (t->in_flight >= most || (t->in_flight > 0 && !t->parallel))
            return;
        if (!task_turn(t))
            return;
    }
}

void run_stop(struct run *r)
{
    struct err e = ERR_INIT;

    r->stopping = true;
    (void)err_set(&e, ERR_NO, "interrupted; run the same command again to go on");
    for (struct task *t = r->tasks; t; t = t->next)
        if (t->phase == TASK_RUNNING || t->phase == TASK_VERIFYING)
            task_pause(t, &e);
        else if (t->phase == TASK_WAITING)
            task_end(t, DEPLOYMENT_PENDING);
}

bool run_lost_lease(const struct run *r, struct err *ret)
{
    if (r->lost.kind == ERR_NONE)
        return false;
    *ret = r->lost;
    return true;
}

void run_free(struct run *r)
{
    if (!r)
        return;
    for (struct task *t = r->tasks, *next; t; t = next) {
        next = t->next;
        while (t->attempts)
            attempt_free(t->attempts);
        if (t->verify_id)
            http_cancel(r->o.http, t->verify_id);
        http_request_release(&t->request);
        provider_release(&t->item->deployment);
        timer_free(t->timer);
        free(t);
    }
    for (struct account *a = r->accounts, *next; a; a = next) {
        next = a->next;
        pace_free(a->pace);
        timer_free(a->timer);
        explicit_bzero(a->key, strlen(a->key));
        free(a->key);
        free(a);
    }
    timer_free(r->flush);
    free(r);
}
