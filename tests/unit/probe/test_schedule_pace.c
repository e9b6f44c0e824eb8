#include "schedule_rig.h"

/* Probes beside the clock: as often as ordered, and no more than that. */

enum { ANSWERED = 100 }; /* ms: what was begun has been answered by then */

static int64_t in_us(const struct fixture *f, int64_t ms)
{
    return f->world.time.mono_us + ms * 1000;
}

static void a_pace_asks_beside_the_clock_and_moves_the_state(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop")->every_ms = MINUTE;
    start(&f);
    CHECK(schedule_pace(f.schedule, 1, 2 * SECOND, 0) && !schedule_pace(f.schedule, 9, 1, 0));
    pass(&f, MINUTE - SECOND);
    CHECK(f.tallies[0].extra == 29 && slots_of(&f.tallies[0]) == 1);
    CHECK(f.tallies[0].covers_ms == MINUTE);
    f.manners[0] = sick;
    int64_t from = f.world.time.wall_ms;
    pass(&f, 5 * SECOND + 100); /* the slot at 60 s, then 62 s and 64 s */
    CHECK(f.tallies[0].state == HEALTH_DOWN && f.tallies[0].since_ms <= from + 2 * SECOND);
    f.manners[0] = well;
    pass(&f, 4 * SECOND);
    CHECK(f.tallies[0].state == HEALTH_UP);
    fixture_release(&f);
}

static void a_pace_ends_at_its_time_or_when_it_is_taken_back(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop")->every_ms = HOUR;
    start(&f);
    pass(&f, SECOND);
    schedule_pace(f.schedule, 1, SECOND, in_us(&f, 10 * SECOND + 500));
    pass(&f, 10 * MINUTE);
    CHECK(f.tallies[0].extra == 11);
    schedule_pace(f.schedule, 1, SECOND, 0);
    pass(&f, 5 * SECOND + ANSWERED);
    CHECK(f.tallies[0].extra == 17);
    schedule_pace(f.schedule, 1, 0, 0);
    pass(&f, 10 * MINUTE);
    CHECK(f.tallies[0].extra == 17 && slots_of(&f.tallies[0]) == 1);
    fixture_release(&f);
}

static void a_faster_pace_counts_from_the_last_look(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop")->every_ms = HOUR;
    start(&f);
    schedule_pace(f.schedule, 1, 10 * SECOND, 0);
    pass(&f, 13 * SECOND); /* the slot at 0, one at 10 s */
    CHECK(f.tallies[0].extra == 1);
    schedule_pace(f.schedule, 1, 5 * SECOND, in_us(&f, MINUTE));
    pass(&f, 2 * SECOND + ANSWERED);
    CHECK(f.tallies[0].extra == 2);
    schedule_pace(f.schedule, 1, SECOND, in_us(&f, MINUTE));
    pass(&f, SECOND - ANSWERED - 1);
    CHECK(f.tallies[0].extra == 2);
    pass(&f, 1 + ANSWERED);
    CHECK(f.tallies[0].extra == 3);
    fixture_release(&f);
}

static void live_traffic_takes_the_place_of_paced_probes(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop")->every_ms = MINUTE;
    start(&f);
    schedule_pace(f.schedule, 1, 2 * SECOND, 0);
    for (int i = 0; i < 600; i++) {
        pass(&f, 100);
        schedule_seen(f.schedule, 1, f.world.time.wall_ms);
    }
    pass(&f, ANSWERED);
    CHECK(f.tallies[0].extra == 0 && slots_of(&f.tallies[0]) == 2); /* the clock stays as it is */
    pass(&f, 10 * SECOND);                                          /* nobody asks any more */
    CHECK(f.tallies[0].extra == 5 && slots_of(&f.tallies[0]) == 2);
    fixture_release(&f);
}

static void a_pace_never_wakes_a_sleeper(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = 24 * HOUR;
    t->sleep_after_ms = 15 * MINUTE;
    t->last_request_ms = f.world.time.wall_ms - HOUR;
    t->wake = WAKE_NEVER;
    start(&f);
    schedule_pace(f.schedule, 1, 2 * SECOND, in_us(&f, 12 * HOUR));
    pass(&f, 2 * HOUR);
    CHECK(f.world.started == 0);
    schedule_seen(f.schedule, 1, f.world.time.wall_ms); /* a user woke it */
    pass(&f, 10 * SECOND + ANSWERED);
    CHECK(f.tallies[0].extra == 5 && f.tallies[0].cold == 0);
    schedule_awake(f.schedule, t, AWAKE_NO); /* its platform knows better */
    pass(&f, 8 * SECOND);
    CHECK(f.tallies[0].extra == 5);
    fixture_release(&f);
}

