#include "fixture.h"
#include "store/outage.h"

#include "store/history.h"

struct seen {
    int n;
    struct outage last;
    char reasons[256];
};

static void note(const struct outage *i, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->reasons);
    snprintf(seen->reasons + len, sizeof(seen->reasons) - len, "%s;", i->reason);
    seen->last = *i;
    seen->n++;
}

static int64_t open_one(struct fixture *f, int64_t series, int64_t from_ms, const char *reason)
{
    int64_t id = 0;
    struct outage want = {
        .series = series, .from_ms = from_ms, .noticed_ms = from_ms + 30, .reason = reason};
    CHECK(outage_open(f->store, &want, &id, &f->err) == 0);
    return id;
}

static struct seen list(struct fixture *f, int64_t series, int64_t from_ms, int64_t until_ms,
                        int limit)
{
    struct seen seen = {0};
    CHECK(outage_list(f->store, series, from_ms, until_ms, limit, note, &seen, &f->err) == 0);
    return seen;
}

static void a_series_has_one_open_outage_of_a_kind(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t first = open_one(&f, 1, 1000, "refused"), blind = 0;
    CHECK(open_one(&f, 1, 2000, "again") == first && open_one(&f, 2, 2000, "other") != first);
    struct outage want = {.series = 1, .kind = OUTAGE_BLIND, .from_ms = 5, .reason = "cut off"};
    CHECK(outage_open(f.store, &want, &blind, &f.err) == 0 && blind != first);
    CHECK(outage_close(f.store, first, 3000, &f.err) == 0);
    int64_t next = open_one(&f, 1, 4000, "once more");
    CHECK(next > first);
    struct seen seen = list(&f, 1, 0, 9000, 0);
    CHECK(strcmp(seen.reasons, "once more;refused;cut off;") == 0);
    CHECK(seen.last.kind == OUTAGE_BLIND && seen.last.until_ms == 0);
    fixture_release(&f);
}

static void an_outage_is_listed_where_it_overlaps(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = open_one(&f, 1, 1000, "a");
    CHECK(outage_close(f.store, id, 2000, &f.err) == 0);
    open_one(&f, 1, 5000, "b");
    CHECK(strcmp(list(&f, 1, 0, 1000, 0).reasons, "") == 0);
    CHECK(strcmp(list(&f, 1, 1999, 3000, 0).reasons, "a;") == 0);
    CHECK(strcmp(list(&f, 1, 2000, 5000, 0).reasons, "") == 0);
    CHECK(strcmp(list(&f, -1, 0, 6000, 0).reasons, "b;a;") == 0);
    CHECK(strcmp(list(&f, -1, 0, 6000, 1).reasons, "b;") == 0);
    CHECK(list(&f, 2, 0, 6000, 0).n == 0);
    /* The open one lasts until now, and no longer. */
    CHECK(list(&f, 1, f.time.wall_ms - 1, f.time.wall_ms + 5, 0).n == 1);
    CHECK(list(&f, 1, f.time.wall_ms + 1, f.time.wall_ms + 5, 0).n == 0);
    fixture_release(&f);
}

static void an_end_before_the_beginning_or_a_second_end_changes_nothing(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = open_one(&f, 1, 1000, "the clock was set back");
    CHECK(outage_close(f.store, id, 400, &f.err) == 0);
    CHECK(list(&f, 1, 0, 9000, 0).last.until_ms == 1000);
    CHECK(outage_close(f.store, id, 8000, &f.err) == 0);
    CHECK(list(&f, 1, 0, 9000, 0).last.until_ms == 1000);
    CHECK(outage_close(f.store, 4711, 8000, &f.err) == -1 && f.err.kind == ERR_NO);
    fixture_release(&f);
}

static void the_first_acknowledgement_counts(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = open_one(&f, 1, 1000, "x");
    CHECK(outage_acknowledge(f.store, id, 1500, &f.err) == 0);
    CHECK(outage_acknowledge(f.store, id, 1700, &f.err) == 0);
    struct seen seen = list(&f, 1, 0, 9000, 0);
    CHECK(seen.last.acknowledged_ms == 1500 && seen.last.noticed_ms == 1030);
    CHECK(outage_acknowledge(f.store, id + 1, 1, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(strstr(f.err.text, "no outage"));
    fixture_release(&f);
}

static void what_is_long_over_is_dropped_and_what_is_open_stays(void)
{
    struct fixture f;
    bool more = true;
    fixture_init(&f);
    int64_t over = open_one(&f, 1, 1000, "x");
    CHECK(outage_close(f.store, over, 2000, &f.err) == 0);
    (void)open_one(&f, 2, 1000, "y");
    CHECK(history_prune(f.store, 6999, 5000, 5000, &more, &f.err) == 0 && !more);
    CHECK(list(&f, -1, 0, 9000, 0).n == 2);
    CHECK(history_prune(f.store, 7001, 5000, 5000, &more, &f.err) == 0 && !more);
    struct seen left = list(&f, -1, 0, 9000, 0);
    CHECK(left.n == 1 && left.last.series == 2);
    fixture_release(&f);
}

int main(void)
{
    what_is_long_over_is_dropped_and_what_is_open_stays();
    a_series_has_one_open_outage_of_a_kind();
    an_outage_is_listed_where_it_overlaps();
    an_end_before_the_beginning_or_a_second_end_changes_nothing();
    the_first_acknowledgement_counts();
    return DONE();
}
