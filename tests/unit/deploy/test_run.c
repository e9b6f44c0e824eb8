#include "run_world.h"

#include <string.h>

/* The runner against a platform that does as badly as a test wants. */

static struct world world;

static bool all_live(const struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->items[i].state != DEPLOYMENT_LIVE) {
            printf("# item %zu: %s\n", i, w->items[i].err.text);
            return false;
        }
    return true;
}

static bool run_all(struct world *w)
{
    struct run_options o = world_options(w);

    return world_run(w, &o);
}

static void a_deployment_goes_live_and_is_on_record(void)
{
    struct err e = ERR_INIT;

    world_init(&world, 1, 2);
    CHECK(!run_all(&world));
    CHECK(all_live(&world));
    CHECK(world.creates == 1 && world.finds == 1 && world.puts == 2);
    CHECK(deployment_latest(world.store, "uat", world_row, &world, &e) == 0);
    CHECK(world.state == DEPLOYMENT_LIVE);
    world_release(&world);
}

static void what_must_not_happen_twice_is_on_record_before_it_is_sent(void)
{
    world_init(&world, 1, 0);
    (void)run_all(&world);
    CHECK(world.state == DEPLOYMENT_RUNNING);
    CHECK(strstr(world.progress, "\"step\":0") != NULL); /* a killed run begins with the look-up */
    world_release(&world);
}

static void an_answer_lost_after_the_creation_creates_nothing_twice(void)
{
    world_init(&world, 1, 1);
    world.rules[0] = (struct world_rule){"/create", FAULT_DO_AND_CLOSE, 0, 1, NULL};
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.creates == 1 && world.finds == 2);
    world_release(&world);
}

static void a_creation_that_never_arrived_is_looked_for_and_sent_again(void)
{
    world_init(&world, 1, 1);
    world.rules[0] = (struct world_rule){"/create", FAULT_CLOSE, 0, 1, NULL};
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.creates == 1 && world.finds == 2);
    world_release(&world);
}

static void a_senseless_answer_to_a_creation_is_looked_into(void)
{
    world_init(&world, 1, 1);
    world.rules[0] = (struct world_rule){"/create", FAULT_GARBAGE, 0, 1, NULL};
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.creates == 1 && world.finds == 2);
    world_release(&world);
}

static void an_interrupted_run_is_gone_on_with(void)
{
    world_init(&world, 1, 1);
    world.created[0] = world.got[0] = 1;
    world.items[0].saved = "{\"step\": 3, \"polls\": 0}";
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.creates == 0 && world.finds == 0 && world.polls > 0);
    world_release(&world);
}

static void progress_that_cannot_be_read_begins_with_the_look_up(void)
{
    world_init(&world, 1, 1);
    world.created[0] = world.got[0] = 1;
    world.items[0].saved = "{\"step\": \"three\"}";
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.creates == 0 && world.finds == 1);
    world_release(&world);
}

static void uploads_are_parallel_within_the_platforms_bound(void)
{
    world_init(&world, 1, MOST_FILES);
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.puts == MOST_FILES);
    CHECK(world.most_uploading > 1 && world.most_uploading <= 4);
    world_release(&world);
}

static void one_deployment_of_an_account_uploads_at_a_time(void)
{
    world_init(&world, 3, 6);
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.puts == 18 && world.mixed == 0);
    world_release(&world);
}

static void accounts_upload_side_by_side(void)
{
    world_init(&world, 2, 6);
    world.wants[1].token = "another-token";
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.mixed > 0);
    world_release(&world);
}

static void senseless_and_missing_answers_are_asked_for_again(void)
{
    world_init(&world, 1, 3);
    world.rules[0] = (struct world_rule){"/find", FAULT_GARBAGE, 0, 2, NULL};
    world.rules[1] = (struct world_rule){"/put", FAULT_CLOSE, 0, 1, NULL};
    world.rules[2] = (struct world_rule){"/poll", FAULT_STATUS, 503, 2, NULL};
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.creates == 1);
    world_release(&world);
}

static void tries_have_an_end(void)
{
    world_init(&world, 1, 1);
    world.rules[0] = (struct world_rule){"/find", FAULT_STATUS, 500, -1, NULL};
    struct run_options o = world_options(&world);
    o.tries = 3;
    (void)world_run(&world, &o);
    CHECK(world.items[0].state == DEPLOYMENT_RUNNING); /* no verdict: the next run goes on */
    CHECK(world.requests == 3);
    CHECK(strstr(world.items[0].err.text, "World: answered 500: not now") != NULL);
    world_release(&world);
}

