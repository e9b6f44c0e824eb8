#include "fixture.h"
#include "store/access.h"
#include "store/history.h"
#include "store/observation.h"

#define NOW_MS (FIXTURE_NOW_MS * INT64_C(1000))

struct seen {
    size_t n;
    int64_t series[64], at_ms[64];
};

static void see(const struct sample *v, void *arg)
{
    struct seen *s = arg;
    if (s->n < 64) {
        s->series[s->n] = v->series;
        s->at_ms[s->n] = v->at_ms;
    }
    s->n++;
}

static struct seen read_all(struct fixture *f, const char *vantage, int64_t series)
{
    struct seen s = {0};
    CHECK(observation_read(f->store, vantage, series, 0, INT64_MAX, see, &s, &f->err) == 0);
    return s;
}

static bool add(struct fixture *f, const char *vantage, const char *boot, int64_t sequence,
                int64_t at_ms)
{
    struct sample v[2] = {{.series = 1, .at_ms = at_ms, .total_us = 1000},
                          {.series = 2, .at_ms = at_ms + 1, .total_us = 2000}};
    struct observation_report r = {
        .vantage = vantage, .boot = boot, .sequence = sequence, .samples = v, .n = 2};
    bool is_new = false;
    CHECK(observation_add(f->store, &r, &is_new, &f->err) == 0);
    return is_new;
}

static void a_report_that_comes_again_is_stored_once(void)
{
    struct fixture f;
    fixture_init(&f);
    CHECK(add(&f, "fra", "b1", 1, NOW_MS));
    CHECK(!add(&f, "fra", "b1", 1, NOW_MS));
    CHECK(add(&f, "fra", "b1", 2, NOW_MS + 1000));
    CHECK(!add(&f, "fra", "b1", 1, NOW_MS));
    CHECK(read_all(&f, "fra", 0).n == 4);
    store_close(f.store);
    CHECK(fixture_open(&f) == 0);
    CHECK(!add(&f, "fra", "b1", 2, NOW_MS + 1000));
    CHECK(read_all(&f, "fra", 0).n == 4);
    fixture_release(&f);
}

static void note_name(const char *vantage, void *arg)
{
    char *names = arg;

    (void)snprintf(names + strlen(names), 64 - strlen(names), "%s ", vantage);
}

static void who_has_something_in_a_window_is_listed(void)
{
    struct fixture f;
    char all[64] = "", late[64] = "", none[64] = "";

    fixture_init(&f);
    CHECK(add(&f, "nyc", "b1", 1, NOW_MS));
    CHECK(add(&f, "fra", "b1", 1, NOW_MS + 5000));
    CHECK(add(&f, "fra", "b1", 2, NOW_MS + 6000));
    CHECK(observation_vantages(f.store, 0, INT64_MAX, note_name, all, &f.err) == 0);
    CHECK(!strcmp(all, "fra nyc "));
    CHECK(observation_vantages(f.store, NOW_MS + 2000, INT64_MAX, note_name, late, &f.err) == 0);
    CHECK(!strcmp(late, "fra "));
    CHECK(observation_vantages(f.store, 0, NOW_MS, note_name, none, &f.err) == 0);
    CHECK(!strcmp(none, ""));
    fixture_release(&f);
}

static void each_run_of_each_vantage_point_counts_for_itself(void)
{
    struct fixture f;
    fixture_init(&f);
    CHECK(add(&f, "fra", "b1", 7, NOW_MS));
    CHECK(add(&f, "fra", "b2", 1, NOW_MS + 10));
    CHECK(add(&f, "nyc", "b1", 7, NOW_MS + 20));
    CHECK(read_all(&f, "fra", 0).n == 4 && read_all(&f, "nyc", 0).n == 2);
    CHECK(read_all(&f, "nowhere", 0).n == 0);
    struct seen one = read_all(&f, "fra", 2);
    CHECK(one.n == 2 && one.series[0] == 2 && one.at_ms[0] == NOW_MS + 1);
    fixture_release(&f);
}

static void a_report_without_samples_is_only_marked(void)
{
    struct fixture f;
    struct observation_report r = {.vantage = "fra", .boot = "b1", .sequence = 3};
    bool is_new = false;
    fixture_init(&f);
    CHECK(observation_add(f.store, &r, &is_new, &f.err) == 0 && is_new);
    CHECK(observation_add(f.store, &r, &is_new, &f.err) == 0 && !is_new);
    CHECK(read_all(&f, "fra", 0).n == 0);
    fixture_release(&f);
}

static void what_cannot_be_kept_marks_nothing(void)
{
    struct fixture f;
    struct sample v = {.series = -1, .at_ms = NOW_MS};
    struct observation_report r = {
        .vantage = "fra", .boot = "b1", .sequence = 1, .samples = &v, .n = 1};
    bool is_new = false;
    fixture_init(&f);
    CHECK(observation_add(f.store, &r, &is_new, &f.err) == -1 && f.err.kind == ERR_BUG);
    CHECK(add(&f, "fra", "b1", 1, NOW_MS));
    fixture_release(&f);
}

static void observations_go_with_the_age_of_samples(void)
{
    struct fixture f;
    bool more = true;
    const int64_t hour = 3600000;
    fixture_init(&f);
    for (int i = 0; i < 300; i++)
        CHECK(add(&f, "fra", "b1", i + 1, NOW_MS - 10 * hour + i));
    CHECK(add(&f, "fra", "b1", 301, NOW_MS));
    while (more)
        if (history_prune(f.store, NOW_MS, hour, 1000 * hour, &more, &f.err) < 0)
            break;
    CHECK(!more);
    CHECK(read_all(&f, "fra", 0).n == 2);
    CHECK(!add(&f, "fra", "b1", 301, NOW_MS)); /* its number is still known */
    fixture_release(&f);
}

static void a_token_says_whose_it_is_and_its_scope(void)
{
    struct fixture f;
    char old[80], far[80];
    struct access_holder who = {.scope = ACCESS_READ};
    fixture_init(&f);
    CHECK(access_create(f.store, "ops", ACCESS_OPERATE, old, &f.err) == 0);
    CHECK(access_create(f.store, "fra", ACCESS_AGENT, far, &f.err) == 0);
    CHECK(access_check(f.store, far, &who, &f.err) == 1 && who.scope == ACCESS_AGENT);
    CHECK(strcmp(who.name, "fra") == 0);
    CHECK(access_check(f.store, old, &who, &f.err) == 1 && who.scope == ACCESS_OPERATE);
    fixture_release(&f);
}

int main(void)
{
    a_report_that_comes_again_is_stored_once();
    who_has_something_in_a_window_is_listed();
    each_run_of_each_vantage_point_counts_for_itself();
    a_report_without_samples_is_only_marked();
    what_cannot_be_kept_marks_nothing();
    observations_go_with_the_age_of_samples();
    a_token_says_whose_it_is_and_its_scope();
    return DONE();
}
