#include "probe/schedule_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/alarm.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>

/* --- Turns ------------------------------------------------------------------------------------ */

struct instant schedule_now(const struct schedule *s)
{
    return (struct instant){clock_mono_us(s->clock), clock_wall_ms(s->clock)};
}

const struct check_ops *schedule_ops(const struct schedule *s, const struct target *t)
{
    return s->options.find(t->kind);
}

static bool is_over(const struct schedule *s)
{
    if (!s->started || s->under_way > 0 || s->waiting > 0)
        return false;
    for (size_t i = 0; i < s->n_groups; i++)
        if (!slots_over(&s->groups[i].slots))
            return false;
    return true;
}

int64_t schedule_next_us(const struct schedule *s)
{
    if (s->ended)
        return INT64_MAX;
    return is_over(s) ? clock_mono_us(s->clock) : agenda_next_us(&s->agenda);
}

void schedule_arm(struct schedule *s)
{
    if (!s->alarm || s->turning)
        return;
    int64_t next_us = schedule_next_us(s);
    if (next_us == s->armed_us)
        return;
    s->armed_us = next_us;
    if (next_us == INT64_MAX)
        alarm_stop(s->alarm);
    else
        alarm_set(s->alarm, next_us - clock_mono_us(s->clock));
}

void schedule_turn(struct schedule *s)
{
    int64_t now_us = clock_mono_us(s->clock);
    struct agenda_entry *due;
    s->turning = true;
    while ((due = agenda_take(&s->agenda, now_us)))
        due->fn(due->owner);
    s->turning = false;
    if (!s->ended && is_over(s)) {
        s->ended = true;
        schedule_arm(s);
        if (s->options.done)
            s->options.done(s->options.arg); /* which may free s */
        return;
    }
    schedule_arm(s);
}

static void alarm_rang(void *arg)
{
    struct schedule *s = arg;
    s->armed_us = INT64_MAX;
    schedule_turn(s);
}

/* --- Control targets -------------------------------------------------------------------------- */

static void control_moved(void *arg)
{
    struct schedule *s = arg;
    agenda_set(&s->agenda, &s->control, uplink_next_us(s->uplink));
    schedule_arm(s);
}

static void control_turn(void *arg)
{
    struct schedule *s = arg;
    uplink_turn(s->uplink);
    control_moved(s);
}

static void noticed(bool blind, int64_t at_ms, void *arg)
{
    const struct schedule *s = arg;
    if (s->options.notice)
        s->options.notice(blind, at_ms, s->options.arg);
}

static void begin_uplink(struct schedule *s)
{
    s->uplink = uplink_new(&(struct uplink_options){
        .urls = s->options.controls,
        .n_urls = s->options.n_controls,
        .every_ms = s->options.control_every_ms,
        .timeout_ms = s->options.control_timeout_ms,
        .tools = &s->tools,
        .ops = s->options.find(CHECK_HTTP),
        .clock = s->clock,
        .notice = noticed,
        .moved = control_moved,
        .arg = s,
    });
    s->control = (struct agenda_entry){.fn = control_turn, .owner = s, .rank = RANK_UPLINK};
    if (s->uplink)
        agenda_set(&s->agenda, &s->control, clock_mono_us(s->clock));
}

/* --- Groups and services ---------------------------------------------------------------------- */

static int compare_apps(const struct target *a, const struct target *b)
{
    int order = strcmp(a->app, b->app);
    return order ? order : strcmp(a->instance, b->instance);
}

static int compare_groups(const struct target *a, const struct target *b)
{
    int order = compare_apps(a, b);
    if (order == 0)
        order = strcmp(a->check, b->check);
    return order ? order : (a->every_ms > b->every_ms) - (a->every_ms < b->every_ms);
}

/* What is probed in one tick is side by side. */
static int compare_probes(const void *left, const void *right)
{
    const struct target *a = ((const struct probe *)left)->target;
    const struct target *b = ((const struct probe *)right)->target;
    int order = compare_groups(a, b);
    return order ? order : strcmp(a->environment, b->environment);
}

static int compare_series(const void *left, const void *right)
{
    const struct probe *const *a = left, *const *b = right;
    int64_t x = (*a)->target->series, y = (*b)->target->series;
    return (x > y) - (x < y);
}

/* What was known before, by both clocks; the latest of the service's checks counts. */
static void note_earlier(struct service *v, const struct target *t, struct instant now)
{
    int64_t at_ms = t->last_request_ms;
    if (at_ms <= 0 || at_ms > now.wall_ms || (v->last_known && v->last.wall_ms >= at_ms))
        return;
    v->last = (struct instant){now.mono_us - (now.wall_ms - at_ms) * 1000, at_ms};
    v->last_known = true;
}

