#pragma once

#include "app/app.h"
#include "app/targets.h"
#include "app/watch.h"
#include "base/arena.h"

/* The watch's parts, shared by its files: watch.c (life, checks, samples), watch_round.c (targets
 * and schedules), watch_outage.c, watch_awake.c. Nobody else includes it. */

struct known_check {
    struct watch_check view; /* first: handed out as it is */
    struct arena arena;      /* the names */
    char *reason, *detail;
    bool outage_wanted; /* it is down: an outage is open, or on its way into the store */
};

/* One schedule and what it borrows. The last one runs, earlier ones end what they began. */
struct round {
    struct round *next;
    struct watch *watch;
    struct schedule *schedule;
    struct targets targets;
    bool over;
};

struct open_outage {
    struct watch_outage view; /* first */
    char *reason;
};

struct store_worker;
struct awake_book;
struct watch {
    struct watch_options o;
    struct known_check **checks;
    size_t n_checks, size_checks;
    struct round *rounds; /* newest first */
    int64_t anchor_us;
    struct sample_batch *batch;
    struct store_worker *ledger;    /* outages, in their order */
    struct note *notes, *last_note; /* outages not in the store yet, in their order */
    size_t n_notes;
    bool noting; /* the first is being written */
    struct timer *note_again;
    struct open_outage **open;
    size_t n_open, size_open;
    struct awake_book *awake;
    struct timer *end;
    bool stopping, blind;
    struct sketch lateness;     /* of rounds that are over */
    struct sketch lateness_now; /* of all, for watch_count */
    uint64_t missed, sent, extra;
    struct err failure, note_failure; /* the last that was said about writing samples, outages */
};

/* watch.c */
void watch_say(const struct watch *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct known_check *watch_know(struct watch *w, int64_t series);
void watch_result(const struct probe_result *r, void *round);
void watch_change(const struct probe_change *c, void *round);
void watch_round_over(struct watch *w);
/* Says a failure that is not the one said last. */
void watch_store_failed(struct watch *w, struct err *last, const struct err *e);

/* watch_round.c */
int round_begin(struct watch *w, size_t *ret_n, struct err *e);
void round_free(struct round *r);

/* watch_outage.c */
int outages_load(struct watch *w, struct err *e); /* after the first targets are known */
void outages_down(struct watch *w, struct known_check *k, const struct probe_change *c);
void outages_up(struct watch *w, struct known_check *k, int64_t until_ms);
void outages_blind(bool blind, int64_t at_ms, void *round);
void outages_close_unknown(struct watch *w);
/* Some are not in the store yet. When the watch is stopping each gets one more try. */
bool outages_pending(struct watch *w);
void outages_release(struct watch *w);

/* watch_awake.c: schedule_options.awake */
struct awake_book *awake_book_new(struct app *a);
void awake_ask(const struct target *t, void *round);
void awake_forget_round(struct awake_book *b, const struct round *r);
void awake_book_free(struct awake_book *b);
