#include "app/serve.h"

#include "app/event_hub.h"
#include "app/metrics_out.h"

#include <math.h>

/* GET /metrics. Names by Prometheus's conventions: base units, _total for what only grows. */

enum { KEPT_MS = 1000, METRICS_MAX = 8 << 20 };

static void labels(struct buf *b, const char *name, const struct watch_check *c)
{
    metrics_begin(b, name);
    metrics_label(b, "environment", c->environment);
    metrics_label(b, "app", c->app);
    metrics_label(b, "instance_name", c->instance);
    metrics_label(b, "check", c->check);
    metrics_label(b, "kind", check_kind_name(c->kind));
}

/* Every sample of one family, over the checks that are measured. */
typedef void put_fn(struct buf *b, const char *name, const struct watch_check *c);
struct family {
    const char *name, *type, *help;
    put_fn *put;
};

static void put_up(struct buf *b, const char *name, const struct watch_check *c)
{
    if (c->health.state == HEALTH_UNKNOWN)
        return;
    labels(b, name, c);
    metrics_value(b, c->health.state != HEALTH_DOWN);
}

static void put_state(struct buf *b, const char *name, const struct watch_check *c)
{
    for (int i = 0; i <= HEALTH_INCONCLUSIVE; i++) {
        labels(b, name, c);
        metrics_label(b, "state", health_state_name((enum health_state)i));
        metrics_value(b, (int)health_shown(&c->health) == i);
    }
}

static void put_samples(struct buf *b, const char *name, const struct watch_check *c)
{
    for (int i = 0; i <= SAMPLE_MISSED; i++) {
        labels(b, name, c);
        metrics_label(b, "outcome", outcome_name((enum sample_outcome)i));
        metrics_value(b, (double)c->outcomes[i]);
    }
}

static void put_cold(struct buf *b, const char *name, const struct watch_check *c)
{
    labels(b, name, c);
    metrics_value(b, (double)c->cold);
}

static void put_duration(struct buf *b, const char *name, const struct watch_check *c)
{
    if (!c->measured || c->last.total_us < 0)
        return;
    labels(b, name, c);
    metrics_value(b, (double)c->last.total_us / 1e6);
}

/* Each phase by itself; in the sample they count from the real start. */
static void put_phases(struct buf *b, const char *name, const struct watch_check *c)
{
    const struct sample *v = &c->last;
    const struct {
        const char *name;
        int32_t at_us;
    } phases[] = {{"lookup", v->lookup_us},
                  {"connect", v->connect_us},
                  {"tls", v->tls_us},
                  {"first_byte", v->first_byte_us}};
    int32_t before = 0;

    if (!c->measured)
        return;
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        if (phases[i].at_us < before)
            continue;
        labels(b, name, c);
        metrics_label(b, "phase", phases[i].name);
        metrics_value(b, (double)(phases[i].at_us - before) / 1e6);
        before = phases[i].at_us;
    }
}

static void put_last(struct buf *b, const char *name, const struct watch_check *c)
{
    if (!c->measured)
        return;
    labels(b, name, c);
    metrics_value(b, (double)c->last.at_ms / 1000);
}

static void put_certificate(struct buf *b, const char *name, const struct watch_check *c)
{
    if (c->valid_until_ms <= 0)
        return;
    labels(b, name, c);
    metrics_value(b, (double)c->valid_until_ms / 1000);
}

static const struct family families[] = {
    {"trine_check_up", "gauge", "1 unless the check is down; absent until the first result.",
     put_up},
    {"trine_check_state", "gauge", "1 for the state that the check is in.", put_state},
    {"trine_check_samples_total", "counter", "Samples since the start, by outcome.", put_samples},
    {"trine_check_cold_samples_total", "counter", "Samples of cold starts since the start.",
     put_cold},
    {"trine_check_duration_seconds", "gauge",
     "The last sample's time, counted from the intended moment.", put_duration},
    {"trine_check_phase_seconds", "gauge", "The last sample's phases, each by itself.", put_phases},
    {"trine_check_last_sample_timestamp_seconds", "gauge", "When the last sample was meant to be.",
     put_last},
    {"trine_check_certificate_expiry_timestamp_seconds", "gauge", "The certificate's end.",
     put_certificate},
};

