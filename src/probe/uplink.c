#include "probe/uplink.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

struct control {
    struct uplink *uplink;
    struct target target;
    struct check *check; /* under way */
    int64_t asked_us;    /* the question under way, or the last one */
    int64_t next_us;     /* when it is asked again, unless somebody waits */
    /* When the questions that were last answered, and last left without an answer, had been asked;
     * -1 = never. */
    int64_t heard_us, silent_us;
};

struct question { /* somebody waits for a judgement */
    int64_t began_us, seen_us;
    uplink_judge_fn *fn;
    void *arg;
};

struct uplink {
    struct uplink_options options;
    struct control *controls;
    struct uplink_control *shown;
    size_t n;
    struct question *questions;
    size_t n_questions, cap_questions;
    int64_t newest_us; /* seen_us of the youngest question */
    bool blind;
    int64_t blind_until_us; /* the end of the last blind spell; -1 = there was none */
};

static int64_t now_us(const struct uplink *u)
{
    return clock_mono_us(u->options.clock);
}

/* --- Blind or not ----------------------------------------------------------------------------- */

static bool was_last_silent(const struct control *c)
{
    return c->silent_us > c->heard_us;
}

static bool are_all_silent(const struct uplink *u)
{
    for (size_t i = 0; i < u->n; i++)
        if (!was_last_silent(&u->controls[i]))
            return false;
    return true;
}

/* The first thing that stayed without an answer: a control's question, or a probe that waits. */
static int64_t first_silence(const struct uplink *u)
{
    int64_t first_us = u->controls[0].silent_us;
    for (size_t i = 1; i < u->n; i++)
        if (u->controls[i].silent_us < first_us)
            first_us = u->controls[i].silent_us;
    for (size_t i = 0; i < u->n_questions; i++)
        if (u->questions[i].began_us < first_us)
            first_us = u->questions[i].began_us;
    return first_us;
}

static void see(struct uplink *u)
{
    bool blind = are_all_silent(u);
    if (blind == u->blind)
        return;
    int64_t now = now_us(u), from = blind ? first_silence(u) : now;
    u->blind = blind;
    if (!blind)
        u->blind_until_us = now;
    if (u->options.notice)
        u->options.notice(blind, clock_wall_ms(u->options.clock) - (now - from) / 1000,
                          u->options.arg);
}

/* --- Judging ---------------------------------------------------------------------------------- */

enum judgement { WAIT, THEIRS, OURS };

static enum judgement judge(const struct uplink *u, const struct question *q)
{
    size_t silent = 0;
    for (size_t i = 0; i < u->n; i++) {
        if (u->controls[i].heard_us >= q->seen_us)
            return q->began_us <= u->blind_until_us ? OURS : THEIRS;
        silent += u->controls[i].silent_us >= q->seen_us;
    }
    return silent == u->n ? OURS : WAIT;
}

static void keep(struct uplink *u, const struct question *q)
{
    if (u->n_questions == u->cap_questions) {
        u->cap_questions = u->cap_questions ? 2 * u->cap_questions : 16;
        u->questions = mem_grow(u->questions, u->cap_questions, sizeof(*u->questions));
    }
    u->questions[u->n_questions++] = *q;
}

/* The list is taken off first: who is told may ask again. */
static void judge_all(struct uplink *u)
{
    struct question *list = u->questions;
    size_t n = u->n_questions;
    u->questions = NULL;
    u->n_questions = u->cap_questions = 0;
    for (size_t i = 0; i < n; i++) {
        enum judgement j = judge(u, &list[i]);
        if (j == WAIT)
            keep(u, &list[i]);
        else
            list[i].fn(j == OURS, list[i].arg);
    }
    free(list);
}

/* --- Asking ----------------------------------------------------------------------------------- */

static void plan_next(struct control *c)
{
    const struct uplink *u = c->uplink;
    int64_t every_ms = was_last_silent(c) ? UPLINK_LEAST_MS : u->options.every_ms;
    c->next_us = c->asked_us + every_ms * 1000;
}

