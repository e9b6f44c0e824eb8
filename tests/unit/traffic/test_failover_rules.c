#include "traffic/failover.h"

#include "compare/random.h"
#include "test.h"

#include <stdlib.h>

/*
 * Random sequences of all that can happen to a route, and after each step the rules of failover.h,
 * stated again here from what was put in: findings, live traffic, orders and times.
 *
 * 100,000 sequences; TRINE_LONG=1 runs a million.
 */
enum { MEMBERS_MAX = 6, HOLD_MS = 30 * 1000 };

struct known { /* what the test has told of one environment, and what it was told */
    const char *name;
    int weight;
    bool backup, sleeps, fit;
    struct quorum_finding finding; /* the last one; NONE: never seen */
    enum live_state live;
    bool asleep;
    bool ordered;
    enum order_kind order;
    int order_weight;
    int64_t order_until;
    /* From the changes. */
    bool out;
    int falls;
    int64_t hold, back_at, well_since; /* in time passed; -1 = not */
    int share;
};

struct run {
    struct random r;
    struct failover *f;
    struct known k[MEMBERS_MAX];
    size_t n;
    bool refuse;
    int64_t now, passed; /* wall; and without what went back */
    bool trace;          /* tell every change; TRINE_SEED=N runs that sequence alone */
    const char *broken;
};

static const char *const names[MEMBERS_MAX] = {"uat", "beta", "preprod", "eu", "us", "asia"};

static void broken(struct run *t, const char *what)
{
    if (!t->broken)
        t->broken = what;
}

/* --- The rules, stated again -------------------------------------------------------------------
 */

static bool above(const struct known *k)
{
    return k->ordered && k->order != ORDER_WEIGHT;
}

static int weight(const struct known *k)
{
    return k->ordered && k->order == ORDER_WEIGHT ? k->order_weight : k->weight;
}

static bool plays(const struct known *k)
{
    if (k->ordered && (k->order == ORDER_DRAIN || k->order == ORDER_DOWN))
        return false;
    return weight(k) > 0 || (k->backup && !(k->ordered && k->order == ORDER_WEIGHT));
}

static bool live_fine(const struct known *k)
{
    return k->live == LIVE_NONE || k->live == LIVE_GOOD;
}

static bool up(const struct known *k)
{
    return plays(k) && ((k->ordered && k->order == ORDER_UP) ||
                        (k->finding.finding == FINDING_UP && live_fine(k)));
}

static bool called_down(const struct known *k)
{
    return !above(k) && k->finding.finding == FINDING_DOWN;
}

/* Answers as far as anybody knows, be it after waking or with errors. */
static bool may_answer(const struct known *k)
{
    if (!plays(k) || called_down(k))
        return false;
    return above(k) || k->finding.finding == FINDING_UP || k->finding.finding == FINDING_SUSPECT ||
           k->asleep || k->live == LIVE_GOOD || k->live == LIVE_ERRORS;
}

static bool another(const struct run *t, size_t i, bool (*is)(const struct known *))
{
    for (size_t k = 0; k < t->n; k++)
        if (k != i && is(&t->k[k]))
            return true;
    return false;
}

static bool another_up_and_fit(const struct run *t, size_t i)
{
    for (size_t k = 0; k < t->n; k++)
        if (k != i && up(&t->k[k]) && (t->k[k].fit || !t->refuse))
            return true;
    return false;
}

static bool well(const struct known *k)
{
    if (k->finding.finding == FINDING_DOWN || k->finding.finding == FINDING_SUSPECT ||
        !live_fine(k))
        return false;
    if (k->asleep)
        return k->well_since >= 0 || k->finding.finding == FINDING_UP;
    return k->finding.finding == FINDING_UP || k->live == LIVE_GOOD;
}

/* Called with a change that takes one out. */
static void rule_1(struct run *t, size_t i)
{
    const struct known *k = &t->k[i];

    if (called_down(k) && k->finding.active_only && !another(t, i, may_answer))
        broken(t, "1: the last that answers was taken out on checks alone");
}

