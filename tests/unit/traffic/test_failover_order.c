#include "route.h"
#include "test.h"

static void a_drained_one_gets_nothing_and_the_next_takes_over(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "uat", ORDER_DRAIN, 0, 0) == 0);
    CHECK(strcmp(t.told, "uat:up-drain->draining,") == 0);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    CHECK(route_at(&t, UAT)->ordered && route_at(&t, UAT)->out);
    CHECK(route_orders(&t, "beta", ORDER_DRAIN, 0, 0) == 0);
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    CHECK(!failover_is_open(t.f));
    route_end(&t);
}

static void an_order_expires_and_nothing_is_left_of_it(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "uat", ORDER_DRAIN, 0, 60000) == 0);
    CHECK(route_at(&t, UAT)->order_until_ms == t.now_ms + 60000);
    CHECK(failover_next_ms(t.f) == t.now_ms + 60000);
    route_passes(&t, 59999);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DRAINING);
    route_forget(&t);
    route_passes(&t, 1);
    CHECK(strcmp(t.told, "uat:draining-restore->unknown,uat:unknown-up->up,") == 0);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    CHECK(!route_at(&t, UAT)->ordered && route_at(&t, UAT)->flaps == 0);
    CHECK(failover_next_ms(t.f) == INT64_MAX);
    route_end(&t);
}

static void an_order_that_stands_is_given_again_without_a_word(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "uat", ORDER_DOWN, 0, 60000) == 0);
    route_forget(&t);
    CHECK(route_orders(&t, "uat", ORDER_DOWN, 0, 60000) == 0);
    CHECK(t.told[0] == '\0');
    CHECK(route_orders(&t, "uat", ORDER_DOWN, 0, 90000) == 0);
    CHECK(t.told[0] == '\0' && route_at(&t, UAT)->order_until_ms == t.now_ms + 90000);
    CHECK(route_orders(&t, "uat", ORDER_DRAIN, 0, 90000) == 0);
    CHECK(t.told[0] != '\0' && route_at(&t, UAT)->state == TRAFFIC_DRAINING);
    route_end(&t);
}

static void what_happened_meanwhile_counts_when_an_order_ends(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "uat", ORDER_DRAIN, 0, 60000) == 0);
    route_forget(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(t.told[0] == '\0'); /* the order stands above it */
    route_passes(&t, 60000);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DOWN);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_end(&t);
}

static void one_that_was_down_before_has_its_hold_time_before_it_after_the_order(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(route_orders(&t, "uat", ORDER_DRAIN, 0, 0) == 0);
    route_finds(&t, UAT, FINDING_UP);
    CHECK(route_orders(&t, "uat", ORDER_NONE, 0, 0) == 0);
    CHECK(route_at(&t, UAT)->share == 0);
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

static void up_by_order_counts_as_up_whatever_the_observers_say(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    route_forget(&t);
    CHECK(route_orders(&t, "uat", ORDER_UP, 0, 60000) == 0);
    CHECK(strcmp(t.told, "uat:down-held->up,") == 0);
    CHECK(strncmp(t.reason, "by order", 8) == 0);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_passes(&t, 60000);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_end(&t);
}

static void down_by_order_counts_as_down_and_no_hold_time_follows(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "uat", ORDER_DOWN, 0, 0) == 0);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DOWN);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_finds(&t, UAT, FINDING_UP);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    CHECK(route_orders(&t, "uat", ORDER_NONE, 0, 0) == 0);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

