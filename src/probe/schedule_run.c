#include "probe/schedule_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_US = 10 * 1000 * 1000 };

/* --- Results ---------------------------------------------------------------------------------- */

static void hand_out(struct probe *p, const struct probe_result *r)
{
    p->schedule->options.result(r, p->schedule->options.arg);
}

void probe_tell_missed(struct probe *p, int64_t at_ms, int64_t covers_ms, const char *reason,
                       bool on_purpose)
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
        .covers_ms = covers_ms > INT32_MAX ? INT32_MAX : (int32_t)covers_ms,
        .extra = on_purpose,
    };
    p->schedule->missed +=
        covers_ms > p->target->every_ms ? (uint64_t)(covers_ms / p->target->every_ms) : 1;
    hand_out(p, &(struct probe_result){.target = p->target,
                                       .sample = &missed,
                                       .reason = reason,
                                       .detail = "",
                                       .health = &p->health});
}

static void tell_change(struct probe *p, enum health_state from, const struct run *r)
{
    struct schedule *s = p->schedule;
    if (from == p->health.state || !s->options.change)
        return;
    struct probe_change c = {
        .target = p->target,
        .from = from,
        .to = p->health.state,
        .since_ms = p->health.since_ms,
        .noticed_ms = clock_wall_ms(s->clock),
        .reason = p->health.state == HEALTH_DOWN ? p->why : r->verdict.reason,
    };
    s->options.change(&c, s->options.arg);
}

/* While it is suspected it is asked more often, unless nobody could tell the answer from our own
 * blindness. */
static void plan_fast(struct probe *p)
{
    struct schedule *s = p->schedule;
    bool fast = p->health.state == HEALTH_SUSPECT && p->target->fast_ms > 0 &&
                p->target->fast_ms < p->target->every_ms && !s->stopped;
    if (fast && p->fast.place == 0)
        agenda_set(&s->agenda, &p->fast, clock_mono_us(s->clock) + p->target->fast_ms * 1000);
    else if (!fast)
        agenda_clear(&s->agenda, &p->fast);
}

/* One that began before the newest that is known is old news: a slot that hung while faster probes
 * told what it is like by now. */
static void move_health(struct probe *p, const struct run *r)
{
    struct health_rule rule = {p->target->down_after, p->target->up_after};
    enum health_state from = p->health.state;
    bool news = r->began_us >= p->newest_us;
    if (news) {
        p->newest_us = r->began_us;
        p->health = health_next(p->health, rule, r->verdict.outcome, r->sample.at_ms);
    }
    if (p->health.state == HEALTH_UP) {
        free(p->why);
        p->why = NULL;
    } else if (news && r->verdict.outcome == SAMPLE_FAILED && !p->why) {
        p->why = mem_strdup(r->verdict.reason);
    }
    hand_out(p, &(struct probe_result){.target = p->target,
                                       .sample = &r->sample,
                                       .reason = r->verdict.reason,
                                       .detail = r->detail,
                                       .valid_until_ms = r->valid_until_ms,
                                       .health = &p->health});
    tell_change(p, from, r);
    plan_fast(p);
}

static void recycle(struct schedule *s, struct run *r)
{
    r->next = s->spare;
    s->spare = r;
}

/* The first that is not done holds the later ones back: slots the later slots, extra ones the later
 * extra ones. */
static struct run **next_to_tell(struct probe *p)
{
    bool held[2] = {false, false};
    for (struct run **at = &p->runs; *at; at = &(*at)->next) {
        if ((*at)->state == RUN_DONE && !held[(*at)->sample.extra])
            return at;
        held[(*at)->sample.extra] = true;
    }
    return NULL;
}

static void tell_done(struct probe *p)
{
    struct run **at;
    while ((at = next_to_tell(p))) {
        struct run *r = *at;
        *at = r->next;
        move_health(p, r);
        recycle(p->schedule, r);
    }
}

/* --- The end of a probe ----------------------------------------------------------------------- */

static void note_request(const struct run *r, const struct instant *now)
{
    struct service *v = r->probe->service;
    v->last = *now;
    v->last_known = true;
    if (r->paced)
        return;
    v->others = *now;
    v->others_known = true;
}

static void judged(bool blind, void *arg)
{
    struct run *r = arg;
    struct schedule *s = r->probe->schedule;
    s->waiting--;
    if (blind)
        r->verdict = classify_blind(&r->verdict);
    r->sample.outcome = r->verdict.outcome;
    r->state = RUN_DONE;
    tell_done(r->probe);
    schedule_arm(s);
}

static void finish(struct run *r, const struct check_answer *a)
{
    struct probe *p = r->probe;
    struct schedule *s = p->schedule;
    struct instant now = schedule_now(s);
    struct check_answer timed = *a;
    timed.queued = r->began_us - r->intended_us;
    r->check = NULL;
    agenda_clear(&s->agenda, &r->deadline);
    p->under_way -= !r->sample.extra;
    s->under_way--;
    note_request(r, &now); /* a platform counts idle time from the end of a request */
    if (p->service->waking == r)
        p->service->waking = NULL;
    r->verdict = classify_answer(p->target, r->sample.class_, &timed);
    r->sample.outcome = r->verdict.outcome;
    classify_timing(p->target, &timed, &r->sample);
    pace_note_usual(p, &r->sample, a->total);
    text_copy(r->detail, sizeof(r->detail), a->detail ? a->detail : "");
    r->valid_until_ms = a->valid_until_ms;
    r->state = RUN_DONE;
    if (s->uplink && r->verdict.outcome == SAMPLE_FAILED && !a->answered) {
        r->state = RUN_WAITS_FOR_UPLINK;
        s->waiting++;
        uplink_judge(s->uplink, r->began_us, judged, r);
        agenda_set(&s->agenda, &s->control, uplink_next_us(s->uplink));
    }
    tell_done(p);
    schedule_arm(s);
}

