#include "traffic/dns.h"

#include "base/mem.h"
#include "net/loop.h"
#include "net/name_server.h"
#include "test.h"
#include "traffic/failover.h"

/* The engine that moves a route's name, at a real Knot DNS (or BIND, when that is there alone). */

enum { GUARD_MS = 60000 };

static struct name_server server;

struct rig {
    struct loop *loop;
    struct dns_options options;
    struct dns_engine *engine;
    char *state;
    int done, said, bad, saves;
    struct err err;
    char last[700];
    bool (*until)(struct rig *r);
};

static const struct dns_answer answers[] = {
    {"uat", "uat.host.example"}, {"beta", "Beta.host.example."}, {"preprod", "192.0.2.3"}};

static void save(const char *json, void *arg)
{
    struct rig *r = arg;

    free(r->state);
    r->state = mem_strdup(json);
    r->saves++;
}

static void say(const char *text, bool bad, void *arg)
{
    struct rig *r = arg;

    snprintf(r->last, sizeof r->last, "%s", text);
    r->said++;
    r->bad += bad;
    printf("# %s\n", text);
}

static struct dns_options options_for(const char *host)
{
    return (struct dns_options){
        .route = "api",
        .host = host,
        .zone = "shop.example",
        .kind = DNS_RFC2136,
        .server = server.address,
        .key_name = "mover",
        .key_secret = MOVER_SECRET,
        .ttl_s = 60,
        .answers = answers,
        .n_answers = 3,
    };
}

static void start_engine(struct rig *r)
{
    struct err e = ERR_INIT;

    r->options.state = r->state;
    r->options.save = save;
    r->options.say = say;
    r->options.arg = r;
    r->engine = dns_engine_new(r->loop, NULL, &r->options, &e);
    CHECK(r->engine != NULL);
}

static struct rig rig_with(struct dns_options o)
{
    return (struct rig){.loop = loop_new(NULL), .options = o};
}

static void rig_end(struct rig *r)
{
    dns_engine_free(r->engine);
    loop_free(r->loop);
    free(r->state);
}

static void done(const struct err *e, void *arg)
{
    struct rig *r = arg;

    r->done++;
    r->err = e ? *e : ERR_INIT;
}

static void over(void *arg)
{
    test_report(0, "it came in time", __FILE__, __LINE__);
    loop_stop(arg);
}

struct watch {
    struct rig *rig;
    struct timer *timer;
};

static void watch(void *arg)
{
    struct watch *w = arg;

    if (w->rig->until(w->rig))
        loop_stop(w->rig->loop);
    else
        timer_start(w->timer, 10);
}

static void wait_until(struct rig *r, bool (*until)(struct rig *r))
{
    struct timer *guard = timer_new(r->loop, over, r->loop);
    struct watch w = {.rig = r};

    r->until = until;
    w.timer = timer_new(r->loop, watch, &w);
    timer_start(guard, GUARD_MS);
    timer_start(w.timer, 0);
    loop_run(r->loop);
    timer_free(w.timer);
    timer_free(guard);
}

static bool is_done(struct rig *r)
{
    return r->done > 0;
}

/* The outcome; ERR_NONE when it went well. */
static enum err_kind want(struct rig *r, const char *environment)
{
    r->done = 0;
    dns_engine_want(r->engine, environment, done, r);
    CHECK(r->done == 0);
    wait_until(r, is_done);
    return r->err.kind;
}

static enum err_kind accept_it(struct rig *r)
{
    r->done = 0;
    dns_engine_accept(r->engine, done, r);
    wait_until(r, is_done);
    return r->err.kind;
}

static struct dns_summary summary_of(const struct rig *r)
{
    struct dns_summary s;

    dns_engine_summary(r->engine, &s);
    return s;
}

/* ---- what is there, without the engine ---- */

struct reading {
    struct loop *loop;
    struct dns_records found;
    struct err err;
};

