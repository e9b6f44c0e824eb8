#include "app/serve_drill.h"

#include "app/api.h"
#include "app/drill_run.h"
#include "app/drill_sweep.h"
#include "app/drill_timetable.h"
#include "app/drill_view.h"
#include "app/event_hub.h"
#include "app/json_out.h"
#include "app/serve_query.h"
#include "app/store_worker.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/zone.h"
#include "net/loop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)FAULT_STOP == (int)DRILL_STOP && (int)FAULT_HANG == (int)DRILL_HANG &&
                  (int)FAULT_ERRORS == (int)DRILL_ERRORS && (int)FAULT_SLOW == (int)DRILL_SLOW &&
                  (int)FAULT_GREY == (int)DRILL_GREY && (int)FAULT_DRAIN == (int)DRILL_DRAIN,
              "the manifest's faults are the drill's");

enum { LOOK_MS = 1000, LOOK_BACK_MS = 86400000, SWEEP_AGAIN_MS = 60000 };

struct wanted { /* by the timetable, waiting for its turn */
    struct wanted *next;
    char *route, *environment;
    enum drill_fault fault;
    int64_t for_ms;
};

struct drill_desk {
    struct drill_desk_options o;
    struct serve *serve;
    struct store_worker *worker;
    struct timer *look, *tidy;
    struct drill_run *run;
    bool run_over, sweep_over, stopping, looking;
    struct drill_sweep *sweep;
    struct http_exchange *asker; /* of POST, until the drill has begun */
    struct wanted *first;
    char progress[256];

    struct drill_book book, fresh; /* of the last day; fresh: being read */
    bool read_once;
    int64_t timed_ms, sweep_at_ms; /* wall; mono */
};

/* --- What is known of drills ---------------------------------------------------------------------
 */

static const struct drill_record *running(const struct drill_desk *d)
{
    for (size_t i = 0; i < d->book.n; i++)
        if (d->book.rows[i].outcome == DRILL_RUNNING)
            return &d->book.rows[i];
    return NULL;
}

static void put_running(const struct drill_desk *d, struct json_out *o)
{
    const struct drill_record *r = running(d);

    out_key(o, "running");
    if (r)
        drill_json(o, r);
    else
        out_null(o);
    out_text_of(o, "progress", r && !d->run ? "another process runs it" : d->progress);
}

static void send_event(const struct drill_desk *d)
{
    struct buf b = BUF_INIT(65536);
    struct json_out o = {.b = &b};

    if (event_hub_readers(d->serve->hub) == 0)
        return;
    out_open(&o, '{');
    put_running(d, &o);
    out_close(&o, '}');
    serve_redact(d->serve, &b);
    event_hub_send(d->serve->hub, "drills", b.data, b.len);
    buf_release(&b);
}

static int look_work(struct store *s, void *arg, struct err *e)
{
    struct drill_desk *d = arg;
    int64_t now = clock_wall_ms(&d->serve->app->clock);

    return drill_book_read(s, NULL, now - LOOK_BACK_MS, INT64_MAX, &d->fresh, e);
}

static const struct drill_record *find(const struct drill_book *b, int64_t id)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->rows[i].id == id)
            return &b->rows[i];
    return NULL;
}

static void looked(const struct err *e, void *arg)
{
    struct drill_desk *d = arg;
    bool moved = false;

    d->looking = false;
    if (e) {
        drill_book_release(&d->fresh);
        return;
    }
    struct drill_book before = d->book;
    d->book = d->fresh;
    d->fresh = (struct drill_book){0};
    for (size_t i = d->book.n; d->read_once && i-- > 0;) {
        const struct drill_record *now = &d->book.rows[i], *then = find(&before, now->id);
        bool ended = now->outcome != DRILL_RUNNING && (!then || then->outcome == DRILL_RUNNING);
        moved |= !then || then->outcome != now->outcome;
        if (ended && d->o.ended)
            d->o.ended(now, d->o.arg);
    }
    d->read_once = true;
    drill_book_release(&before);
    if (moved || running(d))
        send_event(d);
}

static void read_book(struct drill_desk *d)
{
    if (d->looking)
        return;
    d->looking = true;
    store_worker_do(d->worker, "drills", look_work, looked, d);
}