static void a_weight_by_order_takes_the_configured_ones_place(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "beta", ORDER_WEIGHT, 90, 60000) == 0);
    CHECK(strcmp(route_shares(&t), "256 256 0") == 0);
    CHECK(route_orders(&t, "preprod", ORDER_WEIGHT, 45, 60000) == 0);
    CHECK(strcmp(route_shares(&t), "256 256 128") == 0);
    route_finds(&t, BETA, FINDING_DOWN); /* health still counts */
    CHECK(strcmp(route_shares(&t), "256 0 128") == 0);
    CHECK(route_orders(&t, "uat", ORDER_WEIGHT, 0, 0) == 0);
    CHECK(route_at(&t, UAT)->share == 0 && route_at(&t, PREPROD)->share == 128);
    route_passes(&t, 60000);
    CHECK(route_orders(&t, "uat", ORDER_NONE, 0, 0) == 0);
    CHECK(strcmp(route_shares(&t), "256 0 0") == 0);
    route_end(&t);
}

static void a_later_order_takes_the_place_of_the_one_in_force(void)
{
    struct route t;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "uat", ORDER_DRAIN, 0, 60000) == 0);
    CHECK(route_orders(&t, "uat", ORDER_UP, 0, 0) == 0);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_passes(&t, 60000);
    CHECK(route_at(&t, UAT)->ordered && route_at(&t, UAT)->order_until_ms == 0);
    route_end(&t);
}

/* With an order in the middle or without: afterwards everything is the same. */
static void an_order_is_undone_whole(void)
{
    static const enum order_kind kinds[] = {ORDER_WEIGHT, ORDER_DRAIN, ORDER_UP, ORDER_DOWN};

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct route with, without;
        route_begin(&with, false);
        route_begin(&without, false);
        route_all_up(&with);
        route_all_up(&without);
        CHECK(route_orders(&with, "uat", kinds[k], 50, 10000) == 0);
        route_passes(&with, 10000);
        route_passes(&without, 10000);
        for (size_t i = 0; i < ROUTE_MEMBERS; i++) {
            const struct failover_standing *a = route_at(&with, i), *b = route_at(&without, i);
            CHECK(a->state == b->state && a->share == b->share && a->out == b->out &&
                  a->ordered == b->ordered && a->flaps == b->flaps && a->hold_ms == b->hold_ms);
        }
        route_end(&with);
        route_end(&without);
    }
}

static void orders_that_make_no_sense_are_refused_and_change_nothing(void)
{
    struct route t;
    struct err e = ERR_INIT;
    route_begin(&t, false);
    route_all_up(&t);
    CHECK(route_orders(&t, "prod", ORDER_DRAIN, 0, 0) == -1);
    CHECK(strstr(t.reason, "route api has no environment prod"));
    CHECK(route_orders(&t, "uat", ORDER_WEIGHT, 101, 0) == -1);
    CHECK(route_orders(&t, "uat", ORDER_WEIGHT, -1, 0) == -1);
    CHECK(failover_order(t.f, "uat", ORDER_DRAIN, 0, t.now_ms - 1, t.now_ms, NULL, NULL, &e) == -1);
    CHECK(e.kind == ERR_USAGE && strstr(e.text, "end before it begins"));
    CHECK(route_orders(&t, "uat", ORDER_DRAIN, 0, 0) == 0);
    CHECK(route_orders(&t, "beta", ORDER_WEIGHT, 0, 0) == 0);
    CHECK(route_orders(&t, "preprod", ORDER_DOWN, 0, 0) == -1);
    CHECK(strstr(t.reason, "nobody to send to"));
    CHECK(strcmp(route_shares(&t), "0 0 256") == 0);
    route_end(&t);
}

int main(void)
{
    a_drained_one_gets_nothing_and_the_next_takes_over();
    an_order_expires_and_nothing_is_left_of_it();
    an_order_that_stands_is_given_again_without_a_word();
    what_happened_meanwhile_counts_when_an_order_ends();
    one_that_was_down_before_has_its_hold_time_before_it_after_the_order();
    up_by_order_counts_as_up_whatever_the_observers_say();
    down_by_order_counts_as_down_and_no_hold_time_follows();
    a_weight_by_order_takes_the_configured_ones_place();
    a_later_order_takes_the_place_of_the_one_in_force();
    an_order_is_undone_whole();
    orders_that_make_no_sense_are_refused_and_change_nothing();
    return DONE();
}