static void was_read(const struct dns_records *found, const struct err *e, void *arg)
{
    struct reading *r = arg;

    if (found)
        r->found = *found;
    r->err = e ? *e : ERR_INIT;
    loop_stop(r->loop);
}

/* wanted NULL: reads. */
static struct reading directly(const char *name, const struct dns_record *seen,
                               const struct dns_record *wanted)
{
    const struct dns_primary_options o = {.server = server.address,
                                          .zone = "shop.example",
                                          .key_name = "mover",
                                          .key_secret = MOVER_SECRET,
                                          .algorithm = ""};
    struct reading r = {.loop = loop_new(NULL)};
    struct err e = ERR_INIT;
    struct dns_primary *p = dns_primary_new(r.loop, &o, &e);

    if (wanted)
        dns_update(p, name, seen, wanted, was_read, &r);
    else
        dns_read(p, name, was_read, &r);
    loop_run(r.loop);
    dns_primary_free(p);
    loop_free(r.loop);
    return r;
}

static bool answers_with(const char *name, const char *value)
{
    struct reading r = directly(name, NULL, NULL);

    return r.found.n == 1 && strcmp(r.found.list[0].value, value) == 0;
}

/* Several questions about what changes meanwhile would be about several moments. */
static bool answers_with_any(const char *name)
{
    struct reading r = directly(name, NULL, NULL);
    bool any = false;

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct dns_record one = {0};
        struct err e = ERR_INIT;

        any = any || (dns_value_read(answers[i].value, &one, &e) == 0 &&
                      dns_same_answer(&one, &r.found.list[0]));
    }
    return any && r.found.n == 1;
}

/* What another person does. */
static void put(const char *name, const char *value)
{
    struct reading now = directly(name, NULL, NULL);
    struct dns_record to = {.ttl_s = 60};
    struct err e = ERR_INIT;

    CHECK(now.found.n == 1 && dns_value_read(value, &to, &e) == 0);
    CHECK(directly(name, &now.found.list[0], &to).err.kind == ERR_NONE);
}

/* ---- moving ---- */

static void a_name_is_moved_and_read_back(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));
    struct dns_summary s;

    start_engine(&r);
    s = summary_of(&r);
    CHECK(s.phase == DNS_IDLE && !*s.answer && s.changed_at == 0 && s.changes_left == 12);
    CHECK(want(&r, "beta") == ERR_NONE && answers_with("api.shop.example", "beta.host.example"));
    s = summary_of(&r);
    CHECK(strcmp(s.answer, "CNAME beta.host.example") == 0 && strcmp(s.environment, "beta") == 0);
    CHECK(s.ttl_s == 60 && s.changed_at > 0 && s.changes_left == 11 && s.phase == DNS_IDLE);
    CHECK(r.said == 1 && r.bad == 0 && strstr(r.last, "before uat.host.example"));
    CHECK(want(&r, "beta") == ERR_NONE && summary_of(&r).changes_left == 11 && r.said == 1);
    CHECK(want(&r, "preprod") == ERR_NONE && answers_with("api.shop.example", "192.0.2.3"));
    CHECK(want(&r, "uat") == ERR_NONE && answers_with("api.shop.example", "uat.host.example"));
    CHECK(want(&r, "prod") == ERR_USAGE && strstr(r.err.text, "\"prod\""));
    rig_end(&r);
}

static void a_wish_that_has_not_begun_gives_way(void)
{
    struct rig r = rig_with(options_for("api.shop.example")), first = {0}, second = {0};

    start_engine(&r);
    dns_engine_want(r.engine, "beta", done, &first);
    dns_engine_want(r.engine, "preprod", done, &second);
    CHECK(want(&r, "uat") == ERR_NONE);
    CHECK(first.done == 1 && first.err.kind == ERR_NO && second.err.kind == ERR_NO);
    CHECK(second.done == 1 && strstr(second.err.text, "wanted no more"));
    CHECK(answers_with("api.shop.example", "uat.host.example"));
    rig_end(&r);
}