/* --- One drill -----------------------------------------------------------------------------------
 */

static void say(const char *text, void *arg)
{
    const struct drill_desk *d = arg;
    app_say(d->serve->app, "%s", text);
}

static void progress(const char *text, void *arg)
{
    struct drill_desk *d = arg;

    (void)text_copy(d->progress, sizeof(d->progress), text);
    send_event(d);
}

static void asker_left(void *arg)
{
    struct drill_desk *d = arg;
    d->asker = NULL;
}

/* Who asked hears what became of it. */
static struct http_exchange *take_asker(struct drill_desk *d)
{
    struct http_exchange *x = d->asker;

    if (x)
        http_exchange_on_gone(x, NULL, NULL);
    d->asker = NULL;
    return x;
}

static void began(const struct drill_record *r, void *arg)
{
    struct drill_desk *d = arg;
    struct http_exchange *x = take_asker(d);
    struct buf b = BUF_INIT(65536);
    struct json_out o = {.b = &b};

    app_say(d->serve->app, "drill %lld begins: route %s, %s, fault %s", (long long)r->id, r->route,
            r->environment, r->fault);
    drill_json(&o, r);
    serve_redact(d->serve, &b);
    if (x)
        api_answer_json(x, 202, &b);
    buf_release(&b);
    read_book(d);
}

static void ended(const struct err *e, const struct drill_record *r, const struct sketch *times,
                  void *arg)
{
    struct drill_desk *d = arg;
    struct http_exchange *x = take_asker(d);

    (void)times;
    if (e && !r)
        app_say(d->serve->app, "no drill: %s", e->text);
    else if (r)
        app_say(d->serve->app, "drill %lld %s%s%s%s", (long long)r->id,
                r->outcome == DRILL_RUNNING ? "left its fault in force"
                                            : drill_outcome_name(r->outcome),
                *r->text ? ": " : "", r->text, e ? "; its record could not be written" : "");
    if (x && e)
        api_refuse(x, e->kind == ERR_USAGE ? 400 : 503, e->kind == ERR_USAGE ? "usage" : "no", "%s",
                   e->text);
    d->run_over = true;
    d->progress[0] = '\0';
    read_book(d);
    timer_start(d->tidy, 0);
}

static int begin_drill(struct drill_desk *d, const struct wanted *w, double rate, struct err *e)
{
    const struct drill_run_options o = {.app = d->serve->app,
                                        .route = w->route,
                                        .environment = w->environment,
                                        .fault = w->fault,
                                        .for_ms = w->for_ms,
                                        .rate = rate,
                                        .say = say,
                                        .progress = progress,
                                        .began = began,
                                        .ended = ended,
                                        .arg = d};

    d->run = drill_run_new(&o, e);
    if (!d->run)
        return -1;
    d->run_over = false;
    drill_run_start(d->run);
    return 0;
}

/* --- The timetable -------------------------------------------------------------------------------
 */

static bool listed(const struct manifest_schedule *s, const char *environment)
{
    for (size_t i = 0; i < s->n_environments; i++)
        if (strcmp(s->environments[i], environment) == 0)
            return true;
    return s->n_environments == 0;
}

static void want(struct drill_desk *d, const struct manifest_schedule *s, const char *route,
                 const char *environment)
{
    struct wanted *w = mem_alloc(sizeof(*w)), **last = &d->first;

    *w = (struct wanted){.route = mem_strdup(route),
                         .environment = mem_strdup(environment),
                         .fault = (enum drill_fault)s->fault,
                         .for_ms = s->for_ms};
    while (*last)
        last = &(*last)->next;
    *last = w;
}

static void want_all(struct drill_desk *d, const struct manifest_schedule *s)
{
    const struct manifest *m = d->serve->setup->manifest;

    for (size_t i = 0; i < m->n_routes; i++) {
        const struct manifest_route *route = &m->routes[i];
        for (size_t k = 0; *route->listen && k < route->n_failover; k++)
            if (listed(s, route->failover[k]))
                want(d, s, route->name, route->failover[k]);
    }
}

