#include "app/load_view.h"

#include "base/buf.h"
#include "base/mem.h"
#include "compare/metric.h"
#include "report/table.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEED = 20, PAIRS_MAX = 300 };
static const double confidence = 0.95;

static double ms(double us)
{
    return us / 1000;
}

/* What is said of each environment: the quantile with its range. */
static struct interval quantile(const struct load_result *r, double q)
{
    struct interval v = interval_quantile(&r->times, q, confidence);

    v.value = ms(v.value);
    v.low = ms(v.low);
    v.high = ms(v.high);
    return v;
}

static const char *stop_name(enum load_stop s)
{
    switch (s) {
    case LOAD_RAN:
        return "";
    case LOAD_ASKED_TO_STOP:
        return "asked-to-stop";
    case LOAD_FAILING:
        return "failing";
    case LOAD_INTERRUPTED:
        return "interrupted";
    }
    return "";
}

/* --- Pairs: stretch by stretch, so that what was slow for everyone cancels out
 * ----------------------
 */

struct pair {
    const struct load_run *a, *b;
    struct paired_answer median, p95;
    double p_median, p_p95; /* after Holm over all that is shown */
};

static void compare_pair(struct pair *p)
{
    size_t n = p->a->result->n_blocks;
    struct paired_block *blocks = mem_array(n, sizeof(*blocks));
    struct paired_question q = {
        .what = STATISTIC_QUANTILE, .q = 0.5, .confidence = confidence, .seed = SEED};

    for (size_t i = 0; i < n; i++) {
        const struct load_block *a = &p->a->result->blocks[i], *b = &p->b->result->blocks[i];
        blocks[i] = (struct paired_block){
            .a = {.times = &a->times, .good = a->good, .bad = a->bad},
            .b = {.times = &b->times, .good = b->good, .bad = b->bad},
        };
    }
    paired_compare(blocks, n, &q, &p->median);
    q.q = 0.95;
    paired_compare(blocks, n, &q, &p->p95);
    free(blocks);
}

static size_t compare_all(const struct load_view *v, struct pair *pairs)
{
    double p[2 * PAIRS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < v->n_runs; i++)
        for (size_t k = i + 1; k < v->n_runs && n < PAIRS_MAX; k++) {
            pairs[n] = (struct pair){.a = &v->runs[i], .b = &v->runs[k]};
            compare_pair(&pairs[n]);
            p[2 * n] = pairs[n].median.known ? pairs[n].median.p : (double)NAN;
            p[2 * n + 1] = pairs[n].p95.known ? pairs[n].p95.p : (double)NAN;
            n++;
        }
    holm_adjust(p, 2 * n);
    for (size_t i = 0; i < n; i++) {
        pairs[i].p_median = p[2 * i];
        pairs[i].p_p95 = p[2 * i + 1];
    }
    return n;
}

/* --- For people ----------------------------------------------------------------------------------
 */

static void cell_quantile(struct table *t, const struct load_result *r, double q)
{
    struct interval v = quantile(r, q);
    char value[32], range[80];

    if (!v.known) {
        table_cell(t, TONE_DIM, "-");
        return;
    }
    metric_format_ms(v.value, value);
    if (!v.bounded) {
        table_cell(t, TONE_DIM, "%s, open", value);
        return;
    }
    metric_format_range(METRIC_P50, v.low, v.high, range);
    table_cell(t, TONE_PLAIN, "%s (%s)", value, range);
}

static void cell_time(struct table *t, double value_ms)
{
    char text[32];

    metric_format_ms(value_ms, text);
    table_cell(t, TONE_PLAIN, "%s", text);
}

static void add_run(struct table *t, const struct load_run *run)
{
    const struct load_result *r = run->result;

    table_row(t);
    table_cell(t, TONE_STRONG, "%s", r->target->name);
    table_cell(t, TONE_PLAIN, "%llu", (unsigned long long)r->good);
    table_cell(t, r->failed ? TONE_BAD : TONE_PLAIN, "%llu", (unsigned long long)r->failed);
    cell_quantile(t, r, 0.5);
    cell_quantile(t, r, 0.95);
    cell_quantile(t, r, 0.99);
    cell_time(t, ms((double)r->times.max_us));
    cell_time(t, ms(sketch_quantile(&r->service, 0.95)));
    table_cell(t, TONE_PLAIN, "%llu", (unsigned long long)r->waited);
    cell_time(t, ms(sketch_quantile(&r->lateness, 0.99)));
    cell_time(t, run->wake_ms);
}

static void runs_table(const struct load_view *v, const struct table_look *look, struct buf *out)
{
    static const char *const titles[] = {"answered", "failed",      "median",       "p95",
                                         "p99",      "slowest",     "p95 unqueued", "waited",
                                         "late p99", "first answer"};
    struct table *t = table_new();

    table_column(t, "ENVIRONMENT", TABLE_LEFT, false);
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        table_column(t, titles[i], TABLE_RIGHT, false);
    for (size_t i = 0; i < v->n_runs; i++)
        add_run(t, &v->runs[i]);
    table_print(t, look, out);
    table_free(t);
}

static void add_difference(struct table *t, const struct pair *p, const char *what,
                           const struct paired_answer *d, double p_adjusted)
{
    bool found = d->known && p_adjusted < 1 - confidence;

    table_row(t);
    table_cell(t, TONE_PLAIN, "%s - %s", p->a->result->target->name, p->b->result->target->name);
    table_cell(t, TONE_PLAIN, "%s", what);
    if (!d->known) {
        table_cell(t, TONE_DIM, "never both");
        return;
    }
    table_cell(t, TONE_PLAIN, "%+.3g ms", ms(d->difference.value));
    if (d->difference.bounded)
        table_cell(t, TONE_PLAIN, "%+.3g to %+.3g ms", ms(d->difference.low),
                   ms(d->difference.high));
    else
        table_cell(t, TONE_DIM, "open");
    table_cell(t, TONE_PLAIN, "%.3g", p_adjusted);
    table_cell(t, TONE_PLAIN, "%zu", d->blocks);
    if (found)
        table_cell(t, TONE_GOOD, "%s is faster",
                   (d->difference.value < 0 ? p->a : p->b)->result->target->name);
    else
        table_cell(t, TONE_PLAIN, "inconclusive");
}

