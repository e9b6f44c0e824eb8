#include "store/history.h"
#include "base/buf.h"
#include "base/mem.h"
#include "store/inner.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * usage: history [DAYS] [SERIES] [full]
 *
 * Makes the history of SERIES (45) checks, one sample in 30 s each for DAYS (30) days, as a prober
 * does: a batch every second slot, a roll every ten minutes, a prune of raw samples older than a
 * week. Latencies are log-normal (sigma 0.5) around a median of each series' own, 0.5 % of the
 * samples fail; `full` adds the phases of HTTPS and the lateness of each request, which a prober
 * has too. Then it reads windows (average, p95 and success of every series) and prints one JSON
 * object: bytes a sample, and the milliseconds of each window (the best of twenty, all in memory).
 */

enum { STEP_MS = 30000, ROLL_STEPS = 20, REPEATS = 20, MAX_SERIES = 1024 };
#define DAY_MS INT64_C(86400000)
#define END_MS INT64_C(1751328000000) /* a day's end */

static uint64_t state = 42 * 0x9E3779B97F4A7C15ULL + 1;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)((state * 0x2545F4914F6CDD1DULL) >> 11) + 0.5) / 9007199254740992.0;
}

static double gauss(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int result, const struct err *e)
{
    if (result == 0)
        return;
    fprintf(stderr, "%s\n", e->text);
    exit(1);
}

/* --- Making it -------------------------------------------------------------------------------- */

static struct sample make_sample(int64_t series, int64_t at_ms, double mu, bool full)
{
    int32_t took = (int32_t)(1000 * exp(mu + 0.5 * gauss()));
    bool ok = uniform() >= 0.005;
    struct sample v = {.series = series,
                       .at_ms = at_ms,
                       .late_us = -1,
                       .outcome = ok ? SAMPLE_OK : SAMPLE_FAILED,
                       .status = ok ? 200 : 503,
                       .lookup_us = -1,
                       .connect_us = -1,
                       .tls_us = -1,
                       .first_byte_us = -1,
                       .total_us = took,
                       .covers_ms = STEP_MS};
    if (!full)
        return v;
    v.late_us = (int32_t)(100 + 900 * uniform());
    v.lookup_us = (int32_t)(0.05 * took * uniform());
    v.connect_us = v.lookup_us + (int32_t)(0.2 * took * uniform());
    v.tls_us = v.connect_us + (int32_t)(0.3 * took * uniform());
    v.first_byte_us = v.tls_us + (int32_t)(0.3 * took * uniform());
    v.total_us = took + v.late_us;
    return v;
}

static void roll(struct store *s, int64_t at_ms, bool prune)
{
    struct err e = ERR_INIT;
    bool more = true;
    while (more)
        must(history_roll(s, 8192, &more, &e), &e);
    for (more = prune; more;)
        must(history_prune(s, at_ms, 7 * DAY_MS, 1000 * DAY_MS, &more, &e), &e);
}

static void make_history(struct store *s, int days, int n_series, bool full)
{
    struct err e = ERR_INIT;
    static double mu[MAX_SERIES];
    static struct sample samples[MAX_SERIES];
    for (int i = 0; i < n_series; i++)
        mu[i] = log(20 + 180 * uniform());
    int64_t steps = days * DAY_MS / STEP_MS;
    for (int64_t step = 0; step < steps; step++) {
        int64_t at_ms = END_MS - (steps - step) * STEP_MS;
        for (int i = 0; i < n_series; i++) /* spread over the interval, as the schedule does */
            samples[i] = make_sample(i + 1, at_ms + (int64_t)i * STEP_MS / n_series, mu[i], full);
        must(sample_add(s, samples, (size_t)n_series, &e), &e);
        if (step % ROLL_STEPS == 0)
            roll(s, at_ms, step % 1000 == 0);
    }
}

/* --- Reading it ------------------------------------------------------------------------------- */

struct answer {
    struct history_cell of[MAX_SERIES + 1];
    size_t cells;
};

static void add(int64_t series, int64_t start_ms, int64_t length_ms, const struct history_cell *c,
                void *arg)
{
    struct answer *a = arg;
    (void)start_ms;
    (void)length_ms;
    history_cell_merge(&a->of[series], c);
    a->cells++;
}

