#include "fixture.h"
#include "store/outbox.h"

#include <sys/wait.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static bool add(struct fixture *f, const char *alert, const char *key, const char *event,
                const char *environment, bool held)
{
    const struct outbox_matter m = {.alert = alert,
                                    .key = key,
                                    .event = event,
                                    .environment = environment,
                                    .title = key,
                                    .text = "text",
                                    .link = "",
                                    .incident = 7,
                                    .at_ms = f->time.wall_ms,
                                    .held = held};
    bool is_new = false;
    CHECK(outbox_add(f->store, &m, &is_new, &f->err) == 0);
    return is_new;
}

static struct outbox_rule rule_of(const struct fixture *f)
{
    return (struct outbox_rule){
        .alert = "ops", .now_ms = f->time.wall_ms, .repeat_ms = HOUR, .repeatable = false};
}

/* "key,key" of the message that is taken now; "" = none. */
static const char *taken(struct fixture *f, const struct outbox_rule *r, struct outbox_message *m,
                         int64_t *next)
{
    static char keys[512];
    struct arena a = ARENA_INIT;

    keys[0] = '\0';
    CHECK(outbox_take(f->store, r, &a, m, next, &f->err) == 0);
    for (size_t i = 0; i < m->n; i++) {
        strncat(keys, i ? "," : "", sizeof(keys) - strlen(keys) - 1);
        strncat(keys, m->matters[i].key, sizeof(keys) - strlen(keys) - 1);
    }
    arena_release(&a);
    return keys;
}

static bool settle(struct fixture *f, int64_t id, enum outbox_state state, int64_t next_ms)
{
    return outbox_settle(f->store, id, state, next_ms, "200 ok", &f->err) == 0;
}

static void a_matter_is_told_once_for_each_alert_and_for_ever(void)
{
    struct fixture f;
    struct outbox_message m;
    int64_t next;

    fixture_init(&f);
    struct outbox_rule r = rule_of(&f);
    CHECK(add(&f, "ops", "incident 1 opened", "down", "uat", false));
    CHECK(!add(&f, "ops", "incident 1 opened", "down", "uat", false));
    CHECK(add(&f, "team", "incident 1 opened", "down", "uat", false));
    CHECK(strcmp(taken(&f, &r, &m, &next), "incident 1 opened") == 0 && m.attempts == 1);
    CHECK(settle(&f, m.id, OUTBOX_SENT, 0));
    CHECK(!add(&f, "ops", "incident 1 opened", "down", "uat", false));
    store_close(f.store);
    CHECK(fixture_open(&f) == 0);
    CHECK(!add(&f, "ops", "incident 1 opened", "down", "uat", false));
    clock_fake_step(&f.time, 2 * HOUR);
    r = rule_of(&f);
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0 && next == 0);
    fixture_release(&f);
}

static void what_comes_too_often_is_folded_into_one_message(void)
{
    struct fixture f;
    struct outbox_message m;
    int64_t next, begin;

    fixture_init(&f);
    begin = f.time.wall_ms;
    struct outbox_rule r = rule_of(&f);
    add(&f, "ops", "a", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "a") == 0 && m.kind == OUTBOX_SINGLE);
    CHECK(settle(&f, m.id, OUTBOX_SENT, 0));
    clock_fake_step(&f.time, MINUTE);
    r = rule_of(&f);
    add(&f, "ops", "b", "down", "uat", false);
    add(&f, "ops", "c", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0 && next == begin + HOUR);
    /* Another event and another environment have a count of their own. */
    add(&f, "ops", "d", "up", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "d") == 0 && settle(&f, m.id, OUTBOX_SENT, 0));
    add(&f, "ops", "e", "down", "beta", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "e") == 0 && settle(&f, m.id, OUTBOX_SENT, 0));
    clock_fake_step(&f.time, HOUR);
    r = rule_of(&f);
    CHECK(strcmp(taken(&f, &r, &m, &next), "b,c") == 0 && m.kind == OUTBOX_FOLDED);
    fixture_release(&f);
}

