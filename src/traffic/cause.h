#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One incident for one cause: which incident a sign of trouble belongs to, and what the incident is
 * then called. Pure: signs and times in, an answer out.
 *
 * The rules:
 *  1. An outage joins an incident when it began within the joining window of the newest that is in
 *     it, and shares its platform or its environment: what all that is in the incident have in
 *     common, so that an incident about a platform does not grow from environment to environment
 *     into one about everything. A check that is asked seldom is seen to fail late, so its interval
 *     is added to the window (up to CAUSE_LATE_MAX_MS).
 *  2. The same check, and another check of the same service (app instance in an environment),
 *     joins at any time. What is merely on the same platform does not: a check that is broken for
 *     days must not hide what breaks next.
 *  3. A failover joins the incident with an outage in the environment that traffic leaves, and an
 *     outage one with a failover from its environment, within the window.
 *  4. An incident that is over counts as open for CAUSE_RETURN_MS more: what returns within that
 *     time reopens it, and is no new one.
 *  5. A spell of our own blindness is one of its own kind, and so is a drill over its bound:
 *     nothing joins them, but a blind spell that returns reopens its own.
 * Of several that fit, the one with the closest tie is taken (check, service, environment and
 * platform, one of the two), then the newest.
 *
 * Two that share neither platform nor environment are two, also in the same second. All times are
 * wall milliseconds; a clock that was set back counts by distance.
 */
enum { CAUSE_JOIN_MS = 60000, CAUSE_LATE_MAX_MS = 600000, CAUSE_RETURN_MS = 300000 };

enum cause_kind { CAUSE_OUTAGE, CAUSE_FAILOVER, CAUSE_DRILL, CAUSE_BLIND };
const char *cause_kind_name(enum cause_kind k); /* "outage", ... as in store/incident.h */
bool cause_kind_read(const char *name, enum cause_kind *ret);

struct cause_sign { /* something that went wrong; texts are borrowed, "" = does not apply */
    enum cause_kind kind;
    const char *platform, *environment, *app, *instance;
    const char *check;  /* outage: its name; failover: the route's; drill: the fault */
    int64_t series;     /* outage: of the check */
    int64_t from_ms;    /* first bad sample */
    int64_t until_ms;   /* 0 = still so */
    int64_t late_ms;    /* the check's interval */
    const char *reason; /* for titles of what is no outage */
};

struct cause_case { /* an incident, as far as the rules go */
    enum cause_kind kind;
    const char *platform, *environment, *app; /* what all in it have in common; "" = not one */
    int64_t from_ms, until_ms;                /* until 0 = open */
    int64_t newest_ms;                        /* when the last that joined began */
    const struct cause_sign *const *signs;    /* all that are or were in it, a check once */
    size_t n_signs;
};

/* The index of the incident that the sign belongs to; SIZE_MAX: it is the first of a new one. */
size_t cause_find(const struct cause_case *cases, size_t n, const struct cause_sign *sign,
                  int64_t now_ms);

/* What stays in common when the sign joins: each of the three is kept or becomes "". */
void cause_narrow(struct cause_case *c, const struct cause_sign *sign);

/* All that is in it is over. *ret_until_ms: when the last of it ended. */
bool cause_over(const struct cause_case *c, int64_t *ret_until_ms);

/* "backend health fails in uat"; of several: "koyeb: 30 checks of 15 apps fail in uat". */
void cause_title(const struct cause_case *c, char *ret, size_t size);
