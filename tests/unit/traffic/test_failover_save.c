#include "route.h"

#include "base/buf.h"
#include "test.h"

/* Where a route stands survives the process. */

static bool same(const struct route *a, const struct route *b)
{
    bool same = failover_is_open(a->f) == failover_is_open(b->f);
    for (size_t i = 0; i < ROUTE_MEMBERS; i++) {
        const struct failover_standing *x = route_at(a, i), *y = route_at(b, i);
        same = same && x->state == y->state && x->since_ms == y->since_ms && x->share == y->share &&
               x->out == y->out && x->ordered == y->ordered &&
               x->order_until_ms == y->order_until_ms && x->well_since_ms == y->well_since_ms &&
               x->hold_ms == y->hold_ms && x->back_at_ms == y->back_at_ms && x->flaps == y->flaps &&
               strcmp(x->reason, y->reason) == 0;
    }
    return same;
}

static int restore(struct route *t, const char *json, struct err *e)
{
    return failover_restore(t->f, json, strlen(json), t->now_ms, e);
}

static void survives(const struct route *t)
{
    struct buf json = BUF_INIT(1 << 20);
    struct route next;
    struct err e = ERR_INIT;

    failover_save(t->f, &json);
    route_begin(&next, false);
    next.now_ms = t->now_ms;
    CHECK(restore(&next, buf_str(&json), &e) == 0);
    CHECK(same(t, &next));
    route_end(&next);
    buf_release(&json);
}

static void every_state_survives(void)
{
    struct route t;
    route_begin(&t, false);
    survives(&t);
    route_all_up(&t);
    survives(&t);
    route_sees(&t, BETA, FINDING_UP, LIVE_NONE, true);
    CHECK(route_at(&t, BETA)->state == TRAFFIC_ASLEEP);
    survives(&t);
    route_finds(&t, UAT, FINDING_SUSPECT);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_SUSPECT);
    survives(&t);
    route_finds(&t, BETA, FINDING_UP);
    route_sees(&t, UAT, FINDING_UP, LIVE_ERRORS, false);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DEGRADED && route_at(&t, UAT)->out);
    survives(&t);
    route_finds(&t, UAT, FINDING_UP);
    survives(&t); /* its hold time runs */
    route_passes(&t, ROUTE_HOLD_MS);
    CHECK(route_at(&t, UAT)->share < 28);
    survives(&t); /* on trial */
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DOWN);
    survives(&t);
    route_finds(&t, PREPROD, FINDING_INVALID);
    CHECK(route_at(&t, PREPROD)->state == TRAFFIC_UNKNOWN);
    survives(&t);
    CHECK(route_orders(&t, "beta", ORDER_DRAIN, 0, 60000) == 0);
    CHECK(route_at(&t, BETA)->state == TRAFFIC_DRAINING);
    survives(&t);
    CHECK(route_orders(&t, "beta", ORDER_WEIGHT, 40, 0) == 0);
    survives(&t);
    CHECK(route_orders(&t, "uat", ORDER_UP, 0, 60000) == 0);
    survives(&t);
    CHECK(route_orders(&t, "uat", ORDER_DOWN, 0, 60000) == 0);
    survives(&t);
    route_end(&t);
}

static void the_next_process_goes_on_where_the_last_one_ended(void)
{
    struct buf json = BUF_INIT(1 << 20);
    struct route t, next;
    struct err e = ERR_INIT;

    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    CHECK(route_orders(&t, "preprod", ORDER_DRAIN, 0, 10000) == 0);
    failover_save(t.f, &json);
    route_begin(&next, false);
    next.now_ms = t.now_ms + 20000; /* it was away for a while */
    CHECK(restore(&next, buf_str(&json), &e) == 0);
    CHECK(strcmp(route_shares(&next), "0 28 0") == 0);
    route_finds(&next, UAT, FINDING_DOWN);
    CHECK(strstr(next.told, "preprod:draining-restore->unknown,"));
    CHECK(!strstr(next.told, "uat:")); /* known; nobody is told twice */
    route_end(&t);
    route_end(&next);
    buf_release(&json);
}

static void a_hold_time_goes_on_once_it_was_seen_again(void)
{
    struct buf json = BUF_INIT(1 << 20);
    struct route t, next;
    struct err e = ERR_INIT;

    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    route_finds(&t, UAT, FINDING_UP);
    failover_save(t.f, &json);
    route_begin(&next, false);
    next.now_ms = t.now_ms;
    CHECK(restore(&next, buf_str(&json), &e) == 0);
    route_passes(&next, 2 * (int64_t)ROUTE_HOLD_MS);
    CHECK(route_at(&next, UAT)->share == 0);
    CHECK(failover_next_ms(next.f) > next.now_ms); /* nothing to do until then */
    route_finds(&next, UAT, FINDING_UP);
    CHECK(route_at(&next, UAT)->share == 256);
    route_end(&t);
    route_end(&next);
    buf_release(&json);
}

static void a_clock_that_went_back_between_two_processes_is_no_time_passed(void)
{
    struct buf json = BUF_INIT(1 << 20);
    struct route t, next;
    struct err e = ERR_INIT;

    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    route_finds(&t, UAT, FINDING_UP);
    route_passes(&t, 10000);
    failover_save(t.f, &json);
    route_begin(&next, false);
    next.now_ms = t.now_ms - 3600000;
    CHECK(restore(&next, buf_str(&json), &e) == 0);
    CHECK(route_at(&next, UAT)->back_at_ms == next.now_ms + ROUTE_HOLD_MS - 10000);
    route_end(&t);
    route_end(&next);
    buf_release(&json);
}