static void look_at_timetable(struct drill_desk *d)
{
    const struct manifest *m = d->serve->setup->manifest;
    int64_t now = clock_wall_ms(&d->serve->app->clock), from = d->timed_ms;

    d->timed_ms = now;
    if (d->first || from == 0) /* the last time's are still waiting */
        return;
    for (size_t i = 0; i < m->n_schedules; i++) {
        const struct manifest_schedule *s = &m->schedules[i];
        struct zone *zone = NULL;
        struct err e = ERR_INIT;
        if (s->job != JOB_DRILL)
            continue;
        if (zone_open(s->time_zone, &zone, &e) < 0)
            app_say(d->serve->app, "schedules.%s: %s", s->name, e.text);
        else if (timetable_due(s, zone, from, now))
            want_all(d, s);
        zone_free(zone);
    }
}

static void wanted_free(struct wanted *w)
{
    free(w->route);
    free(w->environment);
    free(w);
}

static void next_of_timetable(struct drill_desk *d)
{
    struct wanted *w = d->first;
    struct err e = ERR_INIT;

    if (!w || d->run || d->sweep || d->stopping)
        return;
    d->first = w->next;
    if (begin_drill(d, w, 0, &e) < 0)
        app_say(d->serve->app, "no drill of %s: %s", w->environment, e.text);
    wanted_free(w);
}

/* --- Life ----------------------------------------------------------------------------------------
 */

static void swept(const struct err *e, const struct lease *l, void *arg)
{
    struct drill_desk *d = arg;

    (void)l;
    if (e)
        app_say(d->serve->app, "%s", e->text);
    d->sweep_over = true;
    timer_start(d->tidy, 0);
}

static void sweep(struct drill_desk *d)
{
    const struct drill_sweep_options o = {
        .app = d->serve->app, .worker = d->worker, .say = say, .done = swept, .arg = d};

    d->sweep_over = false;
    d->sweep_at_ms = clock_mono_ms(&d->serve->app->clock);
    d->sweep = drill_sweep_new(&o);
}

static void tidy(void *arg)
{
    struct drill_desk *d = arg;

    if (d->run_over) {
        drill_run_free(d->run);
        d->run = NULL;
        d->run_over = false;
    }
    if (d->sweep_over) {
        drill_sweep_free(d->sweep);
        d->sweep = NULL;
        d->sweep_over = false;
        read_book(d);
    }
}

/* A drill of another process that dies while we are here is found by its record that goes on. */
static void look(void *arg)
{
    struct drill_desk *d = arg;

    read_book(d);
    look_at_timetable(d);
    next_of_timetable(d);
    if (running(d) && !d->run && !d->sweep &&
        clock_mono_ms(&d->serve->app->clock) - d->sweep_at_ms >= SWEEP_AGAIN_MS)
        sweep(d);
    timer_start(d->look, LOOK_MS);
}

struct drill_desk *drill_desk_new(const struct drill_desk_options *o)
{
    struct drill_desk *d = mem_alloc(sizeof(*d));
    struct app *a = o->serve->app;

    *d = (struct drill_desk){.o = *o, .serve = o->serve};
    d->worker = store_worker_new(a->loop, a->state, &a->clock);
    d->look = timer_new(a->loop, look, d);
    d->tidy = timer_new(a->loop, tidy, d);
    return d;
}

void drill_desk_start(struct drill_desk *d)
{
    d->timed_ms = clock_wall_ms(&d->serve->app->clock);
    sweep(d);
    timer_start(d->look, LOOK_MS);
}

void drill_desk_stop(struct drill_desk *d)
{
    d->stopping = true;
    timer_stop(d->look);
    if (d->run && !d->run_over)
        drill_run_stop(d->run);
}

size_t drill_desk_pending(const struct drill_desk *d)
{
    return d ? (d->run != NULL) + (d->sweep != NULL) + store_worker_pending(d->worker) : 0;
}

void drill_desk_free(struct drill_desk *d)
{
    if (!d)
        return;
    (void)take_asker(d);
    drill_run_free(d->run);
    drill_sweep_free(d->sweep);
    timer_free(d->look);
    timer_free(d->tidy);
    store_worker_free(d->worker);
    while (d->first) {
        struct wanted *w = d->first;
        d->first = w->next;
        wanted_free(w);
    }
    drill_book_release(&d->book);
    drill_book_release(&d->fresh);
    free(d);
}

