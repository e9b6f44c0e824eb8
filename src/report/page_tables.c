#include "report/page_tables.h"

#include "base/buf.h"
#include "base/text.h"
#include "compare/comparison.h"
#include "report/svg.h"

#include <inttypes.h>
#include <stdio.h>

/* A table may be wider than a phone: it scrolls by itself, by keyboard too. */
static void begin_table(struct buf *out, const char *label)
{
    buf_addf(out,
             "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">"
             "<table>\n<thead>",
             label);
}

static void end_table(struct buf *out)
{
    buf_adds(out, "</tbody></table></div></section>\n");
}

static void add_heads(struct buf *out, const char *const *heads, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "<th scope=\"col\"%s>%s</th>", i == 0 ? " class=\"left\"" : "", heads[i]);
}

static void add_row_name(struct buf *out, const struct comparison *c, size_t environment)
{
    buf_adds(out, "<tr><th scope=\"row\">");
    svg_marker_inline(out, environment);
    buf_addc(out, ' ');
    text_html(out, c->environments[environment].name);
    buf_adds(out, "</th>");
}

static void add_ms(struct buf *out, double ms, bool known)
{
    char text[32] = "–";
    if (known)
        metric_format_ms(ms, text);
    buf_addf(out, "<td>%s</td>", text);
}

static void add_count(struct buf *out, uint64_t n)
{
    buf_addf(out, "<td>%" PRIu64 "</td>", n);
}

void page_cold_starts(const struct comparison *c, struct buf *out)
{
    static const char *const heads[] = {"Environment", "Starts", "Median", "Range",
                                        "Longest",     "Failed", "Target"};
    buf_adds(out, "<section aria-labelledby=\"cold\">\n<h2 id=\"cold\">Cold starts</h2>\n"
                  "<p class=\"soft\">First requests after the platform put the service to sleep. "
                  "They are in none of the figures above.</p>\n");
    begin_table(out, "Cold starts");
    buf_adds(out, "<tr>");
    add_heads(out, heads, sizeof heads / sizeof *heads);
    buf_adds(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct cold_starts *cold = &c->environments[i].cold;
        const struct figure *median = &c->environments[i].figures[METRIC_COLD_START];
        const struct interval *v = &median->interval;
        char range[80] = "–", target[32] = "";
        if (v->bounded)
            metric_format_range(METRIC_P50, v->low, v->high, range);
        if (median->target > 0)
            metric_format_ms(median->target, target);
        add_row_name(out, c, i);
        add_count(out, median->n);
        add_ms(out, v->value, v->known);
        buf_addf(out, "<td>%s</td>", range);
        add_ms(out, cold->max_ms, median->n > 0);
        add_count(out, cold->failed);
        buf_addf(out, "<td>%s%s <span class=\"badge %s\">%s</span></td></tr>\n",
                 target[0] ? "&lt; " : "", target, target_state_name(median->state),
                 target_state_name(median->state));
    }
    end_table(out);
}

static void add_endpoint_heads(const struct comparison *c, struct buf *out)
{
    buf_adds(out, "<tr><th class=\"left\" rowspan=\"2\" scope=\"col\">Endpoint</th>");
    for (size_t i = 0; i < c->n_environments; i++) {
        buf_adds(out, "<th class=\"group edge\" colspan=\"3\" scope=\"colgroup\">");
        svg_marker_inline(out, i);
        buf_addc(out, ' ');
        text_html(out, c->environments[i].name);
        buf_adds(out, "</th>");
    }
    buf_adds(out, "</tr>\n<tr>");
    for (size_t i = 0; i < c->n_environments; i++)
        buf_adds(out, "<th class=\"edge\" scope=\"col\">Median</th><th scope=\"col\">p95</th>"
                      "<th scope=\"col\">Success</th>");
    buf_adds(out, "</tr></thead>\n<tbody>\n");
}

static void add_endpoint_cell(const struct endpoint_cell *cell, struct buf *out)
{
    char p50[32] = "–", p95[32] = "–", success[32] = "–";
    uint64_t n = cell->tally.ok + cell->tally.slow + cell->tally.failed;
    if (cell->p50.known)
        metric_format_ms(cell->p50.value, p50);
    if (cell->p95.bounded)
        metric_format_ms(cell->p95.value, p95);
    if (cell->success.known)
        metric_format_rate(cell->success.value, success);
    buf_addf(out, "<td class=\"edge\">%s</td><td>%s</td><td>%s <small>of %" PRIu64 "</small></td>",
             p50, p95, success, n);
}

