#include "fixture.h"
#include "store/inner.h"

#include <stdio.h>

struct seen {
    int n;
    char text[2048]; /* "app/instance#release state;" of each row */
    char url[128];
};

static void note(const struct deployment_row *row, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof(seen->text) - len, "%s/%s#%lld %s;", row->app, row->instance,
             (long long)row->release, deployment_state_name(row->state));
    snprintf(seen->url, sizeof(seen->url), "%s", row->url);
    seen->n++;
}

static void count(const struct deployment_row *row, void *arg)
{
    (void)row;
    ++*(int *)arg;
}

static int put(struct fixture *f, const struct lease *l, const char *instance, int64_t release,
               enum deployment_state state)
{
    struct deployment_row row = {
        .environment = l->environment,
        .app = "shop",
        .instance = instance,
        .release = release,
        .platform = "netlify",
        .project = "shop-uat",
        .state = state,
        .commit = "abc",
        .digest = "d1",
        .url = "https://shop-uat.example",
        .progress = "{\"step\":3}",
        .started_at = 10,
    };
    return deployment_put(f->store, l, &row, &f->err);
}

static void a_row_is_kept_as_it_was_put(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct seen seen = {0};
    CHECK(put(&f, &l, "modern", 1, DEPLOYMENT_PENDING) == 0);
    CHECK(put(&f, &l, "modern", 1, DEPLOYMENT_RUNNING) == 0);
    CHECK(deployment_latest(f.store, "uat", note, &seen, &f.err) == 0);
    CHECK(strcmp(seen.text, "shop/modern#1 running;") == 0);
    CHECK(strcmp(seen.url, "https://shop-uat.example") == 0);
    fixture_release(&f);
}

static void becoming_live_supersedes_the_older_live_row_only_of_its_key(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct seen live = {0}, first = {0}, latest = {0};
    put(&f, &l, "modern", 1, DEPLOYMENT_LIVE);
    put(&f, &l, "retro", 1, DEPLOYMENT_LIVE);
    put(&f, &l, "modern", 2, DEPLOYMENT_RUNNING);
    CHECK(deployment_live(f.store, "uat", note, &live, &f.err) == 0);
    CHECK(strcmp(live.text, "shop/modern#1 live;shop/retro#1 live;") == 0);
    CHECK(put(&f, &l, "modern", 2, DEPLOYMENT_LIVE) == 0);
    CHECK(deployment_of_release(f.store, "uat", 1, note, &first, &f.err) == 0);
    CHECK(strcmp(first.text, "shop/modern#1 superseded;shop/retro#1 live;") == 0);
    CHECK(deployment_latest(f.store, NULL, note, &latest, &f.err) == 0);
    CHECK(strcmp(latest.text, "shop/modern#2 live;shop/retro#1 live;") == 0);
    fixture_release(&f);
}

static void an_older_release_may_become_live_again_without_being_the_newest(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct seen live = {0}, latest = {0};
    put(&f, &l, "modern", 2, DEPLOYMENT_LIVE);
    CHECK(put(&f, &l, "modern", 1, DEPLOYMENT_LIVE) == 0);
    deployment_live(f.store, NULL, note, &live, &f.err);
    CHECK(strcmp(live.text, "shop/modern#1 live;") == 0);
    deployment_latest(f.store, "uat", note, &latest, &f.err);
    CHECK(strcmp(latest.text, "shop/modern#2 superseded;") == 0);
    fixture_release(&f);
}

static void environments_do_not_see_each_other(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease uat = fixture_lease(&f, "uat"), beta = fixture_lease(&f, "beta");
    int uat_rows = 0, all_rows = 0;
    put(&f, &uat, "modern", 1, DEPLOYMENT_LIVE);
    put(&f, &beta, "modern", 1, DEPLOYMENT_LIVE);
    deployment_live(f.store, "uat", count, &uat_rows, &f.err);
    deployment_live(f.store, NULL, count, &all_rows, &f.err);
    CHECK(uat_rows == 1 && all_rows == 2);
    fixture_release(&f);
}