static void a_refusal_fails_at_once_with_the_platforms_words(void)
{
    world_init(&world, 1, 1);
    world.rules[0] = (struct world_rule){"/create", FAULT_STATUS, 403, -1, NULL};
    (void)run_all(&world);
    CHECK(world.items[0].state == DEPLOYMENT_FAILED);
    CHECK(strcmp(world.items[0].err.text, "World: answered 403: not now") == 0);
    CHECK(world.requests == 2 && world.creates == 0);
    world_release(&world);
}

static void a_429_stops_the_whole_account_until_it_may_ask_again(void)
{
    world_init(&world, 4, 0);
    world.rules[0] = (struct world_rule){"/find", FAULT_STATUS, 429, 1, "1"};
    struct run_options o = world_options(&world);
    o.tries = 1; /* a 429 costs no try: the request did not happen */
    (void)world_run(&world, &o);
    CHECK(all_live(&world));
    CHECK(world.too_soon <= 3); /* those that were on their way with the first */
    world_release(&world);
}

static void past_the_deadline_it_stays_in_progress(void)
{
    struct err e = ERR_INIT;

    world_init(&world, 1, 0);
    world.word = "brewing";
    struct run_options o = world_options(&world);
    o.deadline_ms = 100;
    (void)world_run(&world, &o);
    CHECK(world.items[0].state == DEPLOYMENT_RUNNING);
    CHECK(strstr(world.items[0].err.text, "still in progress, says \"brewing\"") != NULL);
    CHECK(deployment_latest(world.store, "uat", world_row, &world, &e) == 0);
    CHECK(world.state == DEPLOYMENT_RUNNING);

    /* The next run goes on watching, and sees it through. */
    world.word = "ready";
    char saved[512];
    (void)snprintf(saved, sizeof(saved), "%s", world.progress);
    world_item(&world, 0);
    world.items[0].saved = saved;
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.creates == 1);
    world_release(&world);
}

static void nothing_is_created_once_the_lease_is_lost(void)
{
    struct err e = ERR_INIT;
    struct lease other;

    world_init(&world, 2, 1);
    CHECK(lease_release(world.store, &world.lease, &e) == 0);
    CHECK(lease_acquire(world.store, "uat", "another", &other, &e) == 0);
    CHECK(run_all(&world));
    CHECK(world.creates == 0 && world.puts == 0);
    CHECK(world.items[0].state != DEPLOYMENT_LIVE && world.items[1].state != DEPLOYMENT_LIVE);
    world_release(&world);
}

static void live_is_what_answers_with_our_commit(void)
{
    world_init(&world, 1, 0);
    world.rules[0] = (struct world_rule){"/site", FAULT_STATUS, 404, 2, NULL};
    world.rules[1] = (struct world_rule){"/site", FAULT_GARBAGE, 0, 1, NULL};
    (void)run_all(&world);
    CHECK(all_live(&world));
    CHECK(world.rules[0].times == 0 && world.rules[1].times == 0);
    world_release(&world);
}

static void a_platforms_words_are_stored_without_secrets(void)
{
    struct err e = ERR_INIT;

    world_init(&world, 1, 0);
    redactor_add(world.redactor, "TOKEN", "secret-token");
    world.word = "bad secret-token";
    struct run_options o = world_options(&world);
    o.deadline_ms = 50;
    (void)world_run(&world, &o);
    CHECK(strstr(world.items[0].err.text, "secret-token") == NULL);
    CHECK(deployment_latest(world.store, "uat", world_row, &world, &e) == 0);
    CHECK(strstr(world.progress, "secret-token") == NULL);
    CHECK(strstr(world.progress, "[TOKEN]") != NULL);
    world_release(&world);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    a_deployment_goes_live_and_is_on_record();
    what_must_not_happen_twice_is_on_record_before_it_is_sent();
    an_answer_lost_after_the_creation_creates_nothing_twice();
    a_creation_that_never_arrived_is_looked_for_and_sent_again();
    a_senseless_answer_to_a_creation_is_looked_into();
    an_interrupted_run_is_gone_on_with();
    progress_that_cannot_be_read_begins_with_the_look_up();
    uploads_are_parallel_within_the_platforms_bound();
    one_deployment_of_an_account_uploads_at_a_time();
    accounts_upload_side_by_side();
    senseless_and_missing_answers_are_asked_for_again();
    tries_have_an_end();
    a_refusal_fails_at_once_with_the_platforms_words();
    a_429_stops_the_whole_account_until_it_may_ask_again();
    past_the_deadline_it_stays_in_progress();
    nothing_is_created_once_the_lease_is_lost();
    live_is_what_answers_with_our_commit();
    a_platforms_words_are_stored_without_secrets();
    return DONE();
}