/* --- The API -------------------------------------------------------------------------------------
 */

static int make_drills(const struct query_ask *ask, struct app *a, struct buf *out, struct err *e)
{
    struct drill_book book = {0};
    struct json_out o = {.b = out, .comma = true};
    int rc = drill_book_read(a->store, NULL, ask->from_ms, ask->until_ms, &book, e);

    out_key(&o, "drills"), out_open(&o, '[');
    for (size_t i = 0; i < book.n; i++)
        drill_json(&o, &book.rows[i]);
    out_close(&o, ']');
    out_key(&o, "recovery"), drill_recovery_json(&o, &book);
    out_close(&o, '}');
    drill_book_release(&book);
    return rc;
}

static void head_drills(struct serve *s, const struct query_ask *ask, struct json_out *o)
{
    (void)ask;
    out_open(o, '{');
    put_running(s->drills, o);
}

void drills_get(struct api_call *c)
{
    struct query_ask ask = {
        .name = "drills", .ttl_ms = 500, .stale_ms = 0, .make = make_drills, .head = head_drills};

    if (query_window(c->x, "90d", &ask))
        query_answer(c->arg, c->x, &ask);
}

static int read_wanted(const json_t *j, struct wanted *ret, double *ret_rate, struct err *e)
{
    const char *route = json_str(j, "route", ""), *environment = json_str(j, "environment", "");

    *ret_rate = json_num(j, "rate", 0);
    ret->for_ms = json_int(j, "for_ms", DRILL_RUN_FOR_MS);
    if (drill_fault_read(json_str(j, "fault", ""), &ret->fault, e) < 0)
        return -1;
    if (*ret_rate < 0)
        return err_set(e, ERR_USAGE, "rate: %g is below 0", *ret_rate);
    if (ret->for_ms < 1)
        return err_set(e, ERR_USAGE, "for_ms: give how long the fault lasts, in milliseconds");
    ret->route = *route ? mem_strdup(route) : NULL;
    ret->environment = mem_strdup(environment);
    return 0;
}

/* One of another process is found by its lease. */
static bool refuse_second(const struct drill_desk *d, struct http_exchange *x)
{
    if (!d->run && !d->sweep)
        return false;
    http_exchange_set(x, "Retry-After", d->run ? "10" : "1");
    api_refuse(x, 503, "no", "%s",
               d->run ? "another drill is running; wait for its end, or stop it"
                      : "what an earlier drill has left is being looked for; ask again");
    return true;
}

void drills_post(struct api_call *c)
{
    const struct serve *s = c->arg;
    struct drill_desk *d = s->drills;
    struct err e = ERR_INIT;
    struct wanted *w = mem_alloc(sizeof(*w));
    double rate = 0;
    size_t len = 0;
    const char *body = http_exchange_body(c->x, &len);

    *w = (struct wanted){0};
    if (s->stopping || !refuse_second(d, c->x)) {
        json_t *j = json_read(body, len, "the drill", &e);
        if (!j || s->stopping)
            (void)err_set(&e, ERR_USAGE, "%s", s->stopping ? "trine serve is ending" : e.text);
        else if (read_wanted(j, w, &rate, &e) == 0 && begin_drill(d, w, rate, &e) == 0) {
            d->asker = c->x;
            http_exchange_on_gone(c->x, asker_left, d);
        }
        json_decref(j);
        if (e.kind == ERR_NO) /* as things stand; not that there is none */
            api_refuse(c->x, 503, "no", "%s", e.text);
        else if (e.kind != ERR_NONE)
            api_refuse_err(c->x, &e);
    }
    wanted_free(w);
}

void drills_stop_post(struct api_call *c)
{
    const struct serve *s = c->arg;

    if (!s->drills->run) {
        api_refuse(c->x, 404, "no", "%s",
                   running(s->drills) ? "the drill that runs is another process's; end it there"
                                      : "no drill is running");
        return;
    }
    drill_run_stop(s->drills->run);
    api_answer(c->x, 202, "application/json", "{}", 2);
}
