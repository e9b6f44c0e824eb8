#pragma once

struct buf;
struct comparison;

/* The plots of the HTML report, each one inline SVG figure. With no data, a sentence instead. */
void plot_times(const struct comparison *c, struct buf *out);        /* average, median, p95 */
void plot_success(const struct comparison *c, struct buf *out);      /* success rate */
void plot_distribution(const struct comparison *c, struct buf *out); /* share answered within t */
void plot_history(const struct comparison *c, struct buf *out);      /* median and p95 over time */