static void put_checks(struct buf *b, const struct serve *s)
{
    size_t n;
    const struct watch_check *const *checks = watch_checks(s->watch, &n);

    for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
        metrics_family(b, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < n; i++)
            if (checks[i]->present)
                families[f].put(b, families[f].name, checks[i]);
    }
}

static void put_one(struct buf *b, const char *name, const char *type, const char *help, double v)
{
    metrics_family(b, name, type, help);
    metrics_begin(b, name);
    metrics_value(b, v);
}

static void put_lateness(struct buf *b, const struct sketch *k)
{
    static const char name[] = "trine_probe_lateness_seconds";
    static const char *const quantiles[] = {"0.5", "0.95", "0.99", "1"};
    static const double q[] = {0.5, 0.95, 0.99, 1};

    metrics_family(b, name, "summary", "How late requests were sent, since the start.");
    for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
        metrics_begin(b, name);
        metrics_label(b, "quantile", quantiles[i]);
        metrics_value(b, k->n > 0 ? sketch_quantile(k, q[i]) / 1e6 : (double)NAN);
    }
    metrics_begin(b, "trine_probe_lateness_seconds_sum");
    metrics_value(b, (double)k->sum_us / 1e6);
    metrics_begin(b, "trine_probe_lateness_seconds_count");
    metrics_value(b, (double)k->n);
}

static void put_prober(struct buf *b, struct serve *s)
{
    struct watch_health h;

    watch_count(s->watch, &h);
    put_one(b, "trine_probe_requests_total", "counter", "Requests sent since the start.",
            (double)h.sent);
    put_one(b, "trine_probe_missed_slots_total", "counter",
            "Slots that could not be served since the start.", (double)h.missed);
    put_one(b, "trine_probe_extra_samples_total", "counter",
            "Samples off the clock since the start, on suspicion.", (double)h.extra);
    put_one(b, "trine_probe_dropped_samples_total", "counter", "Samples that the store never took.",
            (double)h.dropped);
    put_one(b, "trine_probe_in_flight", "gauge", "Probes under way.", (double)h.now.in_flight);
    put_one(b, "trine_prober_blind", "gauge", "1 while no control target answers.", h.now.blind);
    put_lateness(b, h.lateness);
    metrics_family(b, "trine_control_up", "gauge", "1 when the control target answered last.");
    for (size_t i = 0; i < h.now.n_controls; i++) {
        metrics_begin(b, "trine_control_up");
        metrics_label(b, "url", h.now.controls[i].url);
        metrics_value(b, h.now.controls[i].known && h.now.controls[i].ok);
    }
}

static void put_process(struct buf *b, struct serve *s)
{
    size_t n_outages;

    (void)watch_outages(s->watch, &n_outages);
    prober_use(s);
    put_one(b, "trine_outages_open", "gauge", "Open outages.", (double)n_outages);
    put_one(b, "trine_event_readers", "gauge", "Pages that read along.",
            (double)event_hub_readers(s->hub));
    put_one(b, "trine_loop_slow_turns_total", "counter",
            "Turns of the event loop that took over 50 ms.", (double)s->slow_turns);
    put_one(b, "process_resident_memory_bytes", "gauge", "Resident memory.",
            (double)s->use.resident_bytes);
    put_one(b, "process_cpu_seconds_total", "counter", "Processor time.",
            (double)s->use.cpu_us / 1e6);
    put_one(b, "process_start_time_seconds", "gauge", "When this process began.",
            (double)s->started_ms / 1000);
    metrics_family(b, "trine_build_info", "gauge", "Which trine this is.");
    metrics_begin(b, "trine_build_info");
    metrics_label(b, "version", TRINE_VERSION);
    metrics_value(b, 1);
}

const struct buf *serve_metrics(struct serve *s)
{
    struct kept *k = &s->metrics;

    if (kept_is_fresh(s, k, KEPT_MS))
        return &k->json;
    if (k->json.max == 0)
        buf_init(&k->json, METRICS_MAX);
    buf_clear(&k->json);
    k->made_ms = clock_mono_ms(&s->app->clock);
    put_checks(&k->json, s);
    put_prober(&k->json, s);
    put_process(&k->json, s);
    serve_redact(s, &k->json);
    return &k->json;
}
