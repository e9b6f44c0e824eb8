#include "world.h"

static void it_starts_answers_and_names_the_host_of_each(void)
{
    struct world w;
    char answer[2048];

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    CHECK(w.state == HAPROXY_RUNNING && haproxy_pid(w.h) > 1);
    for (int i = 0; i < 30; i++)
        CHECK(world_ask(&w, GET, answer) == 200);
    CHECK(strstr(answer, "x-request-id: ") != NULL);
    CHECK(w.b[0].shared->requests > w.b[1].shared->requests);
    CHECK(w.b[2].shared->requests == 0);
    CHECK(w.b[0].shared->wrong_hosts + w.b[1].shared->wrong_hosts == 0);
    CHECK(w.b[0].shared->checks + w.b[1].shared->checks + w.b[2].shared->checks == 0);
    run_until(&w, world_reading(&w, "uat").counters.tried == (uint64_t)w.b[0].shared->requests);
    CHECK(world_reading(&w, "uat").counters.answered == (uint64_t)w.b[0].shared->requests);
    CHECK(world_reading(&w, "uat").counters.failed == 0);
    CHECK(world_reading(&w, "uat").counters.waiting == 0);
    CHECK(world_reading(&w, "beta").weight == 10);
    world_end(&w);
}

static void orders_are_confirmed_and_obeyed(void)
{
    struct world w;
    char answer[2048];
    struct haproxy_order out[] = {world_order("uat", 0, MODE_MAINTENANCE),
                                  world_order("beta", 256, MODE_READY)};

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    CHECK(world_steer(&w, out, 2));
    CHECK(world_reading(&w, "uat").in_maintenance);
    for (int i = 0; i < 10; i++)
        CHECK(world_ask(&w, GET, answer) == 200);
    CHECK(w.b[0].shared->requests == 0 && w.b[1].shared->requests == 10);
    out[0] = world_order("uat", 0, MODE_DRAIN);
    CHECK(world_steer(&w, out, 1));
    CHECK(world_reading(&w, "uat").draining);
    out[0] = world_order("nobody", 0, MODE_DRAIN);
    CHECK(!world_steer(&w, out, 1));
    CHECK(strstr(w.err.text, "nobody") != NULL);
    world_end(&w);
}

int main(void)
{
    it_starts_answers_and_names_the_host_of_each();
    orders_are_confirmed_and_obeyed();
    return DONE();
}
