#include "traffic/dns_inner.h"

#include "base/clock.h"
#include "net/loop.h"

#include <string.h>

/*
 * The tail: clients, and the resolvers before them, that keep the old answer for its TTL and often
 * longer. Seen in the requests that still come to the other environments.
 */

/* Rates are over at least this; one that was not fed for so long says nothing. */
enum { RATE_MS = 1000, STALE_MS = 10000 };

void dns_engine_seen(struct dns_engine *d, const char *environment, uint64_t requests_total,
                     int64_t at_ms)
{
    int place = dns_place_of(d, environment);
    struct dns_tail *t;

    if (place == DNS_NONE)
        return;
    t = &d->places[place].tail;
    if (!t->known || requests_total < t->last || at_ms < t->last_at) {
        *t = (struct dns_tail){.known = true,
                               .last = requests_total,
                               .base = requests_total,
                               .last_at = at_ms,
                               .base_at = at_ms,
                               .rate = -1};
        return;
    }
    if (requests_total > t->last && dns_place_now(d) != place && d->memory.changed_at)
        d->tail_until = clock_wall_ms(loop_clock(d->loop));
    t->last = requests_total;
    t->last_at = at_ms;
    if (at_ms - t->base_at < RATE_MS)
        return;
    t->rate = (double)(requests_total - t->base) * 1000.0 / (double)(at_ms - t->base_at);
    t->base = requests_total;
    t->base_at = at_ms;
}

static double tail_per_second(const struct dns_engine *d)
{
    int now = dns_place_now(d);
    int64_t newest = 0;
    double sum = -1;

    if (now == DNS_NONE)
        return -1;
    for (size_t i = 0; i < d->n_places; i++)
        if (d->places[i].tail.last_at > newest)
            newest = d->places[i].tail.last_at;
    for (size_t i = 0; i < d->n_places; i++) {
        const struct dns_tail *t = &d->places[i].tail;

        if ((int)i == now || t->rate < 0 || newest - t->last_at > STALE_MS)
            continue;
        sum = sum < 0 ? t->rate : sum + t->rate;
    }
    return sum;
}

void dns_engine_summary(const struct dns_engine *d, struct dns_summary *ret)
{
    const struct clock *clock = loop_clock(d->loop);
    int64_t wall = clock_wall_ms(clock), left = d->next_try - clock_mono_ms(clock);
    int place = dns_place_now(d);

    *ret = (struct dns_summary){
        .host = d->host,
        .phase = d->phase,
        .answer = d->was_read ? d->answer_text : "",
        .environment = place == DNS_NONE ? "" : d->places[place].environment,
        .wanted = d->wanted == DNS_NONE ? "" : d->places[d->wanted].environment,
        .why = d->why,
        .foreign = d->foreign,
        .ttl_s = d->found.n ? d->found.list[0].ttl_s : 0,
        .changed_at = d->memory.changed_at,
        .looked_at = d->read_at,
        .tail_per_second = tail_per_second(d),
        .tail_until = d->tail_until,
        .changes_left = brake_left(&d->brake, &d->memory, wall),
        .next_change_at = brake_next_ms(&d->brake, &d->memory, wall),
        .next_try_at = d->next_try && left > 0 ? wall + left : 0,
    };
}