/* Traffic is withheld only from what was taken out by a row, or by a person. */
static void nothing_withheld(struct run *t, size_t i, const struct failover_standing *s)
{
    const struct known *k = &t->k[i];
    bool its_turn = plays(k) && weight(k) > 0 && !k->out;

    if (its_turn && s->share == 0)
        broken(t, "traffic is withheld without a change that says so");
    if (k->out && s->share > 0 && !failover_is_open(t->f))
        broken(t, "traffic to one that was taken out");
}

static void rule_2(struct run *t, size_t i, const struct failover_standing *s)
{
    if (called_down(&t->k[i]) && s->share > 0 && another_up_and_fit(t, i))
        broken(t, "2: one that is down gets traffic while another is up");
}

static void rule_3(struct run *t, const struct failover_standing *s)
{
    bool all_down = true;

    if (!failover_is_open(t->f))
        return;
    for (size_t i = 0; i < t->n; i++)
        all_down &= !plays(&t->k[i]) || s[i].state == TRAFFIC_DOWN;
    for (size_t i = 0; i < t->n; i++) {
        const struct known *k = &t->k[i];
        if (plays(k) && (up(k) || s[i].state == TRAFFIC_UP || s[i].state == TRAFFIC_ASLEEP ||
                         s[i].state == TRAFFIC_SUSPECT))
            broken(t, "3: fails open though one answers");
        if (all_down && plays(k) && !k->backup && (s[i].share > 0) != (weight(k) > 0))
            broken(t, "3: open, and not by the configured weights");
        if (!all_down && s[i].state == TRAFFIC_DOWN && s[i].share > 0)
            broken(t, "3: open, and to one that is down beside others that are not");
    }
}

static void rule_5(struct run *t, size_t i, const struct failover_standing *s)
{
    const struct known *k = &t->k[i];

    if (s->ordered != k->ordered)
        broken(t, "5: an order was lost, or outlived its end");
    if (k->ordered && (k->order == ORDER_DRAIN || k->order == ORDER_DOWN) && s->share > 0)
        broken(t, "5: traffic against an order");
    if (k->ordered && k->order == ORDER_UP && s->share == 0 && k->weight > 0)
        broken(t, "5: no traffic where an order says up");
    if ((s->state == TRAFFIC_DRAINING) != (k->ordered && k->order == ORDER_DRAIN))
        broken(t, "5: draining without an order, or the reverse");
}

static void check_rules(struct run *t)
{
    size_t n;
    const struct failover_standing *s = failover_standings(t->f, &n);
    int sum = 0;

    for (size_t i = 0; i < n; i++) {
        nothing_withheld(t, i, &s[i]);
        rule_2(t, i, &s[i]);
        rule_5(t, i, &s[i]);
        if (s[i].share < 0 || s[i].share > 256 || (s[i].out && s[i].share))
            broken(t, "a share that makes no sense");
        sum += s[i].share;
    }
    rule_3(t, s);
    if (sum == 0)
        broken(t, "nobody gets anything");
    for (size_t i = 0; i < n; i++)
        t->k[i].share = s[i].share;
}

/* --- Rule 4, from the changes ------------------------------------------------------------------
 */

static void fell(struct run *t, struct known *k)
{
    bool again = k->back_at >= 0 && t->passed - k->back_at <= HOLD_MEMORY_MS;

    k->out = true;
    k->falls = again ? k->falls + 1 : 1;
    k->hold = HOLD_MS;
    for (int i = 1; i < k->falls && k->hold < HOLD_MAX_MS; i++)
        k->hold *= 2;
    if (k->hold > HOLD_MAX_MS)
        k->hold = HOLD_MAX_MS;
    k->well_since = -1;
}

/* An order that ends or is replaced is told before what follows from its end. */
static bool by_order(const struct failover_change *c)
{
    return c->row->event == EVENT_DRAIN || strncmp(c->reason, "by order", 8) == 0;
}

