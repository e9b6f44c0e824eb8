#include "report/report.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "compare/comparison.h"
#include "report/page.h"
#include "report/page_judged.h"
#include "report/page_tables.h"
#include "report/plot.h"
#include "report/svg.h"

#include <inttypes.h>
#include <stdio.h>

/* "2026-11-22 15:04 UTC" */
static void add_time(struct buf *out, int64_t wall_ms)
{
    char utc[32];
    clock_format_utc(wall_ms, utc);
    buf_addf(out, "<time datetime=\"%s\">%.10s %.5s UTC</time>", utc, utc, utc + 11);
}

static void add_head(const struct comparison *c, struct buf *out)
{
    buf_adds(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"robots\" content=\"noindex\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'\">\n<title>");
    text_html(out, c->options.project);
    buf_adds(out, ": environment comparison</title>\n<style>\n");
    for (size_t i = 0; page_style[i]; i++)
        buf_adds(out, page_style[i]);
    buf_adds(out, "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>");
    text_html(out, c->options.project);
    buf_adds(out, ": environment comparison</h1>\n<p class=\"soft\">");
    add_time(out, c->options.from_ms);
    buf_adds(out, " to ");
    add_time(out, c->options.until_ms);
    buf_adds(out, ", made ");
    add_time(out, c->options.generated_at_ms);
    buf_adds(out, "</p>\n");
}

/* The answer first. */
static void add_lead(const struct comparison *c, struct buf *out)
{
    buf_adds(out, "<p class=\"lead\">");
    text_html(out, c->recommendation.text);
    buf_adds(out, "</p>\n</header>\n");
}

static void add_name(const struct comparison *c, size_t environment, struct buf *out)
{
    svg_marker_inline(out, environment);
    buf_adds(out, "<span>");
    text_html(out, c->environments[environment].name);
    buf_adds(out, "</span>");
}

static void add_wins(const struct comparison *c, struct buf *out)
{
    buf_adds(out, "<section aria-labelledby=\"winners\">\n<h2 id=\"winners\">Winners</h2>\n"
                  "<div class=\"cards\">\n");
    for (enum win_category w = 0; w < WIN_CATEGORIES; w++) {
        const struct win *v = &c->wins[w];
        buf_addf(out, "<article class=\"card\"><h3 class=\"over\">%s</h3>\n",
                 win_category_title(w));
        if (v->winner >= 0) {
            buf_adds(out, "<p class=\"who\">");
            add_name(c, (size_t)v->winner, out);
        } else {
            buf_adds(out, "<p class=\"who unsure\">Inconclusive");
        }
        buf_adds(out, "</p><p class=\"why\">");
        text_html(out, v->text);
        buf_adds(out, "</p></article>\n");
    }
    buf_adds(out, "</div>\n</section>\n");
}

static void add_figure(struct buf *out, const char *title, enum metric m, const struct figure *f)
{
    static const char *const signs[] = {
        [TARGET_NONE] = "", [TARGET_MET] = "✓ ", [TARGET_MISSED] = "✗ ", [TARGET_OPEN] = "? "};
    char value[32] = "no samples", range[80] = "", target[32];
    if (f->interval.known)
        metric_format(m, f->interval.value, value);
    if (f->interval.bounded)
        metric_format_range(m, f->interval.low, f->interval.high, range);
    metric_format_target(m, f->target, target);
    buf_addf(out, "<div><dt>%s", title);
    if (f->target > 0)
        buf_addf(out, " <small>%s %s</small>", metric_is_time(m) ? "under" : "over", target);
    buf_addf(out, "</dt><dd class=\"v\">%s</dd><dd class=\"r\">%s%sn = %" PRIu64 "</dd>", value,
             range, range[0] ? ", " : "", f->n);
    if (f->target > 0)
        buf_addf(out, "<dd class=\"b\"><span class=\"badge %s\">%s%s</span></dd>",
                 target_state_name(f->state), signs[f->state], target_state_name(f->state));
    buf_adds(out, "</div>\n");
}

static void add_environments(const struct comparison *c, struct buf *out)
{
    buf_addf(out,
             "<section aria-labelledby=\"environments\">\n<h2 id=\"environments\">Environments"
             "</h2>\n<p class=\"soft\">Warm requests with their %.0f%% ranges, against the "
             "targets.</p>\n<div class=\"cards\">\n",
             100 * c->options.confidence);
    for (size_t i = 0; i < c->n_environments; i++) {
        buf_adds(out, "<article class=\"card\"><h3>");
        add_name(c, i, out);
        buf_adds(out, "</h3><dl>\n");
        for (enum metric m = 0; m < N_METRICS; m++)
            if (m < METRIC_UPTIME || c->environments[i].figures[m].interval.known ||
                c->environments[i].figures[m].target > 0)
                add_figure(out, metric_title(m), m, &c->environments[i].figures[m]);
        buf_adds(out, "</dl></article>\n");
    }
    buf_adds(out, "</div></section>\n");
}

typedef void plot_fn(const struct comparison *c, struct buf *out);

static void add_plot(const struct comparison *c, const char *title, const char *note, plot_fn *plot,
                     struct buf *out)
{
    buf_addf(out, "<figure class=\"card\"><figcaption>%s</figcaption><p>%s</p>\n", title, note);
    plot(c, out);
    buf_adds(out, "</figure>\n");
}

/* Two columns on a desk, one on a phone. */
static void add_plots(const struct comparison *c, struct buf *out)
{
    buf_adds(out, "<section aria-labelledby=\"plots\">\n<h2 id=\"plots\">Response times and "
                  "success</h2>\n<div class=\"plots\">\n<div>\n");
    add_plot(c, "Response times", "Mark: the value. Whiskers: what the data leaves open.",
             plot_times, out);
    add_plot(c, "Success rate", "Answered as expected, of all judged warm requests.", plot_success,
             out);
    buf_adds(out, "</div>\n<div>\n");
    add_plot(c, "Distribution", "Share of requests answered within a time; further left is faster.",
             plot_distribution, out);
    add_plot(c, "Over time", "Line: median. Band: up to p95. Ticks below: failed requests. UTC.",
             plot_history, out);
    buf_adds(out, "</div>\n</div></section>\n");
}

void report_html(const struct comparison *c, struct buf *out)
{
    add_head(c, out);
    add_lead(c, out);
    add_wins(c, out);
    if (c->n_environments > 0) {
        add_environments(c, out);
        page_recommendation(c, out);
        add_plots(c, out);
        page_pairs(c, out);
        page_heat(c, out);
        page_changes(c, out);
        page_cold_starts(c, out);
        page_endpoints(c, out);
    }
    page_method(c, out);
    buf_adds(out, "</main>\n</body>\n</html>\n");
}
