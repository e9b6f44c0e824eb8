#include "probe/schedule.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "probe/check_http.h"
#include "probe/slots.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* libuv's timers are milliseconds and only promise "not before": wake up so much earlier, and
     * let the loop turn for the rest. */
    EARLY_MS = 2,
    CONNECTIONS_A_HOST = 1024, /* a probe must never queue behind another */
    STALL_MS = 3600 * 1000,    /* a cold start is silent for long; each probe's timeout decides */
};

struct probe {
    const struct target *target;
    struct schedule *schedule;
    struct check_http check;
    struct sample sample; /* of the slot being served */

    /* The service's last request, shared by the checks of one service: kept in the first of them.
     */
    struct probe *service;
    struct instant last;
    bool last_known;
};

struct group {
    struct schedule *schedule;
    struct probe *probes; /* a slice of schedule->probes */
    size_t n;
    struct slots slots;
    struct timer *timer;
};

struct schedule {
    struct loop *loop;
    const struct clock *clock;
    struct http_client *client;
    struct schedule_options options;
    struct probe *probes;
    size_t n_probes;
    struct group *groups;
    size_t n_groups;
    struct timer *end;
    size_t running; /* probes under way */
    bool stopped, ended;
};

/* --- Samples ---------------------------------------------------------------------------------- */

static struct instant now_of(const struct schedule *s)
{
    return (struct instant){clock_mono_us(s->clock), clock_wall_ms(s->clock)};
}

static void hand_out(const struct probe *p, const struct sample *sample, const char *reason)
{
    const struct schedule *s = p->schedule;
    struct probe_result r = {.target = p->target, .sample = sample, .reason = reason};
    s->options.result(&r, s->options.arg);
}

static void report_missed(const struct probe *p, int64_t at_ms, const char *reason)
{
    struct sample missed = {
        .series = p->target->series,
        .at_ms = at_ms,
        .late_us = -1,
        .outcome = SAMPLE_MISSED,
        .lookup_us = -1,
        .connect_us = -1,
        .tls_us = -1,
        .first_byte_us = -1,
        .total_us = -1,
    };
    hand_out(p, &missed, reason);
}

static void end_if_over(struct schedule *s)
{
    if (s->ended || s->running > 0)
        return;
    for (size_t i = 0; i < s->n_groups; i++)
        if (!slots_over(&s->groups[i].slots))
            return;
    s->ended = true;
    timer_start(s->end, 0); /* from the loop, so that `done` may free everything */
}

static void note_request(struct probe *p, const struct instant *now)
{
    p->service->last = *now;
    p->service->last_known = true;
}

static void answered(struct check_http *check, const struct http_reply *reply, void *arg)
{
    struct probe *p = arg;
    struct schedule *s = p->schedule;
    struct instant now = now_of(s);
    (void)check;
    s->running--;
    note_request(p, &now); /* a platform counts idle time from the end of a request */
    bool uplink = true;
    struct verdict v = classify_reply(p->target, p->sample.class_, reply, uplink);
    p->sample.outcome = v.outcome;
    classify_timing(reply, &p->sample);
    struct sample sample = p->sample; /* the probe may be used again while this is looked at */
    hand_out(p, &sample, v.reason);
    end_if_over(s);
}

/* --- Ticks ------------------------------------------------------------------------------------ */

/* The wall time of a slot: the same for all of its targets. */
static int64_t wall_of(const struct group *g, int64_t slot, const struct instant *now)
{
    return now->wall_ms - (now->mono_us - slots_time(&g->slots, slot)) / 1000;
}

static void miss(const struct group *g, const struct slots_due *due, const struct instant *now)
{
    for (int64_t slot = due->missed_from; slot < due->missed_until; slot++)
        for (size_t i = 0; i < g->n; i++)
            report_missed(&g->probes[i], wall_of(g, slot, now), "this process was asleep");
}

static void prepare(struct probe *p, int64_t at_ms, const struct instant *now)
{
    const struct probe *service = p->service;
    p->sample = (struct sample){
        .series = p->target->series,
        .at_ms = at_ms,
        .class_ = classify_idle(p->target->sleep_after_ms,
                                service->last_known ? &service->last : NULL, now),
    };
}

/* Two rounds: each is judged by what was before the tick, then all are sent. Sending takes its time
 * too, and the last one waits for it: whose turn comes first goes round, so that no environment is
 * always ahead. */
static void serve(struct group *g, int64_t slot, const struct instant *now)
{
    struct schedule *s = g->schedule;
    int64_t at_ms = wall_of(g, slot, now), intended_us = slots_time(&g->slots, slot);
    for (size_t i = 0; i < g->n; i++) {
        if (g->probes[i].check.running)
            report_missed(&g->probes[i], at_ms, "its last probe was still running");
        else
            prepare(&g->probes[i], at_ms, now);
    }
    for (size_t i = 0; i < g->n; i++) {
        struct probe *p = &g->probes[((size_t)slot + i) % g->n];
        if (p->check.running || s->stopped)
            continue;
        s->running++;
        note_request(p, now);
        check_http_start(&p->check, s->client, p->target, p->sample.class_, intended_us);
    }
}

static void arm(struct group *g)
{
    int64_t now_us = clock_mono_us(g->schedule->clock);
    int64_t left_ms = (slots_time(&g->slots, g->slots.next) - now_us) / 1000;
    timer_start(g->timer, left_ms > EARLY_MS ? left_ms - EARLY_MS : 0);
}

