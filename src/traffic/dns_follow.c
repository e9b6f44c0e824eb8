#include "traffic/dns_inner.h"

#include "base/clock.h"
#include "net/loop.h"
#include "traffic/failover.h"

/*
 * When the name moves by itself. A change of DNS is slow and costly beside one of the proxy: caches
 * keep the old answer for its TTL. So the name moves only when another environment is the first in
 * order and stayed so for the settle time.
 */

enum { PAUSE_FIRST_MS = 1000, PAUSE_MOST_MS = 60000 };

static int64_t mono_ms(const struct dns_engine *d)
{
    return clock_mono_ms(loop_clock(d->loop));
}

/* Failing open is no reason to move: then nobody knows who is up. */
static bool carries(const struct failover_standing *s)
{
    if (s->out || s->share <= 0)
        return false;
    switch (s->state) {
    case TRAFFIC_UP:
    case TRAFFIC_DEGRADED:
    case TRAFFIC_ASLEEP:
    case TRAFFIC_SUSPECT:
        return true;
    case TRAFFIC_UNKNOWN:
    case TRAFFIC_DOWN:
    case TRAFFIC_DRAINING:
    case TRAFFIC_STATES:
        break;
    }
    return false;
}

static int first(const struct dns_engine *d, const struct failover_standing *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (carries(&s[i]) && dns_place_of(d, s[i].environment) != DNS_NONE)
            return dns_place_of(d, s[i].environment);
    return DNS_NONE;
}

static void wait_until(struct dns_engine *d, int64_t at_ms)
{
    int64_t left = at_ms - mono_ms(d);

    timer_start(d->follow, left > 0 ? left : 0);
}

/* How long until another try: what the peer asks for, what the brake says, or a growing pause. */
static int64_t pause_after(struct dns_engine *d, const struct err *e)
{
    int64_t now = clock_wall_ms(loop_clock(d->loop));
    int64_t spent = brake_next_ms(&d->brake, &d->memory, now);

    d->pause_ms = d->pause_ms ? d->pause_ms * 2 : PAUSE_FIRST_MS;
    if (d->pause_ms > PAUSE_MOST_MS || e->kind == ERR_NO)
        d->pause_ms = PAUSE_MOST_MS;
    if (e->kind == ERR_NO && !d->foreign && spent > now)
        return spent - now;
    return (int64_t)e->retry_after > d->pause_ms ? (int64_t)e->retry_after : d->pause_ms;
}

static void followed(const struct err *e, void *arg)
{
    struct dns_engine *d = arg;

    if (!e) {
        d->reached = d->wanted;
        d->pause_ms = d->next_try = 0;
    } else {
        d->reached = DNS_NONE;
        d->next_try = mono_ms(d) + pause_after(d, e);
    }
}

void dns_follow_on(struct dns_engine *d)
{
    int64_t now = mono_ms(d), settled = d->candidate_since + d->settle_ms;

    if (!d->follows || dns_is_busy(d) || d->candidate == DNS_NONE)
        return;
    if (d->candidate == d->reached) {
        if (d->phase == DNS_SETTLING)
            d->phase = DNS_IDLE;
        return;
    }
    if (now < settled) {
        if (d->phase == DNS_IDLE)
            d->phase = DNS_SETTLING;
        wait_until(d, settled);
    } else if (now < d->next_try) {
        wait_until(d, d->next_try);
    } else {
        dns_engine_want(d, d->places[d->candidate].environment, followed, d);
    }
}

void dns_engine_follow(struct dns_engine *d, const struct failover_standing *standings, size_t n)
{
    int now = first(d, standings, n);

    d->follows = true;
    if (now != d->candidate) {
        d->candidate = now;
        d->candidate_since = mono_ms(d);
        d->pause_ms = 0;
        if (!d->foreign) /* a new one need not wait for the old one's pause */
            d->next_try = 0;
    }
    dns_follow_on(d);
}
