#include "base/mem.h"
#include "history_world.h"

#include <sqlite3.h>

#define DAY INT64_C(86400000)
#define HOUR INT64_C(3600000)
#define START_MS INT64_C(1700000000000)

/* Runs SQL on the file beside the store. */
static void outside(const char *path, const char *sql)
{
    sqlite3 *db;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

/* --- Cells ------------------------------------------------------------------------------------ */

static void a_cell_counts_by_class_and_outcome_and_keeps_extra_samples_out(void)
{
    struct history_cell c = {0};
    struct sample v = {.late_us = 40,
                       .status = 200,
                       .lookup_us = 100,
                       .connect_us = 300,
                       .tls_us = -1,
                       .first_byte_us = 1000,
                       .total_us = 1540,
                       .covers_ms = 30000};
    history_cell_add(&c, &v);
    CHECK(c.count[SAMPLE_WARM][SAMPLE_OK] == 1 && c.times[SAMPLE_WARM].n == 1);
    CHECK(c.lookup_us == 100 && c.connect_us == 200 && c.tls_us == 0);
    CHECK(c.first_byte_us == 700 && c.rest_us == 500 && c.late_us_max == 40);
    v.extra = true;
    history_cell_add(&c, &v);
    CHECK(c.count[SAMPLE_WARM][SAMPLE_OK] == 1 && c.seen_ms == 60000);
    v = (struct sample){.outcome = SAMPLE_MISSED, .late_us = -1, .total_us = -1, .covers_ms = 500};
    history_cell_add(&c, &v);
    CHECK(c.count[SAMPLE_WARM][SAMPLE_MISSED] == 1 && c.unseen_ms == 500 && c.lateness.n == 1);
    v = (struct sample){.outcome = SAMPLE_MISSED, .late_us = -1, .covers_ms = 700, .extra = true};
    history_cell_add(&c, &v); /* left out while it was down */
    CHECK(c.count[SAMPLE_WARM][SAMPLE_MISSED] == 1 && c.unseen_ms == 500 && c.seen_ms == 60700);
    v = (struct sample){.outcome = SAMPLE_OK, .class_ = SAMPLE_COLD, .total_us = 9, .late_us = -1};
    history_cell_add(&c, &v);
    CHECK(c.times[SAMPLE_COLD].n == 1 && c.times[SAMPLE_WARM].n == 1 && c.rest_us == 500);
    history_cell_release(&c);
}

static void a_cell_comes_back_from_its_bytes_and_damaged_ones_are_refused(void)
{
    struct random r = {42};
    struct history_cell c = {0}, back = {0};
    struct err e = ERR_INIT;
    for (int i = 0; i < 300; i++) {
        struct sample v = random_sample(&r, 1, 0);
        history_cell_add(&c, &v);
    }
    struct buf b = cell_bytes(&c);
    CHECK(cell_decode(b.data, b.len, &back, &e) == 0 && cells_equal(&c, &back));
    history_cell_release(&back);
    int accepted = 0;
    for (size_t len = 0; len < b.len; len++)
        accepted += cell_decode(b.data, len, &back, &e) == 0;
    CHECK(accepted == 0 && e.kind == ERR_STORE && back.times[SAMPLE_WARM].counts == NULL);
    buf_release(&b);
    history_cell_release(&c);
}

static void merging_cells_is_the_same_as_adding_their_samples(void)
{
    struct random r = {7};
    struct history_cell all = {0}, part[2] = {0};
    for (int i = 0; i < 200; i++) {
        struct sample v = random_sample(&r, 1, 0);
        history_cell_add(&all, &v);
        history_cell_add(&part[i % 2], &v);
    }
    CHECK(history_cell_merge(&part[0], &part[1]) && cells_equal(&all, &part[0]));
    history_cell_release(&all);
    history_cell_release(&part[0]);
    history_cell_release(&part[1]);
}

/* --- Windows ---------------------------------------------------------------------------------- */

enum { WORLD_SAMPLES = 6000 };

/* Three days of samples in batches of any size, between rolls of any size; the clock is set by up
 * to an hour both ways now and then. The last ones are not rolled up. */
static struct sample *make_world(struct fixture *f, struct random *r, bool roll)
{
    struct sample *all = mem_array(WORLD_SAMPLES, sizeof(*all));
    int64_t at = START_MS;
    bool more;
    for (size_t i = 0; i < WORLD_SAMPLES; i++) {
        at += (int64_t)pick(r, 90000);
        if (pick(r, 300) == 0)
            at += (int64_t)pick(r, (uint64_t)(2 * HOUR)) - HOUR;
        all[i] = random_sample(r, 1 + (int64_t)pick(r, WORLD_SERIES), at);
    }
    for (size_t i = 0, n; i < WORLD_SAMPLES; i += n) {
        n = 1 + pick(r, 60);
        n = n < WORLD_SAMPLES - i ? n : WORLD_SAMPLES - i;
        if (sample_add(f->store, all + i, n, &f->err) < 0)
            return all;
        if (roll && i < WORLD_SAMPLES - 500 && pick(r, 5) == 0 &&
            history_roll(f->store, 1 + pick(r, 400), &more, &f->err) < 0)
            return all;
    }
    return all;
}

static struct history_window random_window(struct random *r)
{
    /* Any instant, or on a bound of any level. */
    static const int64_t grain[] = {1, 600000, 2 * HOUR, DAY};
    struct history_window w = {.series = (int64_t)pick(r, WORLD_SERIES + 1),
                               .coarsest = (enum history_level)pick(r, HISTORY_LEVELS)};
    int64_t a = START_MS - DAY + (int64_t)pick(r, 7 * DAY);
    int64_t b = a + (int64_t)pick(r, pick(r, 2) ? 4 * DAY : 3 * HOUR);
    a -= a % grain[pick(r, 4)];
    b -= b % grain[pick(r, 4)];
    w.from_ms = a < b ? a : b;
    w.until_ms = a < b ? b : a;
    return w;
}

static void any_window_holds_each_sample_once(void)
{
    int wrong = 0, moved = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct fixture f;
        struct random r = {seed * 7919};
        world_init(&f);
        struct sample *all = make_world(&f, &r, seed != 6); /* once without any roll */
        CHECK(f.err.kind == ERR_NONE);
        struct expected expected = {all, WORLD_SAMPLES};
        for (int i = 0; i < 60; i++) {
            struct history_window w = random_window(&r);
            int64_t from, until;
            wrong += !window_is_right(f.store, &w, &expected, &from, &until);
            moved += from != w.from_ms || until != w.until_ms;
        }
        free(all);
        fixture_release(&f);
    }
    CHECK(wrong == 0);
    CHECK(moved == 0); /* all raw samples are there to cut at */
}

