#include "fixture.h"

struct seen {
    int n;
    struct release rows[8];
};

static void note(const struct release *r, void *arg)
{
    struct seen *seen = arg;
    if (seen->n < 8)
        seen->rows[seen->n] = *r;
    seen->n++;
}

static int open_commit(struct fixture *f, const struct lease *l, const char *commit,
                       struct release *ret)
{
    struct release want = {.committed_at = 77};
    snprintf(want.commit, sizeof(want.commit), "%s", commit);
    snprintf(want.message, sizeof(want.message), "Sell %s", commit);
    return release_open(f->store, l, &want, ret, &f->err);
}

static void releases_are_numbered_per_environment_from_one(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease uat = fixture_lease(&f, "uat"), beta = fixture_lease(&f, "beta");
    struct release r = {0};
    CHECK(open_commit(&f, &uat, "aaa", &r) == 0);
    CHECK(r.number == 1 && strcmp(r.environment, "uat") == 0 && r.state == RELEASE_OPEN);
    CHECK(r.created_at == f.time.wall_ms && r.committed_at == 77);
    CHECK(release_close(f.store, &uat, 1, RELEASE_LIVE, &f.err) == 0);
    CHECK(open_commit(&f, &uat, "bbb", &r) == 0 && r.number == 2);
    CHECK(open_commit(&f, &beta, "bbb", &r) == 0 && r.number == 1);
    fixture_release(&f);
}

static void an_open_release_of_the_same_commit_is_taken_up_again(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct release first = {0}, again = {0};
    open_commit(&f, &l, "aaa", &first);
    clock_fake_step(&f.time, 5000);
    CHECK(open_commit(&f, &l, "aaa", &again) == 0);
    CHECK(again.number == 1 && again.created_at == first.created_at);
    CHECK(strcmp(again.message, "Sell aaa") == 0);
    fixture_release(&f);
}

static void an_open_release_of_another_commit_is_closed_as_failed(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct release r = {0};
    struct seen seen = {0};
    open_commit(&f, &l, "aaa", &r);
    clock_fake_step(&f.time, 5000);
    CHECK(open_commit(&f, &l, "bbb", &r) == 0 && r.number == 2);
    CHECK(release_list(f.store, "uat", 0, note, &seen, &f.err) == 0 && seen.n == 2);
    CHECK(seen.rows[0].number == 2 && seen.rows[0].state == RELEASE_OPEN);
    CHECK(seen.rows[1].number == 1 && seen.rows[1].state == RELEASE_FAILED);
    CHECK(seen.rows[1].finished_at == f.time.wall_ms && seen.rows[0].finished_at == 0);
    fixture_release(&f);
}

static void the_list_is_newest_first_and_bounded(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease uat = fixture_lease(&f, "uat"), beta = fixture_lease(&f, "beta");
    struct release r;
    struct seen all = {0}, two = {0};
    open_commit(&f, &uat, "aaa", &r);
    clock_fake_step(&f.time, 1000);
    open_commit(&f, &beta, "bbb", &r);
    clock_fake_step(&f.time, 1000);
    open_commit(&f, &uat, "ccc", &r);
    CHECK(release_list(f.store, NULL, 0, note, &all, &f.err) == 0 && all.n == 3);
    CHECK(strcmp(all.rows[0].commit, "ccc") == 0 && strcmp(all.rows[1].commit, "bbb") == 0);
    CHECK(release_list(f.store, "uat", 1, note, &two, &f.err) == 0 && two.n == 1);
    CHECK(two.rows[0].number == 2);
    fixture_release(&f);
}

static void closing_a_release_that_never_was_is_our_own_mistake(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    CHECK(release_close(f.store, &l, 9, RELEASE_LIVE, &f.err) == -1);
    CHECK(f.err.kind == ERR_BUG && strstr(f.err.text, "no release 9"));
    fixture_release(&f);
}

static void every_state_has_its_name(void)
{
    CHECK(strcmp(release_state_name(RELEASE_OPEN), "open") == 0);
    CHECK(strcmp(release_state_name(RELEASE_LIVE), "live") == 0);
    CHECK(strcmp(release_state_name(RELEASE_FAILED), "failed") == 0);
}

int main(void)
{
    releases_are_numbered_per_environment_from_one();
    an_open_release_of_the_same_commit_is_taken_up_again();
    an_open_release_of_another_commit_is_closed_as_failed();
    the_list_is_newest_first_and_bounded();
    closing_a_release_that_never_was_is_our_own_mistake();
    every_state_has_its_name();
    return DONE();
}
