#include "test.h"
#include "world.h"

#include <malloc.h>

/* A day in the life of the schedule: 45 targets in three environments, some of them sleeping, with
 * faults, a cut uplink and a wall clock that is set. Each slot must come out exactly once, in
 * pairs, and memory must not grow. */

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/allocator_interface.h>
#endif

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
enum { APPS = 15, N = 3 * APPS };

struct day {
    struct world world;
    struct schedule *schedule;
    struct target targets[N];
    long slots[N], at_sum[N], outcomes[SAMPLE_MISSED + 1], extra, downs, ups;
    int32_t late_max_us;
    int blind_begins, blind_ends;
    bool is_cut, was_down_while_cut;
    uint64_t dice; /* xorshift64 (Marsaglia 2003): the same day every time */
};

static uint64_t roll(struct day *d)
{
    d->dice ^= d->dice << 13;
    d->dice ^= d->dice >> 7;
    d->dice ^= d->dice << 17;
    return d->dice;
}

/* Mostly well; two targets are broken for an hour each, one hangs all day, one fails every third
 * time. */
static struct manner behave(struct world *w, const struct target *t)
{
    struct day *d = w->arg;
    struct manner m = {
        .after_us = 10000 + (int64_t)(roll(d) % 90000), .ok = true, .answered = true};
    int64_t hour = w->time.mono_us / 1000 / HOUR;
    if (d->is_cut)
        return (struct manner){.after_us = roll(d) % 2 ? WORLD_HANGS : 1000};
    if (t->series == 7)
        m.after_us = WORLD_HANGS;
    if ((t->series == 3 && hour == 4) || (t->series == 20 && hour == 15))
        m.ok = false;
    if (t->series == 30 && roll(d) % 3 == 0)
        m.ok = false;
    return m;
}

static void note(const struct probe_result *r, void *arg)
{
    struct day *d = arg;
    const struct sample *v = r->sample;
    d->outcomes[v->outcome]++;
    d->extra += v->extra;
    if (v->late_us > d->late_max_us)
        d->late_max_us = v->late_us;
    if (v->extra)
        return;
    d->slots[v->series - 1]++;
    d->at_sum[v->series - 1] += v->at_ms % 1000003;
}

static void note_change(const struct probe_change *c, void *arg)
{
    struct day *d = arg;
    d->downs += c->to == HEALTH_DOWN;
    d->ups += c->to == HEALTH_UP && c->from == HEALTH_DOWN;
    d->was_down_while_cut |= c->to == HEALTH_DOWN && d->is_cut;
}

static void note_blind(bool blind, int64_t at_ms, void *arg)
{
    struct day *d = arg;
    (void)at_ms;
    *(blind ? &d->blind_begins : &d->blind_ends) += 1;
}

static void ask_awake(const struct target *t, void *arg)
{
    struct day *d = arg;
    schedule_awake(d->schedule, t, roll(d) % 4 ? AWAKE_YES : AWAKE_NO);
}

static size_t live_bytes(void)
{
#ifdef HAS_ASAN
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

static void make_targets(struct day *d)
{
    static const char *const environments[] = {"uat", "beta", "preprod"};
    static char names[APPS][8];
    for (int i = 0; i < N; i++) {
        snprintf(names[i / 3], sizeof(names[0]), "app%d", i / 3);
        d->targets[i] = (struct target){.kind = CHECK_HTTP,
                                        .environment = environments[i % 3],
                                        .app = names[i / 3],
                                        .instance = "",
                                        .check = "health",
                                        .series = i + 1,
                                        .url = "http://x.invalid/",
                                        .every_ms = 30 * SECOND,
                                        .fast_ms = 5 * SECOND,
                                        .timeout_ms = 10 * SECOND,
                                        .slow_ms = 95,
                                        .down_after = 3,
                                        .up_after = 2};
        if (i % 3 == 2) {
            d->targets[i].sleep_after_ms = 15 * MINUTE;
            d->targets[i].wake = i % 2 ? WAKE_NEVER : WAKE_DUE;
            d->targets[i].cold_every_ms = HOUR;
            d->targets[i].cold_timeout_ms = MINUTE;
        }
    }
}

static void begin(struct day *d)
{
    static const char *const controls[] = {"http://one.invalid/", "http://two.invalid/"};
    struct err e = ERR_INIT;
    memset(d, 0, sizeof(*d));
    d->dice = UINT64_C(88172645463325252);
    world_init(&d->world, behave, d);
    d->world.time.mono_us = 0;
    make_targets(d);
    struct schedule_options o = {.controls = controls,
                                 .n_controls = 2,
                                 .awake = ask_awake,
                                 .result = note,
                                 .change = note_change,
                                 .notice = note_blind,
                                 .arg = d,
                                 .clock = &d->world.clock,
                                 .find = world_find};
    d->schedule = schedule_new(NULL, &o);
    for (int i = 0; i < N; i++)
        if (schedule_add(d->schedule, &d->targets[i], &e) < 0)
            abort();
    schedule_start(d->schedule);
}

static void a_day_comes_out_whole_and_takes_no_more_memory(void)
{
    static struct day d;
    begin(&d);
    world_pass(&d.world, d.schedule, HOUR);
    size_t after_an_hour = live_bytes();
    for (int hour = 1; hour < 24; hour++) {
        if (hour == 9 || hour == 18)
            d.world.time.wall_ms += hour == 9 ? HOUR : -HOUR;
        d.is_cut = hour == 12;
        world_pass(&d.world, d.schedule, 10 * MINUTE);
        d.is_cut = false;
        world_pass(&d.world, d.schedule, 50 * MINUTE);
    }
    world_pass(&d.world, d.schedule, 29 * SECOND); /* the last ones end */

    bool whole = true, pairs = true; /* 24 hours are 2880 slots */
    for (int i = 0; i < N; i++) {
        whole &= d.slots[i] == 2880 || d.slots[i] == 2881;
        pairs &= d.slots[i] != d.slots[i - i % 3] || d.at_sum[i] == d.at_sum[i - i % 3];
    }
    CHECK(whole && pairs && d.late_max_us == 0);
    CHECK(d.blind_begins == 1 && d.blind_ends == 1 && !d.was_down_while_cut);
    CHECK(d.downs >= 4 && d.ups >= 3 && d.extra > 0);
    CHECK(d.outcomes[SAMPLE_INCONCLUSIVE] > 0 && d.outcomes[SAMPLE_MISSED] > 0);
    CHECK(d.outcomes[SAMPLE_SLOW] > 0 && d.outcomes[SAMPLE_OK] > 80000);
    CHECK(live_bytes() <= after_an_hour + 65536);
    schedule_free(d.schedule);
    CHECK(d.world.under_way == 0);
    agenda_release(&d.world.agenda);
}

int main(void)
{
    a_day_comes_out_whole_and_takes_no_more_memory();
    return DONE();
}