static void without_raw_samples_edges_are_rounded_outwards(void)
{
    struct fixture f;
    struct random r = {11};
    int wrong = 0, narrow = 0, wide = 0;
    world_init(&f);
    struct sample *all = make_world(&f, &r, true);
    struct expected expected = {all, WORLD_SAMPLES};
    roll_all(f.store, &f.err);
    prune_all(f.store, START_MS + 100 * DAY, DAY, 1000 * DAY, &f.err);
    struct history_size size;
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.raw_samples == 0);
    for (int i = 0; i < 60; i++) {
        struct history_window w = random_window(&r);
        int64_t from, until;
        w.coarsest = HISTORY_DAY;
        wrong += !window_is_right(f.store, &w, &expected, &from, &until);
        narrow += from > w.from_ms || until < w.until_ms;
        wide += w.from_ms - from >= 2 * HOUR || until - w.until_ms >= 2 * HOUR;
    }
    /* 10-minute cells are gone too, 100 days later; 2 hours are not. */
    CHECK(wrong == 0 && narrow == 0 && wide == 0);

    prune_all(f.store, START_MS + 1000 * DAY, DAY, 5000 * DAY, &f.err);
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.cells[HISTORY_TWO_HOURS] == 0);
    struct history_window w = {
        .from_ms = START_MS, .until_ms = START_MS + DAY, .coarsest = HISTORY_DAY};
    int64_t from, until;
    CHECK(window_is_right(f.store, &w, &expected, &from, &until));
    CHECK(from == cell_floor(HISTORY_DAY, w.from_ms) &&
          until == cell_ceil(HISTORY_DAY, w.until_ms));
    w.coarsest = HISTORY_TWO_HOURS; /* there are none any more */
    CHECK(window_is_right(f.store, &w, &expected, &from, &until) && from == until);
    free(all);
    fixture_release(&f);
}

static void count_cells(int64_t series, int64_t start_ms, int64_t length_ms,
                        const struct history_cell *c, void *arg)
{
    int *n = arg;
    (void)series;
    (void)start_ms;
    (void)c;
    n[0] += length_ms == DAY;
    n[1] += length_ms == 2 * HOUR;
    n[2] += length_ms == 600000;
    n[3]++;
}