static void a_failing_message_waits_and_keeps_its_place(void)
{
    struct fixture f;
    struct outbox_message m;
    int64_t next;

    fixture_init(&f);
    struct outbox_rule r = rule_of(&f);
    add(&f, "ops", "first", "down", "uat", false);
    add(&f, "ops", "second", "up", "uat", false);
    add(&f, "team", "first", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "first") == 0);
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0 && next > 0); /* one at a time */
    CHECK(settle(&f, 1, OUTBOX_WAITING, f.time.wall_ms + MINUTE));
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0 && next == f.time.wall_ms + MINUTE);
    struct outbox_rule team = r;
    team.alert = "team"; /* another alert is not delayed */
    CHECK(strcmp(taken(&f, &team, &m, &next), "first") == 0);
    clock_fake_step(&f.time, MINUTE);
    r = rule_of(&f);
    CHECK(strcmp(taken(&f, &r, &m, &next), "first") == 0 && m.attempts == 2 && m.id == 1);
    CHECK(settle(&f, m.id, OUTBOX_FAILED, 0));
    CHECK(strcmp(taken(&f, &r, &m, &next), "second") == 0);
    fixture_release(&f);
}

static void quiet_hours_end_in_one_summary(void)
{
    static const char *const urgent[] = {"failover"};
    struct fixture f;
    struct outbox_message m;
    int64_t next;

    fixture_init(&f);
    struct outbox_rule r = rule_of(&f);
    add(&f, "ops", "before", "down", "uat", false); /* told before, but not sent yet */
    r.quiet_until_ms = f.time.wall_ms + 8 * HOUR;
    r.urgent = urgent;
    r.n_urgent = 1;
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0 && next == r.quiet_until_ms);
    add(&f, "ops", "night", "up", "beta", true);
    add(&f, "ops", "moved", "failover", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "moved") == 0 && settle(&f, m.id, OUTBOX_SENT, 0));
    clock_fake_step(&f.time, 8 * HOUR);
    r = rule_of(&f);
    add(&f, "ops", "morning", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "before,night") == 0 && m.kind == OUTBOX_QUIET);
    CHECK(settle(&f, m.id, OUTBOX_SENT, 0));
    CHECK(strcmp(taken(&f, &r, &m, &next), "morning") == 0 && m.kind == OUTBOX_SINGLE);
    fixture_release(&f);
}

static void a_message_that_failed_in_quiet_hours_waits_for_their_end_too(void)
{
    static const char *const urgent[] = {"failover"};
    struct fixture f;
    struct outbox_message m;
    int64_t next;

    fixture_init(&f);
    struct outbox_rule r = rule_of(&f);
    add(&f, "ops", "a", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "a") == 0);
    CHECK(settle(&f, m.id, OUTBOX_WAITING, f.time.wall_ms));
    r.quiet_until_ms = f.time.wall_ms + HOUR;
    r.urgent = urgent;
    r.n_urgent = 1;
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0 && next == r.quiet_until_ms);
    add(&f, "ops", "b", "failover", "uat", false); /* and does not stand in an urgent one's way */
    CHECK(strcmp(taken(&f, &r, &m, &next), "b") == 0);
    fixture_release(&f);
}

static void note_title(const struct outbox_message *m, void *arg)
{
    snprintf(arg, 64, "%s", m->matters[0].title);
}

/* A process of its own takes the next message and is gone before an answer comes. */
static void take_and_die(struct fixture *f, bool repeatable)
{
    store_close(f->store);
    f->store = NULL;
    pid_t child = fork();
    if (child == 0) {
        struct outbox_rule r = rule_of(f);
        struct outbox_message m;
        struct arena a = ARENA_INIT;
        int64_t next;
        r.repeatable = repeatable;
        if (fixture_open(f) < 0 || outbox_take(f->store, &r, &a, &m, &next, &f->err) < 0)
            _exit(1);
        _exit(m.id ? 0 : 2); /* the store is not closed, as after kill -9 */
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(fixture_open(f) == 0);
}

static void a_cut_off_attempt_is_not_repeated_where_it_may_arrive_twice(void)
{
    struct fixture f;
    struct outbox_message m;
    struct outbox_standing v;
    char lost[64] = "";
    int64_t next;

    fixture_init(&f);
    add(&f, "ops", "a", "down", "uat", false);
    take_and_die(&f, false);
    struct outbox_rule r = rule_of(&f);
    CHECK(outbox_recover(f.store, "ops", note_title, lost, &f.err) == 0);
    CHECK(strcmp(lost, "a") == 0);
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0);
    CHECK(outbox_stand(f.store, "ops", &v, &f.err) == 0);
    CHECK(v.unknown == 1 && v.waiting == 0 && v.sent == 0);
    lost[0] = '\0';
    CHECK(outbox_recover(f.store, "ops", note_title, lost, &f.err) == 0 && !*lost);
    fixture_release(&f);
}

