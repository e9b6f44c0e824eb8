#include "history_world.h"

enum { N = 2000 };

static bool equal(const struct sample *a, const struct sample *b)
{
    return a->series == b->series && a->at_ms == b->at_ms && a->late_us == b->late_us &&
           a->outcome == b->outcome && a->class_ == b->class_ && a->status == b->status &&
           a->lookup_us == b->lookup_us && a->connect_us == b->connect_us &&
           a->tls_us == b->tls_us && a->first_byte_us == b->first_byte_us &&
           a->total_us == b->total_us && a->covers_ms == b->covers_ms && a->extra == b->extra;
}

/* The samples are sorted by encoding, and come back in that order. */
static bool survives(struct sample *samples, size_t n, size_t *ret_len)
{
    static struct sample back[BATCH_MAX];
    struct buf b = BUF_INIT(BATCH_MAX_BYTES);
    batch_encode(samples, n, &b);
    bool same = !buf_over(&b) && batch_decode(b.data, b.len, back) == (int)n;
    for (size_t i = 0; same && i < n; i++)
        same = equal(&samples[i], &back[i]);
    *ret_len = b.len;
    buf_release(&b);
    return same;
}

static void samples_of_any_kind_come_back(void)
{
    static struct sample samples[BATCH_MAX];
    struct random r = {4711};
    struct err e = ERR_INIT;
    size_t len;
    int lost = 0;
    for (size_t n = 1; n <= BATCH_MAX; n = 2 * n + (n < 8)) {
        n = n > BATCH_MAX ? BATCH_MAX : n;
        for (size_t i = 0; i < n; i++) {
            samples[i] = random_sample(&r, (int64_t)pick(&r, 5), (int64_t)pick(&r, 1 << 30));
            samples[i].status = (int32_t)pick(&r, UINT32_MAX);
            if (pick(&r, 7) == 0)
                samples[i].at_ms = -(int64_t)pick(&r, (uint64_t)BATCH_TIME_MAX);
        }
        lost += !survives(samples, n, &len);
    }
    CHECK(lost == 0);
    struct sample ends[2] = {{.at_ms = -BATCH_TIME_MAX,
                              .late_us = INT32_MIN,
                              .status = INT32_MIN,
                              .lookup_us = INT32_MAX,
                              .connect_us = INT32_MIN,
                              .tls_us = -2,
                              .first_byte_us = INT32_MIN,
                              .total_us = INT32_MAX,
                              .covers_ms = INT32_MIN},
                             {.series = BATCH_SERIES_MAX,
                              .at_ms = BATCH_TIME_MAX,
                              .outcome = SAMPLE_MISSED,
                              .class_ = SAMPLE_COLD,
                              .status = INT32_MAX,
                              .lookup_us = -1,
                              .connect_us = -1,
                              .tls_us = INT32_MAX,
                              .first_byte_us = -1,
                              .total_us = -1,
                              .covers_ms = INT32_MAX,
                              .extra = true}};
    CHECK(batch_check(&ends[0], &e) == 0 && batch_check(&ends[1], &e) == 0);
    CHECK(survives(ends, 2, &len));
}

static void a_sample_over_https_takes_about_fourteen_bytes(void)
{
    static struct sample samples[900];
    struct random r = {5};
    size_t len;
    for (int i = 0; i < 900; i++) {
        struct sample *v = &samples[i];
        *v = (struct sample){.series = 1 + i % 45,
                             .at_ms = INT64_C(1700000000000) + i / 45 * 30000 + i % 45 * 600,
                             .late_us = 100 + (int32_t)pick(&r, 900),
                             .status = 200,
                             .covers_ms = 30000};
        v->lookup_us = (int32_t)pick(&r, 2000);
        v->connect_us = v->lookup_us + 5000 + (int32_t)pick(&r, 9000);
        v->tls_us = v->connect_us + 10000 + (int32_t)pick(&r, 20000);
        v->first_byte_us = v->tls_us + 20000 + (int32_t)pick(&r, 40000);
        v->total_us = v->first_byte_us + 500 + (int32_t)pick(&r, 2000);
    }
    CHECK(survives(samples, 900, &len));
    CHECK(len < 15 * 900);
}

static void what_cannot_be_kept_is_refused_by_name(void)
{
    struct fixture f;
    fixture_init(&f);
    const struct {
        struct sample v;
        const char *name;
    } bad[] = {{{.series = -1}, "series"},
               {{.series = BATCH_SERIES_MAX + 1}, "series"},
               {{.at_ms = INT64_MAX}, "time"},
               {{.at_ms = INT64_MIN}, "time"},
               {{.outcome = (enum sample_outcome)9}, "outcome"},
               {{.class_ = (enum sample_class)2}, "class"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(sample_add(f.store, &bad[i].v, 1, &f.err) == -1 && f.err.kind == ERR_BUG &&
              strstr(f.err.text, bad[i].name));
    fixture_release(&f);
}

static void bytes_that_were_changed_or_cut_are_refused(void)
{
    static struct sample samples[N], back[BATCH_MAX];
    struct random r = {31};
    struct buf b = BUF_INIT(BATCH_MAX_BYTES);
    int accepted = 0;
    for (int i = 0; i < 50; i++)
        samples[i] = random_sample(&r, 1 + i % 3, 1000 * i);
    batch_encode(samples, 50, &b);
    for (size_t len = 0; len < b.len; len++)
        accepted += batch_decode(b.data, len, back) >= 0;
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= (char)(1 << i % 8);
        accepted += batch_decode(b.data, b.len, back) >= 0;
        b.data[i] ^= (char)(1 << i % 8);
    }
    CHECK(accepted == 0);
    CHECK(batch_decode(b.data, b.len, back) == 50);
    buf_release(&b);
}

int main(void)
{
    samples_of_any_kind_come_back();
    a_sample_over_https_takes_about_fourteen_bytes();
    what_cannot_be_kept_is_refused_by_name();
    bytes_that_were_changed_or_cut_are_refused();
    return DONE();
}