static void an_endless_pace_lets_it_fall_asleep(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = 24 * HOUR;
    t->sleep_after_ms = 15 * MINUTE;
    t->last_request_ms = f.world.time.wall_ms - HOUR;
    t->wake = WAKE_NEVER;
    start(&f);
    schedule_pace(f.schedule, 1, 2 * SECOND, 0);
    pass(&f, MINUTE);
    schedule_seen(f.schedule, 1, f.world.time.wall_ms);
    pass(&f, 14 * MINUTE);
    CHECK(f.tallies[0].extra == 22); /* for a twentieth of the 15 minutes */
    CHECK(schedule_is_awake(f.schedule, 1) == AWAKE_YES);
    pass(&f, 3 * MINUTE);
    CHECK(schedule_is_awake(f.schedule, 1) == AWAKE_NO && f.tallies[0].extra == 22);
    schedule_seen(f.schedule, 1, f.world.time.wall_ms);
    pass(&f, 30 * SECOND + ANSWERED);
    CHECK(f.tallies[0].extra == 37);
    fixture_release(&f);
}

static void a_pace_that_may_keeps_awake_what_is_awake(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = 24 * HOUR;
    t->sleep_after_ms = 15 * MINUTE;
    t->wake = WAKE_ALWAYS;
    start(&f);
    schedule_pace(f.schedule, 1, 10 * MINUTE, INT64_MAX);
    pass(&f, 5 * HOUR + ANSWERED);
    CHECK(f.tallies[0].extra == 30 && f.tallies[0].cold == 1);
    CHECK(schedule_is_awake(f.schedule, 1) == AWAKE_YES);
    fixture_release(&f);
}

static void an_endless_pace_runs_on_beside_slots_that_keep_it_awake(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = 5 * MINUTE;
    t->sleep_after_ms = 15 * MINUTE;
    t->wake = WAKE_ALWAYS;
    start(&f);
    schedule_pace(f.schedule, 1, 10 * SECOND, 0);
    pass(&f, HOUR - SECOND);
    CHECK(slots_of(&f.tallies[0]) == 12 && f.tallies[0].extra == 12 * 29);
    fixture_release(&f);
}

static void a_wish_wakes_a_sleeper_once_with_the_time_of_a_cold_start(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "beta", "shop");
    t->every_ms = 24 * HOUR;
    t->sleep_after_ms = 15 * MINUTE;
    t->last_request_ms = f.world.time.wall_ms - HOUR;
    t->cold_timeout_ms = MINUTE;
    t->wake = WAKE_NEVER;
    f.manners[0].after_us = 30 * SECOND * 1000;
    start(&f);
    schedule_pace(f.schedule, 1, 2 * SECOND, in_us(&f, 10 * MINUTE));
    pass(&f, SECOND);
    CHECK(schedule_wake(f.schedule, 1) && schedule_wake(f.schedule, 1));
    pass(&f, SECOND);
    CHECK(f.world.started == 1 && schedule_wake(f.schedule, 1));
    pass(&f, 28 * SECOND);
    CHECK(f.world.started == 1); /* neither the pace nor the second wish adds to the cold start */
    f.manners[0] = well;
    pass(&f, 2 * SECOND);
    CHECK(f.tallies[0].cold == 1 && f.tallies[0].of[SAMPLE_OK] >= 1);
    CHECK(schedule_is_awake(f.schedule, 1) == AWAKE_YES);
    pass(&f, 10 * SECOND);
    CHECK(f.tallies[0].extra >= 5 && f.tallies[0].cold == 1);
    CHECK(!schedule_wake(f.schedule, 9));
    fixture_release(&f);
}

static void ask_faster(const struct probe_change *c, void *arg)
{
    struct fixture *f = arg;
    note_change(c, f);
    if (c->to == HEALTH_SUSPECT)
        schedule_pace(f->schedule, c->target->series, SECOND, in_us(f, MINUTE));
}