static void what_others_wrote_is_left_until_it_is_accepted(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    start_engine(&r);
    CHECK(want(&r, "uat") == ERR_NONE);
    put("api.shop.example", "somebody.else.example");
    CHECK(want(&r, "beta") == ERR_NO && strstr(r.err.text, "changed by others"));
    CHECK(strstr(r.err.text, "somebody.else.example") && strstr(r.err.text, "accept"));
    CHECK(summary_of(&r).phase == DNS_HELD && summary_of(&r).foreign && r.bad == 1);
    CHECK(want(&r, "beta") == ERR_NO && r.bad == 1); /* said once */
    CHECK(answers_with("api.shop.example", "somebody.else.example"));
    CHECK(accept_it(&r) == ERR_NONE && !summary_of(&r).foreign);
    CHECK(answers_with("api.shop.example", "somebody.else.example"));
    CHECK(want(&r, "beta") == ERR_NONE && answers_with("api.shop.example", "beta.host.example"));
    rig_end(&r);
}

static void a_name_with_several_records_is_never_touched(void)
{
    static const char *const names[] = {"many.shop.example", "both.shop.example"};

    for (int i = 0; i < 2; i++) {
        struct rig r = rig_with(options_for(names[i]));

        start_engine(&r);
        CHECK(want(&r, "preprod") == ERR_NO && strstr(r.err.text, "exactly one"));
        CHECK(accept_it(&r) == ERR_NO && directly(names[i], NULL, NULL).found.n == 2);
        rig_end(&r);
    }
}

static void a_name_that_is_not_there_is_not_made(void)
{
    struct rig r = rig_with(options_for("nothing.shop.example"));

    start_engine(&r);
    CHECK(want(&r, "preprod") == ERR_NO && strstr(r.err.text, "no A, AAAA or CNAME record"));
    CHECK(directly("nothing.shop.example", NULL, NULL).found.n == 0);
    rig_end(&r);
}

static void what_a_wildcard_answers_is_no_record_to_move(void)
{
    struct rig r = rig_with(options_for("api.wild.shop.example"));

    start_engine(&r);
    CHECK(want(&r, "uat") == ERR_NO && strstr(r.err.text, "wildcard"));
    CHECK(summary_of(&r).changes_left == DNS_CHANGES_PER_HOUR);
    CHECK(answers_with("api.wild.shop.example", "192.0.2.3"));
    rig_end(&r);
}

static void the_brake_holds_over_restarts(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    r.options.changes_per_hour = 2;
    start_engine(&r);
    put("api.shop.example", "192.0.2.3");
    CHECK(want(&r, "uat") == ERR_NONE && want(&r, "beta") == ERR_NONE);
    CHECK(want(&r, "uat") == ERR_NO);
    CHECK(strstr(r.err.text, "2 times within an hour"));
    CHECK(!summary_of(&r).foreign && summary_of(&r).phase == DNS_HELD);
    dns_engine_free(r.engine);
    start_engine(&r);
    CHECK(summary_of(&r).changes_left == 0 && summary_of(&r).next_change_at > 0);
    CHECK(want(&r, "preprod") == ERR_NO);
    CHECK(!answers_with("api.shop.example", "192.0.2.3"));
    rig_end(&r);
}

static void a_refused_change_does_not_count(void)
{
    struct rig r = rig_with(options_for("noted.shop.example"));
    static const struct dns_answer alias[] = {{"uat", "192.0.2.1"}, {"beta", "beta.host.example"}};

    r.options.answers = alias;
    r.options.n_answers = 2;
    start_engine(&r);
    CHECK(want(&r, "uat") == ERR_NONE);
    CHECK(want(&r, "beta") == ERR_NO && strstr(r.err.text, "other records"));
    CHECK(summary_of(&r).changes_left == 12 && answers_with("noted.shop.example", "192.0.2.1"));
    rig_end(&r);
}