static void a_cut_off_attempt_is_repeated_where_the_receiver_knows_it(void)
{
    struct fixture f;
    struct outbox_message m;
    char lost[64] = "";
    int64_t next;

    fixture_init(&f);
    add(&f, "ops", "a", "down", "uat", false);
    take_and_die(&f, true);
    struct outbox_rule r = rule_of(&f);
    CHECK(outbox_recover(f.store, "ops", note_title, lost, &f.err) == 0 && !*lost);
    CHECK(strcmp(taken(&f, &r, &m, &next), "a") == 0 && m.attempts == 2);
    fixture_release(&f);
}

static void an_attempt_of_a_living_process_is_left_alone(void)
{
    struct fixture f;
    struct outbox_message m;
    char lost[64] = "";
    int64_t next;

    fixture_init(&f);
    struct outbox_rule r = rule_of(&f);
    add(&f, "ops", "a", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "a") == 0);
    CHECK(outbox_recover(f.store, "ops", note_title, lost, &f.err) == 0 && !*lost);
    CHECK(strcmp(taken(&f, &r, &m, &next), "") == 0);
    fixture_release(&f);
}

static void a_clock_that_was_set_back_holds_nothing_up(void)
{
    struct fixture f;
    struct outbox_message m;
    int64_t next;

    fixture_init(&f);
    struct outbox_rule r = rule_of(&f);
    add(&f, "ops", "a", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "a") == 0 && settle(&f, m.id, OUTBOX_SENT, 0));
    clock_fake_step(&f.time, -30 * 24 * (int64_t)HOUR);
    r = rule_of(&f);
    add(&f, "ops", "b", "down", "uat", false);
    CHECK(strcmp(taken(&f, &r, &m, &next), "b") == 0);
    fixture_release(&f);
}

static void a_flood_is_one_message_with_the_newest_and_a_count(void)
{
    struct fixture f;
    struct outbox_message m;
    char key[32];
    int64_t next;

    fixture_init(&f);
    CHECK(store_begin(f.store, &f.err) == 0);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        add(&f, "ops", key, "down", "uat", false);
    }
    CHECK(store_commit(f.store, &f.err) == 0);
    struct outbox_rule r = rule_of(&f);
    struct arena a = ARENA_INIT;
    CHECK(outbox_take(f.store, &r, &a, &m, &next, &f.err) == 0);
    CHECK(m.n == OUTBOX_MATTERS_MAX && m.more == 200 - OUTBOX_MATTERS_MAX);
    CHECK(strcmp(m.matters[m.n - 1].key, "k199") == 0);
    arena_release(&a);
    fixture_release(&f);
}

static void count(const struct outbox_message *m, void *arg)
{
    int *n = arg;
    *n += m->state == OUTBOX_SENT && strcmp(m->answer, "200 ok") == 0 &&
          strncmp(m->uid, "msg_", 4) == 0;
}

static void name(const char *alert, void *arg)
{
    strncat(arg, alert, 31);
}

static void what_was_told_can_be_listed(void)
{
    struct fixture f;
    struct outbox_message m;
    struct outbox_standing v;
    char names[64] = "";
    int64_t next;
    int n = 0;

    fixture_init(&f);
    struct outbox_rule r = rule_of(&f);
    add(&f, "ops", "a", "down", "uat", false);
    add(&f, "ops", "b", "up", "uat", false);
    add(&f, "old", "a", "down", "uat", false);
    CHECK(*taken(&f, &r, &m, &next) && settle(&f, m.id, OUTBOX_SENT, 0));
    CHECK(outbox_list(f.store, "ops", 0, count, &n, &f.err) == 0 && n == 1);
    CHECK(outbox_stand(f.store, "ops", &v, &f.err) == 0);
    CHECK(v.waiting == 1 && v.sent == 1 && v.failed == 0 && v.last_sent_ms == f.time.wall_ms);
    CHECK(outbox_names(f.store, name, names, &f.err) == 0 && strcmp(names, "oldops") == 0);
    fixture_release(&f);
}

int main(void)
{
    a_matter_is_told_once_for_each_alert_and_for_ever();
    what_comes_too_often_is_folded_into_one_message();
    a_failing_message_waits_and_keeps_its_place();
    quiet_hours_end_in_one_summary();
    a_message_that_failed_in_quiet_hours_waits_for_their_end_too();
    a_cut_off_attempt_is_not_repeated_where_it_may_arrive_twice();
    a_cut_off_attempt_is_repeated_where_the_receiver_knows_it();
    an_attempt_of_a_living_process_is_left_alone();
    a_clock_that_was_set_back_holds_nothing_up();
    a_flood_is_one_message_with_the_newest_and_a_count();
    what_was_told_can_be_listed();
    return DONE();
}
