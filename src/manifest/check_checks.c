#include "manifest/parse.h"

#include "base/text.h"

#include <string.h>

/* Checks of `checks:`: times that can never fit, and what a kind of check cannot do without. */

enum { COLD_EVERY_MS = 6 * 3600 * 1000 };

struct times {
    char every[32], fast[32], down[32], timeout[32], hold[32], slow[32];
};

static void format_times(const struct manifest_check *k, struct times *ret)
{
    text_format_duration(k->every_ms, ret->every);
    text_format_duration(k->fast_ms, ret->fast);
    text_format_duration(k->down_ms, ret->down);
    text_format_duration(k->timeout_ms, ret->timeout);
    text_format_duration(k->hold_ms, ret->hold);
    text_format_duration(k->slow_ms, ret->slow);
}

/* A probe must have ended when the next one of its target is meant to begin. */
static void check_timeout(struct reading *r, const struct manifest_check *k, struct complaint c,
                          const struct times *t)
{
    c.key = "timeout";
    c.member = &k->timeout_ms;
    if (k->timeout_ms > k->every_ms)
        complain(r, &c,
                 "%s is over the interval, %s: a probe would still run when the next is due; make "
                 "it shorter, or `every` longer",
                 t->timeout, t->every);
    else if (k->fast_ms && k->timeout_ms > k->fast_ms)
        complain(r, &c,
                 "%s is over `fast`, %s: a probe would still run when the next is due; make it "
                 "shorter, or `fast` longer",
                 t->timeout, t->fast);
    c.key = "slow";
    c.member = &k->slow_ms;
    if (k->slow_ms > k->timeout_ms)
        complain(r, &c, "%s is over the timeout, %s, so nothing could be slow; make it shorter",
                 t->slow, t->timeout);
    c.key = "hold";
    c.member = &k->hold_ms;
    if (k->kind == CHECK_WEBSOCKET && k->hold_ms >= k->timeout_ms)
        complain(r, &c,
                 "%s does not fit into the timeout, %s, which begins before the connection is "
                 "open; make it shorter, or `timeout` longer",
                 t->hold, t->timeout);
}

static void check_intervals(struct reading *r, const struct manifest_check *k, struct complaint c,
                            const struct times *t)
{
    c.key = "fast";
    c.member = &k->fast_ms;
    if (k->fast_ms > k->every_ms)
        complain(r, &c, "%s is over `every`, %s: suspicion would slow the check; make it shorter",
                 t->fast, t->every);
    c.key = "down";
    c.member = &k->down_ms;
    if (k->down_ms && k->down_ms < k->every_ms)
        complain(r, &c,
                 "%s is under `every`, %s: what is down would be asked more often than what is up; "
                 "make it longer, or give `fast`",
                 t->down, t->every);
    c.key = "cold_every";
    c.member = &k->cold_every_ms;
    if (was_given(r, &k->cold_every_ms) && k->wake != WAKE_DUE)
        complain(r, &c, "has a meaning with `wake: due` only; add that, or remove it");
}

static void check_check(struct reading *r, struct manifest_check *k)
{
    struct complaint c = {"checks", k->name, "", NULL, k->place};
    struct times t;

    /* A given timeout is kept and judged; the default one gives way to a short interval. */
    if (!was_given(r, &k->timeout_ms) && k->timeout_ms > k->every_ms)
        k->timeout_ms = k->every_ms;
    if (k->wake == WAKE_DUE && !k->cold_every_ms && !was_refused(r, &k->cold_every_ms))
        k->cold_every_ms = COLD_EVERY_MS;
    format_times(k, &t);
    require_match(r, c, &k->app);
    require_environments(r, c, "environments", k->environments, k->n_environments);
    if (k->kind == CHECK_CORS && !*k->origin)
        complain(r, &c, "a cors check needs \"origin\": the origin that must be allowed");
    if (k->kind == CHECK_TCP && !k->port)
        complain(r, &c, "a tcp check needs \"port\"");
    if (was_refused(r, &k->every_ms) || was_refused(r, &k->timeout_ms) ||
        was_refused(r, &k->fast_ms) || was_refused(r, &k->hold_ms))
        return; /* judged once they can be read */
    check_timeout(r, k, c, &t);
    check_intervals(r, k, c, &t);
}

void manifest_check_checks(struct reading *r)
{
    for (size_t i = 0; i < r->m->n_checks; i++)
        check_check(r, &r->m->checks[i]);
}
