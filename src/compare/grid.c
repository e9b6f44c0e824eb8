#include "compare/grid.h"

#include <assert.h>
#include <stddef.h>

static const int64_t widths_s[] = {1,    5,    10,   30,    60,    300,  600,
                                   1800, 3600, 7200, 14400, 28800, 86400};
enum { N_WIDTHS = sizeof widths_s / sizeof *widths_s };

static int64_t next_factor(int64_t width_ms)
{
    for (size_t i = 0; i + 1 < N_WIDTHS; i++)
        if (width_ms == widths_s[i] * 1000)
            return widths_s[i + 1] / widths_s[i];
    return 2;
}

int64_t grid_factor(const struct grid *g, int64_t at_ms)
{
    assert(at_ms >= 0);
    if (g->width_ms == 0)
        return 1;
    int64_t cell = at_ms / g->width_ms;
    int64_t low = cell < g->low ? cell : g->low, high = cell > g->high ? cell : g->high;
    return high - low < g->cells ? 1 : next_factor(g->width_ms);
}

int64_t grid_factor_wide(const struct grid *g, int64_t at_ms, int64_t length_ms)
{
    if (g->width_ms != 0 && g->width_ms < length_ms)
        return next_factor(g->width_ms);
    return grid_factor(g, at_ms);
}

void grid_coarsen(struct grid *g, int64_t factor)
{
    g->width_ms *= factor;
    g->low /= factor;
    g->high /= factor;
}

int grid_take(struct grid *g, int64_t at_ms)
{
    if (g->width_ms == 0) {
        g->width_ms = widths_s[0] * 1000;
        g->low = g->high = at_ms / g->width_ms;
    }
    int64_t cell = at_ms / g->width_ms;
    g->low = cell < g->low ? cell : g->low;
    g->high = cell > g->high ? cell : g->high;
    return grid_slot(g, cell);
}

int grid_slot(const struct grid *g, int64_t cell)
{
    return (int)(cell % g->cells);
}
