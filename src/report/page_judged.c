#include "report/page_judged.h"

#include "base/buf.h"
#include "base/text.h"
#include "compare/comparison.h"
#include "report/svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void begin_section(struct buf *out, const char *id, const char *title, const char *note)
{
    buf_addf(out,
             "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n<p class=\"soft\">%s</p>\n",
             id, id, title, note);
}

static void begin_table(struct buf *out, const char *label)
{
    buf_addf(out,
             "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">"
             "<table>\n<thead><tr>",
             label);
}

static void add_heads(struct buf *out, const char *const *heads, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "<th scope=\"col\"%s>%s</th>", i == 0 ? " class=\"left\"" : "", heads[i]);
    buf_adds(out, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct buf *out)
{
    buf_adds(out, "</tbody></table></div>\n");
}

static void add_name(struct buf *out, const struct comparison *c, size_t environment)
{
    buf_adds(out, "<span class=\"name\">");
    svg_marker_inline(out, environment);
    buf_addc(out, ' ');
    text_html(out, c->environments[environment].name);
    buf_adds(out, "</span>");
}

/* A sign beside the word: nothing depends on colour. */
static void add_verdict(struct buf *out, enum verdict_kind v)
{
    static const char *const classes[] = {[VERDICT_INCONCLUSIVE] = "inconclusive",
                                          [VERDICT_BETTER] = "met",
                                          [VERDICT_WORSE] = "missed"};
    static const char *const signs[] = {
        [VERDICT_INCONCLUSIVE] = "?", [VERDICT_BETTER] = "▲", [VERDICT_WORSE] = "▼"};
    buf_addf(out, "<td class=\"word\"><span class=\"badge %s\">%s %s</span></td>", classes[v],
             signs[v], verdict_kind_name(v));
}

/* "−12.0 ms", "+0.40 pts" */
static void add_signed(struct buf *out, enum metric m, double v)
{
    char text[32];
    bool zero = fabs(v) < (metric_is_time(m) ? 0.005 : 0.00005);
    const char *sign = zero ? "±" : v < 0 ? "−" : "+";
    metric_format_ms(fabs(v), text);
    if (metric_is_time(m))
        buf_addf(out, "%s%s", sign, text);
    else
        buf_addf(out, "%s%.2f pts", sign, fabs(100 * v));
}

/* --- Recommendation ----------------------------------------------------------------------------
 */

static void add_list(struct buf *out, const char *title, const char *const *items, size_t n)
{
    if (n == 0)
        return;
    buf_addf(out, "<h3 class=\"over\">%s</h3>\n<ul>\n", title);
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, "<li>");
        text_html(out, items[i]);
        buf_adds(out, "</li>\n");
    }
    buf_adds(out, "</ul>\n");
}

static void add_points(struct buf *out, double points, bool known)
{
    if (known)
        buf_addf(
            out,
            "<td><span class=\"bar\" aria-hidden=\"true\"><i style=\"width:%.0f%%\"></i></span>"
            "%.0f</td>",
            points, points);
    else
        buf_adds(out, "<td>–</td>");
}

static void add_score_row(struct buf *out, const struct comparison *c, size_t environment)
{
    const struct candidate *v = &c->recommendation.candidates[environment];
    buf_adds(out, "<tr><th scope=\"row\">");
    add_name(out, c, environment);
    for (size_t i = 0; i < v->n_excluded; i++) {
        buf_adds(out, "<br><small class=\"missed\">✗ ");
        text_html(out, v->excluded[i]);
        buf_adds(out, "</small>");
    }
    buf_adds(out, "</th>");
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        add_points(out, v->score.parts[p], v->measured && v->score.known[p]);
    add_points(out, v->total, v->measured);
    if (v->measured)
        buf_addf(out, "<td>%.1f%%</td>", 100 * v->lead_share);
    else
        buf_adds(out, "<td>–</td>");
    buf_adds(out, "</tr>\n");
}

