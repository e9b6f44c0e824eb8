#pragma once

#include "store/store.h"

/*
 * What went wrong and when it was over. An outage is open until it is closed; one a series and
 * kind at a time. Times are wall milliseconds: `from` is the first bad sample, not the moment when
 * enough of them had come.
 */
enum outage_kind {
    OUTAGE_DOWN,  /* a target */
    OUTAGE_BLIND, /* the prober itself: its control targets did not answer either; series 0 */
};
const char *outage_kind_name(enum outage_kind k); /* "down", "blind" */

struct outage {
    int64_t id, series;
    enum outage_kind kind;
    int64_t from_ms, until_ms; /* until_ms 0 while open */
    int64_t noticed_ms;        /* when it was decided */
    int64_t acknowledged_ms;   /* 0 = not */
    const char *reason;        /* redacted; of the first bad sample */
};

/* Opens one, or returns the open one of that series and kind. */
int outage_open(struct store *s, const struct outage *want, int64_t *ret_id, struct err *e);
int outage_close(struct store *s, int64_t id, int64_t until_ms, struct err *e);
int outage_acknowledge(struct store *s, int64_t id, int64_t at_ms,
                       struct err *e); /* ERR_NO: no such */
typedef void outage_fn(const struct outage *i, void *arg);
/* Those that overlap the window (open ones last until now), newest first. series -1 = all; limit 0
 * = all. */
int outage_list(struct store *s, int64_t series, int64_t from_ms, int64_t until_ms, int limit,
                outage_fn *fn, void *arg, struct err *e);
