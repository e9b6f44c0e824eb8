#include "fixture.h"
#include "store/incident.h"

#include "store/history.h"
#include "store/outage.h"

struct seen {
    int n;
    struct incident last;
    char titles[256], lines[512], kind[24], platform[24];
    int64_t outages[8];
    int n_outages;
};

static void note(const struct incident *i, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->titles);
    snprintf(seen->titles + len, sizeof(seen->titles) - len, "%s;", i->title);
    snprintf(seen->kind, sizeof(seen->kind), "%s", i->kind);
    snprintf(seen->platform, sizeof(seen->platform), "%s", i->platform);
    seen->last = *i;
    seen->n++;
}

static void note_line(const struct incident_event *v, void *arg)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->lines);
    snprintf(seen->lines + len, sizeof(seen->lines) - len, "%s:%s%s;", v->kind, v->text,
             v->evidence);
}

static void note_outage(int64_t outage, void *arg)
{
    struct seen *seen = arg;
    seen->outages[seen->n_outages++] = outage;
}

static int64_t open_one(struct fixture *f, int64_t from_ms, const char *title)
{
    int64_t id = 0;
    struct incident i = {.kind = "outage",
                         .platform = "koyeb",
                         .environment = "uat",
                         .app = "api",
                         .title = title,
                         .from_ms = from_ms,
                         .noticed_ms = from_ms + 5};
    CHECK(incident_open(f->store, &i, &id, &f->err) == 0 && id > 0);
    return id;
}

static struct seen list(struct fixture *f, int64_t id, int64_t from_ms, int64_t until_ms)
{
    struct seen seen = {0};
    CHECK(incident_list(f->store, id, from_ms, until_ms, 0, note, &seen, &f->err) == 0);
    return seen;
}

static int64_t outage_of(struct fixture *f, int64_t series)
{
    int64_t id = 0;
    struct outage o = {.series = series, .from_ms = 1000, .noticed_ms = 1000, .reason = ""};
    CHECK(outage_open(f->store, &o, &id, &f->err) == 0);
    return id;
}

static void an_incident_is_opened_widened_resolved_and_reopened(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = open_one(&f, 1000, "api health fails in uat");
    struct incident wider = {.id = id,
                             .kind = "outage",
                             .platform = "koyeb",
                             .title = "koyeb: 30 checks fail",
                             .from_ms = 900};
    CHECK(incident_widen(f.store, &wider, &f.err) == 0);
    struct seen seen = list(&f, id, 0, 9000);
    CHECK(strcmp(seen.titles, "koyeb: 30 checks fail;") == 0 && seen.last.from_ms == 900);
    CHECK(strcmp(seen.platform, "koyeb") == 0 && seen.last.until_ms == 0);
    wider.from_ms = 5000; /* it never began later than it did */
    CHECK(incident_widen(f.store, &wider, &f.err) == 0);
    CHECK(list(&f, id, 0, 9000).last.from_ms == 900);
    CHECK(incident_acknowledge(f.store, id, 1500, &f.err) == 0);
    CHECK(incident_acknowledge(f.store, id, 1700, &f.err) == 0);
    CHECK(list(&f, id, 0, 9000).last.acknowledged_ms == 1500);
    CHECK(incident_resolve(f.store, id, 400, &f.err) == 0); /* the clock was set back */
    CHECK(list(&f, id, 0, 9000).last.until_ms == 900);
    CHECK(incident_resolve(f.store, id, 2000, &f.err) == 0);
    CHECK(list(&f, id, 0, 9000).last.until_ms == 900);
    CHECK(incident_reopen(f.store, id, &f.err) == 0);
    seen = list(&f, id, 0, 9000);
    CHECK(seen.last.until_ms == 0 && seen.last.acknowledged_ms == 0);
    fixture_release(&f);
}

static void one_that_is_not_there_is_named(void)
{
    struct fixture f;
    fixture_init(&f);
    struct incident none = {.id = 7, .kind = "outage", .title = "x"};
    CHECK(incident_resolve(f.store, 7, 1, &f.err) == -1 && f.err.kind == ERR_NO);
    CHECK(incident_acknowledge(f.store, 7, 1, &f.err) == -1 && strstr(f.err.text, "incident 7"));
    CHECK(incident_widen(f.store, &none, &f.err) == -1 &&
          incident_reopen(f.store, 7, &f.err) == -1);
    CHECK(list(&f, 7, 0, INT64_MAX).n == 0);
    fixture_release(&f);
}

static void an_incident_is_listed_where_it_overlaps(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = open_one(&f, 1000, "a");
    CHECK(incident_resolve(f.store, id, 2000, &f.err) == 0);
    open_one(&f, 5000, "b");
    CHECK(list(&f, 0, 0, 1000).n == 0 && list(&f, 0, 2000, 5000).n == 0);
    CHECK(strcmp(list(&f, 0, 0, 6000).titles, "b;a;") == 0);
    CHECK(list(&f, id, 0, 6000).n == 1);
    CHECK(list(&f, 0, f.time.wall_ms - 1, f.time.wall_ms + 5).n == 1);
    CHECK(list(&f, 0, f.time.wall_ms + 1, f.time.wall_ms + 5).n == 0);
    fixture_release(&f);
}