static void a_window_is_made_of_the_fewest_cells(void)
{
    struct fixture f;
    int64_t day = cell_floor(HISTORY_DAY, START_MS);
    int n[4] = {0}, failed = 0;
    world_init(&f);
    for (int64_t at = day; at < day + 4 * DAY; at += 300000) {
        struct sample v = {.series = 1, .at_ms = at, .total_us = 5};
        failed += sample_add(f.store, &v, 1, &f.err) < 0;
    }
    CHECK(failed == 0);
    roll_all(f.store, &f.err);
    struct history_window w = {.series = 1,
                               .from_ms = day + 19 * HOUR + INT64_C(50) * 60000,
                               .until_ms = day + 3 * DAY + 2 * HOUR + 600000,
                               .coarsest = HISTORY_DAY};
    CHECK(history_read(f.store, &w, count_cells, n, NULL, NULL, &f.err) == 0);
    CHECK(n[0] == 2 && n[1] == 2 + 1 && n[2] == 1 + 1 && n[3] == 7);
    fixture_release(&f);
}

/* --- Rolling ---------------------------------------------------------------------------------- */

static void a_roll_packs_the_batches_and_keeps_the_samples(void)
{
    struct fixture f;
    struct random r = {3};
    world_init(&f);
    for (int i = 0; i < 505; i++) {
        struct sample v = random_sample(&r, 1 + i % 3, START_MS + INT64_C(1000) * i);
        sample_add(f.store, &v, 1, &f.err);
    }
    struct sql_query *q;
    roll_all(f.store, &f.err);
    CHECK(sql_query(f.store->sql, "SELECT count(*), sum(n) FROM batches", NULL, &q, &f.err) == 0);
    CHECK(sql_next(q, &f.err) == 1 && sql_column_int(q, 0) == 1 && sql_column_int(q, 1) == 505);
    sql_end(q);
    fixture_release(&f);
}

static void samples_that_come_after_everything_was_dropped_are_rolled_up_too(void)
{
    struct fixture f;
    struct history_size size;
    struct sample v = {.series = 1, .at_ms = START_MS};
    world_init(&f);
    CHECK(sample_add(f.store, &v, 1, &f.err) == 0);
    roll_all(f.store, &f.err);
    prune_all(f.store, START_MS + DAY, 0, 1000 * DAY, &f.err);
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.raw_samples == 0);
    v.at_ms += DAY;
    CHECK(sample_add(f.store, &v, 1, &f.err) == 0);
    prune_all(f.store, START_MS + 9 * DAY, 0, 1000 * DAY, &f.err);
    CHECK(history_size(f.store, &size, &f.err) == 0);
    CHECK(size.raw_samples == 1 && size.unrolled_samples == 1); /* never dropped before that */
    roll_all(f.store, &f.err);
    CHECK(history_size(f.store, &size, &f.err) == 0);
    CHECK(size.unrolled_samples == 0 && size.cells[HISTORY_DAY] == 2 && size.damaged == 0);
    CHECK(size.oldest_cell_ms == cell_floor(HISTORY_DAY, START_MS) && size.file_bytes > 0);
    fixture_release(&f);
}

static void what_is_old_is_dropped_in_pieces(void)
{
    struct fixture f;
    struct history_size size;
    world_init(&f);
    for (int i = 0; i < 150; i++) {
        struct sample v = {.series = 1, .at_ms = START_MS + i};
        bool more;
        if (sample_add(f.store, &v, 1, &f.err) == 0)
            history_roll(f.store, 10, &more, &f.err);
    }
    CHECK(f.err.kind == ERR_NONE);
    bool more = false;
    CHECK(history_prune(f.store, START_MS + DAY, 1, 1000 * DAY, &more, &f.err) == 0 && more);
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.raw_samples == 150 - 64);
    prune_all(f.store, START_MS + DAY, 1, 1000 * DAY, &f.err);
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.raw_samples == 0);
    prune_all(f.store, START_MS + 3 * DAY, 1, DAY, &f.err);
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.cells[HISTORY_DAY] == 0);
    fixture_release(&f);
}

/* --- Damage ----------------------------------------------------------------------------------- */

static void a_damaged_batch_is_left_out_counted_and_left_where_it_is(void)
{
    struct fixture f;
    struct history_size size;
    struct sample v[3] = {{.series = 1, .at_ms = START_MS},
                          {.series = 1, .at_ms = START_MS + 1},
                          {.series = 1, .at_ms = START_MS + 2}};
    world_init(&f);
    for (int i = 0; i < 3; i++)
        CHECK(sample_add(f.store, &v[i], 1, &f.err) == 0);
    outside(f.path, "UPDATE batches SET data = substr(data, 1, length(data) - 1) WHERE id = 2");
    struct expected others = {v, 3};
    v[1].series = WORLD_SERIES + 1; /* not looked at */
    struct history_window w = {
        .from_ms = START_MS - 5, .until_ms = START_MS + 5, .coarsest = HISTORY_DAY};
    int64_t from, until;
    CHECK(window_is_right(f.store, &w, &others, &from, &until));
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.damaged == 1);
    roll_all(f.store, &f.err);
    CHECK(window_is_right(f.store, &w, &others, &from, &until));
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.unrolled_samples == 0);
    CHECK(size.damaged == 3 && size.raw_samples == 3); /* the roll and the second read met it too */
    fixture_release(&f);
}