static void make_services(struct schedule *s)
{
    struct probe *app = s->probes;
    s->services = mem_array(s->n_probes, sizeof(*s->services));
    for (size_t i = 0; i < s->n_probes; i++) {
        struct probe *p = &s->probes[i], *same;
        if (compare_apps(app->target, p->target) != 0)
            app = p;
        for (same = app; strcmp(same->target->environment, p->target->environment) != 0; same++) {
        }
        p->service = same == p ? &s->services[i] : same->service;
        if (same == p)
            *p->service = (struct service){.cold_us = INT64_MIN / 2, .asked_us = INT64_MIN / 2};
        p->service->kept_awake |= p->target->every_ms <= p->target->sleep_after_ms;
        note_earlier(p->service, p->target, schedule_now(s));
    }
}

static void make_groups(struct schedule *s)
{
    s->groups = mem_array(s->n_probes, sizeof(*s->groups));
    for (size_t i = 0; i < s->n_probes; i++) {
        struct probe *p = &s->probes[i];
        if (i == 0 || compare_groups(p[-1].target, p->target) != 0)
            s->groups[s->n_groups++] = (struct group){.schedule = s, .probes = p};
        s->groups[s->n_groups - 1].n++;
    }
    int64_t now_us = clock_mono_us(s->clock);
    int64_t start_us = s->options.anchor_us ? s->options.anchor_us : now_us;
    for (size_t i = 0; i < s->n_groups; i++) {
        struct group *g = &s->groups[i];
        g->slots =
            slots_plan(start_us, g->probes->target->every_ms, (unsigned)i, (unsigned)s->n_groups);
        slots_limit(&g->slots, start_us, s->options.duration_ms, s->options.ticks);
        slots_skip(&g->slots, now_us);
        g->tick = (struct agenda_entry){.fn = schedule_tick, .owner = g, .rank = RANK_TICK};
        g->ask = (struct agenda_entry){.fn = schedule_ask, .owner = g, .rank = RANK_ASK};
        schedule_plan(g);
    }
}

static void index_series(struct schedule *s)
{
    s->by_series = mem_array(s->n_probes, sizeof(struct probe *));
    for (size_t i = 0; i < s->n_probes; i++) {
        struct probe *p = &s->probes[i];
        p->fast = (struct agenda_entry){.fn = probe_extra, .owner = p, .rank = RANK_FAST};
        p->pace.entry = (struct agenda_entry){.fn = pace_due, .owner = p, .rank = RANK_PACE};
        s->by_series[i] = p;
    }
    qsort(s->by_series, s->n_probes, sizeof(struct probe *), compare_series);
}

struct probe *probe_of(const struct schedule *s, int64_t series)
{
    struct target wanted = {.series = series};
    const struct probe key = {.target = &wanted}, *const key_of = &key;
    struct probe **found = s->by_series ? bsearch(&key_of, s->by_series, s->n_probes,
                                                  sizeof(struct probe *), compare_series)
                                        : NULL;
    return found ? *found : NULL;
}

/* --- Questions and wishes --------------------------------------------------------------------- */

bool schedule_probe_now(struct schedule *s, int64_t series)
{
    struct probe *p = probe_of(s, series);
    if (!p || p->runs || s->stopped)
        return false;
    agenda_set(&s->agenda, &p->fast, clock_mono_us(s->clock));
    schedule_arm(s);
    return true;
}

void schedule_awake(struct schedule *s, const struct target *t, enum awake answer)
{
    struct probe *p = probe_of(s, t->series);
    if (!p)
        return;
    p->service->told = answer;
    p->service->told_us = clock_mono_us(s->clock);
}

void schedule_resume(struct schedule *s, int64_t series, const struct health *h, const char *reason)
{
    struct probe *p = probe_of(s, series);
    if (!p)
        return;
    p->health = *h;
    free(p->why);
    p->why = h->state == HEALTH_UP || h->state == HEALTH_UNKNOWN ? NULL : mem_strdup(reason);
}

static void inherit_service(struct service *v, const struct service *was)
{
    if (was->cold_us > v->cold_us)
        v->cold_us = was->cold_us;
    if (was->last_known && (!v->last_known || was->last.mono_us > v->last.mono_us)) {
        v->last = was->last;
        v->last_known = true;
    }
    if (was->others_known) {
        v->others = was->others;
        v->others_known = true;
    }
}

void schedule_inherit(struct schedule *s, const struct schedule *before)
{
    for (size_t i = 0; i < s->n_probes; i++) {
        struct probe *p = &s->probes[i];
        const struct probe *was = probe_of(before, p->target->series);
        if (!was)
            continue;
        inherit_service(p->service, was->service);
        pace_inherit(p, was);
    }
    schedule_arm(s);
}

