#include "schedule_rig.h"

/* The schedule under a clock that is stepped: what becomes of each slot, whatever happens. */

/* Fifteen apps in three environments. */
static void add_fleet(struct fixture *f)
{
    static const char *const apps[] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                       "i", "j", "k", "l", "m", "n", "o"};
    for (int i = 0; i < 15; i++) {
        add(f, "uat", apps[i]);
        add(f, "beta", apps[i]);
        add(f, "preprod", apps[i]);
    }
}

static void the_environments_of_an_app_are_pairs_and_the_apps_are_spread(void)
{
    struct fixture f;
    fixture_init(&f);
    add_fleet(&f);
    start(&f);
    pass(&f, 10 * SECOND - 1);
    bool pairs = true, spread = true, on_time = true;
    for (int i = 0; i < f.n; i++) {
        pairs &= f.tallies[i].at_sum == f.tallies[i - i % 3].at_sum;
        spread &= i % 3 > 0 || i == 0 || f.tallies[i].at_sum != f.tallies[i - 3].at_sum;
        on_time &= slots_of(&f.tallies[i]) == 1 && f.tallies[i].late_max_us == 0;
    }
    CHECK(pairs && spread && on_time);
    fixture_release(&f);
}

static void a_target_that_hangs_on_each_probe_keeps_its_tail_and_delays_nobody(void)
{
    struct fixture f;
    fixture_init(&f);
    add_fleet(&f);
    f.targets[4].timeout_ms = f.targets[4].every_ms; /* as long as can be */
    f.manners[4] = hangs;
    start(&f);
    pass(&f, HOUR);
    bool others = true;
    for (int i = 0; i < f.n; i++)
        others &= i == 4 || (f.tallies[i].of[SAMPLE_OK] >= 360 && f.tallies[i].late_max_us == 0 &&
                             f.tallies[i].of[SAMPLE_MISSED] == 0);
    CHECK(others);
    CHECK(f.tallies[4].of[SAMPLE_FAILED] >= 359 && f.tallies[4].of[SAMPLE_MISSED] == 0);
    CHECK(f.tallies[4].late_max_us == 0 && f.tallies[4].state == HEALTH_DOWN);
    CHECK(strstr(f.tallies[4].reason, "within 10000 ms: connected"));
    fixture_release(&f);
}

static void a_wall_clock_set_by_an_hour_loses_and_doubles_no_slot(void)
{
    for (int way = -1; way <= 1; way += 2) {
        struct fixture f;
        fixture_init(&f);
        add(&f, "uat", "shop");
        start(&f);
        pass(&f, 10 * MINUTE + SECOND);
        int before = slots_of(&f.tallies[0]);
        f.world.time.wall_ms += way * HOUR;
        pass(&f, 10 * MINUTE);
        CHECK(before == 61 && slots_of(&f.tallies[0]) == 121);
        CHECK(f.tallies[0].of[SAMPLE_OK] >= 120 && f.tallies[0].late_max_us == 0);
        CHECK(f.tallies[0].last_at_ms / 1000 == f.world.time.wall_ms / 1000 ||
              f.world.time.wall_ms - f.tallies[0].last_at_ms <= 10 * SECOND);
        fixture_release(&f);
    }
}

static void a_suspended_machine_goes_on_where_it_was(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->sleep_after_ms = 15 * MINUTE;
    t->last_request_ms = f.world.time.wall_ms - SECOND;
    start(&f);
    pass(&f, 10 * MINUTE + SECOND);
    CHECK(f.tallies[0].cold == 0);
    f.world.time.wall_ms += 8 * HOUR; /* the monotonic clock stood still */
    pass(&f, 10 * MINUTE);
    CHECK(slots_of(&f.tallies[0]) == 121 && f.tallies[0].of[SAMPLE_MISSED] == 0);
    CHECK(f.tallies[0].cold == 1);
    fixture_release(&f);
}

static void a_stopped_process_records_what_it_missed_in_few_samples(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop");
    start(&f);
    pass(&f, 0);
    world_set(&f.world, f.world.time.mono_us + 3 * HOUR * INT64_C(1000) + 5000000);
    pass(&f, 5 * SECOND);
    CHECK(f.tallies[0].of[SAMPLE_MISSED] <= 20 && f.tallies[0].of[SAMPLE_MISSED] >= 18);
    CHECK(f.tallies[0].covers_ms == 3 * HOUR + 10 * SECOND);
    struct schedule_counters c;
    schedule_count(f.schedule, &c);
    CHECK(c.missed == 1080);
    CHECK(f.tallies[0].of[SAMPLE_OK] == 1 || f.tallies[0].of[SAMPLE_OK] == 2);
    fixture_release(&f);
}

