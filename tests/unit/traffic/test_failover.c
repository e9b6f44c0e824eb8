#include "route.h"
#include "test.h"

/* --- Taking over -------------------------------------------------------------------------------
 */

static void weights_are_scaled_and_the_backup_waits(void)
{
    struct route t;
    route_begin(&t, false);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    CHECK(!failover_is_open(t.f));
    CHECK(failover_standby(t.f) == PREPROD);
    CHECK(failover_next(t.f, UAT) == BETA);
    route_all_up(&t);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

static void a_doubt_wakes_the_next_that_sleeps_and_moves_nothing(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_sees(&t, BETA, FINDING_UP, LIVE_NONE, true);
    CHECK(route_at(&t, BETA)->state == TRAFFIC_ASLEEP);
    CHECK(route_at(&t, BETA)->share == 28); /* it keeps its share */
    route_forget(&t);
    route_finds(&t, UAT, FINDING_SUSPECT);
    CHECK(strcmp(t.told, "uat:up-doubt->suspect,") == 0);
    CHECK(t.action == (ACTION_CHECK_FAST | ACTION_WAKE_STANDBY));
    CHECK(strstr(t.reason, "beta is woken"));
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_finds(&t, UAT, FINDING_UP);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_UP);
    CHECK(t.action & ACTION_CHECK_CALMLY);
    route_end(&t);
}

static void fast_checks_end_by_themselves_and_the_doubt_becomes_an_advisory(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_SUSPECT);
    route_forget(&t);
    CHECK(failover_next_ms(t.f) == t.now_ms + 60000);
    for (int i = 0; i < 59; i++) {
        route_passes(&t, 1000);
        route_finds(&t, UAT, FINDING_SUSPECT);
    }
    CHECK(t.told[0] == '\0');
    route_passes(&t, 1000);
    CHECK(strcmp(t.told, "uat:suspect-doubt->suspect,") == 0);
    CHECK(t.action == (ACTION_CHECK_CALMLY | ACTION_WARN));
    route_forget(&t);
    for (int i = 0; i < 3600; i++) { /* an hour of it: one advisory, no failover */
        route_passes(&t, 1000);
        route_finds(&t, UAT, FINDING_SUSPECT);
    }
    CHECK(t.told[0] == '\0');
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

static void they_take_over_in_their_order_and_backups_only_when_all_weights_are_out(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(strcmp(t.told, "uat:up-down->down,") == 0);
    CHECK(strstr(t.reason, "it is down (here says down)"));
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_finds(&t, BETA, FINDING_DOWN);
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    CHECK(route_at(&t, PREPROD)->in_use_as_backup);
    CHECK(!failover_is_open(t.f));
    route_end(&t);
}

static void a_standby_that_sleeps_counts_as_able_to_answer(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, BETA, FINDING_DOWN);
    route_sees(&t, PREPROD, FINDING_UP, LIVE_NONE, true);
    route_forget(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK((t.action & ACTION_WAKE_STANDBY) && (t.action & ACTION_TAKE_OUT));
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    route_end(&t);
}

/* --- The last one ------------------------------------------------------------------------------
 */

static void the_last_that_answers_is_not_taken_out_on_checks_alone(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, PREPROD, FINDING_DOWN);
    route_finds(&t, BETA, FINDING_DOWN);
    route_forget(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DOWN);
    CHECK(strcmp(route_shares(&t), "256 0 0") == 0);
    CHECK(!(t.action & ACTION_TAKE_OUT) && (t.action & ACTION_WARN));
    CHECK(strstr(t.reason, "it is the last that answers"));
    CHECK(strstr(route_at(&t, UAT)->reason, "it is the last that answers"));
    CHECK(!failover_is_open(t.f));
    route_forget(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(t.told[0] == '\0'); /* told once */

    /* Another one answers again: it takes over before its hold time, and this one goes. */
    route_finds(&t, PREPROD, FINDING_UP);
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    CHECK(strstr(t.told, "preprod:down-held->up,"));
    route_end(&t);
}

static void when_users_confirm_that_all_are_down_it_fails_open(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, PREPROD, FINDING_DOWN);
    route_finds(&t, BETA, FINDING_DOWN);
    route_sees(&t, UAT, FINDING_DOWN, LIVE_BAD, false);
    CHECK(failover_is_open(t.f));
    CHECK(strstr(failover_open_why(t.f), "every environment is down"));
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_finds(&t, BETA, FINDING_UP);
    CHECK(!failover_is_open(t.f));
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_end(&t);
}