static void answered(const struct check_answer *a, void *arg)
{
    finish(arg, a);
}

/* How far it had come is the place of the trouble. */
static const char *reached(const struct check_answer *a)
{
    return a->first_byte >= 0 ? "the answer had begun"
           : a->tls >= 0      ? "after the TLS handshake"
           : a->connect >= 0  ? "connected"
           : a->lookup >= 0   ? "its name was found, no connection"
                              : "no connection";
}

static void time_is_up(void *arg)
{
    struct run *r = arg;
    const struct target *t = r->probe->target;
    const struct schedule *s = r->probe->schedule;
    const struct check_ops *ops = schedule_ops(s, t);
    struct check_answer a = {.lookup = -1, .connect = -1, .tls = -1, .first_byte = -1};
    char reason[128];
    int64_t took_us = clock_mono_us(s->clock) - r->began_us;
    ops->progress(r->check, &a);
    ops->cancel(r->check);
    snprintf(reason, sizeof(reason), "no whole answer within %lld ms: %s",
             (long long)(took_us / 1000), reached(&a));
    a.ok = a.answered = false;
    a.total = took_us;
    a.reason = reason;
    a.detail = "";
    finish(r, &a);
}

/* --- The beginning ---------------------------------------------------------------------------- */

static int64_t timeout_us(const struct target *t, const struct probe_begin *how)
{
    int64_t ms = t->timeout_ms;
    if (how->within_us > 0)
        return how->within_us;
    if (how->class_ == SAMPLE_COLD && t->cold_timeout_ms > ms)
        ms = t->cold_timeout_ms;
    return ms * 1000;
}

static struct run *new_run(struct probe *p)
{
    struct schedule *s = p->schedule;
    struct run *r = s->spare, **end = &p->runs;
    if (r)
        s->spare = r->next;
    else
        r = mem_alloc(sizeof(*r));
    while (*end)
        end = &(*end)->next;
    *end = r;
    return r;
}

static void count_sent(struct schedule *s, int64_t now_us, int64_t late_us)
{
    s->sent++;
    sketch_add(&s->lateness, late_us > 0 ? late_us : 0);
    if (now_us - s->second_us >= RATE_US) {
        s->per_second = (double)s->second_sent * 1e6 / (double)(now_us - s->second_us);
        s->second_us = now_us;
        s->second_sent = 0;
    }
    s->second_sent++;
}

void probe_start(struct probe *p, const struct probe_begin *how)
{
    struct schedule *s = p->schedule;
    struct run *r = new_run(p);
    struct instant now = schedule_now(s);
    *r = (struct run){
        .probe = p,
        .deadline = {.fn = time_is_up, .owner = r, .rank = RANK_DEADLINE},
        .intended_us = how->intended_us,
        .began_us = now.mono_us,
        .paced = how->paced,
        .sample = {.series = p->target->series,
                   .at_ms = how->at_ms,
                   .class_ = how->class_,
                   .covers_ms = how->extra ? 0 : (int32_t)p->target->every_ms,
                   .extra = how->extra},
    };
    p->under_way += !how->extra;
    p->pace.looked_us = now.mono_us;
    s->under_way++;
    s->extra += how->extra;
    p->service->told = AWAKE_UNKNOWN; /* the request itself may change that */
    note_request(r, &now);
    if (how->class_ == SAMPLE_COLD) {
        p->service->waking = r;
        p->service->cold_us = now.mono_us;
    }
    count_sent(s, now.mono_us, now.mono_us - how->intended_us);
    agenda_set(&s->agenda, &r->deadline, now.mono_us + timeout_us(p->target, how));
    r->check =
        schedule_ops(s, p->target)->start(&s->tools, p->target, how->intended_us, answered, r);
}

void probe_extra(void *arg)
{
    struct probe *p = arg;
    struct instant now = schedule_now(p->schedule);
    if (p->schedule->stopped)
        return;
    if (p->runs ||
        p->service->waking) { /* what is under way will tell; on suspicion that asks again */
        plan_fast(p);
        return;
    }
    probe_start(p, &(struct probe_begin){
                       .intended_us = p->fast.at_us,
                       .at_ms = now.wall_ms - (now.mono_us - p->fast.at_us) / 1000,
                       .class_ = probe_class(p, &now),
                       .extra = true,
                   });
}

void probe_drop(struct probe *p)
{
    struct run *r;
    while ((r = p->runs)) {
        p->runs = r->next;
        if (r->check)
            schedule_ops(p->schedule, p->target)->cancel(r->check);
        free(r);
    }
    free(p->why);
}
