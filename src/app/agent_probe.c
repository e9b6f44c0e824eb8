#include "app/agent.h"

#include "app/agent_spool.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* What the agent measures: an assignment becomes a schedule, results become votes and batches. */

enum { FIRST_TICK_US = 10000, STEPPED_MS = 2000, BATCH_BYTES_MAX = 49152 };

/* --- Batches ------------------------------------------------------------------------------------
 */

/* Samples that were timed by a clock which has been set since would lie at wrong hours. */
static void look_at_clock(struct agent *g)
{
    int64_t at_zero = clock_wall_ms(&g->app->clock) - clock_mono_ms(&g->app->clock);
    int64_t step = at_zero - g->wall_at_zero;

    g->wall_at_zero = at_zero;
    if (step > -STEPPED_MS && step < STEPPED_MS)
        return;
    if (g->n_samples > 0) {
        g->n_samples = 0;
        g->refused++;
    }
}

void agent_probe_seal(struct agent *g)
{
    struct buf b = BUF_INIT(BATCH_BYTES_MAX);
    struct err e = ERR_INIT;

    look_at_clock(g);
    if (g->n_samples == 0)
        return;
    agent_batch_write(g->boot, ++g->sequence, g->samples, g->n_samples, &b);
    int rc = agent_spool_add(g->spool, &b, &e);
    buf_release(&b);
    if (rc == 0) {
        g->n_samples = 0;
        if (g->said_ms[TOPIC_BUFFER])
            app_say(g->app, "what is measured can be written again");
        g->said_ms[TOPIC_BUFFER] = 0;
        return;
    }
    agent_say(g, TOPIC_BUFFER,
              "what is measured cannot be written: %s; the last %d samples are kept, and votes go "
              "on; make room",
              e.text, AGENT_SAMPLES_MAX);
    if (g->n_samples == AGENT_SAMPLES_MAX) {
        g->n_samples = 0;
        g->refused++;
    }
}

/* --- Results ------------------------------------------------------------------------------------
 */

static size_t place_of(const struct agent_round *r, const struct target *t)
{
    return (size_t)(t - r->assignment.targets);
}

static void resulted(const struct probe_result *p, void *round)
{
    struct agent_round *r = round;
    struct agent *g = r->agent;

    if (p->sample->outcome == SAMPLE_FAILED)
        (void)text_copy(r->reasons[place_of(r, p->target)], AGENT_REASON_MAX + 1, p->reason);
    else if (p->health->state == HEALTH_UP)
        r->reasons[place_of(r, p->target)][0] = '\0';
    g->samples[g->n_samples++] = *p->sample;
    if (g->n_samples == AGENT_SAMPLES_MAX)
        agent_probe_seal(g);
}

static void changed(const struct probe_change *c, void *round)
{
    const struct agent_round *r = round;

    (void)c;
    agent_link_hurry(r->agent);
}

static void noticed(bool blind, int64_t at_ms, void *round)
{
    const struct agent_round *r = round;

    (void)at_ms;
    r->agent->blind = blind;
    app_say(r->agent->app, blind ? "blind: no control target answers; this agent does not vote"
                                 : "control targets answer again");
    agent_link_hurry(r->agent);
}

/* --- Rounds -------------------------------------------------------------------------------------
 */

static void round_free(struct agent_round *r)
{
    schedule_free(r->schedule);
    agent_assignment_release(&r->assignment);
    free(r->reasons);
    free(r);
}

/* An earlier round's last probe has ended. */
static void ended(void *round)
{
    struct agent_round *r = round;
    struct agent *g = r->agent;

    r->over = true;
    if (r == g->rounds)
        return;
    for (struct agent_round **p = &g->rounds; *p; p = &(*p)->next)
        if (*p == r) {
            *p = r->next;
            break;
        }
    round_free(r);
}

static void say_left_out(const struct agent *g, const struct agent_assignment *a)
{
    for (size_t i = 0; i < a->n_left_out; i++) {
        const struct agent_omission *o = &a->left_out[i];
        app_say(g->app, "%s is left out of %s %s%s%s: %s", o->check, o->environment, o->app,
                o->instance[0] ? "/" : "", o->instance, o->why);
    }
}

