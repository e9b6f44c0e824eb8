#pragma once

#include "store/store.h"

/*
 * What agents elsewhere measured: samples of the same series as our own, kept apart by vantage
 * point, so that no figure mixes them. An agent sends each report until it was told that it
 * arrived; boot (one run of the agent) and sequence (1, 2, ... in that run) say whether it is here
 * already. Within one boot reports come in their order, so the last number is all that is kept of
 * it.
 */
enum { OBSERVATION_VANTAGE_MAX = 64, OBSERVATION_BOOT_MAX = 64, OBSERVATION_SAMPLES_MAX = 1000 };

struct observation_report {
    const char *vantage, *boot;
    int64_t sequence;
    const struct sample *samples;
    size_t n; /* at most OBSERVATION_SAMPLES_MAX; none is fine */
};
/* *ret_new false: it was stored before, and nothing was written. ERR_BUG: a sample that cannot be
 * kept (batch.h), or too many. */
int observation_add(struct store *s, const struct observation_report *r, bool *ret_new,
                    struct err *e);
/* Those that have something in the window, by name. */
typedef void vantage_fn(const char *vantage, void *arg);
int observation_vantages(struct store *s, int64_t from, int64_t until, vantage_fn *fn, void *arg,
                         struct err *e);
/* Samples of one vantage point with from <= at < until, series 0 = all; by report, in each by
 * series and time. */
int observation_read(struct store *s, const char *vantage, int64_t series, int64_t from,
                     int64_t until, sample_fn *fn, void *arg, struct err *e);
