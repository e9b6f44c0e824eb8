#include "fixture.h"
#include "store/history.h"
#include "store/traffic.h"

struct seen {
    int n;
    char text[1024];
    int64_t last_id, last_applied_us;
};

static void note_order(const struct traffic_order *o, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);

    (void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s/%s %s %d %s%s;", o->route,
                   o->environment, o->kind, o->weight, o->who, o->ended_ms ? " ended" : "");
    seen->n++;
}

static void note_change(const struct traffic_change *c, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);

    (void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s/%s %s>%s;", c->route,
                   c->environment, c->from, c->to);
    seen->last_id = c->id;
    seen->last_applied_us = c->applied_us;
    seen->n++;
}

static struct seen orders(struct fixture *f, bool ended_too, int limit)
{
    struct seen seen = {0};

    CHECK(traffic_order_list(f->store, ended_too, limit, note_order, &seen, &f->err) == 0);
    return seen;
}

static int64_t order(struct fixture *f, const char *environment, const char *kind, int weight,
                     const char *who)
{
    int64_t id = 0;
    const struct traffic_order o = {.route = "api",
                                    .environment = environment,
                                    .kind = kind,
                                    .weight = weight,
                                    .made_ms = 1000,
                                    .who = who};

    CHECK(traffic_order_make(f->store, &o, &id, &f->err) == 0);
    return id;
}

static void a_new_order_takes_the_place_of_the_one_in_force(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t first = order(&f, "uat", "weight", 30, "ann"),
            second = order(&f, "uat", "drain", 0, "bob");
    CHECK(second > first);
    order(&f, "beta", "up", 0, "bob");
    CHECK(strcmp(orders(&f, false, 0).text, "api/beta up 0 bob;api/uat drain 0 bob;") == 0);
    CHECK(strcmp(orders(&f, true, 0).text,
                 "api/beta up 0 bob;api/uat drain 0 bob;api/uat weight 30 ann ended;") == 0);
    CHECK(orders(&f, true, 1).n == 1);
    fixture_release(&f);
}

static void orders_are_ended_by_route_environment_or_maker(void)
{
    struct fixture f;
    int n = -1;
    fixture_init(&f);
    order(&f, "uat", "drain", 0, "ann");
    order(&f, "beta", "drain", 0, "drill 4");
    CHECK(traffic_order_end_made_by(f.store, "drill 5", 2000, &n, &f.err) == 0 && n == 0);
    CHECK(traffic_order_end_made_by(f.store, "drill 4", 2000, &n, &f.err) == 0 && n == 1);
    CHECK(strcmp(orders(&f, false, 0).text, "api/uat drain 0 ann;") == 0);
    CHECK(traffic_order_end(f.store, "web", NULL, 2000, &n, &f.err) == 0 && n == 0);
    CHECK(traffic_order_end(f.store, "api", "beta", 2000, &n, &f.err) == 0 && n == 0);
    /* A clock that says 1970 ends it all the same. */
    CHECK(traffic_order_end(f.store, "api", NULL, 0, &n, &f.err) == 0 && n == 1);
    CHECK(orders(&f, false, 0).n == 0);
    order(&f, "uat", "drain", 0, "ann");
    CHECK(traffic_order_end(f.store, NULL, NULL, 3000, NULL, &f.err) == 0);
    CHECK(orders(&f, false, 0).n == 0);
    fixture_release(&f);
}

static int64_t order_until(struct fixture *f, const char *environment, int64_t until_ms)
{
    const struct traffic_order o = {.route = "api",
                                    .environment = environment,
                                    .kind = "drain",
                                    .made_ms = 1000,
                                    .until_ms = until_ms,
                                    .who = "ana"};
    int64_t id = 0;

    CHECK(traffic_order_make(f->store, &o, &id, &f->err) == 0);
    return id;
}

static void an_order_ends_when_its_time_is_over_and_no_other_does(void)
{
    struct fixture f;
    fixture_init(&f);

    (void)order_until(&f, "uat", 5000);
    (void)order_until(&f, "beta", 5001);
    (void)order_until(&f, "pre", 0);
    CHECK(traffic_order_expire(f.store, 5000, &f.err) == 0);
    CHECK(strcmp(orders(&f, false, 0).text, "api/pre drain 0 ana;api/beta drain 0 ana;") == 0);
    CHECK(traffic_order_expire(f.store, 5000, &f.err) == 0);
    CHECK(orders(&f, true, 0).n == 3);
    fixture_release(&f);
}

static void old_changes_and_orders_that_ended_are_dropped(void)
{
    struct fixture f;
    fixture_init(&f);
    bool more = true;
    int64_t id = 0;

    const struct lease lease = fixture_lease(&f, ROUTER_LEASE);
    for (int64_t ms = 1000; ms <= 9000; ms += 8000) {
        const struct traffic_change c = {.route = "api",
                                         .environment = ms == 1000 ? "old" : "new",
                                         .from = "up",
                                         .to = "down",
                                         .decided_us = ms * 1000};
        CHECK(traffic_change_add(f.store, &lease, &c, &id, &f.err) == 0);
    }
    (void)order_until(&f, "ended", 2000);
    (void)order_until(&f, "kept", 0);
    CHECK(traffic_order_expire(f.store, 3000, &f.err) == 0);
    CHECK(history_prune(f.store, 10000, 5000, 5000, &more, &f.err) == 0 && !more);
    struct seen seen = {0};
    CHECK(traffic_change_list(f.store, NULL, 0, INT64_MAX, 0, note_change, &seen, &f.err) == 0);
    CHECK(strcmp(seen.text, "api/new up>down;") == 0);
    CHECK(strcmp(orders(&f, true, 0).text, "api/kept drain 0 ana;") == 0);
    fixture_release(&f);
}

