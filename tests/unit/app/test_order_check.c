#include "app/order_check.h"

#include "base/arena.h"
#include "store/fixture.h"

static const char *environments[] = {"one", "two", "three"};
static const struct orderable api = {"api", environments, 3};

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

static struct traffic_order order(const struct fixture *f, const char *environment,
                                  const char *kind, int weight)
{
    return (struct traffic_order){.route = "api",
                                  .environment = environment,
                                  .kind = kind,
                                  .weight = weight,
                                  .made_ms = f->time.wall_ms,
                                  .who = "anna",
                                  .why = ""};
}

static int check(struct fixture *f, struct traffic_order o)
{
    return order_check(f->store, &api, &o, 1, &f->err);
}

static void make(struct fixture *f, struct traffic_order o)
{
    int64_t id = 0;

    CHECK(traffic_order_make(f->store, &o, &id, &f->err) == 0);
}

static bool says(const struct fixture *f, const char *words)
{
    return f->err.kind == ERR_USAGE && strstr(f->err.text, words);
}

static void a_single_order_keeps_to_its_bounds(void)
{
    struct fixture f;

    fixture_init(&f);
    CHECK(check(&f, order(&f, "one", "drain", 0)) == 0);
    CHECK(check(&f, order(&f, "one", "weight", 100)) == 0);
    CHECK(check(&f, order(&f, "three", "none", 0)) == 0);
    CHECK(check(&f, order(&f, "nine", "drain", 0)) == -1 &&
          says(&f, "does not lead to nine, it leads to one, two, three"));
    CHECK(check(&f, order(&f, "", "drain", 0)) == -1 && says(&f, "without a name"));
    CHECK(check(&f, order(&f, "one", "fly", 0)) == -1 && says(&f, "no order \"fly\""));
    CHECK(check(&f, order(&f, "one", "weight", 101)) == -1 && says(&f, "give 0 to 100"));
    CHECK(check(&f, order(&f, "one", "weight", -1)) == -1 && says(&f, "give 0 to 100"));
    fixture_release(&f);
}

static void an_order_ends_after_it_began_and_within_a_year(void)
{
    struct fixture f;

    fixture_init(&f);
    struct traffic_order o = order(&f, "one", "up", 0);
    o.until_ms = o.made_ms + 1;
    CHECK(check(&f, o) == 0);
    o.until_ms = o.made_ms + ORDER_SPAN_MAX_DAYS * day_ms;
    CHECK(check(&f, o) == 0);
    o.until_ms++;
    CHECK(check(&f, o) == -1 && says(&f, "366 days at most"));
    o.until_ms = o.made_ms;
    CHECK(check(&f, o) == -1);
    o.until_ms = -1;
    CHECK(check(&f, o) == -1);
    fixture_release(&f);
}

static void one_environment_gets_one_order_at_a_time(void)
{
    struct fixture f;

    fixture_init(&f);
    const struct traffic_order twice[] = {order(&f, "one", "weight", 5),
                                          order(&f, "one", "weight", 6)};
    CHECK(order_check(f.store, &api, twice, 2, &f.err) == -1 && says(&f, "one is named twice"));
    fixture_release(&f);
}

static void nobody_orders_the_last_environment_away(void)
{
    struct fixture f;

    fixture_init(&f);
    const struct traffic_order all[] = {order(&f, "one", "drain", 0), order(&f, "two", "weight", 0),
                                        order(&f, "three", "down", 0)};
    CHECK(order_check(f.store, &api, all, 2, &f.err) == 0); /* the backup takes over */
    CHECK(order_check(f.store, &api, all, 3, &f.err) == -1 &&
          says(&f, "(one drained, two with weight 0, three called down)"));
    fixture_release(&f);
}

static void orders_in_force_count_too(void)
{
    struct fixture f;

    fixture_init(&f);
    make(&f, order(&f, "one", "drain", 0));
    make(&f, order(&f, "two", "drain", 0));
    CHECK(check(&f, order(&f, "three", "drain", 0)) == -1 && says(&f, "nobody would be left"));
    CHECK(check(&f, order(&f, "one", "weight", 50)) == 0);
    CHECK(check(&f, order(&f, "one", "none", 0)) == 0);
    const struct traffic_order swap[] = {order(&f, "three", "drain", 0),
                                         order(&f, "one", "none", 0)};
    CHECK(order_check(f.store, &api, swap, 2, &f.err) == 0);
    fixture_release(&f);
}

static void orders_that_are_over_or_of_another_route_do_not_count(void)
{
    struct fixture f;

    fixture_init(&f);
    struct traffic_order o = order(&f, "one", "drain", 0);
    o.until_ms = o.made_ms + 1000;
    make(&f, o);
    make(&f, order(&f, "two", "drain", 0));
    CHECK(check(&f, order(&f, "three", "drain", 0)) == -1);
    clock_fake_step(&f.time, 1000);
    CHECK(check(&f, order(&f, "three", "drain", 0)) == 0);
    o = order(&f, "one", "drain", 0);
    o.route = "web";
    make(&f, o);
    o = order(&f, ROUTER_DNS, "accept", 0);
    make(&f, o);
    CHECK(check(&f, order(&f, "three", "drain", 0)) == 0);
    fixture_release(&f);
}

/* Whatever stands in the store: one from before this rule, or of an environment that is gone. */
static void taking_back_is_never_refused(void)
{
    struct fixture f;

    fixture_init(&f);
    make(&f, order(&f, "one", "drain", 0));
    make(&f, order(&f, "two", "drain", 0));
    make(&f, order(&f, "three", "drain", 0));
    make(&f, order(&f, "gone", "drain", 0));
    CHECK(check(&f, order(&f, "one", "none", 0)) == 0);
    fixture_release(&f);
}

static void what_a_route_leads_to_is_copied(void)
{
    const char *failover[] = {"one", "two"};
    const struct manifest_route route = {.name = "api", .failover = failover, .n_failover = 2};
    struct arena arena = {0};
    struct orderable got;

    orderable_from(&arena, &route, &got);
    CHECK(got.n == 2 && strcmp(got.route, "api") == 0 && got.route != route.name);
    CHECK(strcmp(got.environments[0], "one") == 0);
    CHECK(strcmp(got.environments[1], "two") == 0);
    arena_release(&arena);
}

int main(void)
{
    a_single_order_keeps_to_its_bounds();
    an_order_ends_after_it_began_and_within_a_year();
    one_environment_gets_one_order_at_a_time();
    nobody_orders_the_last_environment_away();
    orders_in_force_count_too();
    orders_that_are_over_or_of_another_route_do_not_count();
    taking_back_is_never_refused();
    what_a_route_leads_to_is_copied();
    return DONE();
}
