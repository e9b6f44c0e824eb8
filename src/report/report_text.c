#include "report/report.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "compare/comparison.h"

#include <inttypes.h>
#include <stdio.h>

static void heading(struct buf *out, const struct table_look *look, const char *text)
{
    buf_addc(out, '\n');
    table_tone(out, look, TONE_STRONG, text);
    buf_addc(out, '\n');
}

static enum table_tone tone_of(enum target_state s)
{
    switch (s) {
    case TARGET_MET:
        return TONE_GOOD;
    case TARGET_MISSED:
        return TONE_BAD;
    case TARGET_OPEN:
        return TONE_WARN;
    case TARGET_NONE:
        return TONE_DIM;
    }
    return TONE_PLAIN;
}

static void value_cells(struct table *t, enum metric m, const struct interval *v)
{
    char value[32] = "", range[80] = "";
    if (v->known)
        metric_format(m, v->value, value);
    if (v->bounded)
        metric_format_range(m, v->low, v->high, range);
    table_cell(t, TONE_STRONG, "%s", v->known ? value : "-");
    table_cell(t, TONE_PLAIN, "%s", v->bounded ? range : v->known ? "too few" : "-");
}

static void target_cells(struct table *t, enum metric m, const struct figure *f)
{
    char target[32] = "";
    if (f->target > 0)
        metric_format_target(m, f->target, target);
    table_cell(t, TONE_DIM, "%s%s", f->target <= 0 ? "" : metric_is_time(m) ? "< " : "> ", target);
    table_cell(t, tone_of(f->state), "%s",
               f->state == TARGET_NONE ? "" : target_state_name(f->state));
}

static void print_figures(const struct comparison *c, const struct table_look *look,
                          struct buf *out)
{
    char range[32];
    struct table *t = table_new();
    snprintf(range, sizeof range, "%.0f%% range", 100 * c->options.confidence);
    table_column(t, "Metric", TABLE_LEFT, false);
    table_column(t, "Environment", TABLE_LEFT, true);
    table_column(t, "Value", TABLE_RIGHT, false);
    table_column(t, range, TABLE_RIGHT, false);
    table_column(t, "n", TABLE_RIGHT, false);
    table_column(t, "Target", TABLE_RIGHT, false);
    table_column(t, "Target met", TABLE_LEFT, false);
    for (enum metric m = 0; m < N_METRICS; m++) {
        for (size_t i = 0; i < c->n_environments; i++) {
            const struct figure *f = &c->environments[i].figures[m];
            table_row(t);
            table_cell(t, TONE_PLAIN, "%s", metric_title(m));
            table_cell(t, TONE_PLAIN, "%s", c->environments[i].name);
            value_cells(t, m, &f->interval);
            table_cell(t, TONE_PLAIN, "%" PRIu64, f->n);
            target_cells(t, m, f);
        }
    }
    heading(out, look, "Warm requests");
    table_print(t, look, out);
    table_free(t);
}

static void print_cold(const struct comparison *c, const struct table_look *look, struct buf *out)
{
    struct table *t = table_new();
    table_column(t, "Environment", TABLE_LEFT, true);
    table_column(t, "n", TABLE_RIGHT, false);
    table_column(t, "Median", TABLE_RIGHT, false);
    table_column(t, "Range", TABLE_RIGHT, false);
    table_column(t, "Longest", TABLE_RIGHT, false);
    table_column(t, "Failed", TABLE_RIGHT, false);
    table_column(t, "Target", TABLE_RIGHT, false);
    table_column(t, "Target met", TABLE_LEFT, false);
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct cold_starts *cold = &c->environments[i].cold;
        char longest[32] = "-";
        if (cold->median.n > 0)
            metric_format_ms(cold->max_ms, longest);
        table_row(t);
        table_cell(t, TONE_PLAIN, "%s", c->environments[i].name);
        table_cell(t, TONE_PLAIN, "%" PRIu64, cold->median.n);
        value_cells(t, METRIC_P50, &cold->median.interval);
        table_cell(t, TONE_PLAIN, "%s", longest);
        table_cell(t, cold->failed > 0 ? TONE_BAD : TONE_PLAIN, "%" PRIu64, cold->failed);
        target_cells(t, METRIC_P50, &cold->median);
    }
    heading(out, look, "Cold starts (never in the figures above)");
    table_print(t, look, out);
    table_free(t);
}