static void an_outage_is_in_one_incident(void)
{
    struct fixture f;
    struct seen seen = {0};
    int64_t in = 0;
    fixture_init(&f);
    int64_t first = open_one(&f, 1000, "a"), second = open_one(&f, 1000, "b");
    int64_t one = outage_of(&f, 1), two = outage_of(&f, 2);
    CHECK(incident_of(f.store, one, &in, &f.err) == 0 && in == 0);
    CHECK(incident_join(f.store, first, one, &f.err) == 0);
    CHECK(incident_join(f.store, first, one, &f.err) == 0);
    CHECK(incident_join(f.store, first, two, &f.err) == 0);
    CHECK(incident_join(f.store, second, one, &f.err) == 0);
    CHECK(incident_of(f.store, one, &in, &f.err) == 0 && in == first);
    CHECK(incident_outages(f.store, first, note_outage, &seen, &f.err) == 0);
    CHECK(seen.n_outages == 2 && seen.outages[0] == one && seen.outages[1] == two);
    CHECK(list(&f, first, 0, 9000).last.outages == 2 &&
          list(&f, second, 0, 9000).last.outages == 0);
    fixture_release(&f);
}

static void a_check_that_failed_twice_counts_once(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t id = open_one(&f, 1000, "a");
    for (int i = 0; i < 2; i++) {
        int64_t outage = outage_of(&f, 1);
        CHECK(incident_join(f.store, id, outage, &f.err) == 0);
        CHECK(outage_close(f.store, outage, 2000, &f.err) == 0);
    }
    CHECK(list(&f, id, 0, 9000).last.outages == 1);
    fixture_release(&f);
}

static void a_line_with_a_key_is_written_once_an_incident(void)
{
    struct fixture f;
    struct seen seen = {0};
    int64_t in = 0;
    fixture_init(&f);
    int64_t id = open_one(&f, 1000, "a"), other = open_one(&f, 1000, "b");
    struct incident_event v = {.at_ms = 2000, .kind = "joined", .text = "x", .evidence = "{}"};
    struct incident_event before = {.at_ms = 1000, .kind = "opened", .text = "y"};
    CHECK(incident_note(f.store, id, &v, "outage 1", &f.err) == 0);
    CHECK(incident_note(f.store, id, &v, "outage 1", &f.err) == 0);
    CHECK(incident_note(f.store, id, &before, "", &f.err) == 0);
    CHECK(incident_note(f.store, id, &before, NULL, &f.err) == 0);
    CHECK(incident_note(f.store, other, &v, "outage 1", &f.err) == 0);
    CHECK(incident_timeline(f.store, id, note_line, &seen, &f.err) == 0);
    CHECK(strcmp(seen.lines, "opened:y;opened:y;joined:x{};") == 0);
    CHECK(incident_noted(f.store, "outage 1", &in, &f.err) == 0 && in == other);
    CHECK(incident_noted(f.store, "outage 2", &in, &f.err) == 0 && in == 0);
    CHECK(incident_noted(f.store, "", &in, &f.err) == 0 && in == 0);
    fixture_release(&f);
}

static void what_is_long_over_goes_with_its_timeline_and_what_is_open_stays(void)
{
    struct fixture f;
    struct seen seen = {0};
    bool more = true;
    fixture_init(&f);
    int64_t over = open_one(&f, 1000, "over"), open = open_one(&f, 1000, "open");
    struct incident_event v = {.at_ms = 1000, .kind = "opened", .text = "x"};
    int64_t outage = outage_of(&f, 1);
    CHECK(incident_note(f.store, over, &v, "opened", &f.err) == 0);
    CHECK(incident_note(f.store, open, &v, "opened", &f.err) == 0);
    CHECK(incident_join(f.store, over, outage, &f.err) == 0);
    CHECK(incident_resolve(f.store, over, 2000, &f.err) == 0);
    CHECK(history_prune(f.store, 6999, 5000, 5000, &more, &f.err) == 0);
    CHECK(list(&f, 0, 0, 9000).n == 2);
    CHECK(history_prune(f.store, 7001, 5000, 5000, &more, &f.err) == 0 && !more);
    CHECK(strcmp(list(&f, 0, 0, 9000).titles, "open;") == 0);
    CHECK(incident_timeline(f.store, over, note_line, &seen, &f.err) == 0 && !seen.lines[0]);
    CHECK(incident_timeline(f.store, open, note_line, &seen, &f.err) == 0 && seen.lines[0]);
    CHECK(incident_outages(f.store, over, note_outage, &seen, &f.err) == 0 && !seen.n_outages);
    fixture_release(&f);
}

int main(void)
{
    an_incident_is_opened_widened_resolved_and_reopened();
    one_that_is_not_there_is_named();
    an_incident_is_listed_where_it_overlaps();
    an_outage_is_in_one_incident();
    a_check_that_failed_twice_counts_once();
    a_line_with_a_key_is_written_once_an_incident();
    what_is_long_over_goes_with_its_timeline_and_what_is_open_stays();
    return DONE();
}
