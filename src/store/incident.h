#pragma once

#include "store/store.h"

/*
 * What went wrong and when it was over. An incident is open until it is closed; one a series and
 * kind at a time. Times are wall milliseconds: `from` is the first bad sample, not the moment when
 * enough of them had come.
 */
enum incident_kind {
    INCIDENT_DOWN,  /* a target */
    INCIDENT_BLIND, /* the prober itself: its control targets did not answer either; series 0 */
};
const char *incident_kind_name(enum incident_kind k); /* "down", "blind" */

struct incident {
    int64_t id, series;
    enum incident_kind kind;
    int64_t from_ms, until_ms; /* until_ms 0 while open */
    int64_t noticed_ms;        /* when it was decided */
    int64_t acknowledged_ms;   /* 0 = not */
    const char *reason;        /* redacted; of the first bad sample */
};

/* Opens one, or returns the open one of that series and kind. */
int incident_open(struct store *s, const struct incident *want, int64_t *ret_id, struct err *e);
int incident_close(struct store *s, int64_t id, int64_t until_ms, struct err *e);
int incident_acknowledge(struct store *s, int64_t id, int64_t at_ms,
                         struct err *e); /* ERR_NO: no such */
typedef void incident_fn(const struct incident *i, void *arg);
/* Those that overlap the window (open ones last until now), newest first. series -1 = all; limit 0
 * = all. */
int incident_list(struct store *s, int64_t series, int64_t from_ms, int64_t until_ms, int limit,
                  incident_fn *fn, void *arg, struct err *e);
