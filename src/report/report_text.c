#include "report/report.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "compare/comparison.h"

#include <inttypes.h>
#include <math.h>
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
    for (enum metric m = 0; m < METRIC_COLD_START; m++) {
        for (size_t i = 0; i < c->n_environments; i++) {
            const struct figure *f = &c->environments[i].figures[m];
            if (m >= METRIC_UPTIME && !f->interval.known)
                continue;
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
        const struct environment_result *v = &c->environments[i];
        const struct figure *median = &v->figures[METRIC_COLD_START];
        char longest[32] = "-";
        if (median->n > 0)
            metric_format_ms(v->cold.max_ms, longest);
        table_row(t);
        table_cell(t, TONE_PLAIN, "%s", v->name);
        table_cell(t, TONE_PLAIN, "%" PRIu64, median->n);
        value_cells(t, METRIC_COLD_START, &median->interval);
        table_cell(t, TONE_PLAIN, "%s", longest);
        table_cell(t, v->cold.failed > 0 ? TONE_BAD : TONE_PLAIN, "%" PRIu64, v->cold.failed);
        target_cells(t, METRIC_COLD_START, median);
    }
    heading(out, look, "Cold starts (never in the figures above)");
    table_print(t, look, out);
    table_free(t);
}

/* --- Judgements --------------------------------------------------------------------------------
 */

static void print_wins(const struct comparison *c, const struct table_look *look, struct buf *out)
{
    heading(out, look, "Winners");
    for (enum win_category w = 0; w < WIN_CATEGORIES; w++) {
        const struct win *v = &c->wins[w];
        char title[40];
        snprintf(title, sizeof title, "%-18s", win_category_title(w));
        buf_adds(out, title);
        table_tone(out, look, v->winner >= 0 ? TONE_GOOD : TONE_WARN,
                   v->winner >= 0 ? c->environments[v->winner].name : "inconclusive");
        buf_addc(out, '\n');
        table_paragraph(out, look, 2, v->text);
    }
}

static enum table_tone tone_of_verdict(enum verdict_kind v)
{
    switch (v) {
    case VERDICT_BETTER:
        return TONE_GOOD;
    case VERDICT_WORSE:
        return TONE_BAD;
    case VERDICT_INCONCLUSIVE:
        return TONE_WARN;
    }
    return TONE_PLAIN;
}

/* "−12 ms", "+0.40 points"; with the sign, for differences. */
static void format_signed(enum metric m, double v, char ret[48])
{
    char text[32];
    bool zero = fabs(v) < (metric_is_time(m) ? 0.005 : 0.00005);
    const char *sign = zero ? "±" : v < 0 ? "−" : "+";
    metric_format_ms(fabs(v), text);
    if (metric_is_time(m))
        snprintf(ret, 48, "%s%s", sign, text);
    else
        snprintf(ret, 48, "%s%.2f points", sign, fabs(100 * v));
}

static void format_signed_range(enum metric m, const struct interval *d, char ret[112])
{
    char low[48], high[48];
    format_signed(m, d->low, low);
    format_signed(m, d->high, high);
    if (d->bounded)
        snprintf(ret, 112, "%s to %s", low, high);
    else
        snprintf(ret, 112, "too few");
}

static void pair_row(struct table *t, const struct comparison *c, const struct pair_result *r,
                     enum metric m)
{
    const struct pair_metric *v = &r->metrics[m];
    char difference[48], range[112], needed[32] = "";
    if (!v->known)
        return;
    format_signed(m, v->difference.value, difference);
    format_signed_range(m, &v->difference, range);
    if (v->n_needed > 0)
        snprintf(needed, sizeof needed, "%" PRId64, v->n_needed);
    table_row(t);
    table_cell(t, TONE_PLAIN, "%s vs %s", c->environments[r->a].name, c->environments[r->b].name);
    table_cell(t, TONE_PLAIN, "%s", metric_title(m));
    table_cell(t, tone_of_verdict(v->verdict), "%s", verdict_kind_name(v->verdict));
    table_cell(t, TONE_STRONG, "%s", difference);
    table_cell(t, TONE_PLAIN, "%s", range);
    table_cell(t, TONE_PLAIN, "%.2g", v->p_adjusted);
    table_cell(t, TONE_PLAIN, "%s", needed);
}

static void print_pairs(const struct comparison *c, const struct table_look *look, struct buf *out)
{
    struct table *t = table_new();
    char line[256];
    table_column(t, "Pair", TABLE_LEFT, true);
    table_column(t, "Metric", TABLE_LEFT, false);
    table_column(t, "The first is", TABLE_LEFT, false);
    table_column(t, "Difference", TABLE_RIGHT, false);
    table_column(t, "Range", TABLE_RIGHT, false);
    table_column(t, "p", TABLE_RIGHT, false);
    table_column(t, "n needed", TABLE_RIGHT, false);
    for (size_t i = 0; i < c->n_pairs; i++)
        for (enum metric m = 0; m < N_COMPARED; m++)
            pair_row(t, c, &c->pairs[i], m);
    if (table_rows(t) > 0) {
        heading(out, look, "Pairs, measured in the same ticks");
        table_print(t, look, out);
        snprintf(line, sizeof line, "p is corrected by Holm for all %zu tests shown.", c->n_tests);
        table_paragraph(out, look, 0, line);
    }
    for (size_t i = 0; i < c->n_pairs; i++) {
        const struct pair_result *r = &c->pairs[i];
        if (!r->shape.differs)
            continue;
        snprintf(line, sizeof line,
                 "%.60s and %.60s: the shapes of their response times differ "
                 "(p %.2g, corrected).",
                 c->environments[r->a].name, c->environments[r->b].name, r->shape.p_adjusted);
        table_paragraph(out, look, 0, line);
    }
    table_free(t);
}

