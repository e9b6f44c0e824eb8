#include "fixture.h"

struct seen {
    int n;
    struct sample rows[16];
};

static void note(const struct sample *v, void *arg)
{
    struct seen *seen = arg;
    if (seen->n < 16)
        seen->rows[seen->n] = *v;
    seen->n++;
}

static void a_sample_is_kept_as_it_was_taken(void)
{
    struct fixture f;
    fixture_init(&f);
    struct sample v = {.at_ms = 1000,
                       .late_us = 250,
                       .outcome = SAMPLE_SLOW,
                       .class_ = SAMPLE_COLD,
                       .status = 200,
                       .lookup_us = 10,
                       .connect_us = 20,
                       .tls_us = -1,
                       .first_byte_us = 300,
                       .total_us = 2000000000};
    struct seen seen = {0};
    CHECK(series_id(f.store, "uat", "shop", "modern", "http", &v.series, &f.err) == 0);
    CHECK(sample_add(f.store, &v, 1, &f.err) == 0);
    CHECK(sample_read(f.store, v.series, 0, 2000, note, &seen, &f.err) == 0 && seen.n == 1);
    struct sample got = seen.rows[0];
    CHECK(got.series == v.series && got.at_ms == 1000 && got.late_us == 250);
    CHECK(got.outcome == SAMPLE_SLOW && got.class_ == SAMPLE_COLD && got.status == 200);
    CHECK(got.lookup_us == 10 && got.connect_us == 20 && got.tls_us == -1);
    CHECK(got.first_byte_us == 300 && got.total_us == 2000000000);
    fixture_release(&f);
}

static void samples_come_in_time_order_from_a_half_open_span(void)
{
    struct fixture f;
    fixture_init(&f);
    struct sample batch[4];
    for (int i = 0; i < 4; i++)
        batch[i] = (struct sample){.series = i % 2 + 1, .at_ms = 4000 - 1000 * i};
    struct seen one = {0}, all = {0};
    CHECK(sample_add(f.store, batch, 4, &f.err) == 0);
    CHECK(sample_add(f.store, batch, 0, &f.err) == 0);
    CHECK(sample_read(f.store, 0, 1000, 4000, note, &all, &f.err) == 0 && all.n == 3);
    CHECK(all.rows[0].at_ms == 1000 && all.rows[1].at_ms == 2000 && all.rows[2].at_ms == 3000);
    CHECK(sample_read(f.store, 1, 0, 9000, note, &one, &f.err) == 0 && one.n == 2);
    CHECK(one.rows[0].at_ms == 2000 && one.rows[1].at_ms == 4000);
    fixture_release(&f);
}

static void count_series(const struct series *r, void *arg)
{
    int *n = arg;
    if (strcmp(r->environment, "uat") == 0 && strcmp(r->check, "http") == 0 && r->id > 0)
        ++*n;
}

static void a_series_keeps_its_number(void)
{
    struct fixture f;
    fixture_init(&f);
    int64_t a = 0, b = 0, again = 0;
    int n = 0;
    CHECK(series_id(f.store, "uat", "shop", "modern", "http", &a, &f.err) == 0 && a > 0);
    CHECK(series_id(f.store, "uat", "shop", "retro", "http", &b, &f.err) == 0 && b != a);
    CHECK(series_id(f.store, "uat", "shop", "modern", "http", &again, &f.err) == 0 && again == a);
    CHECK(series_list(f.store, count_series, &n, &f.err) == 0 && n == 2);
    fixture_release(&f);
}

int main(void)
{
    a_sample_is_kept_as_it_was_taken();
    samples_come_in_time_order_from_a_half_open_span();
    a_series_keeps_its_number();
    return DONE();
}
