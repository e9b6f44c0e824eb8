#include "probe/health.h"

const char *health_state_name(enum health_state s)
{
    static const char *const names[] = {
        [HEALTH_UNKNOWN] = "unknown",           [HEALTH_UP] = "up",
        [HEALTH_SUSPECT] = "suspect",           [HEALTH_DOWN] = "down",
        [HEALTH_INCONCLUSIVE] = "inconclusive",
    };
    return names[s];
}

static struct health up(int64_t since_ms)
{
    return (struct health){.state = HEALTH_UP, .since_ms = since_ms};
}

static struct health after_good(struct health h, struct health_rule rule, int64_t at_ms)
{
    if (h.state == HEALTH_UP)
        return h;
    if (h.state == HEALTH_UNKNOWN)
        return up(at_ms);
    if (h.good++ == 0)
        h.first_good_ms = at_ms;
    if (h.good < rule.up_after)
        return h;
    return up(h.first_good_ms);
}

static struct health after_bad(struct health h, struct health_rule rule, int64_t at_ms)
{
    h.good = 0;
    h.first_good_ms = 0;
    if (h.state == HEALTH_DOWN)
        return h;
    if (h.bad++ == 0)
        h.first_bad_ms = at_ms;
    if (h.state == HEALTH_UP) {
        h.state = HEALTH_SUSPECT;
        h.since_ms = at_ms;
    }
    if (h.bad < rule.down_after)
        return h;
    h.state = HEALTH_DOWN;
    h.since_ms = h.first_bad_ms;
    h.bad = 0;
    return h;
}

struct health health_next(struct health h, struct health_rule rule, enum sample_outcome outcome,
                          int64_t at_ms)
{
    switch (outcome) {
    case SAMPLE_OK:
    case SAMPLE_SLOW:
        h.inconclusive = false;
        return after_good(h, rule, at_ms);
    case SAMPLE_FAILED:
        h.inconclusive = false;
        return after_bad(h, rule, at_ms);
    case SAMPLE_INCONCLUSIVE:
        h.inconclusive = true;
        return h;
    case SAMPLE_MISSED:
        return h;
    }
    return h;
}

enum health_state health_shown(const struct health *h)
{
    return h->inconclusive ? HEALTH_INCONCLUSIVE : h->state;
}