static void came_back(struct run *t, struct known *k, const struct failover_change *c)
{
    bool held = k->well_since >= 0 && t->passed - k->well_since >= k->hold;
    bool early = strstr(c->reason, "before its hold time is over") != NULL;

    if (!k->out)
        return; /* its trial is over */
    if (!held && !early && !by_order(c))
        broken(t, "4: back before its hold time");
    if (early && another(t, (size_t)(k - t->k), up))
        for (size_t i = 0; i < t->n; i++)
            if (&t->k[i] != k && up(&t->k[i]) && !t->k[i].out)
                broken(t, "4: back before its hold time though another was up");
    k->out = false;
    k->back_at = t->passed;
    k->well_since = -1;
}

static void on_change(const struct failover_change *c, void *arg)
{
    struct run *t = arg;
    struct known *k = t->k;

    if (t->trace)
        printf("# %lld %s: %s -%s-> %s, %u: %s\n", (long long)c->at_ms, c->environment,
               traffic_state_name(c->row->from), traffic_event_name(c->row->event),
               traffic_state_name(c->row->to), c->action, c->reason);

    while (strcmp(k->name, c->environment) != 0)
        k++;
    if ((c->action & ACTION_TAKE_OUT) && !by_order(c)) {
        rule_1(t, (size_t)(k - t->k));
        fell(t, k);
    }
    if (c->action & ACTION_BRING_BACK)
        came_back(t, k, c);
    if (c->row->to != c->row->from)
        k->well_since = -1;
    /* What was seen while an order stood above it counts from the order's end. */
    if (c->row->event == EVENT_RESTORE && k->out && well(k))
        k->well_since = t->passed;
}

/* --- Random sequences --------------------------------------------------------------------------
 */

static void fitness(const char *environment, struct fitness_answer *ret, void *arg)
{
    const struct run *t = arg;
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->k[i].name, environment) == 0)
            ret->fit = t->k[i].fit ? FIT_YES : FIT_NO;
}

static void begin(struct run *t)
{
    struct failover_member members[MEMBERS_MAX] = {0};
    bool some_unfit = random_below(&t->r, 4) == 0;
    struct err e = ERR_INIT;

    t->n = 2 + random_below(&t->r, MEMBERS_MAX - 1);
    t->refuse = random_below(&t->r, 2);
    t->now = 1000000000;
    t->passed = 0;
    for (size_t i = 0; i < t->n; i++) {
        bool backup = i > 0 && random_below(&t->r, 2);
        int share = backup ? 0 : 1 + (int)random_below(&t->r, 100);
        bool sleeps = random_below(&t->r, 3) == 0;
        members[i] = (struct failover_member){names[i], share, backup, sleeps};
        t->k[i] = (struct known){.name = names[i],
                                 .weight = share,
                                 .backup = backup,
                                 .sleeps = sleeps,
                                 .fit = !some_unfit || random_below(&t->r, 2),
                                 .back_at = -1,
                                 .well_since = -1};
    }
    struct failover_options o = {.route = "api",
                                 .members = members,
                                 .n_members = t->n,
                                 .hold_ms = HOLD_MS,
                                 .refuse_unfit = t->refuse,
                                 .fitness = some_unfit ? fitness : NULL,
                                 .arg = t};
    t->f = failover_new(&o, t->now, &e);
    if (!t->f)
        abort();
}

static void orders_end(struct run *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct known *k = &t->k[i];
        if (k->ordered && k->order_until && t->now >= k->order_until) {
            k->well_since = above(k) ? -1 : k->well_since;
            k->ordered = false;
        }
    }
}

static void pass_time(struct run *t)
{
    static const int64_t steps[] = {0,       50,          1000,       5000,
                                    HOLD_MS, HOLD_MS * 2, 600 * 1000, 2 * HOLD_MEMORY_MS};
    int64_t step = steps[random_below(&t->r, sizeof steps / sizeof steps[0])];

    if (random_below(&t->r, 30) == 0) {
        t->now -= (int64_t)random_below(&t->r, 100000);
        return;
    }
    t->now += step;
    t->passed += step;
}

