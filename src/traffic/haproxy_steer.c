#include "traffic/haproxy_inner.h"

#include "base/mem.h"
#include "net/local.h"

#include <string.h>

/*
 * Orders over the runtime socket. A decision is one line of commands, which HAProxy works off in
 * one go, with the statistics behind it: what they say confirms it. What comes back into traffic
 * goes before what goes out, so that there is no moment with nobody.
 */
struct steer_job {
    struct arena memory;
    struct haproxy_order *orders;
    size_t n, at; /* orders before `at` are confirmed; `end`: those in this line */
    size_t end;
    bool again; /* kept orders given anew: nobody waits */
    haproxy_done_fn *done;
    void *arg;
    struct steer_job *next;
};

/* --- What is kept -----------------------------------------------------------------------------*/

struct kept_order *haproxy_kept(struct haproxy *h, const char *route, const char *environment)
{
    for (size_t i = 0; i < h->n_orders; i++)
        if (!strcmp(h->orders[i].route, route) && !strcmp(h->orders[i].environment, environment))
            return &h->orders[i];
    return NULL;
}

void haproxy_keep(struct haproxy *h, const struct haproxy_order *o)
{
    struct kept_order *k = haproxy_kept(h, o->route, o->environment);

    if (!k) {
        h->orders = mem_grow(h->orders, h->n_orders + 1, sizeof *h->orders);
        k = &h->orders[h->n_orders++];
        *k = (struct kept_order){.route = mem_strdup(o->route),
                                 .environment = mem_strdup(o->environment)};
    }
    k->weight = o->weight;
    k->mode = o->mode;
    k->trusted = o->trusted;
}

struct haproxy_order *haproxy_kept_orders(const struct haproxy *h, size_t *ret_n)
{
    struct haproxy_order *orders = mem_array(h->n_orders + 1, sizeof *orders);

    for (size_t i = 0; i < h->n_orders; i++) {
        const struct kept_order *k = &h->orders[i];

        orders[i] = (struct haproxy_order){.route = k->route,
                                           .environment = k->environment,
                                           .weight = k->weight,
                                           .mode = k->mode,
                                           .trusted = k->trusted};
    }
    *ret_n = h->n_orders;
    return orders;
}

void haproxy_orders_free(struct haproxy *h)
{
    for (size_t i = 0; i < h->n_orders; i++) {
        free(h->orders[i].route);
        free(h->orders[i].environment);
    }
    free(h->orders);
    h->orders = NULL;
    h->n_orders = 0;
}

/* --- Jobs -------------------------------------------------------------------------------------*/

static void job_end(struct haproxy *h, const struct err *e)
{
    struct steer_job *j = h->steers;

    h->steers = j->next;
    if (e && j->again)
        haproxy_say(h, "the orders that were in force could not be given again: %s", e->text);
    if (j->done)
        j->done(e, j->arg);
    arena_release(&j->memory);
    free(j);
    haproxy_steer_next(h);
}

void haproxy_steer_fail(struct haproxy *h, const struct err *e)
{
    struct steer_job *jobs = h->steers;
    struct err bad = *e;

    bad.retry = true;
    local_cancel(h->steer_ask);
    h->steer_ask = NULL;
    h->steers = NULL;
    while (jobs) {
        struct steer_job *j = jobs;

        jobs = j->next;
        if (j->done)
            j->done(&bad, j->arg);
        arena_release(&j->memory);
        free(j);
    }
}

/* --- Commands ---------------------------------------------------------------------------------*/

static const char *mode_word(enum haproxy_mode m)
{
    static const char *const words[] = {
        [MODE_READY] = "ready", [MODE_DRAIN] = "drain", [MODE_MAINTENANCE] = "maint"};

    return words[m];
}

static void add_order(const struct haproxy_plan *p, const struct haproxy_order *o, struct buf *out)
{
    const struct haproxy_server *s = haproxy_plan_find(p, o->route, o->environment);
    const struct haproxy_route *r = haproxy_plan_route(p, o->route);
    bool choice = haproxy_route_has_choice(r);
    char name[SERVER_NAME_MAX];

    haproxy_server_name(s, name);
    for (int i = 0; i < (choice ? 2 : 1); i++)
        buf_addf(out, "set server %s%s/%s weight %d;set server %s%s/%s state %s;", r->name,
                 i ? "_open" : "", name, haproxy_weight(s, o->weight), r->name, i ? "_open" : "",
                 name, mode_word(o->mode));
    if (choice && o->trusted)
        buf_addf(out, "disable health %s/%s;set server %s/%s health up;", r->name, name, r->name,
                 name);
    else if (choice)
        buf_addf(out, "enable health %s/%s;", r->name, name);
}

