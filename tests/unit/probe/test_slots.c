#include "probe/slots.h"
#include "test.h"

enum { START = 1000000, EVERY_MS = 10000 }; /* START in microseconds */
#define EVERY_US (EVERY_MS * INT64_C(1000))

static void apps_are_spread_evenly_over_the_interval(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct slots s = slots_plan(START, EVERY_MS, i, 4);
        CHECK(slots_time(&s, 0) == START + i * EVERY_US / 4);
        CHECK(slots_time(&s, 7) == slots_time(&s, 0) + 7 * EVERY_US);
    }
}

static void a_slot_is_due_at_its_time_and_not_before(void)
{
    struct slots s = slots_plan(START, EVERY_MS, 0, 1);
    struct slots_due due = slots_take(&s, START - 1);
    CHECK(due.serve == -1 && due.missed_from == due.missed_until && s.next == 0);
    due = slots_take(&s, START);
    CHECK(due.serve == 0 && due.missed_from == due.missed_until && s.next == 1);
    due = slots_take(&s, START + 5);
    CHECK(due.serve == -1 && s.next == 1);
}

static void a_late_slot_moves_no_later_one(void)
{
    struct slots s = slots_plan(START, EVERY_MS, 0, 1);
    slots_take(&s, START + 400000);
    CHECK(slots_time(&s, s.next) == START + EVERY_US);
}

static void lateness_does_not_add_up(void)
{
    struct slots s = slots_plan(START, EVERY_MS, 0, 1);
    int64_t now = START;
    for (int i = 0; i < 100000; i++) {
        struct slots_due due = slots_take(&s, now + i % 1000);
        if (due.serve != i)
            break;
        now = slots_time(&s, s.next);
    }
    CHECK(s.next == 100000 && now == START + 100000 * EVERY_US);
}

static void slots_slept_through_are_missed_and_the_newest_is_served(void)
{
    struct slots s = slots_plan(START, EVERY_MS, 0, 1);
    struct slots_due due = slots_take(&s, START + 3 * EVERY_US + 1000);
    CHECK(due.missed_from == 0 && due.missed_until == 3 && due.serve == 3 && s.next == 4);
}

static void a_slot_that_is_too_late_to_serve_is_missed_as_well(void)
{
    struct slots s = slots_plan(START, EVERY_MS, 0, 1);
    int64_t limit = SLOT_LATE_MS * INT64_C(1000);
    struct slots_due due = slots_take(&s, START + limit);
    CHECK(due.serve == 0);
    due = slots_take(&s, START + EVERY_US + limit + 1);
    CHECK(due.serve == -1 && due.missed_from == 1 && due.missed_until == 2 && s.next == 2);
}

static void short_intervals_miss_what_could_not_be_sent_in_time(void)
{
    struct slots s = slots_plan(START, 10, 0, 1);
    struct slots_due due = slots_take(&s, START + 45000);
    CHECK(due.missed_from == 0 && due.missed_until == 4 && due.serve == 4);
}

static void it_ends_after_a_number_of_slots(void)
{
    struct slots s = slots_plan(START, EVERY_MS, 0, 1);
    slots_limit(&s, START, 0, 2);
    CHECK(!slots_over(&s));
    struct slots_due due = slots_take(&s, START + 100 * EVERY_US);
    CHECK(due.missed_from == 0 && due.missed_until == 2 && due.serve == -1);
    CHECK(slots_over(&s));
    due = slots_take(&s, START + 200 * EVERY_US);
    CHECK(due.serve == -1 && due.missed_from == due.missed_until);
}

static void no_slot_begins_after_the_duration(void)
{
    struct slots first = slots_plan(START, EVERY_MS, 0, 2),
                 second = slots_plan(START, EVERY_MS, 1, 2);
    slots_limit(&first, START, 25000, 0);
    slots_limit(&second, START, 25000, 0);
    CHECK(first.end == 3 && second.end == 2); /* 0, 10, 20 and 5, 15 seconds */
    slots_limit(&first, START, 20000, 0);
    CHECK(first.end == 2);
    slots_limit(&second, START, 5000, 0);
    CHECK(second.end == 0 && slots_over(&second));
}

static void a_later_schedule_keeps_the_ticks_of_the_one_before(void)
{
    struct slots s = slots_plan(START, EVERY_MS, 1, 2);
    slots_skip(&s, START);
    CHECK(s.next == 0);
    slots_skip(&s, s.first_us);
    CHECK(s.next == 0); /* due now, and not yet served */
    slots_skip(&s, s.first_us + 1);
    CHECK(s.next == 1);
    slots_skip(&s, s.first_us + 10 * EVERY_US - 1);
    CHECK(s.next == 10 && slots_time(&s, s.next) == s.first_us + 10 * EVERY_US);
    slots_limit(&s, START, 0, 12);
    slots_skip(&s, s.first_us + 100 * EVERY_US);
    CHECK(slots_over(&s) && s.next == 12);
}

int main(void)
{
    apps_are_spread_evenly_over_the_interval();
    a_slot_is_due_at_its_time_and_not_before();
    a_late_slot_moves_no_later_one();
    lateness_does_not_add_up();
    slots_slept_through_are_missed_and_the_newest_is_served();
    a_slot_that_is_too_late_to_serve_is_missed_as_well();
    short_intervals_miss_what_could_not_be_sent_in_time();
    it_ends_after_a_number_of_slots();
    no_slot_begins_after_the_duration();
    a_later_schedule_keeps_the_ticks_of_the_one_before();
    return DONE();
}
