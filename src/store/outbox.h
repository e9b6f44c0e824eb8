#pragma once

#include "base/arena.h"
#include "store/store.h"

/*
 * What people are to be told: matters, each once ever for an alert, and the messages that carry
 * them. A message is written down as being sent before it is sent, so that after a kill it is known
 * which ones the other side may have had (docs/adr/010). Texts are redacted by the caller, and an
 * alert's address is never in here. Times are wall milliseconds.
 */
struct outbox_matter {
    const char *alert, *key;
    const char *event, *environment, *title, *text, *link;
    int64_t incident, at_ms;
    bool held; /* it came in quiet hours */
};

/* *ret_new false: that alert had a matter of that key before, and nothing was done. */
int outbox_add(struct store *s, const struct outbox_matter *m, bool *ret_new, struct err *e);

enum outbox_kind {
    OUTBOX_SINGLE,
    OUTBOX_FOLDED, /* several of one event and environment, held back by `repeat_ms` */
    OUTBOX_QUIET,  /* all that came in quiet hours */
};

enum outbox_state {
    OUTBOX_WAITING, /* for another attempt */
    OUTBOX_SENDING,
    OUTBOX_SENT,
    OUTBOX_FAILED, /* given up */
    OUTBOX_UNKNOWN /* the process that sent it ended before an answer came */
};
const char *outbox_state_name(enum outbox_state s); /* "waiting", ... */

struct outbox_message {
    int64_t id;
    const char *uid; /* "msg_..."; the same at every attempt */
    enum outbox_kind kind;
    enum outbox_state state;
    int attempts; /* this one included */
    int64_t made_ms, next_ms, ended_ms;
    const char *answer;
    const struct outbox_matter *matters; /* in the order they came; only the newest MATTERS_MAX */
    size_t n, more;                      /* more: those before, that are left out */
};
enum { OUTBOX_MATTERS_MAX = 50 };

/* How one alert sends at this moment. */
struct outbox_rule {
    const char *alert;
    int64_t now_ms, repeat_ms;
    int64_t quiet_until_ms;    /* 0: these are no quiet hours */
    const char *const *urgent; /* events that are told in quiet hours too */
    size_t n_urgent;
    bool repeatable;
};

/* The next message of the alert, now marked as being sent by this process and lasting as long as
 * `a`; *ret_id 0 in it: none is due before *ret_next_ms (0: nothing waits). At most one of an alert
 * is under way: messages arrive in their order. */
int outbox_take(struct store *s, const struct outbox_rule *rule, struct arena *a,
                struct outbox_message *ret, int64_t *ret_next_ms, struct err *e);

/* What came of the attempt: OUTBOX_WAITING until next_ms, or an end. */
int outbox_settle(struct store *s, int64_t id, enum outbox_state state, int64_t next_ms,
                  const char *answer, struct err *e);

typedef void outbox_message_fn(const struct outbox_message *m, void *arg);

/* Messages whose sender is gone: those that the receiver knows by their uid wait for another
 * attempt, of the others it is unknown whether they arrived; `fn` is told of these. */
int outbox_recover(struct store *s, const char *alert, outbox_message_fn *fn, void *arg,
                   struct err *e);

/* Newest first; those that have not been begun are no messages yet. limit 0 = all. */
int outbox_list(struct store *s, const char *alert, int limit, outbox_message_fn *fn, void *arg,
                struct err *e);

struct outbox_standing {
    int64_t waiting;               /* matters that were not told yet, by whatever reason */
    int64_t sent, failed, unknown; /* messages */
    int64_t last_sent_ms;          /* 0 = never */
    int64_t trying;                /* attempts of the message that waits now */
};
int outbox_stand(struct store *s, const char *alert, struct outbox_standing *ret, struct err *e);

/* Names that something is kept of, in alphabetical order. */
typedef void outbox_name_fn(const char *alert, void *arg);
int outbox_names(struct store *s, outbox_name_fn *fn, void *arg, struct err *e);