static void what_makes_no_sense_is_refused_at_the_start(void)
{
    static const struct dns_answer bad[] = {{"uat", "https://uat.host.example/"}},
                                   self[] = {{"uat", "API.shop.example"}};
    struct loop *loop = loop_new(NULL);
    struct dns_options o = options_for("api.shop.example");
    struct err e = ERR_INIT;

    o.zone = "hop.example";
    CHECK(!dns_engine_new(loop, NULL, &o, &e) && e.kind == ERR_USAGE);
    o = options_for("shop.example");
    CHECK(!dns_engine_new(loop, NULL, &o, &e) && strstr(e.text, "the zone itself"));
    o = options_for("api.shop.example");
    o.answers = bad;
    o.n_answers = 1;
    CHECK(!dns_engine_new(loop, NULL, &o, &e) && strstr(e.text, "answer of uat"));
    o.answers = self;
    CHECK(!dns_engine_new(loop, NULL, &o, &e) && strstr(e.text, "the name itself"));
    o = options_for("api.shop.example");
    o.key_secret = "not base64!";
    CHECK(!dns_engine_new(loop, NULL, &o, &e) && !strstr(e.text, "not base64!"));
    o = options_for("api.shop.example");
    o.algorithm = "hmac-md5";
    CHECK(!dns_engine_new(loop, NULL, &o, &e) && strstr(e.text, "hmac-md5"));
    o = options_for("api.shop.example");
    o.state = "{\"version\":9}";
    CHECK(!dns_engine_new(loop, NULL, &o, &e) && e.kind == ERR_STORE);
    loop_free(loop);
}

/* ---- interrupted ---- */

static void an_engine_may_be_freed_at_any_moment(void)
{
    for (int turns = 0; turns < 4; turns++) {
        struct rig r = rig_with(options_for("api.shop.example"));

        start_engine(&r);
        dns_engine_want(r.engine, "beta", done, &r);
        for (int i = 0; i < turns; i++)
            uv_run(loop_uv(r.loop), UV_RUN_NOWAIT);
        int ended = r.done; /* by then, at a fast server; the freed engine says no more */
        rig_end(&r);
        CHECK(r.done == ended);
    }
}

/* A process of its own that moves the name to and fro until it is killed. Its checks are not the
 * test's. */
static pid_t mover(const char *host)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen("/dev/null", "w", stdout))
        _exit(99);
    struct rig r = rig_with(options_for(host));
    r.options.changes_per_hour = 60;
    start_engine(&r);
    for (int i = 0;; i++)
        want(&r, i % 2 ? "uat" : "preprod");
}

/* What a killed process sent last may reach the server after it, and so after what others read. It
 * changes nothing any more once they have moved the name to where that process never saw it. */
static void a_killed_process_leaves_one_of_the_answers(void)
{
    static const char *const hosts[] = {
        "kill0.shop.example", "kill1.shop.example", "kill2.shop.example", "kill3.shop.example",
        "kill4.shop.example", "kill5.shop.example", "kill6.shop.example", "kill7.shop.example"};

    for (int i = 0; i < 8; i++) {
        const struct timespec pause = {.tv_nsec = (long)i * 3000 * 1000};
        struct rig r = rig_with(options_for(hosts[i]));
        pid_t pid = mover(hosts[i]);

        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        CHECK(answers_with_any(hosts[i]));
        start_engine(&r);
        CHECK(want(&r, "beta") == ERR_NONE);
        CHECK(answers_with(hosts[i], "beta.host.example"));
        rig_end(&r);
    }
}