static void pairs_text(const struct load_view *v, const struct table_look *look, struct buf *out)
{
    struct pair *pairs = mem_array(PAIRS_MAX, sizeof(*pairs));
    size_t n = compare_all(v, pairs);
    struct table *t = table_new();

    table_column(t, "PAIR", TABLE_LEFT, false);
    table_column(t, "of", TABLE_LEFT, false);
    table_column(t, "difference", TABLE_RIGHT, false);
    table_column(t, "range", TABLE_RIGHT, false);
    table_column(t, "p", TABLE_RIGHT, false);
    table_column(t, "blocks", TABLE_RIGHT, false);
    table_column(t, "verdict", TABLE_LEFT, false);
    for (size_t i = 0; i < n; i++) {
        add_difference(t, &pairs[i], "median", &pairs[i].median, pairs[i].p_median);
        add_difference(t, &pairs[i], "p95", &pairs[i].p95, pairs[i].p_p95);
    }
    if (n > 0)
        table_print(t, look, out);
    table_free(t);
    free(pairs);
}

static void notes_text(const struct load_view *v, const struct table_look *look, struct buf *out)
{
    for (size_t i = 0; i < v->n_runs; i++) {
        const struct load_result *r = v->runs[i].result;
        struct buf line = BUF_INIT(1000);
        if (r->stop != LOAD_RAN)
            buf_addf(&line, "%s was left alone after %llu of %llu requests: %s.", r->target->name,
                     (unsigned long long)r->meant,
                     (unsigned long long)ceil(v->rate * (double)v->duration_ms / 1000), r->reason);
        else if (r->failed > 0)
            buf_addf(&line, "%s: the first failure was: %s.", r->target->name, r->reason);
        if (line.len > 0)
            table_paragraph(out, look, 2, buf_str(&line));
        buf_release(&line);
    }
}

int load_view_text(struct app *a, const struct load_view *v, struct err *e)
{
    struct table_look look = {.width = a->width, .colour = a->colour};
    struct buf out = BUF_INIT(1 << 20);

    buf_addf(&out,
             "%s, %g requests a second to each for %lld s; times from the intended moment, "
             "95 %% ranges\n\n",
             v->title, v->rate, (long long)(v->duration_ms / 1000));
    runs_table(v, &look, &out);
    buf_addc(&out, '\n');
    pairs_text(v, &look, &out);
    notes_text(v, &look, &out);
    int rc = app_print(a, &out, e);
    buf_release(&out);
    return rc;
}

/* --- For programs --------------------------------------------------------------------------------
 */

static json_t *interval_json(struct interval v)
{
    return json_pack("{s:o, s:o, s:o, s:f}", "value", v.known ? json_real(v.value) : json_null(),
                     "low", v.bounded ? json_real(v.low) : json_null(), "high",
                     v.bounded ? json_real(v.high) : json_null(), "confidence", v.confidence);
}

static json_t *run_json(const struct load_run *run)
{
    const struct load_result *r = run->result;

    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:I, s:s, s:s, s:s}",
        "name", r->target->name, "meant", (json_int_t)r->meant, "sent", (json_int_t)r->sent,
        "answered", (json_int_t)r->good, "failed", (json_int_t)r->failed, "waited",
        (json_int_t)r->waited, "p50_ms", interval_json(quantile(r, 0.5)), "p95_ms",
        interval_json(quantile(r, 0.95)), "p99_ms", interval_json(quantile(r, 0.99)), "max_ms",
        ms((double)r->times.max_us), "service_p95_ms", ms(sketch_quantile(&r->service, 0.95)),
        "late_p99_ms", ms(sketch_quantile(&r->lateness, 0.99)), "first_answer_ms", run->wake_ms,
        "bytes", (json_int_t)r->bytes, "stopped", stop_name(r->stop), "reason", r->reason,
        "allowance", run->share);
}

static json_t *difference_json(const struct paired_answer *d, double p)
{
    struct interval v = d->difference;

    v.value = ms(v.value);
    v.low = ms(v.low);
    v.high = ms(v.high);
    v.known = d->known;
    return json_pack("{s:o, s:o, s:I}", "difference_ms", interval_json(v), "p",
                     isnan(p) ? json_null() : json_real(p), "blocks", (json_int_t)d->blocks);
}

static json_t *pairs_json(const struct load_view *v)
{
    struct pair *pairs = mem_array(PAIRS_MAX, sizeof(*pairs));
    json_t *list = json_array();
    size_t n = compare_all(v, pairs);

    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:o}", "a", pairs[i].a->result->target->name, "b",
                            pairs[i].b->result->target->name, "p50",
                            difference_json(&pairs[i].median, pairs[i].p_median), "p95",
                            difference_json(&pairs[i].p95, pairs[i].p_p95)));
    free(pairs);
    return list;
}

int load_view_json(struct app *a, const struct load_view *v, struct err *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < v->n_runs; i++)
        json_array_append_new(list, run_json(&v->runs[i]));
    return app_print_json(a,
                          json_pack("{s:s, s:f, s:I, s:o, s:o}", "load", v->title, "rate", v->rate,
                                    "duration_ms", (json_int_t)v->duration_ms, "environments", list,
                                    "pairs", pairs_json(v)),
                          e);
}
