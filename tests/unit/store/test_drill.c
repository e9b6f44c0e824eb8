#include "fixture.h"
#include "store/traffic.h"

static const struct drill_record wanted = {.route = "api",
                                           .environment = "uat",
                                           .fault = "stop",
                                           .from_ms = 5000,
                                           .fault_ms = 30000,
                                           .bound_ms = 300000,
                                           .text = "to be undone"};

struct seen {
    int n;
    struct drill_record last;
    char text[512];
};

static void note(const struct drill_record *d, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);

    (void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s/%s %s %s %s;", d->route,
                   d->environment, d->fault, drill_outcome_name(d->outcome), d->text);
    seen->last = *d;
    seen->n++;
}

static struct seen list(struct fixture *f, const char *route, int64_t from_ms, int64_t until_ms,
                        int limit)
{
    struct seen seen = {0};

    CHECK(drill_list(f->store, route, from_ms, until_ms, limit, note, &seen, &f->err) == 0);
    return seen;
}

static void a_drill_is_kept_from_its_begin_to_its_end(void)
{
    struct fixture f;
    struct drill_record d = wanted;
    fixture_init(&f);
    CHECK(drill_begin(f.store, &wanted, &d.id, &f.err) == 0 && d.id > 0);
    struct seen seen = list(&f, "api", 0, 9000, 0);
    CHECK(strcmp(seen.text, "api/uat stop running to be undone;") == 0);
    CHECK(seen.last.until_ms == 0 && seen.last.detect_ms == -1 && seen.last.standby_woken == -1);
    d.outcome = DRILL_FAILED;
    d.until_ms = 47000;
    d.sent = 900;
    d.lost = 3;
    d.slow = 4;
    d.detect_ms = 5;
    d.decide_ms = 6;
    d.apply_ms = 7;
    d.recover_ms = 8;
    d.return_ms = 9;
    d.standby_woken = 0;
    d.text = "3 requests were lost";
    CHECK(drill_end(f.store, &d, &f.err) == 0);
    seen = list(&f, NULL, 5000, 5001, 0);
    CHECK(strcmp(seen.text, "api/uat stop failed 3 requests were lost;") == 0);
    const struct drill_record *r = &seen.last;
    CHECK(r->until_ms == 47000 && r->sent == 900 && r->lost == 3 && r->slow == 4 &&
          r->detect_ms == 5 && r->decide_ms == 6 && r->apply_ms == 7 && r->recover_ms == 8 &&
          r->return_ms == 9 && r->bound_ms == 300000 && r->fault_ms == 30000 &&
          r->standby_woken == 0);
    fixture_release(&f);
}

static void a_second_drill_is_refused_while_one_runs(void)
{
    struct fixture f;
    int64_t first = 0, second = 0;
    fixture_init(&f);
    CHECK(drill_begin(f.store, &wanted, &first, &f.err) == 0);
    CHECK(drill_begin(f.store, &wanted, &second, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(strstr(f.err.text, "is running"));
    struct drill_record d = {.id = first, .outcome = DRILL_INTERRUPTED};
    CHECK(drill_end(f.store, &d, &f.err) == 0);
    CHECK(drill_begin(f.store, &wanted, &second, &f.err) == 0 && second > first);
    CHECK(list(&f, "api", 0, 9000, 1).n == 1);
    CHECK(list(&f, "api", 0, 9000, 0).n == 2);
    CHECK(list(&f, "web", 0, 9000, 0).n == 0);
    CHECK(list(&f, NULL, 0, 5000, 0).n == 0);
    fixture_release(&f);
}

static void a_drill_ends_once(void)
{
    struct fixture f;
    struct drill_record d = {.outcome = DRILL_RUNNING, .text = "late"};
    fixture_init(&f);
    CHECK(drill_begin(f.store, &wanted, &d.id, &f.err) == 0);
    CHECK(drill_end(f.store, &d, &f.err) == -1 && f.err.kind == ERR_BUG);
    d.outcome = DRILL_INTERRUPTED;
    CHECK(drill_end(f.store, &d, &f.err) == 0);
    d.outcome = DRILL_PASSED;
    CHECK(drill_end(f.store, &d, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(list(&f, NULL, 0, 9000, 0).last.outcome == DRILL_INTERRUPTED);
    fixture_release(&f);
}

int main(void)
{
    a_drill_is_kept_from_its_begin_to_its_end();
    a_second_drill_is_refused_while_one_runs();
    a_drill_ends_once();
    return DONE();
}
