#pragma once

#include "base/buf.h"
#include "fixture.h"
#include "store/batch.h"
#include "store/cell.h"
#include "store/inner.h"

/* Samples as a prober takes them, by chance, and what a window must come to by counting them all.
 */

static inline void world_init(struct fixture *f)
{
    fixture_init(f);
    CHECK(store_relax(f->store, &f->err) == 0); /* thousands of small writes */
}

struct random {
    uint64_t state;
};

static inline uint64_t pick(struct random *r, uint64_t n)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state % n;
}

static inline struct sample random_sample(struct random *r, int64_t series, int64_t at_ms)
{
    struct sample v = {.series = series,
                       .at_ms = at_ms,
                       .late_us = (int32_t)pick(r, 3000) - 1,
                       .outcome = pick(r, 4) ? SAMPLE_OK : (enum sample_outcome)pick(r, 5),
                       .class_ = pick(r, 9) ? SAMPLE_WARM : SAMPLE_COLD,
                       .status = pick(r, 9) ? 200 : 503,
                       .lookup_us = (int32_t)pick(r, 900) - 1,
                       .connect_us = (int32_t)pick(r, 9000) - 1,
                       .tls_us = (int32_t)pick(r, 9000) - 1,
                       .first_byte_us = (int32_t)pick(r, 90000) - 1,
                       .total_us = (int32_t)(pick(r, 200) * pick(r, 2000)),
                       .covers_ms = 30000,
                       .extra = pick(r, 20) == 0};
    return v;
}

struct expected {
    const struct sample *samples;
    size_t n;
};

/* As bytes, so that cells can be compared whole. */
static inline struct buf cell_bytes(const struct history_cell *c)
{
    struct buf b = BUF_INIT(CELL_MAX_BYTES);
    cell_encode(c, &b);
    return b;
}

static inline bool cells_equal(const struct history_cell *a, const struct history_cell *b)
{
    struct buf x = cell_bytes(a), y = cell_bytes(b);
    bool equal = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    buf_release(&x);
    buf_release(&y);
    return equal && a->late_us_max == b->late_us_max;
}

static inline void count_all(const struct expected *all, int64_t series, int64_t from,
                             int64_t until, struct history_cell *ret)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct sample *v = &all->samples[i];
        if (v->series == series && v->at_ms >= from && v->at_ms < until)
            history_cell_add(ret, v);
    }
}

/* What a read gave: the sum of each series, and whether it kept its promises. */
enum { WORLD_SERIES = 4 };
struct gathered {
    struct history_cell of[WORLD_SERIES + 1];
    int64_t last_start[WORLD_SERIES + 1];
    int64_t longest;
    int cells, disorder;
};

static inline void gather(int64_t series, int64_t start_ms, int64_t length_ms,
                          const struct history_cell *c, void *arg)
{
    struct gathered *g = arg;
    g->cells++;
    if (g->cells > 1 && start_ms < g->last_start[series])
        g->disorder++;
    g->last_start[series] = start_ms;
    if (length_ms > g->longest)
        g->longest = length_ms;
    history_cell_merge(&g->of[series], c);
}

static inline void gathered_init(struct gathered *g)
{
    *g = (struct gathered){0};
    for (int i = 0; i <= WORLD_SERIES; i++)
        g->last_start[i] = INT64_MIN;
}

static inline void gathered_release(struct gathered *g)
{
    for (int i = 0; i <= WORLD_SERIES; i++)
        history_cell_release(&g->of[i]);
}

/* True when the window, as far as it was covered, holds each sample once. */
static inline bool window_is_right(struct store *s, const struct history_window *w,
                                   const struct expected *all, int64_t *ret_from,
                                   int64_t *ret_until)
{
    struct gathered g;
    struct err e = ERR_INIT;
    gathered_init(&g);
    bool right = history_read(s, w, gather, &g, ret_from, ret_until, &e) == 0 && g.disorder == 0 &&
                 g.longest <= history_level_ms(w->coarsest);
    for (int64_t series = 1; right && series <= WORLD_SERIES; series++) {
        struct history_cell want = {0};
        if (w->series == 0 || w->series == series)
            count_all(all, series, *ret_from, *ret_until, &want);
        right = cells_equal(&want, &g.of[series]);
        history_cell_release(&want);
    }
    gathered_release(&g);
    return right;
}

static inline void roll_all(struct store *s, struct err *e)
{
    for (bool more = true; more;)
        if (history_roll(s, 1000, &more, e) < 0)
            return;
}

static inline void prune_all(struct store *s, int64_t now_ms, int64_t samples_ms, int64_t keep_ms,
                             struct err *e)
{
    for (bool more = true; more;)
        if (history_prune(s, now_ms, samples_ms, keep_ms, &more, e) < 0)
            return;
}
