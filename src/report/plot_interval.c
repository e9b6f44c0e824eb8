#include "report/plot.h"

#include "base/buf.h"
#include "base/text.h"
#include "compare/comparison.h"
#include "report/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A dot with whiskers for each environment: what the data says, and what it leaves open. */
enum {
    PLOT_LEFT = 112,
    PLOT_RIGHT = SVG_WIDTH - 76,
    GROUP_HEAD = 24,
    ROW = 24,
    GROUP_GAP = 10,
    AXIS_HEIGHT = 26,
    MAX_TICKS = 6,
    LABEL_COLUMNS = 14,
};

/* The name, cut to what the margin holds. */
static void short_name(const char *name, char ret[64])
{
    snprintf(ret, 64, "%.60s", name);
    size_t len = strlen(ret);
    bool cut = text_columns(ret) > LABEL_COLUMNS;
    while (len > 0 && (text_columns(ret) > LABEL_COLUMNS - 1) && cut) {
        do
            len--;
        while (len > 0 && ((unsigned char)ret[len] & 0xc0) == 0x80);
        ret[len] = '\0';
    }
    if (cut)
        snprintf(ret + len, 64 - len, "…");
}

static void draw_row(struct buf *out, const struct comparison *c, enum metric m, size_t environment,
                     const struct axis *x, double y)
{
    const struct interval *v = &c->environments[environment].figures[m].interval;
    char name[64], value[32] = "no samples", class_[16];
    short_name(c->environments[environment].name, name);
    svg_text(out, "name", "end", PLOT_LEFT - 12, y + 4, name);
    if (v->known)
        metric_format(m, v->value, value);
    svg_text(out, v->known ? "value" : "note", "end", SVG_WIDTH - 2, y + 4, value);
    if (!v->known)
        return;
    snprintf(class_, sizeof class_, "whisker e%zu", environment % SVG_SERIES);
    if (v->bounded) {
        double low = axis_at(x, v->low), high = axis_at(x, v->high);
        svg_line(out, class_, low, y, high, y);
        svg_line(out, class_, low, y - 4, low, y + 4);
        svg_line(out, class_, high, y - 4, high, y + 4);
    }
    svg_marker(out, environment, axis_at(x, v->value), y);
}

static void draw_target(struct buf *out, enum metric m, double target, const struct axis *x,
                        double top, double bottom)
{
    char value[32], text[64];
    if (target <= 0)
        return;
    metric_format_target(m, target, value);
    bool beyond = target > x->high;
    snprintf(text, sizeof text, beyond ? "target %s, further right" : "target %s", value);
    double at = axis_at(x, target);
    if (!beyond)
        svg_line(out, "target", at, top + 6, at, bottom);
    bool left = at > PLOT_RIGHT - 80;
    svg_text(out, "note", left ? "end" : "start", left ? (beyond ? PLOT_RIGHT : at - 4) : at + 4,
             top + 12, text);
}

static void draw_axis(struct buf *out, enum metric m, const struct axis *x, double top,
                      double bottom)
{
    double ticks[MAX_TICKS];
    size_t n = axis_ticks(x, ticks, MAX_TICKS);
    for (size_t i = 0; i < n; i++) {
        char text[32];
        double at = axis_at(x, ticks[i]);
        if (metric_is_time(m))
            snprintf(text, sizeof text, x->high >= 10000 ? "%g s" : "%g ms",
                     x->high >= 10000 ? ticks[i] / 1000 : ticks[i]);
        else
            snprintf(text, sizeof text, "%.6g%%", 100 * ticks[i]);
        svg_line(out, "grid", at, top, at, bottom);
        svg_text(out, "tick", "middle", at, bottom + 16, text);
    }
}

static double draw_group(struct buf *out, const struct comparison *c, enum metric m,
                         const struct axis *x, double top)
{
    double bottom = top + GROUP_HEAD + (double)(ROW * c->n_environments);
    svg_text(out, "group", "end", PLOT_LEFT - 12, top + 12, metric_title(m));
    draw_target(out, m, c->environments[0].figures[m].target, x, top, bottom);
    for (size_t i = 0; i < c->n_environments; i++)
        draw_row(out, c, m, i, x, top + GROUP_HEAD + (double)(ROW * i) + ROW / 2.0 - 2);
    return bottom + GROUP_GAP;
}

struct extent {
    double low, high;
    bool any;
};

static void widen(struct extent *e, double low, double high)
{
    e->low = e->any ? fmin(e->low, low) : low;
    e->high = e->any ? fmax(e->high, high) : high;
    e->any = true;
}

static struct extent extent_of(const struct comparison *c, enum metric first, enum metric last)
{
    struct extent e = {0};
    for (size_t i = 0; i < c->n_environments; i++) {
        for (enum metric m = first; m <= last; m++) {
            const struct interval *v = &c->environments[i].figures[m].interval;
            if (v->known)
                widen(&e, v->bounded ? v->low : v->value, v->bounded ? v->high : v->value);
        }
    }
    return e;
}

static void draw(struct buf *out, const struct comparison *c, const enum metric range[2],
                 const struct axis *x)
{
    size_t groups = range[1] - range[0] + 1;
    double height = (double)(groups * (GROUP_HEAD + ROW * c->n_environments + GROUP_GAP));
    const char *id = range[0] == METRIC_SUCCESS ? "plot-success" : "plot-times";
    const char *title = range[0] == METRIC_SUCCESS
                            ? "Success rate of each environment with its range"
                            : "Response times of each environment with their ranges";
    svg_begin(out, id, height + AXIS_HEIGHT, title,
              "One row an environment: a mark at the value, whiskers over the range that the data "
              "leaves open. The same figures stand in the environments' cards.");
    draw_axis(out, range[0], x, GROUP_HEAD - 6, height);
    double top = 0;
    for (enum metric m = range[0]; m <= range[1]; m++)
        top = draw_group(out, c, m, x, top);
    svg_end(out);
}

static void no_data(struct buf *out)
{
    buf_adds(out, "<p class=\"empty\">No answered request in this window yet.</p>\n");
}

void plot_times(const struct comparison *c, struct buf *out)
{
    struct extent e = extent_of(c, METRIC_AVG, METRIC_P95);
    if (!e.any) {
        no_data(out);
        return;
    }
    double high = e.high;
    for (enum metric m = METRIC_AVG; m <= METRIC_P95; m++) {
        double target = c->environments[0].figures[m].target;
        if (target < 2 * e.high) /* a target far away would press everything to the left */
            high = fmax(high, target);
    }
    struct axis x = {0, fmax(high * 1.04, 0.001), PLOT_LEFT, PLOT_RIGHT, false};
    draw(out, c, (const enum metric[]){METRIC_AVG, METRIC_P95}, &x);
}

void plot_success(const struct comparison *c, struct buf *out)
{
    struct extent e = extent_of(c, METRIC_SUCCESS, METRIC_SUCCESS);
    if (!e.any) {
        no_data(out);
        return;
    }
    double target = c->environments[0].figures[METRIC_SUCCESS].target;
    double low = target > 0 ? fmin(e.low, target) : e.low;
    struct axis x = {fmax(0, 1 - 1.15 * fmax(1 - low, 0.0005)), 1, PLOT_LEFT, PLOT_RIGHT, false};
    draw(out, c, (const enum metric[]){METRIC_SUCCESS, METRIC_SUCCESS}, &x);
}