static void print_changes(const struct comparison *c, const struct table_look *look,
                          struct buf *out)
{
    struct table *t = table_new();
    table_column(t, "Environment", TABLE_LEFT, true);
    table_column(t, "Metric", TABLE_LEFT, false);
    table_column(t, "Before", TABLE_RIGHT, false);
    table_column(t, "Now", TABLE_RIGHT, false);
    table_column(t, "Range of the change", TABLE_RIGHT, false);
    table_column(t, "It got", TABLE_LEFT, false);
    for (size_t i = 0; c->changes && i < c->n_environments; i++) {
        for (enum metric m = 0; m < N_METRICS; m++) {
            const struct change *v = &c->changes[i].metrics[m];
            char before[32], after[32], range[112];
            if (!v->known)
                continue;
            metric_format(m, v->before, before);
            metric_format(m, v->after, after);
            format_signed_range(m, &v->difference, range);
            table_row(t);
            table_cell(t, TONE_PLAIN, "%s", c->environments[i].name);
            table_cell(t, TONE_PLAIN, "%s", metric_title(m));
            table_cell(t, TONE_PLAIN, "%s", before);
            table_cell(t, TONE_STRONG, "%s", after);
            table_cell(t, TONE_PLAIN, "%s", range);
            table_cell(t, tone_of_verdict(v->verdict), "%s", verdict_kind_name(v->verdict));
        }
    }
    if (table_rows(t) > 0) {
        heading(out, look, "Against the window before (other hours: not paired)");
        table_print(t, look, out);
    }
    table_free(t);
}

static void score_cell(struct table *t, double points, bool known)
{
    if (known)
        table_cell(t, TONE_PLAIN, "%.0f", points);
    else
        table_cell(t, TONE_DIM, "-");
}

static void print_scores(const struct comparison *c, const struct table_look *look, struct buf *out)
{
    const struct recommendation *r = &c->recommendation;
    struct table *t = table_new();
    table_column(t, "Environment", TABLE_LEFT, true);
    for (enum score_part p = 0; p < SCORE_PARTS; p++) {
        char title[48];
        snprintf(title, sizeof title, "%s %.0f%%", score_part_title(p), 100 * r->weights[p]);
        table_column(t, title, TABLE_RIGHT, false);
    }
    table_column(t, "Points", TABLE_RIGHT, false);
    table_column(t, "Leads in", TABLE_RIGHT, false);
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct candidate *v = &r->candidates[i];
        if (!v->measured)
            continue;
        table_row(t);
        table_cell(t, TONE_PLAIN, "%s", c->environments[i].name);
        for (enum score_part p = 0; p < SCORE_PARTS; p++)
            score_cell(t, v->score.parts[p], v->score.known[p]);
        table_cell(t, TONE_STRONG, "%.0f", v->total);
        table_cell(t, TONE_PLAIN, "%.1f%%", 100 * v->lead_share);
    }
    if (table_rows(t) > 0)
        table_print(t, look, out);
    table_free(t);
}

static void print_turning_point(const struct comparison *c, const struct table_look *look,
                                const struct turning_point *v, const char *words, struct buf *out)
{
    char line[192];
    if (!v->any)
        return;
    snprintf(line, sizeof line, "%s %.0f%% %.60s would lead.", words, 100 * v->weight,
             c->environments[v->environment].name);
    table_paragraph(out, look, 2, line);
}

static void print_recommendation(const struct comparison *c, const struct table_look *look,
                                 struct buf *out)
{
    const struct recommendation *r = &c->recommendation;
    char line[400], words[64];
    if (!r->candidates)
        return;
    heading(out, look, "Recommendation for production");
    table_tone(out, look, r->state == RECOMMEND_CLEAR ? TONE_GOOD : TONE_WARN,
               r->state == RECOMMEND_CLEAR  ? c->environments[r->leader].name
               : r->state == RECOMMEND_NONE ? "none"
                                            : "inconclusive");
    buf_addc(out, '\n');
    table_paragraph(out, look, 2, r->text);
    for (size_t i = 0; i < r->n_missing; i++) {
        snprintf(line, sizeof line, "Missing: %.300s.", r->missing[i]);
        table_paragraph(out, look, 2, line);
    }
    for (size_t i = 0; i < c->n_environments; i++)
        for (size_t k = 0; k < r->candidates[i].n_excluded; k++) {
            snprintf(line, sizeof line, "%.60s is out: %.280s.", c->environments[i].name,
                     r->candidates[i].excluded[k]);
            table_paragraph(out, look, 2, line);
        }
    print_scores(c, look, out);
    for (enum score_part p = 0; p < SCORE_PARTS; p++) {
        snprintf(words, sizeof words, "With %s under", score_part_key(p));
        print_turning_point(c, look, &r->below[p], words, out);
        snprintf(words, sizeof words, "With %s over", score_part_key(p));
        print_turning_point(c, look, &r->above[p], words, out);
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
            table_cell(t, TONE_PLAIN, "%" PRIu64, cell->cold_n);
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
    print_wins(c, look, out);
    print_pairs(c, look, out);
    if (c->n_common < c->n_pooled) {
        snprintf(line, sizeof line,
                 "Pairs use the %zu of %zu endpoints that every environment was measured on.",
                 c->n_common, c->n_pooled);
        table_paragraph(out, look, 0, line);
    }
    print_changes(c, look, out);
    print_recommendation(c, look, out);
    if (endpoints)
        print_endpoints(c, look, out);
    print_measured(c, look, out);
}