static const char member[] =
    "\"state\":\"down\",\"since\":1,\"out\":true,\"seen\":true,"
    "\"kept\":false,\"well_since\":0,\"hold\":30000,\"back\":0,\"falls\":1,"
    "\"trial_until\":0,\"fast_until\":0,\"reason\":\"r\"";

static void environments_that_are_gone_are_dropped_and_new_ones_begin_unknown(void)
{
    struct route t;
    struct err e = ERR_INIT;
    char json[2048];

    route_begin(&t, false);
    snprintf(json, sizeof json,
             "{\"format\":1,\"route\":\"api\",\"at\":5,\"members\":[{\"environment\":\"old\",%s,"
             "\"order\":null},{\"environment\":\"uat\",%s,\"order\":null}]}",
             member, member);
    CHECK(restore(&t, json, &e) == 0);
    CHECK(route_at(&t, UAT)->state == TRAFFIC_DOWN);
    CHECK(route_at(&t, BETA)->state == TRAFFIC_UNKNOWN);
    CHECK(strcmp(route_shares(&t), "0 28 0") == 0);
    route_end(&t);
}

static void orders_that_would_leave_nobody_now_are_dropped(void)
{
    static const char drained[] =
        "\"state\":\"draining\",\"since\":1,\"out\":false,\"seen\":true,\"kept\":false,"
        "\"well_since\":0,\"hold\":30000,\"back\":0,\"falls\":0,\"trial_until\":0,\"fast_until\":0,"
        "\"reason\":\"r\",\"order\":{\"kind\":\"drain\",\"weight\":0,\"until\":0}";
    struct route t;
    struct err e = ERR_INIT;
    char json[2048];

    route_begin(&t, false);
    snprintf(json, sizeof json,
             "{\"format\":1,\"route\":\"api\",\"at\":5,\"members\":[{\"environment\":\"uat\",%s},"
             "{\"environment\":\"beta\",%s},{\"environment\":\"preprod\",%s}]}",
             drained, drained, drained);
    CHECK(restore(&t, json, &e) == 0);
    CHECK(!route_at(&t, UAT)->ordered);
    CHECK(strcmp(route_shares(&t), "256 28 0") == 0);
    route_end(&t);
}

/* Each change makes a stored state that must be refused, and nothing of it be taken. */
static void what_is_not_understood_is_refused_and_changes_nothing(void)
{
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"\"format\":1", "\"format\":2"},
        {"\"at\":", "\"when\":"},
        {"\"at\":", "\"at\":-"},
        {"\"members\":[", "\"others\":["},
        {"\"state\":\"down\"", "\"state\":\"dwon\""},
        {"\"state\":\"down\"", "\"state\":\"?\""},
        {"\"state\":\"down\"", "\"state\":\"draining\""},
        {"\"state\":\"down\"", "\"state\":\"up\""},
        {"\"state\":\"down\"", "\"state\":7"},
        {"\"out\":true", "\"out\":1"},
        {"\"hold\":30000", "\"hold\":9e99"},
        {"\"hold\":30000", "\"hold\":3600001"},
        {"\"falls\":1", "\"falls\":-1"},
        {"\"falls\":1", "\"falls\":1e9"},
        {"\"since\":", "\"since\":99999"},
        {"\"order\":null", "\"order\":{}"},
        {"\"order\":null", "\"order\":{\"kind\":\"none\",\"weight\":0,\"until\":0}"},
        {"\"order\":null", "\"order\":{\"kind\":\"weight\",\"weight\":1000,\"until\":0}"},
        {"\"order\":null", "\"order\":{\"kind\":\"drain\",\"weight\":0,\"until\":0}"},
        {"\"environment\":\"uat\"", "\"environment\":5"},
        {"}", ""},
    };
    struct buf json = BUF_INIT(1 << 20);
    struct route t;

    route_begin(&t, false);
    route_all_up(&t);
    route_finds(&t, UAT, FINDING_DOWN);
    failover_save(t.f, &json);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct route next, fresh;
        struct err e = ERR_INIT;
        struct buf changed = BUF_INIT(1 << 20);
        const char *at = strstr(buf_str(&json), changes[i].from);
        CHECK(at != NULL);
        if (!at)
            continue;
        buf_add(&changed, json.data, (size_t)(at - json.data));
        buf_adds(&changed, changes[i].to);
        buf_adds(&changed, at + strlen(changes[i].from));
        route_begin(&next, false);
        route_begin(&fresh, false);
        int rc = restore(&next, buf_str(&changed), &e);
        if (rc == 0)
            printf("# taken: %s\n", changes[i].to);
        CHECK(rc == -1 && e.kind == ERR_NO && strstr(e.text, "api"));
        CHECK(same(&next, &fresh));
        route_end(&next);
        route_end(&fresh);
        buf_release(&changed);
    }
    buf_release(&json);
    route_end(&t);
}

int main(void)
{
    every_state_survives();
    the_next_process_goes_on_where_the_last_one_ended();
    a_hold_time_goes_on_once_it_was_seen_again();
    a_clock_that_went_back_between_two_processes_is_no_time_passed();
    environments_that_are_gone_are_dropped_and_new_ones_begin_unknown();
    orders_that_would_leave_nobody_now_are_dropped();
    what_is_not_understood_is_refused_and_changes_nothing();
    return DONE();
}