static void blindness_moves_nothing(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    for (size_t i = 0; i < ROUTE_MEMBERS; i++)
        route_finds(&t, i, FINDING_INVALID);
    for (size_t i = 0; i < ROUTE_MEMBERS; i++)
        CHECK(route_at(&t, i)->state == TRAFFIC_UNKNOWN);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    CHECK(!failover_is_open(t.f));
    /* When it sees again, who was out has its hold time before it. */
    for (size_t i = 0; i < ROUTE_MEMBERS; i++)
        route_finds(&t, i, FINDING_UP);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

static void blind_from_the_start_it_fails_open(void)
{
    struct route t;
    route_begin(&t, false);
    for (size_t i = 0; i < ROUTE_MEMBERS; i++)
        route_finds(&t, i, FINDING_INVALID);
    CHECK(failover_is_open(t.f));
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

static void users_answers_are_seen_by_a_blind_observer(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_sees(&t, UAT, FINDING_INVALID, LIVE_GOOD, false);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_UP);
    route_end(&t);
}

/* --- Users' own requests -----------------------------------------------------------------------
 */

static void a_grey_failure_is_taken_out_and_comes_back_on_trial(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_sees(&t, UAT, FINDING_UP, LIVE_ERRORS, false);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DEGRADED);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_finds(&t, UAT, FINDING_UP);
    CHECK(route_at(&t, UAT)->back_at_ms == t.now_ms + ROUTE_HOLD_MS);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(t.action & ACTION_LESSEN);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_UP);
    CHECK(route_at(&t, UAT)->share > 0 && route_at(&t, UAT)->share <= 28 / 9);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);

    /* Again, and the trial goes wrong: out at once, and for longer. */
    route_sees(&t, UAT, FINDING_UP, LIVE_ERRORS, false);
    route_finds(&t, UAT, FINDING_UP);
    route_passes(&t, 2 * ROUTE_HOLD_MS);
    route_sees(&t, UAT, FINDING_UP, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    CHECK(route_at(&t, UAT)->hold_ms == 4 * (int64_t)ROUTE_HOLD_MS);
    CHECK(route_at(&t, UAT)->flaps == 3);
    route_end(&t);
}

static void on_trial_the_backup_stays_in_use(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, BETA, FINDING_DOWN);
    route_sees(&t, UAT, FINDING_UP, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    route_finds(&t, UAT, FINDING_UP);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(route_at(&t, PREPROD)->share == 256);
    CHECK(route_at(&t, UAT)->share > 0 && route_at(&t, UAT)->share <= 26);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(route_at(&t, PREPROD)->share == 0);
    route_end(&t);
}

static void live_failures_alone_move_nothing_when_no_other_is_known_to_answer(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, BETA, FINDING_DOWN);
    route_finds(&t, PREPROD, FINDING_DOWN);
    route_forget(&t);
    route_sees(&t, UAT, FINDING_UP, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "256 0 0") == 0);
    CHECK(strstr(t.reason, "traffic stays"));
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DEGRADED);
    route_end(&t);
}

static void two_that_fail_beside_fine_checks_do_not_take_turns(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, PREPROD, FINDING_DOWN);
    route_sees(&t, BETA, FINDING_UP, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "256 0 0") == 0);
    route_finds(&t, BETA, FINDING_UP); /* its hold time runs */
    route_sees(&t, UAT, FINDING_UP, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "256 0 0") == 0);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0); /* and now it is over */
    route_end(&t);
}

static void one_that_was_down_and_is_well_relieves_one_that_fails_its_users(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, PREPROD, FINDING_DOWN);
    route_finds(&t, BETA, FINDING_DOWN);
    route_sees(&t, UAT, FINDING_UP, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "256 0 0") == 0);
    route_finds(&t, PREPROD, FINDING_UP);
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    route_end(&t);
}

static void some_errors_are_better_than_waiting_for_one_to_wake(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, BETA, FINDING_DOWN);
    route_sees(&t, PREPROD, FINDING_UP, LIVE_NONE, true);
    route_forget(&t);
    route_sees(&t, UAT, FINDING_UP, LIVE_ERRORS, false);
    CHECK(strcmp(route_shares(&t), "256 0 0") == 0);
    CHECK((t.action & ACTION_WAKE_STANDBY) && strstr(t.reason, "until another one is awake"));
    route_finds(&t, PREPROD, FINDING_UP); /* it is awake */
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    route_end(&t);
}

static void the_first_requests_to_a_sleeper_are_a_doubt_not_a_failure(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_sees(&t, BETA, FINDING_UP, LIVE_NONE, true);
    route_sees(&t, BETA, FINDING_UP, LIVE_STALLED, true);
    CHECK(route_at(&t, BETA)->state == TRAFFIC_SUSPECT);
    CHECK(route_at(&t, BETA)->share == 28);
    route_end(&t);
}