static void tick(void *arg)
{
    struct group *g = arg;
    struct instant now = now_of(g->schedule);
    struct slots_due due = slots_take(&g->slots, now.mono_us);
    miss(g, &due, &now);
    if (due.serve >= 0 && !g->schedule->stopped)
        serve(g, due.serve, &now);
    if (!slots_over(&g->slots))
        arm(g);
    else
        end_if_over(g->schedule);
}

static void ended(void *arg)
{
    struct schedule *s = arg;
    if (s->options.done)
        s->options.done(s->options.arg);
}

/* --- Groups ----------------------------------------------------------------------------------- */

static int compare_apps(const struct target *a, const struct target *b)
{
    int order = strcmp(a->app, b->app);
    return order ? order : strcmp(a->instance, b->instance);
}

/* Same app, then same interval, side by side. */
static int compare_probes(const void *left, const void *right)
{
    const struct target *a = ((const struct probe *)left)->target;
    const struct target *b = ((const struct probe *)right)->target;
    int order = compare_apps(a, b);
    if (order == 0)
        order = (a->every_ms > b->every_ms) - (a->every_ms < b->every_ms);
    if (order == 0)
        order = strcmp(a->environment, b->environment);
    return order ? order : strcmp(a->check, b->check);
}

/* The first probe of the same service, looked for among its app's own. */
static struct probe *find_service(struct probe *app, struct probe *p)
{
    while (strcmp(app->target->environment, p->target->environment) != 0)
        app++;
    return app;
}

static void add_group(struct schedule *s, struct probe *first, struct slots slots)
{
    struct group *g = &s->groups[s->n_groups++];
    *g = (struct group){.schedule = s, .probes = first, .slots = slots};
    g->timer = timer_new(s->loop, tick, g);
}

static unsigned count_apps(const struct schedule *s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s->n_probes; i++)
        n += i == 0 || compare_apps(s->probes[i - 1].target, s->probes[i].target) != 0;
    return n;
}

/* What was known before, by both clocks; the latest of the service's checks counts. */
static void note_earlier(struct probe *p)
{
    int64_t at_ms = p->target->last_request_ms;
    struct instant now = now_of(p->schedule);

    if (at_ms <= 0 || at_ms > now.wall_ms ||
        (p->service->last_known && p->service->last.wall_ms >= at_ms))
        return;
    now.mono_us -= (now.wall_ms - at_ms) * 1000;
    now.wall_ms = at_ms;
    note_request(p, &now);
}

static void make_groups(struct schedule *s, int64_t start_us)
{
    unsigned n_apps = count_apps(s), app_number = 0;
    struct probe *app = s->probes;
    s->groups = mem_array(s->n_probes, sizeof(*s->groups));
    for (size_t i = 0; i < s->n_probes; i++) {
        struct probe *p = &s->probes[i];
        bool new_app = compare_apps(app->target, p->target) != 0;
        if (new_app) {
            app = p;
            app_number++;
        }
        if (i == 0 || new_app || p[-1].target->every_ms != p->target->every_ms) {
            struct slots slots = slots_plan(start_us, p->target->every_ms, app_number, n_apps);
            slots_limit(&slots, start_us, s->options.duration_ms, s->options.ticks);
            add_group(s, p, slots);
        }
        s->groups[s->n_groups - 1].n++;
        p->service = find_service(app, p);
        note_earlier(p);
        p->check = (struct check_http){.fn = answered, .arg = p};
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

struct schedule *schedule_new(struct loop *loop, const struct schedule_options *o)
{
    struct schedule *s = mem_alloc(sizeof(*s));
    s->loop = loop;
    s->clock = loop_clock(loop);
    s->options = *o;
    s->client = http_client_new(loop, &(struct http_client_options){
                                          .user_agent = o->user_agent,
                                          .ca_file = o->ca_file,
                                          .max_per_host = CONNECTIONS_A_HOST,
                                          .stall_ms = STALL_MS,
                                      });
    s->end = timer_new(loop, ended, s);
    return s;
}

int schedule_add(struct schedule *s, const struct target *t, struct err *e)
{
    if (t->kind != CHECK_HTTP)
        return err_set(e, ERR_USAGE, "check %s: checks of its kind cannot be measured", t->check);
    s->probes = mem_grow(s->probes, s->n_probes + 1, sizeof(*s->probes));
    s->probes[s->n_probes++] = (struct probe){.target = t, .schedule = s};
    return 0;
}

void schedule_start(struct schedule *s)
{
    if (s->n_probes > 0) {
        qsort(s->probes, s->n_probes, sizeof(*s->probes), compare_probes);
        make_groups(s, clock_mono_us(s->clock));
    }
    for (size_t i = 0; i < s->n_groups; i++)
        if (!slots_over(&s->groups[i].slots))
            arm(&s->groups[i]);
    end_if_over(s);
}

void schedule_stop(struct schedule *s)
{
    s->stopped = true;
    for (size_t i = 0; i < s->n_groups; i++) {
        s->groups[i].slots.end = s->groups[i].slots.next;
        timer_stop(s->groups[i].timer);
    }
    end_if_over(s);
}

void schedule_free(struct schedule *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_groups; i++)
        timer_free(s->groups[i].timer);
    for (size_t i = 0; i < s->n_probes; i++)
        check_http_cancel(&s->probes[i].check, s->client);
    timer_free(s->end);
    http_client_free(s->client);
    free(s->groups);
    free(s->probes);
    free(s);
}
