#include "world.h"

/* Without anybody steering: what HAProxy does by itself, as trine has configured it. */

static void wait_for_requests(struct world *w, struct load *l, long more)
{
    long until = l->shared->sent + more;

    run_until(w, l->shared->sent >= until);
}

static void fault(struct world *w, enum backend_mode mode)
{
    if (mode == BACKEND_RESET)
        backend_kill(&w->b[0]); /* connections break, later ones are refused */
    else
        w->b[0].shared->mode = mode;
}

static void mend(struct world *w, enum backend_mode mode)
{
    w->b[0].shared->mode = BACKEND_OK;
    if (mode == BACKEND_RESET)
        backend_revive(&w->b[0]);
}

static void no_get_is_lost_in(const char *name, enum backend_mode mode)
{
    struct world w;
    struct load l;
    long before;

    world_begin(&w, 3);
    w.route.answer_ms = 300;
    w.b[0].shared->slow_ms = 1000;
    CHECK(world_apply(&w));
    load_begin(&l, w.port, GET);
    wait_for_requests(&w, &l, 200);
    fault(&w, mode);
    wait_for_requests(&w, &l, mode == BACKEND_HANG || mode == BACKEND_SLOW ? 60 : 400);
    printf("# %s: %ld sent, %ld lost, %ld slow\n", name, l.shared->sent, l.shared->lost,
           l.shared->slow);
    CHECK(l.shared->lost == 0);
    run_until(&w, world_reading(&w, "uat").counters.failed >= 3);
    CHECK(world_reading(&w, "uat").counters.failed >= 3);
    mend(&w, mode);
    run_until(&w, !world_reading(&w, "uat").down_by_itself);
    before = w.b[0].shared->requests;
    run_until(&w, w.b[0].shared->requests > before + 50);
    CHECK(w.b[0].shared->requests > before + 50);
    load_end(&l);
    CHECK(l.shared->lost == 0);
    world_end(&w);
}

static void a_post_that_was_sent_is_never_sent_again(void)
{
    struct world w;
    struct load l;

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    load_begin(&l, w.port, POST);
    wait_for_requests(&w, &l, 100);
    w.b[0].shared->mode = BACKEND_503;
    wait_for_requests(&w, &l, 200);
    load_end(&l);
    CHECK(l.shared->lost > 0); /* its 503 goes to the client, who knows what it means */
    CHECK(w.b[0].shared->posts + w.b[1].shared->posts + w.b[2].shared->posts == l.shared->sent);
    world_end(&w);
}

static void a_keyed_post_is_sent_again_when_the_route_says_so(void)
{
    struct world w;
    struct load l;

    world_begin(&w, 3);
    w.route.retry = RETRY_KEYED;
    CHECK(world_apply(&w));
    w.b[0].shared->mode = BACKEND_503;
    load_begin(&l, w.port,
               "POST /x HTTP/1.1\r\nHost: www.example\r\nIdempotency-Key: 7\r\n"
               "Content-Length: 2\r\n\r\nhi");
    wait_for_requests(&w, &l, 100);
    load_end(&l);
    CHECK(l.shared->lost == 0 && w.b[0].shared->posts >= 3);
    world_end(&w);
}

/* One primary and a backup: the backup has nothing, until the primary fails. */
static void the_backup_takes_what_the_only_primary_fails(enum backend_mode mode)
{
    struct world w;
    struct load l;

    world_begin(&w, 3);
    w.servers[1].weight = 0;
    w.servers[1].backup = true;
    w.route.n_servers = 2;
    w.route.answer_ms = 300;
    CHECK(world_apply(&w));
    load_begin(&l, w.port, GET);
    wait_for_requests(&w, &l, 200);
    CHECK(w.b[1].shared->requests == 0);
    fault(&w, mode);
    wait_for_requests(&w, &l, 60);
    load_end(&l);
    printf("# backup: %ld sent, %ld lost\n", l.shared->sent, l.shared->lost);
    CHECK(l.shared->lost == 0 && w.b[1].shared->requests >= 50);
    CHECK(w.b[1].shared->wrong_hosts == 0);
    world_end(&w);
}

