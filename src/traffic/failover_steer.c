#include "traffic/failover_inner.h"

#include <stdio.h>

/*
 * Who gets how much. Shares are the weights scaled so that the largest is 256 (HAProxy's largest
 * weight), whoever is out: so one environment's fall changes nobody else's number.
 */
enum { SHARE_MAX = 256, TRIAL_PART = 10 };

static bool in(const struct member *m)
{
    return !m->out && eligible(m);
}

static int largest_weight(const struct failover *f)
{
    int largest = 1;
    for (size_t i = 0; i < f->n; i++)
        if (!reserve(&f->members[i]) && weight_now(&f->members[i]) > largest)
            largest = weight_now(&f->members[i]);
    return largest;
}

static int scaled(int weight, int largest)
{
    int share = (weight * SHARE_MAX + largest / 2) / largest;
    return share ? share : weight > 0;
}

/* The first backup that is in; a fit one if there is one. */
static size_t pick_reserve(const struct failover *f)
{
    size_t unfit = SIZE_MAX;
    for (size_t i = 0; i < f->n; i++) {
        const struct member *m = &f->members[i];
        if (!reserve(m) || !in(m))
            continue;
        if (!m->unfit || !f->refuse_unfit)
            return i;
        if (unfit == SIZE_MAX)
            unfit = i;
    }
    return unfit;
}

struct picture { /* what the steering is made from */
    int largest;
    int missing; /* weight of those that do not take their full part */
    int carried; /* weight of those that do */
    bool any;    /* one of weight is in */
};

static struct picture look(struct failover *f)
{
    struct picture p = {.largest = largest_weight(f)};
    bool absent = false;

    for (size_t i = 0; i < f->n; i++)
        absent |= !reserve(&f->members[i]) && weight_now(&f->members[i]) > 0 && !in(&f->members[i]);
    for (size_t i = 0; i < f->n; i++) {
        struct member *m = &f->members[i];
        if (!absent)
            m->unfit = false; /* nobody is asked to take more than its share */
        if (reserve(m))
            continue;
        p.any |= in(m);
        if (in(m) && !m->trial_until_ms && !(m->unfit && f->refuse_unfit))
            p.carried += weight_now(m);
        else if (!in(m) || m->trial_until_ms)
            p.missing += weight_now(m);
    }
    return p;
}

static void set_shares(struct failover *f, const struct picture *p, size_t helper)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct member *m = &f->members[i];
        int *share = &f->standings[i].share;
        *share = 0;
        if (!reserve(m) && in(m))
            *share = scaled(weight_now(m), p->largest);
    }
    if (helper != SIZE_MAX) {
        int share = scaled(p->missing, p->largest);
        f->standings[helper].share = share > SHARE_MAX ? SHARE_MAX : share > 0 ? share : 1;
    }
}

/* On trial: a tenth of all that is given, and of its own share at most. */
static void lessen(struct failover *f)
{
    int others = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!f->members[i].trial_until_ms)
            others += f->standings[i].share;
    for (size_t i = 0; i < f->n && others; i++) {
        int *share = &f->standings[i].share;
        int least = *share < others ? *share : others;
        if (f->members[i].trial_until_ms && *share)
            *share = least > TRIAL_PART ? least / TRIAL_PART : 1;
    }
}

static bool nothing_known(const struct failover *f)
{
    bool blind = false;
    for (size_t i = 0; i < f->n; i++) {
        const struct member *m = &f->members[i];
        if (m->seen || m->out || m->order.set)
            return false;
        blind |= m->finding.finding == FINDING_INVALID;
    }
    return blind;
}

/* By the configured weights; the first backup where they sum to nothing. Returns false when there
 * is nobody. */
static bool share_out(struct failover *f, int largest, bool down_too)
{
    size_t backup = SIZE_MAX;
    bool any = false;

    for (size_t i = 0; i < f->n; i++) {
        const struct member *m = &f->members[i];
        if (!eligible(m) || (m->state == TRAFFIC_DOWN && !down_too))
            continue;
        if (reserve(m) && backup == SIZE_MAX)
            backup = i;
        f->standings[i].share = reserve(m) ? 0 : scaled(weight_now(m), largest);
        any |= !reserve(m);
    }
    if (!any && backup != SIZE_MAX)
        f->standings[backup].share = SHARE_MAX;
    return any || backup != SIZE_MAX;
}

/* Nobody is in. Those that nobody calls down are tried, else all but what a person took out. */
static void open_up(struct failover *f, int largest)
{
    bool some = share_out(f, largest, false);

    if (!some)
        (void)share_out(f, largest, true);
    f->open = true;
    (void)snprintf(f->open_why, sizeof f->open_why, "%s",
                   some ? "nobody is known to answer: traffic goes by the configured weights to "
                          "those that are not called down"
                        : "every environment is down: traffic goes by the configured weights");
}

static void show(const struct failover *f, const struct member *m, struct failover_standing *s)
{
    s->state = m->state;
    s->since_ms = m->since_ms;
    s->out = s->share == 0 && (m->out || !eligible(m));
    s->in_use_as_backup = reserve(m) && s->share > 0;
    s->ordered = m->order.set;
    s->order_until_ms = m->order.set ? m->order.until_ms : 0;
    s->well_since_ms = m->well_since_ms;
    s->hold_ms = m->hold_ms;
    s->back_at_ms = hold_back_at(m);
    s->flaps = hold_flaps(f, m);
    s->reason = m->reason;
}

void failover_steer(struct failover *f)
{
    struct picture p = look(f);
    size_t helper = p.carried > 0 ? SIZE_MAX : pick_reserve(f);

    f->open = false;
    f->open_why[0] = '\0';
    set_shares(f, &p, helper);
    lessen(f);
    if (!p.any && helper == SIZE_MAX)
        open_up(f, p.largest);
    else if (nothing_known(f)) {
        f->open = true;
        (void)snprintf(f->open_why, sizeof f->open_why,
                       "no observer is valid, and nothing is known yet: traffic goes by the "
                       "configured weights");
    }
    for (size_t i = 0; i < f->n; i++)
        show(f, &f->members[i], &f->standings[i]);
}

size_t failover_standby(const struct failover *f)
{
    return pick_reserve(f);
}

size_t failover_next(const struct failover *f, size_t member)
{
    for (size_t i = 0; i < f->n; i++)
        if (i != member && !reserve(&f->members[i]) && in(&f->members[i]) &&
            f->members[i].state != TRAFFIC_DOWN)
            return i;
    for (size_t i = 0; i < f->n; i++)
        if (i != member && reserve(&f->members[i]) && in(&f->members[i]) &&
            f->members[i].state != TRAFFIC_DOWN)
            return i;
    return SIZE_MAX;
}
