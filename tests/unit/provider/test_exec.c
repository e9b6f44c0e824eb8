#include "../test.h"
#include "talk.h"

static struct talk begin(const char *status)
{
    struct talk t = talk_with(&provider_exec);

    t.want.deploy = "make ship";
    t.want.status = status;
    t.want.url = "https://given.example";
    CHECK(t.ops->check(&t.want, &t.e) == 0);
    CHECK(asks(&t, "program"));
    CHECK(t.call.once);
    return t;
}

static bool runs(const struct talk *t, const char *command)
{
    struct arena arena = ARENA_INIT;
    struct program p = {0};
    struct err e = ERR_INIT;
    bool same = t->ops->command(&t->d, &t->want, &arena, &p, &e) == 0 &&
                strcmp(p.argv[0], "/bin/sh") == 0 && strcmp(p.argv[1], "-c") == 0 &&
                strcmp(p.argv[2], command) == 0 && !p.argv[3];

    arena_release(&arena);
    return same;
}

static const char *env_of(const struct program *p, const char *name)
{
    for (size_t i = 0; i < p->n_env; i++)
        if (strcmp(p->env[i].name, name) == 0)
            return p->env[i].value;
    return "(absent)";
}

static void the_command_gets_everything_in_its_environment(void)
{
    struct talk t = begin("");
    struct arena arena = ARENA_INIT;
    struct program p = {0};

    CHECK(t.ops->command(&t.d, &t.want, &arena, &p, &t.e) == 0);
    CHECK(strcmp(env_of(&p, "TRINE_COMMIT"), t.want.commit) == 0);
    CHECK(strcmp(env_of(&p, "TRINE_RELEASE"), "trine uat-7") == 0);
    CHECK(strcmp(env_of(&p, "TRINE_TOKEN"), "secret-token") == 0);
    CHECK(strcmp(env_of(&p, "DATABASE_URL"), "postgres://secret@db/shop") == 0);
    t.want.token = "";
    CHECK(t.ops->command(&t.d, &t.want, &arena, &p, &t.e) == 0);
    CHECK(strcmp(env_of(&p, "TRINE_TOKEN"), "(absent)") == 0);
    CHECK(runs(&t, "make ship"));
    arena_release(&arena);
    talk_end(&t);
}

static void without_a_status_command_a_deploy_that_ended_well_is_live(void)
{
    struct talk t = begin("");

    CHECK(answer(&t, 200, "building\nuploading\n") == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://given.example") == 0);
    talk_end(&t);
}

static void the_last_line_tells_address_id_and_state(void)
{
    struct talk t = begin("make status");

    CHECK(
        answer(&t, 200,
               "ok\n{\"url\":\"https://new.example\",\"id\":\"v7\",\"state\":\"in_progress\"}\n") ==
        0);
    CHECK(asks(&t, "program"));
    CHECK(t.waits == 1);
    CHECK(!t.call.once);
    CHECK(runs(&t, "make status"));
    CHECK(answer(&t, 200, "{\"state\":\"thinking\"}") == 0);
    CHECK(strcmp(t.d.word, "thinking") == 0);
    CHECK(asks(&t, "program"));
    CHECK(answer(&t, 200, "{\"state\":\"live\"}") == 0);
    CHECK(turn(&t) == TURN_DONE);
    CHECK(strcmp(t.d.url, "https://new.example") == 0);
    CHECK(strcmp(t.d.remote_id, "v7") == 0);
    talk_end(&t);
}

static void a_deploy_without_outcome_asks_status_first_where_there_is_one(void)
{
    struct talk t = begin("make status");

    lost(&t);
    CHECK(asks(&t, "program"));
    CHECK(runs(&t, "make status"));
    CHECK(answer(&t, 200, "{\"state\":\"absent\"}") == 0);
    CHECK(asks(&t, "program"));
    CHECK(runs(&t, "make ship"));
    lost(&t);
    CHECK(asks(&t, "program"));
    CHECK(answer(&t, 200, "{\"state\":\"live\"}") == 0);
    CHECK(turn(&t) == TURN_DONE);
    talk_end(&t);

    t = begin("");
    lost(&t);
    CHECK(asks(&t, "program"));
    CHECK(runs(&t, "make ship"));
    talk_end(&t);
}

static void failures_say_the_last_line(void)
{
    struct talk t = begin("make status");

    CHECK(answer(&t, 500, "make: *** [ship] Error 1\n") == 1);
    CHECK(says(&t, "the deploy command failed: make: *** [ship] Error 1"));
    CHECK(!t.e.retry);
    CHECK(answer(&t, 200, "{\"state\":\"failed\"}") == 0);
    CHECK(turn(&t) == TURN_FAILED);
    CHECK(says(&t, "failed"));
    talk_end(&t);
}

static void any_output_is_borne(void)
{
    static const char *const output[] = {"", "\n\n", "{", "{\"url\":5}", "{\"state\":[]}", "{}"};

    for (size_t i = 0; i < sizeof(output) / sizeof(output[0]); i++) {
        struct talk t = begin("");
        CHECK(answer(&t, 200, output[i]) == 0);
        CHECK(turn(&t) == TURN_DONE);
        CHECK(strcmp(t.d.url, "https://given.example") == 0);
        talk_end(&t);
    }
}

int main(void)
{
    the_command_gets_everything_in_its_environment();
    without_a_status_command_a_deploy_that_ended_well_is_live();
    the_last_line_tells_address_id_and_state();
    a_deploy_without_outcome_asks_status_first_where_there_is_one();
    failures_say_the_last_line();
    any_output_is_borne();
    return DONE();
}