static void observe(struct run *t, size_t i, enum finding finding)
{
    static const enum live_state lives[] = {LIVE_NONE, LIVE_NONE,   LIVE_GOOD,   LIVE_GOOD,
                                            LIVE_BAD,  LIVE_ERRORS, LIVE_STALLED};
    struct known *k = &t->k[i];

    k->finding.finding = finding;
    k->live = random_below(&t->r, 2) ? lives[random_below(&t->r, 7)]
                                     : (enum live_state)(random_below(&t->r, 2) * LIVE_GOOD);
    k->asleep = k->sleeps && random_below(&t->r, 3) == 0;
    k->finding.active_only = finding == FINDING_DOWN && live_fine(k);
    bool was = k->well_since >= 0;
    if (above(k) || !well(k))
        k->well_since = above(k) ? k->well_since : -1;
    else if (!was)
        k->well_since = t->passed;
    if (t->trace)
        printf("# %lld %s: finding %s, live %s%s\n", (long long)t->now, k->name,
               finding_name(finding), live_state_name(k->live), k->asleep ? ", asleep" : "");
    failover_observe(t->f, i, &k->finding, k->live, k->asleep, t->now, on_change, t);
    if (!above(k) && well(k) && k->well_since < 0)
        k->well_since = t->passed;
}

static void order(struct run *t, size_t i)
{
    struct known *k = &t->k[i], before = *k;
    struct err e = ERR_INIT;
    enum order_kind kind = (enum order_kind)random_below(&t->r, ORDER_NONE + 1);
    int w = (int)random_below(&t->r, 3) * 40;
    int64_t until = random_below(&t->r, 2) ? t->now + 1 + (int64_t)random_below(&t->r, 90000) : 0;

    /* Changes come while the order is made: the old one has ended, the new one is in force. */
    k->well_since = above(k) ? -1 : k->well_since;
    k->ordered = kind != ORDER_NONE;
    k->order = kind;
    k->order_weight = w;
    k->order_until = until;
    bool nobody = !another(t, SIZE_MAX, plays);
    int rc = failover_order(t->f, k->name, kind, w, until, t->now, on_change, t, &e);
    if ((rc < 0) != nobody)
        broken(t, "an order was refused that leaves somebody, or the reverse");
    if (rc < 0)
        *k = before;
}

static void blind(struct run *t)
{
    for (size_t i = 0; i < t->n && !t->broken; i++) {
        observe(t, i, FINDING_INVALID);
        check_rules(t);
    }
}

static void step(struct run *t)
{
    static const enum finding findings[] = {FINDING_UP,   FINDING_UP,      FINDING_UP,
                                            FINDING_DOWN, FINDING_SUSPECT, FINDING_DOWN};
    size_t i = random_below(&t->r, t->n), what = random_below(&t->r, 20);

    pass_time(t);
    orders_end(t);
    failover_tick(t->f, t->now, on_change, t);
    if (failover_next_ms(t->f) <= t->now)
        broken(t, "a tick left something to do now");
    check_rules(t);
    if (what == 0)
        order(t, i);
    else if (what == 1)
        blind(t);
    else if (what < 18)
        observe(t, i, findings[random_below(&t->r, sizeof findings / sizeof findings[0])]);
    check_rules(t);
}

static bool sequence(uint64_t seed, bool trace)
{
    struct run t = {.trace = trace};

    random_seed(&t.r, seed);
    begin(&t);
    check_rules(&t);
    size_t steps = 4 + random_below(&t.r, random_below(&t.r, 5) ? 9 : 40);
    for (size_t i = 0; i < steps && !t.broken; i++)
        step(&t);
    failover_free(t.f);
    if (t.broken)
        printf("# sequence %llu: rule %s\n", (unsigned long long)seed, t.broken);
    return !t.broken;
}

static void random_sequences_of_events_never_break_the_rules(void)
{
    const char *all = getenv("TRINE_LONG"), *one = getenv("TRINE_SEED");

    if (one) {
        CHECK(sequence(strtoull(one, NULL, 10), true));
        return;
    }
    uint64_t n = all && all[0] ? 1000 * 1000 : 100 * 1000, bad = 0;

    for (uint64_t i = 0; i < n && bad < 5; i++)
        bad += !sequence(i + 1, false);
    printf("# %llu sequences\n", (unsigned long long)n);
    CHECK(bad == 0);
}

int main(void)
{
    random_sequences_of_events_never_break_the_rules();
    return DONE();
}