/* Killed after the change was made and before it was read back: the state is that of before. */
static void a_change_that_was_not_read_back_is_confirmed_by_the_next(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    put("api.shop.example", "preprod.old.example");
    put("api.shop.example", "beta.host.example");
    r.state = mem_strdup("{\"version\":1,\"wrote\":{\"type\":\"CNAME\",\"value\":"
                         "\"beta.host.example\"},\"before\":{\"type\":\"CNAME\",\"value\":"
                         "\"uat.host.example\"},\"changes\":[],\"changed_at\":0}");
    start_engine(&r);
    CHECK(want(&r, "beta") == ERR_NONE && summary_of(&r).changed_at > 0);
    CHECK(summary_of(&r).changes_left == 12 && r.said == 1);
    CHECK(!strstr(r.state, "uat.host.example"));
    rig_end(&r);
}

/* ---- following ---- */

static struct failover_standing standing(const char *environment, enum traffic_state state)
{
    bool out = state == TRAFFIC_DOWN || state == TRAFFIC_DRAINING;

    return (struct failover_standing){
        .environment = environment, .state = state, .share = out ? 0 : 100, .out = out};
}

static void follow(struct rig *r, enum traffic_state uat, enum traffic_state beta,
                   enum traffic_state preprod)
{
    const struct failover_standing s[] = {standing("uat", uat), standing("beta", beta),
                                          standing("preprod", preprod)};

    dns_engine_follow(r->engine, s, 3);
}

static bool is_on_uat(struct rig *r)
{
    struct dns_summary s = summary_of(r);

    return s.phase == DNS_IDLE && strcmp(s.environment, "uat") == 0;
}

static bool is_on_beta(struct rig *r)
{
    struct dns_summary s = summary_of(r);

    return s.phase == DNS_IDLE && strcmp(s.environment, "beta") == 0;
}

static bool is_settling(struct rig *r)
{
    return summary_of(r).phase == DNS_SETTLING;
}

static bool has_failed(struct rig *r)
{
    return summary_of(r).phase == DNS_FAILED;
}

static bool is_held(struct rig *r)
{
    return summary_of(r).phase == DNS_HELD;
}

static void the_name_follows_the_first_that_is_up(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    start_engine(&r);
    follow(&r, TRAFFIC_UP, TRAFFIC_UP, TRAFFIC_UP);
    wait_until(&r, is_on_uat);
    follow(&r, TRAFFIC_DOWN, TRAFFIC_DEGRADED, TRAFFIC_UP);
    wait_until(&r, is_on_beta);
    CHECK(answers_with("api.shop.example", "beta.host.example"));
    follow(&r, TRAFFIC_UP, TRAFFIC_UP, TRAFFIC_UP);
    wait_until(&r, is_on_uat);
    rig_end(&r);
}

static bool was_looked(struct rig *r)
{
    return r->done > 0;
}

/* Nobody knows who is up: the name stays, whatever the proxy does. */
static void without_anyone_up_the_name_stays(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    start_engine(&r);
    CHECK(want(&r, "beta") == ERR_NONE);
    follow(&r, TRAFFIC_DOWN, TRAFFIC_DOWN, TRAFFIC_DOWN);
    follow(&r, TRAFFIC_UNKNOWN, TRAFFIC_UNKNOWN, TRAFFIC_UNKNOWN);
    r.done = 0;
    dns_engine_look(r.engine, done, &r);
    wait_until(&r, was_looked);
    CHECK(is_on_beta(&r) && summary_of(&r).changes_left >= 10);
    rig_end(&r);
}

static void a_blink_shorter_than_the_settle_time_moves_nothing(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    r.options.settle_ms = 100;
    start_engine(&r);
    follow(&r, TRAFFIC_UP, TRAFFIC_UP, TRAFFIC_UP);
    CHECK(is_settling(&r));
    wait_until(&r, is_on_uat);
    int left = summary_of(&r).changes_left;
    dns_engine_free(r.engine);
    r.options.settle_ms = 3600000;
    start_engine(&r);
    CHECK(want(&r, "uat") == ERR_NONE);
    follow(&r, TRAFFIC_DOWN, TRAFFIC_UP, TRAFFIC_UP);
    wait_until(&r, is_settling);
    follow(&r, TRAFFIC_UP, TRAFFIC_UP, TRAFFIC_UP);
    CHECK(want(&r, "uat") == ERR_NONE && summary_of(&r).changes_left == left);
    rig_end(&r);
}