static void a_damaged_cell_is_replaced_by_shorter_ones(void)
{
    struct fixture f;
    struct random r = {5};
    struct history_size size;
    world_init(&f);
    struct sample *all = make_world(&f, &r, true);
    roll_all(f.store, &f.err);
    outside(f.path, "UPDATE cells_day SET data = x'0163'");
    outside(f.path, "UPDATE cells_two_hours SET data = x'' WHERE id % 5 = 0");
    struct expected expected = {all, WORLD_SAMPLES};
    struct history_window w = {
        .from_ms = START_MS - DAY, .until_ms = START_MS + 9 * DAY, .coarsest = HISTORY_DAY};
    int64_t from, until;
    CHECK(window_is_right(f.store, &w, &expected, &from, &until));
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.damaged > 0);
    free(all);
    fixture_release(&f);
}

/* --- The first form --------------------------------------------------------------------------- */

static void the_rows_of_the_first_form_become_batches(void)
{
    struct fixture f;
    int n = 0;
    world_init(&f);
    store_close(f.store);
    outside(f.path,
            "DROP TABLE batches; DROP TABLE cells_ten_minutes; DROP TABLE cells_two_hours;"
            "DROP TABLE cells_day; DROP TABLE history_state; DROP TABLE outages;"
            "DROP TABLE access_tokens; DROP TABLE traffic_orders; DROP TABLE traffic_changes;"
            "DROP TABLE traffic_states; DROP TABLE drills; DROP TABLE alert_messages;"
            "DROP TABLE alert_matters; DROP TABLE observations;"
            "DROP TABLE observation_marks; DROP TABLE incidents; DROP TABLE incident_outages;"
            "DROP TABLE incident_events; CREATE TABLE samples (id INTEGER PRIMARY KEY,"
            " series, at_ms, late_us, outcome, class, status, lookup_us, connect_us, tls_us,"
            " first_byte_us, total_us); WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1"
            " FROM i WHERE n < 10000) INSERT INTO samples SELECT n, n % 4 + 1,"
            " 1700000000000 + n * 1000, 5, n % 5, n % 2, 200, 1, 2, 3, 4, 5 + n FROM i;"
            "PRAGMA user_version = 1");
    CHECK(fixture_open(&f) == 0);
    struct history_window w = {.until_ms = START_MS * 2, .coarsest = HISTORY_DAY};
    struct history_size size;
    CHECK(history_size(f.store, &size, &f.err) == 0 && size.unrolled_samples == 10000);
    roll_all(f.store, &f.err);
    CHECK(history_read(f.store, &w, count_cells, (int[4]){0}, NULL, NULL, &f.err) == 0);
    struct gathered g;
    gathered_init(&g);
    CHECK(history_read(f.store, &w, gather, &g, NULL, NULL, &f.err) == 0);
    for (int i = 1; i <= WORLD_SERIES; i++)
        for (int o = 0; o <= SAMPLE_MISSED; o++)
            n += (int)(g.of[i].count[SAMPLE_WARM][o] + g.of[i].count[SAMPLE_COLD][o]);
    CHECK(n == 10000);
    gathered_release(&g);
    fixture_release(&f);
}

int main(void)
{
    a_cell_counts_by_class_and_outcome_and_keeps_extra_samples_out();
    a_cell_comes_back_from_its_bytes_and_damaged_ones_are_refused();
    merging_cells_is_the_same_as_adding_their_samples();
    any_window_holds_each_sample_once();
    without_raw_samples_edges_are_rounded_outwards();
    a_window_is_made_of_the_fewest_cells();
    a_roll_packs_the_batches_and_keeps_the_samples();
    samples_that_come_after_everything_was_dropped_are_rolled_up_too();
    what_is_old_is_dropped_in_pieces();
    a_damaged_batch_is_left_out_counted_and_left_where_it_is();
    a_damaged_cell_is_replaced_by_shorter_ones();
    the_rows_of_the_first_form_become_batches();
    return DONE();
}