static const struct haproxy_reading *reading_of(const struct haproxy *h,
                                                const struct haproxy_order *o)
{
    for (size_t i = 0; i < h->n_readings; i++)
        if (!strcmp(h->readings[i].route, o->route) &&
            !strcmp(h->readings[i].environment, o->environment))
            return &h->readings[i];
    return NULL;
}

static int confirm(const struct haproxy *h, const struct haproxy_order *o, struct err *e)
{
    const struct haproxy_reading *r = reading_of(h, o);
    const struct haproxy_server *s = haproxy_plan_find(h->force->plan, o->route, o->environment);
    bool as_ordered = r && s && r->weight == haproxy_weight(s, o->weight) &&
                      r->in_maintenance == (o->mode == MODE_MAINTENANCE);

    /* One that is down by its own checks says so instead of draining. */
    if (as_ordered && o->mode != MODE_MAINTENANCE && !r->down_by_itself)
        as_ordered = r->draining == (o->mode == MODE_DRAIN);
    if (as_ordered)
        return 0;
    return err_set(e, ERR_REMOTE,
                   "HAProxy did not take the order for %s/%s: weight %d, %s; it has weight %d%s%s",
                   o->route, o->environment, o->weight, mode_word(o->mode), r ? r->weight : -1,
                   r && r->in_maintenance ? ", maint" : "", r && r->draining ? ", drain" : "");
}

/* --- Setting requests free --------------------------------------------------------------------*/

static void line_of_orders(struct haproxy *h);

static void ask(struct haproxy *h, const char *text, size_t max_reply, local_done_fn *fn)
{
    struct local_question q = {
        .path = h->admin, .text = text, .max_reply = max_reply, .timeout_ms = ASK_MS};

    h->steer_ask = local_ask(h->loop, &q, fn, h);
}

static void freed(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;

    (void)e, (void)reply, (void)len; /* what was not freed waits for its time */
    h->steer_ask = NULL;
    job_end(h, NULL);
}

static void saw_sessions(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;
    struct steer_job *j = h->steers;
    struct buf text = BUF_INIT(COMMANDS_MAX);
    size_t n = 0;

    (void)len;
    h->steer_ask = NULL;
    for (size_t i = 0; e->kind == ERR_NONE && i < j->n; i++) {
        const struct haproxy_order *o = &j->orders[i];
        char name[SERVER_NAME_MAX];

        if (!o->release || o->mode != MODE_MAINTENANCE)
            continue;
        haproxy_server_name(haproxy_plan_find(h->force->plan, o->route, o->environment), name);
        n += haproxy_sessions_free(reply, o->route, name, &text);
    }
    if (n == 0) {
        job_end(h, NULL);
    } else {
        haproxy_say(h, "%zu requests that waited are sent to another environment", n);
        buf_addc(&text, '\n');
        ask(h, buf_str(&text), REPLY_MAX, freed);
    }
    buf_release(&text);
}

static bool has_release(const struct steer_job *j)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->orders[i].release && j->orders[i].mode == MODE_MAINTENANCE)
            return true;
    return false;
}

/* --- Going through a job ----------------------------------------------------------------------*/

static void confirmed(const struct err *e, const char *reply, size_t len, void *arg)
{
    struct haproxy *h = arg;
    struct steer_job *j = h->steers;
    struct err bad = *e;
    char words[200];

    (void)len;
    h->steer_ask = NULL;
    if (bad.kind == ERR_NONE && haproxy_complaint(reply, words, sizeof words))
        err_set(&bad, ERR_REMOTE, "HAProxy refuses an order: %s", words);
    if (bad.kind == ERR_NONE)
        haproxy_read_stats(h, reply, &bad);
    h->poll_stale = true;
    for (; bad.kind == ERR_NONE && j->at < j->end; j->at++)
        confirm(h, &j->orders[j->at], &bad);
    if (bad.kind != ERR_NONE)
        job_end(h, &bad);
    else if (j->at < j->n)
        line_of_orders(h);
    else if (has_release(j))
        ask(h, "show sess all\n", SESSIONS_MAX, saw_sessions);
    else
        job_end(h, NULL);
}

