#include "app/serve.h"

#include "app/json_out.h"
#include "app/self_test_kept.h"
#include "app/store_worker.h"
#include "app/window.h"
#include "base/mem.h"
#include "compare/comparison.h"
#include "store/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The prober's own health: it publishes its lateness, its memory, what it missed. */

enum { KEPT_MS = 1000, STORE_MS = 30000, SHARE_MS = 4500, SELF_TEST_ROUNDS = 40 };
static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

void prober_use(struct serve *s)
{
    struct rusage u;
    long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    int64_t now = clock_mono_ms(&s->app->clock);

    if (f) {
        if (fscanf(f, "%*d %lld", &pages) == 1) /* NOLINT(cert-err34-c): the kernel's own number */
            s->use.resident_bytes = pages * sysconf(_SC_PAGESIZE);
        (void)fclose(f);
    }
    (void)getrusage(RUSAGE_SELF, &u);
    int64_t cpu_us = (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
                     u.ru_utime.tv_usec + u.ru_stime.tv_usec;
    s->use.cpu_us = cpu_us;
    if (now - s->use.since_ms < SHARE_MS && s->use.since_ms != 0)
        return;
    if (s->use.since_ms != 0)
        s->use.cpu_share =
            (double)(cpu_us - s->use.since_cpu_us) / 1000 / (double)(now - s->use.since_ms);
    s->use.since_cpu_us = cpu_us;
    s->use.since_ms = now;
}

const char *serve_vantage(struct serve *s)
{
    const char *name = s->setup->manifest->probe.vantage;

    if (strcmp(name, "here") != 0 || gethostname(s->host, sizeof(s->host) - 1) < 0 || !s->host[0])
        return name;
    return s->host;
}

/* --- What the store holds -----------------------------------------------------------------------
 */

struct sizing {
    struct serve *serve;
    struct app app; /* a copy, for the self-test */
    struct history_size size;
    struct buf self_test;
};

/* At most once a day, on a day of data; a small one, as the end of the program waits for it. */
static int test_itself(struct store *store, struct sizing *z, int64_t now, struct err *e)
{
    struct comparison *c = NULL;

    z->app.store = store;
    z->app.o.from = "24h";
    z->app.o.until = NULL;
    if (window_self_test(&z->app, SELF_TEST_ROUNDS, &c, e) < 0)
        return e->kind == ERR_NO ? 0 : -1; /* nothing was measured in that day */
    int rc = self_test_keep(store, c, now, e);
    comparison_free(c);
    return rc;
}

static bool has_a_day(const struct history_size *z, int64_t now)
{
    int64_t oldest = z->oldest_cell_ms ? z->oldest_cell_ms : z->oldest_raw_ms;

    return oldest != 0 && now - oldest >= DAY_MS;
}

static int size_up(struct store *store, void *arg, struct err *e)
{
    struct sizing *z = arg;

    int64_t now = clock_wall_ms(&z->app.clock), at = 0;

    if (history_size(store, &z->size, e) < 0 || self_test_recall(store, &z->self_test, &at, e) < 0)
        return -1;
    if ((at != 0 && at <= now && now - at < DAY_MS) || !has_a_day(&z->size, now))
        return 0;
    if (test_itself(store, z, now, e) < 0)
        return -1;
    buf_clear(&z->self_test);
    return self_test_recall(store, &z->self_test, &at, e);
}

static void sized(const struct err *e, void *arg)
{
    struct sizing *z = arg;
    struct serve *s = z->serve;
    struct buf b = BUF_INIT(4096);
    struct json_out o = {.b = &b};

    s->sizing = false;
    if (!e) {
        out_open(&o, '{');
        out_int_of(&o, "file_bytes", z->size.file_bytes);
        out_int_of(&o, "raw_samples", z->size.raw_samples);
        out_key(&o, "cells");
        out_open(&o, '[');
        for (int i = 0; i < HISTORY_LEVELS; i++)
            out_int(&o, z->size.cells[i]);
        out_close(&o, ']');
        out_time_of(&o, "oldest_raw_at", z->size.oldest_raw_ms);
        out_time_of(&o, "oldest_cell_at", z->size.oldest_cell_ms);
        out_int_of(&o, "damaged", z->size.damaged);
        out_close(&o, '}');
        free(s->store_json);
        s->store_json = buf_take(&b, NULL);
        free(s->self_test_json);
        s->self_test_json = z->self_test.len > 0 ? buf_take(&z->self_test, NULL) : NULL;
    }
    buf_release(&z->self_test);
    buf_release(&b);
    free(z);
}

void prober_store_refresh(struct serve *s)
{
    int64_t now = clock_mono_ms(&s->app->clock);

    if (s->sizing || (s->store_at_ms != 0 && now - s->store_at_ms < STORE_MS))
        return;
    struct sizing *z = mem_alloc(sizeof(*z));
    z->serve = s;
    z->app = *s->app;
    buf_init(&z->self_test, 4096);
    s->sizing = true;
    s->store_at_ms = now;
    store_worker_do(s->comparer, "size of the store", size_up, sized, z);
}

/* --- The answer ---------------------------------------------------------------------------------
 */

static void put_controls(struct json_out *o, const struct schedule_counters *c)
{
    out_key(o, "controls");
    out_open(o, '[');
    for (size_t i = 0; i < c->n_controls; i++) {
        const struct uplink_control *u = &c->controls[i];
        out_open(o, '{');
        out_text_of(o, "url", u->url);
        out_key(o, "ok");
        out_flag(o, u->known && u->ok);
        out_time_of(o, "at", u->known ? u->at_ms : 0);
        out_key(o, "total_ms");
        out_us(o, u->known ? u->total_us : -1);
        out_close(o, '}');
    }
    out_close(o, ']');
}

static void put_quantile(struct json_out *o, const char *name, const struct sketch *k, double q)
{
    out_key(o, name);
    if (k->n > 0)
        out_number(o, sketch_quantile(k, q) / 1000, 3);
    else
        out_null(o);
}

static void put_lateness(struct json_out *o, const struct sketch *k)
{
    out_key(o, "lateness_ms");
    out_open(o, '{');
    put_quantile(o, "p50", k, 0.5);
    put_quantile(o, "p95", k, 0.95);
    put_quantile(o, "p99", k, 0.99);
    out_key(o, "max");
    out_us(o, k->n > 0 ? k->max_us : -1);
    out_int_of(o, "n", (int64_t)k->n);
    out_close(o, '}');
}

static void put_self(struct json_out *o, struct serve *s, const struct watch_health *h)
{
    out_int_of(o, "missed", (int64_t)h->missed);
    out_int_of(o, "turns_over_50ms", (int64_t)s->slow_turns);
    out_int_of(o, "dropped_samples", (int64_t)h->dropped);
    out_key(o, "cpu_share");
    out_number(o, s->use.cpu_share, 5);
    out_int_of(o, "resident_bytes", s->use.resident_bytes);
    out_key(o, "store");
    if (s->store_json)
        out_raw(o, s->store_json, strlen(s->store_json));
    else
        out_null(o);
    out_key(o, "self_test");
    if (s->self_test_json)
        out_raw(o, s->self_test_json, strlen(s->self_test_json));
    else
        out_null(o);
}

const struct buf *serve_prober(struct serve *s)
{
    struct watch_health h;
    struct kept *k = &s->prober;

    prober_store_refresh(s);
    if (kept_is_fresh(s, k, KEPT_MS))
        return &k->json;
    if (k->json.max == 0)
        buf_init(&k->json, 1 << 20);
    buf_clear(&k->json);
    k->made_ms = clock_mono_ms(&s->app->clock);
    watch_count(s->watch, &h);
    struct json_out o = {.b = &k->json};
    out_open(&o, '{');
    out_text_of(&o, "vantage", serve_vantage(s));
    out_time_of(&o, "started_at", s->started_ms);
    out_int_of(&o, "checks", (int64_t)h.now.targets);
    out_key(&o, "per_second");
    out_number(&o, h.now.per_second, 2);
    out_int_of(&o, "in_flight", (int64_t)h.now.in_flight);
    out_key(&o, "blind");
    out_flag(&o, h.now.blind);
    put_controls(&o, &h.now);
    put_lateness(&o, h.lateness);
    put_self(&o, s, &h);
    out_close(&o, '}');
    serve_redact(s, &k->json);
    return &k->json;
}