static void following_waits_for_a_server_that_is_gone(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    start_engine(&r);
    CHECK(want(&r, "uat") == ERR_NONE);
    name_server_kill(&server);
    follow(&r, TRAFFIC_DOWN, TRAFFIC_UP, TRAFFIC_UP);
    wait_until(&r, has_failed);
    CHECK(strstr(summary_of(&r).why, server.address) && r.bad == 1);
    name_server_run(&server, NULL);
    wait_until(&r, is_on_beta);
    CHECK(answers_with("api.shop.example", "beta.host.example"));
    rig_end(&r);
}

static void following_goes_on_once_it_is_accepted(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    start_engine(&r);
    put("api.shop.example", "somebody.else.example");
    follow(&r, TRAFFIC_UP, TRAFFIC_UP, TRAFFIC_UP);
    wait_until(&r, is_held);
    CHECK(answers_with("api.shop.example", "somebody.else.example") && summary_of(&r).next_try_at);
    CHECK(accept_it(&r) == ERR_NONE);
    wait_until(&r, is_on_uat);
    CHECK(answers_with("api.shop.example", "uat.host.example"));
    rig_end(&r);
}

/* ---- the calm look ---- */

static bool is_foreign(struct rig *r)
{
    return summary_of(r).foreign;
}

static bool is_well_again(struct rig *r)
{
    return summary_of(r).phase == DNS_IDLE && r->bad == 1 && r->said == 3;
}

static void what_others_change_is_said_once_before_it_is_in_the_way(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));
    int64_t looked;

    r.options.look_ms = 20;
    start_engine(&r);
    CHECK(want(&r, "uat") == ERR_NONE && want(&r, "beta") == ERR_NONE);
    r.said = r.bad = 0;
    put("api.shop.example", "somebody.else.example");
    wait_until(&r, is_foreign);
    looked = summary_of(&r).looked_at;
    CHECK(looked > 0 && summary_of(&r).phase == DNS_HELD);
    CHECK(strstr(r.last, "accept-dns") && strstr(r.last, "somebody.else.example"));
    for (int i = 0; i < 3; i++) { /* further looks say nothing more */
        r.done = 0;
        dns_engine_look(r.engine, done, &r);
        wait_until(&r, is_done);
        CHECK(r.err.kind == ERR_NONE && is_foreign(&r));
    }
    CHECK(r.said == 1 && r.bad == 1 && summary_of(&r).looked_at >= looked);
    r.said = 2;
    put("api.shop.example", "beta.host.example");
    wait_until(&r, is_well_again);
    CHECK(strstr(r.last, "again") && !summary_of(&r).foreign && !*summary_of(&r).why);
    rig_end(&r);
}

static void another_of_the_answers_set_by_hand_is_said_and_left(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    r.options.look_ms = 20;
    start_engine(&r);
    follow(&r, TRAFFIC_UP, TRAFFIC_UP, TRAFFIC_UP);
    wait_until(&r, is_on_uat);
    put("api.shop.example", "beta.host.example");
    wait_until(&r, is_foreign);
    CHECK(strstr(r.last, "another of the route's answers") && strstr(r.last, "uat.host.example"));
    follow(&r, TRAFFIC_UP, TRAFFIC_UP, TRAFFIC_UP);
    CHECK(answers_with("api.shop.example", "beta.host.example"));
    CHECK(accept_it(&r) == ERR_NONE);
    wait_until(&r, is_on_uat);
    CHECK(!summary_of(&r).foreign);
    rig_end(&r);
}