const struct health *schedule_health(const struct schedule *s, int64_t series)
{
    const struct probe *p = probe_of(s, series);
    return p ? &p->health : NULL;
}

enum awake schedule_is_awake(const struct schedule *s, int64_t series)
{
    const struct probe *p = probe_of(s, series);
    struct instant now = schedule_now(s);
    if (!p)
        return AWAKE_UNKNOWN;
    const struct service *v = p->service;
    if (p->target->sleep_after_ms <= 0)
        return AWAKE_YES;
    if (v->told != AWAKE_UNKNOWN)
        return v->told;
    if (!v->last_known)
        return AWAKE_UNKNOWN;
    bool idle = classify_idle(p->target->sleep_after_ms, &v->last, &now) == SAMPLE_COLD;
    return idle ? AWAKE_NO : AWAKE_YES;
}

void schedule_count(const struct schedule *s, struct schedule_counters *ret)
{
    *ret = (struct schedule_counters){
        .targets = s->n_probes,
        .per_second = s->per_second,
        .in_flight = s->under_way,
        .waiting = s->waiting,
        .sent = s->sent,
        .missed = s->missed,
        .extra = s->extra,
        .blind = uplink_blind(s->uplink),
        .lateness = &s->lateness,
    };
    ret->controls = uplink_controls(s->uplink, &ret->n_controls);
    for (size_t i = 0; i < s->n_probes; i++)
        ret->planned_per_second += 1000.0 / (double)s->probes[i].target->every_ms;
}

/* --- Life ------------------------------------------------------------------------------------- */

struct schedule *schedule_new(struct loop *loop, const struct schedule_options *o)
{
    struct schedule *s = mem_alloc(sizeof(*s));
    s->options = *o;
    if (!s->options.find)
        s->options.find = check_find;
    s->clock = o->clock ? o->clock : loop ? loop_clock(loop) : &clock_system;
    s->tools = (struct check_tools){.loop = loop, .ca_file = o->ca_file};
    s->armed_us = INT64_MAX;
    if (!loop)
        return s;
    s->alarm = alarm_new(loop, alarm_rang, s);
    s->tools.dialer = dialer_new(loop, &(struct dialer_options){.ca_file = o->ca_file});
    s->tools.http = http_client_new(loop, &(struct http_client_options){
                                              .user_agent = o->user_agent,
                                              .ca_file = o->ca_file,
                                              .max_per_host = HTTP_UNBOUNDED,
                                              .stall_ms = HTTP_FOREVER_MS,
                                          });
    return s;
}

int schedule_add(struct schedule *s, const struct target *t, struct err *e)
{
    if (!s->options.find(t->kind))
        return err_set(e, ERR_USAGE, "check %s: this version cannot measure %s checks", t->check,
                       check_kind_name(t->kind));
    s->probes = mem_grow(s->probes, s->n_probes + 1, sizeof(*s->probes));
    s->probes[s->n_probes++] = (struct probe){.target = t, .schedule = s};
    return 0;
}

void schedule_start(struct schedule *s)
{
    s->started = true;
    s->second_us = clock_mono_us(s->clock);
    if (s->n_probes > 0) {
        qsort(s->probes, s->n_probes, sizeof(*s->probes), compare_probes);
        make_services(s);
        make_groups(s);
        index_series(s);
        begin_uplink(s);
    }
    schedule_arm(s);
}

void schedule_stop(struct schedule *s)
{
    s->stopped = true;
    for (size_t i = 0; i < s->n_groups; i++) {
        struct group *g = &s->groups[i];
        g->slots.end = g->slots.next;
        agenda_clear(&s->agenda, &g->tick);
        agenda_clear(&s->agenda, &g->ask);
    }
    for (size_t i = 0; i < s->n_probes; i++) {
        agenda_clear(&s->agenda, &s->probes[i].fast);
        agenda_clear(&s->agenda, &s->probes[i].pace.entry);
    }
    schedule_arm(s);
}

void schedule_free(struct schedule *s)
{
    if (!s)
        return;
    uplink_free(s->uplink);
    for (size_t i = 0; i < s->n_probes; i++)
        probe_drop(&s->probes[i]);
    for (struct run *r = s->spare, *next; r; r = next) {
        next = r->next;
        free(r);
    }
    http_client_free(s->tools.http);
    dialer_free(s->tools.dialer);
    alarm_free(s->alarm);
    agenda_release(&s->agenda);
    sketch_release(&s->lateness);
    free(s->by_series);
    free(s->services);
    free(s->groups);
    free(s->probes);
    free(s);
}