static void print_verdicts(const struct comparison *c, const struct table_look *look,
                           struct buf *out)
{
    heading(out, look, "Verdicts");
    for (enum metric m = 0; m < N_METRICS; m++) {
        const struct verdict *v = &c->verdicts[m];
        char title[32];
        snprintf(title, sizeof title, "%-14s", metric_title(m));
        buf_adds(out, title);
        table_tone(out, look, v->winner >= 0 ? TONE_GOOD : TONE_WARN,
                   v->winner >= 0 ? c->environments[v->winner].name : "inconclusive");
        buf_addc(out, '\n');
        table_paragraph(out, look, 2, v->text);
    }
}

static void print_endpoints(const struct comparison *c, const struct table_look *look,
                            struct buf *out)
{
    static const char *const titles[] = {"App", "Instance", "Check", "Environment"};
    static const char *const numbers[] = {"n", "Median", "p95", "Success", "Cold"};
    struct table *t = table_new();
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        table_column(t, titles[i], TABLE_LEFT, true);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        table_column(t, numbers[i], TABLE_RIGHT, false);
    for (size_t i = 0; i < c->n_endpoints; i++) {
        const struct endpoint_result *v = &c->endpoints[i];
        for (size_t k = 0; k < c->n_environments; k++) {
            const struct endpoint_cell *cell = &v->cells[k];
            char p50[32] = "-", p95[32] = "-", success[32] = "-";
            if (cell->p50.known)
                metric_format_ms(cell->p50.value, p50);
            if (cell->p95.bounded)
                metric_format_ms(cell->p95.value, p95);
            if (cell->success.known)
                metric_format_rate(cell->success.value, success);
            table_row(t);
            table_cell(t, TONE_PLAIN, "%s", v->app);
            table_cell(t, TONE_PLAIN, "%s", v->instance);
            table_cell(t, TONE_PLAIN, "%s", v->check);
            table_cell(t, TONE_PLAIN, "%s", c->environments[k].name);
            table_cell(t, TONE_PLAIN, "%" PRIu64,
                       cell->tally.ok + cell->tally.slow + cell->tally.failed);
            table_cell(t, TONE_PLAIN, "%s", p50);
            table_cell(t, TONE_PLAIN, "%s", p95);
            table_cell(t, TONE_PLAIN, "%s", success);
            table_cell(t, TONE_PLAIN, "%" PRIu64, cell->cold);
        }
    }
    heading(out, look, "Endpoints");
    table_print(t, look, out);
    table_free(t);
}

static void print_measured(const struct comparison *c, const struct table_look *look,
                           struct buf *out)
{
    struct table *t = table_new();
    static const char *const numbers[] = {"ok",     "Slow",          "Failed",       "Inconclusive",
                                          "Missed", "Sent late p95", "Sent late max"};
    table_column(t, "Environment", TABLE_LEFT, true);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        table_column(t, numbers[i], TABLE_RIGHT, false);
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct environment_result *v = &c->environments[i];
        const uint64_t counts[] = {v->tally.ok, v->tally.slow, v->tally.failed,
                                   v->tally.inconclusive, v->tally.missed};
        char p95[32] = "-", max[32] = "-";
        if (v->lateness.n > 0) {
            metric_format_ms(v->lateness.p95_ms, p95);
            metric_format_ms(v->lateness.max_ms, max);
        }
        table_row(t);
        table_cell(t, TONE_PLAIN, "%s", v->name);
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
            table_cell(t, TONE_PLAIN, "%" PRIu64, counts[k]);
        table_cell(t, TONE_PLAIN, "%s", p95);
        table_cell(t, TONE_PLAIN, "%s", max);
    }
    heading(out, look, "How it was measured");
    table_print(t, look, out);
    table_free(t);
}

void report_text(const struct comparison *c, const struct table_look *look, bool endpoints,
                 struct buf *out)
{
    char from[32], until[32], line[256];
    clock_format_utc(c->options.from_ms, from);
    clock_format_utc(c->options.until_ms, until);
    snprintf(line, sizeof line, "%.100s: %zu environments, %zu endpoints, %s to %s",
             c->options.project, c->n_environments, c->n_endpoints, from, until);
    table_paragraph(out, look, 0, line);
    print_figures(c, look, out);
    print_cold(c, look, out);
    print_verdicts(c, look, out);
    if (c->n_common < c->n_pooled) {
        snprintf(line, sizeof line,
                 "Verdicts use the %zu of %zu endpoints that every environment was measured on.",
                 c->n_common, c->n_pooled);
        table_paragraph(out, look, 0, line);
    }
    if (endpoints)
        print_endpoints(c, look, out);
    print_measured(c, look, out);
}