static void an_engine_takes_the_place_of_another_with_what_it_knew(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));

    start_engine(&r);
    CHECK(want(&r, "beta") == ERR_NONE && want(&r, "uat") == ERR_NONE);
    CHECK(!dns_engine_is_busy(r.engine));
    dns_engine_want(r.engine, "beta", NULL, NULL);
    CHECK(dns_engine_is_busy(r.engine));
    CHECK(want(&r, "uat") == ERR_NONE);
    char *state = dns_engine_state(r.engine);
    int left = summary_of(&r).changes_left;
    dns_engine_free(r.engine);
    free(r.state);
    r.state = state;
    start_engine(&r);
    CHECK(summary_of(&r).changes_left == left && left < DNS_CHANGES_PER_HOUR);
    rig_end(&r);
}

/* ---- the tail ---- */

static void the_tail_of_the_old_answer_is_counted(void)
{
    struct rig r = rig_with(options_for("api.shop.example"));
    struct dns_summary s;

    start_engine(&r);
    CHECK(want(&r, "uat") == ERR_NONE && want(&r, "beta") == ERR_NONE);
    CHECK(summary_of(&r).tail_per_second < 0 && summary_of(&r).tail_until == 0);
    dns_engine_seen(r.engine, "uat", 1000, 5000);
    dns_engine_seen(r.engine, "beta", 10, 5000);
    dns_engine_seen(r.engine, "uat", 1010, 5500);
    CHECK(summary_of(&r).tail_per_second < 0 && summary_of(&r).tail_until > 0);
    dns_engine_seen(r.engine, "uat", 1030, 7000);
    dns_engine_seen(r.engine, "beta", 900, 7000);
    dns_engine_seen(r.engine, "elsewhere", 900, 7000);
    s = summary_of(&r);
    CHECK(s.tail_per_second > 14.9 && s.tail_per_second < 15.1);
    dns_engine_seen(r.engine, "uat", 5, 8000); /* counted anew */
    CHECK(summary_of(&r).tail_per_second < 0);
    dns_engine_seen(r.engine, "uat", 5, 9000);
    s = summary_of(&r);
    CHECK(s.tail_per_second >= 0 && s.tail_per_second < 0.1);
    rig_end(&r);
}

static bool begin(void)
{
    enum name_server_kind kind = name_server_installed(KNOT) ? KNOT : BIND;
    const struct timespec pause = {.tv_nsec = 20000000};

    if (!name_server_installed(kind))
        return false;
    name_server_start(&server, kind);
    for (int i = 0; i < 500 && !answers_with("ns1.shop.example", "127.0.0.1"); i++)
        nanosleep(&pause, NULL);
    return true;
}

int main(void)
{
    if (!begin()) {
        printf("1..0 # SKIP neither knot nor bind9 is installed\n");
        return 0;
    }
    a_name_is_moved_and_read_back();
    a_wish_that_has_not_begun_gives_way();
    what_others_wrote_is_left_until_it_is_accepted();
    a_name_with_several_records_is_never_touched();
    a_name_that_is_not_there_is_not_made();
    what_a_wildcard_answers_is_no_record_to_move();
    the_brake_holds_over_restarts();
    a_refused_change_does_not_count();
    what_makes_no_sense_is_refused_at_the_start();
    an_engine_may_be_freed_at_any_moment();
    a_killed_process_leaves_one_of_the_answers();
    a_change_that_was_not_read_back_is_confirmed_by_the_next();
    the_name_follows_the_first_that_is_up();
    without_anyone_up_the_name_stays();
    a_blink_shorter_than_the_settle_time_moves_nothing();
    following_waits_for_a_server_that_is_gone();
    following_goes_on_once_it_is_accepted();
    what_others_change_is_said_once_before_it_is_in_the_way();
    another_of_the_answers_set_by_hand_is_said_and_left();
    an_engine_takes_the_place_of_another_with_what_it_knew();
    the_tail_of_the_old_answer_is_counted();
    name_server_stop(&server);
    return DONE();
}