static void a_lease_speaks_for_its_own_environment_only(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct deployment_row row = {.environment = "beta", .app = "shop", .instance = "modern"};
    CHECK(deployment_put(f.store, &l, &row, &f.err) == -1 && f.err.kind == ERR_BUG);
    CHECK(journal_add(f.store, &l, &row, "planned", "", &f.err) == -1);
    fixture_release(&f);
}

static void note_entry(const struct journal_entry *j, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof(seen->text) - len, "%lld %s %s;", (long long)j->release,
             j->event, j->detail);
    seen->n++;
}

static void the_journal_keeps_the_order_even_when_the_clock_goes_back(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    struct deployment_row row = {
        .environment = "uat", .app = "shop", .instance = "modern", .release = 1};
    struct seen one = {0}, all = {0};
    CHECK(journal_add(f.store, &l, &row, "sent", "POST /sites", &f.err) == 0);
    f.time.wall_ms -= 3600000;
    CHECK(journal_add(f.store, &l, &row, "answered", "201", &f.err) == 0);
    row.release = 2;
    CHECK(journal_add(f.store, &l, &row, "sent", "again", &f.err) == 0);
    CHECK(journal_list(f.store, "uat", 1, note_entry, &one, &f.err) == 0);
    CHECK(strcmp(one.text, "1 sent POST /sites;1 answered 201;") == 0);
    CHECK(journal_list(f.store, "uat", 0, note_entry, &all, &f.err) == 0 && all.n == 3);
    fixture_release(&f);
}

/* True when the engine's own plan for such a query names the index. */
static bool is_read_from(struct fixture *f, const char *query, const char *index)
{
    struct sql_query *q;
    bool found = false;
    if (sql_query(f->store->sql, query, NULL, &q, &f->err) < 0)
        return false;
    while (sql_next(q, &f->err) == 1)
        found = found || strstr(sql_column_text(q, 3), index);
    return found;
}

/* Reading the present state must not read the history, nor sort. */
static void ten_thousand_deployments_are_listed_from_their_index(void)
{
    struct fixture f;
    fixture_init(&f);
    struct lease l = fixture_lease(&f, "uat");
    CHECK(store_begin(f.store, &f.err) == 0);
    int failed = 0;
    for (int i = 0; i < 10000; i++) {
        char instance[16];
        snprintf(instance, sizeof(instance), "i%05d", i);
        failed += put(&f, &l, instance, 1, DEPLOYMENT_LIVE) < 0;
        failed += put(&f, &l, instance, 2, DEPLOYMENT_LIVE) < 0;
    }
    CHECK(store_commit(f.store, &f.err) == 0 && failed == 0);
    int latest = 0, live = 0;
    CHECK(deployment_latest(f.store, "uat", count, &latest, &f.err) == 0 && latest == 10000);
    CHECK(deployment_live(f.store, NULL, count, &live, &f.err) == 0 && live == 10000);
    CHECK(is_read_from(&f,
                       "EXPLAIN QUERY PLAN SELECT * FROM deployments WHERE newest = 1"
                       " ORDER BY environment, app, instance",
                       "deployments_newest"));
    CHECK(is_read_from(&f,
                       "EXPLAIN QUERY PLAN SELECT * FROM deployments WHERE state = 'live'"
                       " AND environment = 'uat' ORDER BY environment, app, instance",
                       "deployments_live"));
    fixture_release(&f);
}

int main(void)
{
    a_row_is_kept_as_it_was_put();
    becoming_live_supersedes_the_older_live_row_only_of_its_key();
    an_older_release_may_become_live_again_without_being_the_newest();
    environments_do_not_see_each_other();
    a_lease_speaks_for_its_own_environment_only();
    the_journal_keeps_the_order_even_when_the_clock_goes_back();
    ten_thousand_deployments_are_listed_from_their_index();
    return DONE();
}
