#pragma once

#include "base/sketch.h"
#include "store/store.h"

/*
 * What was measured, in stretches of time: cells of 10 minutes, 2 hours and 1 day side by side
 * (UTC-aligned), one a series, made from the raw samples by history_roll. Percentiles of any window
 * come from merging the cells' sketches, never from averaging percentiles.
 *
 * Life cycle: the functions work on an open store; a cell handed to a callback is valid during the
 * call only. One thread a store handle.
 */
enum history_level { HISTORY_TEN_MINUTES, HISTORY_TWO_HOURS, HISTORY_DAY };
#define HISTORY_LEVELS (HISTORY_DAY + 1)
int64_t history_level_ms(enum history_level l);

/* Samples that were taken off the paired clock (sample.extra) are in no member but seen_ms and
 * unseen_ms. A zeroed struct is an empty cell. */
struct history_cell {
    uint64_t count[2][SAMPLE_MISSED + 1]; /* by enum sample_class and enum sample_outcome */
    struct sketch times[2];               /* by class: total_us of the answered (ok, slow) */
    /* Sums over the warm answered samples, microseconds, each phase by itself (not counted from the
     * start): look-up, connect, TLS, first byte, rest. */
    uint64_t lookup_us, connect_us, tls_us, first_byte_us;
    uint64_t rest_us; /* not of databases: their total_us is the statement alone, see times */
    uint64_t late_us_max;
    struct sketch lateness; /* of every request that was sent */
    /* Time that samples stand for (sample.covers_ms): of those that tell how the target was (ok,
     * slow, failed), and of those that do not (inconclusive, missed). */
    uint64_t seen_ms, unseen_ms;
};
void history_cell_release(struct history_cell *c);
void history_cell_add(struct history_cell *c, const struct sample *v);
/* Adds all of `from`; false, and nothing changed, when a sketch would be over its bound. */
bool history_cell_merge(struct history_cell *c, const struct history_cell *from);

/* Merges raw samples that are not in cells yet into the cells: about `max` of them, by whole
 * batches, at least one. One transaction, so a kill leaves all or nothing of it, and of two
 * processes each batch is rolled by one. The batches are packed together, which makes them small. A
 * batch that is damaged is passed over, counted and left where it is. *ret_more: there is more to
 * do. */
int history_roll(struct store *s, size_t max, bool *ret_more, struct err *e);

/* One stretch of one series: [start_ms, start_ms + length_ms). */
typedef void history_fn(int64_t series, int64_t start_ms, int64_t length_ms,
                        const struct history_cell *c, void *arg);
struct history_window {
    int64_t series;              /* 0 = all */
    int64_t from_ms, until_ms;   /* half open */
    enum history_level coarsest; /* no cell longer than this: for plots and paired blocks */
};
/* Covers the window with the fewest cells, in time order per series; series alternate. Samples
 * behind the roll's mark come as cells too, of 10 minutes, also beside a longer cell of that time.
 * Edges that no cell meets are cut at raw samples where these are still kept, else rounded outwards
 * to the shortest cell that is still kept (10 minutes, unless they were pruned): *ret_from,
 * *ret_until say what was covered (NULL is fine). Where only cells longer than `coarsest` are kept,
 * nothing is given, and *ret_from is later. A damaged cell is replaced by shorter ones where these
 * are kept, else left out and counted. The callback must not write to this store. */
int history_read(struct store *s, const struct history_window *w, history_fn *fn, void *arg,
                 int64_t *ret_from, int64_t *ret_until, struct err *e);

/* Drops raw samples, ours and the agents', older than samples_ms, and cells and outages that were
 * over older than keep_ms (10-minute cells after 60 days, 2-hour cells after 400 days at the
 * latest), a bounded piece a call. Samples that were not rolled up yet are never dropped.
 * *ret_more: there is more to do. */
int history_prune(struct store *s, int64_t now_ms, int64_t samples_ms, int64_t keep_ms,
                  bool *ret_more, struct err *e);

/* What the store holds: for the prober's own health page. */
struct history_size {
    int64_t file_bytes, raw_samples, cells[HISTORY_LEVELS];
    int64_t unrolled_samples;              /* behind the roll's mark */
    int64_t oldest_raw_ms, oldest_cell_ms; /* 0 = none */
    /* Batches and cells that were damaged and left out: by rolls ever, and by reads of this handle
     * (each time that it met one). */
    int64_t damaged;
};
int history_size(struct store *s, struct history_size *ret, struct err *e);
