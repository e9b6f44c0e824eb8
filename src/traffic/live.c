#include "traffic/live.h"

#include <math.h>

/*
 * `window_ms` is a minute by default and not ten seconds: at one request a second ten of them
 * cannot tell 30 % errors from isolated ones.
 */
const struct live_rule live_rule_default = {
    .good_rate = 0.02,
    .bad_rate = 0.20,
    .in_a_row = 3,
    .stall_least_ms = 50,
    .window_ms = 60000,
};

struct outcome { /* what has become of requests since the last reading */
    uint64_t tried, good, bad;
};

static bool went_back(const struct live_counters *a, const struct live_counters *b)
{
    return b->answered < a->answered || b->failed < a->failed || b->tried < a->tried;
}

static struct outcome since(const struct live_counters *before, const struct live_counters *now)
{
    struct outcome o = {.tried = now->tried - before->tried, .bad = now->failed - before->failed};
    uint64_t answered = now->answered - before->answered;

    /* A reading may catch a failure that is not among the answers yet. */
    o.good = answered > o.bad ? answered - o.bad : 0;
    return o;
}

/* --- Errors */

static void fade(struct live *l, const struct live_rule *rule, int64_t passed_ms)
{
    double left = passed_ms > 0 ? exp(-(double)passed_ms / (double)rule->window_ms) : 1;
    l->evidence *= left;
    l->seen *= left;
    l->bad *= left;
}

static void count_in_a_row(struct live *l, const struct live_rule *rule, const struct outcome *o,
                           int64_t now_ms)
{
    if (now_ms - l->last_end_ms > rule->window_ms)
        l->bad_in_a_row = 0;
    if (o->good + o->bad == 0)
        return;
    l->last_end_ms = now_ms;
    /* Between g good ones there are g + 1 places, so b bad ones have a row of at least b / (g + 1).
     */
    uint64_t row = (o->bad + o->good) / (o->good + 1);
    if (o->good == 0)
        row = o->bad + (uint64_t)l->bad_in_a_row;
    l->bad_in_a_row = row > 1000000 ? 1000000 : (int)row;
}

/* The more requests a window holds, the more often chance would reach a fixed bound: so it grows
 * with their number, and false alarms stay rare in time at any rate. */
static double bound(const struct live *l)
{
    return 4.5 + log1p(l->seen);
}

static void weigh(struct live *l, const struct live_rule *rule, const struct outcome *o)
{
    double good = log((1 - rule->bad_rate) / (1 - rule->good_rate));
    double bad = log(rule->bad_rate / rule->good_rate);

    l->seen += (double)(o->good + o->bad);
    l->bad += (double)o->bad;
    l->evidence += (double)o->good * good + (double)o->bad * bad;
    if (l->evidence <= 0) {
        l->evidence = 0;
        l->worse = false;
    }
    if (l->evidence >= bound(l)) {
        l->evidence = bound(l);
        l->worse = true;
    }
}

/* --- Stalls */

enum { USUAL_TIMES = 3, MEAN_TIMES = 8, FEW_TIMES = 10, USUAL_FORGET = 500 };

/* One request that waits is a slow one more often than a hang, and several that came at once are
 * one page: it takes several that came one after the other, or more time. */
static bool few_wait(const struct live *l, const struct live_rule *rule)
{
    return l->unanswered < (uint64_t)rule->in_a_row || l->arrivals < 2;
}

static int64_t stall_after(const struct live *l, const struct live_rule *rule)
{
    double ms = (double)rule->stall_least_ms;
    ms = fmax(ms, USUAL_TIMES * l->usual_ms);
    ms = fmax(ms, MEAN_TIMES * (double)l->last.answer_ms);
    return (int64_t)(few_wait(l, rule) ? FEW_TIMES * ms : ms);
}

/* The longest silence while somebody waited is the usual one; it is forgotten over some hundred
 * readings with answers. A longer one is believed step by step: a hang that ended must not hide the
 * next. */
static void learn(struct live *l, const struct live_rule *rule, int64_t silence_ms)
{
    double silence = (double)silence_ms, most = 2 * l->usual_ms + (double)rule->stall_least_ms;

    if (silence > l->usual_ms)
        l->usual_ms = silence < most ? silence : most;
    else
        l->usual_ms -= (l->usual_ms - silence) / USUAL_FORGET;
}

/* Requests that were sent after the last answer, and none has come since. (Connections that stay
 * open after their answer, as WebSockets do, wait for nothing.) */
static bool stalls(struct live *l, const struct live_rule *rule, const struct outcome *o,
                   int64_t now_ms)
{
    if (o->good + o->bad > 0) {
        if (o->good > 0)
            learn(l, rule, l->silence_ms);
        l->unanswered = 0;
        l->arrivals = 0;
        l->waiting_since_ms = 0;
        l->silence_ms = 0;
        return false;
    }
    l->unanswered = l->last.waiting == 0 ? 0 : l->unanswered + o->tried;
    l->arrivals = l->unanswered == 0 ? 0 : l->arrivals + (o->tried > 0);
    if (l->unanswered == 0)
        l->waiting_since_ms = 0;
    else if (l->waiting_since_ms == 0)
        l->waiting_since_ms = now_ms;
    l->silence_ms = l->waiting_since_ms ? now_ms - l->waiting_since_ms : 0;
    /* Nothing is usual yet for one that never answered. */
    return l->waiting_since_ms && l->last.answered > 0 && l->silence_ms >= stall_after(l, rule);
}

/* --- Verdict */

static enum live_state verdict(const struct live *l, const struct live_rule *rule, bool stalled)
{
    enum { FEW = 2 };

    if (stalled)
        return LIVE_STALLED;
    if (l->bad_in_a_row >= rule->in_a_row)
        return LIVE_BAD;
    if (l->worse)
        return LIVE_ERRORS;
    return l->seen > FEW ? LIVE_GOOD : LIVE_NONE;
}

enum live_state live_take(struct live *l, const struct live_rule *rule,
                          const struct live_counters *now, int64_t now_ms)
{
    struct outcome o = {0};

    if (l->known && !went_back(&l->last, now)) {
        o = since(&l->last, now);
    } else {
        l->unanswered = 0;
        l->arrivals = 0;
    }
    fade(l, rule, l->known ? now_ms - l->last_ms : 0);
    l->last = *now;
    l->last_ms = now_ms;
    l->known = true;
    count_in_a_row(l, rule, &o, now_ms);
    weigh(l, rule, &o);
    enum live_state state = verdict(l, rule, stalls(l, rule, &o, now_ms));
    if (state != l->state)
        l->since_ms = now_ms;
    l->state = state;
    return state;
}

void live_forget(struct live *l, int64_t now_ms)
{
    l->bad_in_a_row = 0;
    l->evidence = l->seen = l->bad = 0;
    l->worse = false;
    l->unanswered = 0;
    l->arrivals = 0;
    l->waiting_since_ms = l->silence_ms = 0;
    l->state = LIVE_NONE;
    l->since_ms = now_ms;
}