static void the_backup_takes_over_when_all_weights_are_out(void)
{
    struct world w;
    struct load l;

    world_begin(&w, 3);
    CHECK(world_apply(&w));
    w.b[0].shared->mode = w.b[1].shared->mode = BACKEND_503;
    load_begin(&l, w.port, GET);
    run_until(&w, w.b[2].shared->requests > 200);
    load_end(&l);
    printf("# backup of two: %ld sent, %ld lost\n", l.shared->sent, l.shared->lost);
    CHECK(w.b[2].shared->requests > 200 && l.shared->lost < 40);
    world_end(&w);
}

/* All are out by HAProxy's own count, and one of them answers again: it is asked. */
static void when_all_are_out_they_are_asked_all_the_same(void)
{
    struct world w;
    char answer[2048];

    world_begin(&w, 2);
    w.route.fast_ms = 20000;
    CHECK(world_apply(&w));
    w.b[0].shared->mode = w.b[1].shared->mode = BACKEND_503;
    for (int i = 0; i < 12; i++)
        CHECK(world_ask(&w, GET, answer) == 503);
    run_until(&w,
              world_reading(&w, "uat").down_by_itself && world_reading(&w, "beta").down_by_itself);
    CHECK(world_reading(&w, "uat").down_by_itself && world_reading(&w, "beta").down_by_itself);
    w.b[0].shared->mode = w.b[1].shared->mode = BACKEND_OK;
    for (int i = 0; i < 5; i++)
        CHECK(world_ask(&w, GET, answer) == 200);
    world_end(&w);
}

static void a_single_slow_server_is_never_taken_out(void)
{
    struct world w;
    struct load l;

    world_begin(&w, 1);
    w.route.answer_ms = 100;
    CHECK(world_apply(&w));
    w.b[0].shared->mode = BACKEND_SLOW;
    w.b[0].shared->slow_ms = 400;
    load_begin(&l, w.port, GET);
    wait_for_requests(&w, &l, 40);
    load_end(&l);
    CHECK(l.shared->lost == 0 && l.shared->good == l.shared->sent);
    CHECK(w.b[0].shared->requests == l.shared->sent);
    world_end(&w);
}

/* What waits for one that hangs is sent elsewhere as soon as it is taken out. */
static void waiting_requests_are_released(void)
{
    struct world w;
    struct load l;
    struct haproxy_order out[] = {world_order("uat", 90, MODE_MAINTENANCE)};

    out[0].release = true;
    world_begin(&w, 3);
    w.route.answer_ms = 20000;
    CHECK(world_apply(&w));
    load_begin(&l, w.port, GET);
    wait_for_requests(&w, &l, 200);
    w.b[0].shared->mode = BACKEND_HANG;
    run_until(&w, world_reading(&w, "uat").counters.waiting >= 3);
    CHECK(world_reading(&w, "uat").counters.waiting >= 3);
    CHECK(world_steer(&w, out, 1));
    wait_for_requests(&w, &l, 200);
    load_end(&l);
    printf("# released: %ld sent, %ld lost, %ld slow\n", l.shared->sent, l.shared->lost,
           l.shared->slow);
    CHECK(l.shared->lost == 0);
    CHECK(strstr(w.said, "are sent to another environment") != NULL);
    world_end(&w);
}

int main(void)
{
    no_get_is_lost_in("503", BACKEND_503);
    no_get_is_lost_in("grey", BACKEND_GREY);
    no_get_is_lost_in("hang", BACKEND_HANG);
    no_get_is_lost_in("slow", BACKEND_SLOW);
    no_get_is_lost_in("killed", BACKEND_RESET);
    a_post_that_was_sent_is_never_sent_again();
    a_keyed_post_is_sent_again_when_the_route_says_so();
    the_backup_takes_what_the_only_primary_fails(BACKEND_503);
    the_backup_takes_what_the_only_primary_fails(BACKEND_HANG);
    the_backup_takes_what_the_only_primary_fails(BACKEND_RESET);
    the_backup_takes_over_when_all_weights_are_out();
    when_all_are_out_they_are_asked_all_the_same();
    a_single_slow_server_is_never_taken_out();
    waiting_requests_are_released();
    return DONE();
}
