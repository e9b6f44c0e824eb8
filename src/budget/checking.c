#include "budget/checking.h"

#include <math.h>

enum { DAY_MS = 24 * 3600 * 1000 };

static const double month_ms = MONTH_HOURS * 3600000.0;

/* Hours a month for which the allowance lets one such service be awake. */
static double affordable_hours(const struct allowances *a, const struct checking *c)
{
    struct traffic always = {.awake_hours = MONTH_HOURS, .hosts = c->hosts, .paid = c->paid};
    struct allowance_share s;

    allowance_share_of_month(a, c->platform, &always, &s);
    return s.known && s.share > 1 ? MONTH_HOURS / s.share : MONTH_HOURS;
}

/* The share of the month in which it is awake for these checks alone. */
static double awake_share(const struct checking *c)
{
    if (c->every_ms <= 0 || c->sleep_after_ms <= 0 || c->no_request || c->stops_when_asleep)
        return 0;
    return c->every_ms <= c->sleep_after_ms ? 1 : (double)c->sleep_after_ms / (double)c->every_ms;
}

/* The tails of checks that stop, behind waking times whose sum u nobody knows: at most u / TAIL.
 * They are no longer than what is left of the month, and others cannot keep it awake for longer
 * than its allowance goes. */
static double tail_hours(const struct allowances *a, const struct checking *c)
{
    if (c->every_ms <= 0 || c->sleep_after_ms <= 0 || c->no_request || !c->stops_when_asleep)
        return 0;
    double most = (double)MONTH_HOURS / (CHECKING_TAIL + 1);
    double left = (1 - c->awake_anyway) * MONTH_HOURS;
    return fmin(fmin(most, left), affordable_hours(a, c) / CHECKING_TAIL);
}

/* Of the service of list[i], when that is its first check; else 0, for it was counted. */
static double service_hours(const struct allowances *a, const struct checking *list, size_t n,
                            size_t i)
{
    double share = 0, tail = 0, anyway = list[i].awake_anyway;

    for (size_t k = 0; k < i; k++)
        if (list[k].service == list[i].service)
            return 0;
    for (size_t k = i; k < n; k++) {
        if (list[k].service != list[i].service)
            continue;
        share += awake_share(&list[k]);
        tail = fmax(tail, tail_hours(a, &list[k]));
    }
    double hours = fmin(share, 1) * (1 - anyway) * MONTH_HOURS;
    return fmin(hours + tail, (1 - anyway) * MONTH_HOURS);
}

void checking_price_all(const struct allowances *a, const struct checking *list, size_t n,
                        struct checking_price *ret)
{
    unsigned hosts = 0;

    *ret = (struct checking_price){0};
    for (size_t i = 0; i < n; i++) {
        const struct checking *c = &list[i];
        double looks = c->every_ms > 0 ? month_ms / (double)c->every_ms : 0;
        int64_t bytes = c->request_bytes ? c->request_bytes : CHECKING_BYTES;
        ret->requests += c->no_request ? 0 : looks;
        ret->bytes += c->no_request || bytes < 0 ? 0 : looks * (double)bytes;
        ret->commands += looks * c->commands;
        ret->awake_hours += service_hours(a, list, n, i);
        hosts |= c->hosts;
    }
    struct traffic t = {.requests = ret->requests,
                        .bytes = ret->bytes,
                        .commands = ret->commands,
                        .awake_hours = ret->awake_hours,
                        .hosts = hosts,
                        .paid = list[0].paid};
    allowance_share_of_month(a, list[0].platform, &t, &ret->worst);
}

void checking_price(const struct allowances *a, const struct checking *c,
                    struct checking_price *ret)
{
    checking_price_all(a, c, 1, ret);
}

void checking_price_tuned(const struct allowances *a, const struct checking *c,
                          struct checking_price *ret)
{
    struct checking tuned = *c;

    tuned.every_ms = CHECKING_TUNED_MS;
    tuned.stops_when_asleep = false;
    checking_price(a, &tuned, ret);
}

int64_t checking_interval(int64_t detect_ms, int down_after)
{
    int64_t confirm_ms = (down_after > 1 ? down_after - 1 : 0) * (int64_t)CHECKING_CONFIRM_MS;
    int64_t left_ms = detect_ms - confirm_ms - CHECKING_ANSWER_MS;

    return left_ms > CHECKING_CONFIRM_MS ? left_ms : CHECKING_CONFIRM_MS;
}

static bool fits(const struct allowances *a, struct checking c, double budget, int64_t every_ms,
                 bool stops)
{
    struct checking_price p;

    c.every_ms = every_ms;
    c.stops_when_asleep = stops;
    checking_price(a, &c, &p);
    return !p.worst.known || p.worst.share <= budget;
}

/* The price falls as the interval grows: halving finds the shortest that fits; 0: none. */
static int64_t shortest(const struct allowances *a, const struct checking *c, double budget,
                        int64_t least_ms, bool stops)
{
    int64_t too_short = least_ms, enough = least_ms > DAY_MS ? least_ms : DAY_MS;

    if (fits(a, *c, budget, least_ms, stops))
        return least_ms;
    if (!fits(a, *c, budget, enough, stops))
        return 0;
    while (enough - too_short > 1) {
        int64_t middle = too_short + (enough - too_short) / 2;
        if (fits(a, *c, budget, middle, stops))
            enough = middle;
        else
            too_short = middle;
    }
    return enough;
}

int64_t checking_pace(const struct allowances *a, const struct checking *c, double budget,
                      int64_t least_ms, bool *ret_stops_when_asleep)
{
    int64_t least = least_ms > 1 ? least_ms : 1;
    int64_t always = shortest(a, c, budget, least, false);
    int64_t stopping = c->sleep_after_ms > 0 ? shortest(a, c, budget, least, true) : 0;

    *ret_stops_when_asleep = stopping > 0 && (always == 0 || stopping < always);
    return *ret_stops_when_asleep ? stopping : always;
}
