#include "store/history.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * usage: make_history STATE DAYS EVERY_SECONDS
 *
 * Gives every series of a store that many days of samples, up to now, rolled up and pruned as a
 * prober does: answers of 20 to 220 ms, one in 500 failed.
 */

enum { BATCH_MS = 600000, KEEP_RAW_DAYS = 7, KEEP_DAYS = 400, SERIES_MAX = 1024 };
static const int64_t DAY_MS = INT64_C(86400000);

static int64_t series[SERIES_MAX];
static size_t n_series;
static uint32_t state = 2463534242U;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

static void must(int result, const struct err *e)
{
    if (result == 0)
        return;
    fprintf(stderr, "make_history: %s\n", e->text);
    exit(1);
}

static void take_series(const struct series *r, void *arg)
{
    (void)arg;
    if (n_series < SERIES_MAX)
        series[n_series++] = r->id;
}

static struct sample make_sample(int64_t id, int64_t at_ms, int64_t every_ms)
{
    int32_t took = 20000 + (int32_t)(next_random() % 200000);
    bool failed = next_random() % 500 == 0;

    return (struct sample){.series = id,
                           .at_ms = at_ms,
                           .late_us = 100 + (int32_t)(next_random() % 900),
                           .outcome = failed ? SAMPLE_FAILED : SAMPLE_OK,
                           .status = failed ? 503 : 200,
                           .lookup_us = 500,
                           .connect_us = 5000,
                           .tls_us = 15000,
                           .first_byte_us = took - 1000,
                           .total_us = took,
                           .covers_ms = (int32_t)every_ms};
}

static void add_stretch(struct store *s, int64_t from_ms, int64_t every_ms, struct err *e)
{
    size_t n = 0, most = (size_t)(BATCH_MS / every_ms + 1) * n_series;
    struct sample *samples = calloc(most, sizeof(*samples));

    if (!samples)
        abort();
    for (int64_t at = from_ms; at < from_ms + BATCH_MS; at += every_ms)
        for (size_t i = 0; i < n_series; i++)
            samples[n++] = make_sample(series[i], at, every_ms);
    must(sample_add(s, samples, n, e), e);
    free(samples);
    for (bool more = true; more;)
        must(history_roll(s, most, &more, e), e);
}

int main(int argc, char **argv)
{
    struct store *s = NULL;
    struct err e = ERR_INIT;

    if (argc != 4) {
        fprintf(stderr, "usage: make_history STATE DAYS EVERY_SECONDS\n");
        return 2;
    }
    int64_t every_ms = strtol(argv[3], NULL, 10) * 1000, now = (int64_t)time(NULL) * 1000;
    must(store_open(argv[1], NULL, NULL, &s, &e), &e);
    must(series_list(s, take_series, NULL, &e), &e);
    int64_t begin = now - strtol(argv[2], NULL, 10) * DAY_MS;
    for (int64_t at = begin - begin % BATCH_MS; at + BATCH_MS < now; at += BATCH_MS) {
        add_stretch(s, at, every_ms, &e);
        for (bool more = (at / BATCH_MS) % 144 == 0; more;)
            must(history_prune(s, at, KEEP_RAW_DAYS * DAY_MS, KEEP_DAYS * DAY_MS, &more, &e), &e);
    }
    store_close(s);
    return 0;
}
