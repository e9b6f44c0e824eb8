#include "report/svg.h"

#include "base/buf.h"
#include "base/text.h"

#include <math.h>

void svg_begin(struct buf *out, const char *id, double height, const char *title,
               const char *description)
{
    buf_addf(out,
             "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-labelledby=\"%s-title %s-desc\">\n"
             "<title id=\"%s-title\">",
             SVG_WIDTH, height, id, id, id);
    text_html(out, title);
    buf_addf(out, "</title><desc id=\"%s-desc\">", id);
    text_html(out, description);
    buf_adds(out, "</desc>\n");
}

void svg_end(struct buf *out)
{
    buf_adds(out, "</svg>\n");
}

void svg_line(struct buf *out, const char *class_, double x1, double y1, double x2, double y2)
{
    buf_addf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class_,
             x1, y1, x2, y2);
}

void svg_text(struct buf *out, const char *class_, const char *anchor, double x, double y,
              const char *text)
{
    buf_addf(out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class_, anchor, x,
             y);
    text_html(out, text);
    buf_adds(out, "</text>\n");
}

/* Around 0,0; all about equally heavy to the eye. */
static const char *const shapes[SVG_SERIES] = {
    "<circle r=\"4.5\"/>",
    "<rect x=\"-4.1\" y=\"-4.1\" width=\"8.2\" height=\"8.2\"/>",
    "<path d=\"M0-5.4 5 3.6H-5Z\"/>",
    "<path d=\"M0-5.6 5 0 0 5.6-5 0Z\"/>",
    "<circle class=\"ring\" r=\"4\"/>",
    "<path class=\"ring\" d=\"M-4-4 4 4M-4 4 4-4\"/>",
};

void svg_marker(struct buf *out, size_t environment, double x, double y)
{
    buf_addf(out, "<g class=\"mark e%zu\" transform=\"translate(%.1f %.1f)\">%s</g>\n",
             environment % SVG_SERIES, x, y, shapes[environment % SVG_SERIES]);
}

void svg_marker_inline(struct buf *out, size_t environment)
{
    buf_addf(out,
             "<svg class=\"key\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\">"
             "<g class=\"mark e%zu\">%s</g></svg>",
             environment % SVG_SERIES, shapes[environment % SVG_SERIES]);
}

double axis_at(const struct axis *a, double value)
{
    double v = fmin(fmax(value, a->low), a->high);
    double share = a->logarithmic ? log(v / a->low) / log(a->high / a->low)
                                  : (v - a->low) / (a->high - a->low);
    return a->from + share * (a->to - a->from);
}

/* 1, 2 or 5 times a power of ten, not under `step`. */
static double round_step(double step)
{
    double power = pow(10, floor(log10(step)));
    double lead = step / power;
    return power * (lead <= 1.000001 ? 1 : lead <= 2.000001 ? 2 : lead <= 5.000001 ? 5 : 10);
}

static size_t linear_ticks(const struct axis *a, double *ret, size_t max)
{
    double step = round_step((a->high - a->low) / (double)(max - 1));
    size_t n = 0;
    for (double i = ceil(a->low / step - 1e-9); i * step <= a->high * (1 + 1e-9) && n < max; i++)
        ret[n++] = i == 0 ? 0 : i * step; /* no minus zero */
    return n;
}

static size_t log_ticks(const struct axis *a, double *ret, size_t max)
{
    static const double leads[] = {1, 2, 5};
    size_t n = 0;
    for (double power = floor(log10(a->low)); pow(10, power) <= a->high; power++) {
        for (size_t i = 0; i < 3; i++) {
            double v = leads[i] * pow(10, power);
            if (v < a->low || v > a->high)
                continue;
            if (n == max)
                return max + 1;
            ret[n++] = v;
        }
    }
    return n;
}

/* Powers of ten alone, every k-th, where 1-2-5 is too much for a wide axis. */
static size_t decade_ticks(const struct axis *a, double *ret, size_t max)
{
    double first = ceil(log10(a->low)), last = floor(log10(a->high));
    double step = ceil((last - first + 1) / (double)max);
    size_t n = 0;
    for (double power = first; power <= last && n < max; power += step)
        ret[n++] = pow(10, power);
    return n;
}

size_t axis_ticks(const struct axis *a, double *ret, size_t max)
{
    if (!a->logarithmic)
        return linear_ticks(a, ret, max);
    size_t n = log_ticks(a, ret, max);
    if (n > max)
        return decade_ticks(a, ret, max);
    return n >= 3 ? n : linear_ticks(a, ret, max);
}
