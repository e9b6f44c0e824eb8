#include "child.h"
#include "fixture.h"
#include "store/inner.h"

/* A fixture on the real time, which a child process shares, but that a test can step. */
static void fixture_shared(struct fixture *f)
{
    fixture_folder(f);
    f->time.mono_us = clock_mono_us(&clock_system);
    f->time.wall_ms = clock_wall_ms(&clock_system);
    if (fixture_open(f) < 0)
        abort();
}

/* Changes the file behind the store's back, as another machine or another time would have left it.
 */
static void edit(struct fixture *f, const char *sql)
{
    CHECK(sql_script(f->store->sql, sql, &f->err) == 0);
}

static int try_lease(struct fixture *f, struct lease *ret)
{
    f->err = ERR_INIT;
    return lease_acquire(f->store, "uat", "second", ret, &f->err);
}

static void the_token_grows_with_every_acquisition(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t last = 0;
    for (int i = 0; i < 3; i++) {
        struct lease l = fixture_lease(&f, "uat");
        CHECK(l.token == last + 1);
        CHECK(l.expires_at == f.time.wall_ms + LEASE_MS);
        last = l.token;
        CHECK(lease_release(f.store, &l, &f.err) == 0);
    }
    CHECK(fixture_lease(&f, "beta").token == 1);
    fixture_release(&f);
}

static void a_living_holder_is_named_with_its_times(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease first = fixture_lease(&f, "uat"), second, now = {0};
    char pid[32];
    bool held = false;
    snprintf(pid, sizeof(pid), "pid %d: test", (int)getpid());
    CHECK(try_lease(&f, &second) == -1 && f.err.kind == ERR_NO);
    CHECK(strstr(f.err.text, "uat") && strstr(f.err.text, pid));
    CHECK(strstr(f.err.text, "since 2023-11-14T22:13:20Z"));
    CHECK(strstr(f.err.text, "until 2023-11-14T22:13:50Z"));
    CHECK(lease_read(f.store, "uat", &now, &held, &f.err) == 0 && held);
    CHECK(now.token == first.token && strcmp(now.holder, first.holder) == 0);
    CHECK(lease_read(f.store, "beta", &now, &held, &f.err) == 0 && !held);
    fixture_release(&f);
}

static void a_lease_without_heartbeat_ends_and_one_with_goes_on(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease first = fixture_lease(&f, "uat"), second = {0};
    clock_fake_step(&f.time, LEASE_MS - 1);
    CHECK(try_lease(&f, &second) == -1);
    CHECK(lease_heartbeat(f.store, &first, &f.err) == 0);
    CHECK(first.expires_at == f.time.wall_ms + LEASE_MS);
    clock_fake_step(&f.time, LEASE_MS - 1);
    CHECK(try_lease(&f, &second) == -1);
    clock_fake_step(&f.time, 1);
    CHECK(try_lease(&f, &second) == 0 && second.token == first.token + 1);
    fixture_release(&f);
}

static void a_lease_that_ended_but_was_not_taken_may_be_revived(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease first = fixture_lease(&f, "uat"), second;
    clock_fake_step(&f.time, INT64_C(10) * LEASE_MS);
    CHECK(lease_heartbeat(f.store, &first, &f.err) == 0);
    CHECK(try_lease(&f, &second) == -1);
    fixture_release(&f);
}

static void setting_the_date_does_not_end_a_living_lease_nor_prolong_a_dead_one(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease second = {0};
    fixture_lease(&f, "uat");
    f.time.wall_ms += INT64_C(365) * 24 * 3600 * 1000;
    CHECK(try_lease(&f, &second) == -1 && f.err.kind == ERR_NO);
    f.time.wall_ms -= INT64_C(2) * 365 * 24 * 3600 * 1000;
    CHECK(try_lease(&f, &second) == -1);
    f.time.mono_us += LEASE_MS * INT64_C(1000);
    CHECK(try_lease(&f, &second) == 0 && second.token == 2);
    fixture_release(&f);
}

static void a_holder_on_another_machine_is_judged_by_the_wall_clock(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease second = {0};
    fixture_lease(&f, "uat");
    edit(&f, "UPDATE leases SET machine = 'elsewhere', pid = 1, expires_mono_ms = 0");
    CHECK(try_lease(&f, &second) == -1);
    f.time.wall_ms += LEASE_MS;
    CHECK(try_lease(&f, &second) == 0 && second.token == 2);
    fixture_release(&f);
}

static void an_expiry_years_ahead_is_no_lock_to_clear_by_hand(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease second = {0};
    fixture_lease(&f, "uat");
    edit(&f, "UPDATE leases SET machine = 'elsewhere', expires_at = expires_at + 99999999999");
    CHECK(try_lease(&f, &second) == 0 && second.token == 2);
    fixture_release(&f);
}

static void a_reused_pid_is_another_process(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease second = {0};
    fixture_lease(&f, "uat");
    edit(&f, "UPDATE leases SET started = started - 1");
    CHECK(try_lease(&f, &second) == 0 && second.token == 2);
    fixture_release(&f);
}

