#include "traffic/failover.h"

#include <assert.h>

/*
 * The rows. What is common to them:
 *  - A quorum's word is stronger than live traffic, and a person's order than both.
 *  - DOWN is what a quorum calls down. DEGRADED is what users' own requests complain of: it may be
 *    out, and if it was it comes back on trial with a small share. SUSPECT is never out.
 *  - DOWN and DEGRADED end only by HELD: good findings start the hold time, they do not end it.
 *  - Blindness moves nothing.
 */
#define ROW(state, event, next, actions, why)                                                      \
    [TRAFFIC_##state * TRAFFIC_EVENTS + EVENT_##                                                   \
        event] = {TRAFFIC_##state, EVENT_##event, TRAFFIC_##next, (actions), (why)}
#define FAST ACTION_CHECK_FAST
#define CALM ACTION_CHECK_CALMLY
#define WAKE ACTION_WAKE_STANDBY
#define OUT ACTION_TAKE_OUT
#define BACK ACTION_BRING_BACK
#define LESS ACTION_LESSEN
#define WARN ACTION_WARN

/* clang-format off */
const struct failover_row failover_table[] = {
    /* Not seen yet, or nobody is able to see it. */
    ROW(UNKNOWN, UP,        UP,       CALM,              "it answers"),
    ROW(UNKNOWN, DOUBT,     SUSPECT,  FAST | WAKE,       "first signs of a failure"),
    ROW(UNKNOWN, ERRORS,    DEGRADED, OUT | FAST | WAKE, "more of its answers are errors than isolated ones"),
    ROW(UNKNOWN, LIVE_DOWN, DEGRADED, OUT | FAST | WAKE, "users' requests fail there"),
    ROW(UNKNOWN, DOWN,      DOWN,     OUT | FAST | WAKE, "it is down"),
    ROW(UNKNOWN, BLIND,     UNKNOWN,  0,                 "nobody is able to see it"),
    ROW(UNKNOWN, SLEPT,     ASLEEP,   CALM,              "its platform put it to sleep"),
    ROW(UNKNOWN, HELD,      UP,       BACK | CALM,       "it was well for its hold time"),
    ROW(UNKNOWN, DRAIN,     DRAINING, OUT | WAKE,        "taken out by order"),
    ROW(UNKNOWN, RESTORE,   UNKNOWN,  0,                 "the order has ended"),

    ROW(UP, UP,             UP,       CALM,              "it answers"),
    ROW(UP, DOUBT,          SUSPECT,  FAST | WAKE,       "first signs of a failure"),
    ROW(UP, ERRORS,         DEGRADED, OUT | FAST | WAKE, "more of its answers are errors than isolated ones"),
    ROW(UP, LIVE_DOWN,      DEGRADED, OUT | FAST | WAKE, "users' requests fail there"),
    ROW(UP, DOWN,           DOWN,     OUT | FAST | WAKE, "it is down"),
    ROW(UP, BLIND,          UNKNOWN,  CALM,              "nobody is able to see it: traffic stays as it is"),
    ROW(UP, SLEPT,          ASLEEP,   CALM,              "its platform put it to sleep"),
    ROW(UP, HELD,           UP,       BACK,              "well on trial: its full share"),
    ROW(UP, DRAIN,          DRAINING, OUT | WAKE,        "taken out by order"),
    ROW(UP, RESTORE,        UNKNOWN,  0,                 "the order has ended"),

    /* Users' requests fail, and no quorum calls it down. */
    ROW(DEGRADED, UP,        DEGRADED, CALM,             "it answers well: its hold time runs"),
    ROW(DEGRADED, DOUBT,     DEGRADED, CALM,             "still signs of a failure"),
    ROW(DEGRADED, ERRORS,    DEGRADED, OUT | CALM,       "more of its answers are errors than isolated ones"),
    ROW(DEGRADED, LIVE_DOWN, DEGRADED, OUT | CALM,       "users' requests fail there"),
    ROW(DEGRADED, DOWN,      DOWN,     OUT | FAST | WAKE, "it is down"),
    ROW(DEGRADED, BLIND,     UNKNOWN,  CALM,             "nobody is able to see it: traffic stays as it is"),
    ROW(DEGRADED, SLEPT,     DEGRADED, CALM,             "its platform put it to sleep"),
    ROW(DEGRADED, HELD,      UP,       BACK | LESS | CALM, "it was well for its hold time"),
    ROW(DEGRADED, DRAIN,     DRAINING, OUT | WAKE,       "taken out by order"),
    ROW(DEGRADED, RESTORE,   UNKNOWN,  0,                "the order has ended"),

    /* Answers after waking: keeps its share, and may take over. */
    ROW(ASLEEP, UP,         UP,       CALM,              "it is awake"),
    ROW(ASLEEP, DOUBT,      SUSPECT,  FAST | WAKE,       "first signs of a failure"),
    ROW(ASLEEP, ERRORS,     DEGRADED, OUT | FAST | WAKE, "more of its answers are errors than isolated ones"),
    ROW(ASLEEP, LIVE_DOWN,  DEGRADED, OUT | FAST | WAKE, "users' requests fail there"),
    ROW(ASLEEP, DOWN,       DOWN,     OUT | FAST | WAKE, "it is down, and does not wake"),
    ROW(ASLEEP, BLIND,      UNKNOWN,  CALM,              "nobody is able to see it: traffic stays as it is"),
    ROW(ASLEEP, SLEPT,      ASLEEP,   CALM,              "its platform put it to sleep"),
    ROW(ASLEEP, HELD,       ASLEEP,   BACK,              "its trial is over: its full share"),
    ROW(ASLEEP, DRAIN,      DRAINING, OUT | WAKE,        "taken out by order"),
    ROW(ASLEEP, RESTORE,    UNKNOWN,  0,                 "the order has ended"),

    ROW(SUSPECT, UP,        UP,       CALM,              "the doubt is cleared"),
    ROW(SUSPECT, DOUBT,     SUSPECT,  CALM | WARN,       "the doubt lasts, and is not enough to call it down"),
    ROW(SUSPECT, ERRORS,    DEGRADED, OUT | FAST | WAKE, "more of its answers are errors than isolated ones"),
    ROW(SUSPECT, LIVE_DOWN, DEGRADED, OUT | FAST | WAKE, "users' requests fail there"),
    ROW(SUSPECT, DOWN,      DOWN,     OUT | FAST | WAKE, "it is down"),
    ROW(SUSPECT, BLIND,     UNKNOWN,  CALM,              "nobody is able to see it: traffic stays as it is"),
    ROW(SUSPECT, SLEPT,     ASLEEP,   CALM,              "its platform put it to sleep"),
    ROW(SUSPECT, HELD,      UP,       BACK | CALM,       "it was well for its hold time"),
    ROW(SUSPECT, DRAIN,     DRAINING, OUT | WAKE,        "taken out by order"),
    ROW(SUSPECT, RESTORE,   UNKNOWN,  0,                 "the order has ended"),

    ROW(DOWN, UP,           DOWN,     CALM,              "it answers again: its hold time runs"),
    ROW(DOWN, DOUBT,        DOWN,     CALM,              "still signs of a failure"),
    ROW(DOWN, ERRORS,       DOWN,     OUT | CALM,        "it still answers with errors"),
    ROW(DOWN, LIVE_DOWN,    DOWN,     OUT | CALM,        "users' requests still fail there"),
    ROW(DOWN, DOWN,         DOWN,     OUT | CALM,        "it is down"),
    ROW(DOWN, BLIND,        UNKNOWN,  CALM,              "nobody is able to see it: traffic stays as it is"),
    ROW(DOWN, SLEPT,        DOWN,     CALM,              "its platform put it to sleep"),
    ROW(DOWN, HELD,         UP,       BACK | CALM,       "it was well for its hold time"),
    ROW(DOWN, DRAIN,        DRAINING, OUT | WAKE,        "taken out by order"),
    ROW(DOWN, RESTORE,      UNKNOWN,  0,                 "the order has ended"),

    /* A person's order: nothing but its end moves it. */
    ROW(DRAINING, UP,        DRAINING, CALM,             "taken out by order; it answers"),
    ROW(DRAINING, DOUBT,     DRAINING, CALM,             "taken out by order; first signs of a failure"),
    ROW(DRAINING, ERRORS,    DRAINING, CALM,             "taken out by order; it answers with errors"),
    ROW(DRAINING, LIVE_DOWN, DRAINING, CALM,             "taken out by order; what still runs there fails"),
    ROW(DRAINING, DOWN,      DRAINING, CALM,             "taken out by order; it is down"),
    ROW(DRAINING, BLIND,     DRAINING, CALM,             "taken out by order; nobody is able to see it"),
    ROW(DRAINING, SLEPT,     DRAINING, CALM,             "taken out by order; it sleeps"),
    ROW(DRAINING, HELD,      DRAINING, CALM,             "taken out by order; it is well"),
    ROW(DRAINING, DRAIN,     DRAINING, 0,                "taken out by order"),
    ROW(DRAINING, RESTORE,   UNKNOWN,  0,                "the order has ended"),
};
/* clang-format on */
const size_t failover_table_count = sizeof failover_table / sizeof failover_table[0];

const struct failover_row *failover_row(enum traffic_state from, enum traffic_event event)
{
    assert(from < TRAFFIC_STATES && event < TRAFFIC_EVENTS);
    return &failover_table[from * TRAFFIC_EVENTS + event];
}