static void suspicion_asks_faster_off_the_clock_until_it_is_sure(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop")->fast_ms = SECOND;
    start(&f);
    pass(&f, 5 * SECOND);
    f.manners[0] = sick;
    int64_t from = f.world.time.wall_ms;
    pass(&f, 8 * SECOND); /* the slot at 10 s, then two extra ones */
    CHECK(f.tallies[0].state == HEALTH_DOWN && f.tallies[0].extra == 2);
    CHECK(f.tallies[0].since_ms > from && f.tallies[0].since_ms <= from + 5 * SECOND);
    CHECK(f.tallies[0].covers_ms == 20 * SECOND);
    pass(&f, 30 * SECOND);
    CHECK(f.tallies[0].extra == 2 && slots_of(&f.tallies[0]) == 5);
    f.manners[0] = well;
    pass(&f, 25 * SECOND);
    CHECK(f.tallies[0].state == HEALTH_UP && f.tallies[0].changes == 4);
    fixture_release(&f);
}

static void while_down_slots_are_left_out_and_recorded(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop")->down_ms = MINUTE;
    f.manners[0] = sick;
    start(&f);
    pass(&f, 10 * MINUTE - 1);
    CHECK(f.tallies[0].of[SAMPLE_FAILED] == 12 && f.tallies[0].of[SAMPLE_MISSED] == 48);
    CHECK(f.tallies[0].extra == 48 && f.tallies[0].covers_ms == 10 * MINUTE);
    CHECK(strstr(f.tallies[0].reason, "left out while it is down"));
    f.manners[0] = well;
    pass(&f, 2 * MINUTE);
    CHECK(f.tallies[0].state == HEALTH_UP && f.tallies[0].of[SAMPLE_OK] >= 6);
    fixture_release(&f);
}

static const char *const controls[] = {"http://one.invalid/", "http://two.invalid/"};

static void a_cut_uplink_moves_nothing_and_is_told_once(void)
{
    struct fixture f;
    fixture_init(&f);
    add_fleet(&f);
    f.options.controls = controls;
    f.options.n_controls = 2;
    start(&f);
    pass(&f, HOUR);
    int64_t from = f.world.time.wall_ms;
    for (int i = 0; i < f.n; i++)
        f.manners[i] = i % 2 ? cut : hangs;
    f.control = hangs;
    pass(&f, 10 * MINUTE);
    CHECK(f.blind_begins == 1 && f.blind_ends == 0);
    CHECK(f.blind_at_ms >= from - 20 && f.blind_at_ms <= from + 5 * SECOND);
    for (int i = 0; i < f.n; i++)
        f.manners[i] = well;
    f.control = well;
    pass(&f, HOUR);
    bool quiet = true, whole = true;
    int inconclusive = 0;
    for (int i = 0; i < f.n; i++) {
        quiet &= f.tallies[i].changes == 1 && f.tallies[i].of[SAMPLE_FAILED] == 0;
        whole &= slots_of(&f.tallies[i]) >= 780 && f.tallies[i].late_max_us == 0;
        inconclusive += f.tallies[i].of[SAMPLE_INCONCLUSIVE];
    }
    CHECK(quiet && whole && inconclusive >= 45 * 59 && inconclusive <= 45 * 62);
    CHECK(f.blind_begins == 1 && f.blind_ends == 1);
    fixture_release(&f);
}

static void a_silent_target_is_down_when_a_control_answers(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop");
    add(&f, "beta", "shop");
    f.options.controls = controls;
    f.options.n_controls = 2;
    f.manners[0] = cut;
    start(&f);
    pass(&f, MINUTE);
    CHECK(f.tallies[0].state == HEALTH_DOWN && f.tallies[0].of[SAMPLE_FAILED] >= 6);
    CHECK(f.tallies[0].of[SAMPLE_INCONCLUSIVE] == 0 && f.blind_begins == 0);
    CHECK(f.tallies[1].state == HEALTH_UP && f.tallies[1].of[SAMPLE_OK] >= 6);
    fixture_release(&f);
}