static double sum_up(struct answer *a, int n_series, size_t *ret_samples)
{
    double check = 0;
    for (int i = 1; i <= n_series; i++) {
        struct history_cell *c = &a->of[i];
        uint64_t good = c->count[SAMPLE_WARM][SAMPLE_OK],
                 bad = c->count[SAMPLE_WARM][SAMPLE_FAILED];
        check +=
            sketch_mean(&c->times[SAMPLE_WARM]) + sketch_quantile(&c->times[SAMPLE_WARM], 0.95);
        check += (double)good / (double)(good + bad);
        *ret_samples += good + bad;
        history_cell_release(c);
    }
    return check;
}

static void time_window(struct store *s, const char *name, int64_t from_ms, int64_t until_ms,
                        int n_series)
{
    struct err e = ERR_INIT;
    static struct answer a;
    double best = 1e9;
    size_t samples = 0;
    struct history_window w = {.from_ms = from_ms, .until_ms = until_ms, .coarsest = HISTORY_DAY};
    for (int i = 0; i < REPEATS; i++) {
        a.cells = samples = 0;
        double start = now_ms();
        must(history_read(s, &w, add, &a, NULL, NULL, &e), &e);
        if (sum_up(&a, n_series, &samples) <= 0)
            exit(1);
        best = fmin(best, now_ms() - start);
    }
    printf(",\n  \"%s\": {\"ms\": %.2f, \"cells\": %zu, \"samples\": %zu}", name, best, a.cells,
           samples);
}

static void read_windows(struct store *s, int days, int n_series)
{
    const int64_t odd = 4 * 3600000 + 17 * 60000 + 13000; /* within a day, 2 hours, 10 minutes */
    static const struct {
        const char *name;
        int days;
    } windows[] = {{"24h", 1}, {"7d", 7}, {"30d", 30}, {"365d", 365}};
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        char name[32];
        int64_t length = windows[i].days * DAY_MS;
        if (windows[i].days > days)
            continue;
        time_window(s, windows[i].name, END_MS - length, END_MS, n_series);
        snprintf(name, sizeof(name), "%s unaligned", windows[i].name);
        time_window(s, name, END_MS - length - (windows[i].days < days ? odd : 0), END_MS - odd,
                    n_series);
    }
}

/* What of the file are cells: whole pages, with what is free in them. */
static double cells_bytes(struct store *s)
{
    struct err e = ERR_INIT;
    struct sql_query *q;
    must(sql_query(s->sql, "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'cells%'", NULL, &q, &e),
         &e);
    must(sql_next(q, &e) == 1 ? 0 : -1, &e);
    double bytes = (double)sql_column_int(q, 0);
    sql_end(q);
    return bytes;
}

static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

int main(int argc, char **argv)
{
    int days = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 30;
    int n_series = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 45;
    bool full = argc > 3 && strcmp(argv[3], "full") == 0;
    const char *tmp = getenv("TMPDIR");
    char dir[256];
    struct store *s;
    struct err e = ERR_INIT;
    struct history_size size;
    snprintf(dir, sizeof(dir), "%s/trine-history-XXXXXX", tmp ? tmp : "/tmp");
    if (days < 1 || n_series < 1 || n_series > MAX_SERIES || !mkdtemp(dir))
        return 2;
    must(store_open(dir, NULL, NULL, &s, &e), &e);
    must(store_relax(s, &e), &e);
    double start = now_ms();
    make_history(s, days, n_series, full);
    roll(s, END_MS, true);
    double made = now_ms() - start, samples = (double)days * (double)DAY_MS / STEP_MS * n_series;
    must(history_size(s, &size, &e), &e);
    printf("{\n  \"samples\": %.0f, \"made_us_a_sample\": %.2f,\n"
           "  \"cells_bytes_a_sample\": %.2f, \"file_bytes\": %lld, \"raw_samples\": %lld",
           samples, made * 1000 / samples, cells_bytes(s) / samples, (long long)size.file_bytes,
           (long long)size.raw_samples);
    read_windows(s, days, n_series);
    printf("\n}\n");
    store_close(s);
    remove_folder(dir);
    return 0;
}
