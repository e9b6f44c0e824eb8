#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf;

/*
 * The few shapes that the plots are made of, as inline SVG. Coordinates are the drawing's own units
 * with y downwards. Looks come from the page's style sheet through class names; an environment's
 * class is "eN", and its shape and dash pattern differ too, so that nothing depends on colour.
 * Class names and anchors are literals; every other text is escaped here.
 */

enum { SVG_WIDTH = 460, SVG_SERIES = 6 }; /* environments beyond six share looks, never labels */

/* `id` is unique in the page. Title and description are read out by screen readers. */
void svg_begin(struct buf *out, const char *id, double height, const char *title,
               const char *description);
void svg_end(struct buf *out);

void svg_line(struct buf *out, const char *class_, double x1, double y1, double x2, double y2);
/* anchor: "start", "middle" or "end". */
void svg_text(struct buf *out, const char *class_, const char *anchor, double x, double y,
              const char *text);
/* The environment's own shape: circle, square, triangle, diamond, ring, cross. */
void svg_marker(struct buf *out, size_t environment, double x, double y);
/* The same shape as a tiny drawing for running text; hidden from screen readers. */
void svg_marker_inline(struct buf *out, size_t environment);

/* From data to coordinates. `from` may lie right of or below `to`. */
struct axis {
    double low, high; /* data; low < high, and 0 < low when logarithmic */
    double from, to;  /* coordinates of low and high */
    bool logarithmic;
};
double axis_at(const struct axis *a, double value); /* held within the axis */
/* Round numbers on the axis, ascending, at most `max` (>= 2); returns how many. */
size_t axis_ticks(const struct axis *a, double *ret, size_t max);