static void a_judgement_waits_no_longer_than_the_controls_may_take(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop");
    f.options.controls = controls;
    f.options.n_controls = 1;
    f.control = hangs;
    f.manners[0] = cut;
    start(&f);
    pass(&f, 1 * SECOND);
    CHECK(slots_of(&f.tallies[0]) == 0);
    struct schedule_counters c;
    schedule_count(f.schedule, &c);
    CHECK(c.waiting == 1 && c.in_flight == 0);
    pass(&f, UPLINK_LEAST_MS + 2 * UPLINK_TIMEOUT_MS);
    CHECK(f.tallies[0].of[SAMPLE_INCONCLUSIVE] == 1);
    CHECK(strstr(f.tallies[0].reason, "our own uplink is down; it is broken"));
    schedule_count(f.schedule, &c);
    CHECK(c.blind && c.waiting == 0 && c.n_controls == 1 && !c.controls[0].ok);
    fixture_release(&f);
}

static void what_overlapped_a_blind_spell_is_ours(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop");
    f.options.controls = controls;
    f.options.n_controls = 2;
    start(&f);
    pass(&f, 9 * SECOND);
    f.control = cut;
    f.manners[0] = hangs;
    pass(&f, 3 * SECOND); /* sent at 10 s, silent until 15 s */
    f.control = well;     /* back at 12 s */
    pass(&f, 6 * SECOND);
    CHECK(f.blind_begins == 1 && f.blind_ends == 1);
    CHECK(f.tallies[0].of[SAMPLE_INCONCLUSIVE] == 1 && f.tallies[0].of[SAMPLE_FAILED] == 0);
    fixture_release(&f);
}

static void an_answer_that_says_no_needs_no_control(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop");
    f.options.controls = controls;
    f.options.n_controls = 2;
    f.control = hangs;
    f.manners[0] = sick;
    start(&f);
    pass(&f, SECOND);
    CHECK(f.tallies[0].of[SAMPLE_FAILED] == 1);
    fixture_release(&f);
}

static void a_check_that_never_wakes_leaves_a_sleeper_alone(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->sleep_after_ms = 15 * MINUTE;
    t->wake = WAKE_NEVER;
    f.options.awake = ask_awake;
    f.awake = AWAKE_NO;
    start(&f);
    pass(&f, HOUR);
    CHECK(f.world.started == 0 && f.tallies[0].of[SAMPLE_MISSED] == 361);
    CHECK(strstr(f.tallies[0].reason, "never wakes it") && f.tallies[0].changes == 0);
    CHECK(f.asked_awake >= 360 && schedule_is_awake(f.schedule, 1) == AWAKE_NO);
    f.awake = AWAKE_YES;
    pass(&f, MINUTE);
    CHECK(f.tallies[0].of[SAMPLE_OK] >= 5 && f.tallies[0].cold == 0);
    fixture_release(&f);
}

static void a_cold_start_is_measured_when_it_is_due(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->sleep_after_ms = 15 * MINUTE;
    t->wake = WAKE_DUE;
    t->cold_every_ms = HOUR;
    t->cold_timeout_ms = MINUTE;
    f.options.awake = ask_awake;
    f.awake = AWAKE_NO;
    f.manners[0].after_us = 30 * INT64_C(1000000); /* it takes long to wake */
    start(&f);
    pass(&f, 4 * HOUR - MINUTE);
    CHECK(f.tallies[0].cold == 4 && f.tallies[0].of[SAMPLE_OK] == 4);
    CHECK(f.tallies[0].of[SAMPLE_FAILED] == 0 && f.tallies[0].of[SAMPLE_MISSED] >= 1400);
    fixture_release(&f);
}

static void a_schedule_in_the_place_of_another_knows_its_cold_starts(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->sleep_after_ms = 15 * MINUTE;
    t->wake = WAKE_DUE;
    t->cold_every_ms = HOUR;
    t->cold_timeout_ms = MINUTE;
    f.options.awake = ask_awake;
    f.awake = AWAKE_NO;
    start(&f);
    pass(&f, 10 * MINUTE);
    CHECK(f.tallies[0].cold == 1);
    struct schedule *before = f.schedule;
    start(&f);
    schedule_inherit(f.schedule, before);
    schedule_free(before);
    pass(&f, 40 * MINUTE);
    CHECK(f.tallies[0].cold == 1);
    pass(&f, 20 * MINUTE);
    CHECK(f.tallies[0].cold == 2);
    fixture_release(&f);
}

static void a_platform_that_does_not_answer_delays_no_tick(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->sleep_after_ms = 15 * MINUTE;
    t->wake = WAKE_DUE;
    t->last_request_ms = f.world.time.wall_ms - MINUTE;
    f.options.awake = ask_awake;
    f.silent_platform = true;
    start(&f);
    pass(&f, HOUR);
    CHECK(f.tallies[0].of[SAMPLE_OK] >= 360 && f.tallies[0].late_max_us == 0);
    CHECK(f.tallies[0].cold == 0);
    fixture_release(&f);
}