void page_endpoints(const struct comparison *c, struct buf *out)
{
    buf_adds(out, "<section aria-labelledby=\"endpoints\">\n<h2 id=\"endpoints\">Endpoints</h2>\n"
                  "<p class=\"soft\">A dash under p95: fewer samples than a p95 needs.</p>\n");
    begin_table(out, "Endpoints by environment");
    add_endpoint_heads(c, out);
    for (size_t i = 0; i < c->n_endpoints; i++) {
        const struct endpoint_result *v = &c->endpoints[i];
        buf_adds(out, "<tr><th scope=\"row\">");
        text_html(out, v->app);
        if (v->instance[0] != '\0') {
            buf_adds(out, " / ");
            text_html(out, v->instance);
        }
        buf_adds(out, " <small>");
        text_html(out, v->check);
        buf_adds(out, "</small></th>");
        for (size_t k = 0; k < c->n_environments; k++)
            add_endpoint_cell(&v->cells[k], out);
        buf_adds(out, "</tr>\n");
    }
    end_table(out);
}

/* "every 30s" or "every 30s to 5m". */
static void add_schedule(const struct comparison *c, struct buf *out)
{
    int64_t shortest = 0, longest = 0;
    char from[32], to[32];
    for (size_t i = 0; i < c->n_endpoints; i++) {
        int64_t every = c->endpoints[i].every_ms;
        if (every <= 0)
            continue;
        shortest = shortest == 0 || every < shortest ? every : shortest;
        longest = every > longest ? every : longest;
    }
    if (shortest == 0)
        return;
    text_format_duration(shortest, from);
    text_format_duration(longest, to);
    buf_addf(out, "<li>Each endpoint is measured every %s%s%s.</li>\n", from,
             shortest == longest ? "" : " to ", shortest == longest ? "" : to);
}

static void add_rules(const struct comparison *c, struct buf *out)
{
    buf_adds(out, "<ul>\n");
    add_schedule(c, out);
    buf_adds(out,
             "<li>All environments of an endpoint are measured at the same tick of a fixed clock. "
             "Times count from the intended tick, so the prober's own lateness is inside them; it "
             "is shown below.</li>\n"
             "<li>Times are those of answered requests. A failed request lowers the success rate "
             "and has no time. Inconclusive ticks (our own line was down) and missed ticks are in "
             "no rate; their numbers are shown.</li>\n");
    buf_addf(out,
             "<li>Ranges hold the true figure with %.0f%% confidence: success by Wilson's score "
             "interval, median and p95 by order statistics without any assumption on the shape, "
             "the average by Student's t over stretches of time. Quantiles come from a sketch "
             "whose error is at most 1%%.</li>\n",
             100 * c->options.confidence);
    buf_addf(
        out,
        "<li>Better and worse are said only where p, by swapping stretches of time and corrected "
        "for all that is shown, allows it, and where the difference matters: %.0f%% of a time and "
        "at least %.0f ms, or %.1f points of a rate. A p95 needs %" PRIu64
        " samples. Everything else is inconclusive.</li>\n"
        "<li>Uptime is the share of endpoint time without an outage. Time in which the prober "
        "itself was blind is in none of it.</li>\n"
        "<li>Points: for each figure the mean of two views, against the target (100 at nothing, 50 "
        "at the target, 0 at twice the target) and against the best environment (100 for the best, "
        "50 at twice its time or failures).</li>\n</ul>\n",
        100 * VERDICT_MIN_RATIO, VERDICT_MIN_MS, 100 * VERDICT_MIN_RATE,
        interval_samples(0.95, c->options.confidence));
}

void page_method(const struct comparison *c, struct buf *out)
{
    static const char *const heads[] = {
        "Environment",       "ok",  "Slow",   "Failed", "Inconclusive", "Missed",
        "Sent late, median", "p95", "longest"};
    buf_adds(out, "<section aria-labelledby=\"method\">\n<h2 id=\"method\">How it was measured"
                  "</h2>\n<div class=\"card\">\n");
    add_rules(c, out);
    buf_adds(out, "</div>\n<h2 id=\"ticks\">Ticks and the prober's own lateness</h2>\n");
    begin_table(out, "Ticks by outcome, and lateness");
    buf_adds(out, "<tr>");
    add_heads(out, heads, sizeof heads / sizeof *heads);
    buf_adds(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct environment_result *v = &c->environments[i];
        add_row_name(out, c, i);
        add_count(out, v->tally.ok);
        add_count(out, v->tally.slow);
        add_count(out, v->tally.failed);
        add_count(out, v->tally.inconclusive);
        add_count(out, v->tally.missed);
        add_ms(out, v->lateness.p50_ms, v->lateness.n > 0);
        add_ms(out, v->lateness.p95_ms, v->lateness.n > 0);
        add_ms(out, v->lateness.max_ms, v->lateness.n > 0);
        buf_adds(out, "</tr>\n");
    }
    end_table(out);
}