/* --- Fitness -----------------------------------------------------------------------------------
 */

static void an_unfit_standby_is_warned_of(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    t.unfit[BETA] = "98 % of its bandwidth of this month is used";
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK((t.action & ACTION_WARN) && (t.action & ACTION_TAKE_OUT));
    CHECK(strstr(t.reason, "beta is not fit to take over: 98 % of its bandwidth"));
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_end(&t);
}

static void one_that_is_refused_keeps_its_share_and_the_next_in_order_takes_over(void)
{
    struct route t;
    route_begin(&t, true);
    route_all_up(&t);
    t.unfit[BETA] = "98 % of its bandwidth of this month is used";
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(strcmp(route_shares(&t), "0 28 256") == 0);
    route_finds(&t, UAT, FINDING_UP);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

static void if_all_are_refused_traffic_stays_and_the_reason_says_it(void)
{
    struct route t;
    route_begin(&t, true);
    route_all_up(&t);
    t.unfit[BETA] = "its bandwidth is used up";
    t.unfit[PREPROD] = "its database copy is 3 days old";
    route_sees(&t, UAT, FINDING_DOWN, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    CHECK(strstr(t.reason, "its database copy is 3 days old; traffic stays"));
    t.unfit[PREPROD] = NULL;
    route_sees(&t, UAT, FINDING_DOWN, LIVE_BAD, false);
    CHECK(strcmp(route_shares(&t), "0 28 256") == 0);
    route_end(&t);
}

/* --- Bad input ---------------------------------------------------------------------------------
 */

static bool refused(const struct failover_member *members, size_t n, const char *why)
{
    struct failover_options o = {.route = "api", .members = members, .n_members = n};
    struct err e = ERR_INIT;
    struct failover *f = failover_new(&o, 1, &e);
    bool as_wanted = !f && e.kind == ERR_USAGE && strstr(e.text, why);

    if (!as_wanted)
        printf("# %s\n", e.text);
    failover_free(f);
    return as_wanted;
}

static void a_route_that_makes_no_sense_is_refused(void)
{
    static const struct failover_member nothing[] = {{"uat", 0, false, false},
                                                     {"beta", 0, true, false}};
    static const struct failover_member both[] = {{"uat", 90, false, false},
                                                  {"beta", 10, true, false}};
    static const struct failover_member twice[] = {{"uat", 90, false, false},
                                                   {"uat", 10, false, false}};
    static const struct failover_member below[] = {{"uat", -1, false, false}};
    struct failover_member many[ROUTE_ENVIRONMENTS_MAX + 1];

    CHECK(refused(nothing, 2, "sum to nothing"));
    CHECK(refused(nothing, 0, "sum to nothing"));
    CHECK(refused(both, 2, "beta is a backup and has the weight 10"));
    CHECK(refused(twice, 2, "uat is named twice"));
    CHECK(refused(below, 1, "the weight of uat is -1"));
    for (size_t i = 0; i <= ROUTE_ENVIRONMENTS_MAX; i++)
        many[i] = (struct failover_member){"x", 1, false, false};
    CHECK(refused(many, ROUTE_ENVIRONMENTS_MAX + 1, "at most 32"));
}

int main(void)
{
    weights_are_scaled_and_the_backup_waits();
    a_doubt_wakes_the_next_that_sleeps_and_moves_nothing();
    fast_checks_end_by_themselves_and_the_doubt_becomes_an_advisory();
    they_take_over_in_their_order_and_backups_only_when_all_weights_are_out();
    a_standby_that_sleeps_counts_as_able_to_answer();
    the_last_that_answers_is_not_taken_out_on_checks_alone();
    when_users_confirm_that_all_are_down_it_fails_open();
    blindness_moves_nothing();
    blind_from_the_start_it_fails_open();
    users_answers_are_seen_by_a_blind_observer();
    a_grey_failure_is_taken_out_and_comes_back_on_trial();
    on_trial_the_backup_stays_in_use();
    live_failures_alone_move_nothing_when_no_other_is_known_to_answer();
    two_that_fail_beside_fine_checks_do_not_take_turns();
    one_that_was_down_and_is_well_relieves_one_that_fails_its_users();
    some_errors_are_better_than_waiting_for_one_to_wake();
    the_first_requests_to_a_sleeper_are_a_doubt_not_a_failure();
    an_unfit_standby_is_warned_of();
    one_that_is_refused_keeps_its_share_and_the_next_in_order_takes_over();
    if_all_are_refused_traffic_stays_and_the_reason_says_it();
    a_route_that_makes_no_sense_is_refused();
    return DONE();
}