static void cold_or_warm_is_known_across_a_restart(void)
{
    for (int idle_minutes = 5; idle_minutes <= 25; idle_minutes += 20) {
        struct fixture f;
        fixture_init(&f);
        struct target *t = add(&f, "uat", "shop");
        t->sleep_after_ms = 15 * MINUTE;
        t->last_request_ms = f.world.time.wall_ms - idle_minutes * MINUTE;
        start(&f);
        pass(&f, MINUTE);
        CHECK(f.tallies[0].cold == (idle_minutes > 15) && f.tallies[0].of[SAMPLE_OK] >= 6);
        fixture_release(&f);
    }
}

static void an_extra_probe_comes_at_once_and_on_no_clock(void)
{
    struct fixture f;
    fixture_init(&f);
    add(&f, "uat", "shop");
    start(&f);
    pass(&f, 5 * SECOND);
    CHECK(schedule_probe_now(f.schedule, 1) && !schedule_probe_now(f.schedule, 99));
    pass(&f, SECOND);
    CHECK(f.tallies[0].extra == 1 && f.tallies[0].covers_ms == 10 * SECOND);
    pass(&f, 10 * SECOND);
    CHECK(f.tallies[0].extra == 1 && slots_of(&f.tallies[0]) == 2);
    fixture_release(&f);
}

static void an_extra_probe_of_a_sleeper_has_the_time_of_a_cold_start(void)
{
    struct fixture f;
    fixture_init(&f);
    struct target *t = add(&f, "uat", "shop");
    t->every_ms = 10 * MINUTE;
    t->sleep_after_ms = 15 * MINUTE;
    t->cold_timeout_ms = MINUTE;
    start(&f);
    pass(&f, MINUTE);
    CHECK(f.tallies[0].of[SAMPLE_OK] == 1 && f.tallies[0].cold == 1);
    f.manners[0].after_us = 20 * SECOND * 1000;
    schedule_awake(f.schedule, t, AWAKE_NO); /* sooner than its idle time would let it sleep */
    CHECK(schedule_probe_now(f.schedule, 1));
    pass(&f, MINUTE);
    CHECK(f.tallies[0].extra == 1 && f.tallies[0].cold == 2);
    CHECK(f.tallies[0].of[SAMPLE_OK] == 2 && f.tallies[0].of[SAMPLE_FAILED] == 0);
    fixture_release(&f);
}

static void it_ends_once_when_all_is_told(void)
{
    struct fixture f;
    fixture_init(&f);
    add_fleet(&f);
    f.options.duration_ms = MINUTE;
    f.manners[0] = hangs;
    start(&f);
    pass(&f, HOUR);
    CHECK(f.n_done == 1 && schedule_next_us(f.schedule) == INT64_MAX);
    CHECK(slots_of(&f.tallies[0]) == 6 && f.tallies[0].of[SAMPLE_FAILED] == 6);
    fixture_release(&f);
}

int main(void)
{
    the_environments_of_an_app_are_pairs_and_the_apps_are_spread();
    a_target_that_hangs_on_each_probe_keeps_its_tail_and_delays_nobody();
    a_wall_clock_set_by_an_hour_loses_and_doubles_no_slot();
    a_suspended_machine_goes_on_where_it_was();
    a_stopped_process_records_what_it_missed_in_few_samples();
    suspicion_asks_faster_off_the_clock_until_it_is_sure();
    while_down_slots_are_left_out_and_recorded();
    a_cut_uplink_moves_nothing_and_is_told_once();
    a_silent_target_is_down_when_a_control_answers();
    a_judgement_waits_no_longer_than_the_controls_may_take();
    what_overlapped_a_blind_spell_is_ours();
    an_answer_that_says_no_needs_no_control();
    a_check_that_never_wakes_leaves_a_sleeper_alone();
    a_cold_start_is_measured_when_it_is_due();
    a_schedule_in_the_place_of_another_knows_its_cold_starts();
    a_platform_that_does_not_answer_delays_no_tick();
    cold_or_warm_is_known_across_a_restart();
    an_extra_probe_comes_at_once_and_on_no_clock();
    an_extra_probe_of_a_sleeper_has_the_time_of_a_cold_start();
    it_ends_once_when_all_is_told();
    return DONE();
}
