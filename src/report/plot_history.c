#include "report/plot.h"

#include "base/buf.h"
#include "base/clock.h"
#include "compare/comparison.h"
#include "report/svg.h"

#include <math.h>
#include <stdio.h>

/* One panel an environment over the same axes: the median's line, a band up to p95, failures below.
 * Panels, not lines over each other: they stay readable in black and white and on a phone. */
enum {
    LEFT = 52,
    RIGHT = SVG_WIDTH - 34,
    PANEL = 118, /* head, plot and the strip of failures */
    PANEL_HEAD = 22,
    FAILURES = 14,
    PANEL_GAP = 14,
    AXIS_HEIGHT = 18,
    MAX_TICKS = 6,
    MAX_TIME_TICKS = 6,
};

static bool answered(const struct moment *m)
{
    return m->tally.ok + m->tally.slow > 0;
}

static double middle_of(const struct comparison *c, const struct axis *x, size_t i,
                        const struct environment_result *v)
{
    return axis_at(x, (double)v->moments[i].at_ms + (double)c->moment_ms / 2);
}

struct panel {
    const struct comparison *c;
    const struct environment_result *v;
    struct axis x, y;
    size_t environment;
};

/* Points `from` .. `until` - 1 of one quantile, forwards or backwards. */
static void add_points(struct buf *out, const struct panel *p, size_t from, size_t until, bool p95,
                       bool back)
{
    for (size_t k = from; k < until; k++) {
        size_t i = back ? until - 1 - (k - from) : k;
        const struct moment *m = &p->v->moments[i];
        buf_addf(out, "%c%.1f %.1f", k == from && !back ? 'M' : 'L',
                 middle_of(p->c, &p->x, i, p->v), axis_at(&p->y, p95 ? m->p95_ms : m->p50_ms));
    }
}

/* A gap in the data is a gap in the line. */
static void draw_run(struct buf *out, const struct panel *p, size_t from, size_t until)
{
    size_t e = p->environment % SVG_SERIES;
    if (until - from == 1) {
        const struct moment *m = &p->v->moments[from];
        double at = middle_of(p->c, &p->x, from, p->v);
        buf_addf(out, "<circle class=\"dot e%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\"/>\n", e, at,
                 axis_at(&p->y, m->p50_ms));
        buf_addf(out, "<circle class=\"dot faint e%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\"/>\n", e, at,
                 axis_at(&p->y, m->p95_ms));
        return;
    }
    buf_addf(out, "<path class=\"band e%zu\" d=\"", e);
    add_points(out, p, from, until, true, false);
    add_points(out, p, from, until, false, true);
    buf_addf(out, "Z\"/>\n<path class=\"upper e%zu\" d=\"", e);
    add_points(out, p, from, until, true, false);
    buf_addf(out, "\"/>\n<path class=\"middle e%zu\" d=\"", e);
    add_points(out, p, from, until, false, false);
    buf_adds(out, "\"/>\n");
}

static void draw_runs(struct buf *out, const struct panel *p)
{
    for (size_t i = 0; i < p->c->n_moments; i++) {
        size_t until = i;
        while (until < p->c->n_moments && answered(&p->v->moments[until]))
            until++;
        if (until > i) {
            draw_run(out, p, i, until);
            i = until;
        }
    }
}

static void draw_failures(struct buf *out, const struct panel *p, double bottom)
{
    for (size_t i = 0; i < p->c->n_moments; i++)
        if (p->v->moments[i].tally.failed > 0) {
            double at = middle_of(p->c, &p->x, i, p->v);
            svg_line(out, "failure", at, bottom - FAILURES + 6, at, bottom);
        }
}

static void draw_y_axis(struct buf *out, const struct axis *y)
{
    double ticks[MAX_TICKS];
    size_t n = axis_ticks(y, ticks, MAX_TICKS);
    for (size_t i = 0; i < n; i++) {
        char text[32];
        double at = axis_at(y, ticks[i]);
        snprintf(text, sizeof text, ticks[i] >= 1000 ? "%g s" : "%g ms",
                 ticks[i] >= 1000 ? ticks[i] / 1000 : ticks[i]);
        svg_line(out, "grid", LEFT, at, RIGHT, at);
        svg_text(out, "tick", "end", LEFT - 6, at + 4, text);
    }
}