static void an_order_of_an_unknown_kind_changes_nothing(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = order(&f, "uat", "drain", 0, "ann");
    const struct traffic_order bad = {.route = "api", .environment = "uat", .kind = "explode"};
    CHECK(traffic_order_make(f.store, &bad, &id, &f.err) == -1);
    CHECK(strcmp(orders(&f, false, 0).text, "api/uat drain 0 ann;") == 0);
    fixture_release(&f);
}

static int64_t change(struct fixture *f, const struct lease *l, const char *route, const char *to,
                      int64_t decided_us)
{
    int64_t id = 0;
    const struct traffic_change c = {.route = route,
                                     .environment = "uat",
                                     .from = "up",
                                     .to = to,
                                     .evidence = "{}",
                                     .decided_us = decided_us};

    CHECK(traffic_change_add(f->store, l, &c, &id, &f->err) == 0);
    return id;
}

static struct seen changes(struct fixture *f, const char *route, int64_t from_ms, int64_t until_ms,
                           int limit)
{
    struct seen seen = {0};

    CHECK(traffic_change_list(f->store, route, from_ms, until_ms, limit, note_change, &seen,
                              &f->err) == 0);
    return seen;
}

static void changes_are_listed_newest_first_within_the_time(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, ROUTER_LEASE);
    int64_t first = change(&f, &l, "api", "suspect", 1000999);
    change(&f, &l, "api", "down", 2000000);
    change(&f, &l, "web", "down", 2000000);
    CHECK(strcmp(changes(&f, NULL, 0, INT64_MAX, 0).text,
                 "web/uat up>down;api/uat up>down;api/uat up>suspect;") == 0);
    CHECK(strcmp(changes(&f, "api", 1000, 2000, 0).text, "api/uat up>suspect;") == 0);
    CHECK(strcmp(changes(&f, "api", INT64_MIN, INT64_MAX, 1).text, "api/uat up>down;") == 0);
    CHECK(changes(&f, "api", 1001, 2000, 0).n == 0);
    CHECK(traffic_change_applied(f.store, &l, first, 1003000, &f.err) == 0);
    struct seen seen = changes(&f, "api", 0, 2000, 0);
    CHECK(seen.last_id == first && seen.last_applied_us == 1003000);
    CHECK(traffic_change_applied(f.store, &l, 4711, 1, &f.err) == -1 && f.err.kind == ERR_NO);
    fixture_release(&f);
}

static void a_router_that_lost_its_lease_writes_nothing(void)
{
    struct fixture f;
    int64_t id = 0, updated_ms = -1;
    char *state = NULL;
    fixture_init(&f);
    struct lease old = fixture_lease(&f, ROUTER_LEASE);
    int64_t first = change(&f, &old, "api", "down", 1000);
    CHECK(lease_release(f.store, &old, &f.err) == 0);
    struct lease now = fixture_lease(&f, ROUTER_LEASE);
    const struct traffic_change c = {.route = "api", .environment = "uat"};
    CHECK(traffic_change_add(f.store, &old, &c, &id, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(traffic_change_applied(f.store, &old, first, 7, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(traffic_state_put(f.store, &old, "api", "{}", &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(changes(&f, NULL, 0, INT64_MAX, 0).last_applied_us == 0);
    CHECK(traffic_state_get(f.store, "api", &state, &updated_ms, &f.err) == 0);
    CHECK(state && !*state && updated_ms == 0);
    free(state);
    CHECK(traffic_change_add(f.store, &now, &c, &id, &f.err) == 0 && id > first);
    struct lease other = fixture_lease(&f, "uat");
    CHECK(traffic_change_add(f.store, &other, &c, &id, &f.err) == -1 && f.err.kind == ERR_BUG);
    fixture_release(&f);
}

static void where_a_route_stood_is_kept_for_the_next_process(void)
{
    struct fixture f;
    char *state = NULL;
    int64_t updated_ms = 0;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, ROUTER_LEASE);
    CHECK(traffic_state_put(f.store, &l, "api", "{\"a\": 1}", &f.err) == 0);
    CHECK(traffic_state_put(f.store, &l, "api", "{\"a\": 2}", &f.err) == 0);
    CHECK(traffic_state_put(f.store, &l, "web", "{}", &f.err) == 0);
    CHECK(traffic_state_get(f.store, "api", &state, &updated_ms, &f.err) == 0);
    CHECK(strcmp(state, "{\"a\": 2}") == 0);
    CHECK(updated_ms == f.time.wall_ms);
    free(state);
    fixture_release(&f);
}

int main(void)
{
    a_new_order_takes_the_place_of_the_one_in_force();
    orders_are_ended_by_route_environment_or_maker();
    an_order_ends_when_its_time_is_over_and_no_other_does();
    old_changes_and_orders_that_ended_are_dropped();
    an_order_of_an_unknown_kind_changes_nothing();
    changes_are_listed_newest_first_within_the_time();
    a_router_that_lost_its_lease_writes_nothing();
    where_a_route_stood_is_kept_for_the_next_process();
    return DONE();
}