static void note(struct control *c, bool heard, int64_t total_us)
{
    struct uplink *u = c->uplink;
    *(heard ? &c->heard_us : &c->silent_us) = c->asked_us;
    u->shown[c - u->controls] = (struct uplink_control){
        .url = c->target.url,
        .known = true,
        .ok = heard,
        .at_ms = clock_wall_ms(u->options.clock),
        .total_us = heard ? total_us : -1,
    };
    plan_next(c);
    see(u);
    judge_all(u);
}

static void answered(const struct check_answer *a, void *arg)
{
    struct control *c = arg;
    c->check = NULL;
    note(c, a->answered, a->total);
    if (c->uplink->options.moved)
        c->uplink->options.moved(c->uplink->options.arg);
}

static int64_t deadline_us(const struct control *c)
{
    return c->asked_us + c->target.timeout_ms * 1000;
}

/* At once when somebody waits for an answer to a later question than the last one, but no more
 * often than every UPLINK_LEAST_MS. */
static int64_t due_us(const struct control *c)
{
    const struct uplink *u = c->uplink;
    int64_t soonest = c->asked_us + UPLINK_LEAST_MS * INT64_C(1000);
    if (c->check)
        return deadline_us(c);
    if (u->n_questions > 0 && c->asked_us < u->newest_us && soonest < c->next_us)
        return soonest;
    return c->next_us;
}

static void ask(struct control *c, int64_t now)
{
    const struct uplink *u = c->uplink;
    c->asked_us = now;
    c->check = u->options.ops->start(u->options.tools, &c->target, now, answered, c);
}

void uplink_turn(struct uplink *u)
{
    int64_t now = now_us(u);
    for (size_t i = 0; i < u->n; i++) {
        struct control *c = &u->controls[i];
        if (c->check && due_us(c) <= now) {
            u->options.ops->cancel(c->check);
            c->check = NULL;
            note(c, false, -1);
        }
        if (!c->check && due_us(c) <= now)
            ask(c, now);
    }
}

int64_t uplink_next_us(const struct uplink *u)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < u->n; i++) {
        int64_t due = due_us(&u->controls[i]);
        next = due < next ? due : next;
    }
    return next;
}

void uplink_judge(struct uplink *u, int64_t began_us, uplink_judge_fn *fn, void *arg)
{
    struct question q = {.began_us = began_us, .seen_us = now_us(u), .fn = fn, .arg = arg};
    u->newest_us = q.seen_us;
    keep(u, &q);
}

/* --- Life ------------------------------------------------------------------------------------- */

struct uplink *uplink_new(const struct uplink_options *o)
{
    if (o->n_urls == 0)
        return NULL;
    struct uplink *u = mem_alloc(sizeof(*u));
    *u = (struct uplink){.options = *o, .n = o->n_urls, .blind_until_us = -1};
    u->options.every_ms = o->every_ms > 0 ? o->every_ms : UPLINK_EVERY_MS;
    u->options.timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : UPLINK_TIMEOUT_MS;
    u->options.ops = o->ops ? o->ops : check_find(CHECK_HTTP);
    u->controls = mem_array(u->n, sizeof(*u->controls));
    u->shown = mem_array(u->n, sizeof(*u->shown));
    for (size_t i = 0; i < u->n; i++) {
        u->shown[i] = (struct uplink_control){.url = o->urls[i], .total_us = -1};
        u->controls[i] = (struct control){
            .uplink = u,
            .target = {.kind = CHECK_HTTP,
                       .environment = "",
                       .app = "",
                       .instance = "",
                       .check = "control",
                       .url = o->urls[i],
                       .every_ms = u->options.every_ms,
                       .timeout_ms = u->options.timeout_ms},
            .asked_us = INT64_MIN / 2,
            .next_us = INT64_MIN / 2,
            .heard_us = -1,
            .silent_us = -1,
        };
    }
    return u;
}

bool uplink_blind(const struct uplink *u)
{
    return u && u->blind;
}

const struct uplink_control *uplink_controls(const struct uplink *u, size_t *ret_n)
{
    *ret_n = u ? u->n : 0;
    return u ? u->shown : NULL;
}

void uplink_free(struct uplink *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->n; i++)
        if (u->controls[i].check)
            u->options.ops->cancel(u->controls[i].check);
    free(u->controls);
    free(u->shown);
    free(u->questions);
    free(u);
}