static void everything_a_former_holder_writes_is_refused(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease old = fixture_lease(&f, "uat"), now = {0};
    struct release want = {.commit = "aaa"}, r = {0};
    struct deployment_row row = {.environment = "uat", .app = "shop", .instance = "modern"};
    CHECK(release_open(f.store, &old, &want, &r, &f.err) == 0);
    clock_fake_step(&f.time, LEASE_MS);
    CHECK(lease_acquire(f.store, "uat", "the new one", &now, &f.err) == 0);

    f.err = ERR_INIT;
    CHECK(deployment_put(f.store, &old, &row, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(strstr(f.err.text, "the new one"));
    CHECK(journal_add(f.store, &old, &row, "sent", "", &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(release_close(f.store, &old, r.number, RELEASE_LIVE, &f.err) == -1);
    CHECK(release_open(f.store, &old, &want, &r, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(lease_heartbeat(f.store, &old, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(lease_release(f.store, &old, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(deployment_put(f.store, &now, &row, &f.err) == 0);
    fixture_release(&f);
}

static void a_lease_that_was_given_back_writes_no_more(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct deployment_row row = {.environment = "uat", .app = "shop", .instance = "modern"};
    CHECK(lease_release(f.store, &l, &f.err) == 0);
    CHECK(deployment_put(f.store, &l, &row, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(strstr(f.err.text, "given back"));
    fixture_release(&f);
}

/* --- With real processes --------------------------------------------------------------------- */

static void of_processes_that_ask_at_once_one_gets_it(void)
{
    enum { N = 4 };
    struct fixture f;
    struct child c[N];
    char line[256];
    int won = 0, refused = 0;
    fixture_shared(&f);
    for (int i = 0; i < N; i++) {
        c[i] = child_start("race", f.dir);
        CHECK(strcmp(child_line(&c[i], line), "ready") == 0);
    }
    for (int i = 0; i < N; i++)
        kill(c[i].pid, SIGUSR1);
    for (int i = 0; i < N; i++) {
        child_line(&c[i], line);
        won += strcmp(line, "token 1") == 0;
        refused += strncmp(line, "refused", 7) == 0;
    }
    CHECK(won == 1 && refused == N - 1);
    for (int i = 0; i < N; i++)
        child_end(&c[i], SIGKILL);
    fixture_release(&f);
}

static void a_killed_holder_is_succeeded_at_once(void)
{
    struct fixture f;
    char line[256], pid[32];
    struct lease l = {0};
    fixture_shared(&f);
    struct child c = child_start("hold", f.dir);
    CHECK(strcmp(child_line(&c, line), "token 1") == 0);
    snprintf(pid, sizeof(pid), "pid %d:", (int)c.pid);
    CHECK(try_lease(&f, &l) == -1 && strstr(f.err.text, pid));

    /* Dead, and still a zombie, since nobody collected it. */
    kill(c.pid, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT);
    CHECK(try_lease(&f, &l) == 0 && l.token == 2);
    CHECK(lease_release(f.store, &l, &f.err) == 0);
    child_end(&c, 0);
    fixture_release(&f);
}

static void a_stopped_holder_is_left_alone_until_its_lease_ends(void)
{
    struct fixture f;
    char line[256];
    struct lease l = {0};
    fixture_shared(&f);
    struct child c = child_start("hold", f.dir);
    child_line(&c, line);
    kill(c.pid, SIGSTOP);
    CHECK(try_lease(&f, &l) == -1);
    clock_fake_step(&f.time, INT64_C(2) * LEASE_MS);
    CHECK(try_lease(&f, &l) == 0 && l.token == 2);

    /* It wakes up, believes in its lease, and is refused. */
    kill(c.pid, SIGCONT);
    child_go(&c);
    CHECK(strncmp(child_line(&c, line), "refused", 7) == 0);
    child_end(&c, 0);
    fixture_release(&f);
}

static void say_outcome(int result, const struct lease *l, const struct err *e)
{
    char text[640];
    if (result == 0)
        snprintf(text, sizeof(text), "token %lld", (long long)l->token);
    else
        snprintf(text, sizeof(text), "refused %.200s", e->text);
    child_say(text);
}

static int child_main(const char *role, const char *dir)
{
    struct store *s;
    struct lease l = {0};
    struct err e = ERR_INIT;
    sigset_t go;
    int signal;
    sigemptyset(&go);
    sigaddset(&go, SIGUSR1);
    sigprocmask(SIG_BLOCK, &go, NULL);
    if (store_open(dir, NULL, NULL, &s, &e) < 0)
        return 1;
    if (strcmp(role, "race") == 0) {
        child_say("ready");
        sigwait(&go, &signal);
    }
    say_outcome(lease_acquire(s, "uat", role, &l, &e), &l, &e);
    child_wait();
    say_outcome(lease_heartbeat(s, &l, &e), &l, &e);
    store_close(s);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return child_main(argv[1], argv[2]);
    the_token_grows_with_every_acquisition();
    a_living_holder_is_named_with_its_times();
    a_lease_without_heartbeat_ends_and_one_with_goes_on();
    a_lease_that_ended_but_was_not_taken_may_be_revived();
    setting_the_date_does_not_end_a_living_lease_nor_prolong_a_dead_one();
    a_holder_on_another_machine_is_judged_by_the_wall_clock();
    an_expiry_years_ahead_is_no_lock_to_clear_by_hand();
    a_reused_pid_is_another_process();
    everything_a_former_holder_writes_is_refused();
    a_lease_that_was_given_back_writes_no_more();
    of_processes_that_ask_at_once_one_gets_it();
    a_killed_holder_is_succeeded_at_once();
    a_stopped_holder_is_left_alone_until_its_lease_ends();
    return DONE();
}