static void add_scorecard(struct buf *out, const struct comparison *c)
{
    begin_table(out, "Scorecard");
    buf_adds(out, "<th class=\"left\" scope=\"col\">Points, 0 to 100</th>");
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        buf_addf(out, "<th scope=\"col\">%s<br><small>weight %.0f%%</small></th>",
                 score_part_title(p), 100 * c->recommendation.weights[p]);
    buf_adds(out, "<th scope=\"col\">Together</th><th scope=\"col\">Leads in<br><small>of the "
                  "resamples</small></th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < c->n_environments; i++)
        add_score_row(out, c, i);
    end_table(out);
}

static void add_turning_point(struct buf *out, const struct comparison *c, enum score_part p,
                              const struct turning_point *v, const char *side)
{
    if (!v->any)
        return;
    buf_addf(out, "<li>With the weight of %s %s %.0f%%, ", score_part_key(p), side,
             100 * v->weight);
    text_html(out, c->environments[v->environment].name);
    buf_adds(out, " would lead.</li>\n");
}

static void add_turning_points(struct buf *out, const struct comparison *c)
{
    const struct recommendation *r = &c->recommendation;
    bool any = false;
    for (enum score_part p = 0; p < SCORE_PARTS; p++)
        any |= r->below[p].any || r->above[p].any;
    if (r->leader < 0)
        return;
    buf_adds(out, "<p class=\"soft after\">Where the answer changes, the other weights keeping "
                  "their proportions:");
    buf_adds(out, any ? "</p>\n<ul>\n" : " at no weight.</p>\n");
    for (enum score_part p = 0; any && p < SCORE_PARTS; p++) {
        add_turning_point(out, c, p, &r->below[p], "under");
        add_turning_point(out, c, p, &r->above[p], "over");
    }
    buf_adds(out, any ? "</ul>\n" : "");
}

void page_recommendation(const struct comparison *c, struct buf *out)
{
    const struct recommendation *r = &c->recommendation;
    if (!r->candidates)
        return;
    begin_section(out, "recommendation", "Recommendation for production",
                  "From the weights that the manifest sets. Certainty comes from drawing the "
                  "measured stretches of time anew.");
    buf_adds(out, "<div class=\"card\">\n");
    if (r->state == RECOMMEND_CLEAR) {
        buf_adds(out, "<p class=\"who\">");
        add_name(out, c, (size_t)r->leader);
    } else {
        buf_adds(out, "<p class=\"who unsure\">");
        buf_adds(out, r->state == RECOMMEND_NONE ? "None" : "Not decided");
    }
    buf_adds(out, "</p><p>");
    text_html(out, r->text);
    buf_adds(out, "</p>\n");
    add_list(out, "What a clear answer lacks", r->missing, r->n_missing);
    buf_adds(out, "</div>\n");
    if (r->resamples > 0) {
        buf_adds(out, "<div class=\"after\">");
        add_scorecard(out, c);
        buf_adds(out, "</div>\n");
        add_turning_points(out, c);
    }
    buf_adds(out, "</section>\n");
}

/* --- Pairs -------------------------------------------------------------------------------------
 */

/* The range around zero, drawn: left of the line the first one has less. */
static void add_whisker(struct buf *out, const struct interval *d, double reach)
{
    enum { HALF = 60 };
    struct axis x = {-reach, reach, -HALF, HALF, false};
    buf_adds(out, "<td class=\"plot\">");
    if (d->bounded && reach > 0) {
        double low = axis_at(&x, d->low), high = axis_at(&x, d->high);
        buf_addf(
            out,
            "<svg viewBox=\"-64 -8 128 16\" aria-hidden=\"true\"><line class=\"strong\" "
            "x1=\"0\" y1=\"-8\" x2=\"0\" y2=\"8\"/><line class=\"span\" x1=\"%.1f\" y1=\"0\" "
            "x2=\"%.1f\" y2=\"0\"/><circle class=\"at\" cx=\"%.1f\" cy=\"0\" r=\"3.5\"/></svg>",
            low, high, axis_at(&x, d->value));
    }
    buf_adds(out, "</td>");
}

static double reach_of(const struct comparison *c, enum metric m)
{
    double reach = 0;
    for (size_t i = 0; i < c->n_pairs; i++) {
        const struct interval *d = &c->pairs[i].metrics[m].difference;
        if (d->bounded)
            reach = fmax(reach, fmax(fabs(d->low), fabs(d->high)));
    }
    return reach;
}

static void add_pair_row(struct buf *out, const struct comparison *c, const struct pair_result *r,
                         enum metric m)
{
    const struct pair_metric *v = &r->metrics[m];
    buf_adds(out, "<tr><th scope=\"row\">");
    add_name(out, c, r->a);
    buf_adds(out, " <small>against</small> ");
    add_name(out, c, r->b);
    buf_adds(out, "</th>");
    add_verdict(out, v->verdict);
    buf_adds(out, "<td>");
    add_signed(out, m, v->difference.value);
    buf_adds(out, "</td>");
    add_whisker(out, &v->difference, reach_of(c, m));
    buf_adds(out, "<td>");
    if (v->difference.bounded) {
        add_signed(out, m, v->difference.low);
        buf_adds(out, " to ");
        add_signed(out, m, v->difference.high);
    } else {
        buf_adds(out, "too few");
    }
    buf_addf(out, "</td><td>%.2g</td><td>%" PRIu64 " <small>in %zu</small></td>", v->p_adjusted,
             v->n_a < v->n_b ? v->n_a : v->n_b, v->blocks);
    if (v->n_needed > 0)
        buf_addf(out, "<td>%" PRId64 "</td></tr>\n", v->n_needed);
    else
        buf_adds(out, v->n_needed < 0 ? "<td>would not decide</td></tr>\n" : "<td></td></tr>\n");
}

static void add_metric(struct buf *out, const struct comparison *c, enum metric m)
{
    bool any = false;
    for (size_t i = 0; i < c->n_pairs; i++)
        any |= c->pairs[i].metrics[m].known;
    if (!any)
        return;
    buf_addf(
        out,
        "<tr class=\"head\"><th class=\"left\" scope=\"rowgroup\" colspan=\"8\">%s</th></tr>\n",
        metric_title(m));
    for (size_t i = 0; i < c->n_pairs; i++)
        if (c->pairs[i].metrics[m].known)
            add_pair_row(out, c, &c->pairs[i], m);
}

static void add_shapes(struct buf *out, const struct comparison *c)
{
    for (size_t i = 0; i < c->n_pairs; i++) {
        const struct pair_result *r = &c->pairs[i];
        if (!r->shape.known)
            continue;
        buf_adds(out, "<li>");
        add_name(out, c, r->a);
        buf_adds(out, " and ");
        add_name(out, c, r->b);
        buf_addf(out, ": %s (p %.2g, corrected).</li>\n",
                 r->shape.differs ? "the shapes differ" : "no difference of shape is proven",
                 r->shape.p_adjusted);
    }
}

void page_pairs(const struct comparison *c, struct buf *out)
{
    static const char *const heads[] = {"Pair",
                                        "The first is",
                                        "Difference",
                                        "",
                                        "Range",
                                        "p, corrected",
                                        "n <small>in stretches</small>",
                                        "Samples needed"};
    if (c->n_tests == 0)
        return;
    begin_section(out, "pairs", "Every two environments",
                  "Compared in the same stretches of time, so what was slow for both cancels out. "
                  "The line is zero: left of it the first one has less.");
    begin_table(out, "Every two environments");
    add_heads(out, heads, sizeof heads / sizeof *heads);
    for (enum metric m = 0; m < N_COMPARED; m++)
        add_metric(out, c, m);
    end_table(out);
    buf_addf(out,
             "<p class=\"soft after\">All %zu p values are corrected together (Holm). %zu of %zu "
             "endpoints are measured in every environment and compared here. The whole "
             "distributions:</p>\n<ul>\n",
             c->n_tests, c->n_common, c->n_pooled);
    add_shapes(out, c);
    buf_adds(out, "</ul>\n</section>\n");
}

/* --- Against the window before -----------------------------------------------------------------
 */

static void add_change_row(struct buf *out, const struct comparison *c, size_t environment,
                           enum metric m)
{
    const struct change *v = &c->changes[environment].metrics[m];
    char before[32], after[32];
    metric_format(m, v->before, before);
    metric_format(m, v->after, after);
    buf_adds(out, "<tr><th scope=\"row\">");
    add_name(out, c, environment);
    buf_addf(out, "</th><td class=\"word\">%s</td><td>%s</td><td>%s</td><td>", metric_title(m),
             before, after);
    if (v->difference.bounded) {
        add_signed(out, m, v->difference.low);
        buf_adds(out, " to ");
        add_signed(out, m, v->difference.high);
    } else {
        buf_adds(out, "too few");
    }
    buf_adds(out, "</td>");
    add_verdict(out, v->verdict);
    buf_adds(out, "</tr>\n");
}

void page_changes(const struct comparison *c, struct buf *out)
{
    static const char *const heads[] = {"Environment", "Metric", "Before",
                                        "Now",         "Change", "It got"};
    if (!c->changes)
        return;
    begin_section(out, "changes", "Against the window before",
                  "The same length of time just before this one. Other hours, so nothing cancels "
                  "out: only large changes are certain.");
    begin_table(out, "Against the window before");
    add_heads(out, heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < c->n_environments; i++)
        for (enum metric m = 0; m < N_METRICS; m++)
            if (c->changes[i].metrics[m].known)
                add_change_row(out, c, i, m);
    end_table(out);
    buf_adds(out, "</section>\n");
}

/* --- By time of the day ------------------------------------------------------------------------
 */

static void find_extent(const struct comparison *c, double *ret_low, double *ret_high)
{
    *ret_low = HUGE_VAL;
    *ret_high = 0;
    for (size_t i = 0; i < c->n_environments; i++) {
        for (size_t k = 0; k < c->n_heat; k++) {
            const struct heat_cell *v = &c->environments[i].heat[k];
            if (v->n == 0)
                continue;
            *ret_low = fmin(*ret_low, v->p95_ms);
            *ret_high = fmax(*ret_high, v->p95_ms);
        }
    }
}

static void add_heat_cell(struct buf *out, const struct heat_cell *v, double low, double high)
{
    char text[32];
    if (v->n == 0) {
        buf_adds(out, "<td>–</td>");
        return;
    }
    metric_format_ms(v->p95_ms, text);
    size_t digits = 0;
    while (text[digits] != '\0' && text[digits] != ' ')
        digits++;
    double share = high > low ? log(v->p95_ms / low) / log(high / low) : 0;
    buf_addf(out,
             "<td style=\"background:rgba(209,96,20,%.2f)\" title=\"p95 %s, n = %" PRIu64
             "\">%.*s%s</td>",
             0.04 + 0.46 * share, text, v->n, (int)digits, text, v->p95_ms >= 9999.5 ? " s" : "");
}

void page_heat(const struct comparison *c, struct buf *out)
{
    double low, high;
    find_extent(c, &low, &high);
    if (c->n_heat == 0 || high <= 0)
        return;
    begin_section(out, "heat", "By time of the day",
                  "p95 in milliseconds of all requests in that hour of the day (UTC), all days "
                  "together. Darker is slower.");
    buf_adds(out,
             "<div class=\"scroll heat\" role=\"region\" tabindex=\"0\" aria-label=\"p95 by "
             "hour of the day\"><table>\n<thead><tr><th class=\"left\" scope=\"col\">UTC</th>");
    for (size_t k = 0; k < c->n_heat; k++)
        buf_addf(out, "<th scope=\"col\">%02d</th>", (int)k * c->heat_hours);
    buf_adds(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < c->n_environments; i++) {
        buf_adds(out, "<tr><th scope=\"row\">");
        add_name(out, c, i);
        buf_adds(out, "</th>");
        for (size_t k = 0; k < c->n_heat; k++)
            add_heat_cell(out, &c->environments[i].heat[k], fmax(low, 0.001), high);
        buf_adds(out, "</tr>\n");
    }
    end_table(out);
    buf_adds(out, "</section>\n");
}