/* What happened last, written at the right end of its line. */
static void draw_end_labels(struct buf *out, const struct panel *p)
{
    for (size_t i = p->c->n_moments; i-- > 0;) {
        const struct moment *m = &p->v->moments[i];
        if (!answered(m))
            continue;
        double at = middle_of(p->c, &p->x, i, p->v) + 5;
        double upper = axis_at(&p->y, m->p95_ms), lower = axis_at(&p->y, m->p50_ms);
        if (lower - upper < 12)
            lower = upper + 12;
        svg_text(out, "note", "start", at, upper + 4, "p95");
        svg_text(out, "note", "start", at, lower + 4, "p50");
        return;
    }
}

static void draw_panel(struct buf *out, struct panel *p, double top)
{
    p->v = &p->c->environments[p->environment];
    p->y.from = top + PANEL - FAILURES;
    p->y.to = top + PANEL_HEAD;
    char text[96];
    svg_marker(out, p->environment, LEFT + 6, top + 10);
    svg_text(out, "name", "start", LEFT + 18, top + 14, p->v->name);
    if (p->v->tally.failed > 0) {
        snprintf(text, sizeof text, "%llu failed, marked below",
                 (unsigned long long)p->v->tally.failed);
        svg_text(out, "note", "end", RIGHT, top + 14, text);
    }
    draw_y_axis(out, &p->y);
    draw_runs(out, p);
    draw_failures(out, p, top + PANEL);
    draw_end_labels(out, p);
}

static int64_t time_step(int64_t span_ms)
{
    static const int64_t steps_s[] = {1,     5,     10,    15,     30,    60,   120,
                                      300,   600,   900,   1800,   3600,  7200, 10800,
                                      21600, 43200, 86400, 172800, 604800};
    for (size_t i = 0; i < sizeof steps_s / sizeof *steps_s; i++)
        if (span_ms / (steps_s[i] * 1000) <= MAX_TIME_TICKS)
            return steps_s[i] * 1000;
    return (span_ms / MAX_TIME_TICKS / 86400000 + 1) * 86400000;
}

/* "15:04", "15:04:05" or "11-22" out of "2026-11-22T15:04:05Z". */
static void draw_time_axis(struct buf *out, const struct axis *x, double y)
{
    int64_t from = (int64_t)x->low, until = (int64_t)x->high, step = time_step(until - from);
    for (int64_t at = (from + step - 1) / step * step; at <= until; at += step) {
        char utc[32], text[16];
        clock_format_utc(at, utc);
        bool days = step >= 86400000, seconds = step < 60000;
        snprintf(text, sizeof text, "%.*s", days ? 5 : seconds ? 8 : 5, utc + (days ? 5 : 11));
        double px = axis_at(x, (double)at);
        svg_line(out, "grid", px, y - 4, px, y);
        svg_text(out, "tick", "middle", px, y + 14, text);
    }
}

void plot_history(const struct comparison *c, struct buf *out)
{
    double low = HUGE_VAL, high = 0;
    for (size_t i = 0; i < c->n_environments; i++)
        for (size_t k = 0; k < c->n_moments; k++)
            if (answered(&c->environments[i].moments[k])) {
                low = fmin(low, c->environments[i].moments[k].p50_ms);
                high = fmax(high, c->environments[i].moments[k].p95_ms);
            }
    if (high <= 0) {
        buf_adds(out, "<p class=\"empty\">No answered request in this window yet.</p>\n");
        return;
    }
    low = fmax(low, 0.001) * 0.9;
    int64_t start = c->environments[0].moments[0].at_ms;
    struct panel p = {
        .c = c,
        .x = {(double)start, (double)(start + (int64_t)c->n_moments * c->moment_ms), LEFT, RIGHT,
              false},
        .y = {low, fmax(high * 1.1, low * 1.5), 0, 0, true},
    };
    double height = (double)(c->n_environments * (PANEL + PANEL_GAP));
    svg_begin(out, "plot-history", height + AXIS_HEIGHT, "Response times over time",
              "One panel an environment over the same axes, time in UTC: a line for the median, a "
              "band up to p95, short marks at the bottom where requests failed.");
    for (p.environment = 0; p.environment < c->n_environments; p.environment++)
        draw_panel(out, &p, (double)(p.environment * (PANEL + PANEL_GAP)));
    draw_time_axis(out, &p.x, height - 2);
    svg_end(out);
}
