#include "report/plot.h"

#include "base/buf.h"
#include "compare/comparison.h"
#include "report/svg.h"

#include <math.h>
#include <stdio.h>

/* The share of requests answered within a time: every quantile at once, straight from the sketch.
 */
enum {
    LEFT = 44,
    RIGHT = SVG_WIDTH - 14,
    TOP = 12,
    BOTTOM = 232,
    HEIGHT = 262,
    MAX_TICKS = 8,
};

struct curve {
    struct buf *out;
    const struct axis *x, *y;
    uint64_t seen, n;
    bool started;
};

static void step(double low_us, double high_us, uint64_t count, void *arg)
{
    struct curve *v = arg;
    double before = axis_at(v->y, (double)v->seen / (double)v->n);
    v->seen += count;
    double after = axis_at(v->y, (double)v->seen / (double)v->n);
    double from = axis_at(v->x, low_us / 1000), to = axis_at(v->x, high_us / 1000);
    if (!v->started)
        buf_addf(v->out, "M%.1f %.1f", from, before);
    else
        buf_addf(v->out, "L%.1f %.1f", from, before);
    buf_addf(v->out, "L%.1f %.1f", to, after);
    v->started = true;
}

static void draw_curve(struct buf *out, const struct environment_result *v, size_t environment,
                       const struct axis *x, const struct axis *y)
{
    struct curve curve = {.out = out, .x = x, .y = y, .n = v->times.n};
    buf_addf(out, "<path class=\"curve e%zu d%zu\" d=\"", environment % SVG_SERIES,
             environment % SVG_SERIES);
    sketch_each(&v->times, step, &curve);
    buf_adds(out, "\"/>\n");
}

/* The name on its own curve; each environment at another height so that names do not meet. */
static void draw_label(struct buf *out, const struct environment_result *v, size_t environment,
                       const struct axis *x, const struct axis *y)
{
    double share = 0.82 - 0.17 * (double)(environment % 5);
    double at = axis_at(x, sketch_quantile(&v->times, share) / 1000);
    bool left = at > (LEFT + RIGHT) * 0.62;
    svg_marker(out, environment, at, axis_at(y, share));
    svg_text(out, "name halo", left ? "end" : "start", left ? at - 10 : at + 10,
             axis_at(y, share) + 4, v->name);
}

static void draw_grid(struct buf *out, const struct axis *x, const struct axis *y)
{
    static const double shares[] = {0, 0.25, 0.5, 0.75, 0.95};
    double ticks[MAX_TICKS];
    char text[32];
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double at = axis_at(y, shares[i]);
        snprintf(text, sizeof text, "%.0f%%", 100 * shares[i]);
        svg_line(out, shares[i] == 0.5 || shares[i] == 0.95 ? "grid strong" : "grid", LEFT, at,
                 RIGHT, at);
        svg_text(out, "tick", "end", LEFT - 6, at + 4, text);
    }
    size_t n = axis_ticks(x, ticks, MAX_TICKS);
    for (size_t i = 0; i < n; i++) {
        double at = axis_at(x, ticks[i]);
        snprintf(text, sizeof text, ticks[i] >= 1000 ? "%g s" : "%g ms",
                 ticks[i] >= 1000 ? ticks[i] / 1000 : ticks[i]);
        svg_line(out, "grid", at, TOP, at, BOTTOM);
        svg_text(out, "tick", "middle", at, BOTTOM + 18, text);
    }
}

void plot_distribution(const struct comparison *c, struct buf *out)
{
    double low = HUGE_VAL, high = 0;
    for (size_t i = 0; i < c->n_environments; i++) {
        const struct sketch *s = &c->environments[i].times;
        if (s->n == 0)
            continue;
        low = fmin(low, sketch_quantile(s, 0.001) / 1000);
        high = fmax(high, (double)s->max_us / 1000);
    }
    if (high <= 0) {
        buf_adds(out, "<p class=\"empty\">No answered request in this window yet.</p>\n");
        return;
    }
    low = fmax(low, 0.001) * 0.9;
    struct axis x = {low, fmax(high * 1.1, low * 2), LEFT, RIGHT, true};
    struct axis y = {0, 1, BOTTOM, TOP, false};
    svg_begin(out, "plot-distribution", HEIGHT, "Share of requests answered within a time",
              "One rising line an environment on a logarithmic time axis; further left is faster. "
              "Where a line crosses 50% is the median, where it crosses 95% is p95.");
    draw_grid(out, &x, &y);
    for (size_t i = 0; i < c->n_environments; i++)
        if (c->environments[i].times.n > 0)
            draw_curve(out, &c->environments[i], i, &x, &y);
    for (size_t i = 0; i < c->n_environments; i++)
        if (c->environments[i].times.n > 0)
            draw_label(out, &c->environments[i], i, &x, &y);
    svg_end(out);
}
