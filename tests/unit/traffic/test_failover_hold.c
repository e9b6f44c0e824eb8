#include "route.h"

#include "compare/random.h"
#include "test.h"

#include <math.h>

/* Coming back, and not going back and forth. */

static void it_comes_back_when_it_was_well_for_its_hold_time(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(route_at(&t, UAT)->back_at_ms == 0);
    route_passes(&t, 3600 * 1000);
    CHECK(route_at(&t, UAT)->share == 0);
    route_forget(&t);
    route_finds(&t, UAT, FINDING_UP);
    CHECK(strcmp(t.told, "uat:down-up->down,") == 0); /* people see that its hold time runs */
    CHECK(route_at(&t, UAT)->back_at_ms == t.now_ms + ROUTE_HOLD_MS);
    CHECK(failover_next_ms(t.f) == t.now_ms + ROUTE_HOLD_MS);
    route_passes(&t, ROUTE_HOLD_MS - 1);
    CHECK(route_at(&t, UAT)->share == 0);
    route_passes(&t, 1);
    CHECK(route_at(&t, UAT)->share == 256);
    CHECK(strcmp(t.told, "uat:down-up->down,uat:down-held->up,") == 0);
    route_end(&t);
}

static void a_failure_during_the_hold_time_begins_it_anew(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    route_finds(&t, UAT, FINDING_UP);
    route_passes(&t, ROUTE_HOLD_MS - 1);
    route_finds(&t, UAT, FINDING_SUSPECT);
    route_finds(&t, UAT, FINDING_UP);
    route_passes(&t, ROUTE_HOLD_MS - 1);
    CHECK(route_at(&t, UAT)->share == 0);
    route_passes(&t, 1);
    CHECK(route_at(&t, UAT)->share == 256);
    route_end(&t);
}

static void the_hold_time_doubles_up_to_an_hour_and_is_forgotten_after_one(void)
{
    struct route t;
    int64_t wanted = ROUTE_HOLD_MS;
    route_begin(&t, false);
    route_all_up(&t);
    for (int fall = 1; fall <= 12; fall++) {
        route_finds(&t, UAT, FINDING_DOWN);
        CHECK(route_at(&t, UAT)->hold_ms == wanted);
        CHECK(route_at(&t, UAT)->flaps == fall);
        route_finds(&t, UAT, FINDING_UP);
        route_passes(&t, wanted);
        CHECK(route_at(&t, UAT)->share == 256);
        wanted = wanted * 2 < HOLD_MAX_MS ? wanted * 2 : HOLD_MAX_MS;
    }
    route_passes(&t, HOLD_MEMORY_MS + 1);
    CHECK(route_at(&t, UAT)->flaps == 0);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(route_at(&t, UAT)->hold_ms == ROUTE_HOLD_MS);
    route_end(&t);
}

static void one_that_is_out_falls_asleep_and_its_hold_time_goes_on(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, BETA, FINDING_DOWN);
    route_finds(&t, BETA, FINDING_UP);
    route_passes(&t, ROUTE_HOLD_MS / 2);
    route_sees(&t, BETA, FINDING_NONE, LIVE_NONE, true);
    route_passes(&t, ROUTE_HOLD_MS / 2);
    CHECK(route_at(&t, BETA)->share == 28);
    route_end(&t);
}

static void a_clock_that_goes_back_is_no_time_passed(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    route_finds(&t, UAT, FINDING_UP);
    route_passes(&t, ROUTE_HOLD_MS - 1000);
    route_passes(&t, -3600 * 1000);
    CHECK(route_at(&t, UAT)->share == 0);
    CHECK(route_at(&t, UAT)->back_at_ms == t.now_ms + 1000);
    route_passes(&t, 999);
    CHECK(route_at(&t, UAT)->share == 0);
    route_passes(&t, 1);
    CHECK(route_at(&t, UAT)->share == 256);
    route_end(&t);
}

/* --- The bound that failover.h states ----------------------------------------------------------
 */

enum { HOUR_S = 3600, RUN_S = 6 * HOUR_S };

struct trouble { /* how it fails when it fails */
    enum finding finding;
    enum live_state live;
    bool worst; /* fails as soon as it has traffic, and is well while it has none */
};

/* The most falls within any hour when every second is a pass or a failure. */
static int most_in_an_hour(uint64_t seed, const struct trouble *how)
{
    static int falls[RUN_S];
    struct route t;
    struct random r;
    int most = 0, in_window = 0;
    bool failing = false;

    random_seed(&r, seed);
    route_begin(&t, false);
    route_all_up(&t);
    double change = 0.001 + random_uniform(&r) * 0.5;
    for (int s = 0; s < RUN_S; s++) {
        failing = failing != (random_uniform(&r) < change);
        bool in_use = route_at(&t, UAT)->share > 0;
        /* Users see failures only where they are sent. */
        bool fails = how->worst ? in_use : failing && (in_use || how->live == LIVE_NONE);
        route_forget(&t);
        route_sees(&t, UAT, fails ? how->finding : FINDING_UP, fails ? how->live : LIVE_NONE,
                   false);
        route_passes(&t, 1000);
        falls[s] = t.falls;
        in_window += falls[s] - (s >= HOUR_S ? falls[s - HOUR_S] : 0);
        most = in_window > most ? in_window : most;
    }
    route_end(&t);
    return most;
}

static int most_of_many(struct trouble how)
{
    int most = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        int n = most_in_an_hour(seed, &how);
        most = n > most ? n : most;
    }
    return most;
}

static void interleaved_passes_and_failures_flap_no_more_than_stated(void)
{
    int bound = 1 + (int)log2(1 + (double)HOUR_S * 1000 / ROUTE_HOLD_MS);
    int checks = most_of_many((struct trouble){FINDING_DOWN, LIVE_NONE, false});
    int errors = most_of_many((struct trouble){FINDING_UP, LIVE_ERRORS, false});
    int worst = most_of_many((struct trouble){FINDING_DOWN, LIVE_BAD, true});

    printf("# falls within any hour: %d by checks, %d by errors, %d at worst; the bound is %d\n",
           checks, errors, worst, bound);
    CHECK(checks > 1 && checks <= bound);
    CHECK(errors > 1 && errors <= bound);
    CHECK(worst == bound);
}

int main(void)
{
    it_comes_back_when_it_was_well_for_its_hold_time();
    a_failure_during_the_hold_time_begins_it_anew();
    the_hold_time_doubles_up_to_an_hour_and_is_forgotten_after_one();
    one_that_is_out_falls_asleep_and_its_hold_time_goes_on();
    a_clock_that_goes_back_is_no_time_passed();
    interleaved_passes_and_failures_flap_no_more_than_stated();
    return DONE();
}