static void resume(const struct agent_round *from, const struct agent_round *to)
{
    for (size_t i = 0; i < to->assignment.n; i++) {
        int64_t series = to->assignment.targets[i].series;
        const struct health *h = schedule_health(from->schedule, series);
        for (size_t k = 0; h && k < from->assignment.n; k++)
            if (from->assignment.targets[k].series == series) {
                memcpy(to->reasons[i], from->reasons[k], sizeof(to->reasons[i]));
                schedule_resume(to->schedule, series, h, from->reasons[k]);
            }
    }
    schedule_inherit(to->schedule, from->schedule);
}

void agent_probe_begin(struct agent *g, struct agent_assignment *a)
{
    struct agent_round *r = mem_alloc(sizeof(*r)), *before = g->rounds;
    bool own = g->n_controls > 0;
    struct schedule_options o = {.user_agent = "trine/" TRINE_VERSION " (agent)",
                                 .controls = own ? g->controls : a->controls,
                                 .n_controls = own ? g->n_controls : a->n_controls,
                                 .result = resulted,
                                 .change = changed,
                                 .notice = noticed,
                                 .done = ended,
                                 .arg = r};
    struct err e = ERR_INIT;

    if (!before)
        g->anchor_us = clock_mono_us(&g->app->clock) + FIRST_TICK_US;
    o.anchor_us = g->anchor_us;
    *r = (struct agent_round){.agent = g, .assignment = *a};
    *a = (struct agent_assignment){0};
    r->reasons = mem_array(r->assignment.n + 1, sizeof(*r->reasons));
    r->schedule = schedule_new(g->app->loop, &o);
    for (size_t i = 0; i < r->assignment.n; i++)
        if (schedule_add(r->schedule, &r->assignment.targets[i], &e) < 0)
            app_say(g->app, "%s", e.text);
    say_left_out(g, &r->assignment);
    app_say(g->app, "measuring %zu checks for %s", r->assignment.n, g->server);
    g->blind = false; /* the new controls tell */
    r->next = before;
    g->rounds = r;
    schedule_start(r->schedule);
    if (!before)
        return;
    resume(before, r);
    if (before->over) {
        r->next = before->next;
        round_free(before);
    } else {
        schedule_stop(before->schedule);
    }
}

void agent_probe_end(struct agent *g)
{
    while (g->rounds) {
        struct agent_round *r = g->rounds;
        g->rounds = r->next;
        round_free(r);
    }
}

/* --- Votes and orders ---------------------------------------------------------------------------
 */

size_t agent_probe_votes(const struct agent *g, struct arena *a, struct agent_vote **ret)
{
    const struct agent_round *r = g->rounds;
    size_t n = 0;

    *ret = arena_array(a, r ? r->assignment.n + 1 : 1, sizeof(**ret));
    for (size_t i = 0; r && i < r->assignment.n; i++) {
        const struct health *h = schedule_health(r->schedule, r->assignment.targets[i].series);
        if (h)
            (*ret)[n++] = (struct agent_vote){.check = r->assignment.targets[i].series,
                                              .state = h->state,
                                              .since_ms = h->since_ms,
                                              .reason = r->reasons[i]};
    }
    return n;
}

bool agent_probe_doubts(const struct agent *g)
{
    const struct agent_round *r = g->rounds;

    for (size_t i = 0; r && i < r->assignment.n; i++) {
        const struct health *h = schedule_health(r->schedule, r->assignment.targets[i].series);
        if (h && h->state == HEALTH_SUSPECT)
            return true;
    }
    return false;
}

void agent_probe_order(struct agent *g, const struct agent_order *o)
{
    const struct agent_round *r = g->rounds;

    for (size_t i = 0; r && i < r->assignment.n; i++) {
        const struct target *t = &r->assignment.targets[i];
        if (t->series != o->check)
            continue;
        if (o->every_ms > 0)
            (void)schedule_pace(r->schedule, t->series, o->every_ms,
                                clock_mono_us(&g->app->clock) + o->for_ms * 1000);
        if (o->awake >= 0)
            schedule_awake(r->schedule, t, o->awake ? AWAKE_YES : AWAKE_NO);
    }
}