static void line_of_orders(struct haproxy *h)
{
    struct steer_job *j = h->steers;
    struct buf text = BUF_INIT((size_t)2 * COMMANDS_MAX);

    for (j->end = j->at; j->end < j->n && text.len < COMMANDS_MAX - 2000; j->end++)
        add_order(h->force->plan, &j->orders[j->end], &text);
    buf_adds(&text, "show stat -1 4 -1\n");
    ask(h, buf_str(&text), REPLY_MAX, confirmed);
    buf_release(&text);
}

/* Orders for what the plan no longer has are dropped. */
static void drop_strangers(struct haproxy *h, struct steer_job *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->n; i++)
        if (haproxy_plan_find(h->force->plan, j->orders[i].route, j->orders[i].environment))
            j->orders[n++] = j->orders[i];
    j->n = n;
}

/* A new plan is on its way. What runs takes orders until the moment in which it is relieved: its
 * successor's check alone may take long, while it looks names up. All are given again to that one.
 */
static bool must_wait(const struct haproxy *h, const struct steer_job *j)
{
    if (h->switching || strcmp(h->force->plan->dir, h->queue->plan->dir) != 0)
        return true;
    for (size_t i = j->at; i < j->n; i++)
        if (!haproxy_plan_find(h->force->plan, j->orders[i].route, j->orders[i].environment))
            return true; /* it may be the new one's */
    return false;
}

void haproxy_steer_next(struct haproxy *h)
{
    if (!h->steers || h->steer_ask || !h->up || (h->busy && must_wait(h, h->steers)))
        return;
    drop_strangers(h, h->steers);
    if (h->steers->n == 0)
        job_end(h, NULL);
    else
        line_of_orders(h);
}

static struct steer_job *add_job(struct haproxy *h, const struct haproxy_order *orders, size_t n)
{
    struct steer_job *j = mem_alloc(sizeof *j), **at = &h->steers;
    size_t done = 0;

    j->orders = arena_array(&j->memory, n + 1, sizeof *j->orders);
    for (int round = 0; round < 2; round++) /* what comes in goes first */
        for (size_t i = 0; i < n; i++) {
            if ((orders[i].mode != MODE_READY) != round)
                continue;
            j->orders[done] = orders[i];
            j->orders[done].route = arena_strdup(&j->memory, orders[i].route);
            j->orders[done++].environment = arena_strdup(&j->memory, orders[i].environment);
        }
    j->n = n;
    while (*at)
        at = &(*at)->next;
    *at = j;
    return j;
}

void haproxy_steer_again(struct haproxy *h)
{
    size_t n;
    struct haproxy_order *orders = haproxy_kept_orders(h, &n);

    if (n > 0)
        add_job(h, orders, n)->again = true;
    free(orders);
}

static int check_order(const struct haproxy *h, const struct haproxy_order *o, struct err *e)
{
    const struct wanted *w = h->force ? h->force : h->queue;

    if (o->weight < 0 || o->weight > 256)
        return err_set(e, ERR_USAGE, "%s/%s: weight %d is not within 0 and 256", o->route,
                       o->environment, o->weight);
    if (w && !haproxy_plan_find(w->plan, o->route, o->environment) &&
        !(h->queue && haproxy_plan_find(h->queue->plan, o->route, o->environment)))
        return err_set(e, ERR_USAGE, "route %s has no environment %s", o->route, o->environment);
    return 0;
}

void haproxy_steer(struct haproxy *h, const struct haproxy_order *orders, size_t n,
                   haproxy_done_fn *done, void *arg)
{
    struct steer_job *j;
    struct err e = ERR_INIT;

    for (size_t i = 0; i < n && e.kind == ERR_NONE; i++)
        check_order(h, &orders[i], &e);
    for (size_t i = 0; i < n && e.kind == ERR_NONE; i++)
        haproxy_keep(h, &orders[i]);
    if (e.kind == ERR_NONE && !h->up && !h->busy) {
        err_set(&e, ERR_NET, "HAProxy does not run; the order is kept until it does");
        e.retry = true;
    }
    if (e.kind != ERR_NONE) {
        if (done)
            done(&e, arg);
        return;
    }
    j = add_job(h, orders, n);
    j->done = done;
    j->arg = arg;
    haproxy_steer_next(h);
}