static void a_hang_is_found_sooner_than_the_checks_own_timeout(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = MINUTE;
    t->timeout_ms = 10 * SECOND;
    f.options.change = ask_faster;
    start(&f);
    schedule_pace(f.schedule, 1, 2 * SECOND, 0);
    pass(&f, MINUTE - ANSWERED);
    CHECK(f.tallies[0].state == HEALTH_UP);
    f.manners[0] = hangs; /* from the slot at 60 s, which may take until 70 s */
    pass(&f, 3 * SECOND + ANSWERED + 10);
    CHECK(f.tallies[0].state == HEALTH_SUSPECT); /* begun at 62 s, given up at 63 s */
    pass(&f, 2 * SECOND);
    CHECK(f.tallies[0].state == HEALTH_DOWN); /* 5 s after it began to hang */
    f.manners[0] = well;
    pass(&f, 3 * SECOND);
    CHECK(f.tallies[0].state == HEALTH_UP);
    int changes = f.tallies[0].changes;
    pass(&f, 2 * SECOND); /* the slot's time is up: old news */
    CHECK(f.tallies[0].state == HEALTH_UP && f.tallies[0].changes == changes);
    CHECK(f.tallies[0].of[SAMPLE_MISSED] == 0 && f.tallies[0].of[SAMPLE_FAILED] == 5);
    fixture_release(&f);
}

static void what_always_answers_slowly_does_not_hang(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = MINUTE;
    t->timeout_ms = 10 * SECOND;
    f.manners[0].after_us = 2500000;
    start(&f);
    schedule_pace(f.schedule, 1, SECOND, 0);
    pass(&f, 10 * MINUTE);
    CHECK(f.tallies[0].of[SAMPLE_FAILED] == 0 && f.tallies[0].state == HEALTH_UP);
    CHECK(f.tallies[0].extra > 100 && f.tallies[0].extra < 240); /* one at a time */
    fixture_release(&f);
}

static void a_pace_goes_on_in_the_schedule_that_takes_the_place(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = 24 * HOUR;
    t->sleep_after_ms = 15 * MINUTE;
    t->wake = WAKE_NEVER;
    start(&f);
    schedule_pace(f.schedule, 1, 2 * SECOND, 0);
    schedule_seen(f.schedule, 1, f.world.time.wall_ms);
    f.options.anchor_us = f.world.time.mono_us;
    pass(&f, 9 * SECOND);
    CHECK(f.tallies[0].extra == 4);
    for (int i = 0; i < 2; i++) {
        struct schedule *before = f.schedule;
        start(&f);
        schedule_inherit(f.schedule, before);
        schedule_stop(before);
        schedule_free(before);
        pass(&f, 2 * SECOND);
    }
    CHECK(f.tallies[0].extra == 6 && f.tallies[0].cold == 0);
    pass(&f, HOUR);
    CHECK(f.tallies[0].extra == 22);
    fixture_release(&f);
}

static void a_stopped_schedule_takes_no_orders(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop");
    start(&f);
    schedule_pace(f.schedule, 1, SECOND, 0);
    pass(&f, 3 * SECOND);
    schedule_stop(f.schedule);
    CHECK(!schedule_pace(f.schedule, 1, SECOND, 0) && !schedule_wake(f.schedule, 1));
    schedule_seen(f.schedule, 1, f.world.time.wall_ms);
    pass(&f, MINUTE);
    CHECK(f.tallies[0].extra == 3 && f.n_done == 1);
    fixture_release(&f);
}

int main(void)
{
    a_pace_asks_beside_the_clock_and_moves_the_state();
    a_pace_ends_at_its_time_or_when_it_is_taken_back();
    a_faster_pace_counts_from_the_last_look();
    live_traffic_takes_the_place_of_paced_probes();
    a_pace_never_wakes_a_sleeper();
    an_endless_pace_lets_it_fall_asleep();
    a_pace_that_may_keeps_awake_what_is_awake();
    an_endless_pace_runs_on_beside_slots_that_keep_it_awake();
    a_wish_wakes_a_sleeper_once_with_the_time_of_a_cold_start();
    a_hang_is_found_sooner_than_the_checks_own_timeout();
    what_always_answers_slowly_does_not_hang();
    a_pace_goes_on_in_the_schedule_that_takes_the_place();
    a_stopped_schedule_takes_no_orders();
    return DONE();
}
